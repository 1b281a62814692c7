//! `if-stale: wait`, by the real binary over real sockets. The core's own stories are in `core/monitor/tests/fresh_runs.rs`.

use serde_json::{Value, json};

use crate::choosing::run;
use crate::harness::{Story, service_of};
use crate::stand_in::{On, Reply, Service};

/// A service whose first two lists show the run of a year ago alone, and then a new one too.
fn service(new: &Value) -> Service {
    let old = run(1, "old", "SUCCESS", "2024-01-14T06:00:00Z", "2024-01-14T06:10:00Z");
    let service = service_of(json!({"runs": [{"record": old}, {"record": new}]}));
    for _ in 0..2 {
        service.order(On::Runs, Reply::json(200, json!([old])));
    }
    service
}

fn waiting<'s>(service: &'s Service, run_id: &str) -> Story<'s> {
    Story::at(service).with("run-id", run_id).with("if-stale", "wait").with("max-age", "1h").with("poll-interval", "1")
}

#[test]
fn a_gate_waits_for_a_fresh_run_and_its_own_record_decides() {
    for run_id in ["latest", "last-success"] {
        let service = service(&run(2, "new", "SUCCESS", "now-10m", "now-1s"));
        let outcome = waiting(&service, run_id).play();
        outcome.assert_ended("passed", 0);
        assert_eq!(outcome.output("run-id"), "new");
        outcome.assert_noted("exceeds max-age of 1h; waiting for a newer");
        assert_eq!((service.requests_to(On::Runs).len(), service.requests_to(On::Run).len()), (3, 2));
    }
}

#[test]
fn latest_takes_a_new_failure_for_the_result_and_last_success_skips_it() {
    let failed = run(2, "new", "FAILED", "now-10m", "now-1s");
    let outcome = waiting(&service(&failed), "latest").with("timeout", "20").play();
    outcome.assert_ended("failed", 1);
    assert_eq!(outcome.output("run-id"), "new");
    let outcome = waiting(&service(&failed), "last-success").with("timeout", "5").play();
    outcome.assert_ended("stale", 7);
    assert_eq!((outcome.output("run-id"), outcome.output("status")), ("old", "SUCCESS"));
    outcome.assert_noted("skipped run new, which finished as FAILED");
}

#[test]
fn a_pipeline_without_a_success_is_not_found_at_the_deadline_and_an_outage_is_unreachable() {
    let empty = service_of(json!({"runs": []}));
    for run_id in ["latest", "last-success"] {
        let outcome = waiting(&empty, run_id).with("timeout", "3").play();
        outcome.assert_ended("not-found", 4);
        outcome.assert_noted("waiting for one");
    }
    let down = service(&run(2, "new", "FAILED", "now-10m", "now-1s"));
    down.order(On::Runs, Reply::status(503).forever());
    waiting(&down, "last-success").with("max-outage", "1").with("timeout", "20").play().assert_ended("unreachable", 6);
}

#[test]
fn there_is_nothing_to_wait_for_with_a_run_that_is_named_or_started_or_without_time() {
    let service = crate::harness::service();
    let refused = |story: Story<'_>| {
        story.play().assert_ended("invalid-input", 2);
    };
    refused(waiting(&service, "e7c91a3b"));
    refused(waiting(&service, "latest,e7c91a3b"));
    refused(waiting(&service, "latest").with("timeout", "0"));
    refused(Story::at(&service).with("run-id", "").with("trigger", "true").with("if-stale", "wait"));
    refused(waiting(&service, "latest").with("if-stale", "hope"));
    assert_eq!(service.requests_to(On::Runs).len(), 0);
}
