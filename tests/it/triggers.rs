//! `trigger` makes one request to start a run, whatever happens to the answer, and waits for the run that it started.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{PIPELINE, Story, TOKEN_MADE_ELSEWHERE, in_parallel, scenario, service, service_of, with_keys};
use crate::stand_in::{On, Reply, Service};

/// What an execution does: ends so, so many seconds after it began.
pub fn ends(word: &str, after: &str) -> Value {
    json!([{"then": [{"after": after, "set": {"last_status": word, "updated_at": format!("begin+{after}")}}]}])
}

/// A service with one pipeline of these keys, whose executions succeed after a second unless they say otherwise.
pub fn with(pipeline: Value) -> Service {
    let succeeds = json!({"executions": ends("SUCCESS", "1s"),
        "history": {"count": 3, "newest": "1h", "every": "1h", "takes": "10m"}});
    service_of(with_keys(succeeds, pipeline))
}

pub fn trigger(service: &Service) -> Story<'_> {
    Story::at(service)
        .without("run-id")
        .with("trigger", "true")
        .with("appear-timeout", "3s")
        .with("poll-interval", "1s")
}

#[test]
fn whatever_becomes_of_the_answer_the_service_is_asked_once() {
    type Row = (&'static str, Option<Reply>, &'static str, i32);
    let late = Duration::from_secs(2);
    let rows: [Row; 20] = [
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
        ("403", Some(Reply::status(403)), "denied", 5),
        ("404", Some(Reply::status(404)), "not-found", 4),
        ("a redirect", Some(Reply::redirect(307, "/platform/pipeline/execute")), "not-started", 8),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, reply, verdict, code)| {
            let service = with(json!({}));
            if let Some(reply) = reply {
                service.order(On::Execute, reply.clone());
            }
            let outcome = trigger(&service).play();
            outcome.assert_ended(verdict, *code);
            let asked = service.requests_to(On::Execute);
            assert_eq!(asked.len(), 1);
            assert_eq!(asked[0].body, format!(r#"{{"pipeline_id":"{PIPELINE}"}}"#).into_bytes());
            let before = service.requests().into_iter().map(|seen| seen.on).take_while(|on| *on != On::Execute);
            assert!(before.collect::<Vec<On>>().contains(&On::Runs), "the list from before comes first");
        },
    );
}

#[test]
fn a_start_that_was_certainly_not_executed_is_made_again_after_the_list_was_read_anew() {
    type Row = (&'static str, Reply, &'static str, i32, usize);
    let rows: [Row; 5] = [
        ("429 once", Reply::status(429), "passed", 0, 2),
        ("429 with Retry-After", Reply::status(429).retry_after(2).times(2), "passed", 0, 3),
        ("429 for ever", Reply::status(429).forever(), "unreachable", 6, 0),
        ("401 once", Reply::status(401), "passed", 0, 2),
        ("401 for ever", Reply::status(401).forever(), "denied", 5, 2),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, reply, verdict, code, starts)| {
            let service = with(json!({}));
            service.order(On::Execute, reply.clone());
            let outcome = trigger(&service).with("max-outage", "6s").play();
            outcome.assert_ended(verdict, *code);
            let asked: Vec<On> = service.requests().iter().map(|seen| seen.on).collect();
            let executes = asked.iter().filter(|on| **on == On::Execute).count();
            assert!(*starts == executes || *starts == 0 && (2..=6).contains(&executes), "{asked:?}");
            let mut list_is_new = false;
            for on in asked {
                assert!(on != On::Execute || list_is_new, "a list comes before each request to start");
                list_is_new = on == On::Runs || list_is_new && on != On::Execute;
            }
        },
    );
    // Nothing renews this token, so that nothing fixes its refusal.
    let service = with(json!({}));
    service.order(On::Execute, Reply::status(401));
    let story = trigger(&service).without_password();
    story.secret_env("DADOSFERA_ACCESS_TOKEN", TOKEN_MADE_ELSEWHERE).play().assert_ended("denied", 5);
    assert_eq!(service.requests_to(On::Execute).len(), 1);
}

