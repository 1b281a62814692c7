//! What Buildkite shows: meta-data and an annotation, both set by its agent, and groups in the log.
//!
//! <https://buildkite.com/docs/agent/v3/cli-meta-data>, <https://buildkite.com/docs/agent/v3/cli-annotate>

use super::sanitize::Sanitized;
use super::{Report, Stage, escape, output_values};
use crate::core::Verdict;

/// The longest context of an annotation, in characters.
const CONTEXT_LIMIT: usize = 100;

/// Buildkite takes no empty value, and none can be taken back: a retried job would show the one from before.
const EMPTY: &str = "-";

/// The outputs as meta-data, which all jobs of a build share.
pub fn meta_data(report: &Report, prefix: &str) -> Vec<(String, String)> {
    let full = |value: String| if value.is_empty() { EMPTY.to_owned() } else { value };
    output_values::encoded(report, prefix).into_iter().map(|(name, value)| (name, full(value))).collect()
}

/// The annotation's context and style. An annotation replaces the one of the same context, so that the last version
/// replaces the first, and two gates with two prefixes have two.
pub fn annotation(report: &Report, prefix: &str) -> (String, &'static str) {
    let context: String = prefix.trim_matches('_').to_ascii_lowercase().chars().take(CONTEXT_LIMIT).collect();
    let context = if context.is_empty() { "maestro_gate".to_owned() } else { context };
    let style = match (report.stage, report.verdict) {
        (Stage::First, _) => "info",
        (Stage::Final, Verdict::Passed) => "success",
        (Stage::Final, Verdict::TimedOut | Verdict::Stale | Verdict::Interrupted(_)) => "warning",
        (
            Stage::Final,
            Verdict::Failed
            | Verdict::InvalidInput
            | Verdict::NotFound
            | Verdict::Denied
            | Verdict::Unreachable
            | Verdict::NotStarted
            | Verdict::InternalError,
        ) => "error",
    };
    (context, style)
}

/// Untrusted text as a group of the log, the first one open.
pub fn group(title: &str, text: &Sanitized, index: usize) -> String {
    let mark = if index == 0 { "+++" } else { "---" };
    format!("{mark} {}\n{}\n", escape::log_line(title), escape::gutter(text).trim_end_matches('\n'))
}

/// A group for what follows the untrusted text: without it the verdict would be folded away with the last piece.
pub fn verdict_group(report: &Report) -> String {
    format!("+++ maestro-gate: {}\n", report.verdict.name())
}
