//! The service's time stamps, in all the shapes seen (docs/maestro-api.md#shapes-to-tolerate). A bad one is none.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

/// Longer than any timestamp with nine digits of fraction and an offset.
const LONGEST: usize = 64;

/// A list has thousands of time stamps, and most are in the documented form.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    read_documented(text.as_bytes()).or_else(|| read_any(text))
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`, and not within a leap second: eight bytes at once.
fn read_documented(text: &[u8]) -> Option<DateTime<Utc>> {
    let (&[day, minute, millisecond], []) = text.as_chunks() else { return None };
    let [century, _, year, _, _, month, ..] = pairs(day, *b"0000-00-", *b"9999-99-")?;
    let [day, _, _, hour, _, _, minute, _] = pairs(minute, *b"00T00:00", *b"99T99:99")?;
    let [_, second, _, _, hundredths, _, thousandth, _] = pairs(millisecond, *b":00.000Z", *b":99.999Z")?;
    let year = i32::from(century) * 100 + i32::from(year);
    let date = NaiveDate::from_ymd_opt(year, month.into(), day.into())?;
    let milliseconds = u32::from(hundredths) * 10 + u32::from(thousandth / 10);
    Some(date.and_hms_milli_opt(hour.into(), minute.into(), second.into(), milliseconds)?.and_utc())
}

/// For each digit the number that it makes with the next one. The text must have digits where these two have zeros and nines,
/// and be as they are elsewhere.
fn pairs(text: [u8; 8], zeros: [u8; 8], nines: [u8; 8]) -> Option<[u8; 8]> {
    const ONES: u64 = u64::MAX / 255;
    let [text, zeros, nines] = [text, zeros, nines].map(u64::from_le_bytes);
    let digits = text ^ zeros;
    // The high bit of a byte beyond the digit that is allowed there.
    let beyond = (digits | digits.wrapping_add(ONES * 0x7f - (nines ^ zeros))) & ONES << 7;
    (beyond == 0).then(|| digits.wrapping_mul(10).wrapping_add(digits >> 8).to_le_bytes())
}

/// `T` or a blank between date and time; 0 to 9 digits of fraction; `Z`, `+00:00`, `-0300`, `-03`, or none, which is UTC.
fn read_any(text: &str) -> Option<DateTime<Utc>> {
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
    use proptest::prelude::*;

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

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

        #[test]
        fn the_documented_form_is_read_as_any_other(
            stamp in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[012][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z",
            change in prop::option::of((0..24usize, any::<u8>())),
        ) {
            let mut bytes = stamp.into_bytes();
            if let Some((place, byte)) = change {
                bytes[place] = byte;
            }
            let text = String::from_utf8_lossy(&bytes);
            let is_within_leap_second = text.get(17..19) == Some("60");
            let any = read_any(&text).filter(|_| change.is_none() && !is_within_leap_second);
            match read_documented(text.as_bytes()) {
                Some(read) => prop_assert_eq!(Some(read), read_any(&text), "{}", text),
                None => prop_assert_eq!(None, any, "{}", text),
            }
        }
    }
}
