//! One log line for each event.

use std::time::Duration;

use super::super::pipeline::PipelineReport;
use super::super::sanitize::{Sanitized, Sanitizer};
use super::super::{Note, NoteLevel};
use super::retries::no_retry;
use super::staleness::{self, not_fresh};
use super::{RunNames, about, came, count, duration, failure, word};
use crate::core::{
    AdoptionReason, End, Event, Meaning, PipelineId, Repair, RunId, Selector, SessionNote, TimedEvent, Untrusted,
    Verdict,
};

/// From how long on an outage that has ended deserves a warning: a single refused look is everyday life.
const NOTABLE_OUTAGE: Duration = Duration::from_secs(60);

/// A notice in words; behind the run's name where there are several. None for an end that needs none: the status has
/// just told it, or the verdict is about to.
pub fn note(timed_event: &TimedEvent, names: &RunNames, sanitizer: &Sanitizer) -> Option<Note> {
    let (run, weight, text) = event(&timed_event.event, sanitizer);
    let name = run.map_or("", |run| names.of(run));
    if let Event::Ended { end, .. } = timed_event.event {
        let is_told = matches!(end, End::Verdict(Verdict::Passed | Verdict::Failed));
        if is_told || name.is_empty() {
            return None;
        }
    }
    let name = match pipeline(&timed_event.event).filter(|_| names.len() > 1) {
        Some(id) => sanitizer.id(&Untrusted::new(id.as_str())).to_string(),
        None => name.to_owned(),
    };
    let text = if name.is_empty() { text } else { format!("{name}: {text}") };
    Some(Note { at: timed_event.at, weight, text: Sanitized::ours(text) })
}

/// The pipeline that an event is about as a whole.
fn pipeline(event: &Event) -> Option<&PipelineId> {
    if let Event::Learned { id, .. } | Event::NoHistory { id, .. } | Event::Details { id, .. } = event {
        Some(id)
    } else {
        None
    }
}

