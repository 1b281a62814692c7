//! The loop against scripted polls, on a paused clock: no socket here, so pausing is safe.

use std::cell::{Cell, RefCell};

use futures_util::FutureExt;

use super::*;
use crate::core::{Answer, Limits, Observation, PipelineId, Record, Rules, RunId, Target, Verdict};

const SECOND: Duration = Duration::from_secs(1);

fn gate(timeout: u32, runs: usize) -> Gate {
    let rules = Rules::within(Limits { timeout: SECOND * timeout, appear: SECOND * 120, outage: SECOND * 600 });
    let target = |run: usize| Target {
        pipeline: PipelineId::new("p").expect("an id"),
        run: RunId::new(&run.to_string()).expect("an id"),
    };
    Gate::new(rules, (0..runs).map(target))
}

fn answer(word: &str) -> Answer {
    Answer { observation: Observation::Record(Record::bare("p", "0", word)), retry_after: None, date: None }
}

/// Watches with `poll`, which is given the number of the poll; returns the verdict and when it fell.
async fn run<F: Future<Output = Answer>>(mut gate: Gate, poll: impl Fn(u32) -> F) -> (Verdict, Duration, u64) {
    let clock = Clock::start();
    let mut signals = Signals::listen();
    let number = Cell::new(0);
    let numbered = |_, _| {
        number.set(number.get() + 1);
        poll(number.get())
    };
    let polls = poll_until_done(&mut gate, &clock, &mut signals, SECOND * 60, numbered, |_, _, _, _| {}).await;
    (gate.outcome().verdict, clock.elapsed(), polls)
}

async fn after(time: Duration, word: &str) -> Answer {
    sleep(time).await;
    answer(word)
}

