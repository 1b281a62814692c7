//! Every short list there is: the choice is the newest, and no unreadable record exposes an older success.

use chrono::{DateTime, Utc};

use super::super::listing::ListedRun;
use super::*;
use crate::core::Untrusted;

fn at(minute: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(1_705_314_600 + minute * 60, 0)
}

fn run(id: &str, number: Option<u64>, created: Option<i64>, word: &str) -> ListedRun {
    ListedRun {
        run: RunId::new(id),
        number,
        status: Some(Untrusted::new(word)),
        created_at: created.and_then(at),
        updated_at: None,
        trace: None,
    }
}

fn chosen(selector: Selector, runs: &[ListedRun]) -> Result<Option<String>, FailureKind> {
    let listing = RunList { runs: runs.to_vec() };
    let choice = choose(selector, &listing, &Vocabulary::default())?;
    Ok(choice.run.map(|run| run.to_string()))
}

fn latest(runs: &[ListedRun]) -> Result<Option<String>, FailureKind> {
    chosen(Selector::Latest, runs)
}

/// One element of every kind that matters, besides a plain old success.
fn kinds() -> Vec<ListedRun> {
    vec![
        run("old", Some(1), Some(0), "SUCCESS"),
        run("fail", Some(3), Some(5), "FAILED"),
        run("tie", Some(2), Some(5), "SUCCESS"),
        run("unnumbered", None, Some(5), "SUCCESS"),
        run("same-number", Some(3), Some(5), "SUCCESS"),
        run("going", Some(9), Some(7), "RUNNING"),
        run("", Some(8), Some(6), "SUCCESS"),
        run("undated", Some(10), None, "SUCCESS"),
        ListedRun { status: None, ..run("odd-status", Some(7), Some(4), "") },
        ListedRun::default(),
    ]
}

#[test]
fn of_every_list_of_up_to_four_records_latest_is_the_one_newest_or_nothing() {
    let kinds = kinds();
    let mut lists: Vec<Vec<ListedRun>> = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..4 {
        let until = lists.len();
        for index in from..until {
            for kind in &kinds {
                let longer = [lists[index].as_slice(), std::slice::from_ref(kind)].concat();
                lists.push(longer);
            }
        }
        from = until;
    }
    assert_eq!(lists.len(), 11_111);
    for list in &lists {
        let choice = latest(list);
        // In whatever order: the same.
        let backwards: Vec<ListedRun> = list.iter().rev().cloned().collect();
        assert_eq!(choice, latest(&backwards), "{list:?}");
        let Ok(Some(choice)) = choice else {
            assert!(choice.is_err() || list.is_empty());
            continue;
        };
        assert!(list.iter().all(|run| run.created_at.is_some()), "a record without a date might be the newest");
        let winner = list.iter().find(|run| run.run.as_ref().is_some_and(|id| id.as_str() == choice)).expect("listed");
        for other in list.iter().filter(|other| other.run != winner.run) {
            let is_older = other.created_at < winner.created_at
                || other.created_at == winner.created_at && other.number.is_some() && other.number < winner.number;
            assert!(is_older, "{choice} was chosen before {other:?}");
        }
    }
}

#[test]
fn an_unplaceable_record_never_exposes_an_older_success() {
    let old = run("old", Some(1), Some(0), "SUCCESS");
    for odd in [ListedRun::default(), run("x", Some(9), None, "FAILED"), run("", Some(9), Some(5), "FAILED")] {
        assert_eq!(latest(&[old.clone(), odd.clone()]), Err(FailureKind::Unplaceable));
        assert_eq!(latest(&[odd, old.clone()]), Err(FailureKind::Unplaceable));
    }
    // Two newest that nothing tells apart.
    let one = run("one", Some(4), Some(5), "SUCCESS");
    for other in [run("two", None, Some(5), "FAILED"), run("two", Some(4), Some(5), "FAILED")] {
        assert_eq!(latest(&[one.clone(), other]), Err(FailureKind::Unplaceable));
    }
    // Whose id can't be asked for, but which is plainly older: it is in order, and not the newest.
    assert_eq!(latest(&[old, run("", Some(0), Some(-5), "FAILED"), one.clone()]), Ok(Some("one".to_owned())));
    // The same run, listed twice.
    assert_eq!(latest(&[one.clone(), one]), Ok(Some("one".to_owned())));
}

#[test]
fn latest_does_not_care_how_the_run_stands() {
    let old = run("old", Some(1), Some(0), "SUCCESS");
    for word in ["FAILED", "RUNNING", "SUCCESS", "WEIRD", ""] {
        assert_eq!(latest(&[old.clone(), run("new", Some(2), Some(1), word)]), Ok(Some("new".to_owned())), "{word}");
    }
    assert_eq!(latest(&[]), Ok(None));
}

#[test]
fn of_the_same_moment_the_greater_number_is_newer() {
    let runs = [run("b", Some(9), Some(0), "SUCCESS"), run("a", Some(10), Some(0), "FAILED")];
    assert_eq!(latest(&runs), Ok(Some("a".to_owned())));
}

#[test]
fn last_success_is_the_newest_success_and_counts_what_it_passes_over() {
    let runs = [
        run("older", Some(1), Some(0), "SUCCESS"),
        run("fine", Some(2), Some(3), " success "),
        run("fail", Some(3), Some(4), "FAILED"),
        run("going", Some(4), Some(5), "RUNNING"),
        run("odd", Some(5), Some(6), "SUCCEEDED"),
        run("undated", Some(6), None, "SUCCESS"),
        run("", Some(7), Some(9), "SUCCESS"),
        ListedRun { status: None, ..run("x", Some(8), Some(9), "") },
        ListedRun::default(),
    ];
    let listing = RunList { runs: runs.to_vec() };
    let own = Vocabulary::new(vec!["SUCCEEDED".into()], Vec::new()).expect("a fine word");
    let choice = choose(Selector::LastSuccess, &listing, &Vocabulary::default()).expect("it never refuses");
    assert_eq!((choice.run, choice.passed_over), (RunId::new("fine"), 4));
    let choice = choose(Selector::LastSuccess, &listing, &own).expect("it never refuses");
    assert_eq!(choice.run, RunId::new("odd"));
    assert_eq!(chosen(Selector::LastSuccess, &runs[2..4]), Ok(None));
    assert_eq!(chosen(Selector::LastSuccess, &[]), Ok(None));
}

#[test]
fn a_selector_is_named_as_an_entry_of_run_id_writes_it() {
    assert_eq!(Selector::ALL.map(Selector::name), ["latest", "last-success"]);
}
