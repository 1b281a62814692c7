//! Before the first request and after the last: the reports' first versions, and every way out.
//!
//! The verdict is fixed when this is asked to conclude. What goes wrong from then on is a warning (docs/reference.md,
//! rule 2): it is shown, and changes nothing.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::bug;
use crate::clock::Clock;
use crate::console::{self, Console};
use crate::deliver::{Delivery, Piece, Trouble, token};
use crate::gate::{Foreign, Verdict};
use crate::plan::{Collision, Colour, LogFormat, Told, Volume, ci::Ci};
use crate::progress;
use crate::report::clean::{Clean, Cleaner};
use crate::report::outputs::{Destination, outputs};
use crate::report::{Note, Report, Weight, azure, teamcity, text};
use crate::watch::{Patience, Signals};

/// How long one destination may take to write: longer than any file system in order needs, short enough to reach the
/// verdict while somebody still looks.
const PIECE: Duration = Duration::from_secs(5);

/// What is needed to leave in order.
pub struct Ending {
    pub delivery: Delivery,
    pub console: Console,
    pub cleaner: Cleaner,
    pub clock: Clock,
    pub signals: Signals,
    pub patience: Patience,
    /// Whether the verdict is shown in colour.
    pub coloured: bool,
    pub late: Late,
}

/// How to leave in order when the thread that would do so is lost.
#[derive(Clone)]
pub struct Will {
    delivery: Delivery,
    console: Console,
    cleaner: Cleaner,
    clock: Clock,
    coloured: bool,
}

impl Will {
    /// To be called where there is a runtime.
    pub fn ending(self) -> Ending {
        let Will { delivery, console, cleaner, clock, coloured } = self;
        Ending {
            delivery,
            console,
            cleaner,
            clock,
            signals: Signals::listen(),
            patience: Patience::default(),
            coloured,
            late: Late::default(),
        }
    }
}

/// Destinations that were not written in time, and still are being written: nobody can stop those threads.
#[derive(Default)]
pub struct Late(Vec<Pin<Box<Delivered>>>);

type Delivered = dyn Future<Output = Result<Option<String>, Trouble>>;

/// What came of the first versions.
#[derive(Debug, Default)]
pub struct Begun {
    /// Older reports that can't be replaced, and files that have two names: mistakes in the inputs.
    pub mistakes: Vec<String>,
    pub warnings: Vec<Clean>,
}

impl Ending {
    /// Waits for a piece of work, not longer than a signal allows. `None`: it was not done in time.
    pub async fn wait<T>(&mut self, work: impl Future<Output = T>, limit: Duration) -> Option<T> {
        self.patience.wait(work, limit, &self.clock, &mut self.signals).await
    }

    /// Writes the first versions, so that from now on nobody can read an old pass. For the CI, whose files can only be
    /// appended to, only if the inputs are right as far as is known.
    pub async fn begin(&mut self, first: Report, inputs_are_right: bool) -> Begun {
        let first = Arc::new(first);
        let mut begun = Begun::default();
        for Collision { path, told } in self.collisions().await {
            self.delivery.leave_out(&path);
            let show = |text: &Foreign| self.cleaner.line(text, usize::MAX).to_string();
            match told {
                Told::Mistake(mistake) => begun.mistakes.push(mistake.sentence(show)),
                Told::Warning(warning) => begun.warnings.push(Clean::ours(warning.sentence(show))),
            }
        }
        for piece in self.delivery.first_files(&first) {
            let (input, path) = (piece.input, piece.path.clone());
            match self.deliver(piece).await {
                Ok(()) => {}
                Err((Trouble::OldReportStays(_), said)) => {
                    self.delivery.leave_out(&path);
                    begun.mistakes.push(format!("{said}; remove it, or give {input} another path"));
                }
                Err((_, said)) => begun.warnings.push(self.missed(path, said)),
            }
        }
        if inputs_are_right && begun.mistakes.is_empty() {
            self.command(&first).await;
            for piece in self.delivery.first_for_ci(&first) {
                let path = piece.path.clone();
                if let Err((_, said)) = self.deliver(piece).await {
                    begun.warnings.push(self.missed(path, said));
                }
            }
        }
        begun
    }

    /// On a thread, for a file system may hang. What can't be told in time is taken for different: the paths differ as they
    /// are written.
    async fn collisions(&mut self) -> Vec<Collision> {
        let delivery = self.delivery.clone();
        self.rendered(move || delivery.collisions()).await.unwrap_or_default()
    }

