//! The state machine over the runs.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Answer, End, Foreign, Interval, Meaning, Miss, Notice, Record, Signal, Target, Verdict, Vocabulary};

/// The clocks' limits (contract, *Clocks*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Everything, from accepted inputs on. Zero: look once.
    pub timeout: Duration,
    /// How long a run may be unknown to the service.
    pub appear: Duration,
    /// How long the service may give no usable answer.
    pub outage: Duration,
}

/// What to do with the others when a run did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFirstFailure {
    WaitForAll,
    StopWaiting,
}

/// What the gate goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    pub limits: Limits,
    pub interval: Interval,
    pub vocabulary: Vocabulary,
    pub on_first_failure: OnFirstFailure,
}

/// A record, what its word means, and when the service gave it (its own clock).
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub record: Record,
    pub meaning: Meaning,
    pub date: Option<DateTime<Utc>>,
}

/// What became of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutcome {
    pub target: Target,
    pub end: End,
    /// The last record of it, if there ever was one.
    pub seen: Option<Seen>,
    /// Why there was no record in the end: the answer that ended the watch, or the last one before the time limit.
    pub miss: Option<Miss>,
    /// The words that no table knows, as met: at most ten.
    pub unknown_words: Vec<Foreign>,
}

/// What became of all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub verdict: Verdict,
    pub runs: Vec<RunOutcome>,
}

/// The gate over all its runs.
#[derive(Debug)]
pub struct Gate {
    rules: Rules,
}

impl Gate {
    pub fn new(_rules: Rules, _targets: Vec<Target>) -> Gate {
        todo!()
    }
    /// When the first look at each run is due.
    pub fn first_look(&self) -> Duration {
        todo!()
    }
    /// Takes one answer about run `run`, `elapsed` after the inputs were accepted, and tells what changed. Returns when
    /// to look again; `None` once the watch of this run is over.
    pub fn observe(
        &mut self,
        _run: usize,
        _elapsed: Duration,
        _answer: Answer,
        _notices: &mut Vec<Notice>,
    ) -> Option<Duration> {
        todo!()
    }
    /// The last look at `run` brought no answer in time.
    pub fn cut(&mut self, _run: usize, _elapsed: Duration, _notices: &mut Vec<Notice>) {
        todo!()
    }
    /// A signal came: every run still watched ends as interrupted.
    pub fn interrupt(&mut self, _signal: Signal, _elapsed: Duration, _notices: &mut Vec<Notice>) {
        todo!()
    }
    pub fn is_watching(&self, _run: usize) -> bool {
        todo!()
    }
    pub fn is_over(&self) -> bool {
        todo!()
    }
    pub fn outcome(self) -> Outcome {
        todo!()
    }
}
