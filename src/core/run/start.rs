//! A run that is to be started: the list from before, the one request, and the run that its answer names.

use chrono::{DateTime, Utc};

use super::super::retry::Ownership;
use super::super::trigger::{Baseline, BlockingRun, StartDecision, Starting, TriggerOutcome, before, behind};
use super::super::{
    AdoptionReason, Answer, ApiRequest, Effect, Event, Failure, FailureKind, IfRunning, Observation, Operation,
    PipelineId, RunId, RunList, Scope, Target, TriggerEffect, TriggerResponse, Untrusted, Verdict,
};
use super::discovery::held_up;
use super::{AnswerContext, Phase, Run, SuccessPolicy, Transition};

impl Starting {
    pub(super) fn ask(&mut self, pipeline: &PipelineId) -> ApiRequest {
        match self {
            Starting::Ready(baseline) => {
                *self = Starting::Asked(baseline.clone());
                ApiRequest::Execute(pipeline.clone())
            }
            Starting::Named(_, run) | Starting::Guessed(_, run) => {
                ApiRequest::Run(Target { pipeline: pipeline.clone(), run: run.clone() })
            }
            // Asked, and no answer was taken: it is never asked twice, and the list tells.
            Starting::Before | Starting::Asked(_) | Starting::Hidden(..) | Starting::Seeking(..) => {
                ApiRequest::List(pipeline.clone())
            }
        }
    }
}

impl Run {
    /// The list from before the start.
    pub(super) fn before(
        &mut self,
        at: &mut AnswerContext<'_>,
        pipeline: PipelineId,
        if_running: IfRunning,
        listing: &RunList,
        date: Option<DateTime<Utc>>,
    ) -> Transition {
        match before(listing, date, if_running, &at.rules.vocabulary) {
            Err(kind) => self.unusable(at, Failure::new(Operation::List, kind)),
            Ok(StartDecision::Going(id)) => {
                let detail = id.map(|id| Untrusted::new(id.as_str()));
                self.present(at);
                self.finish_for(
                    Failure { detail, ..Failure::new(Operation::Execute, FailureKind::AlreadyGoing) },
                    Verdict::NotStarted,
                )
            }
            Ok(StartDecision::Attach(id)) => {
                self.present(at);
                at.emit(Event::Taken { run: self.place, id: id.clone(), taken: AdoptionReason::Attached });
                self.ownership = Ownership::Attached;
                self.watch(Target { pipeline, run: id });
                Transition::Found
            }
            Ok(StartDecision::Start(baseline)) => {
                // A list is no answer to a start that the service has put off: that outage goes on.
                if !self.was_put_off {
                    self.present(at);
                }
                // Nothing is started that there is no time left to wait for.
                if self.clocks.next_step(at.rules.limits, at.elapsed, None) >= at.rules.limits.timeout {
                    return Transition::Over(Verdict::NotStarted);
                }
                self.without_record = Verdict::NotStarted;
                self.phase = Phase::Starting(pipeline, Starting::Ready(baseline), if_running);
                Transition::Next
            }
        }
    }

    /// The answer to the request to start.
    pub(super) fn trigger_answered(
        &mut self,
        at: &mut AnswerContext<'_>,
        trigger_response: TriggerResponse,
    ) -> Transition {
        let Phase::Starting(_, Starting::Asked(baseline), _) = self.phase.clone() else {
            return Transition::Over(Verdict::InternalError);
        };
        self.started =
            !matches!(trigger_response, TriggerResponse::Missing(effect, _) if effect != TriggerEffect::Lost);
        match trigger_response {
            TriggerResponse::Accepted(said) => {
                self.present(at);
                at.emit(Event::Started { run: self.place });
                self.accepted_at = Some(at.elapsed);
                self.without_record = Verdict::NotFound;
                let said = said.and_then(|id| RunId::new(id.raw())).filter(|id| !baseline.is_from_before(id));
                match said {
                    Some(id) if baseline.has_shape_of(&id) => return self.named(at, baseline, id),
                    Some(id) => self.turn(Starting::Guessed(baseline, id)),
                    None => self.turn(Starting::Seeking(baseline, TriggerOutcome::Accepted(None))),
                }
                Transition::Next
            }
            TriggerResponse::Missing(TriggerEffect::Lost, failure) => {
                at.emit(Event::StartLost { run: self.place, failure: failure.clone() });
                // Until a list has told, nobody knows.
                self.missed(&failure, Verdict::Unreachable);
                self.turn(Starting::Seeking(baseline, TriggerOutcome::Lost(failure)));
                Transition::Next
            }
            // Nothing was started. The list from before grows old, so that it would be read again.
            TriggerResponse::Missing(effect, failure) => {
                self.turn(Starting::Before);
                self.not_started(at, effect, failure)
            }
        }
    }

