//! When a pipeline's list is asked, to the moment, and what becomes of its answer. What lists do to many runs over time is
//! played in `monitor::tests::shared_lists`.

use std::sync::Arc;

use super::*;
use crate::core::Effect;
use crate::core::{
    ApiResponse, Learning, ListedRun, Operation, Record, RunId, Scope, Target, TimedEvent, Untrusted, Wanted,
};

const SECOND: Duration = Duration::from_secs(1);

fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn rules(timeout: Duration) -> Rules {
    let limits = Limits { timeout, appear: 120 * SECOND, outage: 600 * SECOND };
    Rules { learning: Learning::On, ..Rules::within(limits) }
}

fn context<'a>(rules: &Rules, elapsed: Duration, events: &'a mut Vec<TimedEvent>) -> Moment<'a> {
    let rules = Arc::new(rules.clone());
    Moment { rules, elapsed, date: None, retry_after: None, has_worked: true, group: None, events }
}

/// A pipeline and so many runs of it, each seen to be going at zero, and to be polled next at that time.
fn stage(rules: &Rules, runs: usize, next: Duration) -> (Pipeline, Vec<Run>) {
    let pipeline = PipelineId::new("p").expect("an id");
    let mut home = Pipeline::new(0, pipeline.clone());
    home.runs = (0..runs).collect();
    let unfinished = |place: usize| {
        let run = RunId::new(&format!("run_{place}")).expect("an id");
        let mut watched = Run::new(rules, place, Wanted::Run(Target { pipeline: pipeline.clone(), run: run.clone() }));
        let record = Record::bare("p", run.as_str(), "RUNNING");
        let answer = Answer { observation: Observation::Record(record), retry_after: None, date: None };
        let mut events = Vec::new();
        let mut at = context(rules, Duration::ZERO, &mut events);
        watched.observe(&mut at, ApiResponse::Run(answer));
        assert!(watched.next.is_some());
        watched.next = Some(next);
        watched
    };
    (home, (0..runs).map(unfinished).collect())
}

/// As the gate does after each change of a run.
fn track(home: &mut Pipeline, runs: &[Run]) {
    runs.iter().enumerate().for_each(|(place, run)| home.track(place, run));
}

fn plan(home: &mut Pipeline, runs: &[Run], rules: &Rules, elapsed: Duration) -> Option<Duration> {
    track(home, runs);
    home.plan(rules.limits, elapsed)
}

fn ask(home: &mut Pipeline, runs: &[Run], rules: &Rules, elapsed: Duration) -> Option<ApiRequest> {
    track(home, runs);
    home.ask(rules, elapsed)
}

/// The same, with the past known.
fn settled(rules: &Rules, runs: usize, next: Duration) -> (Pipeline, Vec<Run>) {
    let (mut home, runs) = stage(rules, runs, next);
    home.past = KnownHistory::History(History::default());
    (home, runs)
}

fn earlier(runs: i64) -> History {
    let past = |n: i64| {
        let at = DateTime::from_timestamp(1_705_314_600 + 3600 * n, 0);
        ListedRun {
            run: RunId::new(&format!("old_{n}")),
            status: Some(Untrusted::new("SUCCESS")),
            created_at: at,
            ..ListedRun::default()
        }
    };
    let mut list_summary = ListSummary::new(PipelineId::new("p").expect("an id"), rules(SECOND).vocabulary);
    (0..runs).for_each(|n| list_summary.take(past(n)));
    list_summary.history()
}

/// A list that shows runs in these words.
fn list(words: &[&str]) -> Answer<ListSummary> {
    let mut list_summary = ListSummary::new(PipelineId::new("p").expect("an id"), rules(SECOND).vocabulary).shared();
    for (n, word) in words.iter().enumerate() {
        list_summary.take(ListedRun {
            run: RunId::new(&format!("run_{n}")),
            status: Some(Untrusted::new(*word)),
            created_at: DateTime::from_timestamp(1_705_314_600, 0),
            ..ListedRun::default()
        });
    }
    Answer {
        observation: Observation::Record(list_summary),
        retry_after: None,
        date: DateTime::from_timestamp(1_705_314_700, 0),
    }
}

fn without(observation: Observation<ListSummary>) -> Answer<ListSummary> {
    Answer { observation, retry_after: None, date: None }
}

fn failure(kind: FailureKind) -> Failure {
    Failure::new(Operation::List, kind)
}

