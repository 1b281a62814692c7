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

use crate::core::{
    Freshness, IfStale, Interval, Learning, Limits, OnFirstFailure, Rules, Vocabulary, Wanted, WordError,
};
use crate::inputs::{ArgumentError, Env, Input, Inputs, Mode, ROWS, cli, look_up};
use crate::report::ci::CiSystem;

pub use address::{LinkTarget, RunUrl, pipeline_page};
pub use collision::{Collision, CollisionKind, FileLocation, OccupiedPath};
pub use credentials::{SECRET_LIMIT, odd_password};
pub use destination::{Destination, DocumentKind, NamedBy, WriteTarget};
pub use extra_roots::SystemRoots;
pub use input_error::{InputError, InputSubject, Warning};
pub use output_config::LOG_TAKEN;
pub use route::{Proxy, ProxyKind};
pub use totp::Totp;

use proxy::UserInfoRule;
use route::ProxySettings;
use validator::{InvalidValue, Validator};
use value::{Separator, choice, duration_within, list, switch, timestamp};

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

/// What the command line and the environment ask for.
#[derive(Debug)]
pub enum Start {
    /// Help or version, asked for alone: a text to print, and success.
    Show(String),
    Gate(Box<Resolved>),
    /// To check what a gate of these inputs would need.
    Doctor(Box<Resolved>),
}

/// All that is known before the first request.
#[derive(Debug)]
pub struct Resolved {
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

/// The help or the version, if the arguments ask for nothing else.
pub fn requested_text(args: &[OsString]) -> Option<String> {
    text_of(crate::inputs::mode(args))
}

fn text_of(mode: Option<Mode>) -> Option<String> {
    match mode? {
        Mode::Help => Some(help::text()),
        Mode::Version => Some(cli::version()),
        Mode::Doctor => None,
    }
}

/// Reads, completes and checks all inputs.
pub fn resolve(args: &[OsString], env: &Env, file: &ReadWithin<'_>) -> Start {
    let inputs = look_up(args, env);
    if let Some(text) = text_of(inputs.mode) {
        return Start::Show(text);
    }
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
    let resolved = Box::new(Resolved { output_config, secrets, warnings, help, config });
    if inputs.mode == Some(Mode::Doctor) { Start::Doctor(resolved) } else { Start::Gate(resolved) }
}

/// The plan; `None` if a part of it is wrong or missing, which is noted.
fn config(validator: &mut Validator<'_>, file: &ReadWithin<'_>) -> Option<Config> {
    let wanted = run_inputs::read(validator);
    let timeout = validator.read(Input::Timeout, |text| duration_within(text, "0", "30d"));
    let file = &|path: &Path| file(path, timeout);
    let rules = rules(validator, timeout);
    let base = validator.read(Input::BaseUrl, address::base_url);
    let run_url = validator.read_optional(Input::RunUrl, address::run_url);
    let credentials = credentials::read(validator, file);
    credential_owner::check(validator);
    let further_roots = validator.read_optional(Input::CaFile, |path| {
        let bytes = file(Path::new(path)).map_err(|error| format!("the file cannot be read ({})", error.kind()))?;
        extra_roots::read(&bytes).map_err(InvalidValue::from)
    });
    let whens = [("on-failure", Logs::OnFailure), ("always", Logs::Always), ("never", Logs::Never)];
    let logs = validator.read(Input::Logs, |text| choice(text, &whens));
    let details = validator.read(Input::Details, switch);
    let proxies = validator.accept(ProxySettings::read(validator.env));
    let base = base?;
    let links = LinkTarget::new(run_url?, &base);
    let network = Network {
        further_roots: further_roots?.unwrap_or_default(),
        system_roots: SystemRoots::read(validator.env),
        proxy: proxies?.proxy_for(&base),
    };
    let service = Service { base, credentials: credentials?, network };
    Some(Config { wanted: wanted?, rules: rules?, service, links, logs: logs?, details: details? })
}

/// The values of `if-stale`.
const IF_STALE: [(&str, IfStale); 2] = [("fail", IfStale::Fail), ("wait", IfStale::Wait)];

fn rules(validator: &mut Validator<'_>, timeout: Option<Duration>) -> Option<Rules> {
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
    let if_stale = validator.read(Input::IfStale, |text| choice(text, &IF_STALE));
    let retries = validator.read(Input::Retries, |text| choice(text, &run_inputs::RETRIES));
    let learning =
        validator.read(Input::History, |text| switch(text).map(|on| if on { Learning::On } else { Learning::Off }));
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        if validator.given(Input::Trigger).is_some_and(|(_, text)| switch(text).is_ok_and(|trigger| trigger)) {
            validator
                .refuse(Input::Timeout, "leaves no time to wait for the run that trigger starts. Set a longer timeout");
        }
        if if_stale == Some(IfStale::Wait) {
            let what = "cannot be used with timeout 0, which leaves no time to wait. Set a longer timeout";
            validator.refuse(Input::IfStale, what);
        }
    }
    let vocabulary = vocabulary(validator);
    let limits = Limits { timeout: timeout?, appear: appear?, outage: outage? };
    Some(Rules {
        limits,
        interval: interval?,
        vocabulary: vocabulary?,
        on_first_failure: on_first_failure?,
        freshness: Freshness { max_age: max_age?.flatten(), started_after: started_after? },
        if_stale: if_stale?,
        retries: retries?,
        began: None,
        learning: learning?,
    })
}

