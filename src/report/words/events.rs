//! One line for each thing that happens on the way.

use std::time::Duration;

use super::super::clean::{Clean, Cleaner};
use super::super::{Note, Weight};
use super::{Names, came, count, duration, miss, word};
use crate::gate::{End, Event, Foreign, Meaning, Notice, SessionNote, Verdict};

/// From how long on an outage that is over deserves a warning: a single refused look is everyday life.
const NOTABLE_OUTAGE: Duration = Duration::from_secs(60);

/// A notice in words; behind the run's name where there are several. None for an end that needs none: the status has
/// just told it, or the verdict is about to.
pub fn note(notice: &Notice, names: &Names, cleaner: &Cleaner) -> Option<Note> {
    let (run, weight, text) = event(&notice.event, cleaner);
    let name = run.map_or("", |run| names.of(run));
    if let Event::Ended { end, .. } = notice.event {
        let is_told = matches!(end, End::Verdict(Verdict::Passed | Verdict::Failed));
        if is_told || name.is_empty() {
            return None;
        }
    }
    let text = if name.is_empty() { text } else { format!("{name}: {text}") };
    Some(Note { at: notice.at, weight, text: Clean::ours(text) })
}

fn event(event: &Event, cleaner: &Cleaner) -> (Option<usize>, Weight, String) {
    use Weight::{Plain, Warning};
    match event {
        Event::Status { run, word, meaning } => (Some(*run), Plain, status(word, *meaning, cleaner)),
        Event::UnknownWord { run, word } => (Some(*run), Warning, unknown(word, cleaner)),
        Event::NotVisible { run, miss: why, limit } => (
            Some(*run),
            Plain,
            format!(
                "the service does not know the run ({}); looking again for up to {}",
                came(why, cleaner),
                duration(*limit)
            ),
        ),
        Event::Vanished { run, miss: why, limit } => (
            Some(*run),
            Warning,
            format!(
                "the run was there and is gone ({}); looking again for up to {}",
                came(why, cleaner),
                duration(*limit)
            ),
        ),
        Event::Appeared { run, lasted } => {
            (Some(*run), Plain, format!("the run is visible, after {}", duration(*lasted)))
        }
        Event::OutageBegan { run, miss: why, limit } => (
            Some(*run),
            Plain,
            format!("no usable answer ({}); trying again for up to {}", miss(why, cleaner), duration(*limit)),
        ),
        Event::OutageEnded { run, lasted, misses } => {
            let weight = if *lasted >= NOTABLE_OUTAGE { Warning } else { Plain };
            let polls = count(usize::try_from(*misses).unwrap_or(usize::MAX), "lost poll", "lost polls");
            (Some(*run), weight, format!("the service answers again, after {} and {polls}", duration(*lasted)))
        }
        Event::AskedToWait { run, asked, waits } => (
            Some(*run),
            Plain,
            format!("the service asks for {} of rest; the next look comes in {}", duration(*asked), duration(*waits)),
        ),
        Event::Session(note) => {
            let (weight, text) = session(note, cleaner);
            (None, weight, text)
        }
        Event::Ended { run, end } => (Some(*run), Plain, format!("over: {}", end.name())),
    }
}

fn status(found: &Foreign, meaning: Meaning, cleaner: &Cleaner) -> String {
    let found = word(found, cleaner);
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

fn unknown(found: &Foreign, cleaner: &Cleaner) -> String {
    let found = word(found, cleaner);
    if found.is_empty() {
        return "the service gives the run no status; the gate waits for one".to_owned();
    }
    format!("the gate does not know the status {found}, and waits. {}", teach(&found))
}

/// Which input would teach the gate a word.
pub(super) fn teach(word: &str) -> String {
    format!("if {word} means success, set success-statuses: {word}; if it means failure, set failure-statuses: {word}")
}

fn session(note: &SessionNote, cleaner: &Cleaner) -> (Weight, String) {
    match note {
        SessionNote::SignedIn => (Weight::Plain, "signed in".to_owned()),
        SessionNote::Renewed => (Weight::Plain, "signed in again: the token was old or refused".to_owned()),
        SessionNote::EarlyRenewalFailed(why) => (
            Weight::Warning,
            format!("the token could not be renewed before its end ({}); the old one is used on", miss(why, cleaner)),
        ),
        SessionNote::EndsBeforeDeadline { left, needed } => (
            Weight::Warning,
            format!(
                "the access token ends in {}, but the wait may take {}: with username and password the gate renews it \
                 by itself",
                duration(*left),
                duration(*needed)
            ),
        ),
        SessionNote::ShortSecret(name) => (
            Weight::Warning,
            format!(
                "{name} is shorter than six bytes: it can't be told from ordinary text, and so is not hidden where the \
                 service repeats it"
            ),
        ),
    }
}
