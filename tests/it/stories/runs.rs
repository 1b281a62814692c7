//! One run or many: each has its own verdict, and the reference's order makes one of them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{self, FAILED, PIPELINE, RUNNING, SUCCESS, Story, TRACE, in_parallel, scenario, service_of};
use crate::stand_in::{On, Reply, Service};

/// A run that the service does not know.
const UNKNOWN: &str = "00000000_0000_0000_0000_000000000000";

#[test]
fn each_run_has_its_own_verdict_and_the_outputs_describe_the_first_with_the_gate_s() {
    let service = harness::service();
    let story = Story::at(&service).runs(&[SUCCESS, UNKNOWN, FAILED, RUNNING]);
    let outcome = story.with("appear-timeout", "0").with("timeout", "2s").play();
    outcome.assert_ended("failed", 1);
    assert_eq!(outcome.verdicts(), ["passed", "not-found", "failed", "timed-out"]);
    let outputs =
        ["run-id", "status", "trace", "duration", "duration-seconds", "started-at", "updated-at", "pipeline-id"];
    let expected =
        [FAILED, "FAILED", TRACE, "15m 12s", "912", "2024-01-13T06:00:00Z", "2024-01-13T06:15:12Z", PIPELINE];
    assert_eq!(outputs.map(|name| outcome.output(name)), expected);
    assert_eq!(service.requests_to(On::SignIn).len(), 1, "one session for all runs");
    let cases = outcome.junit.expect("a report");
    assert!(cases.iter().all(|case| case.suite == PIPELINE && case.class == "maestro-gate"), "{cases:?}");
}

#[test]
fn the_worst_verdict_is_the_gate_s_whatever_the_order_of_the_runs() {
    // The reference's order; each is the result of one poll of such a run.
    let order: [(&str, &str, i32); 6] = [
        (FAILED, "failed", 1),
        ("denied-run", "denied", 5),
        (UNKNOWN, "not-found", 4),
        ("broken-run", "unreachable", 6),
        (RUNNING, "timed-out", 3),
        (SUCCESS, "passed", 0),
    ];
    let mut pairs = Vec::new();
    for (at, worse) in order.iter().enumerate() {
        for better in &order[at..] {
            pairs.push((worse, better, [worse.0, better.0]));
            pairs.push((worse, better, [better.0, worse.0]));
        }
    }
    in_parallel(
        &pairs,
        |(worse, better, _)| format!("{worse:?} {better:?}"),
        |(worse, better, runs)| {
            let service = harness::service();
            service.order_for(On::Run, "denied-run", Reply::status(403).forever());
            service.order_for(On::Run, "broken-run", Reply::status(503).forever());
            let outcome = Story::at(&service).runs(runs).with("timeout", "0").with("logs", "never").play();
            outcome.assert_ended(worse.1, worse.2);
            let mut verdicts = outcome.verdicts();
            verdicts.sort_by_key(|verdict| *verdict != worse.1);
            assert_eq!(*verdicts.last().expect("a run"), better.1);
        },
    );
}

#[test]
fn fail_fast_gives_up_the_others_and_says_so() {
    let service = harness::service();
    let outcome = Story::at(&service).runs(&[RUNNING, FAILED, SUCCESS]).with("fail-fast", "true").play();
    outcome.assert_ended("failed", 1);
    let verdicts = outcome.verdicts();
    assert_eq!((verdicts[0], verdicts[1]), ("not-waited", "failed"));
    assert!(outcome.report()["runs"][0]["exit_code"].is_null());
}

#[test]
fn without_fail_fast_every_run_is_waited_for() {
    let service = harness::service();
    service.script(On::Run, [Reply::normal(), Reply::run("RUNNING"), Reply::normal()]);
    let outcome = Story::at(&service).runs(&[FAILED, SUCCESS]).play();
    assert_eq!(outcome.assert_ended("failed", 1).verdicts(), ["failed", "passed"]);
}

