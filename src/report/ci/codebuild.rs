//! AWS CodeBuild: reads report files alone, which the buildspec names.

use super::{CiSystem, EnvMarker, PLAIN};

pub(super) static CODEBUILD: CiSystem = CiSystem {
    names: &["codebuild"],
    marks: &[EnvMarker::Set("CODEBUILD_BUILD_ARN")],
    workspaces: &["CODEBUILD_SRC_DIR"],
    ..PLAIN
};
