//! The core: what the gate makes of what it sees. Pure and synchronous: no I/O, no clock, no environment.

mod foreign;
mod notice;
mod observation;
mod rules;
mod run;
mod schedule;
mod status;
mod target;
mod verdict;
mod watch;

pub use foreign::Foreign;
pub use notice::{Event, Gap, Kept, Notice, SessionNote};
pub use observation::{Answer, During, Miss, MissKind, Observation, Record, Scope};
pub use rules::{Limits, OnFirstFailure, Rules};
pub use run::Seen;
pub use schedule::Interval;
pub use status::{Meaning, Vocabulary, WordError};
pub use target::{ID_LIMIT, PipelineId, RunId, Target};
pub use verdict::{End, Signal, Verdict, decide};
pub use watch::{Gate, Outcome, RunOutcome};
