//! The report: made once from the outcome, with all untrusted text already sanitized.
//!
//! The renderers beside this file are pure functions from a `Report` to text. The one `Untrusted` in it, a run's id for
//! requests, has no way to be shown; what they put into a grammar goes through `escape`.

mod annotations;
mod build;
pub mod cause;
pub mod chart;
pub mod checkup;
pub mod ci;
pub mod dotenv;
pub mod escape;
pub mod formats;
pub mod hints;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod messages;
pub mod output_values;
pub mod pipeline;
pub mod previous_runs;
mod room;
pub mod sanitize;
pub mod text;
pub mod trace_file;
mod values;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use chart::Chart;

use crate::core::{Attempt, End, Gap, Untrusted, Verdict};
use pipeline::PipelineReport;
use previous_runs::{PipelineHistory, RunHistory};
use sanitize::Sanitized;

pub use build::ReportContext;

/// Everything the renderers need.
#[derive(Clone, Debug)]
pub struct Report {
    /// This program's version.
    pub version: &'static str,
    pub stage: Stage,
    pub verdict: Verdict,
    /// In input order; empty when the inputs were wrong.
    pub runs: Vec<RunReport>,
    /// How long the gate waited, and how many polls it took.
    pub waited: Duration,
    pub polls: u64,
    /// What was seen on the way, in words, oldest first.
    pub notes: Vec<Note>,
    /// How the service was reached; both unknown where no request was made.
    pub connection: ConnectionReport,
    /// With `invalid-input`: every input error, one sentence each.
    pub input_errors: Vec<Sanitized>,
    /// With `internal-error`: what is known about the bug; may have many lines.
    pub bug: Option<Sanitized>,
    /// The path of the trace file, where one is written.
    pub trace_file: Option<Sanitized>,
    /// How the earlier runs of the pipelines went, where that is known.
    pub histories: Vec<PipelineHistory>,
}

/// A document that an input names a file for.
#[derive(Debug)]
pub struct ReportFormat {
    /// The name of the input.
    pub input: &'static str,
    /// The document in pieces; with the prefix of the outputs' names, and the kind of chart that is shown where the report is
    /// read.
    pub render: fn(&Report, &str, Chart) -> Vec<String>,
}

impl PartialEq for ReportFormat {
    fn eq(&self, other: &ReportFormat) -> bool {
        self.input == other.input
    }
}

impl Eq for ReportFormat {}

/// Whether the end is known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Written before the first request, so that a killed gate can't leave an old pass behind.
    First,
    Final,
}

/// One run of the report.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The run's id for a request: those below are for people, and may hide a part.
    pub id: Untrusted,
    /// As the service spells them; as asked, if it never answered.
    pub pipeline_id: Sanitized,
    /// Empty where the run was to be chosen or started, and never was.
    pub run_id: Sanitized,
    /// The word given in place of an id that is not known: `latest`.
    pub stand_in: &'static str,
    pub end: End,
    /// The last status, in the alphabet of the reference's `status` output; empty if never seen.
    pub status: String,
    pub started_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    /// Whole seconds.
    pub duration: Option<Duration>,
    /// The whole trace: cleaned, not cut. The trace file is written from it, without a copy.
    pub trace: Option<Arc<Sanitized>>,
    /// The end of the run's logs, cleaned and cut, if they were fetched.
    pub logs: Option<Sanitized>,
    /// The line that names the error, of a run that failed or timed out: of its trace, or else of its logs.
    pub cause: Option<Sanitized>,
    pub link: Option<Link>,
    /// What the pipeline is called, when it starts and whether it is paused, if that is known.
    pub pipeline: Option<PipelineReport>,
    /// Why it ended so, one sentence without its subject; empty for a pass.
    pub reason: Sanitized,
    /// What a person can do about it, one sentence; empty for a pass.
    pub next_step: Sanitized,
    /// With `retries`: which attempt at its pipeline it is.
    pub attempt: Option<Attempt>,
    /// Whether the pipeline was started again after it: then the next attempt decides.
    pub is_retried: bool,
    /// How it stands among the earlier runs, where those are known.
    pub past: Option<RunHistory>,
}

