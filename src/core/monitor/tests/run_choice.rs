//! Runs that are chosen from a list, through the whole gate; all short stories of lists and polls.

use chrono::{DateTime, Utc};

use super::*;
use crate::core::{ApiRequest, ApiResponse, Effect, ListedRun, RunList, Selector};

fn stamp(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(1_705_314_600 + seconds, 0)
}

fn chosen(selector: Selector) -> Wanted {
    Wanted::Choice { pipeline: PipelineId::new("p").expect("an id"), selector }
}

fn listed(id: &str, created: i64, word: &str) -> ListedRun {
    ListedRun::bare(id, word, stamp(created))
}

fn list(observation: Observation<RunList>) -> ApiResponse {
    ApiResponse::List(Answer { observation, retry_after: None, date: None })
}

fn runs(runs: &[ListedRun]) -> ApiResponse {
    list(Observation::Record(RunList { runs: runs.to_vec() }))
}

/// A record that ended so long before the answer.
fn ended(word: &str, age: i64) -> ApiResponse {
    let Observation::Record(record) = record(word) else { panic!("a record") };
    let record = Record { updated_at: stamp(-age), ..record };
    ApiResponse::Run(Answer { observation: Observation::Record(record), retry_after: None, date: stamp(0) })
}

fn lists() -> Vec<ApiResponse> {
    let odd = ListedRun::default();
    vec![
        runs(&[listed("r", 0, "SUCCESS")]),
        runs(&[listed("r", 0, "SUCCESS"), listed("s", 1, "FAILED")]),
        runs(&[listed("r", 0, "SUCCESS"), odd]),
        runs(&[]),
        list(Observation::Missing(Effect::NotVisible, failure(FailureKind::NoRecord))),
        list(Observation::Missing(Effect::Unusable, failure(FailureKind::Http(503)))),
        list(Observation::Missing(Effect::Unreachable, failure(FailureKind::Certificate))),
        list(Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::Http(403)))),
        list(Observation::Missing(Effect::Denied(Scope::SignIn), failure(FailureKind::NoToken))),
    ]
}

fn polls() -> Vec<ApiResponse> {
    vec![
        ended("SUCCESS", 10),
        ended("SUCCESS", 10_000),
        ended("FAILED", 10),
        ended("RUNNING", 10),
        ApiResponse::Run(plain(not_visible())),
        ApiResponse::Run(plain(unusable())),
    ]
}

/// Tells every story that goes on from here; returns how many.
fn emit(gate: &Gate, due: Duration, left: u32) -> u64 {
    let timeout = gate.rules().limits.timeout;
    let mut response = 0;
    let mut asking = gate.clone();
    let ask = asking.ask(0, due, &mut Vec::new()).expect("watched");
    let answers = match &ask {
        ApiRequest::List(_) => lists(),
        ApiRequest::Run(target) => {
            assert!(["r", "s"].contains(&target.run.as_str()));
            polls()
        }
        ApiRequest::Execute(_) | ApiRequest::Survey(_) => panic!("nothing of that is to be asked"),
    };
    let fresh = ended("SUCCESS", 10);
    for answer in answers {
        let mut gate = asking.clone();
        let at = due + SECOND / 10;
        response += 1;
        let is_pass = answer == fresh;
        match gate.observe(0, at, answer, &mut Vec::new()) {
            Some(next) => {
                assert!(next > at && !is_pass);
                // A list is no look at a run: the two may come at once, but none of them twice in a second.
                let is_the_same = gate.clone().ask(0, next, &mut Vec::new()).is_some_and(|next| next == ask);
                assert!(!is_the_same || next >= due + SECOND, "two requests within a second");
                assert!(next <= timeout || timeout.is_zero() && matches!(ask, ApiRequest::List(_)), "{next:?}");
                if left > 1 {
                    response += emit(&gate, next, left - 1);
                }
            }
            None => {
                let passed = gate.outcome().verdict == Verdict::Passed;
                assert_eq!(passed, is_pass, "only a fresh success of the run itself passes");
            }
        }
    }
    response
}

#[test]
fn every_short_story_of_a_choice_passes_only_on_a_fresh_record_of_the_run_itself() {
    let mut response = 0;
    for selector in Selector::ALL {
        for (timeout, appear, outage) in [(3000, 120, 600), (30, 5, 10), (4, 0, 2), (0, 120, 600)] {
            let mut rules = rules(timeout, appear, outage, Interval::Auto);
            rules.freshness.max_age = Some(SECOND * 3600);
            response += emit(&Gate::new(rules, [chosen(selector)]), Duration::ZERO, 6);
        }
    }
    assert!(response > 50_000, "{response} stories");
}

