//! Whether a success is as fresh as asked, by the service's own clock (docs/reference.md#selecting-runs).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How old a success may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxAge {
    Any,
    Within(Duration),
}

/// How far in the future a run may have ended: clocks of one service differ by seconds. Further than this, one of its
/// stamps is wrong, and so the age is not known.
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

impl MaxAge {
    /// Whether a success that ended at `ended` is fresh at `now`, both by the service's clock. What can't be computed is
    /// not fresh.
    pub fn allows(self, ended: Option<DateTime<Utc>>, now: Option<DateTime<Utc>>) -> bool {
        let limit = match self {
            MaxAge::Any => return true,
            MaxAge::Within(limit) => limit,
        };
        let (Some(ended), Some(now)) = (ended, now) else { return false };
        let age = now.signed_duration_since(ended);
        // A negative age is no `Duration`: within the tolerance it counts as none.
        age >= -AHEAD && age.to_std().unwrap_or_default() <= limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(1_705_314_600 + seconds, 0)
    }

    #[test]
    fn a_success_is_fresh_up_to_its_limit_and_not_a_moment_longer() {
        let hour = MaxAge::Within(Duration::from_secs(3600));
        assert!(hour.allows(at(0), at(3600)));
        assert!(!hour.allows(at(0), at(3601)));
        let just_past = at(3600).map(|now| now + TimeDelta::nanoseconds(1));
        assert!(!hour.allows(at(0), just_past));
    }

    #[test]
    fn of_two_clocks_that_differ_by_more_than_a_day_the_stricter_age_counts() {
        const DAY: i64 = 86_400;
        let hour = MaxAge::Within(Duration::from_secs(3600));
        // The service's answer is of long ago, or its clock is: the success is as old as it is here.
        let fresh_there = |here: i64| hour.allows(at(0), judged_at(at(600), at(here)));
        assert!(fresh_there(600) && fresh_there(600 + DAY) && fresh_there(600 - DAY));
        assert!(!fresh_there(601 + DAY));
        // This machine's clock is behind: the service's age is the greater one.
        assert!(fresh_there(-300 * DAY));
        assert!(!hour.allows(at(0), judged_at(at(3601), at(-300 * DAY))));
        // Nothing here makes an unknown age known.
        assert_eq!(judged_at(None, at(0)), None);
        assert_eq!(judged_at(at(7), None), at(7));
    }

    #[test]
    fn an_age_that_is_not_known_is_not_fresh_unless_any_will_do() {
        let year = MaxAge::Within(Duration::from_secs(366 * 86_400));
        for (ended, now) in [(None, at(0)), (at(0), None), (None, None)] {
            assert!(!year.allows(ended, now));
            assert!(MaxAge::Any.allows(ended, now));
        }
    }

    #[test]
    fn an_end_in_the_future_is_no_proof_of_freshness() {
        let hour = MaxAge::Within(Duration::from_secs(3600));
        assert!(hour.allows(at(300), at(0)));
        assert!(!hour.allows(at(301), at(0)));
        assert!(!hour.allows(Some(DateTime::<Utc>::MAX_UTC), Some(DateTime::<Utc>::MIN_UTC)));
        assert!(!hour.allows(Some(DateTime::<Utc>::MIN_UTC), Some(DateTime::<Utc>::MAX_UTC)));
    }
}
