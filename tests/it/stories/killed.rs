//! `kill -9`: whatever is read afterwards says that the gate was killed, never that it passed.

use std::sync::Arc;

use crate::harness::{self, RUNNING, Story};
use crate::runner::github;
use crate::stand_in::{On, Reply};

#[test]
fn a_killed_gate_leaves_internal_error_everywhere() {
    let service = harness::service();
    let gate = Story::at(&service).runs(&[RUNNING]).start();
    gate.wait_for_output("status RUNNING");
    gate.signal("KILL");
    let outcome = gate.finish();
    assert_eq!(outcome.code, None);
    assert_eq!((outcome.verdict(), outcome.output("exit-code")), ("internal-error", "70"));
    assert_eq!((outcome.output("run-id"), outcome.output("pipeline-id")), (RUNNING, harness::PIPELINE));
    let cases = outcome.junit.as_ref().expect("a report");
    assert_eq!(cases[0].end.as_ref().map(|end| end.1.as_str()), Some("internal-error"));
    assert!(
        outcome
            .summary
            .as_ref()
            .is_some_and(|page| page.contains("it ended before it could report: killed, out of memory, or a bug"))
    );
}

#[test]
fn a_reused_workspace_never_shows_an_old_pass() {
    let workspace = Arc::new(tempfile::tempdir().expect("a folder"));
    let service = harness::service();
    Story::in_workspace(&service, &workspace).play().assert_ended("passed", 0);
    let old = harness::read(&workspace.path().join("report.json")).expect("a report");
    assert!(old.contains("\"passed\""));

    // Killed in its first request: before it knows anything.
    service.order(On::SignIn, Reply::hang().forever());
    let gate = Story::in_workspace(&service, &workspace).start();
    assert!(service.wait_for(On::SignIn, 2, harness::HANG_TIMEOUT));
    gate.signal("KILL");
    let outcome = gate.finish();
    for (path, text) in &outcome.files {
        let is_ours = !path.ends_with("summary") && !path.ends_with("output");
        assert!(!is_ours || !text.contains("passed"), "{}: {text}", path.display());
    }
    let outputs = github::outputs(outcome.output_file.as_ref().expect("outputs")).expect("the runner reads them");
    assert_eq!(outputs["verdict"], "internal-error");
    assert_eq!((outputs["status"].as_str(), outputs["duration"].as_str()), ("", ""), "nothing of the old run is left");
}
