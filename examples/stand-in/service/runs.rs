//! The pipelines and their runs: what each record says at a given moment, and what an execution starts.
//!
//! Nothing here runs in the background. A run's record is computed from its timeline when it is asked for, so that a test
//! decides by looks or by the clock when a run ends, and nothing ever races.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::scenario::{Change, History, List, Pipeline, Run};
use super::time::{self, ServiceClock};

/// All pipelines.
#[derive(Debug)]
pub struct Runs {
    pipelines: Vec<PipelineState>,
    clock: Arc<ServiceClock>,
    /// The last integer id given to a run.
    last_id: u64,
}

#[derive(Debug)]
struct PipelineState {
    plan: Pipeline,
    runs: Vec<RunState>,
    /// The `run_id`s that execute answered.
    executions: Vec<String>,
}

#[derive(Debug)]
struct RunState {
    plan: Run,
    /// Scenario time at which it began; none: not yet.
    begun: Option<Duration>,
    /// Waits for the run before it.
    queued: bool,
    looks: u32,
}

/// What a run shows at one moment.
struct View {
    record: Map<String, Value>,
    hidden: bool,
    logs: Option<Value>,
    /// When the last change that came by the clock was due.
    changed: Duration,
}

/// What execute did.
#[derive(Debug, PartialEq, Eq)]
pub enum Executed {
    Started { pipeline_id: String, run_id: String },
    NotFound,
    Paused,
}

/// Ids are underscored in answers, hyphenated or underscored in requests.
pub fn same_id(a: &str, b: &str) -> bool {
    let fold = |byte: u8| if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
    a.bytes().map(fold).eq(b.bytes().map(fold))
}

impl Runs {
    pub fn new(plans: &[Pipeline], clock: Arc<ServiceClock>) -> Runs {
        let mut runs = Runs { pipelines: Vec::new(), clock, last_id: 1000 };
        for plan in plans {
            let past = plan.history.iter().flat_map(past).collect::<Vec<_>>();
            let mut state = PipelineState { plan: plan.clone(), runs: Vec::new(), executions: Vec::new() };
            for run in past.into_iter().chain(plan.runs.clone()) {
                let begun = (!run.from_first_look).then_some(Duration::ZERO);
                let plan = runs.filled(run, &plan.pipeline_id);
                state.runs.push(RunState { plan, begun, queued: false, looks: 0 });
            }
            runs.pipelines.push(state);
        }
        runs
    }

    /// One run, looked at.
    pub fn look(&mut self, pipeline_id: &str, run_id: &str) -> Option<Value> {
        let (clock, now) = self.settled();
        let pipeline = self.pipelines.iter_mut().find(|state| same_id(&state.plan.pipeline_id, pipeline_id))?;
        let shows_queued = pipeline.plan.shows_queued;
        let run = pipeline.runs.iter_mut().find(|run| run.is(run_id))?;
        if !run.queued {
            run.begun.get_or_insert(now);
        }
        let view = run.view(&clock, now, shows_queued);
        run.looks += 1;
        (!view.hidden).then_some(Value::Object(view.record))
    }

    /// The runs of a pipeline.
    pub fn list(&mut self, pipeline_id: &str) -> Value {
        let (clock, now) = self.settled();
        let Some(pipeline) = self.pipelines.iter().find(|state| same_id(&state.plan.pipeline_id, pipeline_id)) else {
            return json!([]);
        };
        let shown = pipeline.runs.iter().map(|run| run.view(&clock, now, pipeline.plan.shows_queued));
        let records = shown.filter(|view| !view.hidden).map(|view| Value::Object(view.record));
        match &pipeline.plan.list {
            List::NewestFirst => records.rev().collect(),
            List::OldestFirst => records.collect(),
            List::Raw(value) => value.clone(),
        }
    }

    /// A run's logs; none where there is no such run, or it has none.
    pub fn logs(&mut self, run_id: &str) -> Option<Value> {
        let (clock, now) = self.settled();
        let run = self.pipelines.iter().flat_map(|state| &state.runs).find(|run| run.is(run_id))?;
        run.view(&clock, now, true).logs
    }

