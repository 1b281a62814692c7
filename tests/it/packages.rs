//! The packages for other CI systems, and `action-types.yml`: they are what the table of inputs makes of them, every input
//! arrives as it was given, and no variable of the job decides what an input decides.

use std::collections::BTreeSet;
use std::fs;

use maestro_gate::inputs::ROWS;
use yaml_rust2::{Yaml, YamlLoader};

use crate::repository;

#[path = "../../examples/packages/files.rs"]
mod files;

fn yaml(name: &str) -> Yaml {
    let text = repository::text(name);
    YamlLoader::load_from_str(&text).expect("YAML").remove(0)
}

/// Whether a file says this. A fork that ran `ci/adopt` has its own names in the place of the placeholders.
fn says(file: &str, text: &str) -> bool {
    let mut rest = file;
    let mut parts = text.split("OWNER").flat_map(|part| part.split("IMAGE"));
    let Some(mut rest_of) = parts.next().and_then(|part| rest.strip_prefix(part)) else { return false };
    for part in parts {
        let end = rest_of.find(|c: char| !c.is_ascii_alphanumeric() && !"-_./:@".contains(c)).unwrap_or(rest_of.len());
        // The name may be followed by what a name may contain.
        let Some(at) = (1..=end).find(|at| rest_of.is_char_boundary(*at) && rest_of[*at..].starts_with(part)) else {
            return false;
        };
        rest = &rest_of[at..];
        rest_of = &rest[part.len()..];
    }
    rest_of.is_empty()
}

#[test]
fn the_packages_are_what_the_table_of_inputs_makes_of_them() {
    let mut others = Vec::new();
    for (name, text) in files::all() {
        let file = fs::read_to_string(repository::path(name)).unwrap_or_default();
        if !says(&file, &text) {
            others.push(name);
        }
        #[cfg(unix)]
        if files::is_script(name) {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(repository::path(name)).map(|file| file.permissions().mode()).unwrap_or_default();
            assert_eq!(mode & 0o111, 0o111, "{name} can be run");
        }
    }
    assert!(others.is_empty(), "`cargo run --example packages` writes these anew: {others:?}");
}

#[test]
fn only_placeholders_of_a_package_may_differ() {
    assert!(says("a acme/x b", "a OWNER b") && says("x ghcr.io/acme/gate:1.2.3\ny", "x IMAGE\ny"));
    for (file, text) in
        [("a acme c", "a OWNER b"), ("a  b", "a OWNER b"), ("a x b c", "a OWNER b"), ("b", "a"), ("", "a")]
    {
        assert!(!says(file, text), "{file} is not {text}");
    }
}

#[test]
fn no_other_file_is_in_the_packages() {
    let made = files::all().into_iter().map(|(name, _)| name.to_owned()).filter(|name| name.starts_with("packages/"));
    let found: BTreeSet<String> = repository::files("packages").into_iter().collect();
    assert_eq!(found, made.chain(["packages/README.md".to_owned()]).collect());
}

/// The names under a key of a YAML file.
fn keys(file: &Yaml, key: &str) -> BTreeSet<String> {
    let names = file[key].as_hash().expect("a map").keys();
    names.map(|name| name.as_str().expect("a name").to_owned()).collect()
}

#[test]
fn the_types_are_those_of_the_action_s_inputs_and_outputs() {
    let (types, action) = (yaml("action-types.yml"), yaml("action.yml"));
    for key in ["inputs", "outputs"] {
        assert_eq!(keys(&types, key), keys(&action, key), "{key}");
        for (name, entry) in types[key].as_hash().expect("a map") {
            let kind = entry["type"].as_str().expect("a type");
            assert!(["string", "boolean", "integer", "enum", "list"].contains(&kind), "{name:?}: {kind}");
            assert_eq!(entry["allowed-values"].is_badvalue(), kind != "enum", "{name:?}");
            assert_eq!(entry["separator"].is_badvalue(), kind != "list", "{name:?}");
        }
    }
}

#[test]
fn the_words_that_an_input_takes_are_those_of_its_help() {
    let mut count = 0;
    for row in &ROWS {
        let words = files::choices(row.input);
        for word in words {
            assert!(row.help.contains(word), "{}: {word}", row.name);
        }
        if let (Some(default), false) = (row.default, words.is_empty()) {
            assert!(words.contains(&default), "{}: {default}", row.name);
            count += 1;
        }
    }
    assert!(count >= 3, "{count} inputs take one of a few words");
}

#[test]
fn the_images_packages_name_every_input() {
    let pipe = yaml("packages/bitbucket/pipe.yml");
    let named: Vec<&str> =
        pipe["variables"].as_vec().expect("a list").iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert_eq!(named, ROWS.iter().map(|row| row.variable).collect::<Vec<_>>());
    let page = repository::text("packages/woodpecker/docs.md");
    for row in &ROWS {
        assert!(page.contains(&format!("| `{}` | ", row.name.replace('-', "_"))), "{}", row.name);
    }
}

