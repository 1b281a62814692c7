//! What a report shows of previous runs: how a pipeline's earlier runs went, and how a run stands among them.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::sanitize::{Sanitized, Sanitizer};
use super::values::is_rfc3339;
use crate::core::{DurationRange, FinishedRun, History, Meaning, PipelineId, RunComparison, RunOutcome, Streak};

/// Fewer earlier runs than this make no picture.
const LEAST: usize = 2;

/// How many of the last runs are shown one by one.
pub const SHOWN: usize = 20;

/// How many of a report's own runs are shown beside them.
const CURRENT: usize = 5;

/// The earlier runs of one pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineHistory {
    pub pipeline_id: Sanitized,
    pub lengths: Option<DurationRange>,
    pub passed: usize,
    pub of: usize,
    /// The last runs, oldest first, at most [`SHOWN`].
    pub last: Vec<Bar>,
    /// The runs of this report, at most `CURRENT`.
    pub current: Vec<Bar>,
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    pub passed: bool,
    pub started_at: DateTime<Utc>,
    pub duration: Option<Duration>,
}

/// How a run stands among the earlier ones of its pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct RunHistory {
    pub earlier: usize,
    pub in_a_row: Option<Streak>,
    /// None if there is none in what is known.
    pub last_success: Option<LastSuccess>,
    pub same_trace: Option<bool>,
    /// How many of how many usual runs it has outlasted.
    pub slower: Option<(usize, usize)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LastSuccess {
    /// Empty if the list gave no id.
    pub run_id: Sanitized,
    pub ended_at: Option<DateTime<Utc>>,
    /// By the service's clock.
    pub ago: Option<Duration>,
}

impl PipelineHistory {
    /// With those of `runs` that are this pipeline's, and have begun.
    pub(super) fn new(
        (pipeline, history): &(PipelineId, History),
        runs: &[RunOutcome],
        sanitizer: &Sanitizer,
    ) -> Option<PipelineHistory> {
        if history.runs().len() < LEAST {
            return None;
        }
        let past = |run: &FinishedRun| Bar { passed: run.passed, started_at: run.created_at, duration: run.duration };
        let current = runs.iter().filter(|run| run.wanted.pipeline() == pipeline).filter_map(current);
        Some(PipelineHistory {
            pipeline_id: sanitizer.id(pipeline.as_str()),
            lengths: history.lengths(),
            passed: history.passed(),
            of: history.runs().len(),
            last: history.runs().iter().take(SHOWN).rev().map(past).collect(),
            current: current.take(CURRENT).collect(),
        })
    }
}

fn current(run: &RunOutcome) -> Option<Bar> {
    let seen = run.seen.as_ref()?;
    let passed = seen.meaning == Meaning::Passed;
    Some(Bar { passed, started_at: seen.record.created_at?, duration: seen.duration() })
}

impl RunHistory {
    /// `None` where nothing is known: of the past, or of the run.
    pub(super) fn new(
        run: &RunOutcome,
        histories: &HashMap<&PipelineId, &History>,
        sanitizer: &Sanitizer,
    ) -> Option<RunHistory> {
        let seen = run.seen.as_ref()?;
        let history = histories.get(run.wanted.pipeline())?;
        let RunComparison { earlier, in_a_row, last_success, same_trace, slower } = history.comparison(seen);
        let last_success = last_success.map(|past| LastSuccess {
            run_id: past.run.as_ref().map(|run| sanitizer.id(run.as_str())).unwrap_or_default(),
            ended_at: past.ended_at.filter(is_rfc3339),
            ago: past.ended_at.zip(seen.date).and_then(|(ended, now)| now.signed_duration_since(ended).to_std().ok()),
        });
        (earlier > 0).then_some(RunHistory { earlier, in_a_row, last_success, same_trace, slower })
    }
}
