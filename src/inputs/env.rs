//! The process environment, read once and here only.
//!
//! Values stay as the system has them (`OsString`): one that is not UTF-8 becomes an input error where it is looked at, and
//! never a panic.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// A snapshot of the environment: variables and working folder.
#[derive(Clone, Default)]
pub struct Env {
    variables: BTreeMap<OsString, OsString>,
    folder: Option<PathBuf>,
}

/// The arguments of this process, without its name.
#[expect(clippy::disallowed_methods, reason = "the only reader of the process environment")]
pub fn args() -> Vec<OsString> {
    std::env::args_os().skip(1).collect()
}

impl Env {
    #[expect(clippy::disallowed_methods, reason = "the only reader of the process environment")]
    pub fn from_process() -> Env {
        Env::new(std::env::vars_os(), std::env::current_dir().ok())
    }

    /// An environment of these variables and this working folder.
    pub fn new<K: Into<OsString>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (K, V)>,
        folder: Option<PathBuf>,
    ) -> Env {
        Env {
            variables: pairs.into_iter().map(|(name, value)| (same_case(name.into()), value.into())).collect(),
            folder,
        }
    }

    /// The variable's value; `None` if it is not set or empty.
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(&same_case(name.into())).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Whether the variable is there, be it empty.
    pub fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(&same_case(name.into()))
    }

    /// Whether the variable says `true`, in any case: `True` is Azure's way.
    pub fn is_true(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The names of variables that are not empty and begin with `prefix`.
    pub fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
        self.variables
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .filter(move |name| name.starts_with(prefix))
    }

    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

/// Windows knows a variable by any case of its name.
fn same_case(name: OsString) -> OsString {
    if cfg!(windows) { name.to_ascii_uppercase() } else { name }
}

/// The environment holds secrets, so not even its names are shown.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Env({} variables)", self.variables.len())
    }
}
