//! Whether a pipeline is started again (docs/reference.md#retries): only after the service itself has said that the very run
//! that this gate started is `FAILED`, and only while its list shows no other run.
//!
//! To start a pipeline twice is as harmful as to pass on the wrong run, so whatever is doubtful is not retried. A run that the
//! service named is ours. An only candidate may be somebody else's, behind which ours is queued: so after its end the list must
//! show nothing else for `appear-timeout`, the time in which a queued run comes to light.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::listing::{ListedRun, RunList};
use super::status::is_failed;
use super::trigger::{Baseline, BlockingRun, CandidateGroup, RunsAfterStart, StartDecision, after, before};
use super::{FailureKind, IfRunning, NoRetry, Rules, RunId};

/// How a run is known to be the one that this gate started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// It is not.
    Unproven,
    Attached,
    /// The service named it in its answer to the start.
    Named,
    /// The service accepted the start, and this was the only new run when one was first seen.
    OnlyCandidate,
}

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

/// What a list means for a retry.
#[derive(Debug)]
pub(super) enum RetryStep {
    Start(Baseline),
    ReadListIn(Duration),
    /// The list is no use: it is read again.
    Unusable(FailureKind),
    No(NoRetry),
}

impl PendingRetry {
    /// # Errors
    /// When it is known without a list that nothing is started again.
    pub(super) fn new(
        ownership: Ownership,
        took: Duration,
        left: Duration,
        group: Option<Box<CandidateGroup>>,
    ) -> Result<PendingRetry, NoRetry> {
        let group = match (ownership, group) {
            (Ownership::Attached, _) => return Err(NoRetry::Attached),
            (Ownership::Unproven, _) => return Err(NoRetry::Unproven),
            (Ownership::Named, _) => None,
            (Ownership::OnlyCandidate, Some(group)) if group.baseline.has_taken_one() => Some(group),
            (Ownership::OnlyCandidate, _) => return Err(NoRetry::Unproven),
        };
        if left < took {
            return Err(NoRetry::NoTime { left, needed: took });
        }
        Ok(PendingRetry { took, group, clear_since: None })
    }

    /// Reads a list, answered at `date` by the service's clock, that came after the end of `failed`.
    pub(super) fn read(
        &mut self,
        failed: &RunId,
        listing: &RunList,
        date: Option<DateTime<Utc>>,
        elapsed: Duration,
        rules: &Rules,
    ) -> RetryStep {
        if !shows_failed(listing, failed) {
            return RetryStep::Unusable(FailureKind::Lagging);
        }
        if let Some(group) = &self.group {
            match after(listing, &group.baseline, group.said.as_ref(), &rules.vocabulary) {
                Err(_) => return RetryStep::Unusable(FailureKind::Unplaceable),
                Ok(RunsAfterStart::Nothing(BlockingRun::Nobody)) => {}
                Ok(RunsAfterStart::Nothing(BlockingRun::Run(id) | BlockingRun::Overtaken(id))) => {
                    return RetryStep::No(NoRetry::OtherRun(id));
                }
                Ok(RunsAfterStart::Ours(id) | RunsAfterStart::Named(id)) => {
                    return RetryStep::No(NoRetry::OtherRun(Some(id)));
                }
                Ok(RunsAfterStart::These(ids)) => return RetryStep::No(NoRetry::OtherRun(ids.into_iter().next())),
            }
        }
        let baseline = match before(listing, date, IfRunning::Fail, &rules.vocabulary) {
            Err(kind) => return RetryStep::Unusable(kind),
            Ok(StartDecision::Going(id)) => return RetryStep::No(NoRetry::OtherRun(id)),
            Ok(StartDecision::Attach(id)) => return RetryStep::No(NoRetry::OtherRun(Some(id))),
            Ok(StartDecision::Start(baseline)) => baseline,
        };
        let clear_since = *self.clear_since.get_or_insert(elapsed);
        let quiet = if self.group.is_some() { rules.limits.appear } else { Duration::ZERO };
        let wait = clear_since.saturating_add(quiet).saturating_sub(elapsed);
        let left = rules.limits.timeout.saturating_sub(elapsed);
        let needed = self.took.saturating_add(wait);
        if left < needed {
            return RetryStep::No(NoRetry::NoTime { left, needed });
        }
        if wait.is_zero() { RetryStep::Start(baseline) } else { RetryStep::ReadListIn(wait) }
    }
}

/// Whether the list shows this run, and says too that it is `FAILED`: else it is an old copy, or contradicts the run's record.
fn shows_failed(listing: &RunList, failed: &RunId) -> bool {
    let is_it = |run: &&ListedRun| run.run.as_ref().is_some_and(|id| id.is(failed.as_str(), None));
    let mut shown = listing.runs.iter().filter(is_it).peekable();
    shown.peek().is_some() && shown.all(|run| run.status.as_ref().is_some_and(|word| is_failed(word.raw())))
}

#[cfg(test)]
mod tests;
