//! Whatever text the service sends, and wherever: no runner obeys it, no report breaks, and no secret comes back.
//!
//! What each report may hold is the law's to check (`harness/law.rs`), at the end of every story.

use serde_json::{Value, json};

use crate::harness::{PASSWORD, PIPELINE, Story, USERNAME, in_parallel, scenario};
use crate::hostile::{SECRETS, hostile_texts, spellings};
use crate::stand_in::{On, Reply, Service};

const RUN: &str = "run-1";

/// A service that signs in with this password, and has one run.
fn service(password: &str, record: Value, logs: Value) -> Service {
    let mut record = record;
    record["pipeline_run_id"] = RUN.into();
    let run = json!({"record": record, "logs": logs});
    Service::start(scenario(json!({
        "accounts": [{"username": USERNAME, "password": password}],
        "pipelines": [{"pipeline_id": PIPELINE, "runs": [run]}],
    })))
}

fn story(service: &Service) -> Story<'_> {
    Story::at(service).runs(&[RUN]).with("verbose", "true").with("timeout", "0")
}

/// The texts without the spellings of secrets, which have a test of their own.
fn texts() -> Vec<String> {
    hostile_texts().into_iter().filter(|text| !text.starts_with("before ")).collect()
}

#[test]
fn hostile_traces_logs_words_and_stamps_yield_nothing() {
    in_parallel(
        &texts(),
        |text| format!("{text:.60?}"),
        |text| {
            let record = json!({"last_status": "FAILED", "trace": text, "created_at": text});
            let service = service(PASSWORD, record, json!(text));
            story(&service).play().assert_ended("failed", 1);

            let word = Reply::run(text).set("trace", text.as_str()).set("updated_at", text.as_str());
            service.order(On::Run, word.forever());
            let outcome = story(&service).with("log-format", "json").play();
            outcome.assert_ended("timed-out", 3);
            let status = outcome.output("status");
            assert!(status.len() <= 64 && status.chars().all(|c| c.is_ascii_alphanumeric() || "_ .:-?".contains(c)));
        },
    );
}

#[test]
fn hostile_errors_yield_nothing() {
    in_parallel(
        &texts(),
        |text| format!("{text:.60?}"),
        |text| {
            let service = service(PASSWORD, json!({}), Value::Null);
            let error = json!({"detail": {"traceback": text, "exception_type": text}, "message": text, "code": text});
            service.order(On::Run, Reply::json(502, error.clone()));
            service.order(On::Run, Reply::text(400, text));
            service.order(
                On::Run,
                Reply::redirect(302, &format!("https://evil.invalid/{}", text.replace(['\r', '\n', '\0'], " "))),
            );
            for _ in 0..3 {
                story(&service).play().assert_ended("unreachable", 6);
            }
            service.order(On::SignIn, Reply::json(403, error));
            story(&service).play().assert_ended("denied", 5);
        },
    );
}

#[test]
fn hostile_ids_are_ids_and_no_more() {
    let ids = [
        "::error::x",
        "##[error]x",
        "##vso[task.complete",
        "##teamcity[buildStatus",
        "`id`",
        "<script>alert(1)<script>",
        "|x|`y`|",
        "]]>",
        "&lt;",
        "a%0A::error::b",
        "%2e%2e",
        "..%2f",
        "{run_id}",
        "\u{e9}\u{1f600}",
        "verdict=passed",
        "x<<EOF",
        "\"\\",
        "---",
        "@team#1",
    ];
    in_parallel(
        &ids,
        |id| (*id).to_owned(),
        |id| {
            let run = json!({"record": {"pipeline_run_id": id, "last_status": "FAILED"}});
            let pipelines = json!([{"pipeline_id": id, "runs": [run]}]);
            let service = Service::start(scenario(json!({"pipelines": pipelines})));
            let story = Story::at(&service).with("pipeline-id", *id).with("run-id", *id);
            let story = story.with("run-url", "https://example.com/{pipeline_id}/{run_id}");
            story.play().assert_ended("failed", 1);
            assert_eq!(service.requests_to(On::Run).len(), 1, "{:?}", service.requests());
        },
    );
}

