//! Named pipes between a test and the gate.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::Command;

use super::HANG_TIMEOUT;

/// The other end of a named pipe, once the gate has opened its own.
#[expect(clippy::disallowed_methods, reason = "the other end of a pipe of the gate's")]
#[track_caller]
pub fn other_end(path: &Path, how: &OpenOptions) -> File {
    let (path, how) = (path.to_owned(), how.clone());
    let (send, opened) = std::sync::mpsc::channel();
    // Opening blocks until the other side does the same: a gate that never does must not hang the tests.
    std::thread::spawn(move || send.send(how.open(path)));
    let opened = opened.recv_timeout(HANG_TIMEOUT).expect("the gate opens the pipe");
    opened.expect("a pipe")
}

#[track_caller]
pub fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}
