//! The sentences that people read: lower-case fragments that say what happened, then what to do.
//!
//! `events` words what happens on the way, `explanation` why a run ended so, `next_steps` what can be done about it. All untrusted
//! text in a sentence has been made one line of bounded length by the `Sanitizer`.

mod events;
mod explanation;
mod failure_words;
mod live;
mod network;
mod retries;
mod staleness;
mod statistics;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::time::Duration;

use super::pipeline::PipelineReport;
use super::sanitize::{self, Sanitized, Sanitizer};
pub use super::values::stamp;
use super::{Report, RunReport, Stage};
use crate::core::{End, Failure, Operation, Signal, Untrusted, Verdict, Wanted};

pub use events::note;
pub use explanation::{Explanation, explanation};
pub use failure_words::remedy;
pub use live::{heartbeat, opening, poll};
pub use network::{connection, proxy, trust};
pub(crate) use retries::attempt;
pub(crate) use staleness::newer;
pub use staleness::not_fresh;
pub use statistics::{about, comparison, eta, history, pipeline};

/// The longest detail of a miss, in bytes: a server's message, not its whole page.
const DETAIL_LIMIT: usize = 300;

/// The longest status value shown, in characters (docs/reference.md#status-values).
const WORD_LIMIT: usize = 64;

/// What runs are called in a line.
#[derive(Default)]
pub struct RunNames {
    names: Vec<RunName>,
    /// How many runs have this id.
    ids: HashMap<String, usize>,
}

struct RunName {
    id: String,
    short: Sanitized,
    /// Behind its pipeline's.
    full: Sanitized,
}

impl RunNames {
    pub fn new<W: Into<Wanted>>(wanted: impl IntoIterator<Item = W>, sanitizer: &Sanitizer) -> RunNames {
        let mut names = RunNames::default();
        wanted.into_iter().enumerate().for_each(|(run, wanted)| names.set(run, &wanted.into(), sanitizer));
        names
    }

    /// Names the run with this index in input order, or a further one.
    pub fn set(&mut self, run: usize, wanted: &Wanted, sanitizer: &Sanitizer) {
        let (run_id, short) = (wanted.run().to_owned(), id(wanted.run(), sanitizer));
        let full = Sanitized::ours(format!("{}/{short}", id(wanted.pipeline().as_str(), sanitizer)));
        *self.ids.entry(run_id.clone()).or_default() += 1;
        let name = RunName { id: run_id, short, full };
        let Some(named) = self.names.get_mut(run) else { return self.names.push(name) };
        let before = std::mem::replace(named, name);
        if let Entry::Occupied(mut runs) = self.ids.entry(before.id) {
            *runs.get_mut() -= 1;
            if *runs.get() == 0 {
                runs.remove();
            }
        }
    }

    /// How many runs have a name.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// The name of a run by its index in input order: its own id, behind the pipeline's where that does not tell it from the
    /// others. Empty for the only run, whose lines need no name.
    pub fn of(&self, run: usize) -> &str {
        match self.names.get(run) {
            Some(name) if self.count() > 1 && self.ids.len() == self.count() => &name.short,
            Some(name) if self.count() > 1 => &name.full,
            Some(_) | None => "",
        }
    }
}

