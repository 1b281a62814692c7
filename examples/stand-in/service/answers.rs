//! What the service says when nothing was ordered: the endpoints as the API reference and recorded answers have them.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::http::Request;
use super::runs::{Executed, Runs, same_id};
use super::scenario::{Absent, On};
use super::time::ServiceClock;
use super::tokens::{Access, Session};

/// An answer before it is written.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    /// The body if it is JSON, else `text` is.
    pub json: Option<Value>,
    pub text: String,
}

impl Answer {
    pub fn json(status: u16, body: Value) -> Answer {
        Answer { status, content_type: "application/json; charset=utf-8", json: Some(body), text: String::new() }
    }

    pub fn text(status: u16, text: &str) -> Answer {
        Answer { status, content_type: "text/plain; charset=utf-8", json: None, text: text.to_owned() }
    }
}

/// Which endpoint a request is for, and the ids in its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub on: On,
    pub pipeline_id: String,
    pub run_id: String,
}

impl Route {
    pub fn of(request: &Request, prefix: &str) -> Route {
        let route = |on, pipeline_id: &str, run_id: &str| Route {
            on,
            pipeline_id: pipeline_id.to_owned(),
            run_id: run_id.to_owned(),
        };
        if request.method == "CONNECT" {
            return route(On::Connect, "", "");
        }
        let path = request.path().strip_prefix(prefix).unwrap_or_default();
        // Split first, decode then: an encoded slash is part of an id.
        let segments: Vec<String> =
            path.split('/').skip(1).map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["auth", "sign-in"]) => route(On::SignIn, "", ""),
            ("POST", ["platform", "pipeline", "execute"]) => route(On::Execute, "", ""),
            ("GET", ["platform", "pipelines"]) => route(On::Pipelines, "", ""),
            ("GET", ["platform", "pipeline", "pipeline_run", run, "logs"]) => route(On::Logs, "", run),
            ("GET", ["platform", "pipeline", pipeline]) => route(On::Pipeline, pipeline, ""),
            ("GET", ["platform", "pipeline", pipeline, "pipeline_run"]) => route(On::Runs, pipeline, ""),
            ("GET", ["platform", "pipeline", pipeline, "pipeline_run", run]) => route(On::Run, pipeline, run),
            _ => route(On::Other, "", ""),
        }
    }
}

/// What the service says by itself.
pub fn normal(
    request: &Request,
    route: &Route,
    session: &mut Session,
    runs: &mut Runs,
    absent: Absent,
    clock: &ServiceClock,
) -> Answer {
    // The service speaks Portuguese unless asked not to.
    let english = request.header("dadosfera-lang").is_some_and(|lang| lang.eq_ignore_ascii_case("en-us"));
    match route.on {
        On::SignIn => return session.sign_in(&request.body, english, clock),
        On::Connect | On::Other | On::Any => return cannot(request),
        On::Run | On::Runs | On::Logs | On::Execute | On::Pipeline | On::Pipelines => {}
    }
    let started = serde_json::from_slice::<Value>(&request.body).ok().and_then(|body| body.get("pipeline_id").cloned());
    let asked = match (&route.on, &started) {
        (On::Execute, Some(Value::String(id))) => id.as_str(),
        _ => route.pipeline_id.as_str(),
    };
    match session.access(request.header("authorization"), clock) {
        Access::Refused => return Answer::json(401, json!({"msg": "Unauthorized"})),
        Access::Only(allowed) if !asked.is_empty() && !allowed.iter().any(|id| same_id(id, asked)) => {
            return forbidden(english);
        }
        Access::Only(_) | Access::Everything => {}
    }
    match route.on {
        On::Run => runs.look(asked, &route.run_id).map_or_else(|| nothing(absent), |record| Answer::json(200, record)),
        On::Runs => Answer::json(200, runs.list(asked)),
        On::Logs => match runs.logs(&route.run_id) {
            Some(Value::String(text)) => Answer::text(200, &text),
            Some(other) => Answer::json(200, other),
            None => Answer::json(404, json!({"detail": format!("logs of {} not found", route.run_id)})),
        },
        On::Execute if asked.is_empty() => Answer::json(400, json!({"detail": "pipeline_id is required"})),
        On::Execute => match runs.execute(asked) {
            Executed::Started { pipeline_id, run_id } => {
                let data =
                    json!({"message": "Pipeline execution triggered", "pipeline_id": pipeline_id, "run_id": run_id});
                Answer::json(200, json!({"status": true, "data": data}))
            }
            Executed::NotFound => inner(404, "PipelineNotFound", &format!("Pipeline {asked} not found")),
            Executed::Paused => inner(400, "PipelinePaused", &format!("Pipeline {asked} is paused")),
        },
        On::Pipeline => match runs.pipeline(asked) {
            Some(data) => Answer::json(200, json!({"status": true, "data": data})),
            None => Answer::json(404, json!({"detail": format!("pipeline_id {asked} not found")})),
        },
        On::Pipelines => Answer::json(200, runs.all()),
        On::SignIn | On::Connect | On::Other | On::Any => cannot(request),
    }
}

/// What the gateway says about a path it does not have.
fn cannot(request: &Request) -> Answer {
    let message = format!("Cannot {} {}", request.method, request.target);
    Answer::json(404, json!({"statusCode": 404, "message": message, "error": "Not Found"}))
}

/// The refusal as recorded. Its words read like a 401's: only the status tells.
fn forbidden(english: bool) -> Answer {
    let (message, error) = match english {
        true => ("You do not have enough permissions to access this resource.", "Unauthorized"),
        false => ("Você não tem permissões suficientes para acessar este recurso.", "Não autorizado"),
    };
    Answer::json(403, json!({"statusCode": 403, "message": message, "error": error, "code": "AUTH.FORBIDDEN"}))
}

/// An error of the API behind the gateway.
fn inner(status: u16, exception: &str, traceback: &str) -> Answer {
    let detail = json!({"status": false, "exception_type": exception, "traceback": traceback, "data": null});
    Answer::json(status, json!({"detail": detail}))
}

fn nothing(absent: Absent) -> Answer {
    match absent {
        Absent::Null => Answer::json(200, Value::Null),
        Absent::Empty => Answer::text(200, ""),
        Absent::Object => Answer::json(200, json!({})),
        Absent::NotFound => Answer::json(404, json!({"statusCode": 404, "message": "Not Found"})),
    }
}
