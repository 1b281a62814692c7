//! What an error body says, for the person who must act on it. Nothing is decided by it.

use serde_json::Value;

use crate::gate::Foreign;

/// The longest text read of an answer. What is kept of it is much shorter, and is cut by the redactor: here a secret would
/// be cut in two, of which neither can be recognised.
const LIMIT: usize = 16 * 1024;

/// How deep the texts of the several layers are nested in each other (`detail` in `detail`).
const DEPTH: usize = 3;

/// The first of the texts that the service's layers use, and the code beside it; else the body as text; `None` if blank.
pub(crate) fn said(body: &[u8]) -> Option<Foreign> {
    read(body, |json| Some(json.to_string()))
}

/// The same without the text of JSON that has none of them.
pub(crate) fn message_of(body: &[u8]) -> Option<Foreign> {
    read(body, |_| None)
}

fn read(body: &[u8], other: fn(&Value) -> Option<String>) -> Option<Foreign> {
    // Error bodies are cut at 64 KiB; a success's body may be a hundred times that, and deserves no tree.
    let json: Option<Value> = (body.len() <= 64 * 1024).then(|| serde_json::from_slice(body).ok()).flatten();
    let text = match &json {
        Some(Value::Null) => return None,
        Some(json) => match (message(json, DEPTH), code(json)) {
            (Some(message), Some(code)) => format!("{message} ({code})"),
            (Some(message), None) => message,
            (None, Some(code)) => code.to_owned(),
            (None, None) => other(json)?,
        },
        // HTML, or whatever a proxy writes.
        None => {
            let start = body.iter().position(|byte| !byte.is_ascii_whitespace())?;
            String::from_utf8_lossy(&body[start..body.len().min(start + LIMIT + 1)]).into_owned()
        }
    };
    (!text.trim().is_empty()).then(|| bounded(&text))
}

/// In this order: detail.traceback, detail, message, msg, error, details (maestro-api.md, *Error bodies*).
fn message(json: &Value, depth: usize) -> Option<String> {
    match json {
        Value::String(text) => (!text.trim().is_empty()).then(|| text.trim().to_owned()),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().take(20).filter_map(|item| message(item, depth)).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Value::Object(object) if depth > 0 => ["traceback", "detail", "message", "msg", "error", "details"]
            .into_iter()
            .find_map(|key| message(object.get(key)?, depth - 1)),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn code(json: &Value) -> Option<&str> {
    [Some(json), json.get("detail")]
        .into_iter()
        .flatten()
        .flat_map(|object| ["code", "exception_type"].map(|key| object.get(key)))
        .find_map(|value| value?.as_str())
        .filter(|code| !code.trim().is_empty())
}

/// The first 16 KiB.
pub(crate) fn bounded(text: &str) -> Foreign {
    let text = text.trim();
    Foreign::new(&text[..text.floor_char_boundary(LIMIT)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> String {
        said(body.as_bytes()).map(|said| said.raw().to_owned()).unwrap_or_default()
    }

    #[test]
    fn every_layer_s_own_message_is_found() {
        for (body, expected) in [
            (
                r#"{"statusCode":403,"message":"Voce nao tem","error":"Nao autorizado","code":"AUTH.FORBIDDEN"}"#,
                "Voce nao tem (AUTH.FORBIDDEN)",
            ),
            (r#"{"message":["username must be an email","x"],"statusCode":400}"#, "username must be an email; x"),
            (
                r#"{"msg":"There was an error retrieving the pipeline_run.","error":"Database connection error"}"#,
                "There was an error retrieving the pipeline_run.",
            ),
            (
                r#"{"detail":{"status":false,"exception_type":"PipelineNotFound","traceback":"Traceback...","data":null}}"#,
                "Traceback... (PipelineNotFound)",
            ),
            (r#"{"detail":"pipeline_id X not found"}"#, "pipeline_id X not found"),
            (r#"{"detail":[{"loc":["a"],"msg":"field required","type":"missing"}]}"#, "field required"),
            (r#"{"error":"","details":"the rest"}"#, "the rest"),
            (r#"{"code":"E42"}"#, "E42"),
            (r#"{"odd":1}"#, r#"{"odd":1}"#),
            (r#""plain""#, "plain"),
            ("  <html>502 Bad Gateway</html>\n", "<html>502 Bad Gateway</html>"),
            ("", ""),
            (" \n", ""),
            ("null", ""),
            (r#"{"message": "cut of"#, r#"{"message": "cut of"#),
        ] {
            assert_eq!(text(body), expected, "{body}");
        }
    }

    #[test]
    fn json_without_a_message_may_be_left_out() {
        let message = |body: &str| message_of(body.as_bytes()).map(|text| text.raw().to_owned());
        assert_eq!(message(r#"{"tokens":{"accessToken":"abc"}}"#), None);
        assert_eq!(message(r#"{"message":"no","tokens":{}}"#).as_deref(), Some("no"));
        assert_eq!(message("<html>502").as_deref(), Some("<html>502"));
    }

    #[test]
    fn a_text_has_a_limit() {
        assert_eq!(bounded(&format!(" {}", "é".repeat(100_000))).raw(), "é".repeat(LIMIT / 2));
        assert!(text(&"<".repeat(1_000_000)).len() <= LIMIT);
        assert!(said(&[0xff; 5_000]).expect("a text").raw().len() <= LIMIT);
        assert!(text(&format!("{}\"x\"{}", "[".repeat(100), "]".repeat(100))).contains('x'));
    }
}
