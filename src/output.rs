//! Writes the reports: every destination is opened and gets its first version before the first request, and its final
//! version whatever the result. Only this module writes files.
//!
//! All documents of a version are rendered before any of them is written: a panic then writes nothing, and what stands is
//! the first version. Once writing has begun, a destination that fails, hangs or panics costs itself alone.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::config::{CollisionKind, Destination, DocumentKind, OutputConfig, WriteTarget};
use crate::panic_hook;
use crate::report::Report;
use crate::report::ci::github::Delimiter;
use crate::report::sanitize::Sanitized;
use destination_state::DestinationState;
use path_guard::PathGuard;
use render::{RenderedContent, render};

mod agent;
mod destination_state;
mod file_id;
mod path_guard;
mod render;
mod report_file;
mod shared_file;
mod trace_writer;
mod worker;

pub use trace_writer::TraceFile;
pub use worker::{Job, Jobs};

/// Why a destination was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The path leads where no report may go.
    #[error("{0}")]
    Refused(String),
    /// Something older stands there and can't be replaced: the next job would read it.
    #[error("what stands there can't be replaced: {0}")]
    OldReportStays(io::Error),
    #[error("can't be written: {0}")]
    NotWritten(#[from] io::Error),
    #[error("not written in time")]
    NotInTime,
    #[error("the disk was too slow for the logs, which are cut short")]
    CutShort,
    #[error("can't be written: a bug of the gate, please report this")]
    Bug,
}

/// What came of a job on a destination: something to note, if it was done.
pub type WriteResult = Result<Option<String>, WriteError>;

/// A job on a destination, and the destination's number.
pub type WriteJob = Job<Option<String>>;

/// The destinations of this run of the gate. Their numbers are their places in `output_config`.
pub struct ReportWriter {
    pub output_config: OutputConfig,
    /// One for each destination.
    pub slots: Vec<DestinationSlot>,
    guard: Arc<OnceLock<Arc<PathGuard>>>,
    /// A descriptor that is given up when the last versions are written: by then connections may have taken all others.
    spare: Option<File>,
}

/// What is known of a destination.
pub struct DestinationSlot {
    /// Locked while it is written: a first version that a stalled file system holds up must not come after the last.
    state: Arc<Mutex<DestinationState>>,
    /// What was said if it did not get its first version. The last one is tried all the same, and if it fails too, these are
    /// the words again: a person need not hear of it twice.
    pub missed: Option<Sanitized>,
    /// What stands there is not ours to touch.
    pub is_left_out: bool,
}

impl ReportWriter {
    pub fn new(output_config: OutputConfig) -> ReportWriter {
        let slot = |destination: &Destination| DestinationSlot {
            state: Arc::new(Mutex::new(DestinationState::new(destination.clone()))),
            missed: None,
            is_left_out: false,
        };
        let slots = output_config.destinations.iter().map(slot).collect();
        ReportWriter { output_config, slots, guard: Arc::default(), spare: None }
    }

    /// The destination with this number.
    pub fn destination(&self, index: usize) -> &Destination {
        &self.output_config.destinations[index]
    }

    /// Where the trace file is, if one is wanted and its first version could be written.
    pub fn trace_file(&self) -> Option<&Path> {
        let index = self.trace_index().filter(|index| self.slots[*index].missed.is_none())?;
        self.destination(index).path()
    }

    /// The number of the trace file, if one is written.
    pub fn trace_index(&self) -> Option<usize> {
        self.written().find(|(_, destination)| destination.document == DocumentKind::TraceFile).map(|(index, _)| index)
    }

    /// Whether it goes to a pipe or a device, as far as is known without waiting for it.
    pub fn is_stream(&self, index: usize) -> bool {
        self.slots[index].state.try_lock().is_ok_and(|state| state.is_stream())
    }

    /// The reports that would be written over something else. Only looks.
    pub fn collisions(&self) -> Job<Vec<(usize, CollisionKind)>> {
        let output_config = self.output_config.clone();
        (0, Box::new(move || Ok(output_config.collisions(path_guard::place))))
    }

    /// Opens every destination, and takes away what an earlier job left there.
    pub fn open(&mut self) -> Vec<WriteJob> {
        self.spare = open_null().ok();
        self.written().map(|(index, _)| self.job(index, DestinationState::open)).collect()
    }

