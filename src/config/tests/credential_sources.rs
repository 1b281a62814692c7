//! Credentials go only where their owner sent them.

use super::*;

const EVIL: &str = "https://evil.example";

/// Every place, with its rank, the name that it has for an input, and what a sentence calls it.
fn places(input: Input) -> Vec<(usize, String, &'static str)> {
    let snake = input.name().to_ascii_uppercase().replace('-', "_");
    let mut all = vec![
        (1, format!("INPUT_{snake}"), "in the step's inputs"),
        (2, format!("PLUGIN_{snake}"), "in the step's settings"),
        (3, input.row().variable.to_owned(), "in the environment"),
    ];
    if input.has_flag() {
        all.insert(0, (0, format!("--{}", input.name()), "on the command line"));
    }
    all
}

/// With an input given by this name.
fn given(story: Story, name: &str, value: &str) -> Story {
    if name.starts_with("--") { story.args(&[name, value]) } else { story.env(&[(name, value)]) }
}

/// Every kind of secret, in every place, against an address and words from every place.
#[test]
fn no_lower_place_sends_the_credentials_elsewhere_or_lets_more_runs_pass() {
    let mut refused = 0;
    for secret in ROWS.iter().map(|row| row.input).filter(|input| !input.may_be_shown()) {
        for (of_secret, secret_name, secret_place) in places(secret) {
            for (input, value) in [(Input::BaseUrl, EVIL), (Input::SuccessStatuses, "CANCELED")] {
                for (of_input, name, place) in places(input) {
                    let mut story =
                        story().args(&["--run-id=p/r"]).env(&[("GITHUB_ACTIONS", "true"), ("DRONE", "true")]);
                    story = story.file("JBSWY3DPEHPK3PXP", "pass");
                    story = given(given(story, &secret_name, "JBSWY3DPEHPK3PXP"), &name, value);
                    if !matches!(secret, Input::AccessToken | Input::AccessTokenFile) {
                        story = story.args(&["--username=me"]);
                    }
                    if secret == Input::TotpSecret {
                        story = given(story, &secret_name.replace("TOTP_SECRET", "PASSWORD"), "hunter2");
                    }
                    if of_input <= of_secret {
                        story.config();
                        continue;
                    }
                    refused += 1;
                    let input_error = story.input_error();
                    assert!(
                        input_error.starts_with(&format!("{} \"{value}\" ({name}): set {place}, but ", input.name())),
                        "{input_error}"
                    );
                    // The fix, in one line.
                    assert!(
                        input_error.contains(&format!("Set {} {secret_place} as well, or unset {name}", input.name())),
                        "{input_error}"
                    );
                    assert!(!input_error.contains("hunter2") && !input_error.contains("JBSWY"), "{input_error}");
                }
            }
        }
    }
    assert_eq!(refused, 2 * (2 * 6 + 3 * 3));
}

