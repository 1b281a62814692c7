//! The first step stopped in the middle of its work: by a signal, or killed.

#![cfg(unix)]

use std::fs;
use std::process::{Child, Command};

use super::program::released;
use super::step::{Runner, send, shells};

/// A step in the middle of its download, which ends when somebody writes to the pipe `end`.
fn downloading(shell: &'static str) -> (Runner, Child) {
    let runner = released(shell);
    let [begun, end] = ["begun", "end"].map(|name| runner.path(name));
    assert!(Command::new("mkfifo").args([&begun, &end]).status().expect("mkfifo is here").success());
    let stopped = runner.path("stopped");
    let text = format!(
        "trap \": >'{}'; kill \\$!; exit\" TERM\n: >'{}'\ncat '{}' &\nwait",
        stopped.display(),
        begun.display(),
        end.display()
    );
    runner.script("bin/curl", &text);
    let child = runner.start_first();
    // Opens once the other side does.
    fs::read(&begun).expect("it has begun");
    (runner, child)
}

#[test]
fn a_signal_before_the_gate_began_ends_the_download_and_is_reported() {
    for shell in shells() {
        for (signal, code) in [("INT", 130), ("TERM", 143)] {
            let (runner, child) = downloading(shell);
            send(signal, child.id());
            let ended = runner.end_first(child);
            assert_eq!(ended.how(), (Some(code), "interrupted"), "{shell} {signal}: {}", ended.log);
            assert_eq!(ended.outputs["exit-code"], code.to_string());
            assert!(runner.path("stopped").exists(), "{shell} {signal}: the download went on");
        }
    }
}

#[test]
fn a_kill_before_the_gate_began_leaves_an_internal_error() {
    for shell in shells() {
        let (runner, child) = downloading(shell);
        send("KILL", child.id());
        let ended = runner.end_first(child);
        // Nobody is left to end the download.
        runner.write("end", "");
        assert_eq!(ended.how(), (None, "internal-error"), "{shell}: {}", ended.log);
        assert_eq!(ended.outputs["exit-code"], "70");
    }
}