/// `15m 12s`: days, hours, minutes and seconds, rounded down, zero units left out; `0s`.
pub fn duration(length: Duration) -> String {
    let seconds = length.as_secs();
    let units = [(seconds / 86_400, 'd'), (seconds / 3600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let words: Vec<String> =
        units.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}

/// `0:12`, `1:02:03`: how long after the start something happened.
pub fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `1 run`, `5 runs`.
pub fn count<N: Display + PartialEq + From<u8>>(number: N, one: &str, many: &str) -> String {
    let noun = if number == N::from(1) { one } else { many };
    format!("{number} {noun}")
}

/// What the gate itself did: `waited 7m 11s, 57 polls`.
pub(crate) fn effort(report: &Report) -> String {
    format!("waited {}, {}", duration(report.waited), count(report.polls, "poll", "polls"))
}

/// A run as a sentence names it.
pub fn run(run: &RunReport) -> Sanitized {
    let what = if run.run_id.is_empty() { "" } else { "run " };
    let pipeline = match run.pipeline.as_ref().and_then(PipelineReport::quoted_name) {
        Some(name) => format!("{name} ({})", run.pipeline_id),
        None => run.pipeline_id.to_string(),
    };
    let attempt = run.attempt.map(|attempt| format!(" ({})", self::attempt(attempt))).unwrap_or_default();
    Sanitized::ours(format!("{what}{} of pipeline {pipeline}{attempt}", run.name()))
}

/// An id as a sentence shows it.
pub(crate) fn id(text: &str, sanitizer: &Sanitizer) -> Sanitized {
    sanitizer.id(text)
}

/// A status value as sentences quote it.
pub fn word(word: &Untrusted, sanitizer: &Sanitizer) -> Sanitized {
    let line = sanitizer.word(word, WORD_LIMIT * 4);
    Sanitized::ours(line.chars().take(WORD_LIMIT).collect::<String>())
}

/// What was tried, what came instead, and what was said about it: `read the run: the service answered 502: bad gateway`.
pub fn failure(failure: &Failure, sanitizer: &Sanitizer) -> Sanitized {
    let tried = match failure.during {
        Operation::SignIn => "sign in",
        Operation::GetRun => "read the run",
        Operation::List => "read the pipeline's runs",
        Operation::Details => "read the pipeline",
        Operation::Execute => "start the pipeline",
        Operation::Logs => "read the run's logs",
    };
    Sanitized::ours(format!("{tried}: {}", came(failure, sanitizer)))
}

/// The same where it is clear what was tried: `the service answered 502: bad gateway`.
fn came(failure: &Failure, sanitizer: &Sanitizer) -> String {
    let came = failure_words::words(failure).came;
    match failure.detail.as_ref().map(|detail| sanitizer.line(detail, DETAIL_LIMIT)) {
        Some(detail) if !detail.is_empty() => format!("{came}: {detail}"),
        Some(_) | None => came.into_owned(),
    }
}

/// What happened, in one sentence, without the verdict's own word.
pub fn headline(report: &Report) -> Sanitized {
    if report.stage == Stage::First {
        return Sanitized::ours(KILLED);
    }
    let deciding: Vec<&RunReport> = report.deciding().collect();
    Sanitized::ours(match (report.verdict, deciding.as_slice()) {
        (Verdict::InvalidInput, _) => {
            format!("{}; no request was made", count(report.input_errors.len(), "input error", "input errors"))
        }
        (Verdict::InternalError, _) => "a bug in maestro-gate, not a result of the run".to_owned(),
        (verdict, []) => format!("no run was polled: {}", verdict.name()),
        (_, [only]) => {
            let (gap, explanation) = gap_and_reason(only);
            format!("{}{gap} {explanation}", run(only))
        }
        (verdict, runs) => {
            format!("{}: {}", count(runs.len(), "run", "runs"), tally(verdict, runs.iter().copied()))
        }
    })
}

/// The longest part of an input error or of a bug's text in the last line of the log, in bytes.
const DETAIL_OF_THE_LAST_LINE: usize = 300;

/// Why the verdict is what it is, where the headline does not say it: the first input error, the bug, of several runs the
/// decisive one, of a failed run the line that names the error.
pub(crate) fn cause(report: &Report) -> Option<Sanitized> {
    let first_line = |text: &Sanitized| {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        Some(sanitize::cut_line(line, DETAIL_OF_THE_LAST_LINE))
    };
    let of_the_gate = report.input_errors.first().or(report.bug.as_ref()).and_then(first_line);
    let is_one_of_several = report.verdict != Verdict::Passed && report.deciding().count() > 1;
    let described = report.described();
    let decisive = described.filter(|_| is_one_of_several).map(|run| format!("{}: {}", self::run(run), run.reason));
    let detail = of_the_gate.or_else(|| described?.cause.clone()).map(|line| line.to_string());
    let parts: Vec<String> = decisive.into_iter().chain(detail).collect();
    (!parts.is_empty()).then(|| Sanitized::ours(parts.join(": ")))
}

/// Where the documentation explains a verdict; nothing for a pass. The address of a fork is set in its Cargo.toml.
pub(crate) fn help(verdict: Verdict) -> Option<Sanitized> {
    if verdict == Verdict::Passed {
        return None;
    }
    let (page, section) = ("docs/troubleshooting.md", verdict.name());
    Some(Sanitized::ours(match env!("CARGO_PKG_REPOSITORY") {
        "" => format!("{page}#{section}"),
        repository => format!("{repository}/blob/HEAD/{page}#{section}"),
    }))
}

/// What became of a run, to stand behind its name, and what parts the two.
pub(crate) fn gap_and_reason(run: &RunReport) -> (&'static str, String) {
    if !run.passed() {
        return (":", run.reason.to_string());
    }
    let length = run.duration.map(|length| format!(" after {}", duration(length))).unwrap_or_default();
    ("", format!("succeeded{length}"))
}

/// Why a run ended so, and how it stands among the earlier ones.
pub(crate) fn reason(run: &RunReport) -> Sanitized {
    let explanation = run.past.as_ref().map(comparison).unwrap_or_default();
    let parts = [run.reason.to_string()].into_iter().chain(explanation).filter(|part| !part.is_empty());
    Sanitized::ours(parts.collect::<Vec<String>>().join("; "))
}

/// `2 failed, 1 timed-out, 2 passed`: the gate's verdict first, a pass last.
pub(crate) fn tally<'a>(first: Verdict, runs: impl IntoIterator<Item = &'a RunReport>) -> String {
    let mut names: Vec<&str> = runs.into_iter().map(|run| run.end.name()).collect();
    let others = Verdict::ALL.iter().filter(|verdict| **verdict != Verdict::Passed).map(|verdict| verdict.name());
    let order = [first.name()].into_iter().chain(others).chain([End::NotWaited.name(), Verdict::Passed.name()]);
    let mut parts = Vec::new();
    for name in order {
        let all = names.len();
        names.retain(|other| *other != name);
        if names.len() < all {
            parts.push(format!("{} {name}", all - names.len()));
        }
    }
    parts.join(", ")
}

/// What to do next: one sentence for each kind of trouble, in the order of the runs, each once. Empty for a pass.
pub fn next_steps(report: &Report) -> Vec<Sanitized> {
    match (report.stage, report.verdict) {
        (Stage::First, _) if report.runs.is_empty() => vec![Sanitized::ours(FIND_THE_KILLER)],
        (Stage::Final, Verdict::InternalError) => vec![Sanitized::ours(REPORT_THE_BUG)],
        (Stage::Final, Verdict::InvalidInput) => {
            vec![Sanitized::ours("fix the inputs named here, then re-run this job")]
        }
        (Stage::Final, Verdict::Passed) => Vec::new(),
        (Stage::First | Stage::Final, _) => {
            let mut shown = HashSet::new();
            let decisive_first = report.described().into_iter().chain(&report.runs).map(|run| &run.next_step);
            decisive_first.filter(|step| !step.is_empty() && shown.insert(*step)).cloned().collect()
        }
    }
}

/// The reason in the version written before the first request: it is read only if nothing ever replaced it.
pub(crate) const KILLED: &str = "the gate ended before it could report: killed, out of memory, or a bug";

pub(crate) const FIND_THE_KILLER: &str = "find out why this job was killed (its own time limit, out of memory, a lost runner), \
                                          then re-run it; this does not affect the run itself";

/// The same where the job was to start a run.
pub(crate) const FIND_THE_KILLER_OF_A_START: &str = "find out why this job was killed (its own time limit, out of memory, a lost runner), and check in Maestro whether it \
     started a run before you re-run it: that would start another one";

pub(crate) const CUT_SHORT_BY_A_BUG: &str = "a bug in maestro-gate ended the wait";

pub(crate) const REPORT_THE_BUG: &str =
    "check the result of the run in Maestro, and report this bug to the maintainers of maestro-gate with this log";

/// How a signal is called.
pub(crate) const fn signal(signal: Signal) -> &'static str {
    match signal {
        Signal::Interrupt => "SIGINT (Ctrl-C, or a cancelled job)",
        Signal::Terminate => "SIGTERM, SIGQUIT or SIGHUP (a cancelled job, a closed terminal, or a machine going down)",
    }
}
