//! The dotenv file: one that GitLab takes as a report, `source` and `$BASH_ENV` as shell.
//!
//! GitLab refuses the whole file for one bad line, for 5 KB, and (self-managed, by default) for more than 20 variables
//! (`parse_dotenv_artifact_service.rb`).

use super::ReportFormat;
use super::{Report, output_values};

pub static DOTENV: ReportFormat =
    ReportFormat { input: "dotenv", render: |report, prefix, _| vec![render(report, prefix)] };

/// The file.
pub fn render(report: &Report, prefix: &str) -> String {
    output_values::encoded(report, prefix).into_iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}
