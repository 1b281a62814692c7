//! The run's logs: fetched when they are wanted, whole in the trace file, their end in the log and in the summary.

use std::fs::OpenOptions;
use std::io::Read;

use serde_json::{Value, json};

use crate::harness::{self, FAILED, RUNNING, SUCCESS, Story, TRACE, in_parallel, service_of};
use crate::stand_in::{On, Reply, Service};

#[test]
fn logs_are_fetched_for_the_verdicts_that_were_asked_for() {
    let rows = [
        ("never", SUCCESS, 0),
        ("never", FAILED, 0),
        ("never", RUNNING, 0),
        ("on-failure", SUCCESS, 0),
        ("on-failure", FAILED, 1),
        ("on-failure", RUNNING, 0),
        ("on-failure", "no-such-run", 0),
        ("always", SUCCESS, 1),
        ("always", FAILED, 1),
        ("always", RUNNING, 0),
        ("always", "no-such-run", 0),
    ];
    in_parallel(
        &rows,
        |row| format!("{row:?}"),
        |(when, run, times)| {
            let service = harness::service();
            Story::at(&service).runs(&[run]).with("timeout", "0").with("logs", *when).play();
            assert_eq!(service.requests_to(On::Logs).len(), *times);
        },
    );
    for run in [FAILED, RUNNING] {
        let service = harness::service();
        Story::at(&service).runs(&[run]).with("timeout", "1s").play();
        assert_eq!(service.requests_to(On::Logs).len(), 1, "the default is on-failure");
    }
}

#[test]
fn logs_are_shown_in_every_shape_that_they_may_have() {
    let line = "source database does not answer";
    let rows: Vec<(&str, Value)> = vec![
        ("text", json!(format!("extracting\n{line}\n"))),
        ("an array of strings", json!(["extracting", line])),
        ("objects with message", json!([{"timestamp": "2024-01-13T06:00:01Z", "level": "ERROR", "message": line}])),
        ("objects with msg", json!([{"time": "06:00", "msg": line}])),
        ("objects with log", json!([{"log": line}])),
        ("objects with line", json!([{"line": line}])),
        ("under logs", json!({"logs": [line]})),
        ("under data", json!({"data": line})),
        ("under content", json!({"content": [{"message": line}]})),
        ("under message", json!({"message": line})),
        ("another shape", json!({"x": {"y": line}})),
        ("coloured", json!([format!("\u{1b}[31m{line}\u{1b}[0m")])),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, logs)| {
            let run = json!({"record": {"pipeline_run_id": FAILED, "last_status": "FAILED"}, "logs": logs});
            let service = service_of(json!({"runs": [run]}));
            let outcome = Story::at(&service).runs(&[FAILED]).play();
            outcome.assert_ended("failed", 1);
            let trace_file = outcome.trace_file.as_ref().expect("a file");
            assert!(outcome.log().contains(line) && trace_file.contains(line), "{}\n{trace_file}", outcome.log());
            assert!(outcome.summary.as_ref().expect("a summary").contains(line));
        },
    );
}

#[test]
fn the_trace_file_has_all_and_the_log_the_last_sixteen_kib() {
    let lines: Vec<String> = (0..5000).map(|n| format!("log line {n} of five thousand")).collect();
    let run = json!({"record": {"pipeline_run_id": FAILED, "last_status": "FAILED", "trace": TRACE}, "logs": lines});
    let service = service_of(json!({"runs": [run]}));
    let outcome = Story::at(&service).runs(&[FAILED]).play();
    outcome.assert_ended("failed", 1);
    let file = outcome.trace_file.as_ref().expect("a file");
    assert!(file.contains(TRACE) && file.contains("log line 0 of") && file.contains("log line 4999 of"));
    assert!(!outcome.log().contains("log line 0 of") && outcome.log().contains("log line 4999 of"));
    assert!(outcome.log().len() < 24 * 1024, "{}", outcome.log().len());
    assert!(std::path::Path::new(outcome.output("trace-file")).ends_with("trace.txt"));
}

#[test]
fn logs_that_do_not_come_are_a_note_and_change_nothing() {
    let rows = [
        ("500", Reply::status(500)),
        ("404", Reply::status(404)),
        ("reset", Reply::reset()),
        ("cut short", Reply::text(200, "half a li").framing(crate::stand_in::Framing::Length(99))),
        ("bad gzip", Reply::text(200, "text").gzip(crate::stand_in::Gzip::Corrupt)),
        ("a redirect off the origin", Reply::redirect(302, "https://evil.invalid/")),
        ("401 and a renewal that does not help", Reply::status(401)),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, reply)| {
            let service = harness::service();
            service.order(On::Logs, reply.clone().then(crate::stand_in::End::Close).forever());
            let outcome = Story::at(&service).runs(&[FAILED]).play();
            outcome.assert_ended("failed", 1);
            assert!(outcome.trace_file.as_ref().is_some_and(|text| text.contains(TRACE)));
        },
    );
}

#[test]
fn a_refused_token_is_renewed_for_the_logs_too() {
    let service = harness::service();
    service.order(On::Logs, Reply::status(401));
    let outcome = Story::at(&service).runs(&[FAILED]).play();
    outcome.assert_ended("failed", 1);
    assert!(outcome.log().contains("source database does not answer"), "{}", outcome.log());
}

const TRACEBACK: &str =
    "start\nTraceback (most recent call last):\n  File \"etl.py\", line 1, in f\n    f()\nKeyError: 'amount'\n";

fn with(record: Value, logs: &str) -> Service {
    let mut record = record;
    record["pipeline_run_id"] = FAILED.into();
    let run = json!({"record": record, "logs": logs});
    service_of(json!({"runs": [run]}))
}

