//! Pages, `--help` and code agree: inputs with their variables and defaults, outputs, exit codes, the commands shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use maestro_gate::core::Verdict;
use maestro_gate::inputs::{Input, ROWS};
use maestro_gate::report::ci::ALL;

use crate::harness::command;
use crate::repository;

/// The rows of a table in the reference.
fn table(name: &str) -> Vec<Vec<String>> {
    repository::table("docs/reference.md", name)
}

fn gate(arguments: &[&str], variables: &[(&str, &Path)]) -> Output {
    command().args(arguments).envs(variables.iter().copied()).output().expect("the program starts")
}

fn help() -> String {
    let output = gate(&["--help"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("help is UTF-8")
}

/// The flags of `--help`, each with its description on one line.
fn flags() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in help().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let flag = words.iter().take(2).find_map(|word| word.strip_prefix("--"));
        match (flag, found.last_mut()) {
            (Some(flag), _) if line.starts_with(' ') && words[0].starts_with('-') => {
                let name = flag.split(['[', '=', ',']).next().unwrap_or_default();
                found.push((name.to_owned(), words.join(" ")));
            }
            (_, Some((_, description))) if line.starts_with("   ") => {
                *description += " ";
                *description += &words.join(" ");
            }
            _ => {}
        }
    }
    found
}

fn available() -> impl Iterator<Item = Input> {
    ROWS.iter().map(|row| row.input)
}

/// Name, variable and default of every input, as the code has them.
fn built() -> Vec<[String; 3]> {
    available()
        .map(|input| [input.name(), input.row().variable, input.row().default.unwrap_or_default()].map(str::to_owned))
        .collect()
}

/// The same, as a page has them.
fn written(page: &str) -> Vec<[String; 3]> {
    repository::table(page, "inputs").iter().map(|row| [row[0].clone(), row[1].clone(), row[2].clone()]).collect()
}

#[test]
fn the_reference_lists_every_input_with_its_variable_and_default() {
    for page in ["docs/reference.md", "README.pt-BR.md"] {
        assert_eq!(sorted(written(page)), sorted(built()), "{page}");
    }
}

#[test]
fn the_readme_s_inputs_have_the_variables_and_defaults_of_the_code() {
    let (built, written) = (built(), written("README.md"));
    assert!(written.len() >= 8);
    for row in written {
        assert!(built.contains(&row), "{row:?}");
    }
}

#[test]
fn the_reference_lists_every_ci_system() {
    let rows = repository::table("docs/reference.md", "inputs");
    let row = rows.iter().find(|row| row[0] == "ci").expect("the input ci");
    let names = ALL.iter().flat_map(|system| system.names).map(|name| (*name).to_owned());
    assert_eq!(sorted(repository::quoted(&row[3])), sorted(names.chain(["auto".to_owned()]).collect()));
}

#[test]
fn the_reference_says_which_inputs_have_no_flag() {
    for (page, no_flag) in
        [("docs/reference.md", "(no flag)"), ("README.md", "(no flag)"), ("README.pt-BR.md", "(sem flag)")]
    {
        for row in repository::table(page, "inputs") {
            let input = Input::named(&row[0]).unwrap_or_else(|| panic!("{page}: no input {}", row[0]));
            assert_eq!(row[3].contains(no_flag), !input.has_flag(), "{page}: {}", row[0]);
        }
    }
}

#[test]
fn the_readme_is_short_and_both_languages_show_the_same_workflow() {
    let words = repository::text("README.md").split_whitespace().count();
    assert!(words <= 1000, "README.md has {words} words");
    assert_eq!(repository::part("README.md", "workflow"), repository::part("README.pt-BR.md", "workflow"));
}

