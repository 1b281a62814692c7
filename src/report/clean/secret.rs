//! The forms in which a secret may stand in a text: as it is, line by line, with pluses for blanks, as JSON, within base64.
//! Whatever of it is percent-encoded, `redact` reads through.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::strip::strip;

/// The shortest secret that can be told from ordinary text (contract, *Secrets*), and the shortest form looked for.
pub(super) const SHORTEST: usize = 6;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Every form of `secret`, each as it is, which percent-encoding preserves, and as it looks after stripping; none that is
/// then under `SHORTEST` bytes.
pub(super) fn forms(secret: &str) -> BTreeSet<String> {
    let unix = secret.replace("\r\n", "\n").replace('\r', "\n");
    let windows = unix.replace('\n', "\r\n");
    // A log shows a secret of many lines line by line. A line of blanks is no secret.
    let lines = unix.split('\n').filter(|line| line.len() >= SHORTEST && !line.trim().is_empty());
    let mut forms = BTreeSet::new();
    for part in [secret, &unix, &windows].into_iter().chain(lines) {
        forms.insert(part.to_owned());
        forms.insert(part.replace(' ', "+"));
        json_escaped(part, &mut forms);
        base64(part.as_bytes(), &mut forms);
    }
    let both = |form: String| [strip(&form), form];
    forms.into_iter().map(both).filter(|[seen, _]| seen.len() >= SHORTEST).flatten().collect()
}

/// Within a JSON string: the few escapes that must be, and all beyond ASCII as well (Python's default).
fn json_escaped(text: &str, forms: &mut BTreeSet<String>) {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    for escape in [
        |out: &mut String, unit| _ = write!(out, "\\u{unit:04x}"),
        |out: &mut String, unit: u16| {
            _ = write!(out, "\\u{unit:04X}");
        },
    ] {
        let mut ascii = String::with_capacity(inner.len());
        for c in inner.chars() {
            if c.is_ascii() {
                ascii.push(c);
            } else {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escape(&mut ascii, *unit));
            }
        }
        forms.insert(ascii);
    }
    forms.insert(inner.to_owned());
}

/// What base64 makes of the secret wherever it stands in the text encoded: the three ways in which it can lie on groups
/// of three bytes, without the digits that its neighbours have a part in; and, at the end of the text encoded, with the
/// last digit that zeros fill up.
fn base64(secret: &[u8], forms: &mut BTreeSet<String>) {
    for before in 0..3_usize {
        let bits: Vec<u8> = std::iter::repeat_n(&0, before).chain(secret).copied().collect();
        let first = (before * 8).div_ceil(6);
        for alphabet in [STANDARD, URL_SAFE] {
            let digits: String = (first..(bits.len() * 8).div_ceil(6)).map(|at| digit(&bits, at, alphabet)).collect();
            let whole = bits.len() * 8 / 6 - first;
            forms.insert(digits[..whole].to_owned());
            forms.insert(digits);
        }
    }
}

/// The digit number `at` of the encoding of `bytes`.
fn digit(bytes: &[u8], at: usize, alphabet: &[u8; 64]) -> char {
    let byte = |index: usize| u16::from(bytes.get(index).copied().unwrap_or(0));
    let (index, shift) = (at * 6 / 8, at * 6 % 8);
    let pair = byte(index) << 8 | byte(index + 1);
    char::from(alphabet[usize::from(pair >> (10 - shift) & 63)])
}
