//! The packages for other CI systems: each file's path and text, made from the table of inputs.
//!
//! A package passes inputs to the program and does nothing else. On the systems where a step runs a shell, each input becomes
//! the gate's variable. An input that is not given becomes an empty variable, which counts as not set, so no variable of the
//! job decides what the step's inputs decide. `OWNER` and `IMAGE` are placeholders that `ci/adopt` replaces.

use std::fmt::Write;

use maestro_gate::core::Verdict;
use maestro_gate::inputs::{Input, InputGroup, Kind, ROWS, Row};

/// The first line of every file, behind the sign of a comment.
const MADE: &str = "Written by `cargo run --example packages`. Change examples/packages/files.rs instead.";

/// What every shell step runs. The first line turns off the names by which inputs are given on GitHub, Woodpecker and Drone.
const RUN: &str = "unset GITHUB_ACTIONS DRONE CI_SYSTEM_NAME\nexport CI=true\n";

/// Downloads an archive, checks it and unpacks the program into the working directory.
const DOWNLOAD: &str = r#"set -eu
file=maestro-gate-$VERSION-x86_64-unknown-linux-musl.tar.gz
curl --fail --silent --show-error --location --remote-name "$RELEASES/v$VERSION/$file"
echo "$SHA256  $file" | sha256sum --check --strict
tar -xzf "$file" maestro-gate
"#;

/// All files, by their path in the repository.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("action-types.yml", action_types()),
        ("packages/azure-pipelines/gate.yml", azure()),
        ("packages/azure-pipelines/install.yml", azure_install()),
        ("packages/bitbucket/pipe.yml", bitbucket()),
        ("packages/circleci/orb.yml", circleci()),
        ("packages/jenkins/vars/maestroGate.groovy", jenkins()),
        ("packages/jenkins/vars/maestroGate.txt", jenkins_help()),
        ("packages/maestro-gate-buildkite-plugin/hooks/command", buildkite_hook()),
        ("packages/maestro-gate-buildkite-plugin/plugin.yml", buildkite()),
        ("packages/woodpecker/docs.md", woodpecker()),
    ]
}

/// Whether the file is run, and so needs the permission.
pub fn is_script(name: &str) -> bool {
    name.ends_with("/hooks/command")
}

/// What a step in a shell can be given. Credentials come from the CI's store of secrets, and the package knows its CI.
pub fn step_inputs() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| row.group != InputGroup::SignIn && row.input != Input::Ci)
}

/// The values of an input that takes one of a few words.
pub fn choices(input: Input) -> &'static [&'static str] {
    match input.name() {
        "if-running" => &["queue", "attach", "fail"],
        "if-stale" => &["fail", "wait"],
        "logs" => &["on-failure", "always", "never"],
        "log-format" => &["text", "json"],
        _ => &[],
    }
}

/// The line of `--help`, with the default. A package has no flags.
fn description(row: &Row) -> String {
    let help = row.help.replace(", or the flag repeated", "");
    match row.default {
        Some(default) => format!("{help}. Default: {default}"),
        None => help,
    }
}

/// `pipelineId`: names on Azure and in Groovy have no hyphens.
pub fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (start, rest) = word.split_at(1);
        name + &start.to_ascii_uppercase() + rest
    })
}

