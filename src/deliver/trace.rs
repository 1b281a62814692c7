//! The trace file while logs stream into it: a thread writes, so that a slow disk can't hold the gate.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use tokio::sync::oneshot;

use super::file;
use super::turn::Turn;
use crate::report::Stage;

/// How much may wait to be written: a disk this far behind gets no more.
const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// A trace file being written beside the one that stands.
#[derive(Debug)]
pub struct TraceFile {
    queue: Option<Sender<String>>,
    queued: Arc<AtomicUsize>,
    done: Option<oneshot::Receiver<io::Result<()>>>,
    complete: bool,
}

impl TraceFile {
    /// Starts to write what is to stand at `path`. It gets there when [`TraceFile::finish`] is through.
    pub(super) fn start(path: PathBuf, turn: Turn) -> TraceFile {
        let (queue, pieces) = channel::<String>();
        let (tell, done) = oneshot::channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&queued);
        let work = move || {
            let pieces = pieces.iter().inspect(|piece| {
                waiting.fetch_sub(piece.len(), Ordering::Relaxed);
            });
            let written = turn.take(Stage::Final, || write(&path, pieces));
            // The gate may have stopped waiting.
            drop(tell.send(written));
        };
        // If the thread can't be had, `done` says so when it is asked.
        let _started = thread::Builder::new().name("trace-file".into()).spawn(work);
        TraceFile { queue: Some(queue), queued, done: Some(done), complete: true }
    }

    /// Takes a piece of cleaned text. Never blocks.
    pub fn push(&mut self, piece: String) {
        let Some(queue) = &self.queue else { return };
        if self.queued.fetch_add(piece.len(), Ordering::Relaxed) > QUEUE_BYTES || queue.send(piece).is_err() {
            self.queue = None;
            self.complete = false;
        }
    }

    /// Completes when the file stands in its place, or says why it does not.
    pub async fn finish(mut self) -> io::Result<()> {
        self.queue = None;
        let gone = || io::Error::other("the writer stopped early");
        match self.done.take() {
            Some(done) => done.await.unwrap_or_else(|_| Err(gone()))?,
            None => return Err(gone()),
        }
        if self.complete { Ok(()) } else { Err(io::Error::other("the disk was too slow for the logs: cut short")) }
    }
}

fn write(path: &Path, pieces: impl Iterator<Item = String>) -> io::Result<()> {
    if file::standing(path) == file::Standing::Stream {
        // A pipe or a device: what comes goes straight through.
        return file::replace(path, pieces.collect::<String>().as_bytes());
    }
    let (out, beside) = file::stream_beside(path)?;
    let written = copy(out, pieces).and_then(|()| file::put_in_place(&beside, path));
    if written.is_err() {
        let _gone = std::fs::remove_file(&beside);
    }
    written
}

fn copy(out: File, pieces: impl Iterator<Item = String>) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    for piece in pieces {
        out.write_all(piece.as_bytes())?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::turn::Turns;

    #[tokio::test]
    async fn the_file_stands_whole_once_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trace.txt");
        file::replace(&path, b"old").expect("written");
        let mut trace = TraceFile::start(path.clone(), Turns::default().of(&path));
        for n in 0..1000 {
            trace.push(format!("line {n}\n"));
        }
        trace.finish().await.expect("written");
        let expected: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), expected);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[tokio::test]
    async fn a_folder_in_the_way_is_said_not_hidden() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut trace = TraceFile::start(folder.path().to_owned(), Turns::default().of(folder.path()));
        trace.push("text".into());
        assert!(trace.finish().await.is_err());
    }
}
