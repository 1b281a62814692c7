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

use super::history::History;
use super::list_schedule::{ListSchedule, Outlook};
use super::listing::{AmbiguousOrder, ListedRun, RunList};
use super::select::{Choice, choose};
use super::start_times::expected_start;
use super::{
    Freshness, LastRecord, Learning, Meaning, Rules, RunId, Selector, SkippedFailures, Stale, Target, Untrusted,
};

/// The wait for one pipeline's next fresh run.
#[derive(Clone, Debug)]
pub(super) struct FreshWait {
    pub(super) selector: Selector,
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
    pub(super) not_fresh: Option<(Target, LastRecord)>,
    /// Whether it was reported that there is no such run yet.
    pub(super) is_none_reported: bool,
    /// What was reported last: the chosen run, the status of its record, and why it is not fresh.
    reported: Option<Reported>,
}

#[derive(Clone, Debug)]
struct Reported {
    run: RunId,
    status: Option<Untrusted>,
    stale: Option<Stale>,
}

/// What a list leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ListResult {
    pub(super) next: NextRequest,
    /// Records that can't be read.
    pub(super) unreadable: usize,
    /// Failed runs that `last-success` skips and that were not reported yet.
    pub(super) failures: Option<SkippedFailures>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NextRequest {
    /// This run may be fresh.
    Poll(RunId),
    /// There is no new run. The next list is read after this time.
    ReadListIn(Duration),
}

