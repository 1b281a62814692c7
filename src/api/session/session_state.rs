//! What a session knows: its token, and how sign-ins failed. Pure, the time is a parameter.

use std::time::Duration;

use super::renewal::{Codes, EarlyRenewal};
use super::{Generation, NoToken};
use crate::api::access_token::AccessToken;
use crate::core::{Effect, FailureKind, Observation};

/// How long a failed sign-in speaks for those who come after it: however many runs, at most one sign-in a second; and if
/// the service asked for a longer pause, one in that, or in a minute.
pub(super) const SHARED: Duration = Duration::from_secs(1);
const LONGEST_SHARED: Duration = Duration::from_secs(60);

/// How many sign-ins may be refused in the life of one token: more would lock the account.
const REFUSED_SIGN_INS: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct SessionState {
    /// The newest token.
    pub(super) held: Option<CurrentToken>,
    /// The last failed sign-in, and when it failed.
    pub(super) failure: Option<(Duration, NoToken)>,
    /// How many sign-ins were refused since the last one that worked.
    pub(super) refusals: u8,
    pub(super) codes: Codes,
}

#[derive(Debug)]
pub(super) struct CurrentToken {
    /// The first one's is 1.
    pub(super) generation: Generation,
    pub(super) token: AccessToken,
    obtained: Duration,
    pub(super) early: EarlyRenewal,
    /// Whether it was refused as the one before it.
    pub(super) is_fruitless: bool,
}

impl SessionState {
    /// Takes the newest token.
    pub(super) fn hold(&mut self, token: AccessToken, obtained: Duration, early: EarlyRenewal) {
        let generation = self.held.as_ref().map_or(0, |held| held.generation) + 1;
        self.held = Some(CurrentToken { generation, token, obtained, early, is_fruitless: false });
    }

    /// The newest token, if it has this number and is younger than `limit`.
    pub(super) fn newest_within(
        &mut self,
        limit: Duration,
        generation: Generation,
        now: Duration,
    ) -> Option<&mut CurrentToken> {
        self.held.as_mut().filter(|held| held.generation == generation && now.saturating_sub(held.obtained) < limit)
    }

    /// A sign-in failed: that speaks for those who come right after it, and the second refusal for all.
    pub(super) fn fail(&mut self, answer: &NoToken, now: Duration) {
        self.refusals += u8::from(is_refused(answer));
        self.failure = Some((now, answer.clone()));
    }

    /// Whether the credentials may be sent: not after they were refused too often.
    pub(super) fn may_sign_in(&self) -> bool {
        self.refusals < REFUSED_SIGN_INS
    }

    /// A failure of while we waited, or of just before. The pause that the service asked for is told to each run once:
    /// one that comes back earlier is polled for the last time before a clock of its own ends, and that is a real poll.
    pub(super) fn failed_since(
        &self,
        asked: Duration,
        now: Duration,
        reported_failure: &mut Option<Duration>,
    ) -> Option<NoToken> {
        let (at, answer) = self.failure.as_ref()?;
        if !self.may_sign_in() {
            return Some(NoToken { retry_after: None, ..answer.clone() });
        }
        let since = now.saturating_sub(*at);
        let pause = answer.retry_after.unwrap_or_default();
        let is_news = *reported_failure != Some(*at);
        if *at < asked && since >= SHARED && !(is_news && since < pause.min(LONGEST_SHARED)) {
            return None;
        }
        *reported_failure = Some(*at);
        let left = pause.checked_sub(since).filter(|left| !left.is_zero());
        Some(NoToken { retry_after: left, ..answer.clone() })
    }
}

/// Whether the service itself has said no: each time may count towards a locked account.
pub(super) fn is_refused(answer: &NoToken) -> bool {
    match &answer.observation {
        Observation::Missing(Effect::Denied(_), _) => true,
        Observation::Missing(Effect::Unreachable, failure) => matches!(failure.kind, FailureKind::Http(_)),
        Observation::Record(_) | Observation::Missing(Effect::NotVisible | Effect::Unusable, _) => false,
    }
}
