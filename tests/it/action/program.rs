//! The first step: which program it finds, and that it is red where it finds none. Every claim is tried in every shell of
//! this machine that is `sh` somewhere, in an image that has next to nothing.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::step::{Ended, Runner, find, shells};
use super::{Action, FIRST_STEP};
use crate::runner::github;

const ASSET: &str = "maestro-gate-1.2.3-x86_64-unknown-linux-musl.tar.gz";
pub(super) const CACHED: &str = "cache/maestro-gate/1.2.3/x64/maestro-gate-1.2.3-x86_64-unknown-linux-musl.tar.gz";

/// Takes its own `uname`, `wget` and `sha256sum`, whatever the image has.
pub(super) const BUILT_IN: &str = "busybox";

/// In place of the program, where it is about which one runs.
pub(super) const PROGRAM: &str = r#"
case ${1-} in
--version) echo 'maestro-gate 1.2.3' ;;
*) printf 'verdict=passed\nexit-code=0\n' >>"$GITHUB_OUTPUT" ;;
esac"#;

/// A runner whose action names release 1.2.3, which lies in `mirror`; the image's `curl` fetches from there and writes
/// down what it was asked for.
pub(super) fn released(shell: &'static str) -> Runner {
    let runner = Runner::new(shell);
    on(&runner, "Linux", "x86_64");
    pack(&runner, PROGRAM);
    runner.write("gate/VERSION", "1.2.3\n");
    runner.write("gate/SHA256SUMS", format!("{}  {ASSET}\n{}  another\n", sum(&runner), "0".repeat(64)));
    fetcher(&runner, "curl", "--output");
    // No release may ever end in a build.
    runner.script("bin/cargo", &format!(": >'{}'", runner.path("built").display()));
    runner
}

fn on(runner: &Runner, system: &str, machine: &str) {
    fs::remove_file(runner.path("bin/uname")).expect("it was there");
    runner.script("bin/uname", &format!("case $1 in -s) echo {system} ;; *) echo {machine} ;; esac"));
}

fn pack(runner: &Runner, program: &str) {
    let program = runner.script("made/maestro-gate", program);
    let mirror = runner.write(&format!("mirror/{ASSET}"), "");
    let folder = program.parent().expect("a folder");
    let packed = Command::new("tar").arg("-czf").arg(mirror).arg("-C").arg(folder).arg("maestro-gate").status();
    assert!(packed.expect("tar is here").success());
}

fn sum(runner: &Runner) -> String {
    let mut command = Command::new(find("sha256sum").or_else(|| find("shasum")).expect("a program for SHA-256"));
    if find("sha256sum").is_none() {
        command.args(["-a", "256"]);
    }
    let output = command.arg(runner.path("mirror").join(ASSET)).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().expect("a sum").to_owned()
}

/// `curl --output FILE URL`, `wget -O FILE URL`.
fn fetcher(runner: &Runner, name: &str, flag: &str) {
    let (asked, mirror) = (runner.path("asked"), runner.path("mirror"));
    let text = format!(
        "while [ $# -gt 1 ]; do [ \"$1\" != {flag} ] || file=$2; shift; done\n\
         printf '%s\\n' \"$1\" >>'{}'\nexec cp '{}'/\"${{1##*/}}\" \"$file\"",
        asked.display(),
        mirror.display()
    );
    runner.script(&format!("bin/{name}"), &text);
}

fn asked(runner: &Runner) -> Vec<String> {
    fs::read_to_string(runner.path("asked")).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Red, one error that says why, and nothing of what came was run, kept, or built instead.
#[track_caller]
fn is_refused(runner: &Runner, code: i32, verdict: &str, why: &str) -> Ended {
    let ended = runner.run();
    assert_eq!(ended.how(), (Some(code), verdict), "{why}: {}", ended.log);
    assert_eq!(ended.outputs["exit-code"], code.to_string());
    assert!(matches!(&ended.errors()[..], [error] if error.contains(why)), "{why}: {}", ended.log);
    assert!(ended.summary.contains(verdict) && ended.summary.contains("did not run"), "{}", ended.summary);
    assert!(!runner.path("built").exists(), "{why}: built instead");
    let left = fs::read_dir(runner.path("temp")).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("maestro-gate")).collect();
    assert!(left.is_empty(), "{why}: left {left:?} behind");
    ended
}

