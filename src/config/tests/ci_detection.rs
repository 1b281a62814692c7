//! Which CI it is: the order of the marks, and what each system offers.

use super::*;
use crate::report::ci::ALL;

fn output_config(env: &[(&str, &str)]) -> OutputConfig {
    story().env(&ENOUGH).env(env).resolved().output_config
}

/// Where this document goes.
fn path(output_config: &OutputConfig, document: DocumentKind) -> Option<PathBuf> {
    output_config.destinations.iter().find(|other| other.document == document)?.path().map(Into::into)
}

fn outputs(output_config: &OutputConfig) -> Option<PathBuf> {
    path(output_config, DocumentKind::Outputs)
}

/// Systems in the order of detection, each with what its runners set.
const SYSTEMS: [(&[(&str, &str)], &str); 15] = [
    (&[("FORGEJO_ACTIONS", "true"), ("GITEA_ACTIONS", "true"), ("GITHUB_ACTIONS", "true")], "github"),
    (&[("GITEA_ACTIONS", "true"), ("GITHUB_ACTIONS", "true")], "github"),
    (&[("GITHUB_ACTIONS", "true")], "github"),
    (&[("GITLAB_CI", "true")], "gitlab"),
    (&[("TF_BUILD", "True")], "azure"),
    (&[("BUILDKITE", "true")], "buildkite"),
    (&[("CIRCLECI", "true")], "circleci"),
    (&[("BITBUCKET_BUILD_NUMBER", "12")], "bitbucket"),
    (&[("TEAMCITY_VERSION", "2025.11")], "teamcity"),
    (&[("CODEBUILD_BUILD_ARN", "arn:aws:codebuild:x")], "codebuild"),
    (&[("BUILDER_OUTPUT", "/builder/outputs")], "cloud-build"),
    (&[("DRONE", "true"), ("CI", "true")], "drone"),
    (&[("CI", "woodpecker"), ("CI_SYSTEM_NAME", "woodpecker")], "woodpecker"),
    (&[("JENKINS_URL", "https://ci.example/"), ("BUILD_ID", "7")], "jenkins"),
    (&[("GITHUB_OUTPUT", "/f/out")], "github"),
];

#[test]
fn each_system_is_known_by_its_marks() {
    for (marks, ci) in SYSTEMS {
        assert_eq!(output_config(marks).ci.name(), ci, "{marks:?}");
        let none: Vec<_> = marks.iter().copied().chain([("MAESTRO_CI", "none")]).collect();
        assert_eq!((output_config(&none).ci.name(), outputs(&output_config(&none))), ("none", None), "{marks:?}");
    }
    for system in ALL.iter().filter(|system| !system.marks.is_empty()) {
        assert!(SYSTEMS.iter().any(|(_, ci)| *ci == system.name()), "{}", system.name());
    }
    for nothing in [("TF_BUILD", ""), ("CIRCLECI", "false"), ("CI", "true"), ("BUILD_ID", "7")] {
        assert_eq!(output_config(&[nothing]).ci.name(), "none", "{nothing:?}");
    }
}

/// A job of one system that runs within a job of another inherits its marks.
#[test]
fn of_two_systems_the_one_further_up_counts() {
    for (index, (outer, first)) in SYSTEMS.iter().enumerate() {
        for (inner, _) in &SYSTEMS[index..] {
            let both: Vec<_> = inner.iter().chain(*outer).copied().collect();
            assert_eq!(output_config(&both).ci.name(), *first, "{both:?}");
        }
    }
}

#[test]
fn each_name_of_ci_is_taken_and_others_are_told_the_names() {
    let names = [
        "github",
        "gitlab",
        "azure",
        "buildkite",
        "teamcity",
        "circleci",
        "bitbucket",
        "jenkins",
        "woodpecker",
        "drone",
        "cloud-build",
        "codebuild",
        "gitea",
        "forgejo",
        "none",
    ];
    for name in names.into_iter().chain(["auto"]) {
        with("MAESTRO_CI", name).config();
        assert!(with("MAESTRO_CI", "hudson").input_error().contains(name), "{name}");
    }
    for kubernetes in ["tekton", "argo"] {
        assert!(with("MAESTRO_CI", kubernetes).input_error().contains("output-dir"));
    }
}

