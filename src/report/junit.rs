//! The JUnit report: a suite for each pipeline, a case for each run. Never empty, and never all green unless the gate
//! passed.
//!
//! It is written by hand because the readers disagree, and no library writes what all of them accept. The file satisfies the
//! schema of the Jenkins xUnit plugin (`junit-10.xsd`: no `skipped` on `testsuites`, no properties in a case) and the
//! published schema of Ant's format (`JUnit.xsd`: no attributes on `testsuites`; `id`, `package`, `hostname`, `timestamp`
//! and `time` on each suite; `properties`, `system-out` and `system-err` always there, in that order).

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::ReportFormat;
use super::escape::{xml_attribute, xml_text};
use super::sanitize::{self, Sanitized};
use super::{Report, RunReport, messages};
use crate::core::{End, Verdict};

pub static JUNIT: ReportFormat = ReportFormat { input: "junit", render: |report, _| render(report) };

/// The class of every case, and the case that speaks for the gate itself where no run's case can.
const GATE: &str = "maestro-gate";

/// The trace shown in one case, and in all of them, in bytes: GitLab refuses a file of 30 MB, and an escaped character
/// takes up to six bytes.
const TRACE_LIMIT: usize = 16 * 1024;
const ALL_TRACES_LIMIT: usize = 2 * 1024 * 1024;

/// The file.
pub fn render(report: &Report) -> String {
    let mut room = ALL_TRACES_LIMIT;
    let mut suites = Suites::default();
    for run in &report.runs {
        suites.of(&run.pipeline_id).runs.push(run);
    }
    let mut document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for (id, suite) in suites.in_order.iter().enumerate() {
        document.push_str(&suite.render(id, &mut room));
    }
    let is_spoken_for = report.deciding().any(|run| run.end == End::Verdict(report.verdict));
    if !is_spoken_for {
        document.push_str(&gate_suite(report, suites.in_order.len()));
    }
    document + "</testsuites>\n"
}

/// The suites in the order of their first case, found by name.
#[derive(Default)]
struct Suites<'a> {
    in_order: Vec<Suite<'a>>,
    by_name: HashMap<&'a str, usize>,
}

struct Suite<'a> {
    pipeline: &'a str,
    runs: Vec<&'a RunReport>,
}

impl<'a> Suites<'a> {
    fn of(&mut self, pipeline: &'a str) -> &mut Suite<'a> {
        let index = *self.by_name.entry(pipeline).or_insert_with(|| {
            self.in_order.push(Suite { pipeline, runs: Vec::new() });
            self.in_order.len() - 1
        });
        &mut self.in_order[index]
    }
}

impl Suite<'_> {
    fn render(&self, id: usize, room: &mut usize) -> String {
        let mut properties = String::new();
        let mut cases = Vec::new();
        if let Some(pipeline) = self.runs.iter().find_map(|run| run.pipeline.as_ref()) {
            let text = [("name", &pipeline.name), ("cron", &pipeline.cron), ("state", &pipeline.state)];
            for (name, value) in text.into_iter().filter(|(_, value)| !value.is_empty()) {
                properties.push_str(&property(&format!("pipeline-{name}"), value));
            }
        }
        let decide = self.runs.iter().filter(|run| !run.is_retried).count();
        let mut place = 0;
        for run in &self.runs {
            // A run has a new id every time. A history of test results follows the name of the case, so the name is the
            // pipeline's, which stays.
            let suffix = match run.attempt.filter(|_| run.is_retried) {
                Some(attempt) => format!(" attempt {}", attempt.number),
                None => {
                    place += 1;
                    if decide > 1 { format!(" #{place}") } else { String::new() }
                }
            };
            let text = [
                ("run", messages::run(run).to_string()),
                ("run-id", run.run_id.to_string()),
                ("status", run.status.clone()),
                ("verdict", run.end.name().to_owned()),
                ("run-url", run.run_url().unwrap_or_default().to_owned()),
                ("pipeline-url", run.pipeline_url().unwrap_or_default().to_owned()),
            ];
            for (name, value) in text.iter().filter(|(_, value)| !value.is_empty()) {
                properties.push_str(&property(&format!("{name}{suffix}"), value));
            }
            cases.push(Case {
                name: format!("{}{suffix}", self.pipeline),
                seconds: run.duration.map_or(0, |length| length.as_secs()),
                result: result(run, room),
            });
        }
        let started = self.runs.iter().filter_map(|run| run.started_at).min();
        suite(id, self.pipeline, started, &properties, &cases)
    }
}

struct Case {
    name: String,
    seconds: u64,
    result: CaseResult,
}

enum CaseResult {
    Passed,
    Skipped {
        message: String,
    },
    /// `failure` for a run that failed, `error` for everything else.
    Red {
        verdict: Verdict,
        message: String,
        details: String,
    },
}

