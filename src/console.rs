//! The one writer of stdout: a thread, so that a reader who stalls can't hold the gate.
//!
//! Runners read a step's stdout through a pipe. When nobody reads it a write blocks for ever, and when it is closed a
//! write fails; neither may delay a verdict or turn into a panic (docs/reference.md#outputs). So lines are handed to a thread
//! of their own, and what it could not write is counted.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// How much may wait to be written before lines are dropped: a reader that is this far behind has stalled.
const QUEUE_BYTES: usize = 4 * 1024 * 1024;

/// How long to leave a stdout alone that says "try again" (a non-blocking pipe that is full).
const AGAIN: Duration = Duration::from_millis(5);

/// How long the very last words may take: what is left of two seconds after a signal.
const LAST: Duration = Duration::from_millis(200);

/// A handle to the writing thread.
#[derive(Clone, Debug)]
pub struct Console {
    queue: Sender<Message>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    queued: AtomicUsize,
    broken: AtomicBool,
    dropped: AtomicUsize,
}

enum Message {
    Text(String),
    Work(Box<dyn FnOnce() + Send>),
    Flush(oneshot::Sender<()>),
}

impl Console {
    /// Starts the thread that owns `out` from now on.
    pub fn over(out: impl Write + Send + 'static) -> Console {
        let (queue, messages) = channel();
        let state = Arc::new(State::default());
        let console = Console { queue, state: Arc::clone(&state) };
        // Without the thread nothing could be written; that is a reporting failure, and no more.
        if thread::Builder::new().name("console".into()).spawn(move || write_all(out, &messages, &state)).is_err() {
            console.state.broken.store(true, Ordering::Relaxed);
        }
        console
    }

    /// Writes whole lines, each with its line break. Never blocks; in one piece, so that no other text falls in.
    pub fn write(&self, text: String) {
        let size = text.len();
        let waiting = self.state.queued.fetch_add(size, Ordering::Relaxed);
        if waiting > 0 && waiting + size > QUEUE_BYTES || self.state.broken.load(Ordering::Relaxed) {
            self.state.queued.fetch_sub(size, Ordering::Relaxed);
            self.state.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.queue.send(Message::Text(text)).is_err() {
            self.state.broken.store(true, Ordering::Relaxed);
        }
    }

    /// Does `work` on the writing thread, after what was said so far: drawing blocks as writing does.
    pub fn in_turn(&self, work: impl FnOnce() + Send + 'static) {
        // Without the thread there is nothing to draw on.
        let _gone = self.queue.send(Message::Work(Box::new(work)));
    }

    /// Whether the reader is behind.
    pub fn is_behind(&self) -> bool {
        self.state.queued.load(Ordering::Relaxed) > 0
    }

    /// Completes when all that was said so far is written, or can't be.
    pub async fn flushed(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).is_ok() {
            // An error means that the thread is gone: there is nothing left to wait for.
            let _gone = written.await;
        }
    }

    /// How many pieces were lost.
    pub fn dropped(&self) -> usize {
        self.state.dropped.load(Ordering::Relaxed)
    }
}

/// Says a last thing where there is no console any more, and waits for no reader longer than `LAST`.
pub fn last_words(text: String) {
    say_last(std::io::stdout(), text);
}

/// The same to whoever reads stderr: what stdout's reader did not get.
pub fn last_words_aside(text: String) {
    say_last(std::io::stderr(), text);
}

fn say_last(mut out: impl Write + Send + 'static, text: String) {
    let (tell, told) = channel();
    let write = move || {
        let _written = put(&mut out, text.as_bytes());
        // The process may be gone.
        let _told = tell.send(());
    };
    if thread::Builder::new().name("last-words".into()).spawn(write).is_ok() {
        let _written = told.recv_timeout(LAST);
    }
}

fn write_all(mut out: impl Write, messages: &Receiver<Message>, state: &State) {
    for message in messages {
        match message {
            Message::Text(text) => {
                if !state.broken.load(Ordering::Relaxed) && put(&mut out, text.as_bytes()).is_err() {
                    state.broken.store(true, Ordering::Relaxed);
                }
                if state.broken.load(Ordering::Relaxed) {
                    state.dropped.fetch_add(1, Ordering::Relaxed);
                }
                state.queued.fetch_sub(text.len(), Ordering::Relaxed);
            }
            Message::Work(work) => work(),
            // The asker may have stopped waiting.
            Message::Flush(done) => drop(done.send(())),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this thread waits for a full pipe, nothing waits for this thread")]
fn put(out: &mut impl Write, mut bytes: &[u8]) -> std::io::Result<()> {
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
    use std::sync::Mutex;

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

    struct Stalled(Receiver<()>);

    impl Write for Stalled {
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
        let console = Console::over(Stalled(never));
        let line = "x".repeat(1024 * 1024);
        for _ in 0..10 {
            console.write(line.clone());
        }
        assert_eq!(console.dropped(), 6);
    }
}
