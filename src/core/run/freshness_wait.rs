//! A run that must be fresh: with `if-stale: wait`, one that is not is no end, and the gate waits for another.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::fresh_wait::{Judgement, ListResult, NextRequest};
use super::super::{Event, Failure, FailureKind, Operation, PipelineId, RunList, Stale, Target, Untrusted, Verdict};
use super::{AnswerContext, Pace, Phase, Run, Transition};

impl Run {
    /// A list, while the gate waits for a run that is fresh.
    pub(super) fn choose_fresh(
        &mut self,
        at: &mut AnswerContext<'_>,
        pipeline: PipelineId,
        listing: &RunList,
        date: Option<DateTime<Utc>>,
    ) -> Transition {
        let Some(wait) = &mut self.fresh_wait else { return Transition::Over(Verdict::InternalError) };
        let selector = wait.selector;
        let Ok(ListResult { next, unreadable, failures }) = wait.read(listing, date, at.elapsed, at.rules) else {
            return self.unusable(at, Failure::new(Operation::List, FailureKind::Unplaceable));
        };
        self.present(at);
        if let Some(failures) = failures {
            at.emit(Event::Skipped { run: self.place, failures });
        }
        match next {
            NextRequest::Poll(id) => {
                if self.fresh_wait.as_mut().is_some_and(|wait| wait.is_new_choice(&id)) {
                    at.emit(Event::Chosen { run: self.place, selector, id: id.clone(), passed_over: unreadable });
                }
                self.forget_run();
                self.seen = None;
                self.watch(Target { pipeline, run: id });
                Transition::Found
            }
            NextRequest::ReadListIn(wait) => {
                self.no_run_yet(at);
                Transition::ReadListIn(wait)
            }
        }
    }

    /// What the record that was just taken means for the wait. `None`: as without a wait, its status decides.
    pub(super) fn wait_for_another(
        &mut self,
        at: &mut AnswerContext<'_>,
        fresh: Result<(), Stale>,
        date: Option<DateTime<Utc>>,
    ) -> Option<Transition> {
        let (wait, seen) = (self.fresh_wait.as_mut()?, self.seen.as_ref()?);
        let Phase::Watching(target) = &self.phase else { return None };
        let required = at.rules.freshness;
        match wait.judge(seen.meaning, fresh, seen.record.created_at, required) {
            Judgement::Decides | Judgement::Continue => return None,
            Judgement::NotFresh(stale) => {
                if wait.is_new_reason(stale) {
                    at.emit(Event::NotFresh {
                        run: self.place,
                        id: target.run.clone(),
                        selector: wait.selector,
                        record: Box::new(seen.clone()),
                        required,
                        next_start: wait.next_start(at.elapsed),
                    });
                }
                wait.not_fresh = Some((target.clone(), seen.clone()));
            }
            Judgement::NotASuccess => {}
        }
        let (pipeline, selector) = (target.pipeline.clone(), wait.selector);
        let next = wait.next_list(date);
        self.forget_run();
        self.seen = self.fresh_wait.as_ref().and_then(|wait| Some(wait.not_fresh.as_ref()?.1.clone()));
        self.phase = Phase::Choosing(pipeline, selector);
        self.no_run_yet(at);
        Some(Transition::ReadListIn(next))
    }

    /// There is nothing to poll but the list. What that means if the time is up.
    fn no_run_yet(&mut self, at: &mut AnswerContext<'_>) {
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

    /// The next record is about another run.
    fn forget_run(&mut self) {
        self.repaired = Vec::new();
        self.aged = None;
        self.listed = None;
        self.has_learned = false;
        self.pace = Pace::Usual;
    }

    /// Whether a status was not reported yet; while the gate waits for a fresh run it may poll the same one again and again.
    pub(super) fn is_new_status(&mut self, status: &Untrusted) -> bool {
        self.fresh_wait.as_mut().is_none_or(|wait| wait.is_new_status(status))
    }

    /// The last run that was not fresh.
    pub(super) fn not_fresh(&self) -> Option<&Target> {
        self.fresh_wait.as_ref()?.not_fresh.as_ref().map(|(target, _)| target)
    }

    /// Whether it waits for a run that is not there yet.
    pub(in crate::core) fn awaits_fresh_run(&self) -> bool {
        self.fresh_wait.is_some() && matches!(self.phase, Phase::Choosing(..))
    }

    /// When such a run usually starts, and how long until then.
    pub(in crate::core) fn next_start(&self, elapsed: Duration) -> Option<(DateTime<Utc>, Duration)> {
        self.fresh_wait.as_ref()?.next_start(elapsed)
    }
}
