//! The client: one method per endpoint.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use super::failure::{self, RequestError};
use super::log_lines::Lines;
use super::model::{self, Completeness, PipelineState, RUN_BODY};
use super::redactor::Redactor;
use super::session::{AuthToken, Generation, Session, TokenError, answer, collect, miss_of};
use super::timing_headers::TimingHeaders;
use super::transport::{HttpOutcome, SetupError, Transport};
use crate::clock::Clock;
use crate::config::Service;
use crate::core::{
    Answer, ApiRequest, ApiResponse, Connection, Failure, FailureKind, ListSummary, Observation, Operation, PipelineId,
    RunId, RunList, Scope, SessionNote, Target, TriggerResponse, Untrusted,
};

/// The list for the history (docs/reference.md#limits).
const SURVEY: Duration = Duration::from_secs(5);

/// A list that a cache has kept for longer says nothing about which runs are new, though every request asks caches to pass
/// it on.
const OLD_LIST: Duration = Duration::from_secs(60);

/// A signed-in client of one service. It lives on one thread, and every call may be dropped at any point.
pub struct Client {
    transport: Transport,
    session: Session,
    redactor: Rc<dyn Redactor>,
    clock: Clock,
    /// How the service is reached, as it was told last.
    told: RefCell<Connection>,
    told_of_clocks: Cell<bool>,
}

/// One run's row of refused answers: it may renew the token once, until an answer accepts a token again, or the renewed
/// one has grown old in an outage. From then on it asks with the newest token there is, should the refusals pass.
#[derive(Debug, Default)]
pub struct AuthRetryState {
    /// The newest token that was refused and is to be renewed.
    refused: Generation,
    renewed: Renewal,
    /// Whether the token was renewed because a request to start was refused with it.
    start: Renewal,
    /// When the failed sign-in was that this run was told of last.
    told: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Renewal {
    #[default]
    NotYet,
    Once,
}

impl Client {
    /// # Errors
    /// When the token given can't be a header, or TLS can't be set up. Nothing is sent.
    pub fn new(service: Service, clock: Clock, redactor: Rc<dyn Redactor>) -> Result<Client, SetupError> {
        let session = Session::new(service.credentials, Rc::clone(&redactor))?;
        let transport = Transport::new(service.base, service.network)?;
        Ok(Client::of_parts(transport, session, redactor, clock))
    }

    pub(super) fn of_parts(transport: Transport, session: Session, redactor: Rc<dyn Redactor>, clock: Clock) -> Client {
        Client { transport, session, redactor, clock, told: RefCell::default(), told_of_clocks: Cell::new(false) }
    }

    /// Asks what the gate wants to know. `row` is the asking run's own, kept between its questions.
    pub async fn ask(&self, ask: &ApiRequest, row: &mut AuthRetryState) -> ApiResponse {
        match ask {
            ApiRequest::Run(target) => ApiResponse::Run(self.look(target, row).await),
            ApiRequest::List(pipeline) => ApiResponse::List(self.list(pipeline, row).await),
            ApiRequest::Survey(survey) => ApiResponse::Survey(self.survey(survey.clone()).await),
            ApiRequest::Execute(pipeline) => {
                let (launch, retry_after) = self.execute(pipeline, row).await;
                ApiResponse::Execute(launch, retry_after)
            }
        }
    }

    /// `GET {base}/platform/pipeline/:pipeline/pipeline_run/:run`: one look at one run, signed in and renewed as needed.
    pub async fn look(&self, target: &Target, row: &mut AuthRetryState) -> Answer {
        self.signed_in(Operation::GetRun, row, async |pass| self.get_run(target, pass).await).await
    }

    /// `GET {base}/platform/pipeline/:pipeline/pipeline_run`: the runs of one pipeline, signed in and renewed as needed.
    pub async fn list(&self, pipeline: &PipelineId, row: &mut AuthRetryState) -> Answer<RunList> {
        self.signed_in(Operation::List, row, async |pass| self.get_list(pipeline, pass).await).await
    }

    /// `GET {base}/platform/pipeline/:pipeline`: whether a pipeline can be started, signed in and renewed as needed.
    pub async fn details(&self, pipeline: &PipelineId, row: &mut AuthRetryState) -> Answer<PipelineState> {
        self.signed_in(Operation::Details, row, async |pass| self.get_details(pipeline, pass).await).await
    }

