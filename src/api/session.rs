//! The session: signed in once for everybody, renewed before and when it must be.
//!
//! All polls share one token. The first one that finds no valid token signs in; the others wait and share the result.
//! Only the lock is held across an `await`. A code or an attempt is recorded before it is sent, because a poll may be
//! dropped at any point.

use std::cell::RefCell;
use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, Notify};
use tokio::time::timeout;

use super::access_token::AccessToken;
use super::failure::{self, RequestError};
use super::model;
use super::setup_error::SetupError;
use super::transport::{Permit, Transport};
use crate::config::{Credentials, Totp, odd_password};
use crate::core::{Answer, Failure, FailureKind, Observation, Operation, Redactor, SessionNote};

mod renewal;
mod session_state;
mod token_file;

use renewal::EarlyRenewal;
use session_state::{SHARED, SessionState, is_refused};
use token_file::read;

/// What a sign-in before time may take from the poll that it goes along with: less than the five seconds that the last
/// look of all has. When the old token is refused there is time for a whole request.
const EARLY_LIMIT: Duration = Duration::from_secs(4);

/// A renewal that changed nothing for one run is not tried again for another within this time of a 403 (and within
/// `SHARED` of a 401): a sign-in for each of a thousand runs that this account may not see would lock it.
const FRUITLESS: Duration = Duration::from_secs(60);

/// The longest answer to a sign-in.
const SIGN_IN_BODY: usize = 8 * 1024 * 1024;

/// Which token: each new one has the next number.
pub(crate) type Generation = u64;

/// What signs in.
#[derive(Clone, Copy)]
struct Login<'a> {
    username: &'a str,
    password: &'a SecretString,
    totp: Option<&'a Totp>,
}

/// A token to try.
pub(crate) struct AuthToken {
    pub(crate) generation: Generation,
    pub(crate) header: HeaderValue,
}

/// Why there is none.
pub(crate) enum TokenError {
    /// What the attempt to get one brought.
    Answer(NoToken),
    /// The refused token is all there is.
    NothingNewer,
}

/// The answer to a sign-in that gave no token: never a record of anything.
pub(crate) type NoToken = Answer<Infallible>;

impl TokenError {
    /// The answer to a request that there is no token for.
    pub(crate) fn answer(self, during: Operation) -> NoToken {
        match self {
            TokenError::Answer(answer) => answer,
            TokenError::NothingNewer => failure::unanswered(Failure::new(during, FailureKind::TokenRefused)),
        }
    }
}

pub(crate) struct Session {
    credentials: Credentials,
    transport: Rc<Transport>,
    redactor: Rc<dyn Redactor>,
    state: RefCell<SessionState>,
    /// Without it every poll that wants a token would sign in for itself.
    flight: Mutex<()>,
    /// For those who wait for the first token and do nothing to get it.
    signed_in: Notify,
}

impl Session {
    pub(crate) fn new(
        credentials: Credentials,
        transport: Rc<Transport>,
        redactor: Rc<dyn Redactor>,
    ) -> Result<Session, SetupError> {
        let mut state = SessionState::default();
        if let Credentials::Token(text) | Credentials::TokenFile { token: text, .. } = &credentials {
            let token = AccessToken::new(text.expose_secret()).ok_or(SetupError::Token)?;
            state.hold(token, Duration::ZERO, EarlyRenewal::Never);
        }
        Ok(Session {
            credentials,
            transport,
            redactor,
            state: RefCell::new(state),
            flight: Mutex::new(()),
            signed_in: Notify::new(),
        })
    }

    /// When the token at hand says that it ends, where nothing here could make a new one.
    pub(crate) fn token_ends(&self) -> Option<DateTime<Utc>> {
        match self.credentials {
            Credentials::Password { .. } => None,
            Credentials::Token(_) | Credentials::TokenFile { .. } => {
                self.state.borrow().held.as_ref()?.token.claims().ends
            }
        }
    }