/// The names of buttons, files and stages that a reader needs to get a copy.
#[test]
fn get_your_copy_names_what_is_there() {
    let steps = repository::part("README.md", "get-your-copy");
    let prepare = repository::text(".github/workflows/prepare.yml");
    let name = prepare.lines().find_map(|line| line.strip_prefix("name: ")).expect("the workflow's name");
    assert!(steps.contains(&format!("*Actions > {name} > Run workflow*")), "the button of prepare.yml");
    assert!(prepare.contains("workflow_dispatch:\n    inputs:\n      version:\n"), "its only input is the version");
    // Until the first release, which changes the version.
    if !repository::text("CHANGELOG.md").replace("## [Unreleased]", "").contains("\n## [") {
        let manifest = repository::text("Cargo.toml");
        let version =
            manifest.lines().find_map(|line| line.strip_prefix("version = ")).expect("a version").trim_matches('"');
        assert!(steps.contains(&format!("`{version}`")) && steps.contains(&format!("maestro-gate:{version}")));
        assert!(repository::text("README.md").contains(&format!("Status: {version}, not yet published")));
    }
    // What `docker build` makes by itself, and with `--target static`.
    let stages: Vec<String> = repository::text("Dockerfile")
        .lines()
        .filter_map(|line| line.split_once(" AS ").filter(|_| line.starts_with("FROM ")))
        .map(|(_, stage)| stage.to_owned())
        .collect();
    assert!(stages.contains(&"static".to_owned()) && stages.last().is_some_and(|last| last != "static"), "{stages:?}");
    assert!(steps.contains("`ci/adopt "));
    assert!(repository::text("ci/adopt").starts_with("#!/"));
}

#[test]
fn help_has_a_flag_for_every_input_that_may_have_one_and_no_other() {
    let shown: BTreeSet<String> = flags().into_iter().map(|(name, _)| name).collect();
    let ours = available().filter(|input| input.has_flag()).map(|input| input.name().to_owned());
    assert_eq!(shown, ours.chain(["help".to_owned(), "version".to_owned()]).collect());
}

#[test]
fn help_says_each_default_and_variable_and_every_secret_s_variable() {
    for (name, description) in flags() {
        let Some(input) = Input::named(&name) else { continue };
        assert!(description.contains(&format!("[env: {}]", input.row().variable)), "{description}");
        let default = input.row().default.map(|default| format!("[default: {default}]"));
        assert!(default.is_none_or(|default| description.contains(&default)), "{description}");
    }
    let help = help();
    for input in available().filter(|input| !input.has_flag()) {
        assert!(help.contains(input.row().variable), "{}", input.name());
    }
}

#[test]
fn pages_and_help_have_the_exit_codes_of_the_code() {
    let built: Vec<[String; 2]> =
        Verdict::ALL.iter().map(|verdict| [verdict.name().to_owned(), verdict.exit_code().to_string()]).collect();
    for page in ["docs/reference.md", "README.md", "README.pt-BR.md"] {
        let written: Vec<[String; 2]> =
            repository::table(page, "exit-codes").iter().map(|row| [row[0].clone(), row[1].clone()]).collect();
        assert_eq!(written, built, "{page}");
    }

    let help = help();
    for [name, code] in built {
        let is_shown = help.lines().any(|line| line.split_whitespace().take(2).eq([code.as_str(), name.as_str()]));
        assert!(is_shown, "--help does not show {code} {name}");
    }
}

#[test]
fn the_outputs_written_are_the_reference_s() {
    let folder = tempfile::tempdir().expect("a folder for the output");
    let path = folder.path().join("output");
    #[expect(clippy::disallowed_methods, reason = "the runner makes this file before the step")]
    fs::write(&path, "").expect("it can be written");
    let run = gate(&["--run-id", "/"], &[("GITHUB_ACTIONS", Path::new("true")), ("GITHUB_OUTPUT", &path)]);
    assert_eq!(run.status.code(), Some(2), "{}", String::from_utf8_lossy(&run.stdout));

    let text = fs::read_to_string(&path).expect("outputs are there after a mistake too");
    let mut written = BTreeSet::new();
    let mut lines = text.lines();
    while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
        written.insert(name.to_owned());
        assert!(lines.any(|line| line == delimiter), "{name} has no end");
    }
    assert_eq!(written, table("outputs").into_iter().map(|row| row[0].clone()).collect());
}

