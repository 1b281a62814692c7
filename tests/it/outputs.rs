//! The table docs/reference.md#outputs, row by row, and the files that carry it, read by their readers' own rules.

use std::collections::BTreeMap;

use maestro_gate::core::{Failure, FailureKind, LastRecord, Meaning, RunOutcome, Signal, Untrusted, Verdict};
use maestro_gate::report::ci::github::{self, Delimiter};
use maestro_gate::report::output_values::{Output, OutputTarget, outputs, runs_left_out, variables};
use maestro_gate::report::sanitize::Sanitized;
use maestro_gate::report::{Report, dotenv};
use proptest::prelude::*;

use crate::fixture::{self, PIPELINE, RUN, at, no_link, seconds, seen, target};
use crate::hostile::mixture;

fn map(report: &Report, destination: OutputTarget) -> BTreeMap<&'static str, String> {
    outputs(report, destination).into_iter().map(|row| (row.name, row.value)).collect()
}

fn value(report: &Report, name: &str) -> String {
    map(report, OutputTarget::CiFile).remove(name).expect("an output of this name")
}

fn of(seen: LastRecord) -> Report {
    fixture::report(&fixture::outcome(vec![fixture::run(Verdict::Failed, Some(seen), None)]), &[])
}

fn names(rows: &[Output]) -> Vec<&'static str> {
    rows.iter().map(|row| row.name).collect()
}

#[test]
fn outputs_go_by_the_reference_s_names_in_its_order() {
    let all = [
        "verdict",
        "exit-code",
        "status",
        "duration",
        "duration-seconds",
        "cause",
        "trace",
        "trace-file",
        "pipeline-id",
        "pipeline-name",
        "run-id",
        "started-at",
        "updated-at",
        "waited-seconds",
        "polls",
        "runs",
    ];
    for (name, report) in fixture::all() {
        assert_eq!(names(&outputs(&report, OutputTarget::CiFile)), all, "{name}");
        assert_eq!(names(&outputs(&report, OutputTarget::OutputDir)), all, "{name}");
    }
}

#[test]
fn variables_carry_neither_runs_trace_nor_duration() {
    let variables: Vec<String> =
        variables(&fixture::failed(), "MAESTRO_GATE_").into_iter().map(|(name, _)| name).collect();
    let expected = [
        "VERDICT",
        "EXIT_CODE",
        "STATUS",
        "DURATION_SECONDS",
        "CAUSE",
        "TRACE_FILE",
        "PIPELINE_ID",
        "PIPELINE_NAME",
        "RUN_ID",
        "STARTED_AT",
        "UPDATED_AT",
        "WAITED_SECONDS",
        "POLLS",
    ];
    assert_eq!(variables, expected.map(|name| format!("MAESTRO_GATE_{name}")));
}

#[test]
fn verdict_and_exit_code_are_the_gate_s() {
    for (name, report) in fixture::all() {
        assert_eq!(value(&report, "verdict"), report.verdict.name(), "{name}");
        assert_eq!(value(&report, "exit-code"), report.verdict.exit_code().to_string(), "{name}");
    }
    let codes: Vec<String> = fixture::all().iter().map(|(_, report)| value(report, "exit-code")).collect();
    assert_eq!(codes, ["70", "0", "1", "2", "3", "4", "5", "6", "7", "7", "8", "70", "143", "1", "0"]);
}

#[test]
fn status_is_the_last_word_in_a_narrow_alphabet() {
    assert_eq!(value(&fixture::failed(), "status"), "FAILED");
    assert_eq!(value(&fixture::timed_out(), "status"), "HIBERNATING??x?");
    assert_eq!(value(&fixture::not_found(), "status"), "");
    let long = of(seen(&"A".repeat(200), Meaning::Failed, None));
    assert_eq!(value(&long, "status"), "A".repeat(64));
    let leak = of(seen(fixture::SECRET, Meaning::Failed, None));
    assert_eq!(value(&leak, "status"), "???");
    let hostile = of(seen("X\n::error::\u{202e}é`$(id)", Meaning::Failed, None));
    assert_eq!(value(&hostile, "status"), "X ::error::?????id?");
}

