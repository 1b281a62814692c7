//! The outlet: usable whatever the input errors are, and never aimed at what it must not touch.

use super::*;
use crate::report::json::JSON;
use crate::report::junit::JUNIT;

fn output_config(story: &Story) -> OutputConfig {
    story.resolved().output_config
}

/// Where this document goes.
fn path(output_config: &OutputConfig, document: DocumentKind) -> Option<String> {
    let destination = output_config.destinations.iter().find(|other| other.document == document)?;
    Some(destination.path()?.to_str()?.to_owned())
}

fn some(path: &str) -> Option<String> {
    Some(path.to_owned())
}

#[test]
fn report_files_are_taken_as_given() {
    let output_config = output_config(&story().env(&ENOUGH).args(&[
        "--json=out/a.json",
        "--junit=out/b.xml",
        "--dotenv=/abs/c.env",
        "--markdown=d.md",
        "--trace-file=../e.txt",
        "--output-dir=out",
        "--output-prefix=GATE2_",
    ]));
    let given: Vec<_> =
        output_config.destinations.iter().map(|to| (to.name(), to.path().and_then(Path::to_str))).collect();
    assert_eq!(
        given,
        [
            ("trace-file", Some("../e.txt")),
            ("json", Some("out/a.json")),
            ("junit", Some("out/b.xml")),
            ("dotenv", Some("/abs/c.env")),
            ("markdown", Some("d.md")),
            ("output-dir", Some("out")),
        ]
    );
    assert_eq!(output_config.output_prefix, "GATE2_");
}

#[test]
fn the_github_family_is_known_by_its_marks() {
    let variables = [("GITHUB_OUTPUT", "/f/out"), ("GITHUB_STEP_SUMMARY", "/f/sum")];
    let found = |env: &[(&str, &str)]| output_config(&story().env(&ENOUGH).env(&variables).env(env));
    let files = |output_config: &OutputConfig| {
        (path(output_config, DocumentKind::Outputs), path(output_config, DocumentKind::Summary))
    };
    let both = (some("/f/out"), some("/f/sum"));
    for mark in ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"] {
        let output_config = found(&[(mark, "true"), ("GITLAB_CI", "true")]);
        assert_eq!((output_config.ci.name(), files(&output_config)), ("github", both.clone()), "{mark}");
    }
    let output_config = found(&[("GITHUB_ACTIONS", "true"), ("MAESTRO_CI", "none")]);
    assert_eq!((output_config.ci.name(), output_config.destinations), ("none", vec![]));
    // Capability beats name: a container may be given the runner's files without its mark.
    assert_eq!((found(&[]).ci.name(), files(&found(&[])).0), ("github", some("/f/out")));
    let named = found(&[("MAESTRO_CI", "github")]);
    assert_eq!((named.ci.name(), files(&named)), ("github", both));
    assert_eq!(files(&found(&[("GITHUB_ACTIONS", "true"), ("MAESTRO_SUMMARY", "false")])).1, None);
    assert_eq!(files(&found(&[("GITHUB_ACTIONS", "true"), ("GITHUB_OUTPUT", "")])).0, None);
}

#[test]
fn gitlab_is_known_by_its_mark_and_its_links_lie_beside_the_dotenv_or_junit_file() {
    let found = |args: &[&str], env: &[(&str, &str)]| output_config(&story().env(&ENOUGH).env(env).args(args));
    let mark: &[(&str, &str)] = &[("GITLAB_CI", "true")];
    let links = |args: &[&str], env: &[(&str, &str)]| path(&found(args, env), DocumentKind::Links);
    let both = ["--dotenv", "out/gate.env", "--junit", "gate.xml"];
    assert_eq!(links(&both, mark), some("out/gate.annotations.json"));
    assert_eq!(links(&both[2..], mark), some("gate.annotations.json"));
    assert_eq!(links(&["--dotenv", ".env"], mark), some(".env.annotations.json"));
    assert_eq!(links(&both, &[("MAESTRO_CI", "gitlab")]), some("out/gate.annotations.json"));
    assert_eq!((found(&[], mark).ci.name(), links(&[], mark)), ("gitlab", None));
    for elsewhere in [&[("GITLAB_CI", "false")][..], &[], &[("GITLAB_CI", "true"), ("MAESTRO_CI", "none")]] {
        assert_eq!((found(&both, elsewhere).ci.name(), links(&both, elsewhere)), ("none", None));
    }
    let taken = ["--dotenv", "gate.env", "--json", "./gate.annotations.json"];
    let story = story().env(&ENOUGH).env(mark).args(&taken);
    let output_config = output_config(&story);
    assert_eq!(path(&output_config, DocumentKind::Links), None);
    assert_eq!(path(&output_config, DocumentKind::Format(&JSON)), some("./gate.annotations.json"));
    let warnings = story.resolved().warnings;
    assert!(warnings.iter().any(|warning| warning.what.contains("the report of json")), "{warnings:?}");
}

