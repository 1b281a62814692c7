//! The table, the command line and the places, line by line of the reference.

mod command_line;

use std::ffi::OsString;

use super::cli;
use super::*;

fn words(text: &[&str]) -> Vec<OsString> {
    text.iter().map(OsString::from).collect()
}

fn inputs(args: &[&str], env: &[(&str, &str)]) -> Inputs {
    look_up(&words(args), &Env::new(env.iter().copied(), None))
}

/// What counts: name of the place and text.
fn chosen(inputs: &Inputs, input: Input) -> Option<(&str, &str)> {
    inputs.chosen(input).map(|given| (given.called.as_str(), given.text.as_deref().unwrap_or("(unreadable)")))
}

/// The beginnings of what is said where there is no text.
const NOT_UTF8: &str = "the value is not UTF-8 text";
const NO_VALUE: &str = "the flag needs a value. Write --";
const REPEATED: &str = "the flag was given more than once";
const EMPTY_AMONG_SEVERAL: &str = "the flag was repeated, and one of its values is empty or ends with a comma";
const TWO_SPELLINGS: &str = "the step sets INPUT_";

/// The text, or the one of these beginnings that says why there is none.
fn text_of(given: &GivenValue) -> Result<String, &'static str> {
    let kinds = [NOT_UTF8, NO_VALUE, REPEATED, EMPTY_AMONG_SEVERAL, TWO_SPELLINGS];
    let kind = |why: String| kinds.into_iter().find(|kind| why.starts_with(kind)).expect("one of these");
    given.text.clone().map_err(kind)
}

#[cfg(unix)]
fn bytes(raw: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(raw.to_vec())
}

#[test]
fn every_input_is_found_by_its_name() {
    for row in &ROWS {
        assert_eq!(row.input.row().name, row.name);
        assert_eq!(Input::named(row.name), Some(row.input));
    }
}

#[test]
fn names_and_variables_are_the_reference_s() {
    let table: Vec<(&str, &str)> = ROWS.iter().map(|row| (row.name, row.variable)).collect();
    let reference = [
        ("pipeline-id", "MAESTRO_PIPELINE_ID"),
        ("run-id", "MAESTRO_RUN_ID"),
        ("trigger", "MAESTRO_TRIGGER"),
        ("if-running", "MAESTRO_IF_RUNNING"),
        ("retries", "MAESTRO_RETRIES"),
        ("max-age", "MAESTRO_MAX_AGE"),
        ("started-after", "MAESTRO_STARTED_AFTER"),
        ("if-stale", "MAESTRO_IF_STALE"),
        ("timeout", "MAESTRO_TIMEOUT"),
        ("poll-interval", "MAESTRO_POLL_INTERVAL"),
        ("appear-timeout", "MAESTRO_APPEAR_TIMEOUT"),
        ("max-outage", "MAESTRO_MAX_OUTAGE"),
        ("fail-fast", "MAESTRO_FAIL_FAST"),
        ("history", "MAESTRO_HISTORY"),
        ("details", "MAESTRO_DETAILS"),
        ("success-statuses", "MAESTRO_SUCCESS_STATUSES"),
        ("failure-statuses", "MAESTRO_FAILURE_STATUSES"),
        ("base-url", "MAESTRO_BASE_URL"),
        ("run-url", "MAESTRO_RUN_URL"),
        ("username", "DADOSFERA_USERNAME"),
        ("password", "DADOSFERA_PASSWORD"),
        ("password-file", "DADOSFERA_PASSWORD_FILE"),
        ("totp-secret", "DADOSFERA_TOTP_SECRET"),
        ("access-token", "DADOSFERA_ACCESS_TOKEN"),
        ("access-token-file", "DADOSFERA_ACCESS_TOKEN_FILE"),
        ("ca-file", "MAESTRO_CA_FILE"),
        ("summary", "MAESTRO_SUMMARY"),
        ("logs", "MAESTRO_LOGS"),
        ("trace-file", "MAESTRO_TRACE_FILE"),
        ("json", "MAESTRO_JSON_FILE"),
        ("junit", "MAESTRO_JUNIT_FILE"),
        ("dotenv", "MAESTRO_DOTENV_FILE"),
        ("markdown", "MAESTRO_MARKDOWN_FILE"),
        ("output-dir", "MAESTRO_OUTPUT_DIR"),
        ("output-prefix", "MAESTRO_OUTPUT_PREFIX"),
        ("ci", "MAESTRO_CI"),
        ("log-format", "MAESTRO_LOG_FORMAT"),
        ("quiet", "MAESTRO_QUIET"),
        ("verbose", "MAESTRO_VERBOSE"),
    ];
    assert_eq!(table, reference);
}

