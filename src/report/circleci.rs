//! What CircleCI's later steps read: `$BASH_ENV`, a script that bash runs before each of them.
//!
//! <https://circleci.com/docs/env-vars/#parameters-and-bash-environment>

use super::{Report, output_values};

/// The outputs as exports; the last one of a name wins. Nothing in a value means anything to a shell.
pub fn exports(report: &Report, prefix: &str) -> String {
    let exports = output_values::encoded(report, prefix).into_iter();
    exports.map(|(name, value)| format!("export {name}={value}\n")).collect()
}
