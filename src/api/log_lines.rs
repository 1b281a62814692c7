//! A run's logs: text streams through as it comes, JSON is made lines again.
//!
//! Body and shape of the endpoint are undocumented (docs/maestro-api.md#logs): plain text, a JSON string, an array of strings or
//! of objects, or an object that holds such. Whatever fits none of them wholly is handed on as it came.

use std::borrow::Cow;
use std::fmt::Write;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::failure::RequestError;
use super::model;
use crate::core::FailureKind;

/// All of the logs, after decompression (docs/reference.md#limits).
const LIMIT: usize = 64 * 1024 * 1024;

/// A body that begins like JSON is held back up to this size, to be made lines; a larger one streams as it came.
const HELD: usize = 8 * 1024 * 1024;

/// How deep an array may be wrapped in objects (`{"data":{"logs":[...]}}`).
const DEPTH: usize = 3;

/// Takes the body in pieces of any size and gives the logs to `sink`, whatever happens: what is held back when the body
/// breaks off, or when the request is given up, is handed on as it came.
pub(crate) struct Lines<'s> {
    sink: &'s mut dyn FnMut(&[u8]),
    state: LogState,
    taken: usize,
}

enum LogState {
    /// Nothing but blanks so far, or what looks like JSON.
    Held(Vec<u8>),
    Streaming,
}

impl<'s> Lines<'s> {
    pub(crate) fn new(sink: &'s mut dyn FnMut(&[u8])) -> Lines<'s> {
        Lines { sink, state: LogState::Held(Vec::new()), taken: 0 }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), RequestError> {
        let room = LIMIT - self.taken;
        let fits = &piece[..piece.len().min(room)];
        self.taken += fits.len();
        match &mut self.state {
            LogState::Streaming => (self.sink)(fits),
            LogState::Held(held) => {
                held.extend_from_slice(fits);
                let first = held.iter().find(|byte| !byte.is_ascii_whitespace());
                if held.len() > HELD || first.is_some_and(|first| !matches!(first, b'{' | b'[' | b'"')) {
                    self.release();
                }
            }
        }
        if piece.len() > room { Err(RequestError::new(FailureKind::TooLarge)) } else { Ok(()) }
    }

    /// The body is complete.
    pub(crate) fn finish(mut self) {
        if let LogState::Held(held) = &self.state
            && let Some(lines) = str::from_utf8(held).ok().and_then(lines)
        {
            (self.sink)(lines.as_bytes());
            self.state = LogState::Streaming;
        }
    }

    fn release(&mut self) {
        if let LogState::Held(held) = std::mem::replace(&mut self.state, LogState::Streaming)
            && !held.is_empty()
        {
            (self.sink)(&held);
        }
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        self.release();
    }
}

/// The lines in a JSON document of one of the known shapes.
fn lines(text: &str) -> Option<String> {
    let text = model::replace_half_characters(text);
    let mut out = String::new();
    unwrap(serde_json::from_str(&text).ok()?, DEPTH, &mut out)?;
    Some(out)
}

fn unwrap(json: &RawValue, depth: usize, out: &mut String) -> Option<()> {
    match json.get().as_bytes().first() {
        Some(b'"') => line(&string(json)?, out),
        Some(b'[') => return each(json, out),
        Some(b'{') if depth > 0 => {
            let object: LogFields<'_> = serde_json::from_str(json.get()).ok()?;
            let inner = object.logs.or(object.data).or(object.content).or(object.message)?;
            return unwrap(inner, depth - 1, out);
        }
        _ => return None,
    }
    Some(())
}

/// What is read of an object: the wrapper around the logs, or one entry of them.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct LogFields<'a> {
    #[serde(borrow)]
    logs: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow)]
    level: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    msg: Option<&'a RawValue>,
    #[serde(borrow)]
    log: Option<&'a RawValue>,
    #[serde(borrow)]
    line: Option<&'a RawValue>,
}

/// Appends every element of an array, one at a time: a list of them would be many times the text's size.
fn each(array: &RawValue, out: &mut String) -> Option<()> {
    struct Elements<'o>(&'o mut String);

    impl<'de> Visitor<'de> for Elements<'_> {
        type Value = Option<()>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<()>, A::Error> {
            let mut fits = Some(());
            while let Some(json) = seq.next_element::<&RawValue>()? {
                fits = fits.and_then(|()| element(json, self.0));
            }
            Ok(fits)
        }
    }

    serde_json::Deserializer::from_str(array.get()).deserialize_seq(Elements(out)).ok()?
}

fn element(json: &RawValue, out: &mut String) -> Option<()> {
    if let Some(text) = string(json) {
        line(&text, out);
        return Some(());
    }
    let entry: LogFields<'_> = serde_json::from_str(json.get()).ok()?;
    let text = shown(entry.message.or(entry.msg).or(entry.log).or(entry.line)?);
    for before in [entry.timestamp.or(entry.time), entry.level].into_iter().flatten() {
        write!(out, "{} ", shown(before)).expect("a String takes all");
    }
    line(&text, out);
    Some(())
}

