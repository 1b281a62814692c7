//! What the gate asks about whole pipelines: how their runs usually go, and, where it waits for many runs of one, which of
//! them are still running, in one request instead of one each.
//!
//! The first survey comes a second after the first record of a run that is running, and brings the history. Later ones
//! only save requests, and only where they can do no harm:
//!
//! - A list ends no wait and stops no clock. A run that it shows as running, in the very word of the run's own last record,
//!   is polled later; one that it shows as over is polled now; any other is polled when it would have been.
//! - A survey is asked shortly before the first of its runs is due. If it fails, is late, or leaves a run out, that run's
//!   own poll comes as if there were no list.
//! - A run whose record has no answer (an outage, not visible) is polled by itself until it has one.
//! - The list is checked: one of the runs that it shows as running is polled all the same, each in its turn. If a run turns
//!   out to have ended well before the list showed it as running, the list lags, and is asked no more. So a list that never
//!   changes, with a fresh date, puts off the sight of an end until the check comes to a run that has ended: by up to ten
//!   seconds for each run that is waited for. With a list that is true nothing waits longer than with plain polls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::history::History;
use super::list_summary::ShownAs;
use super::moment::Moment;
use super::run::Run;
use super::spacing::FLOOR;
use super::{Answer, ApiRequest, Event, Failure, FailureKind, Limits, ListSummary, Observation, PipelineId, Rules};

/// Fewer runs than this cost no more by themselves than by a list and a check of it.
const FEWEST: usize = 3;

/// A list that takes so long that it would have to be asked this much ahead is of no use.
const MOST_AHEAD: Duration = Duration::from_secs(3);

/// How often one of the runs that a list shows as running is polled all the same.
const CHECK: Duration = Duration::from_secs(10);

/// How long before a list's own date a run may have ended that the list shows as running: stamps of one service differ.
const LAG: TimeDelta = TimeDelta::seconds(5);

/// How long the list is left alone after it has failed; and after it came too slowly, as a multiple of what it took. Not long
/// at first, for either may be chance (or a token at its end, which the next poll renews), and meanwhile each run is looked
/// at by itself. Longer each time, up to the last.
const REST: Duration = Duration::from_secs(10);
const SLOW_REST: u32 = 10;
const LONGEST_REST: Duration = Duration::from_secs(600);

/// One pipeline of which runs are waited for.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    /// Its place among the gate's pipelines, for the events.
    place: usize,
    pub(super) id: PipelineId,
    /// The places of its runs.
    pub(super) runs: Vec<usize>,
    /// When each of its unfinished runs is polled next, by its place; none while that is under way.
    unfinished: BTreeMap<usize, Option<Duration>>,
    /// The same in order of time, so that no answer has to go through all runs.
    polls: BTreeSet<(Duration, usize)>,
    past: KnownHistory,
    /// When the next survey is to be asked.
    planned: Option<Duration>,
    /// When the one under way was asked.
    asked: Option<Duration>,
    /// How long the last one took.
    took: Duration,
    not_before: Duration,
    failures: u32,
    check_at: Duration,
    /// Whether the list is of no use: it lags, or is too long.
    useless: bool,
}

#[derive(Clone, Debug)]
enum KnownHistory {
    /// Not asked for, or on its way.
    NotYet,
    /// It could not be had.
    Nothing,
    History(History),
}

impl Pipeline {
    pub(super) fn new(place: usize, id: PipelineId) -> Pipeline {
        Pipeline {
            place,
            id,
            runs: Vec::new(),
            unfinished: BTreeMap::new(),
            polls: BTreeSet::new(),
            past: KnownHistory::NotYet,
            planned: None,
            asked: None,
            took: Duration::ZERO,
            not_before: Duration::ZERO,
            failures: 0,
            check_at: Duration::ZERO,
            useless: false,
        }
    }

    pub(super) fn history(&self) -> Option<&History> {
        match &self.past {
            KnownHistory::History(history) => Some(history),
            KnownHistory::NotYet | KnownHistory::Nothing => None,
        }
    }

    /// A list that was read for another reason has told the history.
    pub(super) fn know(&mut self, at: &mut Moment<'_>, history: History) {
        if self.history().is_none() {
            if history.runs().len() > 1 {
                at.emit(Event::Learned { pipeline: self.place, id: self.id.clone(), history: history.clone() });
            }
            self.past = KnownHistory::History(history);
        }
    }

    /// Takes in what has become of one of its runs. To be called after each change of its state or its next poll.
    pub(super) fn track(&mut self, place: usize, run: &Run) {
        let next = run.is_unfinished().then_some(run.next);
        let before = match next {
            Some(next) => self.unfinished.insert(place, next),
            None => self.unfinished.remove(&place),
        };
        if let Some(before) = before.flatten() {
            self.polls.remove(&(before, place));
        }
        self.polls.extend(next.flatten().map(|next| (next, place)));
    }

    /// None of its runs is waited for any more.
    pub(super) fn all_ended(&mut self) {
        self.unfinished.clear();
        self.polls.clear();
    }

    /// When to ask for the next survey, if that changes.
    pub(super) fn plan(&mut self, limits: Limits, elapsed: Duration) -> Option<Duration> {
        if self.asked.is_some() {
            return None;
        }
        let due = self.due(limits, elapsed).filter(|due| *due < limits.timeout);
        // One that is due keeps its place, or it would never have its turn where there is much to do.
        let is_due = due.is_some() && self.planned.is_some_and(|planned| planned <= elapsed);
        if due == self.planned || is_due {
            return None;
        }
        self.planned = due;
        due
    }

