//! Writes the reports' first versions before the first request, and their final versions at the end.
//!
//! The verdict is fixed when this is asked to conclude. Every document is rendered before the first is written; what goes
//! wrong from then on is a warning: it is shown, and changes nothing.

use std::io::IsTerminal;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{CollisionKind, Colour, Destination, LogFormat, OutputConfig, Volume, Warning, WriteTarget};
use crate::console::{self, Console};
use crate::core::{Outcome, RunOutcome, Severity, Signal, Untrusted, Verdict};
use crate::output::{Jobs, ReportWriter, WriteError, WriteJob, WriteResult, token};
use crate::panic_hook;
use crate::poll_loop::{GracePeriod, Signals, let_signals_in};
use crate::progress;
use crate::report::ci::{LogContext, SummaryChannel};
use crate::report::sanitize::{Sanitized, SanitizedSteps, Sanitizer};
use crate::report::{Note, NoteLevel, Report, Stage, text};

mod delivery;

/// How long a destination may take to write: longer than any file system in order needs, short enough to reach the
/// verdict while somebody still looks.
const PIECE: Duration = Duration::from_secs(5);

/// After so long without a result another thread goes on with the next destination. It costs a thread where this one is
/// slow, and little of a signal's two seconds where it hangs.
const HANGS: Duration = Duration::from_millis(100);

/// What is needed to leave in order.
pub struct Finalizer {
    pub delivery: ReportWriter,
    pub console: Console,
    pub sanitizer: Sanitizer,
    pub clock: Clock,
    pub signals: Signals,
    pub grace_period: GracePeriod,
    /// The end of the log, while the report has not changed since it was rendered.
    pub closing: Option<String>,
}

/// What came of the first versions.
pub struct Prepared {
    /// Older reports that can't be replaced, and paths that lead elsewhere: input errors.
    pub input_errors: Vec<String>,
    /// The warnings about inputs, and what is to be said of the destinations.
    pub notes: Vec<Note>,
}

/// From now on a panic prints one line, and exits with the code of this verdict.
pub fn exit_on_panic(verdict: Verdict, format: LogFormat, console: Option<&Console>) {
    let console = console.cloned();
    panic_hook::exit_on_panic(verdict.exit_code(), move |place| {
        let words = match format {
            LogFormat::Text => text::bug(verdict, place),
            LogFormat::Json => text::bug_json(verdict, place),
        };
        match &console {
            Some(console) => console.last_words(&words),
            None => console::last_words(&words),
        }
    });
}

impl Finalizer {
    /// `first_signal` came while the inputs were read.
    pub fn new(
        output_config: OutputConfig,
        console: Console,
        sanitizer: Sanitizer,
        clock: Clock,
        signals: Signals,
        first_signal: Option<Signal>,
    ) -> Finalizer {
        let mut grace_period = GracePeriod::default();
        if let Some(signal) = first_signal {
            grace_period.shorten(signal, &clock);
        }
        Finalizer {
            delivery: ReportWriter::new(output_config),
            console,
            sanitizer,
            clock,
            signals,
            grace_period,
            closing: None,
        }
    }

    /// Untrusted text as a sentence may show it.
    pub fn shown(&self, text: &Untrusted) -> String {
        self.sanitizer.line(text, usize::MAX).to_string()
    }

    fn note(&self, weight: NoteLevel, text: Sanitized) -> Note {
        Note { at: self.clock.elapsed(), weight, text }
    }

    fn note_of(&self, warning: &Warning) -> Note {
        let sentence = Untrusted::new(warning.sentence(|text| self.shown(text)));
        self.note(NoteLevel::Warning, self.sanitizer.line(&sentence, usize::MAX))
    }

    /// Waits for a piece of work, not longer than a signal allows. `None`: it was not done in time.
    pub async fn wait<T>(&mut self, work: impl Future<Output = T>, limit: Duration) -> Option<T> {
        self.grace_period.wait(work, limit, &self.clock, &mut self.signals).await
    }

    /// Sanitizes the traces, and obeys signals meanwhile: what can't be done in the time that one leaves is left out.
    pub async fn traces(&mut self, outcome: &Outcome) -> Vec<Option<Sanitized>> {
        if let Verdict::Interrupted(signal) = outcome.verdict {
            self.grace_period.shorten(signal, &self.clock);
        }
        let mut traces = Vec::with_capacity(outcome.runs.len());
        for trace in outcome.runs.iter().map(RunOutcome::trace) {
            let mut begun = trace.map(|trace| self.sanitizer.begin(trace));
            let steps = async {
                while begun.as_mut().is_some_and(SanitizedSteps::step) {
                    let_signals_in().await;
                }
            };
            self.wait(steps, Duration::MAX).await;
            traces.push(begun.map(SanitizedSteps::finish));
        }
        traces
    }

