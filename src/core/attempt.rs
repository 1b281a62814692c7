//! Which start of a pipeline a run comes from, and why there was no further one.

use std::time::Duration;

use super::{Failure, RunId};

/// Which start of a pipeline a run comes from, and how many are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1 on.
    pub number: u32,
    pub of: u32,
}

impl Attempt {
    /// The first of as many as `retries` allows; none where there is only one.
    pub(super) fn first(retries: u32) -> Option<Attempt> {
        (retries > 0).then(|| Attempt { number: 1, of: retries.saturating_add(1) })
    }

    pub(super) fn next(self) -> Option<Attempt> {
        (self.number < self.of).then(|| Attempt { number: self.number + 1, ..self })
    }
}

/// Why a failed run was not started again though an attempt was left.
#[derive(Clone, Debug, PartialEq)]
pub enum NoRetry {
    /// The gate did not start it (`if-running: attach`).
    Attached,
    /// It is not proven that the gate started it: the answer was lost, or there are several candidates.
    Unproven,
    /// Its status is not `FAILED` itself, or the answer had to be repaired.
    NotPlainlyFailed,
    /// Less time is left than the failed attempt took.
    NoTime { left: Duration, needed: Duration },
    /// The list shows another run that is in progress or new.
    OtherRun(Option<RunId>),
    /// No usable list of runs came, with the last failure.
    NoList(Option<Failure>),
    /// Another run did not pass, and `fail-fast` is set.
    FailFast,
}
