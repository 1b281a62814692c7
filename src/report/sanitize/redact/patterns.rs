//! Finds all patterns in a text at once: an Aho-Corasick automaton behind a filter that skips most of the text.
//!
//! The filter is that of Wu and Manber: three bytes of the text show how far away the next pattern can begin. Where one may
//! begin, the automaton follows it, so the time is linear in the text, however many patterns there are and however close the
//! text comes to them. Nodes of a pattern stand in a row, two bytes each; the links that few nodes have are in a hash table.
//!
//! The crate `aho-corasick` was tried (release profile, opt-level 3 for it, one run): 95 to 110 MB/s on ordinary text against
//! 154 to 195, twice the instructions to begin, 2.1 MB of tables for 225 kB of patterns against 0.9. On text that is all
//! beginnings of secrets it is two to five times faster.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::secret_forms::SHORTEST;

/// What a secret becomes: three times the first of these that no pattern holds, so that a mark beside other text can't spell
/// a secret.
const MARKS: [char; 8] = ['*', '•', '█', '▒', '◆', '○', '※', '¤'];

/// The start, which is also "no node".
const ROOT: u32 = 0;

/// How many bytes the filter looks at.
const BLOCK: usize = 3;

/// How far the filter skips at most.
#[expect(clippy::cast_possible_truncation, reason = "the shortest secret has a few bytes")]
const FURTHEST: u8 = 1 + (SHORTEST - BLOCK) as u8;

/// The size of the filter: it fits into the fastest cache, and hundreds of patterns fill a small part of it.
const HASHES: usize = 1 << 13;

/// Nodes up to this depth are not linked from longer beginnings: after those, the filter looks at their bytes again.
const SHALLOW: usize = 3;

/// The keys of a node's links; smaller ones are the bytes of children that are not the next node.
const SHORTER: u16 = 1 << 8;
const LENGTH: u16 = 2 << 8;

/// A beginning of a pattern.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Its last byte.
    byte: u8,
    /// The kinds of links that it has, and whether it is no child of the node before it.
    flags: u8,
}

const APART: u8 = 1 << 7;

/// The patterns, ready to be looked for.
#[derive(Clone, Debug)]
pub(in crate::report::sanitize) struct Patterns {
    nodes: Vec<Node>,
    /// The first nodes of patterns, by their byte.
    firsts: Box<[u32; 256]>,
    /// By node and key: another child, the longest end of it that is a beginning too, and the length of the longest pattern
    /// that ends with it.
    links: Links,
    /// By a hash of the fourth to sixth byte from here: how far away the next pattern can begin.
    skips: Box<[u8; HASHES]>,
    pub(super) longest: usize,
    pub(super) mark: String,
}

/// The nodes that a pattern adds to those before it.
struct PatternSpan<'p> {
    pattern: &'p [u8],
    /// How many bytes lead to the node that they branch off from.
    shared: usize,
    parent: u32,
    first: u32,
}

impl Patterns {
    /// The patterns have `SHORTEST` bytes or more.
    pub(in crate::report::sanitize) fn new(patterns: &BTreeSet<String>) -> Patterns {
        let hold = |c: char| patterns.iter().any(|pattern| pattern.contains(c));
        let mut all = Patterns {
            nodes: vec![Node { byte: 0, flags: 0 }],
            firsts: Box::new([ROOT; 256]),
            links: Links::default(),
            skips: Box::new([FURTHEST; HASHES]),
            longest: patterns.iter().map(String::len).max().unwrap_or(0),
            mark: MARKS.into_iter().find(|mark| !hold(*mark)).unwrap_or(MARKS[0]).to_string().repeat(3),
        };
        let runs = all.insert(patterns);
        // The last node has a next one as well.
        all.nodes.push(Node { byte: 0, flags: APART });
        all.link(&runs);
        all.nodes.shrink_to_fit();
        all
    }

