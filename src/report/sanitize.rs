//! Hostile text made harmless: decode, strip, redact, cut. The last step, escaping, is `escape`'s.
//!
//! The order matters. A secret or a command that control characters break up is whole again once they are stripped, so
//! redaction comes after it (and compares secrets in stripped form); half a secret can't be recognised, so cutting comes
//! last.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::core::{RunId, Untrusted, Wanted};
use redact::{Patterns, RedactionStream};
use strip::{Stripper, strip};

mod redact;
mod secret_forms;
pub(super) mod strip;
#[cfg(test)]
mod tests;

/// Text that is safe to escape into any grammar: no control characters but line feeds and tabs, no escape sequences, no
/// bidirectional tricks, no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sanitized(String);

impl Sanitized {
    /// Text of ours: words of this program and values it has checked itself.
    pub fn ours(text: impl Into<String>) -> Sanitized {
        Sanitized(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for Sanitized {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sanitized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Knows the secrets, and cleans.
///
/// A clone knows the same secrets, also those added later to any of them: the session adds the tokens that it obtains, while
/// progress and delivery, on threads of their own, clean with what is known by then. The lock is held to copy a
/// pointer, and while what is looked for is made anew; never while a text is cleaned.
#[derive(Clone, Default)]
pub struct Sanitizer {
    known: Arc<RwLock<KnownSecrets>>,
}

#[derive(Default)]
struct KnownSecrets {
    secrets: Vec<String>,
    /// What was obtained while running, by the occasion.
    obtained: VecDeque<Vec<String>>,
    patterns: Arc<Patterns>,
    /// The ids that were asked for, each the same for all its spellings.
    asked: HashSet<String>,
}

/// Of how many occasions obtained secrets are remembered: four sign-ins, each with a one-time code before it. A token is
/// renewed before it expires, so those before these are worth nothing; without a limit, a gate that waits for thirty days
/// would remember thousands.
const REMEMBERED: usize = 8;

/// The longest beginning kept of an answer's text.
const BEGINNING: usize = 512;

impl Sanitizer {
    pub fn new() -> Sanitizer {
        Sanitizer::default()
    }

    /// Adds a secret, for good; false if it is too short (under 6 bytes as a text shows it) to be told from ordinary text.
    pub fn add_secret(&self, secret: &str) -> bool {
        self.add(&[secret], |known, secrets| known.secrets.extend(secrets));
        strip(secret).len() >= secret_forms::SHORTEST
    }

    /// Adds what was obtained at once while running: the tokens of a sign-in, or a code.
    pub fn add_tokens(&self, tokens: &[&str]) {
        self.add(tokens, |known, tokens| {
            known.obtained.push_back(tokens);
            if known.obtained.len() > REMEMBERED {
                known.obtained.pop_front();
            }
        });
    }

    /// Adds the ids that the user asks for: they are no news to anybody, and stay as they are even if a secret is in them.
    pub fn add_asked<'w>(&self, wanted: impl IntoIterator<Item = &'w Wanted>) {
        let ids = wanted.into_iter().flat_map(|wanted| [wanted.pipeline().as_str(), wanted.run()]).filter_map(folded);
        self.known.write().unwrap_or_else(PoisonError::into_inner).asked.extend(ids);
    }

    fn add(&self, secrets: &[&str], keep: fn(&mut KnownSecrets, Vec<String>)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = |secret: &&&str| {
            secret.len() >= secret_forms::SHORTEST
                && !known.secrets.iter().chain(known.obtained.iter().flatten()).any(|old| old == *secret)
        };
        let new: Vec<String> = secrets.iter().filter(is_new).map(|secret| (*secret).to_owned()).collect();
        if !new.is_empty() {
            keep(&mut known, new);
            let all = known.secrets.iter().chain(known.obtained.iter().flatten());
            known.patterns = Arc::new(Patterns::new(all.flat_map(|secret| secret_forms::forms(secret))));
        }
    }

    fn redact(&self, text: &str) -> String {
        let mut redact = self.redaction();
        let mut out = Vec::with_capacity(text.len());
        redact.push(text, &mut out);
        redact.finish(&mut out);
        into_text(out)
    }

    fn redaction(&self) -> RedactionStream {
        RedactionStream::new(Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner).patterns))
    }

    /// Text of many lines: stripped and redacted, lines end with `\n`.
    pub fn text(&self, text: &Untrusted) -> Sanitized {
        Sanitized(self.redact(&strip(text.raw())))
    }

    /// The same as one line: line breaks and tabs become blanks, outer blanks go, at most `limit` bytes; `…` at the end
    /// says that there was more.
    pub fn line(&self, text: &Untrusted, limit: usize) -> Sanitized {
        self.joined(&self.text(text), limit)
    }

    fn joined(&self, text: &Sanitized, limit: usize) -> Sanitized {
        // Once more after joining: the blank between two lines may have been the one in a secret.
        let line = self.redact(&one_line(text));
        cut_line(line.trim(), limit)
    }

    /// The beginning of an answer's text whose end may be cut off: one line of 512 bytes, more than is ever shown of it.
    pub fn beginning(&self, text: &Untrusted) -> Untrusted {
        let mut stream = self.stream();
        let begun = stream.push(text.raw().as_bytes()).0;
        let whole = Sanitized(begun + &stream.cut_off());
        Untrusted::new(self.joined(&whole, BEGINNING).0)
    }

    /// An id, on one line: as it is if it is one that was asked for, else redacted, for then the service has made it.
    pub fn id(&self, text: &Untrusted) -> Sanitized {
        let asked = |id: String| self.known.read().unwrap_or_else(PoisonError::into_inner).asked.contains(&id);
        if folded(text.raw()).is_some_and(asked) { self.given(text) } else { self.line(text, usize::MAX) }
    }

    /// A status on one line. A blank beyond ASCII makes another status of it (`core::Vocabulary`), so it stays visible.
    pub fn word(&self, word: &Untrusted, limit: usize) -> Sanitized {
        let visible = |c: char| if c.is_whitespace() && !c.is_ascii() { '\u{fffd}' } else { c };
        self.line(&Untrusted::new(word.raw().chars().map(visible).collect::<String>()), limit)
    }

    /// What the user has said, a path or an address: stripped to one line, never redacted.
    pub fn given(&self, text: &Untrusted) -> Sanitized {
        Sanitized(one_line(&strip(text.raw())).trim().to_owned())
    }

    /// The `status` output's alphabet, redacted first: outside `[A-Za-z0-9_ .:-]` becomes `?`, at most 64 characters.
    pub fn status(&self, word: &Untrusted) -> String {
        let known = |c: char| c.is_ascii_alphanumeric() || "_ .:-".contains(c);
        let line = self.line(word, usize::MAX);
        line.chars().take(64).map(|c| if known(c) { c } else { '?' }).collect::<String>().trim_end().to_owned()
    }

    /// Cleans a text that comes in pieces of any size, cut anywhere, to the same end as `text` would: the logs. Knows the
    /// secrets added before this call.
    pub fn stream(&self) -> SanitizedStream {
        SanitizedStream { undecoded: Vec::new(), strip: Stripper::default(), redact: self.redaction() }
    }
}

impl fmt::Debug for Sanitizer {
    /// Secrets are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleaner").finish_non_exhaustive()
    }
}

