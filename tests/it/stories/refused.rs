//! Input errors: all reported together, in every report, and not one request is made.

use std::ffi::OsString;

use crate::harness::{self, PASSWORD, SUCCESS, Story, in_parallel};
use crate::stand_in::Service;

type Change = for<'s> fn(Story<'s>) -> Story<'s>;

#[test]
fn an_input_error_is_reported_by_the_name_of_its_input_and_no_request_is_made() {
    let rows: Vec<(&str, Change)> = vec![
        ("run-id", |story| story.without("run-id")),
        ("run-id", |story| story.with("run-id", "a,,b")),
        ("run-id", |story| story.with("run-id", "a,")),
        ("run-id", |story| story.with("run-id", "/a")),
        ("run-id", |story| story.with("run-id", "a/b/c")),
        ("run-id", |story| story.with("run-id", "..")),
        ("run-id", |story| story.with("run-id", "x".repeat(257))),
        ("U+200B", |story| story.with("run-id", "a\u{200b}")),
        ("U+00A0", |story| story.with("run-id", "a\u{a0}b")),
        ("U+202E", |story| story.with("pipeline-id", "\u{202e}p")),
        ("U+FEFF", |story| story.with("run-id", "a\u{feff}b")),
        ("U+200D", |story| story.env("DADOSFERA_USERNAME", "a\u{200d}@example.com")),
        ("U+2060", |story| story.with("base-url", "https://a.example\u{2060}")),
        ("U+00AD", |story| story.with("success-statuses", "DO\u{ad}NE")),
        ("U+200B", |story| story.with("timeout", "5m\u{200b}")),
        ("not replaced by its value", |story| story.with("run-id", "${{ inputs.run-id }}")),
        ("not replaced by its value", |story| story.with("run-id", "$RUN_ID")),
        ("not replaced by its value", |story| story.with("pipeline-id", "$(params.pipeline)")),
        ("not replaced by its value", |story| story.with("run-id", "<run-id>")),
        ("text of a missing value", |story| story.with("run-id", "null")),
        ("text of a missing value", |story| story.with("run-id", "undefined,45")),
        ("text of a missing value", |story| story.with("pipeline-id", "None")),
        ("pipeline-id", |story| story.without("pipeline-id")),
        ("timeout", |story| story.with("timeout", "fifty")),
        ("timeout", |story| story.with("timeout", "31d")),
        ("timeout", |story| story.with("timeout", "-1")),
        ("poll-interval", |story| story.with("poll-interval", "0")),
        ("poll-interval", |story| story.with("poll-interval", "2h")),
        ("appear-timeout", |story| story.with("appear-timeout", "x")),
        ("max-outage", |story| story.with("max-outage", "1w2")),
        ("fail-fast", |story| story.with("fail-fast", "yes")),
        ("success-statuses", |story| story.with("success-statuses", "FAILED")),
        ("success-statuses", |story| story.with("success-statuses", "RUNNING")),
        ("success-statuses", |story| story.with("success-statuses", "queued")),
        ("failure-statuses", |story| story.with("failure-statuses", "SUCCESS")),
        ("success-statuses", |story| story.with("success-statuses", "A").with("failure-statuses", "a")),
        ("base-url", |story| story.with("base-url", "http://maestro.dadosfera.ai")),
        ("base-url", |story| story.with("base-url", "http://127.0.0.1.evil.example")),
        ("base-url", |story| story.with("base-url", "http://localhost@evil.example")),
        ("base-url", |story| story.with("base-url", "https://a?b=c")),
        ("base-url", |story| story.with("base-url", "ftp://a")),
        ("run-url", |story| story.with("run-url", "http://a/{run_id}")),
        ("run-url", |story| story.with("run-url", "https://a/{other}")),
        ("username", |story| story.without_password()),
        ("username", |story| story.without_env("DADOSFERA_USERNAME")),
        ("password", |story| story.without_env("DADOSFERA_PASSWORD")),
        ("password", |story| story.with("password", "given-by-a-flag").secret("given-by-a-flag")),
        ("access-token", |story| story.secret_env("DADOSFERA_ACCESS_TOKEN", "another-way-in")),
        ("access-token", |story| {
            story.without_password().secret_env("DADOSFERA_ACCESS_TOKEN", "Bearer some-token-or-other")
        }),
        ("access-token", |story| story.without_password().secret_env("DADOSFERA_ACCESS_TOKEN", "two words here")),
        ("longer than 64 KiB", |story| {
            story.without_password().secret_env("DADOSFERA_ACCESS_TOKEN", &"x".repeat(70_000))
        }),
        ("longer than 64 KiB", |story| {
            story.without_env("DADOSFERA_PASSWORD").secret_env("DADOSFERA_PASSWORD", &"x".repeat(70_000))
        }),
        ("longer than 64 KiB", |story| story.secret_env("DADOSFERA_TOTP_SECRET", &"A".repeat(70_000))),
        ("access-token-file", |story| story.without_password().with("access-token-file", "/proc/no/token")),
        ("access-token-file", |story| story.without_password().with_file("access-token-file", "\n")),
        ("password-file", |story| story.without_env("DADOSFERA_PASSWORD").env("DADOSFERA_PASSWORD_FILE", "/dev/null")),
        ("totp-secret", |story| story.secret_env("DADOSFERA_TOTP_SECRET", "not-base32-at-all!")),
        ("ca-file", |story| story.with("ca-file", "/proc/no/ca.pem")),
        ("ca-file", |story| story.with_file("ca-file", "no certificate")),
        ("logs", |story| story.with("logs", "sometimes")),
        ("ci", |story| story.with("ci", "gitlabb")),
        ("output-prefix", |story| story.with("output-prefix", "A-B")),
        ("quiet", |story| story.with("quiet", "true").with("verbose", "true")),
        ("log-format", |story| story.with("log-format", "xml")),
        ("--runid", |story| story.with("runid", "x")),
        ("MAESTRO_TIMEOUT", |story| story.without("timeout").env("MAESTRO_TIMEOUT", not_utf8())),
        ("DADOSFERA_PASSWORD", |story| story.env("DADOSFERA_PASSWORD", not_utf8())),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(says, change)| {
            let service = harness::service();
            let outcome = change(Story::at(&service)).play();
            outcome.assert_ended("invalid-input", 2);
            let input_errors = outcome.report()["mistakes"].to_string();
            assert!(input_errors.contains(says), "{says} in {input_errors}");
            assert!(outcome.report()["mistakes"].as_array().is_some_and(|all| all.len() == 1), "{input_errors}");
            nothing_was_asked(&service);
        },
    );
}

