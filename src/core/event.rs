//! What changed while waiting, as events: the only interface between the core and what shows it.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    Attempt, Connection, End, Failure, Freshness, History, LastRecord, Meaning, NoRetry, PipelineDetails, PipelineId,
    Repair, RunId, Selector, SlowerThan, Untrusted,
};

/// Something a person may want to know, and when it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedEvent {
    /// Since the inputs were accepted.
    pub at: Duration,
    pub event: Event,
}

/// The events. `run` is the index into the gate's runs, in input order.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A run's status was seen for the first time, or is another one than before.
    Status { run: usize, word: Untrusted, meaning: Meaning },
    /// A word that no table knows; told once per word.
    UnknownWord { run: usize, word: Untrusted },
    /// An answer was not quite JSON and was repaired; told again when the damage is another one.
    Repaired { run: usize, repairs: Vec<Repair> },
    /// The service does not know the run; the wait ends if that is so for `limit`.
    NotVisible { run: usize, failure: Failure, limit: Duration },
    /// The run was seen before, and is gone.
    Vanished { run: usize, failure: Failure, limit: Duration },
    /// The run is (again) visible after not being so for `lasted`.
    Appeared { run: usize, lasted: Duration },
    /// No usable answer; the wait ends if that stays so for `limit`.
    OutageBegan { run: usize, failure: Failure, limit: Duration },
    /// The service gave usable answers again.
    OutageEnded { run: usize, lasted: Duration, misses: u64 },
    /// The service refuses; the wait ends if there is nothing else for `limit`, its pauses not counted.
    Refused { run: usize, failure: Failure, limit: Duration },
    /// The service asked to be left alone for longer than the next poll was away.
    AskedToWait { run: usize, asked: Duration, waits: Duration },
    /// A run was chosen from its pipeline's list; so many records could not be read and were passed over.
    Chosen { run: usize, selector: Selector, id: RunId, passed_over: usize },
    /// With `if-stale: wait`: the chosen run is not fresh, and the gate waits for another. With it, when that usually starts.
    NotFresh {
        run: usize,
        id: RunId,
        selector: Selector,
        record: Box<LastRecord>,
        required: Freshness,
        next_start: Option<(DateTime<Utc>, Duration)>,
    },
    /// With `if-stale: wait`: there is no such run yet.
    NoneYet { run: usize, selector: Selector, next_start: Option<(DateTime<Utc>, Duration)> },
    /// `last-success` skips runs that failed.
    Skipped { run: usize, failures: SkippedFailures },
    /// The service took the request to start the pipeline.
    Started { run: usize },
    /// Whether the pipeline was started nobody knows: the list will tell.
    StartLost { run: usize, failure: Failure },
    /// A started run has failed, and the pipeline is started again if no other run comes to light meanwhile.
    RetryWaits { run: usize, wait: Duration },
    /// The pipeline is started again, as this run.
    Retrying { run: usize, attempt: Attempt },
    /// A started run has failed, and an attempt is left that is not made.
    NotRetried { run: usize, why: NoRetry },
    /// What was started is not listed yet, and an earlier run is still running.
    Queued { run: usize, behind: Option<RunId> },
    /// A run is waited for as what was started.
    Taken { run: usize, id: RunId, taken: AdoptionReason },
    /// How the earlier runs of a pipeline went is known.
    Learned { pipeline: usize, id: PipelineId, history: History },
    /// It could not be had: a pity, and no more.
    NoHistory { pipeline: usize, id: PipelineId, failure: Failure },
    /// A pipeline's name, schedule and state have come.
    Details { id: PipelineId, details: PipelineDetails },
    /// The run is not there yet, and its pipeline was paused when the gate started.
    PausedPipeline { run: usize },
    /// A run takes longer than most.
    Slow { run: usize, slower: SlowerThan, typical: Duration },
    /// A run takes longer than the past has an example of.
    Overdue { run: usize, age: Duration, typical: Duration },
    /// Something about the session.
    Session(SessionNote),
    /// The wait of a run has ended.
    Ended { run: usize, end: End },
}

/// Failed runs that are newer than the last success.
#[derive(Clone, Debug, PartialEq)]
pub struct SkippedFailures {
    pub count: usize,
    /// The newest of them.
    pub newest: RunId,
    pub status: Untrusted,
}

impl Event {
    /// The run that has a name from here on that it had not before.
    pub fn renamed_run(&self) -> Option<usize> {
        if let Event::Chosen { run, .. } | Event::Taken { run, .. } = self { Some(*run) } else { None }
    }
}

/// Why a run is taken for what was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdoptionReason {
    /// It was running already (`if-running: attach`).
    Attached,
    /// It has the id that the request was answered with.
    Ours,
    /// It is new, and so may be it: one of so many that are.
    Candidate { of: usize },
}

