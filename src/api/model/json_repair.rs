//! Turns what is almost JSON into JSON, so that a failed run is not mistaken for an outage.
//!
//! Programs write bytes that are no UTF-8, raw line breaks, `NaN` or half a character into a trace, and a strict reader then
//! sees nothing at all. What is repaired here may fail a gate and never pass it: `core::run` sees to that. Nothing is
//! guessed: what is still not one JSON document afterwards, or has a key twice, is refused as before.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::strict_json::{self, Flaw, replace_half_characters};
use crate::core::Repair;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The depth at which a subtree is read as a document of its own: less than the 128 that `serde_json` allows.
const DEEP: usize = 120;

/// Stands for a value that can't be read: it is no id, no status, no state of a wrapper and no record.
const UNREADABLE: &str = "[]";

/// The document, and what was done to it; nothing if it needed none of this.
///
/// # Errors
/// It is no JSON even so.
pub(super) fn repair(body: &[u8]) -> Result<(String, Vec<Repair>), Flaw> {
    let mut repairs = Vec::new();
    let unmarked = body.strip_prefix(BYTE_ORDER_MARK);
    note(&mut repairs, Repair::ByteOrderMark, unmarked.is_some());
    let text = String::from_utf8_lossy(unmarked.unwrap_or(body));
    note(&mut repairs, Repair::BadUtf8, matches!(text, Cow::Owned(_)));
    let whole = replace_half_characters(&text);
    note(&mut repairs, Repair::HalfCharacter, matches!(whole, Cow::Owned(_)));
    let text = rewrite(&whole, &mut repairs)?;
    strict_json::check(&text)?;
    Ok((text, repairs))
}

fn note(repairs: &mut Vec<Repair>, repair: Repair, is_needed: bool) {
    if is_needed && !repairs.contains(&repair) {
        repairs.push(repair);
    }
}

/// Replaces what stands between or in strings and is no JSON, in one pass: a deep subtree is checked as soon as it ends.
fn rewrite(text: &str, repairs: &mut Vec<Repair>) -> Result<String, Flaw> {
    let mut around: Vec<String> = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, behind) = rest.split_at(token_length(rest, first));
        rest = behind;
        match first {
            '"' => string(token, &mut out, repairs),
            '[' | '{' => {
                if is_deep(depth) {
                    note(repairs, Repair::DeepNesting, true);
                    out.push_str(UNREADABLE);
                    around.push(std::mem::take(&mut out));
                }
                depth += 1;
                out.push(first);
            }
            ']' | '}' => {
                out.push(first);
                depth = depth.checked_sub(1).ok_or(Flaw::NotJson)?;
                if is_deep(depth) {
                    strict_json::check(&out)?;
                    out = around.pop().ok_or(Flaw::NotJson)?;
                }
            }
            _ => match unreadable(token) {
                Some(repair) => {
                    note(repairs, repair, true);
                    out.push_str(UNREADABLE);
                }
                None => out.push_str(token),
            },
        }
    }
    if around.is_empty() { Ok(out) } else { Err(Flaw::NotJson) }
}

fn is_deep(depth: usize) -> bool {
    depth > 0 && depth.is_multiple_of(DEEP)
}

/// The length of a string with its quotes, of a word or number, or of one character.
fn token_length(text: &str, first: char) -> usize {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if first == '"' {
        let mut is_escaped = false;
        let end = text.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        });
        end.map_or(text.len(), |end| end + 2)
    } else if is_word(first) {
        text.find(|c| !is_word(c)).unwrap_or(text.len())
    } else {
        first.len_utf8()
    }
}

/// What is wrong with a word that stands for a number. The grammar of a number too large to be read is checked all the same.
fn unreadable(token: &str) -> Option<Repair> {
    match token {
        "NaN" | "Infinity" | "-Infinity" => Some(Repair::NotANumber),
        number if number.parse().is_ok_and(f64::is_infinite) && serde_json::from_str::<IgnoredAny>(number).is_ok() => {
            Some(Repair::HugeNumber)
        }
        _ => None,
    }
}

