//! What changed on the way, as events: the only contract between the engine and the views of it.

use std::time::Duration;

use super::{End, Foreign, Meaning, Miss};

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
    /// Something about the session.
    Session(SessionNote),
    /// The watch of a run is over.
    Ended { run: usize, end: End },
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
