//! One destination: opened before the first request, then written once for each version that comes.

use std::io;
use std::sync::Arc;

use super::file_id::FileId;
use super::path_guard::{PathGuard, PathKind, path_kind};
use super::render::RenderedContent;
use super::report_file::{ReportFile, try_file, try_folder};
use super::shared_file::SharedFile;
use super::{WriteError, WriteResult, agent};
use crate::config::{Destination, DocumentKind, WriteTarget};
use crate::panic_hook;
use crate::report::Stage;
use crate::report::ci::AgentCall;
use crate::report::output_values::OUTPUTS;
use crate::report::trace_file::Section;

/// A destination, and what has come of it so far.
pub(super) struct DestinationState {
    pub(super) destination: Destination,
    open: Option<OpenDestination>,
    has_last: bool,
}

/// A destination that was opened.
enum OpenDestination {
    /// Our own: one file, or of a folder one for each output. An agent has none.
    Files(Vec<ReportFile>),
    /// The CI's.
    Shared(SharedFile),
}

impl DestinationState {
    pub(super) fn new(destination: Destination) -> DestinationState {
        DestinationState { destination, open: None, has_last: false }
    }

    pub(super) fn is_stream(&self) -> bool {
        self.has_file(ReportFile::is_stream)
    }

    fn has_file(&self, is_one: fn(&ReportFile) -> bool) -> bool {
        matches!(&self.open, Some(OpenDestination::Files(files)) if files.iter().any(is_one))
    }

    /// Opens it, and takes away what an earlier job left there.
    pub(super) fn open(&mut self, guard: &Arc<PathGuard>) -> WriteResult {
        self.open = Some(match &self.destination.target {
            WriteTarget::File(path) => OpenDestination::Files(vec![ReportFile::open(path, guard)?]),
            WriteTarget::Folder(folder) => {
                guard.admit(folder)?;
                if matches!(path_kind(folder), PathKind::RegularFile | PathKind::Stream) {
                    return Err(WriteError::OldReportStays(io::ErrorKind::NotADirectory.into()));
                }
                // One file that can't be opened is no reason to leave an old report in the others.
                let files = OUTPUTS.map(|(name, _)| ReportFile::open(&folder.join(name), guard));
                OpenDestination::Files(files.into_iter().collect::<Result<_, _>>()?)
            }
            WriteTarget::Shared(path) => {
                let is_page = self.destination.document == DocumentKind::Summary;
                let file = if is_page { SharedFile::of_text(path)? } else { SharedFile::of_records(path)? };
                guard.admit_shared(file.id(), file.is_stream())?;
                OpenDestination::Shared(file)
            }
            WriteTarget::Agent(_) => OpenDestination::Files(Vec::new()),
        });
        if self.has_file(ReportFile::is_in_place) {
            return Ok(Some("can't be replaced here, so it is overwritten".to_owned()));
        }
        let named = self.destination.path().filter(|_| self.destination.is_named_by_input());
        let outside = named.and_then(|path| guard.outside(path));
        Ok(outside.map(|end| format!("{} is outside the workspace", end.display())))
    }

    /// Opens it if it could not be opened before.
    fn opened(&mut self, guard: &Arc<PathGuard>) -> Result<&mut OpenDestination, WriteError> {
        if self.open.is_none() {
            self.open(guard)?;
        }
        self.open.as_mut().ok_or(WriteError::Bug)
    }

    /// Writes a version.
    pub(super) fn write(&mut self, guard: &Arc<PathGuard>, stage: Stage, content: RenderedContent) -> WriteResult {
        if stage == Stage::First && self.has_last {
            // It comes late, and nobody waits to hear of it.
            return Ok(None);
        }
        let had_last = std::mem::replace(&mut self.has_last, stage == Stage::Final);
        match content {
            RenderedContent::Calls { program, calls } => {
                agent::call(program, calls, &crate::config::secret_variables())?;
            }
            RenderedContent::Trace(sections) => {
                let file = self.only_file(guard)?;
                // A pipe's reader gets one document: the one with the logs.
                if !file.is_stream() {
                    file.write(sections.iter().flat_map(Section::texts))?;
                }
            }
            RenderedContent::Texts(texts) => {
                // A pipe's reader gets one document: the first of the last versions.
                let streams = stage == Stage::Final && !had_last;
                let is_uploaded = self.destination.upload.is_some();
                match self.opened(guard)? {
                    OpenDestination::Files(files) => {
                        // One file that can't be written is no reason to leave the others unwritten.
                        let written = files.iter_mut().zip(texts).map(|(file, pieces)| {
                            if !file.is_stream() || streams {
                                file.write(pieces)?;
                            }
                            // Azure fails the step for a path where there is no file.
                            if is_uploaded && file.is_stream() {
                                return Err(WriteError::NotWritten(io::ErrorKind::NotFound.into()));
                            }
                            Ok(())
                        });
                        written.fold(Ok(()), Result::and)?;
                    }
                    OpenDestination::Shared(file) => file.write(&texts.concat().concat())?,
                }
            }
        }
        Ok(None)
    }

    /// Whether it could be written; nothing is changed.
    pub(super) fn try_out(&mut self, guard: &Arc<PathGuard>) -> WriteResult {
        match &self.destination.target {
            WriteTarget::File(path) => {
                guard.admit(path)?;
                try_file(path)?;
            }
            WriteTarget::Shared(path) => {
                guard.admit_shared(FileId::of_path(path), path_kind(path) == PathKind::Stream)?;
                try_file(path)?;
            }
            WriteTarget::Folder(path) => {
                guard.admit(path)?;
                try_folder(path)?;
            }
            WriteTarget::Agent(program) => {
                let version = AgentCall { arguments: vec!["--version".to_owned()], input: String::new() };
                agent::call(program, vec![version], &crate::config::secret_variables())?;
            }
        }
        Ok(None)
    }

    /// Writes the trace file in pieces, until there are no more.
    pub(super) fn write_pieces(&mut self, guard: &Arc<PathGuard>, pieces: impl Iterator<Item = String>) -> WriteResult {
        panic_hook::panic_if_provoked("write", "logs");
        self.only_file(guard)?.write(pieces)?;
        Ok(None)
    }

    fn only_file(&mut self, guard: &Arc<PathGuard>) -> Result<&mut ReportFile, WriteError> {
        match self.opened(guard)? {
            OpenDestination::Files(files) => files.first_mut().ok_or(WriteError::Bug),
            OpenDestination::Shared(_) => Err(WriteError::Bug),
        }
    }
}
