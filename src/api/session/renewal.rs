//! When to renew a token before it is refused, and which code to sign in with: pure, the time is a parameter.

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::api::access_token::Claims;
use crate::config::Totp;

/// The access token lives 30 minutes; the company's own scripts sign in again after 25.
const AGE: Duration = Duration::from_secs(25 * 60);

/// A shorter life is not plausible (clocks that differ, an `exp` in other units): it is ignored, and a 401 will tell.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);

/// Between two attempts to renew before time.
const RETRY: Duration = Duration::from_secs(60);

/// Where a token stands with its renewal before time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum EarlyRenewal {
    /// There is nothing to renew it with, or a renewal was refused: it serves until it is refused itself.
    Never,
    /// Due at this time, and whether a failure was reported before.
    At { due: Duration, reported: bool },
}

impl EarlyRenewal {
    /// For a token obtained `now`, when the service's clock said `date`: at 25 minutes of age, or at five sixths of what
    /// the token says of its life, whichever is earlier.
    pub(super) fn from_claims(claims: Claims, date: Option<DateTime<Utc>>, now: Duration) -> EarlyRenewal {
        let ends = |from: Option<DateTime<Utc>>| {
            let life = claims.ends?.signed_duration_since(from?).to_std().ok()?;
            (life >= SHORTEST_LIFE).then_some(life)
        };
        // Both by the service's clocks; a token given out twice has less left than it was issued with.
        let life = [ends(claims.issued), ends(date)].into_iter().flatten().min();
        let age = life.map_or(AGE, |life| AGE.min(life / 6 * 5));
        EarlyRenewal::At { due: now.saturating_add(age), reported: false }
    }

    /// Whether an attempt is due; it counts as made, however it ends.
    pub(super) fn begin(&mut self, now: Duration) -> bool {
        match self {
            EarlyRenewal::At { due, .. } if *due <= now => {
                *due = now.saturating_add(RETRY);
                true
            }
            EarlyRenewal::At { .. } | EarlyRenewal::Never => false,
        }
    }

    /// The attempt failed; a refused one is not repeated, any other not before `again`. Whether to tell: once a token.
    pub(super) fn fail(&mut self, refused: bool, again: Duration) -> bool {
        let first = match self {
            EarlyRenewal::Never => false,
            EarlyRenewal::At { due, reported } => {
                *due = again.max(*due);
                !std::mem::replace(reported, true)
            }
        };
        if refused {
            *self = EarlyRenewal::Never;
        }
        first
    }
}

/// The codes given out: none twice.
#[derive(Debug, Default)]
pub(super) struct Codes {
    pub(super) last: Option<u64>,
}

impl Codes {
    pub(super) fn has_fresh(&self, totp: &Totp, now: DateTime<Utc>) -> bool {
        self.last.is_none_or(|last| totp.step_at(unix(now)) > last)
    }

    /// Takes the code of `now`; it counts as sent from here on, whatever becomes of the request.
    ///
    /// # Errors
    /// How long until there is a new one.
    pub(super) fn take(&mut self, totp: &Totp, now: DateTime<Utc>) -> Result<SecretString, Duration> {
        if self.has_fresh(totp, now) {
            let step = totp.step_at(unix(now));
            self.last = Some(step);
            return Ok(totp.code(step));
        }
        let over = self.last.map_or(0, |last| totp.step_ends(last));
        let left = Duration::from_secs(over)
            .saturating_sub(Duration::from_millis(u64::try_from(now.timestamp_millis()).unwrap_or_default()));
        // Never zero, so that no rounding can make this a busy loop.
        Err(left.max(Duration::from_millis(10)))
    }
}

fn unix(now: DateTime<Utc>) -> u64 {
    u64::try_from(now.timestamp()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn date(seconds: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(1_705_314_600 + seconds, 0)
    }

    fn due(issued: Option<i64>, ends: Option<i64>, answered: Option<i64>) -> u64 {
        let claims = Claims { issued: issued.and_then(date), ends: ends.and_then(date) };
        let early = EarlyRenewal::from_claims(claims, answered.and_then(date), at(1_000));
        let EarlyRenewal::At { due, reported: false } = early else { panic!("{early:?}") };
        due.as_secs() - 1_000
    }

    #[test]
    fn a_token_is_renewed_at_25_minutes_or_earlier_if_it_says_so() {
        assert_eq!(due(None, None, None), 1_500);
        assert_eq!(due(None, None, Some(0)), 1_500);
        assert_eq!(due(Some(0), Some(1_800), Some(0)), 1_500);
        assert_eq!(due(Some(0), Some(86_400), Some(0)), 1_500);
        assert_eq!(due(Some(0), Some(600), Some(0)), 500);
        assert_eq!(due(None, Some(600), Some(0)), 500);
        assert_eq!(due(Some(0), Some(600), None), 500);
        // Given out again after 20 of its 30 minutes.
        assert_eq!(due(Some(0), Some(1_800), Some(1_200)), 500);
    }

    #[test]
    fn an_implausible_life_is_ignored() {
        assert_eq!(due(Some(0), Some(59), Some(0)), 1_500);
        assert_eq!(due(Some(0), Some(-600), Some(0)), 1_500);
        // The gateway's clock is a day ahead of the issuer's: the issuer's own count remains.
        assert_eq!(due(Some(0), Some(1_200), Some(86_400)), 1_000);
        assert_eq!(due(None, Some(0), Some(86_400)), 1_500);
    }

    #[test]
    fn a_failed_early_renewal_is_reported_once_and_tried_once_a_minute() {
        let mut early = EarlyRenewal::At { due: at(100), reported: false };
        assert!(!early.begin(at(99)));
        assert!(early.begin(at(100)));
        assert!(early.fail(false, at(0)));
        assert!(!early.begin(at(159)));
        assert!(early.begin(at(160)));
        // The service asked for a longer pause.
        assert!(!early.fail(false, at(250)));
        assert!(!early.begin(at(249)));
        assert!(early.begin(at(250)));
        assert!(!early.fail(true, at(0)));
        assert!(!early.begin(at(100_000)));
        assert!(!EarlyRenewal::Never.begin(at(100_000)));
    }

    #[test]
    fn no_code_is_given_out_twice() {
        let totp = super::super::tests::totp();
        let mut codes = Codes::default();
        let now = |seconds: i64| DateTime::from_timestamp(seconds, 500_000_000).expect("a date");
        let Ok(first) = codes.take(&totp, now(1_705_314_600)) else { panic!("a code") };
        for (seconds, left) in [(1_705_314_600, 29_500), (1_705_314_629, 500)] {
            let Err(length) = codes.take(&totp, now(seconds)) else { panic!("the same code again") };
            assert_eq!(length, Duration::from_millis(left));
        }
        // A clock that went back does not bring an old code back.
        assert!(codes.take(&totp, now(1_705_314_000)).is_err());
        let Ok(second) = codes.take(&totp, now(1_705_314_630)) else { panic!("a code") };
        assert_ne!(first.expose_secret(), second.expose_secret());
        assert!(codes.take(&totp, now(1_705_314_630)).is_err());
    }
}
