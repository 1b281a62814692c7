//! The files of this repository, for the tests that hold pages, workflows, packages and code to each other.

pub mod markdown;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no text of ours.
const NOT_OURS: [&str; 5] = ["target", ".git", ".rumdl_cache", "node_modules", "golden"];

pub fn path(name: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[track_caller]
pub fn text(name: impl AsRef<Path>) -> String {
    let name = name.as_ref();
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("read {}: {error}", name.display()))
}

/// The names of the files in a folder.
#[track_caller]
pub fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(path(folder)).unwrap_or_else(|error| panic!("read {folder}: {error}"));
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
}

/// Every file below a folder that is ours, by its path from the root.
pub fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in names(folder).into_iter().filter(|name| !NOT_OURS.contains(&name.as_str())) {
        let file = format!("{folder}/{name}").trim_start_matches('/').to_owned();
        let path = path(&file);
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&file));
        } else if path.is_file() {
            found.push(file);
        }
    }
    found
}

/// Every Rust file below these folders, with its text.
pub fn rust_files(folders: &[&str]) -> Vec<(String, String)> {
    let files = folders.iter().flat_map(|folder| files(folder)).filter(|name| name.ends_with(".rs"));
    files.map(|name| (name.clone(), text(name))).collect()
}

/// The names of all tests: the functions behind `#[test]` and `#[tokio::test]`.
pub fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, text) in rust_files(&["src", "tests"]) {
        for attribute in ["#[test]\n", "#[tokio::test"] {
            let functions = text.split(attribute).skip(1).filter_map(|rest| rest.split_once("fn "));
            found.extend(functions.filter_map(|(_, name)| Some(name.split_once('(')?.0.to_owned())));
        }
    }
    found
}

/// What stands in a page between `<!-- NAME -->` and `<!-- /NAME -->`.
#[track_caller]
pub fn part(page: &str, name: &str) -> String {
    let text = text(page);
    let rest = text.split_once(&format!("<!-- {name} -->")).map(|(_, rest)| rest);
    let part = rest.and_then(|rest| rest.split_once(&format!("<!-- /{name} -->")));
    part.unwrap_or_else(|| panic!("{page} has no part {name}")).0.trim().to_owned()
}

/// The rows of a table in such a part, without its head; the cells without backquotes.
#[track_caller]
pub fn table(page: &str, name: &str) -> Vec<Vec<String>> {
    let cell = |cell: &str| cell.trim().trim_matches('`').to_owned();
    let row = |line: &str| line.trim().trim_matches('|').split('|').map(cell).collect();
    part(page, name).lines().skip(2).map(row).collect()
}

/// What stands between backquotes.
pub fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