    /// Starts a pipeline, or queues it behind the run that is still going.
    pub fn execute(&mut self, pipeline_id: &str) -> Executed {
        let (clock, now) = self.settled();
        let Some(at) = self.pipelines.iter().position(|state| same_id(&state.plan.pipeline_id, pipeline_id)) else {
            return Executed::NotFound;
        };
        let pipeline = &mut self.pipelines[at];
        if pipeline.plan.paused {
            return Executed::Paused;
        }
        let plans = &pipeline.plan.executions;
        let nth = pipeline.executions.len();
        let mut plan = plans.get(nth).or(plans.last()).cloned().unwrap_or_default();
        let (id, shares_run_id) = (pipeline.plan.pipeline_id.clone(), pipeline.plan.shares_run_id);
        let second = clock.utc_at(now).format("%Y-%m-%dT%H:%M:%S");
        let mut run_id = format!("manual__{second}+00:00");
        if pipeline.executions.contains(&run_id) {
            // The documented form knows no more than the second, and two runs of one must differ.
            run_id = format!("manual__{second}.{nth:06}+00:00");
        }
        pipeline.executions.push(run_id.clone());
        if shares_run_id {
            plan.record.insert("pipeline_run_id".to_owned(), run_id.clone().into());
        } else if nth >= pipeline.plan.executions.len() {
            // The last plan is used again: its ids were the first one's.
            plan.record.retain(|key, _| key != "pipeline_run_id" && key != "id");
        }
        let queued = self.pipelines[at].runs.iter().any(|run| run.going(&clock, now));
        let plan = self.filled(plan, &id);
        let begun = (!queued && !plan.from_first_look).then_some(now);
        self.pipelines[at].runs.push(RunState { plan, begun, queued, looks: 0 });
        Executed::Started { pipeline_id: id.replace('-', "_"), run_id }
    }

    /// One pipeline, as "get pipeline" has it under `data`.
    pub fn pipeline(&self, pipeline_id: &str) -> Option<Value> {
        let state = self.pipelines.iter().find(|state| same_id(&state.plan.pipeline_id, pipeline_id))?;
        let created = time::stamp(self.clock.utc_at(Duration::ZERO));
        let mut data = json!({
            "id": state.plan.pipeline_id, "name": "stand-in", "description": "", "cron": null, "customer_id": "stand-in-customer",
            "status": if state.plan.paused { "paused" } else { "active" },
            "created_at": created, "updated_at": created, "jobs": [],
        });
        if let Value::Object(data) = &mut data {
            data.extend(state.plan.details.clone());
        }
        Some(data)
    }

    /// All pipelines with the state of their latest run.
    pub fn all(&mut self) -> Value {
        let (clock, now) = self.settled();
        let row = |(index, state): (usize, &PipelineState)| {
            let views = state.runs.iter().map(|run| run.view(&clock, now, state.plan.shows_queued));
            let latest = views.rev().find(|view| !view.hidden);
            let status = latest.map_or_else(|| json!("CREATED"), |view| view.record["last_status"].clone());
            let job_status = if status == "CREATED" { json!("PENDING") } else { status.clone() };
            let jobs = state.plan.details.get("jobs").and_then(Value::as_array).cloned().unwrap_or_default();
            let job = |job: Value| json!({"job_id": job["job_id"], "job_status": job_status, "input": job["input"], "output": job["output"]});
            json!({
                "id": index + 1, "pipeline_id": state.plan.pipeline_id,
                "name": state.plan.details.get("name").cloned().unwrap_or_else(|| json!("stand-in")),
                "cron": state.plan.details.get("cron").cloned().unwrap_or_default(),
                "last_status": status, "jobs": jobs.into_iter().map(job).collect::<Vec<_>>(),
            })
        };
        self.pipelines.iter().enumerate().map(row).collect()
    }

    /// Lets queued runs begin whose turn has come. Returns what the moment is, the same for the whole request.
    fn settled(&mut self) -> (Arc<ServiceClock>, Duration) {
        let (clock, now) = (Arc::clone(&self.clock), self.clock.elapsed());
        for pipeline in &mut self.pipelines {
            for at in 1..pipeline.runs.len() {
                let (before, rest) = pipeline.runs.split_at_mut(at);
                if rest[0].queued && !before.iter().any(|run| run.going(&clock, now)) {
                    let free = before.iter().map(|run| run.view(&clock, now, true).changed).max().unwrap_or(now);
                    rest[0].queued = false;
                    rest[0].begun = Some(free);
                }
            }
        }
        (clock, now)
    }

