//! The job summary: what a person sees first, on GitHub, Gitea, Azure and Buildkite.

use std::collections::HashSet;

use super::ReportFormat;
use super::chart::{self, Chart};
use super::escape::{markdown_code_span as code, markdown_inline as inline};
use super::room::Room;
use super::{Note, NoteLevel, Report, RunReport, Stage, messages};
use crate::core::{End, Verdict};

mod code_blocks;

pub static MARKDOWN: ReportFormat =
    ReportFormat { input: "markdown", render: |report, _, chart| vec![summary(report, chart)] };

/// All of a summary, in bytes (docs/reference.md#log-and-summary). GitHub drops a whole summary over 1 MiB.
pub const LIMIT: usize = 128 * 1024;

/// The parts' shares of it, in bytes as written. What is left over is for headlines and for the first version, which
/// stands in the same file.
const RUNS_LIMIT: usize = 36 * 1024;
const TRACES_LIMIT: usize = 24 * 1024;
const LOGS_LIMIT: usize = 20 * 1024;
const NOTES_LIMIT: usize = 12 * 1024;
const LIST_LIMIT: usize = 6 * 1024;

/// The most pipelines whose past is shown.
const PIPELINES: usize = 3;

/// More notes than this are folded away.
const OPEN_NOTES: usize = 5;

/// The first version, for a CI's file, which can only be appended to: one line, on the page too, that the end does not
/// contradict.
pub fn began(report: &Report) -> String {
    let runs = match report.runs.as_slice() {
        [] => "a run".to_owned(),
        [only] if only.run_id.is_empty() => format!("{} of pipeline {}", code(only.stand_in), code(&only.pipeline_id)),
        [only] => format!("run {}", code(&only.run_id)),
        several => messages::count(several.len(), "run", "runs"),
    };
    format!(
        "<sub>maestro-gate {} started waiting for {runs}. If nothing follows, it ended before it could \
         report: killed, out of memory, or a bug.</sub>\n\n",
        report.version
    )
}

/// The summary.
pub fn summary(report: &Report, chart: Chart) -> String {
    let mut page = format!(
        "## {} maestro-gate: {}\n\n{}\n\n",
        icon(End::Verdict(report.verdict)),
        report.verdict.name(),
        headline(report)
    );
    page.push_str(&list(report.input_errors.iter().map(|input_error| inline(input_error)).collect(), "input errors"));
    page.push_str(&likely_cause(report));
    page.push_str(&table(report));
    page.push_str(&pipelines(report));
    page.push_str(&reasons(report));
    page.push_str(&next(report));
    page.push_str(&code_blocks::traces(report, Room(TRACES_LIMIT)));
    page.push_str(&code_blocks::logs(report, Room(LOGS_LIMIT)));
    page.push_str(&history(report, chart));
    page.push_str(&notes(&report.notes, report.verdict == Verdict::Passed));
    page.push_str(&format!(
        "<sub>exit code {} · {} · maestro-gate {}</sub>\n",
        report.verdict.exit_code(),
        messages::effort(report).replace(", ", " · "),
        report.version
    ));
    page
}

fn icon(end: End) -> &'static str {
    match end {
        End::Verdict(Verdict::Passed) => "✅",
        End::Verdict(Verdict::Failed) => "❌",
        End::Verdict(_) => "⚠️",
        End::NotWaited => "➖",
    }
}

/// A fragment of ours on a page of sentences.
fn sentence(text: &str) -> String {
    let (first, rest) = text.split_at(text.ceil_char_boundary(1));
    ended(&(first.to_ascii_uppercase() + rest))
}

/// With a full stop, unless the text has its own end.
fn ended(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    inline(&format!("{text}{end}"))
}

/// What happened. The table below names the pipeline of an only run.
fn headline(report: &Report) -> String {
    match report.deciding().collect::<Vec<_>>().as_slice() {
        [only] if report.stage == Stage::Final && only.end == End::Verdict(report.verdict) => {
            let (gap, facts) = messages::gap_and_reason(only);
            // What was to be chosen or started has only the word for it.
            let run = if only.run_id.is_empty() { "" } else { "Run " };
            format!("{run}{}{gap} {}", code(only.name()), ended(&facts))
        }
        _ => sentence(&messages::headline(report)),
    }
}

