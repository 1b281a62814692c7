//! One pipeline, as "get pipeline" has it: `{"status":true,"data":{"id","name","status":"active|paused|error",...}}`.
//!
//! It decides nothing: reports show it, and the doctor warns. It is read as strictly as a run all the same.

use serde_json::value::RawValue;

use super::super::failure::{self, RequestError};
use super::{Shape, bounded, error_message, object, shape, string, text_of};
use crate::core::{FailureKind, Observation, Operation, PipelineDetails, PipelineId, PipelineState};

/// Reads the answer: any status, any bytes.
pub(crate) fn read_details(status: u16, body: &[u8], pipeline: &PipelineId) -> Observation<PipelineDetails> {
    if status != 200 {
        return failure::read(failure::of_status(Operation::Details, status, body));
    }
    match details(body, pipeline) {
        Ok(found) => Observation::Record(found),
        Err(fault) => failure::read(fault.during(Operation::Details)),
    }
}

fn details(body: &[u8], pipeline: &PipelineId) -> Result<PipelineDetails, RequestError> {
    let error = |kind| RequestError { kind, detail: error_message(body) };
    let document = text_of(body)?;
    let outer = match shape(document) {
        Shape::Null | Shape::EmptyObject => return Err(RequestError::new(FailureKind::NoRecord)),
        Shape::Object => object(document).ok_or_else(|| error(FailureKind::NotJson))?,
        Shape::Other => return Err(error(FailureKind::NotARecord("not an object"))),
    };
    let inner = match outer.data.map(RawValue::get).map(|data| (data, shape(data))) {
        None => outer,
        Some((_, Shape::Null)) => return Err(RequestError::new(FailureKind::NoRecord)),
        Some((data, Shape::Object)) => {
            if let Some(why) = outer.wrapper_error() {
                return Err(error(FailureKind::NotARecord(why)));
            }
            object(data).ok_or_else(|| error(FailureKind::NotJson))?
        }
        Some((_, Shape::EmptyObject | Shape::Other)) => return Err(error(FailureKind::NotARecord("data is not one"))),
    };
    // `id` may be a number of the database's beside `pipeline_id`: one of the two must name the pipeline.
    let mut ids = [inner.pipeline_id, inner.id].into_iter().flatten().filter_map(string);
    if !ids.any(|id| pipeline.is(&id)) {
        return Err(error(FailureKind::NotARecord("it does not name this pipeline")));
    }
    let Some(word) = inner.status.and_then(string) else {
        return Err(error(FailureKind::NotARecord("no status")));
    };
    let state = match word.trim_ascii() {
        word if word.eq_ignore_ascii_case("active") => PipelineState::Active,
        word if word.eq_ignore_ascii_case("paused") => PipelineState::Paused,
        word => PipelineState::Other(bounded(word)),
    };
    // Whatever else these are, they are not shown.
    let text =
        |field: Option<&RawValue>| field.and_then(string).map(|text| bounded(&text)).filter(|text| !text.is_empty());
    Ok(PipelineDetails { name: text(inner.name), cron: text(inner.cron), state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Effect, Untrusted};

    fn read(status: u16, body: &str) -> String {
        let pipeline = PipelineId::new("A-b").expect("an id");
        match read_details(status, body.as_bytes(), &pipeline) {
            Observation::Record(found) => match found.state {
                PipelineState::Active => "active".to_owned(),
                PipelineState::Paused => "paused".to_owned(),
                PipelineState::Other(word) => format!("other {}", word.raw()),
            },
            Observation::Missing(Effect::NotVisible, _) => "not visible".to_owned(),
            Observation::Missing(Effect::Denied(_), _) => "denied".to_owned(),
            Observation::Missing(Effect::Unreachable, _) => "unreachable".to_owned(),
            Observation::Missing(Effect::Unusable, _) => "unusable".to_owned(),
        }
    }

    #[test]
    fn a_pipeline_s_state_is_read_from_the_documented_answer_and_its_like() {
        for (body, expected) in [
            (r#"{"status":true,"data":{"id":"a_b","name":"n","cron":null,"status":"active","jobs":[]}}"#, "active"),
            (r#"{"status":true,"data":{"id":"a_b","status":"paused"}}"#, "paused"),
            (r#"{"id":7,"pipeline_id":"a-b","status":" PAUSED "}"#, "paused"),
            (r#"{"data":{"id":"other","pipeline_id":"a_b","status":"error"}}"#, "other error"),
            (r#"{"data":{"id":"a_b","status":""}}"#, "other "),
        ] {
            assert_eq!(read(200, body), expected, "{body}");
        }
    }

    #[test]
    fn name_and_cron_are_texts_or_nothing() {
        let pipeline = PipelineId::new("a").expect("an id");
        let text = |text: Option<Untrusted>| text.map(|text| text.raw().to_owned());
        for (fields, name, cron) in [
            (r#""name":"Nightly load","cron":"0 6 * * *""#, Some("Nightly load"), Some("0 6 * * *")),
            (r#""name":" é\u001b[1m ","cron":null"#, Some("é\u{1b}[1m"), None),
            (r#""name":"","cron":"  ""#, None, None),
            (r#""name":7,"cron":["x"]"#, None, None),
            (r#""description":"x""#, None, None),
        ] {
            let body = format!(r#"{{"status":true,"data":{{"id":"a","status":"active",{fields}}}}}"#);
            let Observation::Record(found) = read_details(200, body.as_bytes(), &pipeline) else { panic!("{body}") };
            assert_eq!((text(found.name).as_deref(), text(found.cron).as_deref()), (name, cron), "{body}");
        }
    }

    #[test]
    fn what_is_not_this_pipeline_s_record_says_nothing() {
        for nothing in ["", " ", "null", "{}", r#"{"status":true,"data":null}"#] {
            assert_eq!(read(200, nothing), "not visible", "{nothing}");
        }
        for bad in [
            "<html>",
            "[]",
            r#"{"data":{"id":"a_b","status":"paused"}} x"#,
            r#"{"data":{"id":"a_b","status":"active","status":"paused"}}"#,
            r#"{"data":{"id":"another","status":"paused"}}"#,
            r#"{"data":{"status":"paused"}}"#,
            r#"{"data":{"id":"a_b"}}"#,
            r#"{"data":{"id":"a_b","status":true}}"#,
            r#"{"data":{"id":"a_b","status":null}}"#,
            r#"{"status":false,"data":{"id":"a_b","status":"paused"}}"#,
            r#"{"data":{}}"#,
            r#"{"data":[{"id":"a_b","status":"paused"}]}"#,
        ] {
            assert_eq!(read(200, bad), "unusable", "{bad}");
        }
        let body = r#"{"data":{"id":"a_b","status":"paused"}}"#;
        for (status, expected) in
            [(404, "not visible"), (403, "denied"), (401, "denied"), (400, "unreachable"), (500, "unusable")]
        {
            assert_eq!(read(status, body), expected, "{status}");
        }
    }
}
