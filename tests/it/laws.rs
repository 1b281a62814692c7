//! Holds the rules of ARCHITECTURE.md: who may import whom, what is pure, and that names are used once.
//!
//! The import table and the order inside `core` are read from the document, so that document and code can't differ. What
//! clippy can hold (clocks, waiting, writing, `#[allow]`, `todo!`) is in `clippy.toml` and in `[lints]` of Cargo.toml.

mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::repository::{quoted, rust_files, text};
use source::{Names, Source, names, sources};

/// The longest file, in lines.
const LINES: usize = 399;

/// Where untrusted text may be read raw, and why. Everywhere else it is sanitized first.
const RAW: [(&str, &str); 4] = [
    ("src/report/sanitize", "sanitizes it"),
    ("src/report/messages/explanation.rs", "checks whether a trace is blank"),
    ("src/core/", "compares status values and never shows them"),
    ("src/api/", "compares ids, reads time stamps, and never shows them"),
];

/// Where a secret may be exposed, and why.
const SECRETS: [(&str, &str); 5] = [
    ("src/config/", "checks its form"),
    ("src/api/", "sends it"),
    ("src/app.rs", "gives it to the redactor before the first request"),
    ("src/doctor.rs", "gives the tokens of its requests to the redactor"),
    ("src/logs.rs", "gives the tokens of its requests to the redactor"),
];

/// The modules without I/O, and the parts of the standard library that reach outside the process or read a clock.
const PURE: [&str; 2] = ["core", "report"];
const OUTSIDE: &str = "env fs io::stderr io::stdin io::stdout net os process thread time::Instant time::SystemTime";

/// One row of the import table: a module, what it may import of ours (`None`: everything), and the crates it may use.
struct Row {
    module: String,
    ours: Option<Names>,
    crates: Names,
}

fn document() -> String {
    text("ARCHITECTURE.md")
}

/// The import table of the document.
fn table(document: &str) -> Vec<Row> {
    let lines = document.lines().map(str::trim).skip_while(|line| !line.starts_with("| module | may import"));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|')).flat_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let ours = (cells[1] != "all").then(|| quoted(cells[1]));
        let crates: Names = quoted(cells[2]).iter().map(|name| name.replace('-', "_")).collect();
        let row = move |module| Row { module, ours: ours.clone(), crates: crates.clone() };
        quoted(cells[0]).into_iter().map(row)
    });
    rows.collect()
}

/// Whether `path` begins with all of `start`, both as `a::b`.
fn begins(path: &[String], start: &str) -> bool {
    path.starts_with(&names(start))
}

/// What breaks the import table.
fn forbidden(table: &[Row], sources: &[Source]) -> Names {
    let known: BTreeSet<&String> = table.iter().flat_map(|row| &row.crates).collect();
    let mut broken = Vec::new();
    for source in sources {
        let Some(row) = table.iter().find(|row| begins(&source.module, &row.module)) else {
            broken.push(format!("{}: no row of the table is about this module", source.path));
            continue;
        };
        for path in &source.paths {
            let is_allowed = match (&path[..], &row.ours) {
                ([first, rest @ ..], Some(ours)) if first == "crate" => {
                    rest.first() == source.module.first() || ours.iter().any(|name| begins(rest, name))
                }
                ([first, ..], _) => first == "crate" || !known.contains(first) || row.crates.contains(first),
                ([], _) => true,
            };
            if !is_allowed {
                broken.push(format!("{}: `{}` may not import {}", source.path, row.module, path.join("::")));
            }
        }
    }
    broken
}

