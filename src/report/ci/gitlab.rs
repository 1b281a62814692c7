//! What GitLab reads: sections in the log, and the annotations report, whose links stand beside the job's log.
//!
//! Its other two reports are `dotenv` and `junit`.

use serde_json::{Value, json};

use super::{CiSystem, EnvMarker, Folded, LogContext, PLAIN};
use crate::report::room::Room;
use crate::report::{Report, RunReport, escape, messages};

pub(super) static GITLAB: CiSystem = CiSystem {
    names: &["gitlab"],
    marks: &[EnvMarker::True("GITLAB_CI")],
    workspaces: &["CI_PROJECT_DIR"],
    takes_links: true,
    fold: section,
    missing_secrets: ". If they come from CI/CD variables: a protected variable exists on protected branches and tags \
                      only, and pipelines of forks get none",
    ..PLAIN
};

/// Untrusted text as a section of the log (`lib/gitlab/regex.rb`, `build_trace_section_regex`). A section's name must be the
/// only one of its kind in the job, so it tells the time, and which of the gate's sections it is.
///
/// The mark needs a carriage return and an escape character, and clean text has neither: no text can end its section.
fn section(piece: &Folded, context: &LogContext<'_>) -> String {
    let time = context.now.timestamp().max(0);
    let name = format!("maestro_gate_{time}_{}", piece.index);
    // The first is what a person came for: GitLab has no other page that would show it.
    let folded = if piece.index == 0 { "" } else { "[collapsed=true]" };
    format!(
        "\u{1b}[0Ksection_start:{time}:{name}{folded}\r\u{1b}[0K{}\n{}\n\u{1b}[0Ksection_end:{time}:{name}\r\u{1b}[0K\n",
        escape::log_line(&piece.title),
        escape::gutter(&piece.text).trim_end_matches('\n')
    )
}

/// The heading over the links.
const HEADING: &str = "Maestro runs";

/// The size of all links. GitLab refuses a file of 80 KiB, or of more than 1000 links
/// (`parse_annotations_artifact_service.rb`, `ci_job_annotation_data.json`).
const LINKS_LIMIT: usize = 64 * 1024;

/// The annotations report: a link for each run that has one, those that did not pass first, as many as fit.
///
/// <https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsannotations>
pub fn annotations(report: &Report) -> String {
    let (passed, others): (Vec<&RunReport>, Vec<&RunReport>) = report.runs.iter().partition(|run| run.passed());
    let link = |run: &RunReport| {
        let label = format!("{}: {}", run.end.name(), messages::run(run));
        Some(json!({ "external_link": { "label": label, "url": run.link.as_ref()?.url() } }))
    };
    let mut room = Room(LINKS_LIMIT);
    let links = others.into_iter().chain(passed).filter_map(link);
    let links: Vec<Value> = links.take_while(|link| room.take(link.to_string().len())).collect();
    let lists = if links.is_empty() { json!({}) } else { json!({ HEADING: links }) };
    format!("{lists}\n")
}
