//! Resolves the inputs, reading the files they name, while signals are still handled.
//!
//! A file that an input names may be a FIFO that nobody writes to (`--password-file <(...)` is one), or lie on a file
//! system that is gone. Opening it then blocks for ever; so files are read on a thread, and given up in time.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::config::{self, InputError, Resolved};
use crate::core::Signal;
use crate::inputs::Env;
use crate::poll_loop::Signals;
use crate::{blocking, panic_hook};

/// The largest file of an input (a certificate bundle is a few hundred KiB): a device can't fill the memory.
const FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// How often a wait for a file looks up.
const LOOK_UP: Duration = Duration::from_millis(50);

/// How long all files together may take, unless the gate's own timeout is shorter: enough for a command that fetches a secret
/// into a FIFO.
const LIMIT: Duration = Duration::from_secs(10);

/// What came of the inputs.
pub struct ResolvedInputs {
    pub resolved: Resolved,
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

/// What ends a wait for a file: a signal, or the time that all files have together.
#[derive(Default)]
struct Cancellation {
    /// A signal came.
    came: AtomicBool,
    /// A file was given up for it.
    gave_up: AtomicBool,
    /// How often the waits have looked up so far.
    look_ups: AtomicU32,
}

impl Cancellation {
    /// Whether a wait may look up again. `timeout` is the gate's; zero polls once, and is no limit here.
    fn look_up(&self, timeout: Option<Duration>) -> bool {
        let limit = timeout.filter(|timeout| !timeout.is_zero()).map_or(LIMIT, |timeout| timeout.min(LIMIT));
        let before = self.look_ups.fetch_add(1, Ordering::Relaxed);
        u128::from(before) < limit.as_millis() / LOOK_UP.as_millis()
    }
}

/// Resolves the inputs.
pub async fn resolve(args: Vec<OsString>, env: Env, signals: &mut Signals) -> ResolvedInputs {
    let cancellation = Arc::new(Cancellation::default());
    let shared = Arc::clone(&cancellation);
    let mut resolving = pin!(blocking::run("inputs", move || {
        panic_hook::panic_if_provoked("inputs", "");
        config::resolve(&args, &env, &|path, timeout| read(path, timeout, &shared))
    }));
    let mut first_signal = None;
    loop {
        tokio::select! {
            biased;
            signal = signals.next(), if first_signal.is_none() => {
                first_signal = Some(signal);
                cancellation.came.store(true, Ordering::Relaxed);
            }
            resolved = &mut resolving => {
                return ResolvedInputs { resolved, first_signal, gave_up: cancellation.gave_up.load(Ordering::Relaxed) };
            }
        }
    }
}

/// Reads a file, in the time that is left for all files or not at all; not at all once a signal came.
fn read(path: &Path, timeout: Option<Duration>, cancellation: &Cancellation) -> io::Result<Vec<u8>> {
    let (sender, receiver) = channel();
    let path = path.to_owned();
    // The thread may stay blocked for good: nobody waits for it, not even the end of the process.
    blocking::start("input-file", move || drop(sender.send(read_whole(&path))));
    while cancellation.look_up(timeout) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn look_ups(timeout: Option<u64>) -> usize {
        let (cancellation, timeout) = (Cancellation::default(), timeout.map(Duration::from_secs));
        std::iter::from_fn(|| cancellation.look_up(timeout).then_some(())).count()
    }

    #[test]
    fn all_files_together_have_ten_seconds_or_the_gate_s_timeout() {
        assert_eq!([None, Some(0), Some(3600), Some(2)].map(look_ups), [200, 200, 200, 40]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_after_one_that_took_all_the_time_is_given_up_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let (cancellation, timeout) = (Cancellation::default(), Some(LOOK_UP));
        for _ in 0..3 {
            assert_eq!(read(&pipe, timeout, &cancellation).expect_err("nobody writes").kind(), ErrorKind::TimedOut);
        }
        assert!(!cancellation.look_up(timeout));
    }
}
