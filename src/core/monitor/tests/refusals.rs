//! Refusals: one never ends a wait in which something has worked, and a minute of nothing else ends every wait.

use super::*;
use crate::core::{ApiResponse, Effect, IfRunning, RunList, Selector, TriggerEffect, TriggerResponse};

/// What a service, a gateway or a proxy answers once in a while, and waiting is not known to fix.
fn refusals() -> Vec<Observation> {
    let http = |status| Observation::Missing(Effect::Unreachable, failure(FailureKind::Http(status)));
    let mut all: Vec<Observation> = [400, 402, 405, 409, 413, 421, 423, 451, 460, 499].map(http).into();
    all.extend([
        Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::TokenRefused)),
        Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::Http(403))),
        Observation::Missing(
            Effect::Denied(Scope::SignIn),
            Failure { during: Operation::SignIn, ..failure(FailureKind::Http(401)) },
        ),
        Observation::Missing(Effect::Unreachable, failure(FailureKind::RedirectOffOrigin)),
        Observation::Missing(Effect::Unreachable, failure(FailureKind::Certificate)),
        Observation::Missing(Effect::Unreachable, failure(FailureKind::ProxyAuthentication)),
    ]);
    all
}

fn verdict_of(refusal: &Observation) -> Verdict {
    if matches!(refusal, Observation::Missing(Effect::Denied(_), _)) { Verdict::Denied } else { Verdict::Unreachable }
}

#[test]
fn a_refusal_between_good_answers_ends_no_wait() {
    for refusal in refusals() {
        for pause in [None, Some(1), Some(40)] {
            let once = Answer { retry_after: pause.map(|pause| SECOND * pause), ..plain(refusal.clone()) };
            let story = [plain(record("RUNNING")), once.clone(), plain(record("SUCCESS"))];
            assert_eq!(play(usual(), SECOND, story).0, Some(Verdict::Passed), "{refusal:?}");
            let story = [plain(record("RUNNING")), once.clone(), plain(record("FAILED"))];
            assert_eq!(play(usual(), SECOND, story).0, Some(Verdict::Failed), "{refusal:?}");
            // A run that is not there yet is an answer as well.
            let story = [plain(not_visible()), once, plain(record("SUCCESS"))];
            assert_eq!(play(usual(), SECOND, story).0, Some(Verdict::Passed), "{refusal:?}");
        }
    }
}

#[test]
fn a_refusal_that_is_the_first_thing_ever_seen_ends_the_wait_unless_it_asks_for_a_pause() {
    for refusal in refusals() {
        let verdict = Some(verdict_of(&refusal));
        assert_eq!(play(usual(), SECOND, [plain(refusal.clone())]), (verdict, SECOND), "{refusal:?}");
        let story = [asking(refusal.clone(), 1), plain(record("SUCCESS"))];
        assert_eq!(play(usual(), SECOND, story).0, Some(Verdict::Passed), "{refusal:?}");
        // An outage has shown nothing that works, so that what follows is still the first.
        let story = [plain(unusable()), plain(refusal.clone())];
        assert_eq!(play(usual(), SECOND, story).0, verdict, "{refusal:?}");
    }
}

#[test]
fn a_minute_of_nothing_but_refusals_ends_the_wait_with_their_own_verdict() {
    for refusal in refusals() {
        let mut polls = 0;
        let story = std::iter::once(plain(record("RUNNING"))).chain(std::iter::repeat_with(|| {
            polls += 1;
            plain(refusal.clone())
        }));
        let (verdict, at) = play(usual(), SECOND, story);
        assert_eq!(verdict, Some(verdict_of(&refusal)), "{refusal:?}");
        assert!((60 * SECOND..70 * SECOND).contains(&at), "{refusal:?}: {at:?}");
        assert!(polls <= 12, "{refusal:?}: {polls} polls");
    }
}

#[test]
fn the_verdict_is_that_of_the_last_refusal() {
    let story = std::iter::once(plain(record("RUNNING")));
    let story = story.chain((0..).map(|n| plain(refusals()[if n == 0 { 0 } else { 11 }].clone())));
    assert_eq!(play(usual(), SECOND, story).0, Some(Verdict::Denied));
}

