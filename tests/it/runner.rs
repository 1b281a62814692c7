//! How the CI systems read what we print: ports of their own parsing rules, to prove what they would make of it.
//!
//! Each port cites what it follows. Where a runner's library is lenient in ways of its own (.NET's comparisons by culture),
//! the port is at least as lenient.

use std::collections::BTreeMap;

use maestro_gate::report::escape;

pub mod github;
pub mod gitlab;
pub mod markdown;
pub mod teamcity;

/// A command that a runner obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub name: String,
    pub properties: BTreeMap<String, String>,
    pub data: String,
}

/// The lines of .NET's `StreamReader.ReadLine`: `\n`, `\r\n` and a lone `\r` end one.
pub fn net_lines(output: &str) -> Vec<String> {
    let output = output.replace("\r\n", "\n").replace('\r', "\n");
    output.strip_suffix('\n').unwrap_or(&output).split('\n').map(str::to_owned).collect()
}

/// What a culture-aware comparison of .NET (ICU) does not see: control characters that are not white space, and Unicode's
/// `Default_Ignorable_Code_Point`. <https://learn.microsoft.com/dotnet/core/extensions/globalization-icu>
pub fn seen_by_culture(line: &str) -> String {
    let unseen = |c: char| {
        matches!(u32::from(c), 0..=8 | 0xe..=0x1f | 0x7f..=0x84 | 0x86..=0x9f | 0xad | 0x34f | 0x61c | 0x115f | 0x1160
            | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164
            | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
            | 0xe0000..=0xe0fff)
    };
    line.chars().filter(|c| !unseen(*c)).collect()
}

/// `key=value` pairs; pairs without either are passed over, as `Split(RemoveEmptyEntries)` with two parts does.
fn properties(text: &str, separator: char, unescape: fn(&str) -> String) -> BTreeMap<String, String> {
    let pairs = text.split(separator).filter_map(|pair| pair.trim_start_matches('=').split_once('='));
    pairs.filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.to_lowercase(), unescape(value))).collect()
}

/// Azure Pipelines: `##vso[area.event k=v;k=v]data` anywhere in a line
/// (azure-pipelines-agent, `src/Microsoft.VisualStudio.Services.Agent/Command.cs`). The prefix is compared without case here.
pub fn azure(output: &str) -> Vec<Command> {
    net_lines(output).iter().filter_map(|line| azure_line(line)).collect()
}

fn azure_line(line: &str) -> Option<Command> {
    let line = seen_by_culture(line);
    let start = line.to_ascii_lowercase().find("##vso[")? + "##vso[".len();
    let (inside, data) = line[start..].split_once(']')?;
    let (name, rest) = inside.split_once(' ').unwrap_or((inside, ""));
    let parts = name.split('.').filter(|part| !part.is_empty()).count();
    let unescape = |text: &str| {
        let text = text.replace("%3B", ";").replace("%0D", "\r").replace("%0A", "\n").replace("%5D", "]");
        text.replace("%AZP25", "%")
    };
    let properties = properties(rest, ';', unescape);
    (parts == 2).then(|| Command { name: name.to_owned(), properties, data: unescape(data) })
}

/// Azure's agent warns of every line that holds `##vso` or `##[` and is no command that it knows.
pub fn azure_warns_of(output: &str) -> Vec<String> {
    let is_odd = |line: &String| {
        let line = seen_by_culture(line).to_ascii_lowercase();
        (line.contains("##vso") || line.contains("##[")) && azure_line(&line).is_none()
    };
    net_lines(output).into_iter().filter(is_odd).collect()
}

/// TeamCity: `##teamcity[...]` in a line (documentation, *Service messages*); what stands between the brackets, `|`
/// escaping the next character. An unclosed one counts too: TeamCity warns about it.
pub fn teamcity(output: &str) -> Vec<String> {
    let mut messages = Vec::new();
    for line in net_lines(output) {
        let mut rest = line.to_ascii_lowercase();
        while let Some(at) = rest.find("##teamcity[") {
            rest = rest.split_off(at + "##teamcity[".len());
            let mut escaped = false;
            let end = rest.find(|c| {
                let ends = c == ']' && !escaped;
                escaped = c == '|' && !escaped;
                ends
            });
            messages.push(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    messages
}

/// Buildkite: the lines that open a group, or open the previous one (agent, `header_times_streamer.go`: colours are taken out, then
/// `^(?:---|\+\+\+|~~~)\s(.+)?$` and `^(?:\^\^\^\s+\+\+\+)\s*$`; here also without the blank).
pub fn buildkite_groups(output: &str) -> Vec<String> {
    let opens = |line: &&str| ["---", "+++", "~~~", "^^^"].iter().any(|mark| line.starts_with(mark));
    output.split(['\n', '\r']).filter(opens).map(str::to_owned).collect()
}

#[test]
fn the_ports_find_what_the_runners_obey() {
    let found = azure("x ##vso[task.setvariable variable=A;isoutput=true]b%0Ac%AZP25\n##vso[nodot]x\n");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].data.as_str()), ("task.setvariable", "b\nc%"));
    assert_eq!(found[0].properties["isoutput"], "true");
    assert_eq!(azure("a\r##\u{200b}VSO[task.complete]").len(), 1);
    assert_eq!(teamcity("a ##teamcity[a b='|]'] ##teamcity[c"), ["a b='|]'", "c"]);
    assert_eq!(buildkite_groups("--- a\n ---b\n^^^ +++\r+++ c\n").len(), 3);
}

#[test]
fn azure_is_given_no_line_to_warn_of() {
    for text in
        ["##vso", "x ##VSO y", "##vso[", "##[", "##[error", "###vso", "##vso task.complete", "##teamcity", "##é"]
    {
        let log = format!("{}\n{}", escape::log_line(text), escape::gutter(text));
        assert_eq!(azure_warns_of(&log), [""; 0], "{log}");
        assert!(!log.contains(text), "{log}");
    }
    assert_eq!(azure_warns_of("a ##vso\n##[x\n## vso\n").len(), 2);
    assert_eq!(escape::log_line("## Title # 1 ##"), "## Title # 1 ##");
}
