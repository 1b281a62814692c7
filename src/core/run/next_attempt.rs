//! A run that was started and has failed: whether the pipeline is started again (docs/reference.md#retries): only after the
//! service itself has said that the very run that this gate started is `FAILED`, and only while its list shows no other run.
//!
//! To start a pipeline twice is as harmful as to pass on the wrong run, so whatever is doubtful is not retried. A run that the
//! service named is ours. An only candidate may be somebody else's, behind which ours is queued: so after its end the list must
//! show nothing else for `appear-timeout`, the time in which a queued run comes to light.

use std::time::Duration;

use super::super::attempt::Attempt;
use super::super::status::is_failed;
use super::super::trigger::{Baseline, BlockingRun, CandidateGroup, RunsAfterStart, StartDecision, Starting};
use super::super::trigger::{after, before};
use super::super::{
    AdoptionReason, End, Event, FailureKind, IfRunning, NoRetry, PipelineId, Rules, RunId, RunList, Verdict, Wanted,
};
use super::{Moment, Phase, Run, Step};

/// A run that failed, as long as it is not known whether the pipeline is started again.
#[derive(Clone, Debug)]
pub(super) struct PendingRetry {
    /// How long the failed attempt took.
    took: Duration,
    /// Of an only candidate: what tells whether there are more.
    group: Option<Box<CandidateGroup>>,
    /// Since when lists show no other run.
    clear_since: Option<Duration>,
}

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
        Run {
            phase: Phase::Starting(Starting::Ready(baseline), if_running),
            without_record: Verdict::NotStarted,
            attempt: Some(attempt),
            ..Run::new(rules, place, Wanted::Start { pipeline, if_running })
        }
    }

    /// Its record says that the run has failed.
    pub(super) fn failed(&mut self, at: &mut Moment<'_>) -> Step {
        let Phase::Watching(run) = &self.phase else { return Step::Over(Verdict::Failed) };
        if self.attempt.and_then(Attempt::next).is_none() {
            return Step::Over(Verdict::Failed);
        }
        match self.pending_retry(at) {
            Err(why) => self.no_retry(at, why),
            Ok(pending) => {
                self.phase = Phase::Retrying(run.clone(), Box::new(pending));
                Step::Next
            }
        }
    }

    /// # Errors
    /// When it is known without a list that nothing is started again.
    fn pending_retry(&self, at: &mut Moment<'_>) -> Result<PendingRetry, NoRetry> {
        let group = match (self.taken, at.group.take()) {
            (Some(AdoptionReason::Attached), _) => return Err(NoRetry::Attached),
            (Some(AdoptionReason::Ours), _) => None,
            // The service accepted the start, and this was the only new run when one was first seen.
            (Some(AdoptionReason::Candidate { of: 1 }), Some(group))
                if self.accepted_at.is_some() && group.baseline.has_taken_one() =>
            {
                Some(group)
            }
            (Some(AdoptionReason::Candidate { .. }) | None, _) => return Err(NoRetry::Unproven),
        };
        let took = at.elapsed.saturating_sub(self.accepted_at.unwrap_or_default());
        if at.left() < took {
            return Err(NoRetry::NoTime { left: at.left(), needed: took });
        }
        let record = self.seen.as_ref().map(|seen| &seen.record);
        if record.is_none_or(|record| !is_failed(record.status.raw()) || !record.repaired.is_empty()) {
            return Err(NoRetry::NotPlainlyFailed);
        }
        Ok(PendingRetry { took, group, clear_since: None })
    }

    /// The list that tells whether the pipeline is started again.
    pub(super) fn read_for_retry(
        &mut self,
        at: &mut Moment<'_>,
        failed: RunId,
        mut pending: Box<PendingRetry>,
        listing: &RunList,
    ) -> Result<Step, FailureKind> {
        if !shows_failed(listing, &failed) {
            return Err(FailureKind::Lagging);
        }
        let baseline = match nothing_else(listing, pending.group.as_deref(), at)? {
            Ok(baseline) => baseline,
            Err(other) => return Ok(self.no_retry(at, NoRetry::OtherRun(other))),
        };
        let clear_since = *pending.clear_since.get_or_insert(at.elapsed);
        let quiet = if pending.group.is_some() { at.rules.limits.appear } else { Duration::ZERO };
        let wait = clear_since.saturating_add(quiet).saturating_sub(at.elapsed);
        let (left, needed) = (at.left(), pending.took.saturating_add(wait));
        if left < needed {
            return Ok(self.no_retry(at, NoRetry::NoTime { left, needed }));
        }
        self.present(at);
        if !wait.is_zero() {
            if wait == at.rules.limits.appear {
                at.emit(Event::RetryWaits { run: self.place, wait });
            }
            self.phase = Phase::Retrying(failed, pending);
            return Ok(Step::ReadListIn(wait));
        }
        let next = self.clocks.next_step(at.rules.limits, at.elapsed, at.retry_after);
        if next >= at.rules.limits.timeout {
            let needed = next.saturating_sub(at.elapsed);
            return Ok(self.no_retry(at, NoRetry::NoTime { left, needed }));
        }
        self.is_retried = true;
        Ok(Step::Retry(baseline, next))
    }

    /// The run stays failed.
    pub(super) fn no_retry(&mut self, at: &mut Moment<'_>, why: NoRetry) -> Step {
        if let Phase::Retrying(run, _) = &self.phase {
            self.phase = Phase::Watching(run.clone());
        }
        at.emit(Event::NotRetried { run: self.place, why: why.clone() });
        self.no_retry = Some(why);
        self.failure = None;
        Step::Over(Verdict::Failed)
    }

    /// Ends the wait of a run that has failed and is not retried.
    pub(super) fn end_failed(&mut self, at: &mut Moment<'_>, why: NoRetry) {
        self.no_retry(at, why);
        self.finish(at, End::Verdict(Verdict::Failed));
    }

    /// Whether the run has failed, and it is not known yet whether the pipeline is started again.
    pub(in crate::core) fn is_retrying(&self) -> bool {
        matches!(self.phase, Phase::Retrying(..))
    }

    /// What something that ends all waits makes of this one: a run that has failed stays failed, unless the gate itself was
    /// stopped.
    pub(in crate::core) fn end_with_others(&mut self, at: &mut Moment<'_>, end: End) {
        match end {
            End::NotWaited if self.is_retrying() => self.end_failed(at, NoRetry::FailFast),
            End::Verdict(Verdict::Denied) if self.is_retrying() => {
                self.end_failed(at, NoRetry::NoList(self.failure.clone()));
            }
            End::NotWaited | End::Verdict(_) => self.finish(at, end),
        }
    }
}