/// Each example with what makes its deployment wait for the gate ("" where steps simply follow one another), and with the
/// keywords by which its system would let a deployment go on after a gate that failed.
const EXAMPLES: &[(&str, &str, &[&str])] = &[
    ("Jenkinsfile", "skipStagesAfterUnstable()", &["catchError", "warnError", "returnStatus", "unstable("]),
    ("argo.yml", "", &["continueOn"]),
    ("azure-pipelines.yml", "dependsOn: gate", &["continueOnError", "succeededOrFailed", "SucceededWithIssues"]),
    ("bitbucket-pipelines.yml", "", &["on-fail:"]),
    ("buildkite.yml", "depends_on: gate", &["soft_fail", "allow_failure", "allow_dependency", "continue_on_failure"]),
    ("buildspec.yml", "on-failure: ABORT", &["on-failure: CONTINUE", "post_build"]),
    ("circleci.yml", "requires:", &["on_fail", "failed", "terminal"]),
    ("cloudbuild.yaml", "waitFor:", &["allowFailure", "allowExitCodes"]),
    ("drone.yml", "", &["failure: ignore", "- failure"]),
    ("gitea.yml", "needs: gate", &["continue-on-error", "failure()", "cancelled()"]),
    (
        "teamcity.kts",
        "onDependencyFailure = FailureAction.FAIL_TO_START",
        &["RUN_ADD_PROBLEM", "RUN_ON_FAIL", "IGNORE", "ReuseBuilds.ANY", "ReuseBuilds.SUCCESSFUL"],
    ),
    ("tekton.yml", "", &["onError"]),
    ("woodpecker.yml", "", &["failure: ignore", "- failure"]),
];

#[test]
fn no_example_lets_a_deployment_go_on_after_anything_but_a_pass() {
    assert_eq!(repository::names("examples/ci"), EXAMPLES.iter().map(|(name, ..)| (*name).to_owned()).collect());

    let tolerant = || EXAMPLES.iter().flat_map(|(.., words)| words.iter()).chain(&["|| true", "|| :", "set +e"]);
    for (name, holds, _) in EXAMPLES {
        let text = repository::text(format!("examples/ci/{name}"));
        // Comments may name what must not be there.
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with(['#', '/'])).collect();
        assert!(lines.iter().any(|line| line.contains(*holds)), "{name}: {holds}");
        for (at, line) in lines.iter().enumerate() {
            assert_eq!(tolerant().find(|word| line.contains(**word)), None, "{name}: {line}");
            // A step that always runs may report or store something, and deploys nothing.
            let near = &lines[at.saturating_sub(3)..lines.len().min(at + 4)];
            let deploys = near.iter().any(|line| line.to_lowercase().contains("deploy"));
            assert!(!line.to_lowercase().contains("always") || !deploys, "{name}: {near:?}");
        }
    }
}

/// A run's id that somebody else gives could be that of a success long ago.
#[test]
fn examples_replay_no_old_success() {
    let has_max_age = |text: &str| ["max-age", "max_age", "MAX_AGE"].iter().any(|name| text.contains(name));
    for (name, ..) in EXAMPLES {
        assert!(has_max_age(&repository::text(format!("examples/ci/{name}"))), "{name}");
    }
    let mut shown = 0;
    for page in repository::markdown::pages() {
        let text = repository::text(&page);
        // Every other part between fences is a snippet.
        for snippet in text.split("```").skip(1).step_by(2).filter(|snippet| snippet.contains("inputs.run-id")) {
            shown += 1;
            assert!(has_max_age(snippet), "{}: {snippet}", page.display());
        }
    }
    assert!(shown >= 1, "{shown} snippets take a run's id as an input");
}

/// Help and version are printed, and are a success only without other arguments.
#[test]
fn help_is_printed_alone_as_a_command_and_beside_an_input_error() {
    let whole = help();
    for arguments in [&["help"][..], &["-h"], &["doctor", "--help"], &["doctor", "-h"], &["doctor", "help"]] {
        let output = gate(arguments, &[]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), whole.as_bytes()), "{arguments:?}");
    }
    for arguments in [&["version"][..], &["--version"], &["-V"], &["doctor", "--version"]] {
        let output = gate(arguments, &[]);
        assert!(output.status.code() == Some(0) && output.stdout.starts_with(b"maestro-gate "), "{arguments:?}");
    }
    for arguments in [&["--help", "--quiet"][..], &["--run-id", "p/r", "-h"], &["help", "--quiet"]] {
        let output = gate(arguments, &[]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.starts_with(&whole), "{text}");
        assert!(text.contains("--help must be the only argument") && text.contains("invalid-input"), "{text}");
        assert!(!text.contains("required"), "{text}");
    }
    let output = gate(&["--help", "--log-format", "json"], &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code() == Some(2) && text.lines().all(|line| line.starts_with('{')), "{text}");
}