/// Asks at `asked`, and takes that answer at `answered`.
fn list_summary(
    home: &mut Pipeline,
    runs: &mut [Run],
    rules: &Rules,
    [asked, answered]: [Duration; 2],
    answer: Answer<ListSummary>,
) -> Vec<(usize, Duration)> {
    assert!(ask(home, runs, rules, asked).is_some(), "it is asked");
    track(home, runs);
    home.take(&mut context(rules, answered, &mut Vec::new()), runs, answer)
}

#[test]
fn the_past_is_asked_for_a_second_after_the_first_record_and_not_at_the_deadline() {
    let rules = rules(100 * SECOND);
    let (mut home, runs) = stage(&rules, 1, 30 * SECOND);
    assert_eq!(plan(&mut home, &runs, &rules, 5 * SECOND), Some(6 * SECOND));
    assert_eq!(plan(&mut home, &runs, &rules, 5 * SECOND + milliseconds(1)), None, "it is planned");
    let (mut home, runs) = stage(&rules, 1, 100 * SECOND);
    assert_eq!(plan(&mut home, &runs, &rules, 99 * SECOND), None, "the last polls have that moment to themselves");
    let (mut home, mut runs) = stage(&rules, 1, 30 * SECOND);
    runs[0].failure = Some(failure(FailureKind::Http(503)));
    assert_eq!(plan(&mut home, &runs, &rules, 5 * SECOND), None, "nothing is known to go on");
    assert!(ask(&mut home, &runs, &rules, 6 * SECOND).is_none());
}

#[test]
fn a_survey_that_is_due_keeps_its_place_and_one_that_is_not_moves() {
    let rules = rules(100 * SECOND);
    let planned = |at: Duration| {
        let (mut home, mut runs) = settled(&rules, 3, 20 * SECOND);
        assert_eq!(plan(&mut home, &runs, &rules, 10 * SECOND), Some(milliseconds(19_750)));
        runs.iter_mut().for_each(|run| run.next = Some(30 * SECOND));
        plan(&mut home, &runs, &rules, at)
    };
    assert_eq!(planned(milliseconds(19_749)), Some(milliseconds(29_750)));
    assert_eq!(planned(milliseconds(19_750)), None);
    assert_eq!(planned(milliseconds(19_751)), None);
    // One that is under way is not planned again.
    let (mut home, runs) = settled(&rules, 3, 20 * SECOND);
    assert!(ask(&mut home, &runs, &rules, 10 * SECOND).is_some());
    assert_eq!(plan(&mut home, &runs, &rules, 10 * SECOND), None);
}

#[test]
fn a_survey_is_asked_once_only_if_wanted_and_not_from_the_deadline_on() {
    let rules = rules(100 * SECOND);
    let (mut home, runs) = settled(&rules, 3, 20 * SECOND);
    assert!(ask(&mut home, &runs, &rules, 10 * SECOND).is_some());
    assert!(ask(&mut home, &runs, &rules, 11 * SECOND).is_none(), "one is under way");
    let (mut home, runs) = settled(&rules, 2, 20 * SECOND);
    assert!(ask(&mut home, &runs, &rules, 10 * SECOND).is_none(), "two runs need none");
    let (mut home, runs) = stage(&rules, 3, 20 * SECOND);
    assert!(ask(&mut home, &runs, &rules, 100 * SECOND).is_none(), "the time is up");
}

#[test]
fn no_survey_helps_a_poll_at_the_deadline() {
    let rules = rules(100 * SECOND);
    let planned = |next| {
        let (mut home, runs) = settled(&rules, 3, next);
        plan(&mut home, &runs, &rules, 10 * SECOND)
    };
    assert_eq!(planned(100 * SECOND), None);
    assert_eq!(planned(milliseconds(99_999)), Some(milliseconds(99_749)));
}

#[test]
fn the_next_survey_comes_as_early_as_the_last_one_was_slow_but_no_more_than_one_a_second() {
    let rules = rules(3000 * SECOND);
    let planned = |took: Duration, next: Duration, retry_after: Option<Duration>| {
        let (mut home, mut runs) = settled(&rules, 3, 20 * SECOND);
        let answer = Answer { retry_after, ..list(&["RUNNING"; 3]) };
        list_summary(&mut home, &mut runs, &rules, [10 * SECOND, 10 * SECOND + took], answer);
        runs.iter_mut().for_each(|run| run.next = Some(next));
        plan(&mut home, &runs, &rules, 10 * SECOND + took)
    };
    assert_eq!(planned(SECOND, 50 * SECOND, None), Some(milliseconds(47_750)), "twice what it took, and a quarter");
    assert_eq!(planned(milliseconds(100), milliseconds(10_200), None), Some(11 * SECOND), "one a second");
    assert_eq!(planned(milliseconds(100), milliseconds(10_200), Some(40 * SECOND)), Some(milliseconds(50_100)));
    // So slow that it is only just of use; and a little slower.
    assert_eq!(planned(milliseconds(1_375), 20 * SECOND, None), Some(17 * SECOND));
    assert_eq!(planned(milliseconds(1_376), 20 * SECOND, None), Some(milliseconds(25_136)), "ten times what it took");
    assert_eq!(planned(milliseconds(1_376), 50 * SECOND, None), Some(47 * SECOND), "of use again");
}

