//! A bug of ours never looks like a pass: before a verdict is written it exits 70 and the first versions stand; afterwards
//! the verdict stands.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{self, FAILED, Story, StoryOutcome, side_by_side};
use crate::stand_in::Service;

/// Every destination of a story on GitHub, as the code calls it.
const DESTINATIONS: [&str; 8] =
    ["GITHUB_OUTPUT", "trace-file", "json", "junit", "dotenv", "markdown", "output-dir", "GITHUB_STEP_SUMMARY"];

/// Exit code 70, its line at the end of the log, and not a word of a pass.
fn nothing_passed(told: &StoryOutcome, place: &str) {
    assert_eq!(told.code, Some(70), "{place}: {}", told.log());
    let last = told.log().lines().next_back().unwrap_or_default();
    assert!(last.starts_with("maestro-gate: internal-error (exit code 70): a bug in maestro-gate at src"), "{last}");
    assert!(!told.everything().contains("provoked"), "what a panic says may quote a secret");
    for (path, text) in &told.files {
        assert!(!text.contains("passed"), "{place}: {}: {text}", path.display());
        assert!(!path.to_string_lossy().contains(".partial"), "{place}: {}", path.display());
    }
}

/// A story with a bug at this place, in a workspace that holds the reports of a pass: nothing passes.
fn with_a_bug_at(place: &'static str, service: &Service) -> StoryOutcome {
    let told = Story::in_workspace(service, &used_workspace()).with_a_bug_at(place).begun().unheld();
    nothing_passed(&told, place);
    told
}

/// A workspace that holds the reports of a pass.
fn used_workspace() -> Arc<tempfile::TempDir> {
    let workspace = Arc::new(tempfile::tempdir().expect("a folder"));
    let service = harness::service();
    let told =
        Story::in_workspace(&service, &workspace).without_env("GITHUB_OUTPUT").without_env("GITHUB_STEP_SUMMARY");
    let told = told.told();
    assert!(
        told.code == Some(0) && told.files.values().filter(|text| text.contains("passed")).count() > 5,
        "{told:#?}"
    );
    workspace
}

#[test]
fn a_panic_in_the_core_or_while_polling_is_an_internal_error_and_the_first_versions_stand() {
    side_by_side(
        &["watch", "core", "closing"],
        |place| (*place).to_owned(),
        |place| {
            first_versions_stand(&with_a_bug_at(place, &harness::service()));
        },
    );
}

#[test]
fn a_panic_in_any_renderer_turns_even_a_pass_into_an_internal_error_before_anything_is_written() {
    let places: Vec<&'static str> =
        DESTINATIONS.iter().map(|name| &*Box::leak(format!("last {name}").into_boxed_str())).collect();
    side_by_side(
        &places,
        |place| (*place).to_owned(),
        |place| {
            first_versions_stand(&with_a_bug_at(place, &harness::service()));
        },
    );
    let service = harness::service();
    let story = Story::at(&service).outside_ci().env("GITLAB_CI", "true");
    nothing_passed(&story.with_a_bug_at("last annotations").begun().unheld(), "annotations");
}

fn first_versions_stand(told: &StoryOutcome) {
    assert_eq!((told.verdict(), told.output("exit-code")), ("internal-error", "70"));
    assert_eq!(told.report()["verdict"], "internal-error");
    assert_eq!(told.dotenv.as_ref().expect("a report")["MAESTRO_GATE_VERDICT"], "internal-error");
    assert_eq!(told.output_dir.as_ref().expect("a folder")["verdict"], "internal-error");
    let cases = told.junit.as_ref().expect("a report");
    assert_eq!(cases[0].end.as_ref().map(|end| end.1.as_str()), Some("internal-error"));
    assert!(told.trace_file.as_ref().is_some_and(|text| text.starts_with("internal-error: ")), "{told:#?}");
    assert!(told.markdown.as_ref().is_some_and(|page| page.contains("internal-error")));
}

#[test]
fn a_panic_in_the_first_version_leaves_no_old_pass() {
    let places: Vec<&'static str> =
        DESTINATIONS.iter().map(|name| &*Box::leak(format!("first {name}").into_boxed_str())).collect();
    side_by_side(
        &places,
        |place| (*place).to_owned(),
        |place| {
            let service = harness::service();
            with_a_bug_at(place, &service);
            assert!(service.requests().is_empty());
        },
    );
}

#[test]
fn a_panic_before_there_is_a_report_still_has_its_exit_code() {
    let service = harness::service();
    let told = Story::at(&service).without_files().outside_ci().with_a_bug_at("inputs").told();
    told.ended_by_its_last_line("internal-error", 70);
    assert!(told.log().contains("a bug in maestro-gate at src"), "{}", told.log());
    assert!(service.requests().is_empty());
    let told = Story::at(&service).with("log-format", "json").with_a_bug_at("core").begun().unheld();
    let last: Value = serde_json::from_str(told.log().lines().last().expect("a line")).expect("an object a line");
    assert_eq!((&last["verdict"], &last["exit_code"]), (&json!("internal-error"), &json!(70)));
}

#[test]
fn a_panic_of_a_writer_is_a_warning_and_the_verdict_stands() {
    let rows: Vec<(&'static str, &'static str)> = DESTINATIONS
        .iter()
        .map(|name| (*name, &*Box::leak(format!("write {name}").into_boxed_str())))
        .chain([("trace-file", "write logs")])
        .collect();
    side_by_side(
        &rows,
        |(_, place)| (*place).to_owned(),
        |(name, place)| {
            let service = harness::service();
            let story = Story::at(&service).runs(&[FAILED]).with_a_bug_at(place);
            let told = if name.starts_with("GITHUB_") { story.begun().unheld() } else { story.told() };
            assert_eq!(told.code, Some(1), "{place}");
            let said = format!("title=maestro-gate::{name}");
            assert!(told.log().contains(&said) && told.log().contains("a bug of the gate"), "{}", told.log());
        },
    );
}

#[test]
fn a_panic_after_the_verdict_was_written_leaves_it_standing() {
    let service = harness::service();
    let told = Story::at(&service).runs(&[FAILED]).with_a_bug_at("logs").begun().unheld();
    assert_eq!((told.code, told.verdict()), (Some(1), "failed"));
    let last = told.log().lines().next_back().unwrap_or_default();
    assert!(last.starts_with("maestro-gate: failed (exit code 1): the log is incomplete because of a bug"), "{last}");
    assert!(told.trace_file.as_ref().is_some_and(|text| text.contains(harness::TRACE)));
}
