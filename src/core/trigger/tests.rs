//! Triggers told as stories: a service that starts, queues, hides, loses and refuses, and the gate that must never ask it
//! twice and never pass on less than it can know.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::core::{
    Answer, ApiRequest, ApiResponse, Event, Gate, Interval, Learning, Limits, Observation, OnFirstFailure, Operation,
    PipelineId, PollTarget, Record, Rules, Scope, Signal, TimedEvent, TriggerResponse, Untrusted, Verdict, Wanted,
};

mod stories;

const SECOND: Duration = Duration::from_secs(1);

fn date(seconds: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_705_314_600, 0).expect("a date") + Duration::from_secs(seconds)
}

fn listed(id: &str, created: u64, word: &str) -> ListedRun {
    ListedRun::bare(id, word, Some(date(created)))
}

fn listing(runs: &[ListedRun]) -> RunList {
    RunList { runs: runs.to_vec() }
}

fn baseline(runs: &[ListedRun]) -> Baseline {
    let before = before(&listing(runs), Some(date(1000)), IfRunning::Queue, &Vocabulary::default());
    let Ok(StartDecision::Start(baseline)) = before else { panic!("{before:?}") };
    baseline
}

fn found(baseline: &Baseline, said: Option<&str>, runs: &[ListedRun]) -> Result<RunsAfterStart, FailureKind> {
    after(&listing(runs), baseline, said.and_then(RunId::new).as_ref(), &Vocabulary::default())
}

fn these(ids: &[&str]) -> Result<RunsAfterStart, FailureKind> {
    Ok(RunsAfterStart::These(ids.iter().map(|id| RunId::new(id).expect("an id")).collect()))
}

#[test]
fn a_candidate_is_absent_from_the_list_and_created_no_earlier_than_a_minute_before_it() {
    let old = listed("old", 900, "SUCCESS");
    let before = baseline(std::slice::from_ref(&old));
    let with = |run: ListedRun| found(&before, None, &[old.clone(), run]);
    assert_eq!(with(listed("new", 1001, "RUNNING")), these(&["new"]));
    assert_eq!(with(listed("new", 940, "RUNNING")), these(&["new"]));
    assert_eq!(with(listed("new", 939, "SUCCESS")), Ok(RunsAfterStart::Nothing(BlockingRun::Nobody)));
    assert_eq!(with(listed("OLD", 1001, "SUCCESS")), Ok(RunsAfterStart::Nothing(BlockingRun::Nobody)));
    // A known run that begins anew, with another date, is known all the same.
    assert_eq!(
        found(&before, None, &[listed("old", 1005, "SUCCESS")]),
        Ok(RunsAfterStart::Nothing(BlockingRun::Nobody))
    );
}

#[test]
fn the_run_with_the_id_that_was_answered_is_taken_alone_else_all_are_oldest_first() {
    let before = baseline(&[]);
    let runs = [listed("c", 1003, "RUNNING"), listed("manual__x", 1002, "RUNNING"), listed("a", 1001, "FAILED")];
    let ours = RunId::new("manual__x").expect("an id");
    assert_eq!(found(&before, Some("Manual--X"), &runs), Ok(RunsAfterStart::Ours(ours)));
    assert_eq!(found(&before, Some("manual__y:1"), &runs), these(&["a", "manual__x", "c"]));
    assert_eq!(found(&before, None, &runs), these(&["a", "manual__x", "c"]));
    assert_eq!(found(&before, None, &[runs[0].clone(), runs[0].clone()]), these(&["c"]));
    // Another gate's request of the same second had the same answer: its run was there before.
    let known = baseline(std::slice::from_ref(&runs[1]));
    assert_eq!(found(&known, Some("manual__x"), &runs[1..]), these(&["a"]));
}