/// The `status` output of a word, where no secret is known: `Sanitizer::status` is the one for a word of the service.
pub fn status(word: &Untrusted) -> String {
    Sanitizer::new().status(word)
}

/// A text being cleaned piece by piece. It keeps an unfinished character and what may be the beginning of a secret, and no more.
pub struct SanitizedStream {
    undecoded: Vec<u8>,
    strip: Stripper,
    redact: RedactionStream,
}

impl SanitizedStream {
    /// What is clean so far, and was not returned before.
    pub fn push(&mut self, bytes: &[u8]) -> Sanitized {
        let decoded = self.decode(bytes);
        self.clean(&decoded)
    }

    /// The rest.
    pub fn finish(self) -> Sanitized {
        self.end(RedactionStream::finish)
    }

    /// The rest of a text that a limit cut off here: the beginning of a secret, of 6 bytes or more, goes too, and so does
    /// half a character.
    pub fn cut_off(mut self) -> Sanitized {
        self.undecoded.clear();
        self.end(|redact, out| redact.cut_off(secret_forms::SHORTEST, out))
    }

    fn end(mut self, end: impl FnOnce(RedactionStream, &mut Vec<u8>)) -> Sanitized {
        let unfinished = if self.undecoded.is_empty() { "" } else { "\u{fffd}" };
        let Sanitized(mut rest) = self.clean(unfinished);
        let mut out = Vec::new();
        end(self.redact, &mut out);
        rest.push_str(&into_text(out));
        Sanitized(rest)
    }

