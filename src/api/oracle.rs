//! A service that answers in every false way there is, and an oracle beside it that goes by the reference alone.
//!
//! Each answer is thrown in layers: a document, its content coding, its framing on HTTP/1 or HTTP/2, and how it is cut into
//! packets. Every layer knows whether the reference lets it through, so what must come of an answer is known before it is
//! sent. Real sockets carry it to the real client, and one poll of a real gate makes a verdict of it.
//!
//! `ORACLE_ANSWERS` and `ORACLE_SEED` ask for more, or for others (`tests/campaign oracle`).

use crate::core::Effect;
use crate::core::TriggerEffect;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::client::{AuthRetryState, Client};
use super::redactor::Learned;
use super::session::{Generation, Session, TokenError};
use super::tests::http2_frames;
use super::transport::Transport;
use crate::config::Credentials;
use crate::core::{
    ApiRequest, ApiResponse, Gate, Limits, Observation, PipelineId, PollTarget, Rules, RunId, Target, TriggerResponse,
    Verdict, Vocabulary,
};

mod coding;
mod dice;
mod document;
mod framing;
mod other_bodies;

use coding::Coded;
use dice::Dice;
use document::{PIPELINE, RUN, Says};
use framing::Sent;
use other_bodies::SignIn;

/// Within the ordinary tests.
const ANSWERS: u64 = 20_000;

const SEED: u64 = 15;

/// What the next request is answered with.
type Next<T> = Arc<Mutex<Option<T>>>;

struct Service {
    one: Next<Sent>,
    two: Next<http2_frames::Answer>,
    base_1: Url,
    base_2: Url,
    over_1: Client,
    over_2: Client,
}

impl Service {
    async fn start() -> Service {
        let (one, two) = (Next::<Sent>::default(), Next::<http2_frames::Answer>::default());
        let base_1 = listen(one.clone()).await;
        let take = two.clone();
        let base_2 = http2_frames::listen(move || taken(&take)).await;
        let (over_1, over_2) = (client(base_1.clone(), false), client(base_2.clone(), true));
        Service { one, two, base_1, base_2, over_1, over_2 }
    }
}

fn taken<T>(next: &Next<T>) -> T {
    next.lock().expect("not poisoned").take().expect("each request has its answer")
}

fn client(base: Url, speaks_http_2: bool) -> Client {
    let credentials = Credentials::Token(SecretString::from("given"));
    Client::over(Transport::over(base, speaks_http_2), credentials, Rc::<Learned>::default()).expect("a token")
}

async fn listen(next: Next<Sent>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, next.clone()));
        }
    });
    format!("http://{address}").parse().expect("a URL")
}

async fn serve(mut stream: TcpStream, next: Next<Sent>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut request = Vec::new();
    loop {
        stream.read_buf(&mut request).await.ok().filter(|read| *read > 0)?;
        // A POST's body is one object.
        let is_whole = request.ends_with(b"\r\n\r\n") && request.starts_with(b"GET") || request.ends_with(b"}");
        if is_whole {
            request.clear();
            let answer = taken(&next);
            http2_frames::pieces(&mut stream, &answer.bytes, answer.piece).await?;
            if answer.closes {
                return stream.shutdown().await.ok();
            }
        }
    }
}

fn rules() -> Rules {
    let limit = Duration::from_secs(60);
    // One poll, and its verdict.
    let limits = Limits { timeout: Duration::ZERO, appear: limit, outage: limit };
    let vocabulary = Vocabulary::new(vec!["DONE".into()], vec!["BROKEN".into()]).expect("fine words");
    Rules { vocabulary, ..Rules::within(limits) }
}

fn pipeline() -> PipelineId {
    PipelineId::new(PIPELINE).expect("an id")
}

/// Statuses that are no 200, with the verdict that each makes of one poll.
const STATUSES: [(u16, Verdict); 21] = [
    (201, Verdict::Unreachable),
    (202, Verdict::Unreachable),
    (204, Verdict::Unreachable),
    (206, Verdict::Unreachable),
    (226, Verdict::Unreachable),
    (300, Verdict::Unreachable),
    (304, Verdict::Unreachable),
    (400, Verdict::Unreachable),
    (401, Verdict::Denied),
    (403, Verdict::Denied),
    (404, Verdict::NotFound),
    (408, Verdict::Unreachable),
    (409, Verdict::Unreachable),
    (410, Verdict::NotFound),
    (418, Verdict::Unreachable),
    (425, Verdict::Unreachable),
    (429, Verdict::Unreachable),
    (500, Verdict::Unreachable),
    (502, Verdict::Unreachable),
    (503, Verdict::Unreachable),
    (504, Verdict::Unreachable),
];

