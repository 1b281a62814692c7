//! A pipeline's runs as its list tells them: enough to choose one, never enough to pass. A run's own record decides.

use chrono::{DateTime, Utc};

use super::{FailureKind, Fingerprint, Meaning, RunId, Untrusted, Vocabulary};

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

impl ListedRun {
    /// One of which nothing else is known, for tests.
    #[cfg(test)]
    pub fn bare(id: &str, status: &str, created_at: Option<DateTime<Utc>>) -> ListedRun {
        ListedRun { run: RunId::new(id), status: Some(Untrusted::new(status)), created_at, ..ListedRun::default() }
    }

    /// Whether it is the run with this id.
    pub(super) fn is(&self, run: &RunId) -> bool {
        self.run.as_ref().is_some_and(|id| id.is(run.as_str(), None))
    }

    /// The run's state, as far as a list tells it. What can't be read may still be going.
    pub fn meaning(&self, vocabulary: &Vocabulary) -> Meaning {
        self.status.as_ref().map_or(Meaning::Unknown, |word| vocabulary.read(word.raw()))
    }

    pub fn is_unfinished(&self, vocabulary: &Vocabulary) -> bool {
        self.meaning(vocabulary).passed().is_none()
    }
}

/// The newest of these runs: greatest `created_at`, then greatest `id`. `None`: there is none.
///
/// # Errors
/// `Unplaceable` when that can't be told: a run has no readable `created_at`; or several have the greatest and their numbers do
/// not tell them apart; or the newest has no id by which to ask for it.
pub(super) fn newest<'a>(runs: impl IntoIterator<Item = &'a ListedRun>) -> Result<Option<&'a RunId>, FailureKind> {
    let mut runs: Vec<&ListedRun> = runs.into_iter().collect();
    keep_greatest(&mut runs, |run| run.created_at)?;
    // One run may be listed twice.
    let is_one = |runs: &[&ListedRun]| runs.iter().all(|run| run.run == runs[0].run);
    if !is_one(&runs) {
        keep_greatest(&mut runs, |run| run.number)?;
    }
    match runs.first() {
        None => Ok(None),
        Some(newest) if is_one(&runs) => newest.run.as_ref().map(Some).ok_or(FailureKind::Unplaceable),
        // Two runs of one number are one too many.
        Some(_) => Err(FailureKind::Unplaceable),
    }
}

/// Keeps the runs whose value is the greatest. Each must have one.
fn keep_greatest<T: Ord>(
    runs: &mut Vec<&ListedRun>,
    value: impl Fn(&ListedRun) -> Option<T>,
) -> Result<(), FailureKind> {
    if runs.iter().any(|run| value(run).is_none()) {
        return Err(FailureKind::Unplaceable);
    }
    let greatest = runs.iter().filter_map(|run| value(run)).max();
    runs.retain(|run| value(run) == greatest);
    Ok(())
}
