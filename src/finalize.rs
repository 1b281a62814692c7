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
use crate::output::{Job, Jobs, ReportWriter, WriteError, WriteResult, token};
use crate::panic_hook;
use crate::poll_loop::{GracePeriod, Signals, let_signals_in};
use crate::progress;
use crate::report::ci::LogContext;
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
    /// Whether the verdict is shown in colour.
    pub coloured: bool,
    /// The end of the log, while the report has not changed since it was rendered.
    pub closing: Option<String>,
    /// The destinations that did not get their final version: they are not tried again.
    undelivered: Vec<usize>,
    /// The commands that show a summary which was written as a file.
    uploads: Vec<String>,
}

/// What came of the first versions.
#[derive(Debug, Default)]
pub struct Prepared {
    /// Older reports that can't be replaced, and paths that lead elsewhere: input errors.
    pub input_errors: Vec<String>,
    pub notes: Vec<(NoteLevel, Sanitized)>,
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
        let coloured = coloured(output_config.colour, std::io::stdout().is_terminal());
        let delivery = ReportWriter::new(output_config);
        Finalizer {
            delivery,
            console,
            sanitizer,
            clock,
            signals,
            grace_period,
            coloured,
            closing: None,
            undelivered: Vec::new(),
            uploads: Vec::new(),
        }
    }

    /// Untrusted text as a sentence may show it.
    pub fn shown(&self, text: &Untrusted) -> String {
        self.sanitizer.line(text, usize::MAX).to_string()
    }

    /// The warnings about inputs, and the notes on the first versions.
    pub fn notes(&self, warnings: &[Warning], notes: Vec<(NoteLevel, Sanitized)>) -> Vec<Note> {
        let sentences = warnings.iter().map(|warning| warning.sentence(|text| self.shown(text)));
        let warnings = sentences.map(|text| self.sanitizer.line(&Untrusted::new(text), usize::MAX));
        let all = warnings.map(|text| (NoteLevel::Warning, text)).chain(notes);
        all.map(|(weight, text)| Note { at: self.clock.elapsed(), weight, text }).collect()
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
    pub async fn begin(&mut self, first: Report, inputs_are_right: bool) -> Prepared {
        let mut prepared = Prepared::default();
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
        let found = self.wait(check.next(), PIECE).await.flatten();
        found.and_then(|(_, collisions)| collisions).unwrap_or_default()
    }

    fn refuse(&mut self, index: usize, collision_kind: CollisionKind, prepared: &mut Prepared) {
        self.delivery.leave_out(index);
        let show = |text: &Untrusted| self.sanitizer.line(text, usize::MAX).to_string();
        match collision_kind {
            CollisionKind::Mistake(input_error) => prepared.input_errors.push(input_error.sentence(show)),
            CollisionKind::Warning(warning) => {
                prepared.notes.push((NoteLevel::Warning, Sanitized::ours(warning.sentence(show))));
            }
        }
    }

    /// Does the jobs of the start.
    async fn take_up(&mut self, jobs: Vec<Job<WriteResult>>, prepared: &mut Prepared) {
        let jobs = jobs.into_iter().filter(|(index, _)| self.delivery.missed(*index).is_none()).collect();
        for (index, done) in self.all(jobs, Stage::First).await {
            let destination = self.delivery.destination(index);
            let named = destination.is_named_by_input();
            match done {
                Ok(None) => {}
                Ok(Some(what)) => {
                    let note = self.said(index, &what);
                    prepared.notes.push((NoteLevel::Plain, note));
                }
                Err(WriteError::Refused(what)) => {
                    let collision_kind = destination.refused(what);
                    self.refuse(index, collision_kind, prepared);
                }
                Err(error @ WriteError::OldReportStays(_)) if named => {
                    let name = destination.name();
                    prepared
                        .input_errors
                        .push(format!("{}; remove it, or give {name} another path", self.failed(index, &error)));
                    self.delivery.leave_out(index);
                }
                Err(error) => {
                    let warning = self.failed(index, &error);
                    self.delivery.note_missed(index, warning.clone());
                    prepared.notes.push((NoteLevel::Warning, warning));
                }
            }
        }
    }

    /// Does jobs on other threads. One that hangs holds up none of the others, and is given up in the end; after a signal the
    /// last versions have all the time that is left, and the first versions none to waste.
    async fn all(&mut self, jobs: Vec<Job<WriteResult>>, stage: Stage) -> Vec<(usize, WriteResult)> {
        let mut missing: Vec<usize> = jobs.iter().map(|(index, _)| *index).collect();
        let mut jobs = Jobs::start(jobs);
        let mut results = Vec::new();
        // Counted in waits, because on a busy machine, where the jobs take longer, a wait does too.
        let mut waits = 0;
        while !missing.is_empty() {
            match self.wait(jobs.next(), HANGS).await.flatten() {
                Some((index, done)) => {
                    waits = 0;
                    missing.retain(|other| *other != index);
                    if done.is_none() {
                        jobs.go_on();
                    }
                    results.push((index, done.unwrap_or(Err(WriteError::Bug))));
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
        let destination = self.delivery.destination(index);
        let path = destination.path().map(|path| self.sanitizer.given(&Untrusted::new(path.to_string_lossy())));
        let path = path.map(|path| format!(" {path}")).unwrap_or_default();
        self.sanitizer.line(&Untrusted::new(format!("{}{path}: {what}", destination.name())), usize::MAX)
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
            let show = |text: &Untrusted| self.sanitizer.line(text, usize::MAX).to_string();
            let sentence = match collision_kind {
                CollisionKind::Mistake(input_error) => input_error.sentence(show),
                CollisionKind::Warning(warning) if destination.is_of_the_ci() => warning.sentence(show),
                CollisionKind::Warning(_) => continue,
            };
            let path = destination.path().map(|path| Untrusted::new(path.to_string_lossy()));
            tried.push((path.as_ref().map(show).unwrap_or_default(), Some(sentence)));
            self.delivery.leave_out(index);
        }
        let jobs = self.delivery.trials();
        for (index, done) in self.all(jobs, Stage::First).await {
            let destination = self.delivery.destination(index);
            let path = destination.path().map(|path| self.sanitizer.given(&Untrusted::new(path.to_string_lossy())));
            let what = path.map_or_else(|| "--version".to_owned(), |path| path.to_string());
            let error = done.err().map(|error| self.failed(index, &error).to_string());
            tried.push((format!("{} {what}", destination.name()), error));
        }
        tried
    }

    /// The outputs for a CI that takes them as commands in the log; the last one of a name wins.
    fn commands(&self, report: &Report) -> String {
        let OutputConfig { ci, output_prefix, .. } = self.delivery.output_config();
        ci.log_commands(report, output_prefix)
    }

    /// Adds a warning, unless it was given before: a destination may fail at the start and at the end.
    pub fn warn(&mut self, report: &mut Report, warning: Sanitized) {
        if !report.notes.iter().any(|note| note.text == warning) {
            self.add_note(report, Note { at: self.clock.elapsed(), weight: NoteLevel::Warning, text: warning });
        }
    }

    /// Adds what has come up since the view closed. The log is the only place that all have: the documents may be written.
    pub fn add_note(&mut self, report: &mut Report, note: Note) {
        let output_config = self.delivery.output_config();
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
        std::mem::take(&mut self.uploads).into_iter().for_each(|command| self.console.write(command));
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
        let output_config = self.delivery.output_config();
        let without_past;
        let report = if output_config.volume == Volume::Quiet {
            without_past = report.without_past();
            &without_past
        } else {
            report
        };
        if output_config.log_format == LogFormat::Json {
            return text::closing_json(report);
        }
        let context = LogContext { token: token(), now: self.clock.utc(), prefix: &output_config.output_prefix };
        let words = text::closing(report, output_config.ci, &context);
        if self.coloured { paint(&words, report.verdict) } else { words }
    }
}

/// Whether to colour: as the user says, else if a terminal reads.
fn coloured(colour: Colour, terminal: bool) -> bool {
    match colour {
        Colour::Never => false,
        Colour::Always => true,
        Colour::Auto => terminal,
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
    let (before, last) = words.rsplit_once('\n').map_or(("", words), |(before, last)| (before, last));
    let gap = if before.is_empty() { "" } else { "\n" };
    format!("{before}{gap}\u{1b}[1;{colour}m{last}\u{1b}[0m\n")
}
