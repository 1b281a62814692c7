//! Checks the inputs and decides what the gate will do; all input errors are reported at once.

mod address;
mod collision;
mod credential_owner;
mod credentials;
mod destination;
mod detect_ci;
mod extra_roots;
mod help;
mod input_error;
mod output_config;
mod proxy;
mod route;
mod run_inputs;
mod suspicious_text;
#[cfg(test)]
mod tests;
mod totp;
mod validator;
mod value;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use url::Url;

use crate::core::{Freshness, Interval, Learning, Limits, OnFirstFailure, Rules, Vocabulary, Wanted};
use crate::inputs::{ArgumentError, Env, Input, Inputs, Mode, ROWS, Row, cli, look_up};
use crate::report::ci::CiSystem;

pub use address::LinkTarget;
pub use collision::{CollisionKind, FileLocation, OccupiedPath};
pub use credentials::{SECRET_LIMIT, odd_password};
pub use destination::{Destination, DocumentKind, NamedBy, WriteTarget};
pub use extra_roots::SystemRoots;
pub use input_error::{InputError, InputSubject, Warning};
pub use output_config::LOG_TAKEN;
pub use route::{Proxy, ProxyKind};
pub use totp::Totp;

use route::ProxySettings;
use run_inputs::RunInputs;
use validator::{InvalidValue, Validator};
use value::{LINE_BREAKS, choice, duration_within, list, switch, timestamp};

/// What to wait for, and how.
#[derive(Debug)]
pub struct Config {
    /// In the order given, never empty.
    pub wanted: Vec<Wanted>,
    pub rules: Rules,
    pub service: Service,
    /// What the links in reports lead to, if there are any.
    pub links: Option<LinkTarget>,
    pub logs: Logs,
    /// Whether the pipelines' details are requested, to be shown.
    pub details: bool,
}

/// How to reach the service.
#[derive(Debug)]
pub struct Service {
    /// `https`, or `http` to a loopback host (such requests never go through a proxy); no user info, query or
    /// fragment; a path prefix is kept, with or without a slash at its end.
    pub base: Url,
    pub credentials: Credentials,
    pub network: Network,
}

/// The proxy between this machine and the service, and the certificates to trust.
#[derive(Debug, Default)]
pub struct Network {
    /// Further trusted roots (`ca-file`), already read and checked.
    pub further_roots: Vec<CertificateDer<'static>>,
    pub system_roots: SystemRoots,
    /// What requests go through. The HTTP client looks for no proxy of its own.
    pub proxy: Option<Proxy>,
}

/// One way to sign in.
#[derive(Debug)]
pub enum Credentials {
    Password {
        username: String,
        password: SecretString,
        totp_secret: Option<Totp>,
    },
    /// A token made elsewhere, fit for a header.
    Token(SecretString),
    /// A file, and the token that it held when the config was made, fit for a header. It is read again when that is refused and
    /// not before: what a pipe gave is not there a second time.
    TokenFile {
        path: PathBuf,
        token: SecretString,
    },
}

/// When to fetch the run's logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logs {
    Never,
    OnFailure,
    Always,
}

/// Where and how to report. Made even when the config is not: input errors are reported too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputConfig {
    pub ci: &'static CiSystem,
    /// In the order of delivery, without those whose path is an input error.
    pub destinations: Vec<Destination>,
    /// Whether the summary is shown where Mermaid's charts are drawn: on GitHub itself. Enterprise servers, Gitea and
    /// Forgejo may be too old for the kind of chart, and would show an error in its place.
    pub has_mermaid: bool,
    /// The folders that no link in them may lead a report out of, as the CI names them. Not all of them need to exist.
    pub workspaces: Vec<PathBuf>,
    /// Takes their place if none of them does.
    pub working_folder: Option<PathBuf>,
    /// What no report may be written over: the CI's own files, and those that are read. As they are written.
    pub others: Vec<OccupiedPath>,
    pub output_prefix: String,
    pub log_format: LogFormat,
    pub volume: Volume,
    pub colour: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volume {
    Quiet,
    Normal,
    Verbose,
}

/// By `NO_COLOR` and `CLICOLOR_FORCE`; `Auto` leaves it to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Never,
    Always,
    Auto,
}

/// Reads a file: the only way in which the config touches the world. The gate's timeout, if it is known, limits that too.
pub type ReadWithin<'a> = dyn Fn(&Path, Option<Duration>) -> io::Result<Vec<u8>> + 'a;