/// What a record of the polled run means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is the run that was waited for, and its status decides.
    Decides,
    /// It is in progress: poll it again.
    Continue,
    /// It is not fresh.
    NotFresh(Stale),
    /// It is no success, although the list shows one: read the list again.
    NotASuccess,
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
            reported: None,
        }
    }

    /// Reads a list that came at `elapsed`, and was answered at `now` by the service's clock.
    ///
    /// # Errors
    /// For `latest`, when a record can't be put in order.
    pub(super) fn read(
        &mut self,
        listing: &RunList,
        now: Option<DateTime<Utc>>,
        elapsed: Duration,
        rules: &Rules,
    ) -> Result<ListResult, AmbiguousOrder> {
        let Choice { run, passed_over } = choose(self.selector, listing, &rules.vocabulary)?;
        let shown = |id: &RunId| listing.runs.iter().find(|listed| listed.run.as_ref() == Some(id));
        let chosen = run.as_ref().and_then(shown);
        let failures = self.skip_failures(listing, chosen, rules);
        self.candidate = chosen.filter(|listed| self.is_news(listed)).cloned();
        self.outlook = self.outlook(listing, chosen, now, rules);
        (self.list_date, self.list_at) = (now, elapsed);
        let next = match &self.candidate {
            Some(ListedRun { run: Some(id), .. }) => NextRequest::Poll(id.clone()),
            Some(ListedRun { run: None, .. }) | None => NextRequest::ReadListIn(self.next_list(now)),
        };
        Ok(ListResult { next, unreadable: passed_over, failures })
    }

    /// What the record of the run means that the list led to. `fresh` and `started` are of that record.
    pub(super) fn judge(
        &mut self,
        meaning: Meaning,
        fresh: Result<(), Stale>,
        started: Option<DateTime<Utc>>,
        required: Freshness,
    ) -> Judgement {
        let judgement = match (meaning, self.selector, fresh) {
            (Meaning::Passed, _, Ok(())) | (Meaning::Failed, Selector::Latest, Ok(())) => Judgement::Decides,
            (Meaning::Passed, _, Err(stale)) | (Meaning::Failed, Selector::Latest, Err(stale)) => {
                Judgement::NotFresh(stale)
            }
            (Meaning::Failed | Meaning::Wait | Meaning::Unknown, Selector::LastSuccess, _) => Judgement::NotASuccess,
            (Meaning::Wait | Meaning::Unknown, Selector::Latest, _) if required.allows_start(started) => {
                Judgement::Continue
            }
            (Meaning::Wait | Meaning::Unknown, Selector::Latest, _) => Judgement::NotFresh(Stale::StartedBefore),
        };
        if let Judgement::NotFresh(stale) = judgement
            && stale.is_final()
        {
            self.too_old = self.candidate.take().or(self.too_old.take());
        }
        judgement
    }

    /// How long to wait for the next list; `now` is the service's clock.
    pub(super) fn next_list(&mut self, now: Option<DateTime<Utc>>) -> Duration {
        self.schedule.wait(&self.outlook, now)
    }

    /// The usual time of the next start, if the last list made one expected, and how long until then; zero if it is late.
    pub(super) fn next_start(&self, elapsed: Duration) -> Option<(DateTime<Utc>, Duration)> {
        let (expected, date) = self.outlook.expected.zip(self.list_date)?;
        let at_list = (expected.usually - date).to_std().unwrap_or_default();
        Some((expected.usually, at_list.saturating_sub(elapsed.saturating_sub(self.list_at))))
    }

    /// Whether the chosen run is another one than was reported.
    pub(super) fn is_new_choice(&mut self, run: &RunId) -> bool {
        let is_new = self.reported.as_ref().is_none_or(|reported| reported.run != *run);
        if is_new {
            self.reported = Some(Reported { run: run.clone(), status: None, stale: None });
        }
        is_new
    }

    /// Whether this status of the chosen run was not reported yet.
    pub(super) fn is_new_status(&mut self, status: &Untrusted) -> bool {
        let Some(reported) = &mut self.reported else { return true };
        let before = reported.status.replace(status.clone());
        before.is_none_or(|before| before.raw() != status.raw())
    }

    /// Whether this reason was not reported yet.
    pub(super) fn is_new_reason(&mut self, stale: Stale) -> bool {
        let Some(reported) = &mut self.reported else { return true };
        reported.stale.replace(stale) != Some(stale)
    }

    fn is_news(&self, listed: &ListedRun) -> bool {
        self.too_old.as_ref().is_none_or(|old| listed != old && listed.created_at >= old.created_at)
    }

    fn outlook(
        &self,
        listing: &RunList,
        chosen: Option<&ListedRun>,
        now: Option<DateTime<Utc>>,
        rules: &Rules,
    ) -> Outlook {
        if rules.learning == Learning::Off {
            return Outlook::default();
        }
        let starts = listing.runs.iter().filter_map(|listed| listed.created_at);
        let expected = now.and_then(|now| expected_start(starts, now));
        let may_end_the_wait = |listed: &&ListedRun| {
            let is_newer = chosen.is_none_or(|chosen| listed.created_at > chosen.created_at);
            is_newer && listed.is_unfinished(&rules.vocabulary) && rules.freshness.allows_start(listed.created_at)
        };
        // A newest run in progress is polled by itself.
        let in_progress: Vec<(RunId, DateTime<Utc>)> = match self.selector {
            Selector::Latest => Vec::new(),
            Selector::LastSuccess => {
                let runs = listing.runs.iter().filter(may_end_the_wait);
                runs.filter_map(|listed| Some((listed.run.clone()?, listed.created_at?))).collect()
            }
        };
        let past = if in_progress.is_empty() {
            Vec::new()
        } else {
            History::of(listing, &rules.vocabulary).lengths_to_learn()
        };
        Outlook { expected, in_progress, past }
    }

    /// The failed runs that are newer than the success, but those that were reported.
    fn skip_failures(
        &mut self,
        listing: &RunList,
        success: Option<&ListedRun>,
        rules: &Rules,
    ) -> Option<SkippedFailures> {
        if self.selector == Selector::Latest {
            return None;
        }
        let is_newer = |listed: &&ListedRun| success.is_none_or(|success| listed.created_at > success.created_at);
        let mut failures: Vec<&ListedRun> = listing
            .runs
            .iter()
            .filter(|listed| listed.meaning(&rules.vocabulary) == Meaning::Failed && listed.created_at.is_some())
            .filter(is_newer)
            .filter(|listed| listed.run.as_ref().is_some_and(|id| self.skipped.insert(id.clone())))
            .collect();
        failures.sort_by_key(|listed| listed.created_at);
        let newest = failures.last()?;
        Some(SkippedFailures { count: failures.len(), newest: newest.run.clone()?, status: newest.status.clone()? })
    }
}
