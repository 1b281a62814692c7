//! The live view: a line when something changes, a heartbeat when nothing does, a spinner on a terminal.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use crate::config::{LogFormat, OutputConfig, Volume};
use crate::console::Console;
use crate::core::{Event, Gate, TimedEvent, Wanted};
use crate::poll_loop::LoopEvent;
use crate::report::ci::CiSystem;
use crate::report::messages::{self, RunNames};
use crate::report::sanitize::{Sanitized, Sanitizer};
use crate::report::{Note, NoteLevel, text};

/// After so much silence, a heartbeat: with `TICK`, within a minute (docs/reference.md#log-and-summary). CircleCI ends a
/// step that is silent for ten.
const HEARTBEAT: Duration = Duration::from_secs(54);

/// How often it is seen whether a heartbeat is due. The silence begins with any line, so that no longer heartbeat would do.
const TICK: Duration = Duration::from_secs(5);

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(200);

/// Whether to show a spinner: to a person at a terminal who wants to see text. Where a pipe brings stdout to the same
/// terminal, its lines and the spinner would come in any order.
pub fn wants_spinner(output_config: &OutputConfig) -> bool {
    output_config.ci == CiSystem::none()
        && output_config.log_format == LogFormat::Text
        && output_config.volume != Volume::Quiet
        && io::stderr().is_terminal()
        && io::stdout().is_terminal()
}

/// Shows what happens while it happens.
pub struct View {
    console: Console,
    format: LogFormat,
    volume: Volume,
    names: RunNames,
    sanitizer: Sanitizer,
    bar: Option<ProgressBar>,
    spoke: Duration,
    /// The runs of which it was reported that their pipeline is paused.
    paused: HashSet<usize>,
}

impl View {
    pub fn new(
        console: Console,
        format: LogFormat,
        volume: Volume,
        sanitizer: Sanitizer,
        bar: Option<ProgressBar>,
    ) -> View {
        let (names, paused) = (RunNames::default(), HashSet::new());
        View { console, format, volume, names, sanitizer, bar, spoke: Duration::ZERO, paused }
    }

    /// How often it wants to hear that time goes by.
    pub fn heartbeat(&self) -> Duration {
        if self.bar.is_some() { TURN } else { TICK }
    }

    /// Tells what is about to happen.
    pub fn begin(&mut self, wanted: &[Wanted], timeout: Duration, base: &str) {
        let text = messages::opening(wanted, timeout, base, &self.sanitizer);
        self.note(&Note { at: Duration::ZERO, weight: NoteLevel::Plain, text });
    }

    /// Hears what changed.
    pub fn update_view(&mut self, gate: &Gate, moment: LoopEvent, events: &[TimedEvent], now: Duration, polls: u64) {
        // At first no run is named; what was chosen has another name now, and what was started may be several runs.
        let renamed = events.iter().filter_map(|timed_event| timed_event.event.renamed_run());
        for run in (self.names.count()..gate.wanted().len()).chain(renamed) {
            self.names.set(run, &gate.wanted_in(run), &self.sanitizer);
        }
        for timed_event in events {
            if let Event::PausedPipeline { run } = timed_event.event {
                self.paused.insert(run);
            }
            if let Some(note) = messages::note(timed_event, &self.names, &self.sanitizer) {
                self.note(&note);
            }
        }
        match (moment, self.bar.clone()) {
            (LoopEvent::Answer { run, next }, _) if self.volume == Volume::Verbose => {
                self.say(now, messages::poll(gate, run, now, next, &self.names, &self.sanitizer));
            }
            // A reader that is behind stalls the drawing too, and the turns would pile up.
            (LoopEvent::Beat, Some(bar)) if !self.console.is_behind() => {
                let message = messages::heartbeat(gate, now, polls, &self.paused, &self.sanitizer).to_string();
                self.console.in_turn(move || {
                    bar.set_message(message);
                    bar.tick();
                });
            }
            (LoopEvent::Beat, None) if now >= self.spoke + HEARTBEAT => {
                self.say(now, messages::heartbeat(gate, now, polls, &self.paused, &self.sanitizer));
            }
            _ => {}
        }
    }

    /// Shows a note, unless only the heartbeat and the verdict are wanted.
    pub fn note(&mut self, note: &Note) {
        if is_shown(note, self.volume) {
            self.write(note);
        }
    }

    fn say(&mut self, at: Duration, text: Sanitized) {
        self.write(&Note { at, weight: NoteLevel::Plain, text });
    }

    fn write(&mut self, note: &Note) {
        self.spoke = note.at;
        self.console.write(line(note, self.format));
    }

    /// Takes the spinner away: the verdict follows.
    pub fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            self.console.in_turn(move || bar.finish_and_clear());
        }
    }
}

/// Whether a note is for the log: `quiet` keeps the warnings.
pub fn is_shown(note: &Note, volume: Volume) -> bool {
    volume != Volume::Quiet || note.weight == NoteLevel::Warning
}

/// A note as the log has it.
pub fn line(note: &Note, format: LogFormat) -> String {
    match format {
        LogFormat::Text => text::note(note),
        LogFormat::Json => text::note_json(note),
    }
}

/// The spinner for a terminal, on stderr. It goes away with its last handle. Only the writing thread may draw it: a
/// terminal that is stopped (Ctrl-S) blocks whoever does.
pub fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style).with_finish(ProgressFinish::AndClear)
}

/// Stdout, which makes the spinner step aside for as long as a line is written.
pub fn stdout(bar: Option<&ProgressBar>) -> impl Write + Send + 'static {
    BesideProgressBar { bar: bar.cloned(), out: std::io::stdout() }
}

struct BesideProgressBar<O> {
    bar: Option<ProgressBar>,
    out: O,
}

impl<O: Write> Write for BesideProgressBar<O> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.out.write(bytes)),
            None => self.out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
