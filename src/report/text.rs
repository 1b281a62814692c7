//! The log on stdout: one line for a thing that happened, a block at the end whose last line is the verdict.
//!
//! All functions return whole lines, each with its line break.

use super::ci::{CiSystem, Folded, LogContext};
use super::json::{self, JsonDocument, ReportObject, RunObject};
use super::previous_runs::PipelineHistory;
use super::room::Room;
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
    let weight = if note.weight == NoteLevel::Warning { "warning: " } else { "" };
    line(&format!("[{}] {weight}{}", messages::clock(note.at), note.text))
}

/// The block at the end.
pub fn closing(report: &Report, ci: &CiSystem, context: &LogContext<'_>) -> String {
    let Pieces { shown, is_cut } = pieces(report);
    let mut log: String = shown.iter().map(|piece| (ci.fold)(piece, context)).collect();
    if is_cut {
        log.push_str(&line("more traces and logs are not shown, to keep this log short"));
    }
    if !log.is_empty() {
        log.push_str(&(ci.after_folds)(report));
    }
    log.extend(report.trace_file.iter().map(|path| line(&format!("full traces: {path}"))));
    log.extend(report.input_errors.iter().map(|error| line(&format!("- {error}"))));
    log.extend(several_runs(report).iter().chain(&history(report)).map(|text| line(text)));
    log.push_str(&(ci.problems)(report, context));
    log.extend(last_lines(report).iter().map(|text| line(text)));
    log
}

/// The end of the block: what a person reads first. The last line is the verdict, which run, and the cause, for a reader who
/// sees nothing else.
fn last_lines(report: &Report) -> Vec<String> {
    let only = report.only_run();
    let mut lines = Vec::new();
    let link = only.and_then(|run| run.link.as_ref());
    lines.extend(link.map(|link| format!("link to the {}: {}", link.target(), link.url())));
    lines.extend((!report.runs.is_empty()).then(|| messages::effort(report)));
    lines.extend(only.and_then(|run| run.cause.as_ref()).map(|cause| format!("likely cause: {cause}")));
    lines.extend(report.described().and_then(RunReport::hint).map(|hint| format!("hint: {hint}")));
    lines.extend(messages::help(report.verdict).map(|help| format!("help: {help}")));
    lines.extend(messages::next_steps(report).iter().take(STEPS).map(|step| format!("next step: {step}")));
    let cause = messages::cause(report).map(|cause| format!(": {cause}")).unwrap_or_default();
    lines.push(last_line(report.verdict, &format!("{}{cause}", messages::headline(report))));
    lines
}

fn last_line(verdict: Verdict, why: &str) -> String {
    format!("maestro-gate: {} (exit code {}): {why}", verdict.name(), verdict.exit_code())
}

/// Of several runs those that did not pass, a line each, the rest counted.
fn several_runs(report: &Report) -> Vec<String> {
    if report.runs.len() < 2 {
        return Vec::new();
    }
    let (passed, others): (Vec<&RunReport>, Vec<&RunReport>) = report.runs.iter().partition(|run| run.passed());
    let (listed, rest) = others.split_at(others.len().min(RUNS));
    let told = |run: &&RunReport| {
        let cause = run.cause.as_ref().map(|cause| format!("; likely cause: {cause}")).unwrap_or_default();
        let link = run.link.as_ref().map(|link| format!(" {}", link.url())).unwrap_or_default();
        format!("{}: {}: {}{cause}{link}", run.end.name(), messages::run(run), messages::reason(run))
    };
    let mut lines: Vec<String> = listed.iter().map(told).collect();
    if !rest.is_empty() {
        lines.push(format!("not listed: {}", messages::tally(report.verdict, rest.iter().copied())));
    }
    if !passed.is_empty() {
        lines.push(format!("passed: {}", messages::count(passed.len(), "run", "runs")));
    }
    lines
}

/// How the earlier runs went, and how an only run stands among them.
fn history(report: &Report) -> Vec<String> {
    let told = |past: &PipelineHistory| {
        let whose = if report.runs.len() > 1 { format!(" of pipeline {}", past.pipeline_id) } else { String::new() };
        format!("history{whose}: {} {}", chart::strip(past), messages::pipeline(past))
    };
    let mut lines: Vec<String> = report.histories.iter().take(PIPELINES).map(told).collect();
    let rest = report.histories.len() - lines.len();
    if rest > 0 {
        lines.push(format!("history of {} not shown", messages::count(rest, "more pipeline", "more pipelines")));
    }
    let facts = report.only_run().and_then(|run| run.past.as_ref()).map(messages::comparison).unwrap_or_default();
    lines.extend((!facts.is_empty()).then(|| format!("this run: {}", facts.join("; "))));
    lines
}

/// Untrusted text for the log, and whether there is more than a log should hold.
struct Pieces {
    shown: Vec<Folded>,
    is_cut: bool,
}

/// The untrusted text worth a person's time: traces of runs that did not pass, logs that were fetched, a bug's text.
fn pieces(report: &Report) -> Pieces {
    let titled = |title: &str, run: &RunReport| format!("{title} of {}", messages::run(run));
    let traces = report.runs.iter().filter_map(|run| Some((titled("trace", run), run.telling_trace()?)));
    let logs = report.runs.iter().filter_map(|run| Some((titled("end of the logs", run), run.logs.as_ref()?)));
    let bug = report.bug.iter().map(|bug| ("details of the bug".to_owned(), bug));
    let mut shown = Vec::new();
    let mut room = Room(ALL_PIECES_LIMIT);
    for (index, (title, text)) in bug.chain(traces).chain(logs).enumerate() {
        let text = sanitize::cut(text, PIECE_LIMIT);
        if !room.take(text.len() + title.len()) {
            return Pieces { shown, is_cut: true };
        }
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
    let document = JsonDocument::Log;
    let mut log: String = pieces(report).shown.iter().map(|piece| json::log_line("text", piece)).collect();
    log.extend(report.runs.iter().map(|run| json::log_line("run", &RunObject { run, document: Some(document) })));
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
