//! The readings of a text in which a secret is looked for: without its line breaks (base64 is wrapped), and as
//! percent-decoding, HTML and JSON show it, each of them once and twice.
//!
//! Encoders differ in what they leave as it is (`!`, `*`, `~`, `/` ...), so a secret has more encoded forms than can be
//! listed; decoded, it has one. Whatever is not an escape stands for itself.

use std::borrow::Cow;
use std::ops::Range;

/// The longest escape that is decoded, in bytes, and so the longest that the end of a text can have cut off.
const LONGEST_ESCAPE: usize = 12;

/// A text, as it stands or decoded.
pub(super) struct DecodedText<'t> {
    bytes: Cow<'t, [u8]>,
    /// What it was decoded from, and where its bytes come from, in order.
    source: Option<&'t DecodedText<'t>>,
    origins: Vec<Origin>,
}

/// Where the bytes from `at` on come from: an escape of some length at `from`, or as they are from there on if that is 0.
struct Origin {
    at: usize,
    from: usize,
    escape: usize,
}

/// What an escape stands for: the bytes, how many of them count, and the length of the escape.
type Decoded = ([u8; 4], usize, usize);

/// Decodes the escape that a text begins with, if it does.
type Decode = fn(&[u8]) -> Option<Decoded>;

const ENCODINGS: [(u8, Decode); 3] = [(b'%', percent), (b'&', html), (b'\\', json)];

impl<'t> DecodedText<'t> {
    /// Passes on each reading that differs from those before it.
    pub(super) fn each(text: &[u8], read: &mut dyn FnMut(&DecodedText<'_>)) {
        let raw = DecodedText::raw(text);
        read(&raw);
        raw.decoded(b'\n', |_| Some(([0; 4], 0, 1))).iter().for_each(&mut *read);
        for (mark, decode) in ENCODINGS {
            if let Some(once) = raw.decoded(mark, decode) {
                read(&once);
                once.decoded(mark, decode).iter().for_each(&mut *read);
            }
        }
    }

    /// Passes on what stands before an escape that the end of the text may have cut off: it may be the beginning of a secret.
    pub(super) fn before_the_cut(text: &[u8], read: &mut dyn FnMut(&DecodedText<'_>)) {
        let end = text.len().saturating_sub(LONGEST_ESCAPE);
        for (mark, decode) in ENCODINGS {
            if let Some(cut) = memchr::memrchr(mark, &text[end..]) {
                let raw = DecodedText::raw(&text[..end + cut]);
                read(raw.decoded(mark, decode).as_ref().unwrap_or(&raw));
            }
        }
    }

    fn raw(text: &'t [u8]) -> DecodedText<'t> {
        DecodedText { bytes: Cow::Borrowed(text), source: None, origins: Vec::new() }
    }

    /// The same with its escapes decoded, each of which begins with `mark`; none if there are none.
    fn decoded(&'t self, mark: u8, decode: impl Fn(&[u8]) -> Option<Decoded>) -> Option<DecodedText<'t>> {
        let text = self.bytes();
        let (mut bytes, mut origins, mut done, mut next) = (Vec::new(), Vec::new(), 0, 0);
        while let Some(gap) = memchr::memchr(mark, &text[next..]) {
            let at = next + gap;
            next = at + 1;
            let escape = &text[at..text.len().min(at + LONGEST_ESCAPE)];
            let Some((decoded, count, length)) = decode(escape) else { continue };
            if done < at {
                bytes.reserve(text.len() - bytes.len());
                origins.push(Origin { at: bytes.len(), from: done, escape: 0 });
                bytes.extend_from_slice(&text[done..at]);
            }
            if count > 0 {
                origins.push(Origin { at: bytes.len(), from: at, escape: length });
                bytes.extend(&decoded[..count]);
            }
            done = at + length;
            next = done;
        }
        origins.last()?;
        origins.push(Origin { at: bytes.len(), from: done, escape: 0 });
        bytes.extend_from_slice(&text[done..]);
        Some(DecodedText { bytes: Cow::Owned(bytes), source: Some(self), origins })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where to look for secrets of up to `longest` bytes: what has one origin is in another reading too.
    pub(super) fn pieces(&self, longest: usize) -> Vec<Range<usize>> {
        let mut pieces: Vec<Range<usize>> = Vec::new();
        for origin in self.origins.iter().skip(1) {
            let piece = origin.at.saturating_sub(longest)..(origin.at + longest).min(self.bytes.len());
            match pieces.last_mut() {
                Some(last) if piece.start <= last.end => last.end = piece.end,
                _ => pieces.push(piece),
            }
        }
        if self.origins.is_empty() {
            pieces.push(0..self.bytes.len());
        }
        pieces
    }

    /// Where a piece of the reading stands in the text.
    pub(super) fn place(&self, piece: Range<usize>) -> Range<usize> {
        match self.source {
            Some(source) => source.place(self.origin(piece.start).start..self.origin(piece.end - 1).end),
            None => piece,
        }
    }

    fn origin(&self, at: usize) -> Range<usize> {
        let origin = &self.origins[self.origins.partition_point(|origin| origin.at <= at) - 1];
        match origin.escape {
            0 => origin.from + (at - origin.at)..origin.from + (at - origin.at) + 1,
            length => origin.from..origin.from + length,
        }
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
