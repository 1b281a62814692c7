//! Which runs: `pipeline-id` with the entries of `run-id`, or with `trigger` (docs/reference.md#selecting-runs).

use std::collections::HashSet;
use std::slice;
use std::time::Duration;

use crate::core::{ID_LIMIT, IfRunning, IfStale, PipelineId, RunId, Selector, Target, Wanted};
use crate::inputs::Input;

use super::credential_owner::outranks;
use super::suspicious_text::{BREAKS, evaluated, visible};
use super::validator::{InvalidValue, Validator};
use super::value::{BLANKS, choice, list, switch};

const RETRIES: [(&str, u32); 6] = [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("4", 4), ("5", 5)];
const IF_STALE: [(&str, IfStale); 2] = [("fail", IfStale::Fail), ("wait", IfStale::Wait)];
const IF_RUNNING: [(&str, IfRunning); 3] =
    [("queue", IfRunning::Queue), ("attach", IfRunning::Attach), ("fail", IfRunning::Fail)];

pub(super) struct RunInputs {
    /// In the order given, never empty.
    pub wanted: Vec<Wanted>,
    pub if_stale: IfStale,
    pub retries: u32,
}

/// One entry of `run-id`.
struct RunEntry<'a> {
    text: &'a str,
    pipeline: Option<PipelineId>,
    run: EntryRun,
}

enum EntryRun {
    Named(RunId),
    Chosen(Selector),
}

/// Reads the inputs that say which runs. `None`: input errors were noted.
pub(super) fn read(validator: &mut Validator<'_>, timeout: Option<Duration>) -> Option<RunInputs> {
    let pipelines = validator.read_optional(Input::PipelineId, pipelines).map(Option::unwrap_or_default);
    let trigger = validator.read(Input::Trigger, switch);
    let if_running = validator.read(Input::IfRunning, |text| choice(text, &IF_RUNNING));
    let if_stale = validator.read(Input::IfStale, |text| choice(text, &IF_STALE));
    let retries = validator.read(Input::Retries, |text| choice(text, &RETRIES));
    let waits_for_fresh = if_stale == Some(IfStale::Wait);
    let is_retried = retries.is_some_and(|retries| retries > 0);
    let wanted = match trigger {
        Some(true) => {
            if waits_for_fresh {
                refuse_if_stale(validator, "trigger, which waits for the run that it starts");
            }
            start(validator, pipelines, if_running, is_retried)
        }
        Some(false) => {
            if is_retried {
                let what = "needs trigger: only a run that the gate has started is started again. Set trigger, or remove \
                            retries";
                validator.refuse(Input::Retries, what);
            }
            watch(validator, pipelines, waits_for_fresh)
        }
        // What was meant is not known: nothing about run-id could be reported.
        None => None,
    };
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        if trigger == Some(true) {
            validator
                .refuse(Input::Timeout, "leaves no time to wait for the run that trigger starts. Set a longer timeout");
        }
        if waits_for_fresh {
            let what = "cannot be used with timeout 0, which leaves no time to wait. Set a longer timeout";
            validator.refuse(Input::IfStale, what);
        }
    }
    let wanted = wanted.filter(|wanted| !wanted.is_empty());
    Some(RunInputs { wanted: wanted?, if_stale: if_stale?, retries: retries? })
}

/// There is nothing to wait for in place of a run that is given.
fn refuse_if_stale(validator: &mut Validator<'_>, what: &str) {
    let what = format!("cannot be used with {what}. Use latest or last-success, or remove if-stale");
    validator.refuse(Input::IfStale, what);
}

fn start(
    validator: &mut Validator<'_>,
    pipelines: Option<Vec<PipelineId>>,
    if_running: Option<IfRunning>,
    is_retried: bool,
) -> Option<Vec<Wanted>> {
    let what = "cannot be used with trigger, which waits for the run that it starts. Remove one of the two";
    validator.refuse(Input::RunId, what);
    let pipelines = pipelines?;
    if pipelines.is_empty() {
        validator.missing(Input::PipelineId, "required: the pipeline to start");
    }
    // Watched twice a run only costs a request; a pipeline started twice has loaded its data twice.
    let mut named = HashSet::new();
    if let Some(again) = pipelines.iter().find(|id| !named.insert(id.folded())) {
        let what = "names the same pipeline as an entry before it (`-` equals `_`, and case does not count), so trigger would \
                    start it twice. Remove one of the two";
        validator.refuse(Input::PipelineId, InvalidValue::part(again.as_str(), what));
        return None;
    }
    if let Some(trigger) = validator.inputs.chosen(Input::Trigger) {
        if if_running == Some(IfRunning::Attach) {
            outranks(validator, trigger, Input::IfRunning, "and it would let a run pass that began before this job");
        }
        if is_retried {
            outranks(validator, trigger, Input::Retries, "and it would start the pipeline more often");
        }
    }
    let if_running = if_running?;
    Some(pipelines.into_iter().map(|pipeline| Wanted::Start { pipeline, if_running }).collect())
}

