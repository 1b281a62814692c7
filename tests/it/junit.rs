//! The JUnit report, as the strictest of its readers see it.

use std::sync::Arc;

use maestro_gate::core::{Meaning, Untrusted, Verdict, Wanted};
use maestro_gate::report::sanitize::Sanitized;
use maestro_gate::report::{Report, junit};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event as Xml};

use crate::fixture::{self, no_link, run, seen};

/// A test case as a reader of JUnit sees it.
#[derive(Debug, Default, PartialEq)]
pub struct Case {
    pub suite: String,
    pub class: String,
    pub name: String,
    pub time: String,
    /// `failure`, `error`, `skipped`, its type, its message and its content.
    pub end: Option<(String, String, String, String)>,
    /// The properties of its suite.
    pub properties: Vec<(String, String)>,
}

/// An element of the file.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn of(tag: &BytesStart<'_>) -> Element {
        let attribute = |attribute: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
            let attribute = attribute.expect("an attribute");
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).expect("text").into_owned();
            (attribute.key.as_ref().to_owned(), value)
        };
        Element {
            name: tag.name().as_ref().to_owned(),
            attributes: tag.attributes().map(attribute).collect(),
            ..Element::default()
        }
    }

    /// The root of a document.
    fn read(file: &str) -> Element {
        let mut reader = quick_xml::Reader::from_str(file);
        let mut open = vec![Element::default()];
        loop {
            let event = reader.read_event().expect("well-formed XML");
            let here = open.last_mut().expect("never empty");
            match &event {
                Xml::Eof => return open.remove(0).children.remove(0),
                Xml::Start(tag) => open.push(Element::of(tag)),
                Xml::Empty(tag) => here.children.push(Element::of(tag)),
                Xml::End(_) => {
                    let done = open.pop().expect("it was opened");
                    open.last_mut().expect("never empty").children.push(done);
                }
                Xml::Text(text) => here.text.push_str(text),
                Xml::GeneralRef(reference) => {
                    match (&**reference, reference.resolve_char_ref().expect("a reference")) {
                        (_, Some(c)) => here.text.push(c),
                        ("lt", None) => here.text.push('<'),
                        ("gt", None) => here.text.push('>'),
                        ("amp", None) => here.text.push('&'),
                        (other, None) => panic!("&{other};"),
                    }
                }
                _ => {}
            }
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn needs(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("<{}> has no {name}: {self:?}", self.name))
    }

    fn allows(&self, attributes: &[&str], children: &[&str]) {
        for (name, _) in &self.attributes {
            assert!(attributes.contains(&name.as_str()), "<{}> has {name}", self.name);
        }
        for child in &self.children {
            assert!(children.contains(&child.name.as_str()), "<{}> holds <{}>", self.name, child.name);
        }
    }

    fn number(&self, name: &str) -> usize {
        self.needs(name).parse().unwrap_or_else(|_| panic!("{name} is {:?}", self.needs(name)))
    }

    fn named<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Holds a file to the schema of the Jenkins xUnit plugin (junit-10.xsd) and to that of Ant's format (JUnit.xsd), rule by
/// rule, and to what counts tell.
#[track_caller]
fn satisfies_both_schemas(root: &Element) {
    assert_eq!(root.name, "testsuites");
    // The plugin allows more here, Ant nothing.
    root.allows(&[], &["testsuite"]);
    for (id, suite) in root.children.iter().enumerate() {
        let attributes =
            ["id", "package", "name", "hostname", "timestamp", "tests", "failures", "errors", "skipped", "time"];
        suite.allows(&attributes, &["properties", "testcase", "system-out", "system-err"]);
        assert_eq!(suite.number("id"), id);
        for name in ["package", "name", "hostname"] {
            assert!(!suite.needs(name).trim().is_empty(), "{name}");
        }
        let pattern: String =
            suite.needs("timestamp").chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(pattern, "9999-99-99T99:99:99");
        let order: Vec<&str> = suite.children.iter().map(|child| child.name.as_str()).collect();
        let cases = suite.named("testcase").count();
        assert_eq!(order[0], "properties");
        assert!(order[1..=cases].iter().all(|name| *name == "testcase"));
        assert_eq!(order[1 + cases..], ["system-out", "system-err"]);
        for property in &suite.children[0].children {
            assert_eq!(property.name, "property");
            property.allows(&["name", "value"], &[]);
            assert!(!property.needs("name").is_empty());
            property.needs("value");
        }
        let ends = |tag: &str| suite.named("testcase").filter(|case| case.named(tag).count() == 1).count();
        assert_eq!(suite.number("tests"), cases);
        assert_eq!(suite.number("failures"), ends("failure"));
        assert_eq!(suite.number("errors"), ends("error"));
        assert_eq!(suite.number("skipped"), ends("skipped"));
        assert_eq!(suite.number("time"), suite.named("testcase").map(|case| case.number("time")).sum::<usize>());
        for case in suite.named("testcase") {
            case.allows(&["name", "classname", "time"], &["skipped", "error", "failure"]);
            assert!(!case.needs("name").is_empty() && !case.needs("classname").is_empty());
            assert!(case.children.len() <= 1);
            for end in &case.children {
                end.allows(&["type", "message"], &[]);
                if end.name != "skipped" {
                    assert!(!end.needs("type").is_empty());
                }
            }
        }
    }
}

/// The cases of a file that both schemas accept.
pub fn cases(file: &str) -> Vec<Case> {
    let root = Element::read(file);
    satisfies_both_schemas(&root);
    let mut cases = Vec::new();
    for suite in &root.children {
        let properties = suite.children[0].children.iter();
        let properties: Vec<(String, String)> = properties
            .map(|property| (property.needs("name").to_owned(), property.needs("value").to_owned()))
            .collect();
        for case in suite.named("testcase") {
            let end = case.children.first().map(|end| {
                let attribute = |name| end.get(name).unwrap_or_default().to_owned();
                (end.name.clone(), attribute("type"), attribute("message"), end.text.clone())
            });
            cases.push(Case {
                suite: suite.needs("name").to_owned(),
                class: case.needs("classname").to_owned(),
                name: case.needs("name").to_owned(),
                time: case.needs("time").to_owned(),
                end,
                properties: properties.clone(),
            });
        }
    }
    cases
}

fn cases_of(report: &Report) -> Vec<Case> {
    cases(&junit::render(report))
}

#[test]
fn junit_has_a_suite_per_pipeline_and_a_case_per_run_whose_name_stays() {
    let cases = cases_of(&fixture::several());
    let places: Vec<(&str, &str)> = cases.iter().map(|case| (case.suite.as_str(), case.name.as_str())).collect();
    let expected = [
        ("sales", "sales #1"),
        ("sales", "sales #2"),
        ("sales", "sales #3"),
        ("stock|x", "stock|x #1"),
        ("stock|x", "stock|x #2"),
    ];
    assert_eq!(places, expected);
    assert!(cases.iter().all(|case| case.class == "maestro-gate"));
    assert_eq!((cases[0].time.as_str(), cases[4].time.as_str()), ("912", "0"));
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
    let property = |case: &Case, name: &str| {
        case.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).expect("the property")
    };
    assert_eq!(property(&cases[0], "run-id #2"), "run_2");
    assert_eq!(property(&cases[0], "verdict #3"), "not-waited");

    // The next build's run has another id, and the same case.
    let only = |id: &str| {
        let mut report = fixture::failed();
        report.runs[0].run_id = Sanitized::ours(id);
        cases_of(&report).remove(0)
    };
    let (today, tomorrow) = (only("run_1"), only("run_2"));
    assert_eq!((&today.suite, &today.class, &today.name), (&tomorrow.suite, &tomorrow.class, &tomorrow.name));
    assert_eq!(property(&today, "run-id"), "run_1");
    assert_eq!(property(&today, "status"), "FAILED");
    assert!(property(&today, "run-url").starts_with("https://"));
    assert!(property(&today, "run").starts_with("run run_1 of pipeline "));
}

