//! Replaces every form of every secret in a text that comes in pieces, in one pass.
//!
//! A match may begin in one piece and end in another, and no more is held back than what may still become a secret.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use patterns::MARK;
pub(super) use patterns::Patterns;
use reader::{Reader, State};

mod patterns;
mod reader;

/// Redacts a text given in pieces. Positions count the bytes of the whole text.
pub(super) struct Redact {
    reader: Reader,
    /// What was read and is not settled: it may belong to a secret whose end is still to come.
    pending: VecDeque<u8>,
    /// Where `pending` begins.
    settled: usize,
    /// Secrets found that reach into `pending`: disjoint, in order. The first may begin before it: its mark is written.
    found: VecDeque<Range<usize>>,
    again: Option<Again>,
}

impl Redact {
    pub(super) fn new(patterns: Arc<Patterns>) -> Redact {
        let again = patterns.meets_mark.then(|| Again::new(Arc::clone(&patterns)));
        Redact { reader: Reader::new(patterns), pending: VecDeque::new(), settled: 0, found: VecDeque::new(), again }
    }

    /// Adds to `out` what is settled now: whole characters.
    pub(super) fn push(&mut self, text: &str, out: &mut Vec<u8>) {
        let mut rest = text.as_bytes();
        while let Some(&byte) = rest.first() {
            if self.pending.is_empty() {
                let plain = rest.iter().take_while(|byte| self.reader.passes(**byte)).count();
                if plain > 0 {
                    self.reader.pass(plain);
                    self.write(&rest[..plain], out);
                    self.settled += plain;
                    rest = &rest[plain..];
                    continue;
                }
            }
            self.pending.push_back(byte);
            let found = &mut self.found;
            self.reader.read(byte, &mut |secret| add(found, secret));
            let begun = self.reader.begun();
            self.reader.forget(begun);
            self.settle(begun, out);
            rest = &rest[1..];
        }
    }

    /// Adds the rest of a text that was cut off here: as `finish`, but if it ends with the beginning of a secret, long enough
    /// to be one, that goes too.
    pub(super) fn cut_off(mut self, least: usize, out: &mut Vec<u8>) {
        let begun = self.reader.begun_with(least);
        if begun < self.reader.position {
            add(&mut self.found, begun..self.reader.position);
        }
        self.finish(out);
    }

    /// Adds the rest.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        let found = &mut self.found;
        self.reader.end(&mut |secret| add(found, secret));
        self.settle(self.reader.position, out);
        if let Some(again) = self.again {
            again.finish(out);
        }
    }

    /// Writes all before `limit`: no secret still to be found begins there.
    fn settle(&mut self, limit: usize, out: &mut Vec<u8>) {
        while self.settled < limit {
            let Range { start, end } = self.found.front().cloned().unwrap_or(limit..limit);
            if self.settled < start {
                let plain: Vec<u8> = self.pending.drain(..start.min(limit) - self.settled).collect();
                self.settled += plain.len();
                self.write(&plain, out);
                continue;
            }
            if self.settled == start {
                self.write(MARK, out);
            }
            let secret = end.min(limit) - self.settled;
            self.pending.drain(..secret);
            self.settled += secret;
            if self.settled == end {
                self.found.pop_front();
            }
        }
    }

    fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.again {
            None => out.extend_from_slice(bytes),
            Some(again) => bytes.iter().for_each(|byte| again.push(*byte, out)),
        }
    }
}

/// Overlapping matches are one: redacting only the first would leave the rest of the second.
fn add(found: &mut VecDeque<Range<usize>>, mut secret: Range<usize>) {
    while let Some(before) = found.pop_back_if(|before| secret.start < before.end) {
        secret = secret.start.min(before.start)..secret.end.max(before.end);
    }
    found.push_back(secret);
}

/// A second look at what was written, for secrets that have a `*` in them: a mark beside other text may spell one.
///
/// A stack: a secret at its top is replaced by the mark, which is read like any other text; so no secret ever stands in
/// what leaves it. Every replacement makes the text shorter (a pattern is longer than the mark), so the time is linear.
struct Again {
    reader: Reader,
    /// The last bytes, each with the reader's state after it; never more than the longest pattern can reach back.
    held: VecDeque<(u8, State)>,
    /// The state before the first of them.
    before: State,
    /// What is to be read next.
    coming: VecDeque<u8>,
}

impl Again {
    fn new(patterns: Arc<Patterns>) -> Again {
        Again {
            reader: Reader::new(patterns),
            held: VecDeque::new(),
            before: State::default(),
            coming: VecDeque::new(),
        }
    }

    fn push(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.coming.push_back(byte);
        self.read();
        // A byte of a pattern takes three when it is percent-encoded.
        while self.held.len() > 3 * self.reader.patterns().longest {
            // Whole characters, so that what was written so far is always text.
            while let Some((byte, state)) = self.held.pop_front() {
                out.push(byte);
                self.before = state;
                if self.held.front().is_none_or(|(next, _)| next & 0b1100_0000 != 0b1000_0000) {
                    break;
                }
            }
            self.reader.forget(self.reader.position - self.held.len());
        }
    }

    fn finish(mut self, out: &mut Vec<u8>) {
        let mut secret = None;
        while {
            self.reader.end(&mut |found| widen(&mut secret, found));
            secret.is_some()
        } {
            self.replace(secret.take());
            self.read();
        }
        out.extend(self.held.iter().map(|(byte, _)| byte));
    }

    fn read(&mut self) {
        while let Some(byte) = self.coming.pop_front() {
            let mut secret = None;
            self.reader.read(byte, &mut |found| widen(&mut secret, found));
            self.held.push_back((byte, self.reader.state));
            self.replace(secret);
        }
    }

    /// Takes the secret off the top; to be read instead are the mark, and what stood above the secret.
    fn replace(&mut self, secret: Option<Range<usize>>) {
        let Some(secret) = secret.filter(|secret| secret.len() > MARK.len()) else { return };
        let bottom = self.reader.position - self.held.len();
        // With its beginning written, a mark would only spell it again, for ever.
        let mark = if secret.start < bottom { &[] } else { MARK };
        let above = self.held.drain(secret.end.saturating_sub(bottom)..).map(|(byte, _)| byte);
        above.rev().chain(mark.iter().copied()).for_each(|byte| self.coming.push_front(byte));
        self.held.truncate(secret.start.saturating_sub(bottom));
        let state = self.held.back().map_or(self.before, |(_, state)| *state);
        self.reader.go_back(bottom + self.held.len(), state);
    }
}

fn widen(secret: &mut Option<Range<usize>>, found: Range<usize>) {
    *secret =
        Some(secret.take().map_or(found.clone(), |secret| secret.start.min(found.start)..secret.end.max(found.end)));
}

#[cfg(test)]
impl Again {
    fn held(&self) -> usize {
        self.held.len() + self.reader.remembered()
    }
}

#[cfg(test)]
impl Redact {
    /// How many bytes wait for what comes next.
    pub(super) fn held(&self) -> usize {
        self.pending.capacity()
            + self.found.len()
            + self.reader.remembered()
            + self.again.as_ref().map_or(0, Again::held)
    }
}