    /// A token newer than `refused`, from wherever the credentials allow. `reported_failure` is the asking run's own: when the failed
    /// sign-in was that it knows of.
    pub(crate) async fn token_for(
        &self,
        refused: Generation,
        reported_failure: &mut Option<Duration>,
    ) -> Result<AuthToken, TokenError> {
        if let Some(pass) = self.newer_than(refused) {
            return Ok(pass);
        }
        let asked = self.elapsed();
        let _flight = self.flight.lock().await;
        if let Some(pass) = self.newer_than(refused) {
            return Ok(pass);
        }
        match &self.credentials {
            Credentials::Token(_) => return Err(TokenError::NothingNewer),
            Credentials::TokenFile { path, .. } => self.read_file(path).await?,
            Credentials::Password { username, password, totp_secret } => {
                let failed = self.state.borrow().failed_since(asked, self.elapsed(), reported_failure);
                if let Some(answer) = failed {
                    return Err(TokenError::Answer(answer));
                }
                let login = Login { username, password, totp: totp_secret.as_ref() };
                let mut signed_in = self.sign_in(login).await;
                // Another job of this account may have used the same code; the next one is its own.
                let may_try = login.totp.is_some() && self.state.borrow().may_sign_in();
                if may_try && signed_in.as_ref().is_err_and(|failed| is_refused(failed) && failed.retry_after.is_none())
                {
                    signed_in = self.sign_in(login).await;
                }
                if let Err(answer) = signed_in {
                    *reported_failure = self.state.borrow().failure.as_ref().map(|(at, _)| *at);
                    return Err(TokenError::Answer(answer));
                }
            }
        }
        self.newer_than(refused).ok_or(TokenError::NothingNewer)
    }

    /// The token, as soon as there is one.
    pub(crate) async fn first_token(&self) -> AuthToken {
        loop {
            match self.newer_than(Generation::default()) {
                Some(pass) => return pass,
                None => self.signed_in.notified().await,
            }
        }
    }

    pub(crate) fn newer_than(&self, refused: Generation) -> Option<AuthToken> {
        let state = self.state.borrow();
        let held = state.held.as_ref()?;
        (held.generation > refused).then(|| AuthToken { generation: held.generation, header: held.token.header() })
    }

    fn note(&self, note: SessionNote) {
        self.transport.notes.borrow_mut().push(note);
    }

    fn elapsed(&self) -> Duration {
        self.transport.clock.elapsed()
    }

    /// Notes that a renewed token was refused as the one before it; unless it is old enough to be refused for its age, or no
    /// longer the newest. Whether it was noted.
    pub(crate) fn mark_fruitless(&self, generation: Generation) -> bool {
        let mut state = self.state.borrow_mut();
        let newest = state.newest_within(FRUITLESS, generation, self.elapsed());
        newest.map(|held| held.is_fruitless = true).is_some()
    }

    /// Whether a renewal of this token, refused as `kind` says, is known to change nothing.
    pub(crate) fn is_fruitless(&self, generation: Generation, kind: FailureKind) -> bool {
        let limit = if kind == FailureKind::Http(403) { FRUITLESS } else { SHARED };
        let mut state = self.state.borrow_mut();
        state.newest_within(limit, generation, self.elapsed()).is_some_and(|held| held.is_fruitless)
    }

    /// Renews a token that grows old, beside the poll that uses it. Failing is a note: the old token still serves.
    pub(crate) async fn renew_early(&self) {
        let Credentials::Password { username, password, totp_secret } = &self.credentials else { return };
        let login = Login { username, password, totp: totp_secret.as_ref() };
        let Ok(_flight) = self.flight.try_lock() else { return };
        {
            let mut state = self.state.borrow_mut();
            let may_sign_in = state.may_sign_in();
            let SessionState { held: Some(held), codes, .. } = &mut *state else { return };
            // A poll must not wait for the next code.
            let ready = login.totp.is_none_or(|totp| codes.has_fresh(totp, self.transport.clock.awake()));
            if !may_sign_in || !ready || !held.early.begin(self.elapsed()) {
                return;
            }
        }
        let failed = match timeout(EARLY_LIMIT, self.sign_in(login)).await {
            Ok(Ok(())) => return,
            Ok(Err(answer)) => answer,
            Err(_) => {
                let late = failure::unanswered(Failure::new(Operation::SignIn, FailureKind::Timeout));
                self.state.borrow_mut().fail(&late, self.elapsed());
                late
            }
        };
        let mut state = self.state.borrow_mut();
        let Some(held) = &mut state.held else { return };
        let again = self.elapsed().saturating_add(failed.retry_after.unwrap_or_default());
        if held.early.fail(is_refused(&failed), again) {
            let Observation::Missing(_, failure) = failed.observation;
            self.note(SessionNote::EarlyRenewalFailed(failure));
        }
    }