    /// The same list at a glance, within five seconds. It is a help and no more, so no session is renewed for it.
    async fn survey(&self, mut survey: ListSummary) -> Answer<ListSummary> {
        let Some(pass) = self.session.newer_than(Generation::default()) else { return refused_before(Operation::List) };
        let pipeline = survey.pipeline().clone();
        let mut keep = |listed| {
            survey.take(listed);
            Ok(())
        };
        let read = timeout(SURVEY, self.read_list(&pipeline, &pass, model::SHORT_LIST, &mut keep)).await;
        let late = || (Err(RequestError::new(FailureKind::Timeout).during(Operation::List)), TimingHeaders::default());
        let (read, stamps) = read.unwrap_or_else(|_| late());
        self.shortened(answer(read.map_or_else(failure::read, |_| Observation::Record(survey)), stamps))
    }

    /// `POST {base}/platform/pipeline/execute`: ONE request, whatever comes of it. There is no idempotency key, so whether
    /// it is sent a second time is the gate's decision, which reads the list first.
    async fn execute(&self, pipeline: &PipelineId, row: &mut AuthRetryState) -> (TriggerResponse, Option<Duration>) {
        let pass = match self.first_token(row).await {
            Ok(pass) => pass,
            Err(lost) => return not_sent(lost),
        };
        let mut body = Vec::new();
        let turn = self.transport.turn().await;
        let url = self.transport.address(&["platform", "pipeline", "execute"]);
        let json = model::execute(pipeline);
        let heard = {
            let mut sink = collect(&mut body, RUN_BODY);
            self.transport.post(turn, url, Some(&pass.header), json, self.clock, &mut sink).await
        };
        let launch = match heard.reply {
            Ok(reply) => model::read_launch(reply.status, reply.text(&body)),
            Err(fault) => failure::of_launch(fault.during(Operation::Execute)),
        };
        let launch = launch.map_miss(|miss| self.redactor.shortened(miss));
        if let TriggerResponse::Denied(_, miss) = &launch
            && miss.kind == FailureKind::TokenRefused
            && row.start == Renewal::NotYet
        {
            row.start = Renewal::Once;
            return self.renew_for_start(miss.clone(), &pass, row, heard.stamps.retry_after).await;
        }
        (launch, heard.stamps.retry_after)
    }

    /// The request to start was refused with this token: if another is to be had, the request may be made again.
    async fn renew_for_start(
        &self,
        miss: Failure,
        pass: &AuthToken,
        row: &mut AuthRetryState,
        retry_after: Option<Duration>,
    ) -> (TriggerResponse, Option<Duration>) {
        row.refused = pass.generation;
        match self.token(row).await {
            Ok(_) => (TriggerResponse::NotExecuted(miss), retry_after),
            Err(TokenError::NothingNewer) => (TriggerResponse::Denied(Scope::Run, miss), retry_after),
            Err(lost) => not_sent(lost),
        }
    }

    /// Asks with a token that serves, and once more with a renewed one where it is refused.
    async fn signed_in<T>(
        &self,
        during: Operation,
        row: &mut AuthRetryState,
        ask: impl AsyncFn(&AuthToken) -> Answer<T>,
    ) -> Answer<T> {
        let mut token = self.first_token(row).await;
        let mut refusal = None;
        loop {
            let pass = match token {
                Ok(pass) => pass,
                Err(TokenError::Answer(answer)) => return answer.about(),
                Err(TokenError::NothingNewer) => {
                    row.refused = Generation::default();
                    return refusal.unwrap_or_else(|| refused_before(during));
                }
            };
            let renewal = self.session.renew_early(&self.transport, self.clock);
            let (answer, ()) = tokio::join!(ask(&pass), renewal);
            let answer = self.shortened(answer);
            match &answer.observation {
                Observation::Record(_) | Observation::NotVisible(_) => {
                    *row = AuthRetryState { start: row.start, ..AuthRetryState::default() };
                    return answer;
                }
                Observation::Denied(_, miss) => {
                    if self.is_final(miss.kind, &pass, row) {
                        row.refused = Generation::default();
                        return answer;
                    }
                    // The token is renewed when the pause is over.
                    if answer.retry_after.is_some() {
                        return answer;
                    }
                }
                Observation::Unreachable(_) | Observation::Unusable(_) => return answer,
            }
            refusal = Some(answer);
            token = self.token(row).await;
        }
    }

