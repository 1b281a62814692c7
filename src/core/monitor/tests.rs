//! Stories of answers through the core, told one by one; `exhaustive` tells all short ones there are.

use super::*;
use crate::core::{
    Answer, Effect, Event, FailureKind, Interval, Limits, Observation, Observation::Missing, Operation, PipelineId,
    Record, Repair, RunId, Scope, Target, Vocabulary,
};

const SECOND: Duration = Duration::from_secs(1);

fn target(run: &str) -> Target {
    Target { pipeline: PipelineId::new("p").expect("an id"), run: RunId::new(run).expect("an id") }
}

fn rules(timeout: u64, appear: u64, outage: u64, interval: Interval) -> Rules {
    let [timeout, appear, outage] = [timeout, appear, outage].map(Duration::from_secs);
    let vocabulary = Vocabulary::new(vec!["FINE".into()], vec!["BAD".into()]).expect("fine words");
    Rules { interval, vocabulary, ..Rules::within(Limits { timeout, appear, outage }) }
}

fn usual() -> Rules {
    rules(3000, 120, 600, Interval::Auto)
}

fn record(word: &str) -> Observation {
    Observation::Record(Record::bare("p", "r", word))
}

fn failure(kind: FailureKind) -> Failure {
    Failure::new(Operation::GetRun, kind)
}

fn not_visible() -> Observation {
    Missing(Effect::NotVisible, failure(FailureKind::NoRecord))
}

fn unusable() -> Observation {
    Missing(Effect::Unusable, failure(FailureKind::Http(503)))
}

fn plain(observation: Observation) -> Answer {
    Answer { observation, retry_after: None, date: None }
}

fn asking(observation: Observation, retry_after: u64) -> Answer {
    Answer { observation, retry_after: Some(Duration::from_secs(retry_after)), date: None }
}

/// Plays answers to one run, each `latency` after its poll was due; returns the verdict and when it fell.
fn play(rules: Rules, latency: Duration, answers: impl IntoIterator<Item = Answer>) -> (Option<Verdict>, Duration) {
    let mut gate = Gate::new(rules, vec![target("r")]);
    let mut due = Duration::ZERO;
    let mut at = Duration::ZERO;
    for answer in answers {
        at = due + latency;
        match gate.observe(0, at, answer, &mut Vec::new()) {
            Some(next) => due = next,
            None => return (Some(gate.outcome().verdict), at),
        }
    }
    (None, at)
}

#[test]
fn a_repaired_answer_may_fail_a_gate_and_never_pass_it() {
    let repaired = |word: &str| match record(word) {
        Observation::Record(found) => {
            plain(Observation::Record(Record { repaired: vec![Repair::BadUtf8, Repair::NotANumber], ..found }))
        }
        other => panic!("{other:?}"),
    };
    for (word, end) in [
        ("FAILED", Verdict::Failed),
        ("BAD", Verdict::Failed),
        ("CANCELED", Verdict::Failed),
        ("SUCCESS", Verdict::Unreachable),
        (" success ", Verdict::Unreachable),
        ("FINE", Verdict::Unreachable),
        ("RUNNING", Verdict::TimedOut),
        ("ODD", Verdict::TimedOut),
    ] {
        assert_eq!(play(rules(0, 120, 600, Interval::Auto), Duration::ZERO, [repaired(word)]).0, Some(end), "{word}");
    }
    // A success is an outage until an answer says it without a fault.
    let mut gate = Gate::new(usual(), vec![target("r")]);
    let mut events = Vec::new();
    for (at, answer) in [(0, repaired("RUNNING")), (10, repaired("SUCCESS")), (20, repaired("SUCCESS"))] {
        assert!(gate.observe(0, SECOND * at, answer, &mut events).is_some(), "{at}");
    }
    assert_eq!(gate.observe(0, SECOND * 30, plain(record("SUCCESS")), &mut events), None);
    let repairs = vec![Repair::BadUtf8, Repair::NotANumber];
    let response: Vec<&Event> = events.iter().map(|timed_event| &timed_event.event).collect();
    assert_eq!(
        response.iter().filter(|event| ***event == Event::Repaired { run: 0, repairs: repairs.clone() }).count(),
        1
    );
    let began = response
        .iter()
        .any(|event| matches!(event, Event::OutageBegan { failure, .. } if failure.kind == FailureKind::Repaired));
    assert!(began && response.iter().any(|event| matches!(event, Event::OutageEnded { .. })), "{response:?}");
    assert_eq!(gate.outcome().verdict, Verdict::Passed);
}

