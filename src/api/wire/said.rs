//! What an error body says, for the person who must act on it. Nothing is decided by it.

use serde_json::Value;

use crate::gate::Foreign;

/// The longest text kept of an answer: a traceback's head and its last lines, which name the error.
const LIMIT: usize = 2 * 1024;

/// How deep the texts of the several layers are nested in each other (`detail` in `detail`).
const DEPTH: usize = 3;

/// The first of the texts that the service's layers use, and the code beside it; else the body as text; `None` if blank.
pub(crate) fn said(body: &[u8]) -> Option<Foreign> {
    // Error bodies are cut at 64 KiB; a success's body may be a hundred times that, and deserves no tree.
    let json: Option<Value> = (body.len() <= 64 * 1024).then(|| serde_json::from_slice(body).ok()).flatten();
    let text = match &json {
        Some(Value::Null) => return None,
        Some(json) => match (message(json, DEPTH), code(json)) {
            (Some(message), Some(code)) => format!("{message} ({code})"),
            (Some(message), None) => message,
            (None, Some(code)) => code.to_owned(),
            (None, None) => json.to_string(),
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

/// At most 2 KiB: the head and the tail, where the tail of a traceback names the error.
pub(crate) fn bounded(text: &str) -> Foreign {
    let text = text.trim();
    if text.len() <= LIMIT {
        return Foreign::new(text);
    }
    let half = LIMIT / 2 - 8;
    let head = text.floor_char_boundary(half);
    let tail = text.ceil_char_boundary(text.len() - half);
    let (head, tail) = (text.split_at(head).0, text.split_at(tail).1);
    Foreign::new(format!("{head} ... {tail}"))
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
    fn a_text_keeps_its_head_and_its_tail_within_its_limit() {
        let long = format!("Traceback é{}\nValueError: no", "é".repeat(100_000));
        let kept = bounded(&long);
        assert!(kept.raw().len() <= LIMIT);
        assert!(kept.raw().starts_with("Traceback é") && kept.raw().ends_with("ValueError: no"));
        assert!(text(&"<".repeat(1_000_000)).len() <= LIMIT);
        assert!(said(&[0xff; 5_000]).expect("a text").raw().len() <= LIMIT);
        assert!(text(&format!("{}\"x\"{}", "[".repeat(100), "]".repeat(100))).contains('x'));
    }
}