    /// `GET {base}/platform/pipeline/pipeline_run/:run/logs`, into `sink` as it comes (bytes, not cleaned).
    ///
    /// # Errors
    /// Why there are none, or not all: `TooLarge` after the first 64 MiB. What came before an error is in the sink.
    pub async fn logs(&self, run_id: &Untrusted, sink: &mut dyn FnMut(&[u8])) -> Result<(), Failure> {
        // The service's own spelling of the id is text from outside: it could be `..`.
        let run_id = run_id.raw();
        if RunId::new(run_id).is_none() {
            return Err(RequestError::new(FailureKind::NotARecord("an impossible run id")).during(Operation::Logs));
        }
        let url = self.transport.address(&["platform", "pipeline", "pipeline_run", run_id, "logs"]);
        let mut row = AuthRetryState::default();
        let mut refusal = None;
        loop {
            let pass = match self.token(&mut row).await {
                Ok(pass) => pass,
                Err(TokenError::Answer(answer)) => return Err(miss_of(answer.observation).unwrap_or(token_refused())),
                Err(TokenError::NothingNewer) => return Err(refusal.unwrap_or(token_refused())),
            };
            let mut lines = Lines::new(sink);
            let heard = self.transport.get(url.clone(), &pass.header, self.clock, &mut |piece| lines.push(piece)).await;
            let reply = heard.reply.map_err(|fault| self.redactor.shortened(fault.during(Operation::Logs)))?;
            if matches!(reply.status, 200 | 201) {
                lines.finish();
                return Ok(());
            }
            drop(lines);
            let miss = self.redactor.shortened(failure::of_status(Operation::Logs, reply.status, &reply.said));
            let refused = matches!(failure::read::<Infallible>(miss.clone()), Observation::Denied(..));
            if !refused || self.is_final(miss.kind, &pass, &mut row) {
                return Err(miss);
            }
            refusal = Some(miss);
        }
    }

    /// How the service is reached, as far as it is known by now.
    pub fn connection(&self) -> Connection {
        self.transport.connection()
    }

    /// What the session has had to say since the last call, and how the service is reached where that is news.
    pub fn take_notes(&self) -> Vec<SessionNote> {
        let connection = self.transport.connection();
        let told = self.told.replace(connection.clone());
        let news = (told != connection).then_some(SessionNote::Connection(connection));
        let clocks = self.transport.implausible_clocks();
        let clocks = clocks.filter(|_| !self.told_of_clocks.replace(true));
        let clocks = clocks.map(|(service, here)| SessionNote::ImplausibleClock { service, here });
        news.into_iter().chain(clocks).chain(self.session.take_notes()).collect()
    }

    /// When a token made elsewhere says that it ends.
    pub fn token_ends(&self) -> Option<DateTime<Utc>> {
        self.session.token_ends()
    }

    async fn get_run(&self, target: &Target, pass: &AuthToken) -> Answer {
        let segments = ["platform", "pipeline", target.pipeline.as_str(), "pipeline_run", target.run.as_str()];
        let mut body = Vec::new();
        let url = self.transport.address(&segments);
        let heard = self.transport.get(url, &pass.header, self.clock, &mut collect(&mut body, RUN_BODY)).await;
        let HttpOutcome { stamps, reply } = heard;
        let observation = match reply {
            Ok(reply) => model::read_run(reply.status, reply.text(&body), target),
            Err(fault) => failure::read(fault.during(Operation::GetRun)),
        };
        answer(observation, stamps)
    }

    async fn get_details(&self, pipeline: &PipelineId, pass: &AuthToken) -> Answer<PipelineState> {
        let mut body = Vec::new();
        let url = self.transport.address(&["platform", "pipeline", pipeline.as_str()]);
        let heard = self.transport.get(url, &pass.header, self.clock, &mut collect(&mut body, RUN_BODY)).await;
        let observation = match heard.reply {
            Ok(reply) => model::read_details(reply.status, reply.text(&body), pipeline),
            Err(fault) => failure::read(fault.during(Operation::Details)),
        };
        answer(observation, heard.stamps)
    }

