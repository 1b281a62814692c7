//! Where the reports go: every destination gets its first version before the first request and its last on every way out.
//! The only writer of files.
//!
//! Each destination is written by a thread of its own, one after another: a panic in a renderer or a file system that
//! hangs costs that one destination, is shown as a warning, and changes neither the verdict nor the others (docs/reference.md,
//! rule 2). The caller bounds each with `watch::Patience`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::bug;
use crate::plan::{Outlet, ci::Ci};
use crate::report::chart::Chart;
use crate::report::clean::Clean;
use crate::report::github::{self, Token};
use crate::report::outputs::{self, Destination};
use crate::report::{
    Report, Stage, azure, buildkite, circleci, cloud_build, dotenv, gitlab, json, junit, markdown, trace_file,
};
use agent::Call;
use file::Standing;
use trial::{ci_output, ci_summary};

mod agent;
mod file;
mod place;
mod trace;
mod trial;
mod turn;

pub use trace::TraceFile;
use turn::Turns;

/// One destination with what is to be written there.
pub struct Piece {
    /// The input that named it, or the CI's variable.
    pub input: &'static str,
    pub path: PathBuf,
    work: Box<dyn FnOnce() -> Result<(), Trouble> + Send>,
    /// What to say in the log once it is written.
    then: Option<String>,
}

/// Why a destination was not written.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Something older stands there and can't be replaced: the next job would read it.
    #[error("what stands there can't be replaced: {0}")]
    OldReportStays(io::Error),
    #[error("can't be written: {0}")]
    NotWritten(io::Error),
    /// A renderer panicked: a bug of ours, but no reason to change the verdict.
    #[error("can't be written: {0}")]
    Bug(&'static str),
}

/// The formats of our own files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Junit,
    Dotenv,
    Markdown,
    TraceFile,
    Annotations,
}

/// The destinations of this run of the gate.
#[derive(Clone, Debug)]
pub struct Delivery {
    outlet: Outlet,
    turns: Turns,
    /// The destinations that did not get their first version, and what was said of it.
    missed: Vec<(PathBuf, Clean)>,
}

impl Delivery {
    pub fn new(outlet: Outlet) -> Delivery {
        Delivery { outlet, turns: Turns::default(), missed: Vec::new() }
    }

    pub fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// Where the trace file is, if one is wanted and its first version could be written: it is named before the last one
    /// is there.
    pub fn trace_file(&self) -> Option<&Path> {
        self.outlet.trace_file.as_deref().filter(|path| self.missed(path).is_none())
    }

    /// Begins the last version of the trace file, if one is wanted.
    pub fn start_trace(&self) -> Option<TraceFile> {
        let path = self.outlet.trace_file.as_deref()?;
        Some(TraceFile::start(path.to_owned(), self.turns.of(path)))
    }

    /// A destination did not get its first version, of which this was said. The last one is tried all the same.
    pub fn miss(&mut self, path: PathBuf, said: Clean) {
        self.missed.push((path, said));
    }

    /// What was said of a destination that did not get its first version: the words for the last one too, or a person would
    /// hear of it twice.
    pub fn missed(&self, path: &Path) -> Option<&Clean> {
        self.missed.iter().find(|(missed, _)| missed == path).map(|(_, said)| said)
    }

    /// A destination that is not to be written any more: what stands there is not ours to touch.
    pub fn leave_out(&mut self, path: &Path) {
        let outlet = &mut self.outlet;
        // The summary for Azure is that very file, by its whole path.
        if outlet.ci == Ci::Azure && outlet.markdown.as_deref() == Some(path) {
            outlet.ci_summary = None;
        }
        let own = [
            &mut outlet.json,
            &mut outlet.junit,
            &mut outlet.dotenv,
            &mut outlet.markdown,
            &mut outlet.trace_file,
            &mut outlet.output_dir,
            &mut outlet.annotations,
            &mut outlet.ci_output,
            &mut outlet.ci_summary,
        ];
        for place in own {
            place.take_if(|there| there == path);
        }
    }

    /// The first versions of our own files.
    pub fn first_files(&self, report: &Arc<Report>) -> Vec<Piece> {
        self.own_files(report)
    }

    /// The first versions for the CI, which can only be appended to: not made when the inputs are wrong anyway.
    pub fn first_for_ci(&self, report: &Arc<Report>) -> Vec<Piece> {
        self.for_ci_output(report).into_iter().chain(self.for_ci_summary(report)).collect()
    }

    /// The last versions, in the reference's order: outputs, our files, summary. The trace file is not among them: logs
    /// may still be on their way into it, see [`TraceFile`].
    pub fn last(&self, report: &Arc<Report>) -> Vec<Piece> {
        let (output, files) = (self.for_ci_output(report), self.own_files(report));
        // Buildkite's agent goes over the network: of a signal's two seconds it gets what the files leave.
        let (before, after) = if self.outlet.ci == Ci::Buildkite { (None, output) } else { (output, None) };
        before.into_iter().chain(files).chain(after).chain(self.for_ci_summary(report)).collect()
    }

