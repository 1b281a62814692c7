//! The dotenv file: one that GitLab takes as a report, `source` and `$BASH_ENV` as shell.
//!
//! GitLab refuses the whole file for one bad line, for 5 KB, and (self-managed, by default) for more than 20 variables
//! (`parse_dotenv_artifact_service.rb`).

use super::{Report, escape, outputs};

/// The longest value, in bytes as written. Only the path of a trace file can be longer, and a variable that is empty
/// is better than a file refused: eleven values and their names stay below 5 KB by this.
const VALUE_LIMIT: usize = 1024;

/// The file.
pub fn render(report: &Report, prefix: &str) -> String {
    let mut file = String::new();
    for (name, value) in outputs::variables(report, prefix) {
        let value = Some(escape::dotenv_value(&value)).filter(|value| value.len() <= VALUE_LIMIT).unwrap_or_default();
        file.push_str(&name);
        file.push('=');
        file.push_str(&value);
        file.push('\n');
    }
    file
}
