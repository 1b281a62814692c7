//! Whether a run is as fresh as required, by the service's own clock (docs/reference.md#selecting-runs).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How fresh a run must be. Without limits every run is fresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// How long ago it may have finished (`max-age`); none: however long.
    pub max_age: Option<Duration>,
    /// When it must have started at the earliest (`started-after`).
    pub started_after: Option<DateTime<Utc>>,
}

/// Why a run is not fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// It finished longer ago than `max-age` allows.
    TooOld,
    /// It started before `started-after`.
    StartedBefore,
    /// How long ago it finished can't be computed, or lies in the future.
    UnknownAge,
    /// When it started can't be read, or lies in the future, or that can't be told.
    UnknownStart,
}

impl Stale {
    /// Whether time and further answers change nothing about it: a run gets no younger.
    pub fn is_final(self) -> bool {
        match self {
            Stale::TooOld | Stale::StartedBefore => true,
            Stale::UnknownAge | Stale::UnknownStart => false,
        }
    }
}

/// How far in the future a timestamp may lie: clocks of one service differ by seconds. Further than this, one of them is
/// wrong, and so the age is not known.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// Further apart than this, the service's clock and this machine's can't both be right.
const PLAUSIBLE: TimeDelta = TimeDelta::hours(24);

/// Whether one of the two clocks must be wrong.
pub fn is_implausible(service: DateTime<Utc>, here: DateTime<Utc>) -> bool {
    (service - here).abs() > PLAUSIBLE
}

/// The time by which an age is judged: the service's own, and where one of the two clocks must be wrong, the later one, by
/// which a success is older.
pub fn judged_at(service: Option<DateTime<Utc>>, here: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    let service = service?;
    Some(here.filter(|here| is_implausible(service, *here)).map_or(service, |here| service.max(here)))
}

impl Freshness {
    /// Checks a run that has finished. `now` is the service's clock when it answered.
    ///
    /// # Errors
    /// The run is not fresh, or that can't be known. A reason that no later answer can change comes first.
    pub fn check(
        self,
        started: Option<DateTime<Utc>>,
        finished: Option<DateTime<Utc>>,
        now: Option<DateTime<Utc>>,
    ) -> Result<(), Stale> {
        let reasons = [self.check_start(started, now).err(), self.check_age(finished, now).err()];
        reasons.into_iter().flatten().min_by_key(|reason| !reason.is_final()).map_or(Ok(()), Err)
    }

    /// Whether a run that started then can be fresh once it has finished.
    pub fn allows_start(self, started: Option<DateTime<Utc>>) -> bool {
        self.check_start(started, None) != Err(Stale::StartedBefore)
    }

    fn check_start(self, started: Option<DateTime<Utc>>, now: Option<DateTime<Utc>>) -> Result<(), Stale> {
        let Some(earliest) = self.started_after else { return Ok(()) };
        let started = started.ok_or(Stale::UnknownStart)?;
        if started < earliest {
            return Err(Stale::StartedBefore);
        }
        // A start in the future is later than every `started-after`, so it proves nothing.
        let now = now.ok_or(Stale::UnknownStart)?;
        if now.signed_duration_since(started) < -AHEAD { Err(Stale::UnknownStart) } else { Ok(()) }
    }

