//! Answers that are whole as HTTP, of an ordinary server: what each status and body is read as, in
//! one poll (`timeout: 0`).

use httpmock::Method::{GET, POST};
use httpmock::MockServer;
use serde_json::json;

use super::Ends::AtOnce;
use super::limited;
use crate::harness::{FAILED, PIPELINE, SUCCESS, Story, in_parallel};

/// The documented answer.
const RECORD: &str = r#"{"id":45,"pipeline_run_id":"e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c","pipeline_id":"1b33ad2f_33d3_4837_9eeb_83c82c8b909d","last_status":"SUCCESS","created_at":"2024-01-15T10:30:00.000Z","updated_at":"2024-01-15T10:45:23.000Z","trace":null}"#;

const JSON: &str = "application/json; charset=utf-8";

/// What is answered to "get one run", and how the gate must end.
struct Row {
    status: u16,
    content_type: &'static str,
    body: String,
    verdict: &'static str,
    code: i32,
}

fn row(status: u16, body: impl Into<String>, verdict: &'static str, code: i32) -> Row {
    Row { status, content_type: JSON, body: body.into(), verdict, code }
}

/// The record with one part of its text replaced.
fn with(from: &str, to: &str) -> String {
    assert!(RECORD.contains(from), "{from}");
    RECORD.replacen(from, to, 1)
}

fn word(word: &str) -> String {
    with("SUCCESS", word)
}

/// Plays all rows against one server, each under a path of its own.
#[track_caller]
fn hold(rows: &[Row]) {
    let server = MockServer::start();
    server.mock(|when, then| {
        when.method(POST).path_suffix("/auth/sign-in");
        then.status(200).json_body(json!({"tokens": {"accessToken": "a-token-of-the-mock"}, "mfaStatus": "none"}));
    });
    for (index, row) in rows.iter().enumerate() {
        server.mock(|when, then| {
            when.method(GET).path(format!("/{index}/platform/pipeline/{PIPELINE}/pipeline_run/{SUCCESS}"));
            then.status(row.status).header("content-type", row.content_type).body(&row.body);
        });
    }
    let numbered: Vec<(usize, &Row)> = rows.iter().enumerate().collect();
    in_parallel(
        &numbered,
        |(_, row)| format!("{} {:.200}", row.status, row.body),
        |(index, row)| {
            let story = Story::at_address(&server.url(format!("/{index}"))).secret("a-token-of-the-mock");
            limited(story, AtOnce).with("logs", "never").play().assert_ended(row.verdict, row.code);
        },
    );
}

#[test]
fn the_documented_answers_and_every_status_value_are_read_as_the_table_says() {
    let failed = word("FAILED").replace("\"trace\":null", "\"trace\":\"Connection timeout\"");
    let mut rows = vec![
        row(200, RECORD, "passed", 0),
        row(200, failed, "failed", 1),
        row(200, word("FAILED"), "failed", 1),
        row(200, word("RUNNING"), "timed-out", 3),
        row(200, word(" success\\t"), "passed", 0),
        row(200, with("null}", "\"a warning\"}"), "passed", 0),
        row(200, with("\"SUCCESS\"", "null"), "timed-out", 3),
        row(200, with("\"last_status\":\"SUCCESS\",", ""), "timed-out", 3),
        row(200, word(""), "timed-out", 3),
        row(200, word("SUCCESSFUL"), "timed-out", 3),
        row(200, word("SUCCESS."), "timed-out", 3),
        row(200, word("SUCCES\u{405}"), "timed-out", 3),
        row(200, word("UNSUCCESS"), "timed-out", 3),
        row(
            500,
            r#"{"msg":"There was an error retrieving the pipeline_run.","error":"Database connection error"}"#,
            "unreachable",
            6,
        ),
    ];
    let failures = ["CANCELED", "cancelled", "ABORTED", "ERROR", "FAILURE", "KILLED", "STOPPED", "SKIPPED", "TIMEOUT"];
    let failures = failures.into_iter().chain(["TIMED_OUT", "UPSTREAM_FAILED", "DELETED"]);
    rows.extend(failures.map(|name| row(200, word(name), "failed", 1)));
    let waits = ["QUEUED", "PENDING", "CREATED", "SCHEDULED", "STARTING", "UP_FOR_RETRY", "RESTARTING"];
    rows.extend(waits.map(|name| row(200, word(name), "timed-out", 3)));
    hold(&rows);
}

