//! `trigger`: the service is asked once to start, whatever becomes of the answer, and what it started is waited for.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{PIPELINE, Story, Told, scenario, service, side_by_side};
use crate::stand_in::{On, Reply, Service};

/// What an execution does: ends so, so many seconds after it began.
fn ends(word: &str, after: &str) -> Value {
    json!([{"then": [{"after": after, "set": {"last_status": word, "updated_at": format!("begin+{after}")}}]}])
}

/// A service with one pipeline of these keys, whose executions succeed after a second unless they say otherwise.
fn with(pipeline: Value) -> Service {
    let mut whole = json!({"pipeline_id": PIPELINE, "executions": ends("SUCCESS", "1s"),
        "history": {"count": 3, "newest": "1h", "every": "1h", "takes": "10m"}});
    for (key, value) in pipeline.as_object().expect("keys") {
        whole[key] = value.clone();
    }
    Service::start(scenario(json!({"pipelines": [whole]})))
}

fn trigger(service: &Service) -> Story<'_> {
    Story::at(service)
        .without("run-id")
        .with("trigger", "true")
        .with("appear-timeout", "3s")
        .with("poll-interval", "1s")
}

fn is_noted(told: &Told, words: &str) -> bool {
    told.notes().iter().any(|note| note.contains(words))
}

