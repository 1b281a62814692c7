//! What Buildkite shows: meta-data and an annotation, both set by its agent, and groups in the log.
//!
//! <https://buildkite.com/docs/agent/v3/cli-meta-data>, <https://buildkite.com/docs/agent/v3/cli-annotate>

use super::{AgentCall, CiSystem, EnvMarker, Folded, LogContext, OutputChannel, PLAIN, SummaryChannel};
use crate::core::Severity;
use crate::report::{Report, Stage, escape, output_values};

/// Its own program, found by the PATH.
const AGENT: &str = "buildkite-agent";

pub(super) static BUILDKITE: CiSystem = CiSystem {
    names: &["buildkite"],
    marks: &[EnvMarker::True("BUILDKITE")],
    command_files: &["BUILDKITE_ENV_FILE"],
    workspaces: &["BUILDKITE_BUILD_CHECKOUT_PATH"],
    outputs: OutputChannel::Agent { program: AGENT, calls: meta_data },
    summary: SummaryChannel::Agent { program: AGENT, calls: annotate },
    fold: group,
    after_folds: verdict_group,
    ..PLAIN
};

/// The longest context of an annotation, in characters.
const CONTEXT_LIMIT: usize = 100;

/// Buildkite takes no empty value, and none can be taken back: a retried job would show the one from before.
const EMPTY: &str = "-";

/// The outputs as meta-data, which all jobs of a build share.
fn meta_data(report: &Report, prefix: &str) -> Vec<AgentCall> {
    let set = |(name, value): (String, String)| AgentCall {
        arguments: vec!["meta-data".to_owned(), "set".to_owned(), name],
        input: if value.is_empty() { EMPTY.to_owned() } else { value },
    };
    output_values::encoded(report, prefix).into_iter().map(set).collect()
}

/// The page as an annotation. It replaces the one of the same context, so that the last version replaces the first, and
/// two gates with two prefixes have two.
fn annotate(report: &Report, prefix: &str, page: String) -> Vec<AgentCall> {
    let context: String = prefix.trim_matches('_').to_ascii_lowercase().chars().take(CONTEXT_LIMIT).collect();
    let context = if context.is_empty() { "maestro_gate".to_owned() } else { context };
    let style = match (report.stage, report.verdict.severity()) {
        (Stage::First, _) => "info",
        (Stage::Final, Severity::Success) => "success",
        (Stage::Final, Severity::Warning) => "warning",
        (Stage::Final, Severity::Error) => "error",
    };
    let arguments = ["annotate", "--context", &context, "--style", style].map(str::to_owned).to_vec();
    vec![AgentCall { arguments, input: page }]
}

/// Untrusted text as a group of the log, the first one open.
fn group(piece: &Folded, _context: &LogContext<'_>) -> String {
    let mark = if piece.index == 0 { "+++" } else { "---" };
    let text = escape::gutter(&piece.text);
    format!("{mark} {}\n{}\n", escape::log_line(&piece.title), text.trim_end_matches('\n'))
}

/// A group for what follows the untrusted text: without it the verdict would be folded away with the last piece.
fn verdict_group(report: &Report) -> String {
    format!("+++ maestro-gate: {}\n", report.verdict.name())
}
