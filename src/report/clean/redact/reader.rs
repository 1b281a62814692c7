//! Reads a text in two ways at once, as it stands and as percent-decoding shows it, and tells where secrets are.
//!
//! Encoders differ in what they leave as it is (`!`, `*`, `~`, `/` ...), so a secret has more percent-encoded forms than can
//! be listed; decoded, it has one.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::patterns::Patterns;

/// What is known after the text read so far.
#[derive(Clone, Copy, Default)]
pub(super) struct State {
    raw: u32,
    decoded: u32,
    escape: Escape,
    /// How many decoded bytes there were.
    decoded_bytes: usize,
}

/// Read of a percent-encoded byte, and not yet told to the decoded reading: it may turn out to be none.
#[derive(Clone, Copy, Default)]
enum Escape {
    #[default]
    None,
    Percent,
    Digit(u8),
}

/// Positions count the bytes of the whole text.
pub(super) struct Reader {
    patterns: Arc<Patterns>,
    pub(super) state: State,
    pub(super) position: usize,
    /// Where the newest decoded bytes begin in the text; the last one is number `state.decoded_bytes - 1`.
    starts: VecDeque<usize>,
}

impl Reader {
    pub(super) fn new(patterns: Arc<Patterns>) -> Reader {
        Reader { patterns, state: State::default(), position: 0, starts: VecDeque::new() }
    }

    pub(super) fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// Whether this byte can neither begin a secret nor hide one's beginning.
    pub(super) fn passes(&self, byte: u8) -> bool {
        byte != b'%' && self.patterns.passes(byte)
    }

    /// Passes by bytes that `passes` said are nothing; only where nothing is `begun`.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.position += bytes;
        self.starts.clear();
    }

    /// Reads a byte, and tells each secret that is seen to end now, at most two bytes late.
    pub(super) fn read(&mut self, byte: u8, found: &mut impl FnMut(Range<usize>)) {
        let here = self.position;
        self.position += 1;
        match (self.state.escape, byte) {
            (Escape::Percent, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.state.escape = Escape::Digit(byte),
            (Escape::Digit(high), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                self.state.escape = Escape::None;
                self.decoded(value(high) << 4 | value(byte), here - 2..here + 1, found);
            }
            _ => {
                self.no_escape(here, found);
                if byte == b'%' {
                    self.state.escape = Escape::Percent;
                } else {
                    self.decoded(byte, here..here + 1, found);
                }
            }
        }
        self.state.raw = self.patterns.next(self.state.raw, byte);
        let length = self.patterns.ends(self.state.raw);
        if length > 0 {
            found(self.position - length..self.position);
        }
    }

    /// The text ends here: what looked like the beginning of an encoded byte was none.
    pub(super) fn end(&mut self, found: &mut impl FnMut(Range<usize>)) {
        self.no_escape(self.position, found);
    }

    /// Where the longest beginning of a secret begins that the text ends with; the position if there is none.
    pub(super) fn begun(&self) -> usize {
        let raw = self.position - self.patterns.depth(self.state.raw);
        let escape = match self.state.escape {
            Escape::None => self.position,
            Escape::Percent => self.position - 1,
            Escape::Digit(_) => self.position - 2,
        };
        raw.min(self.start(self.patterns.depth(self.state.decoded)).unwrap_or(escape)).min(escape)
    }

    /// As `begun`, of those that have at least so many bytes of a secret.
    pub(super) fn begun_with(&self, least: usize) -> usize {
        let raw = self.patterns.depth(self.state.raw);
        let decoded = self.patterns.depth(self.state.decoded);
        let raw = if raw >= least { self.position - raw } else { self.position };
        let decoded = if decoded >= least { self.start(decoded) } else { None };
        raw.min(decoded.unwrap_or(self.position))
    }

    /// Nothing before this position is asked for again.
    pub(super) fn forget(&mut self, before: usize) {
        while self.starts.pop_front_if(|start| *start < before).is_some() {}
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.starts.len()
    }

    /// Goes back to an earlier position and the state that was there.
    pub(super) fn go_back(&mut self, position: usize, state: State) {
        let later = self.state.decoded_bytes - state.decoded_bytes;
        self.starts.truncate(self.starts.len().saturating_sub(later));
        (self.position, self.state) = (position, state);
    }

    fn no_escape(&mut self, end: usize, found: &mut impl FnMut(Range<usize>)) {
        match std::mem::take(&mut self.state.escape) {
            Escape::None => {}
            Escape::Percent => self.decoded(b'%', end - 1..end, found),
            Escape::Digit(high) => {
                self.decoded(b'%', end - 2..end - 1, found);
                self.decoded(high, end - 1..end, found);
            }
        }
    }

    fn decoded(&mut self, byte: u8, place: Range<usize>, found: &mut impl FnMut(Range<usize>)) {
        self.state.decoded = self.patterns.next(self.state.decoded, byte);
        self.state.decoded_bytes += 1;
        self.starts.push_back(place.start);
        let length = self.patterns.ends(self.state.decoded);
        if length > 0 {
            found(self.start(length).unwrap_or(0)..place.end);
        }
    }

    /// Where the last `bytes` decoded bytes begin; what was forgotten began at 0.
    fn start(&self, bytes: usize) -> Option<usize> {
        let first = self.starts.len().checked_sub(bytes);
        if bytes == 0 { None } else { Some(first.map_or(0, |first| self.starts[first])) }
    }
}

fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}
