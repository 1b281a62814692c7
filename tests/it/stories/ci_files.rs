//! The files that a CI offers: where a variable leads somewhere else, nothing of the service's becomes a command there.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::harness::{self, HANG_TIMEOUT, Story, StoryOutcome, make_folder, make_pipe, service_of, write};
use crate::stand_in::{On, Reply, Service};

/// A failed run whose trace would set a variable, run a command and add a folder to the path.
const HOSTILE: &str = "LD_PRELOAD=/tmp/evil.so\n::set-env name=PATH::/tmp\n::error::forged\n/tmp/evil";

fn hostile_service() -> Service {
    let record = json!({"id": 1, "pipeline_run_id": "r", "last_status": "FAILED", "trace": HOSTILE,
        "created_at": "2024-01-13T06:00:00.000Z", "updated_at": "2024-01-13T06:15:12.000Z"});
    service_of(json!({"runs": [{"record": record}]}))
}

/// No line of the log begins with anything of the trace.
fn shows_no_bare_line(outcome: &StoryOutcome) {
    let outcome = format!("{}{}", outcome.log(), outcome.stderr);
    for line in HOSTILE.lines() {
        assert!(!outcome.lines().any(|said| said.trim_start().starts_with(line)), "{line}: {outcome}");
    }
}

#[test]
fn a_ci_file_that_leads_to_the_log_is_not_written() {
    let service = hostile_service();
    for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        for place in ["/dev/stdout", "/dev/stderr", "/proc/self/fd/1", "/proc/thread-self/fd/2"] {
            let outcome = Story::at(&service).with("run-id", "r").env(name, place).start().finish_unchecked();
            assert_eq!(outcome.code, Some(1), "{}", outcome.log());
            assert!(
                outcome.log().contains(&format!("{name} is not written: this is the gate's own log")),
                "{}",
                outcome.log()
            );
            shows_no_bare_line(&outcome);
        }
        // A log that is a file, under its own name.
        let folder = tempfile::tempdir().expect("a folder");
        let (log, link) = (folder.path().join("log"), folder.path().join("link"));
        write(&log, "");
        symlink(&log, &link).expect("a link");
        let story = Story::at(&service).with("run-id", "r").env(name, &link).with_stdout(&log);
        assert_eq!(story.start().finish_unchecked().code, Some(1));
        let said = fs::read_to_string(&log).expect("a log");
        assert!(said.contains(&format!("{name} is not written: ")), "{said}");
        assert!(!said.lines().any(|line| line.starts_with("::error::forged")), "{said}");
    }
}

#[test]
fn a_ci_file_is_a_regular_file_and_no_other_one_of_the_ci() {
    let service = hostile_service();
    for (name, other) in [
        ("GITHUB_STEP_SUMMARY", "GITHUB_ENV"),
        ("GITHUB_STEP_SUMMARY", "GITHUB_PATH"),
        ("GITHUB_OUTPUT", "GITHUB_ENV"),
        ("GITHUB_OUTPUT", "GITHUB_STATE"),
    ] {
        let story = Story::at(&service).with("run-id", "r");
        let (file, link) = (story.path("commands"), story.path("link"));
        write(&file, "BEFORE=1\n");
        symlink("commands", &link).expect("a link");
        let outcome = story.env(other, &file).env(name, &link).start().finish_unchecked();
        assert_eq!(outcome.code, Some(1), "{}", outcome.log());
        assert_eq!(outcome.files[&file], "BEFORE=1\n", "{name} is {other}");
        let says = format!("{name} is not written: this path is the CI's own file {other}");
        assert!(outcome.log().contains(&says), "{}", outcome.log());
    }
    // A pipe whose reader never comes: what is written there is gone.
    let story = Story::at(&service).with("run-id", "r");
    let pipe = story.path("pipe");
    make_pipe(&pipe);
    let outcome = story.env("GITHUB_OUTPUT", &pipe).start().finish_unchecked();
    let says =
        "GITHUB_OUTPUT is not written: this path is not a regular file; without these outputs the GitHub action fails";
    assert!(outcome.log().contains(says), "{}", outcome.log());
    // Forgejo's runner gives its files two names.
    let story = Story::at(&service).with("run-id", "r");
    let (output, summary) = (story.path("output"), story.path("summary"));
    let story = story.env("FORGEJO_ACTIONS", "true").env("FORGEJO_OUTPUT", output).env("FORGEJO_STEP_SUMMARY", summary);
    let outcome = story.start().finish_unchecked();
    assert!(outcome.code == Some(1) && !outcome.log().contains("is not written"), "{}", outcome.log());
    // Nothing is lost in what keeps nothing.
    let story = Story::at(&service).with("run-id", "r").env("GITHUB_OUTPUT", "/dev/null");
    let outcome = story.env("GITHUB_STEP_SUMMARY", "/dev/null").start().finish_unchecked();
    assert!(outcome.code == Some(1) && !outcome.log().contains("is not written"), "{}", outcome.log());
}

