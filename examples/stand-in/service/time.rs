//! The stand-in's own clock, and how its scenarios write lengths of time and stamps.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, de};

/// The fastest a scenario may run: a day in less than a second, and no product of it overflows a `Duration`.
const TOP_SPEED: f64 = 100_000.0;

/// Scenario time: it begins with the first request, or when it is told to, and runs `speed` times as fast as the real one.
///
/// Not with the service: on a busy machine seconds may pass until the client is there, and a run that is to go on for six
/// of them would have ended unseen.
#[derive(Debug)]
pub struct ServiceClock {
    began: OnceLock<(Instant, DateTime<Utc>)>,
    from: Option<DateTime<Utc>>,
    skew: TimeDelta,
    speed: f64,
}

impl ServiceClock {
    /// `from` is what the service's wall clock shows when it begins, by default the machine's own time; `skew` is added to
    /// either.
    pub fn new(from: Option<DateTime<Utc>>, skew: TimeDelta, speed: f64) -> ServiceClock {
        ServiceClock { began: OnceLock::new(), from, skew, speed }
    }

    /// Begins, unless it did. To ask for any time does the same.
    #[expect(clippy::disallowed_methods, reason = "the stand-in is another machine, with a clock of its own")]
    pub fn begin(&self) -> (Instant, DateTime<Utc>) {
        *self.began.get_or_init(|| {
            let wall = self.from.unwrap_or_else(Utc::now);
            (Instant::now(), wall.checked_add_signed(self.skew).unwrap_or(wall))
        })
    }

    /// Real time since the beginning: faults are aimed at the client's timers, so they and the record of requests use this.
    pub fn real(&self) -> Duration {
        self.begin().0.elapsed()
    }

    /// Scenario time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.real().mul_f64(self.speed)
    }

    /// What the service's wall clock showed `elapsed` after the beginning.
    pub fn utc_at(&self, elapsed: Duration) -> DateTime<Utc> {
        let wall = self.begin().1;
        TimeDelta::from_std(elapsed).ok().and_then(|delta| wall.checked_add_signed(delta)).unwrap_or(wall)
    }

    /// What the service's wall clock shows now.
    pub fn utc(&self) -> DateTime<Utc> {
        self.utc_at(self.elapsed())
    }
}

/// Whether a scenario may run at this speed.
pub fn is_speed(speed: f64) -> bool {
    speed > 0.0 && speed <= TOP_SPEED
}

/// The machine's own time in Unix seconds: what one-time codes are made from, whatever the scenario's clock shows.
#[expect(clippy::disallowed_methods, reason = "the stand-in is another machine, with a clock of its own")]
pub fn machine_seconds() -> u64 {
    Utc::now().timestamp().unsigned_abs()
}

#[expect(clippy::disallowed_methods, reason = "a slow server is one that waits")]
pub async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// A stamp as the API reference writes it.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A stamp as HTTP headers write it. Before 1970 and after 9999 there is none: the nearest one is given.
pub fn http_date(at: DateTime<Utc>) -> String {
    let seconds = at.timestamp().clamp(0, 253_402_300_799).unsigned_abs();
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// `text` is `base`, `base+LENGTH` or `base-LENGTH`: the distance, or nothing if it is something else.
pub fn offset_from(base: &str, text: &str) -> Option<TimeDelta> {
    let rest = text.strip_prefix(base)?;
    if rest.is_empty() {
        return Some(TimeDelta::zero());
    }
    signed(rest).filter(|_| rest.starts_with(['+', '-']))
}

/// A length with an optional sign: `90s`, `-1h30m`, `+5s`.
fn signed(text: &str) -> Option<TimeDelta> {
    let (length, back) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let delta = TimeDelta::from_std(humantime::parse_duration(length).ok()?).ok()?;
    Some(if back { -delta } else { delta })
}

/// Reads `"1m30s"`, or a number of seconds.
pub fn length<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let delta = delta(from)?;
    delta.to_std().map_err(|_| de::Error::custom("a length of time can't be negative here"))
}

/// One `length`, or a list of them.
pub fn lengths<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Duration>, D::Error> {
    #[derive(Deserialize)]
    struct Length(#[serde(deserialize_with = "length")] Duration);
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Many(Vec<Length>),
        One(Length),
    }
    let all = match Written::deserialize(from).map_err(|_| de::Error::custom("not one or more lengths of time"))? {
        Written::Many(all) => all,
        Written::One(one) => vec![one],
    };
    if all.is_empty() {
        Err(de::Error::custom("no length of time"))
    } else {
        Ok(all.into_iter().map(|length| length.0).collect())
    }
}

/// `length`, where there may be none.
pub fn maybe_length<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    length(from).map(Some)
}

/// Reads a length that may be negative.
pub fn delta<'de, D: Deserializer<'de>>(from: D) -> Result<TimeDelta, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Seconds(i64),
        Text(String),
    }
    let read = match Written::deserialize(from)? {
        Written::Seconds(seconds) => TimeDelta::try_seconds(seconds),
        Written::Text(text) => signed(&text),
    };
    read.ok_or_else(|| de::Error::custom("not a length of time such as \"90s\" or \"1m30s\""))
}

/// Reads a stamp such as `2024-01-15T10:30:00Z`.
pub fn maybe_moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = String::deserialize(from)?;
    let at = DateTime::parse_from_rfc3339(&text).map_err(de::Error::custom)?;
    Ok(Some(at.with_timezone(&Utc)))
}
