//! GitHub Actions: workflow commands in the log, and the file that outputs are written to.

use std::collections::BTreeMap;

use super::{Command, net_lines, properties, seen_by_culture};

/// The commands that the runner knows (`ActionCommandManager.cs`).
const REGISTERED: [&str; 16] = [
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "internal-set-repo-path",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
];

/// The commands that the runner obeys in one stream's output, stops included (`ActionCommandManager.TryProcessCommand`).
pub fn commands(output: &str) -> Vec<Command> {
    let mut obeyed = Vec::new();
    let mut stopped: Option<String> = None;
    for line in net_lines(output) {
        let known = |name: &str| {
            let name = name.to_lowercase();
            REGISTERED.contains(&name.as_str()) || stopped.as_ref().is_some_and(|token| token.to_lowercase() == name)
        };
        let Some(command) = second_form(&line, known).or_else(|| first_form(&line, known)) else { continue };
        match &stopped {
            Some(token) if command.name.to_lowercase() == token.to_lowercase() => stopped = None,
            Some(_) => {}
            None => {
                if command.name.eq_ignore_ascii_case("stop-commands") {
                    stopped = Some(command.data.clone());
                }
                obeyed.push(command);
            }
        }
    }
    obeyed
}

/// `::name k=v,k=v::data` behind nothing but white space (`ActionCommand.TryParseV2`).
fn second_form(line: &str, known: impl Fn(&str) -> bool) -> Option<Command> {
    let line = seen_by_culture(line);
    let (inside, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, rest) = inside.split_once(' ').unwrap_or((inside, ""));
    let properties = properties(rest.trim(), ',', unescaped_property);
    known(name).then(|| Command { name: name.to_owned(), properties, data: unescaped_data(data) })
}

/// `##[name k=v;k=v]data` anywhere in the line (`ActionCommand.TryParse`): the first mark decides.
fn first_form(line: &str, known: impl Fn(&str) -> bool) -> Option<Command> {
    let line = seen_by_culture(line);
    let (_, rest) = line.split_once("##[")?;
    let (inside, data) = rest.split_once(']')?;
    let (name, rest) = inside.split_once(' ').unwrap_or((inside, ""));
    let unescape = |text: &str| {
        let text = text.replace("%3B", ";").replace("%0D", "\r").replace("%0A", "\n").replace("%5D", "]");
        text.replace("%25", "%")
    };
    let properties = properties(rest, ';', unescape);
    known(name).then(|| Command { name: name.to_owned(), properties, data: unescape(data) })
}

fn unescaped_data(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

fn unescaped_property(text: &str) -> String {
    let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
    text.replace("%25", "%")
}

/// The names of the commands that act, Gitea's and Forgejo's runners would obey (act, `pkg/runner/command.go`:
/// `^::([^ ]+)( (.+))?::([^\r\n]*)[\r\n]+$` and `^##\[([^ ]+)( (.+))?\]([^\r\n]*)[\r\n]+$`): any name, at the start of a line.
pub fn act_commands(output: &str) -> Vec<String> {
    let named = |line: &str, open: &str, close: &str| -> Option<String> {
        let inside = &line.strip_prefix(open)?[..line.rfind(close)?.checked_sub(open.len())?];
        let name = inside.split(' ').next()?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    let lines = output.split(['\n', '\r']);
    lines.filter_map(|line| named(line, "::", "::").or_else(|| named(line, "##[", "]"))).collect()
}

/// What the runner takes from the file of `$GITHUB_OUTPUT` on Linux and macOS (`FileCommandManager.cs`,
/// `EnvFileKeyValuePairs`); the last record of a name wins. An error fails the step.
pub fn outputs(file: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut rest = file;
    while let Some((line, _, after)) = next_line(rest) {
        rest = after;
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        let (name, value) = match (equals, heredoc) {
            (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
                (&line[..equals], line[equals + 1..].to_owned())
            }
            (_, Some(heredoc)) => {
                let delimiter = &line[heredoc + 2..];
                if delimiter.is_empty() {
                    return Err(format!("no delimiter: {line}"));
                }
                let (value, after) = until(rest, delimiter)?;
                rest = after;
                (&line[..heredoc], value)
            }
            _ => return Err(format!("invalid format: {line}")),
        };
        if name.is_empty() {
            return Err(format!("no name: {line}"));
        }
        found.insert(name.to_owned(), value);
    }
    Ok(found)
}

fn until<'a>(text: &'a str, delimiter: &str) -> Result<(String, &'a str), String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((line, ended, after)) = next_line(rest) {
        if line == delimiter {
            return Ok((lines.join("\n"), after));
        }
        if !ended {
            return Err("EOF marker missing new line".to_owned());
        }
        lines.push(line);
        rest = after;
    }
    Err(format!("matching delimiter not found: {delimiter}"))
}

/// A line, whether a line feed ends it, and what follows.
fn next_line(text: &str) -> Option<(&str, bool, &str)> {
    if text.is_empty() {
        return None;
    }
    Some(text.split_once('\n').map_or((text, false, ""), |(line, after)| (line, true, after)))
}

#[test]
fn commands_are_found_as_the_runner_finds_them() {
    let names = |output: &str| commands(output).into_iter().map(|command| command.name).collect::<Vec<_>>();
    assert_eq!(
        names("::error::x\n \u{3000}\u{a0}::Warning title=a::y\ntext\r::notice::z"),
        ["error", "Warning", "notice"]
    );
    assert_eq!(names("say ##[error]x\n###[group]\n##\u{200b}[add-mask]x"), ["error", "group", "add-mask"]);
    assert_eq!(names("x ::error::y\n::unknown::x\n##[unknown]x\n##[error\n::error:x"), [""; 0]);
    assert_eq!(names("::unknown::##[error]x"), ["error"]);
    assert_eq!(names("::stop-commands::T\n::error::x\n##[error]x\n::t::\n::debug::x"), ["stop-commands", "debug"]);
    let command = &commands("::error title=a%3Ab%2Cc,file=f::m%0A%250A")[0];
    assert_eq!((command.properties["title"].as_str(), command.data.as_str()), ("a:b,c", "m\n%0A"));
    assert_eq!(act_commands("::any thing::x\n ::error::x\n##[any]x\r::a::\n"), ["any", "any", "a"]);
}

#[test]
fn outputs_are_read_as_the_runner_reads_them() {
    let read = outputs("a=b=<<c\nd<<EOF\n\nx=y\r\nEOF\r\n EOF\nEOF\n\ne<<E\nE").expect("outputs");
    assert_eq!(read["a"], "b=<<c");
    assert_eq!(read["d"], "\nx=y\r\nEOF\r\n EOF");
    assert_eq!(read["e"], "");
    assert_eq!(outputs("a=1\na<<E\n2\nE\n").expect("outputs")["a"], "2");
    for bad in ["a", "=b", "<<E\nE\n", "a<<\n\n", "a<<E\nb\n", "a<<E\nb", "a<<E\nxE"] {
        assert!(outputs(bad).is_err(), "{bad:?}");
    }
}
