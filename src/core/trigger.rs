//! Which runs a trigger started: a list from before, one request, and what lists show afterwards (docs/reference.md#starting-runs).
//!
//! The request may be answered with a `run_id` that need not be a run's. If it has the shape of the listed ids ([`shape`]),
//! it names our run, and no other run counts. Any other id is asked for once. If there is no such run, whatever is new is a
//! candidate, and all candidates are waited for: it is better to wait for a stranger's run than to pass on it.
//! While an earlier run is running, behind which ours may be queued and not listed, nothing is passed on. What can't be known:
//! without such an id, a run that somebody else started in the same moments can't be told from ours; and if it ended well
//! before ours was listed at all, it would be the only one waited for.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::listing::{ListedRun, RunList, newest};
use super::target::hash;
use super::{Failure, FailureKind, IfRunning, RunId, Vocabulary};

/// How far the clock that stamps a run may be behind the one that dates an answer (docs/reference.md).
const BEHIND: TimeDelta = TimeDelta::seconds(60);

/// More new runs than this have nothing to do with one request.
const CANDIDATES: usize = 100;

/// Where a run that is to be started stands.
#[derive(Clone, Debug)]
pub(super) enum Starting {
    /// The list from before is read.
    Before,
    /// The request is made next. It is on its way as soon as it is handed out, whatever comes of it.
    Ready(Baseline),
    Asked(Baseline),
    /// The service named this run: it is polled, and no other counts.
    Named(Baseline, RunId),
    /// The named run is not visible: the list tells whether it may wait behind an earlier run.
    Hidden(Baseline, RunId),
    /// The service answered with an id that need not be a run's: it is asked for once.
    Guessed(Baseline, RunId),
    /// The run is looked for.
    Seeking(Baseline, TriggerOutcome),
}

/// What became of the request, as far as it is known.
#[derive(Clone, Debug)]
pub(super) enum TriggerOutcome {
    /// With the id that it was answered with, if it can be one.
    Accepted(Option<RunId>),
    Lost(Failure),
}

/// What became of a request to start that has led to no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// None was made, or it was answered with a no.
    None,
    /// Nobody knows whether it has started a run: to do it again may start a second.
    InDoubt,
    /// The service took it.
    Taken,
}

/// What was there before: by hashes of ids, since there may be hundreds of thousands. Two ids with one hash would make ours
/// a known one, which is then never found, and never passes.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    known: Arc<HashSet<u64>>,
    /// The shapes of their ids, as hashes too.
    shapes: Arc<HashSet<u64>>,
    /// What came since and is waited for.
    taken: Vec<u64>,
    /// A run created earlier is none of ours.
    from: DateTime<Utc>,
}

/// What is needed to tell, once all candidates have passed, whether there are more.
#[derive(Clone, Debug)]
pub(super) struct CandidateGroup {
    /// The candidates taken are in it.
    pub(super) baseline: Baseline,
    /// The id that the request was answered with.
    pub(super) said: Option<RunId>,
    pub(super) held: PendingPass,
}

/// Whether candidates passed while an earlier run was running: then the one that was started is most likely still to come.
#[derive(Clone, Copy, Debug)]
pub(super) enum PendingPass {
    No,
    /// The last list showed that run as running.
    Yes,
    /// It is over. Until then ours may take to be listed.
    Until(Duration),
}

/// What the list from before says to do.
#[derive(Clone, Debug)]
pub(super) enum StartDecision {
    Start(Baseline),
    Attach(RunId),
    /// A run is running, and none is to be started beside it.
    Going(Option<RunId>),
}

/// What a start would come upon, for who only asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartPreview {
    Nobody,
    /// A run is running, behind which another would wait.
    Queue,
    /// A run is running, and would be waited for instead.
    Attach,
    /// A run is running, so that none would be started.
    Refused,
}

