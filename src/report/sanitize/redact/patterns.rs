//! The patterns to look for, as an Aho-Corasick automaton in two bytes or three a byte of pattern.
//!
//! Of our own: the time is linear in the text however many secrets there are and whatever the text does to come close to
//! them. (The crate of that name has no search for overlapping matches in pieces, and is larger than this file's share of
//! the binary.)
//!
//! A sign-in brings tokens of some kilobytes, each in five forms or more, and a gate may wait for a month: with a node of
//! 24 bytes for each byte, the tokens of a day took more memory than all else. So a pattern is one run of bytes, and what
//! is seldom needed stands in tables beside it.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

/// What a secret becomes: three times the first of these that no secret holds, so that a mark beside other text can't spell
/// a secret.
const MARKS: [char; 8] = ['*', '•', '█', '▒', '◆', '○', '※', '¤'];

/// The start, which is also "no node".
const ROOT: u32 = 0;

/// The patterns, ready to be looked for.
///
/// A node is a place in the trie of all patterns: the longest beginning of a pattern that the text read so far ends with.
/// Its number is an index into `bytes`.
#[derive(Clone, Debug)]
pub(in crate::report::sanitize) struct Patterns {
    /// The byte that leads to each node.
    bytes: Vec<u8>,
    /// Nodes in a row, each the child of the one before it: what each pattern added to those before it.
    runs: Vec<PatternSpan>,
    /// Children that don't follow their parent: by parent and byte.
    branches: Vec<((u32, u8), u32)>,
    /// The root's children, by byte: almost every byte of a text is looked up here.
    first: [u32; 256],
    /// Where to go on when no child fits, the next shorter such beginning: by node, where it is not the root.
    fails: Vec<(u32, u32)>,
    /// Length of the longest pattern that ends at a node: by node, where one does.
    ends: Vec<(u32, u32)>,
    /// The first two bytes of every pattern, as a set of bits: most of a text is passed by with one look.
    pairs: Vec<u64>,
    pub(super) longest: usize,
    pub(super) mark: String,
}

#[derive(Clone, Copy, Debug)]
struct PatternSpan {
    /// Its first node.
    start: u32,
    /// How many bytes lead from the root to that.
    depth: u32,
}

impl Patterns {
    /// The patterns have two bytes or more.
    pub(in crate::report::sanitize) fn new(patterns: impl IntoIterator<Item: AsRef<str>>) -> Patterns {
        let mut marks = MARKS.to_vec();
        let mut all = Patterns {
            bytes: vec![0],
            runs: vec![PatternSpan { start: ROOT, depth: 0 }],
            branches: Vec::new(),
            first: [ROOT; 256],
            fails: Vec::new(),
            ends: Vec::new(),
            pairs: vec![0; 1 << 10],
            longest: 0,
            mark: String::new(),
        };
        for pattern in patterns {
            marks.retain(|mark| !pattern.as_ref().contains(*mark));
            all.insert(pattern.as_ref().as_bytes());
        }
        all.mark = marks.first().unwrap_or(&MARKS[0]).to_string().repeat(3);
        all.link();
        all.shrink();
        all
    }

    fn insert(&mut self, pattern: &[u8]) {
        let mut at = ROOT;
        let mut known = 0;
        while known < pattern.len() {
            match self.child(at, pattern[known]) {
                ROOT => break,
                child => (at, known) = (child, known + 1),
            }
        }
        if let [byte, ..] = pattern[known..] {
            let start = index(self.bytes.len());
            if at == ROOT {
                self.first[usize::from(byte)] = start;
            } else {
                insert(&mut self.branches, (at, byte), start);
            }
            self.runs.push(PatternSpan { start, depth: index(known + 1) });
            self.bytes.extend_from_slice(&pattern[known..]);
            at = index(self.bytes.len() - 1);
        }
        if at != ROOT {
            insert(&mut self.ends, at, index(pattern.len()));
        }
        if let [first, second, ..] = pattern {
            let pair = pair(*first, *second);
            self.pairs[pair / 64] |= 1 << (pair % 64);
        }
        self.longest = self.longest.max(pattern.len());
    }

