//! The gate over all its runs: each run gets a verdict, and the most severe one is the gate's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::attempt::Attempt;
use super::moment::Moment;
use super::pipelines::Pipeline;
use super::request::Envelope;
use super::run::{Run, Step};
use super::trigger::CandidateGroup;
use super::{
    Answer, ApiRequest, ApiResponse, End, Failure, Freshness, History, LastRecord, Learning, Limit, NoRetry,
    Observation, OnFirstFailure, Operation, PipelineId, Request, Rules, Signal, TimedEvent, Untrusted, Verdict, Wanted,
    decide,
};

/// What became of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutcome {
    /// The run, or what was wanted in its place and could not be found.
    pub wanted: Wanted,
    pub end: End,
    /// The last record of it, if there ever was one.
    pub seen: Option<LastRecord>,
    pub request: Request,
    /// Whether this gate asked the service to start it, as far as is known: to run the gate again would start another.
    pub started: bool,
    /// Why there was no record in the end: the answer that ended the wait, or the last one before the time limit.
    pub failure: Option<Failure>,
    /// The words that no table knows, as met: at most ten.
    pub unknown_words: Vec<Untrusted>,
    /// How fresh it must be.
    pub freshness: Freshness,
    /// Whether the gate still waited for a run that is fresh (`if-stale: wait`); what is reported is the last one that was not.
    pub awaited_fresh_run: bool,
    /// With `retries`: which attempt at its pipeline it is.
    pub attempt: Option<Attempt>,
    /// Whether the pipeline was started again after it: then the next attempt decides.
    pub is_retried: bool,
    /// Why it was not, though an attempt was left.
    pub no_retry: Option<NoRetry>,
}

impl RunOutcome {
    pub fn trace(&self) -> Option<&Untrusted> {
        self.seen.as_ref()?.record.trace.as_ref()
    }
}

/// What became of all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub verdict: Verdict,
    pub runs: Vec<RunOutcome>,
    /// How the earlier runs of their pipelines went, as far as that is known.
    pub histories: Vec<(PipelineId, History)>,
}

/// The run or pipeline to poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PollTarget {
    /// A pipeline of which runs are waited for, by its place.
    Pipeline(usize),
    /// A run, by its place.
    Run(usize),
}

/// The gate over all its runs.
#[derive(Clone, Debug)]
pub struct Gate {
    rules: Arc<Rules>,
    runs: Vec<Run>,
    pending: usize,
    groups: Vec<Candidates>,
    pipelines: Vec<Pipeline>,
    /// The place of each pipeline.
    places: HashMap<PipelineId, usize>,
    /// Who is to be asked about at another time than was said before.
    moved: Vec<(PollTarget, Duration)>,
    /// Whether the service has given anything that was asked of it; a sign-in is enough.
    has_worked: bool,
    /// Whether the gate signs in by itself, so that every other request comes after a sign-in that worked.
    signs_in: bool,
    /// The service's host, to name where it does not answer.
    host: Option<Untrusted>,
}

/// The runs of which one may be what a trigger started.
#[derive(Clone, Debug)]
struct Candidates {
    runs: Vec<usize>,
    /// None once the very run was found: no list can bring another.
    group: Option<Box<CandidateGroup>>,
}

impl Gate {
    pub fn new<W: Into<Wanted>>(rules: Rules, wanted: impl IntoIterator<Item = W>) -> Gate {
        let mut gate = Gate {
            rules: Arc::new(rules),
            runs: Vec::new(),
            pending: 0,
            groups: Vec::new(),
            pipelines: Vec::new(),
            places: HashMap::new(),
            moved: Vec::new(),
            has_worked: false,
            signs_in: false,
            host: None,
        };
        for wanted in wanted {
            gate.add(Run::new(&gate.rules, gate.runs.len(), wanted.into()));
        }
        gate
    }

    /// The same gate, whose token comes from a sign-in of its own.
    pub fn signing_in(self) -> Gate {
        Gate { signs_in: true, ..self }
    }

    /// The same gate, of a service at this host.
    pub fn at_host(self, host: Untrusted) -> Gate {
        Gate { host: Some(host), ..self }
    }

    fn add(&mut self, mut run: Run) {
        run.home = *self.places.entry(run.pipeline.clone()).or_insert_with(|| {
            self.pipelines.push(Pipeline::new(self.pipelines.len(), run.pipeline.clone()));
            self.pipelines.len() - 1
        });
        self.pipelines[run.home].runs.push(self.runs.len());
        self.runs.push(run);
        self.pending += 1;
    }

