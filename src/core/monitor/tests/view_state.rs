//! What the view asks while runs are waited for, and the report when they are not any more.

use super::*;
use crate::core::{ListedRun, RunList, Selector};
use chrono::DateTime;

#[test]
fn the_view_gets_what_is_pending_what_was_seen_and_why_not() {
    let mut gate = Gate::new(usual(), vec![target("a"), target("b"), target("c")]);
    assert_eq!((gate.progress(), gate.is_over()), ((3, 3), false));
    gate.observe(0, SECOND, plain(record("SUCCESS")), &mut Vec::new());
    gate.observe(1, SECOND, plain(record("RUNNING")), &mut Vec::new());
    gate.observe(2, SECOND, plain(unusable()), &mut Vec::new());
    assert_eq!(gate.progress(), (2, 3));
    assert_eq!(gate.pending().collect::<Vec<_>>(), [1, 2]);
    assert_eq!([0, 1, 2, 3].map(|run| gate.is_pending(run)), [false, true, true, false]);
    let words = [0, 1, 2, 3].map(|run| gate.seen(run).map(|seen| seen.record.status.raw()));
    assert_eq!(words, [Some("SUCCESS"), Some("RUNNING"), None, None]);
    let missed = [0, 1, 2, 3].map(|run| gate.failure(run).map(|failure| failure.kind));
    assert_eq!(missed, [None, None, Some(FailureKind::Http(503)), None]);
}

#[test]
fn the_report_has_the_past_of_an_only_run_without_that_run() {
    let listed = |id: &str, hour: i64| ListedRun {
        run: RunId::new(id),
        status: Some(Untrusted::new("SUCCESS")),
        created_at: DateTime::from_timestamp(1_705_314_600 + 3600 * hour, 0),
        updated_at: DateTime::from_timestamp(1_705_314_600 + 3600 * hour + 600, 0),
        ..ListedRun::default()
    };
    let listing =
        RunList { runs: ["old", "older", "r"].into_iter().zip([2, 1, 3]).map(|(id, hour)| listed(id, hour)).collect() };
    let rules = Rules { learning: Learning::On, ..usual() };
    let pipeline = PipelineId::new("p").expect("an id");
    let latest = Wanted::Choice { pipeline: pipeline.clone(), selector: Selector::Latest };
    let mut gate = Gate::new(rules.clone(), vec![latest]);
    let list = Answer { observation: Observation::Record(listing.clone()), retry_after: None, date: None };
    gate.observe(0, SECOND, ApiResponse::List(list), &mut Vec::new());
    gate.observe(0, 2 * SECOND, plain(record("SUCCESS")), &mut Vec::new());
    let earlier = RunList { runs: listing.runs[..2].to_vec() };
    assert_eq!(gate.outcome().histories, [(pipeline, History::of(&earlier, &rules.vocabulary))]);
}
