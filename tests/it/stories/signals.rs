//! A signal at any moment: reports written, gone within two seconds, 130 or 143.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use maestro_gate::poll_loop::ignores_hang_up;
use serde_json::json;

use crate::harness::{
    self, FAILED, HANG_TIMEOUT, Live, RUNNING, Story, StoryOutcome, can_be_process_one, in_parallel_up_to, service_of,
};
use crate::stand_in::{Gzip, On, Reply, Service};

/// Less than what a gate that heard no signal would take: 30 s for a request or the logs, for ever for a pipe. That it is two
/// seconds is held where a busy machine has no say (`src/poll_loop/tests.rs`), and measured by `bench/budgets.py`.
const GONE: Duration = Duration::from_secs(25);

/// What the gate is doing when the signal comes: how the service brings that about, and how a test knows.
struct MomentOf {
    doing: &'static str,
    replies: fn(&Service),
    is_there: fn(&Live<'_>, &Service),
}

fn asked(on: On) -> fn(&Live<'_>, &Service) {
    match on {
        On::SignIn => |_, service| assert!(service.wait_for(On::SignIn, 1, HANG_TIMEOUT)),
        On::Logs => |_, service| assert!(service.wait_for(On::Logs, 1, HANG_TIMEOUT)),
        _ => |_, service| assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT)),
    }
}

fn moments() -> [MomentOf; 6] {
    [
        MomentOf {
            doing: "signing in",
            replies: |service| service.order(On::SignIn, Reply::hang().forever()),
            is_there: asked(On::SignIn),
        },
        MomentOf {
            doing: "a request that hangs",
            replies: |service| service.order(On::Run, Reply::hang().forever()),
            is_there: asked(On::Run),
        },
        MomentOf {
            doing: "an answer that trickles",
            replies: |service| {
                let second = Duration::from_secs(1);
                service.order(On::Run, Reply::run("SUCCESS").trickle(1, second).forever());
            },
            is_there: asked(On::Run),
        },
        MomentOf {
            doing: "a wait",
            replies: |service| service.order(On::Run, Reply::run("RUNNING").retry_after(3600).forever()),
            is_there: |gate, _| gate.wait_for_output("status RUNNING"),
        },
        MomentOf {
            doing: "an outage",
            replies: |service| service.order(On::Run, Reply::status(503).retry_after(3600).forever()),
            is_there: |gate, _| gate.wait_for_output("no usable answer"),
        },
        MomentOf {
            doing: "a run that is not there",
            replies: |service| service.order(On::Run, Reply::status(404).retry_after(3600).forever()),
            is_there: |gate, _| gate.wait_for_output("does not know the run"),
        },
    ]
}

/// Sends a signal to a gate, which is gone in time.
#[track_caller]
fn stop(gate: Live<'_>, signal: &str) -> StoryOutcome {
    let signalled = gate.signal(signal);
    let outcome = gate.finish();
    gone_in_time(&outcome, signalled);
    outcome
}

#[track_caller]
fn gone_in_time(outcome: &StoryOutcome, signalled: Instant) {
    let after = outcome.at - signalled;
    assert!(after < GONE, "gone after {after:?}");
}

#[test]
fn a_signal_at_any_moment_ends_the_gate_with_its_reports() {
    let mut stories = Vec::new();
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 143), ("QUIT", 143)] {
        // Under `nohup` the gate ignores a hang-up, as this process does.
        if signal != "HUP" || !ignores_hang_up() {
            stories.extend(moments().map(|moment| (moment, signal, code)));
        }
    }
    in_parallel_up_to(
        4,
        &stories,
        |(moment, signal, _)| format!("{signal} while {}", moment.doing),
        |(moment, signal, code)| {
            let service = harness::service();
            (moment.replies)(&service);
            let gate = Story::at(&service).start();
            (moment.is_there)(&gate, &service);
            stop(gate, signal).assert_ended("interrupted", *code);
        },
    );
}

#[test]
fn a_signal_while_connecting_is_heeded() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("https://{}", silent.local_addr().expect("an address"));
    let gate = Story::at_address(&address).start();
    let _connection = silent.accept().expect("the gate connects");
    stop(gate, "TERM").assert_ended("interrupted", 143);
}

/// What takes a test's program a while: escapes within escapes, and beginnings of the password.
fn slow_text(length: usize) -> String {
    let password = harness::PASSWORD;
    let almost = &password[..password.len() - 1];
    let part = format!("{almost}%2541{almost}&amp;amp;{almost}\\\\u005c{almost}\n").repeat(4);
    part.repeat(length / part.len())
}

#[test]
fn a_signal_is_obeyed_while_a_long_trace_is_sanitized() {
    let trace = slow_text(24 << 20);
    let run = json!({"record": {"pipeline_run_id": FAILED, "last_status": "FAILED", "trace": trace}});
    let service = service_of(json!({"runs": [run]}));
    let gate = Story::at(&service).runs(&[FAILED]).with("logs", "never").start();
    gate.wait_for_output("status FAILED");
    let signalled = gate.signal("TERM");
    let outcome = gate.finish();
    outcome.assert_ended("failed", 1);
    gone_in_time(&outcome, signalled);
    // A faster machine may be through before the signal comes, and a busier one has no time left to write the file.
    let file = outcome.trace_file.as_ref().expect("a file");
    let is_cut = file.trim_end().ends_with("bytes left out: the gate was stopped ...]");
    assert!(
        is_cut || harness::some_are_late(&outcome) || outcome.at - signalled < Duration::from_secs(2),
        "{} of {} bytes",
        file.len(),
        trace.len()
    );
}

