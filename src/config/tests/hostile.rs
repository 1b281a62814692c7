//! Whatever the environment and the command line hold: no panic, and no secret told.

use proptest::prelude::*;

use super::*;

/// Long and odd enough to stand nowhere by chance.
const SECRET: &str = "Qz7x-hunter2-Wk9";

/// How people get a secret wrong.
const WRAPS: [&str; 8] =
    ["{}", "Bearer {}", "\"{}\"", "otpauth://totp/{}", "otpauth://totp/x?secret={}", " {} ", "{}\n{}", "{}\u{7}"];

/// What makes a value wrong that would be right: no text at all, or a character that may not stand there.
const TAILS: [&[u8]; 4] = [b"", b"x\xff", "x\u{fffd}".as_bytes(), b"{"];

/// What is resolved, unless only a text is asked for.
fn resolved(story: &Story) -> Option<Resolved> {
    requested_text(&story.args).is_none().then(|| story.resolved())
}

/// Everything that is reported or could be: sentences, and every `Debug`.
fn kind(story: &Story) -> String {
    let mut text = String::new();
    if let Some(resolved) = resolved(story) {
        text += &format!("{resolved:?}");
        for warning in &resolved.warnings {
            text += &warning.sentence(raw);
        }
        for input_error in resolved.config.as_ref().err().into_iter().flatten() {
            text += &input_error.sentence(raw);
        }
    }
    let inputs = look_up(&story.args, &Env::new(story.env.iter().cloned(), None));
    text + &format!("{inputs:?} {:?} {:?}", inputs.faults, Env::new(story.env.iter().cloned(), None))
}

/// Every name under which a variable may be looked up, and marks that open further places.
fn names() -> Vec<String> {
    let mut names: Vec<String> =
        ["GITHUB_ACTIONS", "DRONE", "CI", "GITHUB_OUTPUT", "BASH_ENV", "HTTPS_PROXY", "NO_COLOR", "PLUGIN_X"]
            .map(str::to_owned)
            .to_vec();
    for row in &ROWS {
        let shout = row.name.to_ascii_uppercase();
        let snake = shout.replace('-', "_");
        names.extend([
            row.variable.to_owned(),
            format!("INPUT_{shout}"),
            format!("INPUT_{snake}"),
            format!("PLUGIN_{snake}"),
        ]);
    }
    names
}

/// Arguments: flags of ours, flags of nobody, and what else may stand there.
fn argument() -> impl Strategy<Value = Vec<u8>> {
    let flag = prop::sample::select(&ROWS[..]).prop_map(|row| format!("--{}", row.name).into_bytes());
    let attached = (prop::sample::select(&ROWS[..]), value())
        .prop_map(|(row, value)| [format!("--{}=", row.name).as_bytes(), &value].concat());
    prop_oneof![3 => flag, 3 => attached, 3 => value(), 1 => prop::collection::vec(any::<u8>(), 0..12)]
}

/// Values: plausible ones, near misses, and bytes.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let plausible = prop::sample::select(
        &[
            "true",
            "false",
            "auto",
            "github",
            "none",
            "5m",
            "30d",
            "p/r",
            "a,b",
            ",",
            "/",
            "latest",
            "https://x/{run_id}",
            "http://localhost:1",
            "https://u:p@h",
            "out",
            "./out",
            "out/verdict",
            "-",
            "--",
            "file",
            "otpauth://totp/x?secret=MFRGG",
            "JBSWY3DPEHPK3PXP",
            "FAILED",
            "{",
            "\u{202e}",
            "99999999999999999999",
            "",
        ][..],
    )
    .prop_map(|text| text.as_bytes().to_vec());
    prop_oneof![
        4 => plausible,
        1 => "\\PC{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(1u8.., 0..12),
    ]
}

#[cfg(unix)]
fn os(bytes: Vec<u8>) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes)
}

#[cfg(not(unix))]
fn os(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn resolve_never_panics_and_never_gives_up_without_an_input_error(
        args in prop::collection::vec(argument(), 0..6),
        env in prop::collection::vec((prop::sample::select(names()), value()), 0..12),
        open in any::<[bool; 2]>(),
        content in value(),
    ) {
        let mut story = story().file("file", content).file("out", "x");
        story.args = args.into_iter().map(os).collect();
        story.env = env.into_iter().map(|(name, value)| (name.into(), os(value))).collect();
        story = story.env(if open[0] { &[("GITHUB_ACTIONS", "true")] } else { &[] });
        story = story.env(if open[1] { &[("DRONE", "true")] } else { &[] });
        if let Some(resolved) = resolved(&story) {
            match resolved.config {
                Ok(config) => prop_assert!(!config.wanted.is_empty()),
                Err(input_errors) => prop_assert!(!input_errors.is_empty()),
            }
        }
    }

    #[test]
    fn no_secret_is_ever_reported(
        args in prop::collection::vec(argument(), 0..4),
        env in prop::collection::vec((prop::sample::select(names()), value()), 0..8),
        carrier in prop::sample::select(&["password", "totp-secret", "access-token"][..]),
        place in 0usize..5,
        wrap in prop::sample::select(&WRAPS[..]),
        tail in prop::sample::select(&TAILS[..]),
    ) {
        let secret = wrap.replace("{}", SECRET);
        let (shout, snake) = (carrier.to_ascii_uppercase(), carrier.to_ascii_uppercase().replace('-', "_"));
        let mut story = story().file("file", &secret).file("out", &secret);
        story.args = args.into_iter().map(os).collect();
        story.env = env.into_iter().map(|(name, value)| (name.into(), os(value))).collect();
        story = story.env(&[("GITHUB_ACTIONS", "true"), ("DRONE", "true")]);
        let proxy = format!("http://me:{SECRET}@proxy");
        let base = format!("https://{SECRET}@h");
        let link = format!("https://me:{SECRET}@h/{{run_id}}");
        story = match place {
            0 => story.args(&[&format!("--{carrier}"), &secret]),
            1 => story.args(&[&format!("--{carrier}={secret}")]),
            2 => story.env(&[(&format!("INPUT_{shout}"), &secret), ("https_proxy", &proxy)]),
            3 => story.env(&[(&format!("PLUGIN_{snake}"), &secret), ("MAESTRO_BASE_URL", &base)]),
            _ => story.env(&[(&format!("DADOSFERA_{snake}"), &secret), ("MAESTRO_RUN_URL", &link)]),
        };
        if let Some((_, value)) = story.env.last_mut() {
            value.push(os(tail.to_vec()));
        }
        let kind = kind(&story);
        prop_assert!(!kind.contains("hunter2"), "{}", kind);
    }
}