#[test]
fn secrets_have_no_flag() {
    cli::command().debug_assert();
    let command = cli::command();
    let flags: Vec<&str> = command.get_arguments().filter_map(|arg| arg.get_long()).collect();
    for row in &ROWS {
        assert_eq!(flags.contains(&row.name), !row.input.is_secret(), "{}", row.name);
    }
    let secrets: Vec<&str> = ROWS.iter().filter(|row| row.input.is_secret()).map(|row| row.name).collect();
    assert_eq!(secrets, ["password", "totp-secret", "access-token"]);
}

#[test]
fn help_says_every_input_of_this_version_with_its_variable() {
    let help = cli::help(String::new());
    for row in ROWS.iter().filter(|row| row.input.has_flag()) {
        let is_shown = help.contains(&format!("--{} ", row.name)) || help.contains(&format!("--{}[", row.name));
        assert!(is_shown, "{}", row.name);
        assert!(help.contains(row.variable), "{}", row.name);
    }
    for heading in ["What to wait for:", "How to wait:", "The service:", "Signing in:", "Reports:", "Log:"] {
        assert!(help.contains(heading), "{heading}");
    }
}

/// docs/reference.md: flag, `INPUT_` with hyphens, `INPUT_` with underscores, `PLUGIN_`, the variable; first hit wins.
#[test]
fn the_first_hit_wins() {
    let all = [
        ("INPUT_RUN-ID", "hyphen"),
        ("INPUT_RUN_ID", "underscore"),
        ("PLUGIN_RUN_ID", "plugin"),
        ("MAESTRO_RUN_ID", "variable"),
    ];
    let hosts = [("GITHUB_ACTIONS", "true"), ("DRONE", "true")];
    let both: Vec<(&str, &str)> = all.into_iter().chain(hosts).collect();
    assert_eq!(chosen(&inputs(&["--run-id", "flag"], &both), Input::RunId), Some(("--run-id", "flag")));
    // The step has one spelling at a time.
    let mut left = [&all[1..], &hosts].concat();
    for (name, text) in &all[1..] {
        let (name, text) = (*name, *text);
        assert_eq!(chosen(&inputs(&[], &left), Input::RunId), Some((name, text)));
        // Empty means unset: the next place's turn, a flag's too.
        left.retain(|(other, _)| *other != name);
        left.push((name, " \t\n"));
    }
    assert_eq!(chosen(&inputs(&["--run-id", ""], &left), Input::RunId), None);
    let hyphens = [&all[..1], &all[2..], &hosts].concat();
    assert_eq!(chosen(&inputs(&[], &hyphens), Input::RunId), Some(("INPUT_RUN-ID", "hyphen")));
}

#[test]
fn input_variables_count_only_under_github_actions() {
    let step = ("INPUT_TIMEOUT", "5m");
    assert_eq!(chosen(&inputs(&[], &[step]), Input::Timeout), None);
    // Whatever it says: a value that an earlier step has changed must not drop what this step says.
    for value in ["true", "", "false", "1"] {
        let under = inputs(&[], &[step, ("GITHUB_ACTIONS", value), ("MAESTRO_TIMEOUT", "9m")]);
        assert_eq!(chosen(&under, Input::Timeout), Some(("INPUT_TIMEOUT", "5m")), "{value:?}");
    }
}

#[test]
fn plugin_settings_count_only_under_woodpecker_and_drone() {
    let setting = ("PLUGIN_POLL_INTERVAL", "5s");
    let unknown = ("PLUGIN_POLLINTERVAL", "5s");
    for elsewhere in [("CI", "true"), ("GITHUB_ACTIONS", "true"), ("CI_SYSTEM_NAME", "jenkins")] {
        let found = inputs(&[], &[setting, unknown, elsewhere]);
        assert_eq!(chosen(&found, Input::PollInterval), None, "{elsewhere:?}");
        assert!(found.unknown_settings.is_empty());
    }
    let hosts: [&[(&str, &str)]; 6] = [
        &[("DRONE", "true")],
        &[("DRONE", "1")],
        &[("CI", "drone")],
        &[("CI", "woodpecker")],
        &[("CI_SYSTEM_NAME", "woodpecker")],
        &[("CI_SYSTEM_NAME", "wp"), ("CI_PIPELINE_NUMBER", "7")],
    ];
    for host in hosts {
        let env: Vec<_> = host.iter().copied().chain([setting, unknown, ("PLUGIN_EMPTY", "")]).collect();
        let found = inputs(&[], &env);
        assert_eq!(chosen(&found, Input::PollInterval), Some(("PLUGIN_POLL_INTERVAL", "5s")), "{host:?}");
        assert_eq!(found.unknown_settings, ["PLUGIN_POLLINTERVAL"], "{host:?}");
    }
}

