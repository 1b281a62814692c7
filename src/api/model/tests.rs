//! What is a record, what is not visible, and that nothing else is.

use proptest::prelude::*;

use super::*;
use crate::core::{Effect, PipelineId, Repair, RunId};

const RUN: &str = "e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c";
const PIPELINE: &str = "1b33ad2f_33d3_4837_9eeb_83c82c8b909d";

/// The documented example.
const SUCCESS: &str = r#"{"id":45,"pipeline_run_id":"e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c",
    "pipeline_id":"1b33ad2f_33d3_4837_9eeb_83c82c8b909d","last_status":"SUCCESS",
    "created_at":"2024-01-15T10:30:00.000Z","updated_at":"2024-01-15T10:45:23.000Z","trace":null}"#;

fn target(pipeline: &str, run: &str) -> Target {
    Target { pipeline: PipelineId::new(pipeline).expect("an id"), run: RunId::entered(run).expect("an id") }
}

fn observe(body: impl AsRef<[u8]>) -> Observation {
    read_run(200, body.as_ref(), &target(PIPELINE, RUN))
}

fn recorded(body: impl AsRef<[u8]>) -> Record {
    let observed = observe(body);
    let Observation::Record(record) = observed else { panic!("{observed:?}") };
    record
}

fn missed(body: impl AsRef<[u8]>) -> FailureKind {
    let observed = observe(body.as_ref());
    let Observation::Missing(Effect::Unusable, failure) = observed else {
        panic!("{}: {observed:?}", String::from_utf8_lossy(body.as_ref()))
    };
    failure.kind
}

