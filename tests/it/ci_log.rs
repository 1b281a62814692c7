//! What a CI system gets of a report, its log and its outputs, with a fixed token and time; and of the gate itself.

use std::path::Path;
use std::process::Output;

use maestro_gate::core::{Meaning, Untrusted, Verdict};
use maestro_gate::report::ci::github::Delimiter;
use maestro_gate::report::ci::{AgentCall, CiSystem, LogContext, OutputChannel, SummaryChannel};
use maestro_gate::report::{Note, NoteLevel, Report, text};

use crate::fixture::{self, at};
use crate::harness::{PASSWORD, PIPELINE, USERNAME, service};

pub const PREFIX: &str = "MAESTRO_GATE_";

pub fn token() -> Delimiter {
    Delimiter::new("0123456789abcdefghij").expect("long enough")
}

fn system(name: &str) -> &'static CiSystem {
    CiSystem::named(name).expect("a CI system")
}

/// The end of the log.
pub fn closing(report: &Report, ci: &str) -> String {
    text::closing(report, system(ci), &context(PREFIX))
}

/// Warnings and errors as the system shows them.
pub fn problems(report: &Report, ci: &str, prefix: &str) -> String {
    (system(ci).problems)(report, &context(prefix))
}

fn context(prefix: &str) -> LogContext<'_> {
    LogContext { token: token(), now: at("2024-01-13T06:20:30Z"), prefix }
}

/// The outputs, as text.
pub fn outputs(report: &Report, ci: &str, prefix: &str) -> String {
    match system(ci).outputs {
        OutputChannel::Appended { render, .. } | OutputChannel::InFolder { render, .. } => {
            render(report, prefix, token)
        }
        OutputChannel::Log(render) => render(report, prefix),
        OutputChannel::Nowhere | OutputChannel::Agent { .. } => panic!("{ci} takes no outputs as text"),
    }
}

/// The calls of the system's own program: those for the outputs, and those for the summary.
pub fn calls(report: &Report, ci: &str, prefix: &str) -> (Vec<AgentCall>, Vec<AgentCall>) {
    match (system(ci).outputs, system(ci).summary) {
        (OutputChannel::Agent { calls: outputs, .. }, SummaryChannel::Agent { calls: summary, .. }) => {
            (outputs(report, prefix), summary(report, prefix, "page".to_owned()))
        }
        _ => panic!("{ci} has no program of its own"),
    }
}

/// A failed run with this trace and these logs, and a name that says the same.
pub fn report_with(text: &str) -> Report {
    let mut seen = fixture::seen("FAILED", Meaning::Failed, Some(text));
    seen.record.run_id = Untrusted::new(text);
    let mut report = fixture::report(&fixture::outcome(vec![fixture::run(Verdict::Failed, Some(seen), None)]), &[]);
    report.runs[0].logs = Some(fixture::sanitizer().text(&Untrusted::new(text)));
    report.trace_file = Some(fixture::sanitizer().id(text));
    let warning = fixture::sanitizer().line(&Untrusted::new(text), usize::MAX);
    report.notes.push(Note { at: fixture::seconds(1), weight: NoteLevel::Warning, text: warning });
    report
}

/// Runs the gate against a service, with these variables and flags.
#[track_caller]
pub fn run_gate(folder: &Path, run: &str, env: &[(&str, &str)], flags: &[&str]) -> (i32, String) {
    let service = service();
    let mut command = crate::harness::command();
    command
        .current_dir(folder)
        .args(flags)
        .env("DADOSFERA_USERNAME", USERNAME)
        .env("DADOSFERA_PASSWORD", PASSWORD)
        .env("MAESTRO_PIPELINE_ID", PIPELINE);
    command.env("MAESTRO_RUN_ID", run).env("MAESTRO_BASE_URL", service.base_url()).envs(env.iter().copied());
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    (status.code().expect("a code"), String::from_utf8(stdout).expect("UTF-8"))
}
