//! What each destination gets: pure, so that a panic here has written nothing.

use crate::config::{Destination, DocumentKind, OutputConfig};
use crate::panic_hook;
use crate::report::chart::Chart;
use crate::report::ci::{AgentCall, OutputChannel, SummaryChannel, gitlab};
use crate::report::output_values::{self, OutputTarget};
use crate::report::trace_file::{self, Section};
use crate::report::{Report, Stage, markdown};

/// A document, as its destination takes it.
pub(super) enum RenderedContent {
    /// One for each file of the destination, in pieces.
    Texts(Vec<Vec<String>>),
    /// The trace file.
    Trace(Vec<Section>),
    /// For the CI's own program.
    Calls { program: &'static str, calls: Vec<AgentCall> },
}

/// The document of `report` for one destination.
pub(super) fn render(output_config: &OutputConfig, destination: &Destination, report: &Report) -> RenderedContent {
    let step = match report.stage {
        Stage::First => "first",
        Stage::Final => "last",
    };
    panic_hook::panic_if_provoked(step, destination.name());
    let prefix = &output_config.output_prefix;
    let chart = if output_config.has_mermaid { Chart::Mermaid } else { Chart::Text };
    let text = match destination.document {
        DocumentKind::OutputDir => {
            let rows = output_values::outputs(report, OutputTarget::OutputDir);
            return RenderedContent::Texts(rows.into_iter().map(|row| vec![row.value]).collect());
        }
        DocumentKind::Outputs => match output_config.ci.outputs {
            OutputChannel::Agent { program, calls } => {
                return RenderedContent::Calls { program, calls: calls(report, prefix) };
            }
            OutputChannel::Appended { render, .. } | OutputChannel::InFolder { render, .. } => {
                render(report, prefix, super::token)
            }
            OutputChannel::Nowhere | OutputChannel::Log(_) => String::new(),
        },
        DocumentKind::Summary => match output_config.ci.summary {
            SummaryChannel::Agent { program, calls } => {
                return RenderedContent::Calls { program, calls: calls(report, prefix, page(report, Chart::Text)) };
            }
            SummaryChannel::Nowhere | SummaryChannel::Appended(_) | SummaryChannel::Uploaded { .. } => {
                page(report, chart)
            }
        },
        DocumentKind::Format(format) => return RenderedContent::Texts(vec![(format.render)(report, prefix, chart)]),
        DocumentKind::TraceFile => return RenderedContent::Trace(trace_file::whole(report)),
        DocumentKind::Links => gitlab::annotations(report),
    };
    RenderedContent::Texts(vec![vec![text]])
}

fn page(report: &Report, chart: Chart) -> String {
    match report.stage {
        Stage::First => markdown::began(report),
        Stage::Final => markdown::summary(report, chart),
    }
}
