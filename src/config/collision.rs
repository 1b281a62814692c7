//! Which paths collide: a report's with another one's, with a file that is read, with one of the CI's.
//!
//! Asked twice, and told in the same words: of the paths as they are written, when the inputs are read; and of the places
//! that they lead to, which `output` knows, before anything is written.

use std::path::{Path, PathBuf};

use crate::core::Foreign;
use crate::inputs::Input;

use super::{About, Destination, Document, Mistake, NamedBy, Outlet, Warning};

/// The names of the outputs (docs/reference.md#outputs): the files of `output-dir`.
pub const OUTPUTS: [&str; 14] = [
    "verdict",
    "exit-code",
    "status",
    "duration",
    "duration-seconds",
    "trace",
    "trace-file",
    "pipeline-id",
    "run-id",
    "started-at",
    "updated-at",
    "waited-seconds",
    "polls",
    "runs",
];

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    /// Device and inode of a file that has several names.
    pub file: Option<(u64, u64)>,
}

/// A place that something lies at, and the words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub place: Place,
    pub by: String,
}

/// A report that would be written over something else, and must be left out.
#[derive(Debug)]
pub struct Collision {
    /// Which of the outlet's destinations.
    pub destination: usize,
    pub told: Told,
}

#[derive(Debug)]
pub enum Told {
    /// An input named the path.
    Mistake(Mistake),
    /// The gate did.
    Warning(Warning),
}

impl Place {
    /// A path by its text alone.
    pub(super) fn written(path: impl Into<PathBuf>) -> Place {
        Place { path: path.into(), file: None }
    }

    fn is(&self, other: &Place) -> bool {
        self.path == other.path || (self.file.is_some() && self.file == other.file)
    }
}

impl Taken {
    pub(super) fn report(place: Place, input: Input) -> Taken {
        Taken { place, by: format!("the report of {}", input.name()) }
    }
}

/// Why the report of `input` can't be written to `place`; `files` are those that a folder gets.
pub(super) fn obstacle(input: Input, place: &Place, files: &[Place], taken: &[Taken]) -> Option<String> {
    taken.iter().find_map(|Taken { place: other, by }| {
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
pub(super) fn holder<'t>(place: &Place, taken: &'t [Taken]) -> Option<&'t str> {
    let holds = |other: &&Taken| other.place.is(place) || other.place.path.starts_with(&place.path);
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
    OUTPUTS.iter().flat_map(move |output| {
        let shout = format!("{output_prefix}{}", output.to_ascii_uppercase().replace('-', "_"));
        [folder.join(output), folder.join(shout)]
    })
}

impl Destination {
    /// What is said of it if its path can't be used.
    pub fn refused(&self, what: String) -> Told {
        let value = self.path().map(|path| Foreign::new(path.to_string_lossy()));
        match self.named_by {
            NamedBy::Input(input) => Told::Mistake(Mistake { about: About::Input(input), called: None, value, what }),
            NamedBy::Variable(name) | NamedBy::Gate(name) => {
                Told::Warning(Warning { name: value, what: format!("{name} is not written: {what}") })
            }
        }
    }
}

impl Outlet {
    /// The reports that would be written over something else, by where their paths lead. Of two that collide, the later one
    /// in input order is left out. `lead` knows no place for what keeps nothing: a pipe has as many writers as one likes.
    pub fn collisions(&self, lead: impl Fn(&Path) -> Option<Place>) -> Vec<Collision> {
        let leads = |Taken { place, by }: &Taken| Some(Taken { place: lead(&place.path)?, by: by.clone() });
        let mut taken: Vec<Taken> = self.others.iter().filter_map(leads).collect();
        let mut found = Vec::new();
        for (index, destination) in self.destinations.iter().enumerate() {
            let Some((path, place)) = destination.path().and_then(|path| Some((path, lead(path)?))) else { continue };
            let told = match (destination.named_by, destination.document) {
                (NamedBy::Input(input), document) => {
                    let files: Vec<Place> = match document == Document::OutputDir {
                        true => output_files(path, &self.output_prefix).filter_map(|file| lead(&file)).collect(),
                        false => Vec::new(),
                    };
                    let obstacle = obstacle(input, &place, &files, &taken);
                    if obstacle.is_none() {
                        taken.extend([place].into_iter().chain(files).map(|place| Taken::report(place, input)));
                    }
                    obstacle.map(|what| destination.refused(what))
                }
                (NamedBy::Gate(_), Document::Links) => holder(&place, &taken).map(|by| Told::Warning(no_links(by))),
                (NamedBy::Gate(_), _) => holder(&place, &taken).map(|by| Told::Warning(no_summary(by))),
                (NamedBy::Variable(_), _) => None,
            };
            found.extend(told.map(|told| Collision { destination: index, told }));
        }
        found
    }
}
