//! Timelines, lists, histories and what "execute" starts.

use super::*;
use crate::stand_in::{On, Reply};

fn statuses(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|run| run["last_status"].as_str().expect("a word")).collect()
}

#[test]
fn a_run_may_appear_change_and_vanish_by_polls() {
    let service = Service::start(playing(json!([{
        "record": {"pipeline_run_id": SUCCESS}, "hidden": true,
        "then": [{"looks": 1, "hidden": false}, {"looks": 2, "set": {"last_status": "SUCCESS"}}, {"looks": 3, "hidden": true}],
    }])));
    let look = || get(&service, RUN_PATH).json()["last_status"].as_str().map(str::to_owned);
    assert_eq!(look(), None);
    assert_eq!(statuses(&list(&service)), ["RUNNING"], "a list shows a run, and is no look at it");
    assert_eq!(look().as_deref(), Some("RUNNING"));
    assert_eq!(look().as_deref(), Some("SUCCESS"));
    assert_eq!(look(), None);
    assert_eq!(list(&service), json!([]));
}

#[test]
fn stamps_follow_the_services_clock() {
    let json = json!({"starts_at": "2024-01-15T10:00:00Z", "skew": "-90s", "pipelines": [{"pipeline_id": PIPELINE, "runs": [
        {"record": {"pipeline_run_id": SUCCESS, "created_at": "begin-1h", "updated_at": "now+1h"}},
        {"record": {"pipeline_run_id": "odd", "created_at": "yesterday", "updated_at": null}},
    ]}]});
    let service = Service::start(scenario(json));
    let came = get(&service, RUN_PATH);
    assert_eq!(came.json()["created_at"], "2024-01-15T08:58:30.000Z");
    assert!(came.json()["updated_at"].as_str().expect("a stamp").starts_with("2024-01-15T10:58:3"));
    assert!(came.header("date").expect("a date").starts_with("Mon, 15 Jan 2024 09:58:3"));
    let odd = get(&service, &RUN_PATH.replace(SUCCESS, "odd")).json();
    assert_eq!((&odd["created_at"], &odd["updated_at"]), (&json!("yesterday"), &Value::Null));
}

#[test]
fn the_services_clock_begins_with_the_first_request_or_when_started() {
    let run = json!({"record": {"pipeline_run_id": SUCCESS, "created_at": "begin"},
        "then": [{"after": "1000s", "set": {"last_status": "SUCCESS"}}]});
    let json = json!({"speed": 1000.0, "pipelines": [{"pipeline_id": PIPELINE, "runs": [run]}]});
    let shown_after_a_pause = |shown: bool| {
        let service = Service::start(scenario(json.clone()));
        if shown {
            service.begin();
        }
        assert!(!service.wait_for(On::Any, 1, Duration::from_millis(1250)), "nobody asked");
        get(&service, RUN_PATH).json()["last_status"].clone()
    };
    assert_eq!((shown_after_a_pause(false), shown_after_a_pause(true)), (json!("RUNNING"), json!("SUCCESS")));
}

#[test]
fn a_list_is_newest_first_unless_the_scenario_says_otherwise() {
    let ids = |list: Value| -> Vec<u64> {
        list.as_array().expect("a list").iter().map(|run| run["id"].as_u64().expect("an id")).collect()
    };
    let with = |order: Value| {
        let runs = json!([{"record": {"id": 1}}, {"record": {"id": 2}}]);
        Service::start(scenario(json!({"pipelines": [{"pipeline_id": PIPELINE, "runs": runs, "list": order}]})))
    };
    assert_eq!(ids(list(&with(json!("newest_first")))), [2, 1]);
    assert_eq!(ids(list(&with(json!("oldest_first")))), [1, 2]);
    assert_eq!(list(&with(json!({"raw": {"runs": "none"}}))), json!({"runs": "none"}));
}