#[test]
fn a_signal_is_obeyed_while_long_logs_are_sanitized() {
    let service = harness::service();
    service.order(On::Logs, Reply::text(200, &slow_text(60 << 20)).gzip(Gzip::Right));
    let gate = Story::at(&service).runs(&[FAILED]).start();
    assert!(service.wait_for(On::Logs, 1, HANG_TIMEOUT));
    stop(gate, "TERM").assert_ended("failed", 1);
}

#[test]
fn a_verdict_once_reached_stands_and_a_signal_only_shortens_its_delivery() {
    let service = harness::service();
    service.order(On::Logs, Reply::hang().forever());
    let gate = Story::at(&service).runs(&[FAILED]).start();
    assert!(service.wait_for(On::Logs, 1, HANG_TIMEOUT));
    stop(gate, "TERM").assert_ended("failed", 1);
}

#[test]
fn process_one_heeds_signals() {
    if !can_be_process_one() {
        crate::harness::skipped("no right to make a namespace here");
        return;
    }
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let service = harness::service();
        let gate = Story::at(&service).runs(&[RUNNING]).with_pid_one().start();
        gate.wait_for_output("status RUNNING");
        stop(gate, signal).assert_ended("interrupted", code);
    }
}

#[test]
fn a_signal_is_heeded_though_nobody_reads_stdout_or_a_report() {
    let service = harness::service();
    let story = Story::at(&service).runs(&[RUNNING]);
    let pipe = story.path("pipe");
    harness::make_pipe(&pipe);
    let gate = story.with("markdown", pipe).with_unread_stdout().start();
    assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT));
    stop(gate, "TERM").assert_ended("interrupted", 143);
}

#[test]
fn the_verdict_is_reported_though_stalled_reports_take_all_the_time() {
    let service = harness::service();
    let mut story = Story::at(&service).runs(&[RUNNING]);
    for input in ["json", "junit", "dotenv", "markdown", "trace-file"] {
        let pipe = story.path(&format!("{input}-pipe"));
        harness::make_pipe(&pipe);
        story = story.with(input, pipe);
    }
    for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        let pipe = story.path(&format!("{name}-pipe"));
        harness::make_pipe(&pipe);
        story = story.env(name, pipe);
    }
    let gate = story.start();
    gate.wait_for_output("status RUNNING");
    let outcome = stop(gate, "TERM");
    outcome.assert_last_line("interrupted", 143);
    assert!(outcome.log().contains("still RUNNING when SIGTERM"), "{}", outcome.log());
}

#[test]
fn a_signal_is_heeded_while_an_input_file_gives_nothing() {
    let service = harness::service();
    let story = Story::at(&service).without_password().env("DADOSFERA_USERNAME", harness::USERNAME);
    let pipe = story.given("password-file");
    harness::make_pipe(&pipe);
    let gate = story.without_files().outside_ci().env("DADOSFERA_PASSWORD_FILE", &pipe).start();
    let _silent = harness::other_end(&pipe, OpenOptions::new().write(true));
    let outcome = stop(gate, "TERM");
    // The password is not missing: a file was given for it.
    outcome.assert_last_line("interrupted", 143);
    assert!(!outcome.log().contains("password-file"), "{}", outcome.log());
    assert!(service.requests().is_empty());
}

#[test]
fn a_report_that_is_late_still_agrees_if_it_comes_within_the_two_seconds() {
    // A machine that is busy for two seconds makes another story of it, but not five times.
    let in_time = (0..5).any(|_| {
        let service = harness::service();
        // The pipe outlives the story.
        let workspace = Arc::new(tempfile::tempdir().expect("a folder"));
        let story = Story::in_workspace(&service, &workspace).runs(&[RUNNING]);
        let pipe = story.path("pipe");
        harness::make_pipe(&pipe);
        let gate = story.with("dotenv", &pipe).start();
        gate.wait_for_output("status RUNNING");
        let signalled = gate.signal("TERM");
        // All else is written by now, and nobody has opened the pipe: that report is waited for.
        gate.wait_for_text_in("report.json", "\"interrupted\"");
        let (late, outcome) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| std::fs::read_to_string(&pipe).expect("text"));
            // Not held to the law: where two seconds are too short, other reports are given up as well.
            let outcome = gate.finish_unchecked();
            // Where the gate never opened its end, this opens both, which blocks for nobody, and lets the reader go.
            drop(harness::other_end(&pipe, OpenOptions::new().read(true).write(true)));
            (reader.join().expect("no panic"), outcome)
        });
        assert_eq!(outcome.code, Some(143));
        gone_in_time(&outcome, signalled);
        assert!(late.is_empty() || late.contains("MAESTRO_GATE_VERDICT=interrupted\n"), "{late}");
        !late.is_empty()
    });
    assert!(in_time, "no report came though its pipe was opened");
}
