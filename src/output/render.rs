//! What each destination gets: pure, so that a panic here has written nothing.

use crate::config::{Destination, DocumentKind, OutputConfig};
use crate::panic_hook;
use crate::report::chart::Chart;
use crate::report::ci::{AgentCall, OutputChannel, SummaryChannel, gitlab};
use crate::report::output_values::{self, Output};
use crate::report::trace_file::{self, Section};
use crate::report::{Report, Stage, markdown};

/// A document, as its destination takes it.
pub(super) enum RenderedContent {
    Text(String),
    /// The trace file.
    Trace(Vec<Section>),
    /// The outputs, each for a file of its own.
    Files(Vec<Output>),
    /// For the CI's own program.
    Calls(Vec<AgentCall>),
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
    RenderedContent::Text(match destination.document {
        DocumentKind::OutputDir => {
            return RenderedContent::Files(output_values::outputs(report, output_values::OutputTarget::OutputDir));
        }
        DocumentKind::Outputs => match output_config.ci.outputs {
            OutputChannel::Agent { calls, .. } => return RenderedContent::Calls(calls(report, prefix)),
            OutputChannel::Appended { render, .. } | OutputChannel::InFolder { render, .. } => {
                render(report, prefix, super::token)
            }
            OutputChannel::Nowhere | OutputChannel::Log(_) => String::new(),
        },
        DocumentKind::Summary => match output_config.ci.summary {
            SummaryChannel::Agent { calls, .. } => {
                return RenderedContent::Calls(calls(report, prefix, page(report, Chart::Text)));
            }
            SummaryChannel::Nowhere | SummaryChannel::Appended(_) | SummaryChannel::Uploaded { .. } => {
                page(report, chart)
            }
        },
        DocumentKind::Format(format) => (format.render)(report, prefix, chart),
        DocumentKind::TraceFile => return RenderedContent::Trace(trace_file::whole(report)),
        DocumentKind::Links => gitlab::annotations(report),
    })
}

fn page(report: &Report, chart: Chart) -> String {
    match report.stage {
        Stage::First => markdown::began(report),
        Stage::Final => markdown::summary(report, chart),
    }
}