    /// Tries every destination, and leaves each as it is.
    pub fn trials(&self) -> Vec<WriteJob> {
        // The agent is asked once, whatever it gets.
        let asked = |destination: &Destination| {
            !matches!(destination.target, WriteTarget::Agent(_)) || destination.document == DocumentKind::Outputs
        };
        let tried = self.written().filter(|(_, destination)| asked(destination));
        tried.map(|(index, _)| self.job(index, DestinationState::try_out)).collect()
    }

    /// The documents of a report, rendered, and the jobs that write them. `wanted` says which destinations.
    pub fn write(&self, report: &Report, wanted: impl Fn(&Destination) -> bool) -> Vec<WriteJob> {
        let wanted = self.written().filter(|(_, destination)| wanted(destination));
        let documents: Vec<(usize, RenderedContent)> =
            wanted.map(|(index, destination)| (index, render(&self.output_config, destination, report))).collect();
        let stage = report.stage;
        let job = |(index, content)| {
            let name = self.destination(index).name();
            let (_, write) = self.job(index, move |state, guard| state.write(guard, stage, content));
            let write = move || {
                panic_hook::panic_if_provoked("write", name);
                write()
            };
            (index, Box::new(write) as Box<_>)
        };
        documents.into_iter().map(job).collect()
    }

    /// Writes a report on this thread, where there is no other: whatever can be written.
    pub fn write_here(&mut self, report: &Report) {
        for (index, _) in self.output_config.collisions(path_guard::place) {
            self.slots[index].is_left_out = true;
        }
        for (index, open) in self.open() {
            self.slots[index].is_left_out = open().is_err();
        }
        self.free_a_descriptor();
        for (_, write) in self.write(report, |_| true) {
            // The exit code is all that is left to tell of it.
            let _written = write();
        }
    }

    /// Gives up the descriptor that was kept for writing.
    pub fn free_a_descriptor(&mut self) {
        self.spare = None;
    }

    /// The destinations that are written, by number.
    pub fn written(&self) -> impl Iterator<Item = (usize, &Destination)> {
        self.output_config.destinations.iter().enumerate().filter(|(index, _)| !self.slots[*index].is_left_out)
    }

    /// A job that has a destination to itself. The first one makes the guard, which reads the file system: that may be slow.
    fn job(
        &self,
        index: usize,
        work: impl FnOnce(&mut DestinationState, &Arc<PathGuard>) -> WriteResult + Send + 'static,
    ) -> WriteJob {
        let (state, guard) = (Arc::clone(&self.slots[index].state), Arc::clone(&self.guard));
        let output_config = self.output_config.clone();
        let work = move || {
            let guard = guard.get_or_init(|| Arc::new(PathGuard::new(&output_config)));
            work(&mut state.lock().unwrap_or_else(PoisonError::into_inner), guard)
        };
        (index, Box::new(work))
    }
}

/// What can be opened anywhere.
const NULL: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// How many descriptors the gate needs to wait and to write reports: the runtime takes five for waiting and for signals, and
/// replacing a file takes up to four more (the spare one, the folder on the way, the folder itself, the new file). With fewer, an
/// earlier job's reports would be removed and none written.
const DESCRIPTORS: usize = 9;

/// Whether the process may have as many as that.
///
/// # Errors
/// When the system says no.
pub fn descriptors() -> io::Result<()> {
    (0..DESCRIPTORS).map(|_| open_null()).collect::<io::Result<Vec<File>>>().map(drop)
}

fn open_null() -> io::Result<File> {
    report_file::open(OpenOptions::new().read(true), Path::new(NULL))
}

/// A token that nobody can guess, for delimiters and stop commands.
pub fn token() -> Delimiter {
    Delimiter::new(&random_token()).expect("32 hex digits are a token")
}

/// 128 random bits in hex.
fn random_token() -> String {
    let mut bits = [0_u8; 16];
    // Without randomness a delimiter could be guessed; failing loudly is the only safe thing, and the first versions of
    // the reports already say "internal-error".
    getrandom::fill(&mut bits).expect("the system has a source of randomness");
    bits.iter().map(|byte| format!("{byte:02x}")).collect()
}
