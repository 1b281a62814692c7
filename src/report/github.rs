//! What the GitHub family (GitHub, GHES, Gitea, Forgejo, act) reads: the output file, annotations, folds in the log.

use super::clean::{self, Clean};
use super::outputs::Output;
use super::{Note, Report, Weight, escape, words};
use crate::gate::Verdict;

/// Random text from the caller that nobody outside can foresee: at least 16 ASCII letters and digits.
pub struct Token(String);

impl Token {
    /// None if `random` is too short, or is not made of ASCII letters and digits alone.
    pub fn new(random: &str) -> Option<Token> {
        (random.len() >= 16 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .then(|| Token(random.to_owned()))
    }
}

/// The token stands in a value: make another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the delimiter stands in an output's value")]
pub struct DelimiterTaken;

/// Records for `$GITHUB_OUTPUT`. Every value is a heredoc, as the runner's own toolkit writes it: then no value has a
/// meaning, whatever is in it. The last record of a name wins, so this is appended at the start and again at the end.
pub fn output_file(rows: &[Output], token: &Token) -> Result<String, DelimiterTaken> {
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

/// The most warnings: the runner keeps ten of a step's, and the other tools of the step may want some.
const WARNINGS: usize = 5;

/// The most runs that an annotation tells of; all stand in the log and the summary.
const RUNS: usize = 10;

/// What an annotation shows of a trace, in bytes: it is seen above everything else, on the run's first page.
const TRACE_LIMIT: usize = 1024;

/// The annotations, one command a line: first the warnings, then one error on anything but a pass.
pub fn annotations(report: &Report) -> String {
    let warnings: Vec<&Note> = report.notes.iter().filter(|note| note.weight == Weight::Warning).collect();
    let shown = if warnings.len() > WARNINGS { WARNINGS - 1 } else { warnings.len() };
    let mut lines: String = warnings.iter().take(shown).map(|note| warning(&note.text)).collect();
    if warnings.len() > shown {
        lines.push_str(&warning(&format!("{} more warnings stand in the log", warnings.len() - shown)));
    }
    if report.verdict != Verdict::Passed {
        lines.push_str(&command("error", &format!("maestro-gate: {}", report.verdict.name()), &message(report)));
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

/// The error's text: what happened, which runs did not pass or what the only one's trace says, what to do. Its lines of foreign text stand behind the
/// gutter, for the runner prints the message into the log.
fn message(report: &Report) -> String {
    let mut parts = vec![escape::log_line(&words::headline(report))];
    parts.extend(report.mistakes.iter().map(|mistake| escape::log_line(&format!("- {mistake}"))));
    if report.runs.len() > 1 {
        let others = report.runs.iter().filter(|run| !run.passed());
        parts.extend(
            others
                .take(RUNS)
                .map(|run| escape::log_line(&format!("- {}: {}: {}", run.end.name(), words::run(run), run.reason))),
        );
    } else if let Some(trace) = report.bug.as_ref().or(report.described().and_then(|run| run.telling_trace())) {
        parts.push(escape::gutter(&clean::cut(trace, TRACE_LIMIT)).trim_end().to_owned());
    }
    // The next step must survive the cut, so the rest makes room for it.
    let next = match words::next_steps(report).first() {
        Some(step) => format!("\n{}", escape::log_line(&format!("next step: {step}"))),
        None => String::new(),
    };
    let room = MESSAGE_LIMIT.saturating_sub(next.chars().count());
    let text: String = parts.join("\n").chars().take(room).collect();
    text + &next
}

/// Foreign text as a fold of the log, in which the runner obeys nothing until the token is said.
pub fn fold(title: &str, text: &Clean, token: &Token) -> String {
    let token = &token.0;
    // Chance can't bring the token into the text; a mistake in the caller's randomness might.
    let text = escape::gutter(&text.replace(token.as_str(), "***"));
    format!(
        "::group::{}\n::stop-commands::{token}\n{}\n::{token}::\n::endgroup::\n",
        escape::github_data(&escape::log_line(title)),
        text.trim_end_matches('\n')
    )
}
