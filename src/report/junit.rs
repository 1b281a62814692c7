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
use super::room::Room;
use super::sanitize::{self, Sanitized};
use super::{Report, RunReport, messages};
use crate::core::{End, Verdict};

pub static JUNIT: ReportFormat = ReportFormat { input: "junit", render: |report, _, _| vec![render(report)] };

/// The class of every case, and the case that speaks for the gate itself where no run's case can.
const GATE: &str = "maestro-gate";

/// The trace shown in one case, and in all of them, in bytes: GitLab refuses a file of 30 MB, and an escaped character
/// takes up to six bytes.
const TRACE_LIMIT: usize = 16 * 1024;
const ALL_TRACES_LIMIT: usize = 2 * 1024 * 1024;

/// The file.
pub fn render(report: &Report) -> String {
    let mut document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    let mut room = Room(ALL_TRACES_LIMIT);
    let pipelines = by_pipeline(&report.runs);
    for (id, runs) in pipelines.iter().enumerate() {
        document.push_str(&pipeline_suite(id, runs, &mut room));
    }
    let is_spoken_for = report.deciding().any(|run| run.end == End::Verdict(report.verdict));
    if !is_spoken_for {
        document.push_str(&gate_suite(pipelines.len(), report));
    }
    document + "</testsuites>\n"
}

/// The runs of each pipeline, in the order of the first ones.
fn by_pipeline(runs: &[RunReport]) -> Vec<Vec<&RunReport>> {
    let mut places = HashMap::new();
    let mut pipelines: Vec<Vec<&RunReport>> = Vec::new();
    for run in runs {
        let place = *places.entry(&run.pipeline_id).or_insert(pipelines.len());
        match pipelines.get_mut(place) {
            Some(runs) => runs.push(run),
            None => pipelines.push(vec![run]),
        }
    }
    pipelines
}

/// The suite of a pipeline, with a case for each of its runs.
fn pipeline_suite(id: usize, runs: &[&RunReport], room: &mut Room) -> String {
    let mut properties = String::new();
    if let Some(pipeline) = runs.iter().find_map(|run| run.pipeline.as_ref()) {
        properties.push_str(&property("pipeline-name", &pipeline.name));
        properties.push_str(&property("pipeline-cron", &pipeline.cron));
        properties.push_str(&property("pipeline-state", &pipeline.state));
    }
    let name: &str = runs.first().map_or("", |run| &run.pipeline_id);
    let deciding = runs.iter().filter(|run| !run.is_retried).count();
    let mut place = 0;
    let mut cases = Vec::new();
    for run in runs {
        // A run has a new id every time. A history of test results follows the name of the case, so the name is the
        // pipeline's, which stays.
        let suffix = match run.attempt.filter(|_| run.is_retried) {
            Some(attempt) => format!(" attempt {}", attempt.number),
            None => {
                place += 1;
                if deciding > 1 { format!(" #{place}") } else { String::new() }
            }
        };
        let mut add = |name: &str, value: &str| properties.push_str(&property(&format!("{name}{suffix}"), value));
        add("run", &messages::run(run));
        add("run-id", &run.run_id);
        add("status", &run.status);
        add("verdict", run.end.name());
        add("run-url", run.run_url().unwrap_or_default());
        add("pipeline-url", run.pipeline_url().unwrap_or_default());
        let seconds = run.duration.map_or(0, |length| length.as_secs());
        cases.push(Case { name: format!("{name}{suffix}"), seconds, problem: problem(run, room) });
    }
    let started = runs.iter().filter_map(|run| run.started_at).min();
    suite(id, name, started, &properties, &cases)
}

/// The suite that speaks for the gate where no run does.
fn gate_suite(id: usize, report: &Report) -> String {
    let problem = (report.verdict != Verdict::Passed).then(|| {
        let mut details: Vec<String> = report.input_errors.iter().map(|error| format!("- {error}")).collect();
        details.extend(messages::next_steps(report).iter().map(|step| format!("next step: {step}")));
        details.extend(messages::help(report.verdict).map(|help| format!("help: {help}")));
        details.extend(report.bug.iter().map(|bug| format!("\n{bug}")));
        Problem { verdict: Some(report.verdict), message: messages::headline(report).to_string(), details }
    });
    suite(id, GATE, None, "", &[Case { name: GATE.to_owned(), seconds: 0, problem }])
}

