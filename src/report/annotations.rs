//! Annotations, which a CI shows above everything else: one error unless the gate passed, and a few warnings. Plain text, not yet in any
//! CI's grammar.

use super::sanitize;
use super::{Note, NoteLevel, Report, RunReport, escape, messages};
use crate::core::Verdict;

/// The most warnings: GitHub and Azure keep ten of a step's, and the other tools of the step may want some.
const WARNINGS: usize = 5;

/// The most runs that an error names; the log and the summary have all of them.
const RUNS: usize = 10;

/// What an error shows of a trace, in bytes.
const TRACE_LIMIT: usize = 1024;

/// The warnings, each one line; the rest is counted.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    let warnings: Vec<&Note> = report.notes.iter().filter(|note| note.weight == NoteLevel::Warning).collect();
    let shown = if warnings.len() > WARNINGS { WARNINGS - 1 } else { warnings.len() };
    let mut lines: Vec<String> = warnings.iter().take(shown).map(|note| escape::log_line(&note.text)).collect();
    if warnings.len() > shown {
        lines.push(format!("{} more warnings stand in the log", warnings.len() - shown));
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
    let mut parts = vec![escape::log_line(&messages::headline(report))];
    parts.extend(report.input_errors.iter().map(|input_error| escape::log_line(&format!("- {input_error}"))));
    if report.deciding().count() > 1 {
        let others = report.deciding().filter(|run| !run.passed());
        parts.extend(
            others
                .take(RUNS)
                .map(|run| escape::log_line(&format!("- {}: {}: {}", run.end.name(), messages::run(run), run.reason))),
        );
    } else if let Some(trace) = report.bug.as_ref().or(report.described().and_then(|run| run.telling_trace())) {
        // The line that names the error may be in what is cut off.
        parts.extend(likely_cause(report).filter(|_| trace.trim().contains('\n')));
        parts.push(escape::gutter(&sanitize::cut(trace, TRACE_LIMIT)).trim_end().to_owned());
    } else {
        parts.extend(likely_cause(report));
    }
    let hint = report.described().and_then(RunReport::hint);
    parts.extend(hint.map(|hint| escape::log_line(&format!("hint: {hint}"))));
    // The next step must survive the cut, so the rest makes room for it.
    let next = match messages::next_steps(report).first() {
        Some(step) => format!("\n{}", escape::log_line(&format!("next step: {step}"))),
        None => String::new(),
    };
    let room = limit.saturating_sub(next.chars().count());
    let text: String = parts.join("\n").chars().take(room).collect();
    Some((text + &next).chars().take(limit).collect())
}

fn likely_cause(report: &Report) -> Option<String> {
    let cause = report.described()?.cause.as_ref()?;
    Some(escape::log_line(&format!("likely cause: {cause}")))
}
