//! A pipeline's list as it comes: cut into its elements piece by piece, each read and forgotten, so that 64 MiB of list
//! never stand in memory.
//!
//! What is around the elements is kept, and must be one strict JSON document without them: `[]`, or an object with that
//! under `data`. An element that isn't JSON makes the list unusable; one that is, and can't be read as a run, stays in it as
//! what it is: something that might be any run.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::super::failure::{self, RequestError};
use super::completeness::{Completeness, PageInfo};
use super::strict_json::{self, Flaw};
use super::{BLANKS, JsonFields, RUN_BODY, Shape, error_message, object, shape, string, text_of, timestamp};
use crate::core::{Failure, FailureKind, Fingerprint, ListedRun, Operation, PipelineId, RunId, RunList, Untrusted};

/// A whole list (docs/reference.md#limits), after decompression.
pub(crate) const WHOLE_LIST: usize = 64 * 1024 * 1024;

/// What is around the elements; and so much of a body that is no list is kept for the person.
const AROUND: usize = 64 * 1024;

/// The list for the history (docs/reference.md#limits).
pub(crate) const SHORT_LIST: usize = 8 * 1024 * 1024;

/// How many runs of a whole list are kept. With the documented fields no list of 64 MiB has more; without them it is
/// refused.
const RUNS: usize = 250_000;

/// The longest status word that is read.
const WORD: usize = 1024;

/// Takes in one record.
pub(crate) type RecordSink<'k> = dyn FnMut(ListedRun) -> Result<(), RequestError> + 'k;

/// Takes the body in pieces of any size, and gives each record away as it is complete.
pub(crate) struct RunListReader<'p> {
    pipeline: &'p PipelineId,
    limit: usize,
    keep: &'p mut RecordSink<'p>,
    place: ListPosition,
    /// What is around the elements.
    around: Vec<u8>,
    /// The element at hand, as far as it has come.
    element: Vec<u8>,
    /// How many brackets are open: around the elements, or in the one at hand.
    depth: usize,
    text: StringPosition,
    taken: usize,
    elements: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListPosition {
    /// Before the elements, or in a body that has none.
    Before,
    /// Behind the colon of `data`, in the object around the elements.
    Value,
    /// In the array; whether a comma has come, so that there must be an element before its end.
    Elements {
        comma: bool,
    },
    After,
}

/// Whether a byte stands in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StringPosition {
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
}

/// Keeps every record.
pub(crate) fn keep_all(listing: &mut RunList) -> impl FnMut(ListedRun) -> Result<(), RequestError> {
    |listed| {
        if listing.runs.len() >= RUNS {
            return Err(RequestError::new(FailureKind::TooLarge));
        }
        listing.runs.push(listed);
        Ok(())
    }
}

fn not_json() -> RequestError {
    RequestError::new(FailureKind::NotJson)
}

