//! docs/reference.md, section by section, with the tests that hold each promise.
//!
//! An input, a verdict, an output or a section that is added must be added here with its test. A test that was renamed or
//! removed is reported.

mod answers;
mod delivery;
mod index;
mod names;
mod network;
mod sources;
mod waits;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use maestro_gate::core::Verdict;
use maestro_gate::inputs::ROWS;

use answers::ANSWERS;
use delivery::DELIVERY;
use index::RULES;
use names::{INPUTS, Line, OUTPUTS, VERDICTS};
use network::NETWORK;
use sources::SOURCES;
use waits::WAITS;

use super::pages::headings;

/// The names of all tests: functions behind `#[test]` or its like.
pub fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open: Vec<PathBuf> = ["src", "tests"].iter().map(|folder| root.join(folder)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).expect("source is UTF-8");
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                let name = line
                    .trim_start_matches("async ")
                    .strip_prefix("fn ")
                    .and_then(|rest| rest.split(['(', '<']).next());
                match name {
                    Some(name) if is_test => drop(found.insert(name.to_owned())),
                    _ => is_test = is_test && line.starts_with('#'),
                }
                is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
                is_test &= name.is_none();
            }
        }
    }
    found
}

fn names(lines: &[Line]) -> BTreeSet<&str> {
    let names: BTreeSet<&str> = lines.iter().map(|line| line.says).collect();
    assert_eq!(names.len(), lines.len(), "a line stands twice");
    names
}

#[test]
fn every_line_of_the_reference_names_tests_that_are_there() {
    let tests = tests();
    assert!(tests.len() > 300 && !tests.contains("tests"), "{} tests found", tests.len());
    let mut missing = Vec::new();
    for line in [INPUTS, VERDICTS, OUTPUTS, SOURCES, RULES, NETWORK, WAITS, ANSWERS, DELIVERY].concat() {
        if line.says.starts_with('#') {
            continue;
        }
        if line.held_by.is_empty() {
            missing.push(format!("{}: no test", line.says));
        }
        missing.extend(
            line.held_by.iter().filter(|test| !tests.contains(**test)).map(|test| format!("{}: {test}", line.says)),
        );
    }
    assert!(missing.is_empty(), "lines without their tests:\n{}", missing.join("\n"));
}

#[test]
fn every_input_verdict_and_output_has_its_line() {
    assert_eq!(names(INPUTS), ROWS.iter().map(|row| row.name).collect());
    assert_eq!(names(VERDICTS), Verdict::ALL.iter().map(|verdict| verdict.name()).collect());
    let outputs: BTreeSet<String> = super::agreement::table("outputs").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(names(OUTPUTS), outputs.iter().map(String::as_str).collect());
    names(&[SOURCES, RULES, NETWORK, WAITS, ANSWERS, DELIVERY].concat());
}

#[test]
fn every_section_of_the_reference_has_its_tests() {
    let there = headings("docs/reference.md");
    let mut indexed: BTreeSet<&str> = ["inputs", "verdicts-and-exit-codes", "outputs"].into();
    let rules = [SOURCES, RULES, NETWORK, WAITS, ANSWERS, DELIVERY].concat();
    for (at, line) in rules.iter().enumerate() {
        let Some(anchor) = line.says.strip_prefix('#') else { continue };
        assert!(there.iter().any(|heading| heading.anchor == anchor), "the reference has no section #{anchor}");
        assert!(rules.get(at + 1).is_some_and(|next| !next.says.starts_with('#')), "no test for #{anchor}");
        indexed.insert(anchor);
    }
    let missing: Vec<&str> = there
        .iter()
        .filter(|heading| heading.depth == 2 && !indexed.contains(&*heading.anchor))
        .map(|heading| &*heading.anchor)
        .collect();
    assert!(missing.is_empty(), "sections of docs/reference.md without a test: {missing:?}");
}
