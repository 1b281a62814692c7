//! How the previous runs of a pipeline went, and how one run compares. It is shown to people and used to place polls; it
//! never decides a verdict.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::forecast::{NEWEST, usual};
use super::listing::{ListedRun, RunList};
use super::{Fingerprint, LastRecord, PastRun, RunId, Vocabulary};

/// One earlier run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedRun {
    /// None if it has no id by which it could be named.
    pub run: Option<RunId>,
    pub passed: bool,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    /// None if its stamps make none.
    pub duration: Option<Duration>,
    /// The likeness of its trace, if it has one.
    pub trace: Option<Fingerprint>,
}

/// The newest runs of a pipeline that have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Newest first, at most [`NEWEST`].
    runs: Vec<FinishedRun>,
    /// Whether there were more.
    has_more: bool,
    /// The newest success, where it is older than all of these.
    older_success: Option<FinishedRun>,
}

/// How long runs take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationRange {
    /// The one in the middle, of those that passed; of all if none did.
    pub typical: Duration,
    /// Eight of ten lie from here to there; with fewer than five runs, all of them.
    pub from: Duration,
    pub to: Duration,
}

/// Runs in a row, this one included, that ended alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streak {
    pub passed: bool,
    pub runs: usize,
    /// The row may be longer than the history.
    pub at_least: bool,
    /// How many ended the other way right before this row.
    pub after: usize,
    /// There may have been more of those than the history has.
    pub after_at_least: bool,
}

/// How one run stands among the earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub struct RunComparison<'h> {
    /// How many earlier runs there are to compare with.
    pub earlier: usize,
    /// For a run that has ended.
    pub in_a_row: Option<Streak>,
    pub last_success: Option<&'h FinishedRun>,
    /// Whether the last failure before this one had the same trace; none if either had no trace.
    pub same_trace: Option<bool>,
    /// How many of the usual runs it has outlasted, and of how many.
    pub slower: Option<(usize, usize)>,
}

impl FinishedRun {
    /// What a list says of a run that has ended; `None` of any other.
    pub(super) fn of(listed: &ListedRun, vocabulary: &Vocabulary) -> Option<FinishedRun> {
        let passed = listed.meaning(vocabulary).passed()?;
        let created_at = listed.created_at?;
        let duration = listed.updated_at.and_then(|ended| ended.signed_duration_since(created_at).to_std().ok());
        Some(FinishedRun {
            run: listed.run.clone(),
            passed,
            created_at,
            ended_at: listed.updated_at,
            duration,
            trace: listed.trace,
        })
    }

    fn is(&self, seen: &LastRecord) -> bool {
        self.run.as_ref().is_some_and(|run| run.is(seen.record.run_id.raw(), None))
    }
}

impl History {
    /// Of runs in any order; `success` is the newest one that is not among them.
    pub(super) fn new(mut runs: Vec<FinishedRun>, has_more: bool, success: Option<FinishedRun>) -> History {
        newest_first(&mut runs);
        let has_more = has_more || runs.len() > NEWEST;
        let older = runs.iter().skip(NEWEST).find(|run| run.passed).cloned().or(success);
        runs.truncate(NEWEST);
        let older_success = older.filter(|_| runs.iter().all(|run| !run.passed));
        History { runs, has_more, older_success }
    }

    /// What the list tells from which a run was chosen.
    pub fn of(listing: &RunList, vocabulary: &Vocabulary) -> History {
        History::new(listing.runs.iter().filter_map(|run| FinishedRun::of(run, vocabulary)).collect(), false, None)
    }

    /// The same without this run, which is no part of its own past.
    pub(super) fn without(mut self, seen: &LastRecord) -> History {
        self.runs.retain(|past| !past.is(seen));
        self
    }

    /// Newest first.
    pub fn runs(&self) -> &[FinishedRun] {
        &self.runs
    }

    /// How many of them passed.
    pub fn passed(&self) -> usize {
        self.runs.iter().filter(|run| run.passed).count()
    }

    /// Their lengths, to learn from.
    pub(super) fn lengths_to_learn(&self) -> Vec<PastRun> {
        let length = |run: &FinishedRun| Some(PastRun { duration: run.duration?, passed: run.passed });
        self.runs.iter().filter_map(length).collect()
    }

    /// How long a run usually takes.
    pub fn lengths(&self) -> Option<DurationRange> {
        let usual = usual_lengths(&self.runs);
        let last = usual.len().checked_sub(1)?;
        let at = |tenths: usize| usual[(last * tenths + 5) / 10];
        // The two in the middle, which are one where the number is odd.
        let typical = (usual[last / 2] + usual[usual.len() / 2]) / 2;
        Some(DurationRange { typical, from: at(1), to: at(9) })
    }

    /// How a run stands among those that began before it.
    pub fn comparison(&self, seen: &LastRecord) -> RunComparison<'_> {
        let record = &seen.record;
        let earlier: Vec<&FinishedRun> = self
            .runs
            .iter()
            .filter(|past| record.created_at.is_none_or(|created| past.created_at <= created))
            .filter(|past| !past.is(seen))
            .collect();
        let passed = seen.meaning.passed();
        let row =
            |passed: bool, from: usize| earlier.iter().skip(from).take_while(|past| past.passed == passed).count();
        let in_a_row = passed.map(|passed| {
            let alike = row(passed, 0);
            let after = row(!passed, alike);
            let is_all = |runs: usize| runs == earlier.len() && self.has_more;
            let (at_least, after_at_least) = (is_all(alike), after > 0 && is_all(alike + after));
            Streak { passed, runs: alike + 1, at_least, after, after_at_least }
        });
        let own = record.trace.as_ref().and_then(|trace| Fingerprint::of(trace.raw()));
        let before = earlier.iter().find(|past| !past.passed).and_then(|past| past.trace);
        let length = seen.exact_duration().filter(|_| passed != Some(false));
        let usual = usual_lengths(earlier.iter().copied());
        RunComparison {
            earlier: earlier.len(),
            in_a_row,
            last_success: earlier.iter().find(|past| past.passed).copied().or(self.older_success.as_ref()),
            same_trace: own.zip(before).map(|(own, before)| own == before).filter(|_| passed == Some(false)),
            slower: length.map(|length| (usual.iter().filter(|usual| **usual < length).count(), usual.len())),
        }
    }
}

pub(super) fn newest_first(runs: &mut [FinishedRun]) {
    runs.sort_by_key(|run| std::cmp::Reverse(run.created_at));
}

/// The lengths that tell what is usual.
fn usual_lengths<'h>(runs: impl IntoIterator<Item = &'h FinishedRun, IntoIter: Clone>) -> Vec<Duration> {
    usual(runs.into_iter().map(|run| (run.passed, run.duration)))
}

#[cfg(test)]
mod tests;
