//! One JSON document and nothing else: well-formed, nothing after it, no key twice in any object at any depth.
//!
//! A key that stands twice is read differently by different parsers: `{"last_status":"FAILED","last_status":"SUCCESS"}`
//! must not pass for either.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Why a text is not the one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    NotJson,
    DuplicateKey,
}

/// Walks the whole text and stores nothing of it but hashes of keys, so that 8 MiB of hostile JSON can't become
/// hundreds. Depth is limited by `serde_json` (128).
pub(super) fn check(text: &str) -> Result<(), Flaw> {
    let twice = Cell::new(false);
    let hasher = RandomState::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walked = Walk { twice: &twice, hasher: &hasher }.deserialize(&mut deserializer);
    match walked.and_then(|()| deserializer.end()) {
        Ok(()) => Ok(()),
        Err(_) if twice.get() => Err(Flaw::DuplicateKey),
        Err(_) => Err(Flaw::NotJson),
    }
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    twice: &'a Cell<bool>,
    hasher: &'a RandomState,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // 64 bits of a keyed hash: a false alarm has a chance of one in millions for the largest body there may be, and
        // would make it unusable, never a record.
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key_seed(Key(self.hasher))? {
            if !seen.insert(key) {
                self.twice.set(true);
                return Err(A::Error::custom("duplicate key"));
            }
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// The hash of an object's key, its escapes resolved.
struct Key<'a>(&'a RandomState);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<u64, E> {
        Ok(self.0.hash_one(key))
    }
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
    fn half_characters_are_mended_and_nothing_else_is_touched() {
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
