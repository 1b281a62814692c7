//! Every section of docs/reference.md, and every row of its tables of inputs, verdicts and outputs, has tests that hold it.

use std::collections::BTreeMap;

use super::repository;
use super::repository::markdown::headings;

/// The tests of each anchor.
fn index() -> BTreeMap<String, Vec<&'static str>> {
    let mut index = BTreeMap::<String, Vec<&str>>::new();
    let lines = include_str!("contract/index.txt").lines().filter(|line| !line.starts_with("//"));
    let mut anchor = "";
    for line in lines {
        match line.strip_prefix('#') {
            Some(name) => anchor = name,
            None => index.entry(anchor.to_owned()).or_default().push(line.trim()),
        }
    }
    index
}

/// The anchors of the reference's sections, and of the rows of its tables: `inputs run-id`.
fn anchors() -> Vec<String> {
    let sections = headings("docs/reference.md").into_iter().filter(|heading| heading.depth > 1);
    let tables = [("inputs", "inputs"), ("exit-codes", "verdicts-and-exit-codes"), ("outputs", "outputs")];
    let rows = tables.iter().flat_map(|(table, section)| {
        let rows = repository::table("docs/reference.md", table);
        rows.into_iter().map(move |row| format!("{section} {}", row[0]))
    });
    let mut anchors: Vec<String> = sections.map(|heading| heading.anchor).chain(rows).collect();
    anchors.sort();
    // A verdict may have several exit codes.
    anchors.dedup();
    anchors
}

#[test]
fn every_section_of_the_reference_has_its_tests() {
    let (index, anchors) = (index(), anchors());
    let without: Vec<_> = anchors.iter().filter(|anchor| !index.contains_key(*anchor)).collect();
    assert!(without.is_empty(), "no test in tests/it/contract/index.txt for #{without:?}");
    let gone: Vec<_> = index.keys().filter(|anchor| !anchors.contains(anchor)).collect();
    assert!(gone.is_empty(), "docs/reference.md has no #{gone:?}");
}

#[test]
fn every_test_that_the_index_names_is_there() {
    let tests = repository::tests();
    assert!(tests.len() > 300, "{} tests found", tests.len());
    let index = index();
    let named = index.iter().flat_map(|(anchor, tests)| tests.iter().map(move |test| (anchor, test)));
    let missing: Vec<_> = named.filter(|(_, test)| !tests.contains(**test)).collect();
    assert!(missing.is_empty(), "there is no such test: {missing:?}");
}
