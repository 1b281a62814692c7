//! What the stand-in says when nothing was ordered is what the API reference says.

use serde_json::json;

use super::*;
use crate::stand_in::{On, READY, authenticator};

/// Polls without a sleep until the run ends, which takes 10 ms from the first poll.
#[track_caller]
fn poll_until_ended(service: &Service, path: &str) -> String {
    let token = sign_in(service, "ci@example.com");
    for _ in 0..10_000 {
        let text = ask(service, "GET", path, &[("authorization", &token)], "").text();
        if !text.contains("RUNNING") {
            return text;
        }
    }
    panic!("the run never ended");
}

fn documented() -> Service {
    let mut scenario = Scenario::documented().at_speed(100_000.0).expect("a speed");
    scenario.tokens.life = Duration::from_secs(1_000_000);
    Service::start(scenario)
}

#[test]
fn the_three_documented_runs_are_answered_byte_by_byte() {
    let service = documented();
    assert_eq!(
        poll_until_ended(&service, RUN_PATH),
        r#"{"id":45,"pipeline_run_id":"e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c","pipeline_id":"1b33ad2f_33d3_4837_9eeb_83c82c8b909d","last_status":"SUCCESS","created_at":"2024-01-15T10:30:00.000Z","updated_at":"2024-01-15T10:45:23.000Z","trace":null}"#
    );
    assert_eq!(
        poll_until_ended(&service, &RUN_PATH.replace(SUCCESS, FAILED)),
        r#"{"id":43,"pipeline_run_id":"f9d8e7c6_b5a4_3928_1c0d_6e5f4a3b2c1d","pipeline_id":"1b33ad2f_33d3_4837_9eeb_83c82c8b909d","last_status":"FAILED","created_at":"2024-01-13T06:00:00.000Z","updated_at":"2024-01-13T06:15:12.000Z","trace":"Connection timeout: Unable to connect to source database after 30 seconds"}"#
    );
    let token = sign_in(&service, "ci@example.com");
    let running =
        "/platform/pipeline/a9f82c14_7e21_4b5a_8c9d_12345abcdef0/pipeline_run/b3c4d5e6_7f8a_9b0c_1d2e_3f4a5b6c7d8e";
    assert_eq!(
        ask(&service, "GET", running, &[("authorization", &token)], "").text(),
        r#"{"id":46,"pipeline_run_id":"b3c4d5e6_7f8a_9b0c_1d2e_3f4a5b6c7d8e","pipeline_id":"a9f82c14_7e21_4b5a_8c9d_12345abcdef0","last_status":"RUNNING","created_at":"2024-01-15T14:00:00.000Z","updated_at":"2024-01-15T14:00:00.000Z","trace":null}"#
    );
}

#[test]
fn a_documented_run_is_running_at_its_first_poll() {
    let service = Service::start(Scenario::documented().at_speed(0.001).expect("a speed"));
    let token = sign_in(&service, "ci@example.com");
    let came = ask(&service, "GET", RUN_PATH, &[("authorization", &token)], "");
    assert_eq!((came.status(), came.json()["last_status"].as_str()), (200, Some("RUNNING")));
    assert_eq!(came.header("content-type").as_deref(), Some("application/json; charset=utf-8"));
    assert_eq!(came.header("date").as_deref(), Some("Mon, 15 Jan 2024 14:00:00 GMT"), "the scenario's clock");
}

#[test]
fn every_ready_scenario_can_be_read() {
    for (name, _) in READY {
        let scenario = Scenario::ready(name).expect("it is ready");
        assert!(!scenario.about.is_empty() && !scenario.accounts.is_empty(), "{name}");
    }
    assert!(Scenario::ready("another").is_none());
}

#[test]
fn the_readme_shows_scenarios_that_can_be_read() {
    let readme = include_str!("../../../examples/stand-in/README.md");
    let blocks: Vec<&str> = readme.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 2, "{}", blocks.len());
    for block in blocks {
        if let Err(error) = Scenario::from_json(block) {
            panic!("{error}\n{block}");
        }
    }
}

