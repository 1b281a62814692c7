//! A pipeline's runs as its list tells them: enough to choose one, never enough to pass. A run's own record decides.

use chrono::{DateTime, Utc};

use super::{Fingerprint, Meaning, RunId, Untrusted, Vocabulary};

/// The runs of ONE pipeline. What the list says of other pipelines is not in here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunList {
    /// In no order that may be relied on.
    pub runs: Vec<ListedRun>,
}

/// One element of the list: a run of the pipeline, or something that might be one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedRun {
    /// As the service spells it; none if there is none by which the run could be asked for.
    pub run: Option<RunId>,
    /// The integer `id`.
    pub number: Option<u64>,
    /// `last_status`; empty if null or missing, none if it is not a string.
    pub status: Option<Untrusted>,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    /// The likeness of its trace, if it has one.
    pub trace: Option<Fingerprint>,
}

/// A record could not be put in order: it might be the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmbiguousOrder;

impl ListedRun {
    /// One of which nothing else is known, for tests.
    #[cfg(test)]
    pub fn bare(id: &str, status: &str, created_at: Option<DateTime<Utc>>) -> ListedRun {
        ListedRun { run: RunId::new(id), status: Some(Untrusted::new(status)), created_at, ..ListedRun::default() }
    }

    /// The run's state, as far as a list tells it. What can't be read may still be going.
    pub fn meaning(&self, vocabulary: &Vocabulary) -> Meaning {
        self.status.as_ref().map_or(Meaning::Unknown, |word| vocabulary.read(word.raw()))
    }

    pub fn is_unfinished(&self, vocabulary: &Vocabulary) -> bool {
        match self.meaning(vocabulary) {
            Meaning::Wait | Meaning::Unknown => true,
            Meaning::Passed | Meaning::Failed => false,
        }
    }
}

/// The newest of these runs: greatest `created_at`, then greatest `id`. `None`: there is none.
///
/// # Errors
/// When that can't be reported: a run has no readable `created_at`; or several have the greatest and their numbers do not
/// tell them apart; or the newest has no id by which to ask for it.
pub(super) fn newest<'a>(runs: impl IntoIterator<Item = &'a ListedRun>) -> Result<Option<&'a RunId>, AmbiguousOrder> {
    let mut first: Vec<&ListedRun> = Vec::new();
    let mut latest = None;
    for run in runs {
        let created = run.created_at.ok_or(AmbiguousOrder)?;
        if latest.is_none_or(|latest| created > latest) {
            latest = Some(created);
            first.clear();
        }
        if latest == Some(created) {
            first.push(run);
        }
    }
    let Some(one) = first.first() else { return Ok(None) };
    if first.iter().all(|run| run.run == one.run) {
        // One run, perhaps listed twice.
        return one.run.as_ref().map(Some).ok_or(AmbiguousOrder);
    }
    let mut numbers = Vec::new();
    for run in &first {
        numbers.push((run.number.ok_or(AmbiguousOrder)?, run.run.as_ref()));
    }
    let greatest = numbers.iter().map(|(number, _)| *number).max();
    let mut winners = numbers.iter().filter(|(number, _)| Some(*number) == greatest).map(|(_, run)| *run);
    let winner = winners.next().flatten().ok_or(AmbiguousOrder)?;
    // Two runs of one number are one too many.
    if winners.all(|other| other == Some(winner)) { Ok(Some(winner)) } else { Err(AmbiguousOrder) }
}
