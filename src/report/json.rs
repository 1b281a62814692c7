//! The JSON report: everything, for programs. Within a major version of the gate keys are only added.

use serde::Serialize;

use super::ReportFormat;
use super::output_values::RunRow;
use super::pipeline::PipelineDetailsRow;
use super::previous_runs::{PipelineRow, RunHistoryRow};
use super::{Note, NoteLevel, Report, RunReport, escape, messages};

pub static JSON: ReportFormat = ReportFormat {
    input: "json",
    render: |report, _| render(report).expect("text and numbers can be written as JSON"),
};

/// The number that changes when a key changes its meaning.
const SCHEMA: u8 = 1;

#[derive(Serialize)]
struct JsonReport<'a> {
    schema: u8,
    version: &'a str,
    verdict: &'static str,
    exit_code: u8,
    waited_seconds: u64,
    polls: u64,
    reason: String,
    next_steps: Vec<String>,
    /// Where the documentation explains the verdict.
    help: Option<String>,
    // The key is older than the name, and keys stay within a major version.
    #[serde(rename = "mistakes")]
    input_errors: Vec<&'a str>,
    bug: Option<&'a str>,
    connection: ConnectionRow<'a>,
    notes: Vec<NoteRow<'a>>,
    runs: Vec<FullRun<'a>>,
    pipelines: Vec<PipelineRow<'a>>,
}

#[derive(Serialize)]
struct ConnectionRow<'a> {
    proxy: Option<&'a str>,
    trusted_by: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct NoteRow<'a> {
    pub seconds: u64,
    pub level: &'static str,
    pub text: &'a str,
}

impl NoteRow<'_> {
    pub(crate) fn new(note: &Note) -> NoteRow<'_> {
        let level = match note.weight {
            NoteLevel::Plain => "info",
            NoteLevel::Warning => "warning",
        };
        NoteRow { seconds: note.at.as_secs(), level, text: &note.text }
    }
}

#[derive(Serialize)]
struct FullRun<'a> {
    #[serde(flatten)]
    row: RunRow<'a>,
    cause: Option<&'a str>,
    hint: Option<&'static str>,
    trace: Option<&'a str>,
    run_url: Option<&'a str>,
    pipeline_url: Option<&'a str>,
    pipeline: Option<PipelineDetailsRow<'a>>,
    reason: &'a str,
    history: Option<RunHistoryRow<'a>>,
}

impl FullRun<'_> {
    fn new(run: &RunReport) -> FullRun<'_> {
        FullRun {
            row: RunRow::new(run),
            cause: run.cause.as_deref(),
            hint: run.hint(),
            trace: run.trace.as_deref(),
            run_url: run.run_url(),
            pipeline_url: run.pipeline_url(),
            pipeline: run.pipeline.as_ref().map(PipelineDetailsRow::new),
            reason: &run.reason,
            history: run.past.as_ref().map(RunHistoryRow::new),
        }
    }
}

/// The file, ended by a line break.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    let document = JsonReport {
        schema: SCHEMA,
        version: report.version,
        verdict: report.verdict.name(),
        exit_code: report.verdict.exit_code(),
        waited_seconds: report.waited.as_secs(),
        polls: report.polls,
        reason: messages::headline(report).to_string(),
        next_steps: messages::next_steps(report).iter().map(ToString::to_string).collect(),
        help: messages::help(report.verdict).map(|help| help.to_string()),
        input_errors: report.input_errors.iter().map(|input_error| &**input_error).collect(),
        bug: report.bug.as_deref(),
        connection: ConnectionRow {
            proxy: report.connection.proxy.as_deref(),
            trusted_by: report.connection.trusted_by,
        },
        notes: report.notes.iter().map(NoteRow::new).collect(),
        runs: report.runs.iter().map(FullRun::new).collect(),
        pipelines: report.histories.iter().map(PipelineRow::new).collect(),
    };
    // Sooner or later somebody shows it in a log.
    Ok(escape::json_log(&serde_json::to_string_pretty(&document)?) + "\n")
}
