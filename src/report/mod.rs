//! What is told at the end: the report, made once from the outcome, with every text from outside already cleaned.
//!
//! The renderers beside this file are pure functions from a `Report` to text. They never see a `Foreign`; what they put
//! into a grammar goes through `escape`.

pub mod clean;
pub mod dotenv;
pub mod escape;
pub mod github;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod outputs;
pub mod text;
pub mod words;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::gate::{End, Verdict};
use clean::Clean;

/// Everything the renderers need.
#[derive(Clone, Debug)]
pub struct Report {
    pub verdict: Verdict,
    /// In input order; empty when the inputs were wrong.
    pub runs: Vec<RunReport>,
    /// How long the gate waited, and how many looks at runs it took.
    pub waited: Duration,
    pub polls: u64,
    /// What was seen on the way, in words, oldest first.
    pub notes: Vec<Note>,
    /// With `invalid-input`: every mistake, one sentence each.
    pub mistakes: Vec<Clean>,
    /// With `internal-error`: what is known about the bug.
    pub bug: Option<Clean>,
    /// The path of the trace file, where one is written.
    pub trace_file: Option<Clean>,
}

/// One run of the report.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// As the service spells them; as asked, if it never answered.
    pub pipeline_id: Clean,
    pub run_id: Clean,
    pub end: End,
    /// The service's last word, in the alphabet of the contract's `status` output; empty if never seen.
    pub status: String,
    pub started_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    pub duration: Option<Duration>,
    /// The whole trace: cleaned, not cut.
    pub trace: Option<Clean>,
    pub run_url: Option<String>,
    /// Why it ended so, one sentence; empty for a pass.
    pub reason: Clean,
}

/// Something that was seen on the way.
#[derive(Clone, Debug)]
pub struct Note {
    pub at: Duration,
    pub weight: Weight,
    pub text: Clean,
}

/// Whether a note deserves a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Plain,
    Warning,
}
