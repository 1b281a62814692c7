//! What each destination gets: pure, so that a panic here has written nothing.

use super::agent::Call;
use crate::config::{Destination, DocumentKind, OutputConfig, WriteTarget, ci::Ci};
use crate::panic_hook;
use crate::report::chart::Chart;
use crate::report::output_values::{self, Output};
use crate::report::{
    Report, Stage, buildkite, circleci, cloud_build, dotenv, github, gitlab, json, junit, markdown, trace_file,
};

/// A document, as its destination takes it.
pub(super) enum RenderedContent {
    Text(String),
    /// The outputs, each for a file of its own.
    Files(Vec<Output>),
    /// For the CI's own program.
    Calls(Vec<Call>),
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
    RenderedContent::Text(match (destination.document, &destination.target) {
        (DocumentKind::Outputs, WriteTarget::Agent) => return RenderedContent::Calls(meta_data(report, prefix)),
        (DocumentKind::Summary, WriteTarget::Agent) => return RenderedContent::Calls(annotate(report, prefix)),
        (DocumentKind::OutputDir, _) => {
            return RenderedContent::Files(output_values::outputs(report, output_values::OutputTarget::OutputDir).rows);
        }
        (DocumentKind::Outputs, _) => records(output_config.ci, report, prefix),
        (DocumentKind::Summary, _) => page(report, chart),
        (DocumentKind::Dotenv, _) => dotenv::render(report, prefix),
        (DocumentKind::Json, _) => json::render(report).expect(RENDERED),
        (DocumentKind::Junit, _) => junit::render(report),
        (DocumentKind::Markdown, _) => markdown::summary(report, chart),
        (DocumentKind::TraceFile, _) => trace_file::whole(report),
        (DocumentKind::Links, _) => gitlab::annotations(report).expect(RENDERED),
    })
}

const RENDERED: &str = "text and numbers can be written in any format";

fn page(report: &Report, chart: Chart) -> String {
    match report.stage {
        Stage::First => markdown::began(report),
        Stage::Final => markdown::summary(report, chart),
    }
}

fn meta_data(report: &Report, prefix: &str) -> Vec<Call> {
    let set = |(name, input)| Call { arguments: vec!["meta-data".to_owned(), "set".to_owned(), name], input };
    buildkite::meta_data(report, prefix).into_iter().map(set).collect()
}

fn annotate(report: &Report, prefix: &str) -> Vec<Call> {
    let (context, style) = buildkite::annotation(report, prefix);
    let arguments = ["annotate", "--context", &context, "--style", style].map(str::to_owned).to_vec();
    vec![Call { arguments, input: page(report, Chart::Text) }]
}

/// What the CI's own file gets.
fn records(ci: Ci, report: &Report, prefix: &str) -> String {
    match ci {
        Ci::Github => {
            let rows = output_values::outputs(report, output_values::OutputTarget::CiFile).rows;
            // A delimiter that stands in a value is as good as impossible; then the next one does not.
            loop {
                if let Ok(records) = github::output_file(&rows, &super::token()) {
                    break records;
                }
            }
        }
        Ci::Circleci => circleci::exports(report, prefix),
        Ci::CloudBuild => cloud_build::render(report).expect(RENDERED),
        Ci::Bitbucket | Ci::Drone => dotenv::render(report, prefix),
        Ci::Azure | Ci::Buildkite | Ci::Files | Ci::Gitlab | Ci::None | Ci::Teamcity => String::new(),
    }
}
