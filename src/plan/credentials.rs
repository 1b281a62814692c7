//! The one way to sign in, out of those that were given.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::inputs::{Given, Input, Place};

use super::desk::{Desk, Wrong};
use super::mistake::Mistake;
use super::totp::Totp;
use super::{Credentials, Read};

/// No password and no token is longer; a file that is was not meant.
const FILE_LIMIT: usize = 64 * 1024;

/// The way to sign in; secrets found on the way go to `secrets`. `None`: mistakes were noted.
pub(super) fn read(desk: &mut Desk<'_>, file: &Read<'_>, secrets: &mut Secrets) -> Option<Credentials> {
    let inputs = desk.inputs;
    let given = |input| inputs.chosen(input);
    let by_password = [Input::Username, Input::Password, Input::PasswordFile, Input::TotpSecret].map(given);
    let by_token = given(Input::AccessToken);
    let by_token_file = given(Input::AccessTokenFile);
    let all: Vec<&Given> = by_password.into_iter().chain([by_token, by_token_file]).flatten().collect();
    match (by_password.iter().flatten().next(), by_token, by_token_file) {
        (Some(_), None, None) => read_password(desk, file, secrets),
        (None, Some(given), None) => {
            let text = given.text.as_deref().ok()?;
            note(desk, given, check_token(text))?;
            Some(Credentials::Token(text.into()))
        }
        (None, None, Some(given)) => {
            let path = given.text.as_deref().ok()?;
            let token = note(desk, given, read_file(path, file))?;
            let checked = check_token(token.expose_secret());
            secrets.push(("access-token", token.clone()));
            note(desk, given, checked)?;
            Some(Credentials::TokenFile { path: PathBuf::from(path), token })
        }
        (None, None, None) => {
            let what = "no way to sign in; there are three: username with password (or password-file), access-token, \
                        and access-token-file";
            desk.mistakes.push(Mistake::missing(Input::Username, what));
            None
        }
        _ => {
            let names: Vec<&str> = all.iter().map(|given| given.called.as_str()).collect();
            let what = format!(
                "more than one way to sign in: {}; give username with password, or access-token, or access-token-file",
                names.join(", ")
            );
            let first = all.first()?;
            desk.mistakes.push(Mistake::of(first, None, what));
            None
        }
    }
}

/// Secrets with their input's name.
pub(super) type Secrets = Vec<(&'static str, SecretString)>;

fn read_password(desk: &mut Desk<'_>, file: &Read<'_>, secrets: &mut Secrets) -> Option<Credentials> {
    let username = desk.inputs.chosen(Input::Username);
    if username.is_none() {
        missing(desk, Input::Username, "needed: whose password it is");
    }
    let password = match (desk.inputs.chosen(Input::Password), desk.inputs.chosen(Input::PasswordFile)) {
        (Some(given), None) => given.text.as_deref().ok().map(SecretString::from),
        (None, Some(given)) => {
            let path = given.text.as_deref().ok();
            let password = path.and_then(|path| note(desk, given, read_file(path, file)));
            secrets.extend(password.clone().map(|password| ("password", password)));
            password
        }
        (Some(_), Some(given)) => {
            desk.wrong(given, Wrong::hidden("password and password-file are both given; give one"));
            None
        }
        (None, None) => {
            missing(desk, Input::Password, "needed beside username: password, or password-file");
            None
        }
    };
    let totp_secret = match desk.inputs.chosen(Input::TotpSecret) {
        None => Some(None),
        Some(given) => given.text.as_deref().ok().and_then(|text| {
            let (totp, bare) = note(desk, given, Totp::read(text).map_err(Wrong::hidden))?;
            secrets.push(("totp-secret", bare));
            Some(Some(totp))
        }),
    };
    let username = username?.text.as_deref().ok()?.to_owned();
    Some(Credentials::Password { username, password: password?, totp_secret: totp_secret? })
}

/// Something of the set is not there. Where a lower place has it, say why that does not count.
fn missing(desk: &mut Desk<'_>, input: Input, what: &str) {
    let place = match desk.inputs.credentials_place() {
        Some(Place::Flag) => "the flags",
        Some(Place::Step) => "the step's inputs",
        Some(Place::Plugin) => "the step's settings",
        Some(Place::Variable) | None => "the environment",
    };
    let lower = [input, if input == Input::Password { Input::PasswordFile } else { input }]
        .into_iter()
        .find_map(|input| desk.inputs.all(input).first());
    let what = match lower {
        Some(lower) => format!(
            "{what}. {} is set, but credentials count as one set and come from {place} here, which replace it; \
             give all of them in one place",
            lower.called
        ),
        None => what.to_owned(),
    };
    desk.mistakes.push(Mistake::missing(input, what));
}

/// The text of a file that holds one secret, without trailing line breaks.
fn read_file(path: &str, file: &Read<'_>) -> Result<SecretString, Wrong> {
    let bytes =
        file(Path::new(path)).map_err(|error| Wrong::hidden(format!("the file can't be read ({})", error.kind())))?;
    if bytes.len() > FILE_LIMIT {
        return Err(Wrong::hidden("the file is too long to hold one secret"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Wrong::hidden("the file is not UTF-8 text"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Wrong::hidden("the file is empty")),
        text => Ok(text.into()),
    }
}

/// What can't be sent as a token: it would be an error of the HTTP library, or refused by the service, after the start.
fn check_token(token: &str) -> Result<(), Wrong> {
    if token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        return Err(Wrong::hidden("the service wants the token alone; leave out `Bearer`"));
    }
    if token.len() > 1 && token.starts_with(['"', '\'']) && token.chars().next() == token.chars().last() {
        return Err(Wrong::hidden("the token stands in quotes; leave them out (jq does with -r)"));
    }
    if token.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Wrong::hidden("a token has no blanks, line breaks, control characters or letters beyond ASCII"))
    }
}

fn note<T>(desk: &mut Desk<'_>, given: &Given, result: Result<T, Wrong>) -> Option<T> {
    result.map_err(|wrong| desk.wrong(given, wrong)).ok()
}