    async fn get_list(&self, pipeline: &PipelineId, pass: &AuthToken) -> Answer<RunList> {
        let mut listing = RunList::default();
        let asked = self.clock.elapsed();
        let (extent, stamps) =
            self.read_list(pipeline, pass, model::WHOLE_LIST, &mut model::keep_all(&mut listing)).await;
        let read = extent.and_then(Completeness::whole).and_then(|()| match stamps.age {
            // One from before the gate began does not know which run was the newest then; an older one than that would
            // have the gate wait, and count, on what was long ago.
            Some(age) if age <= asked.min(OLD_LIST) => Ok(()),
            Some(_) | None => Err(RequestError::new(FailureKind::Cached).during(Operation::List)),
        });
        answer(read.map_or_else(failure::read, |()| Observation::Record(listing)), stamps)
    }

    /// Reads a pipeline's list; what `keep` was given counts unless there was none.
    async fn read_list(
        &self,
        pipeline: &PipelineId,
        pass: &AuthToken,
        limit: usize,
        keep: &mut model::RecordSink<'_>,
    ) -> (Result<Completeness, Failure>, TimingHeaders) {
        let url = self.transport.address(&["platform", "pipeline", pipeline.as_str(), "pipeline_run"]);
        let mut list = model::RunListReader::new(pipeline, limit, keep);
        let heard = self.transport.get(url, &pass.header, self.clock, &mut |piece| list.push(piece)).await;
        let HttpOutcome { stamps, reply } = heard;
        let read = match reply {
            Ok(reply) => list.finish(reply.status, &reply.said, reply.pages),
            Err(fault) => Err(fault.during(Operation::List)),
        };
        (read, stamps)
    }

    fn shortened<T>(&self, answer: Answer<T>) -> Answer<T> {
        answer.map_miss(|miss| self.redactor.shortened(miss))
    }

    /// A token to begin a look with: one that this run has not been refused, or else the newest there is.
    async fn first_token(&self, row: &mut AuthRetryState) -> Result<AuthToken, TokenError> {
        match self.token(row).await {
            Err(TokenError::NothingNewer) => {
                self.session.newer_than(Generation::default()).ok_or(TokenError::NothingNewer)
            }
            other => other,
        }
    }

    /// A token that this run has not been refused.
    async fn token(&self, row: &mut AuthRetryState) -> Result<AuthToken, TokenError> {
        let token = self.session.token_for(&self.transport, self.clock, row.refused, &mut row.told).await;
        if let Err(TokenError::Answer(answer)) = &token
            && matches!(answer.observation, Observation::Denied(..) | Observation::Unreachable(_))
        {
            // What can't be renewed may be accepted again.
            row.refused = Generation::default();
        }
        token
    }

    /// Writes the refusal of `pass` into the row; whether there is nothing left to try.
    fn is_final(&self, kind: FailureKind, pass: &AuthToken, row: &mut AuthRetryState) -> bool {
        row.refused = pass.generation;
        match std::mem::replace(&mut row.renewed, Renewal::Once) {
            Renewal::NotYet => self.session.is_fruitless(pass.generation, kind, self.clock),
            Renewal::Once if self.session.is_young(pass.generation, self.clock) => {
                self.session.renewal_was_fruitless(pass.generation);
                true
            }
            Renewal::Once => false,
        }
    }
}

/// There was no token to send the request to start with.
fn not_sent(lost: TokenError) -> (TriggerResponse, Option<Duration>) {
    match lost {
        TokenError::NothingNewer => {
            let miss = RequestError::new(FailureKind::TokenRefused).during(Operation::Execute);
            (TriggerResponse::Denied(Scope::Run, miss), None)
        }
        TokenError::Answer(answer) => {
            let launch = match answer.observation {
                Observation::Record(never) => match never {},
                Observation::Denied(scope, miss) => TriggerResponse::Denied(scope, miss),
                Observation::Unreachable(miss) => TriggerResponse::Unreachable(miss),
                Observation::NotVisible(miss) | Observation::Unusable(miss) => TriggerResponse::NotExecuted(miss),
            };
            (launch, answer.retry_after)
        }
    }
}

/// For a run whose token was refused at an earlier look, and there still is no other.
fn refused_before<T>(during: Operation) -> Answer<T> {
    answer(failure::read(RequestError::new(FailureKind::TokenRefused).during(during)), TimingHeaders::default())
}

fn token_refused() -> Failure {
    RequestError::new(FailureKind::TokenRefused).during(Operation::Logs)
}

#[cfg(test)]
mod long_wait;
#[cfg(test)]
mod tests;
