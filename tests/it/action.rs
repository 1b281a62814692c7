//! `action.yml` is the program's own interface: every input handed on, every output mapped, nothing more.

mod guard;
mod program;
mod real;
mod scrubbed;
mod step;
mod stopped;

use std::collections::BTreeMap;
use std::fs;

use maestro_gate::inputs::ROWS;
use yaml_rust2::{Yaml, YamlLoader};

use crate::repository;

/// What the first step takes for itself, beside the program's inputs.
const FIRST_STEP: [&str; 2] = ["binary-path", "download-url"];

/// What a release is built for (the first step names these by what `uname` says).
const TARGETS: [&str; 6] = [
    "x86_64-unknown-linux-musl.tar.gz",
    "aarch64-unknown-linux-musl.tar.gz",
    "x86_64-apple-darwin.tar.gz",
    "aarch64-apple-darwin.tar.gz",
    "x86_64-pc-windows-msvc.zip",
    "aarch64-pc-windows-msvc.zip",
];

/// `action.yml`, read as YAML.
struct Action(Yaml);

impl Action {
    fn read() -> Action {
        let mut documents = YamlLoader::load_from_str(&repository::text("action.yml")).expect("action.yml is YAML");
        assert_eq!(documents.len(), 1);
        Action(documents.remove(0))
    }

    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_else(|| panic!("{key} is no text"))
    }

    /// The entries of `inputs` or `outputs`, in order, each with its attributes.
    fn entries(&self, part: &str) -> Vec<(&str, BTreeMap<&str, &str>)> {
        let entries = self.0[part].as_hash().expect("a mapping").iter();
        entries.map(|(name, attributes)| (name.as_str().expect("a name"), texts(attributes))).collect()
    }

    fn steps(&self) -> &[Yaml] {
        assert_eq!(self.0["runs"]["using"].as_str(), Some("composite"));
        self.0["runs"]["steps"].as_vec().expect("steps")
    }

    /// The step with this id.
    fn step(&self, id: &str) -> &Yaml {
        self.steps().iter().find(|step| step["id"].as_str() == Some(id)).expect("a step of this id")
    }

    fn env(&self, id: &str) -> BTreeMap<&str, &str> {
        texts(&self.step(id)["env"])
    }
}

fn texts(mapping: &Yaml) -> BTreeMap<&str, &str> {
    let entries = mapping.as_hash().expect("a mapping").iter();
    entries.map(|(key, value)| (key.as_str().expect("a key"), value.as_str().expect("a text"))).collect()
}

#[test]
fn every_input_is_there_described_and_has_no_default() {
    let action = Action::read();
    let written: Vec<&str> = action.entries("inputs").into_iter().map(|(name, _)| name).collect();
    let ours: Vec<&str> = ROWS.iter().map(|row| row.name).chain(FIRST_STEP).collect();
    assert_eq!(written, ours);
    for (name, attributes) in action.entries("inputs") {
        assert_eq!(attributes.keys().copied().collect::<Vec<_>>(), ["description"], "{name}");
        assert!(attributes["description"].len() > 10, "{name}");
    }
}

/// Empty in every step: a variable with one of these names makes a shell or the system's loader run something else.
const SCRUBBED: [&str; 10] = [
    "BASHOPTS",
    "BASH_ENV",
    "CDPATH",
    "DYLD_INSERT_LIBRARIES",
    "ENV",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "PS4",
    "SHELLOPTS",
];

