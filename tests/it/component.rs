//! The GitLab component (`templates/gate.yml`): it has every input, no value of one is obeyed, and no variable that others
//! can set decides what its inputs decide. Real clients run it in `tests/gitlab/run`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use maestro_gate::core::Verdict;
use maestro_gate::inputs::{Input, Kind, ROWS};

use crate::repository;

/// What the component decides itself.
const OURS: [Input; 9] = [
    Input::Ci,
    Input::Dotenv,
    Input::Json,
    Input::Junit,
    Input::Markdown,
    Input::OutputDir,
    Input::OutputPrefix,
    Input::Summary,
    Input::TraceFile,
];

/// Where the variable counts if the input is not given: what earlier jobs, or variables of the type file, hand on.
const KEPT: [Input; 4] = [Input::PipelineId, Input::RunId, Input::Username, Input::CaFile];

fn template() -> String {
    repository::text("templates/gate.yml")
}

/// Each input's name with the lines that specify it.
fn specified() -> BTreeMap<String, Vec<String>> {
    let text = template();
    let (header, _) = text.split_once("\n---\n").expect("a header");
    let (_, inputs) = header.split_once("\n  inputs:\n").expect("inputs");
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = String::new();
    for line in inputs.lines() {
        match line.strip_prefix("    ").filter(|line| !line.starts_with(' ')) {
            Some(key) => name = key.trim_end_matches(':').to_owned(),
            None => found.entry(name.clone()).or_default().push(line.trim().to_owned()),
        }
    }
    found
}

/// The job's script, with the inputs in their places.
fn script(values: &BTreeMap<&str, &str>) -> String {
    let text = template();
    let (_, block) = text.split_once("\n  script:\n    - |\n").expect("a script");
    let mut script: String =
        block.lines().map(|line| line.strip_prefix("      ").unwrap_or(line).to_owned() + "\n").collect();
    for name in specified().into_keys() {
        let value = match values.get(name.as_str()) {
            Some(value) => value,
            None if name == "job-name" => "maestro-gate",
            None => "-",
        };
        script = script.replace(&format!("$[[ inputs.{name} ]]"), value);
    }
    assert!(!script.contains("$[["), "{script}");
    script
}

fn inputs() -> impl Iterator<Item = Input> {
    let secret = |input: &Input| matches!(input.row().kind, Kind::Secret | Kind::SecretFile);
    ROWS.iter().map(|row| row.input).filter(move |input| !secret(input) && !OURS.contains(input))
}

