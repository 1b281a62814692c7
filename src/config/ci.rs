//! Which CI is this? From the environment, pure.

use std::path::PathBuf;

use crate::inputs::Env;

use super::validator::InvalidValue;

/// The CI systems, as far as reports to them differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ci {
    None,
    /// The whole family: GHES, Gitea, Forgejo and act speak GitHub's file protocol.
    Github,
    Gitlab,
    Azure,
    Buildkite,
    Teamcity,
    Circleci,
    Bitbucket,
    CloudBuild,
    Drone,
    /// These read report files alone, which the job names: Jenkins, Woodpecker, CodeBuild.
    Files,
}

/// What `ci` can be, besides `auto`.
const NAMES: [(&str, Ci); 15] = [
    ("github", Ci::Github),
    ("gitlab", Ci::Gitlab),
    ("azure", Ci::Azure),
    ("buildkite", Ci::Buildkite),
    ("teamcity", Ci::Teamcity),
    ("circleci", Ci::Circleci),
    ("bitbucket", Ci::Bitbucket),
    ("jenkins", Ci::Files),
    ("woodpecker", Ci::Files),
    ("drone", Ci::Drone),
    ("cloud-build", Ci::CloudBuild),
    ("codebuild", Ci::Files),
    ("gitea", Ci::Github),
    ("forgejo", Ci::Github),
    ("none", Ci::None),
];

/// Names that somebody may try, and what serves them.
const OTHERS: [(&str, &str); 2] = [
    ("tekton", "not a name to give: Tekton has no log commands. Set output-dir, and leave ci out"),
    ("argo", "not a name to give: Argo has no log commands. Set output-dir, and leave ci out"),
];

