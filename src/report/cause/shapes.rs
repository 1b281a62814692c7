//! What a line looks like that names an error, whatever its level.

/// The shapes that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineShape<'t> {
    /// `java.net.ConnectException: Connection refused`, without what stands before it.
    Exception(&'t str),
    /// `Database Error in model orders (models/orders.sql)`; the next line says what.
    Dbt,
    /// An error by its words: `fatal: ...`, or a process that was killed.
    Error,
    /// A place in the code.
    Frame,
}

/// How an exception's own name ends.
const ENDINGS: [&str; 6] = ["Error", "Exception", "Failure", "Fault", "Interrupt", "Exit"];

/// The kinds of error of dbt: `Database Error`, `Compilation Error`.
const DBT: [&str; 9] =
    ["Compilation", "Contract", "Database", "Dependency", "Internal", "Parsing", "Runtime", "Semantic", "Validation"];

/// How a line begins that is an error by its words.
const ERRORS: [&str; 11] = [
    "Error in ",
    "ORA-",
    "error: ",
    "Fatal error: ",
    "Fatal Python error: ",
    "fatal: ",
    "panic: ",
    "thread 'main' panicked at ",
    "OOMKilled",
    "Segmentation fault",
    "command terminated with exit code ",
];

/// What only an error has in its middle: bash and psql.
const PARTS: [&str; 3] = [" Killed  ", ": command not found", ": ERROR:  "];

/// How far a line that names an error may be indented: dbt indents by two. What Java suppressed is behind a tab.
const INDENT: usize = 2;

pub(super) fn shape(text: &str, column: usize) -> Option<LineShape<'_>> {
    if is_frame(text) {
        return Some(LineShape::Frame);
    }
    if is_dbt(text) {
        return Some(LineShape::Dbt);
    }
    if column <= INDENT
        && let Some(exception) = exception(text)
    {
        return Some(LineShape::Exception(exception));
    }
    is_error(text).then_some(LineShape::Error)
}

/// Whether the line stops in the middle of a message: at a colon, or where Snowflake breaks the line (`error line 1 at position
/// 7`).
pub(super) fn is_unfinished(text: &str) -> bool {
    let is_position =
        |(_, number): (&str, &str)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    text.ends_with(':') || text.rsplit_once(" at position ").is_some_and(is_position)
}

/// Whether it is a word for nothing.
pub(super) fn says_nothing(text: &str) -> bool {
    ["null", "none", "undefined", "nan", "n/a"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether the text begins with the name of a type, alone or before a colon: the last line of a traceback.
pub(super) fn names_a_type(text: &str) -> bool {
    let name = text.split_once(':').map_or(text, |(name, _)| name);
    is_path(name)
}

fn is_path(name: &str) -> bool {
    let known = |c: char| c.is_alphanumeric() || "_.$<>".contains(c);
    name.starts_with(|c: char| c.is_alphabetic() || c == '_') && name.chars().all(known)
}

/// The exception in a line, by its name or by what stands before it.
fn exception(text: &str) -> Option<&str> {
    let text = inner_failure(text.strip_prefix(": ").unwrap_or(text));
    let in_thread = text.strip_prefix("Exception in thread \"").and_then(|rest| rest.split_once("\" "));
    let (rest, is_marked) = match (text.strip_prefix("Caused by: "), in_thread) {
        (Some(rest), _) | (None, Some((_, rest))) => (rest, true),
        (None, None) => (text, false),
    };
    let (name, has_message) = match rest.find([':', ' ']) {
        Some(at) => (&rest[..at], rest[at..].starts_with(':')),
        None => (rest, false),
    };
    let last = name.rsplit(['.', '$']).next().unwrap_or(name);
    let is_named = ENDINGS.iter().any(|ending| last.ends_with(ending));
    let is_alone = rest.len() == name.len() && name.contains('.');
    let is_spark_s = last == "ExecutorLostFailure";
    (is_path(name) && (is_marked || is_named && (has_message || is_alone) || is_spark_s)).then_some(rest)
}

/// What Spark says of a task at the end of a long sentence: `..., most recent failure: Lost task 0.3 in stage 1.0 (TID 7)
/// (10.0.0.5 executor 1): java.lang.OutOfMemoryError: Java heap space`.
fn inner_failure(text: &str) -> &str {
    let task = text.split_once("most recent failure: ").map(|(_, task)| task);
    task.and_then(|task| task.split_once("): "))
        .map(|(_, failure)| failure)
        .filter(|inner| !inner.is_empty())
        .unwrap_or(text)
}

fn is_dbt(text: &str) -> bool {
    let kind = text.split_once(" Error").filter(|(_, rest)| rest.is_empty() || rest.starts_with(" in "));
    kind.is_some_and(|(kind, _)| DBT.contains(&kind)) || text.starts_with("Failure in test ")
}

/// `Killed` is what a shell says of a process that ran out of memory; bash adds the command behind blanks.
fn is_error(text: &str) -> bool {
    ERRORS.iter().any(|beginning| text.starts_with(beginning))
        || PARTS.iter().any(|part| text.contains(part))
        || text == "Killed"
}

/// A line of a stack between a header and an exception: Python's (loguru marks one with `>`), Java's, JavaScript's.
fn is_frame(text: &str) -> bool {
    let text = text.trim_start_matches("> ");
    let is_place = text.ends_with(')') || text.contains(':') && text.ends_with(|c: char| c.is_ascii_digit());
    text.starts_with("File \"") && text.contains(", line ") || text.starts_with("at ") && is_place
}
