//! Sanitizes untrusted text: decode, strip, redact, cut. The last step, escaping, is in `escape`.
//!
//! The order matters. A secret or a command that control characters break up is whole again once they are stripped, so
//! redaction comes after it (and compares secrets in stripped form); half a secret can't be recognised, so cutting comes
//! last.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::core::{ID_LIMIT, Redactor, Untrusted, Wanted, folded_id, is_hidden};
use redact::{Patterns, RedactionStream};
use secret_forms::{SHORTEST, forms};
use strip::{Stripper, strip};

mod redact;
mod secret_forms;
pub(super) mod strip;
impl Redactor for Sanitizer {
    fn learn(&self, secrets: &[&str]) {
        self.add_tokens(secrets);
    }

    fn shorten(&self, text: &Untrusted) -> Untrusted {
        self.beginning(text)
    }
}

#[cfg(test)]
mod tests;

/// Text that is safe to escape into any grammar: no control characters but line feeds and tabs, no escape sequences, no
/// bidirectional tricks, no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
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

/// Sanitizes texts, and knows the secrets that may be in them.
///
/// Clones share their secrets, also those added later: the session adds the tokens that it obtains, while progress and output
/// sanitize on other threads. The lock is held to copy a pointer or to build the patterns, never while a text is sanitized.
#[derive(Clone, Default)]
pub struct Sanitizer {
    known: Arc<RwLock<KnownSecrets>>,
}

#[derive(Default)]
struct KnownSecrets {
    secrets: Vec<String>,
    /// What was obtained while running: the tokens of a sign-in together.
    obtained: VecDeque<Vec<String>>,
    /// Built when a text first needs them: at the start, secrets are added one by one.
    patterns: OnceLock<Arc<Patterns>>,
    /// The ids that were asked for, in the form that all their spellings share.
    asked: HashSet<String>,
}

/// How many additions of tokens or codes are remembered: four sign-ins, each with a one-time code before it. Older tokens have
/// expired, and without a limit a gate that waits for thirty days would remember thousands.
const REMEMBERED: usize = 8;

/// The longest beginning kept of an answer's text.
const BEGINNING: usize = 512;

/// The longest `status` output, in characters.
const STATUS: usize = 64;

/// How much of a text is sanitized at once, in bytes.
const PIECE: usize = 64 * 1024;

impl Sanitizer {
    pub fn new() -> Sanitizer {
        Sanitizer::default()
    }

    /// Adds a secret, for good; false if it is too short (under 6 bytes as a text shows it) to be told from ordinary text.
    pub fn add_secret(&self, secret: &str) -> bool {
        self.add(&[secret], |known, secrets| known.secrets.extend(secrets));
        strip(secret).len() >= SHORTEST
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
        let ids = wanted.into_iter().flat_map(|wanted| [wanted.pipeline().as_str(), wanted.run()]).map(folded_id);
        self.known.write().unwrap_or_else(PoisonError::into_inner).asked.extend(ids);
    }

    fn add(&self, secrets: &[&str], keep: fn(&mut KnownSecrets, Vec<String>)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = |secret: &&&str| secret.len() >= SHORTEST && !known.all().any(|old| old == *secret);
        let new: Vec<String> = secrets.iter().filter(is_new).map(|secret| (*secret).to_owned()).collect();
        if !new.is_empty() {
            keep(&mut known, new);
            known.patterns.take();
        }
    }

