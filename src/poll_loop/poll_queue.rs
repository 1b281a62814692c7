//! When each run or pipeline is polled next: one entry each, which can be moved.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::core::PollTarget;

#[derive(Debug, Default)]
pub(super) struct PollQueue {
    turns: BTreeSet<(Duration, PollTarget)>,
    at: HashMap<PollTarget, Duration>,
}

impl PollQueue {
    /// Gives a turn, in the place of the one that there was.
    pub(super) fn set(&mut self, target: PollTarget, at: Duration) {
        if let Some(before) = self.at.insert(target, at) {
            self.turns.remove(&(before, target));
        }
        self.turns.insert((at, target));
    }

    /// When the next turn is.
    pub(super) fn next(&self) -> Option<Duration> {
        self.turns.first().map(|(at, _)| *at)
    }

    /// Takes the first turn that has come by `now`.
    pub(super) fn take(&mut self, now: Duration) -> Option<PollTarget> {
        if self.next()? > now {
            return None;
        }
        let (_, target) = self.turns.pop_first()?;
        self.at.remove(&target);
        Some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_order_and_one_that_is_moved_comes_once() {
        let second = Duration::from_secs;
        let mut queue = PollQueue::default();
        queue.set(PollTarget::Run(1), second(5));
        queue.set(PollTarget::Run(0), second(5));
        queue.set(PollTarget::Pipeline(7), second(5));
        queue.set(PollTarget::Run(2), second(1));
        queue.set(PollTarget::Run(2), second(9));
        queue.set(PollTarget::Run(1), second(3));
        assert_eq!(queue.next(), Some(second(3)));
        assert_eq!(queue.take(second(2)), None);
        let mut order = Vec::new();
        while let Some(target) = queue.take(second(100)) {
            order.push(target);
        }
        assert_eq!(order, [PollTarget::Run(1), PollTarget::Pipeline(7), PollTarget::Run(0), PollTarget::Run(2)]);
        assert_eq!(queue.next(), None);
    }
}