    fn check_age(self, finished: Option<DateTime<Utc>>, now: Option<DateTime<Utc>>) -> Result<(), Stale> {
        let Some(limit) = self.max_age else { return Ok(()) };
        let (Some(finished), Some(now)) = (finished, now) else { return Err(Stale::UnknownAge) };
        let age = now.signed_duration_since(finished);
        if age < -AHEAD {
            return Err(Stale::UnknownAge);
        }
        // A negative age is no `Duration`: within the tolerance it counts as none.
        if age.to_std().unwrap_or_default() <= limit { Ok(()) } else { Err(Stale::TooOld) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(1_705_314_600 + seconds, 0)
    }

    fn within(limit: Duration) -> Freshness {
        Freshness { max_age: Some(limit), started_after: None }
    }

    fn after(seconds: i64) -> Freshness {
        Freshness { max_age: None, started_after: at(seconds) }
    }

    fn age(limit: Freshness, finished: Option<DateTime<Utc>>, now: Option<DateTime<Utc>>) -> Result<(), Stale> {
        limit.check(None, finished, now)
    }

    #[test]
    fn a_success_is_fresh_up_to_its_limit_and_not_a_moment_longer() {
        assert_eq!(age(within(HOUR), at(0), at(3600)), Ok(()));
        assert_eq!(age(within(HOUR), at(0), at(3601)), Err(Stale::TooOld));
        let just_past = at(3600).map(|now| now + TimeDelta::nanoseconds(1));
        assert_eq!(age(within(HOUR), at(0), just_past), Err(Stale::TooOld));
    }

    #[test]
    fn of_two_clocks_that_differ_by_more_than_a_day_the_stricter_age_counts() {
        const DAY: i64 = 86_400;
        // The service's answer is of long ago, or its clock is: the success is as old as it is here.
        let fresh_there = |here: i64| age(within(HOUR), at(0), judged_at(at(600), at(here))).is_ok();
        assert!(fresh_there(600) && fresh_there(600 + DAY) && fresh_there(600 - DAY));
        assert!(!fresh_there(601 + DAY));
        // This machine's clock is behind: the service's age is the greater one.
        assert!(fresh_there(-300 * DAY));
        assert!(age(within(HOUR), at(0), judged_at(at(3601), at(-300 * DAY))).is_err());
        // Nothing here makes an unknown age known.
        assert_eq!(judged_at(None, at(0)), None);
        assert_eq!(judged_at(at(7), None), at(7));
    }

    #[test]
    fn an_age_that_is_not_known_is_not_fresh_unless_any_will_do() {
        let year = within(HOUR * 24 * 366);
        for (finished, now) in [(None, at(0)), (at(0), None), (None, None)] {
            assert_eq!(age(year, finished, now), Err(Stale::UnknownAge));
            assert_eq!(age(Freshness::default(), finished, now), Ok(()));
        }
    }

    #[test]
    fn an_end_in_the_future_is_no_proof_of_freshness() {
        let (least, most) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert_eq!(age(within(HOUR), at(300), at(0)), Ok(()));
        assert_eq!(age(within(HOUR), at(301), at(0)), Err(Stale::UnknownAge));
        assert_eq!(age(within(HOUR), Some(most), Some(least)), Err(Stale::UnknownAge));
        assert_eq!(age(within(HOUR), Some(least), Some(most)), Err(Stale::TooOld));
    }

    #[test]
    fn a_run_must_have_started_at_or_after_started_after() {
        assert_eq!(after(0).check(at(0), None, at(0)), Ok(()));
        assert_eq!(after(0).check(at(1), at(9), at(9)), Ok(()));
        let just_before = at(0).map(|start| start - TimeDelta::nanoseconds(1));
        assert_eq!(after(0).check(just_before, at(9), at(9)), Err(Stale::StartedBefore));
        // It is the start that counts, not the end.
        assert_eq!(after(0).check(at(-1), at(3600), at(3600)), Err(Stale::StartedBefore));
    }

    #[test]
    fn a_start_that_is_not_known_or_in_the_future_is_not_fresh() {
        assert_eq!(after(0).check(None, at(9), at(9)), Err(Stale::UnknownStart));
        assert_eq!(after(0).check(at(309), at(9), at(9)), Ok(()));
        assert_eq!(after(0).check(at(310), at(9), at(9)), Err(Stale::UnknownStart));
        let (least, most) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert_eq!(after(0).check(Some(most), None, Some(least)), Err(Stale::UnknownStart));
        // Without a clock nobody knows whether it is in the future.
        assert_eq!(after(0).check(at(0), at(9), None), Err(Stale::UnknownStart));
    }

    #[test]
    fn both_limits_hold_and_the_reason_that_stays_is_the_one_that_is_given() {
        let both = Freshness { max_age: Some(HOUR), started_after: at(0) };
        assert_eq!(both.check(at(1), at(2), at(3602)), Ok(()));
        assert_eq!(both.check(at(1), at(2), at(3603)), Err(Stale::TooOld));
        assert_eq!(both.check(at(-1), at(2), at(3)), Err(Stale::StartedBefore));
        assert_eq!(both.check(at(-1), None, None), Err(Stale::StartedBefore));
        assert_eq!(both.check(None, at(2), at(3603)), Err(Stale::TooOld));
        assert_eq!(both.check(None, at(2), at(3)), Err(Stale::UnknownStart));
        assert_eq!(both.check(at(1), None, at(3)), Err(Stale::UnknownAge));
        for stale in [Stale::TooOld, Stale::StartedBefore] {
            assert!(stale.is_final());
        }
    }

    #[test]
    fn a_run_in_progress_that_started_too_early_can_never_become_fresh() {
        assert!(!after(0).allows_start(at(-1)));
        assert!(after(0).allows_start(at(0)) && after(0).allows_start(None));
        assert!(within(HOUR).allows_start(at(-100_000)));
    }
}
