//! The bodies of the other answers: a pipeline's list, and what a request to start it brings.

use super::dice::Dice;
use super::document::PIPELINE;

/// A list, and the ids of the runs in it; none where the reference calls it unusable.
pub(super) struct Listed {
    pub(super) body: Vec<u8>,
    pub(super) runs: Option<Vec<String>>,
    pub(super) what: &'static str,
}

pub(super) fn list(dice: &mut Dice) -> Listed {
    let runs: Vec<String> = (0..dice.within(0..6)).map(|number| format!("run-{number}")).collect();
    let trace = dice.of(&["null", "\"x\\ny\"", "\"]},[{\"", "7"]);
    let elements: Vec<String> = runs
        .iter()
        .map(|run| {
            let stamp = "2024-01-15T10:30:00Z";
            format!("{{\"pipeline_run_id\":\"{run}\",\"pipeline_id\":\"{PIPELINE}\",\"created_at\":\"{stamp}\",\"trace\":{trace}}}")
        })
        .collect();
    let bare = format!("[{}]", elements.join(dice.of(&[",", " ,\n"])));
    let right = dice.within(0..3);
    let whole = match right {
        0 => bare.clone(),
        1 => format!("{{\"data\":{bare}}}"),
        _ => format!("{{\"status\":true,\"x\":[1],\"data\" : {bare}}}"),
    };
    if dice.one_in(2) {
        return Listed { body: whole.into(), runs: Some(runs), what: "a list" };
    }
    let odd_trace = |trace: &[u8]| {
        let (before, behind) = (b"[{\"trace\":".as_slice(), b"}]".as_slice());
        [before, trace, behind].concat()
    };
    let (body, what): (Vec<u8>, _) = match dice.within(0..10) {
        0 => (whole.as_bytes()[..dice.within(1..whole.len())].into(), "a part of a list"),
        1 => (
            format!("{whole}{}", dice.of(&["x", ",", "[]", "]", "\0", "\u{a0}"])).into(),
            "a list and something behind it",
        ),
        2 => (format!("\u{feff}{whole}").into(), "a byte order mark"),
        3 => (odd_trace(dice.of(&[b"\"\xff\"".as_slice(), b"\"caf\xe9\""])), "bad UTF-8"),
        4 => (odd_trace(dice.of(&[b"\"a\nb\"".as_slice(), b"\"\0\""])), "a raw control character"),
        5 => (odd_trace(dice.of(&[b"NaN".as_slice(), b"-Infinity", b"1e400"])), "no number"),
        6 => (odd_trace(br#""\ud800""#), "half a character"),
        7 => (format!("{{\"status\":false,\"data\":{bare}}}").into(), "a wrapper that says no"),
        8 => (format!("{{\"data\":{bare},\"data\":[]}}").into(), "two lists"),
        _ => (
            dice.of(&["null", "", "{}", "{\"data\":null}", "[,]", "{\"data\":{}}", "<html>", "[1 2]"]).into(),
            "no list",
        ),
    };
    Listed { body, runs: None, what }
}

/// The id that a request to start a pipeline is answered with.
pub(super) const STARTED: &str = "manual__2024-12-18T10:30:00+00:00";

pub(super) fn start() -> Vec<u8> {
    format!("{{\"status\":true,\"data\":{{\"message\":\"queued\",\"run_id\":\"{STARTED}\"}}}}").into()
}
