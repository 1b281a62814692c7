//! Bitbucket Pipelines: a file of variables, which later steps get.

use super::{CiSystem, EnvMarker, OutputChannel, PLAIN};
use crate::report::dotenv;

const VARIABLES: &str = "BITBUCKET_PIPELINES_VARIABLES_PATH";

pub(super) static BITBUCKET: CiSystem = CiSystem {
    names: &["bitbucket"],
    marks: &[EnvMarker::Set("BITBUCKET_BUILD_NUMBER"), EnvMarker::Set(VARIABLES)],
    command_files: &[VARIABLES],
    workspaces: &["BITBUCKET_CLONE_DIR"],
    outputs: OutputChannel::Appended {
        variable: VARIABLES,
        render: |report, prefix, _| dotenv::render(report, prefix),
    },
    ..PLAIN
};
