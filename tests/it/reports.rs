//! The report files: that every story has all of them, and the keys of JSON.

use std::collections::BTreeSet;

use maestro_gate::core::{Meaning, Verdict};
use maestro_gate::report::formats::FORMATS;
use maestro_gate::report::json;

use crate::fixture::{self, run, seen};
use crate::harness::REPORTS;

#[test]
fn every_story_has_every_report() {
    let formats = FORMATS.iter().map(|format| format.input).chain(["trace-file", "output-dir"]);
    assert_eq!(BTreeSet::from_iter(REPORTS.map(|(input, _)| input)), formats.collect());
}

#[test]
fn the_json_file_has_the_reference_s_keys() {
    for (name, report) in fixture::all() {
        let file = json::render(&report).concat();
        let value: serde_json::Value = serde_json::from_str(&file).expect("JSON");
        assert_eq!(value["schema"], 1, "{name}");
        assert_eq!(value["version"], "0.0.0", "{name}");
        assert_eq!(value["verdict"], report.verdict.name(), "{name}");
        assert_eq!(value["exit_code"], report.verdict.exit_code(), "{name}");
        assert_eq!(value["waited_seconds"], report.waited.as_secs(), "{name}");
        assert_eq!(value["polls"], report.polls, "{name}");
        assert_eq!(value["notes"].as_array().map(Vec::len), Some(report.notes.len()), "{name}");
        assert_eq!(value["runs"].as_array().map(Vec::len), Some(report.runs.len()), "{name}");
        for run in value["runs"].as_array().expect("a list") {
            for key in [
                "pipeline_id",
                "run_id",
                "verdict",
                "exit_code",
                "status",
                "started_at",
                "updated_at",
                "duration_seconds",
                "trace",
                "run_url",
                "pipeline_url",
                "pipeline",
            ] {
                assert!(run.get(key).is_some(), "{name}: {key}");
            }
        }
        assert!(file.ends_with("}\n"));
    }
    let whole = "é".repeat(1 << 17) + &"x\n#".repeat(1 << 20);
    let long = fixture::outcome(vec![run(Verdict::Failed, Some(seen("FAILED", Meaning::Failed, Some(&whole))), None)]);
    let pieces = json::render(&fixture::report(&long, &[]));
    assert!(pieces.iter().all(|piece| piece.len() <= 64 * 1024), "no long piece, for which memory may have no place");
    let value: serde_json::Value = serde_json::from_str(&pieces.concat()).expect("JSON");
    assert_eq!(value["runs"][0]["trace"], whole, "the whole trace, not a part of it");
}
