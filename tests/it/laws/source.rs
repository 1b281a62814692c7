//! Rust source as far as the laws need it: its words without comments, strings and test code, and the paths among them.
//!
//! Not a parser. It knows how text begins and ends (so that a path in a comment is none), how `use` trees branch, and how
//! far an item under `#[cfg(test)]` goes. What a macro makes of its input stays unseen; there is no macro of ours.

use std::collections::BTreeSet;

/// A word or a sign, and the line it stands on. A string literal is the word `"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// Source without its tests.
pub(crate) struct Product<'a> {
    pub(crate) tokens: Vec<Token<'a>>,
    /// The modules declared `#[cfg(test)] mod NAME;`: their files are tests too.
    pub(crate) test_modules: BTreeSet<&'a str>,
}

/// A path as written, from its root on: `crate::a::b`, `super::c`, `chrono::Utc`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path<'a> {
    pub(crate) segments: Vec<&'a str>,
    /// The inline modules around it, outermost first.
    pub(crate) inside: Vec<&'a str>,
    pub(crate) line: usize,
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// How many bytes at the start of `rest` are part of one word.
fn word_length(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
}

/// How many bytes of `rest`, which begins with `quote`, are a literal with backslash escapes.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// The same for a raw string, from its hashes (if any) on; none if it is no raw string.
fn raw_length(rest: &str) -> Option<usize> {
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = rest[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&close).map_or(rest.len(), |at| hashes + 1 + at + close.len()))
}

/// Block comments nest.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// `'a` is a lifetime, `'a'` and `'\n'` are characters.
fn apostrophe_length(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted_length(rest, '\''),
        _ => 1 + word_length(&rest[1..]),
    }
}

pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let (length, text) = if first.is_whitespace() {
            (first.len_utf8(), None)
        } else if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (block_comment_length(rest), None)
        } else if first == '"' {
            (quoted_length(rest, '"'), Some("\""))
        } else if first == '\'' {
            (apostrophe_length(rest), None)
        } else if rest.starts_with("::") {
            (2, Some("::"))
        } else if is_word(rest) {
            let word = word_length(rest);
            let behind = &rest[word..];
            match &rest[..word] {
                "r" | "br" | "cr" if raw_length(behind).is_some() => {
                    (word + raw_length(behind).unwrap_or_default(), Some("\""))
                }
                "b" | "c" if behind.starts_with('"') => (word + quoted_length(behind, '"'), Some("\"")),
                "b" if behind.starts_with('\'') => (word + quoted_length(behind, '\''), None),
                text => (word, Some(text)),
            }
        } else {
            (first.len_utf8(), Some(&rest[..first.len_utf8()]))
        };
        found.extend(text.map(|text| Token { text, line }));
        line += source[at..at + length].matches('\n').count();
        at += length;
    }
    found
}

