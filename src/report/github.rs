//! What the GitHub family (GitHub, GHES, Gitea, Forgejo, act) reads: the output file, annotations, folds in the log.

use super::output_values::Output;
use super::sanitize::Sanitized;
use super::{Report, annotations, escape};

/// Random text from the caller that nobody outside can foresee: at least 16 ASCII letters and digits.
pub struct Delimiter(String);

impl Delimiter {
    /// None if `random` is too short, or is not made of ASCII letters and digits alone.
    pub fn new(random: &str) -> Option<Delimiter> {
        (random.len() >= 16 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .then(|| Delimiter(random.to_owned()))
    }
}

/// The token stands in a value: make another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the delimiter stands in an output's value")]
pub struct DelimiterTaken;

/// Records for `$GITHUB_OUTPUT`. Every value is a heredoc, as the runner's own toolkit writes it: then no value has a
/// meaning, whatever is in it. The last record of a name wins, so this is appended at the start and again at the end.
pub fn output_file(rows: &[Output], token: &Delimiter) -> Result<String, DelimiterTaken> {
    let delimiter = format!("ghadelimiter_{}", token.0);
    let mut file = String::new();
    for Output { name, value } in rows {
        if value.contains(&delimiter) {
            return Err(DelimiterTaken);
        }
        file.push_str(&format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"));
    }
    Ok(file)
}

/// The runner cuts an annotation's message here, in characters (`ExecutionContext.cs`).
const MESSAGE_LIMIT: usize = 4096;

/// The annotations, one command a line: first the warnings, then one error on anything but a pass.
pub fn annotations(report: &Report) -> String {
    let mut lines: String = annotations::warnings(report).iter().map(|text| warning(text)).collect();
    if let Some(text) = annotations::error(report, MESSAGE_LIMIT) {
        lines.push_str(&command("error", &format!("maestro-gate: {}", report.verdict.name()), &text));
    }
    lines
}

/// One warning, as a command with its line break.
pub fn warning(text: &str) -> String {
    command("warning", "maestro-gate", &escape::log_line(text))
}

fn command(name: &str, title: &str, message: &str) -> String {
    let message: String = message.chars().take(MESSAGE_LIMIT).collect();
    format!("::{name} title={}::{}\n", escape::github_property(title), escape::github_data(&message))
}

/// Untrusted text as a fold of the log, in which the runner obeys nothing until the token is said.
pub fn fold(title: &str, text: &Sanitized, token: &Delimiter) -> String {
    let token = &token.0;
    // Chance can't bring the token into the text; a bug in the caller's randomness might.
    let text = escape::gutter(&text.replace(token.as_str(), "***"));
    format!(
        "::group::{}\n::stop-commands::{token}\n{}\n::{token}::\n::endgroup::\n",
        escape::github_data(&escape::log_line(title)),
        text.trim_end_matches('\n')
    )
}
