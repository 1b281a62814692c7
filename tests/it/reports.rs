//! The report files for programs: JSON, JUnit.

use maestro_gate::gate::{Foreign, Meaning, Verdict};
use maestro_gate::report::clean::Clean;
use maestro_gate::report::{Report, json, junit};
use quick_xml::events::Event as Xml;

use crate::fixture::{self, no_url, run, seen};

#[test]
fn the_json_file_has_the_contract_s_keys() {
    for (name, report) in fixture::all() {
        let file = json::render(&report).expect("JSON");
        let value: serde_json::Value = serde_json::from_str(&file).expect("JSON");
        assert_eq!(value["schema"], 1, "{name}");
        assert_eq!(value["version"], "0.0.0", "{name}");
        assert_eq!(value["verdict"], report.verdict.name(), "{name}");
        assert_eq!(value["exit_code"], report.verdict.exit_code(), "{name}");
        assert_eq!(value["waited_seconds"], report.waited.as_secs(), "{name}");
        assert_eq!(value["polls"], report.polls, "{name}");
        assert_eq!(value["notes"].as_array().map(Vec::len), Some(report.notes.len()), "{name}");
        assert_eq!(value["runs"].as_array().map(Vec::len), Some(report.runs.len()), "{name}");
        for run in value["runs"].as_array().expect("a list") {
            for key in [
                "pipeline_id",
                "run_id",
                "verdict",
                "exit_code",
                "status",
                "started_at",
                "updated_at",
                "duration_seconds",
                "trace",
                "run_url",
            ] {
                assert!(run.get(key).is_some(), "{name}: {key}");
            }
        }
        assert!(file.ends_with("}\n"));
    }
    let whole = "x\n".repeat(1 << 20);
    let long = fixture::outcome(vec![run(Verdict::Failed, Some(seen("FAILED", Meaning::Failed, Some(&whole))), None)]);
    let value: serde_json::Value =
        serde_json::from_str(&json::render(&fixture::report(&long, &[])).expect("JSON")).expect("JSON");
    assert_eq!(value["runs"][0]["trace"], whole, "the whole trace, not a piece of it");
}

/// A test case as a reader of JUnit sees it.
#[derive(Debug, Default, PartialEq)]
pub struct Case {
    pub suite: String,
    pub class: String,
    pub name: String,
    pub time: Option<String>,
    /// `failure`, `error`, `skipped`, its type, its message and its content.
    pub end: Option<(String, String, String, String)>,
}

pub fn cases(file: &str) -> Vec<Case> {
    let mut reader = quick_xml::Reader::from_str(file);
    let mut suite = String::new();
    let mut cases: Vec<Case> = Vec::new();
    let mut inside = false;
    loop {
        let event = reader.read_event().expect("well-formed XML");
        let attribute = |name: &str| match &event {
            Xml::Start(tag) | Xml::Empty(tag) => tag
                .try_get_attribute(name)
                .expect("attributes")
                .map(|value| value.normalized_value(quick_xml::XmlVersion::Explicit1_0).expect("text").into_owned()),
            _ => None,
        };
        match &event {
            Xml::Eof => return cases,
            Xml::Start(tag) | Xml::Empty(tag) => match tag.name().as_ref() {
                "testsuite" => suite = attribute("name").expect("a name"),
                "testcase" => cases.push(Case {
                    suite: suite.clone(),
                    class: attribute("classname").expect("a class"),
                    name: attribute("name").expect("a name"),
                    time: attribute("time"),
                    end: None,
                }),
                "failure" | "error" | "skipped" => {
                    let tag = tag.name().as_ref().to_owned();
                    let (ty, message) =
                        (attribute("type").unwrap_or_default(), attribute("message").unwrap_or_default());
                    cases.last_mut().expect("inside a case").end = Some((tag, ty, message, String::new()));
                    inside = true;
                }
                _ => {}
            },
            Xml::End(_) => inside = false,
            Xml::Text(text) if inside => {
                cases.last_mut().and_then(|case| case.end.as_mut()).expect("an end").3.push_str(text);
            }
            Xml::GeneralRef(reference) if inside => {
                let text = match &**reference {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "apos" => "'",
                    "quot" => "\"",
                    other => panic!("&{other};"),
                };
                cases.last_mut().and_then(|case| case.end.as_mut()).expect("an end").3.push_str(text);
            }
            _ => {}
        }
    }
}