    /// A run's record with everything that the reference's has.
    fn filled(&mut self, mut run: Run, pipeline_id: &str) -> Run {
        self.last_id += 1;
        let id = self.last_id;
        let mut record = json!({
            "id": id, "pipeline_run_id": format!("{id:08x}_57a2_4d1e_8000_{:012x}", id * 7919),
            "pipeline_id": pipeline_id.replace('-', "_"), "last_status": "RUNNING", "created_at": "begin", "trace": null,
        });
        if let Value::Object(record) = &mut record {
            record.append(&mut run.record);
            let created = record["created_at"].clone();
            record.entry("updated_at").or_insert(created);
            run.record = std::mem::take(record);
        }
        run
    }
}

/// The runs of a history, oldest first. Their stamps are told from the beginning, which is not yet known.
fn past(history: &History) -> Vec<Run> {
    let run = |back: u32| -> Run {
        // The same in every run of a test, and far apart for neighbours.
        let spread = history.spread * (back % 1000 * 379 % 1000) / 1000;
        let age = history.newest + history.every * back;
        let takes = in_turn(&history.takes, back).copied().unwrap_or_default() + spread;
        let ended = match age.checked_sub(takes) {
            Some(age) => format!("begin-{}ms", age.as_millis()),
            None => format!("begin+{}ms", (takes - age).as_millis()),
        };
        let word = in_turn(&history.last_status, back);
        let trace = in_turn(&history.trace, back).filter(|_| word.is_some_and(|word| word != "SUCCESS"));
        let created = format!("begin-{}ms", age.as_millis());
        let record = json!({"last_status": word, "created_at": created, "updated_at": ended, "trace": trace});
        Run { record: record.as_object().cloned().unwrap_or_default(), ..Run::default() }
    };
    (0..history.count).rev().map(run).collect()
}

/// One after another, and from the start again.
fn in_turn<T>(all: &[T], nth: u32) -> Option<&T> {
    all.get(nth as usize % all.len().max(1))
}

impl RunState {
    fn is(&self, run_id: &str) -> bool {
        let record = &self.plan.record;
        record["pipeline_run_id"].as_str().is_some_and(|own| same_id(own, run_id))
            || record["id"].as_u64().is_some_and(|own| own.to_string() == run_id)
    }

    fn view(&self, clock: &ServiceClock, now: Duration, shows_queued: bool) -> View {
        let begun = self.begun.unwrap_or(now);
        let mut view = View {
            record: self.plan.record.clone(),
            hidden: self.plan.hidden,
            logs: self.plan.logs.clone(),
            changed: begun,
        };
        if self.queued {
            view.hidden = !shows_queued;
            view.record.insert("last_status".to_owned(), "QUEUED".into());
        } else {
            for change in self.plan.then.iter().filter(|change| self.due(change, now.saturating_sub(begun))) {
                view.record.extend(change.set.clone());
                view.hidden = change.hidden.unwrap_or(view.hidden);
                view.logs = change.logs.clone().or(view.logs);
                view.changed = change.after.map_or(now, |after| begun + after);
            }
        }
        for key in ["created_at", "updated_at"] {
            if let Some(Value::String(text)) = view.record.get_mut(key) {
                *text = stamped(text, clock.utc_at(begun), clock.utc_at(now));
            }
        }
        view
    }

    fn due(&self, change: &Change, since: Duration) -> bool {
        change.after.is_none_or(|after| since >= after) && change.looks.is_none_or(|looks| self.looks >= looks)
    }

    /// Whether another run must wait for this one. A run that is not shown yet goes on all the same.
    fn going(&self, clock: &ServiceClock, now: Duration) -> bool {
        let record = self.view(clock, now, true).record;
        matches!(record["last_status"].as_str(), Some("RUNNING" | "QUEUED" | "PENDING" | "CREATED"))
    }
}

/// `begin+90s` and `now-5s` become stamps, all else stays as it is written.
fn stamped(text: &str, begun: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let moved = |base: &str, at: DateTime<Utc>| time::offset_from(base, text).and_then(|by| at.checked_add_signed(by));
    moved("begin", begun).or_else(|| moved("now", now)).map_or_else(|| text.to_owned(), time::stamp)
}
