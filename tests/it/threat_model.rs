//! docs/threat-model.md and the workflows: each defence names a test that exists, and what no other test can show is read
//! from the files themselves.

use yaml_rust2::{Yaml, YamlLoader};

use super::repository::{self, quoted};

fn yaml(text: &str) -> Yaml {
    YamlLoader::load_from_str(text).expect("YAML").remove(0)
}

#[test]
fn every_defence_names_a_test_that_exists() {
    let page = repository::text("docs/threat-model.md");
    let (_, attacks) = page.split_once("## Attackers, and what stops them").expect("the attacks");
    let (attacks, _) = attacks.split_once("## What is not defended").expect("their end");
    let tests = repository::tests();
    let mut rows = 0;
    for section in attacks.split("### ").skip(1) {
        let mut of_section = 0;
        for row in section.lines().filter(|line| line.starts_with("| ")).skip(1) {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()), "not four cells: {row}");
            assert!(!quoted(cells[3]).is_empty(), "no test: {row}");
            for test in &quoted(cells[3]) {
                match test.split_once('#') {
                    // A script, and what it says about the attack.
                    Some((script, says)) => {
                        assert!(repository::text(script).contains(says), "{script} does not say {says:?}");
                    }
                    None => assert!(tests.contains(test), "there is no test {test}"),
                }
            }
            of_section += 1;
        }
        assert!(of_section > 1, "no attacks in {:?}", section.lines().next());
        rows += of_section;
    }
    assert!(rows > 30, "{rows} attacks");
}

/// Every workflow, by its file's name.
fn workflows() -> Vec<(String, Yaml)> {
    let names = repository::names(".github/workflows").into_iter();
    names.map(|name| (name.clone(), yaml(&repository::text(format!(".github/workflows/{name}"))))).collect()
}

/// Each job with its workflow's file, its name and itself.
fn jobs(workflows: &[(String, Yaml)]) -> impl Iterator<Item = (&str, &str, &Yaml)> {
    workflows.iter().flat_map(|(file, workflow)| {
        let jobs = workflow["jobs"].as_hash().expect("jobs").iter();
        jobs.map(move |(name, job)| (file.as_str(), name.as_str().expect("a name"), job))
    })
}

