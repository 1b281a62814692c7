//! Many runs of one pipeline under one gate, and a list that tells the truth, fails, leaves out, lags or lies: how many
//! requests there are, and how long an end stays unseen.

use std::collections::BTreeMap;

use super::*;
use crate::core::run::STATES_READ;

mod simulated_lists;

use simulated_lists::{RunList, World};

/// A hundred runs that end one after another around the usual time.
fn hundred() -> World {
    World::new((0..100).map(|n| 500 + 4 * n))
}

#[test]
fn a_hundred_runs_of_a_pipeline_cost_little_more_than_one() {
    let world = hundred();
    let shared = world.play();
    shared.is_spaced();
    assert_eq!(shared.verdicts, vec![Verdict::Passed; 100]);
    // Once each at first, and then a list and a check now and then.
    let quiet = shared.looks_in(60, 480);
    assert!(quiet < 7 * 10, "{quiet} requests in seven minutes");
    let plain = World { learning: Learning::Off, ..hundred() }.play();
    assert!(plain.looks_in(60, 480) > 40 * quiet, "{} and {quiet}", plain.looks_in(60, 480));
    // And nobody waits longer for that than if each had a gate of its own, which learns the same.
    let alone = |n: u64| {
        let world = World::new([500 + 4 * n]);
        world.play().longest_lag(&world)
    };
    let alone: Vec<Duration> = (0..100).map(alone).collect();
    let mean = |all: &[Duration]| all.iter().sum::<Duration>() / 100;
    let lags: Vec<Duration> = shared.over.iter().map(|(run, over)| *over - world.ends[*run].0).collect();
    assert!(mean(&lags) <= mean(&alone) * 21 / 20, "{:?} and {:?}", mean(&lags), mean(&alone));
    assert!(lags.iter().all(|lag| *lag <= 21 * SECOND), "{lags:?}");
}

#[test]
fn a_thousand_runs_of_ten_pipelines_cost_requests_in_the_order_of_the_pipelines() {
    // One run ends, the others go on; eight requests at once, as in the loop.
    let interval = Interval::Fixed(5 * SECOND);
    let ends = (0..1000).map(|run| if run == 0 { 300 } else { 700 });
    let world = World { per_pipeline: 100, at_once: 8, interval, ..World::new(ends) };
    let played = world.play();
    assert_eq!(played.verdicts, vec![Verdict::Passed; 1000]);
    // In a minute each pipeline costs twelve lists, the poll of a run every ten seconds, and few more at the one end.
    let minutes = (1..11).map(|minute| played.looks_in(60 * minute, 60 * (minute + 1)));
    let most = minutes.max().expect("ten of them");
    assert!(most <= 10 * (12 + 6 + 2), "{most} requests in a minute; without lists it would be 12,000");
    assert!(played.over[&0] - world.ends[0].0 <= 7 * SECOND, "{:?}", played.over[&0]);
}

#[test]
fn a_run_costs_the_same_among_a_thousand_and_among_twenty_thousand() {
    let milliseconds = Duration::from_millis;
    for (per_pipeline, list) in [(usize::MAX, milliseconds(250)), (1, milliseconds(3))] {
        // They end one after another within a minute; the service answers as one on the same machine does.
        let cost = |runs: u64| {
            let ends = (0..runs).map(|run| 100 + 60 * run / runs);
            let world = World { per_pipeline, list, poll: milliseconds(3), at_once: 8, ..World::new(ends) };
            let before = STATES_READ.get();
            let played = world.play();
            assert!(played.verdicts.iter().all(|verdict| *verdict == Verdict::Passed));
            let requests = played.polls.len() + played.lists.len();
            [requests as f64, (STATES_READ.get() - before) as f64].map(|cost| cost / runs as f64)
        };
        let (few, many) = (cost(1_000), cost(20_000));
        for (what, few, many) in [("requests", few[0], many[0]), ("states read", few[1], many[1])] {
            assert!(many <= few * 1.1, "{what}: {few} a run of 1,000 and {many} of 20,000, {per_pipeline} a pipeline");
        }
    }
}

