//! The gate over all its runs: each has its own watch, the contract's order makes one verdict of them.

use std::time::Duration;

use super::run::{Run, Step};
use super::{
    Answer, End, Event, Forecast, Foreign, Miss, Notice, OnFirstFailure, PastRun, Rules, Seen, Signal, Target, Verdict,
    decide,
};

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
#[derive(Clone, Debug)]
pub struct Gate {
    rules: Rules,
    runs: Vec<Run>,
    watching: usize,
}

impl Gate {
    pub fn new(rules: Rules, targets: Vec<Target>) -> Gate {
        let runs: Vec<Run> = targets.into_iter().map(|target| Run::new(&rules, target)).collect();
        Gate { watching: runs.len(), rules, runs }
    }

    /// Takes one answer about run `run`, which came `elapsed` after the inputs were accepted, and tells what changed.
    /// Returns when to look again: later than `elapsed`, at the latest on the deadline; `None` once this watch is over.
    pub fn observe(
        &mut self,
        run: usize,
        elapsed: Duration,
        answer: Answer,
        notices: &mut Vec<Notice>,
    ) -> Option<Duration> {
        let watched = self.runs.get_mut(run).filter(|watched| watched.end.is_none())?;
        let mut tell = |event| notices.push(Notice { at: elapsed, event });
        match watched.observe(run, &self.rules, elapsed, answer, &mut tell) {
            Step::LookAt(next) => Some(next),
            Step::Ended => {
                self.ended(run, elapsed, notices);
                None
            }
            Step::AllDenied(miss) => {
                self.end_all(elapsed, notices, |watched| End::Verdict(watched.ends_for(miss.clone(), Verdict::Denied)));
                None
            }
        }
    }

    /// Takes in how earlier runs of the pipeline went, newest first. Returns when to look at `run` next instead, if that
    /// changes anything: not with a fixed interval, with too little to learn from, or while the record is missing.
    pub fn learn(&mut self, run: usize, elapsed: Duration, past: &[PastRun]) -> Option<Duration> {
        let limits = self.rules.limits;
        self.runs.get_mut(run).filter(|watched| watched.end.is_none())?.learn(limits, elapsed, past)
    }

    /// What the pipeline's past says about a run, for the view.
    pub fn forecast(&self, run: usize) -> Option<&Forecast> {
        self.runs.get(run)?.forecast()
    }

    /// How old a run is, by the service's clock; `None` if no answer said so.
    pub fn age(&self, run: usize, elapsed: Duration) -> Option<Duration> {
        self.runs.get(run)?.age(elapsed)
    }

    /// The last look at `run` brought no answer in time.
    pub fn cut(&mut self, run: usize, elapsed: Duration, notices: &mut Vec<Notice>) {
        let Some(watched) = self.runs.get_mut(run).filter(|watched| watched.end.is_none()) else { return };
        watched.time_is_up(run, &mut |event| notices.push(Notice { at: elapsed, event }));
        self.ended(run, elapsed, notices);
    }

    /// A signal came: every run still watched ends as interrupted. Those that have a verdict keep it.
    pub fn interrupt(&mut self, signal: Signal, elapsed: Duration, notices: &mut Vec<Notice>) {
        self.end_all(elapsed, notices, |_| End::Verdict(Verdict::Interrupted(signal)));
    }

    /// A bug of ours was met: no run still watched can pass any more.
    pub fn give_up(&mut self, elapsed: Duration, notices: &mut Vec<Notice>) {
        self.end_all(elapsed, notices, |_| End::Verdict(Verdict::InternalError));
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The runs still watched, by their place.
    pub fn watching(&self) -> impl Iterator<Item = usize> + '_ {
        self.runs.iter().enumerate().filter(|(_, watched)| watched.end.is_none()).map(|(run, _)| run)
    }

    pub fn is_watching(&self, run: usize) -> bool {
        self.runs.get(run).is_some_and(|watched| watched.end.is_none())
    }

    pub fn is_over(&self) -> bool {
        self.watching == 0
    }

    /// How many runs still are watched, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        (self.watching, self.runs.len())
    }

    /// The last record of a run, for the view.
    pub fn seen(&self, run: usize) -> Option<&Seen> {
        self.runs.get(run)?.seen.as_ref()
    }

    /// Why the last look at a run brought no record, for the view.
    pub fn miss(&self, run: usize) -> Option<&Miss> {
        self.runs.get(run)?.miss.as_ref()
    }

    /// What became of it. A run whose watch was never brought to an end is a bug of ours, never a pass.
    pub fn outcome(self) -> Outcome {
        let runs: Vec<RunOutcome> = self
            .runs
            .into_iter()
            .map(|run| RunOutcome {
                end: run.end.unwrap_or(End::Verdict(Verdict::InternalError)),
                target: run.target,
                seen: run.seen,
                miss: run.miss,
                unknown_words: run.unknown_words,
            })
            .collect();
        Outcome { verdict: decide(runs.iter().map(|run| run.end)), runs }
    }

    fn ended(&mut self, run: usize, elapsed: Duration, notices: &mut Vec<Notice>) {
        self.watching -= 1;
        let passed = self.runs[run].end == Some(End::Verdict(Verdict::Passed));
        match self.rules.on_first_failure {
            OnFirstFailure::StopWaiting if !passed => self.end_all(elapsed, notices, |_| End::NotWaited),
            OnFirstFailure::StopWaiting | OnFirstFailure::WaitForAll => {}
        }
    }

    fn end_all(&mut self, elapsed: Duration, notices: &mut Vec<Notice>, mut end: impl FnMut(&mut Run) -> End) {
        for (run, watched) in self.runs.iter_mut().enumerate().filter(|(_, watched)| watched.end.is_none()) {
            let end = end(watched);
            watched.finish(run, end, &mut |event: Event| notices.push(Notice { at: elapsed, event }));
        }
        self.watching = 0;
    }
}

#[cfg(test)]
mod tests;