#[test]
fn duration_follows_the_reference() {
    let length = |meaning, created: Option<&str>, updated: Option<&str>, date: Option<&str>| {
        let mut seen = seen("WORD", meaning, None);
        seen.record.created_at = created.map(at);
        seen.record.updated_at = updated.map(at);
        seen.date = date.map(at);
        let report = of(seen);
        (value(&report, "duration"), value(&report, "duration-seconds"))
    };
    let is = |duration: &str, seconds: &str| (duration.to_owned(), seconds.to_owned());
    let start = Some("2024-01-13T06:00:00Z");
    let end = Some("2024-01-13T06:15:12.999Z");
    let date = Some("2024-01-14T07:00:01Z");
    // Ended: updated_at - created_at, rounded down.
    assert_eq!(length(Meaning::Failed, start, end, date), is("15m 12s", "912"));
    assert_eq!(length(Meaning::Passed, start, end, None), is("15m 12s", "912"));
    // Still going when last seen: that answer's date - created_at.
    assert_eq!(length(Meaning::Wait, start, end, date), is("1d 1h 1s", "90001"));
    assert_eq!(length(Meaning::Unknown, start, None, date), is("1d 1h 1s", "90001"));
    assert_eq!(length(Meaning::Wait, start, end, None), is("", ""));
    // Missing or reversed stamps.
    assert_eq!(length(Meaning::Failed, None, end, date), is("", ""));
    assert_eq!(length(Meaning::Failed, start, None, date), is("", ""));
    assert_eq!(length(Meaning::Failed, end, start, date), is("", ""));
    assert_eq!(length(Meaning::Wait, date, end, start), is("", ""));
    // Zero is a length.
    assert_eq!(length(Meaning::Failed, start, start, date), is("0s", "0"));
    assert_eq!(length(Meaning::Failed, start, Some("2024-01-13T07:00:00Z"), date), is("1h", "3600"));
    assert_eq!(value(&fixture::not_found(), "duration"), "");
}

#[test]
fn trace_is_cleaned_and_cut_with_head_and_tail_kept() {
    let text = format!("HEAD {}\n{} TAIL", fixture::SECRET, "line of a trace\n".repeat(500_000));
    let report = of(seen("FAILED", Meaning::Failed, Some(&text)));
    for (destination, limit) in [(OutputTarget::CiFile, 16 * 1024), (OutputTarget::OutputDir, 1024)] {
        let trace = map(&report, destination)["trace"].clone();
        assert!(trace.len() <= limit, "{} bytes", trace.len());
        assert!(trace.len() > limit * 3 / 4, "{} bytes", trace.len());
        assert!(trace.starts_with("HEAD ***\n") && trace.ends_with(" TAIL"), "{destination:?}");
    }
    assert_eq!(value(&fixture::passed(), "trace"), "");
}

#[test]
fn trace_file_is_named_only_where_one_was_written() {
    assert_eq!(value(&fixture::failed(), "trace-file"), "out/trace.txt");
    assert_eq!(value(&fixture::passed(), "trace-file"), "");
}

#[test]
fn ids_are_spelt_as_the_service_spells_them() {
    assert_eq!(value(&fixture::failed(), "pipeline-id"), PIPELINE.replace('-', "_"));
    assert_eq!(value(&fixture::failed(), "run-id"), RUN.replace('-', "_"));
    assert_eq!(value(&fixture::not_found(), "pipeline-id"), PIPELINE);
    assert_eq!(value(&fixture::not_found(), "run-id"), RUN);
    // Asked for by its database id, a run may be spelt at any length, or by nothing visible.
    let spelt = |id: &str| {
        let mut seen = seen("FAILED", Meaning::Failed, None);
        seen.record.run_id = Untrusted::new(id);
        value(&of(seen), "run-id")
    };
    assert_eq!(spelt("a\n::error::b"), "a ::error::b");
    assert_eq!(spelt("\u{202e}\n"), RUN);
    let long = spelt(&"ß".repeat(5000));
    assert!(long.len() <= 256 && long.ends_with('…'), "{long}");
    // And then it is the service's own text, like any other.
    assert_eq!(spelt(fixture::SECRET), "***");
}

