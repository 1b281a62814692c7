//! Why a run is not fresh, and when the next one usually starts.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::sanitize::Sanitizer;
use super::{about, duration, stamp, word};
use crate::core::{Freshness, LastRecord, Meaning, Selector, Stale};

/// From this far ahead a start is shown with its date.
const WITHIN_A_DAY: Duration = Duration::from_secs(20 * 3600);

/// `succeeded at 2024-01-13T06:15:12Z, 3d 4h ago, which exceeds max-age of 1d`.
pub fn not_fresh(seen: Option<&LastRecord>, required: Freshness, sanitizer: &Sanitizer) -> String {
    let Some(seen) = seen else { return "its age is unknown".to_owned() };
    let (started, finished, date) = (seen.record.created_at, seen.record.updated_at, seen.date);
    let status = || word(&seen.record.status, sanitizer);
    let (how, reason) = match seen.meaning {
        Meaning::Passed => ("succeeded".to_owned(), required.check(started, finished, date)),
        Meaning::Failed => (format!("finished as {}", status()), required.check(started, finished, date)),
        // It can only have started too early: its end is not known yet.
        Meaning::Wait | Meaning::Unknown => (format!("is still {}", status()), Err(Stale::StartedBefore)),
    };
    let started_at = started.map(stamp).unwrap_or_default();
    let finished_at = finished.map(stamp).unwrap_or_default();
    match (reason, started, finished, date) {
        (Err(Stale::StartedBefore), ..) => {
            let earliest = required.started_after.map(stamp).unwrap_or_default();
            format!("{how}, but started at {started_at}, before started-after {earliest}")
        }
        (Err(Stale::UnknownStart), None, ..) => {
            format!("{how}, but it is unknown when it started: its created_at can't be read")
        }
        (Err(Stale::UnknownStart), Some(_), _, None) => format!(
            "{how}, but whether its start at {started_at} is in the future is unknown: the answer has no readable Date header"
        ),
        (Err(Stale::UnknownStart), Some(_), _, Some(_)) => {
            format!("{how}, but it started at {started_at}, which is in the future")
        }
        (Err(Stale::UnknownAge), _, Some(_), Some(_)) => format!("{how} at {finished_at}, which is in the future"),
        (Err(Stale::UnknownAge), _, Some(_), None) => format!(
            "{how} at {finished_at}, but its age is unknown: the answer has no readable Date header, or an Age header that can't be read"
        ),
        (Err(Stale::TooOld), _, Some(finished), Some(date)) => {
            let age = date.signed_duration_since(finished).to_std().unwrap_or_default();
            let limit = required.max_age.map(|limit| format!(" of {}", duration(limit))).unwrap_or_default();
            format!("{how} at {finished_at}, {} ago, which exceeds max-age{limit}", duration(age))
        }
        (Ok(()) | Err(Stale::UnknownAge | Stale::TooOld), ..) => {
            format!("{how}, but its age is unknown: its updated_at can't be read")
        }
    }
}

/// What a gate waits for whose chosen run is not fresh.
pub(crate) fn newer(selector: Selector) -> &'static str {
    match selector {
        Selector::Latest => "a newer run",
        Selector::LastSuccess => "a newer success",
    }
}

/// `; the next run usually starts at 06:14 UTC, in about 12m`, if that is known.
pub(super) fn next_start(next: Option<(DateTime<Utc>, Duration)>) -> String {
    match next {
        None => String::new(),
        Some((usually, left)) if left.is_zero() => {
            format!("; the next run usually starts at {} and is due", usually.format("%H:%M UTC"))
        }
        Some((usually, left)) if left < WITHIN_A_DAY => {
            format!("; the next run usually starts at {}, in about {}", usually.format("%H:%M UTC"), about(left))
        }
        Some((usually, _)) => format!("; the next run usually starts at {}", usually.format("%Y-%m-%d %H:%M UTC")),
    }
}
