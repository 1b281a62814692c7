//! The core: decides what the service's answers mean and when to poll next. Pure and synchronous: no I/O, no clock, no
//! environment.

mod attempt;
mod connection;
mod event;
mod fingerprint;
mod forecast;
mod freshness;
mod history;
mod list_schedule;
mod list_summary;
mod listing;
mod moment;
mod monitor;
mod observation;
mod pipeline_details;
mod pipelines;
mod redaction;
mod repair;
mod request;
mod rules;
mod run;
mod schedule;
mod select;
mod spacing;
mod start_times;
mod status;
mod target;
mod timers;
mod trigger;
mod untrusted;
mod verdict;

pub use attempt::{Attempt, NoRetry};
pub use connection::{Connection, TrustSource, Via};
pub use event::{AdoptionReason, Event, EventLog, Gap, SessionNote, SkippedFailures, TimedEvent};
pub use fingerprint::Fingerprint;
pub use forecast::{Forecast, NEWEST, PastRun, SlowerThan};

pub use freshness::{Freshness, Stale, is_implausible, judged_at};
pub use history::{DurationRange, FinishedRun, History, RunComparison, Streak};
pub use list_summary::ListSummary;
pub use listing::{ListedRun, RunList};
pub use monitor::{Gate, Outcome, PollTarget, RunOutcome};
pub use observation::{
    Effect, Failure, FailureKind, LastRecord, Observation, Operation, Record, Scope, TlsFault, TriggerEffect,
    TriggerResponse,
};
pub use pipeline_details::{PipelineDetails, PipelineState};
pub use redaction::Redactor;
pub use repair::Repair;
pub use request::{Answer, ApiRequest, ApiResponse};
pub use rules::{IfStale, Learning, Limits, OnFirstFailure, REQUESTS_AT_ONCE, Rules};
pub use schedule::Interval;
pub use select::{Choice, choose};
pub use status::{Meaning, Vocabulary, WordError, status_value};
pub use target::{ID_LIMIT, IfRunning, PipelineId, RunId, Selector, Target, Wanted, folded_id, is_id};
pub use timers::Limit;
pub use trigger::{Request, StartPreview, ahead};
pub use untrusted::{Untrusted, is_hidden};
pub use verdict::{End, Severity, Signal, Verdict, decide};