    /// The warning that a destination did not get its first version.
    fn missed(&mut self, path: PathBuf, said: String) -> Clean {
        let warning = self.cleaner.line(&Foreign::new(said), usize::MAX);
        self.delivery.miss(path, warning.clone());
        warning
    }

    /// Tries every destination: its name, and what is wrong with it.
    pub async fn try_out(&mut self) -> Vec<(String, Option<String>)> {
        let mut tried = Vec::new();
        for Collision { path, told } in self.collisions().await {
            if let Told::Mistake(mistake) = told {
                let show = |text: &Foreign| self.cleaner.line(text, usize::MAX).to_string();
                tried.push((show(&Foreign::new(path.to_string_lossy())), Some(mistake.sentence(show))));
                self.delivery.leave_out(&path);
            }
        }
        for piece in self.delivery.trials() {
            let name = format!("{} {}", piece.input, self.cleaner.given(&Foreign::new(piece.path.to_string_lossy())));
            let trouble = self.deliver(piece).await.err();
            let trouble = trouble.map(|(_, said)| self.cleaner.line(&Foreign::new(said), usize::MAX).to_string());
            tried.push((name, trouble));
        }
        tried
    }

    /// Delivers the documents: outputs, files, summary. Returns the report with the warnings that came of it.
    pub async fn documents(&mut self, report: Report) -> Report {
        if let Verdict::Interrupted(signal) = report.verdict {
            self.patience.shorten(signal, &self.clock);
        }
        let mut shared = Arc::new(report);
        let outlet = self.delivery.outlet();
        if outlet.ci_output.is_some() || outlet.output_dir.is_some() {
            let report = Arc::clone(&shared);
            let warning = self.rendered(move || outputs(&report, Destination::CiFile).warning).await.flatten();
            if let Some(warning) = warning {
                self.warn(Arc::make_mut(&mut shared), warning);
            }
        }
        self.command(&shared).await;
        let mut said_of_it = Vec::new();
        for piece in self.delivery.last(&shared) {
            let before = self.delivery.missed(&piece.path).cloned();
            if let Err((_, said)) = self.deliver(piece).await {
                said_of_it.push(before.unwrap_or_else(|| self.cleaner.line(&Foreign::new(said), usize::MAX)));
            }
        }
        let mut report = Arc::unwrap_or_clone(shared);
        for warning in said_of_it {
            self.warn(&mut report, warning);
        }
        report
    }

    /// Says the outputs to a CI that takes them as commands in the log; the last one of a name wins.
    async fn command(&mut self, report: &Arc<Report>) {
        let outlet = self.delivery.outlet();
        let (ci, prefix, report) = (outlet.ci, outlet.output_prefix.clone(), Arc::clone(report));
        let commands = self.rendered(move || match ci {
            Ci::Azure => azure::variables(&report, &prefix),
            Ci::Teamcity => teamcity::parameters(&report, &prefix),
            Ci::Bitbucket
            | Ci::Buildkite
            | Ci::Circleci
            | Ci::CloudBuild
            | Ci::Drone
            | Ci::Files
            | Ci::Github
            | Ci::Gitlab
            | Ci::None => String::new(),
        });
        if let Some(commands) = commands.await.filter(|commands| !commands.is_empty()) {
            self.console.write(commands);
        }
    }

    /// Adds a warning, unless it was given before: a destination may fail at the start and at the end.
    pub fn warn(&self, report: &mut Report, warning: Clean) {
        if !report.notes.iter().any(|note| note.text == warning) {
            self.tell(report, Note { at: self.clock.elapsed(), weight: Weight::Warning, text: warning });
        }
    }

    /// Adds what has come up since the view closed. The log is the only place that all have: the documents may be written.
    pub fn tell(&self, report: &mut Report, note: Note) {
        let outlet = self.delivery.outlet();
        if progress::is_shown(&note, outlet.volume) {
            self.console.write(progress::line(&note, outlet.log_format));
        }
        report.notes.push(note);
    }