#[test]
fn a_list_that_is_slow_again_and_again_is_left_alone_longer_and_longer() {
    let rules = rules(3000 * SECOND);
    let (mut home, mut runs) = settled(&rules, 3, 20 * SECOND);
    let mut rests = |took: u32| {
        home.not_before = Duration::ZERO;
        list_summary(&mut home, &mut runs, &rules, [10 * SECOND, (10 + took) * SECOND], list(&["RUNNING"; 3]));
        home.not_before.saturating_sub((10 + took) * SECOND).as_secs()
    };
    assert_eq!([2, 2, 4, 4, 4].map(&mut rests), [20, 40, 160, 320, 600]);
    assert_eq!([1, 2].map(rests), [0, 20], "one in time makes up for them");
}

#[test]
fn a_list_that_failed_in_whatever_way_is_left_alone_longer_and_longer_and_one_that_is_too_long_for_good() {
    let rules = rules(3000 * SECOND);
    let planned = |answers: Vec<Observation<ListSummary>>| {
        let (mut home, mut runs) = settled(&rules, 3, 20 * SECOND);
        for answer in answers {
            if ask(&mut home, &runs, &rules, 10 * SECOND).is_some() {
                home.take(&mut context(&rules, 10 * SECOND, &mut Vec::new()), &mut runs, without(answer));
            }
        }
        plan(&mut home, &runs, &rules, 10 * SECOND)
    };
    let odd = [
        Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::Http(403))),
        Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::TokenRefused)),
        Observation::Missing(Effect::Unreachable, failure(FailureKind::Certificate)),
        Observation::Missing(Effect::NotVisible, failure(FailureKind::Http(404))),
    ];
    for answer in odd {
        assert_eq!(planned(vec![answer.clone()]), Some(20 * SECOND), "{answer:?}");
        assert_eq!(planned(vec![answer.clone(), answer.clone()]), Some(30 * SECOND), "{answer:?}");
    }
    assert_eq!(planned(vec![Observation::Missing(Effect::Unusable, failure(FailureKind::TooLarge))]), None);
    let unusable = || Observation::Missing(Effect::Unusable, failure(FailureKind::Http(503)));
    for (failures, rest) in [(1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 320), (7, 600), (40, 600)] {
        let answers = (0..failures).map(|_| unusable()).collect();
        assert_eq!(planned(answers), Some((10 + rest) * SECOND), "{failures}");
    }
}

#[test]
fn a_history_that_could_not_be_had_at_first_may_come_later() {
    let rules = rules(3000 * SECOND);
    let (mut home, mut runs) = stage(&rules, 3, 20 * SECOND);
    let refused = Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::Http(403)));
    list_summary(&mut home, &mut runs, &rules, [10 * SECOND; 2], without(refused));
    assert!(home.history().is_none());
    list_summary(&mut home, &mut runs, &rules, [20 * SECOND; 2], list(&["SUCCESS"; 3]));
    assert_eq!(home.history().map(|history| history.runs().len()), Some(3));
}

#[test]
fn three_runs_share_a_list_with_a_date_and_two_do_not() {
    let rules = rules(3000 * SECOND);
    let moved = |runs: usize, answer: Answer<ListSummary>| {
        let (mut home, mut watched) = stage(&rules, runs, 20 * SECOND);
        list_summary(&mut home, &mut watched, &rules, [10 * SECOND; 2], answer).len()
    };
    // The check, beside the three that are put off.
    assert_eq!(moved(3, list(&["RUNNING"; 3])), 4);
    assert_eq!(moved(3, list(&["SUCCESS", "FAILED", "RUNNING"])), 4);
    assert_eq!(moved(2, list(&["RUNNING"; 2])), 0);
    assert_eq!(moved(3, Answer { date: None, ..list(&["RUNNING"; 3]) }), 0, "it could not be checked");
    let (mut home, mut watched) = stage(&rules, 3, 20 * SECOND);
    home.useless = true;
    assert_eq!(list_summary(&mut home, &mut watched, &rules, [10 * SECOND; 2], list(&["RUNNING"; 3])).len(), 0);
}

