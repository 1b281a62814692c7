//! What later steps get: the outputs, in the order of the reference's table.

use super::json::RunObject;
use super::sanitize::{self, Sanitized};
use super::{Report, RunReport, Stage, escape, messages};

/// The trace in the CI's own output: its consumers pass it on through the environment.
const TRACE_LIMIT: usize = 16 * 1024;

/// The trace in a file of `output-dir`: Tekton and Argo keep little more than this of all results together.
const TRACE_FILE_LIMIT: usize = 1024;

/// `runs`: past this, one variable of the environment is near to being refused (128 KiB on Linux).
const RUNS_LIMIT: usize = 64 * 1024;

/// The names of the outputs (docs/reference.md#outputs), which are also the files of `output-dir`.
pub const OUTPUTS: [&str; 16] = [
    "verdict",
    "exit-code",
    "status",
    "duration",
    "duration-seconds",
    "cause",
    "trace",
    "trace-file",
    "pipeline-id",
    "pipeline-name",
    "run-id",
    "started-at",
    "updated-at",
    "waited-seconds",
    "polls",
    "runs",
];

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// As on GitHub: lower case, hyphens.
    pub name: &'static str,
    pub value: String,
}

/// All outputs for one kind of destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs {
    pub rows: Vec<Output>,
    /// What could not be given; to be shown as a warning.
    pub warning: Option<Sanitized>,
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
pub fn outputs(report: &Report, destination: OutputTarget) -> Outputs {
    let run = report.described();
    let text = |value: Option<String>| value.unwrap_or_default();
    let stamp = |stamp: Option<_>| text(stamp.map(messages::stamp));
    let length = run.and_then(|run| run.duration);
    let (runs, warning) = match destination {
        OutputTarget::CiFile | OutputTarget::OutputDir => runs(report),
        OutputTarget::Variables => (String::new(), None),
    };
    let values = [
        report.verdict.name().to_owned(),
        report.verdict.exit_code().to_string(),
        text(run.map(|run| run.status.clone())),
        text(length.map(messages::duration)),
        text(length.map(|length| length.as_secs().to_string())),
        text(run.and_then(|run| run.cause.as_ref()).map(Sanitized::to_string)),
        text(run.map(|run| trace(run, destination))),
        text(report.trace_file.as_ref().map(Sanitized::to_string)),
        text(run.map(|run| run.pipeline_id.to_string())),
        text(run.and_then(|run| run.pipeline.as_ref()).map(|pipeline| pipeline.name.to_string())),
        text(run.map(|run| run.run_id.to_string())),
        stamp(run.and_then(|run| run.started_at)),
        stamp(run.and_then(|run| run.updated_at)),
        report.waited.as_secs().to_string(),
        report.polls.to_string(),
        runs,
    ];
    let wanted = |name: &str| destination != OutputTarget::Variables || !["duration", "trace", "runs"].contains(&name);
    let rows = OUTPUTS
        .into_iter()
        .zip(values)
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| Output { name, value })
        .collect();
    Outputs { rows, warning }
}

/// The outputs as variables, upper case behind `prefix`; values not yet escaped.
pub fn variables(report: &Report, prefix: &str) -> Vec<(String, String)> {
    let rows = outputs(report, OutputTarget::Variables).rows;
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

fn trace(run: &RunReport, destination: OutputTarget) -> String {
    let limit = match destination {
        OutputTarget::CiFile => TRACE_LIMIT,
        OutputTarget::OutputDir => TRACE_FILE_LIMIT,
        OutputTarget::Variables => return String::new(),
    };
    let cut = run.trace.as_ref().map(|trace| sanitize::cut(trace, limit)).unwrap_or_default();
    cut.trim_end_matches('\n').to_owned()
}

/// One line of JSON, or nothing and a warning: a shortened list could hide the run that failed.
fn runs(report: &Report) -> (String, Option<Sanitized>) {
    let rows: Vec<RunObject<'_>> = report.runs.iter().map(RunObject::short).collect();
    let line = serde_json::to_string(&rows).unwrap_or_default();
    if line.len() <= RUNS_LIMIT && !line.is_empty() {
        return (line, None);
    }
    // The first version is replaced within minutes, by one that says it again if it still holds.
    let warning = (report.stage == Stage::Final).then(|| {
        Sanitized::ours(format!(
            "the output \"runs\" is empty: its {} would take {} bytes, and {RUNS_LIMIT} is the limit; the json report \
             has them all",
            messages::count(rows.len(), "run", "runs"),
            line.len()
        ))
    });
    (String::new(), warning)
}