/// The same with the timeout that is known.
type Read<'a> = dyn Fn(&Path) -> io::Result<Vec<u8>> + 'a;

/// All that is known before the first request.
#[derive(Debug)]
pub struct Resolved {
    /// To check what a gate of these inputs would need, and not to wait.
    pub is_doctor: bool,
    pub output_config: OutputConfig,
    /// Everything that must not be seen, with the name of its input: given in whatever place, read from files, and the
    /// proxy's credentials.
    pub secrets: Vec<(&'static str, SecretString)>,
    pub warnings: Vec<Warning>,
    /// `--help` beside other arguments: printed, though the config is an input error.
    pub help: Option<String>,
    /// The plan, or every input error, in input order and never none.
    pub config: Result<Config, Vec<InputError>>,
}

/// The help or the version, if the arguments ask for nothing else: a text to print, and success.
pub fn requested_text(args: &[OsString]) -> Option<String> {
    match crate::inputs::mode(args)? {
        Mode::Help => Some(help::text()),
        Mode::Version => Some(cli::version()),
        Mode::Doctor => None,
    }
}

/// Reads, completes and checks all inputs, of arguments that ask for no text.
pub fn resolve(args: &[OsString], env: &Env, file: &ReadWithin<'_>) -> Resolved {
    let inputs = look_up(args, env);
    let mut validator = Validator::new(&inputs, env);
    validator.secrets = secrets(&inputs, env);
    let output_config = output_config::read(&mut validator);
    let config = config(&mut validator, file);
    validator.warnings.extend(warnings(&inputs));
    let Validator { mut input_errors, warnings, secrets, .. } = validator;
    input_errors.sort_by_key(|input_error| input_error.about);
    let help = inputs.faults.contains(&ArgumentError::NotAlone(Mode::Help)).then(help::text);
    if help.is_some() {
        // Who asks for help has not written the rest yet.
        input_errors.retain(|input_error| input_error.about == InputSubject::CommandLine);
    }
    let config = match config {
        Some(config) if input_errors.is_empty() => Ok(config),
        _ => Err(input_errors),
    };
    Resolved { is_doctor: inputs.mode == Some(Mode::Doctor), output_config, secrets, warnings, help, config }
}

/// The plan; `None` if a part of it is wrong or missing, which is noted.
fn config(validator: &mut Validator<'_>, file: &ReadWithin<'_>) -> Option<Config> {
    let timeout = validator.read(Input::Timeout, |text| duration_within(text, "0", "30d"));
    let runs = run_inputs::read(validator, timeout);
    let file = &|path: &Path| file(path, timeout);
    let rules = rules(validator, timeout, runs.as_ref());
    let base = validator.read(Input::BaseUrl, address::base_url);
    let run_url = validator.read_optional(Input::RunUrl, address::run_url);
    let credentials = credentials::read(validator, file);
    credential_owner::check(validator);
    let further_roots = validator.read_optional(Input::CaFile, |path| {
        let bytes = file(Path::new(path)).map_err(|error| format!("the file cannot be read ({})", error.kind()))?;
        Ok(extra_roots::read(&bytes)?)
    });
    let whens = [("on-failure", Logs::OnFailure), ("always", Logs::Always), ("never", Logs::Never)];
    let logs = validator.read(Input::Logs, |text| choice(text, &whens));
    let details = validator.read(Input::Details, switch);
    let proxies = ProxySettings::read(validator.env).map_err(|errors| validator.input_errors.extend(errors)).ok();
    let base = base?;
    let links = LinkTarget::new(run_url?, &base);
    let network = Network {
        further_roots: further_roots?.unwrap_or_default(),
        system_roots: SystemRoots::read(validator.env),
        proxy: proxies?.proxy_for(&base),
    };
    let service = Service { base, credentials: credentials?, network };
    Some(Config { wanted: runs?.wanted, rules: rules?, service, links, logs: logs?, details: details? })
}

fn rules(validator: &mut Validator<'_>, timeout: Option<Duration>, runs: Option<&RunInputs>) -> Option<Rules> {
    let interval = validator.read(Input::PollInterval, |text| match text {
        "auto" => Ok(Interval::Auto),
        _ => duration_within(text, "1s", "1h").map(Interval::Fixed),
    });
    let appear = validator.read(Input::AppearTimeout, |text| duration_within(text, "0", "30d"));
    let outage = validator.read(Input::MaxOutage, |text| duration_within(text, "0", "30d"));
    let on_first_failure = validator.read(Input::FailFast, |text| {
        switch(text).map(|stop| if stop { OnFirstFailure::StopWaiting } else { OnFirstFailure::WaitForAll })
    });
    let max_age = validator.read_optional(Input::MaxAge, |text| match text {
        "any" => Ok(None),
        _ => duration_within(text, "1s", "3650d").map(Some),
    });
    let started_after = validator.read_optional(Input::StartedAfter, timestamp);
    let learning =
        validator.read(Input::History, |text| switch(text).map(|on| if on { Learning::On } else { Learning::Off }));
    let vocabulary = vocabulary(validator);
    let limits = Limits { timeout: timeout?, appear: appear?, outage: outage? };
    Some(Rules {
        limits,
        interval: interval?,
        vocabulary: vocabulary?,
        on_first_failure: on_first_failure?,
        freshness: Freshness { max_age: max_age?.flatten(), started_after: started_after? },
        if_stale: runs?.if_stale,
        retries: runs?.retries,
        began: None,
        learning: learning?,
    })
}

/// The user's own status values.
fn vocabulary(validator: &mut Validator<'_>) -> Option<Vocabulary> {
    let words = |text: &str| -> Result<Vec<String>, InvalidValue> {
        let words = list(text, LINE_BREAKS)?;
        match words.iter().find(|word| word.contains(char::is_control)) {
            Some(odd) => Err(InvalidValue::part(*odd, "a status word cannot contain control characters")),
            None => Ok(words.into_iter().map(str::to_owned).collect()),
        }
    };
    let success = validator.read_optional(Input::SuccessStatuses, words);
    let failure = validator.read_optional(Input::FailureStatuses, words);
    let (success, failure) = (success?.unwrap_or_default(), failure?.unwrap_or_default());
    // A word's error does not tell which list it stood in: those of the second come last.
    let last = Vocabulary::new(Vec::new(), failure.clone()).map_or_else(|wrong| wrong.len(), |_| 0);
    let wrong = match Vocabulary::new(success, failure) {
        Ok(vocabulary) => return Some(vocabulary),
        Err(wrong) => wrong,
    };
    let first = wrong.len() - last;
    for (at, (word, error)) in wrong.into_iter().enumerate() {
        let input = if at < first { Input::SuccessStatuses } else { Input::FailureStatuses };
        validator.refuse(input, InvalidValue::part(word, error.to_string()));
    }
    None
}

/// The names of all variables that may hold a secret of ours: what another program must not inherit.
pub fn secret_variables() -> Vec<String> {
    let names = |row: &Row| {
        let [hyphens, underscores] = row.step_inputs();
        [row.variable.to_owned(), hyphens, underscores, row.setting()]
    };
    ROWS.iter().filter(|row| row.input.is_secret()).flat_map(names).collect()
}

/// Everything that must not be seen and is known without reading a file.
fn secrets(inputs: &Inputs, env: &Env) -> Vec<(&'static str, SecretString)> {
    let mut secrets: Vec<(&'static str, SecretString)> = Vec::new();
    for row in &ROWS {
        for given in inputs.all(row.input) {
            let Ok(text) = &given.text else { continue };
            if row.input.is_secret() {
                secrets.push((row.name, text.as_str().into()));
            }
            if matches!(row.input, Input::BaseUrl | Input::RunUrl) {
                secrets.extend(proxy::user_info(text).into_iter().map(|part| (row.name, part.into())));
            }
        }
    }
    let exposed = inputs.exposed_secrets.iter().map(|(input, text)| (input.name(), text.to_string_lossy()));
    secrets.extend(exposed.filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.into_owned().into())));
    secrets.extend(proxy::secrets(env).into_iter().map(|part| ("proxy credentials", part.into())));
    secrets
}

/// What the step says beats the environment, and an unknown setting sets nothing: both are reported.
fn warnings(inputs: &Inputs) -> Vec<Warning> {
    let overruled = inputs.overruled().map(|given| {
        let winner = match inputs.chosen(given.input) {
            Some(chosen) => format!("{} has another value and comes first", chosen.called),
            None => "all credentials must come from the same source, and others come first".to_owned(),
        };
        Warning::ours(format!("{} is set but ignored: {winner}", given.called))
    });
    let unknown = inputs.unknown_settings.iter().map(|name| Warning {
        name: Some(crate::core::Untrusted::new(name.as_str())),
        what: "unknown setting, ignored".to_owned(),
    });
    overruled.chain(unknown).collect()
}