#[test]
fn one_or_two_runs_are_polled_by_themselves() {
    for runs in 1..=2 {
        let played = World::new((0..runs).map(|n| 700 + n)).play();
        assert_eq!(played.lists.len(), 1, "the past, and no more");
        assert_eq!(played.lists[0], SECOND / 5 + SECOND, "a second after the first answer");
    }
    // A run that has ended at the first poll needs no past.
    assert_eq!(World::new([0]).play().lists.len(), 0);
    // And without leave there is none.
    assert_eq!(World { learning: Learning::Off, ..hundred() }.play().lists.len(), 0);
}

#[test]
fn a_list_that_fails_changes_no_poll_at_any_run() {
    for kind in [
        FailureKind::Http(503),
        FailureKind::NotJson,
        FailureKind::Timeout,
        FailureKind::TooLarge,
        FailureKind::Http(404),
        FailureKind::Http(403),
    ] {
        for interval in [Interval::Auto, Interval::Fixed(7 * SECOND)] {
            let failing = World { listing: RunList::Fails(kind), interval, ..hundred() };
            let without = World { learning: Learning::Off, interval, ..hundred() };
            let (failing, without) = (failing.play(), without.play());
            assert!(failing.polls == without.polls, "{kind:?}");
            assert_eq!((failing.over, failing.verdicts), (without.over, without.verdicts));
            // The list is tried again, less and less often, unless it is too long.
            let tries = if kind == FailureKind::TooLarge { 1..=1 } else { 2..=7 };
            assert!(tries.contains(&failing.lists.len()), "{kind:?}: {:?}", failing.lists);
            let response = failing
                .events
                .iter()
                .filter(|timed_event| matches!(timed_event.event, Event::NoHistory { .. }))
                .count();
            assert_eq!(response, 1, "told once");
        }
    }
}

#[test]
fn a_run_that_the_list_leaves_out_is_polled_as_if_there_were_no_list() {
    let world = World { listing: RunList::Short, interval: Interval::Fixed(5 * SECOND), ..hundred() };
    let played = world.play();
    played.is_spaced();
    for run in (0..100).filter(|run| run % 3 == 0) {
        let polls: Vec<Duration> = played.polls.iter().filter(|(_, of)| *of == run).map(|(at, _)| *at).collect();
        let widest = polls.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert_eq!(widest, Some(5 * SECOND + SECOND / 5), "run {run}");
    }
    assert!(played.longest_lag(&world) < 7 * SECOND, "{:?}", played.longest_lag(&world));
}

#[test]
fn a_list_too_slow_to_help_is_left_alone_and_holds_nothing_up() {
    let interval = Interval::Fixed(5 * SECOND);
    let slow = World { list: SECOND * 4, interval, ..hundred() };
    let without = World { learning: Learning::Off, interval, ..hundred() };
    let (slow, plain) = (slow.play(), without.play());
    assert!(slow.lists.len() <= 5, "{:?}", slow.lists);
    // A list that comes late puts off only what was polled meanwhile.
    assert!(slow.longest_lag(&without) <= plain.longest_lag(&without) + SECOND, "{:?}", slow.longest_lag(&without));
}

#[test]
fn a_list_that_lags_is_found_out_at_the_first_end_and_asked_no_more() {
    let world = World { listing: RunList::Late(60 * SECOND), interval: Interval::Fixed(10 * SECOND), ..hundred() };
    let played = world.play();
    // The first run's end may be seen late, by the lag at most; the others' as with plain polls.
    let late = played.over.iter().filter(|(run, over)| **over > world.ends[**run].0 + 12 * SECOND).count();
    assert!(late <= 16, "{late} ends were seen late");
    assert!(played.longest_lag(&world) < 75 * SECOND, "{:?}", played.longest_lag(&world));
    let last = played.lists.last().expect("a list");
    assert!(*last < 580 * SECOND, "{last:?}");
}

