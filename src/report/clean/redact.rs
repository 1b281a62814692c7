//! Finds every form of every secret in a text that comes in pieces, in one pass.
//!
//! An Aho-Corasick automaton of our own: the time is linear in the text however many secrets there are and whatever the
//! text does to come close to them, a match may begin in one piece and end in another, and no more is held back than
//! what may still become a secret. (The crate of that name has no search for overlapping matches in pieces, and is larger
//! than this file's share of the binary.)

use std::collections::VecDeque;
use std::sync::Arc;

/// What a secret becomes.
const MARK: &[u8] = b"***";

/// The start, which is also "no node".
const ROOT: u32 = 0;

/// A place in the trie of all patterns: the longest beginning of a pattern that the text read so far ends with.
#[derive(Clone)]
struct Node {
    byte: u8,
    depth: u32,
    /// Where to go on when no child fits: the next shorter such beginning.
    fail: u32,
    /// Length of the longest pattern that ends here, or 0.
    ends: u32,
    child: u32,
    sibling: u32,
}

/// The patterns, ready to be looked for.
#[derive(Clone)]
pub(super) struct Patterns {
    nodes: Vec<Node>,
    /// The root's children, by byte: almost every byte of a text is looked up here.
    first: [u32; 256],
    longest: usize,
    /// Whether a pattern has a byte of the mark in it, so that a mark might complete it.
    meets_mark: bool,
}

impl Patterns {
    /// The patterns may be any bytes; empty ones are left out.
    pub(super) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Patterns {
        let root = Node { byte: 0, depth: 0, fail: ROOT, ends: 0, child: ROOT, sibling: ROOT };
        let mut all = Patterns { nodes: vec![root], first: [ROOT; 256], longest: 0, meets_mark: false };
        for pattern in patterns {
            all.insert(pattern.as_bytes());
        }
        all.link();
        all
    }

    fn insert(&mut self, pattern: &[u8]) {
        let mut at = ROOT;
        for (depth, &byte) in (1..).zip(pattern) {
            at = match self.child(at, byte) {
                ROOT => {
                    let new = u32::try_from(self.nodes.len()).expect("secrets have less than 4 GiB");
                    let sibling = self.nodes[at as usize].child;
                    self.nodes.push(Node { byte, depth, fail: ROOT, ends: 0, child: ROOT, sibling });
                    self.nodes[at as usize].child = new;
                    if at == ROOT {
                        self.first[usize::from(byte)] = new;
                    }
                    new
                }
                child => child,
            };
        }
        self.nodes[at as usize].ends = self.nodes[at as usize].depth;
        self.longest = self.longest.max(pattern.len());
        self.meets_mark |= pattern.iter().any(|byte| MARK.contains(byte));
    }

    /// Sets `fail` and `ends`, level by level: both look at shorter beginnings only.
    fn link(&mut self) {
        let mut level = VecDeque::from([ROOT]);
        while let Some(at) = level.pop_front() {
            let mut child = self.nodes[at as usize].child;
            while child != ROOT {
                let Node { byte, sibling, ends, .. } = self.nodes[child as usize];
                let fail = if at == ROOT { ROOT } else { self.next(self.nodes[at as usize].fail, byte) };
                self.nodes[child as usize].fail = fail;
                self.nodes[child as usize].ends = ends.max(self.nodes[fail as usize].ends);
                level.push_back(child);
                child = sibling;
            }
        }
    }

    fn child(&self, at: u32, byte: u8) -> u32 {
        if at == ROOT {
            return self.first[usize::from(byte)];
        }
        let mut child = self.nodes[at as usize].child;
        while child != ROOT && self.nodes[child as usize].byte != byte {
            child = self.nodes[child as usize].sibling;
        }
        child
    }

    fn next(&self, mut at: u32, byte: u8) -> u32 {
        loop {
            match self.child(at, byte) {
                ROOT if at != ROOT => at = self.nodes[at as usize].fail,
                child => return child,
            }
        }
    }

    fn ends(&self, at: u32) -> usize {
        self.nodes[at as usize].ends as usize
    }

    fn depth(&self, at: u32) -> usize {
        self.nodes[at as usize].depth as usize
    }
}

impl Default for Patterns {
    fn default() -> Patterns {
        Patterns::new([])
    }
}