fn owned(texts: BTreeMap<&str, &str>) -> BTreeMap<String, String> {
    texts.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn scrubbed() -> BTreeMap<String, String> {
    SCRUBBED.iter().map(|name| ((*name).to_owned(), String::new())).collect()
}

/// The variable that carries an input, and its value in `action.yml`.
fn carried(name: &str) -> (String, String) {
    (format!("INPUT_{}", name.to_uppercase().replace('-', "_")), format!("${{{{ inputs.{name} }}}}"))
}

#[test]
fn every_input_is_handed_on_under_its_name_with_underscores_and_nothing_else_is() {
    let action = Action::read();
    let mut due = scrubbed();
    let names = action.entries("inputs").into_iter().map(|(name, _)| name);
    due.extend(names.filter(|name| !FIRST_STEP.contains(name)).map(carried));
    due.insert("MAESTRO_GATE_PROGRAM".to_owned(), "${{ steps.program.outputs.program }}".to_owned());
    due.insert("MSYS2_ENV_CONV_EXCL".to_owned(), "INPUT_;MAESTRO_;DADOSFERA_".to_owned());
    assert_eq!(owned(action.env("gate")), due);
}

#[test]
fn the_step_that_downloads_and_builds_is_given_no_secret() {
    let action = Action::read();
    let mut due = scrubbed();
    due.extend(FIRST_STEP.iter().chain(&["summary"]).copied().map(carried));
    due.insert("MAESTRO_GATE_REPOSITORY".to_owned(), "${{ github.action_repository }}".to_owned());
    // The names that a job may have set for all its steps.
    for name in ["DADOSFERA_ACCESS_TOKEN", "DADOSFERA_PASSWORD", "DADOSFERA_TOTP_SECRET"] {
        due.insert(name.to_owned(), String::new());
    }
    assert_eq!(owned(action.env("program")), due);
}

#[test]
fn a_default_reported_is_the_program_s() {
    let action = Action::read();
    let inputs = action.entries("inputs");
    for row in &ROWS {
        let (_, attributes) = inputs.iter().find(|(name, _)| *name == row.name).expect("it is there");
        let documented = attributes["description"].split_once("Default: ").map(|(_, rest)| rest);
        let documented =
            documented.and_then(|rest| rest.split_whitespace().next()).map(|word| word.trim_end_matches('.'));
        assert_eq!(documented, row.default, "{}", row.name);
    }
}

#[test]
fn every_output_is_mapped_and_described() {
    let action = Action::read();
    let written: Vec<String> = action.entries("outputs").into_iter().map(|(name, _)| name.to_owned()).collect();
    let ours: Vec<String> =
        repository::table("docs/reference.md", "outputs").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(written, ours);
    for (name, attributes) in action.entries("outputs") {
        assert_eq!(attributes.keys().copied().collect::<Vec<_>>(), ["description", "value"], "{name}");
        assert!(attributes["description"].len() > 10, "{name}");
        let of_the_gate = format!("steps.gate.outputs.{name}");
        let due = match name {
            "verdict" => format!("{of_the_gate} || steps.program.outputs.verdict || 'internal-error'"),
            "exit-code" => format!("{of_the_gate} || steps.program.outputs.exit-code || '70'"),
            _ => of_the_gate,
        };
        assert_eq!(attributes["value"], format!("${{{{ {due} }}}}"));
    }
}

#[test]
fn each_step_is_one_command_in_sh_and_nothing_from_outside_stands_in_it() {
    let action = Action::read();
    for (id, script) in
        [("program", ". \"$GITHUB_ACTION_PATH/action/find-program.sh\""), ("gate", "exec \"$MAESTRO_GATE_PROGRAM\"")]
    {
        assert_eq!(action.step(id)["shell"].as_str(), Some("sh"));
        assert_eq!(action.step(id)["run"].as_str(), Some(script));
        assert!(action.step(id)["if"].is_badvalue(), "it runs if nothing failed before it");
    }
    assert!(action.steps().iter().all(|step| !step["run"].as_str().expect("a script").contains("${{")));
    let first = repository::text("action/find-program.sh");
    assert!(!first.contains("${{"));
    for word in ["github.com", "ACTION_REF", "action_ref"] {
        assert!(!first.contains(word) && !repository::text("action.yml").contains(word), "{word}");
    }
}

#[test]
fn the_marketplace_can_take_it() {
    let action = Action::read();
    assert!(!action.text("name").is_empty() && action.text("name").len() <= 50);
    assert!(action.text("description").len() <= 125, "{}", action.text("description").len());
    assert!(["shield", "lock", "check-circle"].contains(&action.0["branding"]["icon"].as_str().expect("an icon")));
    assert!(["green", "purple", "blue"].contains(&action.0["branding"]["color"].as_str().expect("a colour")));
}

/// The YAML of a document's first fence behind this text.
fn fence(document: &str, behind: &str) -> Yaml {
    let text = repository::text(document);
    let (_, rest) = text.split_once(behind).expect("the text");
    let (_, rest) = rest.split_once("```yaml\n").expect("a fence");
    let (yaml, _) = rest.split_once("\n```").expect("its end");
    YamlLoader::load_from_str(yaml).expect("YAML").remove(0)
}

/// tests/act/run takes the workflows as they stand.
#[test]
fn the_readme_and_the_pages_use_inputs_and_outputs_of_this_action() {
    let action = Action::read();
    let has = |part: &str, name: &str| action.entries(part).iter().any(|(known, _)| *known == name);
    for page in ["README.md", "docs/github.md"] {
        let shown = fence(page, "<!-- workflow -->");
        let job = &shown["jobs"]["deploy"];
        let step = &job["steps"][0];
        assert!(step["uses"].as_str().is_some_and(|uses| uses.contains("/maestro-gate@")), "{page}");
        for (name, _) in step["with"].as_hash().expect("inputs") {
            assert!(has("inputs", name.as_str().expect("a name")), "{page}: {name:?}");
        }
        // The job's own limit must not end the gate before it can report. An old success must not pass again.
        assert_eq!(
            (job["timeout-minutes"].as_i64(), step["with"]["timeout"].as_str()),
            (Some(60), Some("50m")),
            "{page}"
        );
        assert!(step["with"]["max-age"].as_str().is_some(), "{page}");
    }
    for mark in ["look-once", "start-now", "fresh"] {
        let shown = fence("docs/scale.md", &format!("<!-- {mark} -->"));
        for job in shown["jobs"].as_hash().expect("jobs").values() {
            let steps = job["steps"].as_vec().expect("steps").iter().filter(|step| !step["with"].is_badvalue());
            for (name, _) in steps.flat_map(|step| step["with"].as_hash().expect("inputs")) {
                assert!(has("inputs", name.as_str().expect("a name")), "{mark}: {name:?}");
            }
        }
    }
    for document in ["README.md", "docs/github.md", "docs/scale.md"] {
        for rest in repository::text(document).split("steps.gate.outputs.").skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            assert!(has("outputs", &name), "{document}: {name}");
        }
    }
}

/// On a branch there may be neither: then the action builds.
#[test]
fn a_commit_that_names_a_release_has_a_checksum_for_every_system() {
    let read = |name| fs::read_to_string(repository::path(name)).unwrap_or_default();
    let (version, sums) = (read("VERSION"), read("SHA256SUMS"));
    let version = version.trim_end();
    let named: Vec<&str> = sums.lines().filter_map(|line| line.split_once("  ")).map(|(_, name)| name).collect();
    if version.is_empty() {
        assert!(named.is_empty(), "checksums without a version: {named:?}");
        return;
    }
    for target in TARGETS {
        let asset = format!("maestro-gate-{version}-{target}");
        assert_eq!(named.iter().filter(|name| **name == asset).count(), 1, "{asset}");
    }
}
