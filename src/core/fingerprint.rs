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
        let mut feed = |piece: &str| {
            is_empty = false;
            hasher.write(piece.as_bytes());
        };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let length = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            if length > 0 {
                let (word, after) = rest.split_at(length);
                likeness(word, &mut feed);
                // Parts words that stand together from one word.
                feed("\u{1}");
                rest = after;
            } else {
                // How a text is set out says nothing.
                if !first.is_whitespace() && !first.is_control() {
                    feed(first.encode_utf8(&mut [0; 4]));
                }
                rest = &rest[first.len_utf8()..];
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
fn likeness(word: &str, feed: &mut impl FnMut(&str)) {
    if is_number(word) {
        feed("0");
        return;
    }
    for part in word.split_inclusive(['_', '-']) {
        let (part, joint) = part.split_at(part.trim_end_matches(['_', '-']).len());
        if is_number(part) || is_id(part) {
            feed("0");
        } else {
            without_digits(part, feed);
        }
        feed(joint);
    }
}

/// Each row of digits counts as any other.
fn without_digits(part: &str, feed: &mut impl FnMut(&str)) {
    let mut rest = part;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let after = rest[at..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |length| at + length);
        feed(&rest[..at]);
        feed("0");
        rest = &rest[after..];
    }
    feed(rest);
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
    let kinds = part.chars().filter(|c| c.is_alphanumeric()).map(|c| c.is_ascii_digit());
    let (mut last, mut changes) = (None, 0);
    for kind in kinds {
        changes += usize::from(last.is_some_and(|last| last != kind));
        last = Some(kind);
    }
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
