//! How one value is read: durations, switches, choices, lists.

use std::time::Duration;

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
    let read = duration(text).ok_or_else(|| {
        InvalidValue::whole(format!(
            "not a duration. Write 90 (seconds), 90s, 15m, 1h30m or 2d, from {least} to {most}"
        ))
    })?;
    match (bound(least)..=bound(most)).contains(&read) {
        true => Ok(read),
        false => Err(InvalidValue::whole(format!("out of range: {least} to {most} is allowed"))),
    }
}

/// `true` or `false`.
pub(super) fn switch(text: &str) -> Result<bool, InvalidValue> {
    inputs::switch(text).ok_or_else(|| InvalidValue::whole("neither true nor false"))
}

/// One of a few words.
pub(super) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, InvalidValue> {
    choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        InvalidValue::whole(format!("must be one of: {}", words.join(", ")))
    })
}

/// What parts the entries of a list beside commas.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// Blanks and line breaks.
    Blanks,
    /// Line breaks; an entry may hold blanks.
    LineBreaks,
}

/// The entries of a list. A comma needs an entry on both sides: where one is missing, an expression came out empty, and
/// less would be waited for than was meant.
pub(super) fn list(text: &str, between: Separator) -> Result<Vec<&str>, InvalidValue> {
    let mut entries = Vec::new();
    for chunk in text.split(',') {
        let before = entries.len();
        match between {
            Separator::Blanks => entries.extend(chunk.split_ascii_whitespace()),
            Separator::LineBreaks => {
                entries.extend(chunk.split(['\n', '\r']).map(str::trim_ascii).filter(|entry| !entry.is_empty()));
            }
        }
        if entries.len() == before {
            return Err(InvalidValue::whole(
                "a comma with no entry on one side. Was an expression empty? Fewer entries than intended would be \
                 used",
            ));
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
            assert!(list(text, Separator::Blanks).is_err(), "{text:?}");
            assert!(list(text, Separator::LineBreaks).is_err(), "{text:?}");
        }
        assert_eq!(list("a,b c\n\nd ,\n e", Separator::Blanks).ok(), Some(vec!["a", "b", "c", "d", "e"]));
        assert_eq!(list("a,b c\r\n\nd ,\n e", Separator::LineBreaks).ok(), Some(vec!["a", "b c", "d", "e"]));
    }
}
