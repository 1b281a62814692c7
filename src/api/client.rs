//! The client: one method per endpoint.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use super::failure;
use super::log_lines::Lines;
use super::model::{self, Completeness, RUN_BODY};
use super::session::{AuthToken, Generation, Session, TokenError};
use super::setup_error::SetupError;
use super::timing_headers::TimingHeaders;
use super::transport::Transport;
use crate::clock::Clock;
use crate::config::{Credentials, Service};
use crate::core::{
    Answer, ApiRequest, ApiResponse, Connection, Effect, Failure, FailureKind, ListSummary, Observation, Operation,
    PipelineId, PollTarget, Redactor, RunId, RunList, SessionNote, Target, TriggerEffect, TriggerResponse, Untrusted,
};

mod details_request;
mod retry_state;

pub use retry_state::AuthRetryState;

/// The list for the history (docs/reference.md#limits).
const SURVEY: Duration = Duration::from_secs(5);

/// A list that a cache has kept for longer says nothing about which runs are new, though every request asks caches to pass
/// it on.
const OLD_LIST: Duration = Duration::from_secs(60);

/// A signed-in client of one service. It lives on one thread, and every call may be dropped at any point.
pub struct Client {
    transport: Rc<Transport>,
    session: Session,
    redactor: Rc<dyn Redactor>,
    retry_states: RefCell<HashMap<PollTarget, AuthRetryState>>,
}

impl Client {
    /// # Errors
    /// When the token given can't be a header, or TLS can't be set up. Nothing is sent.
    pub fn new(service: Service, clock: Clock, redactor: Rc<dyn Redactor>) -> Result<Client, SetupError> {
        let transport = Transport::new(service.base, service.network, clock)?;
        Client::over(transport, service.credentials, redactor)
    }

    pub(super) fn over(
        transport: Transport,
        credentials: Credentials,
        redactor: Rc<dyn Redactor>,
    ) -> Result<Client, SetupError> {
        let transport = Rc::new(transport);
        Ok(Client {
            session: Session::new(credentials, Rc::clone(&transport), Rc::clone(&redactor))?,
            transport,
            redactor,
            retry_states: RefCell::default(),
        })
    }

    /// Answers one request of the core's. `target` is what it is about, of which one request at most is under way.
    pub async fn answer(&self, target: PollTarget, request: ApiRequest) -> ApiResponse {
        // Taken out for the request, and put back after it.
        let mut retry_state = self.retry_states.borrow_mut().remove(&target).unwrap_or_default();
        let response = match request {
            ApiRequest::Run(target) => ApiResponse::Run(self.poll(&target, &mut retry_state).await),
            ApiRequest::List(pipeline) => ApiResponse::List(self.list(&pipeline, &mut retry_state).await),
            ApiRequest::Survey(list_summary) => ApiResponse::Survey(self.list_summary(*list_summary).await),
            ApiRequest::Execute(pipeline) => {
                let (trigger_response, retry_after) = self.execute(&pipeline, &mut retry_state).await;
                ApiResponse::Execute(trigger_response, retry_after)
            }
        };
        self.retry_states.borrow_mut().insert(target, retry_state);
        response
    }

    /// `GET {base}/platform/pipeline/:pipeline/pipeline_run/:run`: one poll of one run, signed in and renewed as needed.
    pub async fn poll(&self, target: &Target, retry_state: &mut AuthRetryState) -> Answer {
        let segments = ["platform", "pipeline", target.pipeline.as_str(), "pipeline_run", target.run.as_str()];
        let read = |status, body: &[u8]| model::read_run(status, body, target);
        self.get(Operation::GetRun, &segments, retry_state, read).await
    }

    /// `GET {base}/platform/pipeline/:pipeline/pipeline_run`: the runs of one pipeline, signed in and renewed as needed.
    pub async fn list(&self, pipeline: &PipelineId, retry_state: &mut AuthRetryState) -> Answer<RunList> {
        self.signed_in(Operation::List, retry_state, async |pass| self.get_list(pipeline, pass).await).await
    }

