//! Whole reports as a person sees them. `UPDATE_GOLDEN=1` rewrites the files; read the difference before committing it.

use std::path::PathBuf;

use maestro_gate::report::chart::Chart;
use maestro_gate::report::github::Delimiter;
use maestro_gate::report::output_values::{OutputTarget, outputs};
use maestro_gate::report::text::Fold;
use maestro_gate::report::{
    Report, Stage, azure, circleci, cloud_build, dotenv, github, gitlab, json, junit, markdown, teamcity, text,
};

use crate::fixture;

fn token() -> Delimiter {
    Delimiter::new("0123456789abcdefghij").expect("long enough")
}

/// The documents of a report by the ending of their file's name.
fn documents(report: &Report) -> Vec<(&'static str, String)> {
    let live: String = report.notes.iter().map(text::note).collect();
    let rows = outputs(report, OutputTarget::CiFile).rows;
    let summary = match report.stage {
        Stage::First => markdown::began(report),
        Stage::Final => markdown::summary(report, Chart::Mermaid),
    };
    let mut documents = vec![
        ("md", summary),
        ("log", live + &text::closing(report, Fold::None)),
        ("json", json::render(report).expect("plain structs")),
        ("xml", junit::render(report)),
        ("annotations.json", gitlab::annotations(report).expect("plain structs")),
        ("env", dotenv::render(report, "MAESTRO_GATE_")),
        ("github-output", github::output_file(&rows, &token()).expect("a free delimiter")),
    ];
    if report.runs.len() > 1 || report.runs.iter().any(|run| run.logs.is_some()) {
        let live: String = report.notes.iter().map(text::note_json).collect();
        documents.push(("jsonl", live + &text::closing_json(report)));
        documents.push(("gitlab-log", text::closing(report, Fold::Gitlab(fixture::at("2024-01-13T06:20:30Z")))));
        let prefix = "MAESTRO_GATE_";
        documents.push(("azure-log", azure::variables(report, prefix) + &text::closing(report, Fold::Azure)));
        let closing = text::closing(report, Fold::Teamcity(prefix));
        documents.push(("teamcity-log", teamcity::parameters(report, prefix) + &closing));
        documents.push(("buildkite-log", text::closing(report, Fold::Buildkite)));
        documents.push(("circleci.sh", circleci::exports(report, prefix)));
        documents.push(("cloud-build.json", cloud_build::render(report).expect("plain structs")));
        documents.push(("github-log", text::closing(report, Fold::Github(&token()))));
    }
    documents
}

/// docs/troubleshooting.md shows the last two lines of a log, which are the next step and the verdict.
#[test]
#[expect(clippy::disallowed_methods, reason = "the page is rewritten on demand")]
fn troubleshooting_shows_the_end_of_real_logs() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/troubleshooting.md");
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
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
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
