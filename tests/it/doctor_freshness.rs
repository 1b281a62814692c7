//! Doctor and `max-age`, `started-after` and `if-stale`: what the gate would make of the run that is there now.

use serde_json::{Value, json};

use crate::doctor::{RUN, Table, doctor};
use crate::harness::{in_parallel, service_of};
use crate::stand_in::Service;

/// A pipeline whose only run has this status, started two hours ago and finished one hour ago.
fn with(status: Option<&str>, is_paused: bool) -> Service {
    let run = |status: &str| {
        let updated = if status == "RUNNING" { "now-2h" } else { "now-1h" };
        json!({"record": {"pipeline_run_id": "old", "last_status": status, "created_at": "now-2h", "updated_at": updated}})
    };
    let runs: Vec<Value> = status.into_iter().map(run).collect();
    service_of(json!({"paused": is_paused, "runs": runs}))
}

#[test]
fn doctor_shows_what_freshness_makes_of_the_run_that_is_there() {
    const AFTER: &str = "--started-after=2199-01-01T00:00:00Z";
    const BEFORE: &str = "--started-after=2001-01-01T00:00:00Z";
    const WAIT: &str = "--if-stale=wait";
    /// Status, whether the pipeline is paused, flags; exit code, the notes' words.
    type Row = (Option<&'static str>, bool, &'static [&'static str], i32, &'static [&'static str]);
    let rows: [Row; 14] = [
        (Some("SUCCESS"), false, &["--run-id=old"], 0, &[]),
        (Some("SUCCESS"), false, &["--run-id=old", BEFORE], 0, &[]),
        (Some("SUCCESS"), false, &["--run-id=old", AFTER], 0, &["before started-after", "would end as stale"]),
        (
            Some("SUCCESS"),
            false,
            &["--run-id=old", "--max-age=30m"],
            0,
            &["exceeds max-age of 30m", "would end as stale"],
        ),
        (Some("SUCCESS"), true, &["--run-id=latest", AFTER], 0, &["before started-after", "would end as stale"]),
        (Some("SUCCESS"), false, &["--run-id=latest", AFTER, WAIT], 0, &["would wait up to 50m for a newer run"]),
        (Some("SUCCESS"), false, &["--run-id=last-success", AFTER, WAIT], 0, &["up to 50m for a newer success"]),
        (
            Some("SUCCESS"),
            true,
            &["--run-id=latest", AFTER, WAIT],
            0,
            &["for a newer run", "paused, so a new run may not start"],
        ),
        (Some("SUCCESS"), true, &["--run-id=latest", BEFORE, WAIT], 0, &[]),
        (Some("FAILED"), false, &["--run-id=latest", "--max-age=30m"], 0, &[]),
        (Some("FAILED"), false, &["--run-id=latest", "--max-age=30m", WAIT], 0, &["for a newer run"]),
        (Some("RUNNING"), false, &["--run-id=latest", AFTER], 0, &["is still RUNNING", "would end as stale"]),
        (None, false, &["--run-id=latest", BEFORE], 4, &[]),
        (None, true, &["--run-id=latest", BEFORE, WAIT], 0, &["none yet", "paused, so a new run may not start"]),
    ];
    in_parallel(
        &rows,
        |(status, _, flags, ..)| format!("{status:?} {flags:?}"),
        |(status, is_paused, flags, code, words)| {
            let service = with(*status, *is_paused);
            let flags = [&RUN[..1], flags].concat();
            let table = Table::of(doctor(&service.base_url(), &flags, &[]));
            assert_eq!(table.code, Some(*code), "{}", table.text);
            for word in *words {
                assert!(table.text.contains(word), "{word}: {}", table.text);
            }
            let notes = table.text.lines().filter(|line| line.starts_with("note")).count();
            assert!(notes > 0 || words.is_empty(), "{}", table.text);
            if words.is_empty() && *code == 0 {
                assert_eq!(table.states("freshness"), [""; 0], "{}", table.text);
                assert!(!table.text.contains("paused"), "{}", table.text);
            }
        },
    );
}
