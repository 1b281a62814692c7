//! However much there is to tell, and whatever it says: reports stay within their limits, and nothing in them is a
//! command or a secret.

use std::sync::{Arc, LazyLock};

use maestro_gate::core::{
    Event, EventLog, FailureKind, Meaning, Operation, PipelineState, RunOutcome, SessionNote, TimedEvent, Untrusted,
    Verdict,
};
use maestro_gate::report::chart::Chart;
use maestro_gate::report::sanitize::Sanitized;
use maestro_gate::report::text;
use maestro_gate::report::{Note, NoteLevel, Report, dotenv, json, junit, markdown};
use proptest::prelude::*;

use crate::ci_log::{PREFIX, closing, problems};
use crate::fixture::{self, SECRET, failure, seconds, seen, target};
use crate::hostile::mixture;

/// What GitHub's runner obeys in a log (`ActionCommand.cs`, `ActionCommandManager.cs`), stricter: every name counts.
#[track_caller]
fn obeyed(log: &str) -> Vec<(String, String)> {
    let mut obeyed = Vec::new();
    let mut stopped: Option<String> = None;
    for line in log.split(['\n', '\r']) {
        let command = match line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::")) {
            Some((head, data)) => Some((head.split(' ').next().unwrap_or_default(), data)),
            None => line.split_once("##[").and_then(|(_, rest)| rest.split_once(']')),
        };
        let Some((name, data)) = command else { continue };
        match &stopped {
            Some(end) if name == end => stopped = None,
            Some(_) => {}
            None if name == "stop-commands" => stopped = Some(data.to_owned()),
            None => obeyed.push((name.to_owned(), data.to_owned())),
        }
    }
    assert!(stopped.is_none(), "commands stay stopped");
    obeyed
}

fn crowd(count: usize, trace: &str) -> Report {
    let run = |index: usize| {
        let (verdict, word, meaning) = match index % 3 {
            0 => (Verdict::Passed, "SUCCESS", Meaning::Passed),
            1 => (Verdict::Failed, "FAILED", Meaning::Failed),
            _ => (Verdict::TimedOut, "|_|`*`", Meaning::Unknown),
        };
        let mut seen = seen(word, meaning, None);
        seen.record.run_id = Untrusted::new(format!("run_{index}|{}", "_*|`<".repeat(60)));
        let wanted = target(fixture::PIPELINE, &format!("run_{index}")).into();
        RunOutcome { wanted, ..fixture::run(verdict, Some(seen), None) }
    };
    let outcome = fixture::outcome((0..count).map(run).collect());
    let notices: Vec<TimedEvent> = (0..count)
        .flat_map(|run| {
            let why = failure(Operation::GetRun, FailureKind::NotJson, &"<a>|".repeat(200));
            let limit = seconds(600);
            [
                TimedEvent { at: seconds(1), event: Event::UnknownWord { run, word: Untrusted::new("|_|`*`") } },
                TimedEvent { at: seconds(2), event: Event::OutageBegan { run, failure: why, limit } },
            ]
        })
        .collect();
    let mut report = fixture::report(&outcome, &notices);
    for run in report.runs.iter_mut().rev().take(12) {
        // Cleaning megabytes a dozen times over takes long in a debug build, and is not what is tested here.
        run.trace = Some(Arc::new(Sanitized::ours(trace)));
    }
    report
}

/// Made once: five thousand runs take a second to clean in a debug build.
static CROWD: LazyLock<Report> = LazyLock::new(|| crowd(5000, &"`\n".repeat(4 << 20)));

#[test]
fn a_summary_stays_within_128_kib() {
    let whole = |report: &Report| markdown::began(report).len() + markdown::summary(report, Chart::Mermaid).len();
    // Text that grows when it is escaped or fenced, in every place that can hold it.
    for trace in ["`".repeat(8 << 20), "a\n".repeat(4 << 20), "|".repeat(8 << 20)] {
        for count in [1, 2, 40] {
            let size = whole(&crowd(count, &trace));
            assert!(size <= markdown::LIMIT, "{count} runs: {size} bytes");
        }
    }
    let size = whole(&CROWD);
    assert!((64 * 1024..=markdown::LIMIT).contains(&size), "{size} bytes");
    let input_errors = (0..200).map(|_| "<|>".repeat(1000));
    let report = Report::invalid_input(input_errors, &fixture::sanitizer());
    assert!(whole(&report) <= markdown::LIMIT);
    let bug = Untrusted::new("`".repeat(1 << 20));
    assert!(whole(&Report::internal_error(report, &bug, &fixture::sanitizer())) <= markdown::LIMIT);
}

