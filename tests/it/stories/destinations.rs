//! Where the reports go: what can't be written is a warning, what would leave an old report or harm the CI is an input error.

use std::fs::OpenOptions;
use std::io::Read;

use crate::harness::{self, FAILED, HANG_TIMEOUT, Story, TRACE, write};
use crate::stand_in::{On, Reply};

#[test]
fn a_destination_that_can_not_be_written_is_a_warning_and_changes_no_verdict() {
    // A full device, a folder that nobody can make, a file where a folder should be.
    let service = harness::service();
    for (input, place) in [
        ("json", "/dev/full"),
        ("junit", "/dev/full"),
        ("dotenv", "/dev/full"),
        ("markdown", "/dev/full"),
        ("trace-file", "/dev/full"),
        ("json", "/sys/no/report.json"),
        ("output-dir", "/sys/no/outputs"),
        ("trace-file", "/sys/no/trace.txt"),
    ] {
        let story = Story::at(&service).runs(&[FAILED]).with(input, place);
        let outcome = story.play();
        outcome.assert_ended("failed", 1);
        assert!(outcome.log().contains(&format!("title=maestro-gate::{input}")), "{input} {place}: {}", outcome.log());
    }
    let story = Story::at(&service);
    write(&story.path("a-file"), "somebody's");
    let below = story.path("a-file/report.xml");
    let outcome = story.with("junit", below).play();
    outcome.assert_ended("passed", 0);
    assert!(outcome.files.values().any(|text| text == "somebody's"));
}

#[test]
fn a_destination_that_fails_twice_is_reported_once_and_no_file_is_named_that_is_not_there() {
    let service = harness::service();
    // The last version of a trace file fails with another message than the first.
    for (input, place) in
        [("trace-file", "/sys/no/trace.txt"), ("trace-file", "a-file/trace.txt"), ("json", "/sys/no/x")]
    {
        let story = Story::at(&service).runs(&[FAILED]);
        write(&story.path("a-file"), "somebody's");
        let place = story.path(place);
        let outcome = story.with(input, place).play();
        outcome.assert_ended("failed", 1);
        let warnings = outcome.log().matches(&format!("::warning title=maestro-gate::{input}")).count();
        assert_eq!(warnings, 1, "{input}: {}", outcome.log());
        if input == "trace-file" {
            let dotenv = outcome.dotenv.as_ref().expect("a report");
            assert_eq!((outcome.output("trace-file"), dotenv["MAESTRO_GATE_TRACE_FILE"].as_str()), ("", ""));
            assert!(!outcome.log().contains("whole trace"), "{}", outcome.log());
        }
    }
}

#[test]
fn a_ci_file_that_can_not_be_written_is_a_warning_and_changes_no_verdict() {
    let service = harness::service();
    for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        for place in ["/dev/full", "/sys/no/file"] {
            let outcome = Story::at(&service).env(name, place).play();
            assert_eq!((outcome.code, &outcome.report()["verdict"]), (Some(0), &"passed".into()));
            assert!(outcome.log().contains(&format!("title=maestro-gate::{name}")), "{}", outcome.log());
            // The action's guard takes a pass without outputs for none.
            let has_consequence = outcome.log().contains("the GitHub action fails even if the run passed");
            assert_eq!(has_consequence, name == "GITHUB_OUTPUT", "{}", outcome.log());
        }
    }
    // All at once: still the verdict's own exit code, and no more than five warnings.
    let story =
        Story::at(&service).runs(&[FAILED]).env("GITHUB_OUTPUT", "/dev/full").env("GITHUB_STEP_SUMMARY", "/dev/full");
    let files = ["json", "junit", "dotenv", "markdown", "trace-file"];
    let story = files
        .iter()
        .enumerate()
        .fold(story.without_files(), |story, (n, input)| story.with(input, format!("/sys/no/{n}")));
    story.play().assert_last_line("failed", 1);
}

#[test]
fn a_report_that_fails_at_the_end_is_reported_in_the_log_of_every_ci() {
    // There when the gate began, and gone when it ended: a file stands where its folder was.
    for (ci, format) in ["none", "gitlab", "circleci", "buildkite"].iter().flat_map(|ci| [(ci, "text"), (ci, "json")]) {
        let service = harness::service();
        service.order(On::Run, Reply::run("SUCCESS").held());
        let story = Story::at(&service).without_files().outside_ci().with("ci", *ci);
        let (folder, report) = (story.path("folder"), story.path("folder/report.json"));
        let gate = story.with("json", report).with("log-format", format).with("quiet", "true").start();
        assert!(service.wait_for(On::Run, 1, HANG_TIMEOUT));
        harness::replace_by_a_file(&folder);
        service.release();
        let outcome = gate.finish();
        assert_eq!(outcome.code, Some(0), "{}", outcome.log());
        let warnings = outcome.log().lines().filter(|line| line.contains("warning") && line.contains("json ")).count();
        assert_eq!(warnings, 1, "{ci} {format}: {}", outcome.log());
    }
}