#[test]
fn the_outlet_stands_whatever_else_is_wrong() {
    let story = story()
        .args(&[
            "--nope",
            "--timeout",
            "ever",
            "--json",
            "a.json",
            "--log-format=xml",
            "--output-prefix=1x",
            "--password=x",
        ])
        .env(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_OUTPUT", "/f/out"),
            ("MAESTRO_QUIET", "true"),
            ("MAESTRO_CI", "hudson"),
        ]);
    let output_config = output_config(&story);
    assert_eq!(
        (path(&output_config, DocumentKind::Format(&JSON)), path(&output_config, DocumentKind::Outputs)),
        (some("a.json"), some("/f/out"))
    );
    assert_eq!((output_config.log_format, output_config.volume), (LogFormat::Text, Volume::Quiet));
    assert_eq!(output_config.output_prefix, "MAESTRO_GATE_");
    assert!(story.input_errors().len() > 5);
}

#[test]
fn a_path_used_twice_is_an_input_error_and_the_first_keeps_it() {
    for (first, second) in [
        ("a.json", "a.json"),
        ("a.json", "./a.json"),
        ("a.json", "x/../a.json"),
        ("a.json", "/work/a.json"),
        ("../work/a.json", "a.json"),
        ("/a.json", "/../a.json"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("x//y", "x/./y"),
    ] {
        let story = story().env(&ENOUGH).args(&["--json", first, "--junit", second]);
        assert!(story.input_error().starts_with("junit"), "{first} {second}");
        let output_config = output_config(&story);
        let both =
            (path(&output_config, DocumentKind::Format(&JSON)), path(&output_config, DocumentKind::Format(&JUNIT)));
        assert_eq!(both, (some(first), None), "{first} {second}");
    }
    assert!(story().env(&ENOUGH).args(&["--trace-file=x", "--markdown=x"]).input_error().starts_with("markdown"));
    story()
        .env(&ENOUGH)
        .args(&["--json=a.json", "--junit=A.json", "--dotenv=b/a.json", "--markdown=../a.json"])
        .config();
}

#[test]
fn the_output_folder_keeps_its_own_names() {
    story().env(&ENOUGH).args(&["--output-dir=out", "--json=out/report.json"]).config();
    story().env(&ENOUGH).args(&["--output-dir=out", "--json=out/sub/verdict"]).config();
    for name in ["out/verdict", "./out/MAESTRO_GATE_EXIT_CODE", "/work/out/trace-file"] {
        let story = story().env(&ENOUGH).args(&["--output-dir=out", "--json", name]);
        assert!(story.input_error().starts_with("output-dir"), "{name}");
        let output_config = output_config(&story);
        assert_eq!(
            (path(&output_config, DocumentKind::Format(&JSON)), path(&output_config, DocumentKind::OutputDir)),
            (some(name), None)
        );
    }
    for file in ["out", "out/..", "."] {
        let story = story().env(&ENOUGH).args(&["--json=out", "--output-dir", file]);
        assert_eq!(story.resolved().config.is_err(), file == "out", "{file}");
    }
    assert!(story().env(&ENOUGH).args(&["--json=out", "--output-dir=out/x"]).input_error().starts_with("output-dir"));
}

/// docs/reference.md: a path that is a CI command file: `invalid-input`.
#[test]
fn no_report_goes_over_a_file_of_the_ci() {
    for variable in [
        "GITHUB_OUTPUT",
        "GITHUB_ENV",
        "GITHUB_PATH",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
        "BASH_ENV",
        "BITBUCKET_PIPELINES_VARIABLES_PATH",
        "DRONE_OUTPUT",
        "FORGEJO_OUTPUT",
    ] {
        for flag in ["--json", "--junit", "--dotenv", "--markdown", "--trace-file", "--output-dir"] {
            // `ci` does not matter: the next step reads the file all the same.
            let story = story()
                .env(&ENOUGH)
                .env(&[(variable, "/run/ci/file"), ("MAESTRO_CI", "none")])
                .args(&[flag, "../run/ci/./file"]);
            let input_error = story.input_error();
            assert!(input_error.contains(variable) && input_error.starts_with(&flag[2..]), "{input_error}");
            assert_eq!(output_config(&story).destinations, []);
        }
    }
}

#[test]
fn no_report_goes_over_a_file_that_is_read() {
    let story = story().env(&[("MAESTRO_RUN_ID", "p/r")]).file("token", "token!").file("./token", "token!");
    let story = story.args(&["--access-token-file=token", "--json=./token"]);
    assert!(story.input_error().contains("this path is read as access-token-file"));
    assert_eq!(output_config(&story).destinations, []);
}

#[test]
fn no_report_goes_into_the_log() {
    for handle in ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/../fd/2", "/proc/self/fd/1"] {
        for ci in ["github", "none"] {
            let story = story().env(&ENOUGH).env(&[("MAESTRO_CI", ci)]).args(&["--json", handle]);
            assert!(story.input_error().contains("the gate's own log"), "{handle} {}", story.input_error());
            assert_eq!(output_config(&story).destinations, []);
        }
    }
}

