//! What the job's environment can't do: change what the steps run, or show a secret to what is downloaded or built.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::program::{BUILT_IN, CACHED, cargo, has_passed, released};
use super::real;
use super::step::{find, shells};
use crate::harness;

const SECRET: &str = "geheim-und-lang";

/// What may be set for every step of a job and must not reach a build: secrets, and what chooses another compiler.
const NOT_FOR_A_BUILD: [&str; 20] = [
    "DADOSFERA_PASSWORD",
    "DADOSFERA_TOTP_SECRET",
    "DADOSFERA_ACCESS_TOKEN",
    "INPUT_PASSWORD",
    "INPUT_TOTP_SECRET",
    "INPUT_ACCESS_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTC",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER",
    "CC",
    "CFLAGS",
    "LD_BIND_NOW",
];

#[test]
fn a_build_and_every_process_above_it_see_no_secret_and_no_flag_of_the_job() {
    for shell in shells() {
        let mut runner = released(shell);
        fs::remove_file(runner.path("gate/VERSION")).expect("it was there");
        for name in ["password", "totp-secret", "access-token"] {
            runner.inputs.insert(name, SECRET.to_owned());
        }
        for name in NOT_FOR_A_BUILD {
            runner.variables.insert(name, SECRET.to_owned());
        }
        runner.variables.insert("CARGO_HOME", "/its/own".to_owned());
        // On Linux a process can read what its parent was started with.
        let up = "id=$$; while [ \"$id\" -gt 1 ] && [ -r /proc/$id/environ ]; do tr '\\0' '\\n' </proc/$id/environ; \
            id=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$id/status); \
            case $(cat /proc/$id/comm) in it-*|cargo*) break ;; esac; done; export -p";
        runner.script("bin/cargo", &cargo(&runner, up));
        has_passed(&runner.run());
        let seen = fs::read_to_string(runner.path("built")).expect("it was built");
        assert!(!seen.contains(SECRET), "{shell}: {seen}");
        assert!(seen.contains("CARGO_HOME") && seen.contains("/its/own"), "{shell}: {seen}");
        assert!(cfg!(not(target_os = "linux")) || seen.contains("PATH=/"), "{shell}: no process was read: {seen}");
        assert!(!seen.contains("GITHUB_OUTPUT='"), "{shell}: a build script could name another program: {seen}");
    }
}

/// Files of the workspace may be part of a proposed change, and images are known whose `PATH` has an empty entry.
#[test]
fn a_relative_entry_of_the_path_runs_nothing_of_the_workspace() {
    for shell in shells() {
        for path in [":BIN", ".:BIN", "BIN/../workspace/..::BIN", "../workspace:BIN", "./:BIN:"] {
            let mut runner = released(shell);
            let ran = runner.path("ran");
            for name in ["curl", "cut", "env", "gzip", "mktemp", "sed", "sh", "sha256sum", "tar", "tr", "uname"] {
                runner.script(&format!("workspace/{name}"), &format!("echo {name} >>'{}'; exit 0", ran.display()));
            }
            runner.variables.insert("PATH", path.replace("BIN", &runner.path("bin").display().to_string()));
            let ended = runner.run();
            assert!(!ran.exists(), "{shell}, {path}: {:?}", fs::read_to_string(&ran));
            has_passed(&ended);
        }
    }
}

#[test]
fn the_gate_itself_has_the_job_s_environment_and_the_step_s_secrets() {
    for shell in shells() {
        let mut runner = released(shell);
        let had = runner.path("had");
        let program =
            format!("case ${{1-}} in --version) echo 'maestro-gate 0' ;; *) export -p >'{}' ;; esac", had.display());
        runner.inputs.insert("binary-path", runner.script("probe", &program).display().to_string());
        runner.inputs.insert("password", SECRET.to_owned());
        runner.variables.insert("DADOSFERA_USERNAME", "ci@example.com".to_owned());
        runner.run();
        let had = fs::read_to_string(had).expect("it ran");
        assert!(had.contains(SECRET) && had.contains("ci@example.com"), "{shell}: {had}");
    }
}

