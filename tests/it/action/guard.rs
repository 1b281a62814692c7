//! A step that looks green is red if the gate did not run. When the guard runs is `if:` in `action.yml`, which tests/act
//! evaluates; what it does is run here.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Action;
use super::program::{PROGRAM, has_passed, released};
use super::step::shells;
use crate::harness;

/// Is the error shown, and are the outputs those of a gate that did not run?
#[track_caller]
fn is_red(ended: &super::step::Ended) {
    assert_eq!(ended.how(), (Some(70), "internal-error"), "{}", ended.log);
    assert_eq!(ended.outputs["exit-code"], "70");
    assert!(matches!(&ended.errors()[..], [error] if error.starts_with("the gate did not run")), "{}", ended.log);
}

#[test]
fn a_first_step_that_does_nothing_is_red() {
    for shell in shells() {
        let runner = released(shell);
        runner.write("gate/action/find-program.sh", "");
        let ended = runner.run();
        // The gate's step has no program to become.
        assert!(matches!(ended.code, Some(126 | 127)), "{shell}: {:?}", ended.code);
        assert_eq!((ended.outputs["verdict"].as_str(), ended.outputs["exit-code"].as_str()), ("internal-error", "70"));
    }
}

#[test]
fn a_program_that_does_nothing_is_red() {
    for shell in shells() {
        let mut runner = released(shell);
        for does in ["exit 0", "echo verdict=passed", "echo 'verdict=failed' >>\"$GITHUB_OUTPUT\""] {
            let text = format!("case ${{1-}} in --version) echo 'maestro-gate 0' ;; *) {does} ;; esac");
            runner.inputs.insert("binary-path", runner.script("idle", &text).display().to_string());
            let ended = runner.run();
            assert_eq!(ended.code, Some(70), "{shell}, {does}: {}", ended.log);
            assert_ne!(ended.outputs["verdict"], "passed", "{shell}, {does}");
        }
        runner.inputs.insert(
            "binary-path",
            runner.script("idle", "case ${1-} in --version) echo 'maestro-gate 0' ;; esac").display().to_string(),
        );
        is_red(&runner.run());
    }
}

#[test]
fn a_pass_whose_outputs_can_not_be_written_is_red() {
    let mut runner = released("sh");
    let program = format!("{}\n", PROGRAM.replace("\"$GITHUB_OUTPUT\"", "/dev/full"));
    runner.inputs.insert("binary-path", runner.script("full", &format!("{program}\nexit 0")).display().to_string());
    is_red(&runner.run());

    runner.inputs.insert("binary-path", runner.script("good", PROGRAM).display().to_string());
    has_passed(&runner.run());
}

/// GitHub's runner fails a step of a composite action whose `if:` can't be evaluated (CompositeActionHandler.cs).
#[test]
fn the_guards_say_when_they_run_and_need_no_shell_of_the_gate_s() {
    let action = Action::read();
    let ids: Vec<_> = action.steps().iter().map(|step| step["id"].as_str()).collect();
    assert_eq!(ids, [Some("program"), Some("gate"), Some("guard"), None]);
    let guard = action.step("guard");
    assert_eq!(
        guard["if"].as_str(),
        Some(
            "${{ always() && !failure() && steps.gate.outcome != 'cancelled' && steps.gate.outputs.verdict != 'passed' }}"
        )
    );
    assert_eq!(guard["shell"].as_str(), Some("${{ runner.os == 'Windows' && 'pwsh' || 'sh' }}"));
    let last = action.steps().last().expect("a step");
    assert_eq!(
        last["if"].as_str(),
        Some(
            "${{ fromJSON((failure() || cancelled() || steps.gate.outputs.verdict == 'passed') && 'false' || 'not JSON') }}"
        )
    );
    assert!(action.steps().iter().all(|step| step["continue-on-error"].is_badvalue()));
}

#[test]
fn a_program_that_is_exchanged_for_an_empty_file_is_no_pass() {
    for shell in shells() {
        let runner = released(shell);
        // Between the steps: a shell takes an empty executable file for a script.
        let mut child = runner.start_first();
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
        let temp = fs::read_dir(runner.path("temp")).expect("a folder").map(|entry| entry.expect("an entry").path());
        let program = temp.map(|path| path.join("maestro-gate")).find(|path| path.is_file()).expect("the program");
        harness::write(&program, "");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
        let ended = runner.end_first(child);
        assert_ne!(ended.code, Some(0), "{shell}: {}", ended.log);
        assert_eq!(ended.outputs["verdict"], "internal-error", "{shell}");
    }
}