    fn moment<'e>(&self, elapsed: Duration, events: &'e mut Vec<TimedEvent>) -> Moment<'e> {
        let (rules, has_worked) = (self.rules.clone(), self.has_worked);
        Moment { rules, elapsed, date: None, retry_after: None, has_worked, group: None, events }
    }

    fn waiting(&mut self, run: usize) -> Option<&mut Run> {
        self.runs.get_mut(run).filter(|watched| watched.end.is_none())
    }

    /// What to ask for run `run`, `elapsed` after the inputs were accepted. `None`: its wait has ended; what is to be
    /// started is not started once the time is up.
    pub fn ask(&mut self, run: usize, elapsed: Duration, events: &mut Vec<TimedEvent>) -> Option<ApiRequest> {
        let mut at = self.moment(elapsed, events);
        let watched = self.waiting(run)?;
        if watched.is_about_to_start() && at.is_late() {
            watched.time_is_up(&mut at);
            self.ended(run, &mut at);
            return None;
        }
        let request = watched.ask();
        self.track(run);
        Some(request)
    }

    /// Takes what came of an `ApiRequest` for run `run`, `elapsed` after the inputs were accepted, and tells what changed.
    /// Returns when to ask again: later than `elapsed`, at the latest on the deadline (but for a run that had to be chosen
    /// before the one poll of a timeout of zero); `None` once this wait has ended.
    pub fn observe(
        &mut self,
        run: usize,
        elapsed: Duration,
        response: impl Into<ApiResponse>,
        events: &mut Vec<TimedEvent>,
    ) -> Option<Duration> {
        let response = response.into();
        let Envelope { date, retry_after, failure } = response.envelope();
        self.has_worked |= failure.is_none_or(|failure| self.signs_in && failure.during != Operation::SignIn);
        let group = self.unconfirmed(run);
        let mut at = Moment { date, retry_after, group, ..self.moment(elapsed, events) };
        if let ApiResponse::List(Answer { observation: Observation::Record(listing), .. }) = &response {
            self.read_past(run, listing, &mut at);
        }
        let watched = self.waiting(run)?;
        let step = watched.observe(&mut at, response);
        // First its own end: one that joins too late ends all that are waited for, where the first failure does.
        if watched.end.is_some() {
            self.ended(run, &mut at);
        }
        match step {
            Step::Took(others, group) => {
                self.runs[run].group = Some(self.groups.len());
                self.groups.push(Candidates { runs: vec![run], group: Some(group) });
                self.join(run, others, &mut at);
            }
            Step::PassedBeside(others, group) => {
                if let Some(candidates) = self.runs[run].group {
                    self.groups[candidates].group = group;
                }
                self.join(run, others, &mut at);
            }
            Step::Retry(baseline, next) => self.start_again(run, baseline, next, &mut at),
            Step::AllDenied(failure) => {
                self.end_all(&mut at, |watched| {
                    watched.failure = Some(failure.clone());
                    End::Verdict(Verdict::Denied)
                });
            }
            Step::Over(_) | Step::On | Step::ReadListIn(_) | Step::Next | Step::Found => {}
        }
        self.track(run);
        if self.rules.learning == Learning::On {
            self.learn_from_poll(run, &mut at);
        }
        self.runs.get(run)?.next
    }

    /// The last look at `run` brought no answer in time.
    pub fn cut(&mut self, run: usize, elapsed: Duration, events: &mut Vec<TimedEvent>) {
        let (mut at, host) = (self.moment(elapsed, events), self.host.clone());
        let Some(watched) = self.waiting(run) else { return };
        watched.got_no_answer(host);
        watched.time_is_up(&mut at);
        self.ended(run, &mut at);
    }

    /// The process slept through the deadline: the wait ends then instead.
    pub fn move_deadline(&mut self, to: Duration) {
        Arc::make_mut(&mut self.rules).limits.timeout = to;
    }

    /// A signal came: every run still waited for ends as interrupted. Those that have a verdict keep it.
    pub fn interrupt(&mut self, signal: Signal, elapsed: Duration, events: &mut Vec<TimedEvent>) {
        self.end_all(&mut self.moment(elapsed, events), |_| End::Verdict(Verdict::Interrupted(signal)));
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The runs still waited for, by their place.
    pub fn pending(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.runs.len()).filter(|run| self.is_pending(*run))
    }

    pub fn is_pending(&self, run: usize) -> bool {
        self.runs.get(run).is_some_and(|watched| watched.end.is_none())
    }

    pub fn is_over(&self) -> bool {
        self.pending == 0
    }

    /// How many runs still are waited for, and how many decide.
    pub fn progress(&self) -> (usize, usize) {
        (self.pending, self.runs.iter().filter(|run| !run.is_retried).count())
    }

    /// What is waited for in this place, as far as it is known by now.
    pub fn wanted_in(&self, run: usize) -> Wanted {
        self.runs[run].wanted()
    }

    /// What is waited for, as far as it is known by now.
    pub fn wanted(&self) -> impl ExactSizeIterator<Item = Wanted> + '_ {
        self.runs.iter().map(Run::wanted)
    }

    /// Which attempt at its pipeline a run is, where starts are retried; and whether it failed, so that another may follow.
    pub fn attempt(&self, run: usize) -> Option<(Attempt, bool)> {
        self.runs.get(run).and_then(|run| Some((run.attempt?, run.is_retrying())))
    }

    /// The last record of a run, for the view.
    pub fn seen(&self, run: usize) -> Option<&LastRecord> {
        self.runs.get(run)?.seen.as_ref()
    }

    /// Whether the gate waits for a run that is not there yet, by its place; and when such a run usually starts.
    pub fn awaits_fresh_run(&self, run: usize, elapsed: Duration) -> Option<Option<(DateTime<Utc>, Duration)>> {
        self.runs.get(run).filter(|run| run.awaits_fresh_run()).map(|run| run.next_start(elapsed))
    }

    /// Whether the service answers that the run is not there, and it never was; or the gate still waits for one that is fresh.
    pub fn is_missing(&self, run: usize) -> bool {
        self.runs.get(run).is_some_and(Run::is_missing)
    }

    /// Why the last look at a run brought no record, for the view.
    pub fn failure(&self, run: usize) -> Option<&Failure> {
        self.runs.get(run)?.failure.as_ref()
    }

    /// What ends the wait first, and when, if it comes before the timeout.
    pub fn nearest_limit(&self) -> Option<(Limit, Duration)> {
        let limits = self.rules.limits;
        let waiting = self.runs.iter().filter(|run| run.end.is_none());
        waiting.flat_map(|run| run.ends(limits)).filter(|(_, end)| *end < limits.timeout).min_by_key(|(_, end)| *end)
    }

    /// What became of it. A run whose watch was never brought to an end is a bug of ours, never a pass.
    pub fn outcome(self) -> Outcome {
        let histories = self.pipelines.iter().filter_map(|known| Some((known.id.clone(), self.past(known)?))).collect();
        let runs: Vec<RunOutcome> = self
            .runs
            .into_iter()
            .map(|run| RunOutcome {
                end: run.end.unwrap_or(End::Verdict(Verdict::InternalError)),
                wanted: run.wanted(),
                request: run.request(),
                awaited_fresh_run: run.awaits_fresh_run(),
                started: run.started,
                seen: run.seen,
                failure: run.failure,
                unknown_words: run.unknown_words,
                freshness: self.rules.freshness,
                attempt: run.attempt,
                is_retried: run.is_retried,
                no_retry: run.no_retry,
            })
            .collect();
        let verdict = decide(runs.iter().filter(|run| !run.is_retried).map(|run| run.end));
        Outcome { verdict, runs, histories }
    }

    /// How the other runs of a pipeline went. A list from which a run was chosen may show that run itself as over; where
    /// several are waited for, each is among the others' past.
    fn past(&self, pipeline: &Pipeline) -> Option<History> {
        let history = pipeline.history()?.clone();
        let only = if let [only] = pipeline.runs[..] { self.seen(only) } else { None };
        Some(match only {
            Some(seen) => history.without(seen),
            None => history,
        })
    }

    fn ended(&mut self, run: usize, at: &mut Moment<'_>) {
        self.pending -= 1;
        self.track(run);
        let passed = self.runs[run].end == Some(End::Verdict(Verdict::Passed));
        if self.rules.on_first_failure == OnFirstFailure::StopWaiting && !passed && !self.runs[run].is_retried {
            self.end_all(at, |_| End::NotWaited);
        }
    }

    fn end_all(&mut self, at: &mut Moment<'_>, mut end: impl FnMut(&mut Run) -> End) {
        for watched in self.runs.iter_mut().filter(|watched| watched.end.is_none()) {
            let end = end(watched);
            watched.end_with_others(at, end);
        }
        self.pipelines.iter_mut().for_each(Pipeline::all_ended);
        self.pending = 0;
    }
}

mod further_runs;
mod list_polling;
#[cfg(test)]
mod tests;