/// The user's own status values.
fn vocabulary(validator: &mut Validator<'_>) -> Option<Vocabulary> {
    let words = |text: &str| -> Result<Vec<String>, InvalidValue> {
        let words = list(text, Separator::LineBreaks)?;
        match words.iter().find(|word| word.contains(char::is_control)) {
            Some(odd) => Err(InvalidValue::part(*odd, "a status word cannot contain control characters")),
            None => Ok(words.into_iter().map(str::to_owned).collect()),
        }
    };
    let success = validator.read_optional(Input::SuccessStatuses, words);
    let failure = validator.read_optional(Input::FailureStatuses, words);
    let (success, failure) = (success?.unwrap_or_default(), failure?.unwrap_or_default());
    // Each list on its own first: a word's error does not tell which list it stood in.
    let alone = [
        (Input::SuccessStatuses, Vocabulary::new(success.clone(), Vec::new())),
        (Input::FailureStatuses, Vocabulary::new(Vec::new(), failure.clone())),
    ];
    let mut wrong: Vec<(Input, String, WordError)> = Vec::new();
    for (input, result) in alone {
        wrong.extend(result.err().into_iter().flatten().map(|(word, error)| (input, word, error)));
    }
    let together = match Vocabulary::new(success, failure) {
        Ok(vocabulary) => return Some(vocabulary),
        Err(together) => together.into_iter().filter(|(_, error)| *error == WordError::InBoth),
    };
    wrong.extend(together.map(|(word, error)| (Input::SuccessStatuses, word, error)));
    for (input, word, error) in wrong {
        validator.refuse(input, InvalidValue::part(word, error.to_string()));
    }
    None
}

/// The names of all variables that may hold a secret of ours: what another program must not inherit.
pub fn secret_variables() -> Vec<String> {
    let names = |row: &crate::inputs::Row| {
        let shout = row.name.to_ascii_uppercase();
        let snake = shout.replace('-', "_");
        [row.variable.to_owned(), format!("INPUT_{shout}"), format!("INPUT_{snake}"), format!("PLUGIN_{snake}")]
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
                secrets.extend(
                    proxy::user_info(text, UserInfoRule::Strict).into_iter().map(|part| (row.name, part.into())),
                );
            }
        }
    }
    let exposed_secrets = inputs.exposed_secrets.iter().filter(|(_, text)| !text.is_empty());
    secrets.extend(exposed_secrets.map(|(input, text)| (input.name(), text.as_str().into())));
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
