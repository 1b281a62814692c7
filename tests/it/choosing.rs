//! `latest`, `last-success` and `max-age`, by the real binary over real sockets.

use serde_json::{Value, json};

use crate::harness::{PIPELINE, Story, in_parallel, scenario, service, service_of};
use crate::stand_in::{On, Reply, Service};

/// A run's record.
pub fn run(id: u32, name: &str, status: &str, created: &str, updated: &str) -> Value {
    json!({"id": id, "pipeline_run_id": name, "last_status": status, "created_at": created, "updated_at": updated,
        "pipeline_id": PIPELINE})
}

fn latest(service: &Service) -> Story<'_> {
    Story::at(service).with("run-id", "latest").with("max-age", "any")
}

/// Three thousand successes, and a failure after them.
fn long() -> Value {
    json!({
        "history": {"count": 3000, "newest": "1h", "every": "1h", "takes": "10m"},
        "runs": [{"record": run(9, "the_newest", "FAILED", "now-10m", "now-5m")}],
    })
}

#[test]
fn latest_is_the_newest_run_in_a_long_list_of_any_order() {
    in_parallel(
        &["newest_first", "oldest_first"],
        |list| (*list).to_owned(),
        |list| {
            let mut pipeline = long();
            pipeline["list"] = (*list).into();
            let service = service_of(pipeline);
            let outcome = latest(&service).play();
            outcome.assert_ended("failed", 1);
            assert_eq!(outcome.output("run-id"), "the_newest");
            assert_eq!(service.requests_to(On::Runs).len(), 1);
            outcome.assert_noted("latest is run the_newest");
            // The run itself is over, and in the list: its past is what the others did.
            let past = &outcome.report()["pipelines"][0];
            assert_eq!((&past["runs"], &past["passed"]), (&json!(49), &json!(49)));
            let outcome = latest(&service).with("run-id", "last-success").play();
            outcome.assert_ended("passed", 0);
            assert_ne!(outcome.output("run-id"), "the_newest");
        },
    );
}

/// Only an entry of the user may be the integer `id`.
#[test]
fn the_chosen_run_is_never_another_one_whose_number_its_id_is() {
    let service = service_of(json!({"runs": [{"record": run(9, "45", "FAILED", "now-10m", "now-5m")}]}));
    let other = run(45, "another", "SUCCESS", "2024-01-14T06:00:00Z", "2024-01-14T06:10:00Z");
    service.order(On::Run, Reply::json(200, other).forever());
    latest(&service).with("timeout", "2").play().assert_ended("unreachable", 6);
    latest(&service).with("run-id", "45").with("timeout", "2").play().assert_ended("passed", 0);
}

#[test]
fn a_chosen_run_whose_record_never_comes_is_unreachable() {
    let service = service_of(json!({"runs": [{"record": run(9, "r", "SUCCESS", "now-10m", "now-5m")}]}));
    service.order(On::Run, Reply::hang().forever());
    latest(&service).with("timeout", "2").play().assert_ended("unreachable", 6);
}

#[test]
fn latest_is_waited_for_and_its_own_record_decides() {
    // The list may say what it likes.
    let raw = json!({"status": true, "data": [
        run(1, "old", "SUCCESS", "2024-01-14T06:00:00Z", "2024-01-14T06:10:00Z"),
        run(2, "new", "SUCCESS", "2024-01-15T06:00:00Z", "2024-01-15T06:10:00Z"),
        null_of_another_pipeline(),
    ]});
    let then = json!([{"looks": 2, "set": {"last_status": "FAILED", "updated_at": "2024-01-15T06:20:00Z"}}]);
    let runs = json!([
        {"record": run(1, "old", "SUCCESS", "2024-01-14T06:00:00Z", "2024-01-14T06:10:00Z")},
        {"record": run(2, "new", "RUNNING", "2024-01-15T06:00:00Z", "2024-01-15T06:00:00Z"), "then": then},
    ]);
    let service = service_of(json!({"list": {"raw": raw}, "runs": runs}));
    let outcome = latest(&service).play();
    outcome.assert_ended("failed", 1);
    assert_eq!(outcome.output("run-id"), "new");
    assert_eq!(service.requests_to(On::Run).len(), 3);
}

/// A record that another pipeline's list would have: no reason to doubt this one.
fn null_of_another_pipeline() -> Value {
    json!({"pipeline_id": "another", "pipeline_run_id": "x", "created_at": null})
}

