//! The laws of ARCHITECTURE.md, held: who may import whom, and what stands nowhere.
//!
//! The import table is read from the document itself, so that the two can't differ. What clippy can hold (who reads a
//! clock, who waits, who writes) is in `clippy.toml`.

mod source;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use source::{Product, Token};
use table::OurImports;

pub(crate) use table::Law;

/// The longest file: what one can read at a sitting.
const LINES: usize = 399;

/// Who may see text from outside as it came, and why. Everybody else gets it cleaned.
const RAW: [(&str, &str); 4] = [
    ("src/report/sanitize", "it makes the text harmless"),
    ("src/report/messages/explanation.rs", "it asks whether a trace is blank"),
    ("src/core/", "it compares status words and never shows them"),
    ("src/api/", "it compares ids and reads stamps and never shows them"),
];

/// Who may see a secret, and why.
const SECRETS: [(&str, &str); 5] = [
    ("src/config/", "it checks their form"),
    ("src/api/", "it sends them"),
    ("src/app.rs", "it tells the cleaner what to redact, before the first request"),
    ("src/doctor.rs", "it tells the cleaner which tokens its requests brought"),
    ("src/logs.rs", "it tells the cleaner which tokens asking for logs brought"),
];

/// The parts of the standard library that reach outside the process, or read a clock.
const OUTSIDE: [&str; 11] = [
    "env",
    "fs",
    "io::stderr",
    "io::stdin",
    "io::stdout",
    "net",
    "os",
    "process",
    "thread",
    "time::Instant",
    "time::SystemTime",
];

/// What must be pure.
const PURE: [&str; 2] = ["core", "report"];

/// A Rust file of ours.
struct File {
    /// From the root of the repository, with `/`.
    path: String,
    text: String,
}

impl File {
    /// `src/report/sanitize.rs` -> `report::sanitize`; `src/main.rs` -> `main`.
    fn module(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').collect()
    }

