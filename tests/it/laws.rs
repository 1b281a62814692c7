//! Holds the rules of ARCHITECTURE.md: who may import whom, what is pure, and that each name is used once.
//!
//! The import table and the order inside `core` are read from the document, so that document and code can't differ. What
//! clippy can hold (clocks, waiting, writing, `#[allow]`, `todo!`) is in `clippy.toml` and in `[lints]` of Cargo.toml.

mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::repository::{quoted, rust_files, text};
use source::{Source, sources, within};

/// The longest file, in lines.
const LINES: usize = 399;

/// Where untrusted text may be read raw; everywhere else it is sanitized first.
const RAW: [&str; 4] = [
    "src/report/sanitize",                // sanitizes it
    "src/report/messages/explanation.rs", // checks whether a trace is blank
    "src/core/",                          // compares status values and never shows them
    "src/api/",                           // compares ids, reads time stamps, and never shows them
];

/// Where a secret may be exposed: where its form is checked, where it is sent, and where the redactor gets it.
const SECRETS: [&str; 5] = ["src/config/", "src/api/", "src/app.rs", "src/doctor.rs", "src/logs.rs"];

/// The modules without I/O, and the parts of the standard library that reach outside the process or read a clock.
const PURE: [&str; 2] = ["crate::core", "crate::report"];
const OUTSIDE: &str = "env fs io::stderr io::stdin io::stdout net os process thread time::Instant time::SystemTime";

/// One row of the import table: modules, and the modules of ours and the crates that they may import.
struct Row {
    modules: Vec<String>,
    allowed: Vec<String>,
}

/// The import table of the document. `all` of ours is `crate`.
fn table(document: &str) -> Vec<Row> {
    let ours = |cell: &str| quoted(cell).iter().map(|name| format!("crate::{name}")).collect::<Vec<_>>();
    let lines = document.lines().skip_while(|line| !line.starts_with("| module | may import")).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|')).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let mut allowed = if cells[1] == "all" { vec!["crate".to_owned()] } else { ours(cells[1]) };
        allowed.extend(quoted(cells[2]).iter().map(|name| name.replace('-', "_")));
        Row { modules: ours(cells[0]), allowed }
    });
    rows.collect()
}

fn within_any(path: &str, modules: &[String]) -> bool {
    modules.iter().any(|module| within(path, module))
}

/// What breaks the import table. Crates that it does not name are free: `std`, and names of local modules and types.
fn forbidden(table: &[Row], sources: &[Source]) -> Vec<String> {
    let known: Vec<String> = table.iter().flat_map(|row| row.allowed.clone()).chain(["crate".to_owned()]).collect();
    let broken = sources.iter().flat_map(|source| {
        let Some(row) = table.iter().find(|row| within_any(&source.module, &row.modules)) else {
            return vec![format!("{} is in no row", source.file)];
        };
        let is_free =
            |path: &str| within_any(path, &row.modules) || within_any(path, &row.allowed) || !within_any(path, &known);
        let paths = source.paths.iter().filter(|path| !is_free(path));
        paths.map(|path| format!("{} may not import {path}", source.file)).collect()
    });
    broken.collect()
}

/// The module that a path leads to, through what others import or re-export.
fn home(modules: &HashMap<&str, &Source>, path: &str) -> Option<String> {
    let names: Vec<&str> = path.split("::").collect();
    let length = (1..=names.len()).rev().find(|length| modules.contains_key(&*names[..*length].join("::")))?;
    let source = modules[&*names[..length].join("::")];
    let import = names.get(length).and_then(|name| source.imports.get(*name));
    // What does not begin with `crate` is of a child, or of another crate.
    let next =
        import.map(|next| if within(next, "crate") { next.clone() } else { format!("{}::{next}", source.module) });
    match next.map(|next| [&[&*next], &names[length + 1..]].concat().join("::")).filter(|next| next != path) {
        Some(next) => home(modules, &next),
        None => Some(source.module.clone()),
    }
}

/// Which modules of a folder import which others of it: `crate::core::run` imports `crate::core::list_summary`.
fn siblings(sources: &[Source]) -> BTreeSet<(String, String)> {
    let modules: HashMap<&str, &Source> = sources.iter().map(|source| (&*source.module, source)).collect();
    let mut found = BTreeSet::new();
    for source in sources.iter().filter(|source| !["crate::lib", "crate::main"].contains(&&*source.module)) {
        for to in source.paths.iter().filter_map(|path| home(&modules, path)) {
            let (from, to): (Vec<&str>, Vec<&str>) = (source.module.split("::").collect(), to.split("::").collect());
            if let Some(differ) = from.iter().zip(&to).position(|(from, to)| from != to) {
                found.insert((from[..=differ].join("::"), to[..=differ].join("::")));
            }
        }
    }
    found
}

/// The imports that are part of a circle, or between two.
fn circles(mut imports: BTreeSet<(String, String)>) -> BTreeSet<(String, String)> {
    loop {
        let before = imports.len();
        let (from, to): (BTreeSet<String>, BTreeSet<String>) = imports.iter().cloned().unzip();
        imports.retain(|pair| from.contains(&pair.1) && to.contains(&pair.0));
        if imports.len() == before {
            return imports;
        }
    }
}