#[track_caller]
pub(super) fn has_passed(ended: &Ended) {
    assert_eq!(ended.how(), (Some(0), "passed"), "{}", ended.log);
    assert_eq!(ended.stdout, "", "stdout is the gate's own");
    assert!(ended.errors().is_empty(), "{}", ended.log);
}

#[test]
fn a_release_is_downloaded_from_the_action_s_own_server_and_checked_and_kept() {
    for shell in shells() {
        let runner = released(shell);
        has_passed(&runner.run());
        assert_eq!(asked(&runner), [format!("https://ghe.example/acme/gate/releases/download/v1.2.3/{ASSET}")]);
        assert!(runner.path(CACHED).is_file());

        // And is not asked for again.
        fs::remove_file(runner.path("bin/curl")).expect("it was there");
        let again = runner.run();
        has_passed(&again);
        assert!(again.log.contains("from the tool cache"), "{}", again.log);
    }
}

#[test]
fn a_mirror_and_wget_do_as_well() {
    for shell in shells().into_iter().filter(|shell| *shell != BUILT_IN) {
        let mut runner = released(shell);
        runner.inputs.insert("download-url", " https://mirror.example/gate/\n".to_owned());
        fs::remove_file(runner.path("bin/curl")).expect("it was there");
        fetcher(&runner, "wget", "-O");
        has_passed(&runner.run());
        assert_eq!(asked(&runner), [format!("https://mirror.example/gate/v1.2.3/{ASSET}")]);
    }
}

#[test]
fn each_system_asks_for_its_own_file() {
    for (system, machine, runner_arch, target) in [
        ("Linux", "x86_64", "X64", "x86_64-unknown-linux-musl.tar.gz"),
        ("Linux", "aarch64", "ARM64", "aarch64-unknown-linux-musl.tar.gz"),
        // What the container is, not what the runner around it is.
        ("Linux", "x86_64", "ARM64", "x86_64-unknown-linux-musl.tar.gz"),
        ("Darwin", "arm64", "ARM64", "aarch64-apple-darwin.tar.gz"),
        ("Darwin", "x86_64", "X64", "x86_64-apple-darwin.tar.gz"),
        ("MINGW64_NT-10.0-26100", "x86_64", "X64", "x86_64-pc-windows-msvc.zip"),
        ("MINGW64_NT-10.0-26100", "x86_64", "ARM64", "aarch64-pc-windows-msvc.zip"),
    ] {
        let mut runner = released("sh");
        on(&runner, system, machine);
        runner.variables.insert("RUNNER_ARCH", runner_arch.to_owned());
        let asset = format!("maestro-gate-1.2.3-{target}");
        runner.write("gate/SHA256SUMS", format!("{}  {asset}\n", sum(&runner)));
        runner.run();
        assert_eq!(asked(&runner), [format!("https://ghe.example/acme/gate/releases/download/v1.2.3/{asset}")]);
    }
}

#[test]
fn a_file_that_is_not_the_release_is_refused_and_never_replaced_by_something_else() {
    for shell in shells() {
        let runner = released(shell);
        let good = fs::read(runner.path("mirror").join(ASSET)).expect("it is there");
        runner.write(&format!("mirror/{ASSET}"), [&good[..], b"x"].concat());
        is_refused(&runner, 70, "internal-error", "is not release 1.2.3");
        assert!(!runner.path(CACHED).exists());

        // The cache is checked like a download: jobs of other repositories may write into it.
        let runner = released(shell);
        runner.write(CACHED, "other");
        is_refused(&runner, 70, "internal-error", CACHED);
        assert!(asked(&runner).is_empty());
    }
}