#[test]
fn a_past_of_one_run_is_not_worth_a_line() {
    for (runs, lines) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
        let mut home = Pipeline::new(0, PipelineId::new("p").expect("an id"));
        let mut events = Vec::new();
        home.know(&mut context(&rules(SECOND), SECOND, &mut events), earlier(runs));
        assert_eq!(events.len(), lines, "{runs} runs");
        home.know(&mut context(&rules(SECOND), SECOND, &mut events), earlier(5));
        assert_eq!(
            (events.len(), home.history().map(|history| history.runs().len())),
            (lines, usize::try_from(runs).ok())
        );
    }
}

#[test]
fn one_of_those_put_off_is_checked_in_its_turn_every_ten_seconds() {
    let rules = rules(3000 * SECOND);
    let (mut home, mut runs) = settled(&rules, 3, 40 * SECOND);
    for (run, polled) in runs.iter_mut().zip([5, 3, 4]) {
        run.polled = polled * SECOND;
    }
    let checked = |home: &mut Pipeline, runs: &mut Vec<Run>, at: Duration| {
        let moved = list_summary(home, runs, &rules, [at; 2], list(&["RUNNING"; 3]));
        moved.into_iter().skip(3).collect::<Vec<_>>()
    };
    assert_eq!(checked(&mut home, &mut runs, 10 * SECOND), [(1, 10 * SECOND)], "the one not looked at for longest");
    assert_eq!(checked(&mut home, &mut runs, milliseconds(19_999)), []);
    runs[1].polled = 11 * SECOND;
    assert_eq!(checked(&mut home, &mut runs, 20 * SECOND), [(2, 20 * SECOND)]);
}

#[test]
fn a_run_that_is_being_polled_is_left_alone() {
    let rules = rules(3000 * SECOND);
    let moved = |words: &[&str]| {
        let (mut home, mut runs) = stage(&rules, 3, 20 * SECOND);
        runs[1].next = None;
        list_summary(&mut home, &mut runs, &rules, [10 * SECOND; 2], list(words)).iter().any(|(run, _)| *run == 1)
    };
    assert!(!moved(&["RUNNING"; 3]) && !moved(&["SUCCESS"; 3]));
    // When a list was found out, all are polled, but for that one.
    let (mut home, mut runs) = settled(&rules, 3, 40 * SECOND);
    list_summary(&mut home, &mut runs, &rules, [10 * SECOND; 2], list(&["RUNNING"; 3]));
    let updated_at = DateTime::from_timestamp(1_705_314_600, 0);
    let ended = Record { updated_at, ..Record::bare("p", "run_0", "SUCCESS") };
    let answer = Answer { observation: Observation::Record(ended), retry_after: None, date: None };
    let mut events = Vec::new();
    let mut at = context(&rules, 11 * SECOND, &mut events);
    runs[0].observe(&mut at, ApiResponse::Run(answer));
    assert!(runs[0].end.is_some());
    runs[0].next = None;
    runs[1].next = None;
    track(&mut home, &runs);
    assert_eq!(home.check(0, &runs, 11 * SECOND).iter().map(|(run, _)| *run).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_list_finds_a_run_by_its_database_id_too_and_only_once() {
    let rules = rules(3000 * SECOND);
    let unfinished = |asked: &str, listed: &str, number: u64| {
        let (_, mut runs) = stage(&rules, 1, 20 * SECOND);
        let (pipeline, run) = (PipelineId::new("p").expect("an id"), RunId::new(asked).expect("an id"));
        let mut watched = Run::new(&rules, 0, Wanted::Run(Target { pipeline: pipeline.clone(), run }));
        watched.seen = runs.remove(0).seen;
        let mut list_summary = ListSummary::new(pipeline, rules.vocabulary.clone());
        list_summary.take(ListedRun {
            run: RunId::new(listed),
            number: Some(number),
            status: Some(Untrusted::new("RUNNING")),
            ..ListedRun::default()
        });
        watched.shown_in(&list_summary) == ShownAs::Going
    };
    assert!(unfinished("45", "run_45", 45), "by its number");
    assert!(unfinished("45", "45", 45), "by both, which are one");
    assert!(!unfinished("46", "run_45", 45));
}
