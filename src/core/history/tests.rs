//! What is made of the past: lengths, rows, the last success, the same trace; whatever order and shape the list has.

use proptest::prelude::*;

use super::*;
use crate::core::{Meaning, Record, Untrusted};

const HOUR: i64 = 3600;

fn date(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_705_314_600 + seconds, 0).expect("a date")
}

/// A run that began so many hours after the first, and took so many seconds.
fn past(hour: i64, passed: bool, length: i64) -> FinishedRun {
    FinishedRun {
        run: RunId::new(&format!("run_{hour}")),
        passed,
        created_at: date(hour * HOUR),
        ended_at: Some(date(hour * HOUR + length)),
        duration: u64::try_from(length).ok().map(Duration::from_secs),
        trace: if passed { None } else { Fingerprint::of("no rows in table_7") },
    }
}

fn seen(hour: i64, meaning: Meaning, length: i64, trace: Option<&str>) -> LastRecord {
    LastRecord {
        record: Record {
            created_at: Some(date(hour * HOUR)),
            updated_at: Some(date(hour * HOUR + length)),
            trace: trace.map(Untrusted::new),
            ..Record::bare("p", &format!("run_{hour}"), "X")
        },
        meaning,
        date: Some(date(hour * HOUR + length)),
        at: std::time::Duration::ZERO,
    }
}

/// A history of these ends, oldest first, an hour apart, of 600 s each.
fn history(ends: &str) -> History {
    let runs = (0..).zip(ends.chars()).map(|(hour, end)| past(hour, end == 'S', 600)).collect();
    History::new(runs, false, None)
}

#[test]
fn a_row_is_of_this_run_and_those_right_before_it_that_ended_alike() {
    let row = |ends: &str, meaning| {
        let hour = i64::try_from(ends.len()).expect("small");
        history(ends).comparison(&seen(hour, meaning, 600, None)).in_a_row.map(|row| (row.runs, row.after))
    };
    assert_eq!(row("SSFF", Meaning::Failed), Some((3, 2)));
    assert_eq!(row("SSFF", Meaning::Passed), Some((1, 2)));
    assert_eq!(row("FSS", Meaning::Passed), Some((3, 1)));
    assert_eq!(row("F", Meaning::Failed), Some((2, 0)));
    assert_eq!(row("", Meaning::Failed), Some((1, 0)));
    assert_eq!(row("SSFF", Meaning::Wait), None, "it is not over");
}

#[test]
fn a_row_that_fills_the_history_may_be_longer() {
    let all = |count: i64| History::new((0..count).map(|hour| past(hour, false, 60)).collect(), false, None);
    let row = |history: &History| history.comparison(&seen(1000, Meaning::Failed, 60, None)).in_a_row.expect("a row");
    assert_eq!((row(&all(50)).runs, row(&all(50)).at_least), (51, false));
    assert_eq!((row(&all(51)).runs, row(&all(51)).at_least), (51, true));
}

#[test]
fn what_came_before_a_row_may_be_more_than_the_history_has() {
    let after = |count: i64, ends: &str| {
        let older = (0..count).map(|hour| past(hour, true, 60));
        let newer = (count..).zip(ends.chars()).map(|(hour, end)| past(hour, end == 'S', 60));
        let history = History::new(older.chain(newer).collect(), false, None);
        let row = history.comparison(&seen(10_000, Meaning::Failed, 60, None)).in_a_row.expect("a row");
        (row.runs, row.at_least, row.after, row.after_at_least)
    };
    assert_eq!(after(300, ""), (1, false, 50, true));
    assert_eq!(after(300, "FF"), (3, false, 48, true));
    assert_eq!(after(50, ""), (1, false, 50, false), "that is all there ever were");
    assert_eq!(after(300, "FSS"), (1, false, 2, false), "a failure before them ends the count");
    assert_eq!(after(300, &"F".repeat(50)), (51, true, 0, false), "what came before is not known at all");
}

#[test]
fn only_runs_that_began_before_this_one_are_earlier_and_itself_is_none() {
    let history = history("SSSFF");
    // The very run is in the list too, and newer ones: `last-success` chooses such a run.
    let comparison = history.comparison(&seen(2, Meaning::Passed, 600, None));
    assert_eq!((comparison.earlier, comparison.in_a_row.map(|row| row.runs)), (2, Some(3)));
    // In another spelling it is the same run.
    let mut own = seen(4, Meaning::Failed, 600, None);
    own.record.run_id = Untrusted::new("RUN-4");
    assert_eq!(history.comparison(&own).earlier, 4);
    // Without a beginning of its own, all others are taken for earlier.
    own.record.created_at = None;
    assert_eq!(history.comparison(&own).earlier, 4);
}

#[test]
fn a_list_from_which_a_run_was_chosen_says_how_the_others_went() {
    let listed = |hour: i64, word: &str| ListedRun {
        run: RunId::new(&format!("run_{hour}")),
        status: Some(Untrusted::new(word)),
        created_at: Some(date(hour * HOUR)),
        updated_at: Some(date(hour * HOUR + 600)),
        trace: if word == "FAILED" { Fingerprint::of("no rows in table_7") } else { None },
        number: None,
    };
    let words = ["SUCCESS", "FAILED", "SUCCESS", "RUNNING", "ODD"];
    let listing = RunList { runs: (0..).zip(words).map(|(hour, word)| listed(hour, word)).collect() };
    let vocabulary = Vocabulary::new(Vec::new(), Vec::new()).expect("no words");
    let known = History::of(&listing, &vocabulary);
    assert_eq!(known, history("SFS"));
    assert_eq!(known.passed(), 2);
}

