//! One log line for each event.

use std::time::Duration;

use super::super::pipeline::PipelineReport;
use super::super::sanitize::{Sanitized, Sanitizer};
use super::super::{Note, NoteLevel};
use super::retries::no_retry;
use super::staleness::{self, newer, not_fresh};
use super::{RunNames, about, came, count, duration, failure, id, stamp, word};
use crate::core::{
    AdoptionReason, Attempt, End, Event, Meaning, PipelineId, Repair, RunId, Selector, SessionNote, SlowerThan,
    TimedEvent, Untrusted, Verdict,
};

/// From how long on an outage that has ended deserves a warning: a single refused look is everyday life.
const NOTABLE_OUTAGE: Duration = Duration::from_secs(60);

/// What an event is about.
enum Subject<'e> {
    Run(usize),
    Pipeline(&'e PipelineId),
    Session,
}

/// A notice in words; behind the run's name where there are several. None for an end that needs none: the status has
/// just told it, or the verdict is about to.
pub fn note(timed_event: &TimedEvent, names: &RunNames, sanitizer: &Sanitizer) -> Option<Note> {
    let (subject, weight, text) = event(&timed_event.event, sanitizer);
    let name = match subject {
        Subject::Run(run) => names.of(run).to_owned(),
        Subject::Pipeline(pipeline) if names.count() > 1 => id(pipeline.as_str(), sanitizer).to_string(),
        Subject::Pipeline(_) | Subject::Session => String::new(),
    };
    if let Event::Ended { end, .. } = timed_event.event
        && (name.is_empty() || matches!(end, End::Verdict(Verdict::Passed | Verdict::Failed)))
    {
        return None;
    }
    let text = if name.is_empty() { text } else { format!("{name}: {text}") };
    Some(Note { at: timed_event.at, weight, text: Sanitized::ours(text) })
}

