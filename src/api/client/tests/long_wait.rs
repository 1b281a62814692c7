//! A day and a night: the real client, over sockets, through more than fifty lives of a token.
//!
//! The clock jumps between two polls and runs while there is something on the wire: moved under a request it would fire
//! time limits that never passed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;

use super::*;
use crate::core::Record;

const MINUTE: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_secs(26 * 3600);

/// A service whose tokens live for `life`, and which counts what it refused.
async fn service(clock: Clock, life: Duration, refused: Arc<Mutex<u32>>) -> Server {
    let mut given: HashMap<String, Duration> = HashMap::new();
    Server::start(move |asked: &Asked| {
        let now = clock.elapsed();
        if asked.is_sign_in() {
            let token = format!("token-{}", given.len());
            given.insert(token.clone(), now);
            return Reply::json(200, &format!(r#"{{"tokens":{{"accessToken":"{token}"}}}}"#));
        }
        if given.get(asked.header("authorization")).is_none_or(|born| now - *born >= life) {
            *refused.lock().expect("not poisoned") += 1;
            return Reply::json(401, r#"{"msg":"Unauthorized"}"#);
        }
        let status = if now < WAIT { "RUNNING" } else { "SUCCESS" };
        Reply::json(200, &format!(r#"{{"pipeline_run_id":"r","pipeline_id":"p","last_status":"{status}"}}"#))
    })
    .await
}

/// Looks once a minute until the run has ended. Returns the polls, the sign-ins and the refused tokens.
async fn waited(life: Duration) -> (u64, usize, u32) {
    let clock = Clock::start();
    let refused = Arc::default();
    let server = service(clock, life, Arc::clone(&refused)).await;
    let credentials =
        Credentials::Password { username: "u".into(), password: SecretString::from("hunter22"), totp_secret: None };
    let service = Service { base: server.base.clone(), credentials, network: Network::default() };
    let learned = Rc::<Learned>::default();
    let client = Client::new(service, clock, Rc::<Learned>::clone(&learned)).expect("a client");
    let target = Target { pipeline: PipelineId::new("p").expect("an id"), run: RunId::new("r").expect("an id") };
    let mut retry_state = AuthRetryState::default();
    for looks in 1.. {
        let known = learned.secrets().len();
        let answer = client.poll(&target, &mut retry_state).await;
        let Observation::Record(Record { status, .. }) = answer.observation else { panic!("{answer:?}") };
        let (notes, secrets) = (client.take_notes(), learned.secrets().len() - known);
        assert!(notes.len() <= 1 && secrets <= 2, "{notes:?} and {secrets} secrets pile up");
        if status.raw() == "SUCCESS" {
            let refused = *refused.lock().expect("not poisoned");
            return (looks, server.sign_ins(), refused);
        }
        later(MINUTE).await;
    }
    unreachable!("the run ends after 26 hours")
}

#[tokio::test]
async fn a_wait_of_26_hours_sees_no_token_refused_that_lives_for_half_an_hour() {
    let (looks, sign_ins, refused) = waited(30 * MINUTE).await;
    assert_eq!(refused, 0);
    // Every 25 minutes, found by the next poll.
    assert!((58..=64).contains(&sign_ins), "{sign_ins} sign-ins");
    assert!((1_555..=1_562).contains(&looks), "{looks} looks");
}

#[tokio::test]
async fn a_token_that_dies_early_is_replaced_within_the_poll_it_is_refused_in() {
    let (looks, sign_ins, refused) = waited(20 * MINUTE).await;
    assert!((74..=79).contains(&refused), "{refused} refused");
    assert_eq!(sign_ins, refused as usize + 1);
    assert!((1_555..=1_562).contains(&looks), "{looks} looks");
}
