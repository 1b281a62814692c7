//! One element of a list, read in one pass: whether it is strict JSON, whether a key stands twice in it, and what it says of
//! a run. One that is as the documentation shows it, as most are in long lists, is read without `serde_json`.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::hash::BuildHasher;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::super::failure::RequestError;
use super::strict_json::{Key, Reader, Value};
use super::timestamp;
use crate::core::{FailureKind, Fingerprint, ListedRun, PipelineId, RunId, Untrusted, status_value};

/// The longest status value that is read.
const LONGEST_STATUS: usize = 1024;

/// Takes in one record.
pub(crate) type RecordSink<'k> = dyn FnMut(ListedRun) -> Result<(), RequestError> + 'k;

/// Reads the element at the beginning of the text, and gives its run to `keep` unless it is another pipeline's. Returns its
/// length; `None` if the text ends before it. A number must have something behind it, because it might go on.
///
/// # Errors
/// It isn't JSON, or `keep` refuses it.
pub(super) fn read(
    text: &str,
    pipeline: &PipelineId,
    keep: &mut RecordSink<'_>,
) -> Result<Option<usize>, RequestError> {
    let mut element = Element::new(pipeline);
    let mut length = element.read_plain(text);
    if length.is_none() {
        element = Element::new(pipeline);
        length = element.read_any(text)?;
    }
    if length.is_some() {
        element.listed().map_or(Ok(()), keep)?;
    }
    Ok(length)
}

/// What choosing a run needs of an element.
#[derive(Clone, Copy)]
enum Field {
    Number,
    Run,
    Pipeline,
    Status,
    CreatedAt,
    UpdatedAt,
    Trace,
}

impl Field {
    /// In the documented order.
    const ALL: [Field; 7] =
        [Field::Number, Field::Run, Field::Pipeline, Field::Status, Field::CreatedAt, Field::UpdatedAt, Field::Trace];

    fn named(key: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.strip_name(key.as_bytes()).is_some_and(<[u8]>::is_empty))
    }

    /// What is behind its name.
    fn strip_name(self, text: &[u8]) -> Option<&[u8]> {
        // Names of a constant length are compared in words; musl's `memcmp` goes byte by byte.
        #[inline]
        fn strip<'t, const N: usize>(text: &'t [u8], name: &[u8; N]) -> Option<&'t [u8]> {
            let (begin, behind) = text.split_first_chunk()?;
            (begin == name).then_some(behind)
        }
        match self {
            Field::Number => strip(text, b"id"),
            Field::Run => strip(text, b"pipeline_run_id"),
            Field::Pipeline => strip(text, b"pipeline_id"),
            Field::Status => strip(text, b"last_status"),
            Field::CreatedAt => strip(text, b"created_at"),
            Field::UpdatedAt => strip(text, b"updated_at"),
            Field::Trace => strip(text, b"trace"),
        }
    }
}

/// Whose run an element is.
#[derive(Clone, Copy)]
enum Owner {
    Ours,
    AnotherPipeline,
    /// It may be ours.
    Unknown,
}

/// What has been read of an element.
struct Element<'p> {
    pipeline: &'p PipelineId,
    owner: Owner,
    run: ListedRun,
    /// A bit for each field.
    seen: u8,
}

impl Element<'_> {
    fn new(pipeline: &PipelineId) -> Element<'_> {
        let run = ListedRun { status: Some(Untrusted::default()), ..ListedRun::default() };
        Element { pipeline, owner: Owner::Unknown, run, seen: 0 }
    }

    /// Notes that the field is there. Returns whether it is there for the first time.
    fn is_first(&mut self, field: Field) -> bool {
        let before = self.seen;
        self.seen |= 1 << field as u8;
        self.seen != before
    }

    fn take(&mut self, field: Field, value: &Value<'_>) {
        let text = match *value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Number(_) | Value::Other => None,
        };
        match field {
            Field::Number => {
                self.run.number = match *value {
                    Value::Number(number) => Some(number),
                    Value::Text(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
                    Value::Null | Value::Text(_) | Value::Other => None,
                }
            }
            Field::Run => self.run.run = text.and_then(RunId::new),
            Field::Pipeline => {
                self.owner = match text {
                    Some(id) if self.pipeline.is(id.trim()) => Owner::Ours,
                    // A number may be what the database calls ours.
                    Some(id) if !id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace()) => {
                        Owner::AnotherPipeline
                    }
                    Some(_) | None => Owner::Unknown,
                }
            }
            Field::Status => {
                self.run.status = match *value {
                    Value::Null => Some(Untrusted::default()),
                    Value::Text(status) if status.len() <= LONGEST_STATUS => Some(status_value(status)),
                    Value::Text(_) | Value::Number(_) | Value::Other => None,
                }
            }
            Field::CreatedAt => self.run.created_at = text.and_then(timestamp::read),
            Field::UpdatedAt => self.run.updated_at = text.and_then(timestamp::read),
            Field::Trace => self.run.trace = text.and_then(Fingerprint::of),
        }
    }

    /// Reads an object of the documented fields, each once, without blanks, escapes or anything within its values. Returns its
    /// length; `None` if it is another one, or the text ends soon.
    fn read_plain(&mut self, text: &str) -> Option<usize> {
        let mut rest = text.as_bytes().strip_prefix(b"{")?;
        // Mostly they come in the documented order.
        let mut expected = 0;
        while let [b'"', member @ ..] = rest {
            let (before, from) = Field::ALL.split_at(expected);
            let mut fields = from.iter().chain(before);
            let (field, behind) = fields.find_map(|field| Some((*field, field.strip_name(member)?)))?;
            let [b'"', b':', behind @ ..] = behind else { return None };
            let (value, behind) = plain_value(text, behind)?;
            if !self.is_first(field) {
                return None;
            }
            self.take(field, &value);
            expected = field as usize + 1;
            match behind {
                [b',', next @ ..] => rest = next,
                [b'}', behind @ ..] => return Some(text.len() - behind.len()),
                _ => return None,
            }
        }
        None
    }

    /// Reads any element.
    fn read_any(&mut self, text: &str) -> Result<Option<usize>, RequestError> {
        let has_duplicates = Cell::new(false);
        let mut json = serde_json::Deserializer::from_str(text);
        let read = match text.as_bytes() {
            [b'{', ..] => Fields { element: self, has_duplicates: &has_duplicates }.deserialize(&mut json),
            _ => Reader::skipping(&has_duplicates).deserialize(&mut json),
        };
        match read {
            Ok(()) => {
                if has_duplicates.get() {
                    self.owner = Owner::Unknown;
                }
                Ok(Some(json.into_iter::<IgnoredAny>().byte_offset()))
            }
            Err(error) if error.is_eof() => Ok(None),
            Err(_) => Err(RequestError::new(FailureKind::NotJson)),
        }
    }

    /// What it says of a run; `None` if it is another pipeline's.
    fn listed(self) -> Option<ListedRun> {
        match self.owner {
            Owner::Ours => Some(self.run),
            Owner::AnotherPipeline => None,
            Owner::Unknown => Some(ListedRun::default()),
        }
    }
}

