//! The request to start a pipeline, and its answer: `{"status":true,"data":{"message","pipeline_id","run_id"}}`.

use serde::Serialize;
use serde_json::Value;

use super::{JsonFields, bounded, error_message, failure};
use crate::core::{Failure, FailureKind, Operation, PipelineId, TriggerResponse};

#[derive(Serialize)]
struct Execute<'a> {
    pipeline_id: &'a str,
}

pub(crate) fn execute(pipeline: &PipelineId) -> Vec<u8> {
    serde_json::to_vec(&Execute { pipeline_id: pipeline.as_str() }).expect("a struct of a string is always JSON")
}

/// Reads the answer: 200, or 201 as its framework answers a POST by default. A body that can't be read, or says neither yes
/// nor which run, leaves open whether it worked; one that says no is believed, for nobody is let through by that.
pub(crate) fn read_trigger_response(status: u16, body: &[u8]) -> TriggerResponse {
    if !matches!(status, 200 | 201) {
        return failure::trigger_failure(failure::of_status(Operation::Execute, status, body));
    }
    let missing =
        |kind| failure::trigger_failure(Failure { during: Operation::Execute, kind, detail: error_message(body) });
    let Ok(Value::Object(answer)) = serde_json::from_slice::<Value>(body) else {
        return missing(FailureKind::NotJson);
    };
    if answer.get("status") == Some(&Value::Bool(false)) {
        return missing(FailureKind::Refused);
    }
    if let Some(why) = serde_json::from_slice::<JsonFields<'_>>(body).ok().and_then(|fields| fields.wrapper_error()) {
        return missing(FailureKind::NotARecord(why));
    }
    let data = answer.get("data").unwrap_or(&Value::Null);
    let id = data.get("run_id").or_else(|| answer.get("run_id"));
    if answer.get("status") != Some(&Value::Bool(true)) && id.is_none() {
        return missing(FailureKind::NotARecord("it says neither yes nor no"));
    }
    // A bound for what is kept; an id so long is no run's.
    let id = id.and_then(Value::as_str).filter(|id| !id.is_empty());
    TriggerResponse::Accepted(id.map(bounded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::TriggerEffect;

    fn trigger_response(status: u16, body: &str) -> String {
        match read_trigger_response(status, body.as_bytes()) {
            TriggerResponse::Accepted(id) => {
                format!("accepted {}", id.map(|id| id.raw().to_owned()).unwrap_or_default())
            }
            TriggerResponse::Missing(TriggerEffect::Lost, _) => "lost".to_owned(),
            TriggerResponse::Missing(TriggerEffect::Refused, _) => "refused".to_owned(),
            TriggerResponse::Missing(TriggerEffect::NotFound, _) => "not found".to_owned(),
            TriggerResponse::Missing(TriggerEffect::Denied(_), _) => "denied".to_owned(),
            TriggerResponse::Missing(TriggerEffect::Unreachable, _) => "unreachable".to_owned(),
            TriggerResponse::Missing(TriggerEffect::NotExecuted, _) => "not executed".to_owned(),
        }
    }

    #[test]
    fn the_documented_answer_is_a_start_with_its_id() {
        let body =
            r#"{"status":true,"data":{"message":"ok","pipeline_id":"p","run_id":"manual__2024-12-18T10:30:00+00:00"}}"#;
        assert_eq!(trigger_response(200, body), "accepted manual__2024-12-18T10:30:00+00:00");
        assert_eq!(trigger_response(201, body), "accepted manual__2024-12-18T10:30:00+00:00");
        assert_eq!(trigger_response(200, r#"{"run_id":"r"}"#), "accepted r");
        for without in [r#"{"status":true}"#, r#"{"data":{"run_id":7}}"#, r#"{"data":{"run_id":""}}"#] {
            assert_eq!(trigger_response(200, without), "accepted ", "{without}");
        }
    }

    #[test]
    fn only_a_plain_no_is_a_refusal_and_what_leaves_a_doubt_is_lost() {
        for status in 0..=999 {
            let expected = match status {
                200 | 201 => continue,
                401 | 403 => "denied",
                404 | 410 => "not found",
                407 => "unreachable",
                408 | 425 => "lost",
                429 => "not executed",
                400..=499 => "refused",
                _ => "lost",
            };
            assert_eq!(trigger_response(status, r#"{"status":true,"data":{"run_id":"r"}}"#), expected, "{status}");
        }
        for body in [
            "",
            "null",
            "<html>",
            "[]",
            r#"{"status":true"#,
            "{}",
            r#"{"detail":{"status":false,"exception_type":"X"}}"#,
        ] {
            assert_eq!(trigger_response(200, body), "lost", "{body}");
        }
        assert_eq!(trigger_response(200, r#"{"status":false,"data":null}"#), "refused");
    }

    #[test]
    fn the_pipeline_is_named_as_the_user_wrote_it() {
        let pipeline = PipelineId::new("a-b\"c").expect("an id");
        assert_eq!(execute(&pipeline), br#"{"pipeline_id":"a-b\"c"}"#);
    }
}
