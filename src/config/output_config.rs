//! Where the reports go: which paths were given, and which of them can't be.
//!
//! Pure: what the file system has to say about a path is `output`'s, and `collision` is asked again then. A path that is
//! refused here is left out of the outlet, so that telling the input error can't do the harm that the input error would have done.

use std::cmp::Ordering;
use std::path::{Component, Path, PathBuf};

use crate::inputs::{Env, Input};
use crate::report::ci::{CiSystem, OutputChannel, SummaryChannel};
use crate::report::dotenv::DOTENV;
use crate::report::formats::FORMATS;
use crate::report::junit::JUNIT;
use crate::report::markdown::MARKDOWN;

use super::collision::{FileLocation, OccupiedPath, OccupiedPlaces};
use super::destination::{Destination, DocumentKind, NamedBy, WriteTarget};
use super::detect_ci;
use super::input_error::Warning;
use super::validator::{InvalidValue, Validator};
use super::value::{choice, switch};
use super::{Colour, LogFormat, OutputConfig, Volume};

/// What inputs name a path for, in their order: of two that collide, the later one is refused.
fn documents() -> impl Iterator<Item = (Input, DocumentKind)> {
    let formats =
        FORMATS.into_iter().filter_map(|format| Some((Input::named(format.input)?, DocumentKind::Format(format))));
    let documents =
        formats.chain([(Input::TraceFile, DocumentKind::TraceFile), (Input::OutputDir, DocumentKind::OutputDir)]);
    let mut documents: Vec<(Input, DocumentKind)> = documents.collect();
    documents.sort_by_key(|(input, _)| *input);
    documents.into_iter()
}

/// Files that are read: a report over one of them would be the end of it.
const SOURCES: [Input; 3] = [Input::PasswordFile, Input::AccessTokenFile, Input::CaFile];

/// The names of the gate's own log. What they lead to under other names, `output` finds out. A runner reads the log line by
/// line, and what a report says in it could set an output or end a group.
const LOG: [&str; 6] = ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2", "/proc/self/fd/1", "/proc/self/fd/2"];

/// What is wrong with a report that would go into the log.
pub const LOG_TAKEN: &str = "this is the gate's own log, where a CI would read a report as commands; name a file";

/// Reads everything about the reports. Never fails: what is wrong is noted, and falls back to its default.
pub(super) fn read(validator: &mut Validator<'_>) -> OutputConfig {
    let env = validator.env;
    let ci = validator.read(Input::Ci, |text| detect_ci::read(text, env)).unwrap_or_else(|| detect_ci::detect(env));
    let wants_summary = validator.read(Input::Summary, switch).unwrap_or(true);
    let output_prefix =
        validator.read(Input::OutputPrefix, prefix).or_else(|| Input::OutputPrefix.row().default.map(str::to_owned));
    let output_prefix = output_prefix.unwrap_or_default();
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let log_format = validator.read(Input::LogFormat, |text| match choice(text, &formats)? {
        LogFormat::Json if ci.has_commands_in_log() => {
            Err("cannot be used here: this CI reads results from commands in the log. Use text, or set ci to none"
                .into())
        }
        format @ (LogFormat::Text | LogFormat::Json) => Ok(format),
    });
    let log_format = log_format.unwrap_or(LogFormat::Text);
    let volume = read_volume(validator);
    let others = others(validator);
    // As far as the text of a path says where it leads.
    let lead = |path: &Path| Some(FileLocation { path: whole(env, path), file: None });
    let mut places = OccupiedPlaces::new(&others, &output_prefix, &lead);
    let mut destinations: Vec<Destination> = outputs(ci, env).into_iter().collect();
    for (input, document) in documents() {
        let Some((given, text)) = validator.given(input) else { continue };
        let path = PathBuf::from(text);
        let target =
            if document == DocumentKind::OutputDir { WriteTarget::Folder(path) } else { WriteTarget::File(path) };
        let destination = Destination::new(document, NamedBy::Input(input), target);
        match unusable(&destination, text, &whole(env, Path::new(text))).or_else(|| places.collision(&destination)) {
            Some(what) => validator.wrong(given, what),
            None => destinations.push(destination),
        }
    }
    if let Some(links) = links(&destinations).filter(|_| ci.takes_links) {
        match places.collision(&links) {
            // The user gave that path another meaning, which is the one that counts.
            Some(what) => validator.warnings.push(Warning::ours(what)),
            None => destinations.push(links),
        }
    }
    if wants_summary {
        summarize(ci, env, &places, &output_prefix, &mut destinations);
    }
    // Buildkite's agent goes over the network: of a signal's two seconds it gets what the files leave.
    destinations.sort_by_key(|destination| matches!(destination.target, WriteTarget::Agent(_)));
    OutputConfig {
        ci,
        destinations,
        has_mermaid: ci.draws_mermaid && is_github_itself(env),
        workspaces: detect_ci::workspaces(env),
        working_folder: env.folder().map(Into::into),
        others,
        output_prefix,
        log_format,
        volume,
        colour: read_colour(env),
    }
}