#[test]
fn values_are_trimmed_but_secrets_lose_only_line_breaks() {
    let found = inputs(&["--username", " me "], &[("MAESTRO_RUN_ID", "\t a,b \r\n")]);
    assert_eq!(chosen(&found, Input::RunId), Some(("MAESTRO_RUN_ID", "a,b")));
    assert_eq!(chosen(&found, Input::Username), Some(("--username", "me")));
    let found = inputs(&[], &[("DADOSFERA_PASSWORD", "  pass word \r\n\n")]);
    assert_eq!(chosen(&found, Input::Password), Some(("DADOSFERA_PASSWORD", "  pass word ")));
    assert_eq!(chosen(&inputs(&[], &[("DADOSFERA_PASSWORD", "\r\n")]), Input::Password), None);
}

#[test]
fn a_variable_that_loses_to_a_different_value_is_reported() {
    let lost = |args: &[&str], env: &[(&str, &str)]| -> Vec<String> {
        inputs(args, env).overruled().map(|given| given.called.clone()).collect()
    };
    let github = ("GITHUB_ACTIONS", "true");
    assert_eq!(lost(&["--timeout", "5m"], &[("MAESTRO_TIMEOUT", "6m")]), ["MAESTRO_TIMEOUT"]);
    assert_eq!(lost(&[], &[github, ("INPUT_TIMEOUT", "5m"), ("MAESTRO_TIMEOUT", "6m")]), ["MAESTRO_TIMEOUT"]);
    assert!(lost(&["--timeout", "5m"], &[("MAESTRO_TIMEOUT", " 5m ")]).is_empty());
    assert!(lost(&["--timeout", "5m"], &[("MAESTRO_TIMEOUT", "")]).is_empty());
    // act passes both spellings, with the same value.
    assert!(lost(&[], &[github, ("INPUT_RUN-ID", "a"), ("INPUT_RUN_ID", "a")]).is_empty());
}

/// An earlier step can set any variable of the job. Ours passes every input with underscores, be it empty.
#[test]
fn step_inputs_have_one_spelling() {
    let text = |env: &[(&str, &str)]| {
        let env = [&[("GITHUB_ACTIONS", "true")], env].concat();
        inputs(&[], &env).chosen(Input::BaseUrl).map(text_of)
    };
    let (hyphens, underscores) = ("INPUT_BASE-URL", "INPUT_BASE_URL");
    for ours in ["https://good.example", "", " \n"] {
        for other in ["https://evil.example", "https://good.example/", "HTTPS://good.example"] {
            let refused = Some(Err(TWO_SPELLINGS));
            assert_eq!(text(&[(underscores, ours), (hyphens, other)]), refused, "{ours:?} {other:?}");
        }
        // Absent, empty or equal.
        let expected = (!ours.trim().is_empty()).then(|| Ok(ours.to_owned()));
        for env in
            [&[(underscores, ours)][..], &[(underscores, ours), (hyphens, "")], &[(underscores, ours), (hyphens, ours)]]
        {
            assert_eq!(text(env), expected, "{env:?}");
        }
    }
    // Runners that know no underscores.
    assert_eq!(text(&[(hyphens, "https://good.example")]), Some(Ok("https://good.example".to_owned())));
    // Every input with a hyphen has two spellings; a secret is no exception, and not repeated.
    for row in ROWS.iter().filter(|row| row.name.contains('-')) {
        let hyphens = format!("INPUT_{}", row.name.to_ascii_uppercase());
        let env = [("GITHUB_ACTIONS", "true"), (&hyphens.replace('-', "_"), ""), (&hyphens, "hunter2")];
        let found = inputs(&[], &env);
        let given = found.all(row.input).first().expect(row.name);
        assert_eq!((text_of(given), given.called.as_str()), (Err(TWO_SPELLINGS), hyphens.as_str()));
    }
}

#[test]
fn a_byte_order_mark_before_a_value_is_dropped() {
    let env = [("MAESTRO_RUN_ID", " \u{feff} a,b"), ("DADOSFERA_PASSWORD", "\u{feff} pass\u{feff}\r\n")];
    let found = inputs(&["--username", "\u{feff}me"], &env);
    assert_eq!(chosen(&found, Input::RunId), Some(("MAESTRO_RUN_ID", "a,b")));
    assert_eq!(chosen(&found, Input::Username), Some(("--username", "me")));
    assert_eq!(chosen(&found, Input::Password), Some(("DADOSFERA_PASSWORD", " pass\u{feff}")));
    assert_eq!(chosen(&inputs(&[], &[("MAESTRO_RUN_ID", "\u{feff}")]), Input::RunId), None);
    // Other blanks than ASCII's are invisible characters, to be refused by name and not to be passed over.
    assert_eq!(
        chosen(&inputs(&["--run-id=\u{a0}a\u{3000}"], &[]), Input::RunId),
        Some(("--run-id", "\u{a0}a\u{3000}"))
    );
}

