//! Files and pipes that a story finds or leaves.

use std::fs::{self, File};
use std::path::Path;

/// What stands in a file, bad UTF-8 replaced; nothing if there is no such file.
pub fn read(path: &Path) -> Option<String> {
    path.is_file().then(|| fs::read(path).ok())?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[expect(clippy::disallowed_methods, reason = "what stands there before the gate starts")]
pub fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("it can be written");
}

#[expect(clippy::disallowed_methods, reason = "what stands there before the gate starts")]
pub fn make_folder(path: &Path) {
    fs::create_dir_all(path).expect("it can be made");
}

/// A file where a folder was.
pub fn replace_by_a_file(folder: &Path) {
    fs::remove_dir_all(folder).expect("a folder");
    write(folder, "");
}

#[expect(clippy::disallowed_methods, reason = "a shell's redirection")]
pub(super) fn append_to(path: &Path) -> File {
    File::options().append(true).create(true).open(path).expect("it can be written")
}
