//! Woodpecker: a step hands nothing on but files in the workspace.

use super::{CiSystem, EnvMarker, PLAIN};

pub(super) static WOODPECKER: CiSystem = CiSystem {
    names: &["woodpecker"],
    marks: &[EnvMarker::Says("CI", "woodpecker"), EnvMarker::Says("CI_SYSTEM_NAME", "woodpecker")],
    workspaces: &["CI_WORKSPACE"],
    ..PLAIN
};
