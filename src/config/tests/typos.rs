//! Slips of the hand: each is one input error, with what to do about it.

use super::*;

fn complete() -> Story {
    story().env(&ENOUGH)
}

/// What the misspelt flag was to give is not missing on top of it.
#[test]
fn a_misspelt_flag_is_one_input_error() {
    let token = [("DADOSFERA_ACCESS_TOKEN", "token")];
    let password = [("DADOSFERA_PASSWORD", "x")];
    for (env, args, meant) in [
        (&token[..], &["--pipeline-id=p", "--runid", "r"][..], "--run-id"),
        (&token, &["--pipeline-id=p", "--run_id=r"], "--run-id"),
        (&token, &["--run-ids=p/r"], "--run-id"),
        (&token, &["-run-id", "p/r"], "--run-id"),
        (&token, &["\u{2013}run-id", "p/r"], "--run-id"),
        (&token, &["--pipelineid", "p", "--run-id=r"], "--pipeline-id"),
        (&token, &["--pipeline=p", "--run-id=r"], "--pipeline-id"),
        (&token, &["--pipeline-id=p", "--triger"], "--trigger"),
        (&token, &["--run-id=p/latest", "--maxage", "24h"], "--max-age"),
        (&token, &["--run-id=p/latest", "--max_age=24h"], "--max-age"),
        (&password, &["--run-id=p/r", "--user-name", "me"], "--username"),
        (&[], &["--run-id=p/r", "--acess-token-file", "f"], "--access-token-file"),
        (&[], &["--run-id=p/r", "--username=me", "--pasword-file=f"], "--password-file"),
        (&ENOUGH, &["--time-out", "5m"], "--timeout"),
    ] {
        let input_error = story().env(env).args(args).input_error();
        assert!(
            input_error.starts_with("command line \"") && input_error.ends_with(&format!("Did you mean {meant}?")),
            "{input_error}"
        );
    }
    // A secret's flag, misspelt: there is none to be meant.
    let input_error = story().args(&["--run-id=p/r", "--username=me", "--pasword", "hunter2"]).input_error();
    assert!(
        input_error.contains("password has no flag. Set the variable DADOSFERA_PASSWORD, or use --password-file"),
        "{input_error}"
    );
    for args in [&["--username=me", "--password", "hunter2"][..], &["--access-token=hunter2"]] {
        let input_error = story().args(&["--run-id=p/r"]).args(args).input_error();
        assert!(input_error.contains("a secret has no flag") && !input_error.contains("hunter2"), "{input_error}");
    }
    // What it has nothing to do with is missing all the same.
    assert_eq!(story().env(&token).args(&["--timout=5m"]).input_errors().len(), 3);
    assert_eq!(story().args(&["--pipeline-id=p", "--runid=r"]).input_errors().len(), 2, "no credentials");
}

#[test]
fn help_is_advice_for_a_command_line_alone() {
    let action = [("GITHUB_ACTIONS", "true"), ("INPUT_TIMEOUT", "x"), ("INPUT_RUN_ID", ""), ("INPUT_LOGS", "y")];
    for story in [story(), story().env(&action), with("MAESTRO_CI", "x"), complete().args(&["--run-id", "a/b/c"])] {
        let kind = story.input_errors().concat();
        assert!(!kind.contains("--help"), "{kind}");
    }
    for flag in ["--xyzzy", "-z"] {
        assert!(complete().args(&[flag]).input_error().ends_with("unknown flag. Run maestro-gate --help for a list"));
    }
}

#[test]
fn help_beside_other_arguments_is_printed_and_an_input_error() {
    for args in
        [&["--help", "--quiet"][..], &["--run-id", "p/r", "-h"], &["help", "--quiet"], &["doctor", "--help", "-q"]]
    {
        let Resolved { help, config, .. } = story().args(args).resolved();
        assert!(help.is_some_and(|text| text.contains("Exit codes:")), "{args:?}");
        // A user who asks for help has not written the rest yet.
        let kind = sentences(&config.expect_err("not a pass"));
        assert_eq!(kind, ["command line: --help must be the only argument. No run was waited for"], "{args:?}");
    }
    let Resolved { help, config, .. } = complete().args(&["--version", "--quiet"]).resolved();
    assert!(help.is_none() && config.is_err());
    for args in [["help"], ["-h"], ["version"], ["--version"]] {
        assert!(!story().args(&args).shown().is_empty(), "{args:?}");
        assert!(!story().args(&["doctor"]).args(&args).shown().is_empty(), "doctor {args:?}");
    }
}

#[test]
fn a_switch_takes_the_word_behind_it() {
    assert_eq!(complete().args(&["--history", "false"]).config().rules.learning, Learning::Off);
    assert_eq!(complete().args(&["--history", "true"]).config().rules.learning, Learning::On);
    let input_error = complete().args(&["--history", "no"]).input_error();
    assert!(
        input_error.contains("unexpected argument after `--history`") && input_error.contains("--history=false"),
        "{input_error}"
    );
}

#[test]
fn durations_in_days_are_documented_where_a_duration_is_wrong() {
    assert!(with("MAESTRO_TIMEOUT", "ever").input_error().contains("2d"));
    let help = story().args(&["--help"]).shown();
    assert!(help.contains("1h30m, 2d"));
    assert_eq!(with("MAESTRO_TIMEOUT", "2d").config().rules.limits.timeout, Duration::from_secs(172_800));
}

#[test]
fn two_spellings_of_a_step_s_input_are_an_input_error_with_the_way_out() {
    let step = [("GITHUB_ACTIONS", "true"), ("INPUT_BASE_URL", "https://own.example")];
    for (other, value) in [("INPUT_BASE-URL", "https://evil.example"), ("INPUT_SUCCESS-STATUSES", "CANCELED")] {
        let input_error = complete().env(&step).env(&[("INPUT_SUCCESS_STATUSES", ""), (other, value)]).input_error();
        let expected =
            format!("({other}): the step sets {} to something else. Remove {other}", other.replace('-', "_"));
        assert!(input_error.contains(&expected), "{input_error}");
    }
}

/// Whatever the kind of input, what can't be seen is named.
#[test]
fn invisible_characters_are_named_in_every_input_but_paths_and_secrets() {
    for row in ROWS.iter().filter(|row| row.input.may_be_shown() && row.value != "PATH") {
        let addresses = [(Input::BaseUrl, "https://h.example"), (Input::RunUrl, "https://h.example/{run_id}")];
        let plain = addresses.into_iter().find(|(input, _)| *input == row.input).map_or("true", |(_, plain)| plain);
        for (odd, name) in [("\u{200b}", "U+200B"), ("\u{202e}", "U+202E"), ("\u{a0}", "U+00A0"), ("\u{1}", "U+0001")] {
            for text in [format!("{plain}{odd}"), format!("{odd}{plain}")] {
                let story = complete().env(&[("DADOSFERA_PASSWORD", "x"), ("DADOSFERA_ACCESS_TOKEN", "")]);
                let kind = story.env(&[("DADOSFERA_USERNAME", "me"), (row.variable, &text)]).input_errors().concat();
                assert!(kind.starts_with(row.name) && kind.contains(name), "{}: {kind}", row.name);
            }
        }
    }
}
