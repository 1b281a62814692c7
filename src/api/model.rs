//! JSON as the service sends it, read strictly: the only place that knows a word of the server.
//!
//! A body passes as a record only if it is valid UTF-8, ONE JSON document without duplicate keys, and a run's object -
//! bare or under `data` - with the ids that were asked for. Fields that no decision needs are tolerated in any shape
//! (docs/maestro-api.md#shapes-to-tolerate).

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::access_token::AccessToken;
use super::failure::{self, RequestError};
use crate::core::{FailureKind, Observation, Operation, PipelineId, Record, RunList, Target, Untrusted};

mod completeness;
mod details_response;
mod element;
mod json_repair;
mod run_list;
mod strict_json;
mod timestamp;
mod trigger_response;

use super::error_body::{bounded, error_message};
pub(crate) use completeness::{Completeness, PageInfo};
pub(crate) use details_response::read_details;
pub(crate) use element::RecordSink;
pub(crate) use run_list::{RunListReader, SHORT_LIST, WHOLE_LIST, keep_all};
pub(crate) use strict_json::replace_half_characters;
pub(crate) use trigger_response::{execute, read_trigger_response};

/// A run's body, or its element in a list, after decompression.
pub(crate) const RUN_BODY: usize = 32 * 1024 * 1024;

/// What may stand around values in JSON: less than ASCII calls white space, and nothing else that Unicode does.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Reads an answer to "get one run". Pure, and total: any status, any bytes. A redirect, and whether a 401 or 403 can be
/// replaced, are the client's business; here they are what they are without it.
pub fn read_run(status: u16, body: &[u8], target: &Target) -> Observation {
    if status != 200 {
        return failure::read(failure::of_status(Operation::GetRun, status, body));
    }
    match record(body, target) {
        Ok(record) => Observation::Record(record),
        Err(fault) => failure::read(fault.during(Operation::GetRun)),
    }
}

/// Reads an answer to "list runs" that comes in these pieces: as `read_run`, any status and any bytes.
pub fn read_list<'a>(
    status: u16,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    pipeline: &PipelineId,
) -> Observation<RunList> {
    let mut listing = RunList::default();
    let mut keep = keep_all(&mut listing);
    let mut list = RunListReader::new(pipeline, WHOLE_LIST, &mut keep);
    let read = match pieces.into_iter().try_for_each(|piece| list.push(piece)) {
        Ok(()) => list.finish(status, &[], PageInfo::default()).and_then(Completeness::whole),
        Err(fault) => Err(fault.during(Operation::List)),
    };
    drop(keep);
    read.map_or_else(failure::read, |()| Observation::Record(listing))
}

/// What is read of an object: a run, a pipeline, or the wrapper around either. Whatever is not named is ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
struct JsonFields<'a> {
    #[serde(borrow, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    pipeline_run_id: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    pipeline_id: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    last_status: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    created_at: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    updated_at: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    trace: Option<&'a RawValue>,
    /// A pipeline's.
    #[serde(borrow, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    cron: Option<&'a RawValue>,
    /// The wrapper's.
    #[serde(borrow, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    /// In the wrapper whether all is well; a pipeline's own state.
    #[serde(borrow, deserialize_with = "present")]
    status: Option<&'a RawValue>,
    /// What only an answer that is no success says, in a wrapper (docs/maestro-api.md#error-bodies).
    #[serde(borrow, deserialize_with = "present")]
    success: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present", rename = "statusCode")]
    status_code: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    error: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    errors: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    exception_type: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    traceback: Option<&'a RawValue>,
}

impl JsonFields<'_> {
    /// Why a wrapper may not be believed. Its `status` is documented as `true`; the words are those that other services use.
    fn wrapper_error(&self) -> Option<&'static str> {
        let says = |field: Option<&RawValue>, good: &dyn Fn(&str) -> bool| {
            field.is_none_or(|raw| raw.get() == "null" || good(&raw.get().to_ascii_lowercase()))
        };
        let is_yes = |text: &str| matches!(text, "true" | "\"true\"" | "\"ok\"" | "\"success\"");
        let is_2xx = |text: &str| text.parse::<u16>().is_ok_and(|code| (200..300).contains(&code));
        let is_nothing = |text: &str| matches!(text, "false" | "\"\"" | "[]" | "{}");
        let errors = [self.error, self.errors, self.exception_type, self.traceback];
        if !says(self.status, &is_yes) {
            Some("its status is not true")
        } else if !says(self.success, &is_yes) {
            Some("its success is not true")
        } else if !says(self.status_code, &is_2xx) {
            Some("its statusCode is an error")
        } else if !errors.into_iter().all(|error| says(error, &is_nothing)) {
            Some("it reports an error beside its data")
        } else {
            None
        }
    }
}

