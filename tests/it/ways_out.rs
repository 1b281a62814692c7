//! Ways out that are easy to forget: inputs that block, a reader of stdout who is gone, and what stands in the reports
//! when no run was waited for. The real binary, no service.

#![expect(clippy::disallowed_methods, reason = "a test puts files in the way")]

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::channel;

use crate::harness::{HANG_TIMEOUT, program};

/// The gate in `folder`, with nothing of this process's environment.
fn gate(folder: &Path) -> Command {
    let mut gate = Command::new(program());
    gate.env_clear().current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    gate.args(["--pipeline-id", "p", "--run-id", "r", "--base-url", "http://127.0.0.1:9"]);
    gate
}

#[track_caller]
fn wait(mut child: Child) -> ExitStatus {
    let (send, receive) = channel();
    let id = child.id();
    std::thread::spawn(move || drop(send.send(child.wait())));
    match receive.recv_timeout(HANG_TIMEOUT) {
        Ok(status) => status.expect("a child"),
        Err(_) => {
            let _killed = Command::new("kill").args(["-KILL", &id.to_string()]).status();
            panic!("it did not end");
        }
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(unix)]
#[test]
fn a_file_that_nobody_writes_makes_the_gate_deaf_to_no_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Command::new("mkfifo").arg(folder.path().join("secret")).status().expect("mkfifo").success());
    std::fs::write(folder.path().join("report.json"), r#"{"verdict":"passed"}"#).expect("written");
    let mut child = gate(folder.path())
        .args(["--username", "me", "--password-file", "secret", "--json", "report.json"])
        .spawn()
        .expect("started");
    // It handles a signal once it listens for it; until then the signal's own effect ends it, which is no pass either.
    let asked = Command::new("sh")
        .args(["-c", "for n in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; kill -TERM $0 2>/dev/null || exit 0; done"])
        .arg(child.id().to_string())
        .spawn();
    let mut out = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
    let status = wait(child);
    asked.expect("started").wait().expect("ended");
    assert!(!status.success());
    if let Some(code) = status.code() {
        assert_eq!(code, 143, "{out}");
        let report = std::fs::read_to_string(folder.path().join("report.json")).expect("a report");
        assert!(report.contains(r#""verdict": "interrupted""#), "{report}");
    }
}

#[test]
fn every_report_says_of_input_errors_the_trace_file_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = gate(folder.path()).args(["--trace-file", "trace.txt"]).output().expect("ended");
    assert_eq!(output.status.code(), Some(2));
    let trace = std::fs::read_to_string(folder.path().join("trace.txt")).expect("a file");
    assert_eq!(trace, "invalid-input: 1 input error; no request was made\n");
}

/// Whatever stdout is: the gate's log is no place for a report.
#[cfg(unix)]
#[test]
fn a_report_into_the_log_s_own_file_is_refused_by_every_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let append = |name| std::fs::OpenOptions::new().append(true).create(true).open(path(name)).expect("a file");
    drop(append("log"));
    std::os::unix::fs::symlink("log", path("soft")).expect("a link");
    std::fs::hard_link(path("log"), path("hard")).expect("a link");
    for name in ["log", "soft", "hard", "./log", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/stderr"] {
        let child = gate(folder.path()).args(["--json", name]).stdout(append("log")).spawn().expect("started");
        assert_eq!(wait(child).code(), Some(2));
        let log = std::fs::read_to_string(path("log")).expect("a log");
        std::fs::File::create(path("log")).expect("emptied");
        assert!(log.contains("json \"") && log.contains("the gate's own log"), "{name}: {log}");
        assert!(
            !log.contains("\"schema\"") && log.contains("maestro-gate: invalid-input (exit code 2)"),
            "{name}: {log}"
        );
    }
    // Where nothing is kept, nothing is confused.
    let child = gate(folder.path()).args(["--json", "/dev/null"]).stdout(Stdio::null()).spawn().expect("started");
    let mut aside = String::new();
    let mut child = child;
    child.stderr.take().expect("piped").read_to_string(&mut aside).expect("text");
    assert_eq!((wait(child).code(), aside.as_str()), (Some(2), ""));
}

#[cfg(unix)]
#[test]
fn a_stdout_that_is_closed_is_reported_on_stderr_and_changes_no_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = gate(folder.path()).args(["--json", "report.json"]).spawn().expect("started");
    drop(child.stdout.take());
    let mut aside = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut aside).expect("text");
    assert_eq!(wait(child).code(), Some(2));
    assert!(aside.contains("stdout was closed or not read"), "{aside}");
    assert!(folder.path().join("report.json").exists());
}

#[test]
fn help_and_version_stand_alone_or_are_input_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    for (args, code) in [
        (vec!["--help"], 0),
        (vec!["-V"], 0),
        (vec!["--help", "--version"], 2),
        (vec!["--version", "--run-id", "r"], 2),
        (vec!["--run-id=r", "-h"], 2),
        (vec!["-qV"], 2),
        (vec!["--", "--help"], 2),
        (vec!["--help=true"], 2),
        (vec!["--run-id", "--help"], 2),
        (vec![""], 2),
        (vec!["-"], 2),
        (vec![], 2),
    ] {
        let output = Command::new(program()).env_clear().current_dir(folder.path()).args(&args).output();
        let output = output.expect("ended");
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output));
        assert!(!output.stdout.is_empty(), "{args:?}");
    }
}

/// While nobody reads the version, the process can be looked into: it has one thread, and no event queue of a runtime.
#[cfg(target_os = "linux")]
#[test]
fn help_and_version_start_no_thread_and_no_runtime_and_end_though_nobody_reads_them() {
    for flag in ["--version", "--help", "help"] {
        // It waits for its reader for seconds. A busy machine may let these pass before we look: then again.
        let seen = (0..20).find_map(|_| threads_and_event_queues(flag));
        assert_eq!(seen, Some((1, 0)), "{flag}");
    }
}

/// What the process has while it waits for its reader; none if it ended before all was seen.
#[cfg(target_os = "linux")]
fn threads_and_event_queues(flag: &str) -> Option<(usize, usize)> {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&[0; 65_536]).expect("what a pipe holds");
    let mut child = Command::new(program()).env_clear().arg(flag).stdout(writer).spawn().expect("started");
    let process = Path::new("/proc").join(child.id().to_string());
    // Once it sleeps, nothing more is started.
    let is_asleep = || fs::read_to_string(process.join("stat")).is_ok_and(|stat| stat.contains("(maestro-gate) S "));
    while !is_asleep() && child.try_wait().expect("a child").is_none() {
        std::thread::yield_now();
    }
    let threads = fs::read_dir(process.join("task")).map(Iterator::count);
    // Only root may see what a process that is not dumpable has open.
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let links = open.filter_map(|fd| fs::read_link(fd.path()).ok());
    let queues = links.filter(|to| to.to_string_lossy().contains("eventpoll")).count();
    let was_there = is_asleep();
    assert_eq!(child.wait().expect("ended").code(), Some(0), "{flag}");
    drop(reader);
    threads.ok().filter(|_| was_there).map(|threads| (threads, queues))
}
