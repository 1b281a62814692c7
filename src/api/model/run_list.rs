//! A pipeline's list as it comes: each element is read and forgotten, so that 64 MiB of list never stand in memory.
//!
//! What is around the elements is kept, and must be one strict JSON document without them: `[]`, or an object with that
//! under `data`. An element that isn't JSON makes the list unusable; one that is, and can't be read as a run, stays in it as
//! what it is: something that might be any run.

use serde_json::value::RawValue;

use super::super::failure::{self, RequestError};
use super::completeness::{Completeness, PageInfo};
use super::element::{self, RecordSink};
use super::{RUN_BODY, Shape, error_message, object, shape, text_of};
use crate::core::{Failure, FailureKind, ListedRun, Operation, PipelineId, RunList};

/// A whole list (docs/reference.md#limits), after decompression.
pub(crate) const WHOLE_LIST: usize = 64 * 1024 * 1024;

/// What is around the elements; and so much of a body that is no list is kept for the person.
const AROUND: usize = 64 * 1024;

/// The list for the history (docs/reference.md#limits).
pub(crate) const SHORT_LIST: usize = 8 * 1024 * 1024;

/// How many runs of a whole list are kept. With the documented fields no list of 64 MiB has more; without them it is
/// refused.
const RUNS: usize = 250_000;

/// A list with as many gets room for all that it may have, as a long body does: the system gives memory only for what is written
/// there.
const MANY: usize = 1_000;

/// Takes the body in pieces of any size, and gives each record away as it is complete.
pub(crate) struct RunListReader<'p> {
    pipeline: &'p PipelineId,
    limit: usize,
    keep: &'p mut RecordSink<'p>,
    place: ListPosition,
    /// What is around the elements.
    around: Vec<u8>,
    /// How many brackets are open around the elements.
    depth: usize,
    text: StringPosition,
    /// Elements, or the beginning of one, that have not been read.
    unread: Vec<u8>,
    /// Reading is tried again once so much is unread. It doubles each time, so that an element in a thousand pieces is not
    /// read a thousand times.
    enough: usize,
    taken: usize,
    elements: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListPosition {
    /// Before the elements, or in a body that has none.
    Before,
    /// Behind the colon of `data`, in the object around the elements.
    Value,
    /// In the array, where this comes next.
    Elements(Next),
    After,
}

/// What may come next in the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    ElementOrEnd,
    Element,
    CommaOrEnd,
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
        if listing.runs.len() == MANY {
            let _has_room = listing.runs.try_reserve_exact(RUNS - MANY);
        }
        listing.runs.push(listed);
        Ok(())
    }
}

