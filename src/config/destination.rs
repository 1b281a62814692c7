//! A place that a report goes to, and who named it.

use std::path::{Path, PathBuf};

use crate::inputs::Input;
use crate::report::ReportFormat;

/// One document and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    pub document: DocumentKind,
    pub named_by: NamedBy,
    pub target: WriteTarget,
    /// The path by which Azure is asked to show the file, once it is written.
    pub upload: Option<PathBuf>,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// The outputs in the form that the CI reads.
    Outputs,
    /// One file per output.
    OutputDir,
    Format(&'static ReportFormat),
    TraceFile,
    /// GitLab's links, beside the dotenv or JUnit file.
    Links,
    /// The job summary in the form that the CI reads.
    Summary,
}

/// Who chose the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The user: a path that can't be used is an input error.
    Input(Input),
    /// The CI, by this variable.
    Variable(&'static str),
    /// The gate itself: a path that can't be used is left out, with a warning.
    Gate(&'static str),
}

/// How it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteTarget {
    /// A file that is replaced as a whole.
    File(PathBuf),
    /// A folder with one file per output.
    Folder(PathBuf),
    /// A file of the CI's, which others write to as well: appended to.
    Shared(PathBuf),
    /// A program of the CI, which takes it over.
    Agent(&'static str),
}

impl Destination {
    pub(super) fn new(document: DocumentKind, named_by: NamedBy, target: WriteTarget) -> Destination {
        Destination { document, named_by, target, upload: None }
    }

    /// What to call it in a message.
    pub fn name(&self) -> &'static str {
        match self.named_by {
            NamedBy::Input(input) => input.name(),
            NamedBy::Variable(name) | NamedBy::Gate(name) => name,
        }
    }

    /// What it means if it is not written, to be added to the words for it.
    pub fn consequence(&self) -> &'static str {
        match self.name() {
            // Its last steps can't tell such a pass from a gate that never ran.
            "GITHUB_OUTPUT" => "; without these outputs the GitHub action fails even if the run passed",
            _ => "",
        }
    }

    /// Whether the CI offers it.
    pub fn is_of_the_ci(&self) -> bool {
        matches!(self.named_by, NamedBy::Variable(_))
    }

    pub fn is_named_by_input(&self) -> bool {
        matches!(self.named_by, NamedBy::Input(_))
    }

    pub fn path(&self) -> Option<&Path> {
        match &self.target {
            WriteTarget::File(path) | WriteTarget::Folder(path) | WriteTarget::Shared(path) => Some(path),
            WriteTarget::Agent(_) => None,
        }
    }
}
