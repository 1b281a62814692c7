//! One element of a list, read in one pass: whether it is strict JSON, whether a key stands twice in it, and what it says of
//! a run. One that is as the documentation shows it, as most are in long lists, is read without `serde_json`.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::hash::BuildHasher;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::strict_json::{Flaw, Key, Reader, Value};
use super::timestamp;
use crate::core::{Fingerprint, ListedRun, PipelineId, RunId, Untrusted};

/// The longest status value that is read.
const LONGEST_STATUS: usize = 1024;

/// How many fields choosing a run needs; [`place`] numbers them, and [`listed`] takes them apart in that order.
const FIELDS: usize = 7;

/// The values of these fields.
type Values<'t> = [Option<Value<'t>>; FIELDS];

/// Reads the element at the beginning of the text. Returns its length, and the run unless it is another pipeline's; `None`
/// if the text ends before the element. A number must have something behind it, because it might go on.
///
/// # Errors
/// It isn't JSON.
pub(super) fn read(text: &str, pipeline: &PipelineId) -> Result<Option<(usize, Option<ListedRun>)>, Flaw> {
    match plain(text) {
        Some((values, length)) => Ok(Some((length, listed(values, pipeline)))),
        None => read_any(text, pipeline),
    }
}

/// The values of an object of the documented fields, each once, without blanks, escapes or anything within its values; and
/// its length. `None` if it is another one, or the text ends soon.
fn plain(text: &str) -> Option<(Values<'_>, usize)> {
    let bytes = text.as_bytes();
    let mut values = Values::default();
    let mut at = 0;
    let mut before = b'{';
    while bytes.get(at) == Some(&before) {
        let key = plain_string(text, at + 1)?;
        // What is before it, its quotes and the colon.
        at += key.len() + 4;
        if *bytes.get(at - 1)? != b':' {
            return None;
        }
        let (value, length) = plain_value(text, at)?;
        if values[place(key)?].replace(value).is_some() {
            return None;
        }
        at += length;
        before = b',';
        if *bytes.get(at)? == b'}' {
            return Some((values, at + 1));
        }
    }
    None
}

/// The string that begins here with its quote, if it has no escape.
fn plain_string(text: &str, at: usize) -> Option<&str> {
    const ONES: u64 = u64::MAX / 255;
    let bytes = text.as_bytes();
    let begin = at + 1;
    let mut end = begin;
    if *bytes.get(at)? != b'"' {
        return None;
    }
    // Eight bytes at once. Of those that a subtraction marks, the first one is right.
    while let Some(chunk) = bytes.get(end..).and_then(<[u8]>::first_chunk) {
        let chunk = u64::from_le_bytes(*chunk);
        let (quote, backslash) = (chunk ^ (ONES * u64::from(b'"')), chunk ^ (ONES * u64::from(b'\\')));
        let found = quote.wrapping_sub(ONES) & !quote
            | backslash.wrapping_sub(ONES) & !backslash
            | chunk.wrapping_sub(ONES * u64::from(b' ')) & !chunk;
        match found & (ONES << 7) {
            0 => end += 8,
            found => {
                end += (found.trailing_zeros() / 8) as usize;
                return if bytes[end] == b'"' { text.get(begin..end) } else { None };
            }
        }
    }
    None
}

/// A value and its length.
fn plain_value(text: &str, at: usize) -> Option<(Value<'_>, usize)> {
    match text.as_bytes().get(at..)? {
        [b'"', ..] => plain_string(text, at).map(|text| (Value::Text(Cow::Borrowed(text)), text.len() + 2)),
        [b'n', b'u', b'l', b'l', ..] => Some((Value::Null, 4)),
        digits @ [b'1'..=b'9', ..] => {
            let (mut number, mut length) = (0_u64, 0);
            while let Some(digit @ b'0'..=b'9') = digits.get(length) {
                number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
                length += 1;
            }
            Some((Value::Number(number), length))
        }
        _ => None,
    }
}

fn place(key: &str) -> Option<usize> {
    Some(match key {
        "pipeline_run_id" => 0,
        "pipeline_id" => 1,
        "last_status" => 2,
        "created_at" => 3,
        "updated_at" => 4,
        "id" => 5,
        "trace" => 6,
        _ => return None,
    })
}

fn read_any(text: &str, pipeline: &PipelineId) -> Result<Option<(usize, Option<ListedRun>)>, Flaw> {
    let has_duplicates = Cell::new(false);
    let mut json = serde_json::Deserializer::from_str(text);
    let values = match text.as_bytes() {
        [b'{', ..] => Object(&has_duplicates).deserialize(&mut json),
        _ => Reader::skipping(&has_duplicates).deserialize(&mut json).map(|_| Values::default()),
    };
    match values {
        Ok(values) => {
            let listed = if has_duplicates.get() { Some(ListedRun::default()) } else { listed(values, pipeline) };
            Ok(Some((json.into_iter::<IgnoredAny>().byte_offset(), listed)))
        }
        Err(error) if error.is_eof() => Ok(None),
        Err(_) => Err(Flaw::NotJson),
    }
}

