//! What an answer's headers say about time, whatever the answer was.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{AGE, DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::core::{Answer, Observation};

/// The longest `Retry-After` that is kept. Longer than the longest timeout (30 days), so it changes nothing, and short
/// enough to be added to any clock.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// `Retry-After`, the service's clock, and how old the answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct TimingHeaders {
    /// From now on; never zero.
    pub(crate) retry_after: Option<Duration>,
    /// `Date` plus `Age`: when the answer came, even where a cache gave it. None as well if its age can't be read: a cache
    /// may have kept it for days; or if there are several that differ.
    pub(crate) date: Option<DateTime<Utc>>,
    /// How long a cache has kept it; zero if none did.
    pub(crate) age: Option<Duration>,
}

impl TimingHeaders {
    /// `now` is the wall clock, needed only for a `Retry-After` date in an answer without `Date`.
    pub(crate) fn read(headers: &HeaderMap, now: DateTime<Utc>) -> TimingHeaders {
        let age = age(headers);
        let date = date(headers).and_then(|date| {
            let age = TimeDelta::from_std(age?).ok()?;
            date.checked_add_signed(age)
        });
        let retry_after = text(headers, RETRY_AFTER)
            .and_then(|value| {
                seconds(value).or_else(|| {
                    let length = http_date(value)?.signed_duration_since(date.unwrap_or(now));
                    length.to_std().ok().map(|length| length.min(LONGEST))
                })
            })
            .filter(|length| !length.is_zero());
        TimingHeaders { retry_after, date, age }
    }

    pub(crate) fn answer<T>(self, observation: Observation<T>) -> Answer<T> {
        Answer { observation, retry_after: self.retry_after, date: self.date }
    }
}

/// `Age`. RFC 9111 lets a reader pass over one that is malformed or said twice; but what is no younger than it says may be
/// older, and a success of long ago would be fresh.
fn age(headers: &HeaderMap) -> Option<Duration> {
    let mut ages = headers.get_all(AGE).iter();
    match (ages.next(), ages.next()) {
        (None, _) => Some(Duration::ZERO),
        (Some(one), None) => one.to_str().ok().map(str::trim).and_then(seconds),
        (Some(_), Some(_)) => None,
    }
}

/// `Date`. Somebody on the way may have put his own beside the service's, and which is whose nobody can tell: by the wrong
/// one a success of long ago would be fresh. The same said twice is one.
fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let mut dates = headers.get_all(DATE).iter();
    let first = dates.next()?;
    dates.all(|other| other == first).then_some(first)?.to_str().ok().map(str::trim).and_then(http_date)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// RFC 9110's `delay-seconds`: digits only, however many.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().map_or(LONGEST, Duration::from_secs).min(LONGEST))
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    httpdate::parse_http_date(text).ok().map(DateTime::<Utc>::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(headers: &[(&'static str, &str)]) -> TimingHeaders {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        TimingHeaders::read(&map, "2024-01-15T10:00:00Z".parse().expect("a date"))
    }

    const DAY: &str = "Mon, 15 Jan 2024 10:45:23 GMT";

    #[test]
    fn the_service_s_clock_is_date_plus_age() {
        let date = |text: &str| Some(text.parse::<DateTime<Utc>>().expect("a date"));
        assert_eq!(timing(&[("date", DAY)]).date, date("2024-01-15T10:45:23Z"));
        assert_eq!(timing(&[("date", DAY), ("age", "37")]).date, date("2024-01-15T10:46:00Z"));
        for bad in ["-37", "37.0", "0, 37", "\"37\"", "", "soon"] {
            assert_eq!(timing(&[("date", DAY), ("age", bad)]).date, None, "{bad}");
        }
        assert_eq!(timing(&[("date", DAY)]).age, Some(Duration::ZERO));
        assert_eq!(timing(&[("date", DAY), ("age", "0"), ("age", "3600")]).date, None);
        assert_eq!(timing(&[("age", "37")]).date, None);
        for bad in ["", "yesterday", "2024-01-15T10:45:23Z", "Mon, 99 Jan 2024 10:45:23 GMT"] {
            assert_eq!(timing(&[("date", bad)]).date, None, "{bad}");
        }
    }

    /// By the earlier one a success of long ago would be fresh.
    #[test]
    fn of_two_dates_that_differ_neither_is_the_service_s_clock() {
        const LATER: &str = "Tue, 16 Jan 2024 10:45:23 GMT";
        for two in [[DAY, LATER], [LATER, DAY], [DAY, "soon"], [DAY, ""]] {
            assert_eq!(timing(&two.map(|date| ("date", date))).date, None, "{two:?}");
        }
        assert_eq!(timing(&[("date", DAY), ("date", DAY), ("date", LATER)]).date, None);
        // Said twice by two on the way.
        assert_eq!(timing(&[("date", DAY), ("date", DAY)]).date, timing(&[("date", DAY)]).date);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_overflows() {
        let after = |value: &str| timing(&[("retry-after", value), ("date", DAY)]).retry_after;
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(after("Mon, 15 Jan 2024 10:46:23 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(after("Monday, 15-Jan-24 10:46:23 GMT"), Some(Duration::from_secs(60)));
        // Without the service's clock, ours is the measure.
        let alone = timing(&[("retry-after", "Mon, 15 Jan 2024 10:00:09 GMT")]).retry_after;
        assert_eq!(alone, Some(Duration::from_secs(9)));
        for nothing in ["0", "-1", "1.5", "", "soon", "Mon, 15 Jan 2024 10:45:23 GMT", "Mon, 15 Jan 2001 10:45:23 GMT"]
        {
            assert_eq!(after(nothing), None, "{nothing}");
        }
        for huge in ["99999999999", "18446744073709551616", &"9".repeat(400), "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(after(huge), Some(LONGEST), "{huge}");
        }
        assert!(timing(&[("date", "Fri, 31 Dec 9999 23:59:59 GMT"), ("age", &"9".repeat(400))]).date.is_some());
    }
}
