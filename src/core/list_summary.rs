//! One short look at a pipeline's list: how its newest runs went, and which of them are running. What is kept of a list is
//! bounded, however long it is.
//!
//! A survey is a help and never a verdict: without it every run is polled as if there were no list.

use std::collections::{HashMap, HashSet};

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
    /// The word of each run that is not over, by the key of its id and by that of its number; none where a key came twice.
    going: HashMap<u64, Option<Untrusted>>,
    /// How many those are.
    unfinished: usize,
    /// The keys of all that are over, for several runs that share a list: eight bytes each, so that there may be as many as
    /// fit into a list.
    over: Option<HashSet<u64>>,
}

/// How a list shows one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShownAs {
    Going,
    Over,
    /// Not at all, in another word than its own record, or twice: its own record will tell.
    Otherwise,
}

impl ListSummary {
    pub(super) fn new(pipeline: PipelineId, vocabulary: Vocabulary) -> ListSummary {
        ListSummary {
            pipeline,
            vocabulary,
            past: Vec::new(),
            has_more: false,
            older_success: None,
            going: HashMap::new(),
            unfinished: 0,
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
                self.take_unfinished(&run, number, &word);
            }
            (Meaning::Wait | Meaning::Unknown, _) => {}
        }
    }

    fn take_unfinished(&mut self, run: &RunId, number: Option<u64>, word: &Untrusted) {
        if self.unfinished == UNFINISHED {
            return;
        }
        self.unfinished += 1;
        let number = number.and_then(|number| RunId::new(&number.to_string())).map(|number| number.key());
        let number = number.filter(|number| *number != run.key());
        for key in [run.key()].into_iter().chain(number) {
            self.going.entry(key).and_modify(|word| *word = None).or_insert_with(|| Some(word.clone()));
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

    /// How the list shows the run whose own record has this word.
    pub(super) fn shows(&self, run: &RunId, word: &str) -> ShownAs {
        let key = run.key();
        let is_over = self.over.as_ref().is_some_and(|over| over.contains(&key));
        match (self.going.get(&key), is_over) {
            (Some(Some(going)), false) if going.raw() == word => ShownAs::Going,
            (None, true) => ShownAs::Over,
            (Some(_), _) | (None, false) => ShownAs::Otherwise,
        }
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
        let unfinished = |runs| list_summary(runs, "RUNNING").going.len();
        assert_eq!([49_999, 50_000, 50_001].map(unfinished), [49_999, 50_000, 50_000]);
    }
}
