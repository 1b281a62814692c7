//! The inputs: ONE table, and where each value may come from.
//!
//! Everything that names an input is made from [`ROWS`]: the flags and `--help` (`cli`), the variables looked up
//! (`lookup`), the checks in `config`, and the tests that hold README, `action.yml` and the GitLab component to it.
//! Nothing in here judges a value: `config` does.

mod args;
pub mod cli;
pub mod env;
mod lookup;
#[cfg(test)]
mod tests;

pub use args::{ArgumentError, Mode, mode};
pub use env::Env;
pub use lookup::{GivenValue, InputSource, Inputs, look_up, secret};

/// One input: its names, its kind and its line in `--help`.
#[derive(Clone, Debug)]
pub struct Row {
    pub input: Input,
    /// As in `--name`, in `action.yml` and in `INPUT_<NAME>`.
    pub name: &'static str,
    /// The named variable.
    pub variable: &'static str,
    pub kind: Kind,
    /// What stands for the value in `--help`; empty for a switch.
    pub value: &'static str,
    pub group: InputGroup,
    /// As a user would write it; `None` where being unset means something of its own.
    pub default: Option<&'static str>,
    pub help: &'static str,
}

impl Row {
    /// The variables by which a step of GitHub's family passes it: with hyphens, and with underscores.
    pub fn step_inputs(&self) -> [String; 2] {
        let hyphens = format!("INPUT_{}", self.name.to_ascii_uppercase());
        let underscores = hyphens.replace('-', "_");
        [hyphens, underscores]
    }

    /// The variable by which a step of Woodpecker or Drone passes it.
    pub fn setting(&self) -> String {
        format!("PLUGIN_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }
}

/// What kind of value an input takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One value.
    One,
    /// Several: the flag may be repeated.
    List,
    /// `true` or `false`; the flag alone means `true`.
    Switch,
    /// The path of a file that holds a secret. Never shown: now and then somebody gives the secret itself.
    SecretFile,
    /// A secret: no flag, since process lists show flags; never shown.
    Secret,
}

/// The headings of `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputGroup {
    Runs,
    Waiting,
    Service,
    SignIn,
    Reports,
    Log,
}

impl InputGroup {
    pub const fn heading(self) -> &'static str {
        match self {
            InputGroup::Runs => "What to wait for",
            InputGroup::Waiting => "How to wait",
            InputGroup::Service => "The service",
            InputGroup::SignIn => "Signing in",
            InputGroup::Reports => "Reports",
            InputGroup::Log => "Log",
        }
    }
}

impl Input {
    /// This input's row of the table.
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The input called `name`, as flags write it.
    pub fn named(name: &str) -> Option<Input> {
        ROWS.iter().find(|row| row.name == name).map(|row| row.input)
    }

    pub fn is_secret(self) -> bool {
        self.row().kind == Kind::Secret
    }

    /// Whether a report may show the value.
    pub fn may_be_shown(self) -> bool {
        !matches!(self.row().kind, Kind::Secret | Kind::SecretFile)
    }

    pub fn has_flag(self) -> bool {
        !self.is_secret()
    }

    /// The one-letter form of the flag.
    #[expect(clippy::wildcard_enum_match_arm, reason = "few flags have one, and a new input has none")]
    pub fn short(self) -> Option<char> {
        match self {
            Input::Quiet => Some('q'),
            Input::Verbose => Some('v'),
            _ => None,
        }
    }
}

/// YAML's words for a switch, and no others: `yes`, `on` and `1` mean different things to different readers.
pub fn switch(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Makes the inputs and their rows from one table.
macro_rules! inputs {
    ($($input:ident: $name:literal, $variable:literal, $kind:ident, $value:literal, $group:ident, $default:expr,
        $help:literal;)*) => {
        /// Every input, in the order of the reference's table, which is also the order in which input errors are reported.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Input {
            $($input,)*
        }

        /// THE table (docs/reference.md#inputs).
        pub const ROWS: [Row; [$(Input::$input),*].len()] = [$(Row {
            input: Input::$input,
            name: $name,
            variable: $variable,
            kind: Kind::$kind,
            value: $value,
            group: InputGroup::$group,
            default: $default,
            help: $help,
        }),*];
    };
}