/// Where the CI takes outputs, if not from the log.
fn outputs(ci: &CiSystem, env: &Env) -> Option<Destination> {
    let (named_by, target) = match ci.outputs {
        OutputChannel::Nowhere | OutputChannel::Log(_) => return None,
        OutputChannel::Appended { variable, .. } => {
            (NamedBy::Variable(variable), WriteTarget::Shared(detect_ci::file(env, variable)?))
        }
        OutputChannel::InFolder { variable, file, .. } => {
            (NamedBy::Variable(variable), WriteTarget::File(detect_ci::file(env, variable)?.join(file)))
        }
        OutputChannel::Agent { program, .. } => (NamedBy::Gate(program), WriteTarget::Agent(program)),
    };
    Some(Destination::new(DocumentKind::Outputs, named_by, target))
}

/// Adds the job summary. One that is uploaded is the `markdown` report, or else a file of ours that stays until the job is
/// over, by its path from the root. That one is named after the prefix, so that two gates of one job don't collide.
fn summarize(
    ci: &CiSystem,
    env: &Env,
    places: &OccupiedPlaces<'_>,
    output_prefix: &str,
    destinations: &mut Vec<Destination>,
) {
    let summary = |named_by, target| Destination::new(DocumentKind::Summary, named_by, target);
    match ci.summary {
        SummaryChannel::Nowhere => {}
        SummaryChannel::Appended(variable) => {
            let path = detect_ci::file(env, variable);
            destinations.extend(path.map(|path| summary(NamedBy::Variable(variable), WriteTarget::Shared(path))));
        }
        SummaryChannel::Agent { program, .. } => {
            destinations.push(summary(NamedBy::Gate(program), WriteTarget::Agent(program)));
        }
        SummaryChannel::Uploaded { folder, .. } => {
            let from_root = |path: &Path| Some(whole(env, path)).filter(|path| path.is_absolute());
            let markdown = destinations.iter_mut().find(|other| other.document == DocumentKind::Format(&MARKDOWN));
            if let Some(markdown) = markdown {
                markdown.upload = markdown.path().and_then(from_root);
                return;
            }
            let name = output_prefix.trim_matches('_').to_ascii_lowercase();
            let name = if name.is_empty() { "maestro_gate" } else { &name };
            let path = detect_ci::file(env, folder);
            let path = path.and_then(|folder| from_root(&folder.join(format!("{name}.md"))));
            destinations.extend(path.filter(|path| !places.is_taken(path)).map(|path| Destination {
                upload: Some(path.clone()),
                ..summary(NamedBy::Gate("summary"), WriteTarget::File(path))
            }));
        }
    }
}

/// The name of a variable in every shell and CI begins like this.
fn prefix(text: &str) -> Result<String, InvalidValue> {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fits && !text.starts_with(|c: char| c.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("a prefix can contain only letters, digits and `_`, and cannot begin with a digit".into())
    }
}

