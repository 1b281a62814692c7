//! Waiting for a run that is fresh enough (`if-stale: wait`): which run of a list to poll, and what its record means.
//!
//! The list is a hint: a run that it shows is polled, and its own record decides.
//!
//! | its own record | `latest` | `last-success` |
//! |---|---|---|
//! | succeeded, fresh | passed | passed |
//! | failed, fresh | failed | read the list again |
//! | succeeded or failed, not fresh | wait for a newer run | wait for a newer success |
//! | in progress | poll it again, unless it started too early | read the list again |
//!
//! A run that is too old stays so, and is not polled again until the list shows it differently. If it is only not known
//! how old a run is, it is polled again after the next list: one answer without a date must not spoil the wait. A list
//! whose newest run is older than one that was already polled is an old copy and shows nothing new.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::history::History;
use super::super::list_schedule::{ListSchedule, Outlook};
use super::super::listing::{ListedRun, RunList};
use super::super::start_times::expected_start;
use super::super::{
    Event, Failure, FailureKind, LastRecord, Learning, Meaning, Operation, Rules, RunId, Selector, SkippedFailures,
    Stale, Untrusted, Verdict,
};
use super::{Moment, Phase, Progress, Run, Step};

/// The wait for one pipeline's next fresh run.
#[derive(Clone, Debug)]
pub(super) struct FreshWait {
    selector: Selector,
    schedule: ListSchedule,
    /// The run that is polled, as the list shows it.
    candidate: Option<ListedRun>,
    /// The newest run whose record was too old, as the list showed it.
    too_old: Option<ListedRun>,
    /// The failed runs that were reported.
    skipped: HashSet<RunId>,
    /// What the last list showed, the service's clock then, and when it came.
    outlook: Outlook,
    list_date: Option<DateTime<Utc>>,
    list_at: Duration,
    /// The last run that was not fresh, with its record: what is reported if no other comes.
    not_fresh: Option<(RunId, LastRecord)>,
    /// Whether it was reported that there is no such run yet.
    is_none_reported: bool,
    /// What was reported last.
    reported: Reported,
}