    /// Writes the first versions, so that from now on nobody can read an old pass. For the CI, whose files can only be
    /// appended to, only if the inputs are right as far as is known.
    pub async fn begin(&mut self, first: Report, warnings: &[Warning], inputs_are_right: bool) -> Prepared {
        let notes = warnings.iter().map(|warning| self.note_of(warning)).collect();
        let mut prepared = Prepared { input_errors: Vec::new(), notes };
        for (destination, collision_kind) in self.collisions().await {
            self.refuse(destination, collision_kind, &mut prepared);
        }
        let jobs = self.delivery.open();
        self.take_up(jobs, &mut prepared).await;
        let is_ours =
            |destination: &Destination| matches!(destination.target, WriteTarget::File(_) | WriteTarget::Folder(_));
        let jobs = self.delivery.write(&first, is_ours);
        self.take_up(jobs, &mut prepared).await;
        if inputs_are_right && prepared.input_errors.is_empty() {
            self.console.write(self.commands(&first));
            let jobs = self.delivery.write(&first, |destination| !is_ours(destination));
            self.take_up(jobs, &mut prepared).await;
        }
        prepared
    }

    /// On a thread, for a file system may hang. What can't be reported in time is taken for different: the paths differ as they
    /// are written.
    async fn collisions(&mut self) -> Vec<(usize, CollisionKind)> {
        let mut check = Jobs::start(vec![self.delivery.collisions()]);
        let found = self.wait(check.next(), PIECE).await;
        found.and_then(|(_, collisions)| collisions.ok()).unwrap_or_default()
    }

    fn refuse(&mut self, index: usize, collision_kind: CollisionKind, prepared: &mut Prepared) {
        self.delivery.slots[index].is_left_out = true;
        match collision_kind {
            CollisionKind::Mistake(error) => prepared.input_errors.push(error.sentence(|text| self.shown(text))),
            CollisionKind::Warning(warning) => prepared.notes.push(self.note_of(&warning)),
        }
    }

    /// Does the jobs of the start.
    async fn take_up(&mut self, jobs: Vec<WriteJob>, prepared: &mut Prepared) {
        let jobs = jobs.into_iter().filter(|(index, _)| self.delivery.slots[*index].missed.is_none()).collect();
        for (index, done) in self.all(jobs, Stage::First).await {
            let destination = self.delivery.destination(index);
            match done {
                Ok(None) => {}
                Ok(Some(what)) => prepared.notes.push(self.note(NoteLevel::Plain, self.said(index, &what))),
                Err(WriteError::Refused(what)) => {
                    let collision_kind = destination.refused(what);
                    self.refuse(index, collision_kind, prepared);
                }
                Err(error @ WriteError::OldReportStays(_)) if destination.is_named_by_input() => {
                    let (failed, name) = (self.failed(index, &error), destination.name());
                    prepared.input_errors.push(format!("{failed}; remove it, or give {name} another path"));
                    self.delivery.slots[index].is_left_out = true;
                }
                Err(error) => {
                    let warning = self.failed(index, &error);
                    prepared.notes.push(self.note(NoteLevel::Warning, warning.clone()));
                    self.delivery.slots[index].missed = Some(warning);
                }
            }
        }
    }

    /// Does jobs on other threads. One that hangs holds up none of the others, and is given up in the end; after a signal the
    /// last versions have all the time that is left, and the first versions none to waste.
    async fn all(&mut self, jobs: Vec<WriteJob>, stage: Stage) -> Vec<(usize, WriteResult)> {
        let mut missing: Vec<usize> = jobs.iter().map(|(index, _)| *index).collect();
        let mut jobs = Jobs::start(jobs);
        let mut results = Vec::new();
        // Counted in waits, because on a busy machine, where the jobs take longer, a wait does too.
        let mut waits = 0;
        while !missing.is_empty() {
            match self.wait(jobs.next(), HANGS).await {
                Some((index, done)) => {
                    waits = 0;
                    missing.retain(|other| *other != index);
                    results.push((index, done));
                }
                None if !jobs.are_begun() => jobs.go_on(),
                None if stage == Stage::First && self.grace_period.first_signal().is_some() => break,
                None if HANGS * waits >= PIECE || self.grace_period.is_over(&self.clock) => break,
                None => waits += 1,
            }
        }
        results.extend(missing.into_iter().map(|index| (index, Err(WriteError::NotInTime))));
        results
    }

    /// A sentence about a destination.
    fn said(&self, index: usize, what: &str) -> Sanitized {
        let name = self.delivery.destination(index).name();
        let path = self.given_path(index).map(|path| format!(" {path}")).unwrap_or_default();
        self.sanitizer.line(&Untrusted::new(format!("{name}{path}: {what}")), usize::MAX)
    }

    fn given_path(&self, index: usize) -> Option<Sanitized> {
        let path = self.delivery.destination(index).path()?;
        Some(self.sanitizer.given(&Untrusted::new(path.to_string_lossy())))
    }

