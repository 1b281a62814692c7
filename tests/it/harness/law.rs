//! Checked at the end of every story (rule 2 of docs/reference.md): everything that the gate leaves agrees on the verdict,
//! shows no secret, and makes a runner do nothing unintended; and the requests are those that the reference lists.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Story, StoryOutcome};
use crate::hostile::readable;
use crate::runner::{azure, buildkite_groups, github, gitlab, teamcity};
use crate::schema::{log_faults, report_faults};
use crate::stand_in::{On, Service};

/// The reference's table, written down once more.
const EXIT_CODES: [(&str, &[i32]); 11] = [
    ("passed", &[0]),
    ("failed", &[1]),
    ("invalid-input", &[2]),
    ("timed-out", &[3]),
    ("not-found", &[4]),
    ("denied", &[5]),
    ("unreachable", &[6]),
    ("stale", &[7]),
    ("not-started", &[8]),
    ("internal-error", &[70]),
    ("interrupted", &[130, 143]),
];

/// The reference's order: the gate's verdict is the first of these that a run has.
const ORDER: [&str; 10] = [
    "internal-error",
    "interrupted",
    "failed",
    "denied",
    "not-started",
    "not-found",
    "unreachable",
    "timed-out",
    "stale",
    "passed",
];

/// Checks all of it for a story that has ended.
pub fn check(story: &Story<'_>, outcome: &StoryOutcome, service: Option<&Service>) {
    let (verdict, code) = agreement(outcome);
    if outcome.code.is_some() {
        assert_eq!(outcome.code, Some(code), "{outcome:#?}");
        let left: Vec<_> = outcome.files.keys().filter(|path| path.to_string_lossy().contains(".partial")).collect();
        assert!(left.is_empty() || some_are_late(outcome), "half-written files: {left:?}");
        if let Some(log) = &outcome.stdout {
            log_is_as_meant(story, log, &verdict, code);
        }
    } else {
        assert_eq!((verdict.as_str(), code), ("internal-error", 70), "killed: {outcome:#?}");
    }
    if outcome.stdout.is_some() {
        assert_eq!(outcome.stderr, "", "stderr is for a terminal's spinner, and for what stdout's reader did not get");
    }
    if !some_are_late(outcome) {
        runs_agree(outcome, &verdict);
        summaries_agree(story, outcome, &verdict, code);
    }

    let mut secrets: Vec<String> = story.secrets.clone();
    if let Some(service) = service {
        let retries = story.inputs.get("retries").and_then(|text| text.to_str()?.parse().ok()).unwrap_or_default();
        asked_as_promised(service, story.requests_before, retries, outcome);
        let tokens = service.requests().into_iter().filter_map(|seen| Some(seen.header("authorization")?.to_owned()));
        secrets.extend(tokens);
        secrets.sort();
        secrets.dedup();
    }
    let mut texts: BTreeMap<String, &str> =
        outcome.files.iter().map(|(path, text)| (path.display().to_string(), text.as_str())).collect();
    texts.insert("stdout".to_owned(), outcome.stdout.as_deref().unwrap_or_default());
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    for (place, text) in texts {
        assert_eq!(readable(text, &secrets), [""; 0], "in {place}: {text}");
    }
}

/// Whether the log says that a destination could not be written before a signal's two seconds were over: on a busy machine
/// a long trace can take them.
pub fn some_are_late(outcome: &StoryOutcome) -> bool {
    outcome.stdout.as_ref().is_some_and(|log| log.contains(": not written in time"))
}

/// The verdict and exit code that every place shows, which must be the same everywhere and stand in the reference's table.
fn agreement(outcome: &StoryOutcome) -> (String, i32) {
    let mut says: Vec<(&str, String, String)> = Vec::new();
    let mut say = |place, verdict: Option<&String>, code: Option<&String>| {
        let text = |value: Option<&String>| {
            value.cloned().unwrap_or_else(|| panic!("{place} has no verdict or code: {outcome:#?}"))
        };
        says.push((place, text(verdict), text(code)));
    };
    if let Some(outputs) = &outcome.outputs {
        say("the outputs", outputs.get("verdict"), outputs.get("exit-code"));
    }
    if let Some(folder) = &outcome.output_dir {
        say("output-dir", folder.get("verdict"), folder.get("exit-code"));
    }
    if let Some(dotenv) = &outcome.dotenv {
        let ending = |end: &str| dotenv.iter().find(|(name, _)| name.ends_with(end)).map(|(_, value)| value);
        say("dotenv", ending("VERDICT"), ending("EXIT_CODE"));
    }
    if let Some(json) = &outcome.json {
        let text = |key: &str| Some(json[key].to_string().trim_matches('"').to_owned());
        say("json", text("verdict").as_ref(), text("exit_code").as_ref());
    }
    if says.is_empty() {
        let (verdict, code) = last_line(outcome.log());
        says.push(("the last line", verdict, code));
    }
    // What is late keeps its first version: of a folder, each file.
    let is_last = |(_, verdict, code): &(&str, String, String)| verdict != "internal-error" && code != "70";
    if some_are_late(outcome) && says.iter().any(is_last) {
        says.retain(is_last);
    }
    let (_, verdict, code) = says[0].clone();
    assert!(says.iter().all(|(_, other, number)| (other, number) == (&verdict, &code)), "{says:?}");
    let code: i32 = code.parse().expect("a number");
    let row = EXIT_CODES.iter().find(|(name, _)| *name == verdict);
    assert!(row.is_some_and(|(_, codes)| codes.contains(&code)), "{verdict} with {code}");
    (verdict, code)
}

