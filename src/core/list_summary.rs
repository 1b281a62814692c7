//! One short look at a pipeline's list: how its newest runs went, and which of them are running. What is kept of a list is
//! bounded, however long it is.
//!
//! A survey is a help and never a verdict: without it every run is polled as if there were no list.

use std::collections::HashSet;

use super::history::{FinishedRun, History, newest_first};
use super::listing::ListedRun;
use super::{Meaning, PipelineId, RunId, Untrusted, Vocabulary};

/// How many past runs are kept while the list comes; the newest of them make the history. More than those, so that a list
/// in the wrong order is not sorted at every record.
const KEPT: usize = 400;

/// How many unfinished runs are kept: with the documented fields no list of 8 MiB has more.
const UNFINISHED: usize = 50_000;

/// What is made of a list while it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSummary {
    pipeline: PipelineId,
    vocabulary: Vocabulary,
    past: Vec<FinishedRun>,
    has_more: bool,
    /// The newest success among those that were not kept.
    older_success: Option<FinishedRun>,
    unfinished: Vec<UnfinishedRun>,
    /// The keys of all that are over, for several runs that share a list: eight bytes each, so that there may be as many as
    /// fit into a list.
    over: Option<HashSet<u64>>,
}

/// A run that the list shows as running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnfinishedRun {
    pub(super) run: RunId,
    pub(super) number: Option<u64>,
    pub(super) word: Untrusted,
}

impl ListSummary {
    pub(super) fn new(pipeline: PipelineId, vocabulary: Vocabulary) -> ListSummary {
        ListSummary {
            pipeline,
            vocabulary,
            past: Vec::new(),
            has_more: false,
            older_success: None,
            unfinished: Vec::new(),
            over: None,
        }
    }

    /// One that several runs share.
    pub(super) fn shared(self) -> ListSummary {
        ListSummary { over: Some(HashSet::new()), ..self }
    }

    pub fn pipeline(&self) -> &PipelineId {
        &self.pipeline
    }

    /// Takes in one record of the list. What can't be read is passed over: it is no run that anybody has seen to go on.
    pub fn take(&mut self, listed: ListedRun) {
        match (listed.meaning(&self.vocabulary), listed) {
            (Meaning::Passed | Meaning::Failed, listed) => {
                if let (Some(over), Some(run)) = (&mut self.over, &listed.run) {
                    over.insert(run.key());
                }
                self.past.extend(FinishedRun::of(&listed, &self.vocabulary));
                if self.past.len() >= 2 * KEPT {
                    self.drop_oldest();
                }
            }
            (Meaning::Wait | Meaning::Unknown, ListedRun { run: Some(run), number, status: Some(word), .. }) => {
                if self.unfinished.len() < UNFINISHED {
                    self.unfinished.push(UnfinishedRun { run, number, word });
                }
            }
            (Meaning::Wait | Meaning::Unknown, _) => {}
        }
    }

    fn drop_oldest(&mut self) {
        newest_first(&mut self.past);
        let dropped = self.past.split_off(KEPT);
        self.has_more = true;
        let newest = |a: &FinishedRun, b: &FinishedRun| a.created_at.cmp(&b.created_at);
        let success = dropped.into_iter().find(|run| run.passed);
        self.older_success = [self.older_success.take(), success].into_iter().flatten().max_by(newest);
    }

    /// Whether the list shows a run with this key as over.
    pub(super) fn is_over(&self, key: u64) -> bool {
        self.over.as_ref().is_some_and(|over| over.contains(&key))
    }

    pub(super) fn unfinished(&self) -> &[UnfinishedRun] {
        &self.unfinished
    }

    pub(super) fn history(&self) -> History {
        History::new(self.past.clone(), self.has_more, self.older_success.clone())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn list_summary(runs: usize, word: &str) -> ListSummary {
        let mut list_summary = ListSummary::new(PipelineId::new("p").expect("an id"), Vocabulary::default());
        for run in 0..runs {
            list_summary.take(ListedRun {
                run: RunId::new(&format!("run_{run}")),
                status: Some(Untrusted::new(word)),
                created_at: DateTime::from_timestamp(1_705_314_600 + i64::try_from(run).expect("few"), 0),
                ..ListedRun::default()
            });
        }
        list_summary
    }

    #[test]
    fn what_is_kept_of_a_list_has_an_end() {
        let past = |runs| list_summary(runs, "SUCCESS").past.len();
        assert_eq!([799, 800, 1199, 1200].map(past), [799, 400, 799, 400]);
        let unfinished = |runs| list_summary(runs, "RUNNING").unfinished().len();
        assert_eq!([49_999, 50_000, 50_001].map(unfinished), [49_999, 50_000, 50_000]);
    }
}
