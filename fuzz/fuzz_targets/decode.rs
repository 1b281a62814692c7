//! Any status and any body as the answer to "get one run": reading never panics, and a record is what another reader of
//! JSON, which knows nothing of ours, also finds in it: the very run, in the very status.
//!
//! `cargo +nightly fuzz run decode -- -max_total_time=60`
#![no_main]

use libfuzzer_sys::fuzz_target;
use maestro_gate::api::model;
use maestro_gate::core::{Meaning, Observation, PipelineId, RunId, Target, Vocabulary};
use serde_json::Value;

/// Short ids: they must be met by chance.
fn target() -> Target {
    Target { pipeline: PipelineId::new("p-1").expect("an id"), run: RunId::new("45").expect("an id") }
}

fn folded(text: &str) -> String {
    text.replace('-', "_").to_ascii_lowercase()
}

fuzz_target!(|input: &[u8]| {
    let Some((&status, body)) = input.split_first_chunk::<2>() else { return };
    // Mostly the status that counts.
    let status = if status[0] < 0xf0 { 200 } else { u16::from_le_bytes(status) };
    let target = target();
    let Observation::Record(record) = model::read_run(status, body, &target) else { return };
    assert_eq!(status, 200, "no other status brings a record");
    assert_eq!(folded(record.pipeline_id.raw()), "p_1", "no other pipeline");

    if !record.repaired.is_empty() {
        // It passes no gate (`core::run`), and no other reader of JSON is asked what it makes of the damage. Some find none: a
        // mark before the document, or many levels.
        return;
    }
    let text = str::from_utf8(body).expect("a record is UTF-8");
    let json = serde_json::from_str::<Value>(text).expect("a record is one JSON document");
    let run = json.get("data").filter(|data| data.is_object()).unwrap_or(&json);
    let word = |key: &str| run.get(key).and_then(Value::as_str).map(str::to_owned);
    assert_eq!(word("pipeline_id").as_deref(), Some(record.pipeline_id.raw()));
    assert_eq!(word("pipeline_run_id").as_deref(), Some(record.run_id.raw()));
    assert!(record.run_id.raw() == "45" || run.get("id") == Some(&Value::from(45)), "no other run");
    assert_eq!(word("last_status").unwrap_or_default(), record.status.raw());
    if Vocabulary::default().read(record.status.raw()) == Meaning::Passed {
        assert_eq!(record.status.raw().trim_ascii().to_ascii_uppercase(), "SUCCESS", "no other word passes");
        let is_wrapper = json.get("data").is_some_and(Value::is_object);
        assert!(!is_wrapper || json.get("status") != Some(&Value::Bool(false)), "no refusal is a success");
    }
});
