//! The likely cause of a failure, its hint, and the end of the logs, wherever they are shown.

use std::fs;
use std::path::Path;

use maestro_gate::core::{Meaning, Untrusted, Verdict};
use maestro_gate::report::chart::Chart;
use maestro_gate::report::hints::hint;
use maestro_gate::report::output_values::{OutputTarget, outputs};
use maestro_gate::report::sanitize::Sanitized;
use maestro_gate::report::{Report, json, junit, markdown, text};
use serde_json::Value;

use crate::ci_log::{closing, problems};
use crate::fixture::{self, run, sanitizer, seen};
use crate::hostile::hostile_texts;
use crate::runner::markdown as page;

/// A run that ended so, with this trace and these logs.
fn report(verdict: Verdict, trace: Option<&str>, logs: Option<&str>) -> Report {
    let outcome = fixture::outcome(vec![run(verdict, Some(seen("FAILED", Meaning::Failed, trace)), None)]);
    let mut report = fixture::report(&outcome, &[]);
    report.runs[0].logs = logs.map(|logs| sanitizer().text(&Untrusted::new(logs)));
    report
}

fn summary(report: &Report) -> String {
    markdown::summary(report, Chart::Text)
}

fn output(report: &Report) -> String {
    let rows = outputs(report, OutputTarget::CiFile);
    rows.into_iter().find(|row| row.name == "cause").expect("an output").value
}

const TRACEBACK: &str = "Traceback (most recent call last):\n  File \"etl.py\", line 8, in load\n    connect()\n\
                         psycopg2.OperationalError: connection to server failed: Connection refused\n\tIs the server running?\n";
const CAUSE: &str = "psycopg2.OperationalError: connection to server failed: Connection refused";

#[test]
fn the_cause_and_its_hint_are_in_every_report() {
    let report = report(Verdict::Failed, Some(TRACEBACK), None);
    assert_eq!(output(&report), CAUSE);
    let page = summary(&report);
    let cause = page.find(&format!("**Likely cause:** `{CAUSE}`\n")).expect("a cause");
    let hint = page.find("**Hint:** this looks like a network problem: ").expect("a hint");
    assert!(cause < hint && hint < page.find("| verdict |").expect("a table"), "{page}");
    for ci in ["none", "github", "gitlab", "azure", "buildkite", "teamcity"] {
        let log = closing(&report, ci);
        assert!(log.contains(&format!("\nlikely cause: {CAUSE}\nhint: this looks like a network problem: ")), "{log}");
        assert!(log.lines().last().is_some_and(|line| line.ends_with(CAUSE)), "{log}");
    }
    assert!(problems(&report, "github", "").contains(&format!("likely cause: {CAUSE}")));
    let xml = junit::render(&report);
    assert!(xml.contains(&format!("\nlikely cause: {CAUSE}\nhint: this looks like")), "{xml}");
    let file: Value = serde_json::from_str(&json::render(&report).concat()).expect("JSON");
    assert_eq!(file["runs"][0]["cause"], CAUSE);
    assert!(file["runs"][0]["hint"].as_str().is_some_and(|hint| hint.contains("network")));
    let lines: Vec<Value> =
        text::closing_json(&report).lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    for line in lines.iter().filter(|line| line["event"] == "run" || line["event"] == "verdict") {
        assert_eq!(line["cause"], CAUSE);
        assert!(line["hint"].as_str().is_some_and(|hint| hint.contains("network")));
    }
}

#[test]
fn without_a_cause_nothing_is_said_of_it() {
    for trace in [None, Some(""), Some(" \n-----\n"), Some("null")] {
        let report = report(Verdict::Failed, trace, None);
        assert_eq!(output(&report), "");
        let all =
            [summary(&report), closing(&report, "gitlab"), junit::render(&report), problems(&report, "azure", "")];
        for document in all {
            let document = document.to_lowercase();
            assert!(!document.contains("likely cause") && !document.contains("hint"), "{document}");
        }
    }
    // A run that did not fail has a trace at times; it is no reason for another end.
    for verdict in [Verdict::Passed, Verdict::Stale, Verdict::Denied, Verdict::Unreachable, Verdict::NotFound] {
        assert_eq!(output(&report(verdict, Some(TRACEBACK), None)), "", "{verdict:?}");
    }
    assert_eq!(output(&report(Verdict::TimedOut, Some(TRACEBACK), None)), CAUSE);
}