#[test]
fn what_others_started_while_a_start_was_put_off_is_met_as_if_running_says() {
    for (mode, verdict, code, executes) in [("fail", "not-started", 8, 1), ("attach", "passed", 0, 1)] {
        let then = json!([{"looks": 2, "set": {"last_status": "SUCCESS", "updated_at": "now+0s"}}]);
        let runs = json!([{"record": {"pipeline_run_id": "cron", "created_at": "begin+1s"}, "then": then}]);
        let service = with(json!({"runs": runs}));
        service.order(On::Runs, before(&[]));
        service.order(On::Execute, Reply::status(429).retry_after(1));
        let outcome = trigger(&service).with("if-running", mode).play();
        outcome.assert_ended(verdict, code);
        assert_eq!(service.requests_to(On::Execute).len(), executes);
    }
}

/// The list from before the start, which shows nothing but these. What the service has beside them comes up later, however long
/// the start takes.
fn before(records: &[Value]) -> Reply {
    Reply::json(200, json!(records))
}

/// The documented shape of a run's id, of one digit.
fn id_of(digit: char) -> String {
    String::from("xxxxxxxx_xxxx_xxxx_xxxx_xxxxxxxxxxxx").replace('x', &digit.to_string())
}

fn named(id: &str) -> Reply {
    Reply::json(200, json!({"status": true, "data": {"message": "ok", "pipeline_id": PIPELINE, "run_id": id}}))
}

#[test]
fn the_run_that_the_service_named_is_the_only_one_that_counts() {
    let (ours, stranger) = (id_of('1'), id_of('2'));
    let run = |id: &str, word: &str| json!({"record": {"pipeline_run_id": id, "created_at": "begin+1s", "last_status": word, "updated_at": "now+0s"}});
    // Not there at the first request.
    let late = |word: &str| {
        let then = json!([{"looks": 1, "hidden": false}]);
        let mut late = run(&ours, word);
        (late["hidden"], late["then"]) = (true.into(), then);
        late
    };
    let earlier = json!({"pipeline_run_id": id_of('0'), "pipeline_id": PIPELINE, "created_at": "2024-01-15T10:30:00Z",
        "updated_at": "2024-01-15T10:45:00Z", "last_status": "SUCCESS"});
    let old = json!({"record": {"pipeline_run_id": ours, "created_at": "begin-2h", "last_status": "SUCCESS"}});
    type Row = (&'static str, Vec<Value>, Vec<Value>, &'static str, &'static str, i32);
    let shown = || vec![earlier.clone()];
    let rows: [Row; 6] = [
        // The list from before did not show it.
        ("an old success by that name", shown(), vec![old], "5m", "unreachable", 6),
        ("a stranger alone", shown(), vec![run(&stranger, "SUCCESS")], "5s", "not-found", 4),
        ("a stranger alone, in an empty list", vec![], vec![run(&stranger, "SUCCESS")], "5s", "not-found", 4),
        ("nobody", shown(), vec![], "5s", "not-found", 4),
        ("ours fails", shown(), vec![run(&stranger, "SUCCESS"), late("FAILED")], "5m", "failed", 1),
        ("ours succeeds", shown(), vec![run(&stranger, "FAILED"), late("SUCCESS")], "5m", "passed", 0),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, shown, runs, appear, verdict, code)| {
            let service = service_of(json!({"runs": runs}));
            service.order(On::Runs, before(shown));
            service.order(On::Execute, named(&ours));
            let outcome = trigger(&service).with("appear-timeout", *appear).with("max-outage", "3s").play();
            outcome.assert_ended(verdict, *code);
            assert!(service.requests_to(On::Run).iter().any(|seen| seen.path.ends_with(&ours)), "ours is asked for");
            assert_eq!(outcome.output("run-id"), ours);
        },
    );
}

#[test]
fn an_id_that_need_not_be_a_run_s_is_asked_for_once() {
    let manual = "manual__2024-12-18T10:30:00+00:00";
    let path = "manual__2024-12-18T10%3A30%3A00%2B00%3A00";
    // The service has a record for it.
    let then = json!([{"after": "2s", "set": {"last_status": "FAILED"}}]);
    let hidden = json!({"record": {"pipeline_run_id": manual, "created_at": "begin+1s"}, "then": then});
    let stranger =
        json!({"record": {"pipeline_run_id": id_of('2'), "created_at": "begin+1s", "last_status": "SUCCESS"}});
    let runs = json!([stranger]);
    let service = service_of(json!({"runs": [hidden, stranger]}));
    service.order(On::Runs, Reply::json(200, json!([])).forever());
    service.order(On::Execute, named(manual));
    let outcome = trigger(&service).play();
    outcome.assert_ended("failed", 1);
    assert_eq!(outcome.output("run-id"), manual);
    // It has none: whatever is new is waited for, and the report says that this is no proof.
    let service = service_of(json!({"runs": runs}));
    service.order(On::Runs, before(&[]));
    service.order(On::Execute, named(manual));
    let outcome = trigger(&service).play();
    outcome.assert_ended("passed", 0);
    let asked = |path: &str| service.requests_to(On::Run).iter().filter(|seen| seen.path.ends_with(path)).count();
    assert_eq!(asked(path), 1);
    outcome.assert_noted("no proof");
}

