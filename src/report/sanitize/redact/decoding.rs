//! The readings of a text in which a secret is looked for: as it stands, without its line breaks (base64 is wrapped), and as
//! percent-decoding, HTML and JSON show it, each of them once and twice.
//!
//! Encoders differ in what they leave as it is (`!`, `*`, `~`, `/` ...), so a secret has more encoded forms than can be
//! listed; decoded, it has one. Whatever is not an escape stands for itself.

use std::ops::Range;

/// The longest escape that is decoded, in bytes, and so the longest that the end of a text can have cut off.
const LONGEST_ESCAPE: usize = 12;

/// A text with the place of each of its bytes in the window.
pub(super) struct DecodedText {
    bytes: Vec<u8>,
    places: Vec<ByteRange>,
}

/// From where to where in the window.
type ByteRange = (u32, u32);

/// What an escape stands for: the bytes, how many of them count, and the length of the escape.
type Decoded = ([u8; 4], usize, usize);

/// Decodes the escape that a text begins with, if it does.
type Decode = fn(&[u8]) -> Option<Decoded>;

const ENCODINGS: [(u8, Decode); 3] = [(b'%', percent), (b'&', html), (b'\\', json)];

impl DecodedText {
    /// Hands on each reading of a window that differs from those before it.
    pub(super) fn each(window: &[u8], mut read: impl FnMut(&DecodedText)) {
        let raw = DecodedText::raw(window);
        read(&raw);
        if window.contains(&b'\n') {
            read(&raw.decoded(b'\n', |_| Some(([0; 4], 0, 1))));
        }
        for (mark, decode) in ENCODINGS {
            if !window.contains(&mark) {
                continue;
            }
            let once = raw.decoded(mark, decode);
            read(&once);
            if once.bytes.contains(&mark) {
                read(&once.decoded(mark, decode));
            }
        }
    }

    /// Hands on what stands before an escape that the end of the window may have cut off: it may be the beginning of a secret.
    pub(super) fn before_the_cut(window: &[u8], mut read: impl FnMut(&DecodedText)) {
        let end = window.len().saturating_sub(LONGEST_ESCAPE);
        for (mark, decode) in ENCODINGS {
            if let Some(cut) = window[end..].iter().rposition(|byte| *byte == mark) {
                read(&DecodedText::raw(&window[..end + cut]).decoded(mark, decode));
            }
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a piece of the reading stands in the window.
    pub(super) fn place(&self, piece: Range<usize>) -> Range<usize> {
        self.places[piece.start].0 as usize..self.places[piece.end - 1].1 as usize
    }

    /// The text as it stands.
    fn raw(window: &[u8]) -> DecodedText {
        let length = u32::try_from(window.len()).expect("a window is small");
        DecodedText { bytes: window.to_vec(), places: (0..length).map(|at| (at, at + 1)).collect() }
    }

    /// The same decoded; `mark` is what every escape begins with.
    fn decoded(&self, mark: u8, decode: impl Fn(&[u8]) -> Option<Decoded>) -> DecodedText {
        let length = self.bytes.len();
        let mut reading = DecodedText { bytes: Vec::with_capacity(length), places: Vec::with_capacity(length) };
        let mut at = 0;
        while at < length {
            let plain = self.bytes[at..].iter().position(|byte| *byte == mark).map_or(length, |next| at + next);
            reading.bytes.extend_from_slice(&self.bytes[at..plain]);
            reading.places.extend_from_slice(&self.places[at..plain]);
            at = plain;
            if at < length {
                let escape = &self.bytes[at..length.min(at + LONGEST_ESCAPE)];
                let (bytes, count, long) = decode(escape).unwrap_or(([mark, 0, 0, 0], 1, 1));
                let place = (self.places[at].0, self.places[at + long - 1].1);
                reading.bytes.extend_from_slice(&bytes[..count]);
                reading.places.extend(std::iter::repeat_n(place, count));
                at += long;
            }
        }
        reading
    }
}

/// `%2F`.
fn percent(text: &[u8]) -> Option<Decoded> {
    let byte = u8::from_str_radix(digits(text.get(1..3)?)?, 16).ok()?;
    Some(([byte, 0, 0, 0], 1, 3))
}

/// `&amp;`, `&#47;`, `&#x2F;`: what must be escaped in HTML and XML, and any character by its number.
fn html(text: &[u8]) -> Option<Decoded> {
    let end = text.iter().position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(text.get(1..end)?).ok()?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(number) => u32::from_str_radix(digits(number.as_bytes())?, 16),
                None => digits(number.as_bytes())?.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some(character(c, end + 1))
}

/// `\/`, `\"`, `\n`, `\u0026`, and two of the last kind for a character beyond U+FFFF.
fn json(text: &[u8]) -> Option<Decoded> {
    let unit = |text: &[u8]| match text {
        [b'\\', b'u', number @ ..] => u16::from_str_radix(digits(number.get(..4)?)?, 16).ok(),
        _ => None,
    };
    let c = match text.get(1)? {
        c @ (b'"' | b'\\' | b'/') => char::from(*c),
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let high = unit(text)?;
            let low = text.get(6..).and_then(unit);
            return match char::decode_utf16([high]).next()? {
                Ok(c) => Some(character(c, 6)),
                Err(_) => Some(character(char::decode_utf16([high, low?]).next()?.ok()?, 12)),
            };
        }
        _ => return None,
    };
    Some(character(c, 2))
}

fn character(c: char, length: usize) -> Decoded {
    let mut bytes = [0; 4];
    let count = c.encode_utf8(&mut bytes).len();
    (bytes, count, length)
}

/// Text of digits of base 16 at the most: `from_str_radix` would take a sign too.
fn digits(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(text)
}