#[test]
fn an_input_error_in_a_scenario_is_named() {
    for (json, word) in [
        (r#"{"speeed": 2}"#, "speeed"),
        (r#"{"speed": 0}"#, "speed"),
        (r#"{"prefix": "x/"}"#, "prefix"),
        (r#"{"skew": "soon"}"#, "length of time"),
        (r#"{"starts_at": "today"}"#, "line 1"),
        (r#"{"tokens": {"life": "-3s"}}"#, "negative"),
        (r#"{"script": [{"on": "run", "reply": {"stauts": 1}}]}"#, "stauts"),
        (
            r#"{"pipelines":[{"pipeline_id":"p","history":{"count":4000000000,"newest":"1y","every":"1y","takes":"1s"}}]}"#,
            "hundred years",
        ),
    ] {
        let error = Scenario::from_json(json).expect_err(json);
        assert!(error.contains(word), "{json}: {error}");
    }
}

#[test]
fn sign_in_answers_as_recorded() {
    let service = Service::start(Scenario::documented());
    let post = |body: &str, lang: &str| ask(&service, "POST", "/auth/sign-in", &[("dadosfera-lang", lang)], body);
    let good = post(r#"{"username":"ci@example.com","password":"correct-horse-battery","totp":null}"#, "en-us").text();
    let (keys, _) = good.split_once(r#""accessToken":""#).expect("a token");
    assert_eq!(keys, r#"{"permissions":["catalog:edit","pipeline:edit"],"tokens":{"idToken":"","#);
    for key in ["refreshToken\":\"eyJ", "mfaStatus\":\"none\"", "termsOfUse\":{", "user\":{", "customer\":{\"id\":"] {
        assert!(good.contains(key), "{key} in {good}");
    }
    let by_email = post(r#"{"email":"ci@example.com","password":"correct-horse-battery"}"#, "en-us");
    assert_eq!((by_email.status(), by_email.json()["statusCode"].as_u64()), (400, Some(400)));
    assert!(by_email.json()["message"].is_array());
    for body in ["", "no json", "[]", r#"{"username":"ci@example.com"}"#, r#"{"username":1,"password":2}"#] {
        assert_eq!(post(body, "en-us").status(), 400, "{body}");
    }
    let wrong = r#"{"username":"ci@example.com","password":"wrong"}"#;
    assert_eq!(post(wrong, "en-us").status(), 401);
    assert!(post(wrong, "en-us").text().contains("Incorrect username"));
    assert!(post(wrong, "").text().contains("Usuário ou senha"), "Portuguese unless asked");
}

#[test]
fn mfa_answers_200_without_a_token_and_takes_a_code_once() {
    let service = Service::start(Scenario::ready("mfa").expect("it is ready"));
    let post = |totp: &str| {
        let body =
            json!({"username": "mfa@example.com", "password": "correct-horse-battery", "totp": totp}).to_string();
        ask(&service, "POST", "/auth/sign-in", &[], &body)
    };
    let trap = post("000000");
    assert_eq!(
        (trap.status(), trap.text()),
        (200, r#"{"permissions":[],"tokens":{},"mfaStatus":"required"}"#.to_owned())
    );
    // The step after this one is within the tolerance too: so the test can't fail at a border of two.
    let totp = authenticator("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").expect("a secret");
    let code = totp.generate(now()).to_string();
    assert!(post(&code).json()["tokens"]["accessToken"].is_string());
    assert!(post(&code).json()["tokens"]["accessToken"].is_null(), "a code is good once");
    assert!(authenticator("not base32!").is_none());
}

#[expect(clippy::disallowed_methods, reason = "a one-time code is made from the machine's time")]
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}

#[test]
fn a_token_is_good_as_it_stands_and_until_it_ends() {
    let service = Service::start(Scenario::documented());
    let token = sign_in(&service, "ci@example.com");
    let status = |value: &str| ask(&service, "GET", RUN_PATH, &[("authorization", value)], "").status();
    assert_eq!(status(&token), 200);
    let bearer = ask(&service, "GET", RUN_PATH, &[("authorization", &format!("Bearer {token}"))], "");
    assert_eq!((bearer.status(), bearer.text()), (401, r#"{"msg":"Unauthorized"}"#.to_owned()));
    assert_eq!(ask(&service, "GET", RUN_PATH, &[], "").status(), 401);
    assert_eq!(status("x"), 401);
    service.revoke_tokens();
    assert_eq!(status(&token), 401, "revoked");
    assert_eq!(status(&sign_in(&service, "ci@example.com")), 200, "a new one is good again");

    let mut short = Scenario::documented();
    short.tokens.life = Duration::ZERO;
    short.tokens.claims = true;
    let service = Service::start(short);
    let token = sign_in(&service, "ci@example.com");
    assert_eq!(ask(&service, "GET", RUN_PATH, &[("authorization", &token)], "").status(), 401, "its life is over");
    let claims = token.split('.').nth(1).expect("a JWT has three parts");
    let claims: Value =
        serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).expect("base64url"))
            .expect("JSON");
    assert_eq!(claims["exp"], claims["iat"]);
}

#[test]
fn a_flat_token_and_one_made_elsewhere_are_known_too() {
    let account = json!([{"username": "u", "password": "p"}]);
    let service = Service::start(scenario(json!({"accounts": account, "tokens": {"shape": "flat"}})));
    let came = ask(&service, "POST", "/auth/sign-in", &[], r#"{"username":"u","password":"p"}"#);
    assert!(came.json()["accessToken"].is_string() && came.json()["tokens"].is_null());
    assert_eq!(get(&service, RUN_PATH).status(), 200);
}

#[test]
fn another_teams_pipeline_is_forbidden_as_recorded() {
    let mut scenario = Scenario::documented();
    scenario.accounts[0].pipelines = Some(vec!["a9f82c14-7e21-4b5a-8c9d-12345abcdef0".to_owned()]);
    let service = Service::start(scenario);
    let token = sign_in(&service, "ci@example.com");
    let came = ask(&service, "GET", RUN_PATH, &[("authorization", &token)], "");
    assert_eq!(came.status(), 403);
    assert_eq!(
        came.text(),
        r#"{"statusCode":403,"message":"Você não tem permissões suficientes para acessar este recurso.","error":"Não autorizado","code":"AUTH.FORBIDDEN"}"#
    );
    let english = ask(&service, "GET", RUN_PATH, &[("authorization", &token), ("dadosfera-lang", "en-us")], "");
    assert!(english.status() == 403 && english.text().contains("permissions"));
    let own = "/platform/pipeline/a9f82c14_7e21_4b5a_8c9d_12345abcdef0/pipeline_run";
    assert_eq!(ask(&service, "GET", own, &[("authorization", &token)], "").status(), 200);
}

#[test]
fn an_absent_run_is_said_in_each_way_that_the_wire_may_show() {
    for (absent, status, body) in [
        ("null", 200, "null"),
        ("empty", 200, ""),
        ("object", 200, "{}"),
        ("not_found", 404, r#"{"statusCode":404,"message":"Not Found"}"#),
    ] {
        let service = Service::start(scenario(json!({"absent": absent})));
        let came = get(&service, RUN_PATH);
        assert_eq!((came.status(), came.text().as_str()), (status, body), "{absent}");
    }
}

#[test]
fn ids_may_be_hyphenated_or_the_database_id_but_never_another_pipelines() {
    let service = Service::start(playing(json!([{"record": {"id": 45, "pipeline_run_id": SUCCESS}}])));
    let status = |path: &str| get(&service, path).json()["id"].as_u64();
    assert_eq!(status(RUN_PATH), Some(45));
    assert_eq!(status(&RUN_PATH.replace("5f2d_4a8e", "5F2D-4a8e")), Some(45));
    assert_eq!(status(&RUN_PATH.replace(SUCCESS, "45")), Some(45));
    assert_eq!(status(&RUN_PATH.replace("1b33ad2f", "1b33ad2e")), None);
}

#[test]
fn pipelines_are_described_as_in_the_reference() {
    let jobs = json!([{"job_id": "j1", "job_name": "load", "input": "i", "output": "o"}]);
    let details = json!({"name": "sales", "description": "d", "cron": "0 6 * * *", "created_at": "2024-12-01T10:00:00Z",
        "updated_at": "2024-12-01T10:00:00Z", "customer_id": "c", "id": "p", "jobs": jobs});
    let service = Service::start(scenario(json!({"pipelines": [{"pipeline_id": "p", "details": details}]})));
    assert_eq!(
        get(&service, "/platform/pipeline/p").text(),
        r#"{"status":true,"data":{"id":"p","name":"sales","description":"d","cron":"0 6 * * *","customer_id":"c","status":"active","created_at":"2024-12-01T10:00:00Z","updated_at":"2024-12-01T10:00:00Z","jobs":[{"job_id":"j1","job_name":"load","input":"i","output":"o"}]}}"#
    );
    assert_eq!(
        get(&service, "/platform/pipelines").text(),
        r#"[{"id":1,"pipeline_id":"p","name":"sales","cron":"0 6 * * *","last_status":"CREATED","jobs":[{"job_id":"j1","job_status":"PENDING","input":"i","output":"o"}]}]"#
    );
    let unknown = get(&service, "/platform/pipeline/q");
    assert_eq!((unknown.status(), unknown.text()), (404, r#"{"detail":"pipeline_id q not found"}"#.to_owned()));
    assert_eq!(get(&service, "/platform/pipeline/q/pipeline_run").text(), "[]");
}

#[test]
fn logs_are_text_or_any_json() {
    let lines = json!([{"message": "a", "level": "INFO"}]);
    let runs = json!([
        {"record": {"pipeline_run_id": "text"}, "logs": "a\nb\n"},
        {"record": {"pipeline_run_id": "json"}, "logs": lines},
        {"record": {"pipeline_run_id": "grows"}, "logs": "a", "then": [{"looks": 1, "logs": "a\nb"}]},
        {"record": {"pipeline_run_id": "none"}},
    ]);
    let service = Service::start(playing(runs));
    let logs = |run: &str| get(&service, &format!("/platform/pipeline/pipeline_run/{run}/logs"));
    assert_eq!(logs("text").text(), "a\nb\n");
    assert_eq!(logs("text").header("content-type").as_deref(), Some("text/plain; charset=utf-8"));
    assert_eq!(logs("json").json(), lines);
    assert_eq!(logs("grows").text(), "a");
    get(&service, &RUN_PATH.replace(SUCCESS, "grows"));
    assert_eq!(logs("grows").text(), "a\nb");
    assert_eq!(logs("none").status(), 404);
    assert_eq!(logs("unknown").status(), 404);
}

#[test]
fn a_prefix_stands_before_every_endpoint() {
    let service = Service::start(scenario(json!({"prefix": "/maestro/v1"})));
    assert!(service.base_url().ends_with("/maestro/v1"));
    assert_eq!(get(&service, &format!("/maestro/v1{RUN_PATH}")).text(), "null");
    let outside = get(&service, RUN_PATH);
    assert_eq!((outside.status(), outside.json()["error"].as_str()), (404, Some("Not Found")));
    assert_eq!(service.requests_to(On::Run).len(), 1);
}

#[test]
fn long_answers_are_compressed_for_who_takes_that() {
    let history = json!({"count": 20, "newest": "1h", "every": "1h", "takes": "10m"});
    let with = |compresses: bool| {
        Service::start(scenario(
            json!({"compresses": compresses, "pipelines": [{"pipeline_id": "p", "history": history}]}),
        ))
    };
    let list = |service: &Service, takes: &str| {
        let headers = [("authorization", "good"), ("accept-encoding", takes)];
        ask(service, "GET", "/platform/pipeline/p/pipeline_run", &headers, "")
    };
    let (plain, compressing) = (with(false), with(true));
    let whole = list(&plain, "gzip").body().len();
    assert!(whole > 4000);
    let small = list(&compressing, "br, GZIP");
    assert_eq!(small.header("content-encoding").as_deref(), Some("gzip"));
    assert!(small.body().len() < whole / 3, "{} of {whole}", small.body().len());
    assert_eq!(list(&compressing, "identity").body().len(), whole);
    let short = ask(&compressing, "GET", "/nowhere", &[("accept-encoding", "gzip")], "");
    assert_eq!(short.header("content-encoding"), None);
}
