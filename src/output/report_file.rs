//! Writing one report file: opened before the first request, when what an earlier job left is taken away; then replaced
//! as a whole, so that a reader, or a `kill -9`, finds one version or the other and never half of one.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::WriteError;
use super::path_guard::{PathGuard, PathKind, end, path_kind};

/// One of our own files.
pub(super) struct ReportFile {
    /// As it was named.
    path: PathBuf,
    /// Where that leads: a link stays, and its end is replaced.
    end: PathBuf,
    way: WriteMode,
    guard: Arc<PathGuard>,
}

/// How it is written.
enum WriteMode {
    /// A new file takes its place, with the mode of the one that stood there: others may read reports by a mode that
    /// somebody set.
    Replaced(Option<Permissions>),
    /// Where no file can be replaced (a mount of this one file, a folder that may not be changed): the file itself, and
    /// the version that it holds.
    InPlace(File, Vec<u8>),
    /// A pipe, a device: keeps nothing.
    Stream,
}

impl ReportFile {
    /// Looks at what stands at `path`, and takes it away: a gate that is killed later must not leave an old pass.
    pub(super) fn open(path: &Path, guard: &Arc<PathGuard>) -> Result<ReportFile, WriteError> {
        guard.admit(path)?;
        let end = end(path);
        let way = match path_kind(path) {
            PathKind::Nothing => WriteMode::Replaced(None),
            PathKind::Stream => WriteMode::Stream,
            PathKind::Directory => return Err(WriteError::OldReportStays(io::ErrorKind::IsADirectory.into())),
            PathKind::RegularFile => clear(&end, guard)?,
        };
        Ok(ReportFile { path: path.to_owned(), end, way, guard: Arc::clone(guard) })
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(self.way, WriteMode::Stream)
    }

    pub(super) fn is_in_place(&self) -> bool {
        matches!(self.way, WriteMode::InPlace(..))
    }

    /// Puts a text there, whose pieces may take their time, and makes missing folders. If that fails, the version before stays
    /// as it was.
    pub(super) fn write(&mut self, pieces: impl IntoIterator<Item = impl AsRef<str>>) -> Result<(), WriteError> {
        // While the gate waited, the path may have come to lead elsewhere, or a folder on the way have become a link.
        let admit = || self.guard.admit(&self.path).and_then(|()| self.guard.admit(&self.end));
        match &mut self.way {
            WriteMode::Replaced(mode) => {
                admit()?;
                make_folder(&self.end)?;
                let new = NewFile::beside(&self.end)?;
                write_each(&new.file, pieces)?;
                admit()?;
                if let Some(mode) = mode {
                    // Not being able to keep it is no reason to fail.
                    let _kept = new.file.set_permissions(mode.clone());
                }
                rename(&new.path, &self.end)?;
            }
            WriteMode::InPlace(file, before) => {
                let bytes = pieces.into_iter().fold(String::new(), |text, piece| text + piece.as_ref()).into_bytes();
                admit()?;
                if let Err(error) = overwrite(file, &bytes) {
                    // Its space was there before. If even this fails, the warning is all that is left.
                    let _restored = overwrite(file, before);
                    return Err(error.into());
                }
                *before = bytes;
            }
            WriteMode::Stream => {
                let pieces: Vec<_> = pieces.into_iter().collect();
                admit()?;
                let stream = open(OpenOptions::new().append(true), &self.path)?;
                self.guard.admit_open(&stream)?;
                write_each(&stream, pieces)?;
            }
        }
        Ok(())
    }
}

/// A file that is to take another one's place. What is not in its place when this is dropped, is removed.
struct NewFile {
    file: File,
    path: PathBuf,
}

impl NewFile {
    /// In the same folder, so that putting it in place is one step of the file system.
    fn beside(path: &Path) -> io::Result<NewFile> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
        // Long names are cut: the file system's limit counts the addition too.
        let name: String = name.chars().take(40).collect();
        let path = path.with_file_name(format!(".{name}.{}.partial", super::random_token()));
        Ok(NewFile { file: open(OpenOptions::new().write(true).create_new(true), &path)?, path })
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.path);
    }
}

