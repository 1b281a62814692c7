//! Runs that come to the gate while it waits: further candidates for what was started, and further attempts.

use std::time::Duration;

use super::super::attempt::Attempt;
use super::super::moment::Moment;
use super::super::run::Run;
use super::super::trigger::{Baseline, CandidateGroup};
use super::super::{AdoptionReason, End, Event, RunId, Target, Verdict, Wanted};
use super::{Candidates, Gate, PollTarget};

impl Gate {
    /// What must be confirmed before a success of this run stands: that it is the last of its group.
    pub(super) fn unconfirmed(&self, run: usize) -> Option<Box<CandidateGroup>> {
        let Candidates { runs, group } = &self.groups[self.runs.get(run)?.group?];
        let passed = |other: &usize| *other == run || self.runs[*other].end == Some(End::Verdict(Verdict::Passed));
        // Where another one did not pass, no list could make it a pass.
        group.clone().filter(|_| runs.iter().all(passed))
    }

    /// Further runs of the group that `run` belongs to.
    pub(super) fn join(&mut self, run: usize, others: Vec<RunId>, at: &mut Moment<'_>) {
        let Some(group) = self.runs[run].group else { return };
        let Candidates { runs, group: unconfirmed } = &self.groups[group];
        let of = runs.len() + others.len();
        let taken = if unconfirmed.is_none() { AdoptionReason::Ours } else { AdoptionReason::Candidate { of } };
        for id in others {
            let other = self.runs.len();
            at.emit(Event::Taken { run: other, id: id.clone(), taken });
            let (pipeline, attempt) = (self.runs[run].pipeline.clone(), self.runs[run].attempt);
            let wanted = Wanted::Run(Target { pipeline, run: id });
            let mut joined = Run::new(&self.rules, other, wanted);
            (joined.started, joined.attempt, joined.group) = (true, attempt, Some(group));
            self.add(joined);
            self.groups[group].runs.push(other);
            if at.is_late() {
                self.runs[other].never_polled(at);
                self.ended(other, at);
            } else {
                self.moved.push((PollTarget::Run(other), at.elapsed));
            }
        }
    }

    /// The pipeline of `run`, which has failed, is started again.
    pub(super) fn start_again(&mut self, run: usize, baseline: Baseline, next: Duration, at: &mut Moment<'_>) {
        let Some(attempt) = self.runs[run].attempt.and_then(Attempt::next) else { return };
        let again = self.runs.len();
        at.emit(Event::Retrying { run: again, attempt });
        let mut next_run = Run::next_attempt(&self.rules, again, self.runs[run].pipeline.clone(), baseline, attempt);
        next_run.next = Some(next);
        self.add(next_run);
        self.moved.push((PollTarget::Run(again), next));
    }
}