#[test]
fn junit_says_in_the_content_what_it_says_in_the_message_and_the_message_does_not_repeat_the_type() {
    for (name, report) in fixture::all() {
        for case in cases_of(&report) {
            if let Some((_, kind, message, content)) = case.end {
                assert!(!message.is_empty() && (kind.is_empty() || !message.starts_with(&kind)), "{name}: {message}");
                assert_eq!(content.lines().next(), Some(message.as_str()), "{name}");
            }
        }
    }
    let content = cases_of(&fixture::failed()).remove(0).end.expect("a failure").3;
    assert!(content.contains("</details></code> <img src=x> | a | b |"), "escaped, not changed: {content}");
}

#[test]
fn junit_keeps_tabs_and_every_character_that_xml_can_hold() {
    let text = "a\tb\n]]> \u{7f}\u{a0}\u{1f980} \"q\" 'r' &amp;";
    let mut report = fixture::failed();
    report.runs[0].trace = Some(Arc::new(Sanitized::ours(text)));
    report.runs[0].reason = Sanitized::ours("a\tb \"quoted\" <tag>\u{fffe}");
    let (_, _, message, content) = cases_of(&report).remove(0).end.expect("a failure");
    assert!(content.ends_with(text), "{content:?}");
    assert!(message.ends_with(": a\tb \"quoted\" <tag>"), "{message:?}");
    // xunit-viewer guesses the encoding, and fails on U+FFFD.
    assert!(junit::render(&report).is_ascii());
}

#[test]
fn junit_is_never_empty_and_never_all_green_unless_the_gate_passed() {
    let sanitizer = fixture::sanitizer();
    let bug_after = |known| Report::internal_error(known, &Untrusted::new("bug"), &sanitizer);
    let mut reports: Vec<(&str, Report)> = fixture::all();
    reports.push(("a bug after a pass", bug_after(fixture::passed())));
    reports.push(("nothing named", Report::first(&[] as &[Wanted], &no_link, &sanitizer)));
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
        run.trace = Some(Arc::new(Sanitized::ours("'".repeat(1 << 20))));
    }
    let file = junit::render(&report);
    assert!(file.len() < 30_000_000, "{} bytes", file.len());
    assert!(file.contains("the trace is not shown"));
}
