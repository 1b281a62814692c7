//! What a person or a program reads on stdout; and that a reader who is gone or asleep changes nothing but that.

use serde_json::{Value, json};

use crate::harness::{self, FAILED, PASSWORD, PIPELINE, RUNNING, SUCCESS, Story, TRACE, USERNAME, service_of};
use crate::stand_in::{On, Reply};

#[test]
fn a_reader_who_is_gone_changes_nothing() {
    let service = harness::service();
    Story::at(&service).with_closed_stdout().play().assert_ended("passed", 0);
    Story::at(&service).runs(&[FAILED]).with_closed_stdout().play().assert_ended("failed", 1);
    Story::at(&service).with("verbose", "true").with_stdout("/dev/full").play().assert_ended("passed", 0);
}

#[test]
fn a_reader_who_is_asleep_changes_nothing() {
    let trace = "a line of a long trace\n".repeat(1000);
    let run = |n: u32| json!({"pipeline_run_id": format!("run-{n}"), "last_status": "FAILED", "trace": trace});
    let runs: Vec<Value> = (0..12).map(|n| json!({"record": run(n)})).collect();
    let service = service_of(json!({"runs": runs}));
    let names: Vec<String> = (0..12).map(|n| format!("run-{n}")).collect();
    let story = Story::at(&service).with("run-id", names.join(",")).with("logs", "never").with_unread_stdout();
    // It ends, although its last lines stay unread: it has a limit for that.
    story.play().assert_ended("failed", 1);
}

#[test]
fn the_log_says_a_failure_with_its_trace_and_the_next_step_last() {
    let service = harness::service();
    let outcome = Story::at(&service).runs(&[FAILED]).play();
    let log = outcome.assert_ended("failed", 1).log();
    assert!(log.contains(&format!("  | {TRACE}")), "{log}");
    let mut from_the_end = log.lines().rev();
    let (last, before) = (from_the_end.next().expect("a line"), from_the_end.next().expect("a line"));
    assert!(last.contains(FAILED) && last.contains("15m 12s"), "{last}");
    assert!(before.starts_with("next step: "), "{before}");
}

#[test]
fn on_no_ci_the_log_is_plain_and_complete() {
    let service = harness::service();
    let outcome = Story::at(&service).runs(&[FAILED]).without_files().outside_ci().play();
    outcome.assert_last_line("failed", 1);
    assert!(
        outcome.files.values().all(String::is_empty),
        "nothing is written that nobody asked for: {:?}",
        outcome.files
    );
    assert!(outcome.log().contains(TRACE));
}

#[test]
fn json_lines_are_one_object_each_and_nothing_else() {
    let service = harness::service();
    service.script(On::Run, [Reply::status(503), Reply::run("PAUSED")]);
    let story = Story::at(&service).runs(&[FAILED, SUCCESS]).with("log-format", "json");
    let outcome = story.play();
    outcome.assert_ended("failed", 1);
    let events: Vec<Value> = outcome.log().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let last = events.last().expect("a line");
    assert_eq!(
        (&last["event"], &last["verdict"], &last["exit_code"]),
        (&json!("verdict"), &json!("failed"), &json!(1))
    );
    let count = |event: &str| events.iter().filter(|line| line["event"] == event).count();
    assert_eq!((count("run"), count("verdict")), (2, 1));
    assert!(count("note") >= 3, "{}", outcome.log());
}

#[test]
fn quiet_keeps_the_verdict_and_verbose_shows_every_poll() {
    let service = harness::service();
    service.script(On::Run, [Reply::run("RUNNING"), Reply::run("RUNNING")]);
    let outcome = Story::at(&service).with("verbose", "true").play();
    outcome.assert_ended("passed", 0);
    let looks = outcome.log().lines().filter(|line| line.contains("RUNNING") || line.contains("SUCCESS")).count();
    assert!(looks >= 3, "{}", outcome.log());

    service.script(On::Run, [Reply::run("RUNNING")]);
    let outcome = Story::at(&service).with("quiet", "true").without_files().outside_ci().play();
    outcome.assert_last_line("passed", 0);
    assert!(!outcome.log().contains("RUNNING"), "{}", outcome.log());
    assert!(outcome.log().lines().count() <= 2, "{}", outcome.log());
}

#[test]
fn help_and_version_ask_nothing_and_need_nothing() {
    for (flag, words) in [("help", "--run-id"), ("version", env!("CARGO_PKG_VERSION"))] {
        let shown = std::process::Command::new(harness::program())
            .arg(format!("--{flag}"))
            .env_clear()
            .output()
            .expect("it starts");
        assert_eq!((shown.status.code(), shown.stderr.len()), (Some(0), 0));
        assert!(String::from_utf8_lossy(&shown.stdout).contains(words));
    }
}

/// `script` of util-linux makes the terminal.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_a_spinner_and_a_pipe_to_it_gets_lines_alone() {
    let service = harness::service();
    let (binary, base) = (harness::program().display(), service.base_url());
    let gate = format!("{binary} --base-url {base} --pipeline-id {PIPELINE} --run-id {RUNNING} --timeout 3s");
    let shown = |command: &str| {
        let mut script = std::process::Command::new("script");
        script.args(["-qec", command, "/dev/null"]).env_clear().env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
        script
            .env("DADOSFERA_USERNAME", USERNAME)
            .env("DADOSFERA_PASSWORD", PASSWORD)
            .stdin(std::process::Stdio::null());
        String::from_utf8_lossy(&script.output().expect("script").stdout).into_owned()
    };
    for (command, spins) in [(gate.clone(), true), (gate + " | cat", false)] {
        let shown = shown(&command);
        assert!(shown.contains("maestro-gate: timed-out (exit code 3)"), "{shown}");
        assert_eq!(shown.contains("still waiting"), spins, "{shown}");
    }
}
