//! What CircleCI's later steps read: `$BASH_ENV`, a script that bash runs before each of them.
//!
//! <https://circleci.com/docs/env-vars/#parameters-and-bash-environment>

use super::{CiSystem, EnvMarker, OutputChannel, PLAIN};
use crate::report::{Report, output_values};

/// The variable that names the script.
const SCRIPT: &str = "BASH_ENV";

pub(super) static CIRCLECI: CiSystem = CiSystem {
    names: &["circleci"],
    marks: &[EnvMarker::True("CIRCLECI")],
    command_files: &[SCRIPT],
    workspaces: &["CIRCLE_WORKING_DIRECTORY"],
    outputs: OutputChannel::Appended { variable: SCRIPT, render: |report, prefix, _| exports(report, prefix) },
    ..PLAIN
};

/// The outputs as exports; the last one of a name wins. Nothing in a value means anything to a shell.
fn exports(report: &Report, prefix: &str) -> String {
    let exports = output_values::encoded(report, prefix).into_iter();
    exports.map(|(name, value)| format!("export {name}={value}\n")).collect()
}