/// Plays the same list over and over; returns the verdict and when it fell.
fn over_and_over(selector: Selector, answer: &ApiResponse) -> (Verdict, Duration) {
    let mut gate = Gate::new(usual(), [chosen(selector)]);
    let (mut due, mut at) = (Duration::ZERO, Duration::ZERO);
    while gate.ask(0, due, &mut Vec::new()).is_some() {
        at = due + SECOND;
        match gate.observe(0, at, answer.clone(), &mut Vec::new()) {
            Some(next) => due = next,
            None => break,
        }
    }
    (gate.outcome().verdict, at)
}

#[test]
fn a_list_has_the_clocks_of_a_run() {
    let within = |(verdict, at): (Verdict, Duration), seconds: u32| {
        assert!(at >= SECOND * seconds && at <= SECOND * (seconds + 2), "{at:?}");
        verdict
    };
    let odd = runs(&[listed("r", 0, "SUCCESS"), ListedRun::default()]);
    assert_eq!(within(over_and_over(Selector::Latest, &odd), 601), Verdict::Unreachable);
    assert_eq!(within(over_and_over(Selector::Latest, &runs(&[])), 121), Verdict::NotFound);
    let null = list(Observation::Missing(Effect::NotVisible, failure(FailureKind::NoRecord)));
    assert_eq!(within(over_and_over(Selector::LastSuccess, &null), 121), Verdict::NotFound);
    // A complete list without a success is an answer.
    assert_eq!(within(over_and_over(Selector::LastSuccess, &runs(&[])), 1), Verdict::NotFound);
}

#[test]
fn a_run_that_was_chosen_and_never_polled_is_timed_out_at_the_deadline() {
    let mut gate = Gate::new(rules(10, 5, 5, Interval::Auto), [chosen(Selector::Latest)]);
    let list = runs(&[listed("r", 0, "SUCCESS")]);
    assert_eq!(gate.observe(0, SECOND * 11, list, &mut Vec::new()), None);
    assert_eq!(gate.outcome().verdict, Verdict::TimedOut);
}

#[test]
fn an_answer_to_another_question_is_a_bug_never_a_pass() {
    let mut gate = Gate::new(usual(), [chosen(Selector::Latest)]);
    assert_eq!(gate.observe(0, SECOND, plain(record("SUCCESS")), &mut Vec::new()), None);
    assert_eq!(gate.outcome().verdict, Verdict::InternalError);
    let mut gate = Gate::new(usual(), [target("r")]);
    assert_eq!(gate.observe(0, SECOND, runs(&[listed("r", 0, "SUCCESS")]), &mut Vec::new()), None);
    assert_eq!(gate.outcome().verdict, Verdict::InternalError);
}

#[test]
fn a_chosen_run_is_polled_in_the_rhythm_of_its_own_id() {
    let waits = |wanted: Wanted| {
        let mut gate = Gate::new(rules(3000, 120, 60, Interval::Auto), [wanted]);
        let (mut at, mut waits) = (Duration::ZERO, Vec::new());
        while waits.len() < 12 {
            let response = match gate.ask(0, at, &mut Vec::new()).expect("watched") {
                ApiRequest::List(_) => runs(&[listed("r", 0, "RUNNING")]),
                ApiRequest::Run(_) => ended("RUNNING", 10),
                ApiRequest::Execute(_) | ApiRequest::Survey(_) => panic!("nothing of that is to be asked"),
            };
            let is_look = matches!(response, ApiResponse::Run(_));
            let next = gate.observe(0, at, response, &mut Vec::new()).expect("watched");
            waits.extend(is_look.then(|| next - at));
            at = next;
        }
        waits
    };
    assert_eq!(waits(chosen(Selector::Latest)), waits(target("r").into()));
    assert_ne!(waits(target("r").into()), waits(target("s").into()));
}

#[test]
fn looking_once_means_once_at_the_run_that_was_chosen() {
    let mut gate = Gate::new(rules(0, 120, 600, Interval::Auto), vec![chosen(Selector::Latest)]);
    let next = gate.observe(0, SECOND, runs(&[listed("r", 1, "SUCCESS")]), &mut Vec::new());
    assert_eq!(next, Some(SECOND + Duration::from_millis(1)));
    assert_eq!(gate.observe(0, 3 * SECOND, ended("SUCCESS", 10), &mut Vec::new()), None);
    assert_eq!(gate.outcome().verdict, Verdict::Passed);
}
