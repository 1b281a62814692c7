//! The report files for programs (JSON, JUnit), and the sentences for people.

use std::collections::HashSet;
use std::time::Duration;

use maestro_gate::gate::{
    During, End, Event, Foreign, Meaning, MissKind, Notice, Request, RunOutcome, SessionNote, Signal, Target, Verdict,
};
use maestro_gate::report::clean::Clean;
use maestro_gate::report::words::{self, Names};
use maestro_gate::report::{Report, Stage, Weight, json, junit};
use quick_xml::events::Event as Xml;

use crate::fixture::{self, miss, no_url, run, seconds, seen, target};

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

#[test]
fn durations_are_days_hours_minutes_seconds_rounded_down() {
    let word = |millis| words::duration(Duration::from_millis(millis));
    assert_eq!(word(0), "0s");
    assert_eq!(word(999), "0s");
    assert_eq!(word(912_999), "15m 12s");
    assert_eq!(word(3_600_000), "1h");
    assert_eq!(word(86_400_000 + 1_000), "1d 1s");
    assert_eq!(word(90_061_000), "1d 1h 1m 1s");
    assert_eq!(words::duration(Duration::MAX), "213503982334601d 7h 15s");
    assert_eq!(words::clock(seconds(12)), "0:12");
    assert_eq!(words::clock(seconds(3723)), "1:02:03");
}

fn step(verdict: Verdict, seen: Option<maestro_gate::gate::Seen>, why: Option<(During, MissKind)>) -> String {
    let why = why.map(|(during, kind)| miss(during, kind, "detail"));
    let told = words::told(&run(verdict, seen, why), seconds(3000), &fixture::cleaner());
    assert!(!told.reason.is_empty());
    told.next_step.to_string()
}

/// What was started, or may have been, must not be started again unseen.
#[test]
fn a_request_to_start_whose_run_nobody_saw_is_told_with_the_end() {
    for verdict in
        [Verdict::NotStarted, Verdict::NotFound, Verdict::Unreachable, Verdict::Interrupted(Signal::Terminate)]
    {
        let told =
            |request| words::told(&RunOutcome { request, ..run(verdict, None, None) }, seconds(3), &fixture::cleaner());
        assert!(!told(Request::None).reason.contains("start it"));
        assert!(told(Request::InDoubt).reason.ends_with("; whether a run was started is not known"));
        assert!(told(Request::Taken).reason.ends_with("; the service took the request to start it"));
        for request in [Request::InDoubt, Request::Taken] {
            assert!(told(request).next_step.contains("before you run this job again"));
        }
    }
}

/// The person at 2 a.m. is told which input to change.
#[test]
fn the_next_step_names_the_input_to_change() {
    use During::{GetRun, SignIn};
    use Verdict::{Denied, NotFound, Stale, TimedOut, Unreachable};
    let unknown = Some(seen("FOO", Meaning::Unknown, None));
    assert!(step(TimedOut, unknown, None).starts_with("if FOO means success, set success-statuses: FOO;"));
    assert!(step(TimedOut, Some(seen("RUNNING", Meaning::Wait, None)), None).contains("raise timeout"));
    assert!(step(Stale, Some(seen("SUCCESS", Meaning::Passed, None)), None).contains("max-age"));
    for (verdict, during, kind, input) in [
        (Denied, SignIn, MissKind::Http(401), "DADOSFERA_PASSWORD"),
        (Denied, SignIn, MissKind::NoToken, "totp-secret"),
        (Denied, GetRun, MissKind::TokenRefused, "access-token"),
        (Denied, GetRun, MissKind::TokenFile, "access-token-file"),
        (Denied, GetRun, MissKind::Http(403), "account"),
        (NotFound, GetRun, MissKind::Http(404), "appear-timeout"),
        (NotFound, GetRun, MissKind::NoRecord, "run-id and pipeline-id"),
        (Unreachable, GetRun, MissKind::Http(500), "run-id and pipeline-id"),
        (Unreachable, GetRun, MissKind::Http(502), "max-outage"),
        (Unreachable, GetRun, MissKind::Http(429), "poll-interval"),
        (Unreachable, GetRun, MissKind::Http(400), "base-url"),
        (Unreachable, SignIn, MissKind::Http(404), "base-url"),
        (Unreachable, GetRun, MissKind::NotJson, "base-url"),
        (Unreachable, GetRun, MissKind::RedirectOffOrigin, "base-url"),
        (Unreachable, GetRun, MissKind::Certificate, "ca-file"),
        (Unreachable, GetRun, MissKind::ProxyAuthentication, "HTTPS_PROXY"),
        (Unreachable, GetRun, MissKind::Proxy, "NO_PROXY"),
        (Unreachable, GetRun, MissKind::Dns, "base-url"),
        (Unreachable, GetRun, MissKind::Connect, "max-outage"),
        (Unreachable, GetRun, MissKind::Timeout, "max-outage"),
    ] {
        let step = step(verdict, None, Some((during, kind)));
        assert!(step.contains(input), "{kind:?}: {step}");
    }
}

#[test]
fn a_failure_by_another_word_is_told_with_its_way_out() {
    let skipped = step(Verdict::Failed, Some(seen("SKIPPED", Meaning::Failed, None)), None);
    assert!(skipped.contains("success-statuses: SKIPPED"), "{skipped}");
    // The word that always fails can't be taught another meaning.
    let failed = step(Verdict::Failed, Some(seen(" failed", Meaning::Failed, Some("why"))), None);
    assert!(failed.starts_with("read the trace") && !failed.contains("success-statuses"), "{failed}");
}

