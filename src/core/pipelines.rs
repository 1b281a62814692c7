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

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::history::History;
use super::list_summary::UnfinishedRun;
use super::run::Run;
use super::spacing::FLOOR;
use super::{
    Answer, ApiRequest, Event, Failure, FailureKind, Limits, ListSummary, Observation, PipelineId, Rules, RunId,
};

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
    pub(super) id: PipelineId,
    /// The places of its runs.
    pub(super) runs: Vec<usize>,
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
    /// Whether the list is of no use: it lags, or may not be seen.
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
    pub(super) fn new(id: PipelineId, run: usize) -> Pipeline {
        Pipeline {
            id,
            runs: vec![run],
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
    pub(super) fn know(&mut self, pipeline: usize, history: History, emit: &mut impl FnMut(Event)) {
        if matches!(self.past, KnownHistory::NotYet) {
            if history.runs().len() > 1 {
                emit(Event::Learned { pipeline, id: self.id.clone(), history: history.clone() });
            }
            self.past = KnownHistory::History(history);
        }
    }

    /// When to ask for the next survey, if that changes.
    pub(super) fn plan(&mut self, runs: &[Run], limits: Limits, elapsed: Duration) -> Option<Duration> {
        if self.asked.is_some() {
            return None;
        }
        let due = self.due(runs, limits, elapsed).filter(|due| *due < limits.timeout);
        // One that is due keeps its place, or it would never have its turn where there is much to do.
        let is_due = due.is_some() && self.planned.is_some_and(|planned| planned <= elapsed);
        if due == self.planned || is_due {
            return None;
        }
        self.planned = due;
        due
    }

    fn due(&self, runs: &[Run], limits: Limits, elapsed: Duration) -> Option<Duration> {
        let unfinished = || self.runs.iter().filter_map(|run| runs.get(*run)).filter(|run| run.is_unfinished());
        match self.past {
            // The first record has just come: the next request is a second away.
            KnownHistory::NotYet => return unfinished().next().map(|_| self.planned.unwrap_or(elapsed + FLOOR)),
            KnownHistory::Nothing | KnownHistory::History(_) => {}
        }
        if self.useless || unfinished().count() < FEWEST {
            return None;
        }
        let first = unfinished().filter_map(|run| run.next).min()?;
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
    pub(super) fn ask(&mut self, runs: &[Run], rules: &Rules, elapsed: Duration) -> Option<ApiRequest> {
        let wanted = self.due(runs, rules.limits, elapsed).is_some() && self.asked.is_none();
        self.planned = None;
        if !wanted || elapsed >= rules.limits.timeout {
            return None;
        }
        self.asked = Some(elapsed);
        Some(ApiRequest::Survey(ListSummary::new(self.id.clone(), rules.vocabulary.clone())))
    }

    /// Takes a survey's answer. Returns which runs are to be polled when instead.
    pub(super) fn take(
        &mut self,
        pipeline: usize,
        runs: &mut [Run],
        limits: Limits,
        elapsed: Duration,
        answer: Answer<ListSummary>,
        emit: &mut impl FnMut(Event),
    ) -> Vec<(usize, Duration)> {
        let asked = self.asked.take().unwrap_or(elapsed);
        self.took = elapsed.saturating_sub(asked);
        self.not_before = (asked + FLOOR).max(elapsed + answer.retry_after.unwrap_or_default());
        let list_summary = match answer.observation {
            Observation::Record(list_summary) => list_summary,
            Observation::NotVisible(failure) | Observation::Unusable(failure) => {
                return self.failed(pipeline, elapsed, failure, emit);
            }
            Observation::Denied(_, failure) | Observation::Unreachable(failure) => {
                // A token is renewed for a poll, never for a list; nothing else fixes by waiting.
                self.useless |= failure.kind != FailureKind::TokenRefused;
                return self.failed(pipeline, elapsed, failure, emit);
            }
        };
        if self.ahead() > MOST_AHEAD {
            self.rest(self.took * SLOW_REST, elapsed);
        } else {
            self.failures = 0;
        }
        self.know(pipeline, list_summary.history(), emit);
        let unfinished = self.runs.iter().filter_map(|run| runs.get(*run)).filter(|run| run.is_unfinished()).count();
        match answer.date {
            // Without its date the list could not be checked.
            None => Vec::new(),
            Some(_) if self.useless || unfinished < FEWEST => Vec::new(),
            Some(date) => self.share(&list_summary, date, runs, limits, elapsed),
        }
    }

    fn failed(
        &mut self,
        pipeline: usize,
        elapsed: Duration,
        failure: Failure,
        emit: &mut impl FnMut(Event),
    ) -> Vec<(usize, Duration)> {
        if matches!(self.past, KnownHistory::NotYet) {
            emit(Event::NoHistory { pipeline, id: self.id.clone(), failure });
            self.past = KnownHistory::Nothing;
        }
        self.rest(REST, elapsed);
        Vec::new()
    }

    /// Puts off the looks at those that the list shows as running, and hurries those at what it shows as over.
    fn share(
        &mut self,
        list_summary: &ListSummary,
        date: DateTime<Utc>,
        runs: &mut [Run],
        limits: Limits,
        elapsed: Duration,
    ) -> Vec<(usize, Duration)> {
        let listed = RunsById::of(list_summary);
        let mut moved = Vec::new();
        let mut put_off: Vec<usize> = Vec::new();
        for place in &self.runs {
            let Some(run) = runs.get_mut(*place).filter(|run| run.is_unfinished() && run.next.is_some()) else {
                continue;
            };
            match listed.find(run) {
                ShownAs::Going => {
                    moved.push((*place, run.put_off(limits, elapsed, date)));
                    put_off.push(*place);
                }
                ShownAs::Over => moved.push((*place, run.soon(elapsed))),
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
        let unfinished = self.runs.iter().filter_map(|place| Some((*place, runs.get(*place)?)));
        unfinished
            .filter(|(_, run)| run.is_unfinished() && run.next.is_some())
            .map(|(place, run)| (place, run.soon(elapsed)))
            .collect()
    }
}

/// How a list shows a run.
enum ShownAs {
    Going,
    Over,
    /// Not at all, in another word than its own record, or twice: its own record will tell.
    Otherwise,
}

/// A list's runs by their ids.
struct RunsById<'s> {
    unfinished: HashMap<String, Vec<&'s UnfinishedRun>>,
    over: HashSet<String>,
}

impl<'s> RunsById<'s> {
    fn of(list_summary: &'s ListSummary) -> RunsById<'s> {
        let mut unfinished: HashMap<String, Vec<&UnfinishedRun>> = HashMap::new();
        for run in list_summary.unfinished() {
            unfinished.entry(run.run.folded()).or_default().push(run);
            if let Some(number) =
                run.number.map(|number| number.to_string()).filter(|number| number != run.run.as_str())
            {
                unfinished.entry(number).or_default().push(run);
            }
        }
        RunsById { unfinished, over: list_summary.over().map(RunId::folded).collect() }
    }

    fn find(&self, run: &Run) -> ShownAs {
        let (Some(id), Some(word)) = (run.id(), run.word()) else { return ShownAs::Otherwise };
        let is_over = self.over.contains(&id);
        match self.unfinished.get(&id).map(Vec::as_slice) {
            Some([only]) if !is_over && only.word.raw() == word => ShownAs::Going,
            None | Some([]) if is_over => ShownAs::Over,
            None | Some(_) => ShownAs::Otherwise,
        }
    }
}

#[cfg(test)]
mod tests;
