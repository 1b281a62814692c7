//! One escaper per grammar that text enters. What goes in is clean (`sanitize`) or ours; what comes out means nothing in its
//! grammar but itself.

use std::io::{self, Write};

use super::sanitize::strip::is_break;
use crate::core::is_hidden;
pub use markdown_text::{markdown_code_span, markdown_fence, markdown_inline};

mod markdown_text;

/// One line of a log, where it stands at the start of the line: neither a command nor a section to any runner.
///
/// GitHub: `::name::` after leading white space (`ActionCommand.TryParseV2`: `TrimStart`, then `StartsWith("::")`).
/// Buildkite: `---`, `+++`, `~~~` and `^^^ +++` open sections (agent, `header_times_streamer.go`).
/// All runners: see `broken_up`. Line breaks become blanks: what stands behind one would stand at the start of a line.
///
/// The gap is a blank and nothing less visible: GitHub's comparisons go by culture, and pass over zero-width characters.
pub fn log_line(text: &str) -> String {
    let line = broken_up(&text.replace(is_break, " "));
    let body = line.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || is_hidden(c));
    if !["::", "---", "+++", "~~~", "^^^"].iter().any(|mark| body.starts_with(mark)) {
        return line;
    }
    let (before, rest) = line.split_at(line.len() - body.len() + 1);
    format!("{before} {rest}")
}

/// Text of many lines in a log: every line behind a gutter, so that none of them starts a line (a runner
/// reads commands there), and ended by a line feed; nothing for nothing.
pub fn gutter(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let lines = text.strip_suffix(is_break).unwrap_or(text).split(is_break);
    lines.map(|line| format!("  | {}", broken_up(line)).trim_end().to_owned() + "\n").collect()
}

/// Puts a gap into what starts a command anywhere in a line: `##[` (GitHub, `ActionCommand.TryParse`), `##vso[` (Azure,
/// `Command.TryParse`), `##teamcity[`. Azure warns of a `##vso` without a bracket too, and the next system's mark will look
/// alike, so no word may follow `##`.
fn broken_up(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if (c == '[' || c.is_alphanumeric()) && out.ends_with("##") {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// The message of a GitHub workflow command (runner, `ActionCommand.UnescapeData`; toolkit, `escapeData`).
pub fn github_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a GitHub workflow command (runner, `ActionCommand.UnescapeProperty`; toolkit, `escapeProperty`).
pub fn github_property(text: &str) -> String {
    github_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The data of an Azure command, and a property of one (agent, `Command.cs`: `%AZP25` is a percent sign unless a pool turns
/// `DECODE_PERCENTS` off).
pub fn azure(text: &str) -> String {
    let text = text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A");
    text.replace(';', "%3B").replace(']', "%5D")
}

/// A value in a TeamCity service message (documentation, *Escaped values*). What is beyond ASCII is written in UTF-16.
pub fn teamcity(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\'' | '[' | ']' => out.extend(['|', c]),
            '\n' => out.push_str("|n"),
            '\r' => out.push_str("|r"),
            ' '..='~' => out.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("|0x{unit:04X}"))),
        }
    }
    out
}

/// A value in a dotenv or shell file (docs/reference.md#outputs): every byte outside `[A-Za-z0-9_.:/@+,=-]` percent-encoded.
/// Nothing is left that GitLab would expand, that a shell would split, quote or run, or that ends a line.
///
/// `%` itself becomes `%25`: `a%20b` and `a b` must not become the same value; and GitLab expands `%NAME%` as it does
/// `$NAME` (`lib/expand_variables.rb`). For that reason a letter behind a byte beyond ASCII is encoded too: `%AC`, the end of
/// a euro sign, and `CESS_TOKEN%24` would spell such a name. The two digits of such a byte still read as a name to GitLab
/// (`%C3%`, a variable that nobody has): there, and nowhere else, letters beyond ASCII are lost.
pub fn dotenv_value(text: &str) -> String {
    let mut before = b' ';
    percent_encoded(text, |byte| {
        let before = std::mem::replace(&mut before, byte);
        let in_name = byte.is_ascii_alphanumeric() || byte == b'_';
        (in_name && before.is_ascii()) || b".:/@+,=-".contains(&byte)
    })
}

