//! What later steps get: the outputs, in the order of the reference's table.

use super::json::{RunObject, SERIALIZES};
use super::sanitize::{self, Sanitized};
use super::values::stamp;
use super::{Report, RunReport, escape, messages};

/// The trace in the CI's own output: its consumers pass it on through the environment.
const TRACE_LIMIT: usize = 16 * 1024;

/// The trace in a file of `output-dir`: Tekton and Argo keep little more than this of all results together.
const TRACE_FILE_LIMIT: usize = 1024;

/// `runs`: past this, one variable of the environment is near to being refused (128 KiB on Linux).
const RUNS_LIMIT: usize = 64 * 1024;

/// The outputs (docs/reference.md#outputs): their names, which are also the files of `output-dir`, and their values.
pub const OUTPUTS: [(&str, OutputValue); 16] = [
    ("verdict", |of| of.report.verdict.name().to_owned()),
    ("exit-code", |of| of.report.verdict.exit_code().to_string()),
    ("status", |of| shown(of.run.map(|run| &run.status))),
    ("duration", |of| shown(of.run.and_then(|run| run.duration).map(messages::duration))),
    ("duration-seconds", |of| shown(of.run.and_then(|run| run.duration).map(|length| length.as_secs()))),
    ("cause", |of| shown(of.run.and_then(|run| run.cause.as_ref()))),
    ("trace", |of| shown(of.run.and_then(|run| run.trace.as_ref()).map(|trace| cut(trace, of.target)))),
    ("trace-file", |of| shown(of.report.trace_file.as_ref())),
    ("pipeline-id", |of| shown(of.run.map(|run| &run.pipeline_id))),
    ("pipeline-name", |of| shown(of.run.and_then(|run| run.pipeline.as_ref()).map(|pipeline| &pipeline.name))),
    ("run-id", |of| shown(of.run.map(|run| &run.run_id))),
    ("started-at", |of| shown(of.run.and_then(|run| run.started_at).map(stamp))),
    ("updated-at", |of| shown(of.run.and_then(|run| run.updated_at).map(stamp))),
    ("waited-seconds", |of| of.report.waited.as_secs().to_string()),
    ("polls", |of| of.report.polls.to_string()),
    // A shortened list could hide the run that failed.
    ("runs", |of| Some(runs(of.report)).filter(|line| line.len() <= RUNS_LIMIT).unwrap_or_default()),
];

/// How the value of an output is taken from a report.
pub type OutputValue = fn(&OutputSource<'_>) -> String;

/// What the values are taken from.
pub struct OutputSource<'a> {
    report: &'a Report,
    run: Option<&'a RunReport>,
    target: OutputTarget,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// As on GitHub: lower case, hyphens.
    pub name: &'static str,
    pub value: String,
}

/// Where outputs can go, as far as it decides which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputTarget {
    /// The output file of the GitHub family: everything.
    CiFile,
    /// `output-dir`: everything, the trace short.
    OutputDir,
    /// Variables by name (dotenv, Azure, Buildkite, shells): no `runs`, `trace` or `duration`.
    Variables,
}

/// The outputs of a report. The single-run ones describe the first run that has the gate's verdict.
pub fn outputs(report: &Report, target: OutputTarget) -> Vec<Output> {
    let source = OutputSource { report, run: report.described(), target };
    let wanted = |name: &str| target != OutputTarget::Variables || !["duration", "trace", "runs"].contains(&name);
    let outputs = OUTPUTS.into_iter().filter(|(name, _)| wanted(name));
    outputs.map(|(name, value)| Output { name, value: value(&source) }).collect()
}

/// What to warn of where the list of all runs is too long for an output.
pub fn runs_left_out(report: &Report) -> Option<Sanitized> {
    let bytes = Some(runs(report).len()).filter(|bytes| *bytes > RUNS_LIMIT)?;
    Some(Sanitized::ours(format!(
        "the output \"runs\" is empty: its {} would take {bytes} bytes, and {RUNS_LIMIT} is the limit; the json report has \
         them all",
        messages::count(report.runs.len(), "run", "runs")
    )))
}

/// One line of JSON.
fn runs(report: &Report) -> String {
    let rows: Vec<RunObject<'_>> = report.runs.iter().map(|run| RunObject { run, document: None }).collect();
    serde_json::to_string(&rows).expect(SERIALIZES)
}

fn shown(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn cut(trace: &Sanitized, target: OutputTarget) -> String {
    let limit = match target {
        OutputTarget::CiFile => TRACE_LIMIT,
        OutputTarget::OutputDir | OutputTarget::Variables => TRACE_FILE_LIMIT,
    };
    sanitize::cut(trace, limit).trim_end_matches('\n').to_owned()
}

/// The outputs as variables, upper case behind `prefix`; values not yet escaped.
pub fn variables(report: &Report, prefix: &str) -> Vec<(String, String)> {
    let rows = outputs(report, OutputTarget::Variables);
    rows.into_iter().map(|row| (escape::dotenv_key(prefix, row.name), row.value)).collect()
}

/// The longest value of an encoded variable, in bytes. Only the path of a trace file can be longer, and a variable that is
/// empty is better than a file refused: thirteen values and their names stay below GitLab's 5 KB by this.
const VALUE_LIMIT: usize = 1024;

/// The variables, their values encoded so that they mean nothing to any shell or CI, wherever they are pasted.
pub fn encoded(report: &Report, prefix: &str) -> Vec<(String, String)> {
    let encode = |value: String| {
        Some(escape::dotenv_value(&value)).filter(|value| value.len() <= VALUE_LIMIT).unwrap_or_default()
    };
    variables(report, prefix).into_iter().map(|(name, value)| (name, encode(value))).collect()
}
