//! Jenkins: reads report files alone, which the job names.

use super::{CiSystem, EnvMarker, PLAIN};

pub(super) static JENKINS: CiSystem =
    CiSystem { names: &["jenkins"], marks: &[EnvMarker::Set("JENKINS_URL")], workspaces: &["WORKSPACE"], ..PLAIN };
