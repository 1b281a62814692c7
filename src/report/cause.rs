//! The likely cause of a failure: the one line of a trace, or of logs, that names the error.
//!
//! It is shown to people and decides nothing. A run's text is a program's: it has tracebacks, log lines with their levels, or the
//! errors of dbt. Where several lines name an error, the order is: dbt's first error, the last exception, the first line of
//! level ERROR, the last exception that was only a warning. Of a trace without any of these it is the first line; logs without
//! any tell no cause.

use std::borrow::Cow;

use log_line::{Level, LogLine};
use shapes::{Candidate, error_in, is_unfinished};

use super::sanitize::{Sanitized, Sanitizer};
use crate::core::Untrusted;

mod log_line;
mod shapes;

/// The longest cause, in bytes (docs/reference.md#outputs).
pub const LIMIT: usize = 300;

/// What is kept of one line, in bytes: more than is ever shown, and little of a log without line breaks.
const LINE_LIMIT: usize = 4 * 1024;

/// What is read of a trace, in bytes: its beginning and its end. The rest is between frames.
const HEAD: usize = 64 * 1024;
const TAIL: usize = 256 * 1024;

/// The header of a Python traceback, which may stand behind other text.
const TRACEBACK: &str = "Traceback (most recent call last)";

/// The line of a trace that names the error. Its line breaks may be written as `\n`, all of them.
pub fn of_trace(trace: &Sanitized, sanitizer: &Sanitizer) -> Option<Sanitized> {
    let mut finder = CauseFinder::default();
    let is_quoted = !trace.trim_end().contains('\n') && trace.contains("\\n");
    if trace.len() <= HEAD + TAIL {
        finder.push(&if is_quoted { Cow::Owned(trace.replace("\\n", "\n")) } else { Cow::Borrowed(&**trace) });
    } else {
        finder.push(&trace[..trace.floor_char_boundary(HEAD)]);
        finder.push("\n");
        finder.push(&trace[trace.ceil_char_boundary(trace.len() - TAIL)..]);
    }
    finder.finish(TextSource::Trace, sanitizer)
}

/// Where a text is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextSource {
    Trace,
    Logs,
}

/// Finds the line in a text that comes in pieces, cut anywhere. It holds a few lines at most.
#[derive(Default)]
pub struct CauseFinder {
    /// The beginning of the line that is not complete yet.
    line: String,
    /// The level of the last line that had one.
    level: Option<Level>,
    /// The column and the level of the header of the traceback that is being read.
    traceback: Option<(usize, Option<Level>)>,
    /// What the next line completes, and the level of the line before.
    unfinished: Option<(Candidate, Option<Level>)>,
    /// The line for each kind of candidate.
    found: [Option<String>; 5],
}

impl CauseFinder {
    /// Takes the next piece of the text.
    pub fn push(&mut self, piece: &str) {
        let mut rest = piece;
        while let Some((end, behind)) = rest.split_once('\n') {
            self.keep(end);
            let line = std::mem::take(&mut self.line);
            self.read(&line);
            rest = behind;
        }
        self.keep(rest);
    }

    /// The cause, on one line of at most [`LIMIT`] bytes. It is sanitized again: it may be made of two lines, and the break
    /// between them may have been the one in a secret.
    pub fn finish(mut self, source: TextSource, sanitizer: &Sanitizer) -> Option<Sanitized> {
        let line = std::mem::take(&mut self.line);
        self.read(&line);
        if source == TextSource::Logs {
            self.found[Candidate::FirstLine as usize] = None;
        }
        let line = self.found.into_iter().flatten().next()?;
        Some(sanitizer.line(&Untrusted::new(line), LIMIT)).filter(|line| !line.is_empty())
    }

    fn keep(&mut self, text: &str) {
        let room = LINE_LIMIT.saturating_sub(self.line.len());
        self.line.push_str(&text[..text.floor_char_boundary(room)]);
    }

    fn read(&mut self, raw: &str) {
        let line = LogLine::new(raw);
        let says_something = line.text.contains(char::is_alphanumeric);
        if !says_something {
            return;
        }
        let is_frame = shapes::is_frame(line.text);
        let error = if is_frame { None } else { error_in(line.text, line.column) };
        if let Some((candidate, level)) = self.unfinished.take()
            && (line.level.is_none() || line.level == level)
            && !is_frame
            && error.is_none()
            && !line.text.contains(TRACEBACK)
        {
            return self.complete(candidate, &line);
        }
        self.level = line.level.or(self.level);
        if let Some((_, behind)) = line.text.split_once(TRACEBACK) {
            self.traceback = Some((line.column, line.level));
            // All of it on one line is better than nothing.
            if behind.contains(char::is_alphanumeric) {
                self.note(Candidate::FirstLine, raw.trim(), line.level);
            }
            return;
        }
        if let Some((column, level)) = self.traceback {
            // A line with a level is another record, unless all lines have one.
            let goes_on = line.level.is_none() || line.level == level;
            if goes_on && (line.column > column || is_frame) {
                return;
            }
            self.traceback = None;
            if goes_on && shapes::names_a_type(line.text) {
                return self.note(Candidate::Exception, line.text, line.level);
            }
        }
        let by_level = (line.level == Some(Level::Error)).then_some((Candidate::ErrorLine, line.text));
        let (candidate, text) = error.or(by_level).unwrap_or((Candidate::FirstLine, raw.trim()));
        if !is_frame {
            self.note(candidate, text, line.level);
        }
    }

    /// Keeps the first of its kind; of exceptions the last.
    fn note(&mut self, candidate: Candidate, text: &str, level: Option<Level>) {
        let is_exception = candidate == Candidate::Exception;
        let is_warned = is_exception && self.level == Some(Level::Warning);
        let candidate = if is_warned { Candidate::Warned } else { candidate };
        let slot = &mut self.found[candidate as usize];
        if (slot.is_none() || is_exception) && !shapes::says_nothing(text) {
            *slot = Some(text.to_owned());
            let goes_on = candidate == Candidate::Dbt || is_unfinished(text);
            self.unfinished = goes_on.then_some((candidate, level));
        }
    }

    fn complete(&mut self, candidate: Candidate, line: &LogLine<'_>) {
        let Some(text) = &mut self.found[candidate as usize] else { return };
        text.push_str(if text.ends_with(':') || is_unfinished(text) { " " } else { ": " });
        text.push_str(line.text);
        if is_unfinished(text) && text.len() < LIMIT {
            self.unfinished = Some((candidate, line.level));
        }
    }
}

#[cfg(test)]
mod tests;
