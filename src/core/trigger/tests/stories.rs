//! Every combination of a few hundred thousand short stories, played through the whole gate.

use super::*;
use crate::core::TriggerEffect;

mod simulated_service;

use simulated_service::{POSTS, Run, Spoilt, TriggerOutcome, World, answer, rules};

/// Every world of the choices below.
fn worlds() -> Vec<World> {
    let seconds = |all: &[u64]| all.iter().map(|at| SECOND * u32::try_from(*at).expect("small")).collect::<Vec<_>>();
    let mut runs = Vec::new();
    for shown in seconds(&[0, 3, 20, 45]) {
        for takes in seconds(&[0, 12]) {
            for word in ["SUCCESS", "FAILED"] {
                runs.push(Run { shown, ends: shown + takes, word });
            }
        }
    }
    let strangers: Vec<Option<Run>> = [None].into_iter().chain(runs.iter().copied().map(Some)).collect();
    let old = Spoilt::Old(10 * SECOND);
    let spoilt =
        [None, Some(Spoilt::Unusable), Some(Spoilt::Unplaceable), Some(Spoilt::Null), Some(Spoilt::Empty), Some(old)];
    let mut worlds = Vec::new();
    for post in POSTS {
        for ours in &runs {
            for stranger in &strangers {
                for earlier in [None, Some(SECOND * 40)] {
                    for how in spoilt {
                        for at in 0..if how.is_some() { 4 } else { 1 } {
                            let spoilt = how.map(|how| (at, how));
                            let (ours, stranger, is_busy) = (*ours, *stranger, false);
                            worlds.push(World { post, ours, stranger, earlier, spoilt, is_busy });
                        }
                    }
                }
            }
        }
    }
    worlds
}

#[test]
fn no_story_of_a_trigger_asks_twice_or_passes_on_a_run_that_failed() {
    let worlds = worlds();
    assert!(worlds.len() > 40_000, "{} worlds", worlds.len());
    let mut passes = 0;
    for world in &worlds {
        let played = world.play(IfRunning::Queue);
        assert!(played.executes <= 1, "{world:?}");
        let fails = world.ours.word == "FAILED";
        if played.verdict == Verdict::Passed {
            passes += 1;
            assert_eq!(played.executes, 1, "{world:?}: passed on what nobody started");
            // What can be known: our run, once a list has shown it, decides.
            assert!(!(played.was_shown && fails), "{world:?}: our run was there, and failed");
            // The last list is one from after the end of all that passed: no old copy, and not an empty one.
            let unfinished = |(id, word): &(&str, &str)| *id != "earlier" && *word == "RUNNING";
            let last = &played.last_list;
            let is_named = matches!(world.post, TriggerOutcome::Tells | TriggerOutcome::TellsOddly);
            assert!(is_named || !last.is_empty() && !last.iter().any(unfinished), "{world:?}: {last:?}");
            // The run that the service named decides alone, if it can be known that it is one.
            assert!(world.post != TriggerOutcome::Tells || !fails, "{world:?}: passed on another than the named run");
            // Without a stranger there is nothing but our run to pass on.
            assert!(world.stranger.is_some() || world.post.starts() && !fails, "{world:?}");
            // What passes while an earlier run is running is not what waits behind that one, if the first list showed it.
            let untold = world.earlier.is_none() || matches!(world.spoilt, Some((0, Spoilt::Empty)));
            assert!(untold || !world.post.starts() || !fails, "{world:?}: ours was still to come");
        }
        if world.stranger.is_none() && world.spoilt.is_none() {
            let expected = match world.post {
                TriggerOutcome::Refused => Verdict::NotStarted,
                TriggerOutcome::Denied => Verdict::Denied,
                TriggerOutcome::LostBefore => Verdict::NotStarted,
                // Listed too late, and no earlier run explains it.
                TriggerOutcome::Tells | TriggerOutcome::TellsOddly | TriggerOutcome::Hints
                    if world.ours.shown > 30 * SECOND && world.earlier.is_none() =>
                {
                    Verdict::NotFound
                }
                TriggerOutcome::LostAfter if world.ours.shown > 30 * SECOND && world.earlier.is_none() => {
                    Verdict::NotStarted
                }
                TriggerOutcome::Tells
                | TriggerOutcome::TellsOddly
                | TriggerOutcome::Hints
                | TriggerOutcome::LostAfter
                    if fails =>
                {
                    Verdict::Failed
                }
                TriggerOutcome::Tells
                | TriggerOutcome::TellsOddly
                | TriggerOutcome::Hints
                | TriggerOutcome::LostAfter => Verdict::Passed,
            };
            assert_eq!(played.verdict, expected, "{world:?}");
        }
    }
    assert!(passes > 1_000, "{passes} passes");
}

