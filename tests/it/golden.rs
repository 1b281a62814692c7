//! Whole reports as a person sees them. `UPDATE_GOLDEN=1` rewrites the files; read the difference before committing it.

use maestro_gate::report::chart::Chart;
use maestro_gate::report::ci::{github, gitlab};
use maestro_gate::report::output_values::{OutputTarget, outputs};
use maestro_gate::report::{Report, Stage, dotenv, json, junit, markdown, text};

use crate::ci_log::{self, PREFIX, closing, token};
use crate::{fixture, repository};

/// The documents of a report by the ending of their file's name.
fn documents(report: &Report) -> Vec<(&'static str, String)> {
    let live: String = report.notes.iter().map(text::note).collect();
    let rows = outputs(report, OutputTarget::CiFile);
    let summary = match report.stage {
        Stage::First => markdown::began(report),
        Stage::Final => markdown::summary(report, Chart::Mermaid),
    };
    let mut documents = vec![
        ("md", summary),
        ("log", live + &closing(report, "none")),
        ("json", json::render(report).concat()),
        ("xml", junit::render(report)),
        ("annotations.json", gitlab::annotations(report)),
        ("env", dotenv::render(report, "MAESTRO_GATE_")),
        ("github-output", github::output_file(&rows, &token()).expect("a free delimiter")),
    ];
    if report.runs.len() > 1 || report.runs.iter().any(|run| run.logs.is_some()) {
        let live: String = report.notes.iter().map(text::note_json).collect();
        documents.push(("jsonl", live + &text::closing_json(report)));
        documents.push(("gitlab-log", closing(report, "gitlab")));
        documents.push(("azure-log", ci_log::outputs(report, "azure", PREFIX) + &closing(report, "azure")));
        documents.push(("teamcity-log", ci_log::outputs(report, "teamcity", PREFIX) + &closing(report, "teamcity")));
        documents.push(("buildkite-log", closing(report, "buildkite")));
        documents.push(("circleci.sh", ci_log::outputs(report, "circleci", PREFIX)));
        documents.push(("cloud-build.json", ci_log::outputs(report, "cloud-build", PREFIX)));
        documents.push(("github-log", closing(report, "github")));
    }
    documents
}

/// docs/troubleshooting.md shows the last two lines of a log, which are the next step and the verdict.
#[test]
#[expect(clippy::disallowed_methods, reason = "the page is rewritten on demand")]
fn troubleshooting_shows_the_end_of_real_logs() {
    let path = repository::path("docs/troubleshooting.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let mut parts = page.split("<!-- golden: ");
    let mut now = parts.next().expect("a beginning").to_owned();
    let mut shown = 0;
    for part in parts {
        let (name, rest) = part.split_once(" -->\n```text\n").expect("a fence behind the mark");
        let (_, rest) = rest.split_once("```\n").expect("the fence's end");
        let report = fixture::all().into_iter().find(|(known, _)| name == format!("{known}.log")).expect("a report").1;
        let log = documents(&report).into_iter().find(|(ending, _)| *ending == "log").expect("its log").1;
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(2)..].join("\n");
        now += &format!("<!-- golden: {name} -->\n```text\n{end}\n```\n{rest}");
        shown += 1;
    }
    assert!(shown >= 10, "{shown} logs shown");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).expect("write the page");
    } else {
        let other = page.lines().zip(now.lines()).find(|(shown, real)| shown != real);
        assert!(page == now, "docs/troubleshooting.md (UPDATE_GOLDEN=1 accepts this): {other:?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "golden files are rewritten on demand")]
fn reports_look_as_they_did() {
    let folder = repository::path("tests/golden");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut others = Vec::new();
    for (name, report) in fixture::all() {
        for (ending, document) in documents(&report) {
            let path = folder.join(format!("{name}.{ending}"));
            if update {
                std::fs::write(&path, &document).expect("write a golden file");
            }
            let golden = std::fs::read_to_string(&path).unwrap_or_default();
            if golden != document {
                others.push(format!("--- {} is now\n{document}", path.display()));
            }
        }
    }
    assert!(others.is_empty(), "UPDATE_GOLDEN=1 accepts this:\n{}", others.join("\n"));
}