/// Somebody else made it anew: the runner reads that one, and the outputs are in neither.
#[test]
fn a_ci_file_that_is_exchanged_while_the_gate_waits_is_reported() {
    for (name, file) in [("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary")] {
        let service = harness::service();
        service.order(On::Run, Reply::run("SUCCESS").held());
        let story = Story::at(&service);
        let path = story.path(file);
        let gate = story.start();
        assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT));
        fs::remove_file(&path).expect("a file");
        write(&path, "");
        service.release();
        let outcome = gate.finish_unchecked();
        assert_eq!(outcome.code, Some(0), "{}", outcome.log());
        assert_eq!(outcome.files[&path], "");
        let says = format!("{name} {}: can't be written: another file has taken its place", path.display());
        assert!(outcome.log().contains(&says), "{}", outcome.log());
    }
}

/// A container may have the job's variables and another path for its files; and anybody's variables may be in a job.
#[test]
fn a_workspace_that_is_not_there_leaves_no_link_unchecked() {
    let service = harness::service();
    for (name, place) in [
        ("GITHUB_WORKSPACE", "/no/such/folder"),
        ("GITHUB_WORKSPACE", "/"),
        ("GITHUB_WORKSPACE", "/etc/passwd"),
        ("WORKSPACE", "/no/such/folder"),
    ] {
        let outside = tempfile::tempdir().expect("a folder");
        let target = outside.path().join("precious");
        write(&target, "theirs");
        let story = Story::at(&service).without_files();
        let link = story.given("report.json");
        symlink(&target, &link).expect("a link");
        let outcome = story
            .without_env("GITHUB_WORKSPACE")
            .env(name, place)
            .with("json", "report.json")
            .start()
            .finish_unchecked();
        assert_eq!(outcome.code, Some(2), "{name}={place}: {}", outcome.log());
        assert!(outcome.log().contains("leads out of the workspace"), "{}", outcome.log());
        assert_eq!(fs::read_to_string(&target).expect("a file"), "theirs");
    }
    // Another system's workspace takes nothing from this one's.
    let outside = tempfile::tempdir().expect("a folder");
    let target = outside.path().join("precious");
    write(&target, "theirs");
    let story = Story::at(&service).without_files();
    let (workspace, link) = (story.path(""), story.path("report.json"));
    symlink(&target, &link).expect("a link");
    let story = story.outside_ci().env("GITLAB_CI", "true").env("CI_PROJECT_DIR", workspace);
    let outcome = story.env("GITHUB_WORKSPACE", outside.path()).with("json", link).start().finish_unchecked();
    assert_eq!(outcome.code, Some(2), "{}", outcome.log());
    assert_eq!(fs::read_to_string(&target).expect("a file"), "theirs");
}

/// The link is another one by then, and the folder that it led to is a link out of the workspace.
#[test]
fn a_link_and_its_folder_that_are_exchanged_while_the_gate_waits_lead_nowhere() {
    let service = harness::service();
    service.order(On::Run, Reply::run("SUCCESS").held());
    let outside = tempfile::tempdir().expect("a folder");
    let target = outside.path().join("report.json");
    write(&target, "theirs");
    let story = Story::at(&service).without_files();
    let (kept, link) = (story.path("kept"), story.path("report.json"));
    make_folder(&kept);
    symlink("kept/report.json", &link).expect("a link");
    let gate = story.with("json", &link).start();
    assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT));
    fs::remove_file(&link).expect("a link");
    fs::remove_dir_all(&kept).expect("a folder");
    symlink(outside.path(), &kept).expect("a link");
    service.release();
    let outcome = gate.finish_unchecked();
    assert_eq!(outcome.code, Some(0), "{}", outcome.log());
    assert_eq!(fs::read_to_string(&target).expect("a file"), "theirs");
    assert_eq!(fs::read_dir(outside.path()).expect("a folder").count(), 1);
    assert!(outcome.log().contains("leads out of the workspace"), "{}", outcome.log());
}
