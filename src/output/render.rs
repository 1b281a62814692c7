//! What each destination gets: pure, so that a panic here has written nothing.

use super::agent::Call;
use crate::config::{Destination, Document, Outlet, Target, ci::Ci};
use crate::panic_hook;
use crate::report::chart::Chart;
use crate::report::output_values::{self, Output};
use crate::report::{
    Report, Stage, buildkite, circleci, cloud_build, dotenv, github, gitlab, json, junit, markdown, trace_file,
};

/// A document, as its destination takes it.
pub(super) enum Content {
    Text(String),
    /// The outputs, each for a file of its own.
    Files(Vec<Output>),
    /// For the CI's own program.
    Calls(Vec<Call>),
}

/// The document of `report` for one destination.
pub(super) fn render(outlet: &Outlet, destination: &Destination, report: &Report) -> Content {
    let step = match report.stage {
        Stage::First => "first",
        Stage::Final => "last",
    };
    panic_hook::bug_at(step, destination.name());
    let prefix = &outlet.output_prefix;
    let chart = if outlet.has_mermaid { Chart::Mermaid } else { Chart::Text };
    Content::Text(match (destination.document, &destination.target) {
        (Document::Outputs, Target::Agent) => return Content::Calls(meta_data(report, prefix)),
        (Document::Summary, Target::Agent) => return Content::Calls(annotate(report, prefix)),
        (Document::OutputDir, _) => {
            return Content::Files(output_values::outputs(report, output_values::Destination::OutputDir).rows);
        }
        (Document::Outputs, _) => records(outlet.ci, report, prefix),
        (Document::Summary, _) => page(report, chart),
        (Document::Dotenv, _) => dotenv::render(report, prefix),
        (Document::Json, _) => json::render(report).expect(RENDERED),
        (Document::Junit, _) => junit::render(report),
        (Document::Markdown, _) => markdown::summary(report, chart),
        (Document::TraceFile, _) => trace_file::whole(report),
        (Document::Links, _) => gitlab::annotations(report).expect(RENDERED),
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
            let rows = output_values::outputs(report, output_values::Destination::CiFile).rows;
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
