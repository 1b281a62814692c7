//! The one way to sign in, out of those that were given.
//!
//! No value of a secret, nor the path of one, is in an input error: their kind in the table of inputs forbids it.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::inputs::{self, Env, GivenValue, Input};
use crate::report::ci::CiSystem;

use super::credential_owner::source_phrase;
use super::detect_ci;
use super::suspicious_text::{evaluated, visible};
use super::totp::Totp;
use super::validator::{InvalidValue, Validator};
use super::{Credentials, Read};

/// No password and no token is longer: servers refuse headers far shorter.
pub const SECRET_LIMIT: usize = 64 * 1024;

/// The way to sign in; secrets found on the way are kept. `None`: input errors were noted.
pub(super) fn read(validator: &mut Validator<'_>, file: &Read<'_>) -> Option<Credentials> {
    let inputs = validator.inputs;
    let given = |input| inputs.chosen(input);
    let by_password = [Input::Username, Input::Password, Input::PasswordFile, Input::TotpSecret].map(given);
    let by_token = given(Input::AccessToken);
    let by_token_file = given(Input::AccessTokenFile);
    let all: Vec<&GivenValue> = by_password.into_iter().chain([by_token, by_token_file]).flatten().collect();
    match (by_password.iter().flatten().next(), by_token, by_token_file) {
        (Some(_), None, None) => read_password(validator, file),
        (None, Some(given), None) => {
            validator.check(given, |text| check_token(short(text)?)).map(|token| Credentials::Token(token.into()))
        }
        (None, None, Some(given)) => {
            let (path, token) = validator.check(given, |path| Ok((PathBuf::from(path), read_file(path, file)?)))?;
            validator.secrets.push(("access-token", token.clone()));
            validator.accept(given, check_token(token.expose_secret()).map(drop))?;
            Some(Credentials::TokenFile { path, token })
        }
        (None, None, None) => {
            let what = format!(
                "no credentials were given. Set username and password (or password-file), or access-token, or \
                 access-token-file{}",
                availability(validator.env)
            );
            validator.missing(Input::Username, what);
            None
        }
        _ => {
            let names: Vec<&str> = all.iter().map(|given| given.called.as_str()).collect();
            let what = format!(
                "more than one way to sign in was given: {}. Keep username and password, or access-token, or \
                 access-token-file",
                names.join(", ")
            );
            validator.wrong(all.first()?, InvalidValue::Hidden(what));
            None
        }
    }
}

fn read_password(validator: &mut Validator<'_>, file: &Read<'_>) -> Option<Credentials> {
    let username = validator.inputs.chosen(Input::Username);
    if username.is_none() {
        missing(validator, Input::Username, "required with a password");
    }
    let password = match (validator.inputs.chosen(Input::Password), validator.inputs.chosen(Input::PasswordFile)) {
        (Some(given), None) => validator.check(given, short).map(SecretString::from),
        (None, Some(given)) => {
            let password = validator.check(given, |path| read_file(path, file));
            validator.secrets.extend(password.clone().map(|password| ("password", password)));
            password
        }
        (Some(_), Some(given)) => {
            validator.wrong(given, "password and password-file cannot be used together. Remove one");
            None
        }
        (None, None) => {
            missing(validator, Input::Password, "required with username. Set password or password-file");
            None
        }
    };
    let totp_secret = match validator.inputs.chosen(Input::TotpSecret) {
        None => Some(None),
        Some(given) => validator.check(given, |text| Ok(Totp::read(short(text)?)?)).map(|(totp, bare)| {
            validator.secrets.push(("totp-secret", bare));
            Some(totp)
        }),
    };
    let check_name = |name: &str| -> Result<String, InvalidValue> {
        visible(name, &[]).and_then(|()| evaluated(name))?;
        Ok(name.to_owned())
    };
    let username = validator.check(username?, check_name)?;
    Some(Credentials::Password { username, password: password?, totp_secret: totp_secret? })
}

/// Something of the set is not there. Where a lower place has it, say why that does not count.
fn missing(validator: &mut Validator<'_>, input: Input, what: &str) {
    let instead = if input == Input::Password { Input::PasswordFile } else { input };
    let lower = [input, instead].into_iter().find_map(|input| validator.inputs.all(input).first());
    let what = match (lower, validator.inputs.secrets_place()) {
        (Some(lower), Some(place)) => format!(
            "{what}. {} is set {}, but does not count here: the other credentials were set {}. Set them in the same place",
            lower.called,
            source_phrase(lower.place),
            source_phrase(place),
        ),
        (Some(_) | None, _) => format!("{what}{}", availability(validator.env)),
    };
    validator.missing(input, what);
}

/// Why a secret that was set up may be empty in this job; nothing outside a CI.
fn availability(env: &Env) -> &'static str {
    let ci = detect_ci::detect(env);
    if ci == CiSystem::none() && !env.is_true("CI") { "" } else { ci.missing_secrets }
}

/// What about a password may be why it was refused; never the password.
pub fn odd_password(password: &SecretString) -> Option<&'static str> {
    let text = password.expose_secret();
    let quotes = ['"', '\'', '`'];
    let oddities = [
        (text.trim() != text, "it begins or ends with a blank"),
        (text.starts_with(quotes) || text.ends_with(quotes), "it begins or ends with a quotation mark"),
        (visible(text, &[]).is_err(), "it contains an invisible character"),
        (evaluated(text).is_err(), "it looks like an expression that was not replaced by its value"),
    ];
    oddities.into_iter().find_map(|(is_so, what)| is_so.then_some(what))
}

/// The text of a file that holds one secret, without trailing line breaks.
fn read_file(path: &str, file: &Read<'_>) -> Result<SecretString, InvalidValue> {
    let bytes = file(Path::new(path)).map_err(|error| format!("the file cannot be read ({})", error.kind()))?;
    if bytes.len() > SECRET_LIMIT {
        return Err("the file is larger than 64 KiB, which no secret is".into());
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("the file is UTF-16. Save it as UTF-8 (in PowerShell: -Encoding utf8)".into());
    }
    match inputs::secret(std::str::from_utf8(&bytes).map_err(|_| "the file is not UTF-8 text")?) {
        "" => Err("the file is empty".into()),
        text => Ok(text.into()),
    }
}

/// One that is longer would be refused by the service, or never get there.
fn short(secret: &str) -> Result<&str, InvalidValue> {
    if secret.len() > SECRET_LIMIT {
        Err("the value is longer than 64 KiB, which no secret is".into())
    } else {
        Ok(secret)
    }
}

/// What can't be sent as a token: it would be an error of the HTTP library, or refused by the service, after the start.
fn check_token(token: &str) -> Result<&str, InvalidValue> {
    if token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        return Err("the service expects the token alone. Remove `Bearer`".into());
    }
    if token.len() > 1 && token.starts_with(['"', '\'']) && token.chars().next() == token.chars().last() {
        return Err("the token is in quotes. Remove them (with jq, use -r)".into());
    }
    evaluated(token)?;
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what =
            "the token contains a blank, a line break, a control character or a letter beyond ASCII. Copy it again";
        return Err(what.into());
    }
    Ok(token)
}
