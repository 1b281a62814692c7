//! The JSON Schemas of the JSON report and the JSON log: every report of every story satisfies them, and has no key that they
//! do not list.

use std::sync::LazyLock;

use maestro_gate::report::{json, text};
use serde_json::Value;

use crate::fixture;

static REPORT: LazyLock<Value> = LazyLock::new(|| parse(include_str!("../../docs/schema/report-1.schema.json")));
static LOG: LazyLock<Value> = LazyLock::new(|| parse(include_str!("../../docs/schema/log-1.schema.json")));

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// What is wrong with the JSON report.
pub fn report_faults(report: &Value) -> Vec<String> {
    faults(&REPORT, &REPORT, report, "report")
}

/// What is wrong with a line of the JSON log.
pub fn log_faults(line: &Value) -> Vec<String> {
    faults(&LOG, &LOG, line, "line")
}

/// The keywords that the two schemas use; any other would not be checked.
const KEYWORDS: [&str; 14] = [
    "$schema",
    "title",
    "description",
    "$defs",
    "$ref",
    "type",
    "required",
    "properties",
    "items",
    "enum",
    "const",
    "minimum",
    "format",
    "oneOf",
];

fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = schema.as_object().expect("a schema is an object");
    for keyword in schema.keys() {
        assert!(KEYWORDS.contains(&keyword.as_str()), "{keyword} is not checked");
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = name.strip_prefix('#').expect("within the file");
        return faults(root, root.pointer(pointer).expect("it is there"), value, at);
    }
    if let Some(options) = schema.get("oneOf").and_then(Value::as_array) {
        let all: Vec<Vec<String>> = options.iter().map(|option| faults(root, option, value, at)).collect();
        return match all.iter().filter(|faults| faults.is_empty()).count() {
            1 => Vec::new(),
            count => [vec![format!("{at} fits {count} of the options")], all.concat()].concat(),
        };
    }
    let mut found = Vec::new();
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allows =
        |kinds: &Value| kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind));
    if schema.get("type").is_some_and(|kinds| !allows(kinds)) {
        found.push(format!("{at} is {kind}"));
    }
    if schema.get("const").is_some_and(|expected| expected != value) {
        found.push(format!("{at} is {value}"));
    }
    if schema.get("enum").and_then(Value::as_array).is_some_and(|all| !all.contains(value)) {
        found.push(format!("{at} is {value}"));
    }
    if let (Some(least), Some(number)) = (schema.get("minimum").and_then(Value::as_i64), value.as_i64())
        && number < least
    {
        found.push(format!("{at} is {number}"));
    }
    if let Some(items) = value.as_array() {
        let schema = schema.get("items").expect("arrays say what is in them");
        found.extend(items.iter().enumerate().flat_map(|(n, item)| faults(root, schema, item, &format!("{at}[{n}]"))));
    }
    if let Some(object) = value.as_object() {
        let properties = schema["properties"].as_object().expect("objects list their keys");
        for name in schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str) {
            assert!(properties.contains_key(name), "{name} is required and not described");
            if !object.contains_key(name) {
                found.push(format!("{at} has no {name}"));
            }
        }
        for (name, value) in object {
            match properties.get(name) {
                Some(schema) => found.extend(faults(root, schema, value, &format!("{at}.{name}"))),
                None => found.push(format!("{at} has {name}, which the schema does not list")),
            }
        }
    }
    found
}

#[test]
fn every_json_report_and_log_satisfies_its_schema() {
    for (name, report) in fixture::all() {
        let file = parse(&json::render(&report).concat());
        assert_eq!(report_faults(&file), [""; 0], "{name}");
        let log: String = report.notes.iter().map(text::note_json).chain([text::closing_json(&report)]).collect();
        for line in log.lines() {
            assert_eq!(log_faults(&parse(line)), [""; 0], "{name}: {line}");
        }
        assert_eq!(log_faults(&parse(&text::bug_json(report.verdict, "src/x.rs:1:1"))), [""; 0]);
    }
}

#[test]
fn the_schemas_refuse_what_is_wrong() {
    let report = parse(&json::render(&fixture::failed()).concat());
    for (pointer, value) in [
        ("/schema", Value::from(2)),
        ("/verdict", "green".into()),
        ("/exit_code", "1".into()),
        ("/runs/0/verdict", Value::Null),
        ("/runs/0/history/earlier_runs", (-1).into()),
        ("/notes/0/level", "debug".into()),
        ("/pipelines/0/last/0/passed", Value::Null),
        ("/connection", Value::Null),
    ] {
        let mut wrong = report.clone();
        *wrong.pointer_mut(pointer).expect("it is there") = value;
        assert_eq!(report_faults(&wrong).len(), 1, "{pointer}: {:?}", report_faults(&wrong));
    }
    let mut wrong = report.clone();
    wrong.as_object_mut().expect("an object").remove("polls");
    assert_eq!(report_faults(&wrong), ["report has no polls"]);
    let mut wrong = report;
    wrong["further"] = Value::Null;
    assert_eq!(report_faults(&wrong).len(), 1);
    assert!(!log_faults(&serde_json::json!({"event": "noise"})).is_empty());
}
