//! The import table of ARCHITECTURE.md, as data, and the crates that Cargo.toml brings in.

use std::collections::BTreeSet;
use std::fs;

const HEAD: &str = "| module | may import of ours | outside crates |";

/// Who may import whom.
#[derive(Debug)]
pub(crate) struct Law {
    pub(crate) rows: Vec<Row>,
}

/// One module's line.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) module: String,
    pub(crate) ours: OurImports,
    /// As Rust spells them, with `_`.
    pub(crate) outside: BTreeSet<String>,
}

/// What a module may import of ours, beside itself.
#[derive(Debug)]
pub(crate) enum OurImports {
    All,
    /// Modules, with all below them.
    These(Vec<String>),
}

/// `report::messages` -> `report`, `words`.
pub(crate) fn segments(path: &str) -> Vec<&str> {
    path.split("::").collect()
}

impl Law {
    pub(crate) fn read() -> Law {
        let document = super::root().join("ARCHITECTURE.md");
        Law::parse(&fs::read_to_string(document).expect("ARCHITECTURE.md is there"))
    }

    pub(crate) fn parse(document: &str) -> Law {
        let mut lines = document.lines().map(str::trim).skip_while(|line| *line != HEAD).skip(2).peekable();
        assert!(lines.peek().is_some(), "the document has no table with the head {HEAD}");
        let rows = lines.take_while(|line| line.starts_with('|')).flat_map(parse_rows).collect();
        Law { rows }
    }

    /// The row for a module: its own, or the one of the nearest module around it.
    pub(crate) fn row(&self, module: &[&str]) -> Option<&Row> {
        let around = self.rows.iter().filter(|row| module.starts_with(&segments(&row.module)));
        around.max_by_key(|row| segments(&row.module).len())
    }

    /// A module from which the table leads back to itself.
    pub(crate) fn circle(&self) -> Option<String> {
        let top = |path: &str| segments(path)[0].to_owned();
        let imports = |module: &str| -> BTreeSet<String> {
            let rows = self.rows.iter().filter(|row| top(&row.module) == module);
            let ours = rows.flat_map(|row| match &row.ours {
                OurImports::All => Vec::new(),
                OurImports::These(names) => names.iter().map(|name| top(name)).collect(),
            });
            ours.filter(|other| other != module).collect()
        };
        let leads_back = |start: &str| {
            let mut seen = BTreeSet::new();
            let mut open: Vec<String> = imports(start).into_iter().collect();
            while let Some(module) = open.pop() {
                if seen.insert(module.clone()) {
                    open.extend(imports(&module));
                }
            }
            seen.contains(start)
        };
        self.rows.iter().map(|row| top(&row.module)).find(|module| leads_back(module))
    }
}

/// A line of the table; it may be about several modules.
fn parse_rows(line: &str) -> Vec<Row> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [modules, ours, outside] = cells[..] else { panic!("not three cells: {line}") };
    names(modules)
        .into_iter()
        .map(|module| Row {
            module,
            ours: if ours == "all" { OurImports::All } else { OurImports::These(names(ours)) },
            outside: names(outside).into_iter().map(|name| name.replace('-', "_")).collect(),
        })
        .collect()
}

/// The names in a cell. Anything but names in backticks with commas between them, or `nothing`, is a slip of the pen.
fn names(cell: &str) -> Vec<String> {
    if cell == "nothing" {
        return Vec::new();
    }
    let name = |part: &str| {
        let inner = part.trim().strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        inner.unwrap_or_else(|| panic!("a cell of the import table says {cell:?}")).to_owned()
    };
    cell.split(',').map(name).collect()
}

/// The crates that `src` could name: the dependencies of every target, not the tests' own.
pub(crate) fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(super::root().join("Cargo.toml")).expect("Cargo.toml is there");
    let mut found = BTreeSet::new();
    let mut relevant = false;
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            relevant =
                section == "dependencies" || section.starts_with("target.") && section.ends_with(".dependencies");
        } else if let Some((name, _)) = line.split_once('=')
            && relevant
        {
            found.insert(name.trim().replace('-', "_"));
        }
    }
    found
}

/// The dependencies that are there for a feature of theirs alone, as `Cargo.toml` tells cargo-shear.
pub(crate) fn only_for_features() -> BTreeSet<String> {
    let manifest = fs::read_to_string(super::root().join("Cargo.toml")).expect("Cargo.toml is there");
    let listed = manifest.lines().filter_map(|line| line.strip_prefix("ignored = [")?.strip_suffix(']'));
    listed.flat_map(|names| names.split(',')).map(|name| name.trim().trim_matches('"').replace('-', "_")).collect()
}