    /// Signs in. The flight is held.
    async fn sign_in(&self, login: Login<'_>) -> Result<(), NoToken> {
        let (permit, code) = match login.totp {
            None => (self.transport.permit().await, None),
            Some(totp) => {
                let (permit, code) = self.fresh_code(totp).await;
                (permit, Some(code))
            }
        };
        let json = model::sign_in(login.username, login.password, code.as_ref());
        let url = self.transport.address(&["auth", "sign-in"]);
        let outcome = self.transport.post(permit, url, None, json, SIGN_IN_BODY).await;
        let (now, mut state) = (self.elapsed(), self.state.borrow_mut());
        match outcome.reply.and_then(|reply| model::read_sign_in(reply.status, &reply.body)) {
            Ok(tokens) => {
                self.redactor.learn(&tokens.all.iter().map(ExposeSecret::expose_secret).collect::<Vec<_>>());
                let early = EarlyRenewal::from_claims(tokens.access.claims(), outcome.timing.date, now);
                self.note(if state.held.is_none() { SessionNote::SignedIn } else { SessionNote::Renewed });
                (state.failure, state.refusals) = (None, 0);
                state.hold(tokens.access, now, early);
                self.signed_in.notify_waiters();
                Ok(())
            }
            Err(fault) => {
                let is_code = fault.kind == FailureKind::NoToken && code.is_some();
                let kind = if is_code { FailureKind::CodeRefused } else { fault.kind };
                let failure = self.redactor.shortened(RequestError { kind, ..fault }.during(Operation::SignIn));
                let failed = outcome.timing.answer(failure::read(failure));
                if is_refused(&failed) && state.refusals == 0 {
                    odd_password(login.password).into_iter().for_each(|what| self.note(SessionNote::OddPassword(what)));
                }
                state.fail(&failed, now);
                Err(failed)
            }
        }
    }

    /// The next code that was never sent, waiting for it if need be. Made only when the request's turn has come: behind
    /// eight slow looks it would grow old.
    async fn fresh_code(&self, totp: &Totp) -> (Permit<'_>, SecretString) {
        loop {
            let permit = self.transport.permit().await;
            let code = self.state.borrow_mut().codes.take(totp, self.transport.clock.awake());
            match code {
                Ok(code) => {
                    self.redactor.learn(&[code.expose_secret()]);
                    return (permit, code);
                }
                Err(left) => {
                    drop(permit);
                    wait(left).await;
                }
            }
        }
    }

    /// Reads the token file again. The flight is held.
    async fn read_file(&self, path: &Path) -> Result<(), TokenError> {
        let read = read(path).await;
        let mut state = self.state.borrow_mut();
        match read {
            Ok(token) if state.held.as_ref().is_some_and(|held| held.token == token) => Err(TokenError::NothingNewer),
            Ok(token) => {
                self.redactor.learn(&[token.secret().expose_secret()]);
                self.note(SessionNote::Renewed);
                state.hold(token, self.elapsed(), EarlyRenewal::Never);
                Ok(())
            }
            Err(detail) => {
                // It concerns the run that the token was refused for, and no other.
                let fault = RequestError { kind: FailureKind::TokenFile, detail };
                Err(TokenError::Answer(failure::unanswered(fault.during(Operation::GetRun))))
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "no code is sent twice: the next one is awaited (reference, inputs)")]
async fn wait(length: Duration) {
    tokio::time::sleep(length).await;
}

#[cfg(test)]
mod tests;
