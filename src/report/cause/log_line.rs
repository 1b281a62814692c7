//! One line of a log: its level, and its text behind time, level and the logger's name.

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warning,
    Error,
}

/// A line without what a logger puts before its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogLine<'t> {
    /// `None` if it names none: the line goes on from the one before, or is no logger's.
    pub level: Option<Level>,
    /// How far the text is indented, in bytes.
    pub column: usize,
    pub text: &'t str,
}

/// The levels of loguru, Python's logging, log4j, java.util.logging and syslog.
const LEVELS: [(Level, &[&str]); 3] = [
    (Level::Info, &["TRACE", "DEBUG", "INFO", "NOTICE", "SUCCESS", "VERBOSE", "FINE", "CONFIG"]),
    (Level::Warning, &["WARN", "WARNING"]),
    (Level::Error, &["ERROR", "ERR", "CRITICAL", "FATAL", "SEVERE", "ALERT", "EMERGENCY", "PANIC"]),
];

/// A program that prints another one's output puts its own prefix before that one's.
const PREFIXES: usize = 2;

/// More parts than this no logger puts before the level.
const PARTS: usize = 10;

impl<'t> LogLine<'t> {
    pub(super) fn new(raw: &'t str) -> LogLine<'t> {
        let mut line = LogLine { level: None, column: 0, text: raw };
        for _ in 0..PREFIXES {
            let Some((level, rest)) = without_prefix(line.text) else { break };
            line.level = level.or(line.level);
            line.text = rest;
            // One blank parts the text from the prefix.
            line.column = indent(rest).saturating_sub(1);
        }
        if line.text.len() == raw.len() {
            line.column = indent(raw);
        }
        // The frame that Python draws around the exceptions of a group.
        let inner = line.text.trim_start();
        if inner.starts_with("| ") || inner.starts_with("+ ") || inner.starts_with("+-") {
            let text = inner.trim_start_matches(['|', '+', '-', ' ']);
            line.column += inner.len() - text.len();
            line.text = text;
        }
        line.text = line.text.trim();
        line
    }
}

/// A tab counts as more than any indent of a line that names an error.
fn indent(text: &str) -> usize {
    let blank = |c: &char| matches!(c, ' ' | '\t');
    text.chars().take_while(blank).map(|c| if c == '\t' { 8 } else { 1 }).sum()
}

/// The level, if the prefix has one, and what stands behind the prefix; `None` without a prefix.
fn without_prefix(line: &str) -> Option<(Option<Level>, &str)> {
    let mut rest = line;
    let mut behind_times = None;
    for part in 0..PARTS {
        let (token, behind) = token(rest)?;
        if part > 0 || !line.starts_with(' ') {
            if let Some(level) = level(token) {
                return Some((Some(level), message(behind)));
            }
            // `ERROR:root:message` and `ERROR: message`.
            if let Some((word, text)) = token.split_once(':').filter(|_| part == 0)
                && let Some(level) = level(word)
            {
                let text = text.split_once(':').map_or(text, |(_, text)| text);
                let at = line.len() - behind.len() - text.len();
                return Some((Some(level), &line[at..]));
            }
        }
        let is_time = is_time(token);
        if part == 0 && !is_time {
            return None;
        }
        let is_skipped = is_time || is_mark(token);
        if !is_skipped && !is_group(token) && !is_name(token, behind) {
            break;
        }
        rest = behind;
        if is_skipped {
            behind_times = Some(behind);
        }
    }
    behind_times.map(|rest| (None, rest))
}

/// The next word, or a group in brackets with the blanks in it, and what stands behind it.
fn token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ');
    let closing = match text.chars().next()? {
        '[' => Some(']'),
        '{' => Some('}'),
        '(' => Some(')'),
        _ => None,
    };
    let end = closing.and_then(|closing| Some(text.find(closing)? + 1)).or_else(|| text.find(' '));
    Some(text.split_at(end.unwrap_or(text.len())))
}

/// The same alone; empty at the end.
fn next_token(text: &str) -> &str {
    token(text).map_or("", |(token, _)| token)
}

/// A level in capitals, or in brackets in any case: `ERROR`, `ERROR:`, `[error    ]`.
fn level(token: &str) -> Option<Level> {
    let word = token.strip_suffix(':').unwrap_or(token);
    let in_brackets = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).map(str::trim);
    let is = |name: &&str| match in_brackets {
        Some(word) => word.eq_ignore_ascii_case(name),
        None => word == *name,
    };
    LEVELS.iter().find(|(_, names)| names.iter().any(is)).map(|(level, _)| *level)
}

/// A part of a date, a time or its zone: `2024-01-15`, `[2024-01-15, 10:30:00 UTC]`, `10:30:00,123`, `+07`, `Z`.
fn is_time(token: &str) -> bool {
    let inner = token.trim_matches(['[', ']', ',', '(', ')']);
    let known = |c: char| c.is_ascii_digit() || " :.,/+-TZ".contains(c);
    let inner = inner.trim_end_matches(|c: char| c.is_ascii_uppercase()).trim_end();
    let marks = inner.chars().filter(|c| ":-/".contains(*c)).count();
    inner.starts_with(|c: char| c.is_ascii_digit()) && inner.chars().all(known) && marks >= 2
}

fn is_mark(token: &str) -> bool {
    !token.is_empty() && (token.chars().all(|c| "-|:>".contains(c)) || ["stdout", "stderr", "F"].contains(&token))
}

fn is_group(token: &str) -> bool {
    token.starts_with(['[', '{', '(']) && token.ends_with([']', '}', ')'])
}

/// A logger's name before a mark or before the level, or a process's number there. What denies an error is no name.
fn is_name(token: &str, behind: &str) -> bool {
    let next = next_token(behind);
    is_mark(next) || level(next).is_some() && !["no", "without", "zero", "0"].contains(&token)
}

/// What stands behind the level, without times, marks, groups and the logger's name.
fn message(behind_level: &str) -> &str {
    let mut rest = behind_level;
    for _ in 0..PARTS {
        let Some((token, behind)) = token(rest) else { break };
        let next = next_token(behind);
        // `[main] com.example.Load: message` of log4j, and no `[Errno 111] Connection refused`.
        let is_thread = is_group(token) && (is_mark(next) || next.contains(['.', ':']));
        // Spring's process: `ERROR 1 --- [main] c.f.Bar : message`.
        let is_process = token.bytes().all(|byte| byte.is_ascii_digit()) && next.starts_with("---");
        if !is_mark(token) && !is_time(token) && !is_thread && !is_process {
            break;
        }
        rest = behind;
    }
    without_name(rest)
}

/// `name  message` of the service's own logs, `name - message` of loguru and logback, `name : message` of Spring.
fn without_name(text: &str) -> &str {
    let Some((name, behind)) = token(text) else { return text };
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:<>$-".contains(c));
    let is_apart = text.starts_with("  ") && behind.starts_with("  ");
    // A word before a dash may be the message's own.
    let is_long_name = name.contains(['.', ':', '_']);
    let behind_mark = ["- ", ": "].iter().find_map(|mark| behind.trim_start_matches(' ').strip_prefix(mark));
    match behind_mark {
        Some(message) if is_name && is_long_name => message,
        None if is_name && is_apart => &behind[1..],
        Some(_) | None => text,
    }
}
