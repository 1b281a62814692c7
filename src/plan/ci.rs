//! Which CI is this? From the environment, pure.

use std::path::PathBuf;

use crate::inputs::Env;

use super::desk::Wrong;

/// The CI systems with reports of their own. Gitea and Forgejo speak GitHub's file protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ci {
    None,
    Github,
    Gitlab,
}

/// The marks of the GitHub family, most particular first: act, Gitea and Forgejo set `GITHUB_ACTIONS` as well.
const GITHUB_FAMILY: [&str; 3] = ["FORGEJO_ACTIONS", "GITEA_ACTIONS", "GITHUB_ACTIONS"];

/// Systems that a later version reports to.
const LATER: [&str; 12] = [
    "azure",
    "buildkite",
    "circleci",
    "bitbucket",
    "teamcity",
    "codebuild",
    "cloudbuild",
    "drone",
    "woodpecker",
    "jenkins",
    "tekton",
    "argo",
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

/// Reads the input `ci`.
pub(super) fn read(text: &str, env: &Env) -> Result<Ci, Wrong> {
    match text {
        "auto" => Ok(detect(env)),
        "github" => Ok(Ci::Github),
        "gitlab" => Ok(Ci::Gitlab),
        "none" => Ok(Ci::None),
        _ if LATER.contains(&text) => Err(Wrong::whole(
            "not available in this version yet; `none`, and report files such as dotenv and junit, work everywhere",
        )),
        _ => Err(Wrong::whole("possible are: auto, github (also for Gitea and Forgejo), gitlab, none")),
    }
}

/// The GitHub family comes first in the order of detection; systems without reports of their own are all alike.
pub(super) fn detect(env: &Env) -> Ci {
    if GITHUB_FAMILY.iter().any(|mark| env.is_true(mark)) {
        Ci::Github
    } else if env.is_true("GITLAB_CI") {
        Ci::Gitlab
    } else {
        Ci::None
    }
}

/// A file that the CI offers.
pub(super) fn file(env: &Env, name: &str) -> Option<PathBuf> {
    env.value(name).map(PathBuf::from)
}

/// The CI's own files that are there, with the variable that names each.
pub(super) fn command_files(env: &Env) -> Vec<(&'static str, PathBuf)> {
    COMMAND_FILES.iter().filter_map(|name| Some((*name, file(env, name)?))).collect()
}