#[test]
fn a_record_that_can_not_be_put_in_order_never_exposes_an_older_success() {
    let odd = [
        json!(null),
        json!({"pipeline_id": PIPELINE, "last_status": "FAILED", "pipeline_run_id": "x"}),
        json!({"pipeline_run_id": "x", "created_at": "2024-01-16T06:00:00Z"}),
        run(9, "x", "FAILED", "yesterday", "yesterday"),
        run(1, "x", "FAILED", "2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z"),
    ];
    in_parallel(&odd, Value::to_string, |odd| {
        let success = run(1, "fine", "SUCCESS", "2024-01-15T10:30:00Z", "2024-01-15T10:45:00Z");
        let runs = json!([{"record": success}]);
        let service = service_of(json!({"list": {"raw": [success, odd]}, "runs": runs}));
        let outcome = latest(&service).with("max-outage", "1s").play();
        outcome.assert_ended("unreachable", 6);
        assert_eq!((outcome.output("run-id"), outcome.output("pipeline-id")), ("", PIPELINE));
        assert_eq!(service.requests_to(On::Run).len(), 0, "no other run is looked at instead");
        // What could not be resolved is a case under the text given.
        let cases = outcome.junit.as_ref().expect("a JUnit report");
        assert_eq!((cases[0].name.as_str(), cases[0].class.as_str()), (PIPELINE, "maestro-gate"));
        // For a proven success it is passed over, and counted.
        let outcome = latest(&service).with("run-id", "last-success").play();
        outcome.assert_ended("passed", 0);
        assert_eq!(outcome.output("run-id"), "fine");
    });
}