impl Case {
    fn render(&self) -> String {
        let (name, seconds) = (xml_attribute(&self.name), self.seconds);
        let case = format!("        <testcase name=\"{name}\" classname=\"{GATE}\" time=\"{seconds}\"");
        match &self.result {
            CaseResult::Passed => format!("{case}/>\n"),
            CaseResult::Skipped { message } => {
                let (attribute, text) = (xml_attribute(message), xml_text(message));
                format!("{case}>\n            <skipped message=\"{attribute}\">{text}</skipped>\n        </testcase>\n")
            }
            CaseResult::Red { verdict, message, details } => {
                let tag = if *verdict == Verdict::Failed { "failure" } else { "error" };
                let (kind, attribute, text) = (verdict.name(), xml_attribute(message), xml_text(message));
                // The message is the content's first line too: GitLab shows only the content.
                format!(
                    "{case}>\n            <{tag} type=\"{kind}\" message=\"{attribute}\">{text}{}</{tag}>\n        \
                     </testcase>\n",
                    xml_text(details)
                )
            }
        }
    }
}

fn suite(id: usize, name: &str, started: Option<DateTime<Utc>>, properties: &str, cases: &[Case]) -> String {
    let count = |wanted: fn(&CaseResult) -> bool| cases.iter().filter(|case| wanted(&case.result)).count();
    let failures = count(|result| matches!(result, CaseResult::Red { verdict: Verdict::Failed, .. }));
    let errors = count(|result| matches!(result, CaseResult::Red { verdict, .. } if *verdict != Verdict::Failed));
    let skipped = count(|result| matches!(result, CaseResult::Skipped { .. }));
    let seconds: u64 = cases.iter().map(|case| case.seconds).fold(0, u64::saturating_add);
    // Ant's schema allows no time zone; all times of the gate are UTC.
    let timestamp = started.unwrap_or_default().format("%Y-%m-%dT%H:%M:%S");
    let mut text = format!(
        "    <testsuite id=\"{id}\" package=\"{GATE}\" name=\"{}\" hostname=\"localhost\" timestamp=\"{timestamp}\" \
         tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{seconds}\">\n        \
         <properties>\n{properties}        </properties>\n",
        xml_attribute(name),
        cases.len(),
    );
    text.extend(cases.iter().map(Case::render));
    text + "        <system-out/>\n        <system-err/>\n    </testsuite>\n"
}

fn property(name: &str, value: &str) -> String {
    format!("            <property name=\"{}\" value=\"{}\"/>\n", xml_attribute(name), xml_attribute(value))
}

fn result(run: &RunReport, room: &mut usize) -> CaseResult {
    // Its case would make the report fail though the gate passed: the next attempt's case decides.
    if run.is_retried {
        return CaseResult::Skipped { message: format!("{}: {}", messages::run(run), run.reason) };
    }
    let verdict = match run.end {
        End::Verdict(Verdict::Passed) => return CaseResult::Passed,
        End::Verdict(verdict) => verdict,
        End::NotWaited => return CaseResult::Skipped { message: run.reason.to_string() },
    };
    let mut details = String::new();
    details.extend(run.cause.as_ref().map(|cause| format!("\nlikely cause: {cause}")));
    details.extend(run.hint().map(|hint| format!("\nhint: {hint}")));
    details.push_str(&format!("\nnext step: {}", run.next_step));
    details.extend(messages::help(verdict).map(|help| format!("\nhelp: {help}")));
    if let Some(link) = &run.link {
        details.push_str(&format!("\n{}", link.url()));
    }
    if let Some(trace) = run.telling_trace() {
        details.push_str(&format!("\n\n{}", trace_within(trace, room)));
    }
    CaseResult::Red { verdict, message: format!("{}: {}", messages::run(run), run.reason), details }
}

fn trace_within(trace: &Sanitized, room: &mut usize) -> String {
    let shown = sanitize::cut(trace, TRACE_LIMIT);
    if shown.len() > *room {
        return "(the trace is not shown: the traces before it have filled this report)".to_owned();
    }
    *room -= shown.len();
    shown.to_string()
}

/// The suite that speaks for the gate where no run does.
fn gate_suite(report: &Report, id: usize) -> String {
    let result = if report.verdict == Verdict::Passed {
        CaseResult::Passed
    } else {
        let mut details = String::new();
        for error in &report.input_errors {
            details.push_str(&format!("\n- {error}"));
        }
        for step in messages::next_steps(report) {
            details.push_str(&format!("\nnext step: {step}"));
        }
        details.extend(messages::help(report.verdict).map(|help| format!("\nhelp: {help}")));
        if let Some(bug) = &report.bug {
            details.push_str(&format!("\n\n{bug}"));
        }
        CaseResult::Red { verdict: report.verdict, message: messages::headline(report).to_string(), details }
    };
    suite(id, GATE, None, "", &[Case { name: GATE.to_owned(), seconds: 0, result }])
}
