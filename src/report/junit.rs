//! The JUnit report: a suite for each pipeline, a case for each run. Never empty, and never all green unless the gate
//! passed.

use std::collections::HashMap;

use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::clean::{self, Clean};
use super::{Report, RunReport, words};
use crate::gate::{End, Verdict};

/// The case that speaks for the gate itself, where no run's case can.
const GATE: &str = "maestro-gate";

/// The trace shown in one case, and in all of them, in bytes: GitLab refuses a file of 30 MB, and an escaped character
/// takes up to six bytes.
const TRACE_LIMIT: usize = 16 * 1024;
const ALL_TRACES_LIMIT: usize = 2 * 1024 * 1024;

/// The file.
pub fn render(report: &Report) -> Result<String, SerializeError> {
    let mut room = ALL_TRACES_LIMIT;
    let mut suites = Suites::default();
    for run in &report.runs {
        let pipeline: &str = &run.pipeline_id;
        let mut case = TestCase::new(&**run.name(), status(run, &mut room));
        case.set_classname(pipeline);
        if let Some(length) = run.duration {
            case.set_time(length);
        }
        suites.add(pipeline, case);
    }
    let spoken_for = report.runs.iter().any(|run| run.end == End::Verdict(report.verdict));
    if !spoken_for {
        let mut case = TestCase::new(GATE, gate_status(report));
        case.set_classname(GATE);
        suites.add(GATE, case);
    }
    let mut document = quick_junit::Report::new(GATE);
    document.add_test_suites(suites.in_order);
    document.to_string()
}

/// The suites in the order of their first case, found by name.
#[derive(Default)]
struct Suites<'a> {
    in_order: Vec<TestSuite>,
    by_name: HashMap<&'a str, usize>,
}

impl<'a> Suites<'a> {
    fn add(&mut self, name: &'a str, case: TestCase) {
        let index = *self.by_name.entry(name).or_insert_with(|| {
            self.in_order.push(TestSuite::new(name));
            self.in_order.len() - 1
        });
        if let Some(suite) = self.in_order.get_mut(index) {
            suite.add_test_case(case);
        }
    }
}

fn status(run: &RunReport, room: &mut usize) -> TestCaseStatus {
    let verdict = match run.end {
        End::Verdict(Verdict::Passed) => return TestCaseStatus::success(),
        End::Verdict(verdict) => verdict,
        End::NotWaited => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(&*run.reason).set_description(&*run.reason);
            return skipped;
        }
    };
    let message = format!("{}: {}", verdict.name(), run.reason);
    let mut content = format!("{message}\nnext step: {}", run.next_step);
    if let Some(url) = &run.run_url {
        content.push_str(&format!("\n{url}"));
    }
    if let Some(trace) = run.telling_trace() {
        content.push_str(&format!("\n\n{}", trace_within(trace, room)));
    }
    non_success(verdict, &message, &content)
}

fn trace_within(trace: &Clean, room: &mut usize) -> String {
    let shown = clean::cut(trace, TRACE_LIMIT);
    if shown.len() > *room {
        return "(the trace is not shown: the traces before it have filled this report)".to_owned();
    }
    *room -= shown.len();
    shown.to_string()
}

fn gate_status(report: &Report) -> TestCaseStatus {
    if report.verdict == Verdict::Passed {
        return TestCaseStatus::success();
    }
    let message = format!("{}: {}", report.verdict.name(), words::headline(report));
    let mut content = message.clone();
    for mistake in &report.mistakes {
        content.push_str(&format!("\n- {mistake}"));
    }
    for step in words::next_steps(report) {
        content.push_str(&format!("\nnext step: {step}"));
    }
    if let Some(bug) = &report.bug {
        content.push_str(&format!("\n\n{bug}"));
    }
    non_success(report.verdict, &message, &content)
}

/// `failure` for a run that failed, `error` for everything else; the message is the content's first line, because
/// GitLab shows only the content.
fn non_success(verdict: Verdict, message: &str, content: &str) -> TestCaseStatus {
    let kind = if verdict == Verdict::Failed { NonSuccessKind::Failure } else { NonSuccessKind::Error };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_type(verdict.name()).set_description(content);
    status
}
