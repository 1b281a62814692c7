//! Signing in once, renewing when it must be, and never sending what was refused.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::harness::{
    self, FAILED, HANG_TIMEOUT, PASSWORD, PIPELINE, SUCCESS, Story, TOKEN_MADE_ELSEWHERE, USERNAME, scenario, write,
};
use crate::stand_in::{On, Reply, Service};

const TOTP_SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

#[test]
fn sign_in_sends_name_password_and_language_and_the_token_stands_alone() {
    let service = harness::service();
    Story::at(&service).play().assert_ended("passed", 0);
    let sign_in = &service.requests_to(On::SignIn)[0];
    let body: Value = serde_json::from_slice(&sign_in.body).expect("JSON");
    assert_eq!(body, json!({"username": USERNAME, "password": PASSWORD, "totp": null}));
    assert_eq!(sign_in.header("content-type"), Some("application/json"));
    let look = &service.requests_to(On::Run)[0];
    let token = look.header("authorization").expect("a token");
    assert_eq!(token.split('.').count(), 3, "the JWT alone, no Bearer");
}

#[test]
fn expiring_tokens_are_renewed_for_as_long_as_it_takes() {
    let run =
        json!({"record": {"pipeline_run_id": SUCCESS}, "then": [{"looks": 4, "set": {"last_status": "SUCCESS"}}]});
    let service = Service::start(scenario(json!({
        "tokens": {"life": "500ms", "claims": false},
        "pipelines": [{"pipeline_id": PIPELINE, "runs": [run]}],
    })));
    let outcome = Story::at(&service).with("poll-interval", "1s").with("logs", "never").play();
    outcome.assert_ended("passed", 0);
    assert!(service.requests_to(On::SignIn).len() >= 4, "{}", service.requests_to(On::SignIn).len());
}

#[test]
fn a_token_revoked_on_the_way_is_renewed_once_for_all_runs() {
    let service = harness::service();
    service.script(On::Run, [Reply::run("RUNNING").held(), Reply::run("RUNNING").held()]);
    let gate = Story::at(&service).runs(&[SUCCESS, "45"]).start();
    assert!(service.wait_for(On::Run, 2, HANG_TIMEOUT));
    service.revoke_tokens();
    service.release();
    gate.finish().assert_ended("passed", 0);
    assert_eq!(service.requests_to(On::SignIn).len(), 2, "both runs share the new token");
}

/// The logs are requested with a token that was renewed for them, and the answer repeats it; it is long enough to be cut.
#[test]
fn a_token_obtained_a_moment_ago_is_hidden_in_the_answer_that_refuses_it() {
    let tokens = ["first", "second"].map(|name| format!("{name}-{}", "x".repeat(1_500)));
    let service = Service::start(scenario(json!({"tokens": {"accept": tokens}})));
    for token in &tokens {
        service.order(On::SignIn, Reply::json(200, json!({"tokens": {"accessToken": token}})));
    }
    service.order(On::Logs, Reply::status(401));
    let said = json!({"message": format!("no logs for {} (traced)", tokens[1])});
    service.order(On::Logs, Reply::json(500, said));
    let outcome = Story::at(&service).runs(&[FAILED]).play();
    outcome.assert_ended("failed", 1);
    let log = outcome.stdout.clone().expect("there");
    assert!(log.contains("no logs for *** (traced)"), "{log}");
    assert!(!format!("{outcome:?}").contains("second-xxx"));
}

#[test]
fn a_flat_token_is_found_too() {
    let service = Service::start(scenario(json!({"tokens": {"shape": "flat"}})));
    Story::at(&service).play().assert_ended("passed", 0);
}

fn with_totp() -> Service {
    let account = json!({"username": USERNAME, "password": PASSWORD, "totp_secret": TOTP_SECRET});
    Service::start(scenario(json!({"accounts": [account]})))
}

#[test]
fn a_fresh_code_is_sent_with_every_sign_in_and_none_twice() {
    let service = with_totp();
    let story = Story::at(&service).secret_env("DADOSFERA_TOTP_SECRET", TOTP_SECRET);
    story.play().assert_ended("passed", 0);

    // Renewal needs the next code, up to half a minute away: this gate's deadline may come first, another code must not.
    let service = with_totp();
    service.order(On::Run, Reply::run("RUNNING"));
    let story = Story::at(&service).secret_env("DADOSFERA_TOTP_SECRET", TOTP_SECRET).with("timeout", "5s");
    let gate = story.start();
    gate.wait_for_output("status RUNNING");
    service.revoke_tokens();
    let outcome = gate.finish();
    assert!(
        matches!((outcome.verdict(), outcome.code), ("timed-out", Some(3)) | ("passed", Some(0))),
        "{}",
        outcome.log()
    );
    let sent = service.requests_to(On::SignIn);
    let codes: BTreeSet<String> = sent
        .iter()
        .map(|seen| serde_json::from_slice::<Value>(&seen.body).expect("JSON")["totp"].to_string())
        .collect();
    assert_eq!(codes.len(), sent.len(), "{codes:?}");
    assert!(codes.iter().all(|code| code.len() == 8), "{codes:?}");
}

