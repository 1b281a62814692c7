//! The lines between events: the heartbeat and, with `verbose`, each poll.

use std::collections::HashSet;
use std::time::Duration;

use super::super::sanitize::{Sanitized, Sanitizer};
use super::staleness::next_start;
use super::{RunNames, about, count, duration, eta, failure, id, word};
use crate::core::{FailureKind, Gate, Limit, Untrusted, Wanted};

/// The longest address of a service shown, in bytes.
const SERVICE_LIMIT: usize = 200;

/// `waiting up to 50m for run R of pipeline P at https://maestro.dadosfera.ai`.
pub fn opening(wanted: &[Wanted], timeout: Duration, base: &str, sanitizer: &Sanitizer) -> Sanitized {
    let waiting = match timeout.is_zero() {
        true => "polling once:".to_owned(),
        false => format!("waiting up to {} for", duration(timeout)),
    };
    let runs = match wanted {
        [only] => {
            let run = match only {
                Wanted::Run(target) => format!("run {}", id(target.run.as_str(), sanitizer)),
                Wanted::Choice { selector, .. } => selector.name().to_owned(),
                Wanted::Start { .. } => "a new run".to_owned(),
            };
            format!("{run} of pipeline {}", id(only.pipeline().as_str(), sanitizer))
        }
        several => count(several.len(), "run", "runs"),
    };
    let service = sanitizer.line(&Untrusted::new(base.trim_end_matches('/')), SERVICE_LIMIT);
    Sanitized::ours(format!("{waiting} {runs} at {service}"))
}

/// `still waiting: RUNNING, 3m 10s of 50m, 57 polls`; where something ends the wait before the timeout, that limit too:
/// `outage: gives up in 8m`.
/// `paused` are the runs of which it was reported that their pipeline is paused.
pub fn heartbeat(gate: &Gate, now: Duration, polls: u64, paused: &HashSet<usize>, sanitizer: &Sanitizer) -> Sanitized {
    let (watching, runs) = gate.progress();
    let what = match runs {
        1 => {
            let run = gate.pending().next().unwrap_or_default();
            let paused = if paused.contains(&run) && gate.is_missing(run) { "; the pipeline is paused" } else { "" };
            format!("{}{}{paused}", attempt(gate, run), state(gate, run, now, sanitizer))
        }
        _ => format!("{} of {runs} runs have finished{}", runs - watching, last_of(gate, now)),
    };
    let nearest = gate.nearest_limit().map(|(nearest, end)| {
        let name = match nearest {
            Limit::Appear => "run not found",
            Limit::Outage => "outage",
            Limit::Refusal => "refused",
        };
        format!(", {name}: gives up in {}", duration(end.saturating_sub(now)))
    });
    let nearest = nearest.unwrap_or_default();
    let (waited, timeout) = (duration(now), duration(gate.rules().limits.timeout));
    let polls = count(polls, "poll", "polls");
    Sanitized::ours(format!("still waiting: {what}{nearest}, {waited} of {timeout}, {polls}"))
}

/// `poll: RUNNING, usually 12m, about 4m left; next poll in 9.0s`.
pub fn poll(
    gate: &Gate,
    run: usize,
    now: Duration,
    next: Option<Duration>,
    names: &RunNames,
    sanitizer: &Sanitizer,
) -> Sanitized {
    let name = names.of(run);
    let whose = if name.is_empty() { String::new() } else { format!(" of {name}") };
    let then =
        next.map(|at| format!("; next poll in {:.1}s", at.saturating_sub(now).as_secs_f64())).unwrap_or_default();
    Sanitized::ours(format!("poll{whose}: {}{then}", state(gate, run, now, sanitizer)))
}

/// `, the last in about 8m`: if previous runs say how long each of those takes that are still running.
fn last_of(gate: &Gate, now: Duration) -> String {
    let left = gate.pending().map(|run| gate.forecast(run)?.left(gate.age(run, now)?));
    let longest = left.collect::<Option<Vec<Duration>>>().and_then(|all| all.into_iter().max());
    longest.map(|left| format!(", the last in about {}", about(left))).unwrap_or_default()
}

/// `attempt 2 of 3: `, where starts are retried.
fn attempt(gate: &Gate, run: usize) -> String {
    match gate.attempt(run) {
        Some((attempt, true)) => format!("{} failed, checking whether to start another: ", super::attempt(attempt)),
        Some((attempt, false)) => format!("{}: ", super::attempt(attempt)),
        None => String::new(),
    }
}

/// `RUNNING, usually 12m, about 4m left`: what the last poll of a run brought, and what previous runs say of it.
fn state(gate: &Gate, run: usize, now: Duration, sanitizer: &Sanitizer) -> String {
    let awaited = gate.awaits_fresh_run(run, now);
    let failed = gate.failure(run).filter(|why| awaited.is_none() || why.kind != FailureKind::NotListed);
    let state = match (failed, awaited, gate.seen(run).map(|seen| word(&seen.record.status, sanitizer))) {
        (Some(why), ..) => failure(why, sanitizer).to_string(),
        (None, Some(next), _) => format!("no fresh run yet{}", next_start(next)),
        (None, None, None) => "no answer yet".to_owned(),
        (None, None, Some(word)) if word.is_empty() => "no status yet".to_owned(),
        (None, None, Some(word)) => word.to_string(),
    };
    let known = gate.forecast(run).zip(gate.age(run, now)).filter(|_| gate.is_pending(run));
    match known {
        Some((forecast, age)) => format!("{state}, {}", eta(forecast, age)),
        None => state,
    }
}