    /// Where `super` and `self` start from: the crate's two roots are no modules.
    fn scope(&self) -> Vec<&str> {
        let module = self.module();
        if matches!(module[..], ["lib" | "main"]) { Vec::new() } else { module }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under these folders; a folder that isn't there has none.
fn rust_files(folders: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("a folder of ours can be listed").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is UTF-8");
                let path = path.strip_prefix(root()).expect("it was found under the root");
                let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
                found.push(File { path: parts.join("/"), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The crate's files without tests, each with what is left of it without its tests.
fn products(files: &[File]) -> Vec<(&File, Product<'_>)> {
    let read: Vec<(&File, Product<'_>)> =
        files.iter().map(|file| (file, source::product(&source::tokens(&file.text)))).collect();
    let tests: BTreeSet<Vec<&str>> = read
        .iter()
        .flat_map(|(file, product)| {
            product.test_modules.iter().map(|name| [file.scope(), vec![*name]].concat()).collect::<Vec<_>>()
        })
        .collect();
    let is_test = |file: &File| (1..=file.module().len()).any(|length| tests.contains(&file.module()[..length]));
    read.into_iter().filter(|(file, _)| !is_test(file)).collect()
}

/// Where a path of `file` leads within the crate; none if it leads out of it, or nowhere that a law is about.
fn within_crate<'a>(file: &'a File, path: &source::Path<'a>) -> Option<Vec<&'a str>> {
    let mut place = [file.scope(), path.inside.clone()].concat();
    let mut rest = path.segments.iter().copied().peekable();
    match path.segments.first().copied()? {
        "crate" | "maestro_gate" => {
            place.clear();
            rest.next();
        }
        "self" => {
            rest.next();
        }
        "super" => {
            while rest.next_if_eq(&"super").is_some() {
                place.pop();
            }
        }
        _ => return None,
    }
    place.extend(rest);
    Some(place)
}

/// What in `files` breaks the import table.
fn forbidden_imports(law: &Law, files: &[File], crates: &BTreeSet<String>) -> Vec<String> {
    let mut broken = Vec::new();
    for (file, product) in products(files) {
        let module = file.module();
        let Some(row) = law.row(&module) else {
            broken.push(format!("{}: no row of the table is about this module", file.path));
            continue;
        };
        for path in source::paths(&product.tokens) {
            let written = path.segments.join("::");
            let here = format!("{}:{}: {written}", file.path, path.line);
            if let Some(place) = within_crate(file, &path) {
                let allowed = match &row.ours {
                    OurImports::All => true,
                    OurImports::These(_) if place.first() == module.first() => true,
                    OurImports::These(names) => names.iter().any(|name| place.starts_with(&table::segments(name))),
                };
                if !allowed {
                    broken.push(format!("{here}: `{}` may not import `{}`", row.module, place.join("::")));
                }
            } else if let Some(&root) = path.segments.first()
                && crates.contains(root)
                && !row.outside.contains(root)
            {
                broken.push(format!("{here}: `{}` may not use the crate `{root}`", row.module));
            }
        }
    }
    broken
}

/// Where `tokens` says one of these in a row.
fn lines_with(tokens: &[Token<'_>], sought: &[&str]) -> Vec<usize> {
    let found = tokens.windows(sought.len()).filter(|window| window.iter().map(|token| token.text).eq(sought.to_vec()));
    found.map(|window| window[0].line).collect()
}

/// `FILE:LINE` of every place outside `allowed` that says one of `sought`.
fn places_outside(allowed: &[(&str, &str)], files: &[File], sought: &[&[&str]]) -> Vec<String> {
    let mut places = Vec::new();
    for (file, product) in products(files) {
        if !allowed.iter().any(|(prefix, _)| file.path.starts_with(prefix)) {
            let lines = sought.iter().flat_map(|words| lines_with(&product.tokens, words));
            places.extend(lines.map(|line| format!("{}:{line}", file.path)));
        }
    }
    places
}

fn assert_none(broken: &[String], law: &str) {
    assert!(broken.is_empty(), "{law}\n  {}", broken.join("\n  "));
}

#[test]
fn modules_import_what_the_table_allows_and_no_more() {
    let law = Law::read();
    let broken = forbidden_imports(&law, &rust_files(&["src"]), &table::dependencies());
    assert_none(&broken, "ARCHITECTURE.md, the import table:");
}

#[test]
fn the_table_has_no_circle_and_allows_nothing_that_nobody_needs() {
    let law = Law::read();
    assert_eq!(law.circle(), None);
    let files = rust_files(&["src"]);
    let paths: Vec<(&File, source::Path<'_>)> = products(&files)
        .into_iter()
        .flat_map(|(file, product)| source::paths(&product.tokens).into_iter().map(move |path| (file, path)))
        .collect();
    let mut broken = Vec::new();
    for row in &law.rows {
        let is_its = |file: &File| law.row(&file.module()).is_some_and(|found| found.module == row.module);
        let paths: Vec<&(&File, source::Path<'_>)> = paths.iter().filter(|(file, _)| is_its(file)).collect();
        let OurImports::These(ours) = &row.ours else { continue };
        for name in ours {
            let leads_there = |place: Vec<&str>| place.starts_with(&table::segments(name));
            if !paths.iter().any(|(file, path)| within_crate(file, path).is_some_and(leads_there)) {
                broken.push(format!("`{}` does not import `{name}`", row.module));
            }
        }
        for name in &row.outside {
            if !paths.iter().any(|(_, path)| path.segments[0] == name) {
                broken.push(format!("`{}` does not use the crate `{name}`", row.module));
            }
        }
    }
    let mut named: BTreeSet<String> = law.rows.iter().flat_map(|row| row.outside.iter().cloned()).collect();
    named.extend(table::only_for_features());
    let unused = table::dependencies().into_iter().filter(|name| !named.contains(name));
    broken.extend(unused.map(|name| format!("no module uses the crate `{name}` of Cargo.toml")));
    assert_none(&broken, "the import table is wider than the code:");
}

#[test]
fn the_core_and_the_reports_reach_nothing_outside_the_process() {
    let mut broken = Vec::new();
    let files = rust_files(&["src"]);
    for (file, product) in products(&files) {
        if !PURE.contains(&file.module()[0]) {
            continue;
        }
        for path in source::paths(&product.tokens) {
            let ["std", rest @ ..] = &path.segments[..] else { continue };
            if OUTSIDE.iter().any(|outside| rest.starts_with(&table::segments(outside))) {
                broken.push(format!("{}:{}: {}", file.path, path.line, path.segments.join("::")));
            }
        }
    }
    assert_none(&broken, "these modules are pure:");
}

#[test]
fn text_from_outside_is_seen_raw_only_where_it_is_cleaned_or_compared() {
    let sought: [&[&str]; 2] = [&[".", "raw", "(", ")"], &["Foreign", "::", "raw"]];
    assert_none(
        &places_outside(&RAW, &rust_files(&["src"]), &sought),
        "only `report::sanitize` makes raw text showable:",
    );
}

#[test]
fn secrets_are_exposed_only_where_they_are_sent_or_redacted() {
    let broken = places_outside(&SECRETS, &rust_files(&["src"]), &[&["expose_secret"], &["expose_secret_mut"]]);
    assert_none(&broken, "a secret is exposed elsewhere:");
}

#[test]
fn no_lint_is_switched_off_for_good() {
    let mut broken = Vec::new();
    for file in rust_files(&["src", "tests", "examples"]) {
        let tokens = source::tokens(&file.text);
        for sought in [["#", "[", "allow", "("], ["[", "allow", "(", "clippy"], [",", "allow", "(", "clippy"]] {
            broken.extend(lines_with(&tokens, &sought).into_iter().map(|line| format!("{}:{line}", file.path)));
        }
    }
    assert_none(&broken, "`#[expect(..., reason)]`, never `#[allow]`:");
}

#[test]
fn nothing_is_left_to_do() {
    let mut broken = Vec::new();
    for file in rust_files(&["src", "tests", "examples"]) {
        let tokens = source::tokens(&file.text);
        for sought in [["todo", "!"], ["unimplemented", "!"]] {
            broken.extend(lines_with(&tokens, &sought).into_iter().map(|line| format!("{}:{line}", file.path)));
        }
    }
    assert_none(&broken, "unfinished:");
}

#[test]
fn every_file_says_its_one_idea_first_and_stays_short() {
    let mut broken = Vec::new();
    for file in rust_files(&["src", "tests", "examples"]) {
        if file.text.strip_prefix("//! ").is_none_or(|idea| idea.starts_with(char::is_whitespace)) {
            broken.push(format!("{}: does not open with `//! ...`", file.path));
        }
        let lines = file.text.lines().count();
        if lines > LINES {
            broken.push(format!("{}: {lines} lines", file.path));
        }
    }
    assert_none(&broken, "one file, one idea:");
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
        | module | may import of ours | outside crates |\n|---|---|---|\n| `core` | nothing | `chrono` |\n\
        | `report` | `core` | nothing |\n| `poll_loop` | `core`, `report::messages` | `tokio` |\n| `app`, `main` | all | nothing |\n";

    fn broken_by(path: &str, text: &str) -> Vec<String> {
        let crates = ["chrono", "tokio", "url"].map(str::to_owned).into();
        let files = [File { path: path.to_owned(), text: text.to_owned() }];
        forbidden_imports(&Law::parse(TABLE), &files, &crates)
    }

    #[test]
    fn every_way_to_write_a_forbidden_import_is_seen() {
        for text in [
            "use crate::report::messages;",
            "use crate::{core, report};",
            "use crate::{core::{A, B}, report::{messages::{c}}};",
            "pub(crate) use crate::poll_loop as w;",
            "use crate::*;",
            "use super::report;",
            "fn f() { crate::report::messages::say(1) }",
            "fn f() -> <crate::report::Report as T>::X {}",
            "use maestro_gate::poll_loop;",
            "use tokio::time;",
            "use ::tokio::time;",
            "use url;",
            "fn f() { for x in 0..url::MAX {} }",
            "extern crate url;",
            "#[tokio::main] fn f() {}",
            "fn f() { let x = r#\"\"#; let y = '\"'; tokio::select! {} }",
            "#[cfg(not(test))] use url::Url;",
            "#[cfg(any(test, unix))] use url::Url;",
            "#[cfg(test)] use std::fs; use url::Url;",
            "#[cfg(test)] mod tests { use super::*; } use url::Url;",
            "#[cfg(test)] const X: T = T { a: 1 }; use url::Url;",
            "struct S { #[cfg(test)] a: u8, b: url::Url }",
            "mod inner { use super::super::report; }",
        ] {
            assert_eq!(broken_by("src/core.rs", text).len(), 1, "{text}");
        }
        assert_eq!(broken_by("src/core/deep.rs", "use super::super::poll_loop;").len(), 1);
        assert_eq!(broken_by("src/poll_loop.rs", "use crate::report::{messages, sanitize};").len(), 1);
        assert_eq!(broken_by("src/main.rs", "use url::Url;").len(), 1);
        assert_eq!(broken_by("src/unheard_of.rs", "").len(), 1);
    }

    #[test]
    fn what_only_looks_like_an_import_is_none() {
        for text in [
            "// crate::report\n/* url::Url /* tokio:: */ crate::poll_loop */ //! [`crate::report`]",
            "const A: &str = \"crate::report \\\" url::Url\"; const B: &[u8] = br##\"tokio::x \"# url::Url\"##;",
            "#[cfg(test)] mod tests { use crate::report; fn f() { url::parse(\"}\") } }",
            "#[cfg(test)] #[path = \"x.rs\"] mod tests;",
            "#[cfg(all(test, unix))] fn f<A, B>(a: A) -> [u8; 2] { tokio::x() }",
            "#![cfg(test)] use crate::report;",
            "use super::core::A; use self::deep::B; use crate::core::{self, C};",
            "use chrono::{DateTime, Utc}; fn f<'a>(x: &'a str) -> impl T + use<'a> { x.url::<u8>(); a::url::b() }",
            "mod inner { use super::B; }",
        ] {
            assert_eq!(broken_by("src/core.rs", text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_is_test_code() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let text = "use crate::report;";
        let files = [file("src/core/mod.rs", "#[cfg(test)] mod tests; mod more;"), file("src/core/tests.rs", text)];
        let none = BTreeSet::new();
        assert_eq!(forbidden_imports(&Law::parse(TABLE), &files, &none), Vec::<String>::new());
        let files = [file("src/core/mod.rs", "mod tests;"), file("src/core/tests.rs", text)];
        assert_eq!(forbidden_imports(&Law::parse(TABLE), &files, &none).len(), 1);
    }

    #[test]
    fn a_circle_in_the_table_is_found() {
        assert_eq!(Law::parse(TABLE).circle(), None);
        let circle = TABLE.replace("`core` | nothing", "`core` | `poll_loop`");
        assert_eq!(Law::parse(&circle).circle(), Some("core".to_owned()));
    }
}