#[test]
fn a_success_passes_and_nothing_else_does() {
    let cases = [
        ("SUCCESS", Some(Verdict::Passed)),
        ("fine", Some(Verdict::Passed)),
        ("FAILED", Some(Verdict::Failed)),
        ("BAD", Some(Verdict::Failed)),
        ("KILLED", Some(Verdict::Failed)),
        ("RUNNING", None),
        ("QUEUED", None),
        ("SUCCEEDED", None),
        ("", None),
    ];
    for (word, verdict) in cases {
        assert_eq!(play(usual(), SECOND, [plain(record(word))]).0, verdict, "{word}");
    }
}

#[test]
fn the_first_terminal_word_ends_the_wait() {
    let mut gate = Gate::new(usual(), vec![target("r")]);
    assert_eq!(gate.observe(0, SECOND, plain(record("FAILED")), &mut Vec::new()), None);
    assert_eq!(gate.observe(0, 2 * SECOND, plain(record("SUCCESS")), &mut Vec::new()), None);
    gate.interrupt(Signal::Interrupt, 3 * SECOND, &mut Vec::new());
    assert_eq!(gate.outcome().verdict, Verdict::Failed);
}

#[test]
fn a_run_that_stays_unknown_is_not_found_after_appear_timeout() {
    let (verdict, at) = play(usual(), SECOND, std::iter::repeat_with(|| plain(not_visible())));
    assert_eq!(verdict, Some(Verdict::NotFound));
    // The clock starts with the first answer, and a poll falls on its end: no later than that plus the answer's time.
    assert!(at >= 121 * SECOND && at <= 123 * SECOND, "{at:?}");
}

#[test]
fn only_its_record_stops_the_appear_clock() {
    let story = (0..).map(|n| plain(if n % 2 == 0 { not_visible() } else { unusable() }));
    let (verdict, at) = play(usual(), SECOND, story);
    assert_eq!(verdict, Some(Verdict::NotFound));
    assert!(at >= 121 * SECOND && at <= 160 * SECOND, "{at:?}");
    // A record between starts it anew, and a vanished run ends as not found.
    let story = (0..).map(|n| plain(if n < 100 && n % 2 == 1 { record("RUNNING") } else { not_visible() }));
    let (verdict, at) = play(usual(), SECOND, story);
    assert_eq!(verdict, Some(Verdict::NotFound));
    assert!(at > 300 * SECOND, "{at:?}");
}

#[test]
fn an_appear_clock_that_is_over_hurries_no_poll_of_an_outage() {
    let mut gate = Gate::new(usual(), vec![target("r")]);
    let mut at = gate.observe(0, SECOND, plain(not_visible()), &mut Vec::new()).expect("watching");
    // No answer of its own kind ends the appear clock from here on; its end passes after two minutes of the outage.
    let mut polls = 0;
    while let Some(next) = gate.observe(0, at, plain(unusable()), &mut Vec::new()) {
        (at, polls) = (next, polls + 1);
    }
    assert_eq!(gate.outcome().verdict, Verdict::Unreachable);
    assert!(polls < 40, "{polls} looks");
    // And what the service asks for is obeyed.
    for at in [121, 130] {
        let mut gate = Gate::new(usual(), vec![target("r")]);
        gate.observe(0, SECOND, plain(not_visible()), &mut Vec::new());
        let next = gate.observe(0, at * SECOND, asking(unusable(), 60), &mut Vec::new());
        assert_eq!(next, Some((at + 60) * SECOND));
    }
}

#[test]
fn an_outage_without_a_break_ends_as_unreachable() {
    let (verdict, at) = play(usual(), SECOND, std::iter::repeat_with(|| plain(unusable())));
    assert_eq!(verdict, Some(Verdict::Unreachable));
    assert!(at >= 601 * SECOND && at <= 603 * SECOND, "{at:?}");
}

#[test]
fn any_other_answer_stops_the_outage_clock() {
    let story = (0..).map(|n| plain(if n % 9 == 8 { record("RUNNING") } else { unusable() }));
    let (verdict, at) = play(usual(), SECOND, story);
    assert_eq!(verdict, Some(Verdict::TimedOut));
    assert_eq!(at, 3001 * SECOND);
}

#[test]
fn a_clock_ends_a_wait_only_on_an_answer_of_its_own_kind() {
    // Appear's limit passes during an outage: the outage's answers do not end it as not found.
    let story = (0..).map(|n| plain(if n == 0 { not_visible() } else { unusable() }));
    let (verdict, at) = play(rules(3000, 20, 600, Interval::Auto), SECOND, story);
    assert_eq!(verdict, Some(Verdict::Unreachable));
    assert!(at > 600 * SECOND, "{at:?}");
    // And a success after the limit, before another such answer, still passes.
    let story = [plain(not_visible()), plain(unusable()), asking(unusable(), 500), plain(record("SUCCESS"))];
    assert_eq!(play(rules(3000, 2, 600, Interval::Auto), SECOND, story).0, Some(Verdict::Passed));
}

