//! The final versions: all documents are rendered, then written; and again when the logs have come.

use super::{Finalizer, exit_on_panic};
use crate::config::{Destination, DocumentKind};
use crate::output::WriteJob;
use crate::report::output_values;
use crate::report::sanitize::Sanitized;
use crate::report::{Report, Stage};

impl Finalizer {
    /// Renders all documents, then delivers them. Returns the report with the warnings that came of it.
    pub async fn documents(&mut self, mut report: Report) -> Report {
        let holds_runs =
            |destination: &Destination| matches!(destination.document, DocumentKind::Outputs | DocumentKind::OutputDir);
        if self.delivery.output_config.destinations.iter().any(holds_runs)
            && let Some(warning) = output_values::runs_left_out(&report)
        {
            self.warn(&mut report, warning);
        }
        let commands = self.commands(&report);
        let jobs = self.delivery.write(&report, |_| true);
        self.closing = Some(self.render_closing(&report));

        // From here on the verdict stands, whatever happens.
        exit_on_panic(report.verdict, self.delivery.output_config.log_format, Some(&self.console));
        self.console.write(commands);
        self.delivery.free_a_descriptor();
        self.deliver(jobs, &mut report).await;
        report
    }

    /// Writes the reports again now that the logs have come, and the outputs too if they told a cause that was not known
    /// before; `causes` are those that were. After a signal there is no time for it.
    pub async fn documents_with_logs(&mut self, report: &mut Report, causes: &[Option<Sanitized>]) {
        let has_logs = report.runs.iter().any(|run| run.logs.is_some());
        let has_causes = !report.runs.iter().map(|run| &run.cause).eq(causes);
        if !(has_logs || has_causes) || self.grace_period.first_signal().is_some() {
            return;
        }
        let shows_more = |destination: &Destination| match destination.document {
            DocumentKind::Summary | DocumentKind::Format(_) => true,
            DocumentKind::Outputs | DocumentKind::OutputDir => has_causes,
            DocumentKind::TraceFile | DocumentKind::Links => false,
        };
        let jobs = self.delivery.write(report, shows_more);
        if has_causes {
            self.console.write(self.commands(report));
        }
        self.deliver(jobs, report).await;
    }

    /// Writes final versions. What goes wrong is a warning.
    async fn deliver(&mut self, jobs: Vec<WriteJob>, report: &mut Report) {
        for (index, done) in self.all(jobs, Stage::Final).await {
            if let Err(error) = done {
                let before = self.delivery.slots[index].missed.clone();
                let warning = before.unwrap_or_else(|| self.failed(index, &error));
                self.warn(report, warning);
                // It is not tried again.
                self.delivery.slots[index].is_left_out = true;
            }
        }
    }
}