/// `maestro-gate: VERDICT (exit code N): ...`, or the last object of a JSON log.
fn last_line(log: &str) -> (String, String) {
    let line = log.lines().next_back().unwrap_or_default();
    if let Ok(object) = serde_json::from_str::<Value>(line) {
        let text = |key: &str| object[key].to_string().trim_matches('"').to_owned();
        return (text("verdict"), text("exit_code"));
    }
    let parts = line.strip_prefix("maestro-gate: ").and_then(|line| line.split_once(" (exit code "));
    let (verdict, rest) = parts.unwrap_or_else(|| panic!("the last line is not the verdict: {log}"));
    (verdict.to_owned(), rest.split(')').next().unwrap_or_default().to_owned())
}

/// The log as runners read it.
fn log_is_as_meant(story: &Story<'_>, log: &str, verdict: &str, code: i32) {
    assert!(log.ends_with('\n'), "{log}");
    assert_eq!(last_line(log), (verdict.to_owned(), code.to_string()), "{log}");
    let commands = github::commands(log);
    let mut names: Vec<&str> = commands.iter().map(|command| command.name.as_str()).collect();
    let in_json = story.inputs.get("log-format").is_some_and(|format| format == "json");
    if in_json || !story.env.contains_key("GITHUB_ACTIONS") {
        assert!(names.is_empty() && github::act_commands(log).is_empty(), "{log}");
    } else {
        let count = |names: &[&str], name: &str| names.iter().filter(|other| **other == name).count();
        assert_eq!(count(&names, "error"), usize::from(verdict != "passed"), "{log}");
        assert!(count(&names, "warning") <= 5, "{log}");
        assert_eq!(count(&names, "group"), count(&names, "endgroup"), "{log}");
        assert_eq!(count(&names, "group"), count(&names, "stop-commands"), "{log}");
        names.retain(|name| !["error", "warning", "group", "endgroup", "stop-commands"].contains(name));
        assert!(names.is_empty(), "{names:?} in {log}");
        let titles = commands.iter().filter(|command| ["error", "warning"].contains(&command.name.as_str()));
        assert!(titles.clone().all(|command| command.properties.contains_key("title")), "{log}");
    }
    if in_json {
        for line in log.lines() {
            let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(object.is_object() && !line.contains('#'), "{line}");
            assert_eq!(log_faults(&object), [""; 0], "{line}");
        }
    }
    assert!(azure(log).is_empty() && teamcity(log).is_empty(), "{log}");
    assert!(buildkite_groups(log).is_empty() && gitlab::sections(log).is_empty(), "{log}");
    assert!(log.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{log:?}");
}

/// The runs in JSON, in the outputs and in JUnit, and that their worst is the gate's.
fn runs_agree(outcome: &StoryOutcome, verdict: &str) {
    if let Some(json) = &outcome.json {
        assert_eq!(report_faults(json), [""; 0], "{json}");
        let runs = json["runs"].as_array().expect("a list");
        // An attempt that another one followed decides nothing, and is skipped in JUnit.
        let is_retried = |run: &Value| run["retried"].as_bool().expect("yes or no");
        let word = |run: &Value| run["verdict"].as_str().expect("a word").to_owned();
        let deciding: Vec<String> = runs.iter().filter(|run| !is_retried(run)).map(word).collect();
        let words: Vec<String> =
            runs.iter().map(|run| if is_retried(run) { "not-waited".to_owned() } else { word(run) }).collect();
        let worst = ORDER.iter().find(|word| deciding.iter().any(|one| one == *word)).copied();
        assert_eq!(worst.unwrap_or("invalid-input"), verdict, "{words:?}");
        let decisive = runs.iter().find(|run| run["verdict"] == verdict).or(runs.first().filter(|_| runs.len() == 1));
        let cause = decisive.and_then(|run| run["cause"].as_str()).unwrap_or_default();
        for outputs in [outcome.outputs.as_ref(), outcome.output_dir.as_ref()].into_iter().flatten() {
            assert_eq!(outputs["cause"], cause, "the cause is the same everywhere");
        }
        if let Some(outputs) = outcome.outputs.as_ref().filter(|outputs| !outputs["runs"].is_empty()) {
            let short: Value = serde_json::from_str(&outputs["runs"]).expect("JSON");
            let rows = runs.iter().map(|run| {
                let mut run = run.as_object().expect("an object").clone();
                run.retain(|key, _| {
                    !["cause", "hint", "trace", "run_url", "pipeline_url", "pipeline", "reason", "history"]
                        .contains(&key.as_str())
                });
                Value::Object(run)
            });
            assert_eq!(short, rows.collect::<Value>());
        }
        if let (Some(cases), false) = (&outcome.junit, runs.is_empty()) {
            let ends: Vec<&str> = cases.iter().map(|case| end_of(case.end.as_ref())).collect();
            let (mut ends, mut words) = (ends, words);
            // Suites gather the runs of a pipeline; a run's place among all is not shown there.
            ends.sort_unstable();
            words.sort_unstable();
            assert_eq!(ends, words);
        }
    }
    if let Some(cases) = &outcome.junit {
        assert!(!cases.is_empty(), "an empty JUnit report passes everywhere");
        let all_pass = cases.iter().all(|case| case.end.as_ref().is_none_or(|(tag, ..)| tag == "skipped"));
        assert_eq!(all_pass, verdict == "passed", "{cases:?}");
    }
}

fn end_of(end: Option<&(String, String, String, String)>) -> &str {
    match end {
        None => "passed",
        Some((tag, word, message, content)) => {
            assert!(content.starts_with(message.as_str()) && !message.is_empty(), "{message:?} before {content:?}");
            match (tag.as_str(), word.as_str()) {
                ("failure", "failed") => "failed",
                ("skipped", _) => "not-waited",
                ("error", word) if word != "failed" => word,
                _ => panic!("{tag} of type {word}"),
            }
        }
    }
}

fn summaries_agree(story: &Story<'_>, outcome: &StoryOutcome, verdict: &str, code: i32) {
    let headline = format!("maestro-gate: {verdict}\n");
    let closing = format!("<sub>exit code {code} ·");
    let wanted = outcome.code.is_some() && story.inputs.get("summary").is_none_or(|wanted| wanted != "false");
    let summary = outcome.summary.as_ref().filter(|_| wanted);
    for page in [outcome.markdown.as_ref(), summary].into_iter().flatten() {
        let headlines: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert!(headlines.len() == 1 && page.contains(&headline) && page.contains(&closing), "{page}");
        assert!(page.len() <= 128 * 1024);
    }
    if let Some(summary) = summary {
        assert!(summary.starts_with("## "), "the summary starts with the result: {summary}");
    }
    if let (Some(summary), Some(markdown)) = (summary, &outcome.markdown) {
        assert!(summary.ends_with(markdown.as_str()), "the summary is the Markdown report");
    }
}

/// Only requests that the reference lists are made, at most one per second for a run, and with the headers that it promises.
fn asked_as_promised(service: &Service, before: usize, retries: usize, outcome: &StoryOutcome) {
    let requests: Vec<_> = service.requests().into_iter().skip(before).filter(|seen| seen.on != On::Connect).collect();
    assert!(service.most_at_once() <= 9, "{} at once", service.most_at_once());
    for seen in &requests {
        let asks = matches!((seen.method.as_str(), seen.on), ("POST", On::SignIn | On::Execute) | ("GET", _));
        assert!(asks, "{} {}", seen.method, seen.path);
        assert_eq!(seen.header("user-agent"), Some(concat!("maestro-gate/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(seen.header("dadosfera-lang"), Some("en-us"));
        assert_eq!(seen.header("cache-control"), Some("no-cache"));
        let token = seen.header("authorization");
        assert_eq!(token.is_some(), seen.on != On::SignIn, "{}", seen.path);
        assert!(!token.is_some_and(|token| token.to_lowercase().starts_with("bearer")), "{token:?}");
        assert_eq!(seen.header("x-api-key"), None);
    }
    // One that was turned away before anything was done may be made again.
    let executes = requests.iter().filter(|seen| seen.on == On::Execute && !matches!(seen.status, 401 | 429));
    let mut started: BTreeMap<&[u8], usize> = BTreeMap::new();
    executes.for_each(|seen| *started.entry(&seen.body).or_default() += 1);
    assert!(
        started.values().all(|times| *times <= 1 + retries),
        "a pipeline is never started more often than retries says"
    );
    let Some(waited) = outcome.json.as_ref().and_then(|json| json["waited_seconds"].as_u64()) else { return };
    let mut looks: BTreeMap<&str, u64> = BTreeMap::new();
    // A redirect that is followed and a token that is renewed belong to the same poll.
    for look in requests.iter().filter(|seen| seen.on == On::Run && !matches!(seen.status, 401 | 403 | 301..=308)) {
        *looks.entry(&look.path).or_default() += 1;
    }
    // By the gate's own clock, which no busy machine can hurry: polls at 0, 1, 2, ... seconds.
    assert!(looks.values().all(|count| *count <= waited + 1), "{looks:?} within {waited} s");
}
