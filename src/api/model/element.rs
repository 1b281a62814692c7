//! One element of a list, read in one pass: whether it is strict JSON, whether a key stands twice in it, and what it says of
//! a run.

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

/// The fields that choosing a run needs; [`listed`] takes them apart in this order.
const FIELDS: [&str; 7] = ["pipeline_run_id", "pipeline_id", "last_status", "created_at", "updated_at", "id", "trace"];

/// The values of these fields.
type Values<'t> = [Option<Value<'t>>; FIELDS.len()];

/// Reads the element at the beginning of the text. Returns its length, and the run unless it is another pipeline's; `None`
/// if the text ends before the element. A number must have something behind it, because it might go on.
///
/// # Errors
/// It isn't JSON.
pub(super) fn read(text: &[u8], pipeline: &PipelineId) -> Result<Option<(usize, Option<ListedRun>)>, Flaw> {
    let has_duplicates = Cell::new(false);
    let mut json = serde_json::Deserializer::from_slice(text);
    let values = match text {
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
        let place = |key: &str| FIELDS.iter().position(|field| *field == key);
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
