//! What Azure Pipelines reads: commands in the log (`##vso`), and groups.
//!
//! <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>

use std::path::Path;

use super::{CiSystem, EnvMarker, Folded, LogContext, OutputChannel, PLAIN, SummaryChannel};
use crate::report::{Report, annotations, escape, output_values};

pub(super) static AZURE: CiSystem = CiSystem {
    names: &["azure"],
    marks: &[EnvMarker::True("TF_BUILD")],
    workspaces: &["BUILD_SOURCESDIRECTORY"],
    outputs: OutputChannel::Log(variables),
    summary: SummaryChannel::Uploaded { folder: "AGENT_TEMPDIRECTORY", command: upload_summary },
    fold: group,
    problems: issues,
    ..PLAIN
};

/// The longest message, in characters: an issue stands on the run's first page.
const MESSAGE_LIMIT: usize = 4096;

/// The outputs, one command a line; the last one of a name wins. Later steps read `$(STEP.NAME)`, which the agent pastes
/// into their scripts: that is why the values are encoded as for a shell.
fn variables(report: &Report, prefix: &str) -> String {
    let command = |(name, value): (String, String)| {
        let value = escape::azure(&value);
        format!("##vso[task.setvariable variable={};isoutput=true]{value}\n", escape::azure(&name))
    };
    output_values::encoded(report, prefix).into_iter().map(command).collect()
}

/// Shows a Markdown file on the run's first page. The agent reads it later, so that it must stay.
fn upload_summary(path: &Path) -> String {
    format!("##vso[task.uploadsummary]{}\n", escape::azure(&path.to_string_lossy()))
}

/// The warnings, then one error on anything but a pass.
fn issues(report: &Report, _context: &LogContext<'_>) -> String {
    let issue = |kind: &str, text: &str| format!("##vso[task.logissue type={kind}]{}\n", escape::azure(text));
    let warnings =
        annotations::warnings(report).into_iter().map(|text| issue("warning", &format!("maestro-gate: {text}")));
    let error = annotations::error(report, MESSAGE_LIMIT);
    let error = error.map(|text| issue("error", &format!("maestro-gate: {}: {text}", report.verdict.name())));
    warnings.chain(error).collect()
}

/// Untrusted text as a group of the log.
fn group(piece: &Folded, _context: &LogContext<'_>) -> String {
    let text = escape::gutter(&piece.text);
    format!("##[group]{}\n{}\n##[endgroup]\n", escape::log_line(&piece.title), text.trim_end_matches('\n'))
}
