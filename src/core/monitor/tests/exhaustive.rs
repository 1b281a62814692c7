//! All short stories of answers: bounded, and only a success passes.

use super::*;
use crate::core::{Effect, Meaning};

/// One answer of each kind that the core tells from the others.
fn every_kind() -> Vec<Answer> {
    vec![
        plain(record("SUCCESS")),
        plain(record("FAILED")),
        plain(record("RUNNING")),
        plain(not_visible()),
        plain(unusable()),
        plain(Observation::Missing(Effect::Unreachable, failure(FailureKind::RedirectOffOrigin))),
        asking(record("RUNNING"), 90),
        asking(unusable(), 100_000),
        asking(Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::Http(403))), 7),
    ]
}

/// The same, and further ones that ought to be read as one of those.
fn every_answer() -> Vec<Answer> {
    let further = [
        plain(record("QUEUED")),
        plain(record("UPSTREAM_FAILED")),
        plain(record("WEIRD")),
        plain(record("")),
        plain(Observation::Missing(Effect::Unusable, failure(FailureKind::NotJson))),
        plain(Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::TokenRefused))),
        plain(Observation::Missing(Effect::Denied(Scope::SignIn), failure(FailureKind::NoToken))),
        asking(not_visible(), 0),
        asking(Observation::Missing(Effect::Unreachable, failure(FailureKind::Certificate)), 100_000),
    ];
    every_kind().into_iter().chain(further).collect()
}

struct Exhaustive {
    answers: Vec<Answer>,
    latency: Duration,
    stories: u64,
}

impl Exhaustive {
    /// Tells every story that goes on from here, to a length of `left` more answers.
    fn emit(&mut self, gate: &Gate, due: Duration, left: u32) {
        let timeout = gate.rules().limits.timeout;
        for n in 0..self.answers.len() {
            let answer = self.answers[n].clone();
            let success = matches!(&answer.observation, Observation::Record(record)
                if gate.rules().vocabulary.read(record.status.raw()) == Meaning::Passed);
            let mut gate = gate.clone();
            let at = due + self.latency;
            self.stories += 1;
            match gate.observe(0, at, answer, &mut Vec::new()) {
                Some(next) => {
                    assert!(next > at, "the wait after {at:?} is not above zero");
                    assert!(next <= timeout, "a look at {next:?} is past the deadline");
                    assert!(next >= due + SECOND, "two looks within a second");
                    assert!(at < timeout, "the watch went on after an answer past the deadline");
                    assert!(!success, "a success did not end the watch");
                    if left > 1 {
                        self.emit(&gate, next, left - 1);
                    }
                }
                None => assert_eq!(gate.outcome().verdict == Verdict::Passed, success, "only a success passes"),
            }
        }
    }
}

#[test]
fn every_story_up_to_length_six_is_bounded_and_only_a_last_success_passes() {
    let clocks = [(3000, 120, 600), (30, 5, 10), (4, 0, 2), (0, 120, 600)];
    let mut stories = 0;
    for (timeout, appear, outage) in clocks {
        for (interval, latency) in [(Interval::Auto, 10), (Interval::Fixed(3600 * SECOND), 1500)] {
            for (answers, length) in [(every_kind(), 7), (every_answer(), 4)] {
                let mut all = Exhaustive { answers, latency: Duration::from_millis(latency), stories: 0 };
                let gate = Gate::new(rules(timeout, appear, outage, interval), vec![target("r")]);
                all.emit(&gate, Duration::ZERO, length);
                stories += all.stories;
            }
        }
    }
    assert!(stories > 1_000_000, "{stories} stories");
}

#[test]
fn of_two_runs_every_short_story_passes_only_if_both_did() {
    let answers = every_answer();
    for on_first_failure in [OnFirstFailure::WaitForAll, OnFirstFailure::StopWaiting] {
        let mut rules = rules(30, 5, 10, Interval::Auto);
        rules.on_first_failure = on_first_failure;
        for a in &answers {
            for b in &answers {
                for c in &answers {
                    let mut gate = Gate::new(rules.clone(), vec![target("a"), target("b")]);
                    let mut events = Vec::new();
                    gate.observe(0, SECOND, a.clone(), &mut events);
                    gate.observe(1, SECOND, b.clone(), &mut events);
                    gate.observe(0, 3 * SECOND, c.clone(), &mut events);
                    gate.cut(0, 40 * SECOND, &mut events);
                    gate.cut(1, 40 * SECOND, &mut events);
                    assert!(gate.is_over());
                    let outcome = gate.outcome();
                    let both = outcome.runs.iter().all(|run| run.end == End::Verdict(Verdict::Passed));
                    assert_eq!(outcome.verdict == Verdict::Passed, both);
                }
            }
        }
    }
}
