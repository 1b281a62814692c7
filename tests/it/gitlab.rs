//! What GitLab gets: sections in the log, and a file of links, read by its own rules.

use maestro_gate::core::{Meaning, RunOutcome, Untrusted, Verdict};
use maestro_gate::report::Report;
use maestro_gate::report::ci::gitlab as rendered;
use proptest::prelude::*;

use crate::ci_log::{closing, report_with};
use crate::fixture::{self, report, run, seen, target};
use crate::hostile::hostile_text;
use crate::runner::gitlab;

fn log(report: &Report) -> String {
    closing(report, "gitlab")
}

fn links(report: &Report) -> Vec<(String, String)> {
    gitlab::annotations(&rendered::annotations(report)).expect("GitLab takes it")
}

/// Each section is opened, then closed, under a name of its own.
#[track_caller]
fn assert_sections(log: &str, expected: usize) {
    let marks = gitlab::sections(log);
    let (pairs, rest) = marks.as_chunks::<2>();
    assert!(rest.is_empty() && pairs.iter().all(|[start, end]| start == end), "{marks:?}");
    let names: std::collections::BTreeSet<&String> = marks.iter().collect();
    assert_eq!((pairs.len(), names.len()), (expected, expected), "{log:?}");
}

#[test]
fn each_untrusted_text_is_a_section_and_the_first_is_open() {
    let log = log(&report_with("why it failed"));
    assert_sections(&log, 2);
    assert_eq!(log.matches("[collapsed=true]").count(), 1);
    assert!(log.find("_0\r").expect("the first") < log.find("[collapsed=true]").expect("the second"));
    for (name, report) in fixture::all() {
        let last = self::log(&report).lines().last().expect("a line").to_owned();
        assert!(last.starts_with("maestro-gate: "), "{name}: the verdict stands in no section: {last}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_ends_a_section_or_begins_one(text in hostile_text()) {
        let report = report_with(&format!("x{text}"));
        let log = log(&report);
        assert_sections(&log, 2);
        prop_assert!(log.lines().last().is_some_and(|last| last.starts_with("maestro-gate: ")));
    }

    #[test]
    fn a_label_says_the_text_and_nothing_else(text in hostile_text()) {
        let links = links(&report_with(&text));
        prop_assert_eq!(links.len(), 1);
        prop_assert!(links[0].0.starts_with("failed: ") && !links[0].0.contains(char::is_control), "{:?}", links);
        prop_assert!(links[0].1.starts_with("https://"));
    }
}

#[test]
fn links_are_those_of_the_runs_what_did_not_pass_first() {
    let several = fixture::several();
    let found = links(&several);
    assert_eq!(found.len(), several.runs.len());
    assert!(found[0].0.starts_with("failed: run run_2 of pipeline sales"), "{found:?}");
    assert!(found[4].0.starts_with("passed: run run_1 of pipeline sales"), "{found:?}");
    assert_eq!(Some(&*found[4].1), several.runs[0].run_url());
    assert_eq!(links(&fixture::first()).len(), 1, "a gate that was killed leaves the link too");
    let mut without = fixture::failed();
    without.runs[0].link = None;
    assert_eq!(rendered::annotations(&without), "{}\n");
}

#[test]
fn a_crowd_s_links_stay_within_gitlab_s_limits() {
    let ids = (0..5000).map(|index| format!("{}{index}", "é\"".repeat(80)));
    let runs = ids.map(|id| {
        let mut seen = seen("FAILED", Meaning::Failed, None);
        seen.record.run_id = Untrusted::new(id.as_str());
        RunOutcome { wanted: target("p", &id).into(), ..run(Verdict::Failed, Some(seen), None) }
    });
    let report = report(&fixture::outcome(runs.collect()), &[]);
    assert!(report.runs.iter().all(|run| run.link.is_some()));
    let found = links(&report).len();
    assert!((50..1000).contains(&found), "{found}");
}
