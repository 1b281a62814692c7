//! Whether the run that is there now is fresh (`max-age`, `started-after`), and what the gate would do if it is not. Each is
//! a note: when the gate runs, there may be another run.

use crate::core::{IfStale, LastRecord, Meaning, PipelineId, PipelineState, Selector};
use crate::report::checkup::Check;
use crate::report::messages;

use super::ServiceChecks;

impl ServiceChecks<'_> {
    /// What a run that is not fresh means for a gate that wants it.
    pub(super) async fn freshness(&mut self, pipeline: &PipelineId, chosen: Option<Selector>, seen: &LastRecord) {
        let required = self.rules.freshness;
        let would_wait = self.would_wait(chosen);
        let (started, date) = (seen.record.created_at, seen.date);
        let is_fresh = match seen.meaning {
            // The failure is the verdict, unless the gate waits for a run that is fresh.
            Meaning::Failed if would_wait.is_none() => return,
            Meaning::Passed | Meaning::Failed => required.check(started, seen.record.updated_at, date).is_ok(),
            // It has no end yet, and only its start can be known to be too early.
            Meaning::Wait | Meaning::Unknown => required.allows_start(started),
        };
        if is_fresh {
            return;
        }
        let why = messages::not_fresh(Some(seen), required, &self.finalizer.sanitizer);
        let then = would_wait.as_deref().unwrap_or("the gate would end as stale");
        self.checks.push(Check::note("freshness", format!("the run {why}; {then}")));
        if would_wait.is_some() {
            self.next_run(pipeline).await;
        }
    }

    /// What the gate would wait for if no run that it chooses is fresh; `None` if it would not wait.
    pub(super) fn would_wait(&self, chosen: Option<Selector>) -> Option<String> {
        let newer = messages::newer(chosen.filter(|_| self.rules.if_stale == IfStale::Wait)?);
        Some(format!("the gate would wait up to {} for {newer}", messages::duration(self.rules.limits.timeout)))
    }

    /// A pipeline that is paused may have no next run.
    pub(super) async fn next_run(&mut self, pipeline: &PipelineId) {
        if let Some(Ok(details)) = self.details(pipeline).await
            && details.state == PipelineState::Paused
        {
            let text = format!("{}: paused, so a new run may not start", self.id(pipeline.as_str()));
            self.checks.push(Check::note("pipeline", text).to_do("unpause the pipeline in Maestro"));
        }
    }
}