#[test]
fn events_that_were_not_kept_are_counted_in_their_place() {
    let mut kept = EventLog::default();
    kept.extend(
        (0..5_000).map(|second| TimedEvent { at: seconds(second), event: Event::Session(SessionNote::Renewed) }),
    );
    let (notices, gap) = kept.into_events();
    let mut report = fixture::report(&fixture::outcome(Vec::new()), &notices);
    report.notes_left_out(gap);
    assert_eq!(report.notes.len(), 1_001);
    assert_eq!(report.notes[499].at, seconds(499));
    assert_eq!(report.notes[500].text.as_str(), "4000 more such events up to here are only in the log");
    assert_eq!((report.notes[500].at, report.notes[501].at), (seconds(4_499), seconds(4_500)));
    report.notes_left_out(None);
    assert_eq!(report.notes.len(), 1_001);
}

#[test]
fn a_cut_table_keeps_failing_runs_first_and_says_what_is_missing() {
    let page = markdown::summary(&CROWD, Chart::Mermaid);
    let rows: Vec<&str> =
        page.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|l| l.starts_with('|')).collect();
    assert!(rows.len() > 15, "{} rows", rows.len());
    assert!(rows.iter().all(|row| !row.contains("passed")), "no room for a pass while failures are left out");
    let missing = page.lines().find(|line| line.contains("more runs are not shown")).expect("a line on the others");
    let shown: usize = rows.len();
    assert!(missing.starts_with(&format!("{} more runs are not shown: ", 5000 - shown)), "{missing}");
    assert!(missing.contains("1667 passed"), "{missing}");
    // As long as all fit, they stand in input order.
    let page = markdown::summary(&fixture::several(), Chart::Mermaid);
    let ids = ["`run_1`", "`run_2`", "`run_3`", "`manual", "`run_5`"].map(|id| page.find(id).expect("in the table"));
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn a_trace_can_not_leave_its_fence() {
    let mut report = fixture::failed();
    report.runs[0].logs = None;
    let page = markdown::summary(&report, Chart::Mermaid);
    let (before, rest) = page.split_once("\n````\n").expect("a fence longer than the trace's own");
    let (inside, after) = rest.split_once("\n````\n").expect("its end");
    assert!(inside.contains("```\n# not a headline") && inside.contains("forged"));
    for outside in [before, after] {
        assert!(!outside.contains("forged") && !outside.contains("<img") && !outside.contains("not a headline"));
    }
}

#[test]
fn the_first_version_of_a_summary_is_one_line_that_the_end_does_not_contradict() {
    let line = markdown::began(&fixture::first());
    assert!(line.contains("started waiting for run `f9d8e7c6-b5a4-3928-1c0d-6e5f4a3b2c1d`"), "{line}");
    assert!(
        line.contains("If nothing follows, it ended before it could report: killed, out of memory, or a bug."),
        "{line}"
    );
    assert_eq!(line.trim().lines().count(), 1);
    assert!(line.ends_with("\n\n"), "a headline must follow on a line of its own");
}

#[test]
fn one_error_on_anything_but_a_pass_and_none_on_a_pass() {
    for (name, report) in fixture::all() {
        let log = closing(&report, "github");
        let obeyed = obeyed(&log);
        let errors = obeyed.iter().filter(|(name, _)| name == "error").count();
        assert_eq!(errors, usize::from(report.verdict != Verdict::Passed), "{name}");
        let known = ["error", "warning", "group", "endgroup"];
        assert!(obeyed.iter().all(|(name, _)| known.contains(&name.as_str())), "{name}: {obeyed:?}");
    }
}