    fn own_files(&self, report: &Arc<Report>) -> Vec<Piece> {
        let outlet = &self.outlet;
        let mut pieces = Vec::new();
        if let Some(folder) = &outlet.output_dir {
            let report = Arc::clone(report);
            let work = {
                let (folder, turn) = (folder.clone(), self.turns.of(folder));
                move || turn.take(report.stage, || write_folder(&folder, &report))
            };
            pieces.push(Piece { input: "output-dir", path: folder.clone(), work: Box::new(work), then: None });
        }
        let files = [
            ("dotenv", &outlet.dotenv, Format::Dotenv),
            ("json", &outlet.json, Format::Json),
            ("junit", &outlet.junit, Format::Junit),
            ("markdown", &outlet.markdown, Format::Markdown),
            ("trace-file", &outlet.trace_file, Format::TraceFile),
            ("annotations", &outlet.annotations, Format::Annotations),
        ];
        for (input, path, format) in files {
            let Some(path) = path else { continue };
            if format == Format::TraceFile && report.stage == Stage::Final {
                continue;
            }
            let (report, prefix, there) = (Arc::clone(report), outlet.output_prefix.clone(), path.clone());
            let (turn, chart) = (self.turns.of(path), self.chart());
            let work = move || {
                turn.take(report.stage, || write_file(&there, report.stage, &render(format, &report, &prefix, chart)?))
            };
            pieces.push(Piece { input, path: path.clone(), work: Box::new(work), then: None });
        }
        pieces
    }

    fn chart(&self) -> Chart {
        if self.outlet.has_mermaid { Chart::Mermaid } else { Chart::Text }
    }

    fn for_ci_output(&self, report: &Arc<Report>) -> Option<Piece> {
        if self.outlet.ci == Ci::Buildkite {
            return Some(self.for_agent(report, "meta-data", meta_data));
        }
        let path = self.outlet.ci_output.clone()?;
        let input = ci_output(self.outlet.ci)?;
        let (ci, prefix) = (self.outlet.ci, self.outlet.output_prefix.clone());
        let (report, there, turn) = (Arc::clone(report), path.clone(), self.turns.of(&path));
        let work = move || {
            let records = records(ci, &report, &prefix)?;
            turn.take(report.stage, || {
                // What Cloud Build keeps is the beginning of the file: the last version must be the only one.
                let written = if ci == Ci::CloudBuild {
                    file::replace(&there, records.as_bytes())
                } else {
                    file::append(&there, records.as_bytes())
                };
                written.map_err(Trouble::NotWritten)
            })
        };
        Some(Piece { input, path, work: Box::new(work), then: None })
    }

    fn for_ci_summary(&self, report: &Arc<Report>) -> Option<Piece> {
        if self.outlet.annotation {
            return Some(self.for_agent(report, "annotate", annotate));
        }
        let path = self.outlet.ci_summary.clone()?;
        if self.outlet.ci == Ci::Azure {
            return self.for_azure(report, path);
        }
        let (report, there, turn) = (Arc::clone(report), path.clone(), self.turns.of(&path));
        let chart = self.chart();
        let work = move || {
            let text = match report.stage {
                Stage::First => markdown::began(&report),
                Stage::Final => markdown::summary(&report, chart),
            };
            turn.take(report.stage, || file::append(&there, text.as_bytes()).map_err(Trouble::NotWritten))
        };
        Some(Piece { input: ci_summary(self.outlet.ci), path, work: Box::new(work), then: None })
    }

    /// What Buildkite's agent is asked for: a sub-command, and its calls.
    fn for_agent(&self, report: &Arc<Report>, what: &'static str, calls: fn(&Report, &str) -> Vec<Call>) -> Piece {
        let (report, prefix) = (Arc::clone(report), self.outlet.output_prefix.clone());
        let turn = self.turns.of(Path::new(what));
        let work = move || {
            let calls = calls(&report, &prefix);
            let hidden = crate::plan::secret_variables();
            turn.take(report.stage, || agent::call(AGENT, calls, &hidden).map_err(Trouble::NotWritten))
        };
        Piece { input: AGENT, path: what.into(), work: Box::new(work), then: None }
    }

    /// The summary for Azure: a file, then the command that uploads it; the command alone where the `markdown` report is that
    /// file. Without a first version: an upload can't be taken back, and the variables tell of a gate that was killed.
    fn for_azure(&self, report: &Arc<Report>, path: PathBuf) -> Option<Piece> {
        if report.stage == Stage::First {
            return None;
        }
        let is_own = self.outlet.markdown.is_none();
        let (report, there) = (Arc::clone(report), path.clone());
        let then = azure::upload_summary(&path);
        let work = move || {
            if is_own {
                file::replace(&there, markdown::summary(&report, Chart::Text).as_bytes())
                    .map_err(Trouble::NotWritten)?;
            }
            // Azure fails the step for a path where there is no file.
            match file::standing(&there) {
                Standing::RegularFile => Ok(()),
                Standing::Nothing | Standing::Stream | Standing::Directory => {
                    Err(Trouble::NotWritten(io::ErrorKind::NotFound.into()))
                }
            }
        };
        Some(Piece { input: ci_summary(self.outlet.ci), path, work: Box::new(work), then: Some(then) })
    }
}

