//! The gate with a bug made on purpose: `cargo run --example provoke -- PLACE [the gate's own arguments]`.
//!
//! For the tests of what becomes of a panic (tests/it/stories/bugs.rs), which the program itself gives no means to cause. The
//! places are where the code says `panic_if_provoked`.

use std::process::ExitCode;

use maestro_gate::app;
use maestro_gate::inputs::Env;
use maestro_gate::inputs::env::args;

fn main() -> ExitCode {
    let mut args = args();
    if !args.is_empty() {
        let place = args.remove(0);
        // A release has no bugs, not even these.
        #[cfg(debug_assertions)]
        maestro_gate::panic_hook::provoke(place.to_string_lossy().into_owned());
        drop(place);
    }
    ExitCode::from(app::start(args, Env::from_process()))
}
