//! Replaces every form of every secret in a text that comes in pieces.
//!
//! The text is searched in windows, each in several readings (`decoding`): as it stands, without its line breaks, and
//! decoded. A window overlaps the next by the longest place that a secret can take, so that every secret stands in one of
//! them as a whole, wherever the pieces were cut.

use std::ops::Range;
use std::sync::Arc;

use decoding::DecodedText;
pub(super) use patterns::Patterns;

mod decoding;
mod patterns;

/// How much text is searched at once, in bytes: much more than windows usually overlap, and little memory.
const WINDOW: usize = 64 * 1024;

/// How many bytes of a text one byte of a secret takes at most: `&amp;#x0000002f;`, HTML twice.
const WIDEST: usize = 16;

/// Redacts a text given in pieces.
pub(super) struct RedactionStream {
    patterns: Arc<Patterns>,
    /// What is not written yet, behind as much of what is as a secret can reach back.
    pending: Vec<u8>,
    written: usize,
    /// The longest place of a secret in a text, and of what decodes to its first byte.
    overlap: usize,
}

impl RedactionStream {
    pub(super) fn new(patterns: Arc<Patterns>) -> RedactionStream {
        let overlap = (patterns.longest + 1) * WIDEST;
        RedactionStream { patterns, pending: Vec::new(), written: 0, overlap }
    }

    /// Adds to `out` what is settled now: whole characters.
    pub(super) fn push(&mut self, text: &str, out: &mut Vec<u8>) {
        if self.patterns.is_empty() {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        let window = WINDOW.max(self.overlap);
        for piece in text.as_bytes().chunks(window) {
            self.pending.extend_from_slice(piece);
            if self.pending.len() - self.written >= self.overlap + window {
                let found = self.search(None);
                self.write(&found, self.pending.len() - self.overlap, out);
                self.pending.drain(..self.written.saturating_sub(self.overlap));
                self.written = self.written.min(self.overlap);
            }
        }
    }

    /// Adds the rest of a text that was cut off here: as `finish`, but if it ends with the beginning of a secret, long enough
    /// to be one, that goes too.
    pub(super) fn cut_off(mut self, least: usize, out: &mut Vec<u8>) {
        let found = self.search(Some(least));
        self.write(&found, self.pending.len(), out);
    }

    /// Adds the rest.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        let found = self.search(None);
        self.write(&found, self.pending.len(), out);
    }

    /// Where secrets are in what is pending, in order; overlapping ones are one, for redacting the first alone would leave
    /// the rest of the second. With `least`, also the beginning of a secret at the end, of at least so many bytes.
    fn search(&self, least: Option<usize>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut read = |reading: &DecodedText| {
            let begun = self.patterns.search(reading.bytes(), |secret| found.push(reading.place(secret)));
            let begins = reading.bytes().len() - begun;
            if least.is_some_and(|least| begun >= least) {
                found.push(reading.place(begins..reading.bytes().len()).start..self.pending.len());
            }
        };
        DecodedText::each(&self.pending, &mut read);
        if least.is_some() {
            DecodedText::before_the_cut(&self.pending, &mut read);
        }
        found.sort_unstable_by_key(|secret| (secret.start, secret.end));
        found.dedup_by(|next, before| {
            let overlaps = next.start < before.end;
            if overlaps {
                before.end = before.end.max(next.end);
            }
            overlaps
        });
        found
    }

    /// Writes all before `limit`, and the mark of a secret that begins before it.
    fn write(&mut self, found: &[Range<usize>], limit: usize, out: &mut Vec<u8>) {
        let is_boundary = |at: &usize| self.pending.get(*at).is_none_or(|byte| byte & 0b1100_0000 != 0b1000_0000);
        let limit = (self.written..=limit).rev().find(is_boundary).unwrap_or(self.written);
        let mut at = self.written;
        for secret in found.iter().filter(|secret| secret.end > self.written && secret.start < limit) {
            if secret.start >= at {
                out.extend_from_slice(&self.pending[at..secret.start]);
            }
            // The mark of one that began before is written.
            if secret.start >= self.written {
                out.extend_from_slice(self.patterns.mark.as_bytes());
            }
            at = secret.end;
        }
        if at < limit {
            out.extend_from_slice(&self.pending[at..limit]);
        }
        self.written = at.max(limit);
    }

    /// How many bytes are held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.pending.capacity()
    }
}
