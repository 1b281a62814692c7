//! The one clock: read here and nowhere else.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// Time since the inputs were accepted, and the wall clock that goes with it.
///
/// The wall clock is read once and moved on by the monotonic one, so that a step of the machine's clock during the wait
/// can neither lengthen nor shorten anything. The monotonic clock is the runtime's, so that tests can move it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall: DateTime<Utc>,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads a clock")]
    pub fn start() -> Clock {
        Clock { started: Instant::now(), wall: Utc::now() }
    }

    /// One that has slept as long since the start.
    #[cfg(test)]
    #[expect(clippy::disallowed_methods, reason = "the only place that reads a clock")]
    pub fn after_sleep(length: Duration) -> Clock {
        Clock { started: Instant::now(), wall: Utc::now() - length }
    }

    /// Since the inputs were accepted.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The wall clock.
    pub fn utc(&self) -> DateTime<Utc> {
        self.wall + self.elapsed()
    }

    /// The wall clock, as others see it who did not sleep: while a machine is suspended the monotonic clock stands still.
    #[expect(clippy::disallowed_methods, reason = "the only place that reads a clock")]
    pub fn awake(&self) -> DateTime<Utc> {
        self.utc().max(Utc::now())
    }
}
