//! Where paths lead: no report goes over another file under a second name, into the log, or through a link out of the
//! workspace.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

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
    /// Swallows everything: as good as no report, wherever else it may be in use.
    null: Option<FileId>,
    log: Vec<FileId>,
    /// The CI's own files, those that are read, and the program; and what is wrong with a report there.
    taken: Vec<(FileId, String)>,
    workspaces: Vec<PathBuf>,
}

impl PathGuard {
    pub(super) fn new(output_config: &OutputConfig) -> PathGuard {
        let log = [FileId::of_handle(&io::stdout()), FileId::of_handle(&io::stderr())];
        let others = output_config.others.iter().map(|other| (other.place.path.clone(), other.by.as_str()));
        // The next gate would be the report: a shell runs its lines, and ends with 0.
        let program = std::env::current_exe().ok().map(|path| (path, "the gate's own program"));
        let taken = others.chain(program).filter_map(|(path, by)| {
            Some((FileId::of_path(&path)?, format!("this path is {by}; another one is needed")))
        });
        let null = FileId::of_path(Path::new("/dev/null"));
        let keeps = |id: &FileId| Some(id) != null.as_ref();
        let mut workspaces: Vec<PathBuf> = output_config.workspaces.iter().filter_map(|path| folder(path)).collect();
        if workspaces.is_empty() {
            workspaces.extend(output_config.working_folder.as_deref().and_then(folder));
        }
        PathGuard {
            log: log.into_iter().flatten().filter(keeps).collect(),
            taken: taken.filter(|(id, _)| keeps(id)).collect(),
            null,
            workspaces,
        }
    }

    /// Refuses a path that leads where no report may go.
    pub(super) fn admit(&self, path: &Path) -> Result<(), WriteError> {
        let id = FileId::of_path(path);
        if id.is_some() && id == self.null {
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

    /// Refuses what was opened: since the path was looked at, it may lead elsewhere.
    pub(super) fn admit_open(&self, file: &File) -> Result<(), WriteError> {
        self.admit_id(FileId::of_handle(file))
    }

    fn admit_id(&self, id: Option<FileId>) -> Result<(), WriteError> {
        self.admit_no_log(id.as_ref())?;
        let taken = self.taken.iter().find(|(other, _)| id.as_ref() == Some(other));
        taken.map_or(Ok(()), |(_, what)| Err(WriteError::Refused(what.clone())))
    }

    fn admit_no_log(&self, id: Option<&FileId>) -> Result<(), WriteError> {
        let is_log = self.log.iter().any(|log| id == Some(log));
        if is_log { Err(WriteError::Refused(LOG_TAKEN.to_owned())) } else { Ok(()) }
    }

    /// The same of a file that the CI offers, of which there may be one and no other: text in it would be read as commands if
    /// it were the log, and nobody would read it later if it were a pipe.
    pub(super) fn admit_shared(&self, id: Option<FileId>, is_stream: bool) -> Result<(), WriteError> {
        self.admit_no_log(id.as_ref())?;
        if is_stream && (id.is_none() || id != self.null) {
            return Err(WriteError::Refused("this path is not a regular file".to_owned()));
        }
        Ok(())
    }

    /// Where a report goes that is not in the workspace.
    pub(super) fn outside(&self, path: &Path) -> Option<PathBuf> {
        let end = end(path);
        let is_inside = self.workspaces.iter().any(|workspace| end.starts_with(workspace));
        (path_kind(path) != PathKind::Stream && !self.workspaces.is_empty() && !is_inside).then_some(end)
    }
}

/// The folder without links. The root is no workspace: nothing leads out of it.
fn folder(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().filter(|path| path.is_dir() && path.parent().is_some())
}

/// The link in the workspace, which is a path without links, by which `path` leads out of it.
fn way_out(path: &Path, workspace: &Path) -> Option<PathBuf> {
    let whole = end(Path::new(".")).join(path);
    let mut steps = whole.ancestors().filter_map(|step| Some(end(step.parent()?).join(step.file_name()?)));
    steps.find(|step| step.is_symlink() && step.starts_with(workspace) && !end(step).starts_with(workspace))
}

/// What stands at `path`, links followed.
pub(super) fn path_kind(path: &Path) -> PathKind {
    match fs::metadata(path) {
        // `/dev/fd/5` may lead to a file that has no name any more, or none that is known here: nothing can replace it.
        Ok(found) if found.is_file() && FileId::of_path(path) == FileId::of_path(&end(path)) => PathKind::RegularFile,
        Ok(found) if found.is_dir() => PathKind::Directory,
        Ok(_) => PathKind::Stream,
        // A link that leads nowhere is something to write through; what else can't be looked at fails when written.
        Err(_) => PathKind::Nothing,
    }
}

/// `None` for a pipe or a device: nothing is lost in it that would stay.
pub(super) fn place(path: &Path) -> Option<FileLocation> {
    let keeps = path_kind(path) != PathKind::Stream;
    keeps.then(|| FileLocation { path: end(path), file: several_names(path) })
}

/// The path without links, also where nothing stands yet: once one report is written, a link may lead to it.
pub(super) fn end(path: &Path) -> PathBuf {
    end_within(path, LINKS)
}

fn end_within(path: &Path, links: u8) -> PathBuf {
    if let Ok(end) = fs::canonicalize(path) {
        return end;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if links > 0
        && let Ok(to) = fs::read_link(path)
    {
        return end_within(&folder.join(to), links - 1);
    }
    match path.file_name() {
        Some(name) => end_within(folder, links).join(name),
        None if path.ends_with("..") => {
            let mut above = end_within(folder, links);
            above.pop();
            above
        }
        None => path.to_owned(),
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
