//! The log on stdout: one line for a thing that happened, a block at the end whose last line is the verdict.
//!
//! All functions return whole lines, each with its line break.

use serde::Serialize;

use super::ci::{CiSystem, Folded, LogContext};
use super::json::{self, Document, ReportObject, RunObject};
use super::sanitize;
use super::{Note, NoteLevel, Report, RunReport, chart, escape, messages};
use crate::core::Verdict;

/// One piece of untrusted text, and all of it together, in bytes: GitLab drops what is over 4 MiB, and the verdict comes
/// last.
const PIECE_LIMIT: usize = 16 * 1024;
const ALL_PIECES_LIMIT: usize = 256 * 1024;

/// The most runs, pipelines and next steps told one by one.
const RUNS: usize = 100;
const PIPELINES: usize = 10;
const STEPS: usize = 10;

/// Something that was seen on the way: `[0:12] status RUNNING`.
pub fn note(note: &Note) -> String {
    let weight = match note.weight {
        NoteLevel::Plain => "",
        NoteLevel::Warning => "warning: ",
    };
    line(&format!("[{}] {weight}{}", messages::clock(note.at), note.text))
}

/// The block at the end.
pub fn closing(report: &Report, ci: &CiSystem, context: &LogContext<'_>) -> String {
    let mut log = String::new();
    let Pieces { shown, is_cut } = pieces(report);
    for piece in &shown {
        log.push_str(&(ci.fold)(piece, context));
    }
    if is_cut {
        log.push_str(&line("more traces and logs are not shown, to keep this log short"));
    }
    if !log.is_empty() {
        log.push_str(&(ci.after_folds)(report));
    }
    if let Some(path) = &report.trace_file {
        log.push_str(&line(&format!("full traces: {path}")));
    }
    for input_error in &report.input_errors {
        log.push_str(&line(&format!("- {input_error}")));
    }
    if report.runs.len() > 1 {
        log.push_str(&told_one_by_one(report));
    }
    log.push_str(&history(report));
    log.push_str(&(ci.problems)(report, context));
    if let [RunReport { link: Some(link), .. }] = report.runs.as_slice() {
        log.push_str(&line(&format!("link to the {}: {}", link.target(), link.url())));
    }
    if !report.runs.is_empty() {
        log.push_str(&line(&messages::effort(report)));
    }
    if let [RunReport { cause: Some(cause), .. }] = report.runs.as_slice() {
        log.push_str(&line(&format!("likely cause: {cause}")));
    }
    if let Some(hint) = report.described().and_then(RunReport::hint) {
        log.push_str(&line(&format!("hint: {hint}")));
    }
    if let Some(help) = messages::help(report.verdict) {
        log.push_str(&line(&format!("help: {help}")));
    }
    for step in messages::next_steps(report).iter().take(STEPS) {
        log.push_str(&line(&format!("next step: {step}")));
    }
    log.push_str(&line(&verdict(report)));
    log
}

/// The last line: the verdict, which run, and the cause, for a reader who sees nothing else.
fn verdict(report: &Report) -> String {
    let cause = messages::cause(report).map(|cause| format!(": {cause}")).unwrap_or_default();
    last_line(report.verdict, &format!("{}{cause}", messages::headline(report)))
}

fn last_line(verdict: Verdict, why: &str) -> String {
    format!("maestro-gate: {} (exit code {}): {why}", verdict.name(), verdict.exit_code())
}

/// The runs that did not pass, a line each, the rest counted.
fn told_one_by_one(report: &Report) -> String {
    let (passed, others): (Vec<&RunReport>, Vec<&RunReport>) = report.runs.iter().partition(|run| run.passed());
    let mut lines = String::new();
    for run in others.iter().take(RUNS) {
        let link = run.link.as_ref().map(|link| format!(" {}", link.url())).unwrap_or_default();
        let cause = run.cause.as_ref().map(|cause| format!("; likely cause: {cause}")).unwrap_or_default();
        let reason = messages::reason(run);
        lines.push_str(&line(&format!("{}: {}: {reason}{cause}{link}", run.end.name(), messages::run(run))));
    }
    if let Some(rest) = others.get(RUNS..).filter(|rest| !rest.is_empty()) {
        lines.push_str(&line(&format!("not listed: {}", messages::tally(report.verdict, rest.iter().copied()))));
    }
    if !passed.is_empty() {
        lines.push_str(&line(&format!("passed: {}", messages::count(passed.len(), "run", "runs"))));
    }
    lines
}

