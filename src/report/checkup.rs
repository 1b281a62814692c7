//! What `maestro-gate doctor` found: a table of checks, and the verdict that the gate would meet first.

use serde::{Serialize, Serializer};

use super::sanitize::Sanitized;
use super::{escape, json};
use crate::core::Verdict;

/// All checks, in the order in which the gate would come upon trouble.
#[derive(Clone, Debug, Default)]
pub struct Checkup {
    pub checks: Vec<Check>,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked: `inputs`, `dns`.
    pub name: &'static str,
    pub state: CheckState,
    /// What was found.
    pub text: Sanitized,
    /// What a person can do about it; empty if nothing has to be done.
    pub next_step: Sanitized,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    Fine,
    /// Worth knowing, and no reason for a verdict.
    Note,
    /// The gate would end so.
    Trouble(Verdict),
    /// Trouble before it kept it from being checked.
    Skipped,
}

impl CheckState {
    const fn name(self) -> &'static str {
        match self {
            CheckState::Fine => "ok",
            CheckState::Note => "note",
            CheckState::Trouble(_) => "trouble",
            CheckState::Skipped => "skipped",
        }
    }
}

impl Serialize for CheckState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Check {
    pub fn new(name: &'static str, state: CheckState, text: impl Into<String>) -> Check {
        Check { name, state, text: Sanitized::ours(text), next_step: Sanitized::default() }
    }

    pub fn fine(name: &'static str, text: impl Into<String>) -> Check {
        Check::new(name, CheckState::Fine, text)
    }

    pub fn note(name: &'static str, text: impl Into<String>) -> Check {
        Check::new(name, CheckState::Note, text)
    }

    pub fn skipped(name: &'static str, text: impl Into<String>) -> Check {
        Check::new(name, CheckState::Skipped, text)
    }

    pub fn trouble(name: &'static str, verdict: Verdict, text: impl Into<String>) -> Check {
        Check::new(name, CheckState::Trouble(verdict), text)
    }

    pub fn to_do(self, next_step: impl Into<String>) -> Check {
        Check { next_step: Sanitized::ours(next_step), ..self }
    }
}

impl Checkup {
    /// The first trouble's verdict; a pass if there is none. No check at all is a bug of ours.
    pub fn verdict(&self) -> Verdict {
        let trouble = |check: &Check| if let CheckState::Trouble(verdict) = check.state { Some(verdict) } else { None };
        let without_trouble = if self.checks.is_empty() { Verdict::InternalError } else { Verdict::Passed };
        self.checks.iter().find_map(trouble).unwrap_or(without_trouble)
    }

    /// The table, a line a check; the verdict comes last.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let line = format!("{:<8} {:<11} {}", check.state.name(), check.name, check.text);
            text.push_str(&(escape::log_line(line.trim_end()) + "\n"));
            if !check.next_step.is_empty() {
                text.push_str(&(escape::log_line(&format!("{:<20} -> next step: {}", "", check.next_step)) + "\n"));
            }
        }
        let verdict = self.verdict();
        let found = if verdict == Verdict::Passed { "nothing is in the way" } else { "see the first trouble above" };
        text + &format!("maestro-gate doctor: {} (exit code {}): {found}\n", verdict.name(), verdict.exit_code())
    }

    /// The same as JSON, an object a line.
    pub fn json(&self) -> String {
        let checks = self.checks.iter().map(|check| json::log_line("check", check));
        checks.chain([json::verdict_line(self.verdict(), None)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_trouble_decides_and_a_note_does_not() {
        let mut checkup = Checkup::default();
        assert_eq!(checkup.verdict(), Verdict::InternalError);
        checkup.checks.push(Check::new("inputs", CheckState::Fine, "no mistake"));
        checkup.checks.push(Check::new("token", CheckState::Note, "it does not say when it ends"));
        assert_eq!(checkup.verdict(), Verdict::Passed);
        let denied = Check::new("sign-in", CheckState::Trouble(Verdict::Denied), "no\n::error::x").to_do("check it");
        checkup.checks.push(denied);
        checkup.checks.push(Check::new("run", CheckState::Trouble(Verdict::NotFound), "gone"));
        assert_eq!(checkup.verdict(), Verdict::Denied);
        let text = checkup.text();
        assert!(text.ends_with("maestro-gate doctor: denied (exit code 5): see the first trouble above\n"), "{text}");
        assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
        for line in checkup.json().lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok_and(|row| row.is_object()), "{line}");
        }
    }
}