/// Of `quiet` and `verbose` the one from the higher place counts.
fn read_volume(validator: &mut Validator<'_>) -> Volume {
    let quiet = validator.read(Input::Quiet, switch).unwrap_or(false);
    let verbose = validator.read(Input::Verbose, switch).unwrap_or(false);
    let place = |input| validator.inputs.chosen(input).map(|given| given.place);
    match (quiet, verbose, place(Input::Quiet).cmp(&place(Input::Verbose))) {
        (true, true, Ordering::Equal) => {
            validator.refuse(Input::Verbose, "quiet and verbose cannot be used together. Remove one");
            Volume::Normal
        }
        (true, false, _) | (true, true, Ordering::Less) => Volume::Quiet,
        (false, true, _) | (true, true, Ordering::Greater) => Volume::Verbose,
        (false, false, _) => Volume::Normal,
    }
}

/// `NO_COLOR` (no-color.org: set and not empty) before `CLICOLOR_FORCE` (set and not `0`).
fn read_colour(env: &Env) -> Colour {
    if env.value("NO_COLOR").is_some() {
        Colour::Never
    } else if env.value("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        Colour::Always
    } else {
        Colour::Auto
    }
}

/// The path from the root, as far as the working folder is known.
fn whole(env: &Env, path: &Path) -> PathBuf {
    normal(&env.folder().unwrap_or(Path::new("")).join(path))
}

/// What no report may be written over: the CI's own files, and those that are read.
fn others(validator: &Validator<'_>) -> Vec<OccupiedPath> {
    let own = detect_ci::command_files(validator.env).into_iter();
    let own = own.map(|(name, path)| (path, Some(name), format!("the CI's own file {name}")));
    let read = SOURCES.into_iter().filter_map(|input| {
        let (_, text) = validator.given(input)?;
        Some((PathBuf::from(text), None, format!("read as {}", input.name())))
    });
    let place = |path| FileLocation { path, file: None };
    own.chain(read).map(|(path, variable, by)| OccupiedPath { place: place(path), variable, by }).collect()
}

/// By the server's address, which every runner of the family sets; `act` says GitHub's.
fn is_github_itself(env: &Env) -> bool {
    let server = env.value("GITHUB_SERVER_URL").and_then(|server| server.to_str()).unwrap_or_default();
    let host = server.trim_start_matches("https://").trim_end_matches('/');
    let is_one_of_the_others = env.is_true("GITEA_ACTIONS") || env.is_true("FORGEJO_ACTIONS");
    !is_one_of_the_others && (host == "github.com" || host.ends_with(".ghe.com"))
}

/// GitLab's links have no input of their own: they lie beside the dotenv file, or else the JUnit file, and are named after it
/// (`gate.env`: `gate.annotations.json`), so that two gates of one job don't collide and a job can list the path.
fn links(named: &[Destination]) -> Option<Destination> {
    let file = |document| named.iter().find(|other| other.document == document)?.path();
    let file = file(DocumentKind::Format(&DOTENV)).or(file(DocumentKind::Format(&JUNIT)))?;
    let target = WriteTarget::File(file.with_extension("annotations.json"));
    Some(Destination::new(DocumentKind::Links, NamedBy::Gate("annotations"), target))
}

/// Why the path that an input names can't be a report's, whatever else is named.
fn unusable(destination: &Destination, text: &str, whole: &Path) -> Option<String> {
    let is_file = matches!(destination.target, WriteTarget::File(_));
    let what = if is_file && text.ends_with(std::path::is_separator) {
        "names a folder; a file is needed"
    } else if is_file && whole.file_name().is_none() {
        "names no file"
    } else if LOG.iter().any(|handle| whole == Path::new(handle)) {
        LOG_TAKEN
    } else {
        return None;
    };
    Some(what.to_owned())
}

/// The path without `.` and with each `..` taken back, by its text alone.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match (component, parts.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            // The root's parent is the root.
            (Component::ParentDir, Some(Component::RootDir | Component::Prefix(_))) | (Component::CurDir, _) => {}
            _ => parts.push(component),
        }
    }
    parts
}
