//! A run that has not finished: its age, what previous runs say about it, and what a list changes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::super::list_summary::ShownAs;
use super::super::spacing::FLOOR;
use super::super::{Event, Forecast, Limits, ListSummary, PastRun};
use super::{Moment, Phase, Run};

/// How a run gets on, as far as it was reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pace {
    #[default]
    Usual,
    Slow,
    Overdue,
}

#[cfg(test)]
std::thread_local! {
    /// How often it was asked whether a run is unfinished: a loop over all runs at each answer shows here.
    pub(in crate::core) static STATES_READ: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

impl Run {
    /// How old the run is, by the service's clock; `None` if no answer said so.
    pub(in crate::core) fn age(&self, elapsed: Duration) -> Option<Duration> {
        let (at, age) = self.progress.aged?;
        Some(age.saturating_add(elapsed.saturating_sub(at)))
    }

    pub(in crate::core) fn forecast(&self) -> Option<&Forecast> {
        self.clocks.forecast()
    }

    /// Takes in how earlier runs of the pipeline went. Returns when to look next, if that changes.
    pub(in crate::core) fn learn(&mut self, at: &Moment<'_>, past: &[PastRun]) -> Option<Duration> {
        let age = self.age(at.elapsed)?;
        self.progress.has_learned = true;
        self.clocks.learn(at.rules.limits, at.elapsed, past, age)
    }

    /// Whether it could learn from the past, and has not.
    pub(in crate::core) fn can_learn(&self, elapsed: Duration) -> bool {
        !self.progress.has_learned && self.end.is_none() && self.age(elapsed).is_some()
    }

    /// Whether its own last answer was a record of a run that is not over.
    pub(in crate::core) fn is_unfinished(&self) -> bool {
        #[cfg(test)]
        STATES_READ.set(STATES_READ.get() + 1);
        let is_watched = self.end.is_none() && matches!(self.phase, Phase::Watching(_));
        is_watched && self.failure.is_none() && self.seen.as_ref().is_some_and(|seen| seen.meaning.passed().is_none())
    }

    /// How a list shows it.
    pub(in crate::core) fn shown_in(&self, list: &ListSummary) -> ShownAs {
        let (Phase::Watching(run), Some(seen)) = (&self.phase, &self.seen) else { return ShownAs::Otherwise };
        list.shows(run, seen.record.status.raw())
    }

    /// A list of this date shows it as still going. Returns when to look at it next.
    pub(in crate::core) fn put_off(&mut self, limits: Limits, elapsed: Duration, listed: DateTime<Utc>) -> Duration {
        self.progress.listed = Some(listed);
        self.clocks.put_off(limits, elapsed, self.age(elapsed))
    }

    /// As soon as it may be polled: one request a second for one run, and what its last answer asked for.
    pub(in crate::core) fn soon(&self, elapsed: Duration) -> Duration {
        let soon = elapsed.max(self.polled + FLOOR).max(self.clocks.not_before());
        self.next.map_or(soon, |next| soon.min(next))
    }

    /// Whether its record says that it ended well before a list showed it as running; or does not say when.
    pub(in crate::core) fn ended_before_listed(&self, lag: TimeDelta) -> bool {
        let (Some(listed), Some(seen)) = (self.progress.listed, &self.seen) else { return false };
        let is_late = |ended: DateTime<Utc>| listed.signed_duration_since(ended) > lag;
        seen.meaning.passed().is_some() && seen.record.updated_at.is_none_or(is_late)
    }

    /// Tells, once each, that it takes longer than most, and longer than the past has an example of.
    pub(in crate::core) fn report_pace(&mut self, at: &mut Moment<'_>) {
        let (Some(forecast), Some(age)) = (self.clocks.forecast(), self.age(at.elapsed)) else { return };
        let typical = forecast.typical();
        let (pace, event) = match (forecast.left(age), forecast.slower_than(age)) {
            (None, _) if age > typical => (Pace::Overdue, Event::Overdue { run: self.place, age, typical }),
            (_, Some(slower)) => (Pace::Slow, Event::Slow { run: self.place, slower, typical }),
            (_, None) => return,
        };
        if pace > self.progress.pace {
            self.progress.pace = pace;
            at.emit(event);
        }
    }
}
