//! The session against a scripted sign-in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use tokio::sync::Barrier;

use super::super::access_token::jwt;
use super::super::redactor::Learned;
use super::*;
use crate::api::tests::scripted_server::{Reply, Server, later};
use crate::clock::Clock;
use crate::config::Network;
use crate::core::Effect;

pub(super) fn totp() -> Totp {
    Totp::read("JBSWY3DPEHPK3PXP").expect("a secret").0
}

fn credentials(totp_secret: Option<Totp>) -> Credentials {
    Credentials::Password { username: "u@example.com".into(), password: SecretString::from("hunter22"), totp_secret }
}

fn password(server: &Server, totp_secret: Option<Totp>) -> Session {
    session(server, credentials(totp_secret), Clock::start(), Rc::<Learned>::default()).expect("a session")
}

fn session(
    server: &Server,
    credentials: Credentials,
    clock: Clock,
    redactor: Rc<dyn Redactor>,
) -> Result<Session, SetupError> {
    Session::new(credentials, Rc::new(Transport::new(server.base.clone(), Network::default(), clock)?), redactor)
}

impl Session {
    /// For a run that knows of no failed sign-in.
    async fn token(&self, refused: Generation) -> Result<AuthToken, TokenError> {
        self.token_for(refused, &mut None).await
    }
}