/// The place that gives any secret replaces all lower places'.
#[test]
fn credentials_count_as_one_set() {
    let env = [
        ("GITHUB_ACTIONS", "true"),
        ("INPUT_ACCESS_TOKEN", "token"),
        ("DADOSFERA_USERNAME", "me"),
        ("DADOSFERA_PASSWORD", "secret"),
    ];
    let found = inputs(&[], &env);
    assert_eq!(chosen(&found, Input::AccessToken), Some(("INPUT_ACCESS_TOKEN", "token")));
    assert_eq!((chosen(&found, Input::Username), chosen(&found, Input::Password)), (None, None));
    let lost: Vec<&str> = found.overruled().map(|given| given.called.as_str()).collect();
    assert_eq!(lost, ["DADOSFERA_USERNAME", "DADOSFERA_PASSWORD"]);
    // A user name from a higher place replaces no secret.
    let found = inputs(&["--username", "you"], &env);
    assert_eq!(found.secrets_place(), Some(InputSource::Step));
    assert_eq!(chosen(&found, Input::Username), Some(("--username", "you")));
    assert_eq!((chosen(&found, Input::AccessToken).is_some(), chosen(&found, Input::Password)), (true, None));
    let found = inputs(&["--username", "you"], &env[2..]);
    assert_eq!(chosen(&found, Input::Username), Some(("--username", "you")));
    assert_eq!(chosen(&found, Input::Password), Some(("DADOSFERA_PASSWORD", "secret")));
    // Hyphens and underscores are two spellings of one place.
    let mixed = [
        ("GITHUB_ACTIONS", "true"),
        ("INPUT_USERNAME", "me"),
        ("INPUT_PASSWORD-FILE", "p"),
        ("INPUT_TOTP_SECRET", "t"),
    ];
    let found = inputs(&[], &mixed);
    assert_eq!(chosen(&found, Input::PasswordFile), Some(("INPUT_PASSWORD-FILE", "p")));
    assert_eq!(chosen(&found, Input::TotpSecret), Some(("INPUT_TOTP_SECRET", "t")));
}

#[test]
fn a_repeated_list_flag_adds_entries_and_an_empty_one_is_an_input_error() {
    let text = |args: &[&str]| inputs(args, &[]).chosen(Input::RunId).map(text_of);
    assert_eq!(text(&["--run-id", "a", "--run-id=b c"]), Some(Ok("a\nb c".to_owned())));
    for gap in ["", "  ", "b,", ",b"] {
        assert_eq!(text(&["--run-id", "a", "--run-id", gap]), Some(Err(EMPTY_AMONG_SEVERAL)), "{gap:?}");
    }
    assert_eq!(text(&["--run-id"]), Some(Err(NO_VALUE)));
    assert_eq!(text(&["--run-id", "a", "--run-id"]), Some(Err(NO_VALUE)));
    let timeout = |args: &[&str]| inputs(args, &[]).chosen(Input::Timeout).map(text_of);
    assert_eq!(timeout(&["--timeout", "1", "--timeout", "1"]), Some(Err(REPEATED)));
    assert_eq!(timeout(&["--timeout", "--quiet"]), Some(Err(NO_VALUE)));
}

#[cfg(unix)]
#[test]
fn what_is_not_utf_8_is_a_fault_and_no_panic() {
    let bad = bytes(b"a\xffb");
    let env = Env::new([("DADOSFERA_PASSWORD", bad.clone()), ("NO_COLOR", bad.clone())], None);
    let args = [bytes(b"--json"), bad.clone(), bytes(b"--j\xff=1"), bad, bytes(b"--run-id=\xff"), bytes(b"--junit=j")];
    let found = look_up(&args, &env);
    assert_eq!(found.chosen(Input::Password).map(text_of), Some(Err(NOT_UTF8)));
    assert_eq!(found.chosen(Input::Json).map(text_of), Some(Err(NOT_UTF8)));
    assert_eq!(found.faults, [ArgumentError::NotUtf8 { position: 3 }, ArgumentError::NotUtf8 { position: 5 }]);
    assert_eq!(chosen(&found, Input::Junit), Some(("--junit", "j")));
}