#[test]
fn it_has_every_input_that_is_no_secret_and_no_secret() {
    let own = ["job-name", "stage", "image", "job-timeout", "interruptible", "allow-failure-exit-codes"];
    let expected: BTreeSet<String> = inputs().map(Input::name).chain(own).map(str::to_owned).collect();
    assert_eq!(specified().into_keys().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn each_input_has_a_line_of_the_here_document_with_the_variable_that_it_beats() {
    for input in inputs() {
        let (name, variable) = (input.name(), input.row().variable);
        let variable = if KEPT.contains(&input) { "keep" } else { variable };
        assert!(template().contains(&format!("\n      {variable} {name}=$[[ inputs.{name} ]]\n")), "{name}");
    }
}

/// Text that GitLab pastes before it reads YAML must keep to its line, and a default is the binary's affair.
#[test]
fn each_input_is_confined_and_has_no_default_of_its_own() {
    for (name, lines) in specified() {
        let confined = |line: &String| {
            ["regex: ", "options: ", "type: boolean", "type: array"].iter().any(|start| line.starts_with(start))
        };
        assert!(lines.iter().any(confined), "{name}");
        assert!(lines.iter().any(|line| line.starts_with("description: ")), "{name}");
        if inputs().any(|input| input.name() == name) {
            assert!(lines.contains(&"default: \"-\"".to_owned()), "{name}");
        }
    }
}

#[test]
fn no_end_of_the_gate_is_let_through_unless_the_user_says_so() {
    let allowed = specified().remove("allow-failure-exit-codes").expect("the input");
    let default = allowed.iter().find_map(|line| line.strip_prefix("default: [")).expect("a list");
    let code: u8 = default.trim_end_matches(']').parse().expect("one code");
    assert!(Verdict::ALL.iter().all(|verdict| verdict.exit_code() != code), "{code}");
}

#[cfg(unix)]
mod in_a_shell {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use maestro_gate::inputs::{Env, look_up};

    use super::*;

    /// What the gate was started with: arguments and environment.
    struct Started {
        args: Vec<OsString>,
        env: Env,
    }

    impl Started {
        fn given(&self, input: Input) -> Option<(String, String)> {
            let found = look_up(&self.args, &self.env);
            found.chosen(input).map(|given| (given.called.clone(), given.text.clone().expect("text")))
        }
    }

    /// The shells that a runner may meet, as far as they are here.
    fn shells() -> Vec<Vec<&'static str>> {
        let there = |name: &str| ["/bin", "/usr/bin"].iter().any(|folder| Path::new(folder).join(name).exists());
        let all = [vec!["sh"], vec!["bash"], vec!["dash"], vec!["busybox", "sh"]];
        all.into_iter().filter(|shell| there(shell[0])).collect()
    }

    /// Runs the job's script with a gate that only prints what it was started with.
    #[track_caller]
    fn run(shell: &[&str], values: &BTreeMap<&str, &str>, variables: &[(String, String)]) -> Started {
        let folder = tempfile::tempdir().expect("a folder");
        let gate = folder.path().join("maestro-gate");
        #[expect(clippy::disallowed_methods, reason = "a program for this test alone")]
        fs::write(&gate, "#!/bin/sh\nprintf '%s\\0' \"$@\" >args\nenv -0 >env\nexit 7\n").expect("it can be written");
        fs::set_permissions(&gate, fs::Permissions::from_mode(0o755)).expect("it can be run");
        let output = Command::new(shell[0])
            .args(&shell[1..])
            .args(["-e", "-c", &script(values)])
            .current_dir(folder.path())
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
            .output()
            .expect("a shell");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), errors.as_str()), (Some(7), ""), "{shell:?}: the gate's own code");
        let texts = |name: &str| -> Vec<OsString> {
            let bytes = fs::read(folder.path().join(name)).expect("the gate ran");
            bytes
                .strip_suffix(b"\0")
                .unwrap_or_default()
                .split(|byte| *byte == 0)
                .map(|text| OsString::from_vec(text.to_vec()))
                .collect()
        };
        let pairs = texts("env").into_iter().filter_map(|pair| {
            let pair = pair.into_string().ok()?;
            pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
        });
        let mut others =
            fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        assert!(
            others.all(|name| ["maestro-gate", "args", "env"].map(OsString::from).contains(&name)),
            "no other file was made"
        );
        Started { args: texts("args"), env: Env::new(pairs, None) }
    }

    #[test]
    fn no_value_is_obeyed_and_each_arrives_as_it_is() {
        let hostile = [
            "a'b\"c`touch x`$(touch x)${IFS}$HOME\\",
            "'; touch x; '",
            "END_OF_INPUTS",
            "x\\",
            "-- --base-url=https://evil.example",
            "* ? [a] ~ !! # & | ; < > ( ) { }",
            "%CI_JOB_TOKEN% é\u{200b}",
        ];
        for shell in shells() {
            for value in hostile {
                let values = inputs().map(|input| (input.name(), value)).collect();
                let started = run(&shell, &values, &[]);
                for input in inputs() {
                    let (called, text) = started.given(input).unwrap_or_else(|| panic!("{shell:?}: {}", input.name()));
                    assert_eq!(text, value, "{shell:?}: {called}");
                }
                assert_eq!(started.given(Input::Username).expect("it is given").0, "--username");
            }
        }
    }

    #[test]
    fn no_variable_sets_what_an_input_decides() {
        let evil = "https://evil.example".to_owned();
        let mut variables: Vec<(String, String)> = Vec::new();
        for row in &ROWS {
            let snake = row.name.to_uppercase().replace('-', "_");
            variables.push((row.variable.to_owned(), evil.clone()));
            variables.push((format!("INPUT_{snake}"), evil.clone()));
            variables.push((format!("PLUGIN_{snake}"), evil.clone()));
        }
        let marks = ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "DRONE", "CI_SYSTEM_NAME", "CI_SYSTEM_URL"];
        variables.extend(marks.map(|mark| (mark.to_owned(), "true".to_owned())));
        variables.push(("CI_PIPELINE_NUMBER".to_owned(), "1".to_owned()));
        for ci in ["true", "woodpecker", "drone"] {
            variables.push(("CI".to_owned(), ci.to_owned()));
            let started = run(&["sh"], &BTreeMap::new(), &variables);
            for row in &ROWS {
                let given = started.given(row.input).map(|(called, _)| called);
                let credential = matches!(row.kind, Kind::Secret | Kind::SecretFile);
                let expected = if KEPT.contains(&row.input) || credential {
                    Some(row.variable.to_owned())
                } else if matches!(row.input, Input::Summary | Input::Markdown | Input::OutputDir) {
                    None
                } else {
                    OURS.contains(&row.input).then(|| format!("--{}", row.name))
                };
                assert_eq!(given, expected, "{}", row.name);
            }
            let given = run(&["sh"], &BTreeMap::from([("base-url", "https://good.example")]), &variables);
            assert_eq!(given.given(Input::BaseUrl).expect("it is given").1, "https://good.example");
            variables.pop();
        }
    }

    #[test]
    fn files_and_prefix_go_by_the_job_s_name() {
        let started = run(&["sh"], &BTreeMap::from([("job-name", "gate-sales_2")]), &[]);
        let text = |input| started.given(input).expect("the component gives it").1;
        assert_eq!(text(Input::OutputPrefix), "GATE_SALES_2_");
        assert_eq!((text(Input::Dotenv), text(Input::Junit)), ("gate-sales_2.env".into(), "gate-sales_2.xml".into()));
        let listed = |name: &str| template().contains(&format!("\"$[[ inputs.job-name ]]{name}\"\n"));
        for file in [".env", ".xml", ".annotations.json", ".json", ".trace.txt"] {
            assert!(listed(file), "{file}");
        }
    }
}
