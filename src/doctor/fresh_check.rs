//! Whether the run that is there now is fresh (`max-age`, `started-after`), and what the gate would do if it is not. Each is
//! a note: when the gate runs, there may be another run.

use crate::api::{AuthRetryState, Client};
use crate::core::{
    IfStale, LastRecord, Meaning, Observation, PipelineDetails, PipelineId, PipelineState, Selector, Wanted,
};
use crate::report::checkup::Check;
use crate::report::messages;

use super::ServiceChecks;

impl ServiceChecks<'_> {
    /// What a run that is not fresh means for a gate that wants it.
    pub(super) async fn freshness(&mut self, client: &Client, wanted: &Wanted, seen: &LastRecord) {
        let required = self.config.freshness;
        let (started, date) = (seen.record.created_at, seen.date);
        let is_fresh = match seen.meaning {
            // The failure is the verdict, unless the gate waits for a run that is fresh.
            Meaning::Failed if !self.waits(wanted) => return,
            Meaning::Passed | Meaning::Failed => required.check(started, seen.record.updated_at, date).is_ok(),
            // It has no end yet, and only its start can be known to be too early.
            Meaning::Wait | Meaning::Unknown => required.allows_start(started),
        };
        if is_fresh {
            return;
        }
        let why = messages::not_fresh(Some(seen), required, &self.sanitizer);
        let then = if self.waits(wanted) { self.would_wait(wanted) } else { "the gate would end as stale".to_owned() };
        self.checks.push(Check::note("freshness", format!("the run {why}; {then}")));
        self.next_run(client, wanted).await;
    }

    /// There is no such run. Whether the gate would wait for one.
    pub(super) async fn awaits_a_first_run(&mut self, client: &Client, wanted: &Wanted) -> bool {
        if !self.waits(wanted) {
            return false;
        }
        self.checks.push(Check::note("run", format!("{}: none yet; {}", wanted.run(), self.would_wait(wanted))));
        self.next_run(client, wanted).await;
        true
    }

    fn waits(&self, wanted: &Wanted) -> bool {
        matches!(wanted, Wanted::Choice { .. }) && self.config.if_stale == IfStale::Wait
    }

    fn would_wait(&self, wanted: &Wanted) -> String {
        let what = match wanted {
            Wanted::Choice { selector: Selector::LastSuccess, .. } => "a newer success",
            Wanted::Choice { .. } | Wanted::Run(_) | Wanted::Start { .. } => "a newer run",
        };
        format!("the gate would wait up to {} for {what}", messages::duration(self.config.timeout))
    }

    /// A pipeline that is paused may have no next run.
    async fn next_run(&mut self, client: &Client, wanted: &Wanted) {
        if self.waits(wanted) && self.goes_on() && self.is_paused(client, wanted.pipeline()).await {
            let shown = self.id(wanted.pipeline().as_str());
            let check = Check::note("pipeline", format!("{shown}: paused, so a new run may not start"));
            self.checks.push(check.to_do("unpause the pipeline in Maestro"));
        }
    }

    async fn is_paused(&mut self, client: &Client, pipeline: &PipelineId) -> bool {
        let answer = self.asked(Box::pin(client.details(pipeline, &mut AuthRetryState::default()))).await;
        answer.is_some_and(|answer| {
            matches!(answer.observation, Observation::Record(PipelineDetails { state: PipelineState::Paused, .. }))
        })
    }
}
