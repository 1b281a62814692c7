//! Finds a run that is not known yet: one chosen from a list, or one that was started and is then listed.

use super::super::select::{Choice, choose};
use super::super::trigger::{
    Baseline, BlockingRun, CandidateGroup, PendingPass, RunsAfterStart, Starting, TriggerOutcome, after,
    shows_taken_as_over,
};
use super::super::{
    AdoptionReason, Effect, Event, Failure, FailureKind, NoRetry, Observation, Operation, Request, RunId, RunList,
    Selector, Untrusted, Verdict,
};
use super::{Moment, Phase, Run, Step};

/// What was started is not listed, and may wait behind this run.
pub(super) fn held_up(behind: Option<RunId>) -> Failure {
    Failure {
        detail: behind.map(|id| Untrusted::new(id.as_str())),
        ..Failure::new(Operation::List, FailureKind::Queued)
    }
}

impl Run {
    /// A pipeline's list.
    pub(super) fn list(&mut self, at: &mut Moment<'_>, list: Observation<RunList>) -> Step {
        if let Phase::Starting(Starting::Hidden(baseline, run), _) = self.phase.clone() {
            return self.hidden(at, baseline, run, list);
        }
        let step = match list {
            Observation::Record(listing) => self
                .read_list(at, &listing)
                .unwrap_or_else(|kind| self.unusable(at, Failure::new(Operation::List, kind))),
            // Without its list the pipeline may be gone.
            Observation::Missing(Effect::NotVisible, failure) if self.is_retrying() => {
                return self.no_retry(at, NoRetry::NoList(Some(failure)));
            }
            Observation::Missing(effect, failure) => self.missing(at, effect, failure),
        };
        // Whatever became of the list: a run that has failed stays failed.
        if self.is_retrying() && matches!(step, Step::Over(_)) {
            return self.no_retry(at, NoRetry::NoList(self.failure.clone()));
        }
        step
    }

    /// # Errors
    /// Why the list is of no use.
    fn read_list(&mut self, at: &mut Moment<'_>, listing: &RunList) -> Result<Step, FailureKind> {
        match self.phase.clone() {
            Phase::Choosing(selector) => self.choose(at, selector, listing),
            Phase::Starting(Starting::Before, if_running) => self.before(at, if_running, listing),
            Phase::Starting(Starting::Seeking(baseline, outcome), _) => self.seek(at, baseline, outcome, listing),
            // An answer to the request to start was never taken.
            Phase::Starting(Starting::Asked(baseline), _) => {
                let lost = Failure::new(Operation::Execute, FailureKind::Broken);
                self.seek(at, baseline, TriggerOutcome::Lost(lost), listing)
            }
            Phase::Confirming(run, group) => self.confirm(at, run, group, listing),
            Phase::Retrying(run, pending) => self.read_for_retry(at, run, pending, listing),
            Phase::Starting(..) | Phase::Watching(_) => Ok(Step::Over(Verdict::InternalError)),
        }
    }

    fn choose(&mut self, at: &mut Moment<'_>, selector: Selector, listing: &RunList) -> Result<Step, FailureKind> {
        let Choice { run, passed_over } = choose(selector, listing, &at.rules.vocabulary)?;
        if self.fresh_wait.is_some() {
            return Ok(self.choose_fresh(at, listing, run, passed_over));
        }
        Ok(match (run, selector) {
            (Some(run), _) => {
                self.present(at);
                at.emit(Event::Chosen { run: self.place, selector, id: run.clone(), passed_over });
                self.watch(run);
                Step::Found
            }
            // A run may just have been started, and not be listed yet.
            (None, Selector::Latest) => self.not_visible(at, Failure::new(Operation::List, FailureKind::NotListed)),
            // Whatever comes now was no success when the gate started.
            (None, Selector::LastSuccess) => {
                self.end_outage(at);
                self.finish_for(Failure::new(Operation::List, FailureKind::NotListed), Verdict::NotFound)
            }
        })
    }

