//! What a gate does with the pipeline's past once it comes to know it.

use super::*;
use crate::core::PastRun;

impl Gate {
    /// Takes in how earlier runs went, as after a survey. Returns when to look at `run` next instead, if that changes.
    fn learn(&mut self, run: usize, elapsed: Duration, past: &[PastRun]) -> Option<Duration> {
        let mut events = Vec::new();
        let at = self.moment(elapsed, &mut events);
        let watched = self.waiting(run)?;
        let next = watched.learn(&at, past);
        watched.next = next.or(watched.next);
        self.track(run);
        next
    }
}

/// A run that was created at the epoch, seen by the service at that age.
fn aged(word: &str, age: u64) -> Answer {
    let mut answer = plain(record(word));
    let created = chrono::DateTime::UNIX_EPOCH;
    if let Observation::Record(record) = &mut answer.observation {
        record.created_at = Some(created);
    }
    answer.date = Some(created + Duration::from_secs(age));
    answer
}

/// Twenty runs of about a quarter of an hour.
fn quarters() -> Vec<PastRun> {
    (0..20).map(|n| PastRun { duration: Duration::from_secs(890 + n * 7 % 20), passed: true }).collect()
}

/// The looks at one run that goes on, each answered after a second, with the past known after the first.
fn polls_with_a_past(rules: Rules, age: u64) -> Vec<Duration> {
    let mut gate = Gate::new(rules, vec![target("r")]);
    let mut polls = vec![Duration::ZERO];
    let mut next = gate.observe(0, SECOND, aged("RUNNING", age), &mut Vec::new());
    next = gate.learn(0, 2 * SECOND, &quarters()).or(next);
    while let Some(due) = next {
        polls.push(due);
        next = gate.observe(0, due + SECOND, aged("RUNNING", age + due.as_secs()), &mut Vec::new());
    }
    polls
}

#[test]
fn a_past_that_is_learned_places_the_polls() {
    let polls = polls_with_a_past(usual(), 0);
    let near =
        |from: u32, until: u32| polls.iter().filter(|&&poll| (from * SECOND..until * SECOND).contains(&poll)).count();
    assert!(near(0, 600) < 40, "{polls:?}");
    assert!(near(880, 920) > 8, "{polls:?}");
    assert!((60..130).contains(&near(1500, 2500)), "{polls:?}");
}

#[test]
fn with_a_forecast_too_one_poll_starts_on_the_deadline_and_none_in_the_last_second() {
    for timeout in 880..930 {
        let polls = polls_with_a_past(rules(timeout, 120, 600, Interval::Auto), 0);
        let deadline = Duration::from_secs(timeout);
        assert_eq!(polls.last(), Some(&deadline));
        assert!(polls.windows(2).all(|pair| pair[1] >= pair[0] + SECOND), "{polls:?}");
        assert!(polls.iter().all(|poll| *poll + SECOND <= deadline || *poll == deadline), "{polls:?}");
    }
}

#[test]
fn the_age_is_the_service_s_not_the_gate_s() {
    // The service says that the run is 860 s old: it ends soon.
    let polls = polls_with_a_past(usual(), 860);
    let soon = polls.iter().filter(|poll| **poll < 60 * SECOND).count();
    assert!((6..16).contains(&soon), "{polls:?}");
    let mut gate = Gate::new(usual(), vec![target("r")]);
    gate.observe(0, 5 * SECOND, aged("RUNNING", 860), &mut Vec::new());
    assert_eq!(gate.age(0, 25 * SECOND), Some(Duration::from_secs(880)));
    // Later answers do not make it jump.
    gate.observe(0, 30 * SECOND, aged("RUNNING", 2), &mut Vec::new());
    assert_eq!(gate.age(0, 31 * SECOND), Some(Duration::from_secs(886)));
}

#[test]
fn what_is_learned_changes_nothing_where_it_must_not() {
    let learned = |rules: Rules, answers: Vec<Answer>| {
        let mut gate = Gate::new(rules, vec![target("r")]);
        for answer in answers {
            gate.observe(0, SECOND, answer, &mut Vec::new());
        }
        (gate.learn(0, 2 * SECOND, &quarters()), gate.forecast(0).is_some())
    };
    let fixed = rules(3000, 120, 600, Interval::Fixed(7 * SECOND));
    assert_eq!(
        learned(fixed, vec![aged("RUNNING", 0)]),
        (None, true),
        "the user's interval, but the view has a forecast"
    );
    assert_eq!(learned(usual(), vec![plain(record("RUNNING"))]), (None, false), "no age, no forecast");
    assert_eq!(learned(usual(), vec![aged("RUNNING", 0), plain(unusable())]), (None, true), "the backoff decides");
    assert_eq!(learned(usual(), vec![aged("RUNNING", 0), plain(not_visible())]), (None, true), "the backoff decides");
    assert_eq!(learned(usual(), vec![aged("SUCCESS", 0)]), (None, false), "it is over");
    let (next, _) = learned(usual(), vec![aged("RUNNING", 0)]);
    assert!(next.is_some_and(|next| next > 3 * SECOND && next <= 22 * SECOND), "{next:?}");
    let asked = Answer { retry_after: Some(25 * SECOND), ..aged("RUNNING", 0) };
    assert_eq!(learned(usual(), vec![asked]).0, Some(26 * SECOND), "the service asked to be left alone");
}

#[test]
fn a_run_that_takes_longer_than_most_is_reported_once_and_once_more_when_it_is_overdue() {
    let response = |past: &[PastRun], ages: std::ops::Range<u64>| {
        let mut gate = Gate::new(Rules { learning: Learning::On, ..usual() }, vec![target("r")]);
        let mut events = Vec::new();
        gate.observe(0, SECOND, aged("RUNNING", ages.start), &mut events);
        gate.learn(0, SECOND, past);
        for age in ages.clone() {
            let at = Duration::from_secs(1 + age - ages.start);
            gate.observe(0, at, aged("RUNNING", age), &mut events);
        }
        let pace = events.into_iter().filter_map(|timed_event| match timed_event.event {
            Event::Slow { slower, typical, .. } => {
                Some(("slow", timed_event.at.as_secs() + ages.start, slower.runs, typical))
            }
            Event::Overdue { age, typical, .. } => Some(("overdue", age.as_secs(), 0, typical)),
            _ => None,
        });
        pace.collect::<Vec<_>>()
    };
    let typical = Duration::from_millis(899_500);
    let found = response(&quarters(), 0..1400);
    let [("slow", slow, 18, of_slow), ("overdue", overdue, 0, of_overdue)] = found[..] else { panic!("{found:?}") };
    assert!((905..912).contains(&slow) && (912..1100).contains(&overdue), "{found:?}");
    assert_eq!((of_slow, of_overdue), (typical, typical));
    // One that was overdue from the start was never merely slow; one that has ended in time is neither.
    let late = response(&quarters(), 2000..2100);
    assert!(matches!(late[..], [("overdue", 2000..2003, 0, _)]), "{late:?}");
    assert_eq!(response(&quarters(), 0..890), []);
}
