//! The body of an answer about one run, and what the reference says it means.

use super::dice::Dice;

pub(super) const PIPELINE: &str = "1b33ad2f-33d3-4837-9EEB-83c82c8b909d";
pub(super) const RUN: &str = "e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c";
const OTHER: &str = "f9d8e7c6_b5a4_3928_1c0d_6e5f4a3b2c1d";

/// What a whole body says, by the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Succeeded,
    Failed,
    /// Waits: running, unknown or no status.
    GoesOn,
    NotVisible,
    Nothing,
}

pub(super) struct Document {
    pub(super) body: Vec<u8>,
    pub(super) says: Says,
    pub(super) what: &'static str,
}

/// Beside the documented words: `DONE` is the user's for success, `BROKEN` for failure.
const SUCCEEDED: [&str; 7] = ["SUCCESS", "SUCCESS", "success", " SUCCESS", "Success\t", "\n SUCCESS\r\n", "done"];
const FAILED: [&str; 14] = [
    "FAILED",
    "failed",
    " FAILED ",
    "BROKEN",
    "CANCELED",
    "CANCELLED",
    "ABORTED",
    "ERROR",
    "KILLED",
    "STOPPED",
    "SKIPPED",
    "TIMED_OUT",
    "UPSTREAM_FAILED",
    "DELETED",
];
const GOES_ON: [&str; 30] = [
    "RUNNING",
    "running ",
    "QUEUED",
    "PENDING",
    "UP_FOR_RETRY",
    "",
    " ",
    "HIBERNATING",
    "SUCCESSFUL",
    "SUCCEEDED",
    "SUCCES",
    "OK",
    "S UCCESS",
    "SUCCESS!",
    "SUCCESS,",
    "SUCCESS\0",
    "\u{1}SUCCESS",
    "SUCCESS\u{b}",
    "SUCCESS\u{85}",
    "SUCCESS\u{a0}",
    "\u{3000}SUCCESS",
    "SUCCESS\u{3000}",
    "\u{2028}SUCCESS",
    "SUCCESS\u{2003} ",
    "SUCCESS\u{200b}",
    "\u{feff}SUCCESS",
    "DONE\u{a0}",
    "\u{17f}UCCESS",
    "\u{421}UCCESS",
    "SUCCESS\u{fffd}",
];

fn word(dice: &mut Dice) -> (&'static str, Says) {
    match dice.within(0..10) {
        0..4 => (dice.of(&SUCCEEDED), Says::Succeeded),
        4..7 => (dice.of(&FAILED), Says::Failed),
        _ => (dice.of(&GOES_ON), Says::GoesOn),
    }
}

/// As JSON; at times every character escaped.
fn quoted(text: &str, dice: &mut Dice) -> String {
    if dice.one_in(8) {
        let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        return format!("\"{}\"", units.concat());
    }
    serde_json::to_string(text).expect("text is JSON")
}

fn spelt(id: &str, dice: &mut Dice) -> String {
    match dice.within(0..4) {
        0 => id.replace('_', "-"),
        1 => id.replace('-', "_").to_uppercase(),
        2 => id.to_lowercase(),
        _ => id.to_owned(),
    }
}