#[test]
fn without_a_good_checksum_for_this_system_there_is_no_program() {
    for shell in shells() {
        let runner = released(shell);
        let good = sum(&runner);
        for (sums, why) in [
            (String::new(), "does not name"),
            (format!("{good}  maestro-gate-1.2.3-aarch64-apple-darwin.tar.gz\n"), "does not name"),
            (format!("{good}  {ASSET}.old\n"), "does not name"),
            (format!("{good}  {ASSET} x\n"), "does not name"),
            (format!("{good}  {ASSET}\r\n"), "does not name"),
            (format!("{good}  {ASSET}\n{good}  {ASSET}\n"), "twice"),
            (format!("0{good}  {ASSET}\n"), "is none"),
            (format!("{}  {ASSET}\n", good.to_uppercase()), "is none"),
            (format!("*  {ASSET}\n"), "is none"),
        ] {
            runner.write("gate/SHA256SUMS", sums);
            is_refused(&runner, 70, "internal-error", why);
        }
        fs::remove_file(runner.path("gate/SHA256SUMS")).expect("it was there");
        is_refused(&runner, 70, "internal-error", "no checksums");
        assert!(asked(&runner).is_empty(), "asked for something that can't be checked");
    }
    for shell in shells().into_iter().filter(|shell| *shell != BUILT_IN) {
        let runner = released(shell);
        on(&runner, "Linux", "riscv64");
        is_refused(&runner, 70, "internal-error", "no release for riscv64");

        let runner = released(shell);
        for name in ["sha256sum", "shasum"] {
            let _absent = fs::remove_file(runner.path("bin").join(name));
        }
        is_refused(&runner, 70, "internal-error", "to check the download");
    }
}

#[test]
fn what_goes_wrong_on_the_way_is_red() {
    for shell in shells() {
        let mut runner = released(shell);
        runner.script("bin/curl", "exit 22");
        is_refused(&runner, 70, "internal-error", "could not be downloaded");
        runner.repository = "";
        is_refused(&runner, 70, "internal-error", "say download-url");

        let runner = released(shell);
        pack(&runner, "echo 'maestro-gate 1.2.4'");
        runner.write("gate/SHA256SUMS", format!("{}  {ASSET}\n", sum(&runner)));
        is_refused(&runner, 70, "internal-error", "not 1.2.3");

        let runner = released(shell);
        runner.write(&format!("mirror/{ASSET}"), "no archive");
        runner.write("gate/SHA256SUMS", format!("{}  {ASSET}\n", sum(&runner)));
        is_refused(&runner, 70, "internal-error", "can't be unpacked");

        for version in ["v1.2.3", "1.2.3 x", "../1.2.3", "1.2.3\n1.2.4"] {
            runner.write("gate/VERSION", version);
            is_refused(&runner, 70, "internal-error", "is no version");
        }
    }
}

#[test]
fn a_cache_that_cannot_be_written_costs_a_warning() {
    for shell in shells() {
        let runner = released(shell);
        runner.write("cache/maestro-gate", "a file where a folder should be");
        let ended = runner.run();
        has_passed(&ended);
        assert!(github::commands(&ended.log).iter().any(|command| command.name == "warning"), "{}", ended.log);
    }
}

#[test]
fn a_bad_address_is_an_input_error_and_is_not_repeated() {
    let mut runner = released("sh");
    for url in [
        "http://mirror.example",
        "http://localhost.example",
        "http://127.0.0.1.example:80",
        "https://",
        "https:///x",
        "ftp://x",
        "-x",
        "https://a:s3cret@mirror.example",
        "https://mirror.example/?sig=s3cret",
        "https://mirror.example/\n::set-env name=PATH::s3cret",
    ] {
        runner.inputs.insert("download-url", url.to_owned());
        let ended = is_refused(&runner, 2, "invalid-input", "download-url");
        assert!(!ended.log.contains("s3cret"), "{url}");
        assert!(asked(&runner).is_empty());
    }
}

