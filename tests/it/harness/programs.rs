//! The programs that the tests start: the gate, and the examples.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What to test instead of the program that cargo builds with the tests: an absolute path.
const OTHER: &str = "MAESTRO_GATE_TEST_BINARY";

/// The gate.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "whoever runs the tests chooses the program")]
        let other = std::env::var_os(OTHER).filter(|other| !other.is_empty());
        let Some(other) = other else { return env!("CARGO_BIN_EXE_maestro-gate").into() };
        let other = PathBuf::from(other);
        // Each story has a working directory of its own.
        assert!(
            other.is_absolute() && other.is_file(),
            "{OTHER} is no absolute path of a program: {}",
            other.display()
        );
        other
    })
}

/// The gate in an environment that holds nothing of the CI around these tests.
pub fn command() -> Command {
    let mut command = Command::new(program());
    command.env_clear().envs(system_root());
    command
}

/// Without it no Windows program can open a socket.
#[expect(clippy::disallowed_methods, reason = "the tests set up the program's environment")]
pub fn system_root() -> Option<(String, OsString)> {
    std::env::var_os("SystemRoot").map(|root| ("SystemRoot".to_owned(), root))
}

/// An example, which `cargo test` builds beside the tests.
///
/// # Panics
/// If it was not built from the sources as they are now, as after `cargo test --test it`: what it shows would be of before.
pub fn example(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_maestro-gate")).with_file_name("examples");
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let why = match changed_since(&program) {
        Some(changed) => format!("is older than {}", changed.display()),
        None if program.is_file() => return program,
        None => "is not built".to_owned(),
    };
    panic!("the example {name} {why}: run `cargo test`, or `cargo build --examples` before `cargo test --test it`");
}

/// A source that changed after the program was built from it, by the list that cargo writes beside it.
fn changed_since(program: &Path) -> Option<PathBuf> {
    let modified = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let built = modified(program)?;
    let list = std::fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = list.lines().next()?.split_once(": ")?;
    let mut sources =
        sources.replace("\\ ", "\0").split(' ').map(|path| path.replace('\0', " ").into()).collect::<Vec<PathBuf>>();
    sources.retain(|source| modified(source).is_none_or(|changed| changed > built));
    sources.pop()
}
