//! What a CI system gets of a report: its log and its outputs, with a fixed token and time.

use maestro_gate::report::ci::github::Delimiter;
use maestro_gate::report::ci::{AgentCall, CiSystem, LogContext, OutputChannel, SummaryChannel};
use maestro_gate::report::{Report, text};

use crate::fixture::at;

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