#[test]
fn one_page_of_a_list_never_exposes_an_older_success() {
    let success = run(1, "fine", "SUCCESS", "2024-01-15T10:30:00Z", "2024-01-15T10:45:00Z");
    let bare = json!([success]);
    let next = ("link", r#"</runs?page=1>; rel="first", </runs?page=2>; rel="next""#);
    let last = ("link", r#"</runs?page=1>; rel="last", </style.css>; rel=preload"#);
    let whole =
        json!({"data": [success], "meta": {"total": 1, "next": null}, "page": 1, "pages": 1, "count": 1, "x": 300});
    type Row = (&'static str, Value, Option<(&'static str, &'static str)>, &'static str, i32);
    let rows: [Row; 7] = [
        ("a link to the next", bare.clone(), Some(next), "unreachable", 6),
        ("a total in a header", bare.clone(), Some(("x-total-count", "300")), "unreachable", 6),
        ("meta", json!({"data": [success], "meta": {"total": 300, "next": 2}}), None, "unreachable", 6),
        ("pages", json!({"data": [success], "page": 1, "pages": 30, "count": 300}), None, "unreachable", 6),
        ("a link to the last", bare.clone(), Some(last), "passed", 0),
        ("a total that is there", bare, Some(("x-total-count", "1")), "passed", 0),
        ("one page of one", whole, None, "passed", 0),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, list, header, verdict, code)| {
            let service = service_of(json!({"list": {"raw": list}, "runs": [{"record": success}]}));
            if let Some((name, value)) = header {
                service.order(On::Runs, Reply::normal().header(name, value).forever());
            }
            latest(&service).with("max-outage", "1s").play().assert_ended(verdict, *code);
            assert_eq!(service.requests_to(On::Run).len(), usize::from(*code == 0));
        },
    );
}

#[test]
fn a_pipeline_without_such_a_run_is_not_found() {
    let failed = json!([{"record": run(1, "f", "FAILED", "2024-01-15T10:30:00Z", "2024-01-15T10:45:00Z")}]);
    let service = service_of(json!({"runs": failed}));
    let outcome = latest(&service).with("run-id", "last-success").play();
    outcome.assert_ended("not-found", 4);
    assert_eq!(service.requests_to(On::Runs).len(), 1, "no success of before can come about any more");
    let service = service_of(json!({}));
    for reply in [Reply::normal(), Reply::text(200, "null"), Reply::status(404)] {
        service.order(On::Runs, reply.times(10));
        let outcome = latest(&service).with("appear-timeout", "0").play();
        outcome.assert_ended("not-found", 4);
    }
}

#[test]
fn what_goes_wrong_with_the_list_goes_wrong_as_with_a_run() {
    type Row = (&'static str, Vec<Reply>, &'static str, i32);
    let rows: [Row; 12] = [
        ("a 503 or two", vec![Reply::status(503).times(2)], "passed", 0),
        ("half a list", vec![Reply::normal().cut_at(100), Reply::reset(), Reply::html(200)], "passed", 0),
        ("a token refused", vec![Reply::status(401)], "passed", 0),
        ("no right", vec![Reply::status(403).forever()], "denied", 5),
        ("a redirect elsewhere", vec![Reply::redirect(302, "http://127.0.0.1:9/x")], "passed", 0),
        ("a wrong request", vec![Reply::status(400)], "passed", 0),
        ("an outage", vec![Reply::status(500).forever()], "unreachable", 6),
        ("a copy of when the gate had begun", vec![Reply::normal().header("age", "1").forever()], "passed", 0),
        ("a copy from before", vec![Reply::normal().header("age", "60").forever()], "unreachable", 6),
        ("a copy from before, then none", vec![Reply::normal().header("age", "60").times(2)], "passed", 0),
        ("a copy of unknown age", vec![Reply::normal().header("age", "-1").forever()], "unreachable", 6),
        (
            "too much",
            vec![Reply::normal().append("x").endless().gzip(crate::stand_in::Gzip::Right).forever()],
            "unreachable",
            6,
        ),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(name, replies, verdict, code)| {
            let service = service();
            service.script(On::Runs, replies.iter().cloned());
            let story =
                Story::at(&service).with("run-id", "last-success").with("max-age", "any").with("max-outage", "7s");
            // A refusal is confirmed for a minute, or up to the deadline.
            let story = if *name == "no right" { story.with("timeout", "3s") } else { story };
            story.play().assert_ended(verdict, *code);
        },
    );
}

#[test]
fn several_pipelines_are_each_asked_and_each_have_their_own_end() {
    let one = |id: &str, status: &str| {
        json!({"pipeline_id": id, "runs": [{"record":
            {"pipeline_run_id": format!("{id}_run"), "last_status": status, "created_at": "now-10m", "updated_at": "now-5m"}}]})
    };
    let pipelines = json!([one("sales", "SUCCESS"), one("stock", "FAILED")]);
    let service = Service::start(scenario(json!({"pipelines": pipelines})));
    let outcome =
        latest(&service).with("pipeline-id", "sales stock").with("run-id", "latest,stock/last-success").play();
    outcome.assert_ended("failed", 1);
    assert_eq!(outcome.verdicts(), ["passed", "failed", "not-found"]);
    let ids: Vec<&Value> =
        outcome.report()["runs"].as_array().expect("runs").iter().map(|run| &run["run_id"]).collect();
    assert_eq!(ids, [&json!("sales_run"), &json!("stock_run"), &Value::Null]);
}

#[test]
fn a_success_is_as_fresh_as_the_service_s_own_clock_says() {
    let ended = |updated: &str| json!([{"record": run(1, "r", "SUCCESS", "now-3h", updated)}]);
    type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, i32);
    let rows: [Row; 10] = [
        ("young", "0s", "now-1h", "2h", "passed", 0),
        ("old", "0s", "now-1h", "30m", "stale", 7),
        ("old, but any will do", "0s", "now-1h", "any", "passed", 0),
        ("young, though this machine is hours ahead", "-20h", "now-1h", "2h", "passed", 0),
        ("young by a clock that may be a month late", "-30d", "now-1h", "2h", "stale", 7),
        ("old, though this machine is a month behind", "30d", "now-1h", "30m", "stale", 7),
        ("ahead within reason", "0s", "now+4m", "30m", "passed", 0),
        ("in the future", "0s", "now+10m", "30m", "stale", 7),
        ("without an end", "0s", "soon", "30m", "stale", 7),
        ("cached for an hour", "0s", "now-1m", "30m", "stale", 7),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(name, skew, updated, age, verdict, code)| {
            let pipeline = json!({"pipeline_id": PIPELINE, "runs": ended(updated)});
            for run in ["r", "latest", "last-success"] {
                let service = Service::start(scenario(json!({"skew": skew, "pipelines": [pipeline]})));
                if name.contains("cached") {
                    service.order(On::Run, Reply::normal().header("age", "3600"));
                }
                let story = Story::at(&service).with("run-id", run).with("max-age", age);
                story.play().assert_ended(verdict, *code);
            }
        },
    );
    // Without the service's clock nobody knows.
    let service = service_of(json!({"runs": ended("now-1m")}));
    service.order(On::Run, Reply::normal().without_header("date"));
    Story::at(&service).with("run-id", "r").with("max-age", "1h").play().assert_ended("stale", 7);
    // Nor by two that differ, of which the first says what a pass would need.
    let service = service_of(json!({"runs": ended("now-2h")}));
    service.order(On::Run, Reply::normal().header("date", "now-2h").header("date", "now+0s"));
    Story::at(&service).with("run-id", "r").with("max-age", "1h").play().assert_ended("stale", 7);
}