#[test]
fn a_list_that_never_changes_is_found_out_by_the_checks() {
    let mut world = World { listing: RunList::Frozen, interval: Interval::Fixed(10 * SECOND), ..hundred() };
    // All end at once: the next check finds it.
    world.ends = vec![(500 * SECOND, "SUCCESS"); 100];
    let played = world.play();
    assert!(played.longest_lag(&world) < 25 * SECOND, "{:?}", played.longest_lag(&world));
    // One alone ends: it has its turn like all others.
    world.ends = (0..100).map(|run| (if run == 50 { 500 * SECOND } else { 3000 * SECOND }, "SUCCESS")).collect();
    let played = world.play();
    assert!(played.longest_lag(&world) < 1100 * SECOND, "{:?}", played.longest_lag(&world));
}

#[test]
fn no_word_of_a_list_ends_a_wait() {
    let mut world = World { listing: RunList::Rosy, ..World::new([700, 800, 900, 950, 1000]) };
    world.ends[2].1 = "FAILED";
    let played = world.play();
    played.is_spaced();
    let expected = [Verdict::Passed, Verdict::Passed, Verdict::Failed, Verdict::Passed, Verdict::Passed];
    assert_eq!(played.verdicts, expected);
    for (run, over) in &played.over {
        assert!(*over >= world.ends[*run].0, "run {run} was over at {over:?}");
    }
}

#[test]
fn a_list_stops_no_clock() {
    // The service answers lists, and no polls.
    let world = World { outage: 100 * SECOND, ..hundred() };
    let played = world.play();
    assert_eq!(played.verdicts, vec![Verdict::Unreachable; 100]);
    // Sixty seconds after the first unusable answer, which comes when a run is polled: a check, or an end.
    let (first, last) = (played.over.values().min().expect("one"), played.over.values().max().expect("one"));
    assert!(*first >= 160 * SECOND && *last < 1100 * SECOND, "{first:?} to {last:?}");
    // With plain polls each would have met it at once: so a run in an outage is polled by itself from then on.
    assert!(played.looks_in(160, 170) > 0);
}

#[test]
fn a_run_that_the_list_shows_in_another_word_is_polled_as_if_there_were_no_list() {
    let interval = Interval::Fixed(5 * SECOND);
    let worded = World { listing: RunList::Worded, interval, ..hundred() }.play();
    let plain = World { learning: Learning::Off, interval, ..hundred() }.play();
    // Until the first of them ends: that it has, the list may tell.
    let before = |played: &simulated_lists::Played| -> Vec<(Duration, usize)> {
        played.polls.iter().copied().filter(|(at, _)| *at < 500 * SECOND).collect()
    };
    assert!(before(&worded) == before(&plain));
    assert!(worded.longest_lag(&hundred()) <= plain.longest_lag(&hundred()));
}

#[test]
fn a_survey_has_its_turn_where_there_is_much_to_do() {
    // Eight at once, a second each: a hundred runs that want a poll every two seconds never leave a place free.
    let world = World { at_once: 8, poll: SECOND, interval: Interval::Fixed(2 * SECOND), ..hundred() };
    let played = world.play();
    played.is_spaced();
    assert_eq!(played.verdicts, vec![Verdict::Passed; 100]);
    assert!(played.lists.first().is_some_and(|first| *first < 15 * SECOND), "{:?}", played.lists.first());
    let polls = played.polls.iter().filter(|(at, _)| (100..400).contains(&at.as_secs())).count();
    assert!(polls < 60, "{polls} looks in five minutes");
}

#[test]
fn what_a_run_s_own_answer_asked_for_is_obeyed_whatever_a_list_says() {
    for listing in [RunList::True, RunList::Rosy, RunList::Frozen] {
        let world = World {
            rest: Some(40 * SECOND),
            listing,
            interval: Interval::Fixed(5 * SECOND),
            ..World::new([300, 320, 340, 500])
        };
        let mut last: BTreeMap<usize, Duration> = BTreeMap::new();
        for (at, run) in world.play().polls {
            let before = last.insert(run, at);
            assert!(
                before.is_none_or(|before| at >= before + 40 * SECOND),
                "{listing:?}: run {run}, {before:?} and {at:?}"
            );
        }
    }
}