/// Which modules of each folder import which others of it, through re-exports: by the folder, from, to.
fn siblings(sources: &[Source]) -> BTreeMap<Names, BTreeSet<(String, String)>> {
    let modules: HashMap<&[String], &Source> = sources.iter().map(|source| (&source.module[..], source)).collect();
    // `lib.rs` is the root.
    let home = |mut path: Names| {
        for _ in 0..8 {
            let length = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length])).unwrap_or(0);
            let next = path.get(length).and_then(|name| modules.get(&path[..length])?.imports.get(name));
            path = match next {
                Some(next) if next[0] == "crate" => [&next[1..], &path[length + 1..]].concat(),
                // `pub use child::Name`
                Some(next) => [&path[..length], next, &path[length + 1..]].concat(),
                None => return path[..length].to_vec(),
            };
        }
        path
    };
    let mut found: BTreeMap<Names, BTreeSet<(String, String)>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.module != ["lib"] && source.module != ["main"]) {
        for path in source.paths.iter().filter(|path| path[0] == "crate") {
            let to = home(path[1..].to_vec());
            let common = source.module.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if let (Some(from), Some(other)) = (source.module.get(common), to.get(common)) {
                found.entry(to[..common].to_vec()).or_default().insert((from.clone(), other.clone()));
            }
        }
    }
    found
}

/// A module from which these imports lead back to itself.
fn circle(imports: &BTreeSet<(String, String)>) -> Option<&String> {
    let leads_back = |start: &&String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![*start]);
        while let Some(module) = open.pop() {
            let next = imports.iter().filter(|(from, _)| from == module).map(|(_, to)| to);
            open.extend(next.filter(|to| seen.insert(*to)));
        }
        seen.contains(*start)
    };
    imports.iter().map(|(from, _)| from).find(leads_back)
}

/// The names that stand for several things.
fn doubles(named: impl Iterator<Item = (String, String)>) -> Names {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, place) in named {
        places.entry(name).or_default().insert(place);
    }
    places.retain(|_, places| places.len() > 1);
    places.into_iter().map(|(name, places)| format!("{name}: {}", Vec::from_iter(places).join(", "))).collect()
}

fn assert_none(broken: impl IntoIterator<Item = String>, rule: &str) {
    let broken = Vec::from_iter(broken);
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}

#[test]
fn modules_import_what_the_table_allows_and_no_more() {
    assert_none(forbidden(&table(&document()), sources()), "ARCHITECTURE.md, the import table:");
}

#[test]
fn the_table_allows_nothing_that_nobody_needs() {
    let (table, sources) = (table(&document()), sources());
    let mut unused = Vec::new();
    for row in table.iter().filter(|row| row.ours.is_some()) {
        let of_row = sources.iter().filter(|source| begins(&source.module, &row.module));
        let paths: Vec<&Names> = of_row.flat_map(|source| &source.paths).collect();
        let ours = row.ours.iter().flatten().map(|name| format!("crate::{name}"));
        let all = ours.chain(row.crates.iter().cloned());
        unused.extend(
            all.filter(|name| !paths.iter().any(|path| begins(path, name)))
                .map(|name| format!("{}: {name}", row.module)),
        );
    }
    assert_none(unused, "the import table is wider than the code:");
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let circles =
        siblings(sources()).into_iter().filter_map(|(folder, imports)| Some((folder, circle(&imports)?.clone())));
    assert_none(circles.map(|(folder, name)| format!("{}::{name}", folder.join("::"))), "a circle of imports:");
}

#[test]
fn modules_of_the_core_import_only_those_before_them() {
    let document = document();
    let paragraph = document.split("\n\n").find(|text| text.starts_with("Inside `core`")).expect("the order");
    let order: Names = quoted(paragraph.split_once(':').expect("a list").1);
    let place = |name: &String| order.iter().position(|listed| listed == name).expect(name);
    let imports = &siblings(sources())[&names("core")];
    let upwards = imports.iter().filter(|(from, to)| place(from) < place(to));
    assert_none(upwards.map(|(from, to)| format!("{from} imports {to}")), "upwards inside core:");
}

#[test]
fn the_core_and_the_reports_reach_nothing_outside_the_process() {
    let sources = sources();
    let pure = sources.iter().filter(|source| PURE.contains(&source.module[0].as_str()));
    let outside = |path: &Names| OUTSIDE.split(' ').any(|name| begins(path, &format!("std::{name}")));
    let broken =
        pure.flat_map(|source| source.paths.iter().filter(|path| outside(path)).map(|path| (&source.path, path)));
    assert_none(broken.map(|(file, path)| format!("{file}: {}", path.join("::"))), "these modules are pure:");
}