/// What the fields say of a run; `None` if it is another pipeline's.
fn listed([run, of, status, created, updated, number, trace]: Values<'_>, pipeline: &PipelineId) -> Option<ListedRun> {
    match of {
        Some(Value::Text(id)) if pipeline.is(id.trim()) => {}
        // A number may be what the database calls ours.
        Some(Value::Text(id)) if !id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace()) => {
            return None;
        }
        // Nobody knows whose it is: it may be ours.
        Some(_) | None => return Some(ListedRun::default()),
    }
    Some(ListedRun {
        run: text(run).and_then(|id| RunId::new(&id)),
        number: match number {
            Some(Value::Number(number)) => Some(number),
            Some(Value::Text(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
            Some(Value::Null | Value::Text(_) | Value::Other) | None => None,
        },
        status: match status {
            None | Some(Value::Null) => Some(Untrusted::new("")),
            Some(Value::Text(status)) if status.len() <= LONGEST_STATUS => Some(Untrusted::new(status)),
            Some(Value::Text(_) | Value::Number(_) | Value::Other) => None,
        },
        created_at: timestamp(created),
        updated_at: timestamp(updated),
        trace: text(trace).and_then(|trace| Fingerprint::of(&trace)),
    })
}

fn text(value: Option<Value<'_>>) -> Option<Cow<'_, str>> {
    match value? {
        Value::Text(text) => Some(text),
        Value::Null | Value::Number(_) | Value::Other => None,
    }
}

fn timestamp(value: Option<Value<'_>>) -> Option<DateTime<Utc>> {
    timestamp::read(&text(value)?)
}

struct Object<'a>(&'a Cell<bool>);

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Values<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Values<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Values<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values<'de>, A::Error> {
        let Object(has_duplicates) = self;
        let mut values = Values::default();
        let mut others = HashSet::new();
        while let Some(key) =
            map.next_key_seed(Key(|key: &str| place(key).ok_or_else(|| others.hasher().hash_one(key))))?
        {
            let is_first = match key {
                Ok(place) => values[place].replace(map.next_value_seed(Reader::keeping(has_duplicates))?).is_none(),
                Err(hash) => {
                    map.next_value_seed(Reader::skipping(has_duplicates))?;
                    others.insert(hash)
                }
            };
            if !is_first {
                has_duplicates.set(true);
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pipeline() -> PipelineId {
        PipelineId::new("p_1").expect("an id")
    }

    #[test]
    fn a_documented_element_is_read_without_serde_json() {
        let element = r#"{"id":45,"pipeline_run_id":"r 1","pipeline_id":"P-1","last_status":"FAILED","created_at":"2024-01-15T10:30:00.000Z","updated_at":null,"trace":"why"}"#;
        let text = format!("{element},{{\"id\":");
        let (values, length) = plain(&text).expect("plain");
        let values = listed(values, &pipeline());
        assert_eq!(Ok(Some((length, values.clone()))), read_any(element, &pipeline()));
        assert_eq!(length, element.len());
        let run = values.expect("ours");
        assert_eq!((run.number, run.status.expect("a status").raw()), (Some(45), "FAILED"));
        assert!(run.created_at.is_some() && run.trace.is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

        #[test]
        fn a_plain_element_is_read_as_any_other(
            members in prop::collection::vec((prop::sample::select(KEYS), prop::sample::select(VALUES)), 0..6),
            comma in prop::sample::select(&[",", ",", ",", ", ", ";"][..]),
            end in prop::sample::select(&["}", "},{", "} ", "]", "", ",}"][..]),
        ) {
            let members: Vec<String> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            let text = format!("{{{}{end}", members.join(comma));
            let text = text + "        ";
            if let Some((values, length)) = plain(&text) {
                let plain = Ok(Some((length, listed(values, &pipeline()))));
                prop_assert_eq!(plain, read_any(&text, &pipeline()), "{}", text);
            }
        }
    }

    const KEYS: &[&str] = &[
        r#""id""#,
        r#""pipeline_run_id""#,
        r#""pipeline_id""#,
        r#""last_status""#,
        r#""created_at""#,
        r#""updated_at""#,
        r#""trace""#,
        r#""\u0069d""#,
        r#""other""#,
    ];

    const VALUES: &[&str] = &[
        "null",
        "nulls",
        "true",
        "0",
        "1",
        "45",
        "007",
        "1.5",
        "1e3",
        "-1",
        "18446744073709551615",
        "18446744073709551616",
        "[]",
        "{}",
        r#""""#,
        r#""p_1""#,
        r#""r 1""#,
        r#""2024-01-15 10:30:00""#,
        r#""\n""#,
        r#""é""#,
        "\"\u{7f}\"",
        "\"\t\"",
        r#""a"b""#,
        r#""a"#,
        "",
        " 1",
    ];
}