/// What carries a body: whether the reference lets it arrive, and its story.
struct Carried {
    arrives: bool,
    ends_connection: bool,
    story: Story,
}

/// Told only where a test fails.
type Story = Box<dyn Fn() -> String>;

impl Service {
    /// Readies an answer with this body; `true` of the result where it goes over HTTP/2.
    fn ready(&self, status: u16, body: &[u8], dice: &mut Dice) -> (Carried, bool) {
        // A status that decides is not asked for more than arriving.
        let is_coded_well = status != 200 || !dice.one_in(5);
        let Coded { mut headers, bytes, is_right, what } =
            if is_coded_well { coding::right(body, dice) } else { coding::wrong(body, dice) };
        if dice.one_in(2) {
            headers.push(("content-type", dice.of(&["application/json", "text/html; charset=x", "image/png"])));
        }
        let is_framed_well = status != 200 || !dice.one_in(5);
        let over_2 = dice.one_in(2);
        let ends_connection;
        let story: Story = if over_2 {
            let (answer, framed) = if is_framed_well {
                framing::right_2(&headers, status, &bytes, dice)
            } else {
                framing::wrong_2(&headers, &bytes, dice)
            };
            ends_connection = answer.frames.iter().any(|frame| matches!(frame, http2_frames::Frame::Close));
            *self.two.lock().expect("not poisoned") = Some(answer.clone());
            Box::new(move || format!("{what}; {framed} of {:?} in pieces of {}", answer.frames, answer.piece))
        } else {
            let fields: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let sent = if is_framed_well {
                framing::right_1(status, &fields, &bytes, dice)
            } else {
                framing::wrong_1(&fields, &bytes, dice)
            };
            ends_connection = sent.closes;
            *self.one.lock().expect("not poisoned") = Some(sent.clone());
            Box::new(move || {
                format!("{what}; {} in pieces of {}: {:?}", sent.what, sent.piece, String::from_utf8_lossy(&sent.bytes))
            })
        };
        (Carried { arrives: is_right && is_framed_well, ends_connection, story }, over_2)
    }

    /// Has the next answer come over a new connection: a request that meets the end of an old one is lost, which is no fault
    /// of its answer.
    fn done(&mut self, carried: &Carried, over_2: bool) {
        match (carried.ends_connection, over_2) {
            (false, _) => {}
            (true, false) => self.over_1 = client(self.base_1.clone(), false),
            (true, true) => self.over_2 = client(self.base_2.clone(), true),
        }
    }

    fn client(&self, over_2: bool) -> &Client {
        if over_2 { &self.over_2 } else { &self.over_1 }
    }

    /// One poll of one run: the verdict, the one that the reference wants, and the story.
    async fn run(&mut self, dice: &mut Dice) -> (Verdict, Verdict, Story) {
        let document = document::document(dice);
        let other = dice.one_in(12).then(|| dice.of(&STATUSES));
        let status = other.map_or(200, |(status, _)| status);
        // These have no body.
        let body = if matches!(status, 204 | 304) { Vec::new() } else { document.body };
        let (carried, over_2) = self.ready(status, &body, dice);
        let expected = match (other, carried.arrives, document.says) {
            (Some((_, verdict)), _, _) => verdict,
            (None, false, _) | (None, true, Says::Nothing) => Verdict::Unreachable,
            (None, true, Says::Succeeded) => Verdict::Passed,
            (None, true, Says::Failed) => Verdict::Failed,
            (None, true, Says::GoesOn) => Verdict::TimedOut,
            (None, true, Says::NotVisible) => Verdict::NotFound,
        };
        let target = Target { pipeline: pipeline(), run: RunId::entered(RUN).expect("an id") };
        let answer = self.client(over_2).poll(&target, &mut AuthRetryState::default()).await;
        self.done(&carried, over_2);
        let mut gate = Gate::new(rules(), [target]);
        gate.observe(0, Duration::ZERO, answer, &mut Vec::new());
        (
            gate.outcome().verdict,
            expected,
            Box::new(move || format!("{status}, {}; {}", document.what, (carried.story)())),
        )
    }

    async fn list(&mut self, dice: &mut Dice) -> (Option<Vec<String>>, Option<Vec<String>>, Story) {
        let list = other_bodies::list(dice);
        let (carried, over_2) = self.ready(200, &list.body, dice);
        let answer = self.client(over_2).list(&pipeline(), &mut AuthRetryState::default()).await;
        self.done(&carried, over_2);
        let found = match answer.observation {
            Observation::Record(listing) => {
                Some(listing.runs.iter().map(|run| run.run.as_ref().expect("an id").as_str().to_owned()).collect())
            }
            Observation::Missing(
                Effect::NotVisible | Effect::Denied(_) | Effect::Unreachable | Effect::Unusable,
                _,
            ) => None,
        };
        (
            found,
            list.runs.filter(|_| carried.arrives),
            Box::new(move || format!("{}; {}", list.what, (carried.story)())),
        )
    }