#[test]
fn a_secret_that_the_service_sends_back_is_seen_in_no_spelling() {
    in_parallel(
        &SECRETS,
        |secret| (*secret).to_owned(),
        |secret| {
            let all = spellings(secret).join(" and\n");
            let record = json!({"last_status": "FAILED", "trace": all});
            let service = service(secret, record, json!(spellings(secret)));
            let begin =
                |service| story(service).without_env("DADOSFERA_PASSWORD").secret_env("DADOSFERA_PASSWORD", secret);
            let outcome = begin(&service).play();
            outcome.assert_ended("failed", 1);
            assert!(["***", "•••"].iter().any(|mark| outcome.log().contains(mark)), "{}", outcome.log());
            service.order(On::Run, Reply::run(secret).set("trace", all.as_str()));
            begin(&service).play().assert_ended("timed-out", 3);
            service.order(On::Run, Reply::json(400, json!({"message": all})));
            begin(&service).play().assert_ended("unreachable", 6);
        },
    );
}

#[test]
fn a_token_that_the_service_sends_back_is_seen_nowhere() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NSJ9.a-token-of-this-very-sign-in";
    let service = service(PASSWORD, json!({}), json!(format!("Authorization: {token}")));
    service.order(
        On::SignIn,
        Reply::json(200, json!({"tokens": {"accessToken": token, "refreshToken": "a-refresh-token-1"}})),
    );
    service.order(On::Run, Reply::json(502, json!({"message": format!("{token} a-refresh-token-1")})));
    let outcome = story(&service).secret(token).secret("a-refresh-token-1").play();
    outcome.assert_ended("unreachable", 6);
    assert!(outcome.everything().contains("*** ***"), "{}", outcome.log());
}

#[test]
fn a_run_that_is_called_like_a_secret_is_asked_for_by_its_name_and_shown_without() {
    let run = |id: u32, name: &str, status: &str| {
        let created = format!("now-{}m", 100 - id);
        json!({"record": {"id": id, "pipeline_run_id": name, "last_status": status, "created_at": created, "updated_at": "now-5m"},
            "logs": "why it was so\n"})
    };
    let service = |runs: Value| {
        let pipelines = json!([{"pipeline_id": PIPELINE, "runs": runs}]);
        Service::start(scenario(json!({"pipelines": pipelines})))
    };
    fn story<'s>(service: &'s Service, entry: &str) -> Story<'s> {
        Story::at(service).with("run-id", entry).with("max-age", "any").with("logs", "always").with("verbose", "true")
    }
    for (service, entry, verdict, code) in [
        (service(json!([run(46, RUN, "SUCCESS"), run(47, PASSWORD, "FAILED")])), "latest", "failed", 1),
        (service(json!([run(46, RUN, "SUCCESS"), run(47, PASSWORD, "FAILED")])), "47", "failed", 1),
        (service(json!([run(46, PASSWORD, "SUCCESS"), run(47, RUN, "FAILED")])), "last-success", "passed", 0),
    ] {
        let outcome = story(&service, entry).with("run-url", "https://example.com/{run_id}").play();
        outcome.assert_ended(verdict, code);
        assert_eq!(
            (outcome.output("run-id"), &outcome.report()["runs"][0]["run_id"]),
            ("***", &json!("***")),
            "{entry}"
        );
        assert!(outcome.log().contains("why it was so"), "{entry}: its logs are asked for by its own name");
    }
    // One among the earlier runs.
    let earlier = service(json!([run(45, RUN, "SUCCESS"), run(46, PASSWORD, "SUCCESS"), run(47, "now", "FAILED")]));
    let outcome = story(&earlier, "latest").play();
    assert_eq!(outcome.assert_ended("failed", 1).report()["runs"][0]["history"]["last_success_run_id"], "***");
    // What the user has called so is no news to anybody who sees it.
    let named = service(json!([run(47, PASSWORD, "FAILED")]));
    let outcome = story(&named, &PASSWORD.replace('-', "_")).start().finish_unchecked();
    assert_eq!(outcome.assert_ended("failed", 1).output("run-id"), PASSWORD);
}
