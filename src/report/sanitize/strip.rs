//! Takes out what a reader would not see as it stands: escape sequences, control characters, hidden and reordering
//! characters; every kind of line break becomes `\n`.
//!
//! A state machine over characters, after ECMA-48 and the parser of xterm (<https://vt100.net/emu/dec_ansi_parser>), with one
//! rule of our own: a line break ends every sequence. A log is read line by line, and a sequence that nothing ends must
//! hide the rest of its line at most, never the rest of the log. Nothing is kept of a sequence, so it needs no memory
//! however long it is.
//!
//! What comes out has none of the characters that this machine acts on but `\n` and `\t`: stripping it again changes
//! nothing.

use crate::core::is_hidden;

/// Where the machine stands between two characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum StripState {
    #[default]
    Ground,
    /// After ESC.
    Escape,
    /// In an escape sequence of more than two bytes (`ESC ( B`).
    Intermediate,
    /// In a control sequence (`ESC [ 31 m`).
    Control,
    /// In an operating system command (`ESC ] 8 ; ; url BEL`): BEL or ST ends it.
    Command,
    /// In a device control, application, privacy or start-of-string message: ST alone ends it.
    Message,
}

/// Strips a text given in pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Stripper {
    state: StripState,
    /// Whether the last thing shown is the line break of a carriage return, so that a line feed now belongs to it.
    after_return: bool,
}

impl Stripper {
    /// Adds to `out` what is left of `text`.
    pub(super) fn push(&mut self, text: &str, out: &mut String) {
        let mut rest = text;
        while !rest.is_empty() {
            if self.state == StripState::Ground && !self.after_return {
                let (plain, odd) = rest.split_at(plain(rest.as_bytes()));
                out.push_str(plain);
                rest = odd;
            }
            let mut chars = rest.chars();
            if let Some(c) = chars.next() {
                self.step(c, out);
            }
            rest = chars.as_str();
        }
    }

    fn step(&mut self, c: char, out: &mut String) {
        match c {
            ' '..='~' => self.visible(c, out),
            '\n' if self.after_return => (self.state, self.after_return) = (StripState::Ground, false),
            _ if is_break(c) => {
                (self.state, self.after_return) = (StripState::Ground, c == '\r');
                out.push('\n');
            }
            '\u{1b}' => self.state = StripState::Escape,
            // Cancel and substitute give up a sequence.
            '\u{18}' | '\u{1a}' => self.state = StripState::Ground,
            '\u{9b}' => self.state = StripState::Control,
            '\u{9d}' => self.state = StripState::Command,
            '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => self.state = StripState::Message,
            '\u{80}'..='\u{9f}' => self.state = StripState::Ground,
            '\u{7}' if self.state == StripState::Command => self.state = StripState::Ground,
            '\t' => {
                // A terminal obeys a control character in the middle of a sequence, but not in a string.
                if !matches!(self.state, StripState::Command | StripState::Message) {
                    self.show(c, out);
                }
            }
            _ if c.is_control() || is_hidden(c) => {}
            _ => self.visible(c, out),
        }
    }

    fn visible(&mut self, c: char, out: &mut String) {
        self.state = match (self.state, c) {
            (StripState::Command | StripState::Message, _) => self.state,
            (StripState::Escape, '[') => StripState::Control,
            (StripState::Escape, ']') => StripState::Command,
            (StripState::Escape, 'P' | 'X' | '^' | '_') => StripState::Message,
            (StripState::Escape | StripState::Intermediate, ' '..='/') => StripState::Intermediate,
            (StripState::Control, ' '..='?') => StripState::Control,
            (StripState::Escape | StripState::Intermediate, '0'..='~') | (StripState::Control, '@'..='~') => {
                StripState::Ground
            }
            (StripState::Ground | StripState::Escape | StripState::Intermediate | StripState::Control, _) => {
                self.show(c, out);
                StripState::Ground
            }
        };
    }

    fn show(&mut self, c: char, out: &mut String) {
        out.push(c);
        self.after_return = false;
    }
}

/// How many bytes the text begins with that stand for themselves: printable ASCII, tabs and line feeds.
fn plain(text: &[u8]) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    // Eight at a time: in a byte from 0x20 to 0x7e none of the three has the highest bit, and in any other one of them has.
    let are_printable = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        (eight | eight.wrapping_add(EACH) | eight.wrapping_sub(0x20 * EACH)) & (0x80 * EACH) == 0
    };
    let is_plain = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n');
    let mut plain = 0;
    loop {
        let rest = &text[plain..];
        let printable = 8 * rest.as_chunks().0.iter().take_while(|eight| are_printable(eight)).count();
        let more = rest[printable..].iter().take(8).take_while(is_plain).count();
        plain += printable + more;
        if more < 8 {
            return plain;
        }
    }
}

/// The whole of `text`, stripped.
pub(super) fn strip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    Stripper::default().push(text, &mut out);
    out
}

/// What ends a line for some reader: a runner, a terminal, XML, JavaScript or Unicode.
pub(in crate::report) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
