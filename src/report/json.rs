//! The JSON report, the objects of the JSON log, and the rows of the `runs` output: every key, in its order. Within a major
//! version of the gate keys are only added.

use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::pipeline::PipelineReport;
use super::previous_runs::{Bar, PipelineHistory, RunHistory};
use super::values::{is_rfc3339, stamp};
use super::{Note, NoteLevel, Report, ReportFormat, RunReport, escape, messages};
use crate::core::Verdict;

pub static JSON: ReportFormat = ReportFormat { input: "json", render: |report, _, _| render(report) };

/// The number that changes when a key changes its meaning.
const SCHEMA: u8 = 1;

/// The most next steps in the log.
const LOGGED_STEPS: usize = 10;

/// Why writing JSON can't fail.
pub(super) const SERIALIZES: &str = "text and numbers can be written as JSON";

/// The file in pieces, ended by a line break.
pub fn render(report: &Report) -> Vec<String> {
    let document = ReportObject { report, document: JsonDocument::File };
    // Sooner or later somebody shows it in a log.
    let mut file = escape::JsonLogWriter::default();
    serde_json::to_writer_pretty(&mut file, &document).expect(SERIALIZES);
    let mut pieces = file.into_pieces();
    pieces.push("\n".to_owned());
    pieces
}

/// One object of the log, on one line.
pub(super) fn log_line<T: Serialize>(event: &'static str, rest: &T) -> String {
    #[derive(serde::Serialize)]
    struct LogObject<'a, T> {
        event: &'static str,
        #[serde(flatten)]
        rest: &'a T,
    }
    let line = serde_json::to_string(&LogObject { event, rest }).expect(SERIALIZES);
    escape::json_log(&line) + "\n"
}

/// The object of a verdict without a report.
pub(super) fn verdict_line(verdict: Verdict, reason: Option<&str>) -> String {
    #[derive(serde::Serialize)]
    struct VerdictObject<'a> {
        verdict: &'static str,
        exit_code: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    }
    log_line("verdict", &VerdictObject { verdict: verdict.name(), exit_code: verdict.exit_code(), reason })
}

/// Where an object stands: the file has everything, the log no text of many lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonDocument {
    File,
    Log,
}

/// The report as a whole.
pub(super) struct ReportObject<'a> {
    pub report: &'a Report,
    pub document: JsonDocument,
}

impl Serialize for ReportObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ReportObject { report, document } = *self;
        let mut steps = messages::next_steps(report);
        let mut object = serializer.serialize_map(None)?;
        if document == JsonDocument::File {
            object.serialize_entry("schema", &SCHEMA)?;
        }
        object.serialize_entry("version", report.version)?;
        object.serialize_entry("verdict", report.verdict.name())?;
        object.serialize_entry("exit_code", &report.verdict.exit_code())?;
        object.serialize_entry("waited_seconds", &report.waited.as_secs())?;
        object.serialize_entry("polls", &report.polls)?;
        object.serialize_entry("reason", &messages::headline(report))?;
        if document == JsonDocument::Log {
            object.serialize_entry("cause", &messages::cause(report))?;
            object.serialize_entry("hint", &report.described().and_then(RunReport::hint))?;
            steps.truncate(LOGGED_STEPS);
        }
        object.serialize_entry("next_steps", &steps)?;
        // Where the documentation explains the verdict.
        object.serialize_entry("help", &messages::help(report.verdict))?;
        // The key is older than the name, and keys stay within a major version.
        object.serialize_entry("mistakes", &report.input_errors)?;
        match document {
            JsonDocument::Log => object.serialize_entry("trace_file", &report.trace_file)?,
            JsonDocument::File => {
                let runs: Vec<RunObject<'_>> =
                    report.runs.iter().map(|run| RunObject { run, document: Some(document) }).collect();
                object.serialize_entry("bug", &report.bug)?;
                object.serialize_entry("connection", &report.connection)?;
                object.serialize_entry("notes", &report.notes)?;
                object.serialize_entry("runs", &runs)?;
                object.serialize_entry("pipelines", &report.histories)?;
            }
        }
        object.end()
    }
}