/// The chosen run, the status of its record, and why it is not fresh.
#[derive(Clone, Debug, Default)]
struct Reported {
    run: Option<RunId>,
    status: Option<Untrusted>,
    stale: Option<Stale>,
}

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
        let stale = match (seen.meaning, selector, fresh) {
            // It is no success, although the list shows one.
            (Meaning::Failed | Meaning::Wait | Meaning::Unknown, Selector::LastSuccess, _) => None,
            (Meaning::Passed | Meaning::Failed, _, fresh) => Some(fresh.err()?),
            (Meaning::Wait | Meaning::Unknown, Selector::Latest, _)
                if required.allows_start(seen.record.created_at) =>
            {
                return None;
            }
            (Meaning::Wait | Meaning::Unknown, Selector::Latest, _) => Some(Stale::StartedBefore),
        };
        if let Some(stale) = stale {
            if stale.is_final() {
                wait.too_old = wait.candidate.take().or(wait.too_old.take());
            }
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

impl FreshWait {
    pub(super) fn new(selector: Selector, schedule: ListSchedule) -> FreshWait {
        FreshWait {
            selector,
            schedule,
            candidate: None,
            too_old: None,
            skipped: HashSet::new(),
            outlook: Outlook::default(),
            list_date: None,
            list_at: Duration::ZERO,
            not_fresh: None,
            is_none_reported: false,
            reported: Reported::default(),
        }
    }

    /// Reads a list, from which this run was chosen. Returns the run to poll, which may be fresh: none if there is no new one;
    /// and the failed runs that `last-success` skips, as far as they were not reported yet.
    fn read(
        &mut self,
        at: &Moment<'_>,
        listing: &RunList,
        chosen: Option<&RunId>,
    ) -> (Option<RunId>, Option<SkippedFailures>) {
        let chosen = listing.runs.iter().find(|listed| chosen.is_some() && listed.run.as_ref() == chosen);
        let is_newer = |listed: &&ListedRun| chosen.is_none_or(|chosen| listed.created_at > chosen.created_at);
        let newer: Vec<&ListedRun> = match self.selector {
            Selector::Latest => Vec::new(),
            Selector::LastSuccess => listing.runs.iter().filter(is_newer).collect(),
        };
        let failures = self.skip_failures(&newer, &at.rules);
        self.candidate = chosen.filter(|listed| self.is_news(listed)).cloned();
        self.outlook = outlook(listing, &newer, at);
        (self.list_date, self.list_at) = (at.date, at.elapsed);
        (self.candidate.as_ref().and_then(|listed| listed.run.clone()), failures)
    }

    /// How long to wait for the next list; `now` is the service's clock.
    fn next_list(&mut self, now: Option<DateTime<Utc>>) -> Duration {
        self.schedule.wait(&self.outlook, now)
    }

    /// The usual time of the next start, if the last list made one expected, and how long until then; zero if it is late.
    fn next_start(&self, elapsed: Duration) -> Option<(DateTime<Utc>, Duration)> {
        let (expected, date) = self.outlook.expected.zip(self.list_date)?;
        let at_list = (expected.usually - date).to_std().unwrap_or_default();
        Some((expected.usually, at_list.saturating_sub(elapsed.saturating_sub(self.list_at))))
    }

    /// Whether the chosen run is another one than was reported.
    fn is_new_choice(&mut self, run: &RunId) -> bool {
        let is_new = self.reported.run.as_ref() != Some(run);
        if is_new {
            self.reported = Reported { run: Some(run.clone()), ..Reported::default() };
        }
        is_new
    }

    /// Whether this status of the chosen run was not reported yet.
    fn is_new_status(&mut self, status: &Untrusted) -> bool {
        self.reported.status.replace(status.clone()).as_ref() != Some(status)
    }

    /// Whether this reason was not reported yet.
    fn is_new_reason(&mut self, stale: Stale) -> bool {
        self.reported.stale.replace(stale) != Some(stale)
    }

    fn is_news(&self, listed: &ListedRun) -> bool {
        self.too_old.as_ref().is_none_or(|old| listed != old && listed.created_at >= old.created_at)
    }

    /// The failed runs among those that are newer than the success, but those that were reported.
    fn skip_failures(&mut self, newer: &[&ListedRun], rules: &Rules) -> Option<SkippedFailures> {
        let mut is_news = |listed: &ListedRun| listed.run.as_ref().is_some_and(|id| self.skipped.insert(id.clone()));
        let mut failures: Vec<&ListedRun> = newer.to_vec();
        failures.retain(|listed| {
            listed.meaning(&rules.vocabulary) == Meaning::Failed && listed.created_at.is_some() && is_news(listed)
        });
        failures.sort_by_key(|listed| listed.created_at);
        let newest = failures.last()?;
        Some(SkippedFailures { count: failures.len(), newest: newest.run.clone()?, status: newest.status.clone()? })
    }
}

/// What a list shows of the next start, and of the runs in progress that are newer than the success. A newest run in progress is
/// polled by itself.
fn outlook(listing: &RunList, newer: &[&ListedRun], at: &Moment<'_>) -> Outlook {
    let rules = &at.rules;
    if rules.learning == Learning::Off {
        return Outlook::default();
    }
    let starts = listing.runs.iter().filter_map(|listed| listed.created_at);
    let expected = at.date.and_then(|now| expected_start(starts, now));
    let in_progress: Vec<(RunId, DateTime<Utc>)> = newer
        .iter()
        .filter(|listed| listed.is_unfinished(&rules.vocabulary) && rules.freshness.allows_start(listed.created_at))
        .filter_map(|listed| Some((listed.run.clone()?, listed.created_at?)))
        .collect();
    let past =
        if in_progress.is_empty() { Vec::new() } else { History::of(listing, &rules.vocabulary).lengths_to_learn() };
    Outlook { expected, in_progress, past }
}