/// Where to read more: https, percent-encoded where Markdown or a log would read more into it than an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The run (`run-url`).
    Run(String),
    /// The pipeline's page in the service's web application.
    Pipeline(String),
}

impl Link {
    /// What it leads to.
    pub const fn target(&self) -> &'static str {
        match self {
            Link::Run(_) => "run",
            Link::Pipeline(_) => "pipeline",
        }
    }

    pub fn url(&self) -> &str {
        match self {
            Link::Run(url) | Link::Pipeline(url) => url,
        }
    }
}

/// How the service was reached.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct ConnectionReport {
    /// Host and port of the proxy.
    pub proxy: Option<Sanitized>,
    /// What vouched for the service's certificate.
    pub trusted_by: Option<&'static str>,
}

/// Something that was seen on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub at: Duration,
    pub weight: NoteLevel,
    /// One line.
    pub text: Sanitized,
}

/// Whether a note deserves a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteLevel {
    Plain,
    Warning,
}

impl Report {
    /// The run that the single-run outputs describe: the first that has the gate's verdict. Where no run has it (a bug
    /// met later, say), the only run there is, so that its ids are not lost; of several runs then none.
    pub fn described(&self) -> Option<&RunReport> {
        let only = || self.deciding().next().filter(|_| self.deciding().count() == 1);
        match self.stage {
            Stage::First => only(),
            Stage::Final => self.deciding().find(|run| run.end == End::Verdict(self.verdict)).or_else(only),
        }
    }

    /// The run, if there is only one.
    pub(crate) fn only_run(&self) -> Option<&RunReport> {
        if let [only] = self.runs.as_slice() { Some(only) } else { None }
    }

    /// The runs that decide: of several attempts at a pipeline the last.
    pub fn deciding(&self) -> impl Iterator<Item = &RunReport> {
        self.runs.iter().filter(|run| !run.is_retried)
    }

    /// The same without previous runs: `quiet` shows the verdict alone.
    pub fn without_past(&self) -> Report {
        let runs = self.runs.iter().map(|run| RunReport { past: None, ..run.clone() }).collect();
        Report { histories: Vec::new(), runs, ..self.clone() }
    }

    /// Says, in its place, how much of what was seen on the way is not among the notes.
    pub fn notes_left_out(&mut self, gap: Option<Gap>) {
        let Some(Gap { at, count }) = gap else { return };
        let behind = self.notes.iter().position(|note| note.at > at).unwrap_or(self.notes.len());
        let text = Sanitized::ours(format!("{count} more such events up to here are only in the log"));
        self.notes.insert(behind, Note { at, weight: NoteLevel::Plain, text });
    }
}

impl RunReport {
    pub fn passed(&self) -> bool {
        self.end == End::Verdict(Verdict::Passed)
    }

    /// The address of the run, if `run-url` is given.
    pub fn run_url(&self) -> Option<&str> {
        self.link.as_ref().and_then(|link| if let Link::Run(url) = link { Some(url.as_str()) } else { None })
    }

    /// The address of the pipeline's page, if it is known and `run-url` is not given.
    pub fn pipeline_url(&self) -> Option<&str> {
        self.link.as_ref().and_then(|link| if let Link::Pipeline(url) = link { Some(url.as_str()) } else { None })
    }

    /// What to call it: never empty.
    pub fn name(&self) -> &str {
        if self.run_id.is_empty() { self.stand_in } else { &self.run_id }
    }

    /// What its cause suggests to look at first.
    pub fn hint(&self) -> Option<&'static str> {
        self.cause.as_ref().and_then(hints::hint)
    }

    /// The trace of a run that did not pass and has one that says something: the one worth showing to a person.
    pub(crate) fn telling_trace(&self) -> Option<&Sanitized> {
        self.trace.as_deref().filter(|trace| !self.passed() && !trace.trim().is_empty())
    }
}
