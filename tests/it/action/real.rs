//! The steps with the real program in them: what `action.yml` hands on is all it needs, and the runner's signals reach it.

#![cfg(unix)]

use super::step::{Runner, send, shells};
use crate::harness::{HANG_TIMEOUT, program};
use crate::stand_in::{On, Scenario, Service};

/// The runner of the real program, its service with it.
pub(super) fn real(shell: &'static str, run: &str) -> (Runner, Service) {
    let service = Service::start(Scenario::from_json(include_str!("../../act/scenario.json")).expect("a scenario"));
    let mut runner = Runner::new(shell);
    for (name, value) in [
        ("binary-path", program().to_str().expect("UTF-8")),
        ("pipeline-id", "nightly"),
        ("run-id", run),
        ("timeout", "60s"),
        ("poll-interval", "1s"),
        ("base-url", &service.base_url()),
        ("username", "ci@example.com"),
        ("password", "correct-horse-battery"),
        ("json", "reports/gate.json"),
    ] {
        runner.inputs.insert(name, value.to_owned());
    }
    (runner, service)
}

#[test]
fn the_program_needs_no_more_than_what_action_yml_hands_on() {
    let (runner, _service) = real("sh", "bad");
    let ended = runner.run();
    assert_eq!(ended.how(), (Some(1), "failed"), "{}", ended.log);
    assert!(ended.outputs["trace"].starts_with("Connection timeout"));
    assert!(ended.summary.contains("Connection timeout"));
    assert!(runner.path("workspace/reports/gate.json").is_file());

    let (runner, _service) = real("sh", "good");
    let ended = runner.run();
    assert_eq!(ended.how(), (Some(0), "passed"), "{}", ended.log);
}

#[test]
fn a_log_of_json_is_json_from_its_first_line() {
    for shell in shells() {
        let (mut runner, _service) = real(shell, "bad");
        runner.inputs.insert("log-format", "json".to_owned());
        let ended = runner.run();
        assert_eq!(ended.how(), (Some(1), "failed"), "{}", ended.log);
        assert!(ended.stdout.lines().count() > 1, "{}", ended.stdout);
        for line in ended.stdout.lines() {
            let object: Result<serde_json::Value, _> = serde_json::from_str(line);
            assert!(object.is_ok_and(|object| object.is_object()), "{shell}: {line}");
        }
        assert!(ended.log.contains("maestro-gate "), "the log says which program it is: {}", ended.log);
    }
}

#[test]
fn a_signal_to_the_step_s_process_reaches_the_gate() {
    for shell in shells() {
        for (signal, code) in [("INT", 130), ("TERM", 143)] {
            let (runner, service) = real(shell, "endless");
            let child = runner.start();
            assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT));
            send(signal, child.id());
            assert_eq!(runner.end(child).how(), (Some(code), "interrupted"), "{shell} {signal}");
        }
    }
}