#[test]
fn a_body_that_is_not_this_run_s_record_never_passes() {
    let other = FAILED;
    let wrapped = |status: &str, data: &str| format!(r#"{{"status":{status},"data":{data}}}"#);
    hold(&[
        row(200, "null", "not-found", 4),
        row(200, "", "not-found", 4),
        row(200, "{}", "not-found", 4),
        row(200, " \n", "not-found", 4),
        row(200, r#"{"data":null}"#, "not-found", 4),
        row(200, wrapped("true", "null"), "not-found", 4),
        row(200, wrapped("true", RECORD), "passed", 0),
        row(200, wrapped("\"ok\"", RECORD), "passed", 0),
        row(200, format!("{{\"data\":{RECORD}}}"), "passed", 0),
        row(200, wrapped("false", RECORD), "unreachable", 6),
        row(200, wrapped("\"false\"", RECORD), "unreachable", 6),
        row(
            200,
            format!(r#"{{"statusCode":500,"error":"Database connection error","data":{RECORD}}}"#),
            "unreachable",
            6,
        ),
        row(200, RECORD.replace('}', &format!(",\"data\":{RECORD}}}")), "unreachable", 6),
        row(200, wrapped("true", &format!("[{RECORD}]")), "unreachable", 6),
        row(200, wrapped("true", &wrapped("true", RECORD)), "unreachable", 6),
        row(200, format!("[{RECORD}]"), "unreachable", 6),
        row(200, "[]", "unreachable", 6),
        row(200, "true", "unreachable", 6),
        row(200, "\"SUCCESS\"", "unreachable", 6),
        row(200, "SUCCESS", "unreachable", 6),
        row(200, r#"{"last_status":"SUCCESS"}"#, "unreachable", 6),
        row(200, with(SUCCESS, other), "unreachable", 6),
        row(200, with(PIPELINE, other), "unreachable", 6),
        row(200, with(&format!("\"{SUCCESS}\""), "null"), "unreachable", 6),
        row(200, with("\"pipeline_id\"", "\"pipelineid\""), "unreachable", 6),
        row(200, with(SUCCESS, &SUCCESS.replace('_', "-").to_uppercase()), "passed", 0),
        row(200, with("\"last_status\"", "\"last_status\":\"FAILED\",\"last_status\""), "unreachable", 6),
        row(200, with("\"trace\"", "\"last_st\\u0061tus\":\"FAILED\",\"trace\""), "unreachable", 6),
        row(200, with("\"SUCCESS\"", "true"), "unreachable", 6),
        row(200, with("\"SUCCESS\"", "[\"SUCCESS\"]"), "unreachable", 6),
        row(200, format!("{RECORD}{RECORD}"), "unreachable", 6),
        row(200, format!("{RECORD}<!-- cached -->"), "unreachable", 6),
        row(200, format!("{RECORD}\n"), "passed", 0),
        row(200, &RECORD[..RECORD.len() - 1], "unreachable", 6),
        row(200, "[".repeat(100_000), "unreachable", 6),
        row(200, with("2024-01-15T10:45:23.000Z", "soon"), "passed", 0),
        row(200, with("\"2024-01-15T10:30:00.000Z\"", "12"), "passed", 0),
        row(200, with("2024-01-15T10:30:00.000Z", "2025-01-15T10:30:00.000Z"), "passed", 0),
        row(200, r#"{"statusCode":403,"message":"SUCCESS","error":"SUCCESS"}"#, "unreachable", 6),
        Row { content_type: "text/html", ..row(200, RECORD, "passed", 0) },
        Row { content_type: "application/octet-stream", ..row(200, RECORD, "passed", 0) },
        Row { content_type: "text/html", ..row(200, "<!DOCTYPE html><title>Sign in</title>", "unreachable", 6) },
    ]);
}

#[test]
fn a_status_decides_and_never_the_words_of_its_body() {
    let mut rows = vec![
        row(201, RECORD, "unreachable", 6),
        row(202, RECORD, "unreachable", 6),
        row(203, RECORD, "unreachable", 6),
        row(204, "", "unreachable", 6),
        row(206, RECORD, "unreachable", 6),
        row(300, RECORD, "unreachable", 6),
        row(304, "", "unreachable", 6),
    ];
    for status in [400, 402, 405, 406, 407, 409, 413, 414, 418, 421, 422, 451, 499] {
        rows.push(row(status, RECORD, "unreachable", 6));
    }
    for status in [408, 425, 429, 500, 501, 502, 503, 504, 520, 599] {
        rows.push(row(status, RECORD, "unreachable", 6));
    }
    rows.extend([401, 403].map(|status| row(status, RECORD, "denied", 5)));
    rows.extend([404, 410].map(|status| row(status, RECORD, "not-found", 4)));
    // Every shape of error of docs/maestro-api.md#error-bodies, under the statuses that it comes with.
    rows.extend([
        row(403, r#"{"statusCode":403,"message":"Você não tem permissões suficientes...","error":"Não autorizado","code":"AUTH.FORBIDDEN"}"#, "denied", 5),
        row(401, r#"{"msg":"Unauthorized"}"#, "denied", 5),
        row(400, r#"{"message":["a must be a string","b must be a string"],"statusCode":400}"#, "unreachable", 6),
        row(502, r#"{"error":"Bad Gateway","message":"upstream"}"#, "unreachable", 6),
        row(404, r#"{"detail":{"status":false,"exception_type":"PipelineNotFound","traceback":"...","data":null}}"#, "not-found", 4),
        row(404, r#"{"detail":"pipeline_id X not found"}"#, "not-found", 4),
        row(422, r#"{"detail":[{"loc":[],"msg":"...","type":"..."}]}"#, "unreachable", 6),
        row(504, r#"{"message":"Endpoint request timed out"}"#, "unreachable", 6),
        Row { content_type: "text/html", ..row(503, "<html><h1>503 Service Temporarily Unavailable</h1></html>", "unreachable", 6) },
        row(500, "{\"last_status\":\"SUCCESS\"", "unreachable", 6),
    ]);
    hold(&rows);
}