/// Each was green before, or ran commands from its values, where `sh` is bash.
#[test]
fn variables_of_an_earlier_step_run_nothing_in_any_step() {
    for shell in shells() {
        let (mut runner, _service) = real::real(shell, "good");
        let obeyed = runner.path("obeyed");
        let file = runner.write("evil.sh", format!(": >'{}'; exit 0\n", obeyed.display()));
        for (name, value) in [
            ("SHELLOPTS", "noexec".to_owned()),
            ("PS4", format!("$(: >'{}')", obeyed.display())),
            ("BASH_ENV", file.display().to_string()),
            ("ENV", file.display().to_string()),
            ("CDPATH", "/".to_owned()),
            ("LD_PRELOAD", file.display().to_string()),
            ("BASH_FUNC_exec%%", "() { exit 0; }".to_owned()),
            ("BASH_FUNC_env%%", "() { exit 0; }".to_owned()),
            ("BASH_FUNC_sh%%", "() { exit 0; }".to_owned()),
            ("BASH_FUNC_printf%%", format!("() {{ : >'{}'; }}", obeyed.display())),
            ("BASH_FUNC_eval%%", "() { exit 0; }".to_owned()),
            ("BASH_FUNC_set%%", "() { exit 0; }".to_owned()),
            ("IFS", "/e".to_owned()),
            ("BASHOPTS", "extdebug".to_owned()),
            ("BASH_FUNC_.%%", "() { exit 0; }".to_owned()),
            ("BASH_FUNC_:%%", "() { exit 0; }".to_owned()),
            ("BASH_FUNC_false%%", "() { exit 0; }".to_owned()),
            ("BASH_FUNC_test%%", "() { exit 0; }".to_owned()),
            ("BASH_FUNC_command%%", format!("() {{ : >'{}'; }}", obeyed.display())),
        ] {
            runner.variables.insert(name, value);
        }
        let ended = runner.run();
        assert_eq!(ended.how(), (Some(0), "passed"), "{shell}: {}", ended.log);
        assert!(!obeyed.exists(), "{shell}: an earlier step's variable was obeyed");
    }
}

#[test]
fn curl_reads_no_settings_of_the_account() {
    let mut runner = released("sh");
    let arguments = runner.path("arguments");
    let fetch = fs::read_to_string(runner.path("bin/curl")).expect("it is there");
    let fetch = fetch.trim_start_matches("#!/bin/sh\n");
    runner.script("bin/curl", &format!("printf '%s\\n' \"$1\" >'{}'\n{fetch}", arguments.display()));
    runner.variables.insert("CURL_HOME", "/nowhere".to_owned());
    has_passed(&runner.run());
    // curl obeys it as the first argument only.
    assert_eq!(fs::read_to_string(arguments).expect("curl was run"), "-q\n");
}

#[test]
fn the_tool_cache_gets_the_archive_complete_and_through_no_name_that_can_be_known_before() {
    for shell in shells() {
        let runner = released(shell);
        let folder = runner.path(CACHED).parent().expect("a folder").to_owned();
        harness::make_folder(&folder);
        // A link where the archive is to be: it stays as it is, and nothing is written to the file that it names.
        symlink(runner.path("absent"), runner.path(CACHED)).expect("a link");
        let copy = find("cp").expect("it is here").display().to_string();
        fs::remove_file(runner.path("bin/cp")).expect("it was there");
        let log = runner.path("copied");
        runner.script("bin/cp", &format!("printf '%s\\n' \"$2\" >>'{}'\nexec '{copy}' \"$@\"", log.display()));
        let ended = runner.run();
        has_passed(&ended);
        assert!(ended.log.contains("::warning"), "{shell}: {}", ended.log);
        assert!(!runner.path("absent").exists(), "{shell}: a link was followed");

        fs::remove_file(runner.path(CACHED)).expect("it was there");
        has_passed(&runner.run());
        assert!(runner.path(CACHED).is_file());
        let names: Vec<_> =
            fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
        assert_eq!(names.len(), 1, "{shell}: only the archive stays: {names:?}");
        if shell != BUILT_IN {
            let copied = fs::read_to_string(&log).expect("it was copied");
            let into =
                copied.lines().find(|line| line.starts_with(folder.to_str().expect("UTF-8"))).expect("into the cache");
            let aside = Path::new(into).parent().expect("a folder").file_name().expect("a name");
            let aside = aside.to_string_lossy();
            assert!(aside.starts_with('.') && aside.len() == 7, "{shell}: {into}");
        }
    }
}