/// A string with its raw control characters escaped.
fn string(token: &str, out: &mut String, repairs: &mut Vec<Repair>) {
    for piece in token.split_inclusive(|c: char| c < ' ') {
        match piece.char_indices().next_back() {
            // Behind a backslash it is a wrong escape, which stays one.
            Some((end, control))
                if control < ' ' && piece[..end].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 0 =>
            {
                note(repairs, Repair::ControlCharacter, true);
                out.push_str(&piece[..end]);
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            _ => out.push_str(piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(body: impl AsRef<[u8]>) -> Result<(String, Vec<Repair>), Flaw> {
        repair(body.as_ref())
    }

    fn nested(depth: usize, inside: &str) -> String {
        format!("{}{inside}{}", "{\"a\":[".repeat(depth), "]}".repeat(depth))
    }

    #[test]
    fn what_programs_get_wrong_is_repaired_and_named() {
        for (body, text, repair) in [
            (b"\xef\xbb\xbf{\"a\":1}".as_slice(), r#"{"a":1}"#, Repair::ByteOrderMark),
            (b"{\"a\":\"caf\xe9\"}", "{\"a\":\"caf\u{fffd}\"}", Repair::BadUtf8),
            (b"{\"a\":\"x\ny\tz\0\"}", r#"{"a":"x\u000ay\u0009z\u0000"}"#, Repair::ControlCharacter),
            (b"{\"a\":\"\\\\\n\"}", r#"{"a":"\\\u000a"}"#, Repair::ControlCharacter),
            (b"{\"a\":NaN,\"b\":[-Infinity,Infinity]}", r#"{"a":[],"b":[[],[]]}"#, Repair::NotANumber),
            (br#"{"a":"\ud800"}"#, r#"{"a":"\ufffd"}"#, Repair::HalfCharacter),
            (br#"{"a":1e400,"b":-1.5E+999,"c":1e-999}"#, r#"{"a":[],"b":[],"c":1e-999}"#, Repair::HugeNumber),
        ] {
            assert_eq!(repaired(body), Ok((text.to_owned(), vec![repair])));
        }
        let (text, repairs) = repaired(nested(300, r#""NaN",NaN"#)).expect("JSON");
        assert_eq!(repairs, [Repair::DeepNesting, Repair::NotANumber]);
        assert!(text.len() < 1000, "{text}");
        // As it is where nothing is wrong; and words in strings are words.
        for fine in [r#"{"a":"NaN 1e400 \" [","b":[1.5e3,-0,true,null]}"#, " [ ] ", "\"\u{feff}é\"", &nested(60, "")] {
            assert_eq!(repaired(fine), Ok((fine.to_owned(), Vec::new())), "{fine}");
        }
    }

    #[test]
    fn what_is_no_json_afterwards_is_refused_as_before() {
        for bad in [
            "",
            "{",
            "{}{}",
            "{} x",
            "<html>",
            "{'a':1}",
            "{\"a\":1,}",
            "NaNs",
            "nan",
            "+Infinity",
            "--Infinity",
            "01e999",
            "1e+",
            "1.e999",
            "{NaN:1}",
            "{\"a\":\"\\\n\"}",
            "\"\n",
            "{}\n\0",
            "\u{feff}\u{feff}{}",
            "]",
            "[}",
            "{\"a\":\"b\"\u{1}}",
            "[1 NaN]",
            "{}\u{fffd}",
        ] {
            assert_eq!(repaired(bad), Err(Flaw::NotJson), "{bad:?}");
        }
        for bad in [b"\xff{}".as_slice(), b"{\xff}", b"\xff\xfe{\0}\0", b"{}\xef\xbb\xbf"] {
            assert_eq!(repaired(bad), Err(Flaw::NotJson), "{bad:?}");
        }
        let open = [nested(300, "1 2"), "[".repeat(1_000_000), "]".repeat(1_000_000), nested(200, "{")];
        for bad in open {
            assert_eq!(repaired(&bad), Err(Flaw::NotJson), "{}", &bad[..9]);
        }
        for twice in [
            "{\"a\":NaN,\"a\":1}".to_owned(),
            "{\"a\\ud800\":1,\"a\\ud801\":2}".to_owned(),
            nested(150, r#"{"b":1,"b":2}"#),
            nested(60, r#"{"b":[[]],"b":[[]]}"#),
        ] {
            assert_eq!(repaired(&twice), Err(Flaw::DuplicateKey), "{twice}");
        }
        assert_eq!(repaired(b"{\"\xff\":1,\"\xfe\":2}"), Err(Flaw::DuplicateKey));
    }
}
