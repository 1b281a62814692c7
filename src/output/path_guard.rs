//! Where paths lead: no report goes over another file under a second name, into the log, or through a link out of the
//! workspace.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::WriteError;
use super::file_id::FileId;
use crate::config::{FileLocation, LOG_TAKEN, OutputConfig};

/// How many links are followed that lead nowhere yet: as many as Linux follows.
const LINKS: u8 = 40;

/// What may stand at a path that a report is to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathKind {
    Nothing,
    RegularFile,
    /// A pipe, a device: can't be replaced, only written to, once.
    Stream,
    Directory,
}

/// What no report may be written to, whatever path leads there.
#[derive(Debug, Default)]
pub(super) struct PathGuard {
    log: Vec<FileId>,
    /// The CI's own files, those that are read, and the program; and what is wrong with a report there.
    taken: Vec<(FileId, String)>,
    workspaces: Vec<PathBuf>,
}

impl PathGuard {
    pub(super) fn new(output_config: &OutputConfig) -> PathGuard {
        let log = [FileId::of_handle(&io::stdout()), FileId::of_handle(&io::stderr())];
        let others = output_config.others.iter().filter_map(|other| {
            Some((FileId::of_path(&other.place.path)?, format!("this path is {}; another one is needed", other.by)))
        });
        // The next gate would be the report: a shell runs its lines, and ends with 0.
        let program = std::env::current_exe().ok().and_then(|path| FileId::of_path(&path));
        let program = program.map(|id| (id, "this path is the gate's own program; another one is needed".to_owned()));
        let mut workspaces: Vec<PathBuf> = output_config.workspaces.iter().filter_map(|path| folder(path)).collect();
        if workspaces.is_empty() {
            workspaces.extend(output_config.working_folder.as_deref().and_then(folder));
        }
        PathGuard { log: log.into_iter().flatten().collect(), taken: others.chain(program).collect(), workspaces }
    }

    /// Refuses a path that leads where no report may go.
    pub(super) fn admit(&self, path: &Path) -> Result<(), WriteError> {
        let id = FileId::of_path(path);
        if is_null_id(id.as_ref()) {
            return Ok(());
        }
        self.admit_id(id)?;
        match self.workspaces.iter().find_map(|workspace| Some((way_out(path, workspace)?, workspace))) {
            None => Ok(()),
            Some((link, workspace)) => Err(WriteError::Refused(format!(
                "the link {} leads out of the workspace {}; remove it, or name the file that it leads to",
                link.display(),
                workspace.display()
            ))),
        }
    }

    /// The same of a file that the CI offers, of which there may be one and no other: text in it would be read as commands if
    /// it were the log, and nobody would read it later if it were a pipe.
    pub(super) fn admit_shared(&self, file: &File) -> Result<(), WriteError> {
        self.admit_shared_id(FileId::of_handle(file), file.metadata().is_ok_and(|found| !found.is_file()))
    }

    /// The same before it is opened.
    pub(super) fn admit_shared_path(&self, path: &Path) -> Result<(), WriteError> {
        self.admit_shared_id(FileId::of_path(path), path_kind(path) == PathKind::Stream)
    }

    fn admit_shared_id(&self, id: Option<FileId>, is_stream: bool) -> Result<(), WriteError> {
        if is_null_id(id.as_ref()) {
            return Ok(());
        }
        self.admit_no_log(id.as_ref())?;
        if is_stream { Err(WriteError::Refused("this path is not a regular file".to_owned())) } else { Ok(()) }
    }

    /// The same of what was opened: since the path was looked at, it may lead elsewhere.
    pub(super) fn admit_open(&self, file: &File) -> Result<(), WriteError> {
        self.admit_id(FileId::of_handle(file))
    }

    fn admit_id(&self, id: Option<FileId>) -> Result<(), WriteError> {
        if is_null_id(id.as_ref()) {
            return Ok(());
        }
        self.admit_no_log(id.as_ref())?;
        let taken = self.taken.iter().find(|(other, _)| id.as_ref() == Some(other));
        taken.map_or(Ok(()), |(_, what)| Err(WriteError::Refused(what.clone())))
    }

