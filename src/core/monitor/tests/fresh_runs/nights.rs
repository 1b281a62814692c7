//! What a wait for a nightly run costs, against a list every 30 s.

use chrono::TimeDelta;

use super::*;
use crate::core::Learning;
use crate::core::spacing::unit;

/// Nightly runs at 06:00 give or take ten minutes, and a gate that waits from 05:00 on. Returns the requests and the seconds
/// between the end of the run and the pass.
fn night(seed: u64, selector: Selector, minutes: f64) -> (f64, f64) {
    const DAY: i64 = 86_400;
    let random = |nth: u64| unit(seed.wrapping_mul(1_000).wrapping_add(nth));
    let seconds = |value: f64| value.round() as i64;
    let ids: Vec<&'static str> = (0..=20).map(|n| &*format!("night_{n}").leak()).collect();
    let runs = (0..=20_i64).map(|ago| {
        let nth = u64::try_from(ago).expect("small");
        let starts = 3_600 - ago * DAY + seconds((random(nth) - 0.5) * 1_200.0);
        let takes = seconds(minutes * 60.0 * (0.9 + 0.2 * random(nth + 100)));
        SimulatedRun { id: ids[usize::try_from(ago).expect("small")], starts, ends: starts + takes, word: "SUCCESS" }
    });
    let freshness = Freshness { max_age: Some(Duration::from_secs(12 * 3600)), started_after: None };
    let story = Story { selector, freshness, runs: runs.collect(), damage: None, list_lies: false };
    let began = Some(at(0) + TimeDelta::nanoseconds(i64::try_from(seed).expect("small") * 7_919));
    let rules = Rules { learning: Learning::On, began, ..waiting(freshness, 6 * 3600) };
    let played = story.play(rules);
    assert_eq!((played.verdict, played.polled.last().map(String::as_str)), (Verdict::Passed, Some("night_0")));
    let requests = u32::try_from(played.polled.len() + played.lists).expect("small");
    (f64::from(requests), played.ended_at.as_secs_f64() - story.runs[0].ends as f64)
}

#[test]
fn a_wait_for_a_nightly_run_costs_half_the_requests_of_a_fixed_poll_of_the_list_at_no_more_lag() {
    const NIGHTS: u64 = 100;
    let mut table = Vec::new();
    for minutes in [3.0, 15.0, 40.0] {
        for selector in Selector::ALL {
            let (mut requests, mut lag, mut fixed, mut fixed_lag) = (0.0, 0.0, 0.0, 0.0);
            for seed in 0..NIGHTS {
                let (made, late) = night(seed, selector, minutes);
                (requests, lag) = (requests + made, lag + late);
                // A list every 30 s from a moment of its own on, which takes what the list says for the result.
                let random = |nth: u64| unit(seed.wrapping_mul(1_000).wrapping_add(nth));
                let ends = 3_600.0 + (random(0) - 0.5) * 1_200.0 + minutes * 60.0 * (0.9 + 0.2 * random(100));
                let lists = ((ends - 30.0 * random(999)) / 30.0).ceil();
                (fixed, fixed_lag) = (fixed + lists + 1.0, fixed_lag + lists * 30.0 + 30.0 * random(999) - ends);
            }
            let nights = NIGHTS as f64;
            table.push((minutes, selector.name(), requests / nights, lag / nights, fixed / nights, fixed_lag / nights));
        }
    }
    for (_, _, requests, lag, fixed, fixed_lag) in &table {
        assert!(*requests <= fixed / 2.0 && lag <= fixed_lag, "{table:#.1?}");
    }
}
