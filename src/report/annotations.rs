//! Annotations, which a CI shows above everything else: one error unless the gate passed, and a few warnings. Plain text, not yet in any
//! CI's grammar.

use super::sanitize;
use super::{NoteLevel, Report, RunReport, escape, messages};
use crate::core::Verdict;

/// The most warnings: GitHub and Azure keep ten of a step's, and the other tools of the step may want some.
const WARNINGS: usize = 5;

/// The most runs that an error names; the log and the summary have all of them.
const RUNS: usize = 10;

/// What an error shows of a trace, in bytes.
const TRACE_LIMIT: usize = 1024;

/// The warnings, each one line; the rest is counted.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    let warnings = report.notes.iter().filter(|note| note.weight == NoteLevel::Warning);
    let mut lines: Vec<String> = warnings.map(|note| escape::log_line(&note.text)).collect();
    if lines.len() > WARNINGS {
        let rest = lines.split_off(WARNINGS - 1).len();
        lines.push(format!("{rest} more warnings stand in the log"));
    }
    lines
}

/// The error's text, of at most `limit` characters; nothing for a pass. What happened, which runs did not pass or what the
/// only one's trace says, what to do. Its lines of untrusted text stand behind the gutter, for the runner prints the message
/// into the log.
pub(super) fn error(report: &Report, limit: usize) -> Option<String> {
    if report.verdict == Verdict::Passed {
        return None;
    }
    let line = |text: String| escape::log_line(&text);
    let run = report.described();
    let mut parts = vec![escape::log_line(&messages::headline(report))];
    parts.extend(report.input_errors.iter().map(|error| line(format!("- {error}"))));
    if report.deciding().count() > 1 {
        let others = report.deciding().filter(|run| !run.passed()).take(RUNS);
        let told = |run: &RunReport| format!("- {}: {}: {}", run.end.name(), messages::run(run), run.reason);
        parts.extend(others.map(|run| line(told(run))));
    } else {
        let text = report.bug.as_ref().or(run.and_then(RunReport::telling_trace));
        // The line that names the error may be in what is cut off.
        let cause =
            run.and_then(|run| run.cause.as_ref()).filter(|_| text.is_none_or(|text| text.trim().contains('\n')));
        parts.extend(cause.map(|cause| line(format!("likely cause: {cause}"))));
        parts.extend(text.map(|text| escape::gutter(&sanitize::cut(text, TRACE_LIMIT)).trim_end().to_owned()));
    }
    parts.extend(run.and_then(RunReport::hint).map(|hint| line(format!("hint: {hint}"))));
    // The next step must survive the cut, so the rest makes room for it.
    let steps = messages::next_steps(report);
    let next = steps.first().map(|step| format!("\n{}", line(format!("next step: {step}")))).unwrap_or_default();
    let room = limit.saturating_sub(next.chars().count());
    let text: String = parts.join("\n").chars().take(room).collect();
    Some((text + &next).chars().take(limit).collect())
}