/// How the earlier runs went, and how an only run stands among them.
fn history(report: &Report) -> String {
    let mut lines = String::new();
    for past in report.histories.iter().take(PIPELINES) {
        let whose = if report.runs.len() > 1 { format!(" of pipeline {}", past.pipeline_id) } else { String::new() };
        lines.push_str(&line(&format!("history{whose}: {} {}", chart::strip(past), messages::pipeline(past))));
    }
    if let Some(rest) = report.histories.len().checked_sub(PIPELINES).filter(|rest| *rest > 0) {
        lines.push_str(&line(&format!(
            "history of {} not shown",
            messages::count(rest, "more pipeline", "more pipelines")
        )));
    }
    if let [RunReport { past: Some(past), .. }] = report.runs.as_slice() {
        let facts = messages::comparison(past);
        if !facts.is_empty() {
            lines.push_str(&line(&format!("this run: {}", facts.join("; "))));
        }
    }
    lines
}

/// Untrusted text for the log, and whether there is more than a log should hold.
struct Pieces {
    shown: Vec<Folded>,
    is_cut: bool,
}

/// The untrusted text worth a person's time: traces of runs that did not pass, logs that were fetched, a bug's text.
fn pieces(report: &Report) -> Pieces {
    let traces =
        report.runs.iter().filter_map(|run| Some((format!("trace of {}", messages::run(run)), run.telling_trace()?)));
    let logs = report
        .runs
        .iter()
        .filter_map(|run| Some((format!("end of the logs of {}", messages::run(run)), run.logs.as_ref()?)));
    let bug = report.bug.iter().map(|bug| ("details of the bug".to_owned(), bug));
    let mut shown = Vec::new();
    let mut room = ALL_PIECES_LIMIT;
    for (index, (title, text)) in bug.chain(traces).chain(logs).enumerate() {
        let text = sanitize::cut(text, PIECE_LIMIT);
        let Some(left) = room.checked_sub(text.len() + title.len()) else {
            return Pieces { shown, is_cut: true };
        };
        room = left;
        shown.push(Folded { title, text, index });
    }
    Pieces { shown, is_cut: false }
}

fn line(text: &str) -> String {
    escape::log_line(text) + "\n"
}

/// `log-format: json`: something that was seen on the way.
pub fn note_json(note: &Note) -> String {
    json::log_line("note", note)
}

/// `log-format: json`: the block at the end. An object for each run and each untrusted text, the verdict's last.
pub fn closing_json(report: &Report) -> String {
    #[derive(Serialize)]
    struct TextObject<'a> {
        title: &'a str,
        text: &'a str,
    }
    let document = Document::Log;
    let mut log = String::new();
    for Folded { title, text, .. } in &pieces(report).shown {
        log.push_str(&json::log_line("text", &TextObject { title, text }));
    }
    log.extend(report.runs.iter().map(|run| json::log_line("run", &RunObject::new(run, document))));
    log.extend(report.histories.iter().map(|past| json::log_line("pipeline", past)));
    log + &json::log_line("verdict", &ReportObject { report, document })
}

/// The last line of a gate that met a bug of its own; if it was done by then, with the verdict that stands.
pub fn bug(verdict: Verdict, place: &str) -> String {
    line(&last_line(verdict, &bug_reason(verdict, place)))
}

/// The same with `log-format: json`.
pub fn bug_json(verdict: Verdict, place: &str) -> String {
    json::verdict_line(verdict, Some(&bug_reason(verdict, place)))
}

fn bug_reason(verdict: Verdict, place: &str) -> String {
    let what = format!("a bug in maestro-gate at {place}; please report it");
    if verdict == Verdict::InternalError { what } else { format!("the log is incomplete because of {what}") }
}
