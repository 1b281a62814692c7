//! How long a failed sign-in counts, and for which runs.

use super::*;

#[tokio::test]
async fn many_polls_share_a_failed_sign_in_for_a_second() {
    let server = failing(Reply::with(503, &[("retry-after", "7")], b"")).await;
    let session = password(&server, None);
    let all = futures_util::future::join_all((0..100).map(|_| session.token(0))).await;
    for each in all {
        let Err(TokenError::Answer(answer)) = each else { panic!("a token") };
        let pause = answer.retry_after.expect("the service wants one");
        assert!((Duration::from_secs(1)..=Duration::from_secs(7)).contains(&pause), "{pause:?}");
        assert!(
            matches!(answer.observation, Observation::Missing(Effect::Unusable, failure) if failure.during == Operation::SignIn)
        );
    }
    assert_eq!(server.sign_ins(), 1);
    let _ = session.token(0).await;
    assert_eq!(server.sign_ins(), 1);
    // It is tried again when that has ended.
    session.state.borrow_mut().failure = None;
    let _ = session.token(0).await;
    assert_eq!(server.sign_ins(), 2);
}

#[tokio::test]
async fn a_failed_sign_in_speaks_for_a_second_or_the_pause_that_the_service_wants_but_a_minute_at_most() {
    let session = password(&counting().await, None);
    let pause_left = |retry_after: Option<u64>, since: u64| {
        let failed = failure::unanswered(Failure::new(Operation::SignIn, FailureKind::Http(429)));
        let failure = NoToken { retry_after: retry_after.map(Duration::from_secs), ..failed };
        session.state.borrow_mut().failure = Some((Duration::from_secs(100), failure));
        let now = Duration::from_millis(100_000 + since);
        session.state.borrow().failed_since(now, now, &mut None).map(|shared| shared.retry_after)
    };
    let seconds = |seconds| Some(Some(Duration::from_secs(seconds)));
    assert_eq!((pause_left(None, 999), pause_left(None, 1000)), (Some(None), None));
    assert_eq!(
        (pause_left(Some(7), 2000), pause_left(Some(7), 6999)),
        (seconds(5), Some(Some(Duration::from_millis(1))))
    );
    assert_eq!(pause_left(Some(7), 7000), None);
    assert_eq!((pause_left(Some(3600), 59_999).is_some(), pause_left(Some(3600), 60_000)), (true, None));
    // What failed while one waited is one's own failure.
    let at = Duration::from_secs;
    let late = session.state.borrow().failed_since(at(100), at(500), &mut None).expect("it is shared");
    assert_eq!(late.retry_after, Some(at(3200)));
    // A run that was informed and asks again all the same has a clock that ends.
    let mut reported_failure = None;
    assert!(session.state.borrow().failed_since(at(110), at(110), &mut reported_failure).is_some());
    assert_eq!(reported_failure, Some(at(100)));
    assert!(session.state.borrow().failed_since(at(111), at(111), &mut reported_failure).is_none());
    assert!(
        session.state.borrow().failed_since(at(100), at(111), &mut reported_failure).is_some(),
        "but for one sign-in at a time"
    );
}

#[tokio::test]
async fn a_last_poll_within_a_pause_of_sign_in_is_a_real_one() {
    let (server, count) = once_then(Reply::with(503, &[("retry-after", "50")], b"")).await;
    let session = password(&server, None);
    let first = session.token(0).await.ok().expect("a token");
    let mut reported_failure = None;
    for sign_ins in [2, 3] {
        assert!(session.token_for(first.generation, &mut reported_failure).await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), sign_ins);
        // Another run has no poll to lose.
        assert!(session.token(first.generation).await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), sign_ins);
        later(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn credentials_are_refused_twice_at_most_in_the_life_of_a_token() {
    let refusals = [
        Reply::json(401, r#"{"message":"wrong"}"#),
        Reply::with(403, &[("retry-after", "1")], br#"{"message":"wrong"}"#),
        Reply::json(400, r#"{"message":"wrong"}"#),
        Reply::json(404, r#"{"message":"wrong"}"#),
    ];
    for refusal in refusals {
        let server = failing(refusal).await;
        let session = password(&server, None);
        for sign_ins in [1, 2, 2, 2] {
            let refused = error(session.token(0).await);
            let Observation::Missing(Effect::Denied(_) | Effect::Unreachable, failure) = refused else {
                panic!("{refused:?}")
            };
            assert_eq!(
                (failure.during, failure.detail),
                (Operation::SignIn, Some(crate::core::Untrusted::new("wrong")))
            );
            assert_eq!(server.sign_ins(), sign_ins);
            later(Duration::from_secs(20)).await;
        }
    }
    // One that works gives a new token, and two more tries.
    let (server, _) = once_then(Reply::json(403, "")).await;
    let session = password(&server, None);
    session.state.borrow_mut().refusals = 1;
    let first = session.token(0).await.ok().expect("a token");
    for sign_ins in [2, 3, 3] {
        assert!(matches!(error(session.token(first.generation).await), Observation::Missing(Effect::Denied(_), _)));
        assert_eq!(server.sign_ins(), sign_ins);
        later(Duration::from_secs(20)).await;
    }
}

/// Lets the session go on until so many sign-ins were refused, then lets half a minute pass.
async fn after_refusals(session: &Session, token: &mut (impl Future + Unpin), refusals: u8) {
    while session.state.borrow().refusals < refusals {
        assert!(token.now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    assert!(token.now_or_never().is_none(), "it waits for the next code");
    later(Duration::from_secs(31)).await;
}

#[tokio::test]
async fn a_refused_code_is_tried_once_more_with_the_next_one() {
    // Another job of this account has used the first code: whatever the service says to that.
    for refusal in [Reply::json(200, r#"{"mfaStatus":"required"}"#), Reply::json(401, ""), Reply::json(403, "")] {
        let mut first = true;
        let server = Server::start(move |_| match std::mem::take(&mut first) {
            true => refusal.clone(),
            false => Reply::json(200, r#"{"accessToken":"second"}"#),
        })
        .await;
        let session = password(&server, Some(totp()));
        let mut reported_failure = None;
        let mut token = Box::pin(session.token_for(0, &mut reported_failure));
        after_refusals(&session, &mut token, 1).await;
        assert_eq!(token.await.ok().expect("a token").header, "second");
        let codes: Vec<String> = server.asked().into_iter().map(|asked| asked.body).collect();
        assert!(codes.len() == 2 && codes[0] != codes[1], "{codes:?}");
    }
    // Twice is all: and what is reported knows of the code.
    let server = failing(Reply::json(200, r#"{"mfaStatus":"required"}"#)).await;
    let session = password(&server, Some(totp()));
    let mut reported_failure = None;
    let mut token = Box::pin(session.token_for(0, &mut reported_failure));
    after_refusals(&session, &mut token, 1).await;
    let Observation::Missing(Effect::Denied(crate::core::Scope::SignIn), failure) = error(token.await) else {
        panic!("not denied")
    };
    assert_eq!((failure.kind, server.sign_ins()), (FailureKind::CodeRefused, 2));
    later(Duration::from_secs(60)).await;
    assert!(session.token(0).await.is_err());
    assert_eq!(server.sign_ins(), 2);
}