/// `PIPELINE_ID`.
pub fn shouted(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// `key: text` of YAML, folded if one line would be too long.
fn yaml(indent: usize, key: &str, text: &str) -> String {
    let margin = " ".repeat(indent);
    if indent + key.len() + text.len() < 110 {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("{margin}{key}: \"{text}\"\n");
    }
    let mut lines = format!("{margin}{key}: >-");
    let mut room = 0;
    for word in text.split(' ') {
        if room < word.len() + 1 {
            lines += &format!("\n{margin}  {word}");
            room = 110 - indent - word.len();
        } else {
            lines += &format!(" {word}");
            room -= word.len() + 1;
        }
    }
    lines + "\n"
}

/// Each line of a script at this indentation.
fn indented(indent: usize, script: &str) -> String {
    script.lines().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}

/// For typed generators of workflows: <https://github.com/typesafegithub/github-actions-typing>.
fn action_types() -> String {
    let mut text = format!(
        "# {MADE}\n# Types for generators of workflows: https://github.com/typesafegithub/github-actions-typing\n\ninputs:\n"
    );
    let list = |words: &[&str]| words.iter().map(|word| format!("      - {word}\n")).collect::<String>();
    for row in &ROWS {
        let kind = match (choices(row.input), row.kind) {
            ([], Kind::Switch) => "boolean\n".to_owned(),
            ([], Kind::List) => "list\n    separator: \",\"\n    list-item:\n      type: string\n".to_owned(),
            ([], Kind::One | Kind::Secret | Kind::SecretFile) => "string\n".to_owned(),
            (words, _) => format!("enum\n    allowed-values:\n{}", list(words)),
        };
        text += &format!("  {}:\n    type: {kind}", row.name);
    }
    text += "  binary-path:\n    type: string\n  download-url:\n    type: string\n\noutputs:\n";
    for (output, _) in maestro_gate::report::output_values::OUTPUTS {
        let kind = match output {
            "verdict" => format!("enum\n    allowed-values:\n{}", list(&Verdict::ALL.map(Verdict::name))),
            "exit-code" | "waited-seconds" | "polls" => "integer\n".to_owned(),
            _ => "string\n".to_owned(),
        };
        text += &format!("  {output}:\n    type: {kind}");
    }
    text
}

fn buildkite() -> String {
    let mut text = format!(
        "# {MADE}\n# docs/buildkite.md\nname: Maestro gate\n{}author: https://github.com/OWNER\nrequirements:\n  - maestro-gate\n\
         configuration:\n  properties:\n",
        yaml(0, "description", env!("CARGO_PKG_DESCRIPTION")),
    );
    for row in step_inputs() {
        // YAML makes a number of `0`, and a boolean of `true`; the hook gets text in any case.
        let types = if row.kind == Kind::Switch { "[string, boolean]" } else { "[string, integer]" };
        text += &format!("    {}:\n      type: {types}\n{}", row.name, yaml(6, "description", &description(row)));
    }
    text + "  required: []\n  additionalProperties: false\n"
}

fn buildkite_hook() -> String {
    let mut text = format!(
        "#!/bin/sh\n# {MADE}\n# Each setting of the plugin becomes the gate's variable. One that is not set becomes an empty one, which counts as not set.\n\
         {RUN}export MAESTRO_CI=buildkite\n"
    );
    for row in step_inputs() {
        let setting = format!("BUILDKITE_PLUGIN_MAESTRO_GATE_{}", shouted(row.name));
        text += &format!("export {}=\"${{{setting}:-}}\"\n", row.variable);
    }
    text + "# Without `exec`: the agent may source this file, and reads the environment after it.\nmaestro-gate\n"
}

fn circleci() -> String {
    let mut text = format!(
        "# {MADE}\n# docs/circleci.md. Publish it with `circleci orb publish orb.yml NAMESPACE/maestro-gate@VERSION`.\nversion: 2.1\n{}\
         display:\n  home_url: https://github.com/OWNER/maestro-gate\n  source_url: https://github.com/OWNER/maestro-gate\n\n\
         commands:\n  install:\n    description: Downloads a release, checks it and puts the program on the PATH.\n    parameters:\n",
        yaml(0, "description", env!("CARGO_PKG_DESCRIPTION")),
    );
    for (name, about) in INSTALL {
        text += &format!("      {name}:\n        type: string\n{}", yaml(8, "description", about));
    }
    let download =
        DOWNLOAD.replacen("set -eu\n", "set -eu\nmkdir -p \"$HOME/maestro-gate\"\ncd \"$HOME/maestro-gate\"\n", 1)
            + "echo 'export PATH=\"$HOME/maestro-gate:$PATH\"' >>\"$BASH_ENV\"\n";
    text += &format!(
        "    steps:\n      - run:\n          name: Get the gate\n          environment:\n\
         \x20           RELEASES: << parameters.releases >>\n            VERSION: << parameters.version >>\n            SHA256: << parameters.sha256 >>\n\
         \x20         command: |\n{}",
        indented(12, &download),
    );
    text += "\n  wait:\n    description: Waits for Maestro. Fails unless the runs succeeded. Credentials come from a context or the project's variables.\n    parameters:\n";
    for row in step_inputs() {
        text += &format!(
            "      {}:\n        type: string\n        default: \"\"\n{}",
            row.name,
            yaml(8, "description", &description(row))
        );
    }
    text += "    steps:\n      - run:\n          name: Wait for Maestro\n          environment:\n            MAESTRO_CI: circleci\n";
    for row in step_inputs() {
        text += &format!("            {}: << parameters.{} >>\n", row.variable, row.name);
    }
    text + "          command: |\n" + &indented(12, &format!("{RUN}exec maestro-gate\n"))
}

/// What the templates that download the program must be told.
const INSTALL: [(&str, &str); 3] = [
    (
        "releases",
        "Where the archives are, as on the page of a fork's releases: files are asked for at RELEASES/vVERSION/NAME",
    ),
    ("version", "The release, such as 1.2.3"),
    ("sha256", "The checksum of its archive for x86_64-unknown-linux-musl, from SHA256SUMS of the release"),
];

fn azure_install() -> String {
    let mut text = format!(
        "# {MADE}\n# docs/azure-pipelines.md: steps that download a release for a Linux agent and put it on the PATH.\nparameters:\n"
    );
    for (name, about) in INSTALL {
        text += &format!("  - name: {name}\n    type: string\n{}", yaml(4, "displayName", about));
    }
    let download = DOWNLOAD.replacen(
        "set -eu\n",
        "set -eu\nmkdir -p \"$AGENT_TEMPDIRECTORY/maestro-gate\"\ncd \"$AGENT_TEMPDIRECTORY/maestro-gate\"\n",
        1,
    ) + "echo \"##vso[task.prependpath]$PWD\"\n";
    text += &format!("\nsteps:\n  - bash: |\n{}    displayName: Get the gate\n    env:\n", indented(6, &download));
    for (name, _) in INSTALL {
        text += &format!("      {}: ${{{{ parameters.{name} }}}}\n", shouted(name));
    }
    text
}

fn azure() -> String {
    let rows = || ROWS.iter().filter(|row| row.input != Input::Ci);
    let mut text = format!(
        "# {MADE}\n# docs/azure-pipelines.md: a step that waits for Maestro. Pass secrets as macros, `password: $(dadosferaPassword)`.\nparameters:\n"
    );
    for row in rows() {
        text += &format!(
            "  - name: {}\n    type: string\n    default: \"\"\n{}",
            camel(row.name),
            yaml(4, "displayName", &description(row))
        );
    }
    text += &format!(
        "\nsteps:\n  - bash: |\n{}    name: gate\n    displayName: Wait for Maestro\n    env:\n      MAESTRO_CI: azure\n",
        indented(6, &format!("{RUN}exec maestro-gate\n")),
    );
    for row in rows() {
        text += &format!("      {}: ${{{{ parameters.{} }}}}\n", row.variable, camel(row.name));
    }
    text
}

fn jenkins() -> String {
    let mut text = format!(
        "// {MADE}\n// docs/jenkins.md. `maestroGate runId: '...', maxAge: '24h'` in a Jenkinsfile; maestroGate.txt lists the inputs.\n\
         def call(Map given = [:]) {{\n  def variables = [\n"
    );
    for row in step_inputs() {
        let _ = writeln!(text, "    {}: '{}',", camel(row.name), row.variable);
    }
    let script: Vec<&str> = RUN.lines().chain(["exec maestro-gate"]).collect();
    text + &format!(
        "  ]\n  def unknown = given.keySet() - variables.keySet()\n  if (unknown) {{\n\
         \x20   error \"maestroGate has no input ${{unknown.join(', ')}}\"\n  }}\n\
         \x20 // An input that is not given becomes an empty variable, which counts as not set.\n\
         \x20 def environment = variables.collect {{ name, variable -> variable + '=' + (given[name] == null ? '' : given[name]) }}\n\
         \x20 withEnv(environment + ['MAESTRO_CI=jenkins']) {{\n    sh '{}'\n  }}\n}}\n",
        script.join("; "),
    )
}

fn jenkins_help() -> String {
    let mut text = format!(
        "{}. The program must be on the agent's PATH.\nWrap it in withCredentials: credentials come from DADOSFERA_USERNAME and DADOSFERA_PASSWORD.\n\n",
        env!("CARGO_PKG_DESCRIPTION")
    );
    for row in step_inputs() {
        let _ = writeln!(text, "{}: {}", camel(row.name), description(row));
    }
    text
}

fn bitbucket() -> String {
    let mut text = format!(
        "# {MADE}\n# docs/bitbucket.md. The image is the pipe: variables reach the program by the names that it reads.\n\
         name: Maestro gate\nimage: IMAGE\ncategory: Utilities\n{}repository: https://github.com/OWNER/maestro-gate\n\
         maintainer:\n  name: OWNER\n  website: https://github.com/OWNER\ntags:\n  - dadosfera\n  - maestro\n  - deployment\nvariables:\n",
        yaml(0, "description", env!("CARGO_PKG_DESCRIPTION")),
    );
    for row in &ROWS {
        text +=
            &format!("  - name: {}\n{}    required: false\n", row.variable, yaml(4, "description", &description(row)));
    }
    text
}

fn woodpecker() -> String {
    let mut text = format!(
        "---\nname: Maestro gate\n{}author: OWNER\ntags: [dadosfera, maestro, deployment]\ncontainerImage: IMAGE\n\
         containerImageUrl: https://github.com/OWNER/maestro-gate/pkgs/container/maestro-gate\nurl: https://github.com/OWNER/maestro-gate\n---\n\n\
         <!-- {MADE} -->\n\n# Maestro gate\n\nA step that passes only if Dadosfera Maestro itself reports that a pipeline run succeeded. Later steps don't run otherwise.\n\n\
         ```yaml\nsteps:\n  - name: gate\n    image: IMAGE\n    settings:\n      pipeline_id: 1b33ad2f_33d3_4837_9eeb_83c82c8b909d\n      run_id: latest\n      max_age: 24h\n\
         \x20     username:\n        from_secret: dadosfera_username\n      password:\n        from_secret: dadosfera_password\n```\n\n## Settings\n\n\
         | setting | meaning |\n|---|---|\n",
        yaml(0, "description", env!("CARGO_PKG_DESCRIPTION")),
    );
    for row in &ROWS {
        let from_secret = if row.kind == Kind::Secret { ". Use `from_secret`" } else { "" };
        let _ = writeln!(
            text,
            "| `{}` | {}{from_secret} |",
            row.name.replace('-', "_"),
            description(row).replacen(
                "Default: https://maestro.dadosfera.ai",
                "Default: `https://maestro.dadosfera.ai`",
                1
            )
        );
    }
    text
}
