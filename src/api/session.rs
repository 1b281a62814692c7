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

use super::access_token::{AccessToken, Claims};
use super::failure::{self, RequestError};
use super::model;
use super::responses::{answer, collect};
use super::setup_error::SetupError;
use super::timing_headers::TimingHeaders;
use super::transport::{Permit, Transport};
use crate::clock::Clock;
use crate::config::{Credentials, Totp, odd_password};
use crate::core::{Answer, Effect, FailureKind, Observation, Operation, Redactor, SessionNote};

mod renewal;
mod token_file;

use renewal::{Code, Codes, EarlyRenewal};
use token_file::read;

/// How long a failed sign-in speaks for those who come after it: however many runs, at most one sign-in a second; and if
/// the service asked for a longer pause, one in that, or in a minute.
const SHARED: Duration = Duration::from_secs(1);
const LONGEST_SHARED: Duration = Duration::from_secs(60);

/// What a sign-in before time may take from the poll that it goes along with: less than the five seconds that the last
/// look of all has. When the old token is refused there is time for a whole request.
const EARLY_LIMIT: Duration = Duration::from_secs(4);

/// A renewal that changed nothing for one run is not tried again for another within this time of a 403 (and within
/// `SHARED` of a 401): a sign-in for each of a thousand runs that this account may not see would lock it.
const FRUITLESS: Duration = Duration::from_secs(60);

/// How many sign-ins may be refused in the life of one token: more would lock the account.
const REFUSED_SIGN_INS: u8 = 2;

/// The longest answer to a sign-in, as for a run.
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

#[derive(Debug)]
pub(crate) struct Session {
    credentials: Credentials,
    redactor: Rc<dyn Redactor>,
    state: RefCell<SessionState>,
    /// Without it every poll that wants a token would sign in for itself.
    flight: Mutex<()>,
    /// For those who wait for the first token and do nothing to get it.
    signed_in: Notify,
}

#[derive(Debug, Default)]
struct SessionState {
    held: Option<CurrentToken>,
    /// The newest token's number; the first is 1.
    generation: Generation,
    /// The number of the renewed token that was refused as well.
    fruitless: Option<Generation>,
    /// The last failed sign-in, and when it failed.
    failure: Option<(Duration, NoToken)>,
    /// How many sign-ins were refused since the last one that worked.
    refusals: u8,
    /// Refused too often: the credentials are not sent again.
    refused: Option<NoToken>,
    codes: Codes,
    notes: Vec<SessionNote>,
}

#[derive(Debug)]
struct CurrentToken {
    token: AccessToken,
    obtained: Duration,
    early: EarlyRenewal,
}

impl Session {
    pub(crate) fn new(credentials: Credentials, redactor: Rc<dyn Redactor>) -> Result<Session, SetupError> {
        let mut state = SessionState::default();
        if let Credentials::Token(text) | Credentials::TokenFile { token: text, .. } = &credentials {
            let token = AccessToken::new(text.expose_secret()).ok_or(SetupError::Token)?;
            state.hold(token, Duration::ZERO, EarlyRenewal::Never);
        }
        Ok(Session {
            credentials,
            redactor,
            state: RefCell::new(state),
            flight: Mutex::new(()),
            signed_in: Notify::new(),
        })
    }