#[test]
fn the_last_poll_lands_on_the_deadline() {
    for interval in [Interval::Auto, Interval::Fixed(7 * SECOND), Interval::Fixed(3600 * SECOND)] {
        let mut gate = Gate::new(rules(100, 60, 60, interval), vec![target("r")]);
        let mut due = Duration::ZERO;
        let mut polls = Vec::new();
        while let Some(next) = gate.observe(0, due, plain(record("RUNNING")), &mut Vec::new()) {
            polls.push(next);
            due = next;
        }
        assert_eq!(polls.last(), Some(&(100 * SECOND)), "{interval:?}");
        assert_eq!(gate.outcome().verdict, Verdict::TimedOut);
    }
}

#[test]
fn a_success_at_the_last_poll_still_passes() {
    let story = [plain(record("RUNNING")), plain(record("SUCCESS"))];
    let (verdict, at) = play(rules(5, 60, 60, Interval::Fixed(3600 * SECOND)), 4 * SECOND, story);
    assert_eq!((verdict, at), (Some(Verdict::Passed), 9 * SECOND));
}

#[test]
fn timeout_zero_polls_once() {
    let cases = [
        (record("SUCCESS"), Verdict::Passed),
        (record("RUNNING"), Verdict::TimedOut),
        (not_visible(), Verdict::NotFound),
        (unusable(), Verdict::Unreachable),
    ];
    for (observation, verdict) in cases {
        assert_eq!(play(rules(0, 120, 600, Interval::Auto), SECOND, [plain(observation)]).0, Some(verdict));
    }
}

#[test]
fn at_the_deadline_a_run_never_seen_is_not_found_or_unreachable_after_the_last_answer() {
    let limits = || rules(20, 600, 600, Interval::Auto);
    let to_the_end = |first: Observation, rest: fn() -> Observation| {
        let story = std::iter::once(plain(first)).chain(std::iter::repeat_with(move || plain(rest())));
        play(limits(), SECOND, story).0
    };
    assert_eq!(to_the_end(unusable(), not_visible), Some(Verdict::NotFound));
    assert_eq!(to_the_end(not_visible(), unusable), Some(Verdict::Unreachable));
    assert_eq!(to_the_end(record("RUNNING"), unusable), Some(Verdict::TimedOut));
    assert_eq!(to_the_end(record("RUNNING"), not_visible), Some(Verdict::TimedOut));
}

#[test]
fn a_last_poll_cut_short_leaves_the_last_answer() {
    let cut = |answers: Vec<Observation>| {
        let mut gate = Gate::new(rules(20, 600, 600, Interval::Auto), vec![target("r")]);
        for observation in answers {
            gate.observe(0, SECOND, plain(observation), &mut Vec::new());
        }
        gate.cut(0, 25 * SECOND, &mut Vec::new());
        assert!(gate.is_over());
        gate.outcome().verdict
    };
    assert_eq!(cut(vec![]), Verdict::Unreachable);
    assert_eq!(cut(vec![not_visible()]), Verdict::NotFound);
    assert_eq!(cut(vec![not_visible(), unusable()]), Verdict::Unreachable);
    assert_eq!(cut(vec![record("RUNNING"), unusable()]), Verdict::TimedOut);
}

#[test]
fn retry_after_is_obeyed_on_any_answer_and_can_not_exceed_the_next_clock() {
    let next = |gate: &mut Gate, answer| gate.observe(0, 10 * SECOND, answer, &mut Vec::new()).expect("goes on");
    let fresh = || Gate::new(usual(), vec![target("r")]);
    // On a record: obeyed, up to the deadline.
    assert_eq!(next(&mut fresh(), asking(record("RUNNING"), 90)), 100 * SECOND);
    assert_eq!(next(&mut fresh(), asking(record("RUNNING"), 100_000)), 3000 * SECOND);
    assert_eq!(next(&mut fresh(), asking(record("RUNNING"), u64::MAX)), 3000 * SECOND);
    // In an outage, whose clock stands still for five minutes of it, and while not visible: up to the end of that clock.
    assert_eq!(next(&mut fresh(), asking(unusable(), 90)), 100 * SECOND);
    assert_eq!(next(&mut fresh(), asking(unusable(), 100_000)), 910 * SECOND);
    assert_eq!(next(&mut fresh(), asking(not_visible(), 100_000)), 130 * SECOND);
    // Both clocks running: the earlier end.
    let mut gate = fresh();
    next(&mut gate, plain(not_visible()));
    assert_eq!(next(&mut gate, asking(unusable(), 100_000)), 130 * SECOND);
    // Less than our own spacing changes nothing.
    let waits = next(&mut fresh(), asking(record("RUNNING"), 0));
    assert!(waits >= 11 * SECOND, "{waits:?}");
}