struct Case {
    name: String,
    seconds: u64,
    /// None for a pass.
    problem: Option<Problem>,
}

/// Why a case is no pass.
struct Problem {
    /// None for a case that is skipped.
    verdict: Option<Verdict>,
    message: String,
    details: Vec<String>,
}

impl Problem {
    /// `failure` for a run that failed, `error` for everything else.
    fn tag(&self) -> &'static str {
        match self.verdict {
            None => "skipped",
            Some(Verdict::Failed) => "failure",
            Some(_) => "error",
        }
    }
}

fn problem(run: &RunReport, room: &mut Room) -> Option<Problem> {
    let skipped = |message| Some(Problem { verdict: None, message, details: Vec::new() });
    let message = format!("{}: {}", messages::run(run), run.reason);
    // Its case would make the report fail though the gate passed: the next attempt's case decides.
    if run.is_retried {
        return skipped(message);
    }
    let verdict = match run.end {
        End::Verdict(Verdict::Passed) => return None,
        End::Verdict(verdict) => verdict,
        End::NotWaited => return skipped(run.reason.to_string()),
    };
    let mut details = Vec::new();
    details.extend(run.cause.as_ref().map(|cause| format!("likely cause: {cause}")));
    details.extend(run.hint().map(|hint| format!("hint: {hint}")));
    details.push(format!("next step: {}", run.next_step));
    details.extend(messages::help(verdict).map(|help| format!("help: {help}")));
    details.extend(run.link.as_ref().map(|link| link.url().to_owned()));
    details.extend(run.telling_trace().map(|trace| format!("\n{}", trace_within(trace, room))));
    Some(Problem { verdict: Some(verdict), message, details })
}

fn trace_within(trace: &Sanitized, room: &mut Room) -> Sanitized {
    let shown = sanitize::cut(trace, TRACE_LIMIT);
    if room.take(shown.len()) {
        shown
    } else {
        Sanitized::ours("(the trace is not shown: the traces before it have filled this report)")
    }
}

fn suite(id: usize, name: &str, started: Option<DateTime<Utc>>, properties: &str, cases: &[Case]) -> String {
    let count =
        |tag| cases.iter().filter_map(|case| case.problem.as_ref()).filter(|problem| problem.tag() == tag).count();
    let seconds = cases.iter().map(|case| case.seconds).fold(0, u64::saturating_add);
    // Ant's schema allows no time zone; all times of the gate are UTC.
    let timestamp = started.unwrap_or_default().format("%Y-%m-%dT%H:%M:%S");
    format!(
        "    <testsuite id=\"{id}\" package=\"{GATE}\" name=\"{}\" hostname=\"localhost\" timestamp=\"{timestamp}\" \
         tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{seconds}\">\n        \
         <properties>\n{properties}        </properties>\n{}        \
         <system-out/>\n        <system-err/>\n    </testsuite>\n",
        xml_attribute(name),
        cases.len(),
        count("failure"),
        count("error"),
        count("skipped"),
        cases.iter().map(case).collect::<String>(),
    )
}

/// One property; nothing for an empty value.
fn property(name: &str, value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    format!("            <property name=\"{}\" value=\"{}\"/>\n", xml_attribute(name), xml_attribute(value))
}

fn case(Case { name, seconds, problem }: &Case) -> String {
    let name = xml_attribute(name);
    let case = format!("        <testcase name=\"{name}\" classname=\"{GATE}\" time=\"{seconds}\"");
    let Some(problem) = problem else { return case + "/>\n" };
    let (tag, message) = (problem.tag(), xml_attribute(&problem.message));
    let kind = problem.verdict.map(|verdict| format!(" type=\"{}\"", verdict.name())).unwrap_or_default();
    // The message is the content's first line too: GitLab shows only the content.
    let lines = [&problem.message].into_iter().chain(&problem.details);
    let content = lines.map(|line| xml_text(line)).collect::<Vec<String>>().join("\n");
    format!("{case}>\n            <{tag}{kind} message=\"{message}\">{content}</{tag}>\n        </testcase>\n")
}
