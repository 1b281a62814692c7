//! Starts the runtime and turns the answer into an exit code; nothing else.

use std::panic::catch_unwind;

use maestro_gate::app;
use maestro_gate::gate::Verdict;
use maestro_gate::inputs::Env;
use maestro_gate::inputs::env::args;

fn main() {
    let code = catch_unwind(|| match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(app::run(args(), Env::from_process()));
            // A name look-up may hang for half a minute more; dropping the runtime would wait for it.
            runtime.shutdown_background();
            code
        }
        Err(_) => Verdict::InternalError.exit_code(),
    });
    exit(code.unwrap_or(Verdict::InternalError.exit_code()));
}

/// Leaves at once: threads that hang in a name look-up or in a write to a stalled pipe are not waited for.
#[expect(clippy::disallowed_methods, reason = "main turns the verdict into the exit code")]
fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}
