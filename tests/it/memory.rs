//! What another process of the same user can read of a gate that waits.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::stand_in::{On, Scenario, Service};

/// Somebody who is not root: to root everything can be read.
const NOBODY: u32 = 65534;

#[test]
fn no_core_dump_is_written_and_no_process_of_the_same_user_reads_the_environment() {
    let scenario = Scenario::from_json(include_str!("../act/scenario.json")).expect("a scenario");
    let service = Service::start(scenario);
    // Where everybody may run it.
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let program = folder.path().join("maestro-gate");
    fs::copy(crate::harness::program(), &program).expect("a copy");

    let mut command = Command::new(program);
    let is_root = fs::metadata(folder.path()).expect("it is there").uid() == 0;
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.args(["--pipeline-id", "nightly", "--run-id", "endless", "--timeout", "60s", "--ci", "none"]);
    command.env_clear().env("MAESTRO_BASE_URL", service.base_url()).current_dir("/");
    command.env("DADOSFERA_USERNAME", "ci@example.com").env("DADOSFERA_PASSWORD", "correct-horse-battery");
    let mut gate = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
    let has_begun = service.wait_for(On::Run, 1, Duration::from_secs(30));

    let process = format!("/proc/{}", gate.id());
    let limits = fs::read_to_string(format!("{process}/limits"));
    let owner = fs::metadata(format!("{process}/environ")).map(|file| file.uid());
    gate.kill().expect("it still waits");
    gate.wait().expect("it ends");

    assert!(has_begun, "the gate began");
    let limits = limits.expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    assert_eq!(owner.expect("its environment"), 0, "its own user could read it");
}