/// Redacts a text given in pieces. Positions count the bytes of the whole text.
pub(super) struct Redact {
    patterns: Arc<Patterns>,
    at: u32,
    /// What was read and is not settled: it may belong to a secret whose end is still to come.
    pending: VecDeque<u8>,
    /// Where `pending` begins.
    settled: usize,
    /// Secrets found that reach into `pending`: disjoint, in order. The first may begin before it: its mark is written.
    found: VecDeque<(usize, usize)>,
    again: Option<Again>,
}

impl Redact {
    pub(super) fn new(patterns: Arc<Patterns>) -> Redact {
        let again = patterns.meets_mark.then(Again::default);
        Redact { patterns, at: ROOT, pending: VecDeque::new(), settled: 0, found: VecDeque::new(), again }
    }

    /// Adds to `out` what is settled now: whole characters.
    pub(super) fn push(&mut self, text: &str, out: &mut Vec<u8>) {
        let mut rest = text.as_bytes();
        while let Some(&byte) = rest.first() {
            if self.pending.is_empty() {
                let plain = rest.iter().take_while(|byte| self.patterns.first[usize::from(**byte)] == ROOT).count();
                if plain > 0 {
                    self.write(&rest[..plain], out);
                    self.settled += plain;
                    rest = &rest[plain..];
                    continue;
                }
            }
            self.step(byte, out);
            rest = &rest[1..];
        }
    }

    /// Adds the rest of a text that was cut off here: as `finish`, but if it ends with the beginning of a secret, long enough
    /// to be one, that goes too.
    pub(super) fn cut_off(mut self, least: usize, out: &mut Vec<u8>) {
        let begun = self.patterns.depth(self.at);
        if begun >= least {
            let end = self.settled + self.pending.len();
            self.secret(end - begun, end);
        }
        self.finish(out);
    }

    /// Adds the rest.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        self.settle(self.settled + self.pending.len(), out);
        if let Some(again) = self.again {
            out.extend(again.held.iter().map(|(byte, _)| byte));
        }
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.pending.push_back(byte);
        self.at = self.patterns.next(self.at, byte);
        let end = self.settled + self.pending.len();
        let length = self.patterns.ends(self.at);
        if length > 0 {
            self.secret(end - length, end);
        }
        self.settle(end - self.patterns.depth(self.at), out);
    }

    /// Overlapping matches are one: redacting only the first would leave the rest of the second.
    fn secret(&mut self, mut start: usize, end: usize) {
        while let Some((before, _)) = self.found.pop_back_if(|(_, before_end)| start < *before_end) {
            start = start.min(before);
        }
        self.found.push_back((start, end));
    }

    /// Writes all before `limit`: no secret still to be found begins there.
    fn settle(&mut self, limit: usize, out: &mut Vec<u8>) {
        while self.settled < limit {
            let (start, end) = self.found.front().copied().unwrap_or((limit, limit));
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
            Some(again) => bytes.iter().for_each(|byte| again.push(*byte, &self.patterns, out)),
        }
    }
}

/// A second look at what was written, for secrets that have a `*` in them: a mark beside other text may spell one.
///
/// A stack: a secret at its top is replaced by the mark, which is read like any other text; so no secret ever stands in
/// what leaves it. Every replacement makes the text shorter (a pattern is longer than the mark), so the time is linear.
#[derive(Default)]
struct Again {
    /// The last bytes, each with the automaton's state after it; never more than the longest pattern can reach back.
    held: VecDeque<(u8, u32)>,
    /// The state before the first of them.
    before: u32,
}

impl Again {
    fn push(&mut self, byte: u8, patterns: &Patterns, out: &mut Vec<u8>) {
        let mut owed = 0;
        let mut byte = byte;
        loop {
            let last = self.held.back().map_or(self.before, |(_, at)| *at);
            let at = patterns.next(last, byte);
            self.held.push_back((byte, at));
            let length = patterns.ends(at);
            if length > MARK.len() {
                self.held.truncate(self.held.len().saturating_sub(length));
                owed += MARK.len();
            }
            if owed == 0 {
                break;
            }
            // Which of the mark's bytes comes next does not matter: they are all the same.
            (owed, byte) = (owed - 1, MARK[0]);
        }
        while self.held.len() > patterns.longest {
            // Whole characters, so that what was written so far is always text.
            while let Some((byte, at)) = self.held.pop_front() {
                out.push(byte);
                self.before = at;
                if self.held.front().is_none_or(|(next, _)| next & 0b1100_0000 != 0b1000_0000) {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
impl Redact {
    /// How many bytes wait for what comes next.
    pub(super) fn held(&self) -> usize {
        self.pending.capacity() + self.found.len() + self.again.as_ref().map_or(0, |again| again.held.len())
    }
}
