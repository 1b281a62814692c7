//! Where paths lead, so that no report is written over another file under a second name.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::Delivery;
use super::file::{Standing, standing};
use crate::plan::{Collision, Place};

/// How many links are followed that lead nowhere yet: as many as Linux follows.
const LINKS: u8 = 40;

impl Delivery {
    /// The reports that would be written over something else. Only looks.
    pub fn collisions(&self) -> Vec<Collision> {
        self.outlet.collisions(place)
    }
}

/// `None` for a pipe or a device: nothing is lost in it that would stay.
fn place(path: &Path) -> Option<Place> {
    match standing(path) {
        Standing::Stream => None,
        Standing::RegularFile | Standing::Directory | Standing::Nothing => {
            Some(Place { path: end(path, LINKS), file: several_names(path) })
        }
    }
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
