//! A bug of ours never looks like a pass: before a verdict is written it exits 70 and the first versions stand; afterwards
//! the verdict stands.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{self, FAILED, Story, StoryOutcome, in_parallel};
use crate::stand_in::Service;

/// Every destination of a story on GitHub, as the code calls it.
const DESTINATIONS: [&str; 8] =
    ["GITHUB_OUTPUT", "trace-file", "json", "junit", "dotenv", "markdown", "output-dir", "GITHUB_STEP_SUMMARY"];

/// Exit code 70, its line at the end of the log, and nothing says `passed`.
#[track_caller]
fn nothing_passed(outcome: &StoryOutcome, place: &str) {
    assert_eq!(outcome.code, Some(70), "{place}: {}", outcome.log());
    let last = outcome.log().lines().next_back().unwrap_or_default();
    assert!(last.starts_with("maestro-gate: internal-error (exit code 70): a bug in maestro-gate at src"), "{last}");
    assert!(!outcome.everything().contains("provoked"), "what a panic says may quote a secret");
    for (path, text) in &outcome.files {
        assert!(!text.contains("passed"), "{place}: {}: {text}", path.display());
        assert!(!path.to_string_lossy().contains(".partial"), "{place}: {}", path.display());
    }
}

/// A story with a bug at this place, in a workspace that holds the reports of a pass: nothing passes.
fn with_panic_at(place: &'static str, service: &Service) -> StoryOutcome {
    let outcome = Story::in_workspace(service, &used_workspace()).with_panic_at(place).start().finish_unchecked();
    nothing_passed(&outcome, place);
    outcome
}

/// A workspace that holds the reports of a pass.
fn used_workspace() -> Arc<tempfile::TempDir> {
    let workspace = Arc::new(tempfile::tempdir().expect("a folder"));
    let service = harness::service();
    let outcome =
        Story::in_workspace(&service, &workspace).without_env("GITHUB_OUTPUT").without_env("GITHUB_STEP_SUMMARY");
    let outcome = outcome.play();
    assert!(
        outcome.code == Some(0) && outcome.files.values().filter(|text| text.contains("passed")).count() > 5,
        "{outcome:#?}"
    );
    workspace
}

#[test]
fn a_panic_in_the_core_or_while_polling_is_an_internal_error_and_the_first_versions_stand() {
    in_parallel(
        &["watch", "core", "closing"],
        |place| (*place).to_owned(),
        |place| {
            first_versions_stand(&with_panic_at(place, &harness::service()));
        },
    );
}

#[test]
fn a_panic_in_any_renderer_turns_even_a_pass_into_an_internal_error_before_anything_is_written() {
    let places: Vec<&'static str> =
        DESTINATIONS.iter().map(|name| &*Box::leak(format!("last {name}").into_boxed_str())).collect();
    in_parallel(
        &places,
        |place| (*place).to_owned(),
        |place| {
            first_versions_stand(&with_panic_at(place, &harness::service()));
        },
    );
    let service = harness::service();
    let story = Story::at(&service).outside_ci().env("GITLAB_CI", "true");
    nothing_passed(&story.with_panic_at("last annotations").start().finish_unchecked(), "annotations");
}

#[track_caller]
fn first_versions_stand(outcome: &StoryOutcome) {
    assert_eq!((outcome.verdict(), outcome.output("exit-code")), ("internal-error", "70"));
    assert_eq!(outcome.report()["verdict"], "internal-error");
    assert_eq!(outcome.dotenv.as_ref().expect("a report")["MAESTRO_GATE_VERDICT"], "internal-error");
    assert_eq!(outcome.output_dir.as_ref().expect("a folder")["verdict"], "internal-error");
    let cases = outcome.junit.as_ref().expect("a report");
    assert_eq!(cases[0].end.as_ref().map(|end| end.1.as_str()), Some("internal-error"));
    assert!(outcome.trace_file.as_ref().is_some_and(|text| text.starts_with("internal-error: ")), "{outcome:#?}");
    assert!(outcome.markdown.as_ref().is_some_and(|page| page.contains("internal-error")));
}

#[test]
fn a_panic_in_the_first_version_leaves_no_old_pass() {
    let places: Vec<&'static str> =
        DESTINATIONS.iter().map(|name| &*Box::leak(format!("first {name}").into_boxed_str())).collect();
    in_parallel(
        &places,
        |place| (*place).to_owned(),
        |place| {
            let service = harness::service();
            with_panic_at(place, &service);
            assert!(service.requests().is_empty());
        },
    );
}

#[test]
fn a_panic_before_there_is_a_report_still_has_its_exit_code() {
    let service = harness::service();
    let outcome = Story::at(&service).without_files().outside_ci().with_panic_at("inputs").play();
    outcome.assert_last_line("internal-error", 70);
    assert!(outcome.log().contains("a bug in maestro-gate at src"), "{}", outcome.log());
    assert!(service.requests().is_empty());
    let outcome = Story::at(&service).with("log-format", "json").with_panic_at("core").start().finish_unchecked();
    let last: Value = serde_json::from_str(outcome.log().lines().last().expect("a line")).expect("an object a line");
    assert_eq!((&last["verdict"], &last["exit_code"]), (&json!("internal-error"), &json!(70)));
}

#[test]
fn a_panic_of_a_writer_is_a_warning_and_the_verdict_stands() {
    let rows: Vec<(&'static str, &'static str)> = DESTINATIONS
        .iter()
        .map(|name| (*name, &*Box::leak(format!("write {name}").into_boxed_str())))
        .chain([("trace-file", "write logs")])
        .collect();
    in_parallel(
        &rows,
        |(_, place)| (*place).to_owned(),
        |(name, place)| {
            let service = harness::service();
            let story = Story::at(&service).runs(&[FAILED]).with_panic_at(place);
            let outcome = if name.starts_with("GITHUB_") { story.start().finish_unchecked() } else { story.play() };
            assert_eq!(outcome.code, Some(1), "{place}");
            let said = format!("title=maestro-gate::{name}");
            assert!(outcome.log().contains(&said) && outcome.log().contains("a bug of the gate"), "{}", outcome.log());
        },
    );
}

#[test]
fn a_panic_after_the_verdict_was_written_leaves_it_standing() {
    let service = harness::service();
    let outcome = Story::at(&service).runs(&[FAILED]).with_panic_at("logs").start().finish_unchecked();
    assert_eq!((outcome.code, outcome.verdict()), (Some(1), "failed"));
    let last = outcome.log().lines().next_back().unwrap_or_default();
    assert!(last.starts_with("maestro-gate: failed (exit code 1): the log is incomplete because of a bug"), "{last}");
    assert!(outcome.trace_file.as_ref().is_some_and(|text| text.contains(harness::TRACE)));
}
