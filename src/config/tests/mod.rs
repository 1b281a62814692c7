//! The plan's promises, line by line of the reference's sections docs/reference.md#inputs and #selecting-runs.

mod addresses;
mod ci_detection;
mod credential_sources;
mod hostile;
mod reports;
mod runs;
mod sign_in;
mod typos;

use std::collections::HashMap;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;
use crate::core::{Learning, Meaning, Untrusted};

/// Enough to make a plan of.
const ENOUGH: [(&str, &str); 3] =
    [("MAESTRO_PIPELINE_ID", "p"), ("MAESTRO_RUN_ID", "r"), ("DADOSFERA_ACCESS_TOKEN", "token-of-old")];

/// A gate's inputs, as a story tells them.
#[derive(Default)]
struct Story {
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    files: HashMap<PathBuf, Vec<u8>>,
}

fn story() -> Story {
    Story::default()
}

impl Story {
    fn args(mut self, args: &[&str]) -> Story {
        self.args.extend(args.iter().map(OsString::from));
        self
    }

    fn env(mut self, pairs: &[(&str, &str)]) -> Story {
        self.env.extend(pairs.iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Story {
        self.files.insert(path.into(), content.as_ref().to_vec());
        self
    }

    fn resolved(&self) -> Resolved {
        assert_eq!(requested_text(&self.args), None);
        let read = |path: &Path, _: Option<Duration>| {
            self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        resolve(&self.args, &Env::new(self.env.iter().cloned(), Some("/work".into())), &read)
    }

    /// What is printed instead of waiting.
    fn shown(&self) -> String {
        requested_text(&self.args).expect("a text is asked for")
    }

    fn config(&self) -> Config {
        self.resolved().config.unwrap_or_else(|input_errors| panic!("{:?}", sentences(&input_errors)))
    }

    /// Every input error as a person sees it.
    fn input_errors(&self) -> Vec<String> {
        sentences(&self.resolved().config.expect_err("mistakes were expected"))
    }

    /// The only input error.
    fn input_error(&self) -> String {
        let mut input_errors = self.input_errors();
        assert_eq!(input_errors.len(), 1, "{input_errors:?}");
        input_errors.remove(0)
    }

    fn warnings(&self) -> Vec<String> {
        self.resolved().warnings.iter().map(|warning| warning.sentence(raw)).collect()
    }
}

fn sentences(input_errors: &[InputError]) -> Vec<String> {
    assert!(!input_errors.is_empty());
    input_errors.iter().map(|input_error| input_error.sentence(raw)).collect()
}

fn raw(text: &Untrusted) -> String {
    text.raw().to_owned()
}

fn with(name: &str, value: &str) -> Story {
    story().env(&ENOUGH).env(&[(name, value)])
}

#[test]
fn every_default_is_the_reference_s() {
    let Resolved { is_doctor, output_config, secrets, warnings, help, config } = story().env(&ENOUGH).resolved();
    let config = config.unwrap();
    assert_eq!((is_doctor, help), (false, None));
    let minutes = |count: u64| Duration::from_secs(60 * count);
    assert_eq!(config.rules.limits, Limits { timeout: minutes(50), appear: minutes(2), outage: minutes(10) });
    assert_eq!(config.rules.interval, Interval::Auto);
    assert_eq!(config.rules.on_first_failure, OnFirstFailure::WaitForAll);
    assert_eq!(config.rules.vocabulary, Vocabulary::default());
    assert_eq!(config.service.base.as_str(), "https://maestro.dadosfera.ai/");
    assert!(config.service.network.further_roots.is_empty());
    assert_eq!((config.links, config.logs), (Some(LinkTarget::PipelinePage), Logs::OnFailure));
    assert!(warnings.is_empty());
    assert_eq!(secrets.len(), 1);
    let expected = OutputConfig {
        ci: crate::report::ci::CiSystem::none(),
        destinations: Vec::new(),
        has_mermaid: false,
        workspaces: Vec::new(),
        working_folder: Some("/work".into()),
        others: Vec::new(),
        output_prefix: "MAESTRO_GATE_".to_owned(),
        log_format: LogFormat::Text,
        volume: Volume::Normal,
        colour: Colour::Auto,
    };
    assert_eq!(output_config, expected);
}

/// A default that its own parser refused would be missing without a word.
#[test]
fn every_default_can_be_written_by_the_user_as_well() {
    let inputs = ROWS.iter().map(|row| row.input);
    let env: Vec<(&str, &str)> =
        inputs.filter_map(|input| Some((input.row().variable, input.row().default?))).chain(ENOUGH).collect();
    let (written, unwritten) = (story().env(&env), story().env(&ENOUGH));
    assert_eq!(format!("{:?}", written.config()), format!("{:?}", unwritten.config()));
    assert_eq!(written.resolved().output_config, unwritten.resolved().output_config);
}

#[test]
fn times_are_read_within_their_ranges() {
    for (name, good, bad) in [
        ("MAESTRO_TIMEOUT", &["0", "90", "1h30m", "30d"][..], &["-1", "30d1s", "1.5h", "ever"][..]),
        ("MAESTRO_POLL_INTERVAL", &["auto", "1", "1h"], &["0", "61m", "Auto", "500ms"]),
        ("MAESTRO_APPEAR_TIMEOUT", &["0", "30d"], &["31d", "auto"]),
        ("MAESTRO_MAX_OUTAGE", &["0", "30d"], &["31d", "1h30"]),
    ] {
        for value in good {
            with(name, value).config();
        }
        for value in bad {
            let input_error = with(name, value).input_error();
            assert!(input_error.contains(&format!("\"{value}\" ({name})")), "{input_error}");
        }
    }
    let limits = story()
        .env(&ENOUGH)
        .args(&["--timeout", "0", "--appear-timeout=1h", "--max-outage", "90s"])
        .config()
        .rules
        .limits;
    let seconds = Duration::from_secs;
    assert_eq!(limits, Limits { timeout: seconds(0), appear: seconds(3600), outage: seconds(90) });
}

#[test]
fn switches_take_six_words_and_no_other() {
    assert_eq!(with("MAESTRO_FAIL_FAST", "True").config().rules.on_first_failure, OnFirstFailure::StopWaiting);
    assert_eq!(with("MAESTRO_FAIL_FAST", "FALSE").config().rules.on_first_failure, OnFirstFailure::WaitForAll);
    for name in ["MAESTRO_FAIL_FAST", "MAESTRO_SUMMARY", "MAESTRO_QUIET", "MAESTRO_VERBOSE"] {
        assert!(with(name, "yes").input_error().ends_with("neither true nor false"), "{name}");
    }
}

#[test]
fn a_user_s_words_are_learnt() {
    let config = story()
        .env(&ENOUGH)
        .args(&["--success-statuses", "DONE, all good\nskipped", "--failure-statuses=BROKEN"])
        .config();
    for (word, meaning) in [
        ("done", Meaning::Passed),
        ("ALL GOOD", Meaning::Passed),
        ("SKIPPED", Meaning::Passed),
        ("broken", Meaning::Failed),
    ] {
        assert_eq!(config.rules.vocabulary.read(word), meaning, "{word}");
    }
}

#[test]
fn words_that_would_fool_the_gate_are_all_reported() {
    let story = story()
        .env(&ENOUGH)
        .env(&[("MAESTRO_SUCCESS_STATUSES", "FAILED, QUEUED, X"), ("MAESTRO_FAILURE_STATUSES", "SUCCESS,RUNNING,x")]);
    let input_errors = story.input_errors();
    let expected = [
        "success-statuses \"FAILED\" (MAESTRO_SUCCESS_STATUSES): this status always means failure",
        "success-statuses \"QUEUED\" (MAESTRO_SUCCESS_STATUSES): this status means that the run has not finished",
        "success-statuses \"X\" (MAESTRO_SUCCESS_STATUSES): in both success-statuses and failure-statuses. Remove it from \
         one",
        "failure-statuses \"SUCCESS\" (MAESTRO_FAILURE_STATUSES): this status always means success",
        "failure-statuses \"RUNNING\" (MAESTRO_FAILURE_STATUSES): this status means that the run has not finished",
    ];
    assert_eq!(input_errors, expected);
    assert!(with("MAESTRO_SUCCESS_STATUSES", "DONE,,OK").input_error().contains("comma"));
}

#[test]
fn history_is_learned_from_unless_it_is_switched_off() {
    assert_eq!(story().env(&ENOUGH).config().rules.learning, Learning::On);
    // Empty means unset, here as well: composite actions pass every input.
    assert_eq!(story().env(&ENOUGH).args(&["--history="]).config().rules.learning, Learning::On);
    assert_eq!(with("MAESTRO_HISTORY", "false").config().rules.learning, Learning::Off);
    assert!(with("MAESTRO_HISTORY", "no").input_error().contains("history"));
}

#[test]
fn doctor_comes_before_all_flags() {
    let resolved = story().env(&ENOUGH).args(&["doctor", "--quiet"]).resolved();
    assert!(resolved.is_doctor && resolved.config.is_ok());
    assert!(
        story().env(&ENOUGH).args(&["--quiet", "doctor"]).input_error().contains("`doctor` must be the first argument")
    );
}

/// docs/reference.md: all input errors are reported at once (input, value unless secret, what would be right).
#[test]
fn all_input_errors_are_reported_at_once_in_input_order() {
    let story = story()
        .args(&["--fail-fast=maybe", "--nope", "--verbose", "--quiet"])
        .env(&[("MAESTRO_TIMEOUT", "ever"), ("DADOSFERA_PASSWORD", "hunter2"), ("MAESTRO_BASE_URL", "ftp://x")])
        .env(&[("MAESTRO_JSON_FILE", "same"), ("MAESTRO_JUNIT_FILE", "./same"), ("MAESTRO_OUTPUT_PREFIX", "1")]);
    let input_errors = story.input_errors();
    let beginnings = [
        "command line \"--nope\":",
        "pipeline-id:",
        "run-id:",
        "timeout \"ever\" (MAESTRO_TIMEOUT):",
        "fail-fast \"maybe\" (--fail-fast):",
        "base-url \"ftp://x\" (MAESTRO_BASE_URL):",
        "username:",
        "junit \"./same\" (MAESTRO_JUNIT_FILE):",
        "output-prefix \"1\" (MAESTRO_OUTPUT_PREFIX):",
        "verbose \"true\" (--verbose):",
    ];
    assert_eq!(input_errors.len(), beginnings.len(), "{input_errors:#?}");
    for (input_error, beginning) in input_errors.iter().zip(beginnings) {
        assert!(input_error.starts_with(beginning), "{input_error} / {beginning}");
    }
    assert!(!input_errors.concat().contains("hunter2"));
}

#[test]
fn a_variable_that_loses_is_warned_about_and_no_secret_is_shown() {
    let story = story().env(&ENOUGH).env(&[
        ("GITHUB_ACTIONS", "true"),
        ("INPUT_TIMEOUT", "5m"),
        ("MAESTRO_TIMEOUT", "6m"),
        ("INPUT_ACCESS-TOKEN", "new-token"),
    ]);
    assert_eq!(
        story.warnings(),
        [
            "MAESTRO_TIMEOUT is set but ignored: INPUT_TIMEOUT has another value and comes first",
            "DADOSFERA_ACCESS_TOKEN is set but ignored: INPUT_ACCESS-TOKEN has another value and comes first",
        ]
    );
    assert_eq!(story.config().rules.limits.timeout, Duration::from_secs(300));
}

#[test]
fn an_unknown_setting_is_warned_about() {
    let story =
        story().env(&ENOUGH).env(&[("CI_SYSTEM_NAME", "woodpecker"), ("PLUGIN_RUNID", "x"), ("PLUGIN_TIMEOUT", "1")]);
    assert_eq!(story.warnings(), ["PLUGIN_RUNID: unknown setting, ignored"]);
}

#[test]
fn help_and_version_are_shown_and_nothing_else() {
    let help = story().args(&["--help"]).shown();
    for verdict in crate::core::Verdict::ALL {
        let line = format!("{:>3}  {}", verdict.exit_code(), verdict.name());
        assert!(help.lines().any(|found| found.trim_start().starts_with(line.trim_start())), "{line}");
    }
    for row in &ROWS {
        assert!(help.contains(row.variable), "{}", row.name);
        let default = row.default.map(|text| format!("[default: {text}]"));
        let unwrapped = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(default.is_none_or(|default| unwrapped.contains(&default)), "{}", row.name);
    }
    let version = story().args(&["-V"]).shown();
    assert_eq!(version.trim_end(), concat!("maestro-gate ", env!("CARGO_PKG_VERSION")));
    assert!(story().env(&ENOUGH).args(&["--quiet", "-V"]).input_error().contains("must be the only argument"));
}