/// Takes away what an earlier job left; where it can't be removed, empties it.
fn clear(end: &Path, guard: &PathGuard) -> Result<WriteMode, WriteError> {
    let mode = fs::metadata(end).ok().map(|found| found.permissions());
    if fs::remove_file(end).is_ok() {
        return Ok(WriteMode::Replaced(mode));
    }
    let file = open(OpenOptions::new().write(true), end).map_err(WriteError::OldReportStays)?;
    guard.admit_open(&file)?;
    file.set_len(0).map_err(WriteError::OldReportStays)?;
    Ok(WriteMode::InPlace(file, Vec::new()))
}

fn write_each(file: &File, pieces: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    pieces.into_iter().try_for_each(|piece| file.write_all(piece.as_ref().as_bytes()))?;
    file.flush()
}

/// Over what stands there, and only then the rest is cut off.
fn overwrite(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)
}

/// Whether a file could be written here; nothing that stands there is changed.
pub(super) fn try_file(path: &Path) -> io::Result<()> {
    match path_kind(path) {
        // Opening one may wait for its reader.
        PathKind::Stream => Ok(()),
        PathKind::Directory => Err(io::ErrorKind::IsADirectory.into()),
        PathKind::RegularFile => open(OpenOptions::new().append(true), path).map(drop),
        PathKind::Nothing => try_folder(path.parent().unwrap_or(Path::new(""))),
    }
}

/// Whether a file could be made in this folder, or in it once it is made.
pub(super) fn try_folder(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|there| path_kind(there) != PathKind::Nothing).unwrap_or(Path::new("."));
    if path_kind(there) != PathKind::Directory {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let trial = NewFile::beside(&there.join("trial"))?;
    fs::remove_file(&trial.path)
}

#[expect(clippy::disallowed_methods, reason = "the writer of files")]
pub(super) fn open(how: &OpenOptions, path: &Path) -> io::Result<File> {
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

    fn replace(path: &Path, text: &str) {
        let mut file = ReportFile::open(path, &Arc::default()).expect("opened");
        file.write([text]).expect("written");
    }

    #[test]
    fn missing_folders_are_made_and_nothing_is_left_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/report.json");
        replace(&path, "one");
        replace(&path, "two");
        assert_eq!(read(&path), "two");
        let here: Vec<_> = fs::read_dir(path.parent().expect("a folder")).expect("a folder").collect();
        assert_eq!(here.len(), 1);
    }

    #[test]
    fn an_old_report_is_gone_before_anything_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        replace(&path, "passed");
        let _opened = ReportFile::open(&path, &Arc::default()).expect("opened");
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_its_end_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        replace(&real, "old");
        std::os::unix::fs::symlink(&real, &link).expect("a link");
        replace(&link, "new");
        assert_eq!(read(&real), "new");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn a_mode_that_somebody_set_is_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report");
        replace(&path, "old");
        for mode in [0o604, 0o444, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
            let mut file = ReportFile::open(&path, &Arc::default()).expect("opened");
            for version in ["first", "last"] {
                file.write([version]).expect("written");
                assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, mode, "{version}");
            }
        }
    }

    #[test]
    fn what_can_not_be_replaced_is_overwritten_and_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report");
        replace(&path, "a long text that stood there");
        let file = open(OpenOptions::new().write(true), &path).expect("a file");
        let way = WriteMode::InPlace(file, Vec::new());
        let mut file =
            ReportFile { way, ..ReportFile::open(&folder.path().join("x"), &Arc::default()).expect("opened") };
        file.write(["short"]).expect("written");
        assert_eq!(read(&path), "short");
    }

    #[test]
    fn a_directory_is_not_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(ReportFile::open(folder.path(), &Arc::default()), Err(WriteError::OldReportStays(_))));
    }
}
