//! A run that was started and has failed: whether the pipeline is started again.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::attempt::Attempt;
use super::super::retry::{PendingRetry, RetryStep};
use super::super::status::is_failed;
use super::super::trigger::{Baseline, Starting};
use super::super::{
    Effect, End, Event, Failure, IfRunning, NoRetry, Observation, Operation, PipelineId, Rules, RunList, TimedEvent,
    Verdict, Wanted,
};
use super::{AnswerContext, Phase, Run, SuccessPolicy, Transition};

impl Run {
    /// The next attempt, whose request to start is made next. `baseline` is from the list that allowed it.
    pub(in crate::core) fn next_attempt(
        rules: &Rules,
        place: usize,
        pipeline: PipelineId,
        baseline: Baseline,
        attempt: Attempt,
    ) -> Run {
        // If the service puts the start off, the list is read anew, and must show no other run then either.
        let if_running = IfRunning::Fail;
        let run = Run::new(rules, place, Wanted::Start { pipeline: pipeline.clone(), if_running });
        Run {
            phase: Phase::Starting(pipeline, Starting::Ready(baseline), if_running),
            without_record: Verdict::NotStarted,
            attempt: Some(attempt),
            ..run
        }
    }

    /// Its record says that the run has failed.
    pub(super) fn failed(&mut self, at: &mut AnswerContext<'_>, pass: SuccessPolicy) -> Transition {
        if self.attempt.and_then(Attempt::next).is_none() {
            return Transition::Over(Verdict::Failed);
        }
        match self.pending_retry(at, pass) {
            Err(why) => self.no_retry(at, why),
            Ok(pending) => {
                let Phase::Watching(target) = &self.phase else { return Transition::Over(Verdict::Failed) };
                self.phase = Phase::Retrying(target.clone(), Box::new(pending));
                Transition::Next
            }
        }
    }

    fn pending_retry(&self, at: &AnswerContext<'_>, pass: SuccessPolicy) -> Result<PendingRetry, NoRetry> {
        let is_plain = self
            .seen
            .as_ref()
            .is_some_and(|seen| is_failed(seen.record.status.raw()) && seen.record.repaired.is_empty());
        let group = match pass {
            SuccessPolicy::Stands => None,
            SuccessPolicy::OnceConfirmed(group) => Some(group),
        };
        let took = at.elapsed.saturating_sub(self.accepted_at.unwrap_or_default());
        let left = at.rules.limits.timeout.saturating_sub(at.elapsed);
        let pending = PendingRetry::new(self.ownership, took, left, group)?;
        if is_plain { Ok(pending) } else { Err(NoRetry::NotPlainlyFailed) }
    }

    /// The list that tells whether the pipeline is started again.
    pub(super) fn read_for_retry(
        &mut self,
        at: &mut AnswerContext<'_>,
        list: Observation<RunList>,
        date: Option<DateTime<Utc>>,
    ) -> Transition {
        let transition = match list.record() {
            Ok(listing) => self.retry_step(at, &listing, date),
            // Without its list the pipeline may be gone.
            Err((Effect::NotVisible, failure)) => return self.no_retry(at, NoRetry::NoList(Some(failure))),
            Err((effect, failure)) => self.missing(at, effect, failure),
        };
        if self.is_retrying() && matches!(transition, Transition::Over(_)) {
            // Whatever became of the list: the run has failed.
            let failure = self.failure.clone();
            return self.no_retry(at, NoRetry::NoList(failure));
        }
        transition
    }

    fn retry_step(&mut self, at: &mut AnswerContext<'_>, listing: &RunList, date: Option<DateTime<Utc>>) -> Transition {
        let Phase::Retrying(target, pending) = &mut self.phase else {
            return Transition::Over(Verdict::InternalError);
        };
        match pending.read(&target.run, listing, date, at.elapsed, at.rules) {
            RetryStep::Unusable(kind) => self.unusable(at, Failure::new(Operation::List, kind)),
            RetryStep::No(why) => self.no_retry(at, why),
            RetryStep::ReadListIn(wait) => {
                self.present(at);
                if wait == at.rules.limits.appear {
                    at.emit(Event::RetryWaits { run: self.place, wait });
                }
                Transition::ReadListIn(wait)
            }
            RetryStep::Start(baseline) => {
                self.present(at);
                let limits = at.rules.limits;
                let next = self.clocks.next_step(limits, at.elapsed, at.retry_after);
                if next >= limits.timeout {
                    let left = limits.timeout.saturating_sub(at.elapsed);
                    let needed = next.saturating_sub(at.elapsed);
                    return self.no_retry(at, NoRetry::NoTime { left, needed });
                }
                self.is_retried = true;
                Transition::Retry(baseline, next)
            }
        }
    }

    /// The run stays failed.
    fn no_retry(&mut self, at: &mut AnswerContext<'_>, why: NoRetry) -> Transition {
        self.stays_failed(why, at.elapsed, at.events);
        Transition::Over(Verdict::Failed)
    }

    fn stays_failed(&mut self, why: NoRetry, elapsed: Duration, events: &mut Vec<TimedEvent>) {
        if let Phase::Retrying(target, _) = &self.phase {
            self.phase = Phase::Watching(target.clone());
        }
        events.push(TimedEvent { at: elapsed, event: Event::NotRetried { run: self.place, why: why.clone() } });
        self.no_retry = Some(why);
        self.failure = None;
    }

    /// Ends the wait of a run that has failed and is not retried.
    pub(super) fn end_failed(&mut self, why: NoRetry, elapsed: Duration, events: &mut Vec<TimedEvent>) {
        self.stays_failed(why, elapsed, events);
        self.finish(elapsed, End::Verdict(Verdict::Failed), events);
    }

    /// Whether the run has failed, and it is not known yet whether the pipeline is started again.
    pub(in crate::core) fn is_retrying(&self) -> bool {
        matches!(self.phase, Phase::Retrying(..))
    }

    /// What something that ends all waits makes of this one: a run that has failed stays failed, unless the gate itself was
    /// stopped.
    pub(in crate::core) fn end_with_others(&mut self, elapsed: Duration, end: End, events: &mut Vec<TimedEvent>) {
        match end {
            End::NotWaited if self.is_retrying() => self.end_failed(NoRetry::FailFast, elapsed, events),
            End::Verdict(Verdict::Denied) if self.is_retrying() => {
                self.end_failed(NoRetry::NoList(self.failure.clone()), elapsed, events);
            }
            End::NotWaited | End::Verdict(_) => self.finish(elapsed, end, events),
        }
    }
}
