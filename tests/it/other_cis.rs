//! The CI systems beside GitHub and GitLab: what each makes of the reports to it, by its own rules, with hostile text in
//! them; and that the first version and the last are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use maestro_gate::core::Verdict;
use maestro_gate::report::output_values::{OutputTarget, encoded, outputs, variables};
use maestro_gate::report::sanitize::Sanitized;
use maestro_gate::report::{Report, dotenv, escape};
use proptest::prelude::*;

use crate::ci_log::{PREFIX, closing, outputs as outputs_of, problems, report_with, run_gate};
use crate::fixture;
use crate::harness::{FAILED, SUCCESS, read};
use crate::hostile::hostile_text;
use crate::runner::{self, gitlab};

/// The output variables that Azure takes from a log.
fn azure_variables(log: &str) -> BTreeMap<String, String> {
    let set = runner::azure(log).into_iter().filter(|command| command.name == "task.setvariable");
    set.map(|command| {
        assert_eq!(command.properties["isoutput"], "true");
        (command.properties["variable"].clone(), command.data)
    })
    .collect()
}

/// The environment parameters that TeamCity takes from a log.
fn teamcity_parameters(log: &str) -> BTreeMap<String, String> {
    let set = runner::teamcity::messages(log).into_iter().map(|message| message.expect("a message"));
    set.filter(|(name, _)| name == "setParameter")
        .map(|(_, attributes)| {
            let name = attributes["name"].strip_prefix("env.").expect("a variable").to_owned();
            (name, attributes["value"].replace("%%", "%"))
        })
        .collect()
}

fn rows(report: &Report) -> BTreeMap<String, String> {
    encoded(report, PREFIX).into_iter().collect()
}

#[test]
fn every_system_reads_the_same_variables_and_the_last_version_wins() {
    for (name, report) in fixture::all() {
        let twice = |render: fn(&Report, &str) -> String| render(&fixture::first(), PREFIX) + &render(&report, PREFIX);
        assert_eq!(
            azure_variables(&twice(|report, prefix| outputs_of(report, "azure", prefix))),
            rows(&report),
            "{name}"
        );
        assert_eq!(
            teamcity_parameters(&twice(|report, prefix| outputs_of(report, "teamcity", prefix))),
            rows(&report),
            "{name}"
        );
        assert_eq!(gitlab::dotenv(&twice(dotenv::render)).expect("variables"), rows(&report), "{name}");
        let exports = twice(|report, prefix| outputs_of(report, "circleci", prefix)).replace("export ", "");
        assert_eq!(gitlab::dotenv(&exports).expect("variables"), rows(&report), "{name}");
    }
}