    /// Says the last words, and returns the exit code.
    pub async fn close(mut self, report: Report) -> u8 {
        self.patience.last_words(&self.clock);
        let outlet = self.delivery.outlet();
        let (format, ci, prefix) = (outlet.log_format, outlet.ci, outlet.output_prefix.clone());
        let report = if outlet.volume == Volume::Quiet { report.without_past() } else { report };
        let (verdict, utc) = (report.verdict, self.clock.utc());
        let words = self.rendered(move || {
            bug::bug_at("closing");
            match (format, ci) {
                (LogFormat::Json, _) => text::closing_json(&report),
                (LogFormat::Text, Ci::Github) => text::closing(&report, text::Fold::Github(&token())),
                (LogFormat::Text, Ci::Gitlab) => text::closing(&report, text::Fold::Gitlab(utc)),
                (LogFormat::Text, Ci::Azure) => text::closing(&report, text::Fold::Azure),
                (LogFormat::Text, Ci::Buildkite) => text::closing(&report, text::Fold::Buildkite),
                (LogFormat::Text, Ci::Teamcity) => text::closing(&report, text::Fold::Teamcity(&prefix)),
                (LogFormat::Text, Ci::Bitbucket | Ci::Circleci | Ci::CloudBuild | Ci::Drone | Ci::Files | Ci::None) => {
                    text::closing(&report, text::Fold::None)
                }
            }
        });
        let words = words.await.unwrap_or_else(|| match format {
            LogFormat::Json => text::cut_short_json(verdict),
            LogFormat::Text => text::cut_short(verdict),
        });
        let painted = self.coloured && format == LogFormat::Text;
        self.console.write(if painted { paint(&words, verdict) } else { words });
        let console = self.console.clone();
        // A reader who does not read in time has lost its own log; outputs and files are there.
        let read = self.wait(console.flushed(), PIECE).await.is_some();
        if !read || console.dropped() > 0 {
            console::last_words_aside(format!(
                "maestro-gate: {}: stdout was closed or not read; a part of the log is lost\n",
                verdict.name()
            ));
        }
        // What a busy machine has held up may still come to agree with the exit code.
        for work in self.late.0 {
            self.patience.rest(work, &self.clock).await;
        }
        verdict.exit_code()
    }

    /// Does what belongs to no destination of its own. The verdict is told by now, and a panic may not change it.
    async fn rendered<T: Send + 'static>(&mut self, render: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (tell, done) = oneshot::channel();
        bug::contained("render", render, |rendered| drop(tell.send(rendered))).ok()?;
        self.wait(done, PIECE).await?.ok().flatten()
    }

    /// What a thread needs that ends the gate in place of one that met a bug.
    pub fn will(&self) -> Will {
        let Ending { delivery, console, cleaner, clock, coloured, .. } = self;
        Will {
            delivery: delivery.clone(),
            console: console.clone(),
            cleaner: cleaner.clone(),
            clock: *clock,
            coloured: *coloured,
        }
    }

    async fn deliver(&mut self, piece: Piece) -> Result<(), (Trouble, String)> {
        let path = self.cleaner.given(&Foreign::new(piece.path.to_string_lossy()));
        let name = format!("{} {path}", piece.input);
        let consequence = match piece.input {
            // Its last steps can't tell such a pass from a gate that never ran.
            "GITHUB_OUTPUT" => "; without these outputs the GitHub action fails even if the run passed",
            _ => "",
        };
        let mut work = Box::pin(piece.deliver());
        match self.wait(&mut work, PIECE).await {
            Some(Ok(None)) => Ok(()),
            Some(Ok(Some(words))) => {
                self.console.write(words);
                Ok(())
            }
            Some(Err(trouble)) => {
                let said = format!("{name}: {trouble}{consequence}");
                Err((trouble, said))
            }
            None => {
                self.late.0.push(work);
                Err((Trouble::Bug("it took too long"), format!("{name}: not written in time{consequence}")))
            }
        }
    }
}

/// Whether to colour: as the user says, else if a terminal reads.
pub fn coloured(colour: Colour, terminal: bool) -> bool {
    match colour {
        Colour::Never => false,
        Colour::Always => true,
        Colour::Auto => terminal,
    }
}

/// Colours the last line, which is the verdict.
fn paint(words: &str, verdict: Verdict) -> String {
    let colour = match verdict {
        Verdict::Passed => "32",
        Verdict::TimedOut | Verdict::Stale | Verdict::Interrupted(_) => "33",
        Verdict::Failed
        | Verdict::InvalidInput
        | Verdict::NotFound
        | Verdict::Denied
        | Verdict::Unreachable
        | Verdict::NotStarted
        | Verdict::InternalError => "31",
    };
    let words = words.trim_end_matches('\n');
    let (before, last) = words.rsplit_once('\n').map_or(("", words), |(before, last)| (before, last));
    let gap = if before.is_empty() { "" } else { "\n" };
    format!("{before}{gap}\u{1b}[1;{colour}m{last}\u{1b}[0m\n")
}
