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
use crate::report::ci::github::Delimiter;
use crate::report::output_values::OUTPUTS;
use crate::report::sanitize::Sanitized;
use crate::report::trace_file::Section;
use crate::report::{Report, Stage};
use path_guard::{PathGuard, PathKind, path_kind};
use render::{RenderedContent, render};
use report_file::ReportFile;
use shared_file::SharedFile;

mod agent;
mod dry_run;
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

/// What came of a job: something to note, if it was done.
pub type WriteResult = Result<Option<String>, WriteError>;

/// The destinations of this run of the gate.
pub struct ReportWriter {
    output_config: OutputConfig,
    /// One for each destination of the outlet.
    slots: Vec<DestinationSlot>,
    guard: Arc<OnceLock<Arc<PathGuard>>>,
    /// A descriptor that is given up when the last versions are written: by then connections may have taken all others.
    spare: Option<File>,
}

/// What is known of a destination.
struct DestinationSlot {
    /// Locked while it is written: a first version that a stalled file system holds up must not come after the last.
    state: Arc<Mutex<DestinationState>>,
    /// What was said if it did not get its first version.
    missed: Option<Sanitized>,
    /// What stands there is not ours to touch.
    is_left_out: bool,
}

#[derive(Default)]
struct DestinationState {
    open: Option<OpenDestination>,
    has_last: bool,
}

