//! When the next run of a pipeline usually starts, as far as the start times of its previous runs show.
//!
//! Starts at about the same time of day form a group. A group that comes at a regular number of days is a schedule, and
//! the next start is expected at its usual time. This is for the placing of polls and for people: it decides nothing.

use chrono::{DateTime, Utc};

/// Starts this far apart in the time of day belong to different schedules. A start that is this late is not waited for
/// with frequent polls any longer.
const APART: i64 = 30 * 60;

/// Fewer starts than this are no schedule.
const ENOUGH: usize = 3;

/// A schedule whose start has not come so many times in a row has been changed.
const MISSED: i64 = 4;

/// How many of the newest runs are considered. More say nothing new, and each list is read anew.
const NEWEST: usize = 1_000;

const DAY: i64 = 86_400;

/// The start of a run that has not begun yet, as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedStart {
    /// The earliest time of day at which such a run has started.
    pub from: DateTime<Utc>,
    /// The usual one.
    pub usually: DateTime<Utc>,
}

/// The start that is expected next; `None` if the starts show no schedule. `now` is the service's clock, which also
/// wrote the starts.
pub fn expected_start(starts: impl IntoIterator<Item = DateTime<Utc>>, now: DateTime<Utc>) -> Option<ExpectedStart> {
    let mut starts: Vec<i64> = starts.into_iter().map(|start| start.timestamp()).collect();
    starts.sort_unstable_by_key(|start| std::cmp::Reverse(*start));
    starts.dedup();
    starts.truncate(NEWEST);
    let cut = widest_pause(&starts)?;
    let in_day = |start: i64| ((start - cut).div_euclid(DAY), (start - cut).rem_euclid(DAY));
    let mut starts: Vec<(i64, i64)> = starts.into_iter().map(in_day).collect();
    starts.sort_unstable_by_key(|(day, time)| (*time, *day));
    let groups = starts.chunk_by(|(_, before), (_, after)| after - before < APART);
    let time = |seconds: i64| DateTime::from_timestamp(seconds + cut, 0);
    let next = groups.filter_map(|group| next_of(group, now.timestamp() - cut));
    let (from, usually) = next.min_by_key(|(_, usually)| *usually)?;
    Some(ExpectedStart { from: time(from)?, usually: time(usually)? })
}

/// The time of day in the middle of the longest time without starts; `None` if there is no such time, since runs start
/// all day long.
fn widest_pause(starts: &[i64]) -> Option<i64> {
    let mut times: Vec<i64> = starts.iter().map(|start| start.rem_euclid(DAY)).collect();
    times.sort_unstable();
    let first = *times.first()?;
    times.push(first + DAY);
    let pauses = times.windows(2).filter_map(|pair| Some((pair.get(1)? - pair.first()?, *pair.first()?)));
    let (length, from) = pauses.max()?;
    (length >= APART).then(|| (from + length / 2).rem_euclid(DAY))
}