#[test]
fn a_request_to_start_that_is_under_way_at_the_deadline_may_have_started_a_run() {
    // Where the machine is too busy to ask before the deadline, with a later one.
    let is_asked = ["4s", "16s", "64s"].into_iter().any(|timeout| {
        let service = with(json!({}));
        service.order(On::Execute, Reply::hang());
        let outcome = trigger(&service).with("timeout", timeout).play();
        let asked = service.requests_to(On::Execute).len();
        if asked > 0 {
            outcome.assert_ended("unreachable", 6);
            assert!(outcome.log().contains("a run may have been started"), "{}", outcome.log());
            assert_eq!(asked, 1);
        }
        asked > 0
    });
    assert!(is_asked, "nothing was started within a minute");
}

#[test]
fn the_run_that_was_started_decides_and_is_reported() {
    in_parallel(&[true, false], ToString::to_string, |shares| {
        let service = with(json!({"executions": ends("FAILED", "2s"), "shares_run_id": shares}));
        let outcome = trigger(&service).play();
        outcome.assert_ended("failed", 1);
        assert_eq!(outcome.output("status"), "FAILED");
        assert_eq!(outcome.output("run-id").starts_with("manual__"), *shares);
        outcome.assert_noted("accepted the request to start");
        let proof =
            if *shares { "it has the id from the service's answer" } else { "no proof that it is the started run" };
        outcome.assert_noted(proof);
        // The run that the service has named needs no list to be found; and before a failure none is read again.
        assert_eq!(service.requests_to(On::Runs).len(), if *shares { 1 } else { 2 });
    });
}

#[test]
fn a_paused_pipeline_is_not_started() {
    let service = with(json!({"paused": true}));
    let outcome = trigger(&service).play();
    outcome.assert_ended("not-started", 8);
    assert_eq!((outcome.output("run-id"), outcome.output("pipeline-id")), ("", PIPELINE));
    assert!(outcome.log().contains("PipelinePaused"), "{}", outcome.log());
    let cases = outcome.junit.as_ref().expect("a JUnit report");
    assert_eq!((cases[0].name.as_str(), cases[0].class.as_str()), (PIPELINE, "maestro-gate"));
}

/// A run that is in progress for twelve seconds more.
fn going() -> Value {
    let then = json!([{"after": "12s", "set": {"last_status": "SUCCESS", "updated_at": "begin+12s"}}]);
    json!([{"record": {"pipeline_run_id": "earlier", "created_at": "begin-10m"}, "then": then}])
}

