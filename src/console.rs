//! The one writer of stdout: a thread, so that a reader who stalls can't hold the gate.
//!
//! Runners read a step's stdout through a pipe. When nobody reads it a write blocks for ever, and when it is closed a
//! write fails; neither may delay a verdict or turn into a panic (docs/reference.md#outputs). So lines are handed to a thread
//! of their own, and what it could not write is counted. Where the system has no thread left they are written at once.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::blocking;

/// How much may wait to be written before lines are dropped: a reader that is this far behind has stalled.
const QUEUE_BYTES: usize = 4 * 1024 * 1024;

/// How long to leave a stdout alone that says "try again" (a non-blocking pipe that is full).
const AGAIN: Duration = Duration::from_millis(5);

/// How long the very last words may take: what is left of two seconds after a signal.
const LAST: Duration = Duration::from_millis(200);

/// A handle to stdout, and to the thread that writes.
#[derive(Clone)]
pub struct Console {
    queue: Option<Sender<ConsoleTask>>,
    output: Arc<ConsoleOutput>,
}

type ConsoleTask = Box<dyn FnOnce() + Send>;

/// What is written to, and what became of the texts for it.
struct ConsoleOutput {
    writer: Mutex<Box<dyn Write + Send>>,
    queued: AtomicUsize,
    broken: AtomicBool,
    dropped: AtomicUsize,
}

/// What a pipe that can be written to takes at once (PIPE_BUF of Linux).
#[cfg(unix)]
const PIECE: usize = 4096;

/// Writes a text to stdout on this thread. If stdout takes nothing for so long, the rest is left out.
#[cfg(unix)]
pub fn print_at_once(text: &str, patience: Duration) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = std::io::stdout();
    let patience = Timespec { tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX), tv_nsec: 0 };
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        // Only what fits is written: a write to a pipe that nobody reads would block.
        if !matches!(poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], Some(&patience)), Ok(1..)) {
            return;
        }
        match rustix::io::write(&stdout, &rest[..rest.len().min(PIECE)]) {
            Ok(written) => rest = &rest[written..],
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => return,
        }
    }
}

/// Writes a text to stdout. If that takes longer than this, it is not waited for.
#[cfg(not(unix))]
pub fn print_at_once(text: &str, patience: Duration) {
    let _in_time = Console::over(std::io::stdout()).write_within(patience, text);
}

impl Console {
    /// Starts the thread that writes to `writer` from now on.
    pub fn over(writer: impl Write + Send + 'static) -> Console {
        let (queue, tasks) = channel::<ConsoleTask>();
        let has_thread = blocking::try_start("console", move || tasks.iter().for_each(|task| task())).is_ok();
        let output = ConsoleOutput {
            writer: Mutex::new(Box::new(writer)),
            queued: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            dropped: AtomicUsize::new(0),
        };
        Console { queue: has_thread.then_some(queue), output: Arc::new(output) }
    }

    /// Writes whole lines, each with its line break, in one piece, so that no other text falls in. Never blocks, if there is
    /// a thread.
    pub fn write(&self, text: String) {
        let size = text.len();
        let waiting = self.output.queued.fetch_add(size, Ordering::Relaxed);
        if waiting > 0 && waiting + size > QUEUE_BYTES || self.output.broken.load(Ordering::Relaxed) {
            self.output.queued.fetch_sub(size, Ordering::Relaxed);
            self.output.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let output = Arc::clone(&self.output);
        self.in_turn(move || output.write(&text));
    }

    /// Does `task` on the writing thread, after what was said so far: drawing blocks as writing does.
    pub fn in_turn(&self, task: impl FnOnce() + Send + 'static) {
        match &self.queue {
            // The thread goes on as long as there is a handle.
            Some(queue) => drop(queue.send(Box::new(task))),
            None => task(),
        }
    }

    /// Whether the reader is behind.
    pub fn is_behind(&self) -> bool {
        self.output.queued.load(Ordering::Relaxed) > 0
    }

    /// Completes when all that was said so far is written, or can't be.
    pub async fn flushed(&self) {
        let (done, written) = oneshot::channel();
        self.in_turn(move || {
            let _sent = done.send(());
        });
        // An error means that the thread is gone: there is nothing left to wait for.
        let _gone = written.await;
    }

    /// Says a last thing behind all that was said so far; on stderr, if stdout's reader does not read.
    pub fn last_words(&self, text: &str) {
        if !self.write_within(LAST, text) {
            last_words_aside(text);
        }
    }

    /// Whether this and all that was said so far could be written in time.
    fn write_within(&self, patience: Duration, text: &str) -> bool {
        let (done, written) = channel();
        self.write(text.to_owned());
        self.in_turn(move || {
            let _sent = done.send(());
        });
        written.recv_timeout(patience).is_ok() && self.dropped() == 0
    }

    /// How many pieces were lost.
    pub fn dropped(&self) -> usize {
        self.output.dropped.load(Ordering::Relaxed)
    }
}

/// Says a last thing where there is no console any more, and waits for no reader longer than `LAST`. A reader that does not read
/// stdout may read stderr.
pub fn last_words(text: &str) {
    Console::over(std::io::stdout()).last_words(text);
}

/// The same on stderr: what stdout's reader did not get.
pub fn last_words_aside(text: &str) {
    let _in_time = Console::over(std::io::stderr()).write_within(LAST, text);
}

impl ConsoleOutput {
    fn write(&self, text: &str) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let is_lost = self.broken.load(Ordering::Relaxed) || put(&mut **writer, text.as_bytes()).is_err();
        if is_lost {
            self.broken.store(true, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.queued.fetch_sub(text.len(), Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "this thread waits for a full pipe, nothing waits for this thread")]
fn put(out: &mut dyn Write, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(AGAIN),
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::Receiver;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            // A few bytes at a time, as a full pipe does.
            let some = bytes.len().min(3);
            self.0.lock().expect("not poisoned").extend_from_slice(&bytes[..some]);
            Ok(some)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    struct StalledWriter(Receiver<()>);

    impl Write for StalledWriter {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            let _never = self.0.recv();
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn lines_come_out_whole_and_in_order() {
        let out = Shared::default();
        let console = Console::over(out.clone());
        for n in 0..100 {
            console.write(format!("line {n}\n"));
        }
        console.flushed().await;
        let expected: String = (0..100).map(|n| format!("line {n}\n")).collect();
        assert_eq!(String::from_utf8_lossy(&out.0.lock().expect("not poisoned")), expected);
        assert_eq!(console.dropped(), 0);
    }

    #[tokio::test]
    async fn a_closed_stdout_is_counted_never_a_panic() {
        let console = Console::over(Closed);
        console.write("lost\n".to_owned());
        console.flushed().await;
        console.write("lost too\n".to_owned());
        assert_eq!(console.dropped(), 2);
    }

    #[tokio::test]
    async fn a_stalled_stdout_blocks_nobody_and_holds_a_bounded_amount() {
        let (_keep, never) = channel();
        let console = Console::over(StalledWriter(never));
        let line = "x".repeat(1024 * 1024);
        for _ in 0..10 {
            console.write(line.clone());
        }
        assert_eq!(console.dropped(), 6);
    }
}