/// Buildkite's agent, found by the PATH.
const AGENT: &str = "buildkite-agent";

fn meta_data(report: &Report, prefix: &str) -> Vec<Call> {
    let set = |(name, input)| Call { arguments: vec!["meta-data".to_owned(), "set".to_owned(), name], input };
    buildkite::meta_data(report, prefix).into_iter().map(set).collect()
}

fn annotate(report: &Report, prefix: &str) -> Vec<Call> {
    let (context, style) = buildkite::annotation(report, prefix);
    let input = match report.stage {
        Stage::First => markdown::began(report),
        Stage::Final => markdown::summary(report, Chart::Text),
    };
    let arguments = ["annotate", "--context", &context, "--style", style].map(str::to_owned).to_vec();
    vec![Call { arguments, input }]
}

/// What the CI's own file gets.
fn records(ci: Ci, report: &Report, prefix: &str) -> Result<String, Trouble> {
    match ci {
        Ci::Github => {
            let rows = outputs::outputs(report, Destination::CiFile).rows;
            // A delimiter that stands in a value is as good as impossible; then the next one does not.
            loop {
                if let Ok(records) = github::output_file(&rows, &token()) {
                    break Ok(records);
                }
            }
        }
        Ci::Circleci => Ok(circleci::exports(report, prefix)),
        Ci::CloudBuild => cloud_build::render(report).map_err(|_| NOT_RENDERED),
        Ci::Bitbucket | Ci::Drone => Ok(dotenv::render(report, prefix)),
        Ci::Azure | Ci::Buildkite | Ci::Files | Ci::Gitlab | Ci::None | Ci::Teamcity => Ok(String::new()),
    }
}

impl Piece {
    /// Writes it, on a thread of its own; returns what is to be said in the log.
    pub async fn deliver(self) -> Result<Option<String>, Trouble> {
        let (tell, done) = oneshot::channel();
        let (input, work) = (self.input, self.work);
        let work = move || {
            bug::bug_at(input);
            work()
        };
        bug::contained(&format!("deliver {input}"), work, |written| drop(tell.send(written)))
            .map_err(Trouble::NotWritten)?;
        let written = done.await.ok().flatten();
        written.unwrap_or(Err(Trouble::Bug("the renderer failed, please report this"))).map(|()| self.then)
    }
}

const NOT_RENDERED: Trouble = Trouble::Bug("it could not be rendered, please report this");

fn render(format: Format, report: &Report, prefix: &str, chart: Chart) -> Result<String, Trouble> {
    match format {
        Format::Json => json::render(report).map_err(|_| NOT_RENDERED),
        Format::Junit => Ok(junit::render(report)),
        Format::Dotenv => Ok(dotenv::render(report, prefix)),
        Format::Markdown => Ok(markdown::summary(report, chart)),
        Format::TraceFile => Ok(trace_file::whole(report)),
        Format::Annotations => gitlab::annotations(report).map_err(|_| NOT_RENDERED),
    }
}

/// One of our own files. What stands there from an earlier job must be gone before the first request, or the gate could
/// be killed and an old pass be read.
fn write_file(path: &Path, stage: Stage, text: &str) -> Result<(), Trouble> {
    match (stage, file::standing(path)) {
        // A pipe or a device keeps nothing; it gets the last version only, as its reader expects one document.
        (Stage::First, Standing::Stream) => Ok(()),
        (Stage::First, Standing::RegularFile | Standing::Directory) => {
            file::replace(path, text.as_bytes()).map_err(Trouble::OldReportStays)
        }
        (Stage::First, Standing::Nothing) | (Stage::Final, _) => {
            file::replace(path, text.as_bytes()).map_err(Trouble::NotWritten)
        }
    }
}

fn write_folder(folder: &Path, report: &Report) -> Result<(), Trouble> {
    if matches!(file::standing(folder), Standing::RegularFile | Standing::Stream) {
        return Err(Trouble::OldReportStays(io::ErrorKind::NotADirectory.into()));
    }
    // One file that can't be written is no reason to leave the others unwritten.
    let rows = outputs::outputs(report, Destination::OutputDir).rows;
    rows.iter().map(|row| write_file(&folder.join(row.name), report.stage, &row.value)).fold(Ok(()), Result::and)
}

/// A token that nobody can guess, for delimiters and stop commands.
pub fn token() -> Token {
    Token::new(&random_token()).expect("32 hex digits are a token")
}

/// 128 random bits in hex.
fn random_token() -> String {
    let mut bits = [0_u8; 16];
    // Without randomness a delimiter could be guessed; failing loudly is the only safe thing, and the first versions of
    // the reports already say "internal-error".
    getrandom::fill(&mut bits).expect("the system has a source of randomness");
    bits.iter().map(|byte| format!("{byte:02x}")).collect()
}
