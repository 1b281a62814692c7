//! The client: one method per endpoint.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::logs::Lines;
use super::miss::{self, Fault};
use super::session::{Generation, Lost, Pass, Session, answer, collect, miss_of};
use super::stamps::Stamps;
use super::transport::{Heard, SetupError, Transport};
use super::wire;
use crate::clock::Clock;
use crate::gate::{Answer, During, Miss, MissKind, Observation, RunId, SessionNote, Target};
use crate::plan::Service;

/// A run's body (contract, *Limits*), after decompression.
const RUN_BODY: usize = 8 * 1024 * 1024;

/// A signed-in client of one service. It lives on one thread, and every call may be dropped at any point.
pub struct Client {
    transport: Transport,
    session: Session,
    clock: Clock,
}

/// One run's row of refused answers: it may renew the token once, until an answer accepts a token again.
#[derive(Debug, Default)]
pub struct Refusals {
    /// The newest token that was refused; this run does not use it again.
    refused: Generation,
    renewed: Renewed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Renewed {
    #[default]
    NotYet,
    Once,
}

impl Client {
    /// # Errors
    /// When the token given can't be a header, or TLS can't be set up. Nothing is sent.
    pub fn new(service: Service, clock: Clock) -> Result<Client, SetupError> {
        let session = Session::new(service.credentials)?;
        let transport = Transport::new(service.base, service.further_roots)?;
        Ok(Client { transport, session, clock })
    }

    /// `GET {base}/platform/pipeline/:pipeline/pipeline_run/:run`: one look at one run, signed in and renewed as needed.
    /// `row` is this run's own, kept between its looks.
    pub async fn look(&self, target: &Target, row: &mut Refusals) -> Answer {
        let mut refusal = None;
        loop {
            let pass = match self.session.token(&self.transport, self.clock, row.refused).await {
                Ok(pass) => pass,
                Err(Lost::Answer(answer)) => return answer,
                Err(Lost::NothingNewer) => return refusal.unwrap_or_else(refused_before),
            };
            let renewal = self.session.renew_early(&self.transport, self.clock);
            let (answer, ()) = tokio::join!(self.get_run(target, &pass), renewal);
            match &answer.observation {
                Observation::Record(_) | Observation::NotVisible(_) => {
                    *row = Refusals::default();
                    return answer;
                }
                Observation::Denied(_, miss) => {
                    if self.is_final(miss.kind, &pass, row) {
                        return answer;
                    }
                }
                Observation::Unreachable(_) | Observation::Unusable(_) => return answer,
            }
            refusal = Some(answer);
        }
    }

    /// `GET {base}/platform/pipeline/pipeline_run/:run/logs`, into `sink` as it comes (bytes, not cleaned).
    ///
    /// # Errors
    /// Why there are none, or not all: `TooLarge` after the first 64 MiB. What came before an error is in the sink.
    pub async fn logs(&self, run_id: &str, sink: &mut dyn FnMut(&[u8])) -> Result<(), Miss> {
        // The service's own spelling of the id is text from outside: it could be `..`.
        if RunId::new(run_id).is_none() {
            return Err(Fault::new(MissKind::NotARecord("an impossible run id")).during(During::Logs));
        }
        let url = self.transport.address(&["platform", "pipeline", "pipeline_run", run_id, "logs"]);
        let mut row = Refusals::default();
        let mut refusal = None;
        loop {
            let pass = match self.session.token(&self.transport, self.clock, row.refused).await {
                Ok(pass) => pass,
                Err(Lost::Answer(answer)) => return Err(miss_of(answer.observation).unwrap_or(token_refused())),
                Err(Lost::NothingNewer) => return Err(refusal.unwrap_or(token_refused())),
            };
            let mut lines = Lines::new(sink);
            let heard = self.transport.get(url.clone(), &pass.header, self.clock, &mut |piece| lines.push(piece)).await;
            let reply = heard.reply.map_err(|fault| fault.during(During::Logs))?;
            if matches!(reply.status, 200 | 201) {
                lines.finish();
                return Ok(());
            }
            drop(lines);
            let miss = miss::of_status(During::Logs, reply.status, &reply.said);
            let refused = matches!(miss::read(miss.clone()), Observation::Denied(..));
            if !refused || self.is_final(miss.kind, &pass, &mut row) {
                return Err(miss);
            }
            refusal = Some(miss);
        }
    }

    /// What the session has had to say since the last call.
    pub fn take_notes(&self) -> Vec<SessionNote> {
        self.session.take_notes()
    }

    /// Secrets that came up since the last call: tokens obtained, and codes sent. To be known to the redactor before
    /// anything that the same look brought is shown.
    pub fn take_new_secrets(&self) -> Vec<SecretString> {
        self.session.take_new_secrets()
    }

    /// When a token made elsewhere says that it ends; for a token file, once it was read.
    pub fn token_ends(&self) -> Option<DateTime<Utc>> {
        self.session.token_ends()
    }

    async fn get_run(&self, target: &Target, pass: &Pass) -> Answer {
        let segments = ["platform", "pipeline", target.pipeline.as_str(), "pipeline_run", target.run.as_str()];
        let mut body = Vec::new();
        let url = self.transport.address(&segments);
        let heard = self.transport.get(url, &pass.header, self.clock, &mut collect(&mut body, RUN_BODY)).await;
        let Heard { stamps, reply } = heard;
        let observation = match reply {
            Ok(reply) => wire::read_run(reply.status, reply.text(&body), target),
            Err(fault) => miss::read(fault.during(During::GetRun)),
        };
        answer(observation, stamps)
    }

    /// Writes the refusal of `pass` into the row; whether there is nothing left to try.
    fn is_final(&self, kind: MissKind, pass: &Pass, row: &mut Refusals) -> bool {
        row.refused = pass.generation;
        match std::mem::replace(&mut row.renewed, Renewed::Once) {
            Renewed::NotYet => self.session.is_fruitless(pass.generation, kind, self.clock),
            Renewed::Once => {
                self.session.renewal_was_fruitless(pass.generation);
                true
            }
        }
    }
}

/// For a run whose token was refused at an earlier look, and there still is no other.
fn refused_before() -> Answer {
    answer(miss::read(Fault::new(MissKind::TokenRefused).during(During::GetRun)), Stamps::default())
}

fn token_refused() -> Miss {
    Fault::new(MissKind::TokenRefused).during(During::Logs)
}

#[cfg(test)]
mod long_wait;
#[cfg(test)]
mod tests;