/// Every byte that is not kept as `%` and two digits.
pub(super) fn percent_encoded(text: &str, mut is_kept: impl FnMut(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_kept(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A variable's name for dotenv and shells: the output's name in upper case behind the prefix; what neither GitLab nor
/// POSIX allows in a name becomes `_`, and a digit at the start gets one before it.
pub fn dotenv_key(prefix: &str, name: &str) -> String {
    let known = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let key: String = prefix.chars().chain(name.chars().map(|c| c.to_ascii_uppercase())).map(known).collect();
    if key.starts_with(|c: char| c.is_ascii_digit()) { format!("_{key}") } else { key }
}

/// Text in an element of an XML document, in ASCII. What XML can't hold is left out.
pub fn xml_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // `]]>` may not stand in a text.
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' | ' '..='\u{7f}' => out.push(c),
            // XML 1.0, section 2.2.
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => {}
            // Readers that guess the encoding can't guess wrong.
            _ => out.push_str(&format!("&#x{:x};", u32::from(c))),
        }
    }
    out
}

/// The value of an XML attribute, to stand in double quotes. A reader makes blanks of white space in an attribute, so it is
/// written as references.
pub fn xml_attribute(text: &str) -> String {
    xml_text(text).replace('"', "&quot;").replace('\t', "&#9;").replace('\n', "&#10;")
}

/// Serialised JSON, which may come to stand in a log: `#` can stand only within its strings, and is written as its escape, so that no
/// runner finds a command there.
pub fn json_log(json: &str) -> String {
    json.replace('#', "\\u0023")
}

/// The same while it is serialised, into pieces: a report of megabytes needs no place of that size in memory, which what was
/// freed before seldom has.
#[derive(Default)]
pub struct JsonLogWriter(Vec<String>);

/// The size of a piece, in bytes.
const JSON_PIECE: usize = 64 * 1024;

impl JsonLogWriter {
    /// What was written.
    pub fn into_pieces(self) -> Vec<String> {
        self.0
    }

    fn push(&mut self, mut json: &str) {
        while !json.is_empty() {
            if let Some(last) = self.0.last_mut() {
                let (fits, rest) = json.split_at(json.floor_char_boundary(last.capacity() - last.len()));
                last.push_str(fits);
                json = rest;
            }
            if !json.is_empty() {
                self.0.push(String::with_capacity(JSON_PIECE));
            }
        }
    }
}

impl Write for JsonLogWriter {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        // A serializer writes whole characters.
        for part in str::from_utf8(json).map_err(io::Error::other)?.split_inclusive('#') {
            match part.strip_suffix('#') {
                Some(before) => {
                    self.push(before);
                    self.push("\\u0023");
                }
                None => self.push(part),
            }
        }
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes in is clean; should it ever not be, what stands before a mark hides it from nobody.
    #[test]
    fn nothing_that_can_not_be_seen_before_a_mark_keeps_it_whole() {
        for before in ["", " ", "\t", "\u{1}", "\u{200b}", "\u{3000}", "\u{1}\u{200b} "] {
            for mark in ["::", "---", "+++", "~~~", "^^^"] {
                let line = log_line(&format!("{before}{mark}error::x"));
                let seen = line.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{200b}');
                assert!(!seen.starts_with(mark), "{line:?}");
            }
        }
        assert_eq!(log_line("a ::error::x"), "a ::error::x");
    }

    #[test]
    fn teamcity_s_escapes_are_the_documented_ones() {
        assert_eq!(teamcity("a|b'c[d]e\nf\rg\u{85}é🦀"), "a||b|'c|[d|]e|nf|rg|0x0085|0x00E9|0xD83E|0xDD80");
    }
}
