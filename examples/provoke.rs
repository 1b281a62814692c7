//! The gate with a bug made on purpose: `cargo run --example provoke -- PLACE [the gate's own arguments]`.
//!
//! For the tests of what becomes of a panic (tests/it/stories/bugs.rs), which the program itself gives no means to cause. The
//! places are where the code says `panic_if_provoked`.

use std::process::ExitCode;

use maestro_gate::app;
use maestro_gate::inputs::Env;
use maestro_gate::inputs::env::args;
use maestro_gate::panic_hook;

fn main() -> ExitCode {
    let mut args = args();
    if !args.is_empty() {
        // A release has no bugs, not even these.
        panic_hook::provoke(args.remove(0).to_string_lossy().into_owned());
    }
    ExitCode::from(app::start(args, Env::from_process()))
}