#[test]
fn logs_that_can_not_be_had_are_reported_in_the_log() {
    let service = harness::service();
    service.order(On::Logs, Reply::status(404).times(2));
    let outcome = Story::at(&service).runs(&[FAILED]).play();
    outcome.assert_ended("failed", 1);
    assert!(outcome.log().contains("read the run's logs: the service answered 404"), "{}", outcome.log());
    let outcome = Story::at(&service).runs(&[FAILED]).with("quiet", "true").play();
    assert!(
        !outcome.log().contains("read the run's logs"),
        "quiet keeps warnings, and this is none: {}",
        outcome.log()
    );
}

#[test]
fn a_list_of_runs_that_is_too_long_for_an_output_is_warned_about_wherever_it_was_to_go() {
    let service = harness::service();
    let runs: Vec<String> = (0..700).map(|run| format!("a-run-that-nobody-knows-{run:060}")).collect();
    let story = Story::at(&service).without_files().outside_ci().with("timeout", "0").with("run-id", runs.join(","));
    let runs = story.path("outputs/runs");
    let folder = story.path("outputs");
    let outcome = story.with("output-dir", folder).play();
    assert_eq!(outcome.code, Some(4), "{}", outcome.log());
    assert_eq!(outcome.files.get(&runs).map(String::as_str), Some(""));
    assert!(
        outcome.log().contains("warning: ") && outcome.log().contains("the output \"runs\" is empty"),
        "{}",
        outcome.log()
    );
}

#[test]
fn missing_folders_are_made() {
    let service = harness::service();
    let story = Story::at(&service);
    let deep = story.path("a/b/c/report.json");
    story.with("json", deep).play().assert_ended("passed", 0);
}

#[test]
fn an_old_report_that_can_not_be_replaced_is_an_input_error_before_any_request() {
    for input in ["json", "junit", "dotenv", "markdown", "trace-file"] {
        let service = harness::service();
        let story = Story::at(&service);
        let folder = story.path("in-the-way");
        harness::make_folder(&folder);
        write(&folder.join("old"), "passed");
        let outcome = story.with(input, folder).play();
        assert_eq!(outcome.code, Some(2), "{}", outcome.log());
        assert!(
            outcome.log().contains(&format!("{input} ")) && outcome.log().contains("in-the-way"),
            "{}",
            outcome.log()
        );
        assert!(service.requests().is_empty());
    }
    let service = harness::service();
    let story = Story::at(&service);
    write(&story.path("a-file"), "somebody's");
    let place = story.path("a-file");
    let outcome = story.with("output-dir", place).play();
    outcome.assert_ended("invalid-input", 2);
    assert!(service.requests().is_empty() && outcome.files.values().any(|text| text == "somebody's"));
}

#[test]
fn a_path_used_twice_or_a_file_of_the_ci_is_an_input_error_and_left_alone() {
    let service = harness::service();
    let refused = |story: Story<'_>, says: &str| {
        let outcome = story.play();
        assert_eq!(outcome.code, Some(2), "{}", outcome.log());
        assert!(outcome.log().contains(says), "{says}: {}", outcome.log());
        outcome
    };
    let story = Story::at(&service);
    let twice = story.path("report.json");
    refused(story.with("dotenv", twice), "this path is the report of json");
    let story = Story::at(&service);
    let twice = story.path("x/../report.json");
    refused(story.with("dotenv", twice), "this path is the report of json");
    for name in ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "BASH_ENV"] {
        let story = Story::at(&service);
        let file = story.path("commands");
        write(&file, "");
        let outcome = refused(story.env(name, &file).with("json", &file), name);
        let left = outcome.files.iter().find(|(path, _)| path.ends_with("commands")).map(|(_, text)| text.as_str());
        assert!(left == Some("") || name == "GITHUB_OUTPUT" || name == "GITHUB_STEP_SUMMARY", "{name}: {left:?}");
        assert!(!left.expect("it is there").starts_with('{'), "{left:?}");
    }
    assert!(service.requests().is_empty());
}

#[cfg(unix)]
#[test]
fn a_report_to_a_pipe_is_the_last_version_alone() {
    let service = harness::service();
    let story = Story::at(&service).runs(&[FAILED]);
    let pipe = story.path("pipe");
    harness::make_pipe(&pipe);
    let gate = story.with("json", &pipe).start();
    let mut document = String::new();
    harness::other_end(&pipe, OpenOptions::new().read(true)).read_to_string(&mut document).expect("text");
    let outcome = gate.finish();
    outcome.assert_ended("failed", 1);
    let json: serde_json::Value = serde_json::from_str(&document).expect("one document");
    assert_eq!((&json["verdict"], &json["runs"][0]["trace"]), (&"failed".into(), &TRACE.into()));
}

#[test]
fn the_summary_can_be_left_out_and_names_can_have_another_prefix() {
    let service = harness::service();
    let outcome = Story::at(&service).with("summary", "false").with("output-prefix", "NIGHTLY_").play();
    outcome.assert_ended("passed", 0);
    assert_eq!(outcome.summary.as_deref(), Some(""));
    let dotenv = outcome.dotenv.expect("a report");
    assert!(dotenv.keys().all(|name| name.starts_with("NIGHTLY_")), "{dotenv:?}");
    assert!(["RUNS", "TRACE", "DURATION"].iter().all(|name| !dotenv.contains_key(&format!("NIGHTLY_{name}"))));
}
