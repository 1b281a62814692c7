//! Retries told as stories: a service that knows the truth, and the gate that must never start a pipeline again in doubt.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::core::{
    Answer, ApiRequest, ApiResponse, Effect, End, Event, Failure, FailureKind, Gate, IfRunning, Interval, Limits,
    ListedRun, NoRetry, Observation, OnFirstFailure, Operation, Outcome, PipelineId, PollTarget, Record, Repair, Rules,
    RunId, RunList, Scope, Signal, TimedEvent, TriggerEffect, TriggerResponse, Untrusted, Verdict, Wanted,
};

mod knowing_service;
mod several_pipelines;

use knowing_service::{POSTS, Played, Post, Spoilt, Stranger, Try, World};

const SECOND: Duration = Duration::from_secs(1);
const APPEAR: Duration = Duration::from_secs(30);

/// Status values: the documented ones, the service's own in lower case, one that says failure in another way, an unknown one.
const WORDS: [&str; 5] = ["FAILED", "failed", "SUCCESS", "CANCELLED", "BROKEN"];

fn date(seconds: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_705_314_600, 0).expect("a date") + Duration::from_secs(seconds)
}

fn listed(id: &str, created: u64, word: &str) -> ListedRun {
    ListedRun::bare(id, word, Some(date(created)))
}

fn fails() -> Try {
    Try { post: Post::Tells, shown: 1, takes: 5, word: "FAILED", is_repaired: false }
}

fn passes() -> Try {
    Try { word: "SUCCESS", ..fails() }
}

fn world(retries: u32, tries: &[Try]) -> World {
    World {
        retries,
        tries: tries.to_vec(),
        stranger: None,
        earlier: None,
        spoilt: None,
        if_running: IfRunning::Queue,
        timeout: 600,
    }
}