#[test]
fn stamps_are_rfc_3339_in_utc_or_empty() {
    assert_eq!(value(&fixture::failed(), "started-at"), "2024-01-13T06:00:00Z");
    assert_eq!(value(&fixture::failed(), "updated-at"), "2024-01-13T06:15:12Z");
    assert_eq!(value(&fixture::denied(), "started-at"), "");
    let mut seen = seen("FAILED", Meaning::Failed, None);
    seen.record.created_at = None;
    seen.record.updated_at = Some(at("+12024-01-13T06:00:00Z"));
    let report = of(seen);
    assert_eq!((value(&report, "started-at"), value(&report, "updated-at")), (String::new(), String::new()));
}

#[test]
fn waited_seconds_and_polls_are_what_the_gate_did() {
    assert_eq!(value(&fixture::failed(), "waited-seconds"), "431");
    assert_eq!(value(&fixture::failed(), "polls"), "57");
}

#[test]
fn runs_is_one_line_of_json_in_input_order() {
    let line = value(&fixture::several(), "runs");
    assert!(!line.contains('\n'));
    let runs: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let runs = runs.as_array().expect("a list");
    let verdicts: Vec<&str> = runs.iter().map(|run| run["verdict"].as_str().expect("a word")).collect();
    assert_eq!(verdicts, ["passed", "failed", "failed", "not-found", "not-waited"]);
    assert!(line.starts_with(
        r#"[{"pipeline_id":"sales","run_id":"run_1","verdict":"passed","exit_code":0,"status":"SUCCESS","started_at":"2024-01-13T06:00:00Z","updated_at":"2024-01-13T06:15:12Z","duration_seconds":912,"attempt":null,"retried":false},"#
    ));
    let unseen = serde_json::json!({
        "pipeline_id": "stock|x", "run_id": "manual__2024-12-18T10:30:00+00:00", "verdict": "not-found", "exit_code": 4,
        "status": null, "started_at": null, "updated_at": null, "duration_seconds": null, "attempt": null,
        "retried": false,
    });
    assert_eq!(runs[3], unseen);
    assert_eq!(runs[4]["exit_code"], serde_json::Value::Null);
}

#[test]
fn runs_is_never_a_shortened_list() {
    let run = |index: usize| RunOutcome {
        wanted: target("p", &format!("run_{index}")).into(),
        ..fixture::run(Verdict::Passed, None, None)
    };
    let fits = |count: usize| {
        let report = fixture::report(&fixture::outcome((0..count).map(run).collect()), &[]);
        let outputs = outputs(&report, OutputTarget::CiFile);
        let line = outputs.last().expect("rows").value.clone();
        assert_eq!(line.is_empty(), runs_left_out(&report).is_some(), "a warning if and only if the list is left out");
        (!line.is_empty()).then(|| {
            assert!(line.len() <= 64 * 1024);
            serde_json::from_str::<Vec<serde_json::Value>>(&line).expect("JSON").len()
        })
    };
    assert_eq!(fits(300), Some(300));
    assert_eq!(fits(5000), None);
}

#[test]
fn single_run_outputs_describe_the_first_run_that_has_the_gate_s_verdict() {
    assert_eq!(value(&fixture::several(), "run-id"), "run_2");
    assert_eq!(value(&fixture::several(), "status"), "FAILED");
    // A bug met when the runs had ended: the only run keeps its ids, of several none is singled out.
    let bug = |known| Report::internal_error(known, &Untrusted::new("x"), &fixture::sanitizer());
    assert_eq!(value(&bug(fixture::failed()), "run-id"), RUN.replace('-', "_"));
    assert_eq!(value(&bug(fixture::failed()), "verdict"), "internal-error");
    assert_eq!(value(&bug(fixture::several()), "run-id"), "");
}