/// A destination that was opened.
enum OpenDestination {
    File(ReportFile),
    Folder(Vec<(&'static str, ReportFile)>),
    Shared(SharedFile),
    Agent(&'static str),
}

impl ReportWriter {
    pub fn new(output_config: OutputConfig) -> ReportWriter {
        let slot = |_| DestinationSlot { state: Arc::default(), missed: None, is_left_out: false };
        let slots = (0..output_config.destinations.len()).map(slot).collect();
        ReportWriter { output_config, slots, guard: Arc::default(), spare: None }
    }

    pub fn output_config(&self) -> &OutputConfig {
        &self.output_config
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
        let open = |state: std::sync::MutexGuard<'_, DestinationState>| matches!(&state.open, Some(OpenDestination::File(file)) if file.is_stream());
        self.slots[index].state.try_lock().is_ok_and(open)
    }

    /// Begins the trace file anew, for traces and logs.
    pub fn start_trace(&self, index: usize) -> TraceFile {
        TraceFile::start(self.destination(index).clone(), Arc::clone(&self.slots[index].state), self.guard())
    }

    /// A destination did not get its first version, of which this was said. The last one is tried all the same.
    pub fn note_missed(&mut self, index: usize, said: Sanitized) {
        self.slots[index].missed = Some(said);
    }

    /// What was said of a destination that did not get its first version: the words for the last one too, or a person would
    /// hear of it twice.
    pub fn missed(&self, index: usize) -> Option<&Sanitized> {
        self.slots[index].missed.as_ref()
    }

    /// A destination that is not to be written any more.
    pub fn leave_out(&mut self, index: usize) {
        self.slots[index].is_left_out = true;
    }

    /// The reports that would be written over something else. Only looks.
    pub fn collisions(&self) -> Job<Vec<(usize, CollisionKind)>> {
        let output_config = self.output_config.clone();
        (0, Box::new(move || output_config.collisions(path_guard::place)))
    }

    /// Opens every destination, and takes away what an earlier job left there.
    pub fn open(&mut self) -> Vec<Job<WriteResult>> {
        self.spare = report_file::open(OpenOptions::new().read(true), Path::new(NULL)).ok();
        let job = |(index, destination): (usize, &Destination)| {
            let (state, guard, destination) = (self.state(index), self.guard(), destination.clone());
            let work = move || {
                let mut state = lock(&state);
                let open = open(&destination, &guard())?;
                let outside = destination.is_named_by_input().then(|| guard().outside(destination.path()?)).flatten();
                let outside = outside.map(|end| format!("{} is outside the workspace", end.display()));
                let in_place = open.is_in_place().then(|| "can't be replaced here, so it is overwritten".to_owned());
                state.open = Some(open);
                Ok(in_place.or(outside))
            };
            worker::job(index, work)
        };
        self.written().map(job).collect()
    }

    /// The documents of a report, rendered, and the jobs that write them. `wanted` says which destinations.
    pub fn write(&self, report: &Report, wanted: impl Fn(&Destination) -> bool) -> Vec<Job<WriteResult>> {
        let wanted = self.written().filter(|(_, destination)| wanted(destination));
        let documents: Vec<(usize, RenderedContent)> =
            wanted.map(|(index, destination)| (index, render(&self.output_config, destination, report))).collect();
        let job = |(index, content): (usize, RenderedContent)| {
            let (state, guard, stage) = (self.state(index), self.guard(), report.stage);
            let destination = self.destination(index).clone();
            let work = move || {
                panic_hook::panic_if_provoked("write", destination.name());
                let mut state = lock(&state);
                if stage == Stage::First && state.has_last {
                    // It comes late, and nobody waits to hear of it.
                    return Ok(None);
                }
                let has_last = std::mem::replace(&mut state.has_last, stage == Stage::Final);
                if has_last && state.open.as_ref().is_some_and(OpenDestination::is_stream) {
                    // A pipe's reader gets one document.
                    return Ok(None);
                }
                // While the gate waited, the path may have come to lead elsewhere.
                if let WriteTarget::File(path) | WriteTarget::Folder(path) = &destination.target {
                    guard().admit(path)?;
                }
                if state.open.is_none() {
                    state.open = Some(open(&destination, &guard())?);
                }
                if let Some(open) = &mut state.open {
                    write(open, &destination, stage, content)?;
                }
                Ok(None)
            };
            worker::job(index, work)
        };
        documents.into_iter().map(job).collect()
    }

    /// Writes a report on this thread, where there is no other: whatever can be written.
    pub fn write_here(&mut self, report: &Report) {
        for (index, _) in self.output_config.collisions(path_guard::place) {
            self.leave_out(index);
        }
        for (index, open) in self.open() {
            if open().is_err() {
                self.leave_out(index);
            }
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
    fn written(&self) -> impl Iterator<Item = (usize, &Destination)> {
        self.output_config.destinations.iter().enumerate().filter(|(index, _)| !self.slots[*index].is_left_out)
    }

    fn state(&self, index: usize) -> Arc<Mutex<DestinationState>> {
        Arc::clone(&self.slots[index].state)
    }

    /// Created on first use, because it reads the file system, which may be slow.
    fn guard(&self) -> impl Fn() -> Arc<PathGuard> + Send + use<> {
        let (guard, output_config) = (Arc::clone(&self.guard), self.output_config.clone());
        move || Arc::clone(guard.get_or_init(|| Arc::new(PathGuard::new(&output_config))))
    }
}

fn lock(state: &Mutex<DestinationState>) -> std::sync::MutexGuard<'_, DestinationState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OpenDestination {
    fn is_stream(&self) -> bool {
        match self {
            OpenDestination::File(file) => file.is_stream(),
            OpenDestination::Folder(files) => files.iter().any(|(_, file)| file.is_stream()),
            OpenDestination::Shared(file) => file.is_stream(),
            OpenDestination::Agent(_) => false,
        }
    }

    fn is_in_place(&self) -> bool {
        match self {
            OpenDestination::File(file) => file.is_in_place(),
            OpenDestination::Folder(files) => files.iter().any(|(_, file)| file.is_in_place()),
            OpenDestination::Shared(_) | OpenDestination::Agent(_) => false,
        }
    }
}

fn open(destination: &Destination, guard: &Arc<PathGuard>) -> Result<OpenDestination, WriteError> {
    Ok(match &destination.target {
        WriteTarget::File(path) => OpenDestination::File(ReportFile::open(path, guard)?),
        WriteTarget::Folder(folder) => {
            guard.admit(folder)?;
            if matches!(path_kind(folder), PathKind::RegularFile | PathKind::Stream) {
                return Err(WriteError::OldReportStays(io::ErrorKind::NotADirectory.into()));
            }
            // One file that can't be opened is no reason to leave an old report in the others.
            let files = OUTPUTS.map(|(name, _)| Ok((name, ReportFile::open(&folder.join(name), guard)?)));
            OpenDestination::Folder(files.into_iter().collect::<Result<_, WriteError>>()?)
        }
        WriteTarget::Shared(path) => {
            let is_page = destination.document == DocumentKind::Summary;
            let file = if is_page { SharedFile::of_text(path)? } else { SharedFile::of_records(path)? };
            guard.admit_shared(file.file())?;
            OpenDestination::Shared(file)
        }
        WriteTarget::Agent(program) => OpenDestination::Agent(program),
    })
}

fn write(
    open: &mut OpenDestination,
    destination: &Destination,
    stage: Stage,
    content: RenderedContent,
) -> Result<(), WriteError> {
    match (open, content) {
        // A pipe's reader gets one document: of the trace file the one with the logs.
        (OpenDestination::File(file), RenderedContent::Trace(_)) if file.is_stream() => Ok(()),
        (OpenDestination::File(file), RenderedContent::Trace(sections)) => {
            file.write(stage, &sections.iter().flat_map(Section::texts).collect::<Vec<_>>())
        }
        (OpenDestination::File(file), RenderedContent::Text(text)) => {
            file.write(stage, &[&text])?;
            // Azure fails the step for a path where there is no file.
            if destination.upload.is_some() && file.is_stream() {
                return Err(WriteError::NotWritten(io::ErrorKind::NotFound.into()));
            }
            Ok(())
        }
        (OpenDestination::Folder(files), RenderedContent::Files(outputs)) => {
            // One file that can't be written is no reason to leave the others unwritten.
            let mut result = Ok(());
            for output in &outputs {
                if let Some((_, file)) = files.iter_mut().find(|(name, _)| *name == output.name) {
                    result = result.and(file.write(stage, &[&output.value]));
                }
            }
            result
        }
        (OpenDestination::Shared(file), RenderedContent::Text(text)) => Ok(file.write(&text)?),
        (OpenDestination::Agent(program), RenderedContent::Calls(calls)) => {
            Ok(agent::call(program, calls, &crate::config::secret_variables())?)
        }
        (
            OpenDestination::File(_) | OpenDestination::Shared(_),
            RenderedContent::Files(_) | RenderedContent::Calls(_),
        )
        | (OpenDestination::Shared(_), RenderedContent::Trace(_))
        | (
            OpenDestination::Folder(_),
            RenderedContent::Text(_) | RenderedContent::Trace(_) | RenderedContent::Calls(_),
        )
        | (
            OpenDestination::Agent(_),
            RenderedContent::Text(_) | RenderedContent::Trace(_) | RenderedContent::Files(_),
        ) => Err(WriteError::Bug),
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
    let open = |_| report_file::open(OpenOptions::new().read(true), Path::new(NULL));
    (0..DESCRIPTORS).map(open).collect::<io::Result<Vec<File>>>().map(drop)
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