#[test]
fn at_most_five_warnings_and_the_fifth_counts_the_others() {
    let warnings = |count: u64| {
        let mut report = fixture::passed();
        report.notes = Vec::new();
        for at in 0..count {
            let text = Sanitized::ours(format!("warning {at}"));
            report.notes.push(Note { at: seconds(at), weight: NoteLevel::Warning, text });
        }
        let log = problems(&report, "github", PREFIX);
        assert_eq!(log.lines().count(), obeyed(&log).len());
        log.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(warnings(0), Vec::<String>::new());
    assert_eq!(warnings(5).len(), 5);
    assert_eq!(warnings(5)[4], "::warning title=maestro-gate::warning 4");
    assert_eq!(warnings(900).len(), 5);
    assert_eq!(warnings(900)[4], "::warning title=maestro-gate::896 more warnings stand in the log");
}

#[test]
fn a_message_of_any_length_keeps_its_next_step() {
    for report in [
        CROWD.clone(),
        crowd(2, &"é\n".repeat(1 << 20)),
        Report::invalid_input((0..500).map(|_| "%".repeat(1000)), &fixture::sanitizer()),
    ] {
        let log = problems(&report, "github", PREFIX);
        let (name, message) = obeyed(&log).pop().expect("an error");
        assert_eq!((name == "error"), report.verdict != Verdict::Passed);
        let message = message.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
        assert!(message.chars().count() <= 4096, "{} characters", message.chars().count());
        if name == "error" {
            assert!(message.lines().last().is_some_and(|line| line.starts_with("next step: ")), "{message}");
        }
    }
}

#[test]
fn the_last_lines_of_the_log_say_what_to_do_and_what_happened() {
    for (name, report) in fixture::all() {
        for ci in ["none", "github"] {
            let log = closing(&report, ci);
            let mut lines = log.lines().rev();
            let last = lines.next().expect("a line");
            let verdict = report.verdict;
            let start = format!("maestro-gate: {} (exit code {}): ", verdict.name(), verdict.exit_code());
            assert!(last.starts_with(&start), "{name}: {last}");
            let before = lines.next().unwrap_or_default();
            assert_eq!(before.starts_with("next step: "), verdict != Verdict::Passed, "{name}: {before}");
            assert!(log.ends_with('\n'));
        }
    }
}

#[test]
fn a_log_does_not_drown_the_verdict() {
    // GitLab drops what is over 4 MiB.
    assert!(closing(&CROWD, "none").len() < 1 << 20);
}

#[test]
fn a_json_log_is_one_object_a_line_without_a_number_sign() {
    for (name, report) in fixture::all() {
        let mut log: String = report.notes.iter().map(text::note_json).collect();
        log.push_str(&text::closing_json(&report));
        assert!(!log.contains('#'), "{name}");
        assert!(obeyed(&log).is_empty());
        let objects: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
        let last = objects.last().expect("an object");
        assert_eq!(last["event"], "verdict", "{name}");
        assert_eq!(last["verdict"], report.verdict.name(), "{name}");
        assert_eq!(last["exit_code"], report.verdict.exit_code(), "{name}");
        assert_eq!(objects.iter().filter(|object| object["event"] == "verdict").count(), 1);
    }
    let read: serde_json::Value =
        serde_json::from_str(text::closing_json(&fixture::failed()).lines().next().expect("the trace's object"))
            .expect("an object");
    assert!(read["text"].as_str().is_some_and(|text| text.contains("\n##[error]forged\n")), "escaped, not changed");
}

#[test]
fn no_document_carries_a_secret() {
    for (name, report) in fixture::all() {
        let live: String = report.notes.iter().flat_map(|note| [text::note(note), text::note_json(note)]).collect();
        let documents = [
            live,
            closing(&report, "github"),
            text::closing_json(&report),
            markdown::summary(&report, Chart::Mermaid),
            json::render(&report).concat(),
            junit::render(&report),
            dotenv::render(&report, ""),
        ];
        assert!(documents.iter().all(|document| !document.contains(SECRET)), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_text_never_yields_a_command(
        status in mixture(),
        trace in mixture(),
        run_id in mixture(),
        detail in mixture(),
        logs in mixture(),
        mistake in mixture(),
        title in mixture(),
        name in mixture(),
    ) {
        let mut seen = seen(&status, Meaning::Unknown, Some(&trace));
        seen.record.run_id = Untrusted::new(run_id);
        let why = failure(Operation::GetRun, FailureKind::Http(500), &detail);
        let run = fixture::run(Verdict::TimedOut, Some(seen), Some(why.clone()));
        let (id, details) = fixture::details(fixture::PIPELINE, &name, PipelineState::Other(Untrusted::new(&*name)));
        let notices = [
            TimedEvent { at: seconds(0), event: Event::Details { id: id.clone(), details: details.clone() } },
            TimedEvent { at: seconds(0), event: Event::OutageBegan { run: 0, failure: why, limit: seconds(600) } },
            TimedEvent { at: seconds(1), event: Event::UnknownWord { run: 0, word: Untrusted::new(status) } },
        ];
        let mut report = fixture::report_with(&[(id, details)], &fixture::outcome(vec![run]), &notices);
        report.runs[0].logs = Some(fixture::sanitizer().text(&Untrusted::new(logs)));
        report.input_errors = vec![fixture::sanitizer().line(&Untrusted::new(mistake), 1000)];
        let weight = NoteLevel::Warning;
        report.notes.push(Note { at: seconds(9), weight, text: fixture::sanitizer().line(&Untrusted::new(title), 1000) });

        let live: String = report.notes.iter().map(text::note).collect();
        prop_assert_eq!(obeyed(&live), vec![]);
        prop_assert_eq!(obeyed(&closing(&report, "none")), vec![]);
        let known = ["error", "warning", "group", "endgroup"];
        let log = closing(&report, "github");
        for (name, _) in obeyed(&log) {
            prop_assert!(known.contains(&name.as_str()), "{}", name);
        }
        prop_assert_eq!(log.matches("##vso[").count() + log.matches("##teamcity[").count(), 0);
        let json: String = report.notes.iter().map(text::note_json).chain([text::closing_json(&report)]).collect();
        prop_assert_eq!(obeyed(&json), vec![]);
        prop_assert!(!json.contains('#'));
        for line in json.lines() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(line).is_ok());
        }
        prop_assert!(markdown::summary(&report, Chart::Mermaid).len() <= markdown::LIMIT);
    }
}