/// How a variable tells of a CI system.
#[derive(Clone, Copy)]
enum EnvMarker {
    /// It says `true`, in any case.
    True(&'static str),
    /// It is set.
    Set(&'static str),
    Says(&'static str, &'static str),
}

/// The order of detection; the first mark decides.
///
/// The GitHub family comes first, for its runners pass their own environment on into whatever a job starts, and within it
/// the most particular, though all are one to us: Gitea and Forgejo set `GITHUB_ACTIONS` as well. Jenkins comes behind
/// the others, since its variables are common on agents that run more than Jenkins. The last row is a capability instead
/// of a name: a container that was given the runner's file, but not its mark.
const MARKS: [(EnvMarker, Ci); 18] = [
    (EnvMarker::True("FORGEJO_ACTIONS"), Ci::Github),
    (EnvMarker::True("GITEA_ACTIONS"), Ci::Github),
    (EnvMarker::True("GITHUB_ACTIONS"), Ci::Github),
    (EnvMarker::True("GITLAB_CI"), Ci::Gitlab),
    (EnvMarker::True("TF_BUILD"), Ci::Azure),
    (EnvMarker::True("BUILDKITE"), Ci::Buildkite),
    (EnvMarker::True("CIRCLECI"), Ci::Circleci),
    (EnvMarker::Set("BITBUCKET_BUILD_NUMBER"), Ci::Bitbucket),
    (EnvMarker::Set("BITBUCKET_PIPELINES_VARIABLES_PATH"), Ci::Bitbucket),
    (EnvMarker::Set("TEAMCITY_VERSION"), Ci::Teamcity),
    (EnvMarker::Set("CODEBUILD_BUILD_ARN"), Ci::Files),
    (EnvMarker::Set("BUILDER_OUTPUT"), Ci::CloudBuild),
    (EnvMarker::True("DRONE"), Ci::Drone),
    (EnvMarker::Set("DRONE_OUTPUT"), Ci::Drone),
    (EnvMarker::Says("CI", "woodpecker"), Ci::Files),
    (EnvMarker::Says("CI_SYSTEM_NAME", "woodpecker"), Ci::Files),
    (EnvMarker::Set("JENKINS_URL"), Ci::Files),
    (EnvMarker::Set("GITHUB_OUTPUT"), Ci::Github),
];

/// Variables that name a file in which a CI system reads commands, state or results of its own: a report there would be
/// taken for those.
const COMMAND_FILES: [&str; 20] = [
    "GITHUB_OUTPUT",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_EVENT_PATH",
    "FORGEJO_OUTPUT",
    "FORGEJO_ENV",
    "FORGEJO_PATH",
    "FORGEJO_STATE",
    "FORGEJO_STEP_SUMMARY",
    "GITEA_OUTPUT",
    "GITEA_ENV",
    "GITEA_STEP_SUMMARY",
    "BASH_ENV",
    "BITBUCKET_PIPELINES_VARIABLES_PATH",
    "BUILDKITE_ENV_FILE",
    "DRONE_OUTPUT",
    "DRONE_CARD_PATH",
    "ARGO_PROGRESS_FILE",
];

/// Variables that name the folder of the job's checked-out files: a link in there may be part of a change that somebody
/// proposed.
const WORKSPACES: [&str; 11] = [
    "GITHUB_WORKSPACE",
    "CI_PROJECT_DIR",
    "BUILD_SOURCESDIRECTORY",
    "BUILDKITE_BUILD_CHECKOUT_PATH",
    "CIRCLE_WORKING_DIRECTORY",
    "BITBUCKET_CLONE_DIR",
    "CODEBUILD_SRC_DIR",
    "CI_WORKSPACE",
    "DRONE_WORKSPACE",
    "DRONE_WORKSPACE_BASE",
    "WORKSPACE",
];

/// Reads the input `ci`.
pub(super) fn read(text: &str, env: &Env) -> Result<Ci, InvalidValue> {
    if text == "auto" {
        return Ok(detect(env));
    }
    if let Some((_, ci)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Ok(*ci);
    }
    match OTHERS.iter().find(|(name, _)| *name == text) {
        Some((_, what)) => Err(InvalidValue::whole(*what)),
        None => {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            Err(InvalidValue::whole(format!("must be one of: auto, {}", names.join(", "))))
        }
    }
}

/// Which system this is, by what it sets.
pub(super) fn detect(env: &Env) -> Ci {
    let holds = |mark: EnvMarker| match mark {
        EnvMarker::True(name) => env.is_true(name),
        EnvMarker::Set(name) => env.value(name).is_some(),
        EnvMarker::Says(name, word) => env.value(name).is_some_and(|value| value.eq_ignore_ascii_case(word)),
    };
    MARKS.iter().find(|(mark, _)| holds(*mark)).map_or(Ci::None, |(_, ci)| *ci)
}

impl Ci {
    /// Whether the results are commands in the log, so that the log has to be text.
    pub(super) const fn commands_in_log(self) -> bool {
        matches!(self, Ci::Azure | Ci::Teamcity)
    }
}

/// The variable that names the file in which the system takes outputs; Cloud Build's names its folder
/// (`BuildStepOutputs`).
pub(super) fn output_variable(ci: Ci) -> Option<&'static str> {
    match ci {
        Ci::Github => Some("GITHUB_OUTPUT"),
        Ci::Circleci => Some("BASH_ENV"),
        Ci::Bitbucket => Some("BITBUCKET_PIPELINES_VARIABLES_PATH"),
        Ci::Drone => Some("DRONE_OUTPUT"),
        Ci::CloudBuild => Some("BUILDER_OUTPUT"),
        Ci::Azure | Ci::Buildkite | Ci::Files | Ci::Gitlab | Ci::None | Ci::Teamcity => None,
    }
}

/// That file.
pub(super) fn output_file(ci: Ci, env: &Env) -> Option<PathBuf> {
    let path = file(env, output_variable(ci)?)?;
    Some(if ci == Ci::CloudBuild { path.join("output") } else { path })
}

/// The folder of the job's checked-out files; where the CI names none, the working folder.
pub(super) fn workspace(env: &Env) -> Option<PathBuf> {
    let named = WORKSPACES.iter().filter_map(|name| file(env, name)).find(|path| path.is_absolute());
    named.or_else(|| env.folder().map(Into::into))
}

/// A file that the CI offers.
pub(super) fn file(env: &Env, name: &str) -> Option<PathBuf> {
    env.value(name).map(PathBuf::from)
}

/// The CI's own files that are there, with the variable that names each.
pub(super) fn command_files(env: &Env) -> Vec<(&'static str, PathBuf)> {
    let named = COMMAND_FILES.iter().filter_map(|name| Some((*name, file(env, name)?)));
    named.chain(output_file(Ci::CloudBuild, env).map(|path| ("BUILDER_OUTPUT", path))).collect()
}