fn scripts(job: &Yaml) -> String {
    let steps = job["steps"].as_vec().map(Vec::as_slice).unwrap_or_default();
    steps.iter().filter_map(|step| step["run"].as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_job_that_compiles_may_sign_or_write() {
    let workflows = workflows();
    let mut compile = 0;
    for (file, name, job) in jobs(&workflows) {
        let scripts = scripts(job);
        let compiles = ["cargo", "rustup", "docker buildx build", "ci/build", ".ci/run", ".ci/install-tools", "npm"];
        if compiles.iter().any(|word| scripts.contains(word)) {
            compile += 1;
            let rights = job["permissions"].as_hash().expect("permissions");
            for (right, level) in rights {
                assert_eq!(level.as_str(), Some("read"), "{file}: {name} compiles and has {right:?}");
            }
        }
    }
    assert!(compile >= 6, "{compile} jobs compile");
}

#[test]
fn a_job_that_signs_runs_no_command() {
    let workflows = workflows();
    let signs = jobs(&workflows).filter(|(_, _, job)| !job["permissions"]["attestations"].is_badvalue());
    let signs: Vec<_> =
        signs.filter(|(_, _, job)| job["permissions"]["attestations"].as_str() == Some("write")).collect();
    assert_eq!(signs.iter().map(|(file, name, _)| (*file, *name)).collect::<Vec<_>>(), [("prepare.yml", "attest")]);
    for (_, _, job) in signs {
        assert_eq!(scripts(job), "");
        assert!(
            job["steps"]
                .as_vec()
                .expect("steps")
                .iter()
                .all(|step| !step["uses"].as_str().expect("an action").contains("checkout"))
        );
    }
}

#[test]
fn a_release_waits_for_advisories() {
    for (file, last) in [("prepare.yml", "attest"), ("release.yml", "publish")] {
        let workflow = yaml(&repository::text(format!(".github/workflows/{file}")));
        assert_eq!(workflow["jobs"]["advisories"]["uses"].as_str(), Some("./.github/workflows/advisories.yml"));
        let needs = workflow["jobs"][last]["needs"].as_vec().expect("a list");
        assert!(needs.contains(&Yaml::String("advisories".to_owned())), "{file}: {last} does not wait for them");
        assert!(workflow["jobs"][last]["if"].is_badvalue(), "{file}: {last} runs whatever the result");
    }
}

#[test]
fn every_action_in_a_workflow_is_pinned() {
    let workflows = workflows();
    let mut pinned = 0;
    for (file, name, job) in jobs(&workflows) {
        let steps = job["steps"].as_vec().map(Vec::as_slice).unwrap_or_default();
        for uses in
            steps.iter().chain([job]).filter_map(|step| step["uses"].as_str()).filter(|uses| !uses.starts_with("./"))
        {
            let sha = uses.split_once('@').map(|(_, sha)| sha).unwrap_or_default();
            assert!(sha.len() == 40 && sha.chars().all(|c| c.is_ascii_hexdigit()), "{file}, {name}: {uses}");
            pinned += 1;
        }
    }
    assert!(pinned > 20, "{pinned} actions");
}

#[test]
fn the_component_s_files_are_for_developers_and_expire() {
    let template = repository::text("templates/gate.yml");
    let (_, job) = template.split_once("\n---\n").expect("two documents");
    let job = yaml(
        &job.replace("$[[ inputs.interruptible ]]", "true").replace("$[[ inputs.allow-failure-exit-codes ]]", "[99]"),
    );
    let (_, job) = job.as_hash().expect("a job").iter().next().expect("a job");
    assert_eq!(job["artifacts"]["access"].as_str(), Some("developer"));
    assert_eq!(job["artifacts"]["expire_in"].as_str(), Some("30 days"));
}

/// `./check` asks cargo-deny about all of them.
#[test]
fn every_target_of_a_release_is_checked_for_licences_and_sources() {
    let deny = repository::text("deny.toml");
    let prepare = repository::text("ci/prepare-release");
    let (_, targets) = prepare.split_once("TARGETS = [").expect("the targets");
    let (targets, _) = targets.split_once(']').expect("their end");
    let targets: Vec<&str> = targets.split('"').skip(1).step_by(2).collect();
    assert_eq!(targets.len(), 6);
    for target in targets {
        assert!(deny.contains(&format!("\"{target}\"")), "deny.toml does not name {target}");
    }
}

/// A folder with dependencies that is forgotten there gets no fix.
#[test]
fn dependabot_covers_every_folder_with_dependencies() {
    let config = yaml(&repository::text(".github/dependabot.yml"));
    let covered = |ecosystem: &str| -> Vec<String> {
        let updates = config["updates"].as_vec().expect("a list").iter();
        let of_it = updates.filter(|update| update["package-ecosystem"].as_str() == Some(ecosystem));
        let folders = of_it.flat_map(|update| match update["directories"].as_vec() {
            Some(folders) => folders.clone(),
            None => vec![update["directory"].clone()],
        });
        folders.map(|folder| folder.as_str().expect("a folder").trim_start_matches('/').to_owned()).collect()
    };
    let mut checked = 0;
    for file in repository::files("") {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", &file));
        let ecosystem = match name {
            "Cargo.toml" => "cargo",
            "package.json" => "npm",
            "Dockerfile" => "docker",
            _ if name.ends_with(".in") => "pip",
            _ => continue,
        };
        assert!(covered(ecosystem).iter().any(|covered| covered == folder), "{ecosystem} in {file}");
        checked += 1;
    }
    assert!(checked > 8, "{checked} files");
    assert!(covered("github-actions").contains(&String::new()));
}

#[test]
fn what_an_auditor_looks_for_is_there() {
    for (file, parts) in [
        ("SECURITY.md", &["## Supported versions", "/security/advisories/new", "within 3 working days"][..]),
        (
            "docs/threat-model.md",
            &[
                "## What is protected",
                "```mermaid",
                "`LD_PRELOAD`",
                "**A hostile runner**",
                "no step before it",
                "**Rotation**",
            ],
        ),
    ] {
        let text = repository::text(file);
        for part in parts {
            assert!(text.contains(part), "{file} lacks {part:?}");
        }
    }
    // What decides which program runs has owners, by paths that exist.
    let owners = repository::text(".github/CODEOWNERS");
    let owned: Vec<&str> =
        owners.lines().filter_map(|line| line.strip_prefix('/')?.split_once(' ')).map(|(path, _)| path).collect();
    for path in [".github/", "action.yml", "action/", "ci/", "templates/", "Cargo.lock", "Dockerfile"] {
        assert!(owned.contains(&path) && repository::path(path).exists(), "nobody owns {path}");
    }
    let codeql = yaml(&repository::text(".github/workflows/codeql.yml"));
    assert!(!codeql["on"]["pull_request"].is_badvalue());
    let languages = codeql["jobs"]["analyze"]["strategy"]["matrix"]["language"].as_vec().expect("languages");
    assert_eq!(languages.iter().filter_map(Yaml::as_str).collect::<Vec<_>>(), ["rust", "actions", "python"]);
    let scorecard = yaml(&repository::text(".github/workflows/scorecard.yml"));
    assert!(scorecard["on"]["push"]["branches"].as_vec().is_some_and(|branches| branches[0].as_str() == Some("main")));
}