    pub(crate) fn take_notes(&self) -> Vec<SessionNote> {
        std::mem::take(&mut self.state.borrow_mut().notes)
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
        http: &Transport,
        clock: Clock,
        refused: Generation,
        reported_failure: &mut Option<Duration>,
    ) -> Result<AuthToken, TokenError> {
        if let Some(pass) = self.newer_than(refused) {
            return Ok(pass);
        }
        let asked = clock.elapsed();
        let _flight = self.flight.lock().await;
        if let Some(pass) = self.newer_than(refused) {
            return Ok(pass);
        }
        match &self.credentials {
            Credentials::Token(_) => return Err(TokenError::NothingNewer),
            Credentials::TokenFile { path, .. } => self.read_file(path, clock).await?,
            Credentials::Password { username, password, totp_secret } => {
                if let Some(answer) = self.failed_since(asked, clock.elapsed(), reported_failure) {
                    return Err(TokenError::Answer(answer));
                }
                let login = Login { username, password, totp: totp_secret.as_ref() };
                let mut signed_in = self.sign_in(login, http, clock).await;
                // Another job of this account may have used the same code; the next one is its own.
                let may_try = login.totp.is_some() && self.state.borrow().refused.is_none();
                if may_try && signed_in.as_ref().is_err_and(|failed| is_refused(failed) && failed.retry_after.is_none())
                {
                    signed_in = self.sign_in(login, http, clock).await;
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
        (state.generation > refused).then(|| AuthToken { generation: state.generation, header: held.token.header() })
    }

    /// A failure of while we waited, or of just before. The pause that the service asked for is told to each run once:
    /// one that comes back earlier is polled for the last time before a clock of its own ends, and that is a real poll.
    fn failed_since(&self, asked: Duration, now: Duration, reported_failure: &mut Option<Duration>) -> Option<NoToken> {
        let state = self.state.borrow();
        let shared = || {
            let (at, answer) = state.failure.as_ref()?;
            let since = now.saturating_sub(*at);
            let pause = answer.retry_after.unwrap_or_default();
            let is_news = *reported_failure != Some(*at);
            if *at < asked && since >= SHARED && !(is_news && since < pause.min(LONGEST_SHARED)) {
                return None;
            }
            *reported_failure = Some(*at);
            let left = pause.checked_sub(since).filter(|left| !left.is_zero());
            Some(NoToken { retry_after: left, ..answer.clone() })
        };
        state.refused.clone().or_else(shared)
    }

    /// A renewed token was refused as the one before it.
    pub(crate) fn renewal_was_fruitless(&self, generation: Generation) {
        self.state.borrow_mut().fruitless = Some(generation);
    }

    /// Whether this is the newest token, and too young to be refused for its age.
    pub(crate) fn is_young(&self, generation: Generation, clock: Clock) -> bool {
        self.is_newest_within(FRUITLESS, generation, clock)
    }

    fn is_newest_within(&self, limit: Duration, generation: Generation, clock: Clock) -> bool {
        let state = self.state.borrow();
        let is_young = |held: &CurrentToken| clock.elapsed().saturating_sub(held.obtained) < limit;
        state.generation == generation && state.held.as_ref().is_some_and(is_young)
    }

    /// Whether a renewal of this token, refused as `kind` says, is known to change nothing.
    pub(crate) fn is_fruitless(&self, generation: Generation, kind: FailureKind, clock: Clock) -> bool {
        let limit = if kind == FailureKind::Http(403) { FRUITLESS } else { SHARED };
        self.state.borrow().fruitless == Some(generation) && self.is_newest_within(limit, generation, clock)
    }

    /// Renews a token that grows old, beside the poll that uses it. Failing is a note: the old token still serves.
    pub(crate) async fn renew_early(&self, http: &Transport, clock: Clock) {
        let Credentials::Password { username, password, totp_secret } = &self.credentials else { return };
        let login = Login { username, password, totp: totp_secret.as_ref() };
        let Ok(_flight) = self.flight.try_lock() else { return };
        {
            let mut state = self.state.borrow_mut();
            let SessionState { held: Some(held), codes, .. } = &mut *state else { return };
            // A poll must not wait for the next code.
            let ready = login.totp.is_none_or(|totp| codes.has_fresh(totp, clock.awake()));
            if !ready || !held.early.begin(clock.elapsed()) {
                return;
            }
        }
        let failed = match timeout(EARLY_LIMIT, self.sign_in(login, http, clock)).await {
            Ok(Ok(())) => return,
            Ok(Err(answer)) => answer,
            Err(_) => {
                let late = answer(
                    failure::read(RequestError::new(FailureKind::Timeout).during(Operation::SignIn)),
                    TimingHeaders::default(),
                );
                self.state.borrow_mut().fail(&late, clock.elapsed());
                late
            }
        };
        let mut state = self.state.borrow_mut();
        let SessionState { held: Some(held), notes, .. } = &mut *state else { return };
        let is_refused = is_refused(&failed);
        let again = clock.elapsed().saturating_add(failed.retry_after.unwrap_or_default());
        if held.early.fail(is_refused, again) {
            let Observation::Missing(_, failure) = failed.observation;
            notes.push(SessionNote::EarlyRenewalFailed(failure));
        }
    }

    /// Signs in. The flight is held.
    async fn sign_in(&self, login: Login<'_>, http: &Transport, clock: Clock) -> Result<(), NoToken> {
        let (permit, code) = match login.totp {
            None => (http.permit().await, None),
            Some(totp) => {
                let (permit, code) = self.fresh_code(totp, http, clock).await;
                (permit, Some(code))
            }
        };
        let json = model::sign_in(login.username, login.password, code.as_ref());
        let mut body = Vec::new();
        let url = http.address(&["auth", "sign-in"]);
        let outcome = http.post(permit, url, None, json, clock, &mut collect(&mut body, SIGN_IN_BODY)).await;
        let tokens = outcome.reply.and_then(|reply| model::read_sign_in(reply.status, reply.text(&body)));
        match tokens {
            Ok(tokens) => {
                self.redactor.learn(&tokens.all.iter().map(ExposeSecret::expose_secret).collect::<Vec<_>>());
                let mut state = self.state.borrow_mut();
                let early = EarlyRenewal::from_claims(tokens.access.claims(), outcome.timing.date, clock.elapsed());
                let note = if state.generation == 0 { SessionNote::SignedIn } else { SessionNote::Renewed };
                state.notes.push(note);
                (state.failure, state.refusals, state.refused) = (None, 0, None);
                state.hold(tokens.access, clock.elapsed(), early);
                self.signed_in.notify_waiters();
                Ok(())
            }
            Err(fault) => {
                let is_code = fault.kind == FailureKind::NoToken && code.is_some();
                let kind = if is_code { FailureKind::CodeRefused } else { fault.kind };
                let failure = self.redactor.shortened(RequestError { kind, ..fault }.during(Operation::SignIn));
                let failure = answer(failure::read(failure), outcome.timing);
                let mut state = self.state.borrow_mut();
                if is_refused(&failure) && state.refusals == 0 {
                    state.notes.extend(odd_password(login.password).map(SessionNote::OddPassword));
                }
                state.fail(&failure, clock.elapsed());
                Err(failure)
            }
        }
    }

    /// The next code that was never sent, waiting for it if need be. Made only when the request's turn has come: behind
    /// eight slow looks it would grow old.
    async fn fresh_code<'t>(&self, totp: &Totp, http: &'t Transport, clock: Clock) -> (Permit<'t>, SecretString) {
        loop {
            let permit = http.permit().await;
            let code = self.state.borrow_mut().codes.take(totp, clock.awake());
            match code {
                Code::Fresh(code) => {
                    self.redactor.learn(&[code.expose_secret()]);
                    return (permit, code);
                }
                Code::Wait(length) => {
                    drop(permit);
                    wait(length).await;
                }
            }
        }
    }

    /// Reads the token file again. The flight is held.
    async fn read_file(&self, path: &Path, clock: Clock) -> Result<(), TokenError> {
        let read = read(path).await;
        let mut state = self.state.borrow_mut();
        match read {
            Ok(token) if state.held.as_ref().is_some_and(|held| held.token == token) => Err(TokenError::NothingNewer),
            Ok(token) => {
                self.redactor.learn(&[token.secret().expose_secret()]);
                state.notes.push(SessionNote::Renewed);
                state.hold(token, clock.elapsed(), EarlyRenewal::Never);
                Ok(())
            }
            Err(detail) => {
                // It concerns the run that the token was refused for, and no other.
                let fault = RequestError { kind: FailureKind::TokenFile, detail };
                Err(TokenError::Answer(answer(
                    failure::read(fault.during(Operation::GetRun)),
                    TimingHeaders::default(),
                )))
            }
        }
    }
}

impl SessionState {
    /// A sign-in failed: that speaks for those who come right after it, and the second refusal for all.
    fn fail(&mut self, answer: &NoToken, now: Duration) {
        if is_refused(answer) {
            self.refusals += 1;
            if self.refusals >= REFUSED_SIGN_INS {
                self.refused = Some(NoToken { retry_after: None, ..answer.clone() });
            }
        }
        self.failure = Some((now, answer.clone()));
    }

    fn hold(&mut self, token: AccessToken, obtained: Duration, early: EarlyRenewal) {
        self.generation += 1;
        self.held = Some(CurrentToken { token, obtained, early });
    }
}

/// Whether the service itself has said no: each time may count towards a locked account.
fn is_refused(answer: &NoToken) -> bool {
    match &answer.observation {
        Observation::Missing(Effect::Denied(_), _) => true,
        Observation::Missing(Effect::Unreachable, failure) => matches!(failure.kind, FailureKind::Http(_)),
        Observation::Record(_) | Observation::Missing(Effect::NotVisible | Effect::Unusable, _) => false,
    }
}

#[expect(clippy::disallowed_methods, reason = "no code is sent twice: the next one is awaited (reference, inputs)")]
async fn wait(length: Duration) {
    tokio::time::sleep(length).await;
}

#[cfg(test)]
mod tests;
