//! One escaper per grammar that text enters. (A stand-in until the branches meet: the real one is written beside this.)

/// One line of the log.
pub fn log_line(text: &str) -> String {
    let line = text.replace('\n', " ").replace('#', "#\u{200b}");
    if line.trim_start().starts_with("::") { format!("| {line}") } else { line }
}

/// Every line behind `  | `.
pub fn gutter(text: &str) -> String {
    text.lines().map(|line| format!("  | {}", line.replace('#', "#\u{200b}"))).collect::<Vec<_>>().join("\n")
}

pub fn github_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

pub fn github_property(text: &str) -> String {
    github_data(text).replace(':', "%3A").replace(',', "%2C")
}

pub fn markdown_inline(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '!' | '@' => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}

pub fn markdown_fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}")
}

pub fn dotenv_value(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.:/@%+,=-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub fn dotenv_key(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

pub fn json_log(line: &str) -> String {
    line.replace('#', "\\u0023")
}
