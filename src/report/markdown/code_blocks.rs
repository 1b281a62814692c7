//! Traces and logs in the job summary: blocks of code that their text can't close, within the page's room.

use super::super::escape::{markdown_code_span as code, markdown_fence};
use super::super::sanitize::{self, Sanitized};
use super::super::{Report, RunReport, messages};

/// One trace, in bytes before it is escaped.
const TRACE_LIMIT: usize = 16 * 1024;

/// The end of the logs: lines of each run, and bytes of all before they are escaped.
const LOG_LINES: usize = 50;
const LOG_LIMIT: usize = 16 * 1024;

/// The most runs whose logs are shown.
const LOGS: usize = 4;

/// The longest path worth a line.
const PATH_LIMIT: usize = 1024;

/// Titles and folds around a block, in bytes.
const FRAME: usize = 1024;

/// Below this there is no use in showing a piece.
const LEAST: usize = 256;

/// What is known about the bug, and the traces of the runs that did not pass, as many as fit: the first open, the others
/// folded. A fold's own title is ours alone: within an HTML block no Markdown escape would hold.
pub(super) fn traces(report: &Report, mut room: usize) -> String {
    let mut page = String::new();
    let trace_within =
        |text: &Sanitized, room: &mut usize| fence_within(room, TRACE_LIMIT, |limit| sanitize::cut(text, limit));
    if let Some(fence) = report.bug.as_ref().and_then(|bug| trace_within(bug, &mut room)) {
        page.push_str(&format!("### Details of the bug\n\n{fence}\n\n"));
    }
    let traced: Vec<(&RunReport, &Sanitized)> =
        report.runs.iter().filter_map(|run| Some((run, run.telling_trace()?))).collect();
    let mut fences = Vec::new();
    for (run, trace) in &traced {
        let Some(fence) = trace_within(trace, &mut room) else { break };
        let whose = if report.runs.len() > 1 { format!(" of {}", code(run.name())) } else { String::new() };
        fences.push(format!("Trace{whose}\n\n{fence}\n\n"));
    }
    if let Some((first, others)) = fences.split_first() {
        page.push_str(&format!("### {first}"));
        if !others.is_empty() {
            let others: String = others.iter().map(|fence| format!("#### {fence}")).collect();
            page.push_str(&format!("<details><summary>More traces</summary>\n\n{others}</details>\n\n"));
        }
    }
    if fences.len() < traced.len() {
        let rest = messages::count(traced.len() - fences.len(), "more trace is", "more traces are");
        page.push_str(&format!("{rest} not shown.\n\n"));
    }
    let path = report.trace_file.as_ref().filter(|path| !traced.is_empty() && path.len() <= PATH_LIMIT);
    if let Some(path) = path {
        page.push_str(&format!("Full traces: {}\n\n", code(path)));
    }
    page
}

/// The end of the logs that were fetched, folded.
pub(super) fn logs(report: &Report, mut room: usize) -> String {
    let logged: Vec<(&RunReport, &Sanitized)> =
        report.runs.iter().filter_map(|run| Some((run, run.logs.as_ref()?))).collect();
    let most = LOG_LIMIT / logged.len().clamp(1, LOGS);
    let mut page = String::new();
    let mut shown = 0;
    for (run, logs) in logged.iter().take(LOGS) {
        let end = |limit| Sanitized::ours(sanitize::tail(logs.trim_end_matches('\n'), LOG_LINES, limit));
        let Some(fence) = fence_within(&mut room, most, end) else { break };
        shown += 1;
        let whose = if report.runs.len() > 1 { format!("Logs of {}\n\n", code(run.name())) } else { String::new() };
        page.push_str(&format!("{whose}{fence}\n\n"));
    }
    if logged.len() > shown {
        page.push_str(&format!(
            "The logs of {} not shown.\n\n",
            messages::count(logged.len() - shown, "more run are", "more runs are")
        ));
    }
    if page.is_empty() {
        page
    } else {
        format!("<details><summary>The end of the logs</summary>\n\n{page}</details>\n\n")
    }
}

/// A fence that fits into the room, and what is left of the room; `text` makes a text of at most so many bytes. The fence of a
/// text of backticks is longer than the text, so what counts is the length written; None if not even a small piece fits.
fn fence_within(room: &mut usize, most: usize, text: impl Fn(usize) -> Sanitized) -> Option<String> {
    let mut limit = most;
    while limit >= LEAST {
        let fence = markdown_fence(text(limit).trim_end_matches('\n')).trim_end().to_owned();
        if let Some(left) = room.checked_sub(fence.len() + FRAME) {
            *room = left;
            return Some(fence);
        }
        limit /= 2;
    }
    None
}
