//! The list of report formats: each is a file beside this one, and a row here.

use super::{ReportFormat, dotenv, json, junit, markdown};

/// All of them, in the order of the inputs: of two that name the same file, the later one is refused.
pub static FORMATS: [&ReportFormat; 4] = [&json::JSON, &junit::JUNIT, &dotenv::DOTENV, &markdown::MARKDOWN];
