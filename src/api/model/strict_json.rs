//! One JSON document and nothing else: well-formed, nothing after it, no key twice in any object at any depth.
//!
//! A key that stands twice is read differently by different parsers: `{"last_status":"FAILED","last_status":"SUCCESS"}`
//! must not pass for either.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::hash::BuildHasher;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Why a text is not the one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    NotJson,
    DuplicateKey,
}

/// Reads the whole text. Depth is limited by `serde_json` (128).
pub(super) fn check(text: &str) -> Result<(), Flaw> {
    let has_duplicates = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let reader = Reader { uncopied: RECORD_DEPTH, ..Reader::skipping(&has_duplicates) };
    let read = reader.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (read, has_duplicates.get()) {
        (Err(_), _) => Err(Flaw::NotJson),
        (Ok(()), true) => Err(Flaw::DuplicateKey),
        (Ok(()), false) => Ok(()),
    }
}

/// A run is an object, or one in the wrapper's: there its trace may stand.
const RECORD_DEPTH: u8 = 2;

/// A value of JSON; what is inside of arrays and objects is not kept.
pub(super) enum Value<'t> {
    Null,
    Text(&'t str),
    Number(u64),
    Other,
}

/// Reads a value to its end, notes whether an object in it has a key twice, and gives it to `take`. It stores nothing but
/// hashes of keys, so that 8 MiB of hostile JSON can't become hundreds.
pub(super) struct Reader<'a, F> {
    has_duplicates: &'a Cell<bool>,
    take: F,
    /// In how many levels of objects strings are checked where they stand. `serde_json` copies a string with escapes, and a trace
    /// can have megabytes.
    uncopied: u8,
}

impl<'a> Reader<'a, fn(Value<'_>)> {
    pub(super) fn skipping(has_duplicates: &'a Cell<bool>) -> Self {
        Reader { has_duplicates, take: |_| {}, uncopied: 0 }
    }

    /// Checks a value of an object, of which `serde_json` knows by now that it is JSON but for half characters and numbers out of
    /// range.
    fn check_value(self, raw: &RawValue) -> serde_json::Result<()> {
        if !raw.get().starts_with('"') {
            return self.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
        }
        match replace_half_characters(raw.get()) {
            Cow::Borrowed(_) => Ok(()),
            Cow::Owned(_) => Err(serde_json::Error::custom("half a character")),
        }
    }
}

impl<'a, F: FnOnce(Value<'_>)> Reader<'a, F> {
    pub(super) fn new(has_duplicates: &'a Cell<bool>, take: F) -> Reader<'a, F> {
        Reader { has_duplicates, take, uncopied: 0 }
    }

    fn value<E>(self, value: Value<'_>) -> Result<(), E> {
        (self.take)(value);
        Ok(())
    }
}

impl<'de, F: FnOnce(Value<'_>)> DeserializeSeed<'de> for Reader<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnOnce(Value<'_>)> Visitor<'de> for Reader<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.value(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.value(Value::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.value(Value::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.value(Value::Number(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.value(Value::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.value(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Reader::skipping(self.has_duplicates))?.is_some() {}
        self.value(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // 64 bits of a keyed hash: a false alarm has a chance of one in millions for the largest body there may be, and
        // would make it unusable, never a record.
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key_seed(Key(|key: &str| seen.hasher().hash_one(key)))? {
            if !seen.insert(key) {
                self.has_duplicates.set(true);
            }
            let inside = Reader { uncopied: self.uncopied.saturating_sub(1), ..Reader::skipping(self.has_duplicates) };
            if self.uncopied > 0 {
                inside.check_value(map.next_value()?).map_err(A::Error::custom)?;
            } else {
                map.next_value_seed(inside)?;
            }
        }
        self.value(Value::Other)
    }
}

/// What this function makes of an object's key, its escapes resolved.
pub(super) struct Key<F>(pub(super) F);

impl<'de, K, F: FnOnce(&str) -> K> DeserializeSeed<'de> for Key<F> {
    type Value = K;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<K, F: FnOnce(&str) -> K> Visitor<'_> for Key<F> {
    type Value = K;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<K, E> {
        Ok(self.0(key))
    }
}

/// The text of a JSON string that has been checked; any other value stays as it is. `serde_json` would put a string with
/// escapes together in a buffer of its own first, and a trace can have megabytes.
pub(super) fn unescape(json: &str) -> String {
    let Some(mut rest) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return json.to_owned() };
    let mut text = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        let (c, length) = unescaped(escape.as_bytes());
        text.push_str(before);
        text.push(c);
        rest = escape.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// The character that an escape means, and the length of the escape.