fn event(event: &Event, sanitizer: &Sanitizer) -> (Option<usize>, NoteLevel, String) {
    use NoteLevel::{Plain, Warning};
    let plain = |run: &usize, text: String| (Some(*run), Plain, text);
    let warning = |run: &usize, text: String| (Some(*run), Warning, text);
    match event {
        Event::Status { run, word, meaning } => plain(run, status(word, *meaning, sanitizer)),
        Event::UnknownWord { run, word } => warning(run, unknown(word, sanitizer)),
        Event::Repaired { run, repairs } => plain(run, repaired(repairs)),
        Event::NotVisible { run, failure: why, limit } => plain(
            run,
            format!(
                "the service does not know the run ({}); retrying for up to {}",
                came(why, sanitizer),
                duration(*limit)
            ),
        ),
        Event::Vanished { run, failure: why, limit } => warning(
            run,
            format!("the run disappeared ({}); retrying for up to {}", came(why, sanitizer), duration(*limit)),
        ),
        Event::Appeared { run, lasted } => plain(run, format!("the run appeared after {}", duration(*lasted))),
        Event::OutageBegan { run, failure: why, limit } => plain(
            run,
            format!("no usable answer ({}); retrying for up to {}", failure(why, sanitizer), duration(*limit)),
        ),
        Event::OutageEnded { run, lasted, misses } => {
            let weight = if *lasted >= NOTABLE_OUTAGE { Warning } else { Plain };
            let polls = count(usize::try_from(*misses).unwrap_or(usize::MAX), "failed poll", "failed polls");
            (Some(*run), weight, format!("the service answers again after {} and {polls}", duration(*lasted)))
        }
        Event::Refused { run, failure: why, limit } => plain(
            run,
            format!("the request was refused ({}); retrying for up to {}", failure(why, sanitizer), duration(*limit)),
        ),
        Event::AskedToWait { run, asked, waits } => plain(
            run,
            format!("the service asks for a pause of {}; next poll in {}", duration(*asked), duration(*waits)),
        ),
        Event::Chosen { run, selector, id, passed_over } => {
            let passed_over = match passed_over {
                0 => String::new(),
                number => format!("; skipped {} that can't be read", count(*number, "record", "records")),
            };
            let text = format!("{} is run {}{passed_over}", selector.name(), shown(id, sanitizer));
            (Some(*run), if passed_over.is_empty() { Plain } else { Warning }, text)
        }
        Event::NotFresh { run, id, selector, record, required, next_start } => {
            let newer = match selector {
                Selector::Latest => "a newer run",
                Selector::LastSuccess => "a newer success",
            };
            let why = not_fresh(Some(record), *required, sanitizer);
            let next_start = staleness::next_start(*next_start);
            plain(run, format!("run {} {why}; waiting for {newer}{next_start}", shown(id, sanitizer)))
        }
        Event::NoneYet { run, selector, next_start } => {
            let what = match selector {
                Selector::Latest => "run",
                Selector::LastSuccess => "successful run",
            };
            let next_start = staleness::next_start(*next_start);
            plain(run, format!("the pipeline has no {what} yet; waiting for one{next_start}"))
        }
        Event::Skipped { run, failures } => {
            let last = format!(
                "{}, which finished as {}",
                shown(&failures.newest, sanitizer),
                word(&failures.status, sanitizer)
            );
            let text = match failures.count {
                1 => format!("skipped run {last}"),
                count => format!("skipped {count} runs that failed after the last success, the newest of them {last}"),
            };
            plain(run, text)
        }
        Event::Started { run } => {
            plain(run, "the service accepted the request to start the pipeline; looking for the run".to_owned())
        }
        Event::StartLost { run, failure: why } => warning(
            run,
            format!(
                "the pipeline may or may not have been started ({}); the list of runs will show it, the request is not repeated",
                failure(why, sanitizer)
            ),
        ),
        Event::RetryWaits { run, wait } => (
            Some(*run),
            Plain,
            format!(
                "the run failed; the pipeline is started again if no other run appears within {}, since there is no proof \
                 that this is the started run",
                duration(*wait)
            ),
        ),
        Event::Retrying { run, attempt } => (
            Some(*run),
            Warning,
            format!(
                "attempt {} of {} failed; starting the pipeline again (attempt {})",
                attempt.number - 1,
                attempt.of,
                attempt.number
            ),
        ),
        Event::NotRetried { run, why } => (
            Some(*run),
            Plain,
            format!("the run failed and the pipeline is not started again: {}", no_retry(why, sanitizer)),
        ),
        Event::Queued { run, behind } => {
            let behind =
                behind.as_ref().map_or("an earlier run".to_owned(), |id| format!("run {}", shown(id, sanitizer)));
            plain(
                run,
                format!(
                    "not listed yet: {behind} of the pipeline is still in progress, and the new run may be queued behind it"
                ),
            )
        }
        Event::Taken { run, id, taken } => plain(run, self::taken(*taken, &shown(id, sanitizer))),
        Event::Learned { history, .. } => (None, Plain, super::history(history)),
        Event::NoHistory { failure: why, .. } => (
            None,
            Plain,
            format!("no history of previous runs ({}); polling without a forecast", failure(why, sanitizer)),
        ),
        Event::Details { details, .. } => (None, Plain, self::details(&PipelineReport::new(details, sanitizer))),
        Event::PausedPipeline { run } => warning(
            run,
            "the pipeline was paused when the gate started; unpause it in Maestro if a new run should start".to_owned(),
        ),
        Event::Slow { run, slower, typical } => plain(
            run,
            format!("slower than {} of {} runs, which usually take {}", slower.runs, slower.of, about(*typical)),
        ),
        Event::Overdue { run, age, typical } => {
            warning(run, format!("overdue: {} so far, usually {}", about(*age), about(*typical)))
        }
        Event::Session(note) => {
            let is_usual = matches!(note, SessionNote::SignedIn | SessionNote::Renewed | SessionNote::Connection(_));
            (None, if is_usual { Plain } else { Warning }, session(note, sanitizer))
        }
        Event::Ended { run, end } => plain(run, format!("finished: {}", end.name())),
    }
}

/// `pipeline details: "Nightly load", cron 0 6 * * *, active`.
fn details(pipeline: &PipelineReport) -> String {
    let cron = (!pipeline.cron.is_empty()).then(|| format!("cron {}", pipeline.cron));
    let state = (!pipeline.state.is_empty()).then(|| pipeline.state.to_string());
    let parts: Vec<String> = pipeline.quoted_name().into_iter().chain(cron).chain(state).collect();
    format!("pipeline details: {}", parts.join(", "))
}

