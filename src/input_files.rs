//! Resolves the inputs, reading the files they name, while signals are still handled.
//!
//! A file that an input names may be a FIFO that nobody writes to (`--password-file <(...)` is one), or lie on a file
//! system that is gone. Opening it then blocks for ever; so files are read on a thread, and given up in time.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::config::{self, InputError, Start};
use crate::core::Signal;
use crate::inputs::Env;
use crate::poll_loop::Signals;
use crate::{blocking, panic_hook};

/// The largest file of an input (a certificate bundle is a few hundred KiB): a device can't fill the memory.
const FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// How often a wait for a file looks up, and how often it does so before the file is given up: ten seconds, enough for a
/// command that fetches a secret into a FIFO.
const LOOK_UP: Duration = Duration::from_millis(50);
const LOOK_UPS: u32 = 200;

/// What came of the inputs.
pub struct ResolvedInputs {
    pub start: Start,
    /// A signal that came meanwhile.
    pub first_signal: Option<Signal>,
    /// Whether a file was given up for it: then what is missing is no mistake in the inputs.
    pub gave_up: bool,
}

/// Why there is nothing to wait for.
pub enum StartupError {
    InvalidInputs(Vec<InputError>),
    /// Not all files of the inputs were read. Other errors in them are reported at the next try.
    Interrupted(Signal),
}

impl StartupError {
    /// `interrupted`: a signal for which reading a file was given up.
    pub fn new(errors: Vec<InputError>, interrupted: Option<Signal>) -> StartupError {
        interrupted.map_or(StartupError::InvalidInputs(errors), StartupError::Interrupted)
    }
}

/// That a signal came, and whether a file was given up for it.
#[derive(Default)]
struct Cancellation {
    came: AtomicBool,
    gave_up: AtomicBool,
}

/// Resolves the inputs.
pub async fn resolve(args: Vec<OsString>, env: Env, signals: &mut Signals) -> ResolvedInputs {
    let cancellation = Arc::new(Cancellation::default());
    let shared = Arc::clone(&cancellation);
    let (sender, mut resolving) = oneshot::channel();
    blocking::start("inputs", move || {
        panic_hook::panic_if_provoked("inputs", "");
        // The gate waits for it.
        let _sent = sender.send(config::resolve(&args, &env, &|path| read(path, &shared)));
    });
    let mut first_signal = None;
    loop {
        tokio::select! {
            biased;
            signal = signals.next(), if first_signal.is_none() => {
                first_signal = Some(signal);
                cancellation.came.store(true, Ordering::Relaxed);
            }
            start = &mut resolving => {
                let start = start.expect("no thread comes back from a panic");
                return ResolvedInputs { start, first_signal, gave_up: cancellation.gave_up.load(Ordering::Relaxed) };
            }
        }
    }
}

/// Reads a file, in ten seconds or not at all; not at all once there is a `cancellation`.
fn read(path: &Path, cancellation: &Cancellation) -> io::Result<Vec<u8>> {
    let (sender, receiver) = channel();
    let path = path.to_owned();
    // The thread may stay blocked for good: nobody waits for it, not even the end of the process.
    blocking::start("input-file", move || drop(sender.send(read_whole(&path))));
    for _ in 0..LOOK_UPS {
        match receiver.recv_timeout(LOOK_UP) {
            Ok(read) => return read,
            Err(RecvTimeoutError::Disconnected) => return Err(ErrorKind::Other.into()),
            Err(RecvTimeoutError::Timeout) if cancellation.came.load(Ordering::Relaxed) => {
                cancellation.gave_up.store(true, Ordering::Relaxed);
                return Err(ErrorKind::Interrupted.into());
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    Err(ErrorKind::TimedOut.into())
}

fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}