    fn patterns(&self) -> Arc<Patterns> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(Patterns::new(&known.all().flat_map(|secret| forms(secret)).collect()));
        Arc::clone(known.patterns.get_or_init(make))
    }

    /// Text of many lines: stripped and redacted, lines end with `\n`.
    pub fn text(&self, text: &Untrusted) -> Sanitized {
        let mut begun = self.begin(text);
        while begun.step() {}
        begun.finish()
    }

    /// The same step by step: a long text can take seconds.
    pub fn begin<'t>(&self, text: &'t Untrusted) -> SanitizedSteps<'t> {
        let text = text.raw().as_bytes();
        SanitizedSteps { stream: self.stream(), left: text, done: String::with_capacity(text.len()) }
    }

    /// The same as one line: line breaks and tabs become blanks, outer blanks go, at most `limit` bytes; `…` at the end
    /// says that there was more, which is not even read.
    pub fn line(&self, text: &Untrusted, limit: usize) -> Sanitized {
        self.line_of(text.raw(), limit, false)
    }

    /// The beginning of an answer's text whose end may be cut off: one line of 512 bytes, more than is ever shown of it.
    pub fn beginning(&self, text: &Untrusted) -> Untrusted {
        Untrusted::new(self.line_of(text.raw(), BEGINNING, true).0)
    }

    fn line_of(&self, text: &str, limit: usize, cut_off: bool) -> Sanitized {
        // Redacted again as one line: the blank between two lines may have been the one in a secret.
        let (mut lines, mut line, mut out) = (self.stream(), self.stream(), String::new());
        for piece in text.as_bytes().chunks(PIECE) {
            line.add(one_line(&lines.push(piece)).as_bytes(), &mut out);
            if out.trim().len() > limit {
                return cut_line(out.trim(), limit);
            }
        }
        line.add(one_line(&lines.end(cut_off)).as_bytes(), &mut out);
        cut_line((out + &line.finish()).trim(), limit)
    }

    /// An id, on one line of at most 256 bytes: as it is if it is one that was asked for, else redacted, for then the service
    /// has made it.
    pub fn id(&self, id: &str) -> Sanitized {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_asked = known.asked.contains(&folded_id(id));
        drop(known);
        if is_asked { given(id) } else { self.line_of(id, ID_LIMIT, false) }
    }

    /// The same of an id as the service spells it.
    pub fn answered_id(&self, id: &Untrusted) -> Sanitized {
        self.id(id.raw())
    }

    /// A status on one line. A character that can't be seen, or that looks like another, makes another status of it
    /// (`core::Vocabulary`), so it is shown by its number: `SUC<U+200B>CESS`.
    pub fn word(&self, word: &Untrusted, limit: usize) -> Sanitized {
        self.revealed(word, limit, |c| format!("<U+{:04X}>", u32::from(c)))
    }

    fn revealed(&self, word: &Untrusted, limit: usize, show: impl Fn(char) -> String) -> Sanitized {
        let line = self.line(word, limit);
        // In pieces, a secret would no longer be found.
        let has_letters = word.raw().contains(|c: char| c.is_ascii_alphabetic());
        let is_deceptive = |c| is_unseen(c) || has_letters && looks_like_a_letter(c);
        if !word.raw().contains(is_deceptive) || line != cut_line(&self.given(word), limit) {
            return line;
        }
        let revealed = word.raw().chars().map(|c| if is_deceptive(c) { show(c) } else { c.to_string() });
        self.line(&Untrusted::new(revealed.collect::<String>()), limit)
    }

    /// What the user has said, a path or an address: stripped to one line, never redacted.
    pub fn given(&self, text: &Untrusted) -> Sanitized {
        given(text.raw())
    }

    /// The `status` output's alphabet, redacted first: outside `[A-Za-z0-9_ .:-]` becomes `?`, at most 64 characters.
    pub fn status(&self, word: &Untrusted) -> String {
        let known = |c: char| c.is_ascii_alphanumeric() || "_ .:-".contains(c);
        let line = self.revealed(word, STATUS * '…'.len_utf8(), |_| "?".to_owned());
        line.chars().take(STATUS).map(|c| if known(c) { c } else { '?' }).collect::<String>().trim_end().to_owned()
    }

    /// Sanitizes a text that comes in pieces of any size, cut anywhere, with the same result as `text`: the logs. It knows the
    /// secrets that were added before this call.
    pub fn stream(&self) -> SanitizedStream {
        SanitizedStream {
            undecoded: Vec::new(),
            strip: Stripper::default(),
            redact: RedactionStream::new(self.patterns()),
        }
    }
}

impl KnownSecrets {
    fn all(&self) -> impl Iterator<Item = &String> {
        self.secrets.iter().chain(self.obtained.iter().flatten())
    }
}

impl fmt::Debug for Sanitizer {
    /// Secrets are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sanitizer").finish_non_exhaustive()
    }
}