#[test]
fn poll_interval_does_not_slow_the_polls_of_a_running_clock() {
    let mut gate = Gate::new(rules(90_000, 120, 600, Interval::Fixed(3600 * SECOND)), vec![target("r")]);
    let mut at = Duration::ZERO;
    let mut waits = Vec::new();
    while let Some(next) = gate.observe(0, at, plain(unusable()), &mut Vec::new()) {
        waits.push(next - at);
        at = next;
    }
    assert!(waits.iter().all(|wait| *wait >= SECOND && *wait <= 30 * SECOND), "{waits:?}");
    assert!(waits[0] < 2 * SECOND && waits[10] > 20 * SECOND, "{waits:?}");
}

#[test]
fn unknown_words_are_reported_once_each_and_ten_are_kept() {
    let mut gate = Gate::new(usual(), vec![target("r")]);
    let mut events = Vec::new();
    for n in 0..40_u32 {
        let word = format!(" Word{}{}", n % 20, "x".repeat(5000));
        gate.observe(0, SECOND * (n + 1), plain(record(&word)), &mut events);
        gate.observe(0, SECOND * (n + 1), plain(record(&word.to_uppercase())), &mut events);
    }
    let response = events.iter().filter(|timed_event| matches!(timed_event.event, Event::UnknownWord { .. })).count();
    assert_eq!(response, 10);
    let kept = gate.outcome().runs.remove(0).unknown_words;
    assert_eq!(kept.len(), 10);
    assert!(kept.iter().all(|word| word.raw().chars().count() == 4096));
}

#[test]
fn a_refused_sign_in_ends_all_runs_and_a_403_only_its_own() {
    let two = || Gate::new(usual(), vec![target("a"), target("b"), target("c")]);
    let mut gate = two();
    gate.observe(0, SECOND, plain(record("SUCCESS")), &mut Vec::new());
    gate.observe(
        1,
        SECOND,
        plain(Missing(Effect::Denied(Scope::SignIn), failure(FailureKind::NoToken))),
        &mut Vec::new(),
    );
    assert!(!gate.is_over(), "not confirmed yet");
    gate.observe(
        1,
        61 * SECOND,
        plain(Missing(Effect::Denied(Scope::SignIn), failure(FailureKind::NoToken))),
        &mut Vec::new(),
    );
    assert!(gate.is_over());
    let ends: Vec<&str> = gate.outcome().runs.iter().map(|run| run.end.name()).collect();
    assert_eq!(ends, ["passed", "denied", "denied"]);

    let mut gate = two();
    gate.observe(
        1,
        SECOND,
        plain(Missing(Effect::Denied(Scope::Run), failure(FailureKind::Http(403)))),
        &mut Vec::new(),
    );
    assert_eq!(gate.pending().collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn fail_fast_gives_up_the_others_which_are_never_the_verdict() {
    let mut rules = usual();
    rules.on_first_failure = OnFirstFailure::StopWaiting;
    let mut gate = Gate::new(rules, vec![target("a"), target("b"), target("c")]);
    gate.observe(0, SECOND, plain(record("SUCCESS")), &mut Vec::new());
    assert!(!gate.is_over());
    gate.observe(2, SECOND, plain(record("FAILED")), &mut Vec::new());
    assert!(gate.is_over());
    let outcome = gate.outcome();
    assert_eq!(outcome.verdict, Verdict::Failed);
    assert_eq!(outcome.runs.iter().map(|run| run.end.name()).collect::<Vec<_>>(), ["passed", "not-waited", "failed"]);
}

#[test]
fn a_signal_interrupts_what_is_pending() {
    for (signal, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
        let mut gate = Gate::new(usual(), vec![target("a"), target("b")]);
        gate.observe(0, SECOND, plain(record("SUCCESS")), &mut Vec::new());
        gate.interrupt(signal, SECOND, &mut Vec::new());
        let outcome = gate.outcome();
        assert_eq!(outcome.verdict.exit_code(), code);
        assert_eq!(outcome.runs[0].end.name(), "passed");
    }
}

#[test]
fn a_wait_never_brought_to_an_end_is_a_bug_not_a_pass() {
    let mut gate = Gate::new(usual(), vec![target("a"), target("b")]);
    gate.observe(0, SECOND, plain(record("SUCCESS")), &mut Vec::new());
    assert_eq!(gate.outcome().verdict, Verdict::InternalError);
    assert_eq!(Gate::new(usual(), Vec::<Wanted>::new()).outcome().verdict, Verdict::InternalError);
}

mod endurance;
mod event_order;
mod exhaustive;
mod fresh_runs;
mod learning;
mod refusals;
mod run_choice;
mod shared_lists;
mod view_state;
