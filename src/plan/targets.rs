//! Which runs: `pipeline-id` and the entries of `run-id` (contract, *Selecting runs*).

use crate::gate::{ID_LIMIT, PipelineId, RunId, Target};
use crate::inputs::Input;

use super::desk::{Desk, Wrong};
use super::mistake::Mistake;
use super::value::{Between, list};

/// Entries that choose a run instead of naming it: promised by the contract, not built yet.
const SELECTORS: [&str; 2] = ["latest", "last-success"];

/// One entry of `run-id`.
struct Entry {
    pipeline: Option<PipelineId>,
    run: RunId,
}

/// The runs to wait for, in the order given. `None`: mistakes were noted.
pub(super) fn read(desk: &mut Desk<'_>) -> Option<Vec<Target>> {
    let pipeline = read_pipeline(desk);
    let entries = read_entries(desk);
    // By the text, so that an entry that is wrong in another way does not bring a second mistake along.
    let wants_pipeline = match desk.inputs.chosen(Input::RunId).map(|given| &given.text) {
        None => true,
        Some(Err(_)) => false,
        Some(Ok(text)) => {
            text.split(|c: char| c == ',' || c.is_whitespace()).any(|entry| !entry.is_empty() && !entry.contains('/'))
        }
    };
    if pipeline == Some(None) && wants_pipeline {
        let what = "needed, unless every entry of run-id names its own pipeline as PIPELINE/RUN; see --help";
        desk.mistakes.push(Mistake::missing(Input::PipelineId, what));
    }
    if desk.inputs.chosen(Input::RunId).is_none() {
        let what = "needed: the run to wait for, as RUN or PIPELINE/RUN; see --help";
        desk.mistakes.push(Mistake::missing(Input::RunId, what));
    }
    let pipeline = pipeline?;
    entries?
        .into_iter()
        .map(|Entry { pipeline: own, run }| Some(Target { pipeline: own.or_else(|| pipeline.clone())?, run }))
        .collect()
}

/// Inner `None`: none was given. Outer `None`: a mistake was noted.
fn read_pipeline(desk: &mut Desk<'_>) -> Option<Option<PipelineId>> {
    desk.read_optional(Input::PipelineId, |text| {
        let mut ids = list(text, Between::Blanks)?;
        unique(&mut ids);
        match ids.as_slice() {
            [id] => PipelineId::new(id).ok_or_else(|| Wrong::part(*id, id_rule("a pipeline's id"))),
            _ => Err(Wrong::whole(
                "several pipelines are possible only with `latest`, `last-success` and `trigger`, which are not \
                 available in this version yet; give one, or PIPELINE/RUN in run-id",
            )),
        }
    })
}

/// `None`: there are none, or mistakes were noted, one for each wrong entry.
fn read_entries(desk: &mut Desk<'_>) -> Option<Vec<Entry>> {
    let (given, text) = desk.given(Input::RunId)?;
    let mut texts = match list(text, Between::Blanks) {
        Ok(texts) => texts,
        Err(wrong) => {
            desk.wrong(given, wrong);
            return None;
        }
    };
    unique(&mut texts);
    let count = texts.len();
    let mut entries = Vec::with_capacity(count);
    for text in texts {
        match read_entry(text) {
            Ok(entry) => entries.push(entry),
            Err(what) => desk.wrong(given, Wrong::part(text, what)),
        }
    }
    (entries.len() == count).then_some(entries)
}

fn read_entry(text: &str) -> Result<Entry, String> {
    let (pipeline, run) = match text.split_once('/') {
        None => (None, text),
        Some((_, "")) => return Err("no run behind the `/`; an expression may have come out empty".to_owned()),
        Some(("", _)) => return Err("no pipeline before the `/`; an expression may have come out empty".to_owned()),
        Some((pipeline, run)) => (Some(pipeline), run),
    };
    if SELECTORS.contains(&run) {
        return Err("not available in this version yet; name the run by its id".to_owned());
    }
    let pipeline = match pipeline {
        None => None,
        Some(id) => Some(PipelineId::new(id).ok_or_else(|| id_rule("a pipeline's id"))?),
    };
    if run.contains('/') {
        return Err("more than one `/`; an entry is RUN or PIPELINE/RUN".to_owned());
    }
    let run = RunId::new(run).ok_or_else(|| id_rule("a run's id"))?;
    Ok(Entry { pipeline, run })
}

fn id_rule(what: &str) -> String {
    format!(
        "not {what}: text without control characters, blanks, `/` or `,`, at most {ID_LIMIT} bytes, not `.` or `..`"
    )
}

/// Only byte-identical entries are one. Input order is kept.
fn unique(entries: &mut Vec<&str>) {
    let mut seen = std::collections::HashSet::new();
    entries.retain(|entry| seen.insert(*entry));
}
