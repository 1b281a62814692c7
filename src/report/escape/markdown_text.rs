//! Text in Markdown: CommonMark with GitHub's extensions, and what GitHub makes of the text afterwards.

use super::super::sanitize::strip::is_break;

/// A zero-width space, as a reference. GitHub looks for mentions, issue numbers and emoji in the text that Markdown has
/// already become: there no escape is left to see, only a gap keeps the parts apart.
const GAP: &str = "&#8203;";

/// Ends a piece of text for the Markdown parser, and is neither shown nor copied.
const COMMENT: &str = "<!-- -->";

/// Text within a sentence or a table's cell: one line of text, in which nothing is a link, an image, code, emphasis, HTML,
/// another cell, a mention, an issue or an emoji; and at the start of a line no list, heading, quote or rule.
///
/// CommonMark 0.31 section 2.4 and 2.5 (escapes and references mean the character itself), GFM sections 4.10 (tables: `|`
/// ends a cell even in code) and 6.9 (`www.`, `://` and `@` make links of plain text).
pub fn markdown_inline(text: &str) -> String {
    let line = text.replace(is_break, " ");
    let line = line.trim();
    let mut out = String::with_capacity(line.len() * 2);
    for (at, c) in line.char_indices() {
        let rest = &line[at + c.len_utf8()..];
        match c {
            // References rather than backslashes where renderers look before Markdown does (HTML, cells, formulas).
            '&' | '<' | '>' | '|' | '\\' | '`' | '$' | '[' | ']' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            '*' | '_' | '!' | '~' => out.extend(['\\', c]),
            '#' if rest.starts_with(|c: char| c.is_ascii_digit()) => out.extend(["\\#", GAP]),
            '#' => out.push_str("\\#"),
            '@' => out.extend(["@", GAP]),
            ':' if rest.starts_with("//") || is_emoji(rest) => out.extend([":", GAP]),
            '.' if out.len() >= 3 && out[out.floor_char_boundary(out.len() - 3)..].eq_ignore_ascii_case("www") => {
                out.extend([GAP, "."]);
            }
            '-' | '+' | '=' | ':' if at == 0 => out.extend(['\\', c]),
            // An ordered list's number has nine digits at most.
            '.' | ')' if at <= 9 && line[..at].bytes().all(|byte| byte.is_ascii_digit()) => out.extend(['\\', c]),
            '\t' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

/// Whether `rest` goes on from a `:` as the name of an emoji does. Two digits are the minutes of a time.
fn is_emoji(rest: &str) -> bool {
    let after = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_+-".contains(c));
    let name = &rest[..rest.len() - after.len()];
    after.starts_with(':') && (name.len() > 2 || name.bytes().any(|byte| !byte.is_ascii_digit()))
}

/// A block of code holding `text`, ended by a line feed. It must start a line. Its fence is longer than every run of
/// backticks in the text, so that no line of the text can close it (CommonMark 4.5).
pub fn markdown_fence(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).saturating_add(1).max(3));
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}\n{text}{end}{fence}\n")
}

/// One line of code within a sentence or a table's cell: an id, to be copied as it is; nothing for nothing.
///
/// Backticks, more of them than stand together in the text (CommonMark 6.1). A `|` would end a cell, and its escape would
/// be shown outside of one: such a text goes into a `code` element instead. GitHub looks for no mentions, issue numbers or
/// emoji in there. Only the Markdown parser makes links of `www.`, `://` and e-mail addresses, before it knows of elements
/// (cmark-gfm, `autolink.c`). An empty comment keeps their parts apart, because it is not copied with the text.
pub fn markdown_code_span(text: &str) -> String {
    let line = text.replace(is_break, " ").replace('\t', " ");
    let line = line.trim();
    if line.is_empty() {
        return String::new();
    }
    if line.contains('|') {
        return format!("<code>{}</code>", in_code_element(line));
    }
    let fence = "`".repeat(longest_run(line) + 1);
    let pad = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// What Markdown reads a meaning into, as references, which mean the character itself everywhere (CommonMark 2.5).
fn in_code_element(line: &str) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    for (at, c) in line.char_indices() {
        match c {
            ':' if line[at..].starts_with("://") => out.extend([":", COMMENT]),
            '.' if out.len() >= 3 && out[out.floor_char_boundary(out.len() - 3)..].eq_ignore_ascii_case("www") => {
                out.extend([COMMENT, "."]);
            }
            '@' => out.extend([COMMENT, "@"]),
            '&' | '<' | '>' | '|' | '\\' | '`' | '$' | '[' | ']' | '*' | '_' | '!' | '~' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out
}

/// The most backticks that stand together.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
