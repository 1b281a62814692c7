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
    /// What it was decoded from, and the escapes in it, in order.
    source: Option<&'t DecodedText<'t>>,
    escapes: Vec<Escape>,
}

/// Some bytes of a decoded text, and where the escape stands that they come from.
struct Escape {
    decoded: Range<usize>,
    from: Range<usize>,
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
        DecodedText { bytes: Cow::Borrowed(text), source: None, escapes: Vec::new() }
    }

    /// The same with its escapes decoded, each of which begins with `mark`; none if there are none.
    fn decoded(&'t self, mark: u8, decode: impl Fn(&[u8]) -> Option<Decoded>) -> Option<DecodedText<'t>> {
        let text = self.bytes();
        let (mut bytes, mut escapes, mut done, mut next) = (Vec::new(), Vec::new(), 0, 0);
        while let Some(first) = text.get(next) {
            // Escapes often stand side by side.
            if *first != mark {
                let Some(gap) = memchr::memchr(mark, &text[next..]) else { break };
                next += gap;
            }
            let at = next;
            next += 1;
            let Some((decoded, count, length)) = decode(&text[at..text.len().min(at + LONGEST_ESCAPE)]) else {
                continue;
            };
            if escapes.is_empty() {
                bytes.reserve(text.len());
            }
            bytes.extend_from_slice(&text[done..at]);
            escapes.push(Escape { decoded: bytes.len()..bytes.len() + count, from: at..at + length });
            bytes.extend_from_slice(&decoded[..count]);
            done = at + length;
            next = done;
        }
        bytes.extend_from_slice(&text[done..]);
        (!escapes.is_empty()).then_some(DecodedText { bytes: Cow::Owned(bytes), source: Some(self), escapes })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where to look for secrets of up to `longest` bytes: what holds nothing of an escape is in another reading too.
    pub(super) fn pieces(&self, longest: usize) -> Vec<Range<usize>> {
        let mut pieces: Vec<Range<usize>> = Vec::new();
        for Escape { decoded, .. } in &self.escapes {
            let (start, end) = (decoded.start.saturating_sub(longest), (decoded.end + longest).min(self.bytes.len()));
            match pieces.last_mut() {
                Some(last) if start <= last.end => last.end = end,
                _ => pieces.push(start..end),
            }
        }
        if self.source.is_none() {
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

    /// Where the byte at this place comes from.
    fn origin(&self, at: usize) -> Range<usize> {
        let before = self.escapes.partition_point(|escape| escape.decoded.start <= at);
        match before.checked_sub(1).map(|index| &self.escapes[index]) {
            None => at..at + 1,
            Some(escape) if at < escape.decoded.end => escape.from.clone(),
            Some(escape) => {
                let from = escape.from.end + (at - escape.decoded.end);
                from..from + 1
            }
        }
    }
}

/// `%2F`.
fn percent(text: &[u8]) -> Option<Decoded> {
    let byte = u8::try_from(number(text.get(1..3)?, 16)?).ok()?;
    Some(([byte, 0, 0, 0], 1, 3))
}

/// `&amp;`, `&#47;`, `&#x2F;`: what must be escaped in HTML and XML, and any character by its number.
fn html(text: &[u8]) -> Option<Decoded> {
    let (c, length) = match text {
        [_, b'#', numbered @ ..] => {
            let end = numbered.iter().position(|byte| *byte == b';')?;
            let code = match &numbered[..end] {
                [b'x' | b'X', digits @ ..] => number(digits, 16)?,
                digits => number(digits, 10)?,
            };
            (char::from_u32(code)?, "&#;".len() + end)
        }
        [_, b'a', b'm', b'p', b';', ..] => ('&', 5),
        [_, b'l', b't', b';', ..] => ('<', 4),
        [_, b'g', b't', b';', ..] => ('>', 4),
        [_, b'q', b'u', b'o', b't', b';', ..] => ('"', 6),
        [_, b'a', b'p', b'o', b's', b';', ..] => ('\'', 6),
        _ => return None,
    };
    Some(character(c, length))
}

/// `\/`, `\"`, `\n`, `\u0026`, and two of the last kind for a character beyond U+FFFF.
fn json(text: &[u8]) -> Option<Decoded> {
    let unit = |text: &[u8]| match text {
        [b'\\', b'u', digits @ ..] => number(digits.get(..4)?, 16).and_then(|unit| u16::try_from(unit).ok()),
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

/// The number that these digits write, and nothing but digits.
fn number(digits: &[u8], base: u32) -> Option<u32> {
    let add = |sum: u32, digit: &u8| sum.checked_mul(base)?.checked_add(char::from(*digit).to_digit(base)?);
    digits.iter().try_fold(0, add).filter(|_| !digits.is_empty())
}