#[test]
fn with_the_id_that_was_answered_a_stranger_decides_nothing() {
    for world in worlds().into_iter().filter(|world| world.post == TriggerOutcome::Tells && world.spoilt.is_none()) {
        let shown_first = world.stranger.is_some_and(|stranger| stranger.shown < world.ours.shown + 6 * SECOND);
        if !shown_first && world.ours.shown < 30 * SECOND {
            let fails = world.ours.word == "FAILED";
            let verdict = world.play(IfRunning::Queue).verdict;
            assert_eq!(verdict, if fails { Verdict::Failed } else { Verdict::Passed }, "{world:?}");
        }
    }
}

#[test]
fn a_stranger_that_passes_while_an_earlier_run_is_running_is_not_passed_on() {
    let ours = Run { shown: 300 * SECOND, ends: 310 * SECOND, word: "FAILED" };
    let stranger = Some(Run { shown: 3 * SECOND, ends: 9 * SECOND, word: "SUCCESS" });
    let earlier = Some(290 * SECOND);
    let world = World { post: TriggerOutcome::Hints, ours, stranger, earlier, spoilt: None, is_busy: false };
    let played = world.play(IfRunning::Queue);
    assert_eq!(played.verdict, Verdict::Failed);
    assert_eq!(played.events.iter().filter(|timed_event| matches!(timed_event.event, Event::Queued { .. })).count(), 1);
    // If it never ends, nobody can tell.
    let never = Run { shown: 9000 * SECOND, ..ours };
    let endless = World { earlier: Some(8000 * SECOND), ours: never, ..world };
    assert_eq!(endless.play(IfRunning::Queue).verdict, Verdict::TimedOut);
}

#[test]
fn an_old_copy_of_the_list_confirms_no_pass() {
    let ours = Run { shown: 20 * SECOND, ends: 20 * SECOND, word: "FAILED" };
    let stranger = Some(Run { shown: SECOND, ends: 30 * SECOND, word: "SUCCESS" });
    let world = World { post: TriggerOutcome::Hints, ours, stranger, earlier: None, spoilt: None, is_busy: false };
    let lists = |spoilt| World { spoilt, ..world }.play(IfRunning::Queue);
    for how in [Spoilt::Empty, Spoilt::Old(15 * SECOND)] {
        // The third is the one that is read when the stranger has passed.
        let played = lists(Some((2, how)));
        assert_eq!((played.verdict, played.was_shown), (Verdict::Failed, true), "{how:?}");
    }
    assert_eq!(lists(None).verdict, Verdict::Failed);
}

#[test]
fn while_new_runs_keep_coming_nothing_is_passed_on() {
    let ours = Run { shown: SECOND, ends: 5 * SECOND, word: "SUCCESS" };
    let world = World { post: TriggerOutcome::Hints, ours, stranger: None, earlier: None, spoilt: None, is_busy: true };
    // Any of them may be ours: nobody can tell where they end.
    assert_eq!(world.play(IfRunning::Queue).verdict, Verdict::TimedOut);
    // With the very id it is known.
    let response = World { post: TriggerOutcome::Tells, ..world };
    assert_eq!(response.play(IfRunning::Queue).verdict, Verdict::Passed);
}

#[test]
fn the_appear_clock_stands_still_while_an_earlier_run_is_running() {
    let ours = Run { shown: 200 * SECOND, ends: 210 * SECOND, word: "SUCCESS" };
    let world = World {
        post: TriggerOutcome::Tells,
        ours,
        stranger: None,
        earlier: Some(195 * SECOND),
        spoilt: None,
        is_busy: false,
    };
    let played = world.play(IfRunning::Queue);
    assert_eq!(played.verdict, Verdict::Passed);
    let queued = played.events.iter().filter(|timed_event| matches!(timed_event.event, Event::Queued { .. })).count();
    assert_eq!(queued, 1, "told once, not at every look");
    // And it goes on where it stood: what has run before counts.
    let alone = World { earlier: Some(100 * SECOND), ..world };
    let played = alone.play(IfRunning::Queue);
    assert_eq!(played.verdict, Verdict::NotFound);
    assert!(played.took >= 130 * SECOND && played.took < 145 * SECOND, "{:?}", played.took);
}

#[test]
fn what_is_running_already_is_attached_to_or_nothing_is_started() {
    let ours = Run { shown: Duration::ZERO, ends: SECOND, word: "SUCCESS" };
    let world = World {
        post: TriggerOutcome::Tells,
        ours,
        stranger: None,
        earlier: Some(50 * SECOND),
        spoilt: None,
        is_busy: false,
    };
    let attached = world.play(IfRunning::Attach);
    assert_eq!((attached.verdict, attached.executes), (Verdict::Passed, 0));
    assert!(attached.took >= 50 * SECOND);
    let refused = world.play(IfRunning::Fail);
    assert_eq!((refused.verdict, refused.executes), (Verdict::NotStarted, 0));
    let free = World { earlier: None, ..world };
    for mode in [IfRunning::Attach, IfRunning::Fail] {
        let played = free.play(mode);
        assert_eq!((played.verdict, played.executes), (Verdict::Passed, 1));
    }
}