#[test]
fn behind_a_run_that_is_running_the_gate_queues_attaches_or_fails() {
    type Row = (&'static str, &'static str, i32, usize, &'static str);
    let rows: [Row; 3] = [
        // That is four times the appear timeout, which stands still for as long.
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
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(mode, verdict, code, executes, noted)| {
            let service = with(json!({"runs": going(), "executions": ends("FAILED", "1s")}));
            let outcome = trigger(&service).with("if-running", *mode).play();
            outcome.assert_ended(verdict, *code);
            assert_eq!(service.requests_to(On::Execute).len(), *executes);
            assert!(noted.is_empty() || outcome.is_noted(noted), "{:?}", outcome.notes());
            if *mode == "fail" {
                assert!(outcome.log().contains("a run is already in progress: earlier"), "{}", outcome.log());
            }
        },
    );
}

/// A run that a schedule starts just before ours: the list from before does not show it.
fn by_schedule(word: &str) -> Value {
    let then = json!([{"looks": 2, "set": {"last_status": word, "updated_at": "now+0s"}}]);
    json!([{"record": {"pipeline_run_id": "cron", "created_at": "begin+1s"}, "then": then}])
}

#[test]
fn of_several_new_runs_all_are_waited_for_and_the_worst_decides() {
    in_parallel(
        &["SUCCESS", "FAILED"],
        |word| (*word).to_owned(),
        |word| {
            // Shown as queued behind it, ours is seen at once; it is started again and again with the same end.
            let service = with(json!({"runs": by_schedule(word), "shows_queued": true}));
            service.order(On::Runs, before(&[]));
            let outcome = trigger(&service).play();
            if *word == "SUCCESS" {
                outcome.assert_ended("passed", 0)
            } else {
                outcome.assert_ended("failed", 1)
            };
            assert_eq!(outcome.report()["runs"].as_array().expect("runs").len(), 2, "{}", outcome.log());
        },
    );
}

#[test]
fn what_passes_while_an_earlier_run_is_running_is_not_passed_on() {
    let runs: Vec<Value> =
        [going(), by_schedule("SUCCESS")].iter().flat_map(|runs| runs.as_array().expect("runs").clone()).collect();
    // Ours begins when the earlier run has ended, long after the scheduled one.
    let service = with(json!({"runs": runs, "executions": ends("FAILED", "1s")}));
    let earlier = json!({"pipeline_run_id": "earlier", "pipeline_id": PIPELINE, "created_at": "2024-01-15T10:30:00Z", "last_status": "RUNNING"});
    service.order(On::Runs, before(&[earlier]));
    let outcome = trigger(&service).play();
    outcome.assert_ended("failed", 1);
    outcome.assert_noted("run earlier of the pipeline is still in progress");
    assert!(outcome.log().contains("re-run this job, which starts a new run"), "{}", outcome.log());
}

#[test]
fn before_a_pass_the_list_is_read_once_more() {
    let service = with(json!({}));
    let outcome = trigger(&service).play();
    outcome.assert_ended("passed", 0);
    assert_eq!(service.requests_to(On::Runs).len(), 3);
    // If that can't be had, there is no pass.
    let service = with(json!({}));
    service.script(On::Runs, [Reply::normal(), Reply::normal(), Reply::status(503).forever()]);
    let outcome = trigger(&service).with("max-outage", "2s").play();
    outcome.assert_ended("unreachable", 6);
    // With the very id there is nothing to read again.
    let service = with(json!({"shares_run_id": true}));
    trigger(&service).play().assert_ended("passed", 0);
    assert_eq!(service.requests_to(On::Runs).len(), 1);
}

#[test]
fn a_list_that_can_not_serve_starts_nothing() {
    let odd = json!([{"pipeline_id": PIPELINE, "pipeline_run_id": "x"}]);
    let service = with(json!({"list": {"raw": odd}}));
    trigger(&service).with("max-outage", "2s").play().assert_ended("unreachable", 6);
    assert_eq!(service.requests_to(On::Execute).len(), 0);
    let service = with(json!({}));
    service.order(On::Runs, Reply::normal().without_header("date").forever());
    trigger(&service).with("max-outage", "2s").play().assert_ended("unreachable", 6);
    assert_eq!(service.requests_to(On::Execute).len(), 0);
}

#[test]
fn several_pipelines_are_started_once_each() {
    let one = |id: &str, word: &str| json!({"pipeline_id": id, "executions": ends(word, "1s")});
    let service = Service::start(scenario(json!({"pipelines": [one("sales", "SUCCESS"), one("stock", "FAILED")]})));
    let outcome = trigger(&service).with("pipeline-id", "sales,stock").play();
    outcome.assert_ended("failed", 1);
    assert_eq!(outcome.verdicts(), ["passed", "failed"]);
    assert_eq!(service.requests_to(On::Execute).len(), 2);
}

#[test]
fn inputs_that_make_no_sense_with_trigger_are_input_errors_and_nothing_is_started() {
    let service = with(json!({}));
    for (input, value) in [("run-id", "x"), ("timeout", "0"), ("if-running", "wait")] {
        let outcome = trigger(&service).with(input, value).play();
        outcome.assert_ended("invalid-input", 2);
        assert!(outcome.log().contains(&format!("- {input} \"{value}\"")), "{}", outcome.log());
    }
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn a_start_that_the_time_limit_leaves_no_time_for_is_reported_as_that() {
    let service = service();
    service.order(On::SignIn, Reply::normal().delay(Duration::from_secs(4)));
    let story = Story::at(&service).without("run-id").with("trigger", "true").with("timeout", "3s");
    let outcome = story.play();
    outcome.assert_ended("not-started", 8);
    assert_eq!(service.requests_to(On::Execute).len(), 0);
    assert!(outcome.log().contains("the timeout was reached first"), "{}", outcome.log());
    assert!(outcome.log().contains("next step: raise timeout, then re-run this job"), "{}", outcome.log());
}
