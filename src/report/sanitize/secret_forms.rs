//! The forms in which a secret may stand in a text: as it is, line by line, with pluses for blanks, in hexadecimal, within
//! base64; a token part by part, a TOTP secret in groups. Whatever of it is escaped, `redact` reads through.

use std::collections::BTreeSet;

use super::strip::strip;

/// The shortest secret that can be told from ordinary text (docs/reference.md#untrusted-text-and-secrets),
/// and the shortest form looked for.
pub(super) const SHORTEST: usize = 6;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Every form of `secret`, each as it is, which an escape preserves, and as it looks after stripping; none that is then under
/// `SHORTEST` bytes.
pub(super) fn forms(secret: &str) -> BTreeSet<String> {
    let unix = secret.replace("\r\n", "\n").replace('\r', "\n");
    let windows = unix.replace('\n', "\r\n");
    // A log shows a secret of many lines line by line. A line of blanks is no secret.
    let lines = unix.split('\n').filter(|line| line.len() >= SHORTEST && !line.trim().is_empty());
    let mut forms = BTreeSet::new();
    for part in [secret, &unix, &windows].into_iter().chain(lines) {
        forms.insert(part.to_owned());
        forms.insert(part.replace(' ', "+"));
        let hexadecimal: String = part
            .bytes()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
            .collect();
        forms.insert(hexadecimal.to_ascii_uppercase());
        forms.insert(hexadecimal);
        base64(part.as_bytes(), &mut forms);
    }
    forms.extend(jwt_parts(secret));
    base32_groups(secret, &mut forms);
    let both = |form: String| [strip(&form), form];
    forms.into_iter().map(both).filter(|[seen, _]| seen.len() >= SHORTEST).flatten().collect()
}

/// Header, claims and signature of a JWT, which debuggers show apart.
fn jwt_parts(secret: &str) -> impl Iterator<Item = String> {
    let parts: Vec<&str> = secret.split('.').collect();
    let is_part = |part: &&str| !part.is_empty() && part.bytes().all(|byte| URL_SAFE.contains(&byte));
    let is_jwt = parts.len() == 3 && parts.iter().all(is_part);
    parts.into_iter().filter(move |_| is_jwt).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// The sizes of the groups in which base32 is shown to people.
const GROUPS: std::ops::RangeInclusive<usize> = 2..=8;

/// The shortest text that is taken for base32: a TOTP secret has 80 bits or more.
const BASE32: usize = 16;

/// A TOTP secret is shown, and typed, in upper or lower case and in groups. Its own blanks and dashes count for nothing.
fn base32_groups(secret: &str, forms: &mut BTreeSet<String>) {
    let digits: String = secret.chars().filter(|c| !" -=".contains(*c)).collect();
    let is_base32 = |c: char| c.is_ascii_alphabetic() || ('2'..='7').contains(&c);
    if digits.len() < BASE32 || !digits.chars().all(is_base32) {
        return;
    }
    for digits in [digits.to_ascii_uppercase(), digits.to_ascii_lowercase()] {
        for size in GROUPS {
            let groups: Vec<&str> =
                (0..digits.len()).step_by(size).map(|at| &digits[at..digits.len().min(at + size)]).collect();
            forms.extend([" ", "-"].map(|gap| groups.join(gap)));
        }
        forms.insert(digits);
    }
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
