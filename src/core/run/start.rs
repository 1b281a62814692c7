//! A run that is to be started: the list from before, the one request, and the run that its answer names.

use super::super::trigger::{Baseline, BlockingRun, StartDecision, Starting, TriggerOutcome, before, behind};
use super::super::{
    AdoptionReason, Effect, Event, Failure, FailureKind, IfRunning, Observation, Operation, RunId, RunList, Scope,
    TriggerEffect, TriggerResponse, Untrusted, Verdict,
};
use super::discovery::held_up;
use super::{Moment, Phase, Run, Step};

impl Run {
    /// The list from before the start.
    pub(super) fn before(
        &mut self,
        at: &mut Moment<'_>,
        if_running: IfRunning,
        listing: &RunList,
    ) -> Result<Step, FailureKind> {
        Ok(match before(listing, at.date, if_running, &at.rules.vocabulary)? {
            StartDecision::Going(id) => {
                let detail = id.map(|id| Untrusted::new(id.as_str()));
                let going = Failure { detail, ..Failure::new(Operation::Execute, FailureKind::AlreadyGoing) };
                self.present(at);
                self.finish_for(going, Verdict::NotStarted)
            }
            StartDecision::Attach(run) => self.adopt(at, run, AdoptionReason::Attached),
            StartDecision::Start(baseline) => {
                // A list is no answer to a start that the service has put off: that outage goes on.
                if !self.was_put_off {
                    self.present(at);
                }
                // Nothing is started that there is no time left to wait for.
                if self.clocks.next_step(at.rules.limits, at.elapsed, None) >= at.rules.limits.timeout {
                    return Ok(Step::Over(Verdict::NotStarted));
                }
                self.without_record = Verdict::NotStarted;
                self.turn(Starting::Ready(baseline))
            }
        })
    }

    /// The answer to the request to start.
    pub(super) fn trigger_answered(&mut self, at: &mut Moment<'_>, trigger_response: TriggerResponse) -> Step {
        let Phase::Starting(Starting::Asked(baseline), _) = self.phase.clone() else {
            return Step::Over(Verdict::InternalError);
        };
        match trigger_response {
            TriggerResponse::Accepted(said) => {
                self.present(at);
                at.emit(Event::Started { run: self.place });
                self.accepted_at = Some(at.elapsed);
                self.without_record = Verdict::NotFound;
                match said.and_then(|id| RunId::new(id.raw())).filter(|id| !baseline.is_from_before(id)) {
                    Some(id) if baseline.has_shape_of(&id) => self.named(at, baseline, id),
                    Some(id) => self.turn(Starting::Guessed(baseline, id)),
                    None => self.turn(Starting::Seeking(baseline, TriggerOutcome::Accepted(None))),
                }
            }
            TriggerResponse::Missing(TriggerEffect::Lost, failure) => {
                at.emit(Event::StartLost { run: self.place, failure: failure.clone() });
                // Until a list has told, nobody knows.
                self.missed(&failure, Verdict::Unreachable);
                self.turn(Starting::Seeking(baseline, TriggerOutcome::Lost(failure)))
            }
            // Nothing was started. The list from before grows old, so that it would be read again.
            TriggerResponse::Missing(effect, failure) => {
                self.started = false;
                self.turn(Starting::Before);
                self.not_started(at, effect, failure)
            }
        }
    }

    /// The request to start was answered with a no, or certainly not executed.
    fn not_started(&mut self, at: &mut Moment<'_>, effect: TriggerEffect, failure: Failure) -> Step {
        // The sign-in before it was refused, and nothing was sent.
        let is_sign_in = failure.during == Operation::SignIn;
        match effect {
            TriggerEffect::Denied(scope) if is_sign_in => self.refused(at, Verdict::Denied, scope, failure),
            TriggerEffect::Unreachable if is_sign_in => self.refused(at, Verdict::Unreachable, Scope::Run, failure),
            TriggerEffect::Lost => Step::Over(Verdict::InternalError),
            TriggerEffect::Refused => self.finish_for(failure, Verdict::NotStarted),
            TriggerEffect::NotFound => self.finish_for(failure, Verdict::NotFound),
            TriggerEffect::Denied(_) => self.finish_for(failure, Verdict::Denied),
            TriggerEffect::Unreachable => self.finish_for(failure, Verdict::Unreachable),
            TriggerEffect::NotExecuted => {
                self.was_put_off = true;
                self.unusable(at, failure)
            }
        }
    }

    /// The service named the run that it started.
    pub(super) fn named(&mut self, at: &mut Moment<'_>, baseline: Baseline, run: RunId) -> Step {
        self.take(at, &run, AdoptionReason::Ours);
        self.turn(Starting::Named(baseline, run))
    }

    /// An answer about the run that the service named.
    pub(super) fn poll_named(
        &mut self,
        at: &mut Moment<'_>,
        baseline: Baseline,
        run: RunId,
        observation: Observation,
    ) -> Step {
        match observation {
            // A list that was not complete does not make an old run ours.
            Observation::Record(record) if baseline.is_older(record.created_at) => {
                self.unusable(at, Failure::new(Operation::GetRun, FailureKind::BeforeStart))
            }
            Observation::Record(record) => {
                self.watch(run);
                self.record(at, record)
            }
            // It may wait behind an earlier run, and then the appear clock must stand still.
            Observation::Missing(Effect::NotVisible, failure) => {
                self.end_outage(at);
                self.missed(&failure, self.when_absent());
                self.turn(Starting::Hidden(baseline, run))
            }
            Observation::Missing(effect, failure) => self.missing(at, effect, failure),
        }
    }

    /// An answer about the run whose id the request was answered with, if it is a run's.
    pub(super) fn poll_guessed(
        &mut self,
        at: &mut Moment<'_>,
        baseline: Baseline,
        run: RunId,
        observation: Observation,
    ) -> Step {
        match observation {
            Observation::Record(record) if !baseline.is_older(record.created_at) => {
                self.take(at, &run, AdoptionReason::Ours);
                self.watch(run);
                self.record(at, record)
            }
            // It is no run's id, or not yet: whatever is new may be ours.
            Observation::Record(_) | Observation::Missing(..) => {
                self.turn(Starting::Seeking(baseline, TriggerOutcome::Accepted(Some(run))))
            }
        }
    }

    /// The list that tells whether the named run may wait behind an earlier one. It decides nothing else, so that one that
    /// can't be read excuses nothing.
    pub(super) fn hidden(
        &mut self,
        at: &mut Moment<'_>,
        baseline: Baseline,
        run: RunId,
        list: Observation<RunList>,
    ) -> Step {
        let behind = match list {
            Observation::Record(listing) => behind(&listing, &baseline, &at.rules.vocabulary),
            Observation::Missing(..) => BlockingRun::Nobody,
        };
        self.turn(Starting::Named(baseline, run));
        match behind {
            BlockingRun::Run(behind) | BlockingRun::Overtaken(behind) => self.excused(at, behind),
            BlockingRun::Nobody => self.not_visible(at, Failure::new(Operation::List, FailureKind::NotListed)),
        }
    }

    /// What was started is not there, and an earlier run is still running.
    pub(super) fn excused(&mut self, at: &mut Moment<'_>, behind: Option<RunId>) -> Step {
        self.end_outage(at);
        self.queued(at, behind.clone());
        self.missed(&held_up(behind), self.when_absent());
        self.clocks.excused(at.elapsed);
        Step::On
    }

    /// The next step of a start.
    fn turn(&mut self, next: Starting) -> Step {
        if let Phase::Starting(starting, _) = &mut self.phase {
            *starting = next;
        }
        Step::Next
    }
}