/// What the gate would do if this list were the one from before a start; nothing is started.
///
/// # Errors
/// When the list can't serve.
pub fn ahead(
    listing: &RunList,
    date: Option<DateTime<Utc>>,
    if_running: IfRunning,
    vocabulary: &Vocabulary,
) -> Result<StartPreview, FailureKind> {
    Ok(match before(listing, date, if_running, vocabulary)? {
        StartDecision::Start(_) if listing.runs.iter().any(|run| run.is_unfinished(vocabulary)) => StartPreview::Queue,
        StartDecision::Start(_) => StartPreview::Nobody,
        StartDecision::Attach(_) => StartPreview::Attach,
        StartDecision::Going(_) => StartPreview::Refused,
    })
}

/// What a list shows afterwards.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RunsAfterStart {
    /// Nothing new; behind which earlier run ours may have to wait.
    Nothing(BlockingRun),
    /// The run with the very id that the request was answered with.
    Ours(RunId),
    /// That run is not listed, but the list shows that its id is a run's.
    Named(RunId),
    /// What is new, oldest first, never empty.
    These(Vec<RunId>),
}

/// An earlier run that is still running, if there is one; by its id, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BlockingRun {
    Nobody,
    /// It is running, but runs that began after it have ended: it holds up nobody, and may go on for ever.
    Overtaken(Option<RunId>),
    Run(Option<RunId>),
}

impl Baseline {
    /// From now on this run is no news.
    pub(super) fn take(&mut self, run: &RunId) {
        self.taken.push(run.key());
    }

    /// Whether exactly one run that came since is waited for.
    pub(super) fn has_taken_one(&self) -> bool {
        self.taken.len() == 1
    }

    pub(super) fn is_from_before(&self, run: &RunId) -> bool {
        self.known.contains(&run.key())
    }

    /// Whether a run that was created then began before the request.
    pub(super) fn is_older(&self, created_at: Option<DateTime<Utc>>) -> bool {
        created_at.is_some_and(|created| created < self.from)
    }

    /// Whether a run from before has an id of this shape.
    pub(super) fn has_shape_of(&self, run: &RunId) -> bool {
        self.shapes.contains(&hash(&shape(run)))
    }

    fn is_new(&self, run: &RunId) -> bool {
        !self.is_from_before(run) && !self.taken.contains(&run.key())
    }
}

/// The shape of an id: each group of letters and digits becomes one `x`, and the separators between the groups stay (`-`
/// counts as `_`). So `e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c` is `x_x_x_x_x`, and `manual__2024-12-18T10:30:00+00:00` is
/// `x__x_x_x:x:x+x:x`. Lengths do not count: in doubt an id is a run's, and then no other run can pass for it.
fn shape(run: &RunId) -> String {
    let mut shape = String::new();
    for c in run.folded().chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() {
            shape.push(c);
        } else if !shape.ends_with('x') {
            shape.push('x');
        }
    }
    shape
}

/// Reads the list from before, which was answered at `date` by the service's clock.
///
/// # Errors
/// When the list can't serve: no date, or a record that might be any run.
pub(super) fn before(
    listing: &RunList,
    date: Option<DateTime<Utc>>,
    if_running: IfRunning,
    vocabulary: &Vocabulary,
) -> Result<StartDecision, FailureKind> {
    let date = date.ok_or(FailureKind::NoDate)?;
    let from = date.checked_sub_signed(BEHIND).ok_or(FailureKind::NoDate)?;
    let mut known = HashSet::with_capacity(listing.runs.len());
    let mut shapes = HashSet::new();
    for run in &listing.runs {
        let created = run.created_at.ok_or(FailureKind::Unplaceable)?;
        match &run.run {
            Some(id) => {
                known.insert(id.key());
                shapes.insert(hash(&shape(id)));
            }
            // It can't be known again, which matters only if it could be taken for ours.
            None if created < from => {}
            None => return Err(FailureKind::Unplaceable),
        }
    }
    let unfinished = || listing.runs.iter().filter(|run| run.is_unfinished(vocabulary));
    let start =
        StartDecision::Start(Baseline { known: Arc::new(known), shapes: Arc::new(shapes), taken: Vec::new(), from });
    match if_running {
        IfRunning::Queue => Ok(start),
        IfRunning::Attach => Ok(newest(unfinished())?.cloned().map_or(start, StartDecision::Attach)),
        IfRunning::Fail if unfinished().next().is_none() => Ok(start),
        IfRunning::Fail => Ok(StartDecision::Going(newest(unfinished()).ok().flatten().cloned())),
    }
}

