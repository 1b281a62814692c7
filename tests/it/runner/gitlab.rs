//! GitLab: the dotenv report, what it expands in there, and section marks in the log.

use std::collections::BTreeMap;

/// The server's default limits (`dotenv_size`, `dotenv_variables`).
const SIZE: usize = 5 * 1024;
const VARIABLES: usize = 20;

/// What the server takes from a dotenv report (`app/services/ci/parse_dotenv_artifact_service.rb`, and the key's format in
/// `Ci::HasVariable`). An error refuses the whole file.
pub fn dotenv(file: &str) -> Result<BTreeMap<String, String>, String> {
    if file.len() >= SIZE {
        return Err(format!("{} bytes", file.len()));
    }
    let mut found = BTreeMap::new();
    for line in file.strip_prefix('\u{feff}').unwrap_or(file).split_inclusive('\n') {
        let (key, value) = line.split_once('=').ok_or(format!("invalid format: {line:?}"))?;
        let key = key.trim();
        if key.is_empty() || key.len() > 255 || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("invalid key: {key:?}"));
        }
        found.insert(key.to_owned(), value.trim().to_owned());
    }
    if found.len() > VARIABLES { Err(format!("{} variables", found.len())) } else { Ok(found) }
}

/// The variables that are put into a value when it is used (`lib/expand_variables.rb`:
/// `\$([a-zA-Z_][a-zA-Z0-9_]*)|\${\g<1>}|%\g<1>%`).
pub fn references(value: &str) -> Vec<String> {
    let name_of = |text: &str| {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let name = &text[..end];
        (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then(|| name.to_owned())
    };
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find(['$', '%']) {
        let (mark, after) = rest[at..].split_at(1);
        let (name, close) = match (mark, after.strip_prefix('{')) {
            ("$", Some(inside)) => (name_of(inside), "}"),
            ("$", None) => (name_of(after), ""),
            _ => (name_of(after), "%"),
        };
        let opened = if close == "}" { 1 } else { 0 };
        match name {
            Some(name) if after[opened + name.len()..].starts_with(close) => {
                rest = &after[opened + name.len() + close.len()..];
                found.push(name);
            }
            _ => rest = after,
        }
    }
    found
}

/// The links that the server takes from an annotations report (`app/services/ci/parse_annotations_artifact_service.rb`,
/// `app/models/ci/job_annotation.rb` and its JSON schemas), and the size that it takes by default.
pub fn annotations(file: &str) -> Result<Vec<(String, String)>, String> {
    if file.len() > 80 * 1024 {
        return Err(format!("{} bytes", file.len()));
    }
    let lists: BTreeMap<String, Vec<serde_json::Value>> =
        serde_json::from_str(file).map_err(|error| error.to_string())?;
    if lists.len() > 20 || lists.keys().any(|name| name.trim().is_empty() || name.chars().count() > 255) {
        return Err("names".to_owned());
    }
    let mut links = Vec::new();
    for list in lists.into_values() {
        if list.len() > 1000 {
            return Err(format!("{} links", list.len()));
        }
        for item in list {
            let link = item.get("external_link").and_then(serde_json::Value::as_object);
            let text = |key| link.and_then(|link| link.get(key)?.as_str().map(str::to_owned));
            match (item.as_object().map(|item| item.len()), link.map(|link| link.len()), text("label"), text("url")) {
                (Some(1), Some(2), Some(label), Some(url)) => links.push((label, url)),
                _ => return Err(format!("{item}")),
            }
        }
    }
    Ok(links)
}

/// The sections that a log opens or closes (`lib/gitlab/regex.rb`, `build_trace_section_regex`:
/// `section_(start|end):\d+:[a-zA-Z0-9_.-]+([\w+=\w+, ...])?\r\e[0K`, anywhere).
pub fn sections(log: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in log.match_indices("section_") {
        let Some((mark, _)) = log[at..].split_once("\r\u{1b}[0K") else { continue };
        let (mark, options) = mark.split_at(mark.find('[').unwrap_or(mark.len()));
        if !options.is_empty() && options.find(']') != Some(options.len() - 1) {
            continue;
        }
        let parts: Vec<&str> = mark.split(':').collect();
        let [word, time, name] = parts[..] else { continue };
        let name_fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) && !name.is_empty();
        let time_fits = time.chars().all(|c| c.is_ascii_digit()) && !time.is_empty();
        if ["section_start", "section_end"].contains(&word) && time_fits && name_fits {
            found.push(name.to_owned());
        }
    }
    found
}

#[test]
fn dotenv_and_sections_are_read_as_gitlab_reads_them() {
    let read = dotenv("\u{feff}A = b=c \nB=\nA=d").expect("variables");
    assert_eq!((read["A"].as_str(), read["B"].as_str()), ("d", ""));
    for bad in ["A=1\n\nB=2\n", "# note\n", "A-B=1\n", "=x\n", &format!("A={}\n", "x".repeat(SIZE))] {
        assert!(dotenv(bad).is_err(), "{bad:?}");
    }
    let many: String = (0..=VARIABLES).map(|index| format!("A{index}=1\n")).collect();
    assert!(dotenv(&many).is_err());

    assert_eq!(references("$A ${B} %C% %25 $1 ${D %E $$F %%G%"), ["A", "B", "C", "F", "G"]);
    assert_eq!(
        sections("x\u{1b}[0Ksection_start:1:a.b[collapsed=true]\r\u{1b}[0KTitle section_end:2:a.b\r\u{1b}[0K"),
        ["a.b"; 2]
    );
    assert!(sections("section_start:1:a[b=c]Title\nsection_end:1:a text\r\u{1b}[0K").is_empty());
    assert!(sections("section_start:1:a\n section_start:x:a\r\u{1b}[0K").is_empty());
}
