//! Requests the pipelines' details beside the wait, to show them.
//!
//! What comes does not reach the core, so that it can't change a verdict. When the wait ends, what has not come is given up.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::pin::pin;

use crate::api::Client;
use crate::core::{Event, Gate, PipelineDetails, PipelineId, PipelineState, Wanted};

/// A gate of more pipelines requests no details (docs/reference.md#pipeline-details).
const PIPELINES: usize = 20;

/// The pipelines whose details are to be shown, and what has come.
pub(super) struct DetailsToShow {
    pipelines: Vec<PipelineId>,
    pub(super) found: RefCell<Vec<(PipelineId, PipelineDetails)>>,
}

impl DetailsToShow {
    pub(super) fn new(wanted: &[Wanted], are_wanted: bool) -> DetailsToShow {
        let mut pipelines: BTreeSet<&PipelineId> = wanted.iter().map(Wanted::pipeline).collect();
        if !are_wanted || pipelines.len() > PIPELINES {
            pipelines.clear();
        }
        DetailsToShow { pipelines: pipelines.into_iter().cloned().collect(), found: RefCell::default() }
    }

    /// One request for each pipeline, one after the other.
    pub(super) async fn fetch(&self, client: &Client) {
        for pipeline in &self.pipelines {
            if let Some(details) = client.details_to_show(pipeline).await {
                self.found.borrow_mut().push((pipeline.clone(), details));
            }
        }
    }
}

/// What was reported of them.
#[derive(Default)]
pub(super) struct ReportedDetails {
    count: usize,
    paused: HashSet<usize>,
}

impl ReportedDetails {
    /// What has come since the last call, and which missing runs belong to a pipeline that is paused.
    pub(super) fn news(&mut self, details: &DetailsToShow, gate: &Gate) -> Vec<Event> {
        let found = details.found.borrow();
        let new = found[self.count..].iter().cloned().map(|(id, details)| Event::Details { id, details });
        let mut events: Vec<Event> = new.collect();
        self.count = found.len();
        let paused = found.iter().filter(|(_, details)| details.state == PipelineState::Paused);
        let paused: Vec<&PipelineId> = paused.map(|(id, _)| id).collect();
        if paused.is_empty() {
            return events;
        }
        for run in gate.pending().filter(|run| gate.is_missing(*run)) {
            if paused.contains(&gate.wanted_in(run).pipeline()) && self.paused.insert(run) {
                events.push(Event::PausedPipeline { run });
            }
        }
        events
    }
}

/// Does `wait` to its end, and `other` as far as that goes meanwhile.
pub(super) async fn beside<T>(other: impl Future<Output = ()>, wait: impl Future<Output = T>) -> T {
    let mut wait = pin!(wait);
    tokio::select! {
        biased;
        done = &mut wait => done,
        () = other => wait.await,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::task::yield_now;

    use super::*;
    use crate::core::{RunId, Target};

    #[tokio::test]
    async fn nothing_waits_for_details() {
        assert_eq!(beside(pending(), ready(7)).await, 7);
        let slow = async {
            for _ in 0..3 {
                yield_now().await;
            }
            7
        };
        assert_eq!(beside(pending(), slow).await, 7);
        let has_come = std::cell::Cell::new(false);
        let slow = async {
            yield_now().await;
            has_come.get()
        };
        assert!(beside(async { has_come.set(true) }, slow).await, "what comes in time is kept");
        // The wait has the first turn: with one thread, nothing comes before its first request.
        has_come.set(false);
        assert!(!beside(async { has_come.set(true) }, async { has_come.get() }).await);
    }

    #[test]
    fn each_pipeline_is_asked_for_once_and_of_more_than_twenty_none() {
        let wanted = |pipelines: usize| -> Vec<Wanted> {
            let target = |n: usize| Target {
                pipeline: PipelineId::new(&format!("p{}", n % pipelines)).expect("an id"),
                run: RunId::new(&format!("r{n}")).expect("an id"),
            };
            (0..1000).map(|n| Wanted::Run(target(n))).collect()
        };
        for (pipelines, requests) in [(1, 1), (20, 20), (21, 0), (1000, 0)] {
            assert_eq!(DetailsToShow::new(&wanted(pipelines), true).pipelines.len(), requests, "{pipelines}");
            assert_eq!(DetailsToShow::new(&wanted(pipelines), false).pipelines.len(), 0, "{pipelines}");
        }
    }
}