    /// The sentence that a destination can't be written.
    fn failed(&self, index: usize, error: &WriteError) -> Sanitized {
        let consequence = self.delivery.destination(index).consequence();
        self.said(index, &format!("{error}{consequence}"))
    }

    /// Tries every destination: its name, and what is wrong with it.
    pub async fn try_out(&mut self) -> Vec<(String, Option<String>)> {
        let mut tried = Vec::new();
        for (index, collision_kind) in self.collisions().await {
            let destination = self.delivery.destination(index);
            let sentence = match collision_kind {
                CollisionKind::Mistake(input_error) => input_error.sentence(|text| self.shown(text)),
                CollisionKind::Warning(warning) if destination.is_of_the_ci() => {
                    warning.sentence(|text| self.shown(text))
                }
                CollisionKind::Warning(_) => continue,
            };
            let path = destination.path().map(|path| self.shown(&Untrusted::new(path.to_string_lossy())));
            tried.push((path.unwrap_or_default(), Some(sentence)));
            self.delivery.slots[index].is_left_out = true;
        }
        let jobs = self.delivery.trials();
        for (index, done) in self.all(jobs, Stage::First).await {
            let name = self.delivery.destination(index).name();
            let what = self.given_path(index).unwrap_or_else(|| Sanitized::ours("--version"));
            let error = done.err().map(|error| self.failed(index, &error).to_string());
            tried.push((format!("{name} {what}"), error));
        }
        tried
    }

    /// The outputs for a CI that takes them as commands in the log; the last one of a name wins.
    fn commands(&self, report: &Report) -> String {
        let OutputConfig { ci, output_prefix, .. } = &self.delivery.output_config;
        ci.log_commands(report, output_prefix)
    }

    /// Adds a warning, unless it was given before: a destination may fail at the start and at the end.
    pub fn warn(&mut self, report: &mut Report, warning: Sanitized) {
        if !report.notes.iter().any(|note| note.text == warning) {
            self.add_note(report, self.note(NoteLevel::Warning, warning));
        }
    }

    /// Adds what has come up since the view closed. The log is the only place that all have: the documents may be written.
    pub fn add_note(&mut self, report: &mut Report, note: Note) {
        let output_config = &self.delivery.output_config;
        if progress::is_shown(&note, output_config.volume) {
            self.console.write(progress::line(&note, output_config.log_format));
        }
        report.notes.push(note);
        self.closing = None;
    }

    /// Says the last words, and returns the exit code.
    pub async fn close(mut self, report: Report) -> u8 {
        self.grace_period.last_words(&self.clock);
        let verdict = report.verdict;
        // Not before: the agent may read the file at once, and the logs would be missing.
        if let SummaryChannel::Uploaded { command, .. } = self.delivery.output_config.ci.summary
            && let Some(path) = self.delivery.written().find_map(|(_, destination)| destination.upload.as_deref())
        {
            self.console.write(command(path));
        }
        let words = self.closing.take().unwrap_or_else(|| self.render_closing(&report));
        self.console.write(words);
        let console = self.console.clone();
        // A reader who does not read in time has lost its own log; outputs and files are there.
        let read = self.wait(console.flushed(), PIECE).await.is_some();
        if !read || console.dropped() > 0 {
            console::last_words_aside(&format!(
                "maestro-gate: {}: stdout was closed or not read; a part of the log is lost\n",
                verdict.name()
            ));
        }
        verdict.exit_code()
    }

    /// The end of the log, the verdict last.
    fn render_closing(&self, report: &Report) -> String {
        panic_hook::panic_if_provoked("closing", "");
        let output_config = &self.delivery.output_config;
        let report = match output_config.volume {
            Volume::Quiet => &report.without_past(),
            Volume::Normal | Volume::Verbose => report,
        };
        if output_config.log_format == LogFormat::Json {
            return text::closing_json(report);
        }
        let context = LogContext { token: token(), now: self.clock.utc(), prefix: &output_config.output_prefix };
        let words = text::closing(report, output_config.ci, &context);
        let is_coloured = match output_config.colour {
            Colour::Never => false,
            Colour::Always => true,
            Colour::Auto => std::io::stdout().is_terminal(),
        };
        if is_coloured { paint(&words, report.verdict) } else { words }
    }
}

/// Colours the last line, which is the verdict.
fn paint(words: &str, verdict: Verdict) -> String {
    let colour = match verdict.severity() {
        Severity::Success => "32",
        Severity::Warning => "33",
        Severity::Error => "31",
    };
    let words = words.trim_end_matches('\n');
    let (before, last) = words.split_at(words.rfind('\n').map_or(0, |end| end + 1));
    format!("{before}\u{1b}[1;{colour}m{last}\u{1b}[0m\n")
}