/// The line that names the error of an only run, and what it suggests.
fn likely_cause(report: &Report) -> String {
    let Some(run) = report.only_run() else { return String::new() };
    let cause = run.cause.as_ref().map(|cause| format!("**Likely cause:** {}\n\n", code(cause))).unwrap_or_default();
    let hint = run.hint().map(|hint| format!("**Hint:** {}\n\n", ended(hint))).unwrap_or_default();
    cause + &hint
}

/// The table of the runs. Where they do not all fit, those that did not pass come first.
fn table(report: &Report) -> String {
    if report.runs.is_empty() {
        return String::new();
    }
    let mut rows: Vec<(&RunReport, String)> = report.runs.iter().map(|run| (run, row(run))).collect();
    if rows.iter().map(|(_, row)| row.len()).sum::<usize>() > RUNS_LIMIT {
        rows.sort_by_key(|(run, _)| run.passed());
    }
    let (runs, rows): (Vec<&RunReport>, Vec<String>) = rows.into_iter().unzip();
    let shown = fitting(&rows, Room(RUNS_LIMIT));
    let rest = runs.get(shown.len()..).unwrap_or_default();
    let more = messages::count(rest.len(), "more run is", "more runs are");
    let tally = messages::tally(report.verdict, rest.iter().copied());
    let left_out = if rest.is_empty() { String::new() } else { format!("{more} not shown: {tally}.\n\n") };
    let head = "| verdict | run and pipeline | status | started (UTC) | duration |\n|---|---|---|---|---|";
    format!("{head}\n{}\n{left_out}", shown.concat())
}

/// As many of the first pieces as fit into the room.
fn fitting(pieces: &[String], mut room: Room) -> &[String] {
    &pieces[..pieces.iter().take_while(|piece| room.take(piece.len())).count()]
}

/// The ids stand one below the other: side by side, two usual ones push the rest off GitHub's page.
fn row(run: &RunReport) -> String {
    let started = run.started_at.map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default();
    let length = run.duration.map(messages::duration).unwrap_or_default();
    let linked = |text: String, url: Option<&str>| match url {
        Some(url) => format!("[{text}](<{url}>)"),
        None => text,
    };
    let name = linked(code(run.name()), run.run_url());
    let pipeline = match code(&run.pipeline_id) {
        id if id.is_empty() => String::new(),
        id => format!("<br>of {}{}", name_of_pipeline(run), linked(id, run.pipeline_url())),
    };
    let status = code(&run.status);
    let attempt = run.attempt.map(|attempt| format!("<br>{}", messages::attempt(attempt))).unwrap_or_default();
    format!("| {} {}{attempt} | {name}{pipeline} | {status} | {started} | {length} |\n", icon(run.end), run.end.name())
}

/// The name, and a blank behind it, if it is known.
fn name_of_pipeline(run: &RunReport) -> String {
    let name = run.pipeline.as_ref().map(|pipeline| inline(&pipeline.name)).filter(|name| !name.is_empty());
    name.map(|name| format!("{name} ")).unwrap_or_default()
}

/// When each pipeline starts by itself, and whether it is paused.
fn pipelines(report: &Report) -> String {
    let mut seen = HashSet::new();
    let mut lines = Vec::new();
    for run in report.runs.iter().filter(|run| seen.insert(&run.pipeline_id)) {
        let Some(pipeline) = &run.pipeline else { continue };
        let cron = (!pipeline.cron.is_empty()).then(|| format!("cron {}", code(&pipeline.cron)));
        let state = (!pipeline.state.is_empty()).then(|| inline(&pipeline.state));
        let facts: Vec<String> = cron.into_iter().chain(state).collect();
        if !facts.is_empty() {
            lines.push(format!("Pipeline {}{}: {}", name_of_pipeline(run), code(&run.pipeline_id), facts.join(", ")));
        }
    }
    match lines.as_slice() {
        [only] => format!("{only}\n\n"),
        _ => list(lines, "pipelines"),
    }
}

fn next(report: &Report) -> String {
    let steps: Vec<String> = messages::next_steps(report).iter().map(|step| sentence(step)).collect();
    let steps = match steps.as_slice() {
        [] => return String::new(),
        [only] => format!("{only}\n\n"),
        _ => list(steps, "next steps"),
    };
    let help = messages::help(report.verdict).map(|address| help(&address, report.verdict)).unwrap_or_default();
    section("What to do next", &(steps + &help))
}

