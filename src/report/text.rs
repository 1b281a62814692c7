//! The log on stdout: one line for a thing that happened, a block at the end whose last line is the verdict.
//!
//! All functions return whole lines, each with its line break.

use serde::Serialize;

use super::ci::{CiSystem, Folded, LogContext};
use super::json::NoteRow;
use super::output_values::RunRow;
use super::pipeline::PipelineDetailsRow;
use super::previous_runs::{PipelineRow, RunHistoryRow};
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
    object("note", &NoteRow::new(note))
}

#[derive(Serialize)]
struct RunLine<'a> {
    #[serde(flatten)]
    row: RunRow<'a>,
    reason: &'a str,
    next_step: &'a str,
    cause: Option<&'a str>,
    hint: Option<&'static str>,
    run_url: Option<&'a str>,
    pipeline_url: Option<&'a str>,
    pipeline: Option<PipelineDetailsRow<'a>>,
    history: Option<RunHistoryRow<'a>>,
}

#[derive(Serialize)]
struct TextLine<'a> {
    title: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct VerdictLine<'a> {
    version: &'a str,
    verdict: &'static str,
    exit_code: u8,
    waited_seconds: u64,
    polls: u64,
    reason: &'a str,
    cause: Option<&'a str>,
    hint: Option<&'static str>,
    next_steps: Vec<&'a str>,
    help: Option<&'a str>,
    // The key is older than the name, and keys stay within a major version.
    #[serde(rename = "mistakes")]
    input_errors: Vec<&'a str>,
    trace_file: Option<&'a str>,
}

/// `log-format: json`: the block at the end. An object for each run and each untrusted text, the verdict's last.
pub fn closing_json(report: &Report) -> String {
    let mut log = String::new();
    for Folded { title, text, .. } in &pieces(report).shown {
        log.push_str(&object("text", &TextLine { title, text }));
    }
    for run in &report.runs {
        let row = RunRow::new(run);
        let (run_url, pipeline_url) = (run.run_url(), run.pipeline_url());
        let pipeline = run.pipeline.as_ref().map(PipelineDetailsRow::new);
        let history = run.past.as_ref().map(RunHistoryRow::new);
        let (reason, next_step) = (&*run.reason, &*run.next_step);
        let (cause, hint) = (run.cause.as_deref(), run.hint());
        log.push_str(&object(
            "run",
            &RunLine { row, reason, next_step, cause, hint, run_url, pipeline_url, pipeline, history },
        ));
    }
    for past in &report.histories {
        log.push_str(&object("pipeline", &PipelineRow::new(past)));
    }
    let steps = messages::next_steps(report);
    log.push_str(&object(
        "verdict",
        &VerdictLine {
            version: report.version,
            verdict: report.verdict.name(),
            exit_code: report.verdict.exit_code(),
            waited_seconds: report.waited.as_secs(),
            polls: report.polls,
            reason: &messages::headline(report),
            cause: messages::cause(report).as_deref(),
            hint: report.described().and_then(RunReport::hint),
            help: messages::help(report.verdict).as_deref(),
            next_steps: steps.iter().take(STEPS).map(|step| &**step).collect(),
            input_errors: report.input_errors.iter().map(|input_error| &**input_error).collect(),
            trace_file: report.trace_file.as_deref(),
        },
    ));
    log
}

/// The last line of a gate that met a bug of its own; if it was done by then, with the verdict that stands.
pub fn bug(verdict: Verdict, place: &str) -> String {
    line(&last_line(verdict, &bug_reason(verdict, place)))
}

/// The same with `log-format: json`.
pub fn bug_json(verdict: Verdict, place: &str) -> String {
    #[derive(Serialize)]
    struct PanicReport {
        verdict: &'static str,
        exit_code: u8,
        reason: String,
    }
    let reason = bug_reason(verdict, place);
    object("verdict", &PanicReport { verdict: verdict.name(), exit_code: verdict.exit_code(), reason })
}

fn bug_reason(verdict: Verdict, place: &str) -> String {
    let what = format!("a bug in maestro-gate at {place}; please report it");
    if verdict == Verdict::InternalError { what } else { format!("the log is incomplete because of {what}") }
}

#[derive(Serialize)]
struct LogObject<'a, T> {
    event: &'static str,
    #[serde(flatten)]
    rest: &'a T,
}

/// One object, one line. Our own structs of text and numbers always serialise.
fn object<T: Serialize>(event: &'static str, rest: &T) -> String {
    serde_json::to_string(&LogObject { event, rest }).map(|line| escape::json_log(&line) + "\n").unwrap_or_default()
}
