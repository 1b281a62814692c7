//! Writes JSON with its keys in the order of the API reference, so that an answer can be held against the documented one
//! byte by byte.

use serde_json::Value;

/// Keys in the order in which the reference's examples show them; the same for all of them. Unknown keys come last, sorted.
const ORDER: [&str; 38] = [
    "permissions",
    "tokens",
    "idToken",
    "accessToken",
    "refreshToken",
    "mfaStatus",
    "termsOfUse",
    "user",
    "customer",
    "statusCode",
    "message",
    "msg",
    "error",
    "code",
    "id",
    "pipeline_run_id",
    "pipeline_id",
    "run_id",
    "name",
    "description",
    "cron",
    "customer_id",
    "last_status",
    "status",
    "exception_type",
    "traceback",
    "created_at",
    "updated_at",
    "trace",
    "jobs",
    "job_id",
    "job_name",
    "job_status",
    "input",
    "output",
    "data",
    "detail",
    "details",
];

pub fn documented(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort_by_key(|key| (ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()), *key));
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(&object[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}