/// Keeps `null` apart from a missing key.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// A body that is one strict JSON document, without the blanks around it.
fn text_of(body: &[u8]) -> Result<&str, RequestError> {
    let error = |kind| RequestError { kind, detail: error_message(body) };
    let text = str::from_utf8(body).map_err(|_| error(FailureKind::NotJson))?.trim_matches(BLANKS);
    if text.is_empty() {
        return Err(RequestError::new(FailureKind::NoRecord));
    }
    match strict_json::check(text) {
        Ok(()) => Ok(text),
        Err(strict_json::Flaw::NotJson) => Err(error(FailureKind::NotJson)),
        Err(strict_json::Flaw::DuplicateKey) => Err(error(FailureKind::NotARecord("duplicate key"))),
    }
}

fn record(body: &[u8], target: &Target) -> Result<Record, RequestError> {
    let fault = match text_of(body) {
        Ok(text) => return read_text(text, body, target),
        Err(fault) => fault,
    };
    if fault.kind != FailureKind::NotJson {
        return Err(fault);
    }
    match json_repair::repair(body) {
        Ok((text, repaired)) => match read_text(text.trim_matches(BLANKS), body, target) {
            Ok(record) => Ok(Record { repaired, ..record }),
            // Only what was said without a fault can say that there is no such run.
            Err(RequestError { kind: FailureKind::NoRecord, .. }) => Err(fault),
            Err(other) => Err(other),
        },
        Err(strict_json::Flaw::DuplicateKey) => {
            Err(RequestError { kind: FailureKind::NotARecord("duplicate key"), ..fault })
        }
        Err(strict_json::Flaw::NotJson) => Err(fault),
    }
}

/// Reads one document without blanks around it; `body` is how it came, for the person.
fn read_text(document: &str, body: &[u8], target: &Target) -> Result<Record, RequestError> {
    let not_json = || RequestError { kind: FailureKind::NotJson, detail: error_message(body) };
    let not_a_record = |what| RequestError { kind: FailureKind::NotARecord(what), detail: error_message(body) };
    match shape(document) {
        Shape::Null | Shape::EmptyObject => return Err(RequestError::new(FailureKind::NoRecord)),
        Shape::Object => {}
        Shape::Other => return Err(not_a_record("not an object")),
    }
    let outer = object(document).ok_or_else(not_json)?;
    let is_bare = outer.pipeline_run_id.is_some() || outer.pipeline_id.is_some() || outer.last_status.is_some();
    let Some(inner) = outer.data else {
        return run(&outer, target).map_err(|fault| with_message(fault, body));
    };
    match shape(inner.get()) {
        Shape::EmptyObject | Shape::Object if is_bare => Err(not_a_record("both bare and under data")),
        // A field of the run's own, which no decision needs.
        Shape::Null | Shape::Other if is_bare => run(&outer, target).map_err(|fault| with_message(fault, body)),
        Shape::Null => Err(RequestError::new(FailureKind::NoRecord)),
        Shape::Object => match outer.wrapper_error() {
            Some(why) => Err(not_a_record(why)),
            None => run(&object(inner.get()).ok_or_else(not_json)?, target).map_err(|fault| with_message(fault, body)),
        },
        Shape::EmptyObject | Shape::Other => Err(not_a_record("data is not a run")),
    }
}

fn object(json: &str) -> Option<JsonFields<'_>> {
    serde_json::from_str(json).ok()
}

