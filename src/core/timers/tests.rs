//! The clocks of one run, told a few answers.

use super::*;
use crate::core::{Interval, PipelineId, RunId, Target};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_excuse_stops_the_appear_clock_and_it_goes_on_where_it_stood() {
    let (pipeline, run) = (PipelineId::new("p").expect("an id"), RunId::new("r").expect("an id"));
    let schedule = Schedule::new(Interval::Auto, &Wanted::Run(Target { pipeline, run }));
    let limits = Limits { timeout: seconds(1000), appear: seconds(30), outage: seconds(60) };
    let mut clocks = Timers::new(schedule);
    assert!(clocks.absent(seconds(10)), "it is news");
    clocks.excused(seconds(20));
    assert!(!clocks.is_absent_too_long(seconds(500), limits));
    assert!(!clocks.absent(seconds(600)), "it is none any more");
    assert!(!clocks.is_absent_too_long(seconds(619), limits));
    assert!(clocks.is_absent_too_long(seconds(620), limits));
    assert_eq!(clocks.present(seconds(625)), Some(seconds(615)), "how long it was not there in all");
}

fn clocks(interval: Interval) -> Timers {
    let (pipeline, run) = (PipelineId::new("p").expect("an id"), RunId::new("r").expect("an id"));
    Timers::new(Schedule::new(interval, &Wanted::Run(Target { pipeline, run })))
}

fn next_poll(clocks: &mut Timers, limits: Limits, elapsed: Duration, asked: Duration) -> (Duration, bool) {
    let ours = clocks.usual_wait(None);
    clocks.next_after(limits, elapsed, ours, asked)
}

#[test]
fn that_the_service_asks_for_a_longer_wait_is_reported_once_until_it_asks_for_none() {
    let limits = Limits { timeout: seconds(1000), appear: seconds(30), outage: seconds(60) };
    let mut clocks = clocks(Interval::Fixed(seconds(10)));
    let mut response = |asked: u64| {
        clocks.useful();
        next_poll(&mut clocks, limits, seconds(100), seconds(asked))
    };
    let (ours, asked) = (|| (seconds(110), false), |asked: u64| (seconds(100 + asked), true));
    assert_eq!(response(10), ours(), "as long as ours");
    assert_eq!(response(11), asked(11));
    assert_eq!(response(12), (seconds(112), false));
    assert_eq!(response(9), ours());
    assert_eq!(response(13), asked(13));
}

#[test]
fn a_pause_stops_the_outage_clock() {
    let limits = Limits { timeout: seconds(10_000), appear: seconds(30), outage: seconds(5) };
    // When an outage of nothing but such answers is over, and the polls that it takes.
    let ends = |asked: Option<u64>| {
        let mut clocks = clocks(Interval::Auto);
        let (mut at, mut polls) = (Duration::ZERO, 0);
        loop {
            clocks.unusable(at);
            if clocks.is_out_too_long(at, limits) {
                return (at.as_secs(), polls);
            }
            (at, _) = next_poll(&mut clocks, limits, at, seconds(asked.unwrap_or_default()));
            polls += 1;
        }
    };
    assert_eq!(ends(None).0, 5);
    // Longer than the limit: each pause is obeyed, up to a quarter of an hour in all.
    assert_eq!(ends(Some(35)), (905, 26));
    // Longer than five minutes: then the clock runs, and the gate polls when it ends.
    assert_eq!(ends(Some(400)), (305, 1));
    let mut clocks = clocks(Interval::Auto);
    assert!(clocks.unusable(seconds(10)), "it is news");
    assert_eq!(next_poll(&mut clocks, limits, seconds(10), seconds(9)).0, seconds(19));
    assert!(!clocks.unusable(seconds(19)), "it is none any more");
    assert!(!clocks.is_out_too_long(seconds(23), limits) && clocks.is_out_too_long(seconds(24), limits));
}

#[test]
fn the_first_miss_is_followed_by_the_shortest_wait_and_the_others_by_longer_ones() {
    let limits = Limits { timeout: seconds(1000), appear: seconds(300), outage: seconds(60) };
    let mut clocks = clocks(Interval::Auto);
    let mut waits = || {
        clocks.absent(seconds(100));
        next_poll(&mut clocks, limits, seconds(100), Duration::ZERO).0.saturating_sub(seconds(100))
    };
    let found = [waits(), waits(), waits()];
    let schedule = &clocks.schedule;
    assert_eq!(found, [schedule.after_miss(0), schedule.after_miss(1), schedule.after_miss(2)]);
    assert!(found[0] < found[1] && found[1] < found[2], "{found:?}");
}

#[test]
fn a_poll_may_end_a_second_before_the_deadline_and_no_later() {
    let limits = Limits { timeout: seconds(100), appear: seconds(30), outage: seconds(60) };
    let place = |wait| clocks(Interval::Auto).place(limits, seconds(10), Duration::from_millis(wait));
    assert_eq!(place(89_000), seconds(99));
    assert_eq!(place(89_001), seconds(100));
}