#[test]
fn untrusted_text_and_secrets_are_read_only_where_they_may_be() {
    for (call, allowed) in [("raw", &RAW[..]), ("expose_secret", &SECRETS), ("expose_secret_mut", &SECRETS)] {
        let calls = |source: &&Source| {
            source.methods.contains(call)
                || source.paths.iter().any(|path| path.len() > 1 && path[path.len() - 1] == call)
        };
        let is_allowed = |source: &&Source| allowed.iter().any(|(prefix, _)| source.path.starts_with(prefix));
        let sources = sources();
        let broken = sources.iter().filter(calls).filter(|source| !is_allowed(source));
        assert_none(broken.map(|source| source.path.clone()), call);
    }
}

#[test]
fn every_file_says_its_one_idea_first_and_stays_short() {
    let files = rust_files(&["src", "tests", "examples"]).into_iter();
    let broken = files.filter(|(_, text)| !text.starts_with("//! ") || text.lines().count() > LINES);
    assert_none(broken.map(|(path, text)| format!("{path}: {} lines", text.lines().count())), "one file, one idea:");
}

#[test]
fn every_module_and_every_type_has_a_name_of_its_own() {
    let files = rust_files(&["src"])
        .into_iter()
        .map(|(path, _)| path.trim_end_matches("/mod.rs").trim_end_matches(".rs").to_owned());
    let modules = files.map(|path| (path.rsplit('/').next().unwrap_or_default().to_owned(), path));
    let modules = doubles(modules.filter(|(name, _)| name != "tests"));
    let sources = sources();
    let types = sources.iter().flat_map(|source| source.types.iter().map(|name| (name.clone(), source.path.clone())));
    assert_none(modules.into_iter().chain(doubles(types)), "one name, one thing:");
}

#[test]
fn every_way_to_write_an_import_is_seen_and_nothing_else() {
    const TABLE: &str = "| module | may import of ours | outside crates |\n|---|---|---|\n| `core` | nothing | `chrono` |\n\
        | `report` | `core` | `url` |\n| `poll_loop` | `core`, `report::messages` | `tokio` |\n";
    let broken = |path: &str, text: &str| forbidden(&table(TABLE), &[Source::parse(path, text)]).len();
    for text in [
        "use crate::report::messages;",
        "use crate::{core, report};",
        "use crate::poll_loop as w;",
        "use crate::*;",
        "use super::report;",
        "fn f() { crate::report::messages::say(1) }",
        "fn f() -> <crate::report::Report as T>::X {}",
        "use maestro_gate::poll_loop;",
        "use tokio::time;",
        "extern crate url;",
        "#[tokio::main] fn f() {}",
        "fn f() { tokio::select! {} }",
        "fn f() { assert!(true, \"{}\", url::MAX) }",
        "#[cfg(any(test, unix))] use url::Url;",
        "#[cfg(test)] mod tests { use super::*; } use url::Url;",
        "struct S { #[cfg(test)] a: u8, b: url::Url }",
        "mod inner { use super::super::report; }",
    ] {
        assert_eq!(broken("src/core.rs", text), 1, "{text}");
    }
    for text in [
        "// crate::report\nconst A: &str = \"crate::report url::Url\";",
        "#[cfg(test)] mod tests { use crate::report; fn f() { url::parse(\"}\") } }",
        "#[cfg(all(test, unix))] fn f() { tokio::x() }",
        "use super::core::A; use crate::core::{self, C}; mod inner { use super::B; }",
    ] {
        assert_eq!(broken("src/core.rs", text), 0, "{text}");
    }
    assert_eq!(broken("src/poll_loop.rs", "use crate::report::{messages, sanitize};"), 1);
    assert_eq!(broken("src/unheard_of.rs", ""), 1);
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(circle(&[pair("a", "b"), pair("b", "c")].into()), None);
    assert!(circle(&[pair("a", "b"), pair("b", "c"), pair("c", "a")].into()).is_some());
}