#[test]
fn the_step_for_jenkins_knows_every_input_by_its_name_in_groovy() {
    let step = repository::text("packages/jenkins/vars/maestroGate.groovy");
    let help = repository::text("packages/jenkins/vars/maestroGate.txt");
    for row in files::step_inputs() {
        let name = files::camel(row.name);
        assert!(step.contains(&format!("\n    {name}: '{}',\n", row.variable)), "{name}");
        assert!(help.contains(&format!("\n{name}: ")), "{name}");
    }
}

#[cfg(unix)]
mod in_a_shell {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use maestro_gate::inputs::{Env, Input, InputGroup, Row, look_up};

    use super::*;

    /// A step as a CI system runs it: its script, and what the system puts into its environment.
    struct Step {
        script: String,
        environment: BTreeMap<String, String>,
    }

    type Values<'a> = BTreeMap<&'static str, &'a str>;

    /// The variables of a step, each with the value of the parameter that it names.
    fn substituted(map: &Yaml, named: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
        let text = |value: &Yaml| value.as_str().expect("text").to_owned();
        let map = map.as_hash().expect("a map").iter().map(|(name, value)| (text(name), text(value)));
        map.map(|(name, value)| {
            let value = named(&value).unwrap_or(value);
            (name, value)
        })
        .collect()
    }

    fn given(values: &Values<'_>, name: fn(&str) -> String, wanted: &str) -> String {
        let value = values.iter().find(|(input, _)| name(input) == wanted);
        value.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
    }

    fn buildkite(values: &Values<'_>) -> Step {
        let settings = values.iter().map(|(name, value)| {
            (format!("BUILDKITE_PLUGIN_MAESTRO_GATE_{}", files::shouted(name)), (*value).to_owned())
        });
        let hook = repository::path("packages/maestro-gate-buildkite-plugin/hooks/command");
        Step { script: fs::read_to_string(hook).expect("the hook"), environment: settings.collect() }
    }

    fn circleci(values: &Values<'_>) -> Step {
        let step = yaml("packages/circleci/orb.yml")["commands"]["wait"]["steps"][0]["run"].clone();
        let named = |text: &str| {
            let name = text.strip_prefix("<< parameters.")?.strip_suffix(" >>")?;
            Some(given(values, str::to_owned, name))
        };
        let environment = substituted(&step["environment"], named);
        Step { script: step["command"].as_str().expect("a command").to_owned(), environment }
    }

    fn azure(values: &Values<'_>) -> Step {
        let step = yaml("packages/azure-pipelines/gate.yml")["steps"][0].clone();
        let named = |text: &str| {
            let name = text.strip_prefix("${{ parameters.")?.strip_suffix(" }}")?;
            Some(given(values, files::camel, name))
        };
        let environment = substituted(&step["env"], named);
        Step { script: step["bash"].as_str().expect("a script").to_owned(), environment }
    }

