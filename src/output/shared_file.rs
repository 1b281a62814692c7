//! Writing a file that the CI reads and others write to as well: opened early, only ever appended to. The one thing that is
//! taken back is what the gate wrote there first.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::file_id::FileId;
use super::report_file;

/// A file of the CI's.
pub(super) struct SharedFile {
    path: PathBuf,
    file: File,
    first: FirstVersion,
}

/// What becomes of the first version.
enum FirstVersion {
    /// The last record of a name wins.
    Stays,
    /// The last version is written over it, while it is the end of the file: where it begins, and what it says.
    TakenBack(Option<(u64, Vec<u8>)>),
}

impl SharedFile {
    /// A file in which the last record of a name wins.
    pub(super) fn of_records(path: &Path) -> io::Result<SharedFile> {
        SharedFile::open(path, OpenOptions::new().append(true), FirstVersion::Stays)
    }

    /// A page on which all that is written is shown.
    pub(super) fn of_text(path: &Path) -> io::Result<SharedFile> {
        // Appending can't overwrite anything.
        SharedFile::open(path, OpenOptions::new().write(true), FirstVersion::TakenBack(None))
    }

    fn open(path: &Path, how: &mut OpenOptions, first: FirstVersion) -> io::Result<SharedFile> {
        let file = report_file::open(how.read(true).create(true), path)?;
        Ok(SharedFile { path: path.to_owned(), file, first })
    }

    pub(super) fn id(&self) -> Option<FileId> {
        FileId::of_handle(&self.file)
    }

    /// Writes `text`, on a line of its own even if an earlier writer left its last line open. If that fails, the file is as
    /// it was before.
    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        if self.is_stream() {
            return self.file.write_all(text.as_bytes());
        }
        let length = self.file.seek(SeekFrom::End(0))?;
        let (start, old) = match &self.first {
            FirstVersion::TakenBack(Some(first)) if self.ends_with(first, length)? => first.clone(),
            FirstVersion::TakenBack(_) | FirstVersion::Stays => (length, Vec::new()),
        };
        let mut bytes = Vec::with_capacity(text.len() + 1);
        if start > 0 && self.read_at(start - 1, 1)? != b"\n" {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(text.as_bytes());
        let written = self.file.seek(SeekFrom::Start(start)).and_then(|_| self.file.write_all(&bytes));
        if let Err(error) = written {
            // A record that is cut off would fail the step that wrote it. What is put back had its space before.
            let _restored = self.file.seek(SeekFrom::Start(start)).and_then(|_| self.file.write_all(&old));
            let _cut = self.file.set_len(start + old.len() as u64);
            return Err(error);
        }
        if let FirstVersion::TakenBack(first) = &mut self.first {
            // Only now is the rest cut off: a death in between leaves one version or the other.
            let end = start + bytes.len() as u64;
            if bytes.len() < old.len() {
                self.file.set_len(end)?;
            }
            *first = Some((start, bytes));
        }
        if self.is_at_its_path(start, text)? {
            Ok(())
        } else {
            Err(io::Error::other("another file has taken its place"))
        }
    }

    /// Whether a reader finds the text: while the gate waited, another file may have come to stand there. By what it holds,
    /// because some file systems number their files badly.
    fn is_at_its_path(&self, start: u64, text: &str) -> io::Result<bool> {
        let Ok(mut file) = report_file::open(OpenOptions::new().read(true), &self.path) else { return Ok(false) };
        file.seek(SeekFrom::Start(start))?;
        let mut there = Vec::new();
        file.read_to_end(&mut there)?;
        Ok(String::from_utf8_lossy(&there).contains(text))
    }

    /// Whether it keeps nothing: a pipe or a device.
    pub(super) fn is_stream(&self) -> bool {
        self.file.metadata().is_ok_and(|found| !found.is_file())
    }

    fn ends_with(&self, (start, text): &(u64, Vec<u8>), length: u64) -> io::Result<bool> {
        Ok(length == start + text.len() as u64 && self.read_at(*start, text.len())? == *text)
    }

    fn read_at(&self, start: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(start))?;
        let mut there = vec![0; length];
        file.read_exact(&mut there)?;
        Ok(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).expect("a file")
    }

    fn append(path: &Path, text: &str) {
        SharedFile::of_records(path).expect("opened").write(text).expect("written");
    }

    #[test]
    fn appending_starts_on_a_line_of_its_own_and_keeps_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("output");
        let mut file = SharedFile::of_records(&path).expect("opened");
        file.write("a=1\n").expect("written");
        append(&path, "b=2");
        file.write("c=3\n").expect("written");
        assert_eq!(read(&path), "a=1\nb=2\nc=3\n");
        assert!(SharedFile::of_records(folder.path()).is_err());
    }

    #[test]
    fn the_first_version_of_a_page_is_taken_back_while_it_is_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        for before in ["", "# other\n", "# no line break"] {
            for last in ["the result\n", "r\n"] {
                let path = folder.path().join("page");
                append(&path, before);
                let mut page = SharedFile::of_text(&path).expect("opened");
                page.write("killed?\n\n").expect("written");
                let gap = if before.ends_with('k') { "\n" } else { "" };
                assert_eq!(read(&path), format!("{before}{gap}killed?\n\n"));
                page.write(last).expect("written");
                assert_eq!(read(&path), format!("{before}{gap}{last}"));
                page.write("with logs\n").expect("written");
                assert_eq!(read(&path), format!("{before}{gap}with logs\n"));
                std::fs::remove_file(path).expect("removed");
            }
        }
    }

    #[test]
    fn what_others_wrote_behind_it_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("page");
        for other in ["theirs\n", "theirs"] {
            let mut page = SharedFile::of_text(&path).expect("opened");
            page.write("killed?\n").expect("written");
            append(&path, other);
            page.write("the result\n").expect("written");
            assert_eq!(read(&path), "killed?\ntheirs\nthe result\n");
            std::fs::remove_file(&path).expect("removed");
        }
        // Or somebody made it anew.
        let mut page = SharedFile::of_text(&path).expect("opened");
        page.write("killed?\n").expect("written");
        append(&path, "x");
        report_file::open(OpenOptions::new().write(true), &path).and_then(|file| file.set_len(1)).expect("cut");
        page.write("the result\n").expect("written");
        assert_eq!(read(&path), "k\nthe result\n");
    }
}