#[test]
fn a_run_that_started_before_started_after_is_stale() {
    let runs = |created: &str| json!({"runs": [{"record": run(1, "r", "SUCCESS", created, "2024-01-15T10:45:23Z")}]});
    let rows = [
        ("2024-01-15T10:30:00.000Z", "2024-01-15T10:30:00Z", "passed", 0),
        ("2024-01-15T10:30:00.000Z", "2024-01-15T07:30:00-03:00", "passed", 0),
        ("2024-01-15T10:30:00.000Z", "1705314600", "passed", 0),
        ("2024-01-15T10:30:00.000Z", "2024-01-15T10:30:01Z", "stale", 7),
        ("2024-01-15T10:29:59.999Z", "1705314600", "stale", 7),
        ("now+10m", "2024-01-15T10:30:00Z", "stale", 7),
        ("now-5s", "2024-01-15T10:30:00Z", "passed", 0),
    ];
    in_parallel(
        &rows,
        |row| format!("{row:?}"),
        |(created, started_after, verdict, code)| {
            for run in ["r", "latest", "last-success"] {
                let service = service_of(runs(created));
                let outcome = Story::at(&service).with("run-id", run).with("started-after", started_after).play();
                outcome.assert_ended(verdict, *code);
            }
        },
    );
    // Without the service's clock nobody knows whether a start is in the future.
    for created in ["now+10m", "now-5s"] {
        let service = service_of(runs(created));
        service.order(On::Run, Reply::normal().without_header("date"));
        let outcome = Story::at(&service).with("run-id", "r").with("started-after", "2024-01-15T10:30:00Z").play();
        outcome.assert_ended("stale", 7);
        assert!(outcome.log().contains("the answer has no readable Date header"), "{}", outcome.log());
    }
    // A run whose start can't be read can be asked for by its id alone.
    let service = service_of(runs("soon"));
    let outcome = Story::at(&service).with("run-id", "r").with("started-after", "2024-01-15T10:30:00Z").play();
    outcome.assert_ended("stale", 7);
    // Both limits hold, and a failed run is failed, however old it is.
    let service = service_of(runs("2024-01-15T10:30:00.000Z"));
    let both = |age: &str| {
        Story::at(&service).with("run-id", "r").with("started-after", "1705314600").with("max-age", age).play()
    };
    both("1h").assert_ended("stale", 7);
    both("any").assert_ended("passed", 0);
    let service = service_of(json!({"runs": [{"record": run(1, "r", "FAILED", "now-2d", "now-2d")}]}));
    let outcome = Story::at(&service).with("run-id", "latest").with("started-after", "1705314600").play();
    outcome.assert_ended("failed", 1);
    let outcome = Story::at(&service).with("run-id", "latest").with("started-after", "missing").play();
    outcome.assert_ended("invalid-input", 2);
}

#[test]
fn a_list_is_no_poll_of_the_run_that_it_names() {
    let service = service();
    let story = Story::at(&service).with("run-id", "last-success").with("max-age", "any").with("details", "false");
    story.play().assert_ended("passed", 0);
    // That nothing is waited for in between is held where a busy machine has no say (`core/monitor/tests/run_choice.rs`).
    let asked: Vec<On> = service.requests().iter().map(|seen| seen.on).collect();
    assert_eq!(asked, [On::SignIn, On::Runs, On::Run]);
}

#[test]
fn polling_once_chooses_and_polls_once() {
    let service = service();
    let outcome = Story::at(&service).with("run-id", "last-success").with("max-age", "any").with("timeout", "0").play();
    outcome.assert_ended("passed", 0);
    assert_eq!((service.requests_to(On::Runs).len(), service.requests_to(On::Run).len()), (1, 1));
    let outcome = latest(&service).with("timeout", "0").play();
    outcome.assert_ended("timed-out", 3);
    // Runs that are named need no list.
    let service = crate::harness::service();
    Story::at(&service).play().assert_ended("passed", 0);
    assert_eq!(service.requests_to(On::Runs).len(), 0);
}
