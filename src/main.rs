//! Starts the runtime and turns the answer into an exit code; nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use maestro_gate::inputs::Env;
use maestro_gate::inputs::env::args;
use maestro_gate::{app, bug};

fn main() {
    bug::remember_panics();
    exit(match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let code = catch_unwind(AssertUnwindSafe(|| runtime.block_on(app::run(args(), Env::from_process()))));
            // A name look-up may hang for half a minute more; dropping the runtime would wait for it.
            runtime.shutdown_background();
            code.unwrap_or_else(|_| app::fallen())
        }
        Err(error) => app::no_report(&format!("the system refuses what waiting takes: {error}")),
    })
}

/// Leaves at once: threads that hang in a name look-up or in a write to a stalled pipe are not waited for.
#[expect(clippy::disallowed_methods, reason = "main turns the verdict into the exit code")]
fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}
