//! Finds a run that is not known yet: one chosen from a list, or one that was started and is then listed.

use super::super::retry::Ownership;
use super::super::select::{Choice, choose};
use super::super::trigger::{
    Baseline, BlockingRun, CandidateGroup, PendingPass, RunsAfterStart, Starting, TriggerOutcome, after,
    shows_taken_as_over,
};
use super::super::{
    AdoptionReason, Answer, Event, Failure, FailureKind, Operation, PipelineId, Request, RunId, RunList, Selector,
    Target, Untrusted, Verdict, Wanted,
};
use super::{AnswerContext, Phase, Run, Transition};

/// What was started is not listed, and may wait behind this run.
pub(super) fn held_up(behind: Option<RunId>) -> Failure {
    Failure {
        detail: behind.map(|id| Untrusted::new(id.as_str())),
        ..Failure::new(Operation::List, FailureKind::Queued)
    }
}

impl Run {
    /// A pipeline's list.
    pub(super) fn list(&mut self, at: &mut AnswerContext<'_>, answer: Answer<RunList>) -> Transition {
        if let Phase::Starting(_, Starting::Hidden(baseline, id), _) = self.phase.clone() {
            return self.hidden(at, baseline, id, answer.observation);
        }
        if self.is_retrying() {
            return self.read_for_retry(at, answer.observation, answer.date);
        }
        let listing = match self.found(at, answer.observation) {
            Ok(listing) => listing,
            Err(reading) => return reading,
        };
        match self.phase.clone() {
            Phase::Choosing(pipeline, _) if self.fresh_wait.is_some() => {
                self.choose_fresh(at, pipeline, &listing, answer.date)
            }
            Phase::Choosing(pipeline, selector) => self.choose(at, pipeline, selector, &listing),
            Phase::Starting(pipeline, Starting::Before, if_running) => {
                self.before(at, pipeline, if_running, &listing, answer.date)
            }
            Phase::Starting(pipeline, Starting::Seeking(baseline, post), _) => {
                self.seek(at, &pipeline, baseline, &post, &listing)
            }
            // An answer to the request to start was never taken.
            Phase::Starting(pipeline, Starting::Asked(baseline), _) => {
                let post = TriggerOutcome::Lost(Failure::new(Operation::Execute, FailureKind::Broken));
                self.seek(at, &pipeline, baseline, &post, &listing)
            }
            Phase::Confirming(target, baseline) => self.confirm(at, &target, baseline, &listing),
            Phase::Starting(..) | Phase::Watching(_) | Phase::Retrying(..) => Transition::Over(Verdict::InternalError),
        }
    }

    fn choose(
        &mut self,
        at: &mut AnswerContext<'_>,
        pipeline: PipelineId,
        selector: Selector,
        listing: &RunList,
    ) -> Transition {
        let Ok(Choice { run, passed_over }) = choose(selector, listing, &at.rules.vocabulary) else {
            return self.unusable(at, Failure::new(Operation::List, FailureKind::Unplaceable));
        };
        match (run, selector) {
            (Some(id), _) => {
                self.present(at);
                at.emit(Event::Chosen { run: self.place, selector, id: id.clone(), passed_over });
                self.watch(Target { pipeline, run: id });
                Transition::Found
            }
            // A run may just have been started, and not be listed yet.
            (None, Selector::Latest) => self.not_visible(at, Failure::new(Operation::List, FailureKind::NotListed)),
            // Whatever comes now was no success when the gate started.
            (None, Selector::LastSuccess) => {
                self.end_outage(at);
                self.finish_for(Failure::new(Operation::List, FailureKind::NotListed), Verdict::NotFound)
            }
        }
    }

    fn seek(
        &mut self,
        at: &mut AnswerContext<'_>,
        pipeline: &PipelineId,
        mut baseline: Baseline,
        post: &TriggerOutcome,
        listing: &RunList,
    ) -> Transition {
        let said = match post {
            TriggerOutcome::Accepted(id) => id.as_ref(),
            TriggerOutcome::Lost(_) => None,
        };
        let Ok(found) = after(listing, &baseline, said, &at.rules.vocabulary) else {
            return self.unusable(at, Failure::new(Operation::List, FailureKind::Unplaceable));
        };
        let target = |run: RunId| Target { pipeline: pipeline.clone(), run };
        match found {
            RunsAfterStart::Nothing(BlockingRun::Run(behind) | BlockingRun::Overtaken(behind)) => {
                self.excused(at, behind)
            }
            RunsAfterStart::Nothing(BlockingRun::Nobody) => {
                let why = match post {
                    TriggerOutcome::Accepted(_) => Failure::new(Operation::List, FailureKind::NotListed),
                    TriggerOutcome::Lost(failure) => failure.clone(),
                };
                self.not_visible(at, why)
            }
            RunsAfterStart::Ours(id) => {
                self.present(at);
                at.emit(Event::Taken { run: self.place, id: id.clone(), taken: AdoptionReason::Ours });
                self.ownership = Ownership::Named;
                self.watch(target(id));
                Transition::Found
            }
            RunsAfterStart::Named(id) => self.named(at, baseline, id),
            RunsAfterStart::These(ids) => {
                self.present(at);
                let of = ids.len();
                ids.iter().for_each(|id| baseline.take(id));
                let mut targets = ids.into_iter();
                let Some(first) = targets.next() else { return Transition::Over(Verdict::InternalError) };
                at.emit(Event::Taken { run: self.place, id: first.clone(), taken: AdoptionReason::Candidate { of } });
                if of == 1 && matches!(post, TriggerOutcome::Accepted(_)) {
                    self.ownership = Ownership::OnlyCandidate;
                }
                self.watch(target(first));
                Transition::Took(
                    targets.map(target).collect(),
                    Box::new(CandidateGroup { baseline, said: said.cloned(), held: PendingPass::No }),
                )
            }
        }
    }