#[test]
fn a_miss_is_told_with_what_was_tried_and_what_was_said() {
    let why = miss(During::GetRun, MissKind::Http(502), "bad\ngateway correct-horse-battery");
    assert_eq!(&*words::miss(&why, &fixture::cleaner()), "read the run: the service answered 502: bad gateway ***");
    let long = miss(During::SignIn, MissKind::NotJson, &"x".repeat(100_000));
    assert!(words::miss(&long, &fixture::cleaner()).len() < 400);
}

#[test]
fn steps_are_told_once_and_the_gate_s_own_first() {
    let runs = (0..50).map(|index| {
        let why = miss(During::GetRun, MissKind::Http(404), "");
        let mut run = run(Verdict::NotFound, None, Some(why));
        if index == 30 {
            run = self::run(Verdict::Failed, Some(seen("FAILED", Meaning::Failed, None)), None);
        }
        run
    });
    let steps = words::next_steps(&fixture::report(&fixture::outcome(runs.collect()), &[]));
    assert_eq!(steps.len(), 2);
    assert!(steps[0].starts_with("read the run's logs"), "the failure decides: {steps:?}");
    let distinct: HashSet<&str> = steps.iter().map(|step| &**step).collect();
    assert_eq!(distinct.len(), 2);
}

#[test]
fn what_deserves_a_warning_gets_one_and_a_blip_does_not() {
    let names = Names::new(&[target("p", "r")], &fixture::cleaner());
    let weight =
        |event| words::note(&Notice { at: seconds(1), event }, &names, &fixture::cleaner()).expect("a note").weight;
    let ended = |lasted| weight(Event::OutageEnded { run: 0, lasted: seconds(lasted), misses: 1 });
    assert_eq!((ended(59), ended(60)), (Weight::Plain, Weight::Warning));
    assert_eq!(weight(Event::UnknownWord { run: 0, word: Foreign::new("X") }), Weight::Warning);
    assert_eq!(weight(Event::Session(SessionNote::ShortSecret("password"))), Weight::Warning);
    assert_eq!(weight(Event::Session(SessionNote::SignedIn)), Weight::Plain);
}

#[test]
fn an_end_is_told_where_neither_status_nor_verdict_tells_it() {
    let cleaner = fixture::cleaner();
    let note = |targets: &[Target], end| {
        let notice = Notice { at: seconds(1), event: Event::Ended { run: 0, end } };
        words::note(&notice, &Names::new(targets, &cleaner), &cleaner).map(|note| note.text.to_string())
    };
    let (one, two) = ([target("p", "a")], [target("p", "a"), target("p", "b")]);
    for end in [End::NotWaited, End::Verdict(Verdict::NotFound), End::Verdict(Verdict::Stale)] {
        assert_eq!(note(&one, end), None);
        assert_eq!(note(&two, end), Some(format!("a: over: {}", end.name())));
    }
    for end in [End::Verdict(Verdict::Passed), End::Verdict(Verdict::Failed)] {
        assert_eq!((note(&one, end), note(&two, end)), (None, None));
    }
}

#[test]
fn a_line_names_its_run_only_where_there_are_several() {
    let cleaner = fixture::cleaner();
    let text = |targets: &[Target], run| {
        let event = Event::Status { run, word: Foreign::new("RUNNING"), meaning: Meaning::Wait };
        words::note(&Notice { at: seconds(1), event }, &Names::new(targets, &cleaner), &cleaner)
            .expect("a note")
            .text
            .to_string()
    };
    let (a, b, c) = (target("p", "a"), target("p", "b"), target("q", "a"));
    assert_eq!(text(std::slice::from_ref(&a), 0), "status RUNNING");
    assert_eq!(text(&[a.clone(), b], 1), "b: status RUNNING");
    assert_eq!(text(&[a, c], 1), "q/a: status RUNNING");
    assert_eq!(text(&[], 7), "status RUNNING");
}

#[test]
fn signals_are_told_apart() {
    let reason = |by| {
        let outcome = fixture::outcome(vec![run(Verdict::Interrupted(by), None, None)]);
        words::headline(&fixture::report(&outcome, &[])).to_string()
    };
    assert!(reason(Signal::Interrupt).contains("never seen when SIGINT"), "{}", reason(Signal::Interrupt));
    assert!(reason(Signal::Terminate).contains("SIGTERM"));
}

#[test]
fn a_bug_is_told_as_a_bug_whatever_was_known() {
    for known in [fixture::first(), fixture::passed(), fixture::several()] {
        let report = Report::internal_error(known, &Foreign::new("index out of bounds"), &fixture::cleaner());
        assert_eq!((report.verdict, report.stage), (Verdict::InternalError, Stage::Final));
        assert_eq!(&*words::headline(&report), "a bug of the gate, not a result of the run");
        assert!(report.bug.is_some_and(|bug| bug.contains("index out of bounds")));
        assert!(report.runs.iter().all(|run| !run.reason.contains("killed")));
    }
}

#[test]
fn links_are_https_and_can_not_end_early() {
    let link = |url: &str| {
        let url = url.to_owned();
        Report::first(&[target("p", "r")], &move |_, _| Some(url.clone()), &fixture::cleaner()).runs[0].run_url.clone()
    };
    assert_eq!(link("https://x/a?b=c#d%20e").as_deref(), Some("https://x/a?b=c#d%20e"));
    assert_eq!(link("https://x/>) | `\n[é").as_deref(), Some("https://x/%3E%29%20%7C%20%60%0A%5B%C3%A9"));
    for bad in ["javascript:alert(1)", "http://x/", "", "https:/é", "é"] {
        assert_eq!(link(bad), None, "{bad}");
    }
}