#[test]
fn the_default_and_a_trust_anchor_may_come_from_anywhere() {
    let step = || {
        let step = [("GITHUB_ACTIONS", "true"), ("INPUT_ACCESS_TOKEN", "token"), ("INPUT_RUN_ID", "p/r")];
        story().env(&step)
    };
    assert_eq!(step().config().service.base.as_str(), "https://maestro.dadosfera.ai/");
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = rcgen::CertificateParams::new(vec!["ca.example".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    step().env(&[("MAESTRO_CA_FILE", "ca.pem")]).file("ca.pem", pem).config();
    // What loses to the step does not count, and is no input error.
    let own = step().env(&[("INPUT_BASE_URL", "https://own.example"), ("MAESTRO_BASE_URL", EVIL)]);
    assert_eq!(own.config().service.base.as_str(), "https://own.example/");
    // Empty is unset: nothing is hidden by it.
    assert!(step().env(&[("INPUT_BASE_URL", ""), ("MAESTRO_BASE_URL", EVIL)]).input_error().starts_with("base-url"));
    // A wrong address is one input error.
    assert!(step().env(&[("MAESTRO_BASE_URL", "ftp://x")]).input_error().contains("not an https address"));
    assert!(step().env(&[("MAESTRO_BASE_URL", "https://u:hunter2@x")]).input_error().starts_with("base-url (MAESTRO"));
}

/// `attach` waits for a run that may have begun before the change that the job is about.
#[test]
fn no_lower_place_makes_trigger_wait_for_a_run_that_it_did_not_start() {
    let attach = ("MAESTRO_IF_RUNNING", "attach");
    let story = |flags: &[&str], env: &[(&str, &str)]| {
        story().env(&[("DADOSFERA_ACCESS_TOKEN", "token"), ("MAESTRO_PIPELINE_ID", "p")]).args(flags).env(env)
    };
    let input_error = story(&["--trigger"], &[attach]).input_error();
    assert!(
        input_error.starts_with("if-running \"attach\" (MAESTRO_IF_RUNNING): set in the environment, but trigger"),
        "{input_error}"
    );
    assert!(
        input_error.contains("Set if-running on the command line as well, or unset MAESTRO_IF_RUNNING"),
        "{input_error}"
    );
    story(&["--trigger", "--if-running=attach"], &[]).config();
    story(&["--trigger", "--if-running=queue"], &[attach]).config();
    story(&["--trigger"], &[("MAESTRO_IF_RUNNING", "fail")]).config();
    story(&[], &[attach, ("MAESTRO_TRIGGER", "true")]).config();
    story(&["--if-running=attach"], &[("MAESTRO_TRIGGER", "true")]).config();
}

/// What a step sets can't be changed by a variable, and what it leaves open can only be filled in. Every
/// input: a new one must find its place here.
#[test]
fn no_variable_changes_what_a_step_says() {
    let says = |input: Input| match input {
        Input::PipelineId => "p",
        Input::RunId => "r",
        Input::Trigger
        | Input::FailFast
        | Input::Quiet
        | Input::Verbose
        | Input::History
        | Input::Details
        | Input::Summary => "false",
        Input::IfRunning | Input::IfStale => "fail",
        Input::Retries => "0",
        Input::MaxAge | Input::Timeout | Input::AppearTimeout | Input::MaxOutage | Input::PollInterval => "1m",
        Input::StartedAfter => "1705298400",
        Input::SuccessStatuses => "GOOD",
        Input::FailureStatuses => "BAD",
        Input::BaseUrl => "https://own.example",
        Input::RunUrl => "https://own.example/{run_id}",
        Input::Username => "me",
        Input::Password => "hunter2",
        Input::TotpSecret => "JBSWY3DPEHPK3PXP",
        Input::Logs => "never",
        Input::OutputPrefix => "OWN_",
        Input::Ci => "none",
        Input::LogFormat => "text",
        Input::TraceFile => "own/t",
        Input::Json => "own/j",
        Input::Junit => "own/x",
        Input::Dotenv => "own/d",
        Input::Markdown => "own/m",
        Input::OutputDir => "own/o",
        Input::PasswordFile | Input::AccessToken | Input::AccessTokenFile | Input::CaFile => "",
    };
    let step: Vec<(String, &str)> = ROWS
        .iter()
        .map(|row| (format!("INPUT_{}", row.name.to_ascii_uppercase().replace('-', "_")), says(row.input)))
        .collect();
    let step: Vec<(&str, &str)> = step.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let story = || story().env(&[("GITHUB_ACTIONS", "true")]).env(&step);
    let alone = story().resolved();
    let config = format!("{:?}", alone.config.expect("the step is complete"));
    for row in ROWS.iter().filter(|row| row.input != Input::CaFile) {
        for value in ["other", "latest", "any", "attach", "true", "5", EVIL, "CANCELED", "30d"] {
            let found = story().env(&[(row.variable, value)]).file("other", "other").resolved();
            assert_eq!(format!("{:?}", found.config.expect(row.name)), config, "{}={value}", row.variable);
            let written = |output_config: &OutputConfig| OutputConfig { others: Vec::new(), ..output_config.clone() };
            assert_eq!(written(&found.output_config), written(&alone.output_config), "{}={value}", row.variable);
        }
    }
}
