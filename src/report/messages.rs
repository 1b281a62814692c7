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
pub use staleness::not_fresh;
pub use statistics::{about, comparison, eta, history, pipeline};

/// The longest detail of a miss, in bytes: a server's message, not its whole page.
const DETAIL_LIMIT: usize = 300;

/// The longest status value shown, in characters (docs/reference.md#status-values).
const WORD_LIMIT: usize = 64;

/// What runs are called in a line.
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
        let mut names = RunNames { names: Vec::new(), ids: HashMap::new() };
        wanted.into_iter().enumerate().for_each(|(run, wanted)| names.set(run, &wanted.into(), sanitizer));
        names
    }

    /// Names the run with this index in input order, or a further one.
    pub fn set(&mut self, run: usize, wanted: &Wanted, sanitizer: &Sanitizer) {
        let shown = |id: &str| sanitizer.id(&Untrusted::new(id));
        let (id, short) = (wanted.run().to_owned(), shown(wanted.run()));
        let full = Sanitized::ours(format!("{}/{short}", shown(wanted.pipeline().as_str())));
        *self.ids.entry(id.clone()).or_default() += 1;
        let name = RunName { id, short, full };
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
    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name of a run by its index in input order: its own id, behind the pipeline's where that does not tell it from the
    /// others. Empty for the only run, whose lines need no name.
    pub fn of(&self, run: usize) -> &str {
        match self.names.get(run) {
            Some(name) if self.len() > 1 && self.ids.len() == self.len() => &name.short,
            Some(name) if self.len() > 1 => &name.full,
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
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// What the gate itself did: `waited 7m 11s, 57 polls`.
pub(crate) fn effort(report: &Report) -> String {
    let polls = count(usize::try_from(report.polls).unwrap_or(usize::MAX), "poll", "polls");
    format!("waited {}, {polls}", duration(report.waited))
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

/// The `status` output: redacted like all text from outside, then in its narrow alphabet.
pub fn status(word: &Untrusted, sanitizer: &Sanitizer) -> String {
    sanitizer.status(word)
}

/// A status value as sentences quote it.
pub fn word(word: &Untrusted, sanitizer: &Sanitizer) -> Sanitized {
    let line = sanitizer.word(word, WORD_LIMIT * 4);
    match line.char_indices().nth(WORD_LIMIT) {
        Some((end, _)) => Sanitized::ours(&line[..end]),
        None => line,
    }
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
fn came(failure: &Failure, sanitizer: &Sanitizer) -> Sanitized {
    let came = failure_words::words(failure).came;
    let detail = failure.detail.as_ref().map(|detail| sanitizer.line(detail, DETAIL_LIMIT)).unwrap_or_default();
    Sanitized::ours(if detail.is_empty() { came.into_owned() } else { format!("{came}: {detail}") })
}

/// What happened, in one sentence, without the verdict's own word.
pub fn headline(report: &Report) -> Sanitized {
    if report.stage == Stage::First {
        return killed();
    }
    let deciding: Vec<&RunReport> = report.deciding().collect();
    match (report.verdict, deciding.as_slice()) {
        (Verdict::InvalidInput, _) => Sanitized::ours(format!(
            "{}; no request was made",
            count(report.input_errors.len(), "input error", "input errors")
        )),
        (Verdict::InternalError, _) => Sanitized::ours("a bug in maestro-gate, not a result of the run"),
        (verdict, []) => Sanitized::ours(format!("no run was polled: {}", verdict.name())),
        (_, [only]) => {
            let (gap, explanation) = gap_and_reason(only);
            Sanitized::ours(format!("{}{gap} {explanation}", run(only)))
        }
        (verdict, runs) => {
            Sanitized::ours(format!("{}: {}", count(runs.len(), "run", "runs"), tally(verdict, runs.iter().copied())))
        }
    }
}

/// The longest part of an input error or of a bug's text in the last line of the log, in bytes.
const DETAIL_OF_THE_LAST_LINE: usize = 300;

/// Why the verdict is what it is, where the headline does not say it: of several runs the decisive one, of a failed run the
/// line that names the error.
pub(crate) fn cause(report: &Report) -> Option<Sanitized> {
    let mut parts = Vec::new();
    let is_one_of_several = report.verdict != Verdict::Passed && report.deciding().count() > 1;
    if let Some(run) = report.described().filter(|_| is_one_of_several) {
        parts.push(format!("{}: {}", self::run(run), run.reason));
    }
    let first_line = |text: &Sanitized| {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
        Some(sanitize::cut_line(line, DETAIL_OF_THE_LAST_LINE))
    };
    let detail = match report.verdict {
        Verdict::InvalidInput => report.input_errors.first().and_then(first_line),
        Verdict::InternalError => report.bug.as_ref().and_then(first_line),
        Verdict::Passed
        | Verdict::Failed
        | Verdict::TimedOut
        | Verdict::NotFound
        | Verdict::Denied
        | Verdict::Unreachable
        | Verdict::Stale
        | Verdict::NotStarted
        | Verdict::Interrupted(_) => report.described().and_then(|run| run.cause.clone()),
    };
    parts.extend(detail.map(|line| line.to_string()));
    Some(Sanitized::ours(parts.join(": "))).filter(|cause| !cause.is_empty())
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

/// `2 failed, 1 timed-out, 2 passed`: the gate's verdict first.
pub(crate) fn tally<'a>(first: Verdict, runs: impl IntoIterator<Item = &'a RunReport>) -> String {
    let names: Vec<&str> = runs.into_iter().map(|run| run.end.name()).collect();
    let order = Verdict::ALL.iter().filter(|verdict| **verdict != Verdict::Passed).map(|verdict| verdict.name());
    let order = [first.name()].into_iter().chain(order).chain([End::NotWaited.name(), Verdict::Passed.name()]);
    let mut seen = Vec::new();
    let mut parts = Vec::new();
    for name in order {
        let number = names.iter().filter(|other| **other == name).count();
        if number > 0 && !seen.contains(&name) {
            seen.push(name);
            parts.push(format!("{number} {name}"));
        }
    }
    parts.join(", ")
}

/// What to do next: one sentence for each kind of trouble, in the order of the runs, each once. Empty for a pass.
pub fn next_steps(report: &Report) -> Vec<Sanitized> {
    match (report.stage, report.verdict) {
        (Stage::First, _) if report.runs.is_empty() => vec![find_the_killer()],
        (Stage::First, _) => {
            let mut explanation = HashSet::new();
            report.runs.iter().map(|run| &run.next_step).filter(|step| explanation.insert(*step)).cloned().collect()
        }
        (Stage::Final, Verdict::InternalError) => vec![report_the_bug()],
        (Stage::Final, Verdict::InvalidInput) => {
            vec![Sanitized::ours("fix the inputs named here, then re-run this job")]
        }
        (Stage::Final, Verdict::Passed) => Vec::new(),
        (Stage::Final, _) => {
            let mut explanation = HashSet::new();
            let decisive = report.described().into_iter().chain(&report.runs);
            decisive
                .map(|run| &run.next_step)
                .filter(|step| !step.is_empty() && explanation.insert(*step))
                .cloned()
                .collect()
        }
    }
}

/// The reason in the version written before the first request: it is read only if nothing ever replaced it.
pub(crate) fn killed() -> Sanitized {
    Sanitized::ours("the gate ended before it could report: killed, out of memory, or a bug")
}

pub(crate) fn find_the_killer() -> Sanitized {
    Sanitized::ours(
        "find out why this job was killed (its own time limit, out of memory, a lost runner), then re-run it; this does not \
         affect the run itself",
    )
}

/// The same where the job was to start a run.
pub(crate) fn find_the_killer_of_a_start() -> Sanitized {
    Sanitized::ours(
        "find out why this job was killed (its own time limit, out of memory, a lost runner), and check in Maestro whether it \
         started a run before you re-run it: that would start another one",
    )
}

pub(crate) fn cut_short_by_a_bug() -> Sanitized {
    Sanitized::ours("a bug in maestro-gate ended the wait")
}

pub(crate) fn report_the_bug() -> Sanitized {
    Sanitized::ours(
        "check the result of the run in Maestro, and report this bug to the maintainers of maestro-gate with this log",
    )
}

/// How a signal is called.
pub(crate) const fn signal(signal: Signal) -> &'static str {
    match signal {
        Signal::Interrupt => "SIGINT (Ctrl-C, or a cancelled job)",
        Signal::Terminate => "SIGTERM, SIGQUIT or SIGHUP (a cancelled job, a closed terminal, or a machine going down)",
    }
}