fn cases_of(report: &Report) -> Vec<Case> {
    cases(&junit::render(report).expect("XML"))
}

#[test]
fn junit_has_a_suite_per_pipeline_and_a_case_per_run() {
    let cases = cases_of(&fixture::several());
    let places: Vec<(&str, &str)> = cases.iter().map(|case| (case.suite.as_str(), case.name.as_str())).collect();
    let expected = [
        ("sales", "run_1"),
        ("sales", "run_2"),
        ("sales", "run_5"),
        ("stock|x", "run_3"),
        ("stock|x", "manual__2024-12-18T10:30:00+00:00"),
    ];
    assert_eq!(places, expected);
    assert!(cases.iter().all(|case| case.suite == case.class));
    assert_eq!(cases[0].time.as_deref(), Some("912.000"));
    assert_eq!(cases[4].time, None);
    let ends: Vec<Option<(&str, &str)>> =
        cases.iter().map(|case| case.end.as_ref().map(|(tag, ty, _, _)| (tag.as_str(), ty.as_str()))).collect();
    let expected = [
        None,
        Some(("failure", "failed")),
        Some(("skipped", "")),
        Some(("failure", "failed")),
        Some(("error", "not-found")),
    ];
    assert_eq!(ends, expected);
}

#[test]
fn junit_says_in_the_content_what_it_says_in_the_message() {
    for (name, report) in fixture::all() {
        for case in cases_of(&report) {
            if let Some((_, _, message, content)) = case.end {
                assert!(!message.is_empty(), "{name}");
                assert_eq!(content.lines().next(), Some(message.as_str()), "{name}");
            }
        }
    }
    let content = cases_of(&fixture::failed()).remove(0).end.expect("a failure").3;
    assert!(content.contains("</details></code> <img src=x> | a | b |"), "escaped, not changed: {content}");
}

#[test]
fn junit_is_never_empty_and_never_all_green_unless_the_gate_passed() {
    let cleaner = fixture::cleaner();
    let bug_after = |known| Report::internal_error(known, &Foreign::new("bug"), &cleaner);
    let mut reports: Vec<(&str, Report)> = fixture::all();
    reports.push(("a bug after a pass", bug_after(fixture::passed())));
    reports.push(("nothing named", Report::first(&[] as &[maestro_gate::gate::Wanted], &no_url, &cleaner)));
    reports.push(("no run", fixture::report(&fixture::outcome(Vec::new()), &[])));
    for (name, report) in reports {
        let cases = cases_of(&report);
        assert!(!cases.is_empty(), "{name}");
        let red = cases.iter().any(|case| case.end.as_ref().is_some_and(|(tag, ..)| tag != "skipped"));
        assert_eq!(red, report.verdict != Verdict::Passed, "{name}: {cases:?}");
        if report.runs.is_empty() {
            assert_eq!((cases[0].class.as_str(), cases[0].name.as_str()), ("maestro-gate", "maestro-gate"));
        }
    }
}

#[test]
fn junit_stays_below_gitlab_s_limit() {
    let runs = (0..3000).map(|_| run(Verdict::Failed, Some(seen("FAILED", Meaning::Failed, None)), None));
    let mut report = fixture::report(&fixture::outcome(runs.collect()), &[]);
    for run in report.runs.iter_mut().step_by(10) {
        run.trace = Some(Clean::ours("'".repeat(1 << 20)));
    }
    let file = junit::render(&report).expect("XML");
    assert!(file.len() < 30_000_000, "{} bytes", file.len());
    assert!(file.contains("the trace is not shown"));
}