/// A sign-in that gives out `token-1`, `token-2`, ...
async fn counting() -> Server {
    let mut count = 0;
    Server::start(move |_| {
        count += 1;
        Reply::json(200, &format!(r#"{{"tokens":{{"accessToken":"token-{count}","refreshToken":"refresh-{count}"}}}}"#))
    })
    .await
}

async fn failing(reply: Reply) -> Server {
    Server::start(move |_| reply.clone()).await
}

fn make_due(session: &Session) {
    let mut state = session.state.borrow_mut();
    state.held.as_mut().expect("a token").early = EarlyRenewal::At { due: Duration::ZERO, reported: false };
}

fn error(error: Result<AuthToken, TokenError>) -> Observation {
    match error {
        Err(TokenError::Answer(answer)) => answer.about().observation,
        Err(TokenError::NothingNewer) => panic!("nothing newer"),
        Ok(_) => panic!("a token"),
    }
}

fn notes(session: &Session) -> Vec<SessionNote> {
    session.transport.notes.take()
}

#[tokio::test]
async fn many_polls_share_one_sign_in() {
    let server = counting().await;
    let session = password(&server, None);
    let passes = futures_util::future::join_all((0..100).map(|_| session.token(0))).await;
    assert!(passes.into_iter().all(|pass| pass.is_ok_and(|pass| pass.header == "token-1")));
    assert_eq!(server.sign_ins(), 1);
    assert_eq!(notes(&session), [SessionNote::SignedIn]);
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/auth/sign-in"));
    assert_eq!(asked.header("content-type"), "application/json");
    assert_eq!(asked.header("authorization"), "");
    assert_eq!(asked.body, r#"{"username":"u@example.com","password":"hunter22","totp":null}"#);
}

#[tokio::test]
async fn many_refused_polls_share_one_renewal() {
    let server = counting().await;
    let session = password(&server, None);
    let first = session.token(0).await.ok().expect("a token");
    let passes = futures_util::future::join_all((0..100).map(|_| session.token(first.generation))).await;
    assert!(passes.into_iter().all(|pass| pass.is_ok_and(|pass| pass.header == "token-2")));
    assert_eq!(server.sign_ins(), 2);
    assert_eq!(notes(&session), [SessionNote::SignedIn, SessionNote::Renewed]);
}

#[tokio::test]
async fn after_a_sleep_of_the_machine_the_code_is_that_of_now() {
    let server = counting().await;
    let clock = Clock::after_sleep(Duration::from_secs(3600));
    let session = session(&server, credentials(Some(totp())), clock, Rc::<Learned>::default()).expect("a session");
    let step = || totp().step_at(clock.awake().timestamp().unsigned_abs());
    let asleep = totp().step_at(clock.utc().timestamp().unsigned_abs());
    let before = step();
    let _ = session.token(0).await;
    let sent: serde_json::Value = serde_json::from_str(&server.asked()[0].body).expect("JSON");
    let codes: Vec<SecretString> = (before..=step()).map(|step| totp().code(step)).collect();
    assert!(codes.iter().any(|code| code.expose_secret() == sent["totp"].as_str().expect("a code")));
    assert!(before >= asleep + 120, "an hour later");
}

#[tokio::test]
async fn a_sign_in_given_up_leaves_the_next_one_free() {
    let mut first = true;
    let server = Server::start(move |_| {
        if std::mem::take(&mut first) { Reply::stalled("") } else { Reply::json(200, r#"{"accessToken":"second"}"#) }
    })
    .await;
    let session = password(&server, None);
    {
        let mut poll = std::pin::pin!(session.token(0));
        while server.asked().is_empty() {
            assert!(poll.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
    }
    let pass = session.token(0).await.ok().expect("a token");
    assert_eq!(pass.header, "second");
}

#[tokio::test]
async fn tokens_and_codes_are_given_to_the_redactor() {
    let server = counting().await;
    let learned = Rc::<Learned>::default();
    let session = session(&server, credentials(Some(totp())), Clock::start(), Rc::<Learned>::clone(&learned));
    let session = session.expect("a session");
    let _ = session.token(0).await;
    let secrets = learned.secrets();
    for secret in ["token-1", "refresh-1"] {
        assert!(secrets.iter().any(|known| known == secret), "{secret}");
    }
    let sent: serde_json::Value = serde_json::from_str(&server.asked()[0].body).expect("JSON");
    let code = sent["totp"].as_str().expect("a code");
    assert_eq!(code.len(), 6);
    assert!(secrets.iter().any(|known| known == code));
    let shown = format!("{:?} {:?}", session.credentials, session.state);
    assert!(!shown.contains("token-1") && !shown.contains("hunter22"));
}

#[tokio::test]
async fn no_code_is_sent_twice() {
    let server = counting().await;
    let session = password(&server, Some(totp()));
    let pass = session.token(0).await.ok().expect("a token");
    // Whatever step the first one took, this one is not over.
    let step = totp().step_at(session.transport.clock.utc().timestamp().unsigned_abs());
    session.state.borrow_mut().codes.last = Some(step + 1);
    {
        let mut renewal = std::pin::pin!(session.token(pass.generation));
        for _ in 0..100 {
            assert!(renewal.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        make_due(&session);
    }
    // Nor does a renewal before time wait for it, or count as tried.
    session.renew_early().await;
    assert_eq!(server.sign_ins(), 1);
    session.state.borrow_mut().codes.last = None;
    session.renew_early().await;
    assert_eq!(server.sign_ins(), 2);
}

#[tokio::test]
async fn an_old_token_is_renewed_before_it_is_refused() {
    let server = counting().await;
    let session = password(&server, None);
    let _ = session.token(0).await;
    session.renew_early().await;
    assert_eq!(server.sign_ins(), 1);
    make_due(&session);
    futures_util::future::join_all((0..10).map(|_| session.renew_early())).await;
    assert_eq!(server.sign_ins(), 2);
    assert_eq!(session.token(0).await.ok().expect("a token").header, "token-2");
    assert_eq!(notes(&session), [SessionNote::SignedIn, SessionNote::Renewed]);
}

#[tokio::test]
async fn a_jwt_that_ends_early_is_renewed_early() {
    let token = jwt(r#"{"iat":1705314600,"exp":1705315200}"#);
    let server = failing(Reply::json(200, &format!(r#"{{"accessToken":"{token}"}}"#))).await;
    let session = password(&server, None);
    let _ = session.token(0).await;
    let EarlyRenewal::At { due, .. } = session.state.borrow().held.as_ref().expect("a token").early else {
        panic!("never")
    };
    assert!((Duration::from_secs(500)..Duration::from_secs(510)).contains(&due), "{due:?}");
}

/// The first sign-in works, every later one is answered so.
async fn once_then(reply: Reply) -> (Server, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let server = Server::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::json(200, r#"{"accessToken":"token-1"}"#),
        _ => reply.clone(),
    })
    .await;
    (server, count)
}

#[tokio::test]
async fn a_failed_early_renewal_keeps_the_old_token_and_is_reported_once() {
    let (server, count) = once_then(Reply::json(500, "")).await;
    let session = password(&server, None);
    let _ = session.token(0).await;
    make_due(&session);
    session.renew_early().await;
    session.renew_early().await;
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert_eq!(session.token(0).await.ok().expect("the old one").header, "token-1");
    let reported_failure = notes(&session);
    assert!(
        matches!(&reported_failure[1..], [SessionNote::EarlyRenewalFailed(failure)] if failure.kind == FailureKind::Http(500)),
        "{reported_failure:?}"
    );
}

#[tokio::test]
async fn a_refused_early_renewal_is_repeated_only_when_the_old_token_is_refused() {
    let (server, count) = once_then(Reply::json(403, "")).await;
    let session = password(&server, None);
    let first = session.token(0).await.ok().expect("a token");
    make_due(&session);
    session.renew_early().await;
    assert_eq!(session.state.borrow().held.as_ref().expect("a token").early, EarlyRenewal::Never);
    assert_eq!(session.token(0).await.ok().expect("the old one").header, "token-1");
    assert_eq!(count.load(Ordering::SeqCst), 2);
    later(SHARED).await;
    assert!(matches!(error(session.token(first.generation).await), Observation::Missing(Effect::Denied(_), _)));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_stalled_early_renewal_does_not_hold_up_those_who_have_a_token() {
    let (server, _) = once_then(Reply::stalled("")).await;
    let session = password(&server, None);
    let _ = session.token(0).await;
    make_due(&session);
    let mut stalled = std::pin::pin!(session.renew_early());
    while server.sign_ins() < 2 {
        assert!(stalled.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    assert!(session.token(0).await.is_ok());
    session.renew_early().await;
    assert_eq!(server.sign_ins(), 2);
}

#[expect(clippy::disallowed_methods, reason = "whoever made the token writes its file")]
fn write(path: &Path, token: &str) {
    std::fs::write(path, token).expect("written");
}

#[tokio::test]
async fn a_token_file_is_read_again_when_its_token_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    let server = counting().await;
    let ends = jwt(r#"{"exp":1705315200}"#);
    let credentials = Credentials::TokenFile { path: path.clone(), token: SecretString::from(ends.as_str()) };
    let learned = Rc::<Learned>::default();
    let session = session(&server, credentials, Clock::start(), Rc::<Learned>::clone(&learned)).expect("a session");
    assert_eq!(session.token_ends(), DateTime::from_timestamp(1_705_315_200, 0));

    // Nobody looks for the file before.
    let first = session.token(0).await.ok().expect("a token");
    assert_eq!(first.header, ends.as_str());
    let Observation::Missing(Effect::Denied(crate::core::Scope::Run), failure) =
        error(session.token(first.generation).await)
    else {
        panic!("not denied")
    };
    assert_eq!((failure.kind, failure.detail.is_some()), (FailureKind::TokenFile, true));

    write(&path, &format!("{ends}\n"));
    assert!(matches!(session.token(first.generation).await, Err(TokenError::NothingNewer)));

    write(&path, "newer");
    assert_eq!(session.token(first.generation).await.ok().expect("a token").header, "newer");
    assert_eq!(notes(&session), [SessionNote::Renewed]);
    assert_eq!(learned.secrets(), ["newer"]);

    // Gone: no reason to doubt the token for the runs that it serves.
    write(&path, "\n");
    let gone = error(session.token(2).await);
    assert!(
        matches!(gone, Observation::Missing(Effect::Denied(crate::core::Scope::Run), failure) if failure.kind == FailureKind::TokenFile)
    );
    assert_eq!(session.token(1).await.ok().expect("a token").header, "newer");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_given_token_is_all_there_is() {
    let server = counting().await;
    let with = |token: &str| {
        session(&server, Credentials::Token(SecretString::from(token)), Clock::start(), Rc::<Learned>::default())
    };
    let token = jwt(r#"{"exp":1705315200}"#);
    let session = with(token.as_str()).expect("a session");
    assert_eq!(session.token_ends(), DateTime::from_timestamp(1_705_315_200, 0));
    let pass = session.token(0).await.ok().expect("a token");
    assert_eq!(pass.header, token.as_str());
    assert!(matches!(session.token(pass.generation).await, Err(TokenError::NothingNewer)));
    session.renew_early().await;
    assert!(server.asked().is_empty());
    assert!(with("a\nb").is_err());
}

#[tokio::test]
async fn an_answer_at_its_time_limit_is_waited_for_once() {
    // Those who waited while a sign-in failed share its failure, even if it took long.
    let gate = Arc::new(Barrier::new(2));
    let (held, opened) = (Reply::json(503, "").behind(&gate), gate.clone());
    let server = failing(held).await;
    let session = password(&server, None);
    let all = futures_util::future::join_all((0..3).map(|_| session.token(0)));
    let (all, _) = tokio::join!(all, opened.wait());
    assert!(all.into_iter().all(|each| matches!(error(each), Observation::Missing(Effect::Unusable, _))));
    assert_eq!(server.sign_ins(), 1);
}

mod failed;