/// Looks for what was started, in a list from afterwards. `said` is the id that the request was answered with.
///
/// # Errors
/// When a record might be ours, and can't be read.
pub(super) fn after(
    listing: &RunList,
    baseline: &Baseline,
    said: Option<&RunId>,
    vocabulary: &Vocabulary,
) -> Result<RunsAfterStart, FailureKind> {
    // A run from before the request is not ours, even if the answer names it.
    let is_old = |said: &RunId| {
        let listed = listing.runs.iter().find(|run| run.is(said));
        baseline.is_from_before(said) || listed.is_some_and(|run| baseline.is_older(run.created_at))
    };
    if let Some(said) = said.filter(|said| !is_old(said)) {
        let listed = || listing.runs.iter().filter_map(|run| run.run.as_ref());
        if let Some(ours) = listed().find(|id| id.is(said.as_str(), None)) {
            return Ok(RunsAfterStart::Ours(ours.clone()));
        }
        let shape_of_said = shape(said);
        if baseline.has_shape_of(said) || listed().any(|id| shape(id) == shape_of_said) {
            return Ok(RunsAfterStart::Named(said.clone()));
        }
    }
    let mut candidates: Vec<(DateTime<Utc>, &RunId)> = Vec::new();
    for run in &listing.runs {
        let created = run.created_at.ok_or(FailureKind::Unplaceable)?;
        if created < baseline.from {
            continue;
        }
        let id = run.run.as_ref().ok_or(FailureKind::Unplaceable)?;
        if baseline.is_new(id) {
            candidates.push((created, id));
        }
    }
    candidates.sort();
    candidates.dedup_by(|a, b| a.1.folded() == b.1.folded());
    if candidates.len() > CANDIDATES {
        return Err(FailureKind::Unplaceable);
    }
    if candidates.is_empty() {
        return Ok(RunsAfterStart::Nothing(behind(listing, baseline, vocabulary)));
    }
    Ok(RunsAfterStart::These(candidates.into_iter().map(|(_, id)| id.clone()).collect()))
}

/// Whether a list shows all that was taken, and nothing of it as running.
pub(super) fn shows_taken_as_over(listing: &RunList, baseline: &Baseline, vocabulary: &Vocabulary) -> bool {
    let mut missing = baseline.taken.clone();
    for run in &listing.runs {
        let Some(key) = run.run.as_ref().map(RunId::key).filter(|key| baseline.taken.contains(key)) else { continue };
        if run.is_unfinished(vocabulary) {
            return false;
        }
        missing.retain(|taken| *taken != key);
    }
    missing.is_empty()
}

/// Which run from before is still running.
pub(super) fn behind(listing: &RunList, baseline: &Baseline, vocabulary: &Vocabulary) -> BlockingRun {
    let is_from_before = |run: &&ListedRun| run.run.as_ref().is_none_or(|id| baseline.is_from_before(id));
    let (unfinished, over): (Vec<&ListedRun>, Vec<&ListedRun>) =
        listing.runs.iter().filter(is_from_before).partition(|run| run.is_unfinished(vocabulary));
    if unfinished.is_empty() {
        return BlockingRun::Nobody;
    }
    let newest_over = over.iter().filter_map(|run| run.created_at).max();
    let id = newest(unfinished.iter().copied()).ok().flatten().cloned();
    if unfinished.iter().all(|run| run.created_at < newest_over) {
        BlockingRun::Overtaken(id)
    } else {
        BlockingRun::Run(id)
    }
}

#[cfg(test)]
mod tests;
