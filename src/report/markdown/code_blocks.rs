//! Traces and logs in the job summary: blocks of code that their text can't close, within the page's room.

use super::super::escape::{markdown_code_span as code, markdown_fence};
use super::super::room::Room;
use super::super::sanitize::{self, Sanitized};
use super::super::{Report, RunReport};
use super::left_out;

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
pub(super) fn traces(report: &Report, mut room: Room) -> String {
    let mut page = String::new();
    let mut fence = |text: &Sanitized| fence_within(&mut room, TRACE_LIMIT, |limit| sanitize::cut(text, limit));
    let bug = report.bug.as_ref().and_then(&mut fence);
    page.extend(bug.map(|fence| format!("### Details of the bug\n\n{fence}\n\n")));
    let traced: Vec<(&RunReport, &Sanitized)> =
        report.runs.iter().filter_map(|run| Some((run, run.telling_trace()?))).collect();
    let block = |(run, trace): &(&RunReport, &Sanitized)| {
        let whose = if report.runs.len() > 1 { format!(" of {}", code(run.name())) } else { String::new() };
        Some(format!("Trace{whose}\n\n{}\n\n", fence(trace)?))
    };
    let blocks: Vec<String> = traced.iter().map_while(block).collect();
    if let Some((first, others)) = blocks.split_first() {
        page.push_str(&format!("### {first}"));
        if !others.is_empty() {
            let others: String = others.iter().map(|block| format!("#### {block}")).collect();
            page.push_str(&format!("<details><summary>More traces</summary>\n\n{others}</details>\n\n"));
        }
    }
    page.push_str(&left_out(traced.len() - blocks.len(), "more trace is", "more traces are"));
    let path = report.trace_file.as_ref().filter(|path| !traced.is_empty() && path.len() <= PATH_LIMIT);
    page.extend(path.map(|path| format!("Full traces: {}\n\n", code(path))));
    page
}

/// The end of the logs that were fetched, folded.
pub(super) fn logs(report: &Report, mut room: Room) -> String {
    let logged: Vec<(&RunReport, &Sanitized)> =
        report.runs.iter().filter_map(|run| Some((run, run.logs.as_ref()?))).collect();
    if logged.is_empty() {
        return String::new();
    }
    let most = LOG_LIMIT / logged.len().min(LOGS);
    let block = |(run, logs): &(&RunReport, &Sanitized)| {
        let end = |limit| Sanitized::ours(sanitize::tail(logs.trim_end_matches('\n'), LOG_LINES, limit));
        let whose = if report.runs.len() > 1 { format!("Logs of {}\n\n", code(run.name())) } else { String::new() };
        Some(format!("{whose}{}\n\n", fence_within(&mut room, most, end)?))
    };
    let blocks: Vec<String> = logged.iter().take(LOGS).map_while(block).collect();
    let rest = left_out(logged.len() - blocks.len(), "more run are", "more runs are");
    let rest = if rest.is_empty() { rest } else { format!("The logs of {rest}") };
    format!("<details><summary>The end of the logs</summary>\n\n{}{rest}</details>\n\n", blocks.concat())
}

/// A fence that fits into the room, and what is left of the room; `text` makes a text of at most so many bytes. The fence of a
/// text of backticks is longer than the text, so what counts is the length written; None if not even a small piece fits.
fn fence_within(room: &mut Room, most: usize, text: impl Fn(usize) -> Sanitized) -> Option<String> {
    let mut limit = most;
    while limit >= LEAST {
        let fence = markdown_fence(text(limit).trim_end_matches('\n')).trim_end().to_owned();
        if room.take(fence.len() + FRAME) {
            return Some(fence);
        }
        limit /= 2;
    }
    None
}