#[test]
fn an_id_of_the_shape_of_listed_ones_names_a_run_whether_that_is_listed_or_not() {
    let uuid = |digit: char| "xxxxxxxx_xxxx_xxxx_xxxx_xxxxxxxxxxxx".replace('x', &digit.to_string());
    let named = |id: &str| Ok(RunsAfterStart::Named(RunId::new(id).expect("an id")));
    let (ours, strange) = (uuid('1'), listed(&uuid('2'), 1001, "SUCCESS"));
    let old = [listed("e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c", 900, "SUCCESS")];
    // By a run from before, or by one that came up since; whatever the spelling.
    assert_eq!(found(&baseline(&old), Some(&ours), &[]), named(&ours));
    assert_eq!(found(&baseline(&[]), Some(&ours), std::slice::from_ref(&strange)), named(&ours));
    let hyphens = ours.replace('_', "-");
    assert_eq!(found(&baseline(&old), Some(&hyphens), std::slice::from_ref(&strange)), named(&hyphens));
    // Numbers grow longer.
    assert_eq!(found(&baseline(&[listed("99", 900, "SUCCESS")]), Some("100"), &[]), named("100"));
    let nothing = Ok(RunsAfterStart::Nothing(BlockingRun::Nobody));
    assert_eq!(found(&baseline(&[]), Some(&ours), &[]), nothing, "nobody knows what ids look like");
    for other in ["manual__2024-12-18T10:30:00+00:00", "11111111", "1-1-1-1-1-1", "1_1_1_1_"] {
        assert_eq!(
            found(&baseline(&old), Some(other), std::slice::from_ref(&strange)),
            these(&[&uuid('2')]),
            "{other}"
        );
    }
    // An id from before names no run of ours.
    assert_eq!(found(&baseline(&old), Some("e7c91a3b-5f2d-4a8e-b1c9-7d3f2e8a4b6c"), &[]), nothing);
}

#[test]
fn a_record_that_might_be_ours_and_can_not_be_read_is_never_passed_over() {
    let before_list = [listed("old", 900, "SUCCESS")];
    let ready = baseline(&before_list);
    let new = listed("new", 1001, "SUCCESS");
    let undated = ListedRun { created_at: None, ..listed("x", 0, "SUCCESS") };
    let nameless = ListedRun { run: None, ..listed("x", 1001, "SUCCESS") };
    for odd in [ListedRun::default(), undated, nameless] {
        assert_eq!(found(&ready, Some("manual__1"), &[new.clone(), odd.clone()]), Err(FailureKind::Unplaceable));
        // Where the service has named ours, others do not matter.
        assert_eq!(
            found(&ready, Some("new"), &[new.clone(), odd.clone()]),
            Ok(RunsAfterStart::Ours(RunId::new("new").expect("an id")))
        );
        let list = listing(&[before_list[0].clone(), odd]);
        for mode in [IfRunning::Queue, IfRunning::Attach, IfRunning::Fail] {
            let read = before(&list, Some(date(1000)), mode, &Vocabulary::default());
            assert_eq!(read.err(), Some(FailureKind::Unplaceable));
        }
    }
    // Without an id but of long ago: none of ours.
    let ancient = ListedRun { run: None, ..listed("x", 100, "SUCCESS") };
    assert_eq!(found(&ready, None, &[ancient.clone(), new]), these(&["new"]));
    let on_the_line = ListedRun { run: None, ..listed("x", 940, "SUCCESS") };
    let on_the_line = before(&listing(&[on_the_line]), Some(date(1000)), IfRunning::Queue, &Vocabulary::default());
    assert_eq!(on_the_line.err(), Some(FailureKind::Unplaceable));
    let ancient = before(&listing(&[ancient]), Some(date(1000)), IfRunning::Queue, &Vocabulary::default());
    assert!(ancient.is_ok());
    // Without the service's clock nothing can be told from anything.
    let dateless = before(&listing(&[]), None, IfRunning::Queue, &Vocabulary::default());
    assert_eq!(dateless.err(), Some(FailureKind::NoDate));
}

#[test]
fn a_run_that_is_running_is_queued_behind_attached_to_or_refused() {
    let runs = [listed("a", 100, "SUCCESS"), listed("b", 200, "RUNNING"), listed("c", 300, "QUEUED")];
    let read = |runs: &[ListedRun], mode| before(&listing(runs), Some(date(1000)), mode, &Vocabulary::default());
    assert!(matches!(read(&runs, IfRunning::Queue), Ok(StartDecision::Start(_))));
    assert!(matches!(read(&runs, IfRunning::Attach), Ok(StartDecision::Attach(id)) if id.as_str() == "c"));
    assert!(matches!(read(&runs, IfRunning::Fail), Ok(StartDecision::Going(Some(id))) if id.as_str() == "c"));
    for mode in [IfRunning::Queue, IfRunning::Attach, IfRunning::Fail] {
        assert!(matches!(read(&runs[..1], mode), Ok(StartDecision::Start(_))));
    }
    // A state that can't be read may be one that goes on.
    let odd = [ListedRun { status: None, ..listed("d", 400, "") }];
    assert!(matches!(read(&odd, IfRunning::Fail), Ok(StartDecision::Going(Some(_)))));
    let nothing = found(&baseline(&runs), None, &runs);
    assert_eq!(nothing, Ok(RunsAfterStart::Nothing(BlockingRun::Run(RunId::new("c")))));
}

