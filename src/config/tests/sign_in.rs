//! Credentials.

use super::*;

const SEED: &str = "JBSWY3DPEHPK3PXP";

fn runs() -> Story {
    story().env(&[("MAESTRO_RUN_ID", "p/r")])
}

fn secrets(story: &Story) -> Vec<(&'static str, String)> {
    let secrets = story.resolved().secrets;
    secrets.iter().map(|(name, secret)| (*name, secret.expose_secret().to_owned())).collect()
}

#[test]
fn each_way_to_sign_in_is_enough() {
    let story = runs().env(&[("DADOSFERA_USERNAME", "me@x"), ("DADOSFERA_PASSWORD", " pass \n")]);
    let Credentials::Password { username, password, totp_secret: None } = story.config().service.credentials else {
        panic!()
    };
    assert_eq!((username.as_str(), password.expose_secret()), ("me@x", " pass "));
    let Credentials::Password { totp_secret: Some(totp), .. } =
        story.env(&[("DADOSFERA_TOTP_SECRET", SEED)]).config().service.credentials
    else {
        panic!()
    };
    assert_eq!(totp.code(0).expose_secret(), "282760");
    let story = runs().args(&["--username=me", "--password-file=pw"]).file("pw", "pass word\r\n\n");
    let Credentials::Password { password, .. } = story.config().service.credentials else { panic!() };
    assert_eq!(password.expose_secret(), "pass word");
    let Credentials::Token(token) =
        runs().env(&[("DADOSFERA_ACCESS_TOKEN", "t.o.k-e_n\n")]).config().service.credentials
    else {
        panic!()
    };
    assert_eq!(token.expose_secret(), "t.o.k-e_n");
    let story = runs().args(&["--access-token-file", "dir/token"]).file("dir/token", "token\n");
    let Credentials::TokenFile { path, token } = story.config().service.credentials else { panic!() };
    assert_eq!((path.as_path(), token.expose_secret()), (Path::new("dir/token"), "token"));
}

#[test]
fn no_way_to_sign_in_names_the_three() {
    let input_error = runs().input_error();
    for way in ["username and password (or password-file)", "access-token,", "access-token-file"] {
        assert!(input_error.contains(way), "{input_error}");
    }
}

/// docs/reference.md: a conflict within one place is an input error.
#[test]
fn conflicts_within_one_place_are_input_errors() {
    let (user, password, totp) =
        (("DADOSFERA_USERNAME", "me"), ("DADOSFERA_PASSWORD", "hunter2"), ("DADOSFERA_TOTP_SECRET", SEED));
    let (password_file, token, token_file) =
        (("DADOSFERA_PASSWORD_FILE", "pw"), ("DADOSFERA_ACCESS_TOKEN", "tok3n"), ("DADOSFERA_ACCESS_TOKEN_FILE", "tf"));
    let cases: [(&[(&str, &str)], &str); 12] = [
        (&[user], "password: required with username"),
        (&[password], "username: required"),
        (&[password_file], "username: required"),
        (&[user, totp], "password: required with username"),
        (&[user, password, password_file], "password-file (DADOSFERA_PASSWORD_FILE): password and password-file"),
        (
            &[user, password, token],
            "more than one way to sign in was given: DADOSFERA_USERNAME, DADOSFERA_PASSWORD, DADOSFERA_ACCESS_TOKEN",
        ),
        (&[password, token], "more than one way"),
        (&[user, token], "more than one way"),
        (&[totp, token], "more than one way"),
        (&[password_file, token_file], "more than one way"),
        (&[token, token_file], "more than one way"),
        (&[user, password, token_file], "more than one way"),
    ];
    for (given, expected) in cases {
        let input_error = runs().env(given).file("pw", "secret!").file("tf", "token!").input_error();
        assert!(input_error.contains(expected), "{given:?}: {input_error}");
        for secret in ["hunter2", "tok3n", SEED, "secret!", "token!"] {
            assert!(!input_error.contains(secret), "{input_error}");
        }
    }
    assert_eq!(runs().env(&[totp]).input_errors().len(), 2);
}

/// The place that gives any secret replaces all lower places'.
#[test]
fn a_higher_place_replaces_all_credentials() {
    let below = [("DADOSFERA_USERNAME", "me"), ("DADOSFERA_PASSWORD", "hunter2"), ("GITHUB_ACTIONS", "true")];
    let story = runs().env(&below).env(&[("INPUT_ACCESS_TOKEN", "token")]);
    assert!(matches!(story.config().service.credentials, Credentials::Token(_)));
    assert_eq!(story.warnings().len(), 2);
    // What does not count is a secret all the same.
    assert!(secrets(&story).contains(&("password", "hunter2".to_owned())));
    let story = runs().env(&below).args(&["--username", "you"]).env(&[("INPUT_TOTP_SECRET", SEED)]);
    let input_error = story.input_error();
    assert!(
        input_error.contains("DADOSFERA_PASSWORD is set in the environment, but does not count here"),
        "{input_error}"
    );
}

