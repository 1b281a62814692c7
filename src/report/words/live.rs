//! What is said while nothing happens: the heartbeat, and with `verbose` each look.

use std::time::Duration;

use super::super::clean::{Clean, Cleaner};
use super::{Names, count, duration, miss, word};
use crate::gate::Gate;

/// `still waiting: RUNNING, 3m 10s of 50m, 57 looks`.
pub fn heartbeat(gate: &Gate, now: Duration, polls: u64, cleaner: &Cleaner) -> Clean {
    let (watching, runs) = gate.progress();
    let what = if runs == 1 { state(gate, 0, cleaner) } else { format!("{} of {runs} runs are over", runs - watching) };
    let limit = gate.rules().limits.timeout;
    let looks = count(usize::try_from(polls).unwrap_or(usize::MAX), "look", "looks");
    Clean::ours(format!("still waiting: {what}, {} of {}, {looks}", duration(now), duration(limit)))
}

/// `look: RUNNING; the next in 9s`.
pub fn look(gate: &Gate, run: usize, next: Option<Duration>, names: &Names, cleaner: &Cleaner) -> Clean {
    let name = names.of(run);
    let whose = if name.is_empty() { String::new() } else { format!(" at {name}") };
    let then = next.map(|wait| format!("; the next in {:.1}s", wait.as_secs_f64())).unwrap_or_default();
    Clean::ours(format!("look{whose}: {}{then}", state(gate, run, cleaner)))
}

/// What the last look at a run brought.
fn state(gate: &Gate, run: usize, cleaner: &Cleaner) -> String {
    if let Some(why) = gate.miss(run) {
        return miss(why, cleaner).to_string();
    }
    match gate.seen(run).map(|seen| word(&seen.record.status, cleaner)) {
        None => "no answer yet".to_owned(),
        Some(word) if word.is_empty() => "no status yet".to_owned(),
        Some(word) => word.to_string(),
    }
}
