//! The log as GitHub shows it: groups as headings, annotations in plain text, no commands.

/// Turns the lines of a step's log into those that a person sees.
#[derive(Default)]
pub struct LogView {
    /// The token that ends a stretch in which nothing is a command.
    resumes_at: Option<String>,
}

impl LogView {
    /// What GitHub shows of this line: none, one or several lines.
    pub fn shown(&mut self, line: &str) -> Vec<String> {
        if let Some(end) = &self.resumes_at {
            if line == end {
                self.resumes_at = None;
                return Vec::new();
            }
            return vec![line.to_owned()];
        }
        let Some((command, value)) = line.strip_prefix("::").and_then(|rest| rest.split_once("::")) else {
            return vec![line.to_owned()];
        };
        match command.split(' ').next().unwrap_or_default() {
            "group" => vec![format!("▾ {}", decoded(value))],
            "error" => annotation("Error", value),
            "warning" => annotation("Warning", value),
            "notice" => annotation("Notice", value),
            "stop-commands" => {
                self.resumes_at = Some(format!("::{value}::"));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

fn annotation(kind: &str, message: &str) -> Vec<String> {
    let message = decoded(message);
    let mut lines = message.lines();
    let first = format!("{kind}: {}", lines.next().unwrap_or_default());
    std::iter::once(first).chain(lines.map(|line| format!("  {line}"))).collect()
}

/// The runner's own decoding of a command's value.
fn decoded(value: &str) -> String {
    value.replace("%0D", "").replace("%0A", "\n").replace("%25", "%")
}