#[test]
fn who_only_asks_is_told_what_a_start_would_come_upon() {
    let runs = [listed("a", 100, "SUCCESS"), listed("b", 200, "RUNNING")];
    let response = |runs: &[ListedRun], mode| ahead(&listing(runs), Some(date(1000)), mode, &Vocabulary::default());
    for (mode, unfinished) in [
        (IfRunning::Queue, StartPreview::Queue),
        (IfRunning::Attach, StartPreview::Attach),
        (IfRunning::Fail, StartPreview::Refused),
    ] {
        assert_eq!(response(&runs, mode), Ok(unfinished));
        assert_eq!(response(&runs[..1], mode), Ok(StartPreview::Nobody));
        let nameless = ListedRun { run: None, ..listed("x", 1001, "SUCCESS") };
        assert_eq!(response(&[nameless], mode), Err(FailureKind::Unplaceable));
    }
}

#[test]
fn more_new_runs_than_one_request_can_explain_are_none() {
    let crowd =
        |count: u64| -> Vec<ListedRun> { (0..count).map(|n| listed(&format!("r{n}"), 1001, "SUCCESS")).collect() };
    assert!(matches!(found(&baseline(&[]), None, &crowd(100)), Ok(RunsAfterStart::These(ids)) if ids.len() == 100));
    assert_eq!(found(&baseline(&[]), None, &crowd(101)), Err(FailureKind::Unplaceable));
}

#[test]
fn a_new_run_is_a_candidate_however_late_it_began() {
    let before = baseline(&[]);
    assert_eq!(found(&before, None, &[listed("late", 99_999, "RUNNING")]), these(&["late"]));
    let late = RunId::new("late").expect("an id");
    assert_eq!(found(&before, Some("late"), &[listed("late", 99_999, "RUNNING")]), Ok(RunsAfterStart::Ours(late)));
}

#[test]
fn only_a_run_from_before_that_nothing_has_overtaken_holds_ours_up() {
    let before = [listed("stuck", 100, "RUNNING"), listed("done", 200, "SUCCESS")];
    let stuck = BlockingRun::Overtaken(RunId::new("stuck"));
    assert_eq!(found(&baseline(&before), None, &before), Ok(RunsAfterStart::Nothing(stuck)));
    let newer = [before[0].clone(), before[1].clone(), listed("newer", 300, "QUEUED")];
    assert_eq!(
        found(&baseline(&newer), None, &newer),
        Ok(RunsAfterStart::Nothing(BlockingRun::Run(RunId::new("newer"))))
    );
    let of_one_moment = [before[0].clone(), listed("done", 100, "SUCCESS")];
    let first = Ok(RunsAfterStart::Nothing(BlockingRun::Run(RunId::new("stuck"))));
    assert_eq!(found(&baseline(&of_one_moment), None, &of_one_moment), first, "nobody knows which began first");
    // One that was not there before holds up nothing, and what was taken as ours is no evidence.
    let mut taken = baseline(&before[..1]);
    taken.take(&RunId::new("ours").expect("an id"));
    let later = [before[0].clone(), listed("ours", 1001, "SUCCESS"), listed("skewed", 900, "RUNNING")];
    assert_eq!(found(&taken, None, &later), Ok(RunsAfterStart::Nothing(BlockingRun::Run(RunId::new("stuck")))));
}

fn rules(timeout: u32) -> Rules {
    Rules::within(Limits { timeout: timeout * SECOND, appear: 30 * SECOND, outage: 60 * SECOND })
}

fn start(timeout: u32) -> Gate {
    let pipeline = PipelineId::new("p").expect("an id");
    Gate::new(rules(timeout), [Wanted::Start { pipeline, if_running: IfRunning::Queue }])
}

fn list_of(runs: &[ListedRun]) -> ApiResponse {
    let observation = Observation::Record(listing(runs));
    ApiResponse::List(Answer { observation, retry_after: None, date: Some(date(1000)) })
}

