//! The one way to sign in, out of those that were given.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::inputs::{self, Env, GivenValue, Input};
use crate::report::ci::CiSystem;

use super::credential_owner::source_phrase;
use super::detect_ci;
use super::input_error::InputError;
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
            let text = given.text.as_deref().ok()?;
            note(validator, given, check_length(text).and_then(|()| check_token(text)))?;
            Some(Credentials::Token(text.into()))
        }
        (None, None, Some(given)) => {
            let path = given.text.as_deref().ok()?;
            let token = note(validator, given, read_file(path, file))?;
            let checked = check_token(token.expose_secret());
            validator.secrets.push(("access-token", token.clone()));
            note(validator, given, checked)?;
            Some(Credentials::TokenFile { path: PathBuf::from(path), token })
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
            let first = all.first()?;
            validator.input_errors.push(InputError::of(first, None, what));
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
        (Some(given), None) => {
            let text = given.text.as_deref().ok();
            text.and_then(|text| note(validator, given, check_length(text).map(|()| SecretString::from(text))))
        }
        (None, Some(given)) => {
            let path = given.text.as_deref().ok();
            let password = path.and_then(|path| note(validator, given, read_file(path, file)));
            validator.secrets.extend(password.clone().map(|password| ("password", password)));
            password
        }
        (Some(_), Some(given)) => {
            validator
                .wrong(given, InvalidValue::hidden("password and password-file cannot be used together. Remove one"));
            None
        }
        (None, None) => {
            missing(validator, Input::Password, "required with username. Set password or password-file");
            None
        }
    };
    let totp_secret = match validator.inputs.chosen(Input::TotpSecret) {
        None => Some(None),
        Some(given) => given.text.as_deref().ok().and_then(|text| {
            let read = check_length(text).and_then(|()| Totp::read(text).map_err(InvalidValue::hidden));
            let (totp, bare) = note(validator, given, read)?;
            validator.secrets.push(("totp-secret", bare));
            Some(Some(totp))
        }),
    };
    let username = username?;
    let name = username.text.as_deref().ok()?;
    let checked = visible(name, &[]).and_then(|()| evaluated(name)).map_err(InvalidValue::from);
    note(validator, username, checked)?;
    Some(Credentials::Password { username: name.to_owned(), password: password?, totp_secret: totp_secret? })
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
    if text.trim() != text {
        Some("it begins or ends with a blank")
    } else if text.starts_with(quotes) || text.ends_with(quotes) {
        Some("it begins or ends with a quotation mark")
    } else if visible(text, &[]).is_err() {
        Some("it contains an invisible character")
    } else if evaluated(text).is_err() {
        Some("it looks like an expression that was not replaced by its value")
    } else {
        None
    }
}

/// The text of a file that holds one secret, without trailing line breaks.
fn read_file(path: &str, file: &Read<'_>) -> Result<SecretString, InvalidValue> {
    let bytes = file(Path::new(path))
        .map_err(|error| InvalidValue::hidden(format!("the file cannot be read ({})", error.kind())))?;
    if bytes.len() > SECRET_LIMIT {
        return Err(InvalidValue::hidden("the file is larger than 64 KiB, which no secret is"));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(InvalidValue::hidden("the file is UTF-16. Save it as UTF-8 (in PowerShell: -Encoding utf8)"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| InvalidValue::hidden("the file is not UTF-8 text"))?;
    match inputs::secret(text) {
        "" => Err(InvalidValue::hidden("the file is empty")),
        text => Ok(text.into()),
    }
}

/// One that is longer would be refused by the service, or never get there.
fn check_length(secret: &str) -> Result<(), InvalidValue> {
    if secret.len() > SECRET_LIMIT {
        return Err(InvalidValue::hidden("the value is longer than 64 KiB, which no secret is"));
    }
    Ok(())
}

/// What can't be sent as a token: it would be an error of the HTTP library, or refused by the service, after the start.
fn check_token(token: &str) -> Result<(), InvalidValue> {
    if token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        return Err(InvalidValue::hidden("the service expects the token alone. Remove `Bearer`"));
    }
    if token.len() > 1 && token.starts_with(['"', '\'']) && token.chars().next() == token.chars().last() {
        return Err(InvalidValue::hidden("the token is in quotes. Remove them (with jq, use -r)"));
    }
    evaluated(token).map_err(InvalidValue::hidden)?;
    if token.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(InvalidValue::hidden(
            "the token contains a blank, a line break, a control character or a letter beyond ASCII. Copy it again",
        ))
    }
}

fn note<T>(validator: &mut Validator<'_>, given: &GivenValue, result: Result<T, InvalidValue>) -> Option<T> {
    result.map_err(|wrong| validator.wrong(given, wrong)).ok()
}