fn watch(
    validator: &mut Validator<'_>,
    pipelines: Option<Vec<PipelineId>>,
    waits_for_fresh: bool,
) -> Option<Vec<Wanted>> {
    let run_id = validator.inputs.chosen(Input::RunId);
    // By the text, so that an entry that is wrong in another way does not bring a second input error along.
    let is_alone = |entry: &str| !entry.is_empty() && !entry.contains('/');
    let names_no_pipeline = |text: &String| text.split(|c: char| c == ',' || c.is_ascii_whitespace()).any(is_alone);
    let wants_pipeline = run_id.is_none_or(|given| given.text.as_ref().is_ok_and(names_no_pipeline));
    if pipelines.as_ref().is_some_and(Vec::is_empty) && wants_pipeline {
        let what = "required, unless every entry of run-id names its pipeline, as in PIPELINE/RUN";
        validator.missing(Input::PipelineId, what);
    }
    let Some(given) = run_id else {
        let what =
            "required: the run to wait for (its id, PIPELINE/RUN, latest or last-success), unless trigger is true";
        validator.missing(Input::RunId, what);
        return None;
    };
    let texts = validator.check(given, entries)?;
    // Each wrong entry is an input error of its own.
    let read = texts.iter().map(|text| entry(text).map_err(|what| InvalidValue::part(*text, what)));
    let entries: Vec<RunEntry<'_>> = read.filter_map(|entry| validator.accept(given, entry)).collect();
    if entries.len() < texts.len() {
        return None;
    }
    let has_limit = [Input::MaxAge, Input::StartedAfter].iter().any(|input| validator.inputs.chosen(*input).is_some());
    let chosen = entries.iter().find(|entry| matches!(entry.run, EntryRun::Chosen(_)));
    if let Some(entry) = chosen.filter(|_| !has_limit) {
        let what = format!(
            "required with `{}`, unless started-after is set: how long ago the run may have finished, such as 24h, or `any`. An \
             old success says nothing about today's data",
            entry.text
        );
        validator.missing(Input::MaxAge, what);
    }
    let named = entries.iter().find(|entry| matches!(entry.run, EntryRun::Named(_)));
    if let Some(entry) = named.filter(|_| waits_for_fresh) {
        refuse_if_stale(validator, &format!("the run id `{}`, which names a single run", entry.text));
    }
    let pipelines = pipelines?;
    let mut wanted = Vec::new();
    for RunEntry { text, pipeline, run } in &entries {
        let of =
            match (pipeline, run) {
                (Some(named), _) if pipelines.is_empty() => Ok(slice::from_ref(named)),
                // In the spelling that was fixed: nobody else decides even that.
                (Some(named), _) => pipelines.iter().find(|fixed| fixed.is(named.as_str())).map(slice::from_ref).ok_or(
                    "names a pipeline that is not in pipeline-id. Remove pipeline-id, or add the pipeline to it",
                ),
                (None, EntryRun::Named(_)) if pipelines.len() > 1 => {
                    Err("could belong to any of the pipelines in pipeline-id. Write PIPELINE/RUN")
                }
                (None, EntryRun::Named(_) | EntryRun::Chosen(_)) => Ok(pipelines.as_slice()),
            };
        let Some(of) = validator.accept(given, of.map_err(|what| InvalidValue::part(*text, what))) else { continue };
        wanted.extend(of.iter().cloned().map(|pipeline| match run {
            EntryRun::Named(run) => Wanted::Run(Target { pipeline, run: run.clone() }),
            EntryRun::Chosen(selector) => Wanted::Choice { pipeline, selector: *selector },
        }));
    }
    Some(wanted)
}

/// The entries of a list of ids. Only byte-identical ones are one; their order is kept.
fn entries(text: &str) -> Result<Vec<&str>, InvalidValue> {
    // An expression may hold blanks, so the whole is looked at before it is cut.
    evaluated(text)?;
    let mut entries = list(text, BLANKS)?;
    let mut seen = HashSet::new();
    entries.retain(|entry| seen.insert(*entry));
    Ok(entries)
}

fn entry(text: &str) -> Result<RunEntry<'_>, String> {
    let (pipeline, run) = match text.split_once('/') {
        None => (None, text),
        Some((_, "")) => return Err("no run after the `/`. Was an expression empty?".to_owned()),
        Some(("", _)) => return Err("no pipeline before the `/`. Was an expression empty?".to_owned()),
        Some((pipeline, run)) => (Some(self::pipeline(pipeline)?), run),
    };
    if run.contains('/') {
        return Err("more than one `/`. An entry is RUN or PIPELINE/RUN".to_owned());
    }
    legible(run)?;
    let run = match Selector::ALL.into_iter().find(|selector| selector.name() == run) {
        Some(selector) => EntryRun::Chosen(selector),
        None => EntryRun::Named(RunId::entered(run).ok_or_else(|| id_rule("a run id"))?),
    };
    Ok(RunEntry { text, pipeline, run })
}

fn pipelines(text: &str) -> Result<Vec<PipelineId>, InvalidValue> {
    let ids = entries(text)?.into_iter();
    ids.map(|id| pipeline(id).map_err(|what| InvalidValue::part(id, what))).collect()
}

fn pipeline(id: &str) -> Result<PipelineId, String> {
    legible(id)?;
    PipelineId::new(id).ok_or_else(|| id_rule("a pipeline id"))
}

fn legible(id: &str) -> Result<(), String> {
    visible(id, &BREAKS).and_then(|()| evaluated(id))
}

fn id_rule(what: &str) -> String {
    format!("not {what}: it cannot contain `/` or `,`, be `.` or `..`, or be longer than {ID_LIMIT} bytes")
}