/// The names that stand for several things.
fn doubles(named: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, place) in named {
        places.entry(name).or_default().insert(place);
    }
    places.into_iter().filter(|(_, places)| places.len() > 1).map(|double| format!("{double:?}")).collect()
}

#[track_caller]
fn assert_none(broken: impl IntoIterator<Item = String>, rule: &str) {
    let broken = Vec::from_iter(broken);
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}

#[test]
fn modules_import_what_the_table_allows_and_no_more() {
    assert_none(forbidden(&table(&text("ARCHITECTURE.md")), sources()), "ARCHITECTURE.md, the import table:");
}

#[test]
fn the_table_allows_nothing_that_nobody_needs() {
    let mut unused = Vec::new();
    for row in table(&text("ARCHITECTURE.md")) {
        let of_row = || sources().iter().filter(|source| within_any(&source.module, &row.modules));
        let has = |name: &String| of_row().any(|source| source.paths.iter().any(|path| within(path, name)));
        unused.extend(row.allowed.iter().filter(|name| !has(name)).map(|name| format!("{:?}: {name}", row.modules)));
        let is_there = |module: &&String| of_row().any(|source| within(&source.module, module));
        unused
            .extend(row.modules.iter().filter(|module| !is_there(module)).map(|module| format!("no module {module}")));
    }
    assert_none(unused, "the import table is wider than the code:");
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let imports = circles(siblings(sources()));
    assert_none(imports.iter().map(|(from, to)| format!("{from} imports {to}")), "a circle of imports:");
}

#[test]
fn modules_of_the_core_import_only_those_before_them() {
    let document = text("ARCHITECTURE.md");
    let paragraph = document.split("\n\n").find(|text| text.starts_with("Inside `core`")).expect("the order");
    let order = quoted(paragraph.split_once(':').expect("a list").1);
    let place = |module: &str| order.iter().position(|name| module == format!("crate::core::{name}"));
    let in_core = |to: &str| to.rsplit_once("::").is_some_and(|(folder, _)| folder == "crate::core");
    let imports = siblings(sources()).into_iter().filter(|(_, to)| in_core(to));
    let upwards = imports.filter(|(from, to)| place(from) <= place(to) || place(to).is_none());
    assert_none(upwards.map(|(from, to)| format!("{from} imports {to}")), "upwards inside core:");
}

#[test]
fn the_core_and_the_reports_reach_nothing_outside_the_process() {
    let outside = |path: &&String| OUTSIDE.split(' ').any(|name| within(path, &format!("std::{name}")));
    let pure = sources().iter().filter(|source| PURE.iter().any(|module| within(&source.module, module)));
    let broken =
        pure.flat_map(|source| source.paths.iter().filter(outside).map(|path| format!("{}: {path}", source.file)));
    assert_none(broken, "these modules are pure:");
}

#[test]
fn untrusted_text_and_secrets_are_read_only_where_they_may_be() {
    for (call, allowed) in [("raw", &RAW[..]), ("expose_secret", &SECRETS), ("expose_secret_mut", &SECRETS)] {
        let as_path = format!("::{call}");
        let calls = |source: &&Source| {
            source.methods.contains(call) || source.paths.iter().any(|path| path.ends_with(&as_path))
        };
        let broken = sources().iter().filter(calls).map(|source| source.file.clone());
        assert_none(broken.filter(|file| !allowed.iter().any(|place| file.starts_with(place))), call);
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
    let modules = rust_files(&["src"]).into_iter().map(|(file, _)| {
        let path = file.trim_end_matches(".rs").trim_end_matches("/mod").to_owned();
        (path.rsplit('/').next().unwrap_or_default().to_owned(), path)
    });
    let types = sources().iter().flat_map(|source| source.types.iter().map(|name| (name.clone(), source.file.clone())));
    let modules = doubles(modules.filter(|(name, _)| name != "tests"));
    assert_none(modules.into_iter().chain(doubles(types)), "one name, one thing:");
}

#[test]
fn every_way_to_write_an_import_is_seen_and_nothing_else() {
    const TABLE: &str = "| module | may import of ours | outside crates |\n|---|---|---|\n| `core` | nothing | `chrono` |\n\
        | `report` | `core` | `url` |\n| `poll_loop` | `core`, `report::messages` | `tokio` |\n";
    let broken = |file: &str, text: &str| forbidden(&table(TABLE), &[Source::parse(file, text)]).len();
    for text in [
        "use crate::report::messages;",
        "use crate::{core, report};",
        "pub(crate) use crate::poll_loop as w;",
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
    let imports = |pairs: &[&str]| pairs.iter().map(|pair| (pair[..1].to_owned(), pair[1..].to_owned())).collect();
    assert_eq!(circles(imports(&["ab", "bc"])).len(), 0);
    assert_eq!(circles(imports(&["ab", "bc", "ca", "cd"])).len(), 3);
}
