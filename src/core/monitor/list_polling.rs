//! What the gate learns from lists: of a pipeline's past, and of many runs at once.

use std::time::Duration;

use super::super::moment::Moment;
use super::super::{Answer, ApiRequest, Forecast, History, Learning, ListSummary, RunList, TimedEvent};
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
        let mut at = self.moment(elapsed, events);
        let Some(surveyed) = self.pipelines.get_mut(pipeline) else { return };
        let moved = surveyed.take(&mut at, &mut self.runs, answer);
        let runs = surveyed.runs.clone();
        self.move_to(moved);
        for run in runs {
            self.learn_past(run, &mut at);
        }
        self.plan_list_poll(pipeline, elapsed);
    }

    /// Who is to be asked about, and when, as far as that has changed since the last call; beside what `observe` returned.
    pub fn take_moved(&mut self) -> Vec<(PollTarget, Duration)> {
        std::mem::take(&mut self.moved)
    }

    /// What a run's own answer changes for the others of its pipeline.
    pub(super) fn learn_from_poll(&mut self, run: usize, at: &mut Moment<'_>) {
        self.learn_past(run, at);
        let pipeline = self.runs[run].home;
        let moved = self.pipelines[pipeline].check(run, &self.runs, at.elapsed);
        self.move_to(moved);
        self.plan_list_poll(pipeline, at.elapsed);
    }

    /// The history that a list holds which was read to choose a run.
    pub(super) fn read_past(&mut self, run: usize, listing: &RunList, at: &mut Moment<'_>) {
        let Some(home) = self.runs.get(run).map(|run| run.home) else { return };
        if self.rules.learning == Learning::On {
            self.pipelines[home].know(at, History::of(listing, &self.rules.vocabulary));
        }
    }

    /// Lets a run learn from its pipeline's past, once both are known, and reports how it gets on.
    fn learn_past(&mut self, run: usize, at: &mut Moment<'_>) {
        let watched = &mut self.runs[run];
        let history = self.pipelines[watched.home].history().filter(|_| watched.can_learn(at.elapsed));
        let next = history.and_then(|history| watched.learn(at, &history.lengths_to_learn()));
        if watched.is_unfinished() {
            watched.report_pace(at);
        }
        self.move_to(next.map(|next| (run, next)));
    }

    /// Moves polls that are not under way.
    fn move_to(&mut self, moved: impl IntoIterator<Item = (usize, Duration)>) {
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
        let watched = &self.runs[run];
        self.pipelines[watched.home].track(run, watched);
    }

    fn plan_list_poll(&mut self, pipeline: usize, elapsed: Duration) {
        let planned = self.pipelines[pipeline].plan(self.rules.limits, elapsed);
        self.moved.extend(planned.map(|at| (PollTarget::Pipeline(pipeline), at)));
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
