//! How one value is read: durations, timestamps, switches, choices, lists.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::suspicious_text::evaluated;
use super::validator::InvalidValue;
use crate::inputs;

/// The units a duration may have, greatest first, in seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// `90`, `90s`, `15m`, `1h30m`, `1h 30m`: whole numbers, each unit once, greatest first; a bare number is seconds.
/// `None` for anything else. Longer than a `u64` of seconds comes out as the longest: every range refuses that.
///
/// Not `humantime`: it reads `1M` as a month, panics at `18446744073709551615s 1000ms`, and refuses `90`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    if let Some(seconds) = number(text) {
        return Some(Duration::from_secs(seconds));
    }
    let mut units = UNITS.iter();
    let mut seconds: u64 = 0;
    let mut rest = text;
    loop {
        let (digits, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit = behind.chars().next()?;
        let (_, size) = units.find(|(name, _)| *name == unit)?;
        seconds = seconds.saturating_add(number(digits)?.saturating_mul(*size));
        rest = behind[unit.len_utf8()..].trim_start();
        if rest.is_empty() {
            return Some(Duration::from_secs(seconds));
        }
    }
}

fn number(digits: &str) -> Option<u64> {
    let fits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // All digits: the only way not to be a `u64` is to be too great for one.
    fits.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// A duration from `least` to `most`, which are also the words for them.
pub(super) fn duration_within(text: &str, least: &str, most: &str) -> Result<Duration, InvalidValue> {
    let bound = |bound| duration(bound).unwrap_or_default();
    let read = duration(text)
        .ok_or_else(|| format!("not a duration. Write 90 (seconds), 90s, 15m, 1h30m or 2d, from {least} to {most}"))?;
    match (bound(least)..=bound(most)).contains(&read) {
        true => Ok(read),
        false => Err(format!("out of range: {least} to {most} is allowed").into()),
    }
}

/// The years that a timestamp may be in, from the first to before the second. Earlier ones are texts that mean something
/// else: a date without separators, hours, or the zero of some language (`0001-01-01T00:00:00Z`). Any run would have started
/// after those. A Unix time in milliseconds is later.
const YEARS: (i64, i64) = (946_684_800, 7_258_118_400);

/// `2024-01-15T06:00:00Z`, any offset, or a Unix time in seconds.
pub(super) fn timestamp(text: &str) -> Result<DateTime<Utc>, InvalidValue> {
    evaluated(text)?;
    let read = match number(text) {
        Some(seconds) => DateTime::from_timestamp(i64::try_from(seconds).unwrap_or(i64::MAX), 0),
        None => Some(DateTime::parse_from_rfc3339(text).map_err(|_| NOT_A_TIMESTAMP)?.to_utc()),
    };
    read.filter(|read| (YEARS.0..YEARS.1).contains(&read.timestamp())).ok_or_else(|| {
        "out of range: 2000-01-01 to 2199-12-31 is allowed. A Unix time is in seconds, such as 1705298400".into()
    })
}

const NOT_A_TIMESTAMP: &str = "not a timestamp. Write a date, a time and an offset from UTC, such as 2024-01-15T06:00:00Z or \
                               2024-01-15T03:00:00-03:00, or a Unix time in seconds, such as 1705298400. Was an expression \
                               empty?";

/// `true` or `false`.
pub(super) fn switch(text: &str) -> Result<bool, InvalidValue> {
    inputs::switch(text).ok_or_else(|| "neither true nor false".into())
}

/// One of a few words.
pub(super) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, InvalidValue> {
    choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        format!("must be one of: {}", words.join(", ")).into()
    })
}

/// What parts the entries of a list besides commas.
pub(super) const BLANKS: &[char] = &[' ', '\t', '\n', '\u{c}', '\r'];

/// The same where an entry may hold blanks.
pub(super) const LINE_BREAKS: &[char] = &['\n', '\r'];

