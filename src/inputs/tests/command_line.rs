//! The command line: what it says to its last argument, whatever is wrong with it.

use std::ffi::OsStr;

use proptest::prelude::*;

use super::*;

#[test]
fn switches_are_true_alone_and_take_true_or_false() {
    let found = inputs(&["--fail-fast", "--summary=false", "-qv=false"], &[]);
    assert_eq!(chosen(&found, Input::FailFast), Some(("--fail-fast", "true")));
    assert_eq!(chosen(&found, Input::Summary), Some(("--summary", "false")));
    assert_eq!(chosen(&found, Input::Quiet), Some(("--quiet", "true")));
    assert_eq!(chosen(&found, Input::Verbose), Some(("--verbose", "false")));
    assert!(found.faults.is_empty());
    for (args, text) in [
        (&["--history", "false"][..], "false"),
        (&["--history", "true"], "true"),
        (&["--history", "False"], "False"),
        (&["--history", "TRUE"], "TRUE"),
        (&["--history"], "true"),
        (&["--history", "--json", "false"], "true"),
        (&["--history", "--"], "true"),
        (&["--history=false"], "false"),
    ] {
        let found = inputs(args, &[]);
        assert_eq!(chosen(&found, Input::History), Some(("--history", text)), "{args:?}");
        assert!(found.faults.is_empty(), "{args:?}");
    }
    for (args, quiet, verbose) in [
        (&["-q", "false", "-v", "true"][..], "false", "true"),
        (&["-qv", "false"], "true", "false"),
        (&["-q", "-v", "False"], "true", "False"),
        (&["-q", "false", "--verbose=true"], "false", "true"),
    ] {
        let found = inputs(args, &[]);
        assert_eq!(chosen(&found, Input::Quiet), Some(("--quiet", quiet)), "{args:?}");
        assert_eq!(chosen(&found, Input::Verbose), Some(("--verbose", verbose)), "{args:?}");
        assert!(found.faults.is_empty(), "{args:?}");
    }
    // One word, and no other kind of word.
    for args in [["--history", "false", "true"], ["--history=true", "false", "--quiet"], ["--history", "no", "-q"]] {
        let found = inputs(&args, &[]);
        assert!(matches!(found.faults[..], [ArgumentError::Stray { after: Some(Input::History), .. }]), "{args:?}");
    }
    assert_eq!(inputs(&["--json", "true", "false"], &[]).faults.len(), 1, "other flags take one word");
    // A run id behind a switch is not eaten by it.
    assert_eq!(
        inputs(&["--fail-fast", "a"], &[]).faults,
        [ArgumentError::Stray { position: 2, after: Some(Input::FailFast) }]
    );
}

#[test]
fn all_faults_of_the_command_line_are_found_and_the_rest_is_still_read() {
    let found = inputs(&["--pasword", "x", "stray", "-z9", "--json", "out.json", "", "--", "--quiet", "doctor"], &[]);
    assert_eq!(
        found.faults,
        [
            ArgumentError::UnknownFlag("--pasword".to_owned()),
            ArgumentError::UnknownLetter('z'),
            ArgumentError::Stray { position: 7, after: Some(Input::Json) },
            ArgumentError::Stray { position: 9, after: Some(Input::Json) },
            ArgumentError::DoctorNotFirst,
        ]
    );
    assert_eq!(chosen(&found, Input::Json), Some(("--json", "out.json")));
    assert_eq!(chosen(&found, Input::Quiet), None);
}

#[test]
fn a_secret_by_flag_is_refused_and_never_repeated() {
    for args in [
        &["--password", "hunter2", "of mine", "--quiet"][..],
        &["--password=hunter2", "of mine"],
        &["--paswd=hunter2"],
        &["--paswd", "hunter2", "hunter2"],
        &["-phunter2"],
        &["-qphunter2"],
        &["--quiet", "hunter2"],
        &["--", "hunter2"],
    ] {
        let found = inputs(args, &[]);
        assert!(!found.faults.is_empty(), "{args:?}");
        assert!(!format!("{:?} {:?}", found.faults, found).contains("hunter2"), "{args:?}");
    }
    let found = inputs(&["--password", "hunter2", "of mine", "--quiet"], &[]);
    assert_eq!(found.faults, [ArgumentError::SecretByFlag(Input::Password)]);
    let exposed_secrets: Vec<&OsStr> = found.exposed_secrets.iter().map(|(_, text)| text.as_os_str()).collect();
    assert_eq!(exposed_secrets, ["hunter2", "of mine"]);
}

