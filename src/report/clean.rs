//! Hostile text made harmless: decode, strip, redact, cut. The last step, escaping, is `escape`'s.

use std::fmt;

use crate::gate::Foreign;

/// Text that is safe to escape into any grammar: no control characters but line feeds and tabs, no escape sequences, no
/// bidirectional tricks, no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Clean(String);

impl Clean {
    /// Text of ours: words of this program and values it has checked itself.
    pub fn ours(text: impl Into<String>) -> Clean {
        Clean(text.into())
    }
}

impl std::ops::Deref for Clean {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Knows the secrets, and cleans.
#[derive(Clone, Default)]
pub struct Cleaner {}

impl Cleaner {
    pub fn new() -> Cleaner {
        Cleaner {}
    }

    /// Adds a secret; false if it is too short to be told from ordinary text.
    pub fn add_secret(&mut self, _secret: &str) -> bool {
        todo!()
    }

    /// Text of many lines: stripped and redacted, lines end with `\n`.
    pub fn text(&self, _text: &Foreign) -> Clean {
        todo!()
    }

    /// The same as one line: line breaks become blanks, outer blanks go, at most `limit` bytes.
    pub fn line(&self, _text: &Foreign, _limit: usize) -> Clean {
        todo!()
    }

    /// An id: stripped to one line, never redacted.
    pub fn id(&self, _text: &Foreign) -> Clean {
        todo!()
    }
}

/// The `status` output's alphabet: outside `[A-Za-z0-9_ .:-]` becomes `?`, at most 64 characters.
pub fn status(_word: &Foreign) -> String {
    todo!()
}

/// At most `limit` bytes of `text`, head and tail kept, a line between them saying how much was cut.
pub fn cut(_text: &Clean, _limit: usize) -> Clean {
    todo!()
}