#[test]
fn of_several_runs_each_has_its_cause() {
    let report = fixture::several();
    let page = summary(&report);
    assert!(page.contains("### Likely causes\n\n- `run_2`: `Connection timeout: Unable to"), "{page}");
    assert!(page.contains("- `run_3`: `short`\n"), "{page}");
    let log = closing(&report, "gitlab");
    assert!(log.contains("; likely cause: short https://"), "{log}");
    assert_eq!(output(&report), "Connection timeout: Unable to connect to source database after 30 seconds");
}

#[test]
fn the_last_fifty_lines_of_the_logs_are_folded_on_the_page() {
    let lines: String = (1..=80).map(|n| format!("line {n}\n")).collect();
    let page = summary(&report(Verdict::Failed, Some("short"), Some(&lines)));
    assert!(page.contains("<details><summary>The end of the logs</summary>\n\n```\nline 31\nline 32\n"), "{page}");
    assert!(page.contains("\nline 80\n```\n\n</details>\n"), "{page}");
    assert!(!page.contains("line 30\n"), "{page}");
    // In bytes too: from the start of a line, or of one line its end.
    for (text, begins) in [("wide é ".repeat(40) + "\n", "\n\nwide é"), ("é".repeat(20_000), "\n\né")] {
        let page = summary(&report(Verdict::Failed, Some("short"), Some(&text.repeat(60))));
        let (_, fold) = page.split_once("<details><summary>The end of the logs</summary>").expect("a fold");
        let (fold, _) = fold.split_once("</details>").expect("its end");
        assert!(fold.len() <= 16 * 1024 + 64 && fold.len() > 10 * 1024, "{}", fold.len());
        assert!(fold.replacen("```\n", "", 1).starts_with(begins), "{fold:.80}");
    }
    assert!(!summary(&report(Verdict::Failed, Some("short"), None)).contains("The end of the logs"));
}

#[test]
fn the_logs_of_many_runs_share_the_page_s_room() {
    let mut report = fixture::several();
    let logs = sanitizer().text(&Untrusted::new("a long line of the logs\n".repeat(2_000)));
    let mut run = report.runs[1].clone();
    run.logs = Some(logs);
    report.runs = vec![run; 30];
    let page = summary(&report);
    assert!(page.len() <= markdown::LIMIT, "{}", page.len());
    assert!(
        page.contains("Logs of `run_2`\n\n```\n") && page.contains("The logs of 26 more runs are not shown."),
        "{page}"
    );
}

/// Nothing in a cause or in the logs ends the fold, opens another one, or is a link, an image or HTML.
#[test]
fn no_text_leaves_the_cause_or_the_fold() {
    let own = ["</details>", "<details><summary>The end of the logs</summary>", "<details><summary>Timeline"];
    for text in hostile_texts() {
        let joined = format!("x{text}</details>\n</summary>\n```\n~~~~\n<img src=x>\n::error::x\n");
        let report = report(Verdict::Failed, Some(&joined), Some(&joined));
        let kinds = page::kinds(&page::parse(&summary(&report)));
        let html: Vec<&String> = kinds.iter().filter(|kind| kind.starts_with("html ")).collect();
        let is_ours = |kind: &&&String| {
            let html = kind.trim_start_matches("html ");
            own.iter().any(|own| html.starts_with(own))
                || ["<sub>", "</sub>", "<br>", "<code>", "</code>", "<!-- -->"].contains(&html)
        };
        assert_eq!(html.iter().filter(|kind| !is_ours(kind)).count(), 0, "{html:?}");
        assert_eq!(kinds.iter().filter(|kind| *kind == "image").count(), 0);
        // The cause is one line, of what is shown as code.
        let output = output(&report);
        assert!(output.len() <= 300 && !output.contains(['\n', '\r', '\u{1b}']), "{output:?}");
    }
}

