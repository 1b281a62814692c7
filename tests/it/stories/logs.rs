//! The run's logs: fetched when they are wanted, whole in the trace file, their end in the log, never in the summary.

use serde_json::{Value, json};

use crate::harness::{self, FAILED, PIPELINE, RUNNING, SUCCESS, Story, TRACE, in_parallel, scenario};
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
            let service = Service::start(scenario(json!({"pipelines": [{"pipeline_id": PIPELINE, "runs": [run]}]})));
            let outcome = Story::at(&service).runs(&[FAILED]).play();
            outcome.assert_ended("failed", 1);
            let trace_file = outcome.trace_file.as_ref().expect("a file");
            assert!(outcome.log().contains(line) && trace_file.contains(line), "{}\n{trace_file}", outcome.log());
            assert!(!outcome.summary.as_ref().expect("a summary").contains(line));
        },
    );
}

#[test]
fn the_trace_file_has_all_and_the_log_the_last_sixteen_kib() {
    let lines: Vec<String> = (0..5000).map(|n| format!("log line {n} of five thousand")).collect();
    let run = json!({"record": {"pipeline_run_id": FAILED, "last_status": "FAILED", "trace": TRACE}, "logs": lines});
    let service = Service::start(scenario(json!({"pipelines": [{"pipeline_id": PIPELINE, "runs": [run]}]})));
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