/// The value at the beginning of the rest of the text, and what is behind it.
fn plain_value<'t>(text: &'t str, rest: &'t [u8]) -> Option<(Value<'t>, &'t [u8])> {
    match rest {
        [b'"', ..] => {
            let (string, behind) = plain_string(rest)?;
            let end = text.len() - behind.len() - 1;
            Some((Value::Text(&text[end - string.len()..end]), behind))
        }
        [b'n', b'u', b'l', b'l', behind @ ..] => Some((Value::Null, behind)),
        [b'1'..=b'9', ..] => {
            let (mut number, mut behind) = (0_u64, rest);
            while let [digit @ b'0'..=b'9', next @ ..] = behind {
                number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
                behind = next;
            }
            Some((Value::Number(number), behind))
        }
        _ => None,
    }
}

/// What the quotes at the beginning enclose, and what is behind them; `None` if there is an escape, or the text ends soon.
fn plain_string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    const ONES: u64 = u64::MAX / 255;
    let [b'"', text @ ..] = text else { return None };
    // Eight bytes at once, until one is a quote, a backslash or a control character. With its second bit turned, a quote
    // comes right behind the control characters. Of those that a subtraction marks, the first one is right.
    for (place, chunk) in text.as_chunks().0.iter().enumerate() {
        let chunk = u64::from_le_bytes(*chunk);
        let is_quote_or_control = (chunk ^ (ONES * 2)).wrapping_sub(ONES * 0x21);
        let is_backslash = (chunk ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
        let found = (is_quote_or_control | is_backslash) & !chunk & (ONES << 7);
        if found != 0 {
            let (string, behind) = text.split_at(8 * place + (found.trailing_zeros() / 8) as usize);
            return if let [b'"', behind @ ..] = behind { Some((string, behind)) } else { None };
        }
    }
    None
}

/// Reads any object.
struct Fields<'a, 'p> {
    element: &'a mut Element<'p>,
    has_duplicates: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Fields<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Fields { element, has_duplicates } = self;
        let mut others = HashSet::new();
        while let Some(key) =
            map.next_key_seed(Key(|key: &str| Field::named(key).ok_or_else(|| others.hasher().hash_one(key))))?
        {
            let is_first = match key {
                Ok(field) => {
                    map.next_value_seed(Reader::new(has_duplicates, |value| element.take(field, &value)))?;
                    element.is_first(field)
                }
                Err(hash) => {
                    map.next_value_seed(Reader::skipping(has_duplicates))?;
                    others.insert(hash)
                }
            };
            if !is_first {
                has_duplicates.set(true);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pipeline() -> PipelineId {
        PipelineId::new("p_1").expect("an id")
    }

    fn plain(text: &str) -> Option<(usize, Option<ListedRun>)> {
        let pipeline = pipeline();
        let mut element = Element::new(&pipeline);
        element.read_plain(text).map(|length| (length, element.listed()))
    }

    fn any(text: &str) -> Option<(usize, Option<ListedRun>)> {
        let pipeline = pipeline();
        let mut element = Element::new(&pipeline);
        element.read_any(text).expect("JSON").map(|length| (length, element.listed()))
    }

    #[test]
    fn a_documented_element_is_read_without_serde_json() {
        let element = r#"{"id":45,"pipeline_run_id":"r 1","pipeline_id":"P-1","last_status":"FAILED","created_at":"2024-01-15T10:30:00.000Z","updated_at":null,"trace":"why"}"#;
        let read = plain(&format!("{element},{{\"id\":")).expect("plain");
        assert_eq!(Some(read.clone()), any(element));
        let (length, run) = read;
        assert_eq!(length, element.len());
        let run = run.expect("ours");
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
            if let Some(read) = plain(&text) {
                prop_assert_eq!(Some(read), any(&text), "{}", text);
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