/// Whether the list shows this run, and says too that it is `FAILED`: else it is an old copy, or contradicts the run's record.
fn shows_failed(listing: &RunList, failed: &RunId) -> bool {
    let mut shown = listing.runs.iter().filter(|run| run.is(failed)).peekable();
    shown.peek().is_some() && shown.all(|run| run.status.as_ref().is_some_and(|word| is_failed(word.raw())))
}

/// What was there before the next attempt; or the other run that the list shows, in progress or new.
///
/// # Errors
/// Why the list is of no use.
fn nothing_else(
    listing: &RunList,
    group: Option<&CandidateGroup>,
    at: &Moment<'_>,
) -> Result<Result<Baseline, Option<RunId>>, FailureKind> {
    let vocabulary = &at.rules.vocabulary;
    if let Some(group) = group {
        match after(listing, &group.baseline, group.said.as_ref(), vocabulary)? {
            RunsAfterStart::Nothing(BlockingRun::Nobody) => {}
            RunsAfterStart::Nothing(BlockingRun::Run(id) | BlockingRun::Overtaken(id)) => return Ok(Err(id)),
            RunsAfterStart::Ours(id) | RunsAfterStart::Named(id) => return Ok(Err(Some(id))),
            RunsAfterStart::These(ids) => return Ok(Err(ids.into_iter().next())),
        }
    }
    Ok(match before(listing, at.date, IfRunning::Fail, vocabulary)? {
        StartDecision::Going(id) => Err(id),
        StartDecision::Attach(id) => Err(Some(id)),
        StartDecision::Start(baseline) => Ok(baseline),
    })
}

#[cfg(test)]
mod tests;
