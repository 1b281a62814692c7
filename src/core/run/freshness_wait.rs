//! A run that must be fresh: with `if-stale: wait`, one that is not is no end, and the gate waits for another.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::fresh_wait::Judgement;
use super::super::{Event, Failure, FailureKind, Operation, RunId, RunList, Stale, Untrusted, Verdict};
use super::{Moment, Phase, Progress, Run, Step};

impl Run {
    /// A list, while the gate waits for a run that is fresh, and the run that it leads to.
    pub(super) fn choose_fresh(
        &mut self,
        at: &mut Moment<'_>,
        listing: &RunList,
        chosen: Option<RunId>,
        passed_over: usize,
    ) -> Step {
        self.present(at);
        let Some(wait) = &mut self.fresh_wait else { return Step::Over(Verdict::InternalError) };
        let (candidate, failures) = wait.read(at, listing, chosen.as_ref());
        if let Some(failures) = failures {
            at.emit(Event::Skipped { run: self.place, failures });
        }
        let Some(run) = candidate else {
            let next = wait.next_list(at.date);
            self.no_run_yet(at);
            return Step::ReadListIn(next);
        };
        if wait.is_new_choice(&run) {
            at.emit(Event::Chosen { run: self.place, selector: wait.selector, id: run.clone(), passed_over });
        }
        self.progress = Progress::default();
        self.seen = None;
        self.watch(run);
        Step::Found
    }

    /// What the record that was just taken means for the wait. `None`: as without a wait, its status decides.
    pub(super) fn wait_for_another(&mut self, at: &mut Moment<'_>, fresh: Result<(), Stale>) -> Option<Step> {
        let (wait, seen) = (self.fresh_wait.as_mut()?, self.seen.as_ref()?);
        let Phase::Watching(run) = &self.phase else { return None };
        let (required, selector) = (at.rules.freshness, wait.selector);
        match wait.judge(seen.meaning, fresh, seen.record.created_at, required) {
            Judgement::Decides => return None,
            Judgement::NotFresh(stale) => {
                if wait.is_new_reason(stale) {
                    at.emit(Event::NotFresh {
                        run: self.place,
                        id: run.clone(),
                        selector,
                        record: Box::new(seen.clone()),
                        required,
                        next_start: wait.next_start(at.elapsed),
                    });
                }
                wait.not_fresh = Some((run.clone(), seen.clone()));
            }
            Judgement::NotASuccess => {}
        }
        let next = wait.next_list(at.date);
        self.seen = wait.not_fresh.as_ref().map(|(_, seen)| seen.clone());
        self.progress = Progress::default();
        self.phase = Phase::Choosing(selector);
        self.no_run_yet(at);
        Some(Step::ReadListIn(next))
    }

    /// There is nothing to poll but the list. What that means if the time is up.
    fn no_run_yet(&mut self, at: &mut Moment<'_>) {
        if self.not_fresh().is_some() {
            self.without_record = Verdict::Stale;
            return;
        }
        self.without_record = Verdict::NotFound;
        self.failure = Some(Failure::new(Operation::List, FailureKind::NotListed));
        if let Some(wait) = &mut self.fresh_wait
            && !std::mem::replace(&mut wait.is_none_reported, true)
        {
            let next_start = wait.next_start(at.elapsed);
            at.emit(Event::NoneYet { run: self.place, selector: wait.selector, next_start });
        }
    }

    /// Whether a status was not reported yet; while the gate waits for a fresh run it may poll the same one again and again.
    pub(super) fn is_new_status(&mut self, status: &Untrusted) -> bool {
        self.fresh_wait.as_mut().is_none_or(|wait| wait.is_new_status(status))
    }

    /// The last run that was not fresh.
    pub(super) fn not_fresh(&self) -> Option<&RunId> {
        self.fresh_wait.as_ref()?.not_fresh.as_ref().map(|(run, _)| run)
    }

    /// Whether it waits for a run that is not there yet.
    pub(in crate::core) fn awaits_fresh_run(&self) -> bool {
        self.fresh_wait.is_some() && matches!(self.phase, Phase::Choosing(_))
    }

    /// When such a run usually starts, and how long until then.
    pub(in crate::core) fn next_start(&self, elapsed: Duration) -> Option<(DateTime<Utc>, Duration)> {
        self.fresh_wait.as_ref()?.next_start(elapsed)
    }
}
