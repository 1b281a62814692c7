//! Which runs: `pipeline-id` with the entries of `run-id`, or with `trigger` (docs/reference.md#selecting-runs).

use std::collections::{HashMap, HashSet};

use crate::core::{ID_LIMIT, IfRunning, PipelineId, RunId, Selector, Target, Wanted};
use crate::inputs::Input;

use super::credential_owner::outranks;
use super::suspicious_text::{BREAKS, evaluated, visible};
use super::validator::{InvalidValue, Validator};
use super::value::{Separator, choice, list, switch};

/// The values of `retries`.
pub(super) const RETRIES: [(&str, u32); 6] = [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("4", 4), ("5", 5)];

/// One entry of `run-id`.
struct RunEntry<'a> {
    text: &'a str,
    pipeline: Option<PipelineId>,
    run: Named,
}

enum Named {
    Run(RunId),
    Chosen(Selector),
}

/// What to wait for, in the order given. `None`: input errors were noted.
pub(super) fn read(validator: &mut Validator<'_>) -> Option<Vec<Wanted>> {
    let pipelines = read_pipelines(validator);
    let trigger = validator.read(Input::Trigger, switch);
    let whats = [("queue", IfRunning::Queue), ("attach", IfRunning::Attach), ("fail", IfRunning::Fail)];
    let if_running = validator.read(Input::IfRunning, |text| choice(text, &whats));
    if trigger == Some(true) {
        refuse_if_stale(validator, "trigger, which waits for the run that it starts");
    }
    let is_retried =
        validator.given(Input::Retries).is_some_and(|(_, text)| choice(text, &RETRIES).is_ok_and(|n| n > 0));
    if trigger == Some(false) && is_retried {
        let what =
            "needs trigger: only a run that the gate has started is started again. Set trigger, or remove retries";
        validator.refuse(Input::Retries, what);
    }
    match trigger {
        Some(true) => start(validator, pipelines, if_running, is_retried),
        // What was meant is not known: nothing about run-id could be reported.
        None => None,
        Some(false) => watch(validator, pipelines),
    }
}

fn start(
    validator: &mut Validator<'_>,
    pipelines: Option<Vec<PipelineId>>,
    if_running: Option<IfRunning>,
    is_retried: bool,
) -> Option<Vec<Wanted>> {
    let run_id = validator.inputs.chosen(Input::RunId);
    if let Some(given) = run_id {
        let what = "cannot be used with trigger, which waits for the run that it starts. Remove one of the two";
        validator.wrong(given, what);
    }
    let pipelines = pipelines?;
    if pipelines.is_empty() {
        validator.missing(Input::PipelineId, "required: the pipeline to start");
    }
    // Watched twice a run only costs a request; a pipeline started twice has loaded its data twice.
    let again = again(&pipelines);
    if let (Some(again), Some(given)) = (again, validator.inputs.chosen(Input::PipelineId)) {
        let what = "names the same pipeline as an entry before it (`-` equals `_`, and case does not count), so trigger would \
                    start it twice. Remove one of the two";
        validator.wrong(given, InvalidValue::part(again.as_str(), what));
        return None;
    }
    if if_running == Some(IfRunning::Attach)
        && let Some(trigger) = validator.inputs.chosen(Input::Trigger)
    {
        outranks(validator, trigger, Input::IfRunning, "and it would let a run pass that began before this job");
    }
    if is_retried && let Some(trigger) = validator.inputs.chosen(Input::Trigger) {
        outranks(validator, trigger, Input::Retries, "and it would start the pipeline more often");
    }
    let if_running = if_running?;
    let wanted: Vec<Wanted> = pipelines.into_iter().map(|pipeline| Wanted::Start { pipeline, if_running }).collect();
    (run_id.is_none() && !wanted.is_empty()).then_some(wanted)
}

/// There is nothing to wait for in place of a run that is given.
fn refuse_if_stale(validator: &mut Validator<'_>, what: &str) {
    if let Some((given, "wait")) = validator.given(Input::IfStale) {
        let what = format!("cannot be used with {what}. Use latest or last-success, or remove if-stale");
        validator.wrong(given, what);
    }
}

/// The first pipeline that an earlier one names too, in another spelling.
fn again(pipelines: &[PipelineId]) -> Option<&PipelineId> {
    let mut named = HashSet::new();
    pipelines.iter().find(|id| !named.insert(id.folded()))
}