    /// The request to start was answered with a no, or certainly not executed.
    fn not_started(&mut self, at: &mut AnswerContext<'_>, effect: TriggerEffect, failure: Failure) -> Transition {
        // The sign-in before it was refused, and nothing was sent.
        let is_sign_in = failure.during == Operation::SignIn;
        match effect {
            TriggerEffect::Denied(scope) if is_sign_in => self.refused(at, Verdict::Denied, scope, failure),
            TriggerEffect::Unreachable if is_sign_in => self.refused(at, Verdict::Unreachable, Scope::Run, failure),
            TriggerEffect::Lost => Transition::Over(Verdict::InternalError),
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
    pub(super) fn named(&mut self, at: &mut AnswerContext<'_>, baseline: Baseline, id: RunId) -> Transition {
        at.emit(Event::Taken { run: self.place, id: id.clone(), taken: AdoptionReason::Ours });
        self.turn(Starting::Named(baseline, id));
        Transition::Next
    }

    /// An answer about the run whose id the request was answered with.
    pub(super) fn find_named_run(
        &mut self,
        at: &mut AnswerContext<'_>,
        answer: Answer,
        pass: SuccessPolicy,
    ) -> Transition {
        let Phase::Starting(pipeline, starting, _) = self.phase.clone() else {
            return Transition::Over(Verdict::InternalError);
        };
        let (baseline, id, is_run) = match starting {
            Starting::Named(baseline, id) => (baseline, id, true),
            Starting::Guessed(baseline, id) => (baseline, id, false),
            Starting::Before
            | Starting::Ready(_)
            | Starting::Asked(_)
            | Starting::Hidden(..)
            | Starting::Seeking(..) => return Transition::Over(Verdict::InternalError),
        };
        match answer.observation {
            // A list that was not complete does not make an old run ours.
            Observation::Record(record) if baseline.is_older(record.created_at) => {
                if is_run {
                    return self.unusable(at, Failure::new(Operation::GetRun, FailureKind::BeforeStart));
                }
                self.turn(Starting::Seeking(baseline, TriggerOutcome::Accepted(Some(id))));
                Transition::Next
            }
            Observation::Record(record) => {
                if !is_run {
                    at.emit(Event::Taken { run: self.place, id: id.clone(), taken: AdoptionReason::Ours });
                }
                self.ownership = Ownership::Named;
                self.watch(Target { pipeline, run: id });
                self.record(at, record, answer.date, pass)
            }
            // It is no run's id, or not yet: whatever is new may be ours.
            Observation::Missing(..) if !is_run => {
                self.turn(Starting::Seeking(baseline, TriggerOutcome::Accepted(Some(id))));
                Transition::Next
            }
            // It may wait behind an earlier run, and then the appear clock must stand still.
            Observation::Missing(Effect::NotVisible, failure) => {
                self.end_outage(at);
                self.missed(&failure, self.when_absent());
                self.turn(Starting::Hidden(baseline, id));
                Transition::Next
            }
            Observation::Missing(effect, failure) => self.missing(at, effect, failure),
        }
    }

    /// The list that tells whether the named run may wait behind an earlier one. It decides nothing else, so that one that
    /// can't be read excuses nothing.
    pub(super) fn hidden(
        &mut self,
        at: &mut AnswerContext<'_>,
        baseline: Baseline,
        id: RunId,
        list: Observation<RunList>,
    ) -> Transition {
        let behind = match list {
            Observation::Record(listing) => behind(&listing, &baseline, &at.rules.vocabulary),
            Observation::Missing(..) => BlockingRun::Nobody,
        };
        self.turn(Starting::Named(baseline, id));
        match behind {
            BlockingRun::Run(behind) | BlockingRun::Overtaken(behind) => self.excused(at, behind),
            BlockingRun::Nobody => self.not_visible(at, Failure::new(Operation::List, FailureKind::NotListed)),
        }
    }

    /// What was started is not there, and an earlier run is still running.
    pub(super) fn excused(&mut self, at: &mut AnswerContext<'_>, behind: Option<RunId>) -> Transition {
        self.end_outage(at);
        self.queued(at, behind.clone());
        self.missed(&held_up(behind), self.when_absent());
        self.clocks.excused(at.elapsed);
        Transition::On
    }

    /// The next step of a start.
    fn turn(&mut self, next: Starting) {
        if let Phase::Starting(_, starting, _) = &mut self.phase {
            *starting = next;
        }
    }
}