#[test]
fn a_system_s_own_file_is_found_by_its_variable_and_left_alone_by_others() {
    let files = [
        ("GITHUB_OUTPUT", "/f/github"),
        ("BASH_ENV", "/f/bash"),
        ("BITBUCKET_PIPELINES_VARIABLES_PATH", "/f/bitbucket"),
        ("DRONE_OUTPUT", "/f/drone"),
        ("BUILDER_OUTPUT", "/f/builder"),
    ];
    for (ci, expected) in [
        ("github", Some("/f/github")),
        ("circleci", Some("/f/bash")),
        ("bitbucket", Some("/f/bitbucket")),
        ("drone", Some("/f/drone")),
        ("cloud-build", Some("/f/builder/output")),
        ("azure", None),
        ("jenkins", None),
        ("teamcity", None),
    ] {
        let all: Vec<_> = files.into_iter().chain([("MAESTRO_CI", ci)]).collect();
        assert_eq!(outputs(&output_config(&all)), expected.map(PathBuf::from), "{ci}");
        // Nested systems are real: a mark without its file is no input error.
        assert_eq!(outputs(&output_config(&[("MAESTRO_CI", ci)])), None, "{ci}");
        with("MAESTRO_CI", ci).config();
    }
}

#[test]
fn azure_s_summary_is_a_path_from_the_root_that_nothing_else_has() {
    // A path from the root, as the system at hand writes it.
    let temp = if cfg!(windows) { "C:/agent/temp" } else { "/agent/temp" };
    let azure = [("TF_BUILD", "True"), ("AGENT_TEMPDIRECTORY", temp)];
    let found = |args: &[&str]| {
        let destinations = story().env(&ENOUGH).env(&azure).args(args).resolved().output_config.destinations;
        destinations.into_iter().find_map(|destination| destination.upload)
    };
    let named = |name: &str| Some(PathBuf::from(temp).join(name));
    assert_eq!(found(&[]), named("maestro_gate.md"));
    assert_eq!(found(&["--output-prefix", "SALES_"]), named("sales.md"));
    assert_eq!(found(&["--output-prefix", "_"]), named("maestro_gate.md"));
    // The stories' folder is none from the root on Windows.
    assert_eq!(found(&["--markdown", "out/x.md"]), (!cfg!(windows)).then(|| "/work/out/x.md".into()));
    assert_eq!(found(&["--summary=false", "--markdown", "out/x.md"]), None);
    assert_eq!(found(&["--json", &format!("{temp}/maestro_gate.md")]), None);
    assert_eq!(output_config(&[("TF_BUILD", "True")]).destinations, []);
}

#[test]
fn buildkite_s_annotation_is_its_summary() {
    let documents = |env: &[(&str, &str)]| {
        let agent = |destination: &Destination| matches!(destination.target, WriteTarget::Agent(_));
        let destinations = output_config(env).destinations.into_iter();
        destinations.filter(agent).map(|destination| destination.document).collect::<Vec<_>>()
    };
    assert_eq!(documents(&[("BUILDKITE", "true")]), [DocumentKind::Outputs, DocumentKind::Summary]);
    assert_eq!(documents(&[("BUILDKITE", "true"), ("MAESTRO_SUMMARY", "false")]), [DocumentKind::Outputs]);
    assert_eq!(documents(&[("BUILDKITE", "true"), ("MAESTRO_CI", "none")]), []);
}

#[test]
fn no_secret_s_variable_is_inherited() {
    let hidden = secret_variables();
    for name in
        ["DADOSFERA_PASSWORD", "DADOSFERA_ACCESS_TOKEN", "INPUT_TOTP-SECRET", "INPUT_TOTP_SECRET", "PLUGIN_PASSWORD"]
    {
        assert!(hidden.iter().any(|other| other == name), "{name}");
    }
}

#[test]
fn a_log_of_commands_is_text() {
    for ci in ["azure", "teamcity"] {
        let story = story().env(&ENOUGH).env(&[("MAESTRO_CI", ci), ("MAESTRO_LOG_FORMAT", "json")]);
        assert!(story.input_error().starts_with("log-format"), "{ci}");
        assert_eq!(story.resolved().output_config.log_format, LogFormat::Text);
    }
    story().env(&ENOUGH).env(&[("TF_BUILD", "True"), ("MAESTRO_CI", "none"), ("MAESTRO_LOG_FORMAT", "json")]).config();
}
