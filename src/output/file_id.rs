//! Which file something is, whatever path or handle leads to it: by device and inode, or by what Windows has for those.

use std::path::Path;

/// A file, a pipe or a device.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileId(Id);

#[cfg(unix)]
type Id = (u64, u64);
#[cfg(windows)]
type Id = same_file::Handle;

#[cfg(unix)]
impl FileId {
    /// What `path` leads to; `None` if it leads nowhere, or its file system does not number its files.
    pub(super) fn of_path(path: &Path) -> Option<FileId> {
        FileId::of(&std::fs::metadata(path).ok()?)
    }

    /// What is open.
    pub(super) fn of_handle(handle: &impl std::os::fd::AsFd) -> Option<FileId> {
        let file = std::fs::File::from(handle.as_fd().try_clone_to_owned().ok()?);
        FileId::of(&file.metadata().ok()?)
    }

    fn of(found: &std::fs::Metadata) -> Option<FileId> {
        use std::os::unix::fs::MetadataExt;
        (found.ino() != 0).then(|| FileId((found.dev(), found.ino())))
    }
}

#[cfg(windows)]
impl FileId {
    /// What `path` leads to; `None` if it leads nowhere.
    pub(super) fn of_path(path: &Path) -> Option<FileId> {
        same_file::Handle::from_path(path).ok().map(FileId)
    }

    /// What is open.
    pub(super) fn of_handle(handle: &impl std::os::windows::io::AsHandle) -> Option<FileId> {
        let file = std::fs::File::from(handle.as_handle().try_clone_to_owned().ok()?);
        same_file::Handle::from_file(file).ok().map(FileId)
    }
}
