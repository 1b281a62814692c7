//! Any status and any body as the answer to "list runs", in pieces of any size: reading never panics, the pieces make no
//! difference, and what it says of the newest run and of the last success is what another reader of JSON, which knows
//! nothing of ours, also finds in it.
//!
//! `cargo +nightly fuzz run list -- -max_total_time=60`
#![no_main]

use libfuzzer_sys::fuzz_target;
use maestro_gate::api::model;
use maestro_gate::core::{Choice, Observation, PipelineId, Selector, Vocabulary, choose};
use serde::de::IgnoredAny;
use serde_json::Value;

fn folded(text: &str) -> String {
    text.replace('-', "_").to_ascii_lowercase()
}

fuzz_target!(|input: &[u8]| {
    let Some((&[kind, size], body)) = input.split_first_chunk::<2>() else { return };
    let status = if kind < 0xf0 { 200 } else { 100 + u16::from(size) * 3 };
    let pipeline = PipelineId::new("p-1").expect("an id");
    let whole = model::read_list(status, [body], &pipeline);
    let pieces = model::read_list(status, body.chunks(usize::from(size) % 16 + 1), &pipeline);
    let (Observation::Record(listing), Observation::Record(same)) = (&whole, &pieces) else {
        assert!(!matches!(whole, Observation::Record(_)) && !matches!(pieces, Observation::Record(_)), "in pieces as in one");
        return;
    };
    assert_eq!(listing, same, "in pieces as in one");
    assert_eq!(status, 200, "no other status brings a list");

    let text = str::from_utf8(body).expect("a list is UTF-8");
    // What is left of half characters differs by design.
    assert!(text.contains("\\u") || serde_json::from_str::<IgnoredAny>(text).is_ok(), "a list is one JSON document");
    // A number too large for any type is one all the same.
    let Ok(json) = serde_json::from_str::<Value>(text) else { return };
    let elements = json.as_array().or_else(|| json.get("data").and_then(Value::as_array)).expect("an array");
    let word = |run: &Value, key: &str| run.get(key).and_then(Value::as_str).map(str::to_owned);
    // Whatever does not say that it is another pipeline's may be ours.
    let may_be_ours = |run: &&Value| {
        let pipeline = word(run, "pipeline_id").unwrap_or_default();
        pipeline.is_empty() || folded(&pipeline) == "p_1"
    };
    let ours: Vec<&Value> = elements.iter().filter(may_be_ours).collect();
    // More, where a key stands twice: that element may be any run, whatever the last of them says.
    assert!(listing.runs.len() >= ours.len(), "no run is lost");
    let vocabulary = Vocabulary::default();
    for selector in Selector::ALL {
        let Ok(Choice { run: Some(id), .. }) = choose(selector, listing, &vocabulary) else { continue };
        let chosen = ours.iter().find(|run| word(run, "pipeline_run_id").as_deref() == Some(id.as_str()));
        let chosen = chosen.expect("a run of this pipeline that is in the list");
        if selector == Selector::LastSuccess {
            let runs = ours.iter().filter(|run| word(run, "pipeline_run_id").as_deref() == Some(id.as_str()));
            let words: Vec<String> = runs.filter_map(|run| word(run, "last_status")).collect();
            assert!(words.iter().any(|word| word.trim().eq_ignore_ascii_case("SUCCESS")), "{words:?}");
        } else {
            // Stamps in one form are in order as texts are.
            let in_form = |stamp: &String| stamp.len() == 24 && stamp.get(10..11) == Some("T") && stamp.ends_with('Z');
            let stamp = |run: &Value| word(run, "created_at").filter(in_form);
            if let Some(newest) = stamp(chosen) {
                let later = ours.iter().filter_map(|run| stamp(run)).filter(|other| *other > newest);
                assert_eq!(later.count(), 0, "nothing is newer than {newest} in {text}");
            }
        }
    }
});