#[test]
fn a_pass_raises_no_error_and_anything_else_raises_one() {
    for (name, report) in fixture::all() {
        let expected = usize::from(report.verdict != Verdict::Passed);
        let commands = runner::azure(&problems(&report, "azure", PREFIX));
        assert!(commands.iter().all(|command| command.name == "task.logissue"));
        let errors = commands.iter().filter(|command| command.properties["type"] == "error").count();
        assert_eq!((errors, commands.len() - errors <= 5), (expected, true), "{name}");

        let messages = runner::teamcity::messages(&problems(&report, "teamcity", PREFIX));
        let problems: Vec<_> = messages.into_iter().flatten().filter(|(name, _)| name == "buildProblem").collect();
        assert_eq!(problems.len(), expected, "{name}");
        for (_, attributes) in problems {
            assert!(attributes["description"].starts_with(&format!("maestro-gate: {}: ", report.verdict.name())));
            assert!(attributes["description"].chars().count() <= 4000);
            let identity = &attributes["identity"];
            assert!(identity.len() <= 60 && identity.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        }
    }
}

#[test]
fn two_gates_of_one_build_have_names_of_their_own() {
    let report = fixture::failed();
    let identity = |prefix| {
        let mut messages = runner::teamcity::messages(&problems(&report, "teamcity", prefix));
        messages.pop().expect("a problem").expect("a message").1["identity"].clone()
    };
    assert_ne!(identity("SALES_"), identity("STOCK_"));
    let (sales, stock) = (outputs_of(&report, "azure", "SALES_"), outputs_of(&report, "azure", "STOCK_"));
    assert!(azure_variables(&sales).keys().all(|name| !azure_variables(&stock).contains_key(name)));
}

#[test]
fn teamcity_charts_seconds_once_they_are_known() {
    let charted = |report: &Report| -> BTreeMap<String, String> {
        let messages = runner::teamcity::messages(&outputs_of(report, "teamcity", PREFIX)).into_iter().flatten();
        let values = messages.filter(|(name, _)| name == "buildStatisticValue");
        values.map(|(_, attributes)| (attributes["key"].clone(), attributes["value"].clone())).collect()
    };
    let found = charted(&fixture::failed());
    let expected = [("MAESTRO_GATE_DURATION_SECONDS", "912"), ("MAESTRO_GATE_WAITED_SECONDS", "431")];
    assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert!(charted(&fixture::first()).is_empty(), "what is not known yet would be charted as zero");
    assert_eq!(charted(&fixture::not_found()).len(), 1, "an unknown duration is not zero");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn azure_obeys_what_we_meant_and_nothing_else(text in hostile_text()) {
        let report = report_with(&format!("x{text}"));
        let log = outputs_of(&report, "azure", PREFIX) + &closing(&report, "azure");
        let commands = runner::azure(&log);
        let names: Vec<&str> = commands.iter().map(|command| command.name.as_str()).collect();
        let mut expected = vec!["task.setvariable"; rows(&report).len()];
        expected.extend(["task.logissue"; 2]);
        prop_assert_eq!(names, expected);
        prop_assert_eq!(azure_variables(&log), rows(&report));
        prop_assert_eq!(&commands[rows(&report).len()].properties["type"], "warning");
        prop_assert_eq!(&commands[rows(&report).len() + 1].properties["type"], "error");
        prop_assert!(commands[rows(&report).len() + 1].data.starts_with("maestro-gate: failed: run "));
        // Groups: ours alone, and each at the start of its line.
        let marks = log.lines().filter(|line| line.contains("##["));
        let marks: Vec<&str> = marks.map(|line| line.split(']').next().unwrap_or_default()).collect();
        prop_assert_eq!(marks, ["##[group", "##[endgroup", "##[group", "##[endgroup"]);
        prop_assert_eq!(runner::azure_warns_of(&log).len(), 4, "those four, which the agent knows");
    }

    #[test]
    fn teamcity_obeys_what_we_meant_and_nothing_else(text in hostile_text()) {
        let report = report_with(&format!("x{text}"));
        let log = outputs_of(&report, "teamcity", PREFIX) + &closing(&report, "teamcity");
        let messages: Result<Vec<_>, _> = runner::teamcity::messages(&log).into_iter().collect();
        let messages = messages.expect("TeamCity drops none");
        // The port that is lenient finds no more than those.
        prop_assert_eq!(runner::teamcity(&log).len(), messages.len());
        let names: Vec<&str> = messages.iter().map(|(name, _)| name.as_str()).collect();
        let mut expected = vec!["setParameter"; rows(&report).len()];
        expected.extend(["buildStatisticValue"; 2]);
        expected.extend(["blockOpened", "blockClosed", "blockOpened", "blockClosed", "message", "buildProblem"]);
        prop_assert_eq!(names, expected);
        prop_assert_eq!(teamcity_parameters(&log), rows(&report));
        let said = format!("maestro-gate: {}", escape::log_line(&report.notes[0].text));
        prop_assert_eq!(&messages[rows(&report).len() + 6].1["text"], &said);
    }

    #[test]
    fn cloud_build_s_file_is_one_small_line(text in hostile_text()) {
        let file = outputs_of(&report_with(&text), "cloud-build", PREFIX);
        prop_assert!(file.len() < 4096 && file.ends_with("}\n") && file.lines().count() == 1, "{}", file);
        let read: BTreeMap<String, String> = serde_json::from_str(&file).expect("JSON");
        prop_assert_eq!((read["verdict"].as_str(), read["exit_code"].as_str()), ("failed", "1"));
    }
}

#[test]
fn azure_s_escapes_are_the_agent_s() {
    let report = report_with("a;b]c%d%3Be\nf|g'h[i");
    let commands = runner::azure(&closing(&report, "azure"));
    let said = &commands[0].data;
    assert!(said.ends_with("a;b]c%d%3Be f|g'h[i"), "{said}");
    let messages = runner::teamcity::messages(&closing(&report_with("é|'[]😀\nx"), "teamcity"));
    let (_, attributes) = messages.into_iter().flatten().find(|(name, _)| name == "message").expect("the warning");
    assert!(attributes["text"].ends_with("é|'[]😀 x"), "{}", attributes["text"]);
}

#[test]
fn what_kubernetes_and_cloud_build_keep_is_small_enough_for_them() {
    // Cleaned ids have no control characters, so that a quotation mark is what grows most in JSON.
    let report = report_with(&"\"".repeat(100_000));
    assert!(outputs_of(&report, "cloud-build", PREFIX).len() < 4096);
    // Tekton: one termination message of 4096 bytes for all results of a Task; Argo keeps parameters in the workflow.
    for row in outputs(&report_with(&"é\n".repeat(100_000)), OutputTarget::OutputDir) {
        let limit = if ["runs", "trace-file"].contains(&row.name) { usize::MAX } else { 1024 };
        assert!(row.value.len() <= limit, "{}: {} bytes", row.name, row.value.len());
        assert!(!row.value.ends_with('\n') || row.value.is_empty(), "{}", row.name);
    }
}

#[cfg(unix)]
#[test]
fn a_shell_that_reads_the_exports_has_them_and_runs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("env");
    let report = report_with("$(touch hit) `touch hit`; touch hit & '\"\\ x\n");
    let text = outputs_of(&fixture::first(), "circleci", PREFIX) + &outputs_of(&report, "circleci", PREFIX);
    #[expect(clippy::disallowed_methods, reason = "this test plays the runner")]
    fs::write(&file, text).expect("written");
    let script = ". ./env; sh -c 'printf %s \"$MAESTRO_GATE_VERDICT $MAESTRO_GATE_RUN_ID\"'";
    let shell = Command::new("sh").args(["-c", script]).current_dir(folder.path()).output().expect("a shell");
    let rows = rows(&report);
    assert_eq!(String::from_utf8_lossy(&shell.stdout), format!("failed {}", rows["MAESTRO_GATE_RUN_ID"]));
    assert!(shell.status.success() && shell.stderr.is_empty() && !folder.path().join("hit").exists());
    let raw: BTreeMap<String, String> = variables(&report, PREFIX).into_iter().collect();
    let decoded = percent_encoding::percent_decode_str(&rows["MAESTRO_GATE_RUN_ID"]).decode_utf8_lossy().into_owned();
    assert_eq!(decoded, raw["MAESTRO_GATE_RUN_ID"]);
}

