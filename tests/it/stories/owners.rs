//! Nobody else decides: what a step or a component says, an earlier step, a project's variable or an image can't change.

use serde_json::json;

use crate::harness::{
    self, FAILED, PASSWORD, PIPELINE, RUNNING, SUCCESS, Story, TOKEN_MADE_ELSEWHERE, USERNAME, in_parallel, scenario,
};
use crate::stand_in::{On, Reply, Service};

type Change = for<'s> fn(Story<'s>) -> Story<'s>;

/// A step that signs in by its own inputs, as `with:` gives them.
fn step<'s>(service: &'s Service) -> Story<'s> {
    let story = Story::at(service).without_password();
    story.env("INPUT_USERNAME", USERNAME).env("INPUT_PASSWORD", PASSWORD)
}

/// Wherever the secret is, an address from a lower place gets no request: neither the secret nor anything else.
#[test]
fn no_lower_place_sends_the_credentials_elsewhere() {
    let ways: [(&str, Change); 6] = [
        ("password", |story| story.env("INPUT_USERNAME", USERNAME).env("INPUT_PASSWORD", PASSWORD)),
        ("password-file", |story| story.env("DADOSFERA_USERNAME", USERNAME).with("username", USERNAME)),
        ("totp-secret", |story| {
            let story = story.env("INPUT_USERNAME", USERNAME).env("INPUT_PASSWORD", PASSWORD);
            story.secret_env("INPUT_TOTP_SECRET", "JBSWY3DPEHPK3PXP")
        }),
        ("access-token", |story| story.secret_env("INPUT_ACCESS_TOKEN", TOKEN_MADE_ELSEWHERE)),
        ("access-token of a plugin", |story| {
            story.env("DRONE", "true").secret_env("PLUGIN_ACCESS_TOKEN", TOKEN_MADE_ELSEWHERE)
        }),
        ("access-token-file", |story| story.with_file("access-token-file", TOKEN_MADE_ELSEWHERE)),
    ];
    in_parallel(
        &ways,
        |way| way.0.to_owned(),
        |(secret, way)| {
            let thief = harness::service();
            let story = way(Story::at(&thief).without_password().without("base-url"));
            let story = if *secret == "password-file" { story.with_file("password-file", PASSWORD) } else { story };
            let outcome = story.env("MAESTRO_BASE_URL", thief.base_url()).play();
            outcome.assert_ended("invalid-input", 2);
            let input_errors = outcome.report()["mistakes"].to_string();
            assert!(
                input_errors.contains("base-url") && input_errors.contains("as well, or unset MAESTRO_BASE_URL"),
                "{input_errors}"
            );
            assert!(thief.requests().is_empty(), "{:?}", thief.requests());
        },
    );
    // The same address from the same place, or a higher one, is the owner's.
    let service = harness::service();
    step(&service).without("base-url").env("INPUT_BASE_URL", service.base_url()).play().assert_ended("passed", 0);
    let story = Story::at(&service).without("base-url").env("MAESTRO_BASE_URL", service.base_url());
    story.play().assert_ended("passed", 0);
}

#[test]
fn no_lower_place_turns_a_cancelled_run_green() {
    let service = harness::service();
    service.order(On::Run, Reply::run("CANCELED"));
    let outcome = step(&service).env("MAESTRO_SUCCESS_STATUSES", "CANCELED").play();
    outcome.assert_ended("invalid-input", 2);
    assert!(outcome.report()["mistakes"].to_string().contains("or unset MAESTRO_SUCCESS_STATUSES"));
    assert!(service.requests().is_empty(), "{:?}", service.requests());
    step(&service).env("INPUT_SUCCESS_STATUSES", "CANCELED").play().assert_ended("passed", 0);
}

/// An earlier step writes the other spelling into the job's environment, and `sh` is a bash, which keeps it.
#[test]
fn no_other_spelling_beats_what_the_step_says() {
    let rows: [(&str, &str, Change); 4] = [
        ("INPUT_SUCCESS-STATUSES", "CANCELED", |story| story.env("INPUT_SUCCESS_STATUSES", "")),
        ("INPUT_RUN-ID", SUCCESS, |story| story.without("run-id").env("INPUT_RUN_ID", FAILED)),
        ("INPUT_PIPELINE-ID", "other", |story| story.without("pipeline-id").env("INPUT_PIPELINE_ID", PIPELINE)),
        ("INPUT_MAX-AGE", "any", |story| story.env("INPUT_MAX_AGE", "1s")),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(name, value, change)| {
            let service = harness::service();
            service.order(On::Run, Reply::run("CANCELED"));
            let outcome = change(step(&service)).env(name, *value).play();
            outcome.assert_ended("invalid-input", 2);
            let input_errors = outcome.report()["mistakes"].to_string();
            assert!(input_errors.contains(&format!("Remove {name} from the job's environment")), "{input_errors}");
            assert!(service.requests().is_empty(), "{:?}", service.requests());
        },
    );
    let thief = harness::service();
    let story = step(&thief).without("base-url").env("INPUT_BASE_URL", "").env("INPUT_BASE-URL", thief.base_url());
    story.play().assert_ended("invalid-input", 2);
    assert!(thief.requests().is_empty(), "{:?}", thief.requests());
}

