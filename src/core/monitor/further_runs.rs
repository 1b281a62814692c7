//! Runs that come to the gate while it waits: further candidates for what was started, and further attempts.

use std::time::Duration;

use super::super::attempt::Attempt;
use super::super::run::{Run, SuccessPolicy};
use super::super::trigger::Baseline;
use super::super::{AdoptionReason, End, Event, Target, TimedEvent, Verdict, Wanted};
use super::{Candidates, Gate, PollTarget};

impl Gate {
    /// Whether a success of this run is the end of its wait.
    pub(super) fn pass(&self, run: usize) -> SuccessPolicy {
        let passed = |other: &usize| {
            *other == run || self.runs.get(*other).is_some_and(|run| run.end == Some(End::Verdict(Verdict::Passed)))
        };
        let Some(Candidates { runs, group: Some(group) }) = self.group_of.get(&run).and_then(|at| self.groups.get(*at))
        else {
            return SuccessPolicy::Stands;
        };
        // Where another one did not pass, no list could make it a pass.
        if runs.iter().all(passed) { SuccessPolicy::OnceConfirmed(group.clone()) } else { SuccessPolicy::Stands }
    }

    /// Further runs of the group that `run` belongs to.
    pub(super) fn join(&mut self, run: usize, elapsed: Duration, others: Vec<Target>, events: &mut Vec<TimedEvent>) {
        let Some(at) = self.group_of.get(&run).copied() else { return };
        let is_ours = self.groups[at].group.is_none();
        let of = self.groups[at].runs.len() + others.len();
        for target in others {
            let other = self.runs.len();
            let taken = if is_ours { AdoptionReason::Ours } else { AdoptionReason::Candidate { of } };
            events.push(TimedEvent { at: elapsed, event: Event::Taken { run: other, id: target.run.clone(), taken } });
            self.add(Wanted::Run(target));
            self.runs[other].started = true;
            self.runs[other].attempt = self.runs[run].attempt;
            self.groups[at].runs.push(other);
            self.group_of.insert(other, at);
            if elapsed >= self.rules.limits.timeout {
                self.runs[other].never_polled(elapsed, events);
                self.ended(other, elapsed, events);
            } else {
                self.moved.push((PollTarget::Run(other), elapsed));
            }
        }
    }

    /// The pipeline of `run`, which has failed, is started again.
    pub(super) fn start_again(
        &mut self,
        run: usize,
        baseline: Baseline,
        next: Duration,
        elapsed: Duration,
        events: &mut Vec<TimedEvent>,
    ) {
        if let Some(attempt) = self.runs[run].attempt.and_then(Attempt::next) {
            let again = self.runs.len();
            let pipeline = self.pipelines[self.homes[run]].id.clone();
            events.push(TimedEvent { at: elapsed, event: Event::Retrying { run: again, attempt } });
            let next_run = Run::next_attempt(&self.rules, again, pipeline.clone(), baseline, attempt);
            self.add_run(&pipeline, next_run);
            self.runs[again].next = Some(next);
            self.moved.push((PollTarget::Run(again), next));
        }
        self.ended(run, elapsed, events);
    }
}
