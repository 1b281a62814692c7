//! The trace file while logs stream into it: a thread writes, so that a slow disk can't hold the gate.

use std::cell::Cell;
use std::io::{self, BufWriter, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::path_guard::PathGuard;
use super::{DestinationState, OpenDestination, WriteError, lock, open};
use crate::config::Destination;
use crate::report::Stage;
use crate::{blocking, panic_hook};

/// How much may wait to be written: a disk this far behind gets no more.
const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// A trace file being written beside the one that stands.
pub struct TraceFile {
    queue: Option<Sender<String>>,
    queued: Arc<AtomicUsize>,
    done: oneshot::Receiver<Result<(), WriteError>>,
    /// Writes all that was queued: where the system has no thread that would do so meanwhile.
    at_the_end: Option<Box<dyn FnOnce() + Send>>,
    is_complete: bool,
}

impl TraceFile {
    /// Starts to write. The file gets into its place when [`TraceFile::finish`] is through.
    pub(super) fn start(
        destination: Destination,
        state: Arc<Mutex<DestinationState>>,
        guard: impl Fn() -> Arc<PathGuard> + Send + 'static,
    ) -> TraceFile {
        let (queue, pieces) = channel::<String>();
        let (notify, done) = oneshot::channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&queued);
        let work = move || {
            let mut pieces = pieces.iter().inspect(|piece| {
                waiting.fetch_sub(piece.len(), Ordering::Relaxed);
            });
            let notify = Rc::new(Cell::new(Some(notify)));
            // The gate may have stopped waiting.
            let say = move |written| drop(notify.take().map(|notify| notify.send(written)));
            let lost = say.clone();
            panic_hook::stop_only_this_thread(move || lost(Err(WriteError::Bug)));
            say(write(&destination, &mut lock(&state), &guard(), &mut pieces));
        };
        let work: Box<dyn FnOnce() + Send> = Box::new(work);
        let on_its_thread = blocking::try_start("trace-file", work);
        TraceFile { queue: Some(queue), queued, done, at_the_end: on_its_thread.err(), is_complete: true }
    }

    /// Takes a text that is at hand anyway: a trace. Never blocks.
    pub fn push(&mut self, text: String) {
        self.queued.fetch_add(text.len(), Ordering::Relaxed);
        if self.queue.as_ref().is_some_and(|queue| queue.send(text).is_err()) {
            self.cut_short();
        }
    }

    /// Takes a piece of a text that streams in: logs. Never blocks; what a slow disk leaves no room for is left out.
    pub fn stream(&mut self, piece: String) {
        if self.queued.load(Ordering::Relaxed) > QUEUE_BYTES {
            self.cut_short();
        }
        self.push(piece);
    }

    fn cut_short(&mut self) {
        self.queue = None;
        self.is_complete = false;
    }

    /// Completes when the file stands in its place, or says why it does not.
    pub async fn finish(mut self) -> Result<(), WriteError> {
        self.queue = None;
        if let Some(write) = self.at_the_end.take() {
            write();
        }
        self.done.await.unwrap_or(Err(WriteError::Bug))?;
        if self.is_complete { Ok(()) } else { Err(WriteError::CutShort) }
    }
}

fn write(
    destination: &Destination,
    state: &mut DestinationState,
    guard: &Arc<PathGuard>,
    pieces: &mut dyn Iterator<Item = String>,
) -> Result<(), WriteError> {
    panic_hook::panic_if_provoked("write", "logs");
    if state.open.is_none() {
        state.open = Some(open(destination, guard)?);
    }
    let Some(OpenDestination::File(file)) = &mut state.open else { return Err(WriteError::Bug) };
    // While the gate waited, the path may have come to lead elsewhere.
    let admit = || destination.path().map_or(Ok(()), |path| guard.admit(path));
    admit()?;
    if file.is_stream() || file.is_in_place() {
        return file.write(Stage::Final, &[&pieces.collect::<String>()]);
    }
    let mut new = BufWriter::new(file.begin()?);
    for piece in pieces {
        new.write_all(piece.as_bytes())?;
    }
    let new = new.into_inner().map_err(io::IntoInnerError::into_error)?;
    admit()?;
    file.put(new)
}