#[test]
fn whatever_becomes_of_the_answer_the_service_is_asked_once() {
    type Row = (&'static str, Option<Reply>, &'static str, i32);
    let late = Duration::from_secs(2);
    let rows: [Row; 22] = [
        ("answered", None, "passed", 0),
        ("late", Some(Reply::normal().delay(late)), "passed", 0),
        ("reset after the start", Some(Reply::reset()), "passed", 0),
        ("closed after the start", Some(Reply::close()), "passed", 0),
        ("cut in the head after the start", Some(Reply::normal().cut_in_head()), "passed", 0),
        ("cut in the body after the start", Some(Reply::normal().cut_at(20)), "passed", 0),
        ("500 after the start", Some(Reply::normal().with_status(500)), "passed", 0),
        ("502 after the start", Some(Reply::normal().with_status(502)), "passed", 0),
        ("504 late after the start", Some(Reply::normal().with_status(504).delay(late)), "passed", 0),
        ("garbage after the start", Some(Reply::normal().prepend("<html>")), "passed", 0),
        ("201 after the start", Some(Reply::normal().with_status(201)), "passed", 0),
        ("reset before the start", Some(Reply::reset().in_vain()), "not-started", 8),
        ("closed late before the start", Some(Reply::close().delay(late).in_vain()), "not-started", 8),
        ("500 before the start", Some(Reply::status(500)), "not-started", 8),
        ("502 before the start", Some(Reply::html(502)), "not-started", 8),
        ("a plain no", Some(Reply::json(200, json!({"status": false, "data": null}))), "not-started", 8),
        ("400", Some(Reply::json(400, json!({"detail": {"exception_type": "PipelinePaused"}}))), "not-started", 8),
        ("429", Some(Reply::status(429).retry_after(1)), "not-started", 8),
        ("401", Some(Reply::status(401)), "denied", 5),
        ("403", Some(Reply::status(403)), "denied", 5),
        ("404", Some(Reply::status(404)), "not-found", 4),
        ("a redirect", Some(Reply::redirect(307, "/platform/pipeline/execute")), "not-started", 8),
    ];
    side_by_side(
        &rows,
        |row| row.0.to_owned(),
        |(_, reply, verdict, code)| {
            let service = with(json!({}));
            if let Some(reply) = reply {
                service.order(On::Execute, reply.clone());
            }
            let told = trigger(&service).told();
            told.ended(verdict, *code);
            let asked = service.requests_to(On::Execute);
            assert_eq!(asked.len(), 1);
            assert_eq!(asked[0].body, format!(r#"{{"pipeline_id":"{PIPELINE}"}}"#).into_bytes());
            assert!(service.requests()[..2].iter().any(|seen| seen.on == On::Runs), "the list from before comes first");
        },
    );
}

#[test]
fn the_run_that_was_started_decides_and_is_reported() {
    side_by_side(&[true, false], ToString::to_string, |shares| {
        let service = with(json!({"executions": ends("FAILED", "2s"), "shares_run_id": shares}));
        let told = trigger(&service).told();
        told.ended("failed", 1);
        assert_eq!(told.output("status"), "FAILED");
        assert_eq!(told.output("run-id").starts_with("manual__"), *shares);
        assert!(is_noted(&told, "accepted the request to start"), "{:?}", told.notes());
        let proof =
            if *shares { "it has the id from the service's answer" } else { "no proof that it is the started run" };
        assert!(is_noted(&told, proof), "{:?}", told.notes());
        // Only where nothing proves which run is ours, the list is read again before a pass; before a failure never.
        assert_eq!(service.requests_to(On::Runs).len(), 2);
    });
}

#[test]
fn a_paused_pipeline_is_not_started() {
    let service = with(json!({"paused": true}));
    let told = trigger(&service).told();
    told.ended("not-started", 8);
    assert_eq!((told.output("run-id"), told.output("pipeline-id")), ("", PIPELINE));
    assert!(told.log().contains("PipelinePaused"), "{}", told.log());
    let cases = told.junit.as_ref().expect("a JUnit report");
    assert_eq!((cases[0].name.as_str(), cases[0].class.as_str()), (PIPELINE, "maestro-gate"));
}

/// A run that is going for six seconds more.
fn going() -> Value {
    let then = json!([{"after": "6s", "set": {"last_status": "SUCCESS", "updated_at": "begin+6s"}}]);
    json!([{"record": {"pipeline_run_id": "earlier", "created_at": "begin-10m"}, "then": then}])
}

#[test]
fn behind_a_run_that_is_going_the_gate_queues_attaches_or_fails() {
    type Row = (&'static str, &'static str, i32, usize, &'static str);
    let rows: [Row; 3] = [
        // Six seconds are twice the appear timeout, which stands still for as long.
        (
            "queue",
            "failed",
            1,
            1,
            "run earlier of the pipeline is still in progress, and the new run may be queued behind it",
        ),
        ("attach", "passed", 0, 0, "run earlier was already in progress"),
        ("fail", "not-started", 8, 0, ""),
    ];
    side_by_side(
        &rows,
        |row| row.0.to_owned(),
        |(mode, verdict, code, executes, noted)| {
            let service = with(json!({"runs": going(), "executions": ends("FAILED", "1s")}));
            let told = trigger(&service).with("if-running", *mode).told();
            told.ended(verdict, *code);
            assert_eq!(service.requests_to(On::Execute).len(), *executes);
            assert!(noted.is_empty() || is_noted(&told, noted), "{:?}", told.notes());
            if *mode == "fail" {
                assert!(told.log().contains("a run is already in progress: earlier"), "{}", told.log());
            }
        },
    );
}

/// A run that a schedule starts, a second after the service; ours is started about a second later.
fn by_schedule(word: &str) -> Value {
    let then = json!([
        {"after": "1s", "hidden": false},
        {"after": "4s", "set": {"last_status": word, "updated_at": "begin+4s"}},
    ]);
    json!([{"record": {"pipeline_run_id": "cron", "created_at": "begin+1s"}, "hidden": true, "then": then}])
}

#[test]
fn of_several_new_runs_all_are_waited_for_and_the_worst_decides() {
    side_by_side(
        &["SUCCESS", "FAILED"],
        |word| (*word).to_owned(),
        |word| {
            // Shown as queued behind it, ours is seen at once; it is started again and again with the same end.
            let service = with(json!({"runs": by_schedule(word), "shows_queued": true}));
            let told = trigger(&service).told();
            if *word == "SUCCESS" {
                told.ended("passed", 0)
            } else {
                told.ended("failed", 1)
            };
            let runs = told.report()["runs"].as_array().expect("runs").len();
            // Where the list from before came late enough to show it, it is no candidate.
            assert!(runs == 2 || *word == "SUCCESS" && runs == 1, "{}", told.log());
        },
    );
}

#[test]
fn what_passes_while_an_earlier_run_is_going_is_not_passed_on() {
    let runs: Vec<Value> =
        [going(), by_schedule("SUCCESS")].iter().flat_map(|runs| runs.as_array().expect("runs").clone()).collect();
    // Ours begins when the earlier run has ended, two seconds after the scheduled one.
    let service = with(json!({"runs": runs, "executions": ends("FAILED", "1s")}));
    let told = trigger(&service).told();
    told.ended("failed", 1);
    assert!(is_noted(&told, "run earlier of the pipeline is still in progress"), "{:?}", told.notes());
    assert!(told.log().contains("re-run this job, which starts a new run"), "{}", told.log());
}

#[test]
fn before_a_pass_the_list_is_read_once_more() {
    let service = with(json!({}));
    let told = trigger(&service).told();
    told.ended("passed", 0);
    assert_eq!(service.requests_to(On::Runs).len(), 3);
    // If that can't be had, there is no pass.
    let service = with(json!({}));
    service.script(On::Runs, [Reply::normal(), Reply::normal(), Reply::status(503).forever()]);
    let told = trigger(&service).with("max-outage", "2s").told();
    told.ended("unreachable", 6);
    // With the very id there is nothing to read again.
    let service = with(json!({"shares_run_id": true}));
    trigger(&service).told().ended("passed", 0);
    assert_eq!(service.requests_to(On::Runs).len(), 2);
}

#[test]
fn a_list_that_can_not_serve_starts_nothing() {
    let odd = json!([{"pipeline_id": PIPELINE, "pipeline_run_id": "x"}]);
    let service = with(json!({"list": {"raw": odd}}));
    trigger(&service).with("max-outage", "2s").told().ended("unreachable", 6);
    assert_eq!(service.requests_to(On::Execute).len(), 0);
    let service = with(json!({}));
    service.order(On::Runs, Reply::normal().without_header("date").forever());
    trigger(&service).with("max-outage", "2s").told().ended("unreachable", 6);
    assert_eq!(service.requests_to(On::Execute).len(), 0);
}

#[test]
fn several_pipelines_are_started_once_each() {
    let one = |id: &str, word: &str| json!({"pipeline_id": id, "executions": ends(word, "1s")});
    let service = Service::start(scenario(json!({"pipelines": [one("sales", "SUCCESS"), one("stock", "FAILED")]})));
    let told = trigger(&service).with("pipeline-id", "sales,stock").told();
    told.ended("failed", 1);
    assert_eq!(told.verdicts(), ["passed", "failed"]);
    assert_eq!(service.requests_to(On::Execute).len(), 2);
}

#[test]
fn inputs_that_make_no_sense_with_trigger_are_mistakes_and_nothing_is_started() {
    let service = with(json!({}));
    for (input, value) in [("run-id", "x"), ("timeout", "0"), ("if-running", "wait")] {
        let told = trigger(&service).with(input, value).told();
        told.ended("invalid-input", 2);
        assert!(told.log().contains(&format!("- {input} \"{value}\"")), "{}", told.log());
    }
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn a_start_that_the_time_limit_leaves_no_time_for_is_told_as_that() {
    let service = service();
    service.order(On::SignIn, Reply::normal().delay(Duration::from_secs(4)));
    let story = Story::at(&service).without("run-id").with("trigger", "true").with("timeout", "3s");
    let told = story.told();
    told.ended("not-started", 8);
    assert_eq!(service.requests_to(On::Execute).len(), 0);
    assert!(told.log().contains("the timeout was reached first"), "{}", told.log());
    assert!(told.log().contains("next step: raise timeout, then re-run this job"), "{}", told.log());
}