    fn clean(&mut self, text: &str) -> Sanitized {
        let mut stripped = String::with_capacity(text.len());
        self.strip.push(text, &mut stripped);
        let mut out = Vec::with_capacity(stripped.len());
        self.redact.push(&stripped, &mut out);
        Sanitized(into_text(out))
    }

    /// As `String::from_utf8_lossy` would decode the whole.
    fn decode(&mut self, bytes: &[u8]) -> String {
        let joined = [std::mem::take(&mut self.undecoded).as_slice(), bytes].concat();
        let mut text = String::with_capacity(joined.len());
        let mut left = joined.len();
        for chunk in joined.utf8_chunks() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            left -= chunk.valid().len() + invalid.len();
            let unfinished = left == 0 && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if unfinished {
                self.undecoded = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push('\u{fffd}');
            }
        }
        text
    }
}

/// What is compared of an id: a pipeline's spellings are the same as a run's.
fn folded(id: &str) -> Option<String> {
    RunId::new(id).map(|id| id.folded())
}

/// Redaction takes and gives whole characters: a secret begins and ends between characters. Should that be wrong, the text
/// is damaged and nothing else.
fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\t'], " ")
}

/// At most `limit` bytes of one clean line; `…` at the end says that there was more.
pub(super) fn cut_line(line: &str, limit: usize) -> Sanitized {
    if line.len() <= limit {
        return Sanitized(line.to_owned());
    }
    let more = if limit >= '…'.len_utf8() { "…" } else { "" };
    let kept = &line[..line.floor_char_boundary(limit - more.len())];
    Sanitized(format!("{}{more}", kept.trim_end()))
}

/// At most `limit` bytes of `text`, head and tail kept (a third and two thirds: an error names its cause at the end), a
/// line between them saying how much was left out. Cut between lines where there is a break not too far away.
pub fn cut(text: &Sanitized, limit: usize) -> Sanitized {
    if text.len() <= limit {
        return text.clone();
    }
    let mark = |left_out: usize| format!("[... {left_out} bytes left out ...]");
    let Some(room) = limit.checked_sub(mark(text.len()).len() + "\n\n".len()) else {
        return Sanitized(text[..text.floor_char_boundary(limit)].to_owned());
    };
    let most_of_head = text.floor_char_boundary(room / 3);
    let head = match text[..most_of_head].rfind('\n') {
        Some(end) if end >= most_of_head / 2 => end,
        _ => most_of_head,
    };
    let most_of_tail = room - room / 3;
    let earliest = text.ceil_char_boundary(text.len() - most_of_tail);
    let tail = match text[earliest..].find('\n') {
        Some(end) if end < most_of_tail / 2 => earliest + end + 1,
        _ => earliest,
    };
    let after_head = if head == 0 { "" } else { "\n" };
    Sanitized(format!("{}{after_head}{}\n{}", &text[..head], mark(tail - head), &text[tail..]))
}
