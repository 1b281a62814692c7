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
pub struct Cleaner {
    secrets: Vec<String>,
}

impl Cleaner {
    pub fn new() -> Cleaner {
        Cleaner::default()
    }

    /// Adds a secret; false if it is too short to be told from ordinary text.
    pub fn add_secret(&mut self, secret: &str) -> bool {
        self.secrets.push(secret.to_owned());
        secret.len() >= 6
    }

    /// Text of many lines: stripped and redacted, lines end with `\n`.
    pub fn text(&self, text: &Foreign) -> Clean {
        let mut out = strip(text.raw());
        for secret in &self.secrets {
            out = out.replace(secret, "***");
        }
        Clean(out)
    }

    /// The same as one line: line breaks become blanks, outer blanks go, at most `limit` bytes.
    pub fn line(&self, text: &Foreign, limit: usize) -> Clean {
        let line = self.text(text).replace(['\n', '\t'], " ");
        let line = line.trim();
        if line.len() <= limit {
            return Clean(line.to_owned());
        }
        Clean(format!("{}…", &line[..line.floor_char_boundary(limit.saturating_sub(3))]))
    }

    /// An id: stripped to one line, never redacted.
    pub fn id(&self, text: &Foreign) -> Clean {
        Clean(strip(text.raw()).replace(['\n', '\t'], " ").trim().to_owned())
    }
}

fn strip(text: &str) -> String {
    let bidi = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    text.chars().filter(|c| (!c.is_control() || *c == '\n' || *c == '\t') && !bidi(c)).collect()
}

/// The `status` output's alphabet: outside `[A-Za-z0-9_ .:-]` becomes `?`, at most 64 characters.
pub fn status(word: &Foreign) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || "_ .:-".contains(c);
    word.raw().trim().chars().take(64).map(|c| if known(c) { c } else { '?' }).collect()
}

/// At most `limit` bytes of `text`, head and tail kept, a line between them saying how much was cut.
pub fn cut(text: &Clean, limit: usize) -> Clean {
    if text.len() <= limit {
        return text.clone();
    }
    let room = limit.saturating_sub(64);
    let head = text.floor_char_boundary(room / 3);
    let tail = text.ceil_char_boundary(text.len() - (room - room / 3));
    Clean(format!("{}\n[... {} bytes left out ...]\n{}", &text[..head], tail - head, &text[tail..]))
}