#[test]
fn what_the_service_asks_for_is_added_to_the_minute() {
    let forbidden = || Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::Http(403)));
    // Once forty seconds, and from then on nothing.
    let story = [asking(forbidden(), 40)].into_iter().chain(std::iter::repeat_with(|| plain(forbidden())));
    let (verdict, at) = play(usual(), SECOND, story);
    assert_eq!(verdict, Some(Verdict::Denied));
    assert!((101 * SECOND..112 * SECOND).contains(&at), "{at:?}");
    // However often it asks: a quarter of an hour in all, and a minute.
    let story = std::iter::repeat_with(|| asking(forbidden(), 100));
    let (verdict, at) = play(usual(), SECOND, story);
    assert_eq!(verdict, Some(Verdict::Denied));
    assert!((960 * SECOND..1000 * SECOND).contains(&at), "{at:?}");
}

#[test]
fn any_other_answer_begins_the_minute_anew() {
    for other in [record("RUNNING"), not_visible(), unusable()] {
        let refusal = Observation::Missing(Effect::Unreachable, failure(FailureKind::Http(409)));
        let story = (0..).map(|n| plain(if n % 4 == 0 { other.clone() } else { refusal.clone() }));
        let story = std::iter::once(plain(record("RUNNING"))).chain(story);
        // Of the clocks, only its own can end a wait on a refusal.
        let (verdict, at) = play(rules(3000, 1200, 1200, Interval::Fixed(10 * SECOND)), SECOND, story);
        assert!(at > 1000 * SECOND, "{other:?}: {verdict:?} at {at:?}");
    }
}

#[test]
fn a_refusal_stops_no_outage() {
    let refusal = || Observation::Missing(Effect::Unreachable, failure(FailureKind::RedirectOffOrigin));
    let story = std::iter::once(plain(record("RUNNING")));
    let story = story.chain((0..).map(|n| plain(if n % 3 == 0 { unusable() } else { refusal() })));
    let (verdict, at) = play(usual(), SECOND, story);
    assert_eq!(verdict, Some(Verdict::Unreachable));
    assert!((600 * SECOND..700 * SECOND).contains(&at), "{at:?}");
    // Nor does it stop the appear clock, or end it.
    let story = (0..).map(|n| plain(if n % 3 == 0 { not_visible() } else { refusal() }));
    let (verdict, at) = play(usual(), SECOND, story);
    assert_eq!(verdict, Some(Verdict::NotFound));
    assert!((120 * SECOND..180 * SECOND).contains(&at), "{at:?}");
}

#[test]
fn at_the_deadline_a_refusal_counts_as_what_it_is_and_a_poll_is_not_repeated_at_a_timeout_of_zero() {
    for refusal in refusals() {
        let verdict = Some(verdict_of(&refusal));
        let story = std::iter::once(plain(record("RUNNING"))).chain(std::iter::repeat_with(|| plain(refusal.clone())));
        assert_eq!(play(rules(20, 60, 60, Interval::Auto), SECOND, story), (verdict, 21 * SECOND), "{refusal:?}");
        // The last poll brings no answer.
        let mut gate = Gate::new(rules(20, 60, 60, Interval::Auto), vec![target("r")]);
        gate.observe(0, SECOND, plain(record("RUNNING")), &mut Vec::new());
        gate.observe(0, 19 * SECOND, plain(refusal.clone()), &mut Vec::new());
        gate.cut(0, 25 * SECOND, &mut Vec::new());
        assert_eq!(Some(gate.outcome().verdict), verdict, "{refusal:?}");
        for answer in [plain(refusal.clone()), asking(refusal.clone(), 1)] {
            assert_eq!(play(rules(0, 60, 60, Interval::Auto), SECOND, [answer]), (verdict, SECOND), "{refusal:?}");
        }
    }
}