fn shown(id: &RunId, sanitizer: &Sanitizer) -> Sanitized {
    sanitizer.id(&Untrusted::new(id.as_str()))
}

fn taken(taken: AdoptionReason, id: &str) -> String {
    match taken {
        AdoptionReason::Attached => {
            format!(
                "run {id} was already in progress, so the gate waits for it; it may have started before your change"
            )
        }
        AdoptionReason::Ours => format!("run {id} is the started run: it has the id from the service's answer"),
        AdoptionReason::Candidate { of: 1 } => {
            format!(
                "run {id} appeared after the start, so the gate waits for it; there is no proof that it is the started run"
            )
        }
        AdoptionReason::Candidate { of } => {
            format!(
                "run {id} is one of {of} that appeared after the start; the gate waits for all of them, since any may be the started run"
            )
        }
    }
}

fn status(found: &Untrusted, meaning: Meaning, sanitizer: &Sanitizer) -> String {
    let found = word(found, sanitizer);
    if found.is_empty() {
        return "the run has no status yet; waiting".to_owned();
    }
    match meaning {
        // Only what a word does not say by itself is said.
        Meaning::Passed if !found.eq_ignore_ascii_case("SUCCESS") => format!("status {found}: counts as success"),
        Meaning::Failed if !found.eq_ignore_ascii_case("FAILED") => format!("status {found}: counts as failure"),
        Meaning::Passed | Meaning::Failed | Meaning::Wait => format!("status {found}"),
        Meaning::Unknown => format!("status {found}: unknown; waiting"),
    }
}

fn repaired(repairs: &[Repair]) -> String {
    let repairs: Vec<&str> = repairs
        .iter()
        .map(|repair| match repair {
            Repair::ByteOrderMark => "a byte order mark",
            Repair::BadUtf8 => "bytes that are not UTF-8",
            Repair::ControlCharacter => "an unescaped control character",
            Repair::NotANumber => "NaN or Infinity",
            Repair::HalfCharacter => "half of a surrogate pair",
            Repair::HugeNumber => "a number that is too large",
            Repair::DeepNesting => "too many levels of nesting",
        })
        .collect();
    format!(
        "the answer was not valid JSON and was repaired ({}); a repaired answer can fail the gate, but not pass it",
        repairs.join(", ")
    )
}

fn unknown(found: &Untrusted, sanitizer: &Sanitizer) -> String {
    let found = word(found, sanitizer);
    if found.is_empty() {
        return "the run has no status value; waiting for one".to_owned();
    }
    format!("unknown status {found}; waiting. {}", teach(&found))
}

/// Which input would teach the gate a word.
pub(super) fn teach(word: &str) -> String {
    if word.contains("<U+") {
        return format!("{word} has a character that can't be seen or looks like another: fix what writes this status");
    }
    format!("if {word} means success, set success-statuses: {word}; if it means failure, set failure-statuses: {word}")
}

fn session(note: &SessionNote, sanitizer: &Sanitizer) -> String {
    match note {
        SessionNote::SignedIn => "signed in".to_owned(),
        SessionNote::Renewed => "signed in again: the token was about to expire or was refused".to_owned(),
        SessionNote::EarlyRenewalFailed(why) => {
            format!("the token could not be renewed early ({}); still using the old one", failure(why, sanitizer))
        }
        SessionNote::EndsBeforeDeadline { left, needed } => format!(
            "the access token expires in {}, but the wait may take {}; with username and password the gate could renew \
                 it",
            duration(*left),
            duration(*needed)
        ),
        SessionNote::ImplausibleClock { service, here } => format!(
            "the service's clock says {}, this machine's {}: one of them is wrong; for max-age the greater of the two \
                 ages counts",
            super::stamp(*service),
            super::stamp(*here)
        ),
        SessionNote::Connection(connection) => super::connection(connection, sanitizer),
        SessionNote::ShortSecret(name) => format!(
            "{name} is shorter than six bytes, so it can't be told from ordinary text and is not redacted if the service \
                 repeats it"
        ),
        SessionNote::OddPassword(odd) => {
            format!("sign-in was refused, and the password looks unusual: {odd}. Check the secret where it is stored")
        }
    }
}
