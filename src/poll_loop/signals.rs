//! The signals that ask a process to stop, on every platform.

use crate::core::Signal;

/// Listens for SIGINT, SIGTERM, SIGQUIT and SIGHUP; Ctrl-C, Ctrl-Break and their kin on Windows.
///
/// Listening is also what makes a process with id 1 heed them at all: there the default is to ignore.
#[derive(Debug)]
pub struct Signals(Inner);

#[cfg(unix)]
#[derive(Debug)]
struct Inner {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
    quit: Option<tokio::signal::unix::Signal>,
    hang_up: Option<tokio::signal::unix::Signal>,
}

/// Waits for one kind of signal; for ever, if it can't be heard.
macro_rules! first_signal {
    ($stream:expr) => {
        async {
            let first_signal = match $stream.as_mut() {
                Some(stream) => stream.recv().await,
                None => None,
            };
            if first_signal.is_none() {
                std::future::pending().await
            }
        }
    };
}

/// What a process gets that writes a file larger than it may; the number is the same on Linux and macOS.
#[cfg(unix)]
const FILE_TOO_LARGE: i32 = 25;

#[cfg(unix)]
impl Signals {
    /// What the system does not let us hear keeps its usual effect: the process ends, and the first versions of the
    /// reports say so. A SIGHUP that is ignored at the start (`nohup`) stays ignored.
    pub fn listen() -> Signals {
        use tokio::signal::unix::{SignalKind, signal};
        // Heard by nobody, but no longer deadly: the write fails with an error.
        let _heard = signal(SignalKind::from_raw(FILE_TOO_LARGE));
        Signals(Inner {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
            quit: signal(SignalKind::quit()).ok(),
            hang_up: if ignores_hang_up() { None } else { signal(SignalKind::hangup()).ok() },
        })
    }

    /// The next signal. Can be dropped and called again without losing one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            () = first_signal!(self.0.interrupt) => Signal::Interrupt,
            () = first_signal!(self.0.terminate) => Signal::Terminate,
            () = first_signal!(self.0.quit) => Signal::Terminate,
            () = first_signal!(self.0.hang_up) => Signal::Terminate,
        }
    }
}

/// Whether this process was started with SIGHUP ignored. Only Linux says so without `unsafe`; elsewhere it is not known.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
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

#[cfg(windows)]
#[derive(Debug)]
struct Inner {
    ctrl_c: Option<tokio::signal::windows::CtrlC>,
    ctrl_break: Option<tokio::signal::windows::CtrlBreak>,
    ctrl_close: Option<tokio::signal::windows::CtrlClose>,
    ctrl_shutdown: Option<tokio::signal::windows::CtrlShutdown>,
}

#[cfg(windows)]
impl Signals {
    /// What the system does not let us hear keeps its usual effect.
    pub fn listen() -> Signals {
        use tokio::signal::windows;
        Signals(Inner {
            ctrl_c: windows::ctrl_c().ok(),
            ctrl_break: windows::ctrl_break().ok(),
            ctrl_close: windows::ctrl_close().ok(),
            ctrl_shutdown: windows::ctrl_shutdown().ok(),
        })
    }

    /// The next signal. Can be dropped and called again without losing one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            () = first_signal!(self.0.ctrl_c) => Signal::Interrupt,
            () = first_signal!(self.0.ctrl_break) => Signal::Terminate,
            () = first_signal!(self.0.ctrl_close) => Signal::Terminate,
            () = first_signal!(self.0.ctrl_shutdown) => Signal::Terminate,
        }
    }
}