/// The example with one field replaced; without a value, left out.
fn with(field: &str, value: Option<&str>) -> String {
    let fields = [
        ("id", "45"),
        ("pipeline_run_id", r#""e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c""#),
        ("pipeline_id", r#""1b33ad2f_33d3_4837_9eeb_83c82c8b909d""#),
        ("last_status", r#""RUNNING""#),
        ("trace", "null"),
    ];
    let mut fields: Vec<(&str, &str)> = fields.into_iter().filter(|(name, _)| *name != field).collect();
    fields.extend(value.map(|value| (field, value)));
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn the_documented_answer_is_the_record() {
    let record = recorded(SUCCESS);
    assert_eq!(record.status.raw(), "SUCCESS");
    assert_eq!((record.run_id.raw(), record.pipeline_id.raw()), (RUN, PIPELINE));
    assert_eq!(record.created_at, Some("2024-01-15T10:30:00Z".parse().expect("a date")));
    assert_eq!(record.updated_at, Some("2024-01-15T10:45:23Z".parse().expect("a date")));
    assert_eq!(record.trace, None);
}

#[test]
fn a_record_may_stand_under_data_but_not_in_both_places() {
    for wrapper in [r#"{"status":true,"data":RUN}"#, r#"{"data":RUN}"#, r#"{"status":"ok","data":RUN,"x":[1]}"#] {
        assert_eq!(recorded(wrapper.replace("RUN", SUCCESS)).status.raw(), "SUCCESS");
    }
    let both = format!("{},\"data\":{SUCCESS}}}", SUCCESS.strip_suffix('}').expect("an object"));
    assert_eq!(missed(both), FailureKind::NotARecord("both bare and under data"));
    let beside = |data: &str| format!("{},\"data\":{data}}}", SUCCESS.strip_suffix('}').expect("an object"));
    for object in ["{}", r#"{"last_status":"FAILED"}"#, r#"{"x":1}"#] {
        assert_eq!(missed(beside(object)), FailureKind::NotARecord("both bare and under data"), "{object}");
    }
    for data in ["null", "[]", "[{}]", "\"x\"", "1", "false", &format!("[{SUCCESS}]")] {
        assert_eq!(recorded(beside(data)).status.raw(), "SUCCESS", "{data}");
    }
    assert_eq!(missed(r#"{"last_status":"SUCCESS","data":null}"#), FailureKind::NotARecord("no pipeline_run_id"));
    let refused = format!(r#"{{"status":false,"data":{SUCCESS}}}"#);
    assert_eq!(missed(refused), FailureKind::NotARecord("its status is not true"));
    // Nor where anything else says that it is no success; the other kinds are the oracle's.
    for error in [r#""status":"false""#, r#""status":0"#, r#""statusCode":500"#, r#""error":"x""#, r#""success":false"#]
    {
        let kind = missed(format!(r#"{{{error},"data":{SUCCESS}}}"#));
        assert!(matches!(kind, FailureKind::NotARecord(_)), "{error}: {kind:?}");
    }
    let twice = format!(r#"{{"data":{{"data":{SUCCESS}}}}}"#);
    assert_eq!(missed(twice), FailureKind::NotARecord("no pipeline_run_id"));
    // A run's own `status` is an unknown field.
    assert_eq!(recorded(with("status", Some("false"))).status.raw(), "RUNNING");
}

#[test]
fn null_nothing_and_an_empty_object_are_not_visible() {
    for body in ["null", "", " \r\n\t", " null ", "{}", "{ \n }", r#"{"data":null}"#, r#"{"status":true,"data":null}"#]
    {
        let observed = observe(body);
        let Observation::Missing(Effect::NotVisible, failure) = observed else { panic!("{body}: {observed:?}") };
        assert_eq!(failure.kind, FailureKind::NoRecord);
    }
}

#[test]
fn what_is_not_one_json_document_is_unusable() {
    for body in [
        "<html><title>Sign in</title></html>",
        "OK",
        "{",
        "\u{3000}",
        "\u{a0}",
        "\x0c",
        "\u{feff}{}",
        &format!("{SUCCESS}{SUCCESS}"),
        &format!("{SUCCESS}x"),
        &format!("{SUCCESS}\0"),
        &format!("/**/{SUCCESS}"),
        &"[".repeat(1_000_000),
    ] {
        assert_eq!(missed(body), FailureKind::NotJson, "{}", body.get(..40).unwrap_or(body));
    }
}

#[test]
fn what_is_almost_json_is_repaired_and_marked() {
    let spoilt = |value: &[u8]| {
        let (before, behind) = SUCCESS.split_once("null").expect("the trace");
        [before.as_bytes(), value, behind.as_bytes()].concat()
    };
    assert_eq!(recorded(SUCCESS).repaired, []);
    for (value, repair) in [
        (b"\"caf\xe9\"".as_slice(), Repair::BadUtf8),
        (b"\"a\nb\"", Repair::ControlCharacter),
        (b"NaN", Repair::NotANumber),
        (br#""\ud800""#, Repair::HalfCharacter),
        (b"[1e400]", Repair::HugeNumber),
        (format!("{}{}", "[".repeat(200), "]".repeat(200)).as_bytes(), Repair::DeepNesting),
    ] {
        assert_eq!(recorded(spoilt(value)).repaired, [repair]);
    }
    assert_eq!(recorded(format!("\u{feff}{SUCCESS}")).repaired, [Repair::ByteOrderMark]);
    assert_eq!(recorded(spoilt(b"\"a\nb\"")).trace, Some(Untrusted::new("a\nb")));
    // What is repaired decides nothing but a status.
    for (field, value, kind) in [
        ("last_status", "NaN", "last_status is not a string"),
        ("pipeline_run_id", "NaN", "no pipeline_run_id"),
        ("x", "NaN,\"x\":1", "duplicate key"),
    ] {
        assert_eq!(missed(with(field, Some(value))), FailureKind::NotARecord(kind), "{value}");
    }
    assert_eq!(missed(SUCCESS.replace("e7c91a3b", "e7c91a3b\n")), FailureKind::AnotherRun);
    for body in
        ["\u{feff}", "\u{feff}null", "\u{feff}{}", r#"{"data":null,"x":NaN}"#, "NaN", "{NaN:1}", "\u{feff}<html>"]
    {
        let observed = observe(body);
        assert!(matches!(observed, Observation::Missing(Effect::Unusable, _)), "{body}: {observed:?}");
    }
}

#[test]
fn json_that_is_no_run_is_unusable() {
    for (body, what) in [
        ("[]", "not an object"),
        (SUCCESS.replacen('{', "[{", 1).as_str(), "NotJson"),
        (format!("[{SUCCESS}]").as_str(), "not an object"),
        ("true", "not an object"),
        ("\"SUCCESS\"", "not an object"),
        (r#"{"msg":"Unauthorized"}"#, "no pipeline_run_id"),
        (r#"{"last_status":"SUCCESS"}"#, "no pipeline_run_id"),
        (r#"{"data":{}}"#, "data is not a run"),
        (r#"{"data":[]}"#, "data is not a run"),
        (r#"{"data":"x"}"#, "data is not a run"),
        (with("pipeline_run_id", None).as_str(), "no pipeline_run_id"),
        (with("pipeline_run_id", Some("null")).as_str(), "no pipeline_run_id"),
        (with("pipeline_run_id", Some("\"\"")).as_str(), "no pipeline_run_id"),
        (with("pipeline_run_id", Some("45")).as_str(), "no pipeline_run_id"),
        (with("pipeline_id", None).as_str(), "no pipeline_id"),
        (with("pipeline_id", Some("[]")).as_str(), "no pipeline_id"),
        (with("last_status", Some("true")).as_str(), "last_status is not a string"),
        (with("last_status", Some("1")).as_str(), "last_status is not a string"),
        (with("last_status", Some("[\"SUCCESS\"]")).as_str(), "last_status is not a string"),
        (with("last_status", Some("{\"x\":\"SUCCESS\"}")).as_str(), "last_status is not a string"),
        (with("last_status", Some("\"FAILED\",\"last_status\":\"SUCCESS\"")).as_str(), "duplicate key"),
        (with("last_status", Some("\"FAILED\",\"last\\u005fstatus\":\"SUCCESS\"")).as_str(), "duplicate key"),
        (with("x", Some("{\"y\":[{\"z\":1,\"z\":1}]}")).as_str(), "duplicate key"),
    ] {
        let kind = missed(body);
        let expected = if what == "NotJson" { FailureKind::NotJson } else { FailureKind::NotARecord(what) };
        assert_eq!(kind, expected, "{body}");
    }
}

#[test]
fn another_run_s_record_is_never_taken() {
    let other = "f9d8e7c6_b5a4_3928_1c0d_6e5f4a3b2c1d";
    assert_eq!(missed(SUCCESS.replace(RUN, other)), FailureKind::AnotherRun);
    assert_eq!(missed(SUCCESS.replace(PIPELINE, other)), FailureKind::AnotherRun);
    assert_eq!(missed(format!("{{\"data\":{}}}", SUCCESS.replace(RUN, other))), FailureKind::AnotherRun);
    // Hyphens and case are the same id; the database id serves where it was asked for.
    for run in [RUN, &RUN.replace('_', "-"), &RUN.to_uppercase(), "45"] {
        let read = read_run(200, SUCCESS.as_bytes(), &target(&PIPELINE.replace('_', "-"), run));
        assert!(matches!(read, Observation::Record(_)), "{run}");
    }
    for run in ["46", "045", "4", "null"] {
        let read = read_run(200, SUCCESS.as_bytes(), &target(PIPELINE, run));
        assert!(matches!(read, Observation::Missing(Effect::Unusable, _)), "{run}");
    }
    for id in ["\"45\"", "45.0", "-45", "[45]", "4.5e1"] {
        let body = with("id", Some(id));
        assert!(
            matches!(
                read_run(200, body.as_bytes(), &target(PIPELINE, "45")),
                Observation::Missing(Effect::Unusable, _)
            ),
            "{id}"
        );
        assert_eq!(recorded(&body).run_id.raw(), RUN);
    }
}

#[test]
fn only_last_status_is_the_state_and_other_fields_are_tolerated() {
    assert_eq!(recorded(with("last_status", None)).status.raw(), "");
    assert_eq!(recorded(with("last_status", Some("null"))).status.raw(), "");
    assert_eq!(recorded(with("last_status", Some(r#"" Weird ""#))).status.raw(), " Weird ");
    for (field, value) in [("status", "\"SUCCESS\""), ("state", "\"SUCCESS\""), ("id", "{}"), ("created_at", "[]")] {
        assert_eq!(recorded(with(field, Some(value))).status.raw(), "RUNNING", "{field}");
    }
}

#[test]
fn a_trace_of_any_type_is_shown() {
    let trace = |value: &str| recorded(with("trace", Some(value))).trace.map(|trace| trace.raw().to_owned());
    assert_eq!(trace("null"), None);
    assert_eq!(trace("\"\""), None);
    assert_eq!(trace(r#""line\n\u001b[31mred""#).as_deref(), Some("line\n\u{1b}[31mred"));
    assert_eq!(trace(r#"{"error": [1]}"#).as_deref(), Some(r#"{"error": [1]}"#));
    assert_eq!(trace("false").as_deref(), Some("false"));
    // Half a character, as Python writes undecodable bytes, makes no outage of a plain state.
    assert_eq!(trace(r#""bad \udce9 byte""#).as_deref(), Some("bad \u{fffd} byte"));
}

#[test]
fn a_status_decides_whatever_the_body_says() {
    for status in (0..=999).filter(|status| *status != 200) {
        let read = read_run(status, SUCCESS.as_bytes(), &target(PIPELINE, RUN));
        assert!(!matches!(read, Observation::Record(_)), "{status}");
    }
}

#[test]
fn no_truncation_of_a_record_is_a_record() {
    for end in 0..SUCCESS.len() {
        assert!(!matches!(observe(&SUCCESS.as_bytes()[..end]), Observation::Record(_)), "{end}");
    }
}

#[test]
fn a_large_body_is_read_in_time() {
    let many: Vec<String> = (0..100_000).map(|key| format!("\"key{key}\":{{}}")).collect();
    assert_eq!(recorded(with("x", Some(&format!("{{{}}}", many.join(","))))).status.raw(), "RUNNING");
}

#[test]
fn a_token_is_taken_from_either_place() {
    let access = |body: &str| read_sign_in(200, body.as_bytes()).expect("signed in").access.header();
    assert_eq!(access(r#"{"tokens":{"accessToken":"a"},"accessToken":"b"}"#), "a");
    assert_eq!(access(r#"{"tokens":{"accessToken":""},"accessToken":"b"}"#), "b");
    assert_eq!(access(r#"{"tokens":[],"accessToken":"b"}"#), "b");
    assert!(read_sign_in(201, br#"{"accessToken":"b"}"#).is_ok());
    let tokens =
        read_sign_in(200, br#"{"tokens":{"idToken":"i","accessToken":"a","refreshToken":"r","x":""},"user":"u"}"#);
    let mut all: Vec<String> =
        tokens.expect("signed in").all.iter().map(|secret| secret.expose_secret().to_owned()).collect();
    all.sort();
    all.dedup();
    assert_eq!(all, ["a", "i", "r"]);
}

#[test]
fn an_answer_without_a_token_is_not_signed_in() {
    for (status, body, kind) in [
        (200, "{}", FailureKind::NoToken),
        (200, r#"{"tokens":{"accessToken":""}}"#, FailureKind::NoToken),
        (200, r#"{"tokens":{"accessToken":null},"mfaStatus":"required"}"#, FailureKind::NoToken),
        (200, r#"{"tokens":{"accessToken":["x"]}}"#, FailureKind::NoToken),
        (200, r#"{"accessToken":"a\r\nx: y"}"#, FailureKind::NoToken),
        (200, "null", FailureKind::NotARecord("not an object")),
        (200, "[]", FailureKind::NotARecord("not an object")),
        (200, "", FailureKind::NotJson),
        (200, "<html>", FailureKind::NotJson),
        (202, r#"{"accessToken":"b"}"#, FailureKind::Http(202)),
        (401, r#"{"accessToken":"b"}"#, FailureKind::Http(401)),
        (500, "", FailureKind::Http(500)),
    ] {
        assert_eq!(read_sign_in(status, body.as_bytes()).expect_err(body).kind, kind, "{status} {body}");
    }
    let mfa = read_sign_in(200, br#"{"mfaStatus":"required"}"#).expect_err("MFA");
    assert_eq!(mfa.detail, Some(Untrusted::new("mfaStatus: required")));
}

#[test]
fn a_sign_in_is_sent_as_the_service_wants_it() {
    let password = SecretString::from("p\"w");
    let json = |totp: Option<&str>| {
        let totp = totp.map(SecretString::from);
        String::from_utf8(sign_in("u@x", &password, totp.as_ref())).expect("text")
    };
    assert_eq!(json(None), r#"{"username":"u@x","password":"p\"w","totp":null}"#);
    assert_eq!(json(Some("123456")), r#"{"username":"u@x","password":"p\"w","totp":"123456"}"#);
}

/// JSON that looks like a run more often than not.
fn runs() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "45",
        "46",
        "\"\"",
        "\"45\"",
        "\"SUCCESS\"",
        "\"FAILED\"",
        "\"run\"",
        "\"RUN\"",
        "\"other\"",
        "\"pipe-1\"",
        "\"pipe_1\"",
        "[]",
        "{}",
    ]);
    let key = prop::sample::select(vec![
        "id",
        "pipeline_run_id",
        "pipeline_id",
        "last_status",
        "trace",
        "data",
        "status",
        "created_at",
        "x",
    ]);
    word.prop_map(str::to_owned).prop_recursive(3, 24, 7, move |inner| {
        prop::collection::vec((key.clone(), inner), 0..7).prop_map(|fields| {
            let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", fields.join(","))
        })
    })
}

/// An independent reading: any parser, the last of duplicate keys.
fn may_be_a_record(body: &str) -> bool {
    let json: serde_json::Value = serde_json::from_str(body).expect("generated");
    let run = json.get("data").filter(|data| data.is_object()).unwrap_or(&json);
    let word = |key: &str| run.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_lowercase();
    word("pipeline_run_id") == "run" && word("pipeline_id").replace('-', "_") == "pipe_1"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_json_of_another_run_is_a_record(body in runs()) {
        let read = read_run(200, body.as_bytes(), &target("PIPE_1", "run"));
        if let Observation::Record(_) = read {
            prop_assert!(may_be_a_record(&body), "{body}");
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(status in 100u16..600, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let read = read_run(status, &body, &target("pipe_1", "run"));
        prop_assert!(!matches!(read, Observation::Record(_)));
        let _ = read_sign_in(status, &body);
    }

    #[test]
    fn no_change_of_one_byte_turns_a_failure_into_a_success(at in 0usize..400, byte in any::<u8>()) {
        let mut body = SUCCESS.replace("SUCCESS", "FAILED").into_bytes();
        let at = at % body.len();
        body[at] = byte;
        if let Observation::Record(record) = observe(&body) {
            prop_assert_ne!(record.status.raw(), "SUCCESS");
            prop_assert!(target(PIPELINE, RUN).run.is(record.run_id.raw(), None));
        }
    }
}