    async fn start_pipeline(&mut self, dice: &mut Dice) -> (Option<String>, Option<String>, Story) {
        let (carried, over_2) = self.ready(200, &other_bodies::start(), dice);
        let response = self.client(over_2).answer(PollTarget::Run(0), ApiRequest::Execute(pipeline())).await;
        self.done(&carried, over_2);
        let found = match response {
            ApiResponse::Execute(TriggerResponse::Accepted(id), _) => id.map(|id| id.raw().to_owned()),
            ApiResponse::Execute(TriggerResponse::Missing(TriggerEffect::Lost, _), _) => None,
            response => panic!("{response:?}: {}", (carried.story)()),
        };
        (found, carried.arrives.then(|| other_bodies::STARTED.to_owned()), carried.story)
    }
}

impl Service {
    async fn sign_in(&self, dice: &mut Dice) -> (SignIn, SignIn, Story) {
        let (status, body, brings) = other_bodies::sign_in(dice);
        let (carried, over_2) = self.ready(status, &body, dice);
        let base = if over_2 { &self.base_2 } else { &self.base_1 };
        let transport = Transport::over(base.clone(), over_2);
        let credentials = Credentials::Password {
            username: "ci@example.com".to_owned(),
            password: SecretString::from("correct-horse-battery"),
            totp_secret: None,
        };
        let session =
            Session::new(credentials, Rc::new(transport), Rc::<Learned>::default()).expect("no token is given");
        let found = match session.token_for(Generation::default(), &mut None).await {
            Ok(token) if token.header == other_bodies::TOKEN => SignIn::Token(other_bodies::TOKEN),
            Ok(_) => SignIn::Token("another"),
            Err(TokenError::Answer(answer)) => match answer.observation {
                Observation::Missing(Effect::Denied(_), _) => SignIn::Denied,
                Observation::Missing(Effect::Unreachable, _) => SignIn::Unreachable,
                Observation::Missing(Effect::NotVisible | Effect::Unusable, _) => SignIn::Unusable,
            },
            Err(TokenError::NothingNewer) => panic!("a password gets a token or an answer: {}", (carried.story)()),
        };
        // Where the status says no, nothing is asked of the body.
        let is_full = matches!(status, 200 | 201);
        let expected = if is_full && !carried.arrives { SignIn::Unusable } else { brings };
        let what = String::from_utf8_lossy(&body).into_owned();
        (found, expected, Box::new(move || format!("sign-in, {status}: {what}; {}", (carried.story)())))
    }
}

#[expect(clippy::disallowed_methods, reason = "how much a test does is not the gate's to know")]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test]
async fn no_false_answer_passes_and_no_right_one_is_refused() {
    let answers = asked("ORACLE_ANSWERS").unwrap_or(ANSWERS);
    let seed = asked("ORACLE_SEED").unwrap_or(SEED);
    let mut service = Service::start().await;
    let mut verdicts: BTreeMap<String, u64> = BTreeMap::new();
    for number in 0..answers {
        let number = seed.wrapping_mul(1 << 40).wrapping_add(number);
        let dice = &mut Dice::new(number);
        let key = match dice.within(0..9) {
            0 => {
                let (found, expected, story) = service.list(dice).await;
                assert_eq!(found, expected, "answer {number}: {}", story());
                format!("list {}", found.is_some())
            }
            1 => {
                let (found, expected, story) = service.start_pipeline(dice).await;
                assert_eq!(found, expected, "answer {number}: {}", story());
                format!("start {}", found.is_some())
            }
            2 => {
                let (found, expected, story) = service.sign_in(dice).await;
                assert_eq!(found, expected, "answer {number}: {}", story());
                format!("sign-in {}", if let SignIn::Token(_) = found { "token" } else { "none" })
            }
            _ => {
                let (found, expected, story) = service.run(dice).await;
                assert_eq!(found, expected, "answer {number}: {}", story());
                found.name().to_owned()
            }
        };
        *verdicts.entry(key).or_default() += 1;
    }
    // None of the cases has become rare: each is met in one answer of fifty, and a pass in one of twenty.
    for key in [
        "passed",
        "failed",
        "timed-out",
        "not-found",
        "unreachable",
        "list true",
        "list false",
        "start true",
        "sign-in token",
        "sign-in none",
    ] {
        let least = if key == "passed" { answers / 20 } else { answers / 50 };
        assert!(verdicts.get(key).is_some_and(|count| *count >= least), "{key}: {verdicts:?}");
    }
}