fn valid_part(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
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
            depth: 0,
            text: StringPosition::Outside,
            unread: Vec::new(),
            enough: 0,
            taken: 0,
            elements: 0,
        }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), RequestError> {
        self.taken = self.taken.saturating_add(piece.len());
        if self.taken > self.limit {
            return Err(RequestError::new(FailureKind::TooLarge));
        }
        let mut piece = self.around(piece)?;
        while !piece.is_empty() {
            let begun = self.unread.len();
            if begun == 0 {
                // Elements are read where they are.
                let read = self.elements(piece)?;
                return self.keep_unread(piece[read..].to_vec());
            }
            // Only one that began in an earlier piece is put together.
            let (more, later) = piece.split_at(piece.len().min(self.enough - begun));
            self.unread.extend_from_slice(more);
            if self.unread.len() < self.enough {
                return Ok(());
            }
            let mut unread = std::mem::take(&mut self.unread);
            let read = self.elements(&unread)?;
            if read < begun {
                unread.drain(..read);
                self.keep_unread(unread)?;
                piece = later;
            } else {
                piece = &piece[read - begun..];
            }
        }
        Ok(())
    }

    /// The body is complete; `refusal` is what came with a status that is no success, `pages` is of its headers. Only then
    /// does what was given away count.
    ///
    /// # Errors
    /// Why there was no list.
    pub(crate) fn finish(mut self, status: u16, refusal: &[u8], pages: PageInfo) -> Result<Completeness, Failure> {
        if status != 200 {
            return Err(failure::of_status(Operation::List, status, refusal));
        }
        let unread = std::mem::take(&mut self.unread);
        self.elements(&unread).and_then(|_| self.envelope()).map_err(|fault| fault.during(Operation::List))?;
        Ok(pages.extent(&String::from_utf8_lossy(&self.around), self.elements))
    }

    /// Keeps what is around the elements; returns the rest of the piece, where they begin.
    fn around<'b>(&mut self, mut piece: &'b [u8]) -> Result<&'b [u8], RequestError> {
        while !matches!(self.place, ListPosition::Elements(_))
            && let Some((byte, rest)) = piece.split_first()
        {
            self.outside(*byte)?;
            piece = rest;
        }
        Ok(piece)
    }

    /// A byte of what is around the elements.
    fn outside(&mut self, byte: u8) -> Result<(), RequestError> {
        if self.around.len() >= AROUND {
            return Err(RequestError {
                kind: FailureKind::NotARecord("not a list"),
                detail: error_message(&self.around),
            });
        }
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
        let is_first = self.place == ListPosition::Before && self.around.trim_ascii().is_empty();
        self.around.push(byte);
        if is_bare && byte == b'[' && (is_first || self.place == ListPosition::Value) {
            self.place = ListPosition::Elements(Next::ElementOrEnd);
            return Ok(());
        }
        match byte {
            b'{' | b'[' if is_bare => self.depth += 1,
            // An end too many is found when the text is read as JSON.
            b'}' | b']' if is_bare => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.place = match self.place {
            ListPosition::Before if is_bare && byte == b':' && self.depth == 1 && self.is_behind_data() => {
                ListPosition::Value
            }
            ListPosition::Value if byte.is_ascii_whitespace() => ListPosition::Value,
            // Another value than an array.
            ListPosition::Before | ListPosition::Value => ListPosition::Before,
            place @ (ListPosition::Elements(_) | ListPosition::After) => place,
        };
        Ok(())
    }

    /// Whether the colon just read stands behind the key `data`. Spelt with escapes it is not found, and what is under it
    /// then is not taken for the list.
    fn is_behind_data(&self) -> bool {
        let key = self.around.strip_suffix(b":").unwrap_or_default().trim_ascii_end();
        key.strip_suffix(b"\"data\"").is_some_and(|before| !before.ends_with(b"\\"))
    }

    /// Keeps the beginning of an element for the next piece.
    fn keep_unread(&mut self, unread: Vec<u8>) -> Result<(), RequestError> {
        if unread.len() >= RUN_BODY {
            return Err(RequestError::new(FailureKind::TooLarge));
        }
        self.enough = 2 * unread.len();
        self.unread = unread;
        Ok(())
    }

    /// Reads the elements that are complete, and what is behind the last one. Returns how many bytes it has read.
    fn elements(&mut self, unread: &[u8]) -> Result<usize, RequestError> {
        // A number might go on in the next piece, unless something else follows it.
        let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let readable = unread.iter().rposition(|byte| !is_of_number(byte)).map_or(0, |last| last + 1);
        // A character might go on in the next piece as well.
        let (text, is_text) = match str::from_utf8(&unread[..readable]) {
            Ok(text) => (text, true),
            Err(error) => (valid_part(&unread[..error.valid_up_to()]), error.error_len().is_none()),
        };
        let mut rest = text;
        while let ListPosition::Elements(next) = self.place
            && let Some(byte) = rest.as_bytes().first()
        {
            let (length, next) = match (next, byte) {
                (_, b' ' | b'\t' | b'\n' | b'\r') => (1, next),
                (Next::CommaOrEnd, b',') => (1, Next::Element),
                (Next::CommaOrEnd | Next::ElementOrEnd, b']') => {
                    self.around.push(b']');
                    self.place = ListPosition::After;
                    rest = &rest[1..];
                    break;
                }
                (Next::CommaOrEnd, _) => return Err(not_json()),
                (Next::Element | Next::ElementOrEnd, _) => {
                    let Some(length) = element::read(rest, self.pipeline, self.keep)? else { break };
                    self.elements += 1;
                    (length, Next::CommaOrEnd)
                }
            };
            rest = &rest[length..];
            self.place = ListPosition::Elements(next);
        }
        if !is_text && self.place != ListPosition::After {
            return Err(not_json());
        }
        let read = text.len() - rest.len();
        let behind = self.around(&unread[read..])?;
        Ok(unread.len() - behind.len())
    }

    /// Checks what is around the elements.
    fn envelope(&self) -> Result<(), RequestError> {
        let error = |kind| RequestError { kind, detail: error_message(&self.around) };
        let not_a_list = |what| error(FailureKind::NotARecord(what));
        let document = text_of(&self.around)?;
        let outer = match shape(document) {
            Shape::Null | Shape::EmptyObject => return Err(RequestError::new(FailureKind::NoRecord)),
            Shape::Other if document == "[]" => return Ok(()),
            Shape::Other => return Err(not_a_list("not a list")),
            Shape::Object => object(document).ok_or_else(|| error(FailureKind::NotJson))?,
        };
        match outer.data.map(RawValue::get) {
            Some("null") => Err(RequestError::new(FailureKind::NoRecord)),
            Some("[]") => outer.wrapper_error().map_or(Ok(()), |why| Err(not_a_list(why))),
            Some(_) | None => Err(not_a_list("not a list")),
        }
    }
}

#[cfg(test)]
mod tests;
