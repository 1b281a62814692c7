//! Turns the answer into an exit code; nothing else.

use maestro_gate::app;
use maestro_gate::inputs::Env;
use maestro_gate::inputs::env::args;
use maestro_gate::memory;

/// musl's own allocator gives every larger block back to the system at once: eight system calls in each poll.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() {
    memory::protect();
    exit(app::start(args(), Env::from_process()))
}

/// Leaves at once: threads that hang in a name look-up or in a write to a stalled pipe are not waited for.
#[expect(clippy::disallowed_methods, reason = "main turns the verdict into the exit code")]
fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}
