//! The signals that ask a process to stop, on every platform.

use futures_util::StreamExt;
use futures_util::stream::{LocalBoxStream, SelectAll, poll_fn};

use crate::core::Signal;

/// Listens for SIGINT, SIGTERM, SIGQUIT and SIGHUP; Ctrl-C, Ctrl-Break and their kin on Windows.
///
/// Listening is also what makes a process with id 1 heed them at all: there the default is to ignore.
///
/// Of all kinds only those that have come are polled: the loop waits for signals beside all else that it waits for.
pub struct Signals(SelectAll<LocalBoxStream<'static, Signal>>);

/// Adds a kind of signal. What the system does not let us hear keeps its usual effect: the process ends, and the first
/// versions of the reports say so.
macro_rules! listen {
    ($signals:ident, $meaning:expr, $stream:expr) => {
        if let Ok(mut stream) = $stream {
            $signals.push(poll_fn(move |context| stream.poll_recv(context)).map(|()| $meaning).boxed_local());
        }
    };
}

/// What a process gets that writes a file larger than it may; the number is the same on Linux and macOS.
#[cfg(unix)]
const FILE_TOO_LARGE: i32 = 25;

impl Signals {
    /// A SIGHUP that is ignored at the start (`nohup`) stays ignored.
    #[cfg(unix)]
    pub fn listen() -> Signals {
        use tokio::signal::unix::{SignalKind, signal};
        // Heard by nobody, but no longer deadly: the write fails with an error.
        let _heard = signal(SignalKind::from_raw(FILE_TOO_LARGE));
        let mut signals = SelectAll::new();
        listen!(signals, Signal::Interrupt, signal(SignalKind::interrupt()));
        listen!(signals, Signal::Terminate, signal(SignalKind::terminate()));
        listen!(signals, Signal::Terminate, signal(SignalKind::quit()));
        if !ignores_hang_up() {
            listen!(signals, Signal::Terminate, signal(SignalKind::hangup()));
        }
        Signals(signals)
    }

    #[cfg(windows)]
    pub fn listen() -> Signals {
        use tokio::signal::windows;
        let mut signals = SelectAll::new();
        listen!(signals, Signal::Interrupt, windows::ctrl_c());
        listen!(signals, Signal::Terminate, windows::ctrl_break());
        listen!(signals, Signal::Terminate, windows::ctrl_close());
        listen!(signals, Signal::Terminate, windows::ctrl_shutdown());
        Signals(signals)
    }

    /// The next signal. Can be dropped and called again without losing one.
    pub async fn next(&mut self) -> Signal {
        match self.0.next().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

/// Whether this process was started with SIGHUP ignored. Only Linux says so without `unsafe`; elsewhere it is not known.
#[cfg(unix)]
pub fn ignores_hang_up() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| is_hang_up_in(&status))
}

/// Reads the mask of ignored signals: hexadecimal, SIGHUP (1) in its lowest bit.
#[cfg(unix)]
fn is_hang_up_in(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::is_hang_up_in;

    #[test]
    fn the_mask_of_ignored_signals_says_of_nohup() {
        let status = |mask: &str| format!("Name:\tgate\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\nSigCgt:\t01\n");
        assert!(is_hang_up_in(&status("0000000000000001")) && is_hang_up_in(&status("0000000000001005")));
        assert!(!is_hang_up_in(&status("0000000000001000")) && !is_hang_up_in(&status("x")));
        assert!(!is_hang_up_in("SigBlk:\t01"));
    }
}