/// A gate that shows its help instead of waiting would pass.
#[test]
fn help_and_version_are_granted_only_alone() {
    let commands = [("help", Mode::Help), ("version", Mode::Version)];
    let flags = [("--help", Mode::Help), ("-h", Mode::Help), ("--version", Mode::Version), ("-V", Mode::Version)];
    for (arg, mode) in commands.into_iter().chain(flags) {
        for args in [&[arg][..], &["doctor", arg]] {
            let found = inputs(args, &[]);
            assert_eq!((found.mode, found.faults.as_slice()), (Some(mode), &[][..]), "{args:?}");
        }
        let found = inputs(&[arg, "--quiet"], &[]);
        assert_eq!((found.mode, found.faults.as_slice()), (None, &[ArgumentError::NotAlone(mode)][..]), "{arg}");
    }
    for (arg, mode) in flags {
        let found = inputs(&["doctor", arg, "--quiet"], &[]);
        assert_eq!((found.mode, found.faults.as_slice()), (Some(Mode::Doctor), &[ArgumentError::NotAlone(mode)][..]));
        for args in [[arg, "--quiet"], ["--run-id=a", arg], [arg, "x"], [arg, arg]] {
            let found = inputs(&args, &[]);
            assert_eq!(found.mode, None, "{args:?}");
            assert!(found.faults.contains(&ArgumentError::NotAlone(mode)), "{args:?}");
        }
    }
    // Words that are values or nothing: only the first argument is a command.
    assert_eq!(inputs(&["--run-id", "help"], &[]).faults, []);
    assert!(matches!(inputs(&["--quiet", "help"], &[]).faults[..], [ArgumentError::Stray { position: 2, .. }]));
    for args in [["-hq"], ["-Vh"], ["--help=x"], ["--version=1"]] {
        let found = inputs(&args, &[]);
        assert!(found.mode.is_none() && !found.faults.is_empty(), "{args:?}");
    }
}

#[test]
fn a_misspelt_flag_is_answered_with_the_right_one() {
    for (unknown, meant) in [
        ("--run-ids", "run-id"),
        ("--runid", "run-id"),
        ("--run_id", "run-id"),
        ("--RUN-ID", "run-id"),
        ("-run-id", "run-id"),
        ("\u{2013}run-id", "run-id"),
        ("\u{2014}run-id", "run-id"),
        ("--pipelineid", "pipeline-id"),
        ("--pasword-file", "password-file"),
        ("--pasword", "password"),
        ("--hlep", "help"),
    ] {
        assert_eq!(cli::suggestion(unknown), Some(meant), "{unknown}");
    }
    for odd in ["--", "-", "", "--=", "--xyzzy", "--é"] {
        assert_eq!(cli::suggestion(odd), None, "{odd}");
    }
}

/// Word processors make one dash of two hyphens, and other programs take one hyphen for two.
#[test]
fn a_flag_with_the_wrong_dash_is_one_slip() {
    for flag in ["\u{2013}run-id", "\u{2014}run-id", "\u{2212}\u{2212}run-id", "-run-id"] {
        for args in [&[flag, "r", "--quiet"][..], &[&format!("{flag}=r"), "--quiet"]] {
            let found = inputs(args, &[]);
            assert_eq!(found.faults, [ArgumentError::UnknownFlag(flag.to_owned())], "{args:?}");
            assert_eq!(chosen(&found, Input::Quiet), Some(("--quiet", "true")), "{args:?}");
        }
    }
    assert_eq!(inputs(&["-help"], &[]).faults, [ArgumentError::UnknownFlag("-help".to_owned())]);
    // What a flag waits for is its value, and what resembles no flag may be part of a secret.
    assert_eq!(
        chosen(&inputs(&["--username", "\u{2013}json"], &[]), Input::Username),
        Some(("--username", "\u{2013}json"))
    );
    assert_eq!(inputs(&["\u{2013}hunter2"], &[]).faults, [ArgumentError::Stray { position: 1, after: None }]);
}

/// Words of which command lines are made.
const VOCABULARY: [&str; 20] = [
    "--run-id",
    "--run-id=a",
    "--timeout",
    "--timeout=5m",
    "--json",
    "--fail-fast",
    "--fail-fast=false",
    "--summary=",
    "-q",
    "-v",
    "-qv",
    "-qv=true",
    "-z",
    "--nope",
    "--nope=1",
    "word",
    "a,b",
    "-",
    "--",
    "",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// clap describes the command line, `args` reads it: both by the same rules.
    #[test]
    fn clap_and_we_read_the_same(args in prop::collection::vec(prop::sample::select(&VOCABULARY[..]), 0..6)) {
        let line = std::iter::once("maestro-gate").chain(args.iter().copied());
        let theirs = cli::command().try_get_matches_from(line);
        let ours = args::read(&words(&args));
        let count = |input: Input| ours.flags.iter().filter(|(used, _)| *used == input).count();
        let repeated = ROWS.iter().any(|row| row.kind != Kind::List && count(row.input) > 1);
        let accepted = ours.faults.is_empty() && !repeated && ours.flags.iter().all(|(_, value)| value.is_some());
        prop_assert_eq!(theirs.is_ok(), accepted);
        if let Ok(matches) = theirs {
            for row in ROWS.iter().filter(|row| row.input.has_flag()) {
                let theirs: Vec<&OsStr> = matches.get_raw(row.name).into_iter().flatten().collect();
                let ours: Vec<&OsStr> = ours.flags.iter().filter(|(input, _)| *input == row.input)
                    .filter_map(|(_, value)| value.as_deref()).collect();
                prop_assert_eq!(theirs, ours, "{}", row.name);
            }
        }
    }
}
