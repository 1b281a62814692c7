//! What the GitHub family (GitHub, GHES, Gitea, Forgejo, act) reads: the output file, annotations, folds in the log.

use super::{CiSystem, EnvMarker, Folded, LogContext, OutputChannel, PLAIN, SummaryChannel};
use crate::report::output_values::{self, Output, OutputTarget};
use crate::report::{Report, annotations, escape};

/// Within the family the most particular mark comes first: Gitea and Forgejo set `GITHUB_ACTIONS` as well.
pub(super) static GITHUB: CiSystem = CiSystem {
    names: &["github", "gitea", "forgejo"],
    marks: &[EnvMarker::True("FORGEJO_ACTIONS"), EnvMarker::True("GITEA_ACTIONS"), EnvMarker::True("GITHUB_ACTIONS")],
    // A container that was given the runner's file, but not its mark.
    weak_mark: Some(EnvMarker::Set("GITHUB_OUTPUT")),
    command_files: &[
        "GITHUB_OUTPUT",
        "GITHUB_ENV",
        "GITHUB_PATH",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
        "GITHUB_EVENT_PATH",
        "FORGEJO_OUTPUT",
        "FORGEJO_ENV",
        "FORGEJO_PATH",
        "FORGEJO_STATE",
        "FORGEJO_STEP_SUMMARY",
        "GITEA_OUTPUT",
        "GITEA_ENV",
        "GITEA_STEP_SUMMARY",
    ],
    workspaces: &["GITHUB_WORKSPACE"],
    outputs: OutputChannel::Appended { variable: "GITHUB_OUTPUT", render: outputs },
    summary: SummaryChannel::Appended("GITHUB_STEP_SUMMARY"),
    draws_mermaid: true,
    fold,
    problems: |report, _| annotations(report),
    missing_secrets: ". If they come from secrets: are the secrets available to this event? Pull requests from forks and \
                      from Dependabot get none",
    ..PLAIN
};

/// The outputs for `$GITHUB_OUTPUT`.
fn outputs(report: &Report, _prefix: &str, token: fn() -> Delimiter) -> String {
    let rows = output_values::outputs(report, OutputTarget::CiFile);
    // That a delimiter is part of a value is as good as impossible; then the next one is not.
    loop {
        if let Some(records) = output_file(&rows, &token()) {
            break records;
        }
    }
}

/// Random text from the caller that nobody outside can foresee: at least 16 ASCII letters and digits.
pub struct Delimiter(String);

impl Delimiter {
    /// None if `random` is too short, or is not made of ASCII letters and digits alone.
    pub fn new(random: &str) -> Option<Delimiter> {
        (random.len() >= 16 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .then(|| Delimiter(random.to_owned()))
    }
}

/// Records for `$GITHUB_OUTPUT`; none if the token stands in a value. Every value is a heredoc, as the runner's own toolkit
/// writes it: then no value has a meaning, whatever is in it. The last record of a name wins, so this is appended at the
/// start and again at the end.
pub fn output_file(rows: &[Output], token: &Delimiter) -> Option<String> {
    let delimiter = format!("ghadelimiter_{}", token.0);
    let record = |Output { name, value }: &Output| {
        (!value.contains(&delimiter)).then(|| format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"))
    };
    rows.iter().map(record).collect()
}

/// The runner cuts an annotation's message here, in characters (`ExecutionContext.cs`).
const MESSAGE_LIMIT: usize = 4096;

/// The annotations, one command a line: first the warnings, then one error on anything but a pass.
fn annotations(report: &Report) -> String {
    let warnings = annotations::warnings(report).into_iter().map(|text| command("warning", "maestro-gate", &text));
    let title = format!("maestro-gate: {}", report.verdict.name());
    let error = annotations::error(report, MESSAGE_LIMIT).map(|text| command("error", &title, &text));
    warnings.chain(error).collect()
}

fn command(name: &str, title: &str, message: &str) -> String {
    let message: String = message.chars().take(MESSAGE_LIMIT).collect();
    format!("::{name} title={}::{}\n", escape::github_property(title), escape::github_data(&message))
}

/// Untrusted text as a fold of the log, in which the runner obeys nothing until the token is said.
fn fold(piece: &Folded, context: &LogContext<'_>) -> String {
    let token = &context.token.0;
    // Chance can't bring the token into the text; a bug in the caller's randomness might.
    let text = escape::gutter(&piece.text.replace(token.as_str(), "***"));
    format!(
        "::group::{}\n::stop-commands::{token}\n{}\n::{token}::\n::endgroup::\n",
        escape::github_data(&escape::log_line(&piece.title)),
        text.trim_end_matches('\n')
    )
}