#[test]
fn the_first_version_says_internal_error_and_names_one_explicit_run() {
    let first = |named: &[maestro_gate::core::Target]| Report::first(named, &no_link, &fixture::sanitizer());
    let (one, two) = (target("p", "r1"), target("p", "r2"));
    for named in [vec![], vec![one.clone()], vec![one.clone(), two.clone()]] {
        let report = first(&named);
        assert_eq!(value(&report, "verdict"), "internal-error");
        assert_eq!(value(&report, "exit-code"), "70");
        assert_eq!(value(&report, "status"), "");
        let expected = if named.len() == 1 { ("p", "r1") } else { ("", "") };
        assert_eq!((value(&report, "pipeline-id").as_str(), value(&report, "run-id").as_str()), expected);
    }
    // Whoever asks whether all of `runs` passed must not find an empty list.
    let runs: Vec<serde_json::Value> =
        serde_json::from_str(&value(&first(&[one, two]), "runs")).expect("a list of runs");
    assert_eq!(runs.iter().map(|run| run["verdict"].as_str()).collect::<Vec<_>>(), [Some("internal-error"); 2]);
}

#[test]
fn every_verdict_has_its_outputs_on_every_way_out() {
    for verdict in Verdict::ALL {
        let failure =
            Failure { during: maestro_gate::core::Operation::GetRun, kind: FailureKind::Timeout, detail: None };
        for (seen, failure) in [
            (None, None),
            (None, Some(failure)),
            (Some(seen("ODD", Meaning::Unknown, Some(""))), None),
            (Some(seen("", Meaning::Wait, None)), None),
        ] {
            let report = fixture::report(&fixture::outcome(vec![fixture::run(verdict, seen, failure)]), &[]);
            assert_eq!(value(&report, "exit-code"), verdict.exit_code().to_string());
            assert_eq!(report.runs[0].reason.is_empty(), verdict == Verdict::Passed, "{verdict:?}");
            assert_eq!(report.runs[0].next_step.is_empty(), verdict == Verdict::Passed, "{verdict:?}");
        }
    }
    let by_cancel = fixture::run(Verdict::Interrupted(Signal::Interrupt), None, None);
    assert_eq!(value(&fixture::report(&fixture::outcome(vec![by_cancel]), &[]), "exit-code"), "130");
}

/// GitLab's own reading (`parse_dotenv_artifact_service.rb`), and a shell's where a value needs no quotes.
fn read_dotenv(file: &str) -> BTreeMap<String, String> {
    assert!(file.len() < 5 * 1024, "GitLab refuses {} bytes", file.len());
    let mut variables = BTreeMap::new();
    for line in file.lines() {
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("GitLab refuses the file for {line:?}"));
        assert!(!key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        let safe = |b: u8| b.is_ascii_alphanumeric() || b"_.:/@%+,=-".contains(&b);
        assert!(value.bytes().all(safe), "{line:?}");
        assert!(variables.insert(key.to_owned(), value.to_owned()).is_none(), "{key} twice");
    }
    assert!(variables.len() <= 20);
    variables
}

#[test]
fn gitlab_takes_every_dotenv_file() {
    for (name, report) in fixture::all() {
        let variables = read_dotenv(&dotenv::render(&report, "MAESTRO_GATE_"));
        assert_eq!(variables["MAESTRO_GATE_VERDICT"], report.verdict.name(), "{name}");
        assert_eq!(variables["MAESTRO_GATE_EXIT_CODE"], report.verdict.exit_code().to_string(), "{name}");
    }
    let mut worst = fixture::failed();
    worst.trace_file = Some(Sanitized::ours("ü/".repeat(2000)));
    worst.runs[0].run_id = Sanitized::ours("ß".repeat(128));
    worst.runs[0].pipeline_id = Sanitized::ours("ß".repeat(128));
    let variables = read_dotenv(&dotenv::render(&worst, &"P".repeat(64)));
    assert_eq!(variables[&format!("{}TRACE_FILE", "P".repeat(64))], "");
    assert_eq!(variables[&format!("{}RUN_ID", "P".repeat(64))], "%C3%9F".repeat(128));
}

