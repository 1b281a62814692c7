//! The clocks of one run: how long it has not been there, how long the service has given no usable answer or refused to
//! give one, and so when to poll again (docs/reference.md#time-limits-and-polling).

use std::time::Duration;

use super::schedule::Schedule;
use super::spacing::FLOOR;
use super::{Forecast, Limits, PastRun, Verdict, Wanted};

/// How long refusals must have been the only answer before they count: a gateway that restarts, an account that is being
/// changed and a proxy between two configurations take less; a person who waits for a plain no should not wait longer.
pub(super) const CONFIRM: Duration = Duration::from_secs(60);

/// For how long a `Retry-After` stops a clock: one pause, and all pauses while that clock runs.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSES: Duration = Duration::from_secs(15 * 60);

/// When a next request comes that need not wait: later than the answer before it, and no more.
pub(super) const AT_ONCE: Duration = Duration::from_millis(1);

/// What ends the wait for a run before the timeout, unless the service answers as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Appear,
    Outage,
    Refusal,
}

#[derive(Clone, Debug)]
pub(super) struct Timers {
    schedule: Schedule,
    /// Runs while it is not there. It can be made to stand still.
    appear: Option<Timer>,
    /// Runs while the service gives no usable answer; with how many there were of those.
    outage: Option<(Timer, u64)>,
    /// Runs while refusals are the only answer; with what they mean.
    refusal: Option<(Timer, Verdict)>,
    useful_in_a_row: u32,
    misses_in_a_row: u32,
    /// Whether the last answer asked for a longer wait than ours.
    asked_to_wait: bool,
    /// Until when it asked to be left alone.
    not_before: Duration,
}

/// How long something has been so, the time left out during which the clock stood still.
#[derive(Clone, Copy, Debug)]
struct Timer {
    began: Duration,
    left_out: Duration,
    /// Since when it stands still; none while it runs.
    stopped: Option<Duration>,
}

impl Timer {
    fn new(began: Duration) -> Timer {
        Timer { began, left_out: Duration::ZERO, stopped: None }
    }

    /// When it will have run for so long; none while it stands still.
    fn ends(self, limit: Duration) -> Option<Duration> {
        self.stopped.is_none().then(|| self.began.saturating_add(limit).saturating_add(self.left_out))
    }

    fn is_over(self, elapsed: Duration, limit: Duration) -> bool {
        self.ends(limit).is_some_and(|end| elapsed >= end)
    }

    /// Leaves out a pause that the service asked for.
    fn pause(&mut self, asked: Duration) {
        self.left_out += asked.min(LONGEST_PAUSE).min(LONGEST_PAUSES.saturating_sub(self.left_out));
    }

    fn stop(&mut self, elapsed: Duration) {
        self.stopped.get_or_insert(elapsed);
    }

    fn resume(&mut self, elapsed: Duration) {
        self.left_out += self.stopped.take().map_or(Duration::ZERO, |stopped| elapsed.saturating_sub(stopped));
    }
}

impl Timers {
    pub(super) fn new(schedule: Schedule) -> Timers {
        Timers {
            schedule,
            appear: None,
            outage: None,
            refusal: None,
            useful_in_a_row: 0,
            misses_in_a_row: 0,
            asked_to_wait: false,
            not_before: Duration::ZERO,
        }
    }

    /// From now on it is this run that is polled, in a rhythm of its own.
    pub(super) fn turn_to(&mut self, run: &Wanted) {
        self.schedule.turn_to(run);
        self.useful_in_a_row = 0;
    }

    pub(super) fn forecast(&self) -> Option<&Forecast> {
        self.schedule.forecast()
    }

    /// Takes in how earlier runs of the pipeline went, for one of this age. Returns when to look next, if that changes.
    pub(super) fn learn(
        &mut self,
        limits: Limits,
        elapsed: Duration,
        past: &[PastRun],
        age: Duration,
    ) -> Option<Duration> {
        let wait = self.schedule.learn(past, age)?;
        // While the record is missing, the backoff decides; past the deadline, nothing is left to place.
        if self.useful_in_a_row == 0 || elapsed >= limits.timeout {
            return None;
        }
        Some(self.place(limits, elapsed, wait.max(self.not_before.saturating_sub(elapsed))))
    }

    /// An answer with what was asked for.
    pub(super) fn useful(&mut self) {
        self.refusal = None;
        self.misses_in_a_row = 0;
        self.useful_in_a_row = self.useful_in_a_row.saturating_add(1);
    }

    /// An answer without.
    fn missed(&mut self) {
        self.useful_in_a_row = 0;
        self.misses_in_a_row = self.misses_in_a_row.saturating_add(1);
    }

    /// It is not there. Whether that is news.
    pub(super) fn absent(&mut self, elapsed: Duration) -> bool {
        self.refusal = None;
        self.missed();
        let is_news = self.appear.is_none();
        self.appear.get_or_insert(Timer::new(elapsed)).resume(elapsed);
        is_news
    }

    pub(super) fn is_absent_too_long(&self, elapsed: Duration, limits: Limits) -> bool {
        self.appear.is_some_and(|appear| appear.is_over(elapsed, limits.appear))
    }

    /// There is a reason why it is not there: its clock stands still.
    pub(super) fn excused(&mut self, elapsed: Duration) {
        self.useful();
        self.appear.iter_mut().for_each(|appear| appear.stop(elapsed));
    }