type Fields = Vec<(&'static str, String)>;

fn object(fields: &Fields) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn fields(word: &str, dice: &mut Dice) -> Fields {
    let long = "x".repeat(dice.of(&[0, 10, 100, 3_000]));
    let trace =
        ["null".to_owned(), format!("\"{long}\\n\""), format!("[\"{long}\"]"), "{\"a\":1}".to_owned(), "0".to_owned()];
    let mut fields = vec![
        ("pipeline_run_id", quoted(&spelt(RUN, dice), dice)),
        ("pipeline_id", quoted(&spelt(PIPELINE, dice), dice)),
        ("last_status", quoted(word, dice)),
        ("trace", trace[dice.within(0..trace.len())].clone()),
    ];
    for (name, values) in [
        ("id", ["45", "\"45\"", "null", "4.5"]),
        ("created_at", ["\"2024-01-15T10:30:00.000Z\"", "null", "\"now\"", "[]"]),
        ("updated_at", ["\"2024-01-15T10:45:23Z\"", "7", "\"\"", "{}"]),
        ("status", ["false", "\"FAILED\"", "true", "null"]),
        ("state", ["\"SUCCESS\"", "\"FAILED\"", "[{}]", "1e300"]),
        ("x", ["{\"last_status\":\"FAILED\"}", "\"\\ud83d\\ude00 é\u{3000}\"", "[[],{},\"}\"]", "-0.0"]),
    ] {
        if dice.one_in(2) {
            fields.push((name, dice.of(&values).to_owned()));
        }
    }
    dice.shuffle(&mut fields);
    fields
}

fn set(fields: &mut Fields, name: &'static str, value: &str) {
    match fields.iter_mut().find(|(found, _)| *found == name) {
        Some((_, found)) => *found = value.to_owned(),
        None => fields.push((name, value.to_owned())),
    }
}

pub(super) fn document(dice: &mut Dice) -> Document {
    let (word, says) = word(dice);
    let fields = fields(word, dice);
    match dice.within(0..10) {
        0..3 => Document { body: object(&fields).into_bytes(), says, what: "a record" },
        3 => wrapped(fields, says, dice),
        4 | 5 => changed(fields, says, dice),
        6 | 7 => repaired(fields, says, dice),
        8 => nothing(dice),
        _ => spoilt(&object(&fields), dice),
    }
}

/// What a wrapper says beside its data where all is well, and what it says of an error.
pub(super) const GOOD_WRAPPERS: [&str; 8] = [
    "",
    "\"status\":true,",
    "\"status\": null,",
    "\"status\":\"success\",\"message\":\"x\",",
    "\"status\":\"OK\",\"error\":null,",
    "\"error\":\"\",\"errors\":[],\"exception_type\":null,\"traceback\":null,",
    "\"statusCode\":200,\"detail\":\"x\",",
    "\"success\":true,\"x\":null,",
];
pub(super) const BAD_WRAPPERS: [&str; 14] = [
    "\"status\": false",
    "\"status\":\"false\"",
    "\"status\":\"error\"",
    "\"status\":\"FAILED\"",
    "\"status\":[]",
    "\"status\":0",
    "\"status\":1",
    "\"status\":{}",
    "\"success\":false",
    "\"statusCode\":403,\"message\":\"x\"",
    "\"error\":\"Database connection error\",\"msg\":\"x\"",
    "\"errors\":[{\"msg\":\"x\"}]",
    "\"status\":true,\"exception_type\":\"PipelineNotFound\"",
    "\"traceback\":\"x\",\"statusCode\":200",
];

fn wrapped(mut fields: Fields, says: Says, dice: &mut Dice) -> Document {
    let run = object(&fields);
    let made = |body: String, says, what| Document { body: body.into_bytes(), says, what };
    match dice.within(0..8) {
        0 | 1 => {
            let good = dice.of(&GOOD_WRAPPERS);
            made(format!("{{{good}\"data\":{run}}}"), says, "a record under data")
        }
        2 => {
            let bad = dice.of(&BAD_WRAPPERS);
            let body =
                if dice.one_in(2) { format!("{{{bad},\"data\":{run}}}") } else { format!("{{\"data\":{run},{bad}}}") };
            made(body, Says::Nothing, "a wrapper that says no")
        }
        3 => {
            let data = dice.of(&["null", "[]", "\"x\"", "0", "true", "[{\"last_status\":\"FAILED\"}]"]);
            fields.insert(dice.within(0..fields.len() + 1), ("data", data.to_owned()));
            made(object(&fields), says, "a record with a field data")
        }
        4 => {
            let data = dice.of(&["{}", "{\"a\":1}", "{\"last_status\":\"FAILED\"}"]).to_owned();
            fields.push(("data", if dice.one_in(2) { data } else { run }));
            made(object(&fields), Says::Nothing, "both bare and under data")
        }
        5 => made(format!("{{\"data\":{{\"data\":{run}}}}}"), Says::Nothing, "twice under data"),
        6 => made(format!("[{run}]"), Says::Nothing, "a record in a list"),
        _ => made(format!("{{\"data\":[{run}]}}"), Says::Nothing, "a list under data"),
    }
}

/// One field is another one.
fn changed(mut fields: Fields, says: Says, dice: &mut Dice) -> Document {
    let odd_id = |id: &str, dice: &mut Dice| {
        let odd = [
            quoted(OTHER, dice),
            "null".to_owned(),
            "45".to_owned(),
            "\"\"".to_owned(),
            format!("[\"{id}\"]"),
            format!("\"{id} \""),
            format!("\"\u{3000}{id}\""),
            format!("\"{id}\\u0000\""),
            format!("\"{}\"", &id[1..]),
        ];
        odd[dice.within(0..odd.len())].clone()
    };
    let (says, what) = match dice.within(0..7) {
        0 => {
            let id = odd_id(RUN, dice);
            set(&mut fields, "pipeline_run_id", &id);
            (Says::Nothing, "another run")
        }
        1 => {
            let id = odd_id(PIPELINE, dice);
            set(&mut fields, "pipeline_id", &id);
            (Says::Nothing, "another pipeline")
        }
        2 => {
            let name = dice.of(&["pipeline_run_id", "pipeline_id"]);
            fields.retain(|(found, _)| *found != name);
            (Says::Nothing, "an id is missing")
        }
        3 => {
            let odd = dice.of(&["true", "1", "[\"SUCCESS\"]", "{\"a\":\"SUCCESS\"}", "{}", "0.5"]);
            set(&mut fields, "last_status", odd);
            (Says::Nothing, "a status that is no string")
        }
        4 => {
            fields.retain(|(found, _)| *found != "last_status");
            if dice.one_in(2) {
                fields.push(("last_status", "null".to_owned()));
            }
            (Says::GoesOn, "no status")
        }
        5 => {
            let twice = dice.of(&[
                ("last_status", "\"SUCCESS\""),
                ("last\\u005fstatus", "\"FAILED\""),
                ("trace", "null"),
                ("y", "[{\"a\":1,\"b\":2,\"a\":3}]"),
                ("y", "{\"\":{\"a\":null,\"\\u0061\":null}}"),
            ]);
            fields.insert(dice.within(0..fields.len() + 1), (twice.0, twice.1.to_owned()));
            (Says::Nothing, "a key that stands twice")
        }
        _ => (says, "blanks between"),
    };
    let mut body = object(&fields);
    if what == "blanks between" {
        body = format!(" \n{}\t\r\n", body.replacen(':', " :\n", 1).replacen(',', "\t, ", 1));
    }
    Document { body: body.into_bytes(), says, what }
}

/// Almost JSON: a status that would pass does not.
fn repaired(mut fields: Fields, says: Says, dice: &mut Dice) -> Document {
    let mark = "MARK";
    set(&mut fields, "z", "\"MARK\"");
    let deep = dice.within(130..400);
    let (what, value): (&str, Vec<u8>) = match dice.within(0..7) {
        0 => ("a byte order mark", mark.into()),
        1 => ("bad UTF-8", dice.of(&[b"\"caf\xe9\"".as_slice(), b"\"\xff\"", b"\"\xed\xa0\x80\"", b"\"\xc3\""]).into()),
        2 => ("a raw control character", dice.of(&["\"a\nb\"", "\"\t\"", "\"\0\"", "\"\\\\\r\""]).into()),
        3 => ("no number", dice.of(&["NaN", "[1,-Infinity]", "Infinity", "{\"a\":NaN}"]).into()),
        4 => ("half a character", dice.of(&["\"\\ud800\"", "\"\\udfff\\ud800x\"", "[\"\\uDBFF\\n\"]"]).into()),
        5 => ("a huge number", dice.of(&["1e400", "[-1.5E+999]", "{\"a\":[9e99999]}"]).into()),
        _ => (
            "deep nesting",
            format!("{}{}", "[{\"a\":".repeat(deep), "1")
                .into_bytes()
                .into_iter()
                .chain("}]".repeat(deep).into_bytes())
                .collect(),
        ),
    };
    let text = object(&fields);
    let (before, behind) = text.split_once("\"MARK\"").expect("it is there");
    let first: &[u8] = if what == "a byte order mark" { b"\xef\xbb\xbf" } else { b"" };
    let value = if first.is_empty() { value } else { b"1".to_vec() };
    let body = [first, before.as_bytes(), &value, behind.as_bytes()].concat();
    let says = if says == Says::Succeeded { Says::Nothing } else { says };
    Document { body, says, what }
}

fn nothing(dice: &mut Dice) -> Document {
    let none = ["", "null", " \r\n", "{}", "\tnull\n", "{ \n}", "{\"data\":null}", "{\"status\":true,\"data\":null}"];
    Document { body: dice.of(&none).into(), says: Says::NotVisible, what: "no record" }
}

/// No JSON at all, or not one document.
fn spoilt(record: &str, dice: &mut Dice) -> Document {
    let bare = record.trim_end_matches('}');
    let (body, what): (Vec<u8>, _) = match dice.within(0..9) {
        0 => {
            let behind = dice.of(&["x", "\0", "{}", "//", ",", "}", "null", "\u{3000}", "\u{feff}", "NaN"]);
            ([record, behind].concat().into(), "something behind it")
        }
        1 => ([record, record].concat().into(), "two records"),
        2 => {
            let before = dice.of(&[")]}',\n", "/**/", "callback(", "data: ", "\u{a0}", "\0", "\u{feff}\u{feff}", "x"]);
            ([before, record].concat().into(), "something before it")
        }
        3 => (record.as_bytes()[..dice.within(1..record.len())].into(), "a part of it"),
        4 => {
            let other = [
                "<html>502</html>",
                "OK",
                "true",
                "\"SUCCESS\"",
                "7",
                "[]",
                "NaN",
                "\u{3000}",
                "SUCCESS",
                "{\"data\":{}}",
                "{\"data\":1}",
            ];
            (dice.of(&other).into(), "something else")
        }
        5 => {
            let odd = [
                record.replace('"', "'"),
                format!("{bare},}}"),
                format!("{bare} /* */}}"),
                format!("{bare},y:1}}"),
                record.replacen(':', "=", 1),
            ];
            (odd[dice.within(0..odd.len())].clone().into(), "not quite JSON")
        }
        6 => (record.encode_utf16().flat_map(u16::to_le_bytes).collect(), "UTF-16"),
        7 => ([b"{\xff", &record.as_bytes()[1..]].concat(), "bad UTF-8 between"),
        _ => (format!("{bare},\"y\":\"").into(), "a string without an end"),
    };
    Document { body, says: Says::Nothing, what }
}