/// The cause comes from the trace, or else from the logs, and is the same in every report.
#[test]
fn logs_tell_the_cause_where_there_is_no_trace() {
    for (trace, cause) in [(Value::Null, "KeyError: 'amount'"), (json!("out of rows"), "out of rows")] {
        let service = with(json!({"last_status": "FAILED", "trace": trace}), TRACEBACK);
        let outcome = Story::at(&service).runs(&[FAILED]).play();
        outcome.assert_ended("failed", 1);
        assert_eq!(outcome.output("cause"), cause);
        assert_eq!(outcome.report()["runs"][0]["cause"], cause);
        let summary = outcome.summary.as_ref().expect("a summary");
        assert!(summary.contains(&format!("**Likely cause:** `{cause}`")), "{summary}");
        assert!(summary.contains("<summary>The end of the logs</summary>\n\n```\nstart\nTraceback"), "{summary}");
        assert_eq!(summary.matches("maestro-gate: failed").count(), 1, "one summary: {summary}");
        assert!(!outcome.dotenv.as_ref().expect("dotenv")["MAESTRO_GATE_CAUSE"].is_empty());
        assert_eq!(outcome.output_dir.as_ref().expect("a folder")["cause"], cause);
        assert!(outcome.log().lines().last().is_some_and(|last| last.ends_with(cause)), "{}", outcome.log());
        // The outputs are written again only if the logs have a cause that was not known.
        let versions = outcome.output_file.as_ref().expect("outputs").matches("verdict<<").count();
        assert_eq!(versions, if trace.is_null() { 3 } else { 2 });
    }
}

#[test]
fn a_run_that_did_not_fail_has_no_cause_in_its_logs() {
    for (status, when, verdict, code) in [("RUNNING", "on-failure", "timed-out", 3), ("SUCCESS", "always", "passed", 0)]
    {
        let service = with(json!({"last_status": status}), TRACEBACK);
        let outcome = Story::at(&service).runs(&[FAILED]).with("logs", when).with("timeout", "1s").play();
        outcome.assert_ended(verdict, code);
        assert_eq!(outcome.output("cause"), "");
        let summary = outcome.summary.as_ref().expect("a summary");
        assert!(summary.contains("KeyError: 'amount'") && !summary.contains("Likely cause"), "{summary}");
    }
}

#[test]
fn without_logs_no_line_of_them_is_in_any_report() {
    let service = with(json!({"last_status": "FAILED"}), TRACEBACK);
    let outcome = Story::at(&service).runs(&[FAILED]).with("logs", "never").play();
    outcome.assert_ended("failed", 1);
    assert_eq!((service.requests_to(On::Logs).len(), outcome.output("cause")), (0, ""));
    assert!(!outcome.everything().contains("KeyError") && !outcome.everything().contains("The end of the logs"));
}

/// What is certain does not wait for them.
#[test]
fn outputs_and_reports_are_written_before_the_logs_are_asked_for() {
    let service = with(json!({"last_status": "FAILED", "trace": TRACE}), TRACEBACK);
    service.order(On::Logs, Reply::hang().forever());
    let gate = Story::at(&service).runs(&[FAILED]).start();
    assert!(service.wait_for(On::Logs, 1, harness::HANG_TIMEOUT));
    for (file, words) in
        [("output", "verdict<<"), ("summary", "## ❌ maestro-gate: failed"), ("summary", "**Likely cause:**")]
    {
        gate.wait_for_text_in(file, words);
    }
    gate.signal("TERM");
    let outcome = gate.finish();
    outcome.assert_ended("failed", 1);
    assert_eq!(outcome.output("cause"), TRACE);
    assert!(!outcome.summary.as_ref().expect("a summary").contains("The end of the logs"));
}

/// Logs of 64 MiB: the cause at their beginning is found, their end is shown, and little memory is needed.
#[test]
fn the_cause_is_found_in_logs_of_any_length() {
    let mut text = "2024-01-15 10:30:00.123  ERROR  etl  no rows in orders\n".to_owned();
    text.push_str(&"2024-01-15 10:30:00.123  INFO  etl  a line\n".repeat((60 << 20) / 43));
    let service = with(json!({"last_status": "FAILED"}), "");
    service.order(On::Logs, Reply::text(200, &text).gzip(crate::stand_in::Gzip::Right));
    let outcome = Story::at(&service).runs(&[FAILED]).without("trace-file").heavy().play();
    outcome.assert_ended("failed", 1);
    // A machine that is too busy for them has said so.
    let is_late = ["not all of them came in time", "no complete answer in time"]
        .iter()
        .any(|words| outcome.log().contains(words));
    assert!(is_late || outcome.output("cause") == "no rows in orders", "{}", outcome.log());
    let summary = outcome.summary.as_ref().expect("a summary");
    assert!(summary.len() < 24 * 1024, "{}", summary.len());
}

/// A pipe's reader gets one document, the one that was there first.
#[cfg(unix)]
#[test]
fn a_pipe_gets_its_report_once() {
    let service = with(json!({"last_status": "FAILED"}), TRACEBACK);
    let story = Story::at(&service).runs(&[FAILED]);
    let pipe = story.path("pipe");
    harness::make_pipe(&pipe);
    let gate = story.with("markdown", &pipe).start();
    let mut reader = harness::other_end(&pipe, OpenOptions::new().read(true));
    let mut documents = String::new();
    reader.read_to_string(&mut documents).expect("text");
    let outcome = gate.finish();
    reader.read_to_string(&mut documents).expect("text");
    outcome.assert_ended("failed", 1);
    assert_eq!(documents.matches("## ❌ maestro-gate: failed").count(), 1, "{documents}");
    assert!(outcome.summary.as_ref().expect("a summary").contains("KeyError"), "others get the logs");
}