#[test]
fn nothing_is_started_when_there_is_no_time_left_or_no_token_was_to_be_had() {
    let pipeline = || PipelineId::new("p").expect("an id");
    let start = || Wanted::Start { pipeline: pipeline(), if_running: IfRunning::Queue };
    let list = |now: Duration| ApiResponse::List(answer(now, Observation::Record(RunList::default())));
    // The list from before comes in the last second.
    let mut gate = Gate::new(rules(), [start()]);
    assert_eq!(gate.ask(0, Duration::ZERO, &mut Vec::new()), Some(ApiRequest::List(pipeline())));
    assert_eq!(gate.observe(0, 599 * SECOND + SECOND / 2, list(599 * SECOND), &mut Vec::new()), None);
    assert_eq!(gate.outcome().verdict, Verdict::NotStarted);
    // The request's turn comes only after the deadline.
    let mut gate = Gate::new(rules(), [start()]);
    gate.observe(0, SECOND, list(SECOND), &mut Vec::new()).expect("goes on");
    assert_eq!(gate.ask(0, 600 * SECOND, &mut Vec::new()), None);
    assert_eq!(gate.outcome().verdict, Verdict::NotStarted);
    // Nothing was sent: the list is read again, and then it may be.
    let mut gate = Gate::new(rules(), [start()]);
    gate.observe(0, SECOND, list(SECOND), &mut Vec::new()).expect("goes on");
    assert_eq!(gate.ask(0, 2 * SECOND, &mut Vec::new()), Some(ApiRequest::Execute(pipeline())));
    let not_sent = ApiResponse::Execute(
        TriggerResponse::Missing(TriggerEffect::NotExecuted, Failure::new(Operation::SignIn, FailureKind::Http(503))),
        None,
    );
    gate.observe(0, 3 * SECOND, not_sent, &mut Vec::new()).expect("goes on");
    assert_eq!(gate.ask(0, 5 * SECOND, &mut Vec::new()), Some(ApiRequest::List(pipeline())));
    // The answer never came back to the gate: it does not ask again, whatever the loop does.
    let mut gate = Gate::new(rules(), [start()]);
    gate.observe(0, SECOND, list(SECOND), &mut Vec::new()).expect("goes on");
    assert_eq!(gate.ask(0, 2 * SECOND, &mut Vec::new()), Some(ApiRequest::Execute(pipeline())));
    assert_eq!(gate.ask(0, 3 * SECOND, &mut Vec::new()), Some(ApiRequest::List(pipeline())));
}

#[test]
fn whether_a_run_may_have_been_started_is_reported_when_the_wait_ends_before_it_is_known() {
    let pipeline = || PipelineId::new("p").expect("an id");
    let list = |now: Duration| ApiResponse::List(answer(now, Observation::Record(RunList::default())));
    let ready = || {
        let mut gate = Gate::new(rules(), [Wanted::Start { pipeline: pipeline(), if_running: IfRunning::Queue }]);
        gate.observe(0, SECOND, list(SECOND), &mut Vec::new()).expect("goes on");
        gate
    };
    let stopped = |mut gate: Gate| {
        gate.interrupt(Signal::Terminate, 9 * SECOND, &mut Vec::new());
        gate.outcome().runs[0].request
    };
    assert_eq!(stopped(ready()), Request::None);
    let asked = || {
        let mut gate = ready();
        assert_eq!(gate.ask(0, 2 * SECOND, &mut Vec::new()), Some(ApiRequest::Execute(pipeline())));
        gate
    };
    assert_eq!(stopped(asked()), Request::InDoubt);
    let lost = || TriggerResponse::Missing(TriggerEffect::Lost, Failure::new(Operation::Execute, FailureKind::Broken));
    let refused =
        TriggerResponse::Missing(TriggerEffect::Refused, Failure::new(Operation::Execute, FailureKind::Http(400)));
    for (trigger_response, request) in [(lost(), Request::InDoubt), (TriggerResponse::Accepted(None), Request::Taken)] {
        let mut gate = asked();
        gate.observe(0, 3 * SECOND, ApiResponse::Execute(trigger_response, None), &mut Vec::new()).expect("goes on");
        assert_eq!(stopped(gate), request);
    }
    let mut gate = asked();
    gate.observe(0, 3 * SECOND, ApiResponse::Execute(refused, None), &mut Vec::new());
    assert_eq!(gate.outcome().runs[0].request, Request::None);
    // The service wants rest, on this answer as on any other.
    let mut gate = asked();
    let next = gate.observe(0, 3 * SECOND, ApiResponse::Execute(lost(), Some(20 * SECOND)), &mut Vec::new());
    assert_eq!(next, Some(23 * SECOND));
}