#[test]
fn what_has_worked_for_one_run_has_worked_for_all_and_a_sign_in_is_enough() {
    let forbidden = || plain(Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::Http(403))));
    let mut gate = Gate::new(usual(), vec![target("a"), target("b"), target("c")]);
    assert_eq!(gate.observe(0, SECOND, forbidden(), &mut Vec::new()), None, "the first thing ever seen");
    gate.observe(1, 2 * SECOND, plain(record("RUNNING")), &mut Vec::new());
    assert!(gate.observe(2, 3 * SECOND, forbidden(), &mut Vec::new()).is_some());

    let mut gate = Gate::new(usual(), vec![target("a")]).signing_in();
    assert!(gate.observe(0, SECOND, forbidden(), &mut Vec::new()).is_some(), "the token came from a sign-in");
    let mut gate = Gate::new(usual(), vec![target("a")]).signing_in();
    let refused = Failure { during: Operation::SignIn, ..failure(FailureKind::Http(401)) };
    let refused = plain(Observation::Missing(Effect::Denied(Scope::SignIn), refused));
    assert_eq!(gate.observe(0, SECOND, refused, &mut Vec::new()), None, "nothing has worked");
}

#[test]
fn a_refused_list_is_confirmed_like_a_refused_run() {
    let list = |observation| ApiResponse::List(Answer { observation, retry_after: None, date: None });
    let refused = || list(Observation::Missing(Effect::Denied(Scope::Run), failure(FailureKind::Http(403))));
    let pipeline = PipelineId::new("p").expect("an id");
    let latest = Wanted::Choice { pipeline: pipeline.clone(), selector: Selector::Latest };
    let start = Wanted::Start { pipeline, if_running: IfRunning::Queue };
    for wanted in [latest, start] {
        let mut gate = Gate::new(usual(), [wanted.clone()]);
        gate.observe(
            0,
            SECOND,
            list(Observation::Missing(Effect::NotVisible, failure(FailureKind::NoRecord))),
            &mut Vec::new(),
        );
        let (mut next, mut last) = (Some(2 * SECOND), Duration::ZERO);
        while let Some(at) = next {
            gate.ask(0, at, &mut Vec::new()).expect("it goes on");
            (next, last) = (gate.observe(0, at, refused(), &mut Vec::new()), at);
        }
        assert_eq!((gate.outcome().verdict, last), (Verdict::Denied, 62 * SECOND), "{wanted:?}");
    }
}

#[test]
fn a_refused_sign_in_before_the_request_to_start_is_confirmed_and_a_refused_start_is_not_repeated() {
    let pipeline = PipelineId::new("p").expect("an id");
    let list = || {
        let observation = Observation::Record(RunList::default());
        ApiResponse::List(Answer {
            observation,
            retry_after: None,
            date: chrono::DateTime::from_timestamp(1_705_314_600, 0),
        })
    };
    let ready = || {
        let wanted = Wanted::Start { pipeline: pipeline.clone(), if_running: IfRunning::Queue };
        let mut gate = Gate::new(usual(), [wanted]);
        gate.ask(0, SECOND, &mut Vec::new()).expect("a list");
        gate.observe(0, SECOND, list(), &mut Vec::new()).expect("it goes on");
        gate.ask(0, 2 * SECOND, &mut Vec::new()).expect("the request");
        gate
    };
    let sign_in = || Failure { during: Operation::SignIn, ..failure(FailureKind::Http(403)) };
    let execute = || Failure { during: Operation::Execute, ..failure(FailureKind::Http(403)) };
    for trigger_response in [
        TriggerResponse::Missing(TriggerEffect::Denied(Scope::SignIn), sign_in()),
        TriggerResponse::Missing(TriggerEffect::Unreachable, sign_in()),
    ] {
        let mut gate = ready();
        assert!(gate.observe(0, 2 * SECOND, ApiResponse::Execute(trigger_response, None), &mut Vec::new()).is_some());
    }
    for (trigger_response, verdict) in [
        (TriggerResponse::Missing(TriggerEffect::Denied(Scope::Run), execute()), Verdict::Denied),
        (TriggerResponse::Missing(TriggerEffect::Unreachable, execute()), Verdict::Unreachable),
        (TriggerResponse::Missing(TriggerEffect::Refused, execute()), Verdict::NotStarted),
        (TriggerResponse::Missing(TriggerEffect::NotFound, execute()), Verdict::NotFound),
    ] {
        let mut gate = ready();
        let asked = ApiResponse::Execute(trigger_response, Some(SECOND));
        assert_eq!(gate.observe(0, 2 * SECOND, asked, &mut Vec::new()), None);
        assert_eq!(gate.outcome().verdict, verdict);
    }
}