    fn seek(
        &mut self,
        at: &mut Moment<'_>,
        mut baseline: Baseline,
        outcome: TriggerOutcome,
        listing: &RunList,
    ) -> Result<Step, FailureKind> {
        let (said, why) = match outcome {
            TriggerOutcome::Accepted(id) => (id, Failure::new(Operation::List, FailureKind::NotListed)),
            TriggerOutcome::Lost(failure) => (None, failure),
        };
        Ok(match after(listing, &baseline, said.as_ref(), &at.rules.vocabulary)? {
            RunsAfterStart::Nothing(BlockingRun::Run(behind) | BlockingRun::Overtaken(behind)) => {
                self.excused(at, behind)
            }
            RunsAfterStart::Nothing(BlockingRun::Nobody) => self.not_visible(at, why),
            RunsAfterStart::Ours(run) => self.adopt(at, run, AdoptionReason::Ours),
            RunsAfterStart::Named(run) => self.named(at, baseline, run),
            RunsAfterStart::These(runs) => {
                runs.iter().for_each(|run| baseline.take(run));
                let reason = AdoptionReason::Candidate { of: runs.len() };
                let mut others = runs.into_iter();
                let Some(first) = others.next() else { return Ok(Step::Over(Verdict::InternalError)) };
                self.adopt(at, first, reason);
                Step::Took(others.collect(), Box::new(CandidateGroup { baseline, said, held: PendingPass::No }))
            }
        })
    }

    /// A list shows the run that is waited for as what was started.
    pub(super) fn adopt(&mut self, at: &mut Moment<'_>, run: RunId, reason: AdoptionReason) -> Step {
        self.present(at);
        self.take(at, &run, reason);
        self.watch(run);
        Step::Found
    }

    pub(super) fn take(&mut self, at: &mut Moment<'_>, run: &RunId, reason: AdoptionReason) {
        self.taken = Some(reason);
        at.emit(Event::Taken { run: self.place, id: run.clone(), taken: reason });
    }

    /// The run has passed. Where another may be what was started, the list must not show one.
    pub(super) fn passed(&mut self, at: &mut Moment<'_>) -> Step {
        let Some(group) = at.group.take() else { return Step::Over(Verdict::Passed) };
        let Phase::Watching(run) = &self.phase else { return Step::Over(Verdict::InternalError) };
        self.phase = Phase::Confirming(run.clone(), group);
        Step::Next
    }

    fn confirm(
        &mut self,
        at: &mut Moment<'_>,
        run: RunId,
        mut group: Box<CandidateGroup>,
        listing: &RunList,
    ) -> Result<Step, FailureKind> {
        let vocabulary = &at.rules.vocabulary;
        let found = after(listing, &group.baseline, group.said.as_ref(), vocabulary)?;
        // A list from before their end (an old copy, an empty one) says nothing about what has come up since.
        if matches!(found, RunsAfterStart::Nothing(BlockingRun::Nobody | BlockingRun::Overtaken(_)))
            && !shows_taken_as_over(listing, &group.baseline, vocabulary)
        {
            return Err(FailureKind::Lagging);
        }
        self.present(at);
        let behind = match found {
            RunsAfterStart::Nothing(BlockingRun::Nobody | BlockingRun::Overtaken(_)) => {
                let until = match group.held {
                    PendingPass::No => at.elapsed,
                    PendingPass::Yes => at.elapsed.saturating_add(at.rules.limits.appear),
                    PendingPass::Until(until) => until,
                };
                if at.elapsed >= until {
                    return Ok(Step::Over(Verdict::Passed));
                }
                group.held = PendingPass::Until(until);
                None
            }
            // The service queues what is started while a run is running: this one passed it, so it is hardly ours.
            RunsAfterStart::Nothing(BlockingRun::Run(behind)) => {
                group.held = PendingPass::Yes;
                self.queued(at, behind.clone());
                behind
            }
            RunsAfterStart::Ours(other) | RunsAfterStart::Named(other) => {
                return Ok(Step::PassedBeside(vec![other], None));
            }
            RunsAfterStart::These(others) => {
                others.iter().for_each(|other| group.baseline.take(other));
                return Ok(Step::PassedBeside(others, Some(group)));
            }
        };
        // What has passed need not be what was started: the list is read again.
        self.failure = Some(held_up(behind));
        self.phase = Phase::Confirming(run, group);
        Ok(Step::On)
    }

    /// An earlier run may hold up what was started: told once of each.
    pub(super) fn queued(&mut self, at: &mut Moment<'_>, behind: Option<RunId>) {
        if self.behind.as_ref() != Some(&behind) {
            at.emit(Event::Queued { run: self.place, behind: behind.clone() });
            self.behind = Some(behind);
        }
    }

    pub(super) fn watch(&mut self, run: RunId) {
        // The list knows the run; if the time is up before it was asked for by itself, that is what ended the wait.
        self.without_record = Verdict::TimedOut;
        self.phase = Phase::Watching(run);
        self.clocks.turn_to(&self.wanted());
    }

    /// What it means that what was looked for is not there.
    pub(super) fn when_absent(&self) -> Verdict {
        if self.request() == Request::InDoubt { Verdict::NotStarted } else { Verdict::NotFound }
    }
}
