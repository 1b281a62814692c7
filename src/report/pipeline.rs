//! What a report shows of a pipeline beside its id: name, schedule and state.

use super::sanitize::{Sanitized, Sanitizer};
use crate::core::{PipelineDetails, PipelineState};

/// The longest name, schedule and state shown, in bytes (docs/reference.md#pipeline-details).
const NAME_LIMIT: usize = 100;
const CRON_LIMIT: usize = 100;
const STATE_LIMIT: usize = 100;

/// A pipeline as the service describes it; a text that it does not give is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineReport {
    pub name: Sanitized,
    pub cron: Sanitized,
    pub state: Sanitized,
    pub is_paused: bool,
}

impl PipelineReport {
    pub fn new(details: &PipelineDetails, sanitizer: &Sanitizer) -> PipelineReport {
        let line = |text: &Option<_>, limit| text.as_ref().map(|text| sanitizer.line(text, limit)).unwrap_or_default();
        PipelineReport {
            name: line(&details.name, NAME_LIMIT),
            cron: line(&details.cron, CRON_LIMIT),
            state: match &details.state {
                PipelineState::Active => Sanitized::ours("active"),
                PipelineState::Paused => Sanitized::ours("paused"),
                PipelineState::Other(word) => sanitizer.word(word, STATE_LIMIT),
            },
            is_paused: details.state == PipelineState::Paused,
        }
    }

    /// The name as a sentence quotes it, so that nothing in it reads as the gate's own words.
    pub fn quoted_name(&self) -> Option<String> {
        (!self.name.is_empty()).then(|| format!("\"{}\"", self.name.replace('"', "'")))
    }
}
