//! Which token a run's next request is sent with, after answers that refused one.

use std::time::Duration;

use super::super::session::{AuthToken, Generation, TokenError};
use super::Client;
use crate::core::{Effect, FailureKind, Observation};

/// One run's row of refused answers: it may renew the token once, until an answer accepts a token again, or the renewed
/// one has grown old in an outage. From then on it asks with the newest token there is, should the refusals pass.
#[derive(Debug, Default)]
pub struct AuthRetryState {
    /// The newest token that was refused and is to be renewed.
    pub(super) refused: Generation,
    pub(super) renewed: bool,
    /// Whether the token was renewed because a request to start was refused with it.
    pub(super) renewed_for_start: bool,
    /// When the failed sign-in happened that was last reported for this run.
    pub(super) reported_failure: Option<Duration>,
}

impl Client {
    /// A token to begin a poll with: one that this run has not been refused, or else the newest there is.
    pub(super) async fn first_token(&self, retry_state: &mut AuthRetryState) -> Result<AuthToken, TokenError> {
        match self.token(retry_state).await {
            Err(TokenError::NothingNewer) => {
                self.session.newer_than(Generation::default()).ok_or(TokenError::NothingNewer)
            }
            other => other,
        }
    }

    /// A token that this run has not been refused.
    pub(super) async fn token(&self, retry_state: &mut AuthRetryState) -> Result<AuthToken, TokenError> {
        let token = self.session.token_for(retry_state.refused, &mut retry_state.reported_failure).await;
        if let Err(TokenError::Answer(answer)) = &token
            && matches!(answer.observation, Observation::Missing(Effect::Denied(_) | Effect::Unreachable, _))
        {
            // What can't be renewed may be accepted again.
            retry_state.refused = Generation::default();
        }
        token
    }

    /// Writes the refusal of `pass` into the row; whether there is nothing left to try.
    pub(super) fn is_final(&self, kind: FailureKind, pass: &AuthToken, retry_state: &mut AuthRetryState) -> bool {
        retry_state.refused = pass.generation;
        if std::mem::replace(&mut retry_state.renewed, true) {
            self.session.mark_fruitless(pass.generation)
        } else {
            self.session.is_fruitless(pass.generation, kind)
        }
    }
}
