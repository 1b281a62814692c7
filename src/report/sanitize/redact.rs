//! Replaces every form of every secret in a text that comes in pieces.
//!
//! The text is searched in windows, each in several readings (`decoding`): as it stands, without its line breaks, and
//! decoded. A window overlaps the next by the longest place that a secret can take, so that every secret stands in one of
//! them as a whole, wherever the pieces were cut.

use std::ops::Range;
use std::sync::Arc;

use super::secret_forms::SHORTEST;
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
    pending: String,
    written: usize,
    /// The longest place of a secret in a text, and of what decodes to its first byte.
    overlap: usize,
}

impl RedactionStream {
    pub(super) fn new(patterns: Arc<Patterns>) -> RedactionStream {
        let overlap = (patterns.longest + 1) * WIDEST;
        RedactionStream { patterns, pending: String::new(), written: 0, overlap }
    }

    /// To append the next piece to: not much longer than a window, and followed by `settle`.
    pub(super) fn pending(&mut self) -> &mut String {
        &mut self.pending
    }

    /// Adds to `out` what no later piece can change.
    pub(super) fn settle(&mut self, out: &mut String) {
        if self.patterns.is_empty() {
            out.push_str(&self.pending);
            self.pending.clear();
        } else if self.pending.len() - self.written >= self.overlap + WINDOW.max(4 * self.overlap) {
            self.write(&self.search(None), self.pending.len() - self.overlap, out);
            let context = self.pending.floor_char_boundary(self.written.saturating_sub(self.overlap));
            self.pending.drain(..context);
            self.written -= context;
        }
    }

    /// Adds the rest. Where a limit `cut_off` the text, the beginning of a secret at its end goes too, if it is long enough to
    /// be one.
    pub(super) fn finish(mut self, cut_off: bool, out: &mut String) {
        let found = self.search(cut_off.then_some(SHORTEST));
        self.write(&found, self.pending.len(), out);
    }

    /// Where secrets are in what is pending, in order; overlapping ones are one, for redacting the first alone would leave
    /// the rest of the second. With `least`, also the beginning of a secret at the end, of at least so many bytes.
    fn search(&self, least: Option<usize>) -> Vec<Range<usize>> {
        let (text, patterns) = (self.pending.as_bytes(), &*self.patterns);
        let mut found = Vec::new();
        let mut read = |reading: &DecodedText<'_>| {
            let bytes = reading.bytes();
            let mut secrets: Vec<Range<usize>> = Vec::new();
            for piece in reading.pieces(patterns.longest) {
                patterns.search(&bytes[piece.clone()], &mut |secret| {
                    let (start, end) = (piece.start + secret.start, piece.start + secret.end);
                    // A secret of one letter can end at every byte of a text.
                    match secrets.last_mut() {
                        Some(last) if start < last.end => (last.start, last.end) = (start.min(last.start), end),
                        _ => secrets.push(start..end),
                    }
                });
            }
            found.extend(secrets.into_iter().map(|secret| reading.place(secret)));
            if let Some(begun) = least.and_then(|least| patterns.begun(bytes, least)) {
                found.push(reading.place(bytes.len() - begun..bytes.len()).start..text.len());
            }
        };
        DecodedText::each(text, &mut read);
        if least.is_some() {
            DecodedText::before_the_cut(text, &mut read);
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
    fn write(&mut self, found: &[Range<usize>], limit: usize, out: &mut String) {
        let limit = self.pending.floor_char_boundary(limit).max(self.written);
        let mut at = self.written;
        for secret in found.iter().filter(|secret| secret.end > self.written && secret.start < limit) {
            if secret.start >= at {
                out.push_str(&self.pending[at..secret.start]);
            }
            // The mark of one that began before is written.
            if secret.start >= self.written {
                out.push_str(&self.patterns.mark);
            }
            at = secret.end;
        }
        if at < limit {
            out.push_str(&self.pending[at..limit]);
        }
        self.written = at.max(limit);
    }

    /// How many bytes are held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.pending.capacity()
    }
}
