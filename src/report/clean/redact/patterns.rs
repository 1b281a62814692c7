//! The patterns to look for, as an Aho-Corasick automaton.
//!
//! Of our own: the time is linear in the text however many secrets there are and whatever the text does to come close to
//! them. (The crate of that name has no search for overlapping matches in pieces, and is larger than this file's share of
//! the binary.)

use std::collections::VecDeque;

/// What a secret becomes.
pub(super) const MARK: &[u8] = b"***";

/// The start, which is also "no node".
pub(super) const ROOT: u32 = 0;

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
pub(in crate::report::clean) struct Patterns {
    nodes: Vec<Node>,
    /// The root's children, by byte: almost every byte of a text is looked up here.
    first: [u32; 256],
    pub(super) longest: usize,
    /// Whether a pattern has a byte of the mark in it, so that a mark might complete it.
    pub(super) meets_mark: bool,
}

impl Patterns {
    /// The patterns may be any bytes; empty ones are left out.
    pub(in crate::report::clean) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Patterns {
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

    /// Whether no pattern begins with this byte.
    pub(super) fn passes(&self, byte: u8) -> bool {
        self.first[usize::from(byte)] == ROOT
    }

    pub(super) fn next(&self, mut at: u32, byte: u8) -> u32 {
        loop {
            match self.child(at, byte) {
                ROOT if at != ROOT => at = self.nodes[at as usize].fail,
                child => return child,
            }
        }
    }

    pub(super) fn ends(&self, at: u32) -> usize {
        self.nodes[at as usize].ends as usize
    }

    pub(super) fn depth(&self, at: u32) -> usize {
        self.nodes[at as usize].depth as usize
    }
}

impl Default for Patterns {
    fn default() -> Patterns {
        Patterns::new([])
    }
}