    fn admit_no_log(&self, id: Option<&FileId>) -> Result<(), WriteError> {
        let is_log = self.log.iter().any(|log| id == Some(log));
        if is_log { Err(WriteError::Refused(LOG_TAKEN.to_owned())) } else { Ok(()) }
    }

    /// Where a report goes that is not in the workspace.
    pub(super) fn outside(&self, path: &Path) -> Option<PathBuf> {
        let end = end(path, LINKS);
        let is_file = path_kind(path) != PathKind::Stream && !is_null(path);
        let is_inside = self.workspaces.iter().any(|workspace| end.starts_with(workspace));
        (is_file && !self.workspaces.is_empty() && !is_inside).then_some(end)
    }
}

/// The folder without links. The root is no workspace: nothing leads out of it.
fn folder(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().filter(|path| path.is_dir() && path.parent().is_some())
}

/// Swallows everything: as good as no report.
const NULL: &str = "/dev/null";

fn is_null(path: &Path) -> bool {
    is_null_id(FileId::of_path(path).as_ref())
}

fn is_null_id(id: Option<&FileId>) -> bool {
    id.is_some() && id == FileId::of_path(Path::new(NULL)).as_ref()
}

/// The first link in the workspace, which is a path without links, that leads out of it.
fn way_out(path: &Path, workspace: &Path) -> Option<PathBuf> {
    let mut here = if path.is_absolute() { PathBuf::new() } else { end(Path::new("."), LINKS) };
    for part in path.components() {
        match part {
            Component::Prefix(_) | Component::RootDir => here.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                here.pop();
            }
            Component::Normal(name) => {
                let next = here.join(name);
                let to = end(&next, LINKS);
                let is_link = fs::symlink_metadata(&next).is_ok_and(|found| found.is_symlink());
                if is_link && here.starts_with(workspace) && !to.starts_with(workspace) {
                    return Some(next);
                }
                here = to;
            }
        }
    }
    None
}

/// What stands at `path`, links followed.
pub(super) fn path_kind(path: &Path) -> PathKind {
    match fs::metadata(path) {
        // `/dev/fd/5` may lead to a file that has no name any more, or none that is known here: nothing can replace it.
        Ok(found) if found.is_file() && FileId::of_path(path) == FileId::of_path(&end(path, LINKS)) => {
            PathKind::RegularFile
        }
        Ok(found) if found.is_dir() => PathKind::Directory,
        Ok(_) => PathKind::Stream,
        // A link that leads nowhere is something to write through; what else can't be looked at fails when written.
        Err(_) => PathKind::Nothing,
    }
}

/// `None` for a pipe or a device: nothing is lost in it that would stay.
pub(super) fn place(path: &Path) -> Option<FileLocation> {
    match path_kind(path) {
        PathKind::Stream => None,
        PathKind::RegularFile | PathKind::Directory | PathKind::Nothing => {
            Some(FileLocation { path: end(path, LINKS), file: several_names(path) })
        }
    }
}

/// Where `path` leads in the end.
pub(super) fn destination(path: &Path) -> PathBuf {
    end(path, LINKS)
}

/// The path without links, also where nothing stands yet: once one report is written, a link may lead to it.
fn end(path: &Path, links: u8) -> PathBuf {
    if let Ok(end) = fs::canonicalize(path) {
        return end;
    }
    let folder = || match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    if links > 0
        && let Ok(to) = fs::read_link(path)
    {
        return end(&folder().join(to), links - 1);
    }
    match path.components().next_back() {
        Some(Component::Normal(name)) => end(folder(), links).join(name),
        Some(Component::ParentDir) => {
            let mut above = end(folder(), links);
            above.pop();
            above
        }
        Some(Component::CurDir | Component::RootDir | Component::Prefix(_)) | None => path.to_owned(),
    }
}

/// A file that is overwritten in place is so under all its names.
#[cfg(unix)]
fn several_names(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    // Some file systems number their files badly. A file of one name needs no number.
    let found = fs::metadata(path).ok().filter(|found| found.is_file() && found.nlink() > 1)?;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn several_names(_path: &Path) -> Option<(u64, u64)> {
    None
}