    fn due(&self, limits: Limits, elapsed: Duration) -> Option<Duration> {
        match self.past {
            // The first record has just come: the next request is a second away.
            KnownHistory::NotYet => {
                return (!self.unfinished.is_empty()).then(|| self.planned.unwrap_or(elapsed + FLOOR));
            }
            KnownHistory::Nothing | KnownHistory::History(_) => {}
        }
        if self.useless || self.unfinished.len() < FEWEST {
            return None;
        }
        let (first, _) = *self.polls.first()?;
        // At the deadline each run has a last poll of its own.
        if first >= limits.timeout {
            return None;
        }
        Some(first.saturating_sub(self.ahead().min(MOST_AHEAD)).max(self.not_before).max(elapsed))
    }

    /// How long before a poll the list has to be asked.
    fn ahead(&self) -> Duration {
        self.took * 2 + FLOOR / 4
    }

    /// Leaves the list alone for a while.
    fn rest(&mut self, first: Duration, elapsed: Duration) {
        let rest = first.saturating_mul(2_u32.saturating_pow(self.failures.min(8))).min(LONGEST_REST);
        self.failures = self.failures.saturating_add(1);
        self.not_before = self.not_before.max(elapsed + rest);
    }

    /// The survey that is due, if it still is wanted.
    pub(super) fn ask(&mut self, rules: &Rules, elapsed: Duration) -> Option<ApiRequest> {
        let wanted = self.due(rules.limits, elapsed).is_some() && self.asked.is_none();
        self.planned = None;
        if !wanted || elapsed >= rules.limits.timeout {
            return None;
        }
        self.asked = Some(elapsed);
        let list = ListSummary::new(self.id.clone(), rules.vocabulary.clone());
        Some(ApiRequest::Survey(Box::new(if self.runs.len() < FEWEST { list } else { list.shared() })))
    }

    /// Takes a survey's answer. Returns which runs are to be polled when instead.
    pub(super) fn take(
        &mut self,
        at: &mut Moment<'_>,
        runs: &mut [Run],
        answer: Answer<ListSummary>,
    ) -> Vec<(usize, Duration)> {
        let elapsed = at.elapsed;
        let asked = self.asked.take().unwrap_or(elapsed);
        self.took = elapsed.saturating_sub(asked);
        self.not_before = (asked + FLOOR).max(elapsed + answer.retry_after.unwrap_or_default());
        let list_summary = match answer.observation {
            Observation::Record(list_summary) => list_summary,
            Observation::Missing(_, failure) => {
                self.failed(at, failure);
                return Vec::new();
            }
        };
        if self.ahead() > MOST_AHEAD {
            self.rest(self.took * SLOW_REST, elapsed);
        } else {
            self.failures = 0;
        }
        self.know(at, list_summary.history());
        match answer.date {
            // Without its date the list could not be checked.
            None => Vec::new(),
            Some(_) if self.useless || self.unfinished.len() < FEWEST => Vec::new(),
            Some(date) => self.share(at, &list_summary, date, runs),
        }
    }

    fn failed(&mut self, at: &mut Moment<'_>, failure: Failure) {
        // It will not become shorter.
        self.useless |= failure.kind == FailureKind::TooLarge;
        if matches!(self.past, KnownHistory::NotYet) {
            at.emit(Event::NoHistory { pipeline: self.place, id: self.id.clone(), failure });
            self.past = KnownHistory::Nothing;
        }
        self.rest(REST, at.elapsed);
    }

    /// Puts off the looks at those that the list shows as running, and hurries those at what it shows as over.
    fn share(
        &mut self,
        at: &Moment<'_>,
        list_summary: &ListSummary,
        date: DateTime<Utc>,
        runs: &mut [Run],
    ) -> Vec<(usize, Duration)> {
        let elapsed = at.elapsed;
        let mut moved = Vec::new();
        let mut put_off: Vec<usize> = Vec::new();
        for place in self.waiting() {
            let Some(run) = runs.get_mut(place) else { continue };
            match run.shown_in(list_summary) {
                ShownAs::Going => {
                    moved.push((place, run.put_off(at.rules.limits, elapsed, date)));
                    put_off.push(place);
                }
                ShownAs::Over => moved.push((place, run.soon(elapsed))),
                ShownAs::Otherwise => {}
            }
        }
        if elapsed >= self.check_at
            && let Some(check) = put_off.into_iter().min_by_key(|place| runs.get(*place).map(|run| run.polled))
            && let Some(run) = runs.get(check)
        {
            self.check_at = elapsed + CHECK;
            moved.push((check, run.soon(elapsed)));
        }
        moved
    }

    /// The list has shown a run as running that had ended well before. Returns which runs are to be polled when instead:
    /// it may be so with all of them.
    pub(super) fn check(&mut self, run: usize, runs: &[Run], elapsed: Duration) -> Vec<(usize, Duration)> {
        let lags = runs.get(run).is_some_and(|run| run.ended_before_listed(LAG));
        if self.useless || !lags {
            return Vec::new();
        }
        self.useless = true;
        self.planned = None;
        self.waiting().filter_map(|place| Some((place, runs.get(place)?.soon(elapsed)))).collect()
    }

    /// The unfinished runs that are not being polled.
    fn waiting(&self) -> impl Iterator<Item = usize> + '_ {
        self.unfinished.iter().filter(|(_, next)| next.is_some()).map(|(place, _)| *place)
    }
}

#[cfg(test)]
mod tests;