fn tries(shown: &[u64], takes: &[u64], words: &[&'static str]) -> Vec<Try> {
    let mut all = Vec::new();
    for post in POSTS {
        for shown in shown {
            for takes in takes {
                for word in words {
                    for is_repaired in [false, true] {
                        // A repaired success is no answer, which other tests tell about.
                        if !is_repaired || word.eq_ignore_ascii_case("FAILED") && post == Post::Tells {
                            all.push(Try { post, shown: *shown, takes: *takes, word, is_repaired });
                        }
                    }
                }
            }
        }
    }
    all
}

/// What becomes of a story without a stranger and with true lists: how many requests are made, and the verdict.
fn expected(world: &World, index: usize) -> (usize, Verdict) {
    let attempt = world.attempt(index);
    let ended = |verdict| (index + 1, verdict);
    match attempt.post {
        Post::Refused | Post::LostBefore => return ended(Verdict::NotStarted),
        Post::Tells | Post::TellsOddly | Post::Hints | Post::PutsOff | Post::LostAfter => {}
    }
    match attempt.word {
        "SUCCESS" => ended(Verdict::Passed),
        "BROKEN" => ended(Verdict::TimedOut),
        "FAILED" | "failed"
            if attempt.post != Post::LostAfter
                && !attempt.is_repaired
                && index < usize::try_from(world.retries).expect("small") =>
        {
            expected(world, index + 1)
        }
        _ => ended(Verdict::Failed),
    }
}

/// The rows of the report agree with what was done: one attempt after the other, each but the last failed and retried.
fn check_rows(world: &World, played: &Played) {
    let runs = &played.outcome.runs;
    if world.retries == 0 {
        assert!(runs.iter().all(|run| run.attempt.is_none() && !run.is_retried && run.no_retry.is_none()), "{world:?}");
        return;
    }
    let mut number = 1;
    for run in runs {
        let attempt = run.attempt.expect("which attempt it is");
        assert_eq!((attempt.number, attempt.of), (number, world.retries + 1), "{world:?}");
        if run.is_retried {
            assert_eq!(run.end, End::Verdict(Verdict::Failed), "{world:?}");
            assert_eq!(run.no_retry, None, "{world:?}");
            number += 1;
        }
    }
    assert_eq!(u32::try_from(played.posts).expect("small"), number, "{world:?}: a row for each start");
    let last: Vec<End> = runs.iter().filter(|run| !run.is_retried).map(|run| run.end).collect();
    assert_eq!(played.outcome.verdict, crate::core::decide(last), "{world:?}: the last attempt decides");
}

#[test]
fn each_story_of_up_to_three_attempts_is_retried_after_a_proven_failure_and_after_nothing_else() {
    let firsts = tries(&[0, 12], &[0, 7], &WORDS);
    let seconds = tries(&[1], &[5], &WORDS[..4]);
    let (mut stories, mut retried, mut passed) = (0, 0, 0);
    for retries in 0..=2 {
        for first in &firsts {
            for second in if retries == 0 { &seconds[..1] } else { &seconds } {
                for earlier in [None, Some(40)] {
                    let world = World { earlier, ..world(retries, &[*first, *second, passes()]) };
                    let played = world.play();
                    stories += 1;
                    retried += usize::from(played.posts > 1);
                    passed += usize::from(played.outcome.verdict == Verdict::Passed);
                    check_rows(&world, &played);
                    assert_eq!((played.posts, played.outcome.verdict), expected(&world, 0), "{world:?}");
                }
            }
        }
    }
    assert!(stories > 10_000 && retried > 1_000 && passed > 1_000, "{stories} {retried} {passed}");
}

#[test]
fn with_strangers_and_spoilt_lists_no_story_starts_a_pipeline_again_in_doubt() {
    let mut strangers = vec![None];
    for begins in [0, 20, 45] {
        for takes in [12, 200] {
            for word in ["SUCCESS", "FAILED"] {
                strangers.push(Some(Stranger { begins, takes, word }));
            }
        }
    }
    let kinds = [Spoilt::Unusable, Spoilt::Unplaceable, Spoilt::Null, Spoilt::Denied, Spoilt::Empty, Spoilt::Old(10)];
    let mut spoilt = vec![None];
    spoilt.extend(kinds.into_iter().flat_map(|how| (0..5).map(move |at| Some((at, how)))));
    let seconds = [passes(), Try { post: Post::Hints, ..fails() }];
    let (mut stories, mut retried) = (0, 0);
    for first in tries(&[0, 12], &[5], &["FAILED", "SUCCESS"]).into_iter().filter(|first| !first.is_repaired) {
        for second in seconds {
            for stranger in &strangers {
                for earlier in [None, Some(40)] {
                    for spoilt in &spoilt {
                        let tries = [first, second, passes()];
                        let world = World { stranger: *stranger, earlier, spoilt: *spoilt, ..world(2, &tries) };
                        // The service checks each request to start.
                        let played = world.play();
                        stories += 1;
                        retried += usize::from(played.posts > 1);
                        let is_known = stranger.is_none();
                        let last = world.attempt(played.posts.saturating_sub(1));
                        if is_known && played.outcome.verdict == Verdict::Passed {
                            assert_eq!(last.word, "SUCCESS", "{world:?}");
                        }
                    }
                }
            }
        }
    }
    assert!(stories > 10_000 && retried > 2_000, "{stories} {retried}");
}

/// Plays a story and returns how it went on: how many requests to start, the verdict, and why there were no more.
fn told(world: &World) -> (usize, Verdict, Option<NoRetry>) {
    let played = world.play();
    check_rows(world, &played);
    let why = played.outcome.runs.into_iter().filter(|run| !run.is_retried).find_map(|run| run.no_retry);
    (played.posts, played.outcome.verdict, why)
}

#[test]
fn every_retry_is_made_and_no_more() {
    for retries in 0..=5 {
        let attempts = usize::try_from(retries).expect("small") + 1;
        assert_eq!(told(&world(retries, &[fails()])), (attempts, Verdict::Failed, None));
        let mut tries = vec![fails(); attempts];
        *tries.last_mut().expect("one") = passes();
        assert_eq!(told(&world(retries, &tries)), (attempts, Verdict::Passed, None));
    }
}

#[test]
fn the_last_attempt_decides_whatever_it_is() {
    let second = |post| [fails(), Try { post, ..passes() }];
    assert_eq!(told(&world(1, &second(Post::Refused))), (2, Verdict::NotStarted, None));
    assert_eq!(told(&world(1, &second(Post::LostBefore))), (2, Verdict::NotStarted, None));
    assert_eq!(told(&world(1, &second(Post::LostAfter))), (2, Verdict::Passed, None));
    let cancelled = [fails(), Try { word: "CANCELLED", ..fails() }];
    assert_eq!(told(&world(2, &cancelled)), (2, Verdict::Failed, Some(NoRetry::NotPlainlyFailed)));
}

#[test]
fn a_run_that_was_attached_to_is_not_retried() {
    let stranger = Some(Stranger { begins: 0, takes: 20, word: "FAILED" });
    let world = World { stranger, if_running: IfRunning::Attach, ..world(5, &[passes()]) };
    let played = world.play();
    let run = &played.outcome.runs[0];
    assert_eq!((played.posts, played.outcome.verdict), (0, Verdict::Failed));
    assert_eq!((run.no_retry.clone(), run.is_retried), (Some(NoRetry::Attached), false));
}

#[test]
fn a_retry_needs_as_much_time_as_the_failed_attempt_took() {
    let long = Try { takes: 200, ..fails() };
    let story = |timeout| told(&World { timeout, ..world(1, &[long, passes()]) });
    let (posts, verdict, why) = story(390);
    assert_eq!((posts, verdict), (1, Verdict::Failed));
    let Some(NoRetry::NoTime { left, needed }) = why else { panic!("{why:?}") };
    assert!(left < needed && needed >= SECOND * 200, "{left:?} {needed:?}");
    assert_eq!(story(420), (2, Verdict::Passed, None));
    // The wait that shows that an only candidate is ours counts too.
    let hinted = Try { post: Post::Hints, ..long };
    let story = |timeout| told(&World { timeout, ..world(1, &[hinted, passes()]) });
    let (posts, verdict, why) = story(420);
    assert_eq!((posts, verdict), (1, Verdict::Failed));
    assert!(matches!(why, Some(NoRetry::NoTime { .. })), "{why:?}");
    assert_eq!(story(460), (2, Verdict::Passed, None));
    // A run that fails at once is not started in the last moment either.
    let quick = Try { shown: 0, takes: 0, ..fails() };
    for timeout in 1..12 {
        let played = World { timeout, ..world(5, &[quick]) }.play();
        let last = played.outcome.runs.last().expect("a run");
        assert!(matches!(last.end, End::Verdict(Verdict::Failed | Verdict::NotStarted)), "{timeout}: {last:?}");
        assert_eq!(last.request, crate::core::Request::None, "{timeout}: nobody knows what became of the last start");
    }
}

#[test]
fn a_retry_is_not_made_beside_another_run() {
    let other = |begins, takes| Some(Stranger { begins, takes, word: "SUCCESS" });
    let (posts, verdict, why) = told(&World { stranger: other(3, 100), ..world(1, &[fails(), passes()]) });
    assert_eq!((posts, verdict, why), (1, Verdict::Failed, Some(NoRetry::OtherRun(RunId::new("stranger")))));
    // A stranger that has come and gone says nothing about a run that the service named, and much about a candidate.
    let world = World { stranger: other(20, 2), ..world(1, &[Try { takes: 30, ..fails() }, passes()]) };
    assert_eq!(told(&world), (2, Verdict::Passed, None));
    let hinted = Try { post: Post::Hints, takes: 30, ..fails() };
    let (posts, verdict, why) = told(&World { tries: vec![hinted, passes()], ..world });
    assert_eq!((posts, verdict, why), (1, Verdict::Failed, Some(NoRetry::OtherRun(RunId::new("stranger")))));
}

#[test]
fn an_only_candidate_is_retried_once_no_other_run_has_come_to_light_for_the_appear_timeout() {
    let hinted = Try { post: Post::Hints, ..fails() };
    let played = world(1, &[hinted, passes()]).play();
    assert_eq!((played.posts, played.outcome.verdict), (2, Verdict::Passed));
    let at = |wanted: fn(&Event) -> bool| played.events.iter().find(|event| wanted(&event.event)).map(|event| event.at);
    let waits = at(|event| matches!(event, Event::RetryWaits { .. })).expect("it waits");
    let again = at(|event| matches!(event, Event::Retrying { .. })).expect("it starts again");
    assert!(again >= waits + APPEAR && again < waits + APPEAR + SECOND * 2, "{waits:?} {again:?}");
    // Ours is queued behind the stranger, which is taken for it and fails.
    let stranger = Some(Stranger { begins: 1, takes: 60, word: "FAILED" });
    let ours = Try { shown: 15, ..hinted };
    let (posts, verdict, why) = told(&World { stranger, ..world(1, &[ours]) });
    assert_eq!((posts, verdict, why), (1, Verdict::Failed, Some(NoRetry::OtherRun(RunId::new("ours1")))));
}

#[test]
fn while_the_list_can_not_be_read_nothing_is_started_and_the_run_stays_failed() {
    // One bad list is no obstacle.
    for how in [Spoilt::Unusable, Spoilt::Unplaceable, Spoilt::Denied, Spoilt::Empty, Spoilt::Old(3)] {
        let world = World { spoilt: Some((1, how)), ..world(1, &[fails(), passes()]) };
        assert_eq!(told(&world), (2, Verdict::Passed, None), "{how:?}");
    }
    // But one that says that there is no such pipeline.
    let (posts, verdict, why) = told(&World { spoilt: Some((1, Spoilt::Null)), ..world(1, &[fails(), passes()]) });
    assert_eq!((posts, verdict), (1, Verdict::Failed));
    assert!(matches!(why, Some(NoRetry::NoList(Some(_)))), "{why:?}");
}

#[test]
fn a_signal_at_any_time_starts_nothing_more() {
    let hinted = Try { post: Post::Hints, ..fails() };
    for first in [fails(), hinted] {
        let world = world(2, &[first, fails(), passes()]);
        let whole = world.play();
        assert_eq!((whole.posts, whole.outcome.verdict), (3, Verdict::Passed));
        for half in 0..whole.took * 2 {
            let signal = Duration::from_millis(half * 500);
            let played = world.play_until(signal);
            assert_eq!(played.outcome.verdict, Verdict::Interrupted(Signal::Terminate), "{signal:?}");
            let starts = whole.events.iter().filter(|event| matches!(event.event, Event::Started { .. }));
            let before = starts.filter(|event| event.at <= signal).count();
            assert!(played.posts <= before + 1, "{signal:?}");
            assert!(played.took <= signal.as_secs() + 60, "{signal:?}");
        }
    }
}