fn unescaped(escape: &[u8]) -> (char, usize) {
    if let Some(number) = escaped(escape, 0) {
        return match (char::from_u32(number), escaped(escape, 6)) {
            (Some(c), _) => (c, 6),
            (None, low) => {
                let pair = 0x1_0000 + ((number & 0x3ff) << 10) + (low.unwrap_or_default() & 0x3ff);
                (char::from_u32(pair).unwrap_or_default(), 12)
            }
        };
    }
    let c = match escape.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        other => char::from(other.copied().unwrap_or_default()),
    };
    (c, 2)
}

/// Replaces escapes of half a character (`\ud83d` without its other half) by U+FFFD, as bad UTF-8 is elsewhere.
///
/// Such text is JSON by its grammar, and Python writes it for a trace with undecodable bytes; `serde_json` refuses it,
/// which would make a plain `FAILED` an outage.
pub(crate) fn replace_half_characters(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut replaced = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(step) = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == b'\\')) {
        at += step;
        match escaped(bytes, at) {
            Some(0xd800..=0xdbff) if matches!(escaped(bytes, at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                replaced.push_str(part(text, kept..at));
                replaced.push_str("\\ufffd");
                at += 6;
                kept = at;
            }
            Some(_) => at += 6,
            // Any other escape is two bytes long; skipping both keeps `\\u` from being read as `\u`.
            None => at += 2,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    replaced.push_str(part(text, kept..text.len()));
    Cow::Owned(replaced)
}

fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).expect("escapes begin and end with ASCII")
}

/// The number of the `\uXXXX` that begins at `at`, if one does.
fn escaped(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |sum, &byte| Some(sum * 16 + char::from(byte).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_twice_at_any_depth() {
        for fine in [r#"{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}"#, "null", " [1] ", r#"{"a":1,"A":2}"#, "1e3"] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"y":[0,{"a":null,"b":1,"a":null}]}}"#,
            r#"{"x":{"y":"\n","y":"\n"}}"#,
            r#"{"":1,"":1}"#,
        ] {
            assert_eq!(check(twice), Err(Flaw::DuplicateKey), "{twice}");
        }
    }

    #[test]
    fn there_is_one_document_and_nothing_after_it() {
        let deep = "[".repeat(100_000);
        for bad in ["", "{", "{}{}", "{} x", "null null", "<html>", "{'a':1}", "{\"a\":1,}", "NaN", "\u{feff}{}", &deep]
        {
            assert_eq!(check(bad), Err(Flaw::NotJson), "{}", bad.get(..20).unwrap_or(bad));
        }
    }

    #[test]
    fn what_serde_json_does_not_read_as_a_value_is_not_json_at_any_depth() {
        for bad in [r#""\ud83d""#, r#""\ude00\ud83d""#, "1e999", "-1e999", r#""\x""#, "\"\n\""] {
            for json in [
                bad.to_owned(),
                format!(r#"{{"a":{bad}}}"#),
                format!(r#"{{"a":{{"b":{bad}}}}}"#),
                format!(r#"{{"a":[{bad}]}}"#),
                format!(r#"{{"a":{{"b":{{"c":{bad}}}}}}}"#),
            ] {
                assert_eq!(check(&json), Err(Flaw::NotJson), "{json}");
            }
        }
        assert_eq!(check(r#"{"a":"\ud83d\ude00","b":{"c":"\\ud83d \u00e9\n"}}"#), Ok(()));
    }

    #[test]
    fn a_string_is_unescaped_as_serde_json_does_it() {
        for json in [
            r#""""#,
            r#""plain \u00e9 é""#,
            r#""\"\/\\\b\f\n\r\t""#,
            r#""a\\nb\\\nc\\""#,
            r#""\u0000\u0041\uFFFD\uffff""#,
            r#""\ud83d\ude00\uD800\uDC00\udbff\udfff\ue000""#,
            r#""\\ud83d\"\u005c\u005cn""#,
        ] {
            assert_eq!(unescape(json), serde_json::from_str::<String>(json).expect("JSON"), "{json}");
        }
        assert_eq!(unescape(r#"{"a":"\n"}"#), r#"{"a":"\n"}"#);
    }

    #[test]
    fn half_characters_are_repaired_and_nothing_else_is_touched() {
        for whole in
            [r#""plain""#, r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\n\u00e9\"\\""#, r#""\u12"#, "\\", "\\u", "é\\ué"]
        {
            assert_eq!(replace_half_characters(whole), whole);
        }
        assert_eq!(replace_half_characters(r#""\ud83d""#), r#""\ufffd""#);
        assert_eq!(
            replace_half_characters(r#""a\ude00b\ud83d\ud83d\ude00\uD83Dc""#),
            r#""a\ufffdb\ufffd\ud83d\ude00\ufffdc""#
        );
        assert_eq!(replace_half_characters(r#""\\\ud83d""#), r#""\\\ufffd""#);
    }
}