impl<'p> RunListReader<'p> {
    /// `limit` is in bytes, after decompression.
    pub(crate) fn new(pipeline: &'p PipelineId, limit: usize, keep: &'p mut RecordSink<'p>) -> RunListReader<'p> {
        RunListReader {
            pipeline,
            limit,
            keep,
            place: ListPosition::Before,
            around: Vec::new(),
            element: Vec::new(),
            depth: 0,
            text: StringPosition::Outside,
            taken: 0,
            elements: 0,
        }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), RequestError> {
        self.taken = self.taken.saturating_add(piece.len());
        if self.taken > self.limit {
            return Err(RequestError::new(FailureKind::TooLarge));
        }
        piece.iter().try_for_each(|byte| self.byte(*byte))
    }

    /// The body is complete; `refusal` is what came with a status that is no success, `pages` is of its headers. Only then
    /// does what was given away count.
    ///
    /// # Errors
    /// Why there was no list.
    pub(crate) fn finish(self, status: u16, refusal: &[u8], pages: PageInfo) -> Result<Completeness, Failure> {
        if status != 200 {
            return Err(failure::of_status(Operation::List, status, refusal));
        }
        self.envelope().map_err(|fault| fault.during(Operation::List))?;
        Ok(pages.extent(&String::from_utf8_lossy(&self.around), self.elements))
    }

    fn byte(&mut self, byte: u8) -> Result<(), RequestError> {
        let was = self.text;
        self.text = match (was, byte) {
            (StringPosition::Inside, b'\\') => StringPosition::Escaped,
            (StringPosition::Inside, b'"') => StringPosition::Outside,
            (StringPosition::Outside, b'"') | (StringPosition::Inside | StringPosition::Escaped, _) => {
                StringPosition::Inside
            }
            (StringPosition::Outside, _) => StringPosition::Outside,
        };
        let is_bare = was == StringPosition::Outside && self.text == StringPosition::Outside;
        match self.place {
            ListPosition::Elements { comma } if is_bare && self.depth == 0 && matches!(byte, b',' | b']') => {
                self.end_element(byte, comma)
            }
            ListPosition::Elements { .. } => {
                self.count(byte, is_bare);
                if self.element.len() >= RUN_BODY {
                    return Err(RequestError::new(FailureKind::TooLarge));
                }
                self.element.push(byte);
                Ok(())
            }
            ListPosition::Before | ListPosition::Value | ListPosition::After => self.around(byte, is_bare),
        }
    }

    fn count(&mut self, byte: u8, is_bare: bool) {
        match byte {
            b'{' | b'[' if is_bare => self.depth += 1,
            // An end too many is found when the text is read as JSON.
            b'}' | b']' if is_bare => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn around(&mut self, byte: u8, is_bare: bool) -> Result<(), RequestError> {
        if self.around.len() >= AROUND {
            return Err(RequestError {
                kind: FailureKind::NotARecord("not a list"),
                detail: error_message(&self.around),
            });
        }
        let is_first = self.place == ListPosition::Before && self.around.trim_ascii().is_empty();
        self.around.push(byte);
        if is_bare && byte == b'[' && (is_first || self.place == ListPosition::Value) {
            self.place = ListPosition::Elements { comma: false };
            self.depth = 0;
            return Ok(());
        }
        self.count(byte, is_bare);
        self.place = match self.place {
            ListPosition::Before if is_bare && byte == b':' && self.depth == 1 && self.is_behind_data() => {
                ListPosition::Value
            }
            ListPosition::Value if byte.is_ascii_whitespace() => ListPosition::Value,
            // Another value than an array.
            ListPosition::Before | ListPosition::Value => ListPosition::Before,
            place @ (ListPosition::Elements { .. } | ListPosition::After) => place,
        };
        Ok(())
    }

    /// Whether the colon just read stands behind the key `data`. Spelt with escapes it is not found, and what is under it
    /// then is not taken for the list.
    fn is_behind_data(&self) -> bool {
        let key = self.around.strip_suffix(b":").unwrap_or_default().trim_ascii_end();
        key.strip_suffix(b"\"data\"").is_some_and(|before| !before.ends_with(b"\\"))
    }

    fn end_element(&mut self, byte: u8, comma: bool) -> Result<(), RequestError> {
        let mut element = std::mem::take(&mut self.element);
        let is_empty_list = byte == b']' && !comma && element.iter().all(|byte| BLANKS.contains(&char::from(*byte)));
        if !is_empty_list {
            self.elements += 1;
            self.read(&element)?;
        }
        element.clear();
        self.element = element;
        self.place = ListPosition::Elements { comma: true };
        if byte == b']' {
            self.around.push(byte);
            self.place = ListPosition::After;
        }
        Ok(())
    }

    /// Reads one element.
    fn read(&mut self, element: &[u8]) -> Result<(), RequestError> {
        let text = str::from_utf8(element).map_err(|_| not_json())?.trim_matches(BLANKS);
        let listed = match strict_json::check(text) {
            Ok(()) => self.listed(text),
            // Behind that key there may be no JSON at all.
            Err(Flaw::DuplicateKey) if serde_json::from_str::<IgnoredAny>(text).is_ok() => Some(ListedRun::default()),
            Err(Flaw::DuplicateKey) => return Err(not_json()),
            Err(Flaw::NotJson) => return Err(not_json()),
        };
        listed.map_or(Ok(()), &mut *self.keep)
    }

    /// What an element says of a run; `None` where it is another pipeline's.
    fn listed(&self, text: &str) -> Option<ListedRun> {
        let raw = serde_json::from_str::<&RawValue>(text).ok().filter(|raw| matches!(shape(raw), Shape::Object));
        let Some(fields) = raw.and_then(object) else { return Some(ListedRun::default()) };
        match fields.pipeline_id.and_then(string) {
            Some(id) if self.pipeline.is(id.trim()) => Some(read_fields(&fields)),
            // A number may be what the database calls ours.
            Some(id) if !id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace()) => None,
            // Whose it is nobody knows: it may be ours.
            Some(_) | None => Some(ListedRun::default()),
        }
    }

    /// Checks what is around the elements.
    fn envelope(&self) -> Result<(), RequestError> {
        let told = |kind| RequestError { kind, detail: error_message(&self.around) };
        let not_a_list = |what| told(FailureKind::NotARecord(what));
        let text = text_of(&self.around)?;
        let document: &RawValue = serde_json::from_str(text).map_err(|_| told(FailureKind::NotJson))?;
        let outer = match shape(document) {
            Shape::Null | Shape::EmptyObject => return Err(RequestError::new(FailureKind::NoRecord)),
            Shape::Other if document.get() == "[]" => return Ok(()),
            Shape::Other => return Err(not_a_list("not a list")),
            Shape::Object => object(document).ok_or_else(|| told(FailureKind::NotJson))?,
        };
        match outer.data {
            Some(data) if data.get() == "null" => Err(RequestError::new(FailureKind::NoRecord)),
            _ if outer.status.is_some_and(|status| status.get() == "false") => Err(not_a_list("its status is false")),
            Some(data) if data.get() == "[]" => Ok(()),
            Some(_) | None => Err(not_a_list("not a list")),
        }
    }
}

fn read_fields(fields: &JsonFields<'_>) -> ListedRun {
    let stamp = |raw: Option<&RawValue>| raw.and_then(string).and_then(|text| timestamp::read(&text));
    let number = fields.id.and_then(|raw| {
        let digits = string(raw).unwrap_or_else(|| raw.get().to_owned());
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    });
    let status = match fields.last_status {
        None => Some(String::new()),
        Some(raw) if raw.get() == "null" => Some(String::new()),
        Some(raw) => string(raw).filter(|word| word.len() <= WORD),
    };
    ListedRun {
        run: fields.pipeline_run_id.and_then(string).and_then(|id| RunId::new(&id)),
        number,
        status: status.map(Untrusted::new),
        created_at: stamp(fields.created_at),
        updated_at: stamp(fields.updated_at),
        trace: fields.trace.and_then(string).and_then(|trace| Fingerprint::of(&trace)),
    }
}

#[cfg(test)]
mod tests;