    /// The same list, read within five seconds. It only helps to plan polls, so no session is renewed for it.
    async fn list_summary(&self, mut list_summary: ListSummary) -> Answer<ListSummary> {
        let Some(pass) = self.session.newer_than(Generation::default()) else {
            return TokenError::NothingNewer.answer(Operation::List).about();
        };
        let pipeline = list_summary.pipeline().clone();
        let mut keep = |listed| {
            list_summary.take(listed);
            Ok(())
        };
        let read = timeout(SURVEY, self.read_list(&pipeline, &pass, model::SHORT_LIST, &mut keep)).await;
        let Ok((read, timing)) = read else {
            return failure::unanswered(Failure::new(Operation::List, FailureKind::Timeout));
        };
        self.shortened(timing.answer(read.map_or_else(failure::read, |_| Observation::Record(list_summary))))
    }

    /// `POST {base}/platform/pipeline/execute`: ONE request, whatever comes of it. There is no idempotency key, so whether
    /// it is sent a second time is the gate's decision, which reads the list first.
    async fn execute(
        &self,
        pipeline: &PipelineId,
        retry_state: &mut AuthRetryState,
    ) -> (TriggerResponse, Option<Duration>) {
        let pass = match self.first_token(retry_state).await {
            Ok(pass) => pass,
            Err(error) => return not_sent(error),
        };
        let permit = self.transport.permit().await;
        let url = self.transport.address(&["platform", "pipeline", "execute"]);
        let json = model::execute(pipeline);
        let outcome = self.transport.post(permit, url, Some(&pass.header), json, RUN_BODY).await;
        let retry_after = outcome.timing.retry_after;
        let trigger_response = match outcome.reply {
            Ok(reply) => model::read_trigger_response(reply.status, &reply.body),
            Err(fault) => failure::trigger_failure(fault.during(Operation::Execute)),
        };
        let TriggerResponse::Missing(effect, failure) = trigger_response else {
            return (trigger_response, retry_after);
        };
        let failure = self.redactor.shortened(failure);
        if failure.kind != FailureKind::TokenRefused || std::mem::replace(&mut retry_state.renewed_for_start, true) {
            return (TriggerResponse::Missing(effect, failure), retry_after);
        }
        // If another token is to be had, the request may be made again.
        retry_state.refused = pass.generation;
        match self.token(retry_state).await {
            Ok(_) => (TriggerResponse::Missing(TriggerEffect::NotExecuted, failure), retry_after),
            Err(TokenError::NothingNewer) => (TriggerResponse::Missing(effect, failure), retry_after),
            Err(error) => not_sent(error),
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
            return Err(Failure::new(Operation::Logs, FailureKind::NotARecord("an impossible run id")));
        }
        let url = self.transport.address(&["platform", "pipeline", "pipeline_run", run_id, "logs"]);
        let ask = async |pass: &AuthToken| {
            let mut lines = Lines::new(&mut *sink);
            let outcome = self.transport.stream(url.clone(), &pass.header, &mut |piece| lines.push(piece)).await;
            let answer = outcome.answer(Operation::Logs, |reply| match reply.status {
                200 | 201 => {
                    lines.finish();
                    Observation::Record(())
                }
                status => failure::read(failure::of_status(Operation::Logs, status, &reply.body)),
            });
            // Nobody waits for a pause that the service asks for.
            Answer { retry_after: None, ..answer }
        };
        let answer = self.with_token(Operation::Logs, &mut AuthRetryState::default(), ask).await;
        answer.observation.record().map_err(|(_, failure)| failure)
    }

    /// Reads a short answer, signed in and renewed as needed.
    async fn get<T>(
        &self,
        during: Operation,
        segments: &[&str],
        retry_state: &mut AuthRetryState,
        read: impl Fn(u16, &[u8]) -> Observation<T>,
    ) -> Answer<T> {
        let ask = async |pass: &AuthToken| {
            let outcome = self.transport.get(self.transport.address(segments), &pass.header, RUN_BODY).await;
            outcome.answer(during, |reply| read(reply.status, &reply.body))
        };
        self.signed_in(during, retry_state, ask).await
    }