    /// The run has passed, and nothing else may be what was started: it has ended if the list says so too.
    pub(super) fn await_confirmation(&mut self, group: Box<CandidateGroup>) -> Transition {
        let Phase::Watching(target) = &self.phase else { return Transition::Over(Verdict::InternalError) };
        self.phase = Phase::Confirming(target.clone(), group);
        Transition::Next
    }

    fn confirm(
        &mut self,
        at: &mut AnswerContext<'_>,
        target: &Target,
        mut group: Box<CandidateGroup>,
        listing: &RunList,
    ) -> Transition {
        let said = group.said.as_ref();
        let Ok(found) = after(listing, &group.baseline, said, &at.rules.vocabulary) else {
            return self.unusable(at, Failure::new(Operation::List, FailureKind::Unplaceable));
        };
        // A list from before their end (an old copy, an empty one) says nothing about what has come up since.
        if matches!(found, RunsAfterStart::Nothing(BlockingRun::Nobody | BlockingRun::Overtaken(_)))
            && !shows_taken_as_over(listing, &group.baseline, &at.rules.vocabulary)
        {
            return self.unusable(at, Failure::new(Operation::List, FailureKind::Lagging));
        }
        self.present(at);
        let beside = |run: RunId| Target { pipeline: target.pipeline.clone(), run };
        match found {
            RunsAfterStart::Nothing(BlockingRun::Nobody | BlockingRun::Overtaken(_)) => {
                let until = match group.held {
                    PendingPass::No => return Transition::Over(Verdict::Passed),
                    PendingPass::Yes => at.elapsed.saturating_add(at.rules.limits.appear),
                    PendingPass::Until(until) => until,
                };
                if at.elapsed >= until {
                    return Transition::Over(Verdict::Passed);
                }
                group.held = PendingPass::Until(until);
                self.doubt(target, group, None)
            }
            // The service queues what is started while a run is running: this one passed it, so it is hardly ours.
            RunsAfterStart::Nothing(BlockingRun::Run(behind)) => {
                group.held = PendingPass::Yes;
                self.queued(at, behind.clone());
                self.doubt(target, group, behind)
            }
            RunsAfterStart::Ours(id) | RunsAfterStart::Named(id) => Transition::PassedBeside(vec![beside(id)], None),
            RunsAfterStart::These(ids) => {
                ids.iter().for_each(|id| group.baseline.take(id));
                Transition::PassedBeside(ids.into_iter().map(beside).collect(), Some(group))
            }
        }
    }

    /// What has passed need not be what was started: the list is read again.
    fn doubt(&mut self, target: &Target, group: Box<CandidateGroup>, behind: Option<RunId>) -> Transition {
        self.failure = Some(held_up(behind));
        self.phase = Phase::Confirming(target.clone(), group);
        Transition::On
    }

    /// An earlier run may hold up what was started: told once of each.
    pub(super) fn queued(&mut self, at: &mut AnswerContext<'_>, behind: Option<RunId>) {
        if self.behind.as_ref() != Some(&behind) {
            at.emit(Event::Queued { run: self.place, behind: behind.clone() });
            self.behind = Some(behind);
        }
    }

    pub(super) fn watch(&mut self, target: Target) {
        // The list knows the run; if the time is up before it was asked for by itself, that is what ended the wait.
        self.without_record = Verdict::TimedOut;
        self.clocks.turn_to(&Wanted::Run(target.clone()));
        self.phase = Phase::Watching(target);
    }

    /// What it means that what was looked for is not there.
    pub(super) fn when_absent(&self) -> Verdict {
        if self.request() == Request::InDoubt { Verdict::NotStarted } else { Verdict::NotFound }
    }
}