    /// A CI system, and its step with these values.
    type Package = (&'static str, fn(&Values<'_>) -> Step);

    const STEPS: [Package; 3] = [("buildkite", buildkite), ("circleci", circleci), ("azure", azure)];

    /// The environment that the gate was started in.
    #[track_caller]
    fn run(step: &Step, variables: &[(String, String)]) -> Env {
        let folder = tempfile::tempdir().expect("a folder");
        let gate = folder.path().join("maestro-gate");
        #[expect(clippy::disallowed_methods, reason = "a program for this test alone")]
        fs::write(&gate, "#!/bin/sh\n[ $# = 0 ] || exit 1\nenv -0 >env\nexit 7\n").expect("it can be written");
        fs::set_permissions(&gate, fs::Permissions::from_mode(0o755)).expect("it can be run");
        let output = Command::new("sh")
            .args(["-e", "-c", &step.script])
            .current_dir(folder.path())
            .env_clear()
            .envs(variables.iter().cloned())
            .envs(&step.environment)
            .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
            .output()
            .expect("a shell");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(7), &b""[..]), "the gate's own code");
        let env = String::from_utf8(fs::read(folder.path().join("env")).expect("the gate ran")).expect("text");
        Env::new(env.split('\0').filter_map(|pair| pair.split_once('=')), None)
    }

    /// The scripts that download the program, each with the folder that it unpacks into, below the one that it is given.
    fn installers() -> [(&'static str, String, &'static str); 2] {
        let orb = yaml("packages/circleci/orb.yml")["commands"]["install"]["steps"][0]["run"]["command"].clone();
        let azure = yaml("packages/azure-pipelines/install.yml")["steps"][0]["bash"].clone();
        [
            ("HOME", orb.into_string().expect("a script"), "PATH"),
            ("AGENT_TEMPDIRECTORY", azure.into_string().expect("a script"), "prependpath"),
        ]
    }

    #[test]
    fn a_download_is_used_only_if_its_checksum_is_the_given_one() {
        for (variable, script, mark) in installers() {
            for (checksum, passes) in [("$(sha256sum <release.tar.gz | cut -d ' ' -f 1)", true), ("\"$WRONG\"", false)]
            {
                let folder = tempfile::tempdir().expect("a folder");
                // A release, and a `curl` that records its requests and serves them.
                let setup = r#"printf '#!/bin/sh\necho the gate\n' >maestro-gate; chmod +x maestro-gate
                    tar -czf release.tar.gz maestro-gate; rm maestro-gate; mkdir bin
                    printf '#!/bin/sh\nfor url; do :; done\necho "$url" >"$TOP/asked"\ncp "$TOP/release.tar.gz" "$(basename "$url")"\n' >bin/curl
                    chmod +x bin/curl; export SHA256="#;
                let output = Command::new("sh")
                    .args(["-e", "-c", &format!("{setup}{checksum}\n{script}")])
                    .current_dir(folder.path())
                    .env_clear()
                    .env("PATH", format!("{}/bin:/usr/bin:/bin", folder.path().display()))
                    .env("TOP", folder.path())
                    .env(variable, folder.path().join("home"))
                    .env("BASH_ENV", folder.path().join("bash-env"))
                    .env("RELEASES", "https://example.com/releases/download")
                    .env("VERSION", "1.2.3")
                    .env("WRONG", "0".repeat(64))
                    .output()
                    .expect("a shell");
                let errors = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.success(), passes, "{variable}: {errors}");
                let asked = fs::read_to_string(folder.path().join("asked")).expect("curl was called");
                let name = "v1.2.3/maestro-gate-1.2.3-x86_64-unknown-linux-musl.tar.gz";
                assert_eq!(asked.trim_end(), format!("https://example.com/releases/download/{name}"));
                assert_eq!(folder.path().join("home/maestro-gate/maestro-gate").exists(), passes, "{variable}");
                let path = fs::read_to_string(folder.path().join("bash-env")).unwrap_or_default();
                assert_eq!((path + &String::from_utf8_lossy(&output.stdout)).contains(mark), passes, "{variable}");
            }
        }
    }

    fn chosen(env: &Env, input: Input) -> Option<(String, String)> {
        look_up(&[], env).chosen(input).map(|given| (given.called.clone(), given.text.clone().expect("text")))
    }

    fn rows(ci: &str) -> impl Iterator<Item = &'static Row> {
        let azure = ci == "azure";
        ROWS.iter().filter(move |row| row.input != Input::Ci && (azure || row.group != InputGroup::SignIn))
    }

    #[test]
    fn every_input_of_a_package_arrives_as_it_is() {
        let value = "a'b\"c`touch x`$(touch x)${IFS}$HOME\\ -- ; * é";
        for (ci, step) in STEPS {
            let env = run(&step(&rows(ci).map(|row| (row.name, value)).collect()), &[]);
            for row in rows(ci) {
                let text = env.value(row.variable).map(|text| text.to_string_lossy().into_owned());
                assert_eq!(text.as_deref(), Some(value), "{ci}: {}", row.name);
            }
            assert_eq!(chosen(&env, Input::Ci).expect("the package's").1, ci);
        }
    }

    #[test]
    fn no_variable_of_the_job_decides_what_an_input_of_a_package_decides() {
        let evil = "https://evil.example".to_owned();
        let mut variables =
            vec![("CI".to_owned(), "drone".to_owned()), ("CI_PIPELINE_NUMBER".to_owned(), "1".to_owned())];
        for row in &ROWS {
            let name = files::shouted(row.name);
            let names = [row.variable.to_owned(), format!("INPUT_{name}"), format!("PLUGIN_{name}")];
            variables.extend(names.map(|name| (name, evil.clone())));
        }
        let marks = ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "DRONE", "CI_SYSTEM_NAME", "CI_SYSTEM_URL"];
        variables.extend(marks.map(|mark| (mark.to_owned(), "true".to_owned())));
        for (ci, step) in STEPS {
            let env = run(&step(&Values::from([("run-id", "mine")])), &variables);
            for row in rows(ci) {
                let expected = (row.name == "run-id").then(|| ("MAESTRO_RUN_ID".to_owned(), "mine".to_owned()));
                assert_eq!(chosen(&env, row.input), expected, "{ci}: {}", row.name);
            }
            // Elsewhere than on Azure, credentials are variables that the CI sets from its store.
            let password = chosen(&env, Input::Password).map(|(name, _)| name);
            assert_eq!(password.as_deref(), (ci != "azure").then_some("DADOSFERA_PASSWORD"), "{ci}");
        }
    }
}
