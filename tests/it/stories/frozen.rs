//! A gate that is suspended (SIGSTOP), or started with SIGHUP ignored.
//!
//! Nothing here depends on the speed of the machine. What the run does is ordered while the gate is suspended; where the
//! machine was too busy to suspend it before its deadline, the story is played again with a later one.

use std::time::Duration;

use serde_json::json;

use crate::harness::{self, HANG_TIMEOUT, Live, PIPELINE, RUNNING, Story, StoryOutcome, scenario};
use crate::stand_in::{On, Reply, Service};

/// Longer than the five seconds that the last poll has, and the second by which a waking loop may be late.
const FREEZE: Duration = Duration::from_secs(7);

/// The timeouts to try, in seconds.
const TIMEOUTS: [u64; 4] = [3, 12, 48, 192];

/// Lets time pass, in which nobody makes so many requests.
fn pass(service: &Service, time: Duration) {
    assert!(!service.wait_for(On::Any, 1_000, time));
}

/// Plays a story of a gate that is suspended before its deadline and resumed after it. `until` waits for the moment to
/// suspend it, `meanwhile` is what the service does then.
#[track_caller]
fn suspended_over_its_deadline(
    service: impl Fn() -> Service,
    until: impl Fn(&Live<'_>, &Service),
    meanwhile: impl Fn(&Service),
    ended: impl Fn(&Service, &StoryOutcome),
) {
    for timeout in TIMEOUTS {
        let service = service();
        // The next poll after the first is the one on the deadline.
        let story = Story::at(&service).runs(&[RUNNING]).with("poll-interval", "1h").with("logs", "never");
        let gate = story.with("timeout", format!("{timeout}s")).start();
        until(&gate, &service);
        if gate.suspended_within(Duration::from_secs(timeout)) {
            meanwhile(&service);
            pass(&service, Duration::from_secs(timeout) + FREEZE);
            gate.signal("CONT");
            return ended(&service, &gate.finish());
        }
    }
    panic!("the gate could not be suspended within {TIMEOUTS:?} seconds");
}

#[track_caller]
fn seen_running(gate: &Live<'_>, _: &Service) {
    gate.wait_for_output("status RUNNING");
}

fn asked(_: &Live<'_>, service: &Service) {
    assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT));
}

#[track_caller]
fn passed(_: &Service, outcome: &StoryOutcome) {
    outcome.assert_ended("passed", 0);
}

fn succeeds(service: &Service) {
    service.order(On::Run, Reply::run("SUCCESS").forever());
}

#[test]
fn a_gate_that_was_suspended_over_its_deadline_polls_once_more() {
    suspended_over_its_deadline(harness::service, seen_running, succeeds, |service, outcome| {
        outcome.assert_ended("passed", 0);
        assert_eq!(service.requests_to(On::Run).len(), 2);
    });
}

#[test]
fn an_answer_that_came_during_the_suspension_counts() {
    let service = || {
        let service = harness::service();
        service.order(On::Run, Reply::run("SUCCESS").held());
        service.order(On::Run, Reply::status(503).forever());
        service
    };
    suspended_over_its_deadline(service, asked, Service::release, passed);
}

/// It says what the run did before the suspension.
#[test]
fn an_answer_that_came_during_the_suspension_is_not_the_last_poll() {
    let service = || {
        let service = harness::service();
        service.order(On::Run, Reply::run("RUNNING").held());
        service
    };
    let meanwhile = |service: &Service| {
        service.release();
        succeeds(service);
    };
    suspended_over_its_deadline(service, asked, meanwhile, passed);
}

/// Its connection did not outlive the sleep of the machine.
#[test]
fn a_request_that_is_never_answered_after_the_suspension_is_not_the_last_poll() {
    let service = || {
        let service = harness::service();
        service.order(On::Run, Reply::hang());
        service
    };
    suspended_over_its_deadline(service, asked, succeeds, passed);
}

#[test]
fn a_status_from_before_the_suspension_is_reported_with_its_age() {
    let meanwhile = |service: &Service| service.order(On::Run, Reply::status(503).forever());
    suspended_over_its_deadline(harness::service, seen_running, meanwhile, |_, outcome| {
        outcome.assert_ended("timed-out", 3);
        let log = outcome.log();
        assert!(!log.contains("still RUNNING when") && log.contains("ago as RUNNING"), "{log}");
    });
}

/// The loop wakes every five seconds at least, so that all but five seconds of a suspension are seen.
#[test]
fn the_time_of_a_suspension_is_added_to_the_age_of_a_success() {
    for (max_age, verdict, code) in [("5s", "stale", 7), ("1h", "passed", 0)] {
        let ended = json!({"pipeline_run_id": RUNNING, "last_status": "SUCCESS", "updated_at": "now-0s"});
        let pipelines = json!([{"pipeline_id": PIPELINE, "runs": [{"record": ended}]}]);
        let service = Service::start(scenario(json!({"pipelines": pipelines})));
        service.order(On::Run, Reply::normal().held());
        let gate = Story::at(&service).runs(&[RUNNING]).with("timeout", "1h").with("max-age", max_age).start();
        asked(&gate, &service);
        gate.signal("STOP");
        service.release();
        pass(&service, 2 * FREEZE);
        gate.signal("CONT");
        gate.finish().assert_ended(verdict, code);
    }
}

/// Only Linux says what was ignored at the start.
#[cfg(target_os = "linux")]
#[test]
fn a_hang_up_that_was_ignored_at_the_start_stays_ignored() {
    let service = harness::service();
    let gate = Story::at(&service).runs(&[RUNNING]).under_nohup().with("poll-interval", "1s").start();
    gate.wait_for_output("status RUNNING");
    gate.signal("HUP");
    succeeds(&service);
    gate.finish().assert_ended("passed", 0);
    let service = harness::service();
    let gate = Story::at(&service).runs(&[RUNNING]).under_nohup().start();
    gate.wait_for_output("status RUNNING");
    gate.signal("TERM");
    gate.finish().assert_ended("interrupted", 143);
}
