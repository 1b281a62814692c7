//! What TeamCity reads: service messages in the log.
//!
//! <https://www.jetbrains.com/help/teamcity/service-messages.html>

use super::{CiSystem, EnvMarker, Folded, LogContext, OutputChannel, PLAIN};
use crate::report::{Report, Stage, annotations, escape, output_values};

pub(super) static TEAMCITY: CiSystem = CiSystem {
    names: &["teamcity"],
    marks: &[EnvMarker::Set("TEAMCITY_VERSION")],
    outputs: OutputChannel::Log(parameters),
    fold: block,
    problems,
    ..PLAIN
};

/// The longest description of a build problem, in characters, and the longest identity.
const PROBLEM_LIMIT: usize = 4000;
const IDENTITY_LIMIT: usize = 60;

/// The outputs, one message a line; the last one of a name wins. As `env.` parameters they are variables of later steps,
/// and `%env.NAME%` is pasted into their scripts: that is why the values are encoded as for a shell. A percent sign would
/// begin a reference; doubled it is one sign (TeamCity's documentation, *Configuring Build Parameters*).
///
/// At the end also what can be charted, as statistic values.
fn parameters(report: &Report, prefix: &str) -> String {
    let variables = output_values::encoded(report, prefix);
    let parameter = |(name, value): &(String, String)| {
        message("setParameter", &[("name", &format!("env.{name}")), ("value", &value.replace('%', "%%"))])
    };
    let mut lines: String = variables.iter().map(parameter).collect();
    if report.stage == Stage::Final {
        // More digits than these are refused; so long no run is.
        let is_length = |name: &str, value: &str| name.ends_with("_SECONDS") && (1..=13).contains(&value.len());
        let lengths = variables.iter().filter(|(name, value)| is_length(name, value));
        lines.extend(lengths.map(|(key, value)| message("buildStatisticValue", &[("key", key), ("value", value)])));
    }
    lines
}

/// The warnings, then one build problem on anything but a pass. A build has one problem of an identity: the prefix tells
/// the problems of two gates apart.
fn problems(report: &Report, context: &LogContext<'_>) -> String {
    let warning =
        |text: String| message("message", &[("text", &format!("maestro-gate: {text}")), ("status", "WARNING")]);
    let title = format!("maestro-gate: {}: ", report.verdict.name());
    let identity: String =
        escape::dotenv_key(context.prefix, report.verdict.name()).chars().take(IDENTITY_LIMIT).collect();
    let problem =
        |text: String| message("buildProblem", &[("description", &format!("{title}{text}")), ("identity", &identity)]);
    let error = annotations::error(report, PROBLEM_LIMIT - title.len()).map(problem);
    annotations::warnings(report).into_iter().map(warning).chain(error).collect()
}

/// Untrusted text as a block of the log.
fn block(piece: &Folded, _context: &LogContext<'_>) -> String {
    let mark = |name| message(name, &[("name", &piece.title)]);
    format!("{}{}\n{}", mark("blockOpened"), escape::gutter(&piece.text).trim_end_matches('\n'), mark("blockClosed"))
}

fn message(name: &str, attributes: &[(&str, &str)]) -> String {
    let attribute = |(key, value): &(&str, &str)| format!(" {key}='{}'", escape::teamcity(value));
    format!("##teamcity[{name}{}]\n", attributes.iter().map(attribute).collect::<String>())
}
