//! Days of waiting and hundreds of thousands of looks, in simulated time: the core ends when it has to, and is as small
//! afterwards as before.

use super::*;
use crate::core::EventLog;

const HOUR: Duration = Duration::from_secs(3600);

/// What a look brings at worst and at best, so that every counter and clock of a run is used.
fn weather(look: u64) -> Observation {
    match look % 10 {
        3 | 4 => unusable(),
        6 => not_visible(),
        8 => record("PAUSED"),
        _ => record("RUNNING"),
    }
}

/// `Untrusted` shows its length only, so that this is a measure of everything a gate holds.
fn size(gate: &Gate) -> usize {
    format!("{gate:?}").len()
}

#[test]
fn a_hundred_thousand_looks_leave_the_gate_as_small_as_a_thousand() {
    let mut gate = Gate::new(rules(30 * 24 * 3600, 600, 600, Interval::Fixed(20 * SECOND)), vec![target("r")]);
    let mut kept = EventLog::default();
    let (mut at, mut sizes, mut told) = (Duration::ZERO, Vec::new(), 0);
    for look in 1..=100_000 {
        let mut notices = Vec::new();
        at = gate.observe(0, at, plain(weather(look)), &mut notices).expect("not over yet");
        told += notices.len();
        kept.extend(notices);
        if look % 1_000 == 0 {
            sizes.push(size(&gate));
        }
    }
    // Clocks and counters have a digit more, and that is all.
    let (least, most) = (sizes.iter().min().expect("some"), sizes.iter().max().expect("some"));
    assert!(most - least < 100, "{least} to {most}");
    assert!(told > 50_000, "{told} events");
    let (notices, gap) = kept.into_notices();
    assert_eq!(notices.len() as u64 + gap.expect("a gap").count, told as u64);
    assert_eq!(notices.len(), 1_000);
}

#[test]
fn a_wait_of_26_hours_ends_with_its_run_and_one_of_a_run_without_end_on_the_deadline() {
    for (ends, verdict) in [(26 * HOUR - HOUR / 2, Verdict::Passed), (27 * HOUR, Verdict::TimedOut)] {
        let mut gate = Gate::new(rules(26 * 3600, 120, 600, Interval::Auto), vec![target("r")]);
        let (mut next, mut looks) = (Some(Duration::ZERO), 0);
        let mut last = Duration::ZERO;
        while let Some(at) = next {
            assert!(at >= last && at <= 26 * HOUR, "a look at {at:?} after one at {last:?}");
            last = at;
            looks += 1;
            let word = if at < ends { "RUNNING" } else { "SUCCESS" };
            next = gate.observe(0, at, plain(record(word)), &mut Vec::new());
        }
        assert!(last - ends.min(26 * HOUR) <= 10 * SECOND, "over at {last:?}");
        assert_eq!(gate.outcome().verdict, verdict);
        assert!((9_000..12_000).contains(&looks), "{looks} looks");
    }
}