#[test]
fn a_history_is_made_by_rule() {
    let history = json!({"count": 3, "newest": "2h", "every": "1d", "takes": "15m", "spread": "10m",
        "last_status": ["SUCCESS", "FAILED"]});
    let json = json!({"starts_at": "2024-01-15T10:00:00Z", "pipelines": [{"pipeline_id": PIPELINE, "history": history,
        "runs": [{}]}]});
    let runs = list(&Service::start(scenario(json)));
    assert_eq!(statuses(&runs), ["RUNNING", "SUCCESS", "FAILED", "SUCCESS"]);
    assert_eq!(runs[1]["created_at"], "2024-01-15T08:00:00.000Z");
    assert_eq!(runs[1]["updated_at"], "2024-01-15T08:15:00.000Z");
    assert_eq!(runs[3]["created_at"], "2024-01-13T08:00:00.000Z");
    assert_ne!(runs[2]["updated_at"], "2024-01-14T08:15:00.000Z", "run times are spread");
    let ids: std::collections::BTreeSet<_> =
        runs.as_array().expect("a list").iter().map(|run| run["id"].as_u64()).collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_history_can_have_any_shape() {
    let history = json!({"count": 4, "newest": "2h", "every": "1d", "takes": ["15m", 60], "trace": ["disk full"],
        "last_status": ["FAILED", "SUCCESS", "SUCCESS"]});
    let json =
        json!({"starts_at": "2024-01-15T10:00:00Z", "pipelines": [{"pipeline_id": PIPELINE, "history": history}]});
    let runs = list(&Service::start(scenario(json)));
    let ends: Vec<&str> = (0..4).filter_map(|n| runs[n]["updated_at"].as_str()).collect();
    assert_eq!(ends[..2], ["2024-01-15T08:15:00.000Z", "2024-01-14T08:01:00.000Z"]);
    assert_eq!(ends[2..], ["2024-01-13T08:15:00.000Z", "2024-01-12T08:01:00.000Z"]);
    assert_eq!(statuses(&runs), ["FAILED", "SUCCESS", "SUCCESS", "FAILED"]);
    assert_eq!((&runs[0]["trace"], &runs[1]["trace"]), (&json!("disk full"), &json!(null)));
}

#[test]
fn execute_answers_as_documented_and_the_run_is_in_the_list() {
    let json = json!({"starts_at": "2024-12-18T10:30:00Z", "speed": 0.001, "pipelines": [{"pipeline_id": PIPELINE}]});
    let service = Service::start(scenario(json));
    assert_eq!(list(&service), json!([]));
    let came = execute(&service);
    assert_eq!(
        (came.status(), came.text().as_str()),
        (
            200,
            r#"{"status":true,"data":{"message":"Pipeline execution triggered","pipeline_id":"1b33ad2f_33d3_4837_9eeb_83c82c8b909d","run_id":"manual__2024-12-18T10:30:00+00:00"}}"#
        )
    );
    let runs = list(&service);
    assert_eq!(statuses(&runs), ["RUNNING"]);
    assert!(runs[0]["created_at"].as_str().expect("a stamp").starts_with("2024-12-18T10:30:0"));
    assert_ne!(runs[0]["pipeline_run_id"], came.json()["data"]["run_id"], "the two ids are not documented to be one");
    assert!(execute(&service).text().contains("manual__2024-12-18T10:30:00.000001+00:00"), "another run, another id");
}

#[test]
fn execute_refuses_as_documented() {
    let pipelines = json!([{"pipeline_id": PIPELINE, "paused": true}]);
    let service = Service::start(scenario(json!({"pipelines": pipelines})));
    let post = |body: &str| ask(&service, "POST", "/platform/pipeline/execute", &[("authorization", "good")], body);
    let paused = execute(&service);
    assert_eq!((paused.status(), paused.json()["detail"]["exception_type"].as_str()), (400, Some("PipelinePaused")));
    let unknown = post(r#"{"pipeline_id":"q"}"#);
    assert_eq!(
        (unknown.status(), unknown.text().as_str()),
        (
            404,
            r#"{"detail":{"status":false,"exception_type":"PipelineNotFound","traceback":"Pipeline q not found","data":null}}"#
        )
    );
    for body in ["", "{}", r#"{"pipeline_id":null}"#] {
        let came = post(body);
        assert_eq!((came.status(), came.text().as_str()), (400, r#"{"detail":"pipeline_id is required"}"#), "{body}");
    }
    assert_eq!(ask(&service, "POST", "/platform/pipeline/execute", &[], "{}").status(), 401);
}

#[test]
fn an_execution_waits_for_the_run_before_it() {
    for shown in [false, true] {
        let service = Service::start(scenario(json!({"pipelines": [{
            "pipeline_id": PIPELINE, "shows_queued": shown,
            "runs": [{"record": {"pipeline_run_id": SUCCESS}, "then": [{"looks": 1, "set": {"last_status": "FAILED"}}]}],
            "executions": [{"record": {"pipeline_run_id": "second"}}],
        }]})));
        execute(&service);
        let second = || get(&service, &RUN_PATH.replace(SUCCESS, "second")).json()["last_status"].clone();
        assert_eq!(statuses(&list(&service)), if shown { vec!["QUEUED", "RUNNING"] } else { vec!["RUNNING"] });
        assert_eq!(second(), if shown { json!("QUEUED") } else { Value::Null });
        get(&service, RUN_PATH);
        assert_eq!(statuses(&list(&service)), ["RUNNING", "FAILED"]);
        assert_eq!(second(), "RUNNING");
    }
}

#[test]
fn each_execution_is_a_run_of_its_own() {
    let ended = json!({"record": {"last_status": "SUCCESS", "pipeline_run_id": "first"}});
    let service = Service::start(scenario(json!({"pipelines": [{"pipeline_id": PIPELINE, "executions": [ended]}]})));
    let (one, two) = (execute(&service).json(), execute(&service).json());
    assert_ne!(one["data"]["run_id"], two["data"]["run_id"]);
    let runs = list(&service);
    assert_eq!(runs[1]["pipeline_run_id"], "first");
    assert_ne!(runs[0]["pipeline_run_id"], "first");

    let service = Service::start(scenario(json!({"pipelines": [{"pipeline_id": PIPELINE, "shares_run_id": true}]})));
    let answered = execute(&service).json()["data"]["run_id"].clone();
    assert_eq!(list(&service)[0]["pipeline_run_id"], answered);
    // The id as one encoded path segment.
    let encoded = answered.as_str().expect("an id").replace(':', "%3A").replace('+', "%2B");
    assert_eq!(get(&service, &RUN_PATH.replace(SUCCESS, &encoded)).json()["pipeline_run_id"], answered);
}

#[test]
fn a_lost_answer_to_execute_can_mean_either() {
    let takes_place = |reply: Reply| {
        let service = Service::start(scenario(json!({"pipelines": [{"pipeline_id": PIPELINE}]})));
        service.order(On::Execute, reply);
        let came = execute(&service);
        (came.raw.is_empty(), list(&service).as_array().expect("a list").len())
    };
    assert_eq!(takes_place(Reply::reset()), (true, 1));
    assert_eq!(takes_place(Reply::reset().in_vain()), (true, 0));
    assert_eq!(takes_place(Reply::normal().with_status(502)), (false, 1));
    assert_eq!(takes_place(Reply::html(502)), (false, 0));
}