#[test]
fn hints_are_those_of_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/troubleshooting.md");
    let documentation = fs::read_to_string(path).expect("the page");
    let (_, part) = documentation.split_once("<!-- hints -->\n").expect("the table");
    let (part, _) = part.split_once("<!-- /hints -->").expect("its end");
    let mut rows = 0;
    for row in part.lines().skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        for words in cells[1].split(", ") {
            let cause = Sanitized::ours(words.trim_matches('`'));
            assert_eq!(hint(&cause), Some(&*format!("this looks like {}", cells[0])), "{words}");
        }
        rows += 1;
    }
    assert_eq!(rows, 6);
}

#[test]
fn a_hint_goes_by_whole_words_of_the_cause() {
    let kind = |cause: &str| {
        let hint = hint(&Sanitized::ours(cause))?;
        Some(hint.trim_start_matches("this looks like ").split(':').next().unwrap_or_default().to_owned())
    };
    for (cause, expected) in [
        ("Killed", "too little memory"),
        ("/app/run.sh: line 3:    12 Killed                  python etl.py", "too little memory"),
        ("java.lang.OutOfMemoryError: GC overhead limit exceeded", "too little memory"),
        ("numpy.core._exceptions._ArrayMemoryError: Unable to allocate 8.2 GiB for an array", "too little memory"),
        ("Container killed by YARN for exceeding memory limits. 5.5 GB of 5.5 GB used", "too little memory"),
        (
            "ExecutorLostFailure (executor 5 exited) Reason: Container marked as failed. Exit status: 137.",
            "too little memory",
        ),
        ("OSError: [Errno 28] No space left on device", "a full disk"),
        ("psycopg2.errors.DiskFull: could not extend file \"base/1\": disk full", "a full disk"),
        ("requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url", "a rate limit"),
        ("botocore.exceptions.ClientError: An error occurred (ThrottlingException) when calling Query", "a rate limit"),
        ("REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.", "a rate limit"),
        (
            "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling GetObject",
            "a missing permission",
        ),
        ("PermissionError: [Errno 13] Permission denied: '/data'", "a missing permission"),
        ("psycopg2.OperationalError: FATAL: password authentication failed for user \"etl\"", "a missing permission"),
        ("SQL access control error: Insufficient privileges to operate on schema 'RAW'", "a missing permission"),
        (
            "SQL compilation error: error line 1 at position 7 invalid identifier 'AMOUNT'",
            "a schema that does not match",
        ),
        ("psycopg2.errors.UndefinedColumn: column \"amount\" does not exist", "a schema that does not match"),
        ("Database Error in model a (a.sql): relation \"raw.orders\" does not exist", "a schema that does not match"),
        (
            "AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `x`",
            "a schema that does not match",
        ),
        ("Connection timeout: Unable to connect to source database after 30 seconds", "a network problem"),
        ("java.net.ConnectException: Connection refused (Connection refused)", "a network problem"),
        ("requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='x'): Read timed out.", "a network problem"),
        ("java.net.UnknownHostException: db.internal", "a network problem"),
    ] {
        assert_eq!(kind(cause).as_deref(), Some(expected), "{cause}");
    }
    for cause in [
        "ValueError: bad row",
        "the skilled workers table is empty",
        "row 429 is not valid",
        "KeyError: 'room'",
        "FileNotFoundError: the file /data/x.csv does not exist",
        "unforbiddenly slow",
        "137 rows rejected",
        "canceling statement due to statement timeout",
    ] {
        assert_eq!(kind(cause), None, "{cause}");
    }
}