#[test]
fn a_run_is_no_part_of_its_own_past() {
    let mut own = seen(2, Meaning::Passed, 600, None);
    own.record.run_id = Untrusted::new("RUN-2");
    let past = history("FFS").without(&own);
    assert_eq!((past.runs().len(), past.passed()), (2, 0));
    assert_eq!(past.clone().without(&seen(99, Meaning::Passed, 600, None)), past, "no other run is left out");
}

#[test]
fn the_last_success_is_found_however_long_ago_it_was() {
    let last = |history: &History| {
        let seen = seen(10_000, Meaning::Failed, 600, None);
        history.comparison(&seen).last_success.and_then(|past| past.run.clone()).map(|run| run.as_str().to_owned())
    };
    assert_eq!(last(&history("SSFF")).as_deref(), Some("run_1"));
    assert_eq!(last(&history("FFF")), None);
    let long = format!("SS{}", "F".repeat(500));
    assert_eq!(last(&history(&long)).as_deref(), Some("run_1"));
    assert_eq!(history(&long).runs().len(), 50);
}

#[test]
fn the_trace_is_compared_with_that_of_the_last_failure() {
    let same = |ends: &str, meaning, trace| history(ends).comparison(&seen(99, meaning, 600, trace)).same_trace;
    assert_eq!(same("SFS", Meaning::Failed, Some("no rows in table_12")), Some(true));
    assert_eq!(same("SFS", Meaning::Failed, Some("disk full")), Some(false));
    assert_eq!(same("SFS", Meaning::Failed, None), None);
    assert_eq!(same("SSS", Meaning::Failed, Some("disk full")), None, "there was no failure");
    assert_eq!(same("SFS", Meaning::Passed, Some("no rows in table_12")), None, "a pass has no cause");
}

#[test]
fn lengths_are_those_of_runs_that_passed_or_of_all_if_none_did() {
    let of = |runs: &[(bool, i64)]| {
        let runs = (0..).zip(runs).map(|(hour, (passed, length))| past(hour, *passed, *length)).collect();
        let seconds =
            |lengths: DurationRange| [lengths.typical, lengths.from, lengths.to].map(|length| length.as_secs());
        History::new(runs, false, None).lengths().map(seconds)
    };
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[(true, 60)]), Some([60, 60, 60]));
    assert_eq!(of(&[(true, 60), (true, 120), (false, 1)]), Some([90, 60, 120]));
    assert_eq!(of(&[(false, 10), (false, 20), (false, 30)]), Some([20, 10, 30]));
    let eleven: Vec<(bool, i64)> = (0..11).map(|n| (true, 100 + 10 * n)).collect();
    assert_eq!(of(&eleven), Some([150, 110, 190]), "eight of ten lie between");
    for few in 1..=5 {
        let ends = of(&eleven[..few]).map(|[_, from, to]| (from, to));
        assert_eq!(ends, Some((100, 90 + 10 * few as u64)), "of so few, all");
    }
    assert_eq!(of(&eleven[..6]).map(|[_, from, to]| (from, to)), Some((110, 150)));
    // Stamps that make no length tell none.
    assert_eq!(of(&[(true, -5), (true, 0)]), None);
}

#[test]
fn how_many_it_outlasted_is_told_of_those_before_it_alone() {
    let history = history("SSSSF");
    let slower = |length, meaning| history.comparison(&seen(99, meaning, length, None)).slower;
    assert_eq!(slower(601, Meaning::Passed), Some((4, 4)));
    assert_eq!(slower(600, Meaning::Passed), Some((0, 4)));
    assert_eq!(slower(700, Meaning::Wait), Some((4, 4)));
    assert_eq!(slower(700, Meaning::Failed), None, "it did not come to its usual end");
}

proptest! {
    #[test]
    fn whatever_the_past_is_all_of_it_is_bounded_and_newest_first(
        runs in proptest::collection::vec((-9_000_000_i64..9_000_000, any::<bool>(), -9_000_000_i64..9_000_000), 0..200),
        at in -9_000_000_i64..9_000_000,
    ) {
        let runs: Vec<FinishedRun> = runs.iter().map(|(hour, passed, length)| past(*hour, *passed, *length)).collect();
        let history = History::new(runs.clone(), false, None);
        prop_assert!(history.runs().len() <= 50);
        prop_assert!(history.runs().windows(2).all(|pair| pair[0].created_at >= pair[1].created_at));
        let newest = runs.iter().map(|run| run.created_at).max();
        prop_assert_eq!(history.runs().first().map(|run| run.created_at), newest);
        for meaning in [Meaning::Passed, Meaning::Failed, Meaning::Wait, Meaning::Unknown] {
            let seen = seen(at, meaning, 600, Some("x"));
            let comparison = history.comparison(&seen);
            prop_assert!(comparison.in_a_row.is_none_or(|row| row.runs <= comparison.earlier + 1));
            prop_assert!(comparison.last_success.is_none_or(|past| past.passed));
            prop_assert!(comparison.slower.is_none_or(|(runs, of)| runs <= of));
        }
        if let Some(DurationRange { typical, from, to }) = history.lengths() {
            prop_assert!(from <= typical && typical <= to);
        }
    }
}
