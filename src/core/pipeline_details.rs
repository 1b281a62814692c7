//! A pipeline's name, schedule and state: shown, and never part of a decision.

use super::Untrusted;

/// What the service says about a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineDetails {
    pub name: Option<Untrusted>,
    /// When it starts by itself; none if it does not.
    pub cron: Option<Untrusted>,
    pub state: PipelineState,
}

/// Whether a pipeline can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PipelineState {
    Active,
    Paused,
    /// Any other value.
    Other(Untrusted),
}