/// One run.
pub(super) struct RunObject<'a> {
    pub run: &'a RunReport,
    /// None: only what the `runs` output has too.
    pub document: Option<JsonDocument>,
}

impl Serialize for RunObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RunObject { run, document } = *self;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("pipeline_id", &run.pipeline_id)?;
        object.serialize_entry("run_id", &given(&run.run_id))?;
        object.serialize_entry("verdict", run.end.name())?;
        object.serialize_entry("exit_code", &run.end.verdict().map(Verdict::exit_code))?;
        object.serialize_entry("status", &given(&run.status))?;
        object.serialize_entry("started_at", &run.started_at.map(stamp))?;
        object.serialize_entry("updated_at", &run.updated_at.map(stamp))?;
        object.serialize_entry("duration_seconds", &seconds(run.duration))?;
        object.serialize_entry("attempt", &run.attempt.map(|attempt| attempt.number))?;
        object.serialize_entry("retried", &run.is_retried)?;
        let Some(document) = document else { return object.end() };
        if document == JsonDocument::Log {
            object.serialize_entry("reason", &run.reason)?;
            object.serialize_entry("next_step", &run.next_step)?;
        }
        object.serialize_entry("cause", &run.cause)?;
        object.serialize_entry("hint", &run.hint())?;
        if document == JsonDocument::File {
            object.serialize_entry("trace", &run.trace.as_deref())?;
        }
        object.serialize_entry("run_url", &run.run_url())?;
        object.serialize_entry("pipeline_url", &run.pipeline_url())?;
        object.serialize_entry("pipeline", &run.pipeline)?;
        if document == JsonDocument::File {
            object.serialize_entry("reason", &run.reason)?;
        }
        object.serialize_entry("history", &run.past)?;
        object.end()
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let level = if self.weight == NoteLevel::Warning { "warning" } else { "info" };
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("seconds", &self.at.as_secs())?;
        object.serialize_entry("level", level)?;
        object.serialize_entry("text", &self.text)?;
        object.end()
    }
}

impl Serialize for PipelineReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("name", &given(&self.name))?;
        object.serialize_entry("cron", &given(&self.cron))?;
        object.serialize_entry("state", &given(&self.state))?;
        object.end()
    }
}

impl Serialize for PipelineHistory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let usual = self.lengths.as_ref();
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("pipeline_id", &self.pipeline_id)?;
        object.serialize_entry("runs", &self.of)?;
        object.serialize_entry("passed", &self.passed)?;
        object.serialize_entry("usual_seconds", &seconds(usual.map(|lengths| lengths.typical)))?;
        object.serialize_entry("usual_from_seconds", &seconds(usual.map(|lengths| lengths.from)))?;
        object.serialize_entry("usual_to_seconds", &seconds(usual.map(|lengths| lengths.to)))?;
        object.serialize_entry("last", &self.last)?;
        object.end()
    }
}

impl Serialize for Bar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("passed", &self.passed)?;
        object.serialize_entry("started_at", &Some(self.started_at).filter(is_rfc3339).map(stamp))?;
        object.serialize_entry("duration_seconds", &seconds(self.duration))?;
        object.end()
    }
}

impl Serialize for RunHistory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let last_success = self.last_success.as_ref();
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("earlier_runs", &self.earlier)?;
        // This run and those right before it that ended alike.
        object.serialize_entry("in_a_row", &self.in_a_row.map(|row| row.runs))?;
        object.serialize_entry("in_a_row_is_at_least", &self.in_a_row.map(|row| row.at_least))?;
        object.serialize_entry("last_success_run_id", &last_success.and_then(|run| given(&run.run_id)))?;
        object.serialize_entry("last_success_at", &last_success.and_then(|run| run.ended_at).map(stamp))?;
        object.serialize_entry("same_trace_as_last_failure", &self.same_trace)?;
        object.serialize_entry("slower_than", &self.slower.map(|(runs, _)| runs))?;
        object.serialize_entry("slower_than_of", &self.slower.map(|(_, of)| of))?;
        object.end()
    }
}

/// Null for a text that is empty because it is not known.
fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn seconds(length: Option<Duration>) -> Option<u64> {
    length.map(|length| length.as_secs())
}
