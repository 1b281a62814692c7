//! Which run `latest` and `last-success` mean: from a pipeline's list to one run's id.
//!
//! An unreadable record might be the newest run, and a failed one. So for `latest` it makes the list unusable; for
//! `last-success`, which asks for no newest run but for a proven success, it is passed over and counted.

use super::listing::{RunList, newest};
use super::{FailureKind, Meaning, RunId, Selector, Vocabulary};

/// What a list gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// `None`: the pipeline has no such run.
    pub run: Option<RunId>,
    /// Records that could not be read and were passed over: only `last-success` does that.
    pub passed_over: usize,
}

/// Chooses.
///
/// # Errors
/// `Unplaceable`, for `latest`, when a record can't be put in order.
pub fn choose(selector: Selector, listing: &RunList, vocabulary: &Vocabulary) -> Result<Choice, FailureKind> {
    match selector {
        Selector::Latest => Ok(Choice { run: newest(&listing.runs)?.cloned(), passed_over: 0 }),
        Selector::LastSuccess => Ok(last_success(listing, vocabulary)),
    }
}

fn last_success(listing: &RunList, vocabulary: &Vocabulary) -> Choice {
    let mut passed_over = 0;
    let mut best = None;
    for run in &listing.runs {
        let (Some(id), Some(created), Some(_)) = (&run.run, run.created_at, &run.status) else {
            passed_over += 1;
            continue;
        };
        if run.meaning(vocabulary) == Meaning::Passed {
            // The id is the last resort of an order that must be one: each of these is a success.
            best = best.max(Some((created, run.number, id)));
        }
    }
    Choice { run: best.map(|(_, _, id)| id.clone()), passed_over }
}

#[cfg(test)]
mod tests;
