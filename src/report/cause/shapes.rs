//! What a line looks like that names an error, whatever its level.

/// A kind of line that may be the cause; the first kind of which there is one is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Candidate {
    /// `Database Error in model orders (models/orders.sql)`; the next line says what.
    Dbt,
    Exception,
    /// An error by its level or its words: `fatal: ...`, or a process that was killed.
    ErrorLine,
    /// An exception that was only a warning.
    Warned,
    FirstLine,
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

/// The error that a line names, without what stands before it: `java.net.ConnectException: Connection refused`.
pub(super) fn error_in(text: &str, column: usize) -> Option<(Candidate, &str)> {
    if is_dbt(text) {
        Some((Candidate::Dbt, text))
    } else if column <= INDENT
        && let Some(exception) = exception(text)
    {
        Some((Candidate::Exception, exception))
    } else {
        is_error(text).then_some((Candidate::ErrorLine, text))
    }
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
    is_path(text.split(':').next().unwrap_or_default())
}

fn is_path(name: &str) -> bool {
    let known = |c: char| c.is_alphanumeric() || "_.$<>".contains(c);
    name.starts_with(|c: char| c.is_alphabetic() || c == '_') && name.chars().all(known)
}

/// The exception in a line, by its name or by what stands before it.
fn exception(text: &str) -> Option<&str> {
    let text = inner_failure(text.strip_prefix(": ").unwrap_or(text));
    let in_thread = || Some(text.strip_prefix("Exception in thread \"")?.split_once("\" ")?.1);
    let marked = text.strip_prefix("Caused by: ").or_else(in_thread);
    let rest = marked.unwrap_or(text);
    let (name, message) = rest.split_at(rest.find([':', ' ']).unwrap_or(rest.len()));
    let last = name.rsplit(['.', '$']).next().unwrap_or(name);
    let is_alone = message.is_empty() && name.contains('.');
    let is_named = ENDINGS.iter().any(|ending| last.ends_with(ending)) && (message.starts_with(':') || is_alone);
    (is_path(name) && (marked.is_some() || is_named || last == "ExecutorLostFailure")).then_some(rest)
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
pub(super) fn is_frame(text: &str) -> bool {
    let text = text.trim_start_matches("> ");
    let is_place = text.ends_with(')') || text.contains(':') && text.ends_with(|c: char| c.is_ascii_digit());
    text.starts_with("File \"") && text.contains(", line ") || text.starts_with("at ") && is_place
}
