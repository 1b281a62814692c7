//! What the gate will do: every default, every check; all mistakes at once.

use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use url::Url;

use crate::gate::{Rules, Target};

pub mod ci;

/// What to wait for, and how.
#[derive(Debug)]
pub struct Plan {
    pub targets: Vec<Target>,
    pub rules: Rules,
    pub service: Service,
    pub run_url: Option<RunUrl>,
    pub logs: Logs,
}

/// How to reach the service.
#[derive(Debug)]
pub struct Service {
    /// `https`, or `http` to a loopback host; no user info, query or fragment; a path prefix is kept.
    pub base: Url,
    /// Whether the base is plain `http` to loopback: such requests never go through a proxy.
    pub credentials: Credentials,
    /// Further trusted roots (`ca-file`), already read and checked.
    pub further_roots: Vec<CertificateDer<'static>>,
}

/// One way to sign in.
#[derive(Debug)]
pub enum Credentials {
    Password {
        username: String,
        password: SecretString,
        totp_secret: Option<Totp>,
    },
    /// A token made elsewhere.
    Token(SecretString),
    /// A file with a token, read again when its token is refused.
    TokenFile(PathBuf),
}

/// When to fetch the run's logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logs {
    Never,
    OnFailure,
    Always,
}

/// The template of `run-url`, checked: https, with its placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunUrl(String);

/// A checked TOTP secret.
#[derive(Debug)]
pub struct Totp;

/// A placeholder until `plan` has its own.
impl Totp {
    pub fn step_at(&self, unix_seconds: u64) -> u64 {
        unix_seconds / 30
    }

    pub fn code(&self, step: u64) -> String {
        format!("{:06}", step % 1_000_000)
    }

    pub fn ends(&self, step: u64) -> u64 {
        (step + 1) * 30
    }
}

/// Where and how to report. Made even when the plan is not: mistakes are reported too.
#[derive(Clone, Debug)]
pub struct Outlet {
    pub ci: ci::Ci,
    /// `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY`, where the CI offers them (the summary only if it is wanted).
    pub ci_output: Option<PathBuf>,
    pub ci_summary: Option<PathBuf>,
    /// The report files asked for.
    pub json: Option<PathBuf>,
    pub junit: Option<PathBuf>,
    pub dotenv: Option<PathBuf>,
    pub markdown: Option<PathBuf>,
    pub trace_file: Option<PathBuf>,
    pub output_dir: Option<PathBuf>,
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