fn line(text: &str, out: &mut String) {
    out.push_str(text);
    if !text.ends_with('\n') {
        out.push('\n');
    }
}

fn string(json: &RawValue) -> Option<String> {
    serde_json::from_str(json.get()).ok()
}

/// A string's text; anything else as its JSON.
fn shown(json: &RawValue) -> Cow<'_, str> {
    string(json).map_or(Cow::Borrowed(json.get()), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
        let mut lines = Lines::new(&mut sink);
        for piece in pieces {
            lines.push(piece).expect("within the limit");
        }
        lines.finish();
        out
    }

    #[test]
    fn every_known_shape_becomes_lines() {
        for (body, expected) in [
            ("plain\ntext", "plain\ntext"),
            ("[2024-01-15 10:30] INFO begins like JSON", "[2024-01-15 10:30] INFO begins like JSON"),
            (r#""a\nb""#, "a\nb\n"),
            (r#"["a","b\n","\u001b[31mc"]"#, "a\nb\n\u{1b}[31mc\n"),
            (
                r#"[{"timestamp":"T1","level":"INFO","message":"a","x":[]},{"time":7,"msg":"b"},{"log":"c"},{"line":"d"}]"#,
                "T1 INFO a\n7 b\nc\nd\n",
            ),
            (r#"[{"message":{"k":1}}]"#, "{\"k\":1}\n"),
            (r#"{"logs":["a","b"]}"#, "a\nb\n"),
            (r#"{"status":true,"data":{"logs":"all"}}"#, "all\n"),
            (r#"{"content":[{"message":"a"}]}"#, "a\n"),
            (r#"{"message":"only"}"#, "only\n"),
            (r#"{"logs":null,"data":["a"]}"#, "a\n"),
            (r#""half \ud83d""#, "half \u{fffd}\n"),
            ("[]", ""),
            ("  \n", "  \n"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&logs(&[body.as_bytes()])), expected, "{body}");
            let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
            assert_eq!(logs(&bytes), expected.as_bytes(), "{body} byte by byte");
        }
    }

    #[test]
    fn what_fits_no_shape_wholly_is_shown_as_it_came() {
        for odd in [
            r#"["a",1]"#,
            r#"[["a"]]"#,
            r#"[{"other":1}]"#,
            r#"{"other":1}"#,
            r#"{"a":{"logs":["x"]}}"#,
            r#"{"data":{"data":{"data":{"data":"deep"}}}}"#,
            "{\"message\":\"a\"}\n{\"message\":\"b\"}\n",
            r#"["cut off"#,
            "42",
        ] {
            assert_eq!(String::from_utf8_lossy(&logs(&[odd.as_bytes()])), odd);
        }
        assert_eq!(logs(&[b"\"\xff\""]), b"\"\xff\"");
    }

    #[test]
    fn plain_text_streams_and_large_json_is_not_held_back() {
        let mut pieces = 0;
        let mut sink = |_: &[u8]| pieces += 1;
        let mut lines = Lines::new(&mut sink);
        lines.push(b" \n").expect("fits");
        lines.push(b"text").expect("fits");
        lines.push(b"more").expect("fits");
        drop(lines);
        assert_eq!(pieces, 2);

        let mut taken = 0;
        let mut sink = |bytes: &[u8]| taken += bytes.len();
        let mut lines = Lines::new(&mut sink);
        lines.push(b"[\"").expect("fits");
        let piece = vec![b'x'; HELD];
        lines.push(&piece).expect("fits");
        std::mem::forget(lines);
        assert_eq!(taken, HELD + 2);
    }

    #[test]
    fn nothing_is_lost_when_the_body_breaks_off() {
        let mut out = Vec::new();
        let mut sink = |bytes: &[u8]| out.extend_from_slice(bytes);
        let mut lines = Lines::new(&mut sink);
        lines.push(b"[\"a\",").expect("fits");
        drop(lines);
        assert_eq!(out, b"[\"a\",");
    }

    #[test]
    fn the_limit_ends_the_logs_and_keeps_what_came_before() {
        let mut taken = 0;
        let mut sink = |bytes: &[u8]| taken += bytes.len();
        let mut lines = Lines::new(&mut sink);
        let piece = vec![b'x'; 1024 * 1024];
        for _ in 0..64 {
            lines.push(&piece).expect("within the limit");
        }
        assert_eq!(lines.push(b"y"), Err(RequestError::new(FailureKind::TooLarge)));
        assert_eq!(lines.push(b"y"), Err(RequestError::new(FailureKind::TooLarge)));
        drop(lines);
        assert_eq!(taken, LIMIT);
    }
}
