//! The bodies of the other answers: a pipeline's list, and what a request to start it and a sign-in bring.

use super::dice::Dice;
use super::document::{BAD_WRAPPERS, GOOD_WRAPPERS, PIPELINE};

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
        1 => format!("{{{}\"data\":{bare}}}", dice.of(&GOOD_WRAPPERS)),
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
        7 => (format!("{{{},\"data\":{bare}}}", dice.of(&BAD_WRAPPERS)).into(), "a wrapper that says no"),
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

/// What a sign-in brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignIn {
    Token(&'static str),
    Denied,
    Unreachable,
    Unusable,
}

/// Statuses of a sign-in that are neither 200 nor 201.
const SIGN_IN_STATUSES: [(u16, SignIn); 19] = [
    (202, SignIn::Unusable),
    (204, SignIn::Unusable),
    (206, SignIn::Unusable),
    (300, SignIn::Unusable),
    (304, SignIn::Unusable),
    (400, SignIn::Denied),
    (401, SignIn::Denied),
    (403, SignIn::Denied),
    (404, SignIn::Unreachable),
    (405, SignIn::Unreachable),
    (407, SignIn::Unreachable),
    (408, SignIn::Unusable),
    (410, SignIn::Unreachable),
    (422, SignIn::Unreachable),
    (425, SignIn::Unusable),
    (429, SignIn::Unusable),
    (500, SignIn::Unusable),
    (502, SignIn::Unusable),
    (504, SignIn::Unusable),
];

/// A token that no answer but a right one holds.
pub(super) const TOKEN: &str = "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl";

/// A sign-in's answer: its status, its body, and what it brings by the reference.
pub(super) fn sign_in(dice: &mut Dice) -> (u16, Vec<u8>, SignIn) {
    let token = format!("\"{}{TOKEN}{}\"", dice.of(&["", " ", "\\n"]), dice.of(&["", "\\r\\n", "\\t"]));
    let nested = format!("\"tokens\":{{\"idToken\":\"\",\"accessToken\":{token},\"refreshToken\":\"eyJ.r.s\"}}");
    let right = [
        format!("{{\"permissions\":[],{nested},\"mfaStatus\":\"none\",\"user\":{{}}}}"),
        format!("{{{nested},\"accessToken\":\"another\"}}"),
        format!("{{\"accessToken\":{token}}}"),
        format!("{{\"tokens\":{{\"accessToken\":\"\"}},\"accessToken\":{token}}}"),
        format!("{{\"tokens\":null,\"accessToken\":{token},\"x\":[1]}}"),
    ];
    let (status, body, brings) = match dice.within(0..6) {
        0 => {
            let (status, brings) = SIGN_IN_STATUSES[dice.within(0..SIGN_IN_STATUSES.len())].clone();
            return (status, if matches!(status, 204 | 304) { Vec::new() } else { right[0].clone().into() }, brings);
        }
        1..4 => (dice.of(&[200, 201]), right[dice.within(0..right.len())].clone().into_bytes(), SignIn::Token(TOKEN)),
        4 => {
            let without = dice.of(&[
                "{}",
                "{\"tokens\":{},\"mfaStatus\":\"required\"}",
                "{\"tokens\":null}",
                "{\"tokens\":{\"accessToken\":\"\"}}",
                "{\"tokens\":{\"accessToken\":\" \"}}",
                "{\"tokens\":{\"accessToken\":null}}",
                "{\"tokens\":{\"accessToken\":[\"x\"]}}",
                "{\"tokens\":[{\"accessToken\":\"x\"}]}",
                "{\"tokens\":{\"idToken\":\"x\",\"refreshToken\":\"y\"}}",
                "{\"tokens\":{\"accesstoken\":\"x\"}}",
                "{\"tokens\":{\"accessToken\":\"a\\nb: c\"}}",
                "{\"data\":{\"accessToken\":\"x\"}}",
                "{\"accessToken\":7}",
                "{\"token\":\"x\"}",
            ]);
            (dice.of(&[200, 201]), without.into(), SignIn::Denied)
        }
        _ => {
            let whole = &right[0];
            let body: Vec<u8> = match dice.within(0..4) {
                0 => whole.as_bytes()[..dice.within(0..whole.len())].into(),
                1 => format!("{whole}{}", dice.of(&["x", "{}", "]", "\0"])).into(),
                2 => [b"{\"x\":\"\xff\",".as_slice(), &whole.as_bytes()[1..]].concat(),
                _ => dice.of(&["null", "[]", "\"token\"", "7", "<html>", "\u{feff}{}", "{\"tokens\":}"]).into(),
            };
            (dice.of(&[200, 201]), body, SignIn::Unusable)
        }
    };
    (status, body, brings)
}
