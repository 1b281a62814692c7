//! Which paths collide: a report's with another one's, with a file that is read, with one of the CI's.
//!
//! Asked twice, and told in the same words: of the paths as they are written, when the inputs are read; and of the places
//! that they lead to, which `output` knows, before anything is written.

use std::path::{Path, PathBuf};

use crate::core::Untrusted;
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

/// What is said of a report that would be written over something else, and must be left out.
#[derive(Debug)]
pub enum CollisionKind {
    /// An input named the path.
    Mistake(InputError),
    /// The gate did.
    Warning(Warning),
}

/// The places that are taken so far.
pub(super) struct OccupiedPlaces<'a> {
    taken: Vec<OccupiedPath>,
    output_prefix: &'a str,
    /// Where a path leads; nowhere if what is there keeps nothing: a pipe has as many writers as one likes.
    lead: &'a dyn Fn(&Path) -> Option<FileLocation>,
}

impl FileLocation {
    fn is(&self, other: &FileLocation) -> bool {
        self.path == other.path || (self.file.is_some() && self.file == other.file)
    }
}

impl<'a> OccupiedPlaces<'a> {
    /// Taken by what no report may be written over.
    pub fn new(
        others: &[OccupiedPath],
        output_prefix: &'a str,
        lead: &'a dyn Fn(&Path) -> Option<FileLocation>,
    ) -> OccupiedPlaces<'a> {
        let leads = |other: &OccupiedPath| Some(OccupiedPath { place: lead(&other.place.path)?, ..other.clone() });
        OccupiedPlaces { taken: others.iter().filter_map(leads).collect(), output_prefix, lead }
    }

    pub fn is_taken(&self, path: &Path) -> bool {
        self.taken.iter().any(|other| other.place.path == *path)
    }

    /// Why the destination can't be written: it would go over something else. Else an input's path is taken from now on.
    pub fn collision(&mut self, destination: &Destination) -> Option<String> {
        let path = destination.path()?;
        let place = (self.lead)(path)?;
        match destination.named_by {
            NamedBy::Input(input) => {
                let is_folder = destination.document == DocumentKind::OutputDir;
                let files = is_folder.then(|| output_files(path, self.output_prefix)).into_iter().flatten();
                let files: Vec<FileLocation> = files.filter_map(|file| (self.lead)(&file)).collect();
                let obstacle = self.obstacle(is_folder, &place, &files);
                if obstacle.is_none() {
                    let by = format!("the report of {}", input.name());
                    let taken = |place| OccupiedPath { place, variable: None, by: by.clone() };
                    self.taken.extend([place].into_iter().chain(files).map(taken));
                }
                obstacle
            }
            NamedBy::Gate(_) => {
                let holds = |other: &&OccupiedPath| other.place.is(&place) || other.place.path.starts_with(&place.path);
                let other = self.taken.iter().find(holds)?;
                Some(match destination.document == DocumentKind::Links {
                    true => format!("no links are written for GitLab: their path is {}", other.by),
                    false => format!("no summary is uploaded to Azure: its path is {}", other.by),
                })
            }
            NamedBy::Variable(name) => {
                let is_other = |other: &&OccupiedPath| {
                    other.place.is(&place) && other.variable.is_none_or(|variable| purpose(variable) != purpose(name))
                };
                let other = self.taken.iter().find(is_other)?;
                Some(format!("this path is {}; another one is needed", other.by))
            }
        }
    }

    /// Why the report of an input can't be written to `place`; `files` are those that a folder gets.
    fn obstacle(&self, is_folder: bool, place: &FileLocation, files: &[FileLocation]) -> Option<String> {
        self.taken.iter().find_map(|OccupiedPath { place: other, by, .. }| {
            let what = if other.is(place) {
                "this path is"
            } else if !is_folder && other.path.starts_with(&place.path) {
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
}

/// The files that a folder gets for the outputs, or may get one day.
fn output_files(folder: &Path, output_prefix: &str) -> impl Iterator<Item = PathBuf> {
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
    /// in input order is left out. Each with the index of its destination.
    pub fn collisions(&self, lead: impl Fn(&Path) -> Option<FileLocation>) -> Vec<(usize, CollisionKind)> {
        let mut places = OccupiedPlaces::new(&self.others, &self.output_prefix, &lead);
        let collision = |(index, destination): (usize, &Destination)| {
            let what = places.collision(destination)?;
            let collision_kind = match destination.named_by {
                NamedBy::Gate(_) => CollisionKind::Warning(Warning::ours(what)),
                NamedBy::Input(_) | NamedBy::Variable(_) => destination.refused(what),
            };
            Some((index, collision_kind))
        };
        self.destinations.iter().enumerate().filter_map(collision).collect()
    }
}
