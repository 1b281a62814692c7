//! Drone: a file of variables, which later steps get.

use super::{CiSystem, EnvMarker, OutputChannel, PLAIN};
use crate::report::dotenv;

const OUTPUT: &str = "DRONE_OUTPUT";

pub(super) static DRONE: CiSystem = CiSystem {
    names: &["drone"],
    marks: &[EnvMarker::True("DRONE"), EnvMarker::Set(OUTPUT)],
    command_files: &[OUTPUT, "DRONE_CARD_PATH"],
    workspaces: &["DRONE_WORKSPACE", "DRONE_WORKSPACE_BASE"],
    outputs: OutputChannel::Appended { variable: OUTPUT, render: |report, prefix, _| dotenv::render(report, prefix) },
    ..PLAIN
};