#[test]
fn twenty_runs_share_one_session_and_at_most_eight_requests() {
    let runs: Vec<Value> = (0..20)
        .map(|n| json!({"record": {"id": n, "pipeline_run_id": format!("run-{n}"), "last_status": "SUCCESS"}}))
        .collect();
    let service = service_of(json!({"runs": runs}));
    service.order(On::Run, Reply::normal().delay(Duration::from_secs(1)).forever());
    let names: Vec<String> = (0..20).map(|n| format!("run-{n}")).collect();
    let outcome = Story::at(&service).with("run-id", names.join("\n")).play();
    outcome.assert_ended("passed", 0);
    assert_eq!(outcome.output("polls"), "20");
    assert_eq!((service.requests_to(On::SignIn).len(), service.requests_to(On::Run).len()), (1, 20));
    // Eight polls, and the pipeline's details beside them.
    let most = service.most_at_once();
    assert!((2..=9).contains(&most), "{most} at once");
    // One that was made and then not needed, because another was free again before, is not counted.
    let connections: BTreeSet<u64> = service.requests().iter().map(|seen| seen.connection).collect();
    assert!(connections.len() <= 9, "connections are kept: {connections:?}");
}

#[test]
fn only_byte_identical_entries_are_one_and_each_may_name_its_pipeline() {
    let service = harness::service();
    let runs = format!("{PIPELINE}/{SUCCESS} 45,45");
    let outcome =
        Story::at(&service).without("pipeline-id").env("MAESTRO_PIPELINE_ID", PIPELINE).with("run-id", runs).play();
    outcome.assert_ended("passed", 0);
    // The integer id is the service's own number of the run; the outputs have its spelling.
    assert_eq!(outcome.verdicts(), ["passed"; 2]);
    assert_eq!(outcome.report()["runs"][1]["run_id"], SUCCESS);
}

#[test]
fn an_id_is_one_path_segment_behind_the_base_s_own_path() {
    let odd = "manual__2024-12-18T10:30:00+00:00";
    let runs = json!([{"record": {"pipeline_run_id": odd, "last_status": "SUCCESS"}}]);
    let further = json!({"prefix": "/maestro", "pipelines": [{"pipeline_id": "p%2F..?x#y&z", "runs": runs}]});
    let service = Service::start(scenario(further));
    Story::at(&service).with("pipeline-id", "p%2F..?x#y&z").with("run-id", odd).play().assert_ended("passed", 0);
    let path = "/maestro/platform/pipeline/p%252F..%3Fx%23y%26z/pipeline_run/manual__2024-12-18T10%3A30%3A00%2B00%3A00";
    assert_eq!(service.requests_to(On::Run)[0].path, path);
}

#[test]
fn a_run_is_waited_for_until_it_ends() {
    let service = harness::service();
    service.script(On::Run, [Reply::run("QUEUED"), Reply::run("RUNNING"), Reply::run("RUNNING")]);
    let outcome = Story::at(&service).play();
    outcome.assert_ended("passed", 0);
    assert_eq!((outcome.output("polls"), outcome.output("duration")), ("5", "15m 23s"), "four looks, and the past");
    // Two, because the list may be requested while a poll is in progress.
    assert!(service.requests().iter().all(|seen| seen.connection <= 2), "connections are kept");
}

#[test]
fn what_the_step_says_beats_the_environment_and_says_so() {
    let service = harness::service();
    let story = Story::at(&service).without("run-id").env("INPUT_RUN-ID", SUCCESS).env("MAESTRO_RUN_ID", FAILED);
    let outcome = story.play();
    outcome.assert_ended("passed", 0);
    outcome.assert_noted("MAESTRO_RUN_ID");

    let story = Story::at(&service).without("run-id").env("INPUT_RUN-ID", FAILED).env("MAESTRO_RUN_ID", SUCCESS);
    story.outside_ci().play().assert_last_line("passed", 0);
}