#[test]
fn a_long_path_is_left_out_and_refuses_no_file() {
    let mut report = fixture::failed();
    report.trace_file = Some(Sanitized::ours("x/".repeat(3000)));
    assert_eq!(rows(&report)["MAESTRO_GATE_TRACE_FILE"], "");
    assert!(outputs_of(&report, "cloud-build", PREFIX).len() < 4096);
}

#[test]
fn azure_gets_variables_first_and_last_and_a_summary_that_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let temp = folder.path().to_string_lossy().into_owned();
    let env = [("TF_BUILD", "True"), ("AGENT_TEMPDIRECTORY", temp.as_str())];
    let (code, log) = run_gate(folder.path(), FAILED, &env, &[]);
    let commands = runner::azure(&log);
    let verdicts = commands.iter().filter(|command| command.properties.values().any(|name| name.ends_with("_VERDICT")));
    assert_eq!(verdicts.map(|command| command.data.as_str()).collect::<Vec<_>>(), ["internal-error", "failed"]);
    assert!(log.find("=MAESTRO_GATE_VERDICT").expect("first") < log.find("signed in").expect("the first request"));
    assert_eq!((code, azure_variables(&log)["MAESTRO_GATE_EXIT_CODE"].as_str()), (1, "1"));
    let uploads: Vec<_> = commands.iter().filter(|command| command.name == "task.uploadsummary").collect();
    assert_eq!(uploads.len(), 1);
    assert_eq!(Path::new(&uploads[0].data), folder.path().join("maestro_gate.md"));
    assert!(read(Path::new(&uploads[0].data)).expect("a file").starts_with("## ❌ maestro-gate: failed"));
    assert!(log.lines().last().expect("a line").starts_with("maestro-gate: failed (exit code 1)"));

    // The user's own Markdown file serves, and without summary there is no upload.
    let (_, log) = run_gate(folder.path(), SUCCESS, &env, &["--markdown", "out/mine.md"]);
    assert!(log.contains("##vso[task.uploadsummary]") && log.contains("mine.md\n"), "{log}");
    let (_, log) = run_gate(folder.path(), SUCCESS, &env, &["--summary=false"]);
    assert!(!log.contains("uploadsummary"), "{log}");
    // No folder, no file, no command that would fail the step; and a warning.
    let gone = folder.path().join("maestro_gate.md/x").to_string_lossy().into_owned();
    let env = [("TF_BUILD", "True"), ("AGENT_TEMPDIRECTORY", gone.as_str())];
    let (code, log) = run_gate(folder.path(), SUCCESS, &env, &[]);
    assert!(
        code == 0 && !log.contains("uploadsummary") && log.contains("type=warning]maestro-gate: summary "),
        "{log}"
    );
}

