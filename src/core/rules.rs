//! What the gate goes by: the clocks' limits and the words, all from the config.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Freshness, Interval, Vocabulary};

/// The clocks' limits (docs/reference.md#time-limits-and-polling).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Everything, from accepted inputs on. Zero: look once.
    pub timeout: Duration,
    /// How long a run may be unknown to the service.
    pub appear: Duration,
    /// How long the service may give no usable answer.
    pub outage: Duration,
}

/// Requests under way at once (docs/reference.md#limits).
pub const REQUESTS_AT_ONCE: usize = 8;

/// What to do with the others when a run did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFirstFailure {
    WaitForAll,
    StopWaiting,
}

/// Whether to learn from a pipeline's list of runs what its runs usually are like, and which of them are running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learning {
    On,
    Off,
}

/// What to do with `latest` and `last-success` if there is no run that is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfStale {
    Fail,
    /// Wait until the timeout for one.
    Wait,
}

/// What the gate goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    pub limits: Limits,
    pub interval: Interval,
    pub vocabulary: Vocabulary,
    pub on_first_failure: OnFirstFailure,
    pub freshness: Freshness,
    pub if_stale: IfStale,
    /// How often a pipeline that the gate has started is started again after its run failed.
    pub retries: u32,
    /// This machine's clock when the inputs were accepted; none before then.
    pub began: Option<DateTime<Utc>>,
    pub learning: Learning,
}

impl Rules {
    /// The rules where nothing but the limits was given, and nothing is learned: what tests and simulations start from.
    pub fn within(limits: Limits) -> Rules {
        Rules {
            limits,
            interval: Interval::Auto,
            vocabulary: Vocabulary::default(),
            on_first_failure: OnFirstFailure::WaitForAll,
            freshness: Freshness::default(),
            if_stale: IfStale::Fail,
            retries: 0,
            began: None,
            learning: Learning::Off,
        }
    }
}
