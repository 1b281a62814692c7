//! What changed on the way, as events: the only contract between the engine and the views of it.

use std::time::Duration;

use super::{End, Foreign, History, Meaning, Miss, PipelineId, RunId, Selector, SlowerThan};

/// Something a person may want to know, and when it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Since the inputs were accepted.
    pub at: Duration,
    pub event: Event,
}

/// The events. `run` is the index into the gate's runs, in input order.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A run's status was seen for the first time, or is another one than before.
    Status { run: usize, word: Foreign, meaning: Meaning },
    /// A word that no table knows; told once per word.
    UnknownWord { run: usize, word: Foreign },
    /// The service does not know the run; the watch ends if that is so for `limit`.
    NotVisible { run: usize, miss: Miss, limit: Duration },
    /// The run was seen before, and is gone.
    Vanished { run: usize, miss: Miss, limit: Duration },
    /// The run is (again) visible after not being so for `lasted`.
    Appeared { run: usize, lasted: Duration },
    /// No usable answer; the watch ends if that stays so for `limit`.
    OutageBegan { run: usize, miss: Miss, limit: Duration },
    /// The service gave usable answers again.
    OutageEnded { run: usize, lasted: Duration, misses: u64 },
    /// The service asked to be left alone for longer than the next look was away.
    AskedToWait { run: usize, asked: Duration, waits: Duration },
    /// A run was chosen from its pipeline's list; so many records could not be read and were passed over.
    Chosen { run: usize, selector: Selector, id: RunId, passed_over: usize },
    /// The service took the request to start the pipeline.
    Started { run: usize },
    /// Whether the pipeline was started nobody knows: the list will tell.
    StartLost { run: usize, miss: Miss },
    /// What was started is not listed yet, and an earlier run is still going.
    Queued { run: usize, behind: Option<RunId> },
    /// A run is waited for as what was started.
    Taken { run: usize, id: RunId, taken: Taken },
    /// How the earlier runs of a pipeline went is known.
    Learned { pipeline: usize, id: PipelineId, history: History },
    /// It could not be had: a pity, and no more.
    NoHistory { pipeline: usize, id: PipelineId, miss: Miss },
    /// A run takes longer than most.
    Slow { run: usize, slower: SlowerThan, typical: Duration },
    /// A run takes longer than the past has an example of.
    Overdue { run: usize, age: Duration, typical: Duration },
    /// Something about the session.
    Session(SessionNote),
    /// The watch of a run is over.
    Ended { run: usize, end: End },
}

impl Event {
    /// Whether a run has a name from here on that it had not before.
    pub fn is_name(&self) -> bool {
        match self {
            Event::Chosen { .. } | Event::Taken { .. } => true,
            Event::Status { .. }
            | Event::UnknownWord { .. }
            | Event::NotVisible { .. }
            | Event::Vanished { .. }
            | Event::Appeared { .. }
            | Event::OutageBegan { .. }
            | Event::OutageEnded { .. }
            | Event::AskedToWait { .. }
            | Event::Started { .. }
            | Event::StartLost { .. }
            | Event::Queued { .. }
            | Event::Learned { .. }
            | Event::NoHistory { .. }
            | Event::Slow { .. }
            | Event::Overdue { .. }
            | Event::Session(_)
            | Event::Ended { .. } => false,
        }
    }
}

/// Why a run is taken for what was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was going already (`if-running: attach`).
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
    EarlyRenewalFailed(Miss),
    /// The token says that it ends before the deadline, and there is nothing to renew it with.
    EndsBeforeDeadline { left: Duration, needed: Duration },
    /// A secret shorter than six bytes can't be told from ordinary text, and so is not redacted.
    ShortSecret(&'static str),
}
