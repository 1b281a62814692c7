//! What the gate learns from lists: of a pipeline's past, and of many runs at once.

use std::time::Duration;

use super::super::pipelines::Pipeline;
use super::super::{Answer, ApiRequest, Forecast, History, Learning, ListSummary, PastRun, RunList, TimedEvent};
use super::{Gate, PollTarget};

impl Gate {
    /// The survey of pipeline `pipeline` that is due, if it still is wanted.
    pub fn list_summary(&mut self, pipeline: usize, elapsed: Duration) -> Option<ApiRequest> {
        self.pipelines.get_mut(pipeline)?.ask(&self.rules, elapsed)
    }

    /// Takes what came of a survey. It never ends a wait.
    pub fn list_summary_received(
        &mut self,
        pipeline: usize,
        elapsed: Duration,
        answer: Answer<ListSummary>,
        events: &mut Vec<TimedEvent>,
    ) {
        let Some(list_summary_received) = self.pipelines.get_mut(pipeline) else { return };
        let moved = list_summary_received.take(&mut self.runs, self.rules.limits, elapsed, answer, events);
        let runs = list_summary_received.runs.clone();
        self.move_to(moved);
        for run in runs {
            self.learn_past(run, elapsed);
            if let Some(watched) = self.runs.get_mut(run).filter(|watched| watched.is_unfinished()) {
                watched.report_pace(elapsed, events);
            }
        }
        self.plan_list_poll(pipeline, elapsed);
    }

    /// Who is to be asked about, and when, as far as that has changed since the last call; beside what `observe` returned.
    pub fn take_moved(&mut self) -> Vec<(PollTarget, Duration)> {
        std::mem::take(&mut self.moved)
    }

    /// What a run's own answer changes for the others of its pipeline.
    pub(super) fn learn_from_poll(&mut self, run: usize, elapsed: Duration, events: &mut Vec<TimedEvent>) {
        let Some(pipeline) = self.homes.get(run).copied() else { return };
        self.learn_past(run, elapsed);
        if let Some(watched) = self.runs.get_mut(run).filter(|watched| watched.is_unfinished()) {
            watched.report_pace(elapsed, events);
        }
        let moved = self.pipelines[pipeline].check(run, &self.runs, elapsed);
        self.move_to(moved);
        self.plan_list_poll(pipeline, elapsed);
    }

    /// The history that a list holds which was read to choose a run.
    pub(super) fn read_past(&mut self, run: usize, listing: &RunList, elapsed: Duration, events: &mut Vec<TimedEvent>) {
        let Some(pipeline) = self.homes.get(run).copied() else { return };
        if self.rules.learning == Learning::On {
            let history = History::of(listing, &self.rules.vocabulary);
            self.pipelines[pipeline].know(elapsed, history, events);
        }
    }

    /// Lets a run learn from its pipeline's past, once both are known.
    fn learn_past(&mut self, run: usize, elapsed: Duration) {
        let Some(watched) = self.runs.get_mut(run).filter(|watched| watched.can_learn(elapsed)) else { return };
        let home = self.homes.get(run).and_then(|home| self.pipelines.get(*home));
        let Some(history) = home.and_then(Pipeline::history) else { return };
        let past = history.lengths_to_learn();
        if let Some(next) = watched.learn(self.rules.limits, elapsed, &past) {
            self.move_to(vec![(run, next)]);
        }
    }

    /// Moves polls that are not under way.
    fn move_to(&mut self, moved: Vec<(usize, Duration)>) {
        for (run, next) in moved {
            if let Some(watched) = self.runs.get_mut(run).filter(|watched| watched.next.is_some()) {
                watched.next = Some(next);
                self.moved.push((PollTarget::Run(run), next));
                self.track(run);
            }
        }
    }

    /// A run's state or its next poll has changed.
    pub(super) fn track(&mut self, run: usize) {
        if let (Some(home), Some(watched)) = (self.homes.get(run), self.runs.get(run)) {
            self.pipelines[*home].track(run, watched);
        }
    }

    fn plan_list_poll(&mut self, pipeline: usize, elapsed: Duration) {
        let planned = self.pipelines.get_mut(pipeline).and_then(|planned| planned.plan(self.rules.limits, elapsed));
        self.moved.extend(planned.map(|at| (PollTarget::Pipeline(pipeline), at)));
    }

    /// Takes in how earlier runs of the pipeline went, newest first. Returns when to look at `run` next instead, if that
    /// changes anything: not with a fixed interval, with too little to learn from, or while the record is missing.
    pub fn learn(&mut self, run: usize, elapsed: Duration, past: &[PastRun]) -> Option<Duration> {
        let limits = self.rules.limits;
        let watched = self.runs.get_mut(run).filter(|watched| watched.end.is_none())?;
        let next = watched.learn(limits, elapsed, past);
        watched.next = next.or(watched.next);
        self.track(run);
        next
    }

    /// What the pipeline's past says about a run, for the view.
    pub fn forecast(&self, run: usize) -> Option<&Forecast> {
        self.runs.get(run)?.forecast()
    }

    /// How old a run is, by the service's clock; `None` if no answer said so.
    pub fn age(&self, run: usize, elapsed: Duration) -> Option<Duration> {
        self.runs.get(run)?.age(elapsed)
    }
}