    async fn get_list(&self, pipeline: &PipelineId, pass: &AuthToken) -> Answer<RunList> {
        let mut listing = RunList::default();
        let asked = self.transport.clock.elapsed();
        let (extent, timing) =
            self.read_list(pipeline, pass, model::WHOLE_LIST, &mut model::keep_all(&mut listing)).await;
        let read = extent.and_then(Completeness::whole).and_then(|()| match timing.age {
            // One from before the gate began does not know which run was the newest then; an older one than that would
            // have the gate wait, and count, on what was long ago.
            Some(age) if age <= asked.min(OLD_LIST) => Ok(()),
            Some(_) | None => Err(Failure::new(Operation::List, FailureKind::Cached)),
        });
        timing.answer(read.map_or_else(failure::read, |()| Observation::Record(listing)))
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
        let outcome = self.transport.stream(url, &pass.header, &mut |piece| list.push(piece)).await;
        let read = match outcome.reply {
            Ok(reply) => list.finish(reply.status, &reply.body, reply.pages),
            Err(fault) => Err(fault.during(Operation::List)),
        };
        (read, outcome.timing)
    }

    /// Asks with a token that serves, and again with a renewed one where it is refused. A token that grows old is
    /// renewed meanwhile.
    async fn signed_in<T>(
        &self,
        during: Operation,
        retry_state: &mut AuthRetryState,
        ask: impl AsyncFn(&AuthToken) -> Answer<T>,
    ) -> Answer<T> {
        let ask = async |pass: &AuthToken| tokio::join!(ask(pass), self.session.renew_early()).0;
        self.with_token(during, retry_state, ask).await
    }

    /// The same, without that.
    async fn with_token<T>(
        &self,
        during: Operation,
        retry_state: &mut AuthRetryState,
        mut ask: impl AsyncFnMut(&AuthToken) -> Answer<T>,
    ) -> Answer<T> {
        let mut token = self.first_token(retry_state).await;
        let mut refusal = None;
        loop {
            let pass = match token {
                Ok(pass) => pass,
                Err(TokenError::Answer(answer)) => return answer.about(),
                Err(TokenError::NothingNewer) => {
                    retry_state.refused = Generation::default();
                    return refusal.unwrap_or_else(|| TokenError::NothingNewer.answer(during).about());
                }
            };
            let answer = self.shortened(ask(&pass).await);
            match &answer.observation {
                Observation::Record(_) | Observation::Missing(Effect::NotVisible, _) => {
                    let renewed_for_start = retry_state.renewed_for_start;
                    *retry_state = AuthRetryState { renewed_for_start, ..AuthRetryState::default() };
                    return answer;
                }
                Observation::Missing(Effect::Denied(_), failure) => {
                    if self.is_final(failure.kind, &pass, retry_state) {
                        retry_state.refused = Generation::default();
                        return answer;
                    }
                    // The token is renewed when the pause is over.
                    if answer.retry_after.is_some() {
                        return answer;
                    }
                }
                Observation::Missing(Effect::Unreachable | Effect::Unusable, _) => return answer,
            }
            refusal = Some(answer);
            token = self.token(retry_state).await;
        }
    }

    /// Makes the next request over a new connection: those that there are may be dead.
    pub fn leave_connections(&self) {
        self.transport.leave_connections();
    }

    /// How the service is reached, as far as it is known by now.
    pub fn connection(&self) -> Connection {
        self.transport.connection()
    }

    /// What there is to report since the last call.
    pub fn take_notes(&self) -> Vec<SessionNote> {
        self.transport.take_notes()
    }

    /// When a token made elsewhere says that it ends.
    pub fn token_ends(&self) -> Option<DateTime<Utc>> {
        self.session.token_ends()
    }

    fn shortened<T>(&self, answer: Answer<T>) -> Answer<T> {
        answer.map_failure(|failure| self.redactor.shortened(failure))
    }
}

/// There was no token to send the request to start with.
fn not_sent(error: TokenError) -> (TriggerResponse, Option<Duration>) {
    let answer = error.answer(Operation::Execute);
    let Observation::Missing(effect, failure) = answer.observation;
    let effect = match effect {
        Effect::Denied(scope) => TriggerEffect::Denied(scope),
        Effect::Unreachable => TriggerEffect::Unreachable,
        Effect::NotVisible | Effect::Unusable => TriggerEffect::NotExecuted,
    };
    (TriggerResponse::Missing(effect, failure), answer.retry_after)
}

#[cfg(test)]
mod tests;
