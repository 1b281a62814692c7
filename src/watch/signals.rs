//! The signals that ask a process to stop, on every platform.

use std::io;

use crate::gate::Signal;

/// Listens for SIGINT, SIGTERM and SIGHUP; Ctrl-C, Ctrl-Break and their kin on Windows.
///
/// Listening is also what makes a process with id 1 heed them at all: there the default is to ignore.
#[derive(Debug)]
pub struct Signals(Inner);

#[cfg(unix)]
#[derive(Debug)]
struct Inner {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub fn listen() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals(Inner {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        }))
    }

    /// The next signal. Can be dropped and called again without losing one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.0.interrupt.recv() => Signal::Interrupt,
            _ = self.0.terminate.recv() => Signal::Terminate,
            _ = self.0.hang_up.recv() => Signal::Terminate,
        }
    }
}

#[cfg(windows)]
#[derive(Debug)]
struct Inner {
    ctrl_c: tokio::signal::windows::CtrlC,
    ctrl_break: tokio::signal::windows::CtrlBreak,
    ctrl_close: tokio::signal::windows::CtrlClose,
    ctrl_shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    pub fn listen() -> io::Result<Signals> {
        use tokio::signal::windows;
        Ok(Signals(Inner {
            ctrl_c: windows::ctrl_c()?,
            ctrl_break: windows::ctrl_break()?,
            ctrl_close: windows::ctrl_close()?,
            ctrl_shutdown: windows::ctrl_shutdown()?,
        }))
    }

    /// The next signal. Can be dropped and called again without losing one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.0.ctrl_c.recv() => Signal::Interrupt,
            _ = self.0.ctrl_break.recv() => Signal::Terminate,
            _ = self.0.ctrl_close.recv() => Signal::Terminate,
            _ = self.0.ctrl_shutdown.recv() => Signal::Terminate,
        }
    }
}