fn token() -> Delimiter {
    Delimiter::new("0123456789abcdefghij").expect("long enough")
}

/// The runner's own reading (`FileCommandManager.cs`), on Linux.
fn read_output_file(file: &str) -> Vec<(String, String)> {
    let mut records = Vec::new();
    let mut lines = file.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let line = line.strip_suffix('\n').expect("the last line ends");
        if line.is_empty() {
            continue;
        }
        let (name, delimiter) = match (line.find('='), line.find("<<")) {
            (Some(equals), here) if here.is_none_or(|here| equals < here) => {
                records.push((line[..equals].to_owned(), line[equals + 1..].to_owned()));
                continue;
            }
            (_, Some(here)) => (&line[..here], &line[here + 2..]),
            _ => panic!("the runner fails the step for {line:?}"),
        };
        assert!(!name.is_empty() && !delimiter.is_empty());
        let mut value = String::new();
        loop {
            let line = lines.next().expect("a closing delimiter");
            if line.strip_suffix('\n').unwrap_or(line) == delimiter {
                break;
            }
            value.push_str(line);
        }
        let value = value.strip_suffix('\n').expect("a line break before the delimiter");
        records.push((name.to_owned(), value.to_owned()));
    }
    records
}

#[test]
fn the_runner_reads_what_was_written() {
    for (name, report) in fixture::all() {
        let rows = outputs(&report, OutputTarget::CiFile);
        let read = read_output_file(&github::output_file(&rows, &token()).expect("a free delimiter"));
        let written: Vec<(String, String)> = rows.into_iter().map(|row| (row.name.to_owned(), row.value)).collect();
        assert_eq!(read, written, "{name}");
    }
}

#[test]
fn a_value_with_the_delimiter_is_refused() {
    let row = |value: &str| [Output { name: "trace", value: value.to_owned() }];
    let taken = row("x\nghadelimiter_0123456789abcdefghij\nverdict=passed");
    assert!(github::output_file(&taken, &token()).is_none());
    let other = Delimiter::new("jihgfedcba9876543210").expect("long enough");
    assert!(github::output_file(&taken, &other).is_some());
}

#[test]
fn a_token_is_long_and_plain() {
    assert!(Delimiter::new("0123456789abcdef").is_some());
    for bad in ["", "error", "0123456789abcde", "0123456789abcde\n", "0123456789abcde:", "0123456789abcdeé"] {
        assert!(Delimiter::new(bad).is_none(), "{bad:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_text_is_never_a_record_of_its_own(
        status in mixture(),
        trace in mixture(),
        run_id in mixture(),
        prefix in mixture(),
    ) {
        let mut seen = seen(&status, Meaning::Failed, Some(&trace));
        seen.record.run_id = Untrusted::new(run_id);
        seen.record.updated_at = seen.record.created_at.map(|at| at + seconds(61));
        let report = of(seen);
        let rows = outputs(&report, OutputTarget::CiFile);
        let read = read_output_file(&github::output_file(&rows, &token()).expect("a free delimiter"));
        let written: Vec<(String, String)> = rows.into_iter().map(|row| (row.name.to_owned(), row.value)).collect();
        prop_assert_eq!(read, written);
        let variables = read_dotenv(&dotenv::render(&report, &format!("P{}", prefix.replace(['\r', '\n'], ""))));
        prop_assert_eq!(variables.len(), outputs(&report, OutputTarget::Variables).len());
        prop_assert_eq!(variables.values().nth(1).map(String::as_str), Some("61"));
    }
}
