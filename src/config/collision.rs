//! Which paths collide: a report's with another one's, with a file that is read, with one of the CI's.
//!
//! Asked twice, and told in the same words: of the paths as they are written, when the inputs are read; and of the places
//! that they lead to, which `output` knows, before anything is written.

use std::path::{Path, PathBuf};

use crate::core::Untrusted;
use crate::inputs::Input;
use crate::report::output_values::OUTPUTS;

use super::{Destination, DocumentKind, InputError, InputSubject, NamedBy, OutputConfig, Warning};

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLocation {
    pub path: PathBuf,
    /// Device and inode of a file that has several names.
    pub file: Option<(u64, u64)>,
}

/// A place that something lies at, and the words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OccupiedPath {
    pub place: FileLocation,
    /// The variable that names it, of a CI's own file.
    pub variable: Option<&'static str>,
    pub by: String,
}

/// A report that would be written over something else, and must be left out.
#[derive(Debug)]
pub struct Collision {
    /// Which of the outlet's destinations.
    pub destination: usize,
    pub collision_kind: CollisionKind,
}

#[derive(Debug)]
pub enum CollisionKind {
    /// An input named the path.
    Mistake(InputError),
    /// The gate did.
    Warning(Warning),
}

impl FileLocation {
    /// A path by its text alone.
    pub(super) fn written(path: impl Into<PathBuf>) -> FileLocation {
        FileLocation { path: path.into(), file: None }
    }

    fn is(&self, other: &FileLocation) -> bool {
        self.path == other.path || (self.file.is_some() && self.file == other.file)
    }
}

impl OccupiedPath {
    pub(super) fn report(place: FileLocation, input: Input) -> OccupiedPath {
        OccupiedPath { place, variable: None, by: format!("the report of {}", input.name()) }
    }
}

/// Why the report of `input` can't be written to `place`; `files` are those that a folder gets.
pub(super) fn obstacle(
    input: Input,
    place: &FileLocation,
    files: &[FileLocation],
    taken: &[OccupiedPath],
) -> Option<String> {
    taken.iter().find_map(|OccupiedPath { place: other, by, .. }| {
        let what = if other.is(place) {
            "this path is"
        } else if input != Input::OutputDir && other.path.starts_with(&place.path) {
            "this path is a folder of"
        } else if place.path.starts_with(&other.path) {
            "a folder of this path is"
        } else if files.iter().any(|file| other.is(file)) {
            "one of the outputs' files in this folder is"
        } else {
            return None;
        };
        Some(format!("{what} {by}; another one is needed"))
    })
}

/// What has the place of a file that the gate names itself.
pub(super) fn holder<'t>(place: &FileLocation, taken: &'t [OccupiedPath]) -> Option<&'t str> {
    let holds = |other: &&OccupiedPath| other.place.is(place) || other.place.path.starts_with(&place.path);
    taken.iter().find(holds).map(|other| other.by.as_str())
}

/// The warning that GitLab's links are left out.
pub(super) fn no_links(by: &str) -> Warning {
    Warning::ours(format!("no links are written for GitLab: their path is {by}"))
}

fn no_summary(by: &str) -> Warning {
    Warning::ours(format!("no summary is uploaded to Azure: its path is {by}"))
}

/// The files that a folder gets for the outputs, or may get one day.
pub(super) fn output_files(folder: &Path, output_prefix: &str) -> impl Iterator<Item = PathBuf> {
    OUTPUTS.iter().flat_map(move |(output, _)| {
        let shout = format!("{output_prefix}{}", output.to_ascii_uppercase().replace('-', "_"));
        [folder.join(output), folder.join(shout)]
    })
}

/// What a CI's own file is for: `FORGEJO_OUTPUT` and `GITHUB_OUTPUT` are one file.
fn purpose(variable: &str) -> &str {
    variable.split_once('_').map_or(variable, |(_, purpose)| purpose)
}

impl Destination {
    /// What is said of it if its path can't be used.
    pub fn refused(&self, what: String) -> CollisionKind {
        let value = self.path().map(|path| Untrusted::new(path.to_string_lossy()));
        match self.named_by {
            NamedBy::Input(input) => {
                CollisionKind::Mistake(InputError { about: InputSubject::Input(input), called: None, value, what })
            }
            NamedBy::Variable(name) => {
                CollisionKind::Warning(Warning::ours(format!("{name} is not written: {what}{}", self.consequence())))
            }
            NamedBy::Gate(name) => {
                CollisionKind::Warning(Warning { name: value, what: format!("{name} is not written: {what}") })
            }
        }
    }
}

impl OutputConfig {
    /// The reports that would be written over something else, by where their paths lead. Of two that collide, the later one
    /// in input order is left out. `lead` knows no place for what keeps nothing: a pipe has as many writers as one likes.
    pub fn collisions(&self, lead: impl Fn(&Path) -> Option<FileLocation>) -> Vec<Collision> {
        let leads = |other: &OccupiedPath| Some(OccupiedPath { place: lead(&other.place.path)?, ..other.clone() });
        let mut taken: Vec<OccupiedPath> = self.others.iter().filter_map(leads).collect();
        let mut found = Vec::new();
        for (index, destination) in self.destinations.iter().enumerate() {
            let Some((path, place)) = destination.path().and_then(|path| Some((path, lead(path)?))) else { continue };
            let collision_kind = match (destination.named_by, destination.document) {
                (NamedBy::Input(input), document) => {
                    let files: Vec<FileLocation> = match document == DocumentKind::OutputDir {
                        true => output_files(path, &self.output_prefix).filter_map(|file| lead(&file)).collect(),
                        false => Vec::new(),
                    };
                    let obstacle = obstacle(input, &place, &files, &taken);
                    if obstacle.is_none() {
                        taken.extend([place].into_iter().chain(files).map(|place| OccupiedPath::report(place, input)));
                    }
                    obstacle.map(|what| destination.refused(what))
                }
                (NamedBy::Gate(_), DocumentKind::Links) => {
                    holder(&place, &taken).map(|by| CollisionKind::Warning(no_links(by)))
                }
                (NamedBy::Gate(_), _) => holder(&place, &taken).map(|by| CollisionKind::Warning(no_summary(by))),
                (NamedBy::Variable(name), _) => {
                    let is_other = |other: &&OccupiedPath| {
                        other.variable.is_none_or(|variable| purpose(variable) != purpose(name))
                    };
                    let others = self.others.iter().filter(is_other).filter_map(leads);
                    let other = others.into_iter().find(|other| other.place.is(&place));
                    other.map(|other| destination.refused(format!("this path is {}; another one is needed", other.by)))
                }
            };
            found.extend(collision_kind.map(|collision_kind| Collision { destination: index, collision_kind }));
        }
        found
    }
}
