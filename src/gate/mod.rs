//! The core: what the gate makes of what it sees. Pure and synchronous: no I/O, no clock, no environment.

mod foreign;
mod notice;
mod observation;
mod schedule;
mod status;
mod target;
mod verdict;
mod watch;

pub use foreign::Foreign;
pub use notice::{Event, Notice, SessionNote};
pub use observation::{Answer, During, Miss, MissKind, Observation, Record, Scope};
pub use schedule::Interval;
pub use status::{Meaning, Vocabulary, WordError};
pub use target::{ID_LIMIT, PipelineId, RunId, Target};
pub use verdict::{End, Signal, Verdict, decide};
pub use watch::{Gate, Limits, OnFirstFailure, Outcome, Rules, RunOutcome, Seen};
