//! The trace file while logs stream into it: a thread writes, so that a slow disk can't hold the gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use super::{Jobs, ReportWriter, WriteError};
use crate::blocking;

/// How much may wait to be written: a disk this far behind gets no more.
const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// A trace file being written beside the one that stands.
pub struct TraceFile {
    /// None: the file is cut short.
    queue: Option<Sender<String>>,
    queued: Arc<AtomicUsize>,
    /// The one that writes.
    job: Jobs<Option<String>>,
}

impl ReportWriter {
    /// Begins the trace file anew, for traces and logs. It gets into its place when [`TraceFile::finish`] is through.
    pub fn start_trace(&self, index: usize) -> TraceFile {
        let (queue, pieces) = channel::<String>();
        let queued = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&queued);
        let pieces = pieces.into_iter().inspect(move |piece| {
            waiting.fetch_sub(piece.len(), Ordering::Relaxed);
        });
        let job = Jobs::new(vec![self.job(index, move |state, guard| state.write_pieces(guard, pieces))]);
        // Where the system has no thread for it, it is written at the end.
        let _no_thread = blocking::try_start("trace-file", job.worker());
        TraceFile { queue: Some(queue), queued, job }
    }
}

impl TraceFile {
    /// Takes a text that is at hand anyway: a trace. Never blocks.
    pub fn push(&mut self, text: String) {
        self.queued.fetch_add(text.len(), Ordering::Relaxed);
        if self.queue.as_ref().is_some_and(|queue| queue.send(text).is_err()) {
            self.queue = None;
        }
    }

    /// Takes a piece of a text that streams in: logs. Never blocks; what a slow disk leaves no room for is left out.
    pub fn stream(&mut self, piece: String) {
        if self.queued.load(Ordering::Relaxed) > QUEUE_BYTES {
            self.queue = None;
        }
        self.push(piece);
    }

    /// Completes when the file stands in its place, or says why it does not.
    pub async fn finish(mut self) -> Result<(), WriteError> {
        let is_complete = self.queue.take().is_some();
        if !self.job.are_begun() {
            self.job.go_on();
        }
        let (_, written) = self.job.next().await;
        written?;
        if is_complete { Ok(()) } else { Err(WriteError::CutShort) }
    }
}