/// What the session has to say; none of it is a verdict.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionNote {
    /// Signed in, or in again.
    SignedIn,
    /// Renewed because the token was old or refused.
    Renewed,
    /// A renewal before time failed; the old token is used on.
    EarlyRenewalFailed(Failure),
    /// The token says that it ends before the deadline, and there is nothing to renew it with.
    EndsBeforeDeadline { left: Duration, needed: Duration },
    /// How the service is reached, as soon as it is known and whenever it changes.
    Connection(Connection),
    /// The service's clock and this machine's are so far apart that one of them must be wrong.
    ImplausibleClock { service: DateTime<Utc>, here: DateTime<Utc> },
    /// A secret shorter than six bytes can't be told from ordinary text, and so is not redacted.
    ShortSecret(&'static str),
    /// What about the refused password may be why; never the password.
    OddPassword(&'static str),
}

/// How many notices are kept of the beginning, and how many of the end: more than a person reads, and a few hundred KiB. A
/// service on a bad month must not fill the memory of a gate that waits for thirty days.
const OF_EACH_END: usize = 500;

/// The longest status value kept, in bytes. The report shows 64 characters; so many more that a secret in them is whole
/// when it is looked for.
const WORD_KEPT: usize = 4096;

/// What is kept of what happened: its beginning and its end.
#[derive(Debug, Default)]
pub struct EventLog {
    first: Vec<TimedEvent>,
    last: VecDeque<TimedEvent>,
    gap: Option<Gap>,
}

/// What lies between, and was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the last of it happened.
    pub at: Duration,
    pub count: u64,
}

impl EventLog {
    pub fn extend(&mut self, events: impl IntoIterator<Item = TimedEvent>) {
        events.into_iter().for_each(|timed_event| self.push(timed_event));
    }

    fn push(&mut self, mut timed_event: TimedEvent) {
        if let Event::Status { word, .. } = &mut timed_event.event
            && word.raw().len() > WORD_KEPT
        {
            *word = Untrusted::new(&word.raw()[..word.raw().floor_char_boundary(WORD_KEPT)]);
        }
        if self.first.len() < OF_EACH_END {
            self.first.push(timed_event);
            return;
        }
        if self.last.len() == OF_EACH_END
            && let Some(lost) = self.last.pop_front()
        {
            self.gap = Some(Gap { at: lost.at, count: self.gap.map_or(0, |gap| gap.count) + 1 });
        }
        self.last.push_back(timed_event);
    }

    /// The notices, and the gap between the beginning and the end of them, if there is one.
    pub fn into_events(self) -> (Vec<TimedEvent>, Option<Gap>) {
        let mut events = self.first;
        events.extend(self.last);
        (events, self.gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(second: u64, word: &str) -> TimedEvent {
        let event = Event::Status { run: 0, word: Untrusted::new(word), meaning: Meaning::Unknown };
        TimedEvent { at: Duration::from_secs(second), event }
    }

    #[test]
    fn a_run_has_a_name_once_it_was_chosen_or_taken() {
        let id = || RunId::new("r").expect("an id");
        let chosen = Event::Chosen { run: 3, selector: Selector::Latest, id: id(), passed_over: 0 };
        let taken = Event::Taken { run: 4, id: id(), taken: AdoptionReason::Attached };
        let named = [chosen, taken, status(0, "RUNNING").event, Event::Started { run: 0 }];
        assert_eq!(named.map(|event| event.renamed_run()), [Some(3), Some(4), None, None]);
    }

    #[test]
    fn the_beginning_and_the_end_are_kept_whatever_happens() {
        let mut kept = EventLog::default();
        kept.extend((0..999).map(|second| status(second, "A")));
        kept.extend([status(999, "A")]);
        let (events, gap) = kept.into_events();
        assert_eq!((events.len(), gap), (1_000, None));

        let mut kept = EventLog::default();
        kept.extend((0..1_000_000).map(|second| status(second, "A")));
        let (events, gap) = kept.into_events();
        let seconds: Vec<u64> = events.iter().map(|timed_event| timed_event.at.as_secs()).collect();
        assert!(seconds.iter().copied().eq((0..500).chain(999_500..1_000_000)));
        assert_eq!(gap, Some(Gap { at: Duration::from_secs(999_499), count: 999_000 }));
    }

    #[test]
    fn a_word_of_megabytes_is_not_kept_whole() {
        let mut kept = EventLog::default();
        kept.extend([status(0, &"é".repeat(4 << 20)), status(1, &"x".repeat(WORD_KEPT))]);
        let lengths: Vec<usize> = kept
            .into_events()
            .0
            .iter()
            .map(|timed_event| match &timed_event.event {
                Event::Status { word, .. } => word.raw().len(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(lengths, [WORD_KEPT, WORD_KEPT]);
    }
}