/// The index behind the bracket that closes the one at `open`.
fn behind_group(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The index behind the item, field or statement that begins at `start`.
fn behind_item(tokens: &[Token<'_>], start: usize) -> usize {
    let head = tokens[start..].iter().take(8).map(|token| token.text).find(|text| {
        matches!(
            *text,
            "fn" | "mod" | "impl" | "struct" | "enum" | "trait" | "use" | "static" | "type" | "macro_rules" | "let"
        )
    });
    // These end at their semicolon even if braces come before it; a `const fn` was found as `fn`.
    let to_semicolon = matches!(head, Some("use" | "static" | "type" | "let"))
        || head.is_none() && tokens[start..].iter().take(5).any(|token| token.text == "const");
    let mut at = start;
    while let Some(token) = tokens.get(at) {
        match token.text {
            ";" => return at + 1,
            "," if head.is_none() => return at + 1,
            ")" | "]" | "}" => return at,
            "{" if !to_semicolon => return behind_group(tokens, at),
            "(" | "[" | "{" => at = behind_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// Whether an attribute's words leave what follows to tests alone.
fn is_for_tests(attribute: &[Token<'_>]) -> bool {
    let words: Vec<&str> = attribute.iter().map(|token| token.text).collect();
    words == ["cfg", "(", "test", ")"] || words.starts_with(&["cfg", "(", "all", "(", "test", ","])
}

/// What is left without the items under `#[cfg(test)]`.
pub(crate) fn product<'a>(tokens: &[Token<'a>]) -> Product<'a> {
    let mut left = Product { tokens: Vec::new(), test_modules: BTreeSet::new() };
    let mut at = 0;
    while at < tokens.len() {
        let texts = |from: usize| tokens[from..].iter().map(|token| token.text);
        if texts(at).take(3).eq(["#", "!", "["]) && is_for_tests(&tokens[at + 3..behind_group(tokens, at + 2) - 1]) {
            return left;
        }
        if !texts(at).take(2).eq(["#", "["]) || !is_for_tests(&tokens[at + 2..behind_group(tokens, at + 1) - 1]) {
            left.tokens.push(tokens[at]);
            at += 1;
            continue;
        }
        while texts(at).take(2).eq(["#", "["]) {
            at = behind_group(tokens, at + 1);
        }
        let end = behind_item(tokens, at);
        let item: Vec<&str> = tokens[at..end].iter().map(|token| token.text).collect();
        if let [.., "mod", name, ";"] = item[..] {
            left.test_modules.insert(name);
        }
        at = end;
    }
    left
}

/// Every path of two segments or more, and every `use`, whatever its length.
pub(crate) fn paths<'a>(tokens: &[Token<'a>]) -> Vec<Path<'a>> {
    let mut found = Vec::new();
    let mut inside: Vec<(&str, usize)> = Vec::new();
    let mut depth = 0usize;
    let mut at = 0;
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    while at < tokens.len() {
        let here: Vec<&str> = inside.iter().map(|(name, _)| *name).collect();
        match text(at) {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inside.retain(|(_, opened)| *opened <= depth);
            }
            "mod" if text(at + 2) == "{" => {
                inside.push((text(at + 1), depth + 1));
                depth += 1;
                at += 3;
                continue;
            }
            // `impl Trait + use<'a>` is no import.
            "use" if text(at + 1) != "<" => {
                let line = tokens[at].line;
                let mut branches = Vec::new();
                at = use_tree(tokens, at + 1, &[], &mut branches);
                found.extend(branches.into_iter().map(|segments| Path { segments, inside: here.clone(), line }));
                continue;
            }
            "extern" if text(at + 1) == "crate" => {
                found.push(Path { segments: vec![text(at + 2)], inside: here, line: tokens[at].line });
            }
            root if is_word(root) && text(at + 1) == "::" => {
                // A root stands alone, or behind a leading `::`; behind `a::` or `>::` it is the middle of a path, and
                // behind a dot a method.
                let middle = at > 1 && text(at - 1) == "::" && (is_word(text(at - 2)) || text(at - 2) == ">")
                    || at > 1 && text(at - 1) == "." && text(at - 2) != ".";
                let line = tokens[at].line;
                let mut segments = vec![root];
                while text(at + 1) == "::" && is_word(text(at + 2)) {
                    segments.push(text(at + 2));
                    at += 2;
                }
                if !middle {
                    found.push(Path { segments, inside: here, line });
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Follows one branch of a `use` from `at`; returns the index behind it.
fn use_tree<'a>(tokens: &[Token<'a>], mut at: usize, stem: &[&'a str], found: &mut Vec<Vec<&'a str>>) -> usize {
    let mut path = stem.to_vec();
    while let Some(token) = tokens.get(at) {
        match token.text {
            "::" => at += 1,
            "as" => at += 2,
            "{" => {
                at += 1;
                while at < tokens.len() && tokens[at].text != "}" {
                    at = use_tree(tokens, at, &path, found);
                    if tokens.get(at).is_some_and(|token| token.text == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            // `use a::{self}` names `a`.
            "self" if !path.is_empty() => at += 1,
            "," | "}" | ";" => break,
            word => {
                path.push(word);
                at += 1;
            }
        }
    }
    found.push(path);
    at
}
