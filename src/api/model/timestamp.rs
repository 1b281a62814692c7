//! The service's time stamps, in all the shapes seen (docs/maestro-api.md#shapes-to-tolerate). A bad one is none.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc};

/// Longer than any stamp with nine digits of fraction and an offset.
const LONGEST: usize = 64;

/// `T` or a blank between date and time; 0 to 9 digits of fraction; `Z`, `+00:00`, `-0300`, `-03`, or none, which is UTC.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim_ascii();
    // Within the digits chrono skips any blank that Unicode knows.
    if text.len() > LONGEST || !text.is_ascii() || !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let text = format!("{date}T{time}");
    let (local, offset) = NaiveDateTime::parse_and_remainder(&text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    let utc = local.checked_sub_signed(east_of_utc(offset.trim_ascii_start())?)?.and_utc();
    // Years of five digits could not be written as RFC 3339 again.
    (0..=9999).contains(&utc.year()).then_some(utc)
}

fn east_of_utc(offset: &str) -> Option<TimeDelta> {
    let (sign, digits) = match offset.as_bytes() {
        [] | [b'Z' | b'z'] => return Some(TimeDelta::zero()),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let number = |tens: u8, ones: u8| {
        let both = tens.is_ascii_digit() && ones.is_ascii_digit();
        both.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    let (hours, minutes) = match *digits {
        [a, b] => (number(a, b)?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (number(a, b)?, number(c, d)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| TimeDelta::minutes(sign * (hours * 60 + minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_shape_is_read() {
        for (text, same) in [
            ("2024-01-15T10:30:00.000Z", "2024-01-15T10:30:00Z"),
            ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z"),
            ("2024-01-15T10:30:00z", "2024-01-15T10:30:00Z"),
            ("2024-01-15T10:30:00+00:00", "2024-01-15T10:30:00Z"),
            ("2024-01-15T10:30:00-0300", "2024-01-15T13:30:00Z"),
            ("2024-01-15T10:30:00-03:00", "2024-01-15T13:30:00Z"),
            ("2024-01-15T10:30:00+05:30", "2024-01-15T05:00:00Z"),
            ("2024-01-15T10:30:00-03", "2024-01-15T13:30:00Z"),
            ("2024-01-15 10:30:00", "2024-01-15T10:30:00Z"),
            ("2024-01-15 10:30:00 +0000", "2024-01-15T10:30:00Z"),
            (" 2024-01-15T10:30:00.5 ", "2024-01-15T10:30:00.5Z"),
            ("2024-01-15T10:30:00.123456789Z", "2024-01-15T10:30:00.123456789Z"),
            ("2024-02-29T23:59:59", "2024-02-29T23:59:59Z"),
        ] {
            assert_eq!(read(text), Some(same.parse().expect("a date")), "{text}");
        }
    }

    #[test]
    fn a_bad_stamp_is_none() {
        for bad in [
            "",
            "now",
            "2024-01-15",
            "10:30:00",
            "2023-02-29T00:00:00Z",
            "2024-01-15T25:00:00Z",
            "2024-01-15T10:30:00X",
            "2024-01-15T10:30:00+99:00",
            "2024-01-15T10:30:00+1",
            "2024-01-15T10:30:00Zjunk",
            "+12024-01-15T10:30:00Z",
            "99999-01-15T10:30:00Z",
            "9999-12-31T23:59:59-23:59",
            "1705314600",
            "é024-01-15T10:30:00Z",
            "2024-01-15T10:30:00Z\u{3000}",
            "\u{a0}2024-01-15T10:30:00Z",
            "2024-\u{2003}1-15T10:30:00Z",
            &format!("2024-01-15T10:30:00.{}Z", "1".repeat(100)),
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