/// The earliest and the usual time of the next start, if these starts at about the same time of day are a schedule: each its
/// day and time of day, in the order of the times. Times are in seconds since `cut` past midnight, so that no group goes across
/// the end of a day.
fn next_of(starts: &[(i64, i64)], now: i64) -> Option<(i64, i64)> {
    let mut days: Vec<i64> = starts.iter().map(|(day, _)| *day).collect();
    days.sort_unstable();
    days.dedup();
    if days.len() < ENOUGH {
        return None;
    }
    let mut apart: Vec<i64> = days.windows(2).filter_map(|pair| Some(pair.get(1)? - pair.first()?)).collect();
    apart.sort_unstable();
    let every = *apart.get((apart.len() - 1) / 2)?;
    if apart.iter().filter(|days| **days == every).count() * 2 <= apart.len() {
        return None;
    }
    let (earliest, latest) = (starts.first()?.1, starts.last()?.1);
    let usual = starts.get((starts.len() - 1) / 2)?.1;
    let last = *days.last()?;
    let next = (1..=MISSED).map(|nth| (last + nth * every) * DAY).find(|day| now < day + latest + APART)?;
    Some((next + earliest, next + usual))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a timestamp")
    }

    /// The starts on these days of January 2024, a Monday the first, each so many minutes from the given time.
    fn starts(time: &str, days: &[(i64, i64)]) -> Vec<DateTime<Utc>> {
        let first = at(&format!("2024-01-01T{time}:00Z"));
        days.iter().map(|(day, minutes)| first + TimeDelta::days(day - 1) + TimeDelta::minutes(*minutes)).collect()
    }

    fn next(starts: &[DateTime<Utc>], now: &str) -> Option<(String, String)> {
        let shown = |time: DateTime<Utc>| time.format("%d %H:%M").to_string();
        expected_start(starts.iter().copied(), at(now)).map(|next| (shown(next.from), shown(next.usually)))
    }

    fn both(from: &str, usually: &str) -> Option<(String, String)> {
        Some((from.to_owned(), usually.to_owned()))
    }

    #[test]
    fn a_nightly_run_is_expected_at_its_usual_time() {
        let nightly = starts("06:00", &[(1, 4), (2, -8), (3, 0), (4, 9), (5, -2)]);
        assert_eq!(next(&nightly, "2024-01-06T05:00:00Z"), both("06 05:52", "06 06:00"));
        // It has started today: the next one is tomorrow's.
        assert_eq!(next(&nightly, "2024-01-05T06:00:00Z"), both("06 05:52", "06 06:00"));
        // It is late, and then it is not expected any longer.
        assert_eq!(next(&nightly, "2024-01-06T06:38:00Z"), both("06 05:52", "06 06:00"));
        assert_eq!(next(&nightly, "2024-01-06T06:39:00Z"), both("07 05:52", "07 06:00"));
        // The order of the list does not matter, nor does a run that is listed twice.
        let mut again: Vec<_> = nightly.iter().rev().copied().collect();
        again.extend(nightly.iter().copied());
        assert_eq!(next(&again, "2024-01-06T05:00:00Z"), both("06 05:52", "06 06:00"));
    }

    #[test]
    fn a_schedule_may_skip_days_cross_midnight_or_have_several_times() {
        // Weekdays alone: after a weekend it goes on.
        let weekdays =
            starts("06:00", &[(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (8, 0), (9, 0), (10, 0), (11, 0), (12, 0)]);
        assert_eq!(next(&weekdays, "2024-01-15T05:00:00Z"), both("15 06:00", "15 06:00"));
        // Every Monday.
        let weekly = starts("06:00", &[(1, 1), (8, 0), (15, 2)]);
        assert_eq!(next(&weekly, "2024-01-16T05:00:00Z"), both("22 06:00", "22 06:01"));
        let midnight = starts("23:58", &[(1, 0), (2, 4), (3, 1), (4, 5)]);
        assert_eq!(next(&midnight, "2024-01-05T23:00:00Z"), both("05 23:58", "05 23:59"));
        let mut twice = starts("06:00", &[(1, 0), (2, 0), (3, 0)]);
        twice.extend(starts("18:00", &[(1, 0), (2, 0), (3, 0)]));
        assert_eq!(next(&twice, "2024-01-03T19:00:00Z"), both("04 06:00", "04 06:00"));
        assert_eq!(next(&twice, "2024-01-04T07:00:00Z"), both("04 18:00", "04 18:00"));
    }

    #[test]
    fn what_is_no_schedule_expects_nothing() {
        assert_eq!(next(&[], "2024-01-05T00:00:00Z"), None);
        assert_eq!(next(&starts("06:00", &[(1, 0), (2, 0)]), "2024-01-03T00:00:00Z"), None);
        // By hand, at any time of any day.
        let by_hand = starts("00:00", &[(1, 600), (2, 980), (4, 70), (9, 700), (11, 1300), (12, 650)]);
        assert_eq!(next(&by_hand, "2024-01-13T00:00:00Z"), None);
        // All day long.
        let often: Vec<DateTime<Utc>> =
            (0..500).map(|n| at("2024-01-01T00:00:00Z") + TimeDelta::minutes(n * 10)).collect();
        assert_eq!(next(&often, "2024-01-05T00:00:00Z"), None);
        // It was moved or switched off.
        let nightly = starts("06:00", &[(1, 0), (2, 0), (3, 0), (4, 0)]);
        assert_eq!(next(&nightly, "2024-01-08T05:00:00Z"), both("08 06:00", "08 06:00"));
        assert_eq!(next(&nightly, "2024-01-08T07:00:00Z"), None);
        // A single start by hand does not become a schedule.
        let mut odd = nightly.clone();
        odd.extend(starts("15:00", &[(4, 0)]));
        assert_eq!(next(&odd, "2024-01-05T12:00:00Z"), both("06 06:00", "06 06:00"));
    }

    #[test]
    fn no_start_overflows() {
        let extremes = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, DateTime::UNIX_EPOCH];
        for now in extremes {
            assert_eq!(expected_start(extremes, now), None);
        }
    }
}
