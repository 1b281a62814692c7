//! Whether two traces tell of the same failure: compared with numbers, ids and stamps left aside.
//!
//! A trace of the same failure differs from the last one in the times it was met at, the run it belongs to, a row count, an
//! address in memory. So a word with digits counts by its letters alone, and one that looks like an id counts as any other
//! id. It is a hint for a person, and decides nothing.

use std::hash::{DefaultHasher, Hasher};

/// The likeness of a trace. Two traces of one failure have the same; two that have the same are of one failure, most likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

/// A part of a word of so many characters that has digits is an id, whatever its letters: no word of a language has both.
const ID: usize = 16;

/// A word without digits that is all of these letters is taken for a part of an id from this length on: `deadbeef`.
const HEX: usize = 8;

/// A part of a word in which letters and digits change so often is an id: `a3x9`.
const CHANGES: usize = 3;

impl Fingerprint {
    /// The likeness of this text; `None` where there is nothing but blanks.
    pub fn of(text: &str) -> Option<Fingerprint> {
        let mut hasher = DefaultHasher::new();
        let mut is_empty = true;
        let mut feed = |piece: &[u8]| {
            is_empty = false;
            hasher.write(piece);
        };
        // Each piece is a word, or none, and the character after it.
        for piece in text.split_inclusive(|c| !is_of_word(c)) {
            let (word, after) = piece.split_at(piece.trim_end_matches(|c| !is_of_word(c)).len());
            if !word.is_empty() {
                likeness(word, &mut feed);
                // Parts words that stand together from one word.
                feed(b"\x01");
            }
            // How a text is set out says nothing.
            if after.contains(|c: char| !c.is_whitespace() && !c.is_control()) {
                feed(after.as_bytes());
            }
        }
        (!is_empty).then(|| Fingerprint(hasher.finish()))
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Feeds what is left of a word. A name of several parts, `load_orders_v2`, is told by its parts; an id of several, a UUID,
/// is one.
fn likeness(word: &str, feed: &mut impl FnMut(&[u8])) {
    if is_number(word) {
        return feed(b"0");
    }
    for part in word.split_inclusive(['_', '-']) {
        let (part, joint) = part.split_at(part.trim_end_matches(['_', '-']).len());
        if is_number(part) || is_id(part) {
            feed(b"0");
        } else {
            // Each row of digits counts as any other.
            for row in part.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
                feed(if row.iter().all(u8::is_ascii_digit) { b"0" } else { row });
            }
        }
        feed(joint.as_bytes());
    }
}

/// A number, a date, a UUID, an address: nothing but hexadecimal digits, and long enough if they are letters only.
fn is_number(word: &str) -> bool {
    let bare = word.strip_prefix("0x").unwrap_or(word);
    let is_hex = bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-' || c == '_');
    let has_digits = word.contains(|c: char| c.is_ascii_digit());
    is_hex && (has_digits || bare.len() >= HEX && bare.contains(|c: char| c.is_ascii_hexdigit()))
}

fn is_id(part: &str) -> bool {
    if !part.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let is_digit = part.chars().filter(|c| c.is_alphanumeric()).map(|c| c.is_ascii_digit());
    let changes = is_digit.clone().zip(is_digit.skip(1)).filter(|(a, b)| a != b).count();
    part.len() >= ID || changes >= CHANGES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        Fingerprint::of(a) == Fingerprint::of(b)
    }

    #[test]
    fn numbers_ids_and_stamps_do_not_make_another_failure() {
        for (a, b) in [
            (
                "Connection timeout: Unable to connect to source database after 30 seconds",
                "Connection timeout: Unable to connect to source database after 31 seconds",
            ),
            ("[2024-01-13T06:00:00.123Z] task 7 failed", "[2025-11-30T23:59:59.9Z] task 12 failed"),
            ("run f9d8e7c6_b5a4_3928_1c0d_6e5f4a3b2c1d: no rows", "run e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c: no rows"),
            ("run f9d8e7c6-b5a4-3928-1c0d-6e5f4a3b2c1d: no rows", "run abcdefab-cdef-abcd-efab-cdefabcdefab: no rows"),
            ("<Frame object at 0x7f3a2b001c40>", "<Frame object at 0x55d0aa>"),
            ("key 01HXYZABCDEFGHJKMNPQRSTVWX is gone", "key 01J0000000000000000000ABCD is gone"),
            ("token a3x9k2 refused", "token q7r1t9z refused"),
            ("manual__2024-12-18T10:30:00+00:00", "manual__2024-12-19T11:31:01+00:00"),
            ("task load_a1b2c3d4e5_orders failed", "task load_ffee0011_orders failed"),
            ("line 3\n  in load", "line 4 in load\n"),
            ("/data/2024/01/part_0001.csv: broken", "/data/2025/12/part_0417.csv: broken"),
        ] {
            assert!(same(a, b), "{a} / {b}");
        }
    }

    #[test]
    fn another_cause_is_another_failure() {
        for (a, b) in [
            ("Connection timeout", "Connection refused"),
            ("KeyError: 'price'", "KeyError: 'cost'"),
            ("table_12 is missing", "file_12 is missing"),
            ("Task transform_orders_daily_v1 failed", "Task load_customers_table_v2 failed"),
            ("Task transform-orders-daily-2 failed", "Task load-customers-daily-2 failed"),
            ("step extract_2024_orders: no rows", "step extract_2024_customers: no rows"),
            ("a b", "ab"),
            ("a-b", "a b"),
            ("division by zero", "division by zero in load"),
            ("decade", "facade"),
            ("", "x"),
            ("é", "è"),
        ] {
            assert!(!same(a, b), "{a} / {b}");
        }
    }

    #[test]
    fn a_text_of_blanks_has_no_likeness_and_any_other_text_has_one() {
        for nothing in ["", " \n\t", "\u{0}\u{1b}\r\n", "\u{a0}"] {
            assert_eq!(Fingerprint::of(nothing), None, "{nothing:?}");
        }
        for odd in ["-", "_", "0", "0x", "\u{202e}", "🦀", "é1é1é1", "0x-", "\u{fffd}"] {
            assert!(Fingerprint::of(odd).is_some(), "{odd:?}");
        }
    }
}
