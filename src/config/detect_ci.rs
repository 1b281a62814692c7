//! Which CI system is this? From the input and the environment, pure. What is known of each system is in `report::ci`.

use std::path::PathBuf;

use crate::inputs::Env;
use crate::report::ci::{ALL, CiSystem, EnvMarker, OutputChannel};

use super::validator::InvalidValue;

/// Names that somebody may try.
const NO_NAMES: [(&str, &str); 2] = [("tekton", "Tekton"), ("argo", "Argo")];

/// Reads the input `ci`.
pub(super) fn read(text: &str, env: &Env) -> Result<&'static CiSystem, InvalidValue> {
    if text == "auto" {
        return Ok(detect(env));
    }
    if let Some((_, name)) = NO_NAMES.iter().find(|(name, _)| *name == text) {
        let what = format!("not a name to give: {name} has no log commands. Set output-dir, and leave ci out");
        return Err(what.into());
    }
    CiSystem::named(text).ok_or_else(|| {
        let names: Vec<&str> = ALL.into_iter().flat_map(|system| system.names).copied().collect();
        format!("must be one of: auto, {}", names.join(", ")).into()
    })
}

/// Which system this is, by what it sets.
pub(super) fn detect(env: &Env) -> &'static CiSystem {
    let holds = |mark: &EnvMarker| match *mark {
        EnvMarker::True(name) => env.is_true(name),
        EnvMarker::Set(name) => env.value(name).is_some(),
        EnvMarker::Says(name, word) => env.value(name).is_some_and(|value| value.eq_ignore_ascii_case(word)),
    };
    let marked = ALL.into_iter().find(|system| system.marks.iter().any(holds));
    let capable = || ALL.into_iter().find(|system| system.weak_mark.as_ref().is_some_and(holds));
    marked.or_else(capable).unwrap_or(CiSystem::none())
}

/// The folders of the job's checked-out files, as any CI names them: which system this is may have been set by others.
pub(super) fn workspaces(env: &Env) -> Vec<PathBuf> {
    let named = ALL.into_iter().flat_map(|system| system.workspaces).filter_map(|name| file(env, name));
    named.filter(|path| path.is_absolute()).collect()
}

/// A file that the CI offers.
pub(super) fn file(env: &Env, name: &str) -> Option<PathBuf> {
    env.value(name).map(PathBuf::from)
}

/// The CI's own files that are there, with the variable that names each.
pub(super) fn command_files(env: &Env) -> Vec<(&'static str, PathBuf)> {
    let named =
        ALL.into_iter().flat_map(|system| system.command_files).filter_map(|name| Some((*name, file(env, name)?)));
    let in_folders = ALL.into_iter().filter_map(|system| {
        let OutputChannel::InFolder { variable, file: name, .. } = system.outputs else { return None };
        Some((variable, file(env, variable)?.join(name)))
    });
    named.chain(in_folders).collect()
}
