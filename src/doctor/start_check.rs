//! What a start would come upon: a run that is running, a list that can't serve, a pipeline that is paused or unknown.
//! Nothing is started.

use crate::core::{
    Failure, FailureKind, IfRunning, Operation, PipelineId, PipelineState, StartPreview, Verdict, ahead,
};
use crate::report::checkup::Check;
use crate::report::messages;
use crate::report::pipeline::PipelineReport;

use super::{DatedList, ServiceChecks};

impl ServiceChecks<'_> {
    /// Whether the pipeline could be started now, which is not done.
    pub(super) async fn start(&mut self, pipeline: &PipelineId, if_running: IfRunning, list: &DatedList) {
        let ahead = match ahead(&list.listing, list.date, if_running, &self.rules.vocabulary) {
            Ok(ahead) => ahead,
            Err(kind) => return self.unusable(kind),
        };
        let check = match ahead {
            StartPreview::Nobody => Check::fine("run", "none is going; doctor starts nothing"),
            StartPreview::Queue => {
                Check::note("run", "one is going, behind which another would wait; doctor starts nothing")
            }
            StartPreview::Attach => {
                Check::note("run", "one is going, which would be waited for; none would be started")
            }
            StartPreview::Refused => {
                let failure = Failure::new(Operation::Execute, FailureKind::AlreadyGoing);
                self.failed_check("run", Verdict::NotStarted, &failure, "")
            }
        };
        self.checks.push(check);
        if ahead != StartPreview::Attach {
            self.state(pipeline, list).await;
        }
    }

    /// Whether the service would start the pipeline, as far as it can be known without trying.
    async fn state(&mut self, pipeline: &PipelineId, list: &DatedList) {
        let Some(found) = self.details(pipeline).await else { return };
        let (id, sanitizer) = (self.id(pipeline.as_str()), &self.finalizer.sanitizer);
        let check = match found {
            Ok(details) => {
                let name = PipelineReport::new(&details, sanitizer).quoted_name();
                let shown = name.map_or(id.to_string(), |name| format!("{id} {name}"));
                match details.state {
                    PipelineState::Active => {
                        Check::fine("start", format!("{shown}: active, so that it can be started"))
                    }
                    PipelineState::Paused => Check::trouble(
                        "start",
                        Verdict::NotStarted,
                        format!("{shown}: paused, and would not be started"),
                    )
                    .to_do("unpause the pipeline in Maestro"),
                    PipelineState::Other(word) => {
                        let word = messages::word(&word, sanitizer);
                        Check::note("start", format!("{shown}: its state is \"{word}\", neither active nor paused"))
                    }
                }
            }
            // Of a pipeline that it does not know the service lists no runs, and says nothing against it.
            Err((Verdict::NotFound, failure)) if list.listing.runs.is_empty() => {
                let start = Failure { during: Operation::Execute, ..failure.clone() };
                Check::trouble("start", Verdict::NotFound, format!("{id}: {}", self.failure(&failure)))
                    .to_do(messages::remedy(&start))
            }
            // The gate does not ask for it.
            Err((_, failure)) => {
                Check::note("start", format!("{id}: {}; whether it is paused is not known", self.failure(&failure)))
            }
        };
        self.checks.push(check);
    }
}
