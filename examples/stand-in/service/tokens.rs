//! Sign-in, and which tokens are good.

use std::collections::HashMap;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use super::answers::Answer;
use super::scenario::{Account, TokenShape, Tokens};
use super::time::{self, ServiceClock};

/// Who may come in, and the tokens given out so far.
#[derive(Debug)]
pub struct Session {
    accounts: Vec<Account>,
    rules: Tokens,
    /// Access token -> (account, end of life in scenario time).
    given: HashMap<String, (usize, Duration)>,
    count: u64,
    /// TOTP steps that were used, by account: a code is good once.
    used: Vec<(usize, u64)>,
}

/// What a request's token allows.
#[derive(Clone, Copy, Debug)]
pub enum Access<'a> {
    Refused,
    Everything,
    Only(&'a [String]),
}

impl Session {
    pub fn new(accounts: Vec<Account>, rules: Tokens) -> Session {
        Session { accounts, rules, given: HashMap::new(), count: 0, used: Vec::new() }
    }

    pub fn sign_in(&mut self, body: &[u8], english: bool, clock: &ServiceClock) -> Answer {
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let (Some(username), Some(password)) = (asked["username"].as_str(), asked["password"].as_str()) else {
            let message = json!(["username must be a string", "password must be a string"]);
            return Answer::json(400, json!({"statusCode": 400, "message": message, "error": "Bad Request"}));
        };
        let known = |account: &Account| account.username == username && account.password == password;
        let Some(who) = self.accounts.iter().position(known) else {
            let message = if english { "Incorrect username or password." } else { "Usuário ou senha incorretos." };
            return Answer::json(
                401,
                json!({"statusCode": 401, "message": message, "error": "Unauthorized", "code": "AUTH.UNAUTHORIZED"}),
            );
        };
        if let Some(secret) = &self.accounts[who].totp_secret {
            let step = asked["totp"].as_str().and_then(|code| good_step(secret, code));
            // The trap: signed in says the status, and there is no token.
            let Some(step) = step.filter(|step| !self.used.contains(&(who, *step))) else {
                return Answer::json(200, json!({"permissions": [], "tokens": {}, "mfaStatus": "required"}));
            };
            self.used.push((who, step));
        }
        let (access, refresh) = (self.token(username, "access", clock), self.token(username, "refresh", clock));
        self.given.insert(access.clone(), (who, clock.elapsed() + self.rules.life));
        let tokens = json!({"idToken": "", "accessToken": access, "refreshToken": refresh});
        Answer::json(
            200,
            match self.rules.shape {
                TokenShape::Flat => tokens,
                TokenShape::Nested => json!({
                    "permissions": ["catalog:edit", "pipeline:edit"],
                    "tokens": tokens,
                    "mfaStatus": "none",
                    "termsOfUse": {"status": "signed", "lastSigned": {"version": 1}},
                    "user": {"id": "stand-in-user", "name": "Stand-in", "username": username},
                    "customer": {"id": "stand-in-customer", "name": "stand-in", "tier": "STANDARD", "modules": [], "links": []},
                }),
            },
        )
    }

    /// A token is good as it stands, without `Bearer`; any other word in the header is a refusal, as recorded.
    pub fn access(&self, authorization: Option<&str>, clock: &ServiceClock) -> Access<'_> {
        let Some(token) = authorization else { return Access::Refused };
        if self.rules.accept.iter().any(|good| good == token) {
            return Access::Everything;
        }
        match self.given.get(token) {
            Some((who, end)) if clock.elapsed() < *end => match &self.accounts[*who].pipelines {
                None => Access::Everything,
                Some(pipelines) => Access::Only(pipelines),
            },
            Some(_) | None => Access::Refused,
        }
    }

    /// Every token given so far is refused from now on.
    pub fn revoke(&mut self) {
        self.given.clear();
    }

    fn token(&mut self, username: &str, use_: &str, clock: &ServiceClock) -> String {
        self.count += 1;
        let mut claims = json!({"sub": username, "use": use_, "jti": self.count});
        if self.rules.claims {
            let now = clock.utc().timestamp();
            claims["iat"] = now.into();
            claims["exp"] = now.saturating_add_unsigned(self.rules.life.as_secs()).into();
        }
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        // Nobody but the stand-in checks its tokens, and it knows them by heart.
        let signature = BASE64URL_NOPAD.encode(format!("stand-in signature {:08}", self.count).as_bytes());
        format!("{}.{}.{signature}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(&claims))
    }
}

/// The time step whose code this is, by the machine's clock and one step of tolerance, as authenticators are checked.
fn good_step(secret: &str, code: &str) -> Option<u64> {
    authenticator(secret)?.check(code, time::machine_seconds())
}

/// The authenticator of a base32 secret; none if it is not one.
pub fn authenticator(secret: &str) -> Option<Totp> {
    let secret = Secret::try_from_base32(secret).ok()?;
    Some(Builder::new().with_secret(secret).build_noncompliant())
}
