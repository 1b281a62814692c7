//! The core: what the gate makes of what it sees. Pure and synchronous: no I/O, no clock, no environment.

mod clocks;
mod forecast;
mod foreign;
mod freshness;
mod list;
mod notice;
mod observation;
mod rules;
mod run;
mod schedule;
mod select;
mod status;
mod target;
mod trigger;
mod verdict;
mod watch;

pub use forecast::{Forecast, NEWEST, PastRun, SlowerThan};
pub use foreign::Foreign;
pub use freshness::MaxAge;
pub use list::{Listed, Listing, Unplaceable};
pub use notice::{Event, Notice, SessionNote, Taken};
pub use observation::{Answer, Ask, During, Launch, Miss, MissKind, Observation, Record, Scope, Told};
pub use rules::{Limits, OnFirstFailure, Rules};
pub use run::Seen;
pub use schedule::Interval;
pub use select::{Choice, Selector, choose};
pub use status::{Meaning, Vocabulary, WordError};
pub use target::{ID_LIMIT, IfRunning, PipelineId, RunId, Target, Wanted};
pub use trigger::Request;
pub use verdict::{End, Signal, Verdict, decide};
pub use watch::{Gate, Outcome, RunOutcome};