#[test]
fn files_of_secrets_are_read_and_never_shown() {
    let bad: [(&str, &[u8]); 4] =
        [("empty", b"\n\r\n"), ("binary", b"\xff\xfe"), ("huge", &[b'x'; 100_000]), ("gone", b"")];
    for (name, content) in bad {
        for way in [&["--username=me", "--password-file=h/unter2"][..], &["--access-token-file=h/unter2"]] {
            let story = runs().args(way);
            let story = if name == "gone" { story } else { story.file("h/unter2", content) };
            let input_error = story.input_error();
            assert!(input_error.contains("-file (--") && !input_error.contains("h/unter2"), "{name}: {input_error}");
        }
    }
    let story = runs().args(&["--access-token-file=f"]).file("f", "inner-token\n");
    assert_eq!(secrets(&story), [("access-token", "inner-token".to_owned())]);
    // A token that can't be sent is redacted too.
    let story = runs().args(&["--access-token-file=f"]).file("f", "inner token\n");
    assert_eq!(secrets(&story), [("access-token", "inner token".to_owned())]);
}

#[test]
fn a_token_that_cannot_be_sent_is_an_input_error() {
    for (token, hint) in [
        ("Bearer eyJ0", "Bearer"),
        ("bearer eyJ0", "Bearer"),
        ("\"eyJ0\"", "quotes"),
        ("eyJ0 x", "blank"),
        ("eyJ0 ", "blank"),
        ("eyJ\n0", "blank"),
        ("eyJ\u{7f}0", "control"),
        ("éyJ0", "ASCII"),
        ("$TOKENeyJ0", "expression"),
        ("${{ secrets.yJ0 }}", "expression"),
    ] {
        let input_error = runs().env(&[("DADOSFERA_ACCESS_TOKEN", token)]).input_error();
        assert!(input_error.contains(hint) && !input_error.contains("yJ0"), "{input_error}");
        assert!(runs().args(&["--access-token-file=f"]).file("f", token).input_error().contains(hint));
    }
}

#[test]
fn a_wrong_totp_secret_is_an_input_error_without_its_value() {
    let story =
        runs().env(&[("DADOSFERA_USERNAME", "me"), ("DADOSFERA_PASSWORD", "x"), ("DADOSFERA_TOTP_SECRET", "s3cr8t!")]);
    let input_error = story.input_error();
    assert!(
        input_error.starts_with("totp-secret (DADOSFERA_TOTP_SECRET): ") && !input_error.contains("s3cr8t"),
        "{input_error}"
    );
}

#[test]
fn everything_secret_is_handed_to_the_redactor() {
    let address = format!("otpauth://totp/x?secret={}", SEED.to_lowercase());
    let story = runs()
        .args(&["--password=blurted"])
        .env(&[("DADOSFERA_USERNAME", "me"), ("DADOSFERA_PASSWORD", "p4ss"), ("DADOSFERA_TOTP_SECRET", &address)])
        .env(&[("https_proxy", "http://u:pr%40xy@h"), ("MAESTRO_BASE_URL", "https://u:b4se@h")]);
    let found = secrets(&story);
    for secret in [
        ("password", "blurted"),
        ("password", "p4ss"),
        ("totp-secret", &address),
        ("totp-secret", SEED),
        ("proxy credentials", "pr%40xy"),
        ("proxy credentials", "pr@xy"),
        ("base-url", "b4se"),
    ] {
        assert!(found.contains(&(secret.0, secret.1.to_owned())), "{secret:?} {found:?}");
    }
    assert!(!found.iter().any(|(_, secret)| secret == "me"));
}

/// Whatever a check says about it: the table forbids to show it.
#[test]
fn no_input_error_carries_a_secret_or_the_path_of_one() {
    let unshown: Vec<&str> = ROWS
        .iter()
        .filter(|row| {
            let env = Env::new([(row.variable, "hunter2")], None);
            let inputs = look_up(&[], &env);
            let given = inputs.chosen(row.input).expect("it was given");
            InputError::of(given, Some("hunter2"), "wrong").value.is_none()
        })
        .map(|row| row.name)
        .collect();
    assert_eq!(unshown, ["password", "password-file", "totp-secret", "access-token", "access-token-file"]);
}