#[test]
fn no_run_of_another_pipeline_passes_for_the_one_that_was_given() {
    let other =
        json!({"pipeline_id": "other", "runs": [{"record": {"pipeline_run_id": "green", "last_status": "SUCCESS"}}]});
    let failed =
        json!({"pipeline_id": PIPELINE, "runs": [{"record": {"pipeline_run_id": "red", "last_status": "FAILED"}}]});
    let rows: [(&str, Change); 4] = [
        ("one place", |story| story.with("run-id", "other/green")),
        ("a project's variable", |story| story.without("run-id").env("MAESTRO_RUN_ID", "other/green")),
        ("among others", |story| story.with("run-id", "red,other/green")),
        ("a selector", |story| story.with("run-id", "other/latest").with("max-age", "any")),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, change)| {
            let service = Service::start(scenario(json!({"pipelines": [failed.clone(), other.clone()]})));
            let outcome = change(Story::at(&service)).play();
            outcome.assert_ended("invalid-input", 2);
            let input_errors = outcome.report()["mistakes"].to_string();
            assert!(input_errors.contains("names a pipeline that is not in pipeline-id"), "{input_errors}");
            assert!(service.requests().is_empty(), "{:?}", service.requests());
        },
    );
    // Its own name, in any spelling that the service takes for the same, is no other.
    let service = harness::service();
    let spelt = PIPELINE.to_uppercase().replace('_', "-");
    Story::at(&service).with("run-id", format!("{spelt}/{SUCCESS}")).play().assert_ended("passed", 0);
    assert!(service.requests_to(On::Run)[0].path.contains(PIPELINE), "{:?}", service.requests());
}

/// A run that is going already is none that the job started.
#[test]
fn no_lower_place_makes_trigger_attach() {
    let service = harness::service();
    let story = Story::at(&service).without("run-id").with("trigger", "true").env("MAESTRO_IF_RUNNING", "attach");
    let outcome = story.play();
    outcome.assert_ended("invalid-input", 2);
    assert!(outcome.report()["mistakes"].to_string().contains("or unset MAESTRO_IF_RUNNING"));
    assert!(service.requests().is_empty(), "{:?} {RUNNING}", service.requests());
}

/// How often data is loaded is for the one to say who starts the pipeline.
#[test]
fn no_lower_place_makes_trigger_start_again() {
    let service = harness::service();
    let story = Story::at(&service).without("run-id").with("trigger", "true");
    let outcome = story.env("MAESTRO_RETRIES", "5").play();
    outcome.assert_ended("invalid-input", 2);
    assert!(outcome.report()["mistakes"].to_string().contains("or unset MAESTRO_RETRIES"));
    assert!(service.requests().is_empty(), "{:?}", service.requests());
}

/// The hint is in the log and among the notes; the password is nowhere (every story is held to that).
#[test]
fn a_refused_password_that_looks_unusual_is_hinted_at() {
    for (password, hint) in [
        (" correct-horse-battery", "begins or ends with a blank"),
        ("correct-horse-battery ", "begins or ends with a blank"),
        ("\"correct-horse-battery\"", "begins or ends with a quotation mark"),
        ("correct-horse\u{200b}-battery", "contains an invisible character"),
    ] {
        let service = harness::service();
        let story = Story::at(&service).without_env("DADOSFERA_PASSWORD").secret_env("DADOSFERA_PASSWORD", password);
        let outcome = story.play();
        outcome.assert_ended("denied", 5);
        assert!(outcome.is_noted(hint), "{password:?}: {:?}", outcome.notes());
    }
    let service = harness::service();
    let story = Story::at(&service).without_env("DADOSFERA_PASSWORD").secret_env("DADOSFERA_PASSWORD", "wrong-horse");
    let outcome = story.play();
    outcome.assert_ended("denied", 5);
    assert!(!outcome.is_noted("looks unusual"), "{:?}", outcome.notes());
    assert!(outcome.log().contains("surrounding blanks and quotes"), "{}", outcome.log());
}