#[test]
fn the_commands_shown_are_the_ones_that_ci_runs() {
    assert!(repository::text("README.md").contains("\ncargo test "), "the README's test command");
    assert!(repository::text("check").contains("\nbegin test cargo test\n"));
    assert!(
        repository::text(".ci/run").lines().any(|line| line.trim() == "./check --require-tools --clients --budgets")
    );
    assert!(repository::text(".github/workflows/ci.yml").contains("run: bash .ci/run\n"));
    assert!(repository::text("README.md").contains("\ncargo run --example demo "));
    assert!(repository::path("examples/demo/main.rs").is_file(), "the README's demo");
}

#[test]
fn the_rust_version_promised_is_the_one_that_ci_builds_with() {
    let manifest = repository::text("Cargo.toml");
    let promised = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).expect("it is promised");
    let version = format!("{}.0", promised.trim_matches('"'));
    for workflow in ["ci", "advisories", "prepare"] {
        let text = repository::text(format!(".github/workflows/{workflow}.yml"));
        assert!(text.contains(&format!("RUSTUP_TOOLCHAIN: {version}\n")), "{workflow}");
    }
    assert!(repository::text("Dockerfile").contains(&format!(" rust:{version}-slim-bookworm AS base\n")));
    assert!(repository::text("README.md").contains(&format!("({} or newer)", promised.trim_matches('"'))));
    assert!(repository::text("docs/github.md").contains(&format!("rustup default {version}`")));
    for page in ["docs/github.md", "docs/install.md"] {
        assert!(repository::text(page).contains(&format!("Rust {} or newer", promised.trim_matches('"'))), "{page}");
    }
}

/// The flags behind each `maestro-gate` that is a command.
fn flags_of_the_gate(command: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in command.replace("\\\n", " ").lines() {
        let (mut begins, mut is_ours) = (true, false);
        for word in line.split_whitespace() {
            match word {
                "#" => break,
                "&&" | "||" | "|" | ";" | "-" | "exec" => (begins, is_ours) = (true, false),
                "maestro-gate" if begins => (begins, is_ours) = (false, true),
                _ => {
                    begins = false;
                    let flag = word.strip_prefix("--").filter(|_| is_ours);
                    found.extend(flag.map(|flag| flag.split('=').next().unwrap_or_default().to_owned()));
                }
            }
        }
    }
    found
}

#[test]
fn every_flag_that_a_page_shows_is_one_of_the_program() {
    use markdown::mdast::Node;
    let known: BTreeSet<String> = flags().into_iter().map(|(name, _)| name).collect();
    let mut count = 0;
    for page in repository::markdown::pages() {
        for node in repository::markdown::nodes(&page) {
            let code = match node {
                Node::Code(code) => code.value,
                Node::InlineCode(code) => code.value,
                _ => continue,
            };
            for flag in flags_of_the_gate(&code) {
                count += 1;
                assert!(known.contains(&flag), "{}: no flag --{flag}", page.display());
            }
        }
    }
    assert!(count > 10, "{count} flags shown");
}

#[test]
fn the_types_and_paths_that_architecture_md_names_are_in_the_code() {
    let code =
        repository::rust_files(&["src", "tests", "examples"]).into_iter().map(|(_, text)| text).collect::<String>();
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let words: BTreeSet<&str> = code.split(|c| !is_name(c)).collect();
    let quoted = repository::quoted(&repository::text("ARCHITECTURE.md"));
    let is_path = |text: &&String| text.chars().all(|c| is_name(c) || c == ':');
    let names = quoted.iter().filter(is_path).filter_map(|path| path.rsplit("::").next().map(|name| (path, name)));
    let is_type = |name: &str| name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
    let named: Vec<_> = names.filter(|(path, name)| path.contains("::") || is_type(name)).collect();
    assert!(named.len() > 10, "{named:?}");
    for (path, name) in named {
        assert!(words.contains(name), "no {path}");
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}