#[test]
fn the_workspace_is_the_ci_s_or_else_the_working_folder() {
    let workspace = |env: &[(&str, &str)]| {
        let config = output_config(&story().env(&ENOUGH).env(env));
        config.workspaces.into_iter().next().or(config.working_folder)
    };
    let root = if cfg!(windows) { "C:/w" } else { "/w" };
    assert_eq!(workspace(&[]), Some("/work".into()));
    for name in ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY", "DRONE_WORKSPACE", "WORKSPACE"] {
        assert_eq!(workspace(&[(name, root)]), Some(root.into()), "{name}");
    }
    assert_eq!(
        workspace(&[("CIRCLE_WORKING_DIRECTORY", "~/project")]),
        Some("/work".into()),
        "a shell would expand it"
    );
}

#[test]
fn a_file_is_not_a_folder() {
    for path in ["out/", "/", ".", ".."] {
        let story = story().env(&ENOUGH).args(&["--json", path]);
        // `.` and `..` are folders of the working folder itself: only the file system knows more than their names.
        assert!(story.resolved().config.is_err() || path == "." || path == "..", "{path}");
    }
}

#[test]
fn a_prefix_begins_a_variable_s_name() {
    for good in ["_", "GATE_", "gate2_"] {
        assert_eq!(output_config(&with("MAESTRO_OUTPUT_PREFIX", good)).output_prefix, good);
    }
    for bad in ["1", "a-b", "a b", "a=b", "é", "a\nb", "${X}"] {
        let story = with("MAESTRO_OUTPUT_PREFIX", bad);
        assert!(story.input_error().starts_with("output-prefix"), "{bad}");
        assert_eq!(output_config(&story).output_prefix, "MAESTRO_GATE_");
    }
    assert_eq!(output_config(&with("MAESTRO_OUTPUT_PREFIX", " ")).output_prefix, "MAESTRO_GATE_");
}

#[test]
fn volume_and_format_are_read() {
    let volume = |args: &[&str], env: &[(&str, &str)]| output_config(&story().env(&ENOUGH).args(args).env(env)).volume;
    assert_eq!(volume(&["-q"], &[]), Volume::Quiet);
    assert_eq!(volume(&["--verbose"], &[]), Volume::Verbose);
    assert_eq!(volume(&["-q"], &[("MAESTRO_VERBOSE", "true")]), Volume::Quiet);
    assert_eq!(volume(&["-v"], &[("MAESTRO_QUIET", "true")]), Volume::Verbose);
    assert_eq!(volume(&["--quiet=false", "-v"], &[]), Volume::Verbose);
    assert!(story().env(&ENOUGH).args(&["-qv"]).input_error().contains("cannot be used together"));
    assert_eq!(output_config(&with("MAESTRO_LOG_FORMAT", "json")).log_format, LogFormat::Json);
    assert!(with("MAESTRO_LOG_FORMAT", "JSON").input_error().contains("text, json"));
    for (word, logs) in [("always", Logs::Always), ("never", Logs::Never), ("on-failure", Logs::OnFailure)] {
        assert_eq!(with("MAESTRO_LOGS", word).config().logs, logs);
    }
}

#[test]
fn colour_is_by_the_two_variables() {
    let colour = |env: &[(&str, &str)]| output_config(&story().env(&ENOUGH).env(env)).colour;
    assert_eq!(colour(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), Colour::Never);
    assert_eq!(colour(&[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")]), Colour::Always);
    assert_eq!(colour(&[("CLICOLOR_FORCE", "0")]), Colour::Auto);
}

#[test]
fn every_report_format_has_an_input_that_names_its_file() {
    for format in crate::report::formats::FORMATS {
        assert!(Input::named(format.input).is_some(), "{format:?}");
        let output_config = output_config(&story().env(&ENOUGH).args(&[&format!("--{}=out/report", format.input)]));
        assert_eq!(path(&output_config, DocumentKind::Format(format)), some("out/report"), "{format:?}");
    }
}