fn event<'e>(event: &'e Event, sanitizer: &Sanitizer) -> (Subject<'e>, NoteLevel, String) {
    use NoteLevel::{Plain, Warning};
    let plain = |run: &usize, text: String| (Subject::Run(*run), Plain, text);
    let warning = |run: &usize, text: String| (Subject::Run(*run), Warning, text);
    let of_pipeline = |id: &'e PipelineId, text: String| (Subject::Pipeline(id), Plain, text);
    let shown = |id: &RunId| super::id(id.as_str(), sanitizer);
    let retrying =
        |what: &str, why: &str, limit: &Duration| format!("{what} ({why}); retrying for up to {}", duration(*limit));
    match event {
        Event::Status { run, word, meaning } => plain(run, status(word, *meaning, sanitizer)),
        Event::UnknownWord { run, word } => warning(run, unknown(word, sanitizer)),
        Event::Repaired { run, repairs } => plain(run, repaired(repairs)),
        Event::NotVisible { run, failure: why, limit } => {
            plain(run, retrying("the service does not know the run", &came(why, sanitizer), limit))
        }
        Event::Vanished { run, failure: why, limit } => {
            warning(run, retrying("the run disappeared", &came(why, sanitizer), limit))
        }
        Event::Appeared { run, lasted } => plain(run, format!("the run appeared after {}", duration(*lasted))),
        Event::OutageBegan { run, failure: why, limit } => {
            plain(run, retrying("no usable answer", &failure(why, sanitizer), limit))
        }
        Event::OutageEnded { run, lasted, misses } => {
            let polls = count(*misses, "failed poll", "failed polls");
            let text = format!("the service answers again after {} and {polls}", duration(*lasted));
            if *lasted >= NOTABLE_OUTAGE { warning(run, text) } else { plain(run, text) }
        }
        Event::Refused { run, failure: why, limit } => {
            plain(run, retrying("the request was refused", &failure(why, sanitizer), limit))
        }
        Event::AskedToWait { run, asked, waits } => {
            let (asked, waits) = (duration(*asked), duration(*waits));
            plain(run, format!("the service asks for a pause of {asked}; next poll in {waits}"))
        }
        Event::Chosen { run, selector, id, passed_over } => {
            let text = format!("{} is run {}", selector.name(), shown(id));
            match passed_over {
                0 => plain(run, text),
                number => {
                    let skipped = count(*number, "record", "records");
                    warning(run, format!("{text}; skipped {skipped} that can't be read"))
                }
            }
        }
        Event::NotFresh { run, id, selector, record, required, next_start } => {
            let (why, next) = (not_fresh(Some(record), *required, sanitizer), staleness::next_start(*next_start));
            plain(run, format!("run {} {why}; waiting for {}{next}", shown(id), newer(*selector)))
        }
        Event::NoneYet { run, selector, next_start } => {
            let what = match selector {
                Selector::Latest => "run",
                Selector::LastSuccess => "successful run",
            };
            let next = staleness::next_start(*next_start);
            plain(run, format!("the pipeline has no {what} yet; waiting for one{next}"))
        }
        Event::Skipped { run, failures } => {
            let (newest, status) = (shown(&failures.newest), word(&failures.status, sanitizer));
            let what = match failures.count {
                1 => "run".to_owned(),
                count => format!("{count} runs that failed after the last success, the newest of them"),
            };
            plain(run, format!("skipped {what} {newest}, which finished as {status}"))
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
        Event::RetryWaits { run, wait } => plain(
            run,
            format!(
                "the run failed; the pipeline is started again if no other run appears within {}, since there is no proof \
                 that this is the started run",
                duration(*wait)
            ),
        ),
        Event::Retrying { run, attempt: Attempt { number, of } } => {
            let failed = number - 1;
            warning(run, format!("attempt {failed} of {of} failed; starting the pipeline again (attempt {number})"))
        }
        Event::NotRetried { run, why } => {
            plain(run, format!("the run failed and the pipeline is not started again: {}", no_retry(why, sanitizer)))
        }
        Event::Queued { run, behind } => {
            let behind = behind.as_ref().map_or("an earlier run".to_owned(), |id| format!("run {}", shown(id)));
            plain(
                run,
                format!(
                    "not listed yet: {behind} of the pipeline is still in progress, and the new run may be queued behind it"
                ),
            )
        }
        Event::Taken { run, id, taken } => plain(run, format!("run {} {}", shown(id), adopted(*taken))),
        Event::Learned { id, history, .. } => of_pipeline(id, super::history(history)),
        Event::NoHistory { id, failure: why, .. } => {
            let why = failure(why, sanitizer);
            of_pipeline(id, format!("no history of previous runs ({why}); polling without a forecast"))
        }
        Event::Details { id, details } => of_pipeline(id, self::details(&PipelineReport::new(details, sanitizer))),
        Event::PausedPipeline { run } => warning(
            run,
            "the pipeline was paused when the gate started; unpause it in Maestro if a new run should start".to_owned(),
        ),
        Event::Slow { run, slower: SlowerThan { runs, of }, typical } => {
            plain(run, format!("slower than {runs} of {of} runs, which usually take {}", about(*typical)))
        }
        Event::Overdue { run, age, typical } => {
            warning(run, format!("overdue: {} so far, usually {}", about(*age), about(*typical)))
        }
        Event::Session(note) => {
            let is_usual = matches!(note, SessionNote::SignedIn | SessionNote::Renewed | SessionNote::Connection(_));
            (Subject::Session, if is_usual { Plain } else { Warning }, session(note, sanitizer))
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

/// Why a run is waited for, behind its id.
fn adopted(taken: AdoptionReason) -> String {
    match taken {
        AdoptionReason::Attached => {
            "was already in progress, so the gate waits for it; it may have started before your change".to_owned()
        }
        AdoptionReason::Ours => "is the started run: it has the id from the service's answer".to_owned(),
        AdoptionReason::Candidate { of: 1 } => {
            "appeared after the start, so the gate waits for it; there is no proof that it is the started run"
                .to_owned()
        }
        AdoptionReason::Candidate { of } => format!(
            "is one of {of} that appeared after the start; the gate waits for all of them, since any may be the started run"
        ),
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
    let name = |repair: &Repair| match repair {
        Repair::ByteOrderMark => "a byte order mark",
        Repair::BadUtf8 => "bytes that are not UTF-8",
        Repair::ControlCharacter => "an unescaped control character",
        Repair::NotANumber => "NaN or Infinity",
        Repair::HalfCharacter => "half of a surrogate pair",
        Repair::HugeNumber => "a number that is too large",
        Repair::DeepNesting => "too many levels of nesting",
    };
    let repairs = repairs.iter().map(name).collect::<Vec<_>>().join(", ");
    format!(
        "the answer was not valid JSON and was repaired ({repairs}); a repaired answer can fail the gate, but not pass it"
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
            stamp(*service),
            stamp(*here)
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