    /// It is there. How long it was not, if it was not.
    pub(super) fn present(&mut self, elapsed: Duration) -> Option<Duration> {
        self.useful();
        self.appear.take().map(|appear| elapsed.saturating_sub(appear.began))
    }

    /// No usable answer. Whether that is news.
    pub(super) fn unusable(&mut self, elapsed: Duration) -> bool {
        self.refusal = None;
        self.missed();
        let is_news = self.outage.is_none();
        self.outage.get_or_insert((Timer::new(elapsed), 0)).1 += 1;
        is_news
    }

    pub(super) fn is_out_too_long(&self, elapsed: Duration, limits: Limits) -> bool {
        self.outage.is_some_and(|(outage, _)| outage.is_over(elapsed, limits.outage))
    }

    /// Refused, which means this verdict if it stays so. Whether that is news.
    pub(super) fn refused(&mut self, elapsed: Duration, verdict: Verdict) -> bool {
        self.missed();
        let is_news = self.refusal.is_none();
        self.refusal.get_or_insert((Timer::new(elapsed), verdict)).1 = verdict;
        is_news
    }

    pub(super) fn is_refused_too_long(&self, elapsed: Duration) -> bool {
        self.refusal.is_some_and(|(refusal, _)| refusal.is_over(elapsed, CONFIRM))
    }

    /// What the last answer means if it was a refusal.
    pub(super) fn refusal(&self) -> Option<Verdict> {
        self.refusal.map(|(_, verdict)| verdict)
    }

    /// How long the service gave no usable answer, and how many others, if it did not.
    pub(super) fn end_outage(&mut self, elapsed: Duration) -> Option<(Duration, u64)> {
        self.outage.take().map(|(outage, misses)| (elapsed.saturating_sub(outage.began), misses))
    }

    /// Until when the last answer asked to be left alone.
    pub(super) fn not_before(&self) -> Duration {
        self.not_before
    }

    /// It is still running, as something else than its own record has told. When to poll again at a run of this age.
    pub(super) fn put_off(&mut self, limits: Limits, elapsed: Duration, age: Option<Duration>) -> Duration {
        self.useful();
        let ours = self.usual_wait(age);
        self.place(limits, elapsed, ours.max(self.not_before.saturating_sub(elapsed)))
    }

    /// The wait of the schedule after the last answer, for a run of this age.
    pub(super) fn usual_wait(&self, age: Option<Duration>) -> Duration {
        match self.misses_in_a_row.checked_sub(1) {
            Some(nth) => self.schedule.after_miss(nth),
            None => self.schedule.in_progress(self.useful_in_a_row.saturating_sub(1), age),
        }
    }

    /// When to poll again after a wait of `ours`, unless the service has `asked` for a longer one; and whether that is news.
    /// The answer came before the deadline, and the result is later than the answer.
    pub(super) fn next_after(
        &mut self,
        limits: Limits,
        elapsed: Duration,
        ours: Duration,
        asked: Duration,
    ) -> (Duration, bool) {
        self.outage.iter_mut().for_each(|(outage, _)| outage.pause(asked));
        self.refusal.iter_mut().for_each(|(refusal, _)| refusal.pause(asked));
        self.not_before = elapsed.saturating_add(asked);
        let is_news = asked > ours && !self.asked_to_wait;
        self.asked_to_wait = asked > ours;
        (self.place(limits, elapsed, ours.max(asked)), is_news)
    }

    /// The next step is known and need not be waited for; only `Retry-After`, and the one request a second, hold it up.
    pub(super) fn next_step(&self, limits: Limits, elapsed: Duration, retry_after: Option<Duration>) -> Duration {
        self.place(limits, elapsed, FLOOR.max(retry_after.unwrap_or_default()))
    }

    /// The next request is another one than the last, which nothing holds up but `Retry-After`.
    pub(super) fn next_at_once(&self, limits: Limits, elapsed: Duration, retry_after: Option<Duration>) -> Duration {
        match retry_after {
            Some(asked) if !asked.is_zero() => self.next_step(limits, elapsed, retry_after),
            Some(_) | None => elapsed.saturating_add(AT_ONCE).min(limits.timeout),
        }
    }

    /// When each running clock reaches its limit.
    pub(super) fn ends(&self, limits: Limits) -> impl Iterator<Item = (Limit, Duration)> {
        let ends = [
            (Limit::Appear, self.appear.and_then(|appear| appear.ends(limits.appear))),
            (Limit::Outage, self.outage.and_then(|(outage, _)| outage.ends(limits.outage))),
            (Limit::Refusal, self.refusal.and_then(|(refusal, _)| refusal.ends(CONFIRM))),
        ];
        ends.into_iter().filter_map(|(limit, end)| Some((limit, end?)))
    }

    /// The end of a wait that begins now.
    ///
    /// It ends at the latest when a running clock does, so that its limit is met by a poll and not overslept; and no poll
    /// falls into the last second before the deadline, because one starts on it.
    fn place(&self, limits: Limits, elapsed: Duration, wait: Duration) -> Duration {
        let mut next = elapsed.saturating_add(wait);
        // A clock that has ended waits for an answer of its own kind, and no poll sooner than usual brings that about.
        for (_, end) in self.ends(limits).filter(|(_, end)| *end > elapsed) {
            next = next.min(end);
        }
        next = next.max(elapsed.saturating_add(FLOOR));
        if next.saturating_add(FLOOR) > limits.timeout {
            next = limits.timeout;
        }
        next
    }
}

#[cfg(test)]
mod tests;