#[test]
fn only_a_commit_that_names_no_release_is_built_and_says_so() {
    for (shell, version) in shells().into_iter().flat_map(|shell| [(shell, None), (shell, Some(""))]) {
        let runner = released(shell);
        fs::remove_file(runner.path("gate/VERSION")).expect("it was there");
        version.map(|text| runner.write("gate/VERSION", text));
        runner.script("bin/cargo", &cargo(&runner, "printf '%s\\n' \"$PWD\" \"$*\""));
        let ended = runner.run();
        has_passed(&ended);
        let built = fs::read_to_string(runner.path("built")).expect("it was built");
        let (folder, arguments) = built.split_once('\n').expect("two lines");
        assert_eq!(arguments.trim_end(), "build --release --locked --bin maestro-gate --target-dir target");
        assert!(folder.ends_with("/gate"));
        let commands = github::commands(&ended.log);
        let notice = commands.iter().find(|command| command.name == "notice").expect("it is said");
        assert!(notice.data.contains("names no release"));

        fs::remove_file(runner.path("built")).expect("it was there");
        runner.script("bin/cargo", "exit 101");
        is_refused(&runner, 70, "internal-error", "could not build");
        fs::remove_file(runner.path("bin/cargo")).expect("it was there");
        is_refused(&runner, 70, "internal-error", "no cargo");
    }
}

/// In place of cargo: "builds" `PROGRAM`, and writes down what this command prints.
pub(super) fn cargo(runner: &Runner, print: &str) -> String {
    format!(
        "{{ {print}; }} >'{}'\nmkdir -p target/release\ncp '{}' target/release/maestro-gate",
        runner.path("built").display(),
        runner.script("program", PROGRAM).display()
    )
}

#[test]
fn what_binary_path_names_must_be_a_gate() {
    for shell in shells() {
        let mut runner = released(shell);
        for (path, why) in [
            ("nowhere", "there is no file ./nowhere"),
            ("../bin", "there is no file"),
            ("a\n::set-env name=PATH::x##[add-path]y", "there is no file ./a?::set-env name=PATH::x#?[add-path]y"),
        ] {
            runner.inputs.insert("binary-path", path.to_owned());
            is_refused(&runner, 2, "invalid-input", why);
        }
        let path = runner.write("workspace/program", "");
        runner.inputs.insert("binary-path", "program".to_owned());
        is_refused(&runner, 2, "invalid-input", "not executable");

        // A shell would take these for scripts, and an empty script ends well.
        for text in ["", "exit 0\n", "<!doctype html>\n", "\u{7f}ELF", "echo maestro-gate\n"] {
            runner.write("workspace/program", text);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
            is_refused(&runner, 70, "internal-error", "is not a maestro-gate");
        }
        runner.script("workspace/program", PROGRAM);
        for spelt in ["program", " ./program ", "\t\r\n ../workspace/program \r\n\t"] {
            runner.inputs.insert("binary-path", spelt.to_owned());
            has_passed(&runner.run());
        }
        assert!(asked(&runner).is_empty());
        // Blanks are no name.
        runner.inputs.insert("binary-path", " \n".to_owned());
        has_passed(&runner.run());
        assert_eq!(asked(&runner).len(), 1);
    }
}

#[test]
fn what_the_step_says_arrives_byte_for_byte_and_runs_nothing() {
    let names: Vec<String> = Action::read().entries("inputs").into_iter().map(|(name, _)| name.to_owned()).collect();
    for shell in shells() {
        let mut runner = released(shell);
        let seen = runner.path("seen");
        runner.write("seen/x", "");
        let mut probe = "[ \"${1-}\" != --version ] || { echo maestro-gate 0; exit; }\n".to_owned();
        for name in names.iter().filter(|name| !FIRST_STEP.contains(&name.as_str())) {
            let variable = format!("INPUT_{}", name.to_uppercase().replace('-', "_"));
            probe += &format!("printf %s \"${variable}\" >'{}'\n", seen.join(name).display());
        }
        probe += PROGRAM;
        runner.inputs.insert("binary-path", runner.script("probe", &probe).display().to_string());
        let hostile =
            |name: &str| format!("{name} 'a' \"b\" `>ran` $(>ran)\n::error::x\r;>ran; ${{{{ x }}}} %0A \\ é ");
        for name in names.iter().filter(|name| !FIRST_STEP.contains(&name.as_str())) {
            runner.inputs.insert(name.clone().leak(), hostile(name));
        }
        let ended = runner.run();
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        for name in names.iter().filter(|name| !FIRST_STEP.contains(&name.as_str())) {
            assert_eq!(fs::read_to_string(seen.join(name)).ok(), Some(hostile(name)), "{name} in {shell}");
        }
        assert!(!runner.path("workspace/ran").exists());
    }
}
