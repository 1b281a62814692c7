//! A moment of the wait: what is known when something happens to a run, and where it is reported.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::trigger::CandidateGroup;
use super::{Event, Rules, TimedEvent};

#[derive(Debug)]
pub(super) struct Moment<'e> {
    pub(super) rules: Arc<Rules>,
    /// Since the inputs were accepted.
    pub(super) elapsed: Duration,
    /// By an answer: the service's clock, and how long the service asks to be left alone.
    pub(super) date: Option<DateTime<Utc>>,
    pub(super) retry_after: Option<Duration>,
    /// Whether anything has worked yet in this gate, a sign-in included.
    pub(super) has_worked: bool,
    /// If the run is the last of those that may be what was started: before its success stands, the list is read again.
    pub(super) group: Option<Box<CandidateGroup>>,
    pub(super) events: &'e mut Vec<TimedEvent>,
}

impl Moment<'_> {
    pub(super) fn emit(&mut self, event: Event) {
        self.events.push(TimedEvent { at: self.elapsed, event });
    }

    /// What is left of the timeout.
    pub(super) fn left(&self) -> Duration {
        self.rules.limits.timeout.saturating_sub(self.elapsed)
    }

    /// Whether the time is up.
    pub(super) fn is_late(&self) -> bool {
        self.left().is_zero()
    }
}
