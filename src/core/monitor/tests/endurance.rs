//! Days of waiting and hundreds of thousands of polls, in simulated time: the core ends when it has to, and is as small
//! afterwards as before.

use super::*;
use crate::core::EventLog;

const HOUR: Duration = Duration::from_secs(3600);

/// What a poll brings at worst and at best, so that every counter and clock of a run is used.
fn weather(poll: u64) -> Observation {
    match poll % 10 {
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
fn a_hundred_thousand_polls_leave_the_gate_as_small_as_a_thousand() {
    let mut gate = Gate::new(rules(30 * 24 * 3600, 600, 600, Interval::Fixed(20 * SECOND)), vec![target("r")]);
    let mut kept = EventLog::default();
    let (mut at, mut sizes, mut response) = (Duration::ZERO, Vec::new(), 0);
    for poll in 1..=100_000 {
        let mut events = Vec::new();
        at = gate.observe(0, at, plain(weather(poll)), &mut events).expect("not over yet");
        response += events.len();
        kept.extend(events);
        if poll % 1_000 == 0 {
            sizes.push(size(&gate));
        }
    }
    // Clocks and counters have a digit more, and that is all.
    let (least, most) = (sizes.iter().min().expect("some"), sizes.iter().max().expect("some"));
    assert!(most - least < 100, "{least} to {most}");
    assert!(response > 50_000, "{response} events");
    let (events, gap) = kept.into_events();
    assert_eq!(events.len() as u64 + gap.expect("a gap").count, response as u64);
    assert_eq!(events.len(), 1_000);
}

#[test]
fn a_wait_of_26_hours_ends_with_its_run_and_one_of_a_run_without_end_on_the_deadline() {
    for (ends, verdict) in [(26 * HOUR - HOUR / 2, Verdict::Passed), (27 * HOUR, Verdict::TimedOut)] {
        let mut gate = Gate::new(rules(26 * 3600, 120, 600, Interval::Auto), vec![target("r")]);
        let (mut next, mut polls) = (Some(Duration::ZERO), 0);
        let mut last = Duration::ZERO;
        while let Some(at) = next {
            assert!(at >= last && at <= 26 * HOUR, "a look at {at:?} after one at {last:?}");
            last = at;
            polls += 1;
            let word = if at < ends { "RUNNING" } else { "SUCCESS" };
            next = gate.observe(0, at, plain(record(word)), &mut Vec::new());
        }
        assert!(last - ends.min(26 * HOUR) <= 10 * SECOND, "over at {last:?}");
        assert_eq!(gate.outcome().verdict, verdict);
        assert!((9_000..12_000).contains(&polls), "{polls} looks");
    }
}