    fn insert<'p>(&mut self, patterns: &'p BTreeSet<String>) -> Vec<PatternSpan<'p>> {
        let mut runs = Vec::with_capacity(patterns.len());
        // In order, a pattern shares most with the one before it. The path has the nodes of that.
        let (mut before, mut path): (&[u8], _) = (&[], vec![ROOT]);
        for pattern in patterns.iter().map(String::as_bytes) {
            let shared = before.iter().zip(pattern).take_while(|(one, other)| one == other).count();
            let (parent, first) = (path[shared], index(self.nodes.len()));
            path.truncate(shared + 1);
            path.extend((first..).take(pattern.len() - shared));
            self.nodes.extend(pattern[shared..].iter().map(|byte| Node { byte: *byte, flags: 0 }));
            self.nodes[first as usize].flags = APART;
            match parent {
                ROOT => self.firsts[usize::from(pattern[0])] = first,
                _ => self.add_link(parent, pattern[shared].into(), first),
            }
            for (block, skip) in pattern[..SHORTEST].array_windows().rev().zip(0..) {
                let shortest = &mut self.skips[hash(*block)];
                *shortest = skip.min(*shortest);
            }
            runs.push(PatternSpan { pattern, shared, parent, first });
            before = pattern;
        }
        runs
    }

    /// Adds the links that are not children. Each depends on those of shorter beginnings.
    fn link(&mut self, runs: &[PatternSpan<'_>]) {
        let (mut shorter, mut depths) = (vec![ROOT; self.nodes.len()], vec![0; self.nodes.len()]);
        let mut lengths = vec![0; self.nodes.len()];
        for depth in 1..=self.longest {
            for run in runs.iter().filter(|run| run.shared < depth && depth <= run.pattern.len()) {
                let node = run.first + index(depth - run.shared - 1);
                let (mut from, mut found) = (if node == run.first { run.parent } else { node - 1 }, ROOT);
                while from != ROOT && found == ROOT {
                    from = shorter[from as usize];
                    found = self.child(from, run.pattern[depth - 1]);
                }
                let length = if depth == run.pattern.len() { index(depth) } else { lengths[found as usize] };
                (shorter[node as usize], depths[node as usize], lengths[node as usize]) = (found, depth, length);
            }
        }
        for (node, (shorter, length)) in (0..).zip(shorter.into_iter().zip(lengths)) {
            if depths[shorter as usize] > SHALLOW {
                self.add_link(node, SHORTER, shorter);
            }
            if length > 0 {
                self.add_link(node, LENGTH, length);
            }
        }
    }

    fn add_link(&mut self, node: u32, key: u16, value: u32) {
        self.links.add((node, key), value);
        self.nodes[node as usize].flags |= kind(key);
    }

    /// What a node is linked to, or 0.
    #[inline]
    fn linked(&self, node: u32, key: u16) -> u32 {
        if self.nodes[node as usize].flags & kind(key) == 0 { 0 } else { self.links.get((node, key)) }
    }

    #[inline]
    fn child(&self, node: u32, byte: u8) -> u32 {
        let next = self.nodes[node as usize + 1];
        match node {
            ROOT => self.firsts[usize::from(byte)],
            _ if next.byte == byte && next.flags & APART == 0 => node + 1,
            _ => self.linked(node, byte.into()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.longest == 0
    }

    /// Reports where patterns are in `text`: at least the longest that ends at each place.
    pub(in crate::report::sanitize) fn search(&self, text: &[u8], found: &mut dyn FnMut(Range<usize>)) {
        let (skips, mut at) = (&*self.skips, 0);
        while let Some(&[.., a, b, c]) = text.get(at..).and_then(<[u8]>::first_chunk::<SHORTEST>) {
            match skips[hash([a, b, c])] {
                0 => at = self.follow(text, at, found),
                skip => at += usize::from(skip),
            }
        }
    }

    /// Follows the patterns that may begin here and those that begin within them. Returns where the next one can begin.
    fn follow(&self, text: &[u8], begin: usize, found: &mut dyn FnMut(Range<usize>)) -> usize {
        let (mut node, mut at) = (ROOT, begin);
        while let Some(byte) = text.get(at) {
            let next = self.nodes[node as usize + 1];
            if next.byte == *byte && next.flags & (APART | kind(LENGTH)) == 0 {
                (node, at) = (node + 1, at + 1);
                continue;
            }
            match self.child(node, *byte) {
                ROOT => match self.linked(node, SHORTER) {
                    ROOT => return at.saturating_sub(SHALLOW).max(begin + 1),
                    shorter => node = shorter,
                },
                child => {
                    (node, at) = (child, at + 1);
                    let length = self.linked(node, LENGTH) as usize;
                    if length > 0 {
                        found(at - length..at);
                    }
                }
            }
        }
        at
    }

    /// How many bytes of a pattern the text ends with, if at least `least`.
    pub(super) fn begun(&self, text: &[u8], least: usize) -> Option<usize> {
        let child = |node, byte: &u8| Some(self.child(node, *byte)).filter(|child| *child != ROOT);
        let is_begun = |length: &usize| text[text.len() - length..].iter().try_fold(ROOT, child).is_some();
        (least..=self.longest.min(text.len())).rev().find(is_begun)
    }

    /// How much memory the tables hold, in bytes.
    #[cfg(test)]
    pub(in crate::report::sanitize) fn size(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.links.slots) + size_of_val(&*self.firsts) + self.skips.len()
    }
}

/// A node, and the key of one of its links.
type LinkKey = (u32, u16);

/// A hash table with open addressing, at most half full: a text that is all beginnings of secrets follows a link every few bytes.
#[derive(Clone, Debug, Default)]
struct Links {
    /// Empty where the value is 0.
    slots: Vec<(LinkKey, u32)>,
    used: usize,
}

impl Links {
    fn add(&mut self, key: LinkKey, value: u32) {
        if 2 * self.used >= self.slots.len() {
            let larger = vec![((0, 0), 0); (2 * self.slots.len()).max(64)];
            let old = std::mem::replace(self, Links { slots: larger, used: 0 });
            old.slots.into_iter().filter(|slot| slot.1 != 0).for_each(|(key, value)| self.add(key, value));
        }
        let slot = self.slot(key);
        self.slots[slot] = (key, value);
        self.used += 1;
    }

    /// The value of a key, or 0.
    #[inline]
    fn get(&self, key: LinkKey) -> u32 {
        self.slots[self.slot(key)].1
    }

    /// Where a key is, or would be.
    #[inline]
    fn slot(&self, (node, key): LinkKey) -> usize {
        let last = self.slots.len() - 1;
        // Nodes stand in a row: a multiplication spreads them.
        let mut slot = (node ^ u32::from(key) << 16).wrapping_mul(0x9e37_79b9) as usize >> 8 & last;
        while self.slots[slot].1 != 0 && self.slots[slot].0 != (node, key) {
            slot = (slot + 1) & last;
        }
        slot
    }
}

impl Default for Patterns {
    fn default() -> Patterns {
        Patterns::new(&BTreeSet::new())
    }
}

/// The flag of the kind of link with a key.
const fn kind(key: u16) -> u8 {
    1 << (key >> 8)
}

fn hash([a, b, c]: [u8; BLOCK]) -> usize {
    (usize::from(a) << 6 ^ usize::from(b) << 3 ^ usize::from(c)) % HASHES
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("secrets have less than 4 GiB")
}
