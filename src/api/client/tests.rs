//! Looks at a scripted service: what is asked, and what is made of the answers.

use std::collections::VecDeque;

use secrecy::SecretString;

use super::*;
use crate::api::redactor::Learned;
use crate::api::tests::scripted_server::{Asked, Reply, Server, later};
use crate::config::{Credentials, Network};
use crate::core::{Effect::*, Observation::Missing, PipelineId, Scope, Untrusted};

const RECORD: &str = r#"{"id":45,"pipeline_run_id":"run_1","pipeline_id":"pipe_1","last_status":"SUCCESS"}"#;

pub(super) fn target() -> Target {
    Target { pipeline: PipelineId::new("pipe-1").expect("an id"), run: RunId::new("run-1").expect("an id") }
}

pub(super) fn client(server: &Server, credentials: Credentials) -> Client {
    let service = Service { base: server.base.clone(), credentials, network: Network::default() };
    Client::new(service, Clock::start(), Rc::<Learned>::default()).expect("a client")
}

pub(super) fn password() -> Credentials {
    Credentials::Password { username: "u".into(), password: SecretString::from("hunter22"), totp_secret: None }
}

pub(super) fn token() -> Credentials {
    Credentials::Token(SecretString::from("given"))
}

/// Every sign-in works and gives `token-N`; polls are answered from the list, its last for ever.
pub(super) async fn service(answers: impl IntoIterator<Item = Reply>) -> Server {
    let mut answers: VecDeque<Reply> = answers.into_iter().collect();
    let mut count = 0;
    Server::start(move |asked: &Asked| {
        if asked.is_sign_in() {
            count += 1;
            return Reply::json(200, &format!(r#"{{"tokens":{{"accessToken":"token-{count}"}}}}"#));
        }
        if answers.len() > 1 { answers.pop_front().expect("not empty") } else { answers[0].clone() }
    })
    .await
}

/// The tokens that polls came with, in order.
fn tokens(server: &Server) -> Vec<String> {
    let looks = server.asked().into_iter().filter(|asked| !asked.is_sign_in());
    looks.map(|asked| asked.header("authorization").to_owned()).collect()
}

fn record() -> Reply {
    Reply::json(200, RECORD)
}

fn refused(status: u16) -> Reply {
    Reply::json(status, r#"{"message":"no"}"#)
}

#[tokio::test]
async fn a_poll_asks_as_the_service_wants_it() {
    let server = service([Reply::with(
        200,
        &[("date", "Mon, 15 Jan 2024 10:45:23 GMT"), ("retry-after", "9")],
        RECORD.as_bytes(),
    )])
    .await;
    let mut base = server.base.clone();
    base.set_path("/prefix/v1/");
    let service = Service { base, credentials: password(), network: Network::default() };
    let client = Client::new(service, Clock::start(), Rc::<Learned>::default()).expect("a client");
    let run = RunId::new("manual__2024-12-18T10:30:00+00:00%2e").expect("an id");
    let answer = client.poll(&Target { run, ..target() }, &mut AuthRetryState::default()).await;
    // Another run's record, but its headers are heard.
    assert!(matches!(answer.observation, Missing(Unusable, failure) if failure.kind == FailureKind::AnotherRun));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(9)));
    assert_eq!(answer.date, Some("2024-01-15T10:45:23Z".parse().expect("a date")));
    let asked = server.asked();
    assert_eq!(asked[0].path, "/prefix/v1/auth/sign-in");
    assert_eq!(
        asked[1].path,
        "/prefix/v1/platform/pipeline/pipe-1/pipeline_run/manual__2024-12-18T10%3A30%3A00%2B00%3A00%252e"
    );
    for (name, value) in [
        ("authorization", "token-1"),
        ("accept", "application/json"),
        ("cache-control", "no-cache"),
        ("dadosfera-lang", "en-us"),
        ("accept-encoding", "gzip"),
        ("user-agent", concat!("maestro-gate/", env!("CARGO_PKG_VERSION"))),
        ("cookie", ""),
        ("referer", ""),
    ] {
        assert_eq!(asked[1].header(name), value, "{name}");
    }
    assert_eq!(asked[0].header("dadosfera-lang"), "en-us");
}

#[tokio::test]
async fn after_a_misdirected_request_the_next_one_takes_a_new_connection() {
    let server = service([Reply::json(200, RECORD), Reply::json(421, "{}"), Reply::json(200, RECORD)]).await;
    let client = client(&server, password());
    for _ in 0..3 {
        client.poll(&target(), &mut AuthRetryState::default()).await;
    }
    let looks: Vec<usize> =
        server.asked().iter().filter(|asked| !asked.is_sign_in()).map(|asked| asked.connection).collect();
    assert_eq!(looks, [0, 0, 1]);
}

#[tokio::test]
async fn polls_share_a_connection_and_keep_no_cookie() {
    let server = service([Reply::with(200, &[("set-cookie", "a=b")], RECORD.as_bytes())]).await;
    let client = client(&server, password());
    let mut retry_state = AuthRetryState::default();
    for _ in 0..3 {
        let answer = client.poll(&target(), &mut retry_state).await;
        assert!(matches!(answer.observation, Observation::Record(record) if record.status.raw() == "SUCCESS"));
    }
    assert!(server.asked().iter().all(|asked| asked.connection == 0 && asked.header("cookie").is_empty()));
    assert_eq!(server.sign_ins(), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_run_asked_for_again() {
    for status in [401, 403] {
        let server = service([refused(status), record()]).await;
        let client = client(&server, password());
        let answer = client.poll(&target(), &mut AuthRetryState::default()).await;
        assert!(matches!(answer.observation, Observation::Record(_)), "{status}");
        assert_eq!(tokens(&server), ["token-1", "token-2"]);
        assert_eq!(client.take_notes(), [SessionNote::SignedIn, SessionNote::Renewed]);
    }
}

#[tokio::test]
async fn a_renewal_comes_once_per_row_of_refusals() {
    for (status, kind) in [(401, FailureKind::TokenRefused), (403, FailureKind::Http(403))] {
        let server = service([refused(status)]).await;
        let client = client(&server, password());
        let mut retry_state = AuthRetryState::default();
        let answer = client.poll(&target(), &mut retry_state).await;
        let Missing(Denied(Scope::Run), failure) = answer.observation else { panic!("not denied") };
        assert_eq!((failure.kind, failure.during), (kind, Operation::GetRun));
        assert_eq!(failure.detail.expect("told").raw(), "no");
        assert_eq!((server.sign_ins(), tokens(&server).len()), (2, 2));
    }
    // An outage between does not end the row; an accepted token does.
    let server = service([refused(401), Reply::json(500, ""), refused(401)]).await;
    let once = client(&server, password());
    let mut retry_state = AuthRetryState::default();
    assert!(matches!(once.poll(&target(), &mut retry_state).await.observation, Missing(Unusable, _)));
    assert!(matches!(once.poll(&target(), &mut retry_state).await.observation, Missing(Denied(_), _)));
    assert_eq!(server.sign_ins(), 2);
    // But an outage in which the renewed token grows old does: nobody refused it when it was new.
    for (outage, renewed) in [(40, false), (61, true)] {
        let server = service([refused(401), Reply::json(500, ""), refused(401), record()]).await;
        let client = client(&server, password());
        let mut retry_state = AuthRetryState::default();
        assert!(matches!(client.poll(&target(), &mut retry_state).await.observation, Missing(Unusable, _)));
        later(Duration::from_secs(outage)).await;
        let answer = client.poll(&target(), &mut retry_state).await;
        assert_eq!(matches!(answer.observation, Observation::Record(_)), renewed, "{outage} s");
        assert_eq!(server.sign_ins(), 2 + usize::from(renewed), "{outage} s");
    }
}

#[tokio::test]
async fn an_accepted_token_ends_the_row_of_refusals() {
    for accepted in [record(), Reply::json(404, "")] {
        let server = service([refused(401), accepted.clone(), refused(401), accepted]).await;
        let client = client(&server, password());
        let mut retry_state = AuthRetryState::default();
        for _ in 0..2 {
            let answer = client.poll(&target(), &mut retry_state).await;
            assert!(matches!(answer.observation, Observation::Record(_) | Missing(NotVisible, _)));
        }
        assert_eq!(tokens(&server), ["token-1", "token-2", "token-2", "token-3"]);
    }
}

#[tokio::test]
async fn a_refused_token_is_not_used_again_while_sign_in_is_down() {
    let mut sign_ins = 0;
    let server = Server::start(move |asked| {
        if !asked.is_sign_in() {
            return refused(401);
        }
        sign_ins += 1;
        if sign_ins == 1 { Reply::json(200, r#"{"accessToken":"token-1"}"#) } else { Reply::json(502, "<html>") }
    })
    .await;
    let client = client(&server, password());
    let mut retry_state = AuthRetryState::default();
    for _ in 0..3 {
        let answer = client.poll(&target(), &mut retry_state).await;
        let Missing(Unusable, failure) = answer.observation else { panic!("not unusable") };
        assert_eq!((failure.during, failure.kind), (Operation::SignIn, FailureKind::Http(502)));
    }
    assert_eq!(tokens(&server), ["token-1"]);
}

#[tokio::test]
async fn a_given_token_that_is_refused_is_denied_and_asked_with_again_in_the_next_poll() {
    for (status, kind) in [(401, FailureKind::TokenRefused), (403, FailureKind::Http(403))] {
        let server = service([refused(status)]).await;
        let client = client(&server, token());
        let mut retry_state = AuthRetryState::default();
        let answer = client.poll(&target(), &mut retry_state).await.observation;
        assert!(matches!(answer, Missing(Denied(Scope::Run), failure) if failure.kind == kind));
        assert_eq!(tokens(&server), ["given"], "one request a look");
        let again = client.poll(&target(), &mut retry_state).await.observation;
        assert!(matches!(again, Missing(Denied(Scope::Run), _)));
        assert_eq!(tokens(&server), ["given"; 2]);
    }
    let server = service([refused(401), record()]).await;
    let client = client(&server, token());
    let mut retry_state = AuthRetryState::default();
    assert!(matches!(client.poll(&target(), &mut retry_state).await.observation, Missing(Denied(_), _)));
    assert!(matches!(client.poll(&target(), &mut retry_state).await.observation, Observation::Record(_)));
}

#[tokio::test]
async fn while_refusals_go_on_each_poll_is_one_request_with_the_renewed_token() {
    for status in [401, 403] {
        let server = service([refused(status)]).await;
        let client = client(&server, password());
        let mut retry_state = AuthRetryState::default();
        for _ in 0..3 {
            assert!(matches!(client.poll(&target(), &mut retry_state).await.observation, Missing(Denied(_), _)));
            later(Duration::from_secs(5)).await;
        }
        assert_eq!(tokens(&server), ["token-1", "token-2", "token-2", "token-2"]);
        assert_eq!(server.sign_ins(), 2);
    }
}

#[tokio::test]
async fn a_refusal_that_asks_for_a_pause_is_reported_before_the_token_is_renewed() {
    let pause = Reply::with(403, &[("retry-after", "1")], b"");
    for (credentials, expected) in [(password(), ["token-1", "token-2"]), (token(), ["given", "given"])] {
        let server = service([pause.clone(), record()]).await;
        let client = client(&server, credentials);
        let mut retry_state = AuthRetryState::default();
        let answer = client.poll(&target(), &mut retry_state).await;
        assert!(matches!(answer.observation, Missing(Denied(_), _)));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(1)));
        assert!(matches!(client.poll(&target(), &mut retry_state).await.observation, Observation::Record(_)));
        assert_eq!(tokens(&server), expected);
    }
}

#[tokio::test]
async fn an_old_token_is_tried_again_where_its_renewal_is_refused() {
    let (mut sign_ins, mut looks) = (0, 0);
    let server = Server::start(move |asked| {
        let count = if asked.is_sign_in() { &mut sign_ins } else { &mut looks };
        *count += 1;
        match (asked.is_sign_in(), *count) {
            (true, 1) => Reply::json(200, r#"{"accessToken":"token-1"}"#),
            (true, _) => refused(403),
            (false, 1) => refused(401),
            (false, _) => record(),
        }
    })
    .await;
    let client = client(&server, password());
    let mut retry_state = AuthRetryState::default();
    let first = client.poll(&target(), &mut retry_state).await.observation;
    assert!(matches!(first, Missing(Denied(Scope::SignIn), _)), "{first:?}");
    assert!(matches!(client.poll(&target(), &mut retry_state).await.observation, Observation::Record(_)));
    assert_eq!((tokens(&server), server.sign_ins()), (vec!["token-1".to_owned(); 2], 2));
}

#[tokio::test]
async fn a_start_is_one_request_and_is_made_again_only_if_it_was_certainly_not_executed() {
    let start = ApiRequest::Execute(target().pipeline);
    let story = async |reply: Reply, credentials: Credentials| {
        let server = service([reply]).await;
        let client = client(&server, credentials);
        let mut response = Vec::new();
        for _ in 0..2 {
            let answer = client.answer(PollTarget::Run(0), start.clone()).await;
            let ApiResponse::Execute(trigger_response, _) = answer else { panic!("a start") };
            response.push(match trigger_response {
                TriggerResponse::Missing(TriggerEffect::NotExecuted, failure) => format!("again: {:?}", failure.kind),
                TriggerResponse::Missing(TriggerEffect::Denied(_), failure) => format!("denied: {:?}", failure.kind),
                other => format!("{other:?}"),
            });
        }
        (response, server.sign_ins(), tokens(&server).len())
    };
    let (again, denied) = ("again: TokenRefused".to_owned(), "denied: TokenRefused".to_owned());
    assert_eq!(story(refused(401), password()).await, (vec![again, denied.clone()], 2, 2));
    assert_eq!(story(refused(401), token()).await, (vec![denied; 2], 0, 2), "nothing renews it");
    assert_eq!(story(refused(403), password()).await, (vec!["denied: Http(403)".to_owned(); 2], 1, 2));
    assert_eq!(story(refused(429), password()).await, (vec!["again: Http(429)".to_owned(); 2], 1, 2));
}

#[tokio::test]
async fn a_thousand_forbidden_runs_do_not_sign_in_a_thousand_times() {
    for status in [401, 403] {
        let server = service([refused(status)]).await;
        let client = client(&server, password());
        for _ in 0..50 {
            let answer = client.poll(&target(), &mut AuthRetryState::default()).await;
            assert!(matches!(answer.observation, Missing(Denied(Scope::Run), _)));
        }
        assert!(server.sign_ins() <= 4, "{}", server.sign_ins());
    }
}

#[tokio::test]
async fn a_failing_answer_is_what_the_table_says() {
    for (reply, expected) in [
        (Reply::json(200, "null"), "not visible"),
        (Reply::json(200, ""), "not visible"),
        (Reply::json(404, r#"{"detail":"gone"}"#), "not visible"),
        (Reply::json(204, ""), "unusable"),
        (Reply::json(206, RECORD), "unusable"),
        (Reply::json(201, RECORD), "unusable"),
        (Reply::json(304, ""), "unusable"),
        (Reply::json(400, ""), "unreachable"),
        (Reply::json(407, ""), "unreachable"),
        (Reply::json(429, ""), "unusable"),
        (Reply::json(500, RECORD), "unusable"),
        (Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":45"), "unusable"),
        (Reply::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{}\n\r\n"), "unusable"),
        (Reply::raw("garbage\r\n\r\n"), "unusable"),
        (Reply::raw(""), "unusable"),
    ] {
        let server = service([reply]).await;
        let answer = client(&server, token()).poll(&target(), &mut AuthRetryState::default()).await;
        let observed = match answer.observation {
            Observation::Record(_) => "record",
            Missing(NotVisible, _) => "not visible",
            Missing(Denied(_), _) => "denied",
            Missing(Unreachable, _) => "unreachable",
            Missing(Unusable, _) => "unusable",
        };
        assert_eq!(observed, expected, "{:?}", server.asked());
    }
}

async fn logs(server: &Server, credentials: Credentials, run: &str) -> (Result<(), Failure>, String) {
    let mut out = Vec::new();
    let result =
        client(server, credentials).logs(&Untrusted::new(run), &mut |bytes| out.extend_from_slice(bytes)).await;
    (result, String::from_utf8(out).expect("text"))
}

#[tokio::test]
async fn logs_are_fetched_and_made_lines() {
    let server = service([refused(401), Reply::json(200, r#"{"logs":["a","b"]}"#)]).await;
    assert_eq!(logs(&server, password(), "manual__1+0").await, (Ok(()), "a\nb\n".to_owned()));
    let last = server.asked().pop().expect("asked");
    assert_eq!(last.path, "/platform/pipeline/pipeline_run/manual__1%2B0/logs");
    assert_eq!(last.header("authorization"), "token-2");
}

#[tokio::test]
async fn missing_logs_say_why_and_keep_what_came() {
    let server = service([Reply::json(404, r#"{"message":"none"}"#)]).await;
    let (result, text) = logs(&server, token(), "run").await;
    let failure = result.expect_err("no logs");
    assert_eq!((failure.during, failure.kind, text.as_str()), (Operation::Logs, FailureKind::Http(404), ""));

    let server = service([refused(401)]).await;
    assert_eq!(logs(&server, token(), "run").await.0.expect_err("no logs").kind, FailureKind::TokenRefused);

    let server = service([Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n[\"a\",")]).await;
    let (result, text) = logs(&server, token(), "run").await;
    assert_eq!((result.expect_err("broken").kind, text.as_str()), (FailureKind::Broken, "[\"a\","));

    for hostile in ["..", ".", "", "a/b", "a b", "a\n"] {
        assert!(logs(&server, token(), hostile).await.0.is_err());
    }
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_cache_s_list_is_from_after_the_gate_began_and_a_minute_old_at_most() {
    for (elapsed, age, serves) in [(0, 0_u64, true), (0, 20, false), (30, 20, true), (120, 60, true), (120, 61, false)]
    {
        let server = service([Reply::with(200, &[("age", &age.to_string())], b"[]")]).await;
        let client = client(&server, password());
        later(Duration::from_secs(elapsed)).await;
        match client.list(&target().pipeline, &mut AuthRetryState::default()).await.observation {
            Observation::Record(_) => assert!(serves, "{age} s old after {elapsed} s"),
            Missing(Unusable, failure) => {
                assert_eq!((failure.kind, serves), (FailureKind::Cached, false));
            }
            other => panic!("{other:?}"),
        }
    }
}

mod long_wait;