/// A record of the right run, or what is wrong with it.
fn run(fields: &JsonFields<'_>, target: &Target) -> Result<Record, RequestError> {
    let not_a_record = |what| RequestError::new(FailureKind::NotARecord(what));
    let id = |raw: Option<&RawValue>, what| {
        raw.and_then(string).filter(|id| !id.is_empty()).ok_or_else(|| not_a_record(what))
    };
    let run_id = id(fields.pipeline_run_id, "no pipeline_run_id")?;
    let pipeline_id = id(fields.pipeline_id, "no pipeline_id")?;
    let database_id = fields.id.and_then(|raw| serde_json::from_str(raw.get()).ok());
    if !target.pipeline.is(&pipeline_id) || !target.run.is(&run_id, database_id) {
        let answered = bounded(&format!("pipeline {pipeline_id}, run {run_id}"));
        return Err(RequestError { kind: FailureKind::AnotherRun, detail: Some(answered) });
    }
    let status = match fields.last_status {
        None => String::new(),
        Some(raw) if raw.get() == "null" => String::new(),
        Some(raw) => string(raw).ok_or_else(|| not_a_record("last_status is not a string"))?,
    };
    let stamp = |raw: Option<&RawValue>| raw.and_then(string).and_then(|text| timestamp::read(&text));
    // The trace decides nothing: one of another type is shown as its JSON text.
    let trace = fields.trace.filter(|raw| raw.get() != "null");
    let trace = trace.map(|raw| strict_json::unescape(raw.get())).filter(|text| !text.is_empty());
    Ok(Record {
        pipeline_id: Untrusted::new(pipeline_id),
        run_id: Untrusted::new(run_id),
        status: Untrusted::new(status),
        created_at: stamp(fields.created_at),
        updated_at: stamp(fields.updated_at),
        trace: trace.map(Untrusted::new),
        repaired: Vec::new(),
    })
}

/// What the body says for itself, where the fault has nothing to say.
fn with_message(fault: RequestError, body: &[u8]) -> RequestError {
    RequestError { detail: fault.detail.or_else(|| error_message(body)), ..fault }
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

enum Shape {
    Null,
    EmptyObject,
    Object,
    Other,
}

/// By the first byte: the text is valid JSON without outer blanks.
fn shape(json: &str) -> Shape {
    match json.as_bytes() {
        b"null" => Shape::Null,
        [b'{', inside @ .., b'}'] if inside.iter().all(u8::is_ascii_whitespace) => Shape::EmptyObject,
        [b'{', ..] => Shape::Object,
        _ => Shape::Other,
    }
}

/// The body of a sign-in (docs/maestro-api.md#sign-in: the key is `username`, `totp` is null without MFA).
#[derive(Serialize)]
struct SignIn<'a> {
    username: &'a str,
    password: &'a str,
    totp: Option<&'a str>,
}

pub(crate) fn sign_in(username: &str, password: &SecretString, totp: Option<&SecretString>) -> Vec<u8> {
    serde_json::to_vec(&SignIn {
        username,
        password: password.expose_secret(),
        totp: totp.map(SecretString::expose_secret),
    })
    .expect("a struct of strings is always JSON")
}

/// What a sign-in gave: the token to use, and every token in the answer, for the redactor.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    pub(crate) all: Vec<SecretString>,
}

/// Reads the answer to a sign-in: 200, or 201 as its framework answers a POST by default. A JSON object without a token
/// is how the service says that MFA is missing or was refused.
pub(crate) fn read_sign_in(status: u16, body: &[u8]) -> Result<Tokens, RequestError> {
    if !matches!(status, 200 | 201) {
        let failure = failure::of_status(Operation::SignIn, status, body);
        return Err(RequestError { kind: failure.kind, detail: failure.detail });
    }
    // No detail: this body may hold tokens that nobody knows yet.
    let json: serde_json::Value = serde_json::from_slice(body).map_err(|_| RequestError::new(FailureKind::NotJson))?;
    let Some(answer) = json.as_object() else {
        return Err(RequestError::new(FailureKind::NotARecord("not an object")));
    };
    let nested = answer.get("tokens").and_then(serde_json::Value::as_object);
    let token = |name: &str| {
        [nested, Some(answer)].into_iter().flatten().find_map(|object| AccessToken::new(object.get(name)?.as_str()?))
    };
    let Some(access) = token("accessToken") else {
        let status = answer.get("mfaStatus").and_then(serde_json::Value::as_str);
        let detail = status.map(|status| bounded(&format!("mfaStatus: {status}")));
        return Err(RequestError { kind: FailureKind::NoToken, detail });
    };
    let mut all: Vec<SecretString> = nested
        .into_iter()
        .flat_map(|tokens| tokens.values())
        .chain(["accessToken", "idToken", "refreshToken"].into_iter().filter_map(|name| answer.get(name)))
        .filter_map(|value| value.as_str())
        .filter(|token| !token.is_empty())
        .map(SecretString::from)
        .collect();
    all.push(access.secret());
    Ok(Tokens { access, all })
}

#[cfg(test)]
mod tests;