fn watch(validator: &mut Validator<'_>, pipelines: Option<Vec<PipelineId>>) -> Option<Vec<Wanted>> {
    let entries = read_entries(validator);
    // By the text, so that an entry that is wrong in another way does not bring a second input error along.
    let wants_pipeline = match validator.inputs.chosen(Input::RunId).map(|given| &given.text) {
        None => true,
        Some(Err(_)) => false,
        Some(Ok(text)) => text
            .split(|c: char| c == ',' || c.is_ascii_whitespace())
            .any(|entry| !entry.is_empty() && !entry.contains('/')),
    };
    if pipelines.as_ref().is_some_and(Vec::is_empty) && wants_pipeline {
        let what = "required, unless every entry of run-id names its pipeline, as in PIPELINE/RUN";
        validator.missing(Input::PipelineId, what);
    }
    if validator.inputs.chosen(Input::RunId).is_none() {
        let what =
            "required: the run to wait for (its id, PIPELINE/RUN, latest or last-success), unless trigger is true";
        validator.missing(Input::RunId, what);
    }
    let has_limit = [Input::MaxAge, Input::StartedAfter].iter().any(|input| validator.inputs.chosen(*input).is_some());
    if let (Some(entries), false) = (&entries, has_limit)
        && let Some(entry) = entries.iter().find(|entry| matches!(entry.run, Named::Chosen(_)))
    {
        let what = format!(
            "required with `{}`, unless started-after is set: how long ago the run may have finished, such as 24h, or `any`. An \
             old success says nothing about today's data",
            entry.text
        );
        validator.missing(Input::MaxAge, what);
    }
    if let Some(entry) = entries.iter().flatten().find(|entry| matches!(entry.run, Named::Run(_))) {
        let what = format!("the run id `{}`, which names a single run", entry.text);
        refuse_if_stale(validator, &what);
    }
    let (pipelines, entries) = (pipelines?, entries?);
    // The first of each, whatever its spelling.
    let fixed: HashMap<String, &PipelineId> = pipelines.iter().rev().map(|id| (id.folded(), id)).collect();
    let mut wanted = Vec::new();
    let mut is_whole = true;
    for RunEntry { text, pipeline, run } in entries {
        match (pipeline, run) {
            (Some(pipeline), run) => match fixed.get(&pipeline.folded()) {
                // In the spelling that was fixed: nobody else decides even that.
                Some(fixed) => wanted.push(of((*fixed).clone(), run)),
                None if pipelines.is_empty() => wanted.push(of(pipeline, run)),
                None => {
                    is_whole = false;
                    let what = "names a pipeline that is not in pipeline-id. Remove pipeline-id, or add the pipeline \
                                    to it";
                    validator.refuse(Input::RunId, InvalidValue::part(text, what));
                }
            },
            (None, Named::Chosen(selector)) => {
                wanted.extend(pipelines.iter().map(|pipeline| of(pipeline.clone(), Named::Chosen(selector))));
            }
            (None, Named::Run(run)) => match pipelines.as_slice() {
                [pipeline] => wanted.push(of(pipeline.clone(), Named::Run(run))),
                // Told above.
                [] => is_whole = false,
                _ => {
                    is_whole = false;
                    let what = "could belong to any of the pipelines in pipeline-id. Write PIPELINE/RUN";
                    validator.refuse(Input::RunId, InvalidValue::part(text, what));
                }
            },
        }
    }
    (is_whole && !wanted.is_empty()).then_some(wanted)
}

fn of(pipeline: PipelineId, run: Named) -> Wanted {
    match run {
        Named::Run(run) => Wanted::Run(Target { pipeline, run }),
        Named::Chosen(selector) => Wanted::Choice { pipeline, selector },
    }
}

/// Empty: none was given. `None`: input errors were noted.
fn read_pipelines(validator: &mut Validator<'_>) -> Option<Vec<PipelineId>> {
    let pipelines = validator.read_optional(Input::PipelineId, |text| {
        evaluated(text)?;
        let mut ids = list(text, Separator::Blanks)?;
        unique(&mut ids);
        ids.into_iter().map(|id| pipeline(id).map_err(|what| InvalidValue::part(id, what))).collect()
    });
    pipelines.map(Option::unwrap_or_default)
}

/// `None`: there are none, or input errors were noted, one for each wrong entry.
fn read_entries<'a>(validator: &mut Validator<'a>) -> Option<Vec<RunEntry<'a>>> {
    let (given, text) = validator.given(Input::RunId)?;
    // An expression may hold blanks, so the whole is looked at before it is cut.
    let mut texts = match evaluated(text).map_err(InvalidValue::from).and_then(|()| list(text, Separator::Blanks)) {
        Ok(texts) => texts,
        Err(wrong) => {
            validator.wrong(given, wrong);
            return None;
        }
    };
    unique(&mut texts);
    let count = texts.len();
    let mut entries = Vec::with_capacity(count);
    for text in texts {
        match read_entry(text) {
            Ok(entry) => entries.push(entry),
            Err(what) => validator.wrong(given, InvalidValue::part(text, what)),
        }
    }
    (entries.len() == count).then_some(entries)
}

fn read_entry(text: &str) -> Result<RunEntry<'_>, String> {
    let (named, run) = match text.split_once('/') {
        None => (None, text),
        Some((_, "")) => return Err("no run after the `/`. Was an expression empty?".to_owned()),
        Some(("", _)) => return Err("no pipeline before the `/`. Was an expression empty?".to_owned()),
        Some((pipeline, run)) => (Some(pipeline), run),
    };
    let pipeline = named.map(pipeline).transpose()?;
    if run.contains('/') {
        return Err("more than one `/`. An entry is RUN or PIPELINE/RUN".to_owned());
    }
    legible(run)?;
    let run = match Selector::ALL.into_iter().find(|selector| selector.name() == run) {
        Some(selector) => Named::Chosen(selector),
        None => Named::Run(RunId::entered(run).ok_or_else(|| id_rule("a run id"))?),
    };
    Ok(RunEntry { text, pipeline, run })
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

/// Only byte-identical entries are one. Input order is kept.
fn unique(entries: &mut Vec<&str>) {
    let mut seen = std::collections::HashSet::new();
    entries.retain(|entry| seen.insert(*entry));
}