#[test]
fn teamcity_gets_parameters_first_and_last_and_a_problem() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, log) = run_gate(folder.path(), FAILED, &[("TEAMCITY_VERSION", "2025.11")], &[]);
    let messages: Vec<_> =
        runner::teamcity::messages(&log).into_iter().map(|message| message.expect("whole")).collect();
    let verdicts =
        messages.iter().filter(|(_, attributes)| attributes.get("name").is_some_and(|name| name.ends_with("_VERDICT")));
    assert_eq!(verdicts.map(|(_, a)| a["value"].as_str()).collect::<Vec<_>>(), ["internal-error", "failed"]);
    assert_eq!(messages.iter().filter(|(name, _)| name == "buildProblem").count(), 1);
    assert_eq!(code, 1);
    let (code, log) = run_gate(folder.path(), SUCCESS, &[("MAESTRO_CI", "teamcity")], &[]);
    assert!(code == 0 && !log.contains("buildProblem"), "{log}");
    // An input error is reported in the same form; nothing was set before it.
    let (code, log) = run_gate(folder.path(), "/", &[("MAESTRO_CI", "teamcity")], &[]);
    assert_eq!((code, log.matches("_VERDICT").count()), (2, 1));
    assert_eq!(teamcity_parameters(&log)["MAESTRO_GATE_VERDICT"], "invalid-input");
}

#[test]
fn files_of_the_systems_are_appended_to_first_and_last() {
    for (mark, variable, line) in [
        (("CIRCLECI", "true"), "BASH_ENV", "export MAESTRO_GATE_VERDICT="),
        (("BITBUCKET_BUILD_NUMBER", "7"), "BITBUCKET_PIPELINES_VARIABLES_PATH", "MAESTRO_GATE_VERDICT="),
        (("DRONE", "true"), "DRONE_OUTPUT", "MAESTRO_GATE_VERDICT="),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        #[expect(clippy::disallowed_methods, reason = "this test plays the runner")]
        fs::write(&path, "EARLIER=1").expect("written");
        let file = path.to_string_lossy().into_owned();
        let (code, log) = run_gate(folder.path(), FAILED, &[mark, (variable, &file)], &[]);
        let text = read(&path).expect("a file");
        let verdicts: Vec<&str> = text.lines().filter_map(|found| found.strip_prefix(line)).collect();
        assert_eq!((code, verdicts), (1, vec!["internal-error", "failed"]), "{text}");
        assert!(text.starts_with("EARLIER=1\n"), "{text}");
        assert!(!log.contains("warning"), "{log}");
        // None of it where the user says so, and a file that can't be written changes no verdict.
        let (code, _) = run_gate(folder.path(), SUCCESS, &[mark, (variable, &file), ("MAESTRO_CI", "none")], &[]);
        assert_eq!((code, read(&path).expect("a file")), (0, text));
        let (code, log) = run_gate(folder.path(), SUCCESS, &[mark, (variable, &format!("{file}/x"))], &[]);
        assert!(code == 0 && log.contains(&format!("warning: {variable}")), "{log}");
    }
}

#[test]
fn cloud_build_s_file_has_the_last_version_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().to_string_lossy().into_owned();
    let (code, _) = run_gate(folder.path(), FAILED, &[("BUILDER_OUTPUT", &output)], &[]);
    let read: BTreeMap<String, String> =
        serde_json::from_str(&read(&folder.path().join("output")).expect("a file")).expect("one object");
    assert_eq!((code, read["verdict"].as_str(), read["run_id"].as_str()), (1, "failed", FAILED));
}

#[test]
fn a_log_that_carries_commands_can_not_be_json() {
    let folder = tempfile::tempdir().expect("a folder");
    for ci in ["azure", "teamcity"] {
        let (code, log) = run_gate(folder.path(), SUCCESS, &[("MAESTRO_CI", ci)], &["--log-format=json"]);
        assert!(code == 2 && log.contains("log-format"), "{log}");
        assert!(log.lines().last().expect("a line").starts_with("maestro-gate: invalid-input"), "shown as text: {log}");
    }
    let (code, log) = run_gate(folder.path(), SUCCESS, &[("MAESTRO_CI", "circleci")], &["--log-format=json"]);
    assert!(code == 0 && log.lines().all(|line| line.starts_with('{')), "{log}");
}