fn accepted() -> ApiResponse {
    ApiResponse::Execute(TriggerResponse::Accepted(None), None)
}

/// Asks at each second, and takes that answer.
fn emit(gate: &mut Gate, answers: impl IntoIterator<Item = (u32, ApiResponse)>) -> Vec<TimedEvent> {
    let mut events = Vec::new();
    for (second, response) in answers {
        assert!(gate.ask(0, second * SECOND, &mut events).is_some());
        gate.observe(0, second * SECOND, response, &mut events);
    }
    events
}

#[test]
fn each_of_several_candidates_is_told_how_many_there_are() {
    let new = [listed("a", 1001, "RUNNING"), listed("b", 1002, "RUNNING"), listed("c", 1003, "RUNNING")];
    let events = emit(&mut start(600), [(1, list_of(&[])), (2, accepted()), (3, list_of(&new))]);
    let taken = events.iter().filter_map(|timed_event| match &timed_event.event {
        Event::Taken { run, id, taken } => Some((*run, id.as_str(), *taken)),
        _ => None,
    });
    let each = |run, id| (run, id, crate::core::AdoptionReason::Candidate { of: 3 });
    assert_eq!(taken.collect::<Vec<_>>(), [each(0, "a"), each(1, "b"), each(2, "c")]);
}

#[test]
fn a_request_that_is_under_way_counts_as_made() {
    let mut gate = start(600);
    emit(&mut gate, [(1, list_of(&[]))]);
    assert!(matches!(gate.ask(0, 2 * SECOND, &mut Vec::new()), Some(ApiRequest::Execute(_))));
    gate.interrupt(Signal::Terminate, 3 * SECOND, &mut Vec::new());
    let run = gate.outcome().runs.remove(0);
    assert_eq!((run.started, run.request), (true, Request::InDoubt));
}

#[test]
fn a_candidate_that_comes_to_light_at_the_deadline_is_timed_out() {
    let (first, second) = (listed("a", 1001, "RUNNING"), listed("b", 1002, "RUNNING"));
    let (created_at, updated_at) = (Some(date(1001)), Some(date(1050)));
    let success = Record { created_at, updated_at, ..Record::bare("p", "a", "SUCCESS") };
    for on_first_failure in [OnFirstFailure::WaitForAll, OnFirstFailure::StopWaiting] {
        let ends = |story: Vec<(u32, ApiResponse)>| {
            let pipeline = PipelineId::new("p").expect("an id");
            let rules = Rules { on_first_failure, ..rules(60) };
            let mut gate = Gate::new(rules, [Wanted::Start { pipeline, if_running: IfRunning::Queue }]);
            emit(&mut gate, [(1, list_of(&[])), (2, accepted())]);
            emit(&mut gate, story);
            assert_eq!((gate.is_over(), gate.progress()), (true, (0, 2)), "{on_first_failure:?}");
            gate.outcome().runs.iter().map(|run| run.end).collect::<Vec<_>>()
        };
        let passed = Answer { observation: Observation::Record(success.clone()), retry_after: None, date: None };
        let both = || list_of(&[first.clone(), second.clone()]);
        let found = vec![(3, list_of(std::slice::from_ref(&first))), (50, ApiResponse::Run(passed)), (60, both())];
        assert_eq!(ends(found), [Verdict::Passed, Verdict::TimedOut].map(crate::core::End::Verdict));
        // Both come to light then.
        assert_eq!(ends(vec![(60, both())]), [Verdict::TimedOut; 2].map(crate::core::End::Verdict));
    }
}

#[test]
fn the_run_that_is_in_the_way_is_named() {
    let unfinished = listed("earlier", 900, "RUNNING");
    let detail = |gate: Gate| gate.outcome().runs.remove(0).failure.and_then(|failure| failure.detail);
    let mut gate = start(600);
    let list = || list_of(std::slice::from_ref(&unfinished));
    emit(&mut gate, [(1, list()), (2, accepted()), (3, list())]);
    gate.interrupt(Signal::Terminate, 4 * SECOND, &mut Vec::new());
    assert_eq!(detail(gate), Some(Untrusted::new("earlier")));
    let pipeline = PipelineId::new("p").expect("an id");
    let mut gate = Gate::new(rules(600), [Wanted::Start { pipeline, if_running: IfRunning::Fail }]);
    emit(&mut gate, [(1, list())]);
    assert_eq!(detail(gate), Some(Untrusted::new("earlier")));
}