/// A text that is sanitized step by step.
pub struct SanitizedSteps<'t> {
    stream: SanitizedStream,
    left: &'t [u8],
    done: String,
}

impl SanitizedSteps<'_> {
    /// Does a few milliseconds' work; false once nothing is left.
    pub fn step(&mut self) -> bool {
        let (piece, left) = self.left.split_at(self.left.len().min(PIECE));
        self.stream.add(piece, &mut self.done);
        self.left = left;
        !left.is_empty()
    }

    /// What is done. If that is not all, the end says how much was left out.
    pub fn finish(self) -> Sanitized {
        if self.left.is_empty() {
            return Sanitized(self.done + &self.stream.finish());
        }
        let left_out = format!("\n[... the last {} bytes left out: the gate was stopped ...]\n", self.left.len());
        Sanitized(self.done + &self.stream.cut_off() + &left_out)
    }
}

/// A text that is sanitized piece by piece. It holds an unfinished character and what may be the beginning of a secret.
pub struct SanitizedStream {
    undecoded: Vec<u8>,
    strip: Stripper,
    redact: RedactionStream,
}

impl SanitizedStream {
    /// What is sanitized by now, and was not returned before.
    pub fn push(&mut self, bytes: &[u8]) -> Sanitized {
        let mut out = String::new();
        self.add(bytes, &mut out);
        Sanitized(out)
    }

    /// The rest.
    pub fn finish(self) -> Sanitized {
        self.end(false)
    }

    /// The rest of a text that a limit cut off here: the beginning of a secret, of 6 bytes or more, goes too, and so does
    /// half a character.
    pub fn cut_off(self) -> Sanitized {
        self.end(true)
    }

    fn add(&mut self, bytes: &[u8], out: &mut String) {
        for piece in bytes.chunks(PIECE) {
            if self.undecoded.is_empty() {
                self.decode(piece);
            } else {
                let joined = [&std::mem::take(&mut self.undecoded), piece].concat();
                self.decode(&joined);
            }
            self.redact.settle(out);
        }
    }

    fn end(mut self, cut_off: bool) -> Sanitized {
        if !self.undecoded.is_empty() && !cut_off {
            self.strip.push("\u{fffd}", self.redact.pending());
        }
        let mut out = String::new();
        self.redact.finish(cut_off, &mut out);
        Sanitized(out)
    }

    /// As `String::from_utf8_lossy` would decode the whole.
    fn decode(&mut self, mut bytes: &[u8]) {
        loop {
            let error = match str::from_utf8(bytes) {
                Ok(text) => return self.strip.push(text, self.redact.pending()),
                Err(error) => error,
            };
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            self.strip.push(str::from_utf8(valid).unwrap_or_default(), self.redact.pending());
            let Some(invalid) = error.error_len() else { return self.undecoded = rest.to_vec() };
            self.strip.push("\u{fffd}", self.redact.pending());
            bytes = &rest[invalid..];
        }
    }
}

fn given(text: &str) -> Sanitized {
    Sanitized(one_line(&strip(text)).trim().to_owned())
}

fn is_unseen(c: char) -> bool {
    (c.is_control() || c.is_whitespace() || is_hidden(c)) && !c.is_ascii_whitespace()
}

/// Whether a character is of a kind whose letters look like those of a status: Greek, Cyrillic, Armenian, Cherokee, letter-like
/// and mathematical symbols, full width.
fn looks_like_a_letter(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{1f00}'..='\u{1fff}' | '\u{2100}'..='\u{214f}'
        | '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}')
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

/// The last `lines` lines of a sanitized text, in at most `limit` bytes: from the start of a line, if one starts in time.
pub fn tail(text: &str, lines: usize, limit: usize) -> &str {
    let first = text.rmatch_indices('\n').nth(lines.saturating_sub(1)).map_or(0, |(at, _)| at + 1);
    let earliest = text.ceil_char_boundary(text.len().saturating_sub(limit));
    if earliest <= first {
        return &text[first..];
    }
    let (before, rest) = text.split_at(earliest);
    if before.ends_with('\n') { rest } else { rest.split_once('\n').map_or(rest, |(_, lines)| lines) }
}
