//! A bug of ours never looks like a pass or a failed run, and takes no report with it (docs/reference.md#verdicts-and-exit-codes).

use serde_json::{Value, json};

use crate::harness::{self, FAILED, Story, side_by_side};

#[test]
fn a_panic_while_watching_is_an_internal_error_with_every_report() {
    let service = harness::service();
    let told = Story::at(&service).with_a_bug_at("watch").told();
    told.ended("internal-error", 70);
    assert_eq!(told.output("run-id"), harness::SUCCESS);
    assert!(told.report().to_string().contains("provoked at watch"), "{told:#?}");
    assert!(told.log().contains("provoked at watch"), "{}", told.log());
    let cases = told.junit.as_ref().expect("a report");
    assert_eq!(cases[0].end.as_ref().map(|end| end.1.as_str()), Some("internal-error"));
    assert!(told.summary.as_ref().is_some_and(|page| page.contains("provoked at watch")));
}

#[test]
fn a_panic_before_there_is_a_report_still_has_its_exit_code() {
    let service = harness::service();
    let told = Story::at(&service).without_files().outside_ci().with_a_bug_at("inputs").told();
    told.ended_by_its_last_line("internal-error", 70);
    assert!(
        told.log().contains("a bug of the gate at src/bug.rs") || told.log().contains("src\\bug.rs"),
        "{}",
        told.log()
    );
    assert!(service.requests().is_empty());
}

#[test]
fn a_panic_in_one_report_costs_that_report_alone() {
    let rows = ["json", "junit", "dotenv", "markdown", "trace-file", "output-dir"];
    side_by_side(
        &rows,
        |row| (*row).to_owned(),
        |place| {
            let service = harness::service();
            let told = Story::at(&service).with_a_bug_at(place).told();
            told.ended("passed", 0);
            let said = told.everything();
            assert!(said.contains(&format!("{place} ")) && said.contains("the renderer failed"), "{place}: {told:#?}");
        },
    );
}

#[test]
fn a_panic_after_the_verdict_was_told_leaves_it_standing() {
    let service = harness::service();
    let told = Story::at(&service).runs(&[FAILED]).with_a_bug_at("logs").told();
    told.ended("failed", 1);
    assert!(told.log().contains("trace-file and logs: a bug of the gate kept them away"), "{}", told.log());

    let told = Story::at(&service).with_a_bug_at("closing").told();
    told.ended("passed", 0);
    assert!(told.log().contains("the end of the log is missing (a bug in maestro-gate"), "{}", told.log());

    let told = Story::at(&service).with("log-format", "json").with_a_bug_at("closing").told();
    told.ended("passed", 0);
    let last: Value = serde_json::from_str(told.log().lines().last().expect("a line")).expect("an object a line");
    assert_eq!(
        (&last["event"], &last["verdict"], &last["exit_code"]),
        (&json!("verdict"), &json!("passed"), &json!(0))
    );
    assert!(last["reason"].as_str().expect("why").contains("a bug in maestro-gate"), "{last}");
}