    /// They are kept for as long as the gate waits: no more than they need.
    fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.runs.shrink_to_fit();
        self.branches.shrink_to_fit();
        self.fails.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Fills in `fails` and `ends`, level by level: both look at shorter beginnings only.
    fn link(&mut self) {
        let mut fails = vec![ROOT; self.bytes.len()];
        let mut ends: HashMap<u32, u32> = self.ends.drain(..).collect();
        let mut level: VecDeque<u32> = self.first.iter().copied().filter(|child| *child != ROOT).collect();
        while let Some(at) = level.pop_front() {
            let follower = Some(at + 1).filter(|next| self.follows(*next));
            let from = self.branches.partition_point(|((parent, _), _)| *parent < at);
            let branches = self.branches[from..].iter().take_while(|((parent, _), _)| *parent == at);
            for child in follower.into_iter().chain(branches.map(|(_, child)| *child)) {
                let byte = self.bytes[child as usize];
                let mut shorter = fails[at as usize];
                let fail = loop {
                    match self.child(shorter, byte) {
                        ROOT if shorter != ROOT => shorter = fails[shorter as usize],
                        found => break found,
                    }
                };
                fails[child as usize] = fail;
                if let Some(shorter) = ends.get(&fail).copied() {
                    ends.entry(child).or_insert(shorter);
                }
                level.push_back(child);
            }
        }
        self.fails = (0..).zip(fails).filter(|(_, fail)| *fail != ROOT).collect();
        self.ends.extend(ends);
        self.ends.sort_unstable();
    }

    /// Whether a node is the child of the one before it.
    fn follows(&self, node: u32) -> bool {
        (node as usize) < self.bytes.len() && self.runs.binary_search_by_key(&node, |run| run.start).is_err()
    }

    fn child(&self, at: u32, byte: u8) -> u32 {
        if at == ROOT {
            return self.first[usize::from(byte)];
        }
        if self.bytes.get(at as usize + 1) == Some(&byte) && self.follows(at + 1) {
            return at + 1;
        }
        look_up(&self.branches, (at, byte))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.longest == 0
    }

    /// Hands on where each pattern stands in `text`; returns how many bytes of a pattern the text ends with.
    pub(super) fn search(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) -> usize {
        let mut node = ROOT;
        let mut at = 0;
        while at < text.len() {
            if node == ROOT {
                let begins = |pair: &[u8]| self.begins(pair[0], pair[1]);
                let Some(next) = text[at..].windows(2).position(begins) else { break };
                at += next;
            }
            node = self.next(node, text[at]);
            at += 1;
            let length = self.ends(node);
            if length > 0 {
                found(at - length..at);
            }
        }
        self.depth(node)
    }

    fn begins(&self, first: u8, second: u8) -> bool {
        let pair = pair(first, second);
        self.pairs[pair / 64] >> (pair % 64) & 1 == 1
    }

    fn next(&self, mut at: u32, byte: u8) -> u32 {
        loop {
            match self.child(at, byte) {
                ROOT if at != ROOT => at = look_up(&self.fails, at),
                child => return child,
            }
        }
    }

    fn ends(&self, at: u32) -> usize {
        look_up(&self.ends, at) as usize
    }

    fn depth(&self, at: u32) -> usize {
        let PatternSpan { start, depth } = self.runs[self.runs.partition_point(|run| run.start <= at) - 1];
        (depth + at - start) as usize
    }

    /// How much memory the tables hold, in bytes.
    #[cfg(test)]
    pub(in crate::report::sanitize) fn size(&self) -> usize {
        self.bytes.capacity()
            + size_of::<PatternSpan>() * self.runs.capacity()
            + size_of::<((u32, u8), u32)>() * self.branches.capacity()
            + size_of::<(u32, u32)>() * (self.fails.capacity() + self.ends.capacity())
    }
}

impl Default for Patterns {
    fn default() -> Patterns {
        Patterns::new(std::iter::empty::<&str>())
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("secrets have less than 4 GiB")
}

/// Puts a value into a sorted table.
fn insert<K: Ord + Copy>(table: &mut Vec<(K, u32)>, key: K, value: u32) {
    let place = table.partition_point(|(other, _)| *other < key);
    if table.get(place).is_none_or(|(other, _)| *other != key) {
        table.insert(place, (key, value));
    }
}

/// The value in a sorted table, or 0.
fn look_up<K: Ord + Copy>(table: &[(K, u32)], key: K) -> u32 {
    table.binary_search_by_key(&key, |(key, _)| *key).map_or(0, |place| table[place].1)
}
