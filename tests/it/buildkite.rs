//! Buildkite: what its agent receives, and what its log makes of ours.

use std::fs;
use std::path::Path;

use maestro_gate::core::Verdict;
use maestro_gate::report::Report;
use proptest::prelude::*;

use crate::ci_log::{PREFIX, calls, closing, report_with, run_gate};
use crate::fixture;
use crate::harness::{FAILED, SUCCESS, read};
use crate::hostile::hostile_text;
use crate::runner;

#[test]
fn buildkite_s_values_are_never_empty_and_its_annotation_is_replaced() {
    let context = |report: &Report, prefix: &str| {
        let (_, summary) = calls(report, "buildkite", prefix);
        summary[0].arguments[2].clone()
    };
    for (name, report) in fixture::all() {
        let (outputs, summary) = calls(&report, "buildkite", PREFIX);
        assert!(outputs.iter().all(|call| !call.input.trim().is_empty()), "{name}");
        let arguments = &summary[0].arguments;
        assert_eq!(
            arguments[..4],
            ["annotate", "--context", "maestro_gate", "--style"],
            "{name}: the last one replaces the first"
        );
        assert_eq!(arguments[4] == "success", report.verdict == Verdict::Passed, "{name}: {arguments:?}");
        assert_ne!(context(&report, "SALES_"), "maestro_gate");
    }
    assert!(context(&fixture::failed(), &"X".repeat(500)).len() <= 100);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn buildkite_s_groups_are_ours_and_the_verdict_is_not_folded_away(text in hostile_text()) {
        let log = closing(&report_with(&format!("x{text}")), "buildkite");
        let groups = runner::buildkite_groups(&log);
        let marks: Vec<&str> = groups.iter().map(|line| &line[..3]).collect();
        prop_assert_eq!(marks, ["+++", "---", "+++"]);
        prop_assert_eq!(&groups[2], "+++ maestro-gate: failed");
    }
}

/// A program in the place of Buildkite's agent, which writes down how it was called.
#[cfg(unix)]
fn stand_in_agent(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let program = folder.join("buildkite-agent");
    let script = "#!/bin/sh\nbody=$(head -n 1)\necho \"$* = $body (${DADOSFERA_PASSWORD:-unset})\" >>calls\n";
    #[expect(clippy::disallowed_methods, reason = "this test plays the agent")]
    fs::write(&program, script).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
    format!("{}:/usr/bin:/bin", folder.display())
}

#[cfg(unix)]
#[test]
fn buildkite_s_agent_is_called_first_and_last_and_inherits_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = stand_in_agent(folder.path());
    let env = [("BUILDKITE", "true"), ("PATH", path.as_str())];
    let (code, log) = run_gate(folder.path(), FAILED, &env, &[]);
    let calls = read(&folder.path().join("calls")).expect("a file");
    let of = |start: &str| calls.lines().filter(|line| line.starts_with(start)).collect::<Vec<_>>();
    let set = "meta-data set MAESTRO_GATE_VERDICT = ";
    assert_eq!(of(set), [format!("{set}internal-error (unset)"), format!("{set}failed (unset)")], "{calls}");
    let annotations = of("annotate --context maestro_gate --style ");
    // The logs come later: the same annotation, with them.
    assert_eq!(annotations.len(), 3, "{calls}");
    assert!(annotations[2].contains("--style error = ## "), "{calls}");
    assert!(
        annotations[0].contains("--style info = <sub>maestro-gate") && annotations[1].contains("--style error = ## ")
    );
    assert!(code == 1 && !log.contains("warning:"), "{log}");

    // A value that the agent refuses takes no other with it.
    let picky = "#!/bin/sh\ncase $* in *_STATUS) exit 1 ;; esac\nbody=$(cat)\necho \"$* = $body\" >>picky\n";
    #[expect(clippy::disallowed_methods, reason = "this test plays the agent")]
    fs::write(folder.path().join("buildkite-agent"), picky).expect("written");
    let (code, log) = run_gate(folder.path(), FAILED, &env, &[]);
    let calls = read(&folder.path().join("picky")).expect("a file");
    assert!(calls.lines().any(|line| line == format!("{set}failed")), "{calls}");
    assert!(calls.lines().any(|line| line.contains("MAESTRO_GATE_EXIT_CODE = 1")), "{calls}");
    assert!(code == 1 && log.contains("buildkite-agent failed"), "{log}");

    let env = [("BUILDKITE", "true"), ("PATH", "/nowhere")];
    let (code, log) = run_gate(folder.path(), SUCCESS, &env, &[]);
    assert!(code == 0 && log.contains("there is no buildkite-agent on the PATH"), "{log}");
}