inputs! {
    PipelineId: "pipeline-id", "MAESTRO_PIPELINE_ID", List, "ID", Runs, None,
        "The pipeline; several are allowed with latest, last-success and trigger. Required unless every entry of run-id \
         names its own";
    RunId: "run-id", "MAESTRO_RUN_ID", List, "RUN", Runs, None,
        "The runs to wait for: RUN, latest, last-success, or one of them as PIPELINE/...; separated by commas, blanks or \
         line breaks, or the flag repeated";
    Trigger: "trigger", "MAESTRO_TRIGGER", Switch, "", Runs, Some("false"),
        "Start the pipeline, then wait for the run that this started; excludes run-id";
    IfRunning: "if-running", "MAESTRO_IF_RUNNING", One, "WHAT", Runs, Some("queue"),
        "With trigger, if a run is already in progress: queue, attach or fail";
    Retries: "retries", "MAESTRO_RETRIES", One, "NUMBER", Runs, Some("0"),
        "With trigger, how often to start the pipeline again after its run has FAILED, 0 to 5; only if a load may be repeated";
    MaxAge: "max-age", "MAESTRO_MAX_AGE", One, "DURATION", Runs, None,
        "A success that finished longer ago is stale; any = of any age. With latest and last-success, set this or \
         started-after";
    StartedAfter: "started-after", "MAESTRO_STARTED_AFTER", One, "TIMESTAMP", Runs, None,
        "A success that started earlier is stale: RFC 3339, such as 2024-01-15T06:00:00Z, or a Unix time";
    IfStale: "if-stale", "MAESTRO_IF_STALE", One, "WHAT", Runs, Some("fail"),
        "With latest and last-success, if there is no fresh run: fail, or wait until timeout for one";
    // Below the one hour at which GitLab and Azure kill a job.
    Timeout: "timeout", "MAESTRO_TIMEOUT", One, "DURATION", Waiting, Some("50m"),
        "Limit for the whole wait, at most 30d; 0 = poll once";
    PollInterval: "poll-interval", "MAESTRO_POLL_INTERVAL", One, "DURATION", Waiting, Some("auto"),
        "Time between two polls: auto, or 1s to 1h";
    AppearTimeout: "appear-timeout", "MAESTRO_APPEAR_TIMEOUT", One, "DURATION", Waiting, Some("2m"),
        "How long the service may not know the run";
    MaxOutage: "max-outage", "MAESTRO_MAX_OUTAGE", One, "DURATION", Waiting, Some("10m"),
        "How long the service may give no usable answer";
    FailFast: "fail-fast", "MAESTRO_FAIL_FAST", Switch, "", Waiting, Some("false"),
        "With several runs, stop waiting at the first that did not pass";
    History: "history", "MAESTRO_HISTORY", Switch, "", Waiting, Some("true"),
        "Use the pipeline's previous runs to place polls, estimate the time left and draw charts";
    Details: "details", "MAESTRO_DETAILS", Switch, "", Waiting, Some("true"),
        "Request the pipeline's name, schedule and state, to show them";
    SuccessStatuses: "success-statuses", "MAESTRO_SUCCESS_STATUSES", List, "WORDS", Waiting, None,
        "Status values that pass besides SUCCESS, separated by commas or line breaks";
    FailureStatuses: "failure-statuses", "MAESTRO_FAILURE_STATUSES", List, "WORDS", Waiting, None,
        "Status values that fail besides FAILED and similar ones";
    BaseUrl: "base-url", "MAESTRO_BASE_URL", One, "URL", Service, Some("https://maestro.dadosfera.ai"),
        "Address of the service, https (http only to this machine); a path prefix is kept";
    RunUrl: "run-url", "MAESTRO_RUN_URL", One, "TEMPLATE", Service, None,
        "Template for the link to a run in reports: an https address with {pipeline_id} and {run_id}, or with \
         {pipeline_id_hyphenated} and {run_id_hyphenated}";
    Username: "username", "DADOSFERA_USERNAME", One, "NAME", SignIn, None,
        "Sign-in name, an e-mail address; used with password or password-file";
    Password: "password", "DADOSFERA_PASSWORD", Secret, "PASSWORD", SignIn, None,
        "The password";
    PasswordFile: "password-file", "DADOSFERA_PASSWORD_FILE", SecretFile, "PATH", SignIn, None,
        "A file that holds the password";
    TotpSecret: "totp-secret", "DADOSFERA_TOTP_SECRET", Secret, "SECRET", SignIn, None,
        "The MFA secret, base32 or an otpauth:// address";
    AccessToken: "access-token", "DADOSFERA_ACCESS_TOKEN", Secret, "TOKEN", SignIn, None,
        "An access token made elsewhere";
    AccessTokenFile: "access-token-file", "DADOSFERA_ACCESS_TOKEN_FILE", SecretFile, "PATH", SignIn, None,
        "A file that holds an access token; read again when the token is refused";
    CaFile: "ca-file", "MAESTRO_CA_FILE", One, "PATH", Service, None,
        "File of additional trusted root certificates; the system's and the bundled ones stay trusted";
    Summary: "summary", "MAESTRO_SUMMARY", Switch, "", Reports, Some("true"),
        "Write the CI's job summary";
    Logs: "logs", "MAESTRO_LOGS", One, "WHEN", Reports, Some("on-failure"),
        "Fetch the run's logs: on-failure, always or never";
    TraceFile: "trace-file", "MAESTRO_TRACE_FILE", One, "PATH", Reports, None,
        "Write the whole trace, and the logs, to this file";
    Json: "json", "MAESTRO_JSON_FILE", One, "PATH", Reports, None,
        "Write a JSON report";
    Junit: "junit", "MAESTRO_JUNIT_FILE", One, "PATH", Reports, None,
        "Write a JUnit report";
    Dotenv: "dotenv", "MAESTRO_DOTENV_FILE", One, "PATH", Reports, None,
        "Write the outputs as NAME=value lines";
    Markdown: "markdown", "MAESTRO_MARKDOWN_FILE", One, "PATH", Reports, None,
        "Write the summary as Markdown";
    OutputDir: "output-dir", "MAESTRO_OUTPUT_DIR", One, "PATH", Reports, None,
        "Write one file per output into this folder";
    OutputPrefix: "output-prefix", "MAESTRO_OUTPUT_PREFIX", One, "PREFIX", Reports, Some("MAESTRO_GATE_"),
        "Prefix of the variable names that the gate writes";
    Ci: "ci", "MAESTRO_CI", One, "NAME", Reports, Some("auto"),
        "The CI system to report to: auto, none, or its name (github, azure, teamcity, circleci, ...)";
    LogFormat: "log-format", "MAESTRO_LOG_FORMAT", One, "FORMAT", Log, Some("text"),
        "text, or json: one object a line";
    Quiet: "quiet", "MAESTRO_QUIET", Switch, "", Log, Some("false"),
        "Print only the heartbeat and the verdict";
    Verbose: "verbose", "MAESTRO_VERBOSE", Switch, "", Log, Some("false"),
        "Print every poll";
}