/// Where the documentation explains the verdict: a link, if the address of the repository is known.
fn help(address: &str, verdict: Verdict) -> String {
    let title = format!("Troubleshooting: {}", verdict.name());
    if address.starts_with("https://") {
        format!("[{title}](<{address}>)\n\n")
    } else {
        format!("{title}: {}\n\n", code(address))
    }
}

/// Several runs: why each ended so, and the line that names its error. The headline has said it of an only one.
fn reasons(report: &Report) -> String {
    if report.runs.len() < 2 {
        return String::new();
    }
    let explained = report.runs.iter().filter(|run| !run.reason.is_empty());
    let reasons = explained.map(|run| format!("{}: {}", code(run.name()), inline(&messages::reason(run))));
    let cause = |run: &RunReport| {
        let hint = run.hint().map(|hint| format!(" ({})", inline(hint))).unwrap_or_default();
        Some(format!("{}: {}{hint}", code(run.name()), code(run.cause.as_ref()?)))
    };
    let causes = report.runs.iter().filter_map(cause);
    section("Why", &list(reasons.collect(), "runs")) + &section("Likely causes", &list(causes.collect(), "causes"))
}

/// How the earlier runs went, and how an only run stands among them.
fn history(report: &Report, chart: Chart) -> String {
    let mut page = String::new();
    let facts = report.only_run().and_then(|run| run.past.as_ref()).map(messages::comparison).unwrap_or_default();
    if !facts.is_empty() {
        page.push_str(&format!("{}\n\n", sentence(&facts.join("; "))));
    }
    for past in report.histories.iter().take(PIPELINES) {
        let whose = if report.runs.len() > 1 { format!("{}: ", code(&past.pipeline_id)) } else { String::new() };
        page.push_str(&format!("{whose}{} {}\n\n", code(&chart::strip(past)), sentence(&messages::pipeline(past))));
        if chart == Chart::Mermaid {
            page.extend(chart::mermaid(past).map(|chart| chart + "\n"));
        }
    }
    let rest = report.histories.len().saturating_sub(PIPELINES);
    section("History", &(page + &left_out(rest, "more pipeline is", "more pipelines are")))
}

/// A part of the page with its heading; nothing for nothing.
fn section(heading: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("### {heading}\n\n{text}") }
}

/// How much is left out; nothing for nothing.
fn left_out(rest: usize, one: &str, many: &str) -> String {
    if rest == 0 { String::new() } else { format!("{} not shown.\n\n", messages::count(rest, one, many)) }
}

/// A list within its share; `what` names what is not shown.
fn list(lines: Vec<String>, what: &str) -> String {
    let items: Vec<String> = lines.into_iter().map(|line| format!("- {line}\n")).collect();
    let shown = fitting(&items, Room(LIST_LIMIT));
    let rest = items.len() - shown.len();
    let rest = if rest == 0 { String::new() } else { format!("- {rest} more {what} not shown\n") };
    if items.is_empty() { String::new() } else { shown.concat() + &rest + "\n" }
}

/// What was seen on the way: the warnings and, as far as they fit, the rest, in their order.
fn notes(notes: &[Note], passed: bool) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let mut room = Room(NOTES_LIMIT);
    let mut lines: Vec<(usize, &Note, String)> =
        notes.iter().enumerate().map(|(at, note)| (at, note, line(note))).collect();
    lines.sort_by_key(|(_, note, _)| note.weight == NoteLevel::Plain);
    lines.retain(|(_, _, line)| room.take(line.len()));
    lines.sort_by_key(|(at, _, _)| *at);
    let mut page: String = lines.iter().map(|(_, _, line)| line.as_str()).collect();
    let hidden = notes.len() - lines.len();
    if hidden > 0 {
        page.push_str(&format!("- {hidden} more not shown\n"));
    }
    // A pass without a warning has nothing to look into.
    let is_quiet = passed && notes.iter().all(|note| note.weight == NoteLevel::Plain);
    if notes.len() > OPEN_NOTES || is_quiet {
        format!("<details><summary>Timeline ({})</summary>\n\n{page}\n</details>\n\n", notes.len())
    } else {
        format!("### Timeline\n\n{page}\n")
    }
}

fn line(note: &Note) -> String {
    let weight = if note.weight == NoteLevel::Warning { "⚠️ " } else { "" };
    format!("- {}: {weight}{}\n", messages::clock(note.at), inline(&note.text))
}
