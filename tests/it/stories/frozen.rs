//! A gate that is suspended (SIGSTOP), or started with SIGHUP ignored.

use std::time::Duration;

use serde_json::json;

use crate::harness::{self, PIPELINE, RUNNING, SUCCESS, Story, scenario};
use crate::stand_in::{On, Reply, Service};

/// Longer than a deadline of three seconds and the five that the last poll has.
const FREEZE: Duration = Duration::from_secs(10);

/// Lets time pass, in which the gate may make so many requests at most.
fn pass(service: &Service, time: Duration) {
    assert!(!service.wait_for(On::Any, 1_000, time));
}

/// A run that succeeds so long after the start.
fn succeeds(after: &str) -> Service {
    let then = json!([{"after": after, "set": {"last_status": "SUCCESS", "updated_at": format!("begin+{after}")}}]);
    let run = json!({"record": {"pipeline_run_id": SUCCESS}, "then": then});
    Service::start(scenario(json!({"pipelines": [{"pipeline_id": PIPELINE, "runs": [run]}]})))
}

#[test]
fn a_gate_that_was_suspended_over_its_deadline_polls_once_more() {
    let service = succeeds("4s");
    let gate = Story::at(&service).with("timeout", "3s").begun();
    gate.says("status RUNNING");
    gate.signal("STOP");
    pass(&service, FREEZE);
    let polls = service.requests_to(On::Run).len();
    gate.signal("CONT");
    gate.ends().ended("passed", 0);
    assert!(service.requests_to(On::Run).len() > polls);
}

#[test]
fn an_answer_that_came_during_the_suspension_counts() {
    let service = succeeds("0s");
    service.order(On::Run, Reply::normal().delay(Duration::from_secs(2)));
    service.order(On::Run, Reply::status(503).forever());
    let gate = Story::at(&service).with("timeout", "3s").begun();
    assert!(service.wait_for(On::Run, 1, FREEZE));
    gate.signal("STOP");
    pass(&service, FREEZE);
    gate.signal("CONT");
    gate.ends().ended("passed", 0);
}

#[test]
fn a_status_from_before_the_suspension_is_reported_with_its_age() {
    let service = harness::service();
    service.order_for(On::Run, RUNNING, Reply::run("RUNNING"));
    service.order_for(On::Run, RUNNING, Reply::status(503).forever());
    let gate = Story::at(&service).runs(&[RUNNING]).with("timeout", "3s").with("logs", "never").begun();
    gate.says("status RUNNING");
    gate.signal("STOP");
    pass(&service, FREEZE);
    gate.signal("CONT");
    let told = gate.ends();
    told.ended("timed-out", 3);
    let log = told.log();
    assert!(!log.contains("still RUNNING when") && log.contains("ago as RUNNING"), "{log}");
}

#[test]
fn the_time_of_a_suspension_is_added_to_the_age_of_a_success() {
    for (max_age, verdict, code) in [("5s", "stale", 7), ("1h", "passed", 0)] {
        let service = succeeds("1s");
        service.order(On::Run, Reply::normal().delay(Duration::from_secs(2)).forever());
        let gate = Story::at(&service).with("timeout", "5m").with("max-age", max_age).begun();
        assert!(service.wait_for(On::Run, 1, FREEZE));
        gate.signal("STOP");
        pass(&service, FREEZE);
        gate.signal("CONT");
        gate.ends().ended(verdict, code);
    }
}

/// Only Linux says what was ignored at the start.
#[cfg(target_os = "linux")]
#[test]
fn a_hang_up_that_was_ignored_at_the_start_stays_ignored() {
    let service = succeeds("3s");
    let gate = Story::at(&service).under_nohup().begun();
    gate.says("status RUNNING");
    gate.signal("HUP");
    gate.ends().ended("passed", 0);
    let service = harness::service();
    let gate = Story::at(&service).runs(&[RUNNING]).under_nohup().begun();
    gate.says("status RUNNING");
    gate.signal("TERM");
    gate.ends().ended("interrupted", 143);
}
