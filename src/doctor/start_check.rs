//! What a start would come upon: a run that is running, a list that can't serve, a pipeline that is paused or unknown.
//! Nothing is started.

use crate::api::{AuthRetryState, Client};
use crate::core::{
    Effect, Failure, FailureKind, IfRunning, Observation, Operation, PipelineDetails, PipelineId, PipelineState,
    StartPreview, Verdict, ahead,
};
use crate::report::checkup::Check;
use crate::report::messages;
use crate::report::pipeline::PipelineReport;

use super::{ListCheck, ServiceChecks};

impl ServiceChecks<'_> {
    /// Whether the pipeline could be started now, which is not done.
    pub(super) async fn start(
        &mut self,
        client: &Client,
        pipeline: &PipelineId,
        if_running: IfRunning,
        list: &ListCheck,
    ) {
        let ahead = match ahead(&list.listing, list.date, if_running, &self.vocabulary) {
            Ok(ahead) => ahead,
            Err(kind) => return self.unusable(kind),
        };
        let note = |text| Check::note("run", text);
        let check = match ahead {
            StartPreview::Nobody => Check::fine("run", "none is going; doctor starts nothing"),
            StartPreview::Queue => note("one is going, behind which another would wait; doctor starts nothing"),
            StartPreview::Attach => note("one is going, which would be waited for; none would be started"),
            StartPreview::Refused => {
                let failure = Failure::new(Operation::Execute, FailureKind::AlreadyGoing);
                self.failed_check("run", Verdict::NotStarted, &failure, "")
            }
        };
        self.checks.push(check);
        if ahead != StartPreview::Attach {
            self.state(client, pipeline, list).await;
        }
    }

    /// Whether the service would start the pipeline, as far as it can be known without trying.
    async fn state(&mut self, client: &Client, pipeline: &PipelineId, list: &ListCheck) {
        let mut row = AuthRetryState::default();
        let Some(answer) = self.asked(Box::pin(client.details(pipeline, &mut row))).await else { return };
        let mut shown = self.id(pipeline.as_str());
        if let Observation::Record(details) = &answer.observation
            && let Some(name) = PipelineReport::new(details, &self.sanitizer).quoted_name()
        {
            shown = format!("{shown} {name}");
        }
        let check = match answer.observation {
            Observation::Record(PipelineDetails { state: PipelineState::Active, .. }) => {
                Check::fine("start", format!("{shown}: active, so that it can be started"))
            }
            Observation::Record(PipelineDetails { state: PipelineState::Paused, .. }) => {
                Check::trouble("start", Verdict::NotStarted, format!("{shown}: paused, and would not be started"))
                    .to_do("unpause the pipeline in Maestro")
            }
            Observation::Record(PipelineDetails { state: PipelineState::Other(word), .. }) => {
                let word = messages::word(&word, &self.sanitizer);
                Check::note("start", format!("{shown}: its state is \"{word}\", neither active nor paused"))
            }
            // Of a pipeline that it does not know the service lists no runs, and says nothing against it.
            Observation::Missing(Effect::NotVisible, failure) if list.listing.runs.is_empty() => {
                let text = format!("{shown}: {}", messages::failure(&failure, &self.sanitizer));
                let start = Failure { during: Operation::Execute, ..failure };
                Check::trouble("start", Verdict::NotFound, text).to_do(messages::remedy(&start))
            }
            // The gate does not ask for it.
            Observation::Missing(_, failure) => {
                let why = messages::failure(&failure, &self.sanitizer);
                Check::note("start", format!("{shown}: {why}; whether it is paused is not known"))
            }
        };
        self.checks.push(check);
    }
}