#[tokio::test(start_paused = true)]
async fn a_poll_under_way_at_the_deadline_is_the_last() {
    let (verdict, at, polls) = run(gate(10, 1), |_| after(SECOND * 12, "SUCCESS")).await;
    assert_eq!((verdict, polls), (Verdict::Passed, 1));
    assert!(at >= SECOND * 12 && at < SECOND * 13, "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_poll_starts_on_the_deadline() {
    let (verdict, at, _) = run(gate(10, 1), |n| after(SECOND / 10, if n < 4 { "RUNNING" } else { "SUCCESS" })).await;
    assert_eq!(verdict, Verdict::Passed);
    assert!(at < SECOND * 10, "{at:?}");
    let (verdict, at, _) = run(gate(10, 1), |_| after(SECOND / 10, "RUNNING")).await;
    assert_eq!(verdict, Verdict::TimedOut);
    assert!(at >= SECOND * 10 + SECOND / 10 && at < SECOND * 11, "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn a_poll_without_an_answer_is_cut_five_seconds_after_the_deadline() {
    let (verdict, at, _) = run(gate(10, 1), |_| after(SECOND * 1000, "SUCCESS")).await;
    assert_eq!(verdict, Verdict::Unreachable);
    assert!(at >= SECOND * 15 && at < SECOND * 16, "{at:?}");
    let story = |n| after(if n == 1 { SECOND } else { SECOND * 1000 }, "RUNNING");
    assert_eq!(run(gate(10, 1), story).await.0, Verdict::TimedOut);
}

/// The process sleeps so long while this is under way.
async fn suspended(length: Duration) {
    // First the loop must have its timer.
    sleep(Duration::from_millis(1)).await;
    tokio::time::advance(length).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_suspension_over_the_deadline_there_is_a_last_poll() {
    // What was under way is read, whatever it says; then, or if nothing comes of it, there is another look.
    for word in ["RUNNING", "never"] {
        for sleeps in [20, 60, 3600] {
            let (verdict, at, polls) = run(gate(10, 1), |n| async move {
                match (n, word) {
                    (1, _) => suspended(SECOND * sleeps).await,
                    (_, _) => return after(SECOND, "SUCCESS").await,
                }
                after(if word == "never" { SECOND * 10_000 } else { SECOND / 10 }, word).await
            })
            .await;
            assert_eq!((verdict, polls), (Verdict::Passed, 2), "{word} after {sleeps} s");
            assert!(at < SECOND * (sleeps + 3), "{word} after {sleeps} s: {at:?}");
        }
    }
    // What was under way counts.
    let (verdict, _, polls) = run(gate(10, 1), |_| async {
        suspended(SECOND * 60).await;
        after(SECOND / 10, "SUCCESS").await
    })
    .await;
    assert_eq!((verdict, polls), (Verdict::Passed, 1));
    // And the wait ends.
    let (verdict, at, polls) = run(gate(10, 1), |n| async move {
        if n == 1 {
            suspended(SECOND * 60).await;
        }
        after(SECOND * 10_000, "SUCCESS").await
    })
    .await;
    assert_eq!((verdict, polls), (Verdict::Unreachable, 2));
    assert!(at >= SECOND * 65 && at < SECOND * 67, "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn a_suspension_while_nothing_is_waited_for_is_noticed_too() {
    let (mut gate, clock, mut signals) = (gate(10, 1), Clock::start(), Signals::listen());
    let number = Cell::new(0);
    let polls = |_, _| {
        number.set(number.get() + 1);
        after(SECOND / 10, if number.get() == 1 { "RUNNING" } else { "SUCCESS" })
    };
    // The process is suspended while it reports the first answer.
    let view = |_: &Gate, event: LoopEvent, _: &[TimedEvent], _: u64| {
        if matches!(event, LoopEvent::Answer { .. }) && number.get() == 1 {
            let _advanced = tokio::time::advance(SECOND * 60).now_or_never();
        }
    };
    poll_until_done(&mut gate, &clock, &mut signals, SECOND * 60, polls, view).await;
    assert_eq!((gate.outcome().verdict, number.get()), (Verdict::Passed, 2));
    assert!(clock.elapsed() < SECOND * 63, "{:?}", clock.elapsed());
}

#[tokio::test(start_paused = true)]
async fn timeout_zero_lets_the_one_poll_have_its_time() {
    let (verdict, at, polls) = run(gate(0, 1), |_| after(SECOND * 25, "SUCCESS")).await;
    assert_eq!((verdict, polls), (Verdict::Passed, 1));
    assert!(at >= SECOND * 25 && at < SECOND * 26, "{at:?}");
    assert_eq!(run(gate(0, 1), |_| after(SECOND, "RUNNING")).await.0, Verdict::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn at_most_eight_requests_are_under_way_and_every_run_is_seen() {
    let (now, most) = (Cell::new(0), Cell::new(0));
    let (verdict, _, polls) = run(gate(3000, 100), |_| async {
        now.set(now.get() + 1);
        most.set(most.get().max(now.get()));
        let answer = after(SECOND, "SUCCESS").await;
        now.set(now.get() - 1);
        answer
    })
    .await;
    assert_eq!((verdict, polls, most.get()), (Verdict::Passed, 100, 8));
}

#[tokio::test(start_paused = true)]
async fn the_view_gets_every_heartbeat() {
    let beats = RefCell::new(Vec::new());
    let clock = Clock::start();
    let mut signals = Signals::listen();
    let mut gate = gate(600, 1);
    let update_view = |_: &Gate, moment, _: &[TimedEvent], _| {
        if moment == LoopEvent::Beat {
            beats.borrow_mut().push(clock.elapsed());
        }
    };
    // The service answers nothing at all, which must not silence the heartbeat.
    poll_until_done(
        &mut gate,
        &clock,
        &mut signals,
        SECOND * 55,
        |_, _| after(SECOND * 10_000, "RUNNING"),
        update_view,
    )
    .await;
    let beats = beats.into_inner();
    assert!(beats.len() >= 10, "{beats:?}");
    assert!(beats.windows(2).all(|pair| pair[1] - pair[0] <= SECOND * 60), "{beats:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stalled_piece_of_delivery_is_left_behind() {
    let clock = Clock::start();
    let mut signals = Signals::listen();
    let mut grace_period = GracePeriod::default();
    let stalled = std::future::pending::<()>();
    assert_eq!(grace_period.wait(stalled, SECOND * 5, &clock, &mut signals).await, None);
    assert!(clock.elapsed() < SECOND * 6);
    assert_eq!(grace_period.wait(async { 7 }, SECOND * 5, &clock, &mut signals).await, Some(7));
    // After a signal all pieces together have less than two seconds, each less than half of one.
    let mut grace_period = GracePeriod::default();
    grace_period.shorten(Signal::Terminate, &clock);
    let from = clock.elapsed();
    for _ in 0..8 {
        assert_eq!(grace_period.wait(std::future::pending::<()>(), SECOND * 30, &clock, &mut signals).await, None);
    }
    // The last words have a moment for themselves, and no more.
    let soon = || sleep(Duration::from_millis(100));
    assert_eq!(grace_period.wait(soon(), SECOND * 5, &clock, &mut signals).await, None);
    grace_period.last_words(&clock);
    assert_eq!(grace_period.wait(soon(), SECOND * 5, &clock, &mut signals).await, Some(()));
    assert_eq!(grace_period.wait(std::future::pending::<()>(), SECOND * 30, &clock, &mut signals).await, None);
    assert!(clock.elapsed() - from < SECOND * 2);
}
