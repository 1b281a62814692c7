//! Writing one file: ours are replaced whole, the CI's are only ever appended to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What may stand at a path that a report is to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Nothing,
    RegularFile,
    /// A pipe, a device: can't be replaced, only written to, once.
    Stream,
    Directory,
}

/// What stands at `path`, links followed.
pub(super) fn standing(path: &Path) -> Standing {
    // `/dev/stdout` leads to whatever stdout is, and a file that others write to can't be replaced under their hands.
    if ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|handle| path.starts_with(handle)) {
        return Standing::Stream;
    }
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Standing::RegularFile,
        Ok(found) if found.is_dir() => Standing::Directory,
        Ok(_) => Standing::Stream,
        // A link that leads nowhere is something to write through; what else can't be looked at fails when written.
        Err(_) => Standing::Nothing,
    }
}

/// Puts `bytes` at `path`, making missing folders. A reader, or a `kill -9`, finds the old content or the new, never half.
///
/// Where no file can be made beside it, an existing file is overwritten in place: better torn for a moment than stale.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match standing(path) {
        Standing::Stream => return open(OpenOptions::new().append(true), path)?.write_all(bytes),
        Standing::Directory => return Err(io::ErrorKind::IsADirectory.into()),
        Standing::RegularFile | Standing::Nothing => {}
    }
    let path = &followed(path);
    make_folder(path)?;
    let beside = beside(path)?;
    let made = write_new(&beside, bytes).and_then(|()| {
        if let Ok(before) = fs::metadata(path) {
            // Others may read reports by a mode that somebody has set; not being able to keep it is no reason to fail.
            let _kept = fs::set_permissions(&beside, before.permissions());
        }
        rename(&beside, path)
    });
    made.or_else(|error| {
        let _gone = fs::remove_file(&beside);
        match standing(path) {
            Standing::RegularFile => open(OpenOptions::new().write(true).truncate(true), path)?.write_all(bytes),
            Standing::Nothing | Standing::Stream | Standing::Directory => Err(error),
        }
    })
}

/// Appends `bytes` to a file of the CI's, on a line of their own even if an earlier writer left its last line open.
pub(super) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = open(OpenOptions::new().read(true).append(true).create(true), path)?;
    let mut whole = Vec::with_capacity(bytes.len() + 1);
    if !ends_a_line(&mut file)? {
        whole.push(b'\n');
    }
    whole.extend_from_slice(bytes);
    // One write, so that a reader or another writer never sees half of it.
    file.write_all(&whole)?;
    file.flush()
}

/// Whether a file could be written here; nothing that stands there is changed.
pub(super) fn try_file(path: &Path) -> io::Result<()> {
    match standing(path) {
        // Opening one may wait for its reader.
        Standing::Stream => Ok(()),
        Standing::Directory => Err(io::ErrorKind::IsADirectory.into()),
        Standing::RegularFile => open(OpenOptions::new().append(true), path).map(drop),
        Standing::Nothing => try_folder(path.parent().unwrap_or(Path::new(""))),
    }
}

/// Whether a file could be made in this folder, or in it once it is made.
pub(super) fn try_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match standing(folder) {
        Standing::Stream | Standing::RegularFile => Err(io::ErrorKind::NotADirectory.into()),
        Standing::Nothing => match folder.parent() {
            Some(parent) => try_folder(parent),
            None => Err(io::ErrorKind::NotFound.into()),
        },
        Standing::Directory => {
            let trial = beside(&folder.join("trial"))?;
            open(OpenOptions::new().write(true).create_new(true), &trial)?;
            fs::remove_file(trial)
        }
    }
}

/// A fresh file for streaming into, to be put in place by [`put_in_place`].
pub(super) fn stream_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let path = followed(path);
    make_folder(&path)?;
    let beside = beside(&path)?;
    Ok((open(OpenOptions::new().write(true).create_new(true), &beside)?, beside))
}

pub(super) fn put_in_place(beside: &Path, path: &Path) -> io::Result<()> {
    rename(beside, &followed(path))
}

/// Where a link leads, so that the link stays and its end is replaced.
fn followed(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if !file.metadata()?.is_file() || file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// A name in the same folder, so that putting it in place is one step of the file system.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
    // Long names are cut: the file system's limit counts the addition too.
    let name: String = name.chars().take(40).collect();
    Ok(path.with_file_name(format!(".{name}.{}.partial", super::random_token())))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = open(OpenOptions::new().write(true).create_new(true), path)?;
    file.write_all(bytes)?;
    file.flush()
}

#[expect(clippy::disallowed_methods, reason = "the writer of files")]
fn open(how: &OpenOptions, path: &Path) -> io::Result<File> {
    how.open(path)
}

#[expect(clippy::disallowed_methods, reason = "the writer of files")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

#[expect(clippy::disallowed_methods, reason = "the writer of files")]
fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        fs::read_to_string(path).expect("a file")
    }

    #[test]
    fn missing_folders_are_made_and_nothing_is_left_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/report.json");
        replace(&path, b"one").expect("written");
        replace(&path, b"two").expect("replaced");
        assert_eq!(read(&path), "two");
        let here: Vec<_> = fs::read_dir(path.parent().expect("a folder")).expect("a folder").collect();
        assert_eq!(here.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_its_end_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        replace(&real, b"old").expect("written");
        std::os::unix::fs::symlink(&real, &link).expect("a link");
        replace(&link, b"new").expect("written");
        assert_eq!(read(&real), "new");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn a_mode_that_somebody_set_is_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report");
        replace(&path, b"old").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).expect("set");
        replace(&path, b"new").expect("written");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o604);
    }

    #[test]
    fn appending_starts_on_a_line_of_its_own_and_keeps_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("output");
        append(&path, b"a=1\n").expect("written");
        append(&path, b"b=2").expect("written");
        append(&path, b"c=3\n").expect("written");
        assert_eq!(read(&path), "a=1\nb=2\nc=3\n");
    }

    #[test]
    fn a_directory_is_not_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(replace(folder.path(), b"x").is_err());
        assert!(append(folder.path(), b"x").is_err());
    }
}