#[test]
fn two_jobs_of_one_account_in_the_same_half_minute_both_pass() {
    let service = with_totp();
    let story = || Story::at(&service).secret_env("DADOSFERA_TOTP_SECRET", TOTP_SECRET).start();
    let gates = [story(), story()];
    for gate in gates {
        gate.finish_unchecked().assert_ended("passed", 0);
    }
    assert!(service.requests_to(On::SignIn).len() <= 3, "{:?}", service.requests_to(On::SignIn).len());
}

#[test]
fn an_account_with_mfa_and_no_secret_is_denied_with_the_input_that_helps() {
    let service = with_totp();
    let outcome = Story::at(&service).play();
    outcome.assert_ended("denied", 5);
    assert!(outcome.log().contains("totp-secret"), "{}", outcome.log());
    assert_eq!(service.requests().len(), 1);
}

#[test]
fn a_token_made_elsewhere_is_used_as_it_stands_and_never_signs_in() {
    let service = harness::service();
    let story = Story::at(&service).without_password().secret_env("DADOSFERA_ACCESS_TOKEN", TOKEN_MADE_ELSEWHERE);
    story.play().assert_ended("passed", 0);
    let requests = service.requests();
    assert!(requests.iter().all(|seen| seen.header("authorization") == Some(TOKEN_MADE_ELSEWHERE)), "{requests:?}");
}

#[test]
fn a_refused_token_made_elsewhere_is_denied_at_once() {
    let service = harness::service();
    let story = Story::at(&service).without_password().secret_env("DADOSFERA_ACCESS_TOKEN", "a-token-of-yesterday");
    story.runs(&[SUCCESS, FAILED]).play().assert_ended("denied", 5);
    assert_eq!(service.requests_to(On::Run).len(), 2, "one look at each run");
    assert_eq!(service.requests_to(On::SignIn).len(), 0);
}

#[test]
fn a_token_file_is_read_again_when_its_token_is_refused() {
    let service = harness::service();
    // The refusal is held until the file has the new token.
    service.order(On::Run, Reply::normal().held());
    let story = Story::at(&service).without_password().secret("a-token-of-yesterday").secret(TOKEN_MADE_ELSEWHERE);
    let story = story.with_file("access-token-file", "a-token-of-yesterday\n");
    let path = story.given("access-token-file");
    let gate = story.start();
    assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT));
    write(&path, &format!("{TOKEN_MADE_ELSEWHERE}\n"));
    service.release();
    gate.finish().assert_ended("passed", 0);

    let service = harness::service();
    let story = Story::at(&service).without_password().secret("a-token-of-yesterday");
    story.with_file("access-token-file", "a-token-of-yesterday").play().assert_ended("denied", 5);
    assert_eq!(service.requests_to(On::Run).len(), 1, "the same token is not sent again");
}

/// What `--access-token-file <(command)` is.
#[cfg(unix)]
#[test]
fn a_token_file_that_can_be_read_only_once_serves() {
    use std::{fs::OpenOptions, io::Write};
    let service = harness::service();
    let story = Story::at(&service).without_password().secret(TOKEN_MADE_ELSEWHERE);
    let path = story.given("access-token-file");
    harness::make_pipe(&path);
    let gate = story.with("access-token-file", &path).start();
    let writing = harness::other_end(&path, OpenOptions::new().write(true)).write_all(TOKEN_MADE_ELSEWHERE.as_bytes());
    writing.expect("the gate reads");
    gate.finish().assert_ended("passed", 0);
}

#[test]
fn a_token_that_ends_before_the_deadline_is_warned_about_at_the_start() {
    let claims = BASE64URL_NOPAD.encode(br#"{"iat":1700000000,"exp":1700001800}"#);
    let token = format!("eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl");
    let service = Service::start(scenario(json!({"tokens": {"accept": [token]}})));
    let story = Story::at(&service).without_password().secret_env("DADOSFERA_ACCESS_TOKEN", &token);
    let outcome = story.play();
    outcome.assert_ended("passed", 0);
    assert!(outcome.log().contains("::warning title=maestro-gate::"), "{}", outcome.log());
}

#[test]
fn credentials_count_as_one_set() {
    // The step's token replaces the environment's name and password, and a warning says so.
    let service = harness::service();
    let story = Story::at(&service).secret_env("INPUT_ACCESS-TOKEN", TOKEN_MADE_ELSEWHERE);
    let outcome = story.play();
    outcome.assert_ended("passed", 0);
    assert!(service.requests_to(On::SignIn).is_empty());
    outcome.assert_noted("DADOSFERA_USERNAME");
}

#[test]
fn a_password_file_is_a_password() {
    let service = harness::service();
    let story = Story::at(&service).without_password().with("username", USERNAME);
    story.with_file("password-file", &format!("{PASSWORD}\r\n")).play().assert_ended("passed", 0);
}
