//! The service's time stamps, in all the shapes seen (docs/maestro-api.md#shapes-to-tolerate). A bad one is none.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

/// Longer than any timestamp with nine digits of fraction and an offset.
const LONGEST: usize = 64;

/// `T` or a blank between date and time; 0 to 9 digits of fraction; `Z`, `+00:00`, `-0300`, `-03`, or none, which is UTC.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    let mut rest = text.trim_ascii().as_bytes();
    if rest.len() > LONGEST {
        return None;
    }
    let mut number = |most: usize, separators: &[u8]| {
        let (mut number, mut length) = (0, 0);
        while length < most
            && let Some(digit @ b'0'..=b'9') = rest.get(length)
        {
            number = number * 10 + u32::from(digit - b'0');
            length += 1;
        }
        rest = match rest.get(length..)? {
            behind if separators.is_empty() => behind,
            [separator, behind @ ..] if separators.contains(separator) => behind,
            _ => return None,
        };
        (length > 0).then_some(number)
    };
    let year = i32::try_from(number(4, b"-")?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(2, b"-")?, number(2, b"Tt ")?)?;
    let (hour, minute, second) = (number(2, b":")?, number(2, b":")?, number(2, b"")?);
    let (nanoseconds, offset) = fraction(rest)?;
    let local = match second {
        // A leap second.
        60 => date.and_hms_nano_opt(hour, minute, 59, 1_000_000_000 + nanoseconds)?,
        _ => date.and_hms_nano_opt(hour, minute, second, nanoseconds)?,
    };
    let utc = match east_of_utc(offset.trim_ascii_start())? {
        east if east.is_zero() => local,
        east => local.checked_sub_signed(east)?,
    };
    let utc = utc.and_utc();
    // Years of five digits could not be written as RFC 3339 again.
    (0..=9999).contains(&utc.year()).then_some(utc)
}

/// The nanoseconds, and what is behind them.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, behind) = text.split_at_checked(length)?;
    let digits = digits.iter().map(|digit| u32::from(digit - b'0')).chain(std::iter::repeat(0));
    (length > 0).then(|| (digits.take(9).fold(0, |number, digit| number * 10 + digit), behind))
}

fn east_of_utc(offset: &[u8]) -> Option<TimeDelta> {
    let (sign, digits) = match offset {
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