/// A password has no flag, so a user name on the command line would be of no use otherwise.
#[test]
fn a_user_name_may_come_from_a_higher_place_than_its_password_and_never_from_a_lower_one() {
    let name = |story: &Story| match story.config().service.credentials {
        Credentials::Password { username, .. } => username,
        Credentials::Token(_) | Credentials::TokenFile { .. } => panic!("no password"),
    };
    let github = ("GITHUB_ACTIONS", "true");
    let places = [
        (&["--username=flag"][..], &[][..], 0),
        (&[], &[("INPUT_USERNAME", "step")], 1),
        (&[], &[("PLUGIN_USERNAME", "plugin")], 2),
        (&[], &[("DADOSFERA_USERNAME", "variable")], 3),
    ];
    let secrets = [
        (&["--password-file=pw"][..], &[][..], 0),
        (&[], &[("INPUT_PASSWORD", "hunter2")], 1),
        (&[], &[("PLUGIN_PASSWORD", "hunter2")], 2),
        (&[], &[("DADOSFERA_PASSWORD", "hunter2")], 3),
        (&[], &[("DADOSFERA_PASSWORD_FILE", "pw")], 3),
    ];
    for (name_args, name_env, of_name) in places {
        for (args, env, of_secret) in secrets {
            let story = runs().env(&[github, ("DRONE", "true")]).file("pw", "hunter2");
            let story = story.args(name_args).env(name_env).args(args).env(env);
            if of_name <= of_secret {
                assert!(["flag", "step", "plugin", "variable"][of_name] == name(&story), "{name_env:?} {env:?}");
            } else {
                let input_error = story.input_error();
                assert!(input_error.starts_with("username: required with a password. "), "{input_error}");
                assert!(
                    input_error.contains(name_env[0].0) && input_error.contains("does not count here"),
                    "{input_error}"
                );
            }
        }
    }
    // A token needs no name: the two are two ways to sign in, wherever they come from.
    let story = runs().args(&["--username=me"]).env(&[("DADOSFERA_ACCESS_TOKEN", "token")]);
    assert!(story.input_error().contains("more than one way to sign in was given: --username, DADOSFERA_ACCESS_TOKEN"));
}

#[test]
fn a_user_name_that_was_not_meant_so_is_an_input_error() {
    for (name, hint) in [
        ("me\u{200b}@x", "U+200B"),
        ("me@x\u{a0}", "U+00A0"),
        ("me\t@x", "U+0009"),
        ("${{ secrets.USER }}", "expression"),
        ("$DADOSFERA_USER", "expression"),
        ("null", "missing value"),
    ] {
        let input_error = runs().env(&[("DADOSFERA_USERNAME", name), ("DADOSFERA_PASSWORD", "x")]).input_error();
        assert!(input_error.starts_with(&format!("username \"{name}\" (DADOSFERA_USERNAME): ")), "{input_error}");
        assert!(input_error.contains(hint), "{input_error}");
    }
}

#[test]
fn a_mark_before_a_file_s_text_is_dropped_and_utf_16_is_named() {
    let story = runs().args(&["--username=me", "--password-file=pw"]).file("pw", "\u{feff}pass\r\n");
    let Credentials::Password { password, .. } = story.config().service.credentials else { panic!() };
    assert_eq!(password.expose_secret(), "pass");
    let story = runs().args(&["--access-token-file=f"]).file("f", "\u{feff}token\n");
    let Credentials::TokenFile { token, .. } = story.config().service.credentials else { panic!() };
    assert_eq!(token.expose_secret(), "token");
    assert_eq!(secrets(&story), [("access-token", "token".to_owned())]);
    for text in [&b"\xff\xfep\0w\0"[..], b"\xfe\xff\0p\0w"] {
        for way in [&["--username=me", "--password-file=f"][..], &["--access-token-file=f"]] {
            assert!(runs().args(way).file("f", text).input_error().contains("UTF-16. Save it as UTF-8"));
        }
    }
}

#[test]
fn what_is_odd_about_a_password_is_said_without_it() {
    for (password, about) in [
        (" hunter2", Some("blank")),
        ("hunter2 ", Some("blank")),
        ("hunter2\u{a0}", Some("blank")),
        ("\"hunter2\"", Some("quotation mark")),
        ("hunter2'", Some("quotation mark")),
        ("hun\u{200b}ter2", Some("invisible")),
        ("$hunter2", Some("expression")),
        ("hunter2", None),
        ("hun ter2$", None),
    ] {
        let found = odd_password(&password.into());
        assert_eq!(found.is_some(), about.is_some(), "{password}");
        assert!(found.is_none_or(|text| text.contains(about.unwrap_or("")) && !text.contains("hunter2")), "{password}");
    }
}

/// In a CI an empty secret is one that this event does not get; at a desk it is one that was not given.
#[test]
fn missing_credentials_are_told_why_in_a_ci() {
    let asked = "available to this event? Pull requests from forks and from Dependabot get none";
    let empty = [("INPUT_USERNAME", ""), ("INPUT_PASSWORD", "")];
    for (env, hint) in [
        (&[("GITHUB_ACTIONS", "true")][..], asked),
        (&[("GITLAB_CI", "true")], "protected branches and tags"),
        (&[("JENKINS_URL", "x")], "available to this build?"),
        (&[("CI", "true")], "available to this build?"),
    ] {
        let kind = runs().env(env).env(&empty).input_error();
        assert!(kind.starts_with("username: no credentials were given. ") && kind.contains(hint), "{kind}");
        let kind = runs().env(env).env(&[("DADOSFERA_USERNAME", "me")]).input_error();
        assert!(kind.starts_with("password: required with username") && kind.contains(hint), "{kind}");
        let kind = runs().env(env).env(&[("DADOSFERA_PASSWORD", "x")]).input_error();
        assert!(kind.starts_with("username: required with a password") && kind.contains(hint), "{kind}");
    }
    assert!(runs().input_error().ends_with("or access-token-file"));
}
