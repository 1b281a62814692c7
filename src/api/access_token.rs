//! An access token: never empty, fit for a header, and impossible to print.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde_json::Value;

use crate::config::SECRET_LIMIT;

/// A token that can go into the `Authorization` header as it is: the service wants it without `Bearer`. A sensitive header
/// shows nothing of itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AccessToken(HeaderValue);

impl AccessToken {
    /// Outer blanks are no part of a token; a token of blanks, or with a character that no header may have, is none.
    pub(crate) fn new(text: &str) -> Option<AccessToken> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        let is_ascii = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if text.is_empty() || text.len() > SECRET_LIMIT || !is_ascii {
            return None;
        }
        let mut header = HeaderValue::from_str(text).ok()?;
        header.set_sensitive(true);
        Some(AccessToken(header))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    pub(crate) fn secret(&self) -> SecretString {
        SecretString::from(self.text())
    }

    fn text(&self) -> &str {
        // Made from a `str` of visible ASCII, so it is one.
        self.0.to_str().unwrap_or_default()
    }

    /// What the token says about itself, if it is a JWT. Nothing may depend on it: it is neither verified nor promised.
    pub(crate) fn claims(&self) -> Claims {
        self.payload().unwrap_or_default()
    }

    fn payload(&self) -> Option<Claims> {
        let mut parts = self.text().split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let json: Value = serde_json::from_slice(&json).ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "it saturates, and no date is that far away")]
        let date = |name: &str| {
            // NumericDate may have a fraction (RFC 7519).
            let seconds = json.get(name)?;
            let seconds = seconds.as_i64().or_else(|| seconds.as_f64().map(|seconds| seconds as i64))?;
            DateTime::from_timestamp(seconds, 0)
        };
        Some(Claims { issued: date("iat"), ends: date("exp") })
    }
}

/// A JWT's own times, by its issuer's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Claims {
    pub(crate) issued: Option<DateTime<Utc>>,
    pub(crate) ends: Option<DateTime<Utc>>,
}

#[cfg(test)]
pub(crate) fn jwt(payload: &str) -> String {
    format!("eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_empty_and_always_fits_a_header() {
        for bad in ["", " ", "\r\n", "a\nb", "a\0b", "é", "a\r\nx-evil: 1", &"x".repeat(SECRET_LIMIT + 1)] {
            assert!(AccessToken::new(bad).is_none(), "{bad:?}");
        }
        assert_eq!(AccessToken::new(" abc\n").expect("a token").header(), "abc");
        // An editor's byte order mark at the start of a file is no part of the token in it.
        assert_eq!(AccessToken::new("\u{feff}abc\r\n").expect("a token").header(), "abc");
    }

    #[test]
    fn no_debug_shows_a_token() {
        let token = AccessToken::new("very-secret-token").expect("a token");
        assert!(!format!("{token:?} {:?} {:?}", token.header(), token.secret()).contains("secret-token"));
        assert!(token.header().is_sensitive());
    }

    #[test]
    fn a_jwt_s_times_are_read_and_anything_else_has_none() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0);
        let claims = |text: &str| AccessToken::new(text).expect("a token").claims();
        let both = claims(&jwt(r#"{"iat":1705314600,"exp":1705316400.7,"sub":"x"}"#));
        assert_eq!(both, Claims { issued: at(1_705_314_600), ends: at(1_705_316_400) });
        let odd = [
            "abc".to_owned(),
            "a.b".to_owned(),
            "..".to_owned(),
            "a.!!!.c".to_owned(),
            jwt("[]"),
            jwt(""),
            jwt(r#"{"exp":"soon"}"#),
            jwt(r#"{"exp":1e300,"iat":-1e300}"#),
            jwt(r#"{"exp":9223372036854775807}"#),
        ];
        for text in odd {
            assert_eq!(claims(&text), Claims::default(), "{text}");
        }
    }
}
