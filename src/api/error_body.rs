//! What an error body says, for the person who must act on it. Nothing is decided by it.

use serde_json::Value;

use crate::core::Untrusted;

/// The longest text read of an answer. What is kept of it is much shorter, and is cut by the redactor: here a secret would
/// be cut in two, of which neither can be recognised.
const LIMIT: usize = 16 * 1024;

/// How deep the texts of the several layers are nested in each other (`detail` in `detail`).
const DEPTH: usize = 3;

/// All that the service's layers say in words, with the code beside it; else the body as text, of a page its title; `None` if
/// blank.
pub(crate) fn error_message(body: &[u8]) -> Option<Untrusted> {
    read(body, |json| Some(json.to_string()))
}

/// The same without the text of JSON that has none of them.
pub(crate) fn labelled_error_message(body: &[u8]) -> Option<Untrusted> {
    read(body, |_| None)
}

fn read(body: &[u8], other: fn(&Value) -> Option<String>) -> Option<Untrusted> {
    // Error bodies are cut at 64 KiB; a success's body may be hundreds of times that, and deserves no tree.
    let json: Option<Value> = (body.len() <= 64 * 1024).then(|| serde_json::from_slice(body).ok()).flatten();
    let text = match &json {
        Some(Value::Null) => return None,
        Some(json) => match message(json, DEPTH) {
            Some(message) => message,
            None => other(json)?,
        },
        // A page, or whatever a proxy writes.
        None => {
            let start = body.iter().position(|byte| !byte.is_ascii_whitespace())?;
            text_of(&String::from_utf8_lossy(&body[start..body.len().min(start + LIMIT + 1)]))
        }
    };
    (!text.trim().is_empty()).then(|| bounded(&text))
}

/// The first of traceback, detail, message and msg; in brackets behind it what error, details and the codes say beyond that
/// (docs/maestro-api.md, *Error bodies*).
fn message(json: &Value, depth: usize) -> Option<String> {
    match json {
        Value::String(text) => Some(text_of(text.trim())).filter(|text| !text.is_empty()),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().take(20).filter_map(|item| message(item, depth)).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Value::Object(object) if depth > 0 => {
            let text = |key: &str| message(object.get(key)?, depth - 1);
            let code = |key: &str| {
                object.get(key)?.as_str().map(|code| code.trim().to_owned()).filter(|code| !code.is_empty())
            };
            let first = ["traceback", "detail", "message", "msg"].into_iter().find_map(text);
            let others = ["error", "details"].into_iter().filter_map(text);
            let mut texts =
                first.into_iter().chain(others).chain(["code", "exception_type"].into_iter().filter_map(code));
            let main = texts.next()?;
            let mut more: Vec<String> = Vec::new();
            for text in texts {
                if !main.contains(&text) && !more.contains(&text) {
                    more.push(text);
                }
            }
            Some(if more.is_empty() { main } else { format!("{main} ({})", more.join("; ")) })
        }
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The title of a page, else its heading, else its text without markup; any other text as it is.
fn text_of(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let marks = ["<!doctype html", "<html", "<head", "<body", "<title", "<?xml"];
    if !marks.iter().any(|mark| lower.contains(mark)) {
        return text.to_owned();
    }
    let element = |name: &str| {
        let (start, end) = (lower.find(&format!("<{name}"))?, lower.find(&format!("</{name}"))?);
        Some(without_markup(text.get(start..end)?)).filter(|text| !text.is_empty())
    };
    element("title").or_else(|| element("h1")).unwrap_or_else(|| without_markup(text))
}

/// The text between the tags, on one line, with the commonest references resolved.
fn without_markup(text: &str) -> String {
    let mut parts = text.split('<');
    let first = parts.next().unwrap_or_default();
    // Of a tag without an end nothing is text.
    let others = parts.filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    let mut plain = std::iter::once(first).chain(others).collect::<Vec<_>>().join(" ");
    for (reference, character) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
    {
        plain = plain.replace(reference, character);
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first 16 KiB.
pub(crate) fn bounded(text: &str) -> Untrusted {
    let text = text.trim();
    Untrusted::new(&text[..text.floor_char_boundary(LIMIT)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> String {
        error_message(body.as_bytes()).map(|message| message.raw().to_owned()).unwrap_or_default()
    }

    #[test]
    fn every_layer_s_own_message_is_found() {
        for (body, expected) in [
            (
                r#"{"statusCode":403,"message":"Voce nao tem","error":"Nao autorizado","code":"AUTH.FORBIDDEN"}"#,
                "Voce nao tem (Nao autorizado; AUTH.FORBIDDEN)",
            ),
            (r#"{"message":["username must be an email","x"],"statusCode":400}"#, "username must be an email; x"),
            (
                r#"{"msg":"There was an error retrieving the pipeline_run.","error":"Database connection error"}"#,
                "There was an error retrieving the pipeline_run. (Database connection error)",
            ),
            (
                r#"{"detail":{"status":false,"exception_type":"PipelineNotFound","traceback":"Traceback...","data":null}}"#,
                "Traceback... (PipelineNotFound)",
            ),
            (r#"{"detail":"pipeline_id X not found"}"#, "pipeline_id X not found"),
            (r#"{"detail":[{"loc":["a"],"msg":"field required","type":"missing"}]}"#, "field required"),
            (r#"{"error":"","details":"the rest"}"#, "the rest"),
            (r#"{"error":"first","details":["the","rest"],"code":"E42"}"#, "first (the; rest; E42)"),
            (r#"{"msg":"Unauthorized","error":"Unauthorized"}"#, "Unauthorized"),
            (
                r#"{"message":"not found: PipelineNotFound","error":{"message":"why","code":"X"},"code":"X"}"#,
                "not found: PipelineNotFound (why (X); X)",
            ),
            (r#"{"detail":{"message":"M","error":"E"}}"#, "M (E)"),
            (r#"{"code":"E42"}"#, "E42"),
            (r#"{"odd":1}"#, r#"{"odd":1}"#),
            (r#""plain""#, "plain"),
            ("  <html>502 Bad Gateway</html>\n", "502 Bad Gateway"),
            (
                "<!DOCTYPE html>\n<HTML><head><TITLE lang=en>\n Sign&nbsp;in &amp; go\n</TITLE><body>x</HTML>",
                "Sign in & go",
            ),
            ("<html><title></title><h1>504 Gateway <b>Time-out</b></h1><hr>nginx</html>", "504 Gateway Time-out"),
            ("<html><body><p>a</p><p>b", "a b"),
            ("<html><title", ""),
            ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "AccessDenied"),
            (r#"{"message":"<html><title>502 Bad Gateway</title></html>"}"#, "502 Bad Gateway"),
            ("a < b > c", "a < b > c"),
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
        let message = |body: &str| labelled_error_message(body.as_bytes()).map(|text| text.raw().to_owned());
        assert_eq!(message(r#"{"tokens":{"accessToken":"abc"}}"#), None);
        assert_eq!(message(r#"{"message":"no","tokens":{}}"#).as_deref(), Some("no"));
        assert_eq!(message("<html>502").as_deref(), Some("502"));
    }

    #[test]
    fn a_text_has_a_limit() {
        assert_eq!(bounded(&format!(" {}", "é".repeat(100_000))).raw(), "é".repeat(LIMIT / 2));
        assert!(text(&"<".repeat(1_000_000)).len() <= LIMIT);
        assert!(error_message(&[0xff; 5_000]).expect("a text").raw().len() <= LIMIT);
        assert!(text(&format!("{}\"x\"{}", "[".repeat(100), "]".repeat(100))).contains('x'));
    }
}