/// The entries of a list. A comma needs an entry on both sides: where one is missing, an expression came out empty, and
/// less would be waited for than was meant.
pub(super) fn list<'a>(text: &'a str, separators: &[char]) -> Result<Vec<&'a str>, InvalidValue> {
    let mut entries = Vec::new();
    for chunk in text.split(',') {
        let before = entries.len();
        entries.extend(chunk.split(separators).map(str::trim_ascii).filter(|entry| !entry.is_empty()));
        if entries.len() == before {
            return Err(
                "a comma with no entry on one side. Was an expression empty? Fewer entries than intended would be \
                 used"
                    .into(),
            );
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_the_reference_s() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("15m", 900),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
            ("2d", 172_800),
            ("1d2h3m4s", 93_784),
            ("0", 0),
            ("0s", 0),
            ("090", 90),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "", "m", "-1", "+1", "1.5h", "1h30", "30m1h", "1m1m", "15M", "1w", "1y", "10ms", "1e3", "0x10", "١٥",
            "1 h", "h1", "1hm", "15min", "1,5h", "½h",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_timestamp_is_rfc_3339_or_a_unix_time() {
        for (text, seconds) in [
            ("2024-01-15T06:00:00Z", 1_705_298_400),
            ("2024-01-15T06:00:00.000Z", 1_705_298_400),
            ("2024-01-15T03:00:00-03:00", 1_705_298_400),
            ("2024-01-15T06:00:00+00:00", 1_705_298_400),
            ("2024-01-15t06:00:00z", 1_705_298_400),
            ("1705298400", 1_705_298_400),
            ("946684800", 946_684_800),
            ("2199-12-31T23:59:59Z", 7_258_118_399),
        ] {
            assert_eq!(timestamp(text).ok().map(|read| read.timestamp()), Some(seconds), "{text}");
        }
        let precise = timestamp("2024-01-15T06:00:00.25Z").ok().map(|read| read.timestamp_subsec_millis());
        assert_eq!(precise, Some(250));
    }

    #[test]
    fn what_is_no_timestamp_is_an_input_error() {
        for text in [
            "missing",
            "null",
            "",
            "now",
            "today",
            "24h",
            "2024-01-15",
            "06:00",
            "2024-01-15T06:00:00",
            "2024-01-15 06:00",
            "2024-01-15T06:00Z",
            "2024-01-15T25:00:00Z",
            "2023-02-29T06:00:00Z",
            "2024-01-15T06:00:00 -0300",
            "Mon, 15 Jan 2024 06:00:00 GMT",
            "1705298400.5",
            "-1705298400",
            "+1705298400",
            "1e9",
            "@1705298400",
            "${{ github.event.head_commit.timestamp }}",
            "$CI_COMMIT_TIMESTAMP",
            // Read as a Unix time or a date, any run would have started after these.
            "0",
            "24",
            "20240115",
            "946684799",
            "0001-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "1999-12-31T23:59:59Z",
            // Milliseconds, and a date without separators.
            "1705298400000",
            "20240115060000",
            "99999999999999999999",
            "2200-01-01T00:00:00Z",
        ] {
            assert!(timestamp(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_duration_overflows() {
        let longest = Some(Duration::from_secs(u64::MAX));
        for text in ["99999999999999999999999", "99999999999999999999d", "18446744073709551615d18446744073709551615h"] {
            assert_eq!(duration(text), longest, "{text}");
            assert!(duration_within(text, "0", "30d").is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_include_their_ends() {
        assert!(duration_within("30d", "0", "30d").is_ok());
        assert!(duration_within("30d1s", "0", "30d").is_err());
        assert!(duration_within("1s", "1s", "1h").is_ok());
        assert!(duration_within("0", "1s", "1h").is_err());
        assert!(duration_within("60m", "1s", "1h").is_ok());
        assert!(duration_within("3601", "1s", "1h").is_err());
    }

    #[test]
    fn booleans_are_exactly_six_words() {
        for (word, value) in
            [("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false), ("FALSE", false)]
        {
            assert_eq!(switch(word).ok(), Some(value));
        }
        for word in ["yes", "no", "on", "off", "1", "0", "tRUE", "t", "y", "", "truefalse"] {
            assert!(switch(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_comma_needs_an_entry_on_both_sides() {
        for text in [",", "a,", ",a", "a,,b", "a, ,b", "a,\n,b", "a,\n", " , a"] {
            assert!(list(text, BLANKS).is_err(), "{text:?}");
            assert!(list(text, LINE_BREAKS).is_err(), "{text:?}");
        }
        assert_eq!(list("a,b c\n\nd ,\n e", BLANKS).ok(), Some(vec!["a", "b", "c", "d", "e"]));
        assert_eq!(list("a,b c\r\n\nd ,\n e", LINE_BREAKS).ok(), Some(vec!["a", "b c", "d", "e"]));
    }
}
