//! The CI systems: each has a file that says how it is recognized, where it takes results, and how its log is written.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::Report;
use super::sanitize::Sanitized;
use github::Delimiter;

mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod cloud_build;
mod codebuild;
mod drone;
pub mod github;
pub mod gitlab;
mod jenkins;
mod none;
mod teamcity;
mod woodpecker;

/// All of them, in the order of detection: the first whose mark is set is the one.
///
/// The GitHub family comes first, because its runners pass their own environment on into whatever a job starts. Jenkins
/// comes last, because its variables are common on agents that run more than Jenkins.
pub static ALL: [&CiSystem; 13] = [
    &github::GITHUB,
    &gitlab::GITLAB,
    &azure::AZURE,
    &buildkite::BUILDKITE,
    &circleci::CIRCLECI,
    &bitbucket::BITBUCKET,
    &teamcity::TEAMCITY,
    &codebuild::CODEBUILD,
    &cloud_build::CLOUD_BUILD,
    &drone::DRONE,
    &woodpecker::WOODPECKER,
    &jenkins::JENKINS,
    &none::NONE,
];

/// What the gate has to know of a CI system. A file says only how it differs from [`PLAIN`].
#[derive(Debug)]
pub struct CiSystem {
    /// The values of the input `ci` that mean it; the first is its name.
    pub names: &'static [&'static str],
    /// What tells it in the environment.
    pub marks: &'static [EnvMarker],
    /// A capability instead of a mark: it decides where no system has its mark.
    pub weak_mark: Option<EnvMarker>,
    /// Variables that name a file in which it reads commands, state or results: no report may be written there.
    pub command_files: &'static [&'static str],
    /// Variables that name the folder of the job's checked-out files: a link in there may be part of a proposed change.
    pub workspaces: &'static [&'static str],
    pub outputs: OutputChannel,
    pub summary: SummaryChannel,
    /// Whether its pages draw Mermaid charts.
    pub draws_mermaid: bool,
    /// Whether it takes a file of links beside the dotenv or JUnit file.
    pub takes_links: bool,
    /// Long untrusted text in the log, folded if the system can.
    pub fold: fn(&Folded, &LogContext) -> String,
    /// What follows the folded text in the log, if there was any.
    pub after_folds: fn(&Report) -> String,
    /// Warnings and the error, in the form in which its pages show them.
    pub problems: fn(&Report, &LogContext) -> String,
    /// Why a secret that was set up may be empty in a job; it goes on from the sentence about the missing input.
    pub missing_secrets: &'static str,
}

/// What is recognized in the environment.
#[derive(Clone, Copy, Debug)]
pub enum EnvMarker {
    /// It says `true`, in any case.
    True(&'static str),
    /// It is set.
    Set(&'static str),
    /// It has this value, in any case.
    Says(&'static str, &'static str),
}

/// Where the outputs go.
#[derive(Clone, Copy, Debug)]
pub enum OutputChannel {
    /// Only where inputs ask for them.
    Nowhere,
    /// To a file that others write to as well: appended.
    Appended { variable: &'static str, render: RenderOutputs },
    /// To a file of this name in the folder that the variable names.
    InFolder { variable: &'static str, file: &'static str, render: RenderOutputs },
    /// As commands in the log, which therefore must be text.
    Log(fn(&Report, &str) -> String),
    /// To a program of the system.
    Agent { program: &'static str, calls: fn(&Report, &str) -> Vec<AgentCall> },
}

/// The outputs with their prefix. The last argument makes a delimiter that nobody can guess.
pub type RenderOutputs = fn(&Report, &str, fn() -> Delimiter) -> String;

/// Where the job summary goes.
#[derive(Clone, Copy, Debug)]
pub enum SummaryChannel {
    /// Nowhere: only the `markdown` report has it.
    Nowhere,
    /// Appended to the file that this variable names.
    Appended(&'static str),
    /// To a program of the system, with the outputs' prefix and the page.
    Agent { program: &'static str, calls: fn(&Report, &str, String) -> Vec<AgentCall> },
    /// As a file whose path is a command in the log. Without a `markdown` report it lies in the folder that the variable
    /// names, where files stay until the job is over.
    Uploaded { folder: &'static str, command: fn(&Path) -> String },
}

/// One call of a CI's own program.
pub struct AgentCall {
    pub arguments: Vec<String>,
    pub input: String,
}

/// A piece of untrusted text for the log.
#[derive(serde::Serialize)]
pub struct Folded {
    pub title: String,
    pub text: Sanitized,
    /// Which of the log's pieces it is, from 0.
    #[serde(skip)]
    pub index: usize,
}

/// What the log's grammar needs besides the report.
pub struct LogContext<'a> {
    /// A token that nobody can guess.
    pub token: Delimiter,
    pub now: DateTime<Utc>,
    /// The prefix of the outputs, which tells two gates of a job apart.
    pub prefix: &'a str,
}

/// A system that takes nothing but report files, which the job names.
pub const PLAIN: CiSystem = CiSystem {
    names: &[],
    marks: &[],
    weak_mark: None,
    command_files: &[],
    workspaces: &[],
    outputs: OutputChannel::Nowhere,
    summary: SummaryChannel::Nowhere,
    draws_mermaid: false,
    takes_links: false,
    fold: none::fold,
    after_folds: |_| String::new(),
    problems: |_, _| String::new(),
    missing_secrets: ". If they come from the CI's secrets: are the secrets available to this build? Pull requests from \
                      forks usually get none",
};

impl CiSystem {
    /// The system of no CI.
    pub const fn none() -> &'static CiSystem {
        &none::NONE
    }

    /// The system that the input `ci` names.
    pub fn named(name: &str) -> Option<&'static CiSystem> {
        ALL.into_iter().find(|system| system.names.contains(&name))
    }

    pub fn name(&self) -> &'static str {
        self.names[0]
    }

    /// Whether results are commands in the log, so that the log has to be text.
    pub fn has_commands_in_log(&self) -> bool {
        matches!(self.outputs, OutputChannel::Log(_))
    }

    /// The commands that set the outputs in the log; the last one of a name wins.
    pub fn log_commands(&self, report: &Report, prefix: &str) -> String {
        if let OutputChannel::Log(render) = self.outputs { render(report, prefix) } else { String::new() }
    }
}

impl PartialEq for CiSystem {
    fn eq(&self, other: &CiSystem) -> bool {
        self.names == other.names
    }
}

impl Eq for CiSystem {}
