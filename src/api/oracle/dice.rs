//! Chance that can be repeated: the same seed throws the same answers.

use std::ops::Range;

/// SplitMix64.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(super) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of the range, which is not empty.
    pub(super) fn within(&mut self, range: Range<usize>) -> usize {
        range.start + usize::try_from(self.throw() % (range.len() as u64)).expect("a short range")
    }

    pub(super) fn one_in(&mut self, sides: usize) -> bool {
        self.within(0..sides) == 0
    }

    pub(super) fn of<T: Copy>(&mut self, faces: &[T]) -> T {
        faces[self.within(0..faces.len())]
    }

    pub(super) fn shuffle<T>(&mut self, cards: &mut [T]) {
        for last in (1..cards.len()).rev() {
            cards.swap(last, self.within(0..last + 1));
        }
    }

    /// Where something so long is cut, in order.
    pub(super) fn cuts(&mut self, length: usize, most: usize) -> Vec<usize> {
        let mut cuts: Vec<usize> = (0..self.within(0..most + 1)).map(|_| self.within(0..length + 1)).collect();
        cuts.sort_unstable();
        cuts
    }

    /// The pieces between such cuts; at least one.
    pub(super) fn pieces<'b>(&mut self, bytes: &'b [u8], most: usize) -> Vec<&'b [u8]> {
        let mut from = 0;
        let mut ends = self.cuts(bytes.len(), most);
        ends.push(bytes.len());
        ends.into_iter().map(|to| &bytes[std::mem::replace(&mut from, to)..to]).collect()
    }
}