#[cfg(unix)]
fn not_utf8() -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(b"5\xff\xfe".to_vec())
}

#[cfg(windows)]
fn not_utf8() -> OsString {
    use std::os::windows::ffi::OsStringExt;
    OsString::from_wide(&[0x35, 0xd800])
}

#[track_caller]
fn nothing_was_asked(service: &Service) {
    assert!(service.requests().is_empty(), "{:?}", service.requests());
}

#[test]
fn all_input_errors_are_reported_at_once() {
    let service = harness::service();
    let story = Story::at(&service).without("run-id").without_password().with("timeout", "x").with("logs", "y");
    let outcome = story.with("json-file", "z").play();
    outcome.assert_ended("invalid-input", 2);
    let input_errors: Vec<&str> =
        outcome.report()["mistakes"].as_array().expect("a list").iter().filter_map(|text| text.as_str()).collect();
    for name in ["--json-file", "run-id", "timeout", "username", "logs"] {
        assert!(input_errors.iter().any(|mistake| mistake.contains(name)), "{name} in {input_errors:?}");
    }
    assert_eq!(input_errors.len(), 5);
    for way in ["username", "access-token", "access-token-file"] {
        assert!(
            input_errors.iter().any(|mistake| mistake.contains("no credentials were given") && mistake.contains(way))
        );
    }
    nothing_was_asked(&service);
}

#[test]
fn nothing_is_in_the_way_of_a_wrong_address_but_the_check_itself() {
    // The password would go in the clear to whatever these names resolve to.
    let service = harness::service();
    let port = service.base_url().rsplit(':').next().expect("a port").to_owned();
    for host in ["0.0.0.0", "localhost.", "127.1", "0x7f.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let outcome = Story::at(&service).with("base-url", format!("http://{host}:{port}")).play();
        outcome.assert_ended("invalid-input", 2);
    }
    nothing_was_asked(&service);
    Story::at(&service).with("base-url", format!("http://localhost:{port}/")).play().assert_ended("passed", 0);
}

#[test]
fn an_old_pass_is_overwritten_by_an_input_error_too() {
    let service = harness::service();
    let workspace = std::sync::Arc::new(tempfile::tempdir().expect("a folder"));
    Story::in_workspace(&service, &workspace).without_env("GITHUB_STEP_SUMMARY").play().assert_ended("passed", 0);
    let asked = service.requests().len();
    let outcome = Story::in_workspace(&service, &workspace).with("timeout", "x").play();
    outcome.assert_ended("invalid-input", 2);
    assert_eq!(service.requests().len(), asked);
}

#[test]
fn values_are_trimmed_and_empty_is_unset() {
    let service = harness::service();
    let story = Story::at(&service)
        .with("run-id", format!("\n {SUCCESS} \t\n"))
        .without("timeout")
        .env("MAESTRO_TIMEOUT", "  ")
        .env("INPUT_POLL-INTERVAL", "")
        .env("DADOSFERA_ACCESS_TOKEN", "")
        .env("DADOSFERA_PASSWORD", format!("{PASSWORD}\r\n"));
    story.play().assert_ended("passed", 0);
}
