//! What a gate left behind: its exit code, what it said, and every report, as its reader parses it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Instant;

use serde_json::Value;

use super::{Stdout, Story, read};
use crate::junit::{Case, cases};
use crate::runner::{github, gitlab};

#[derive(Debug)]
pub struct StoryOutcome {
    /// None: a signal ended it.
    pub code: Option<i32>,
    pub at: Instant,
    /// None: nobody was there to hear it.
    pub stdout: Option<String>,
    pub stderr: String,
    /// `GITHUB_OUTPUT` as it stands, and as the runner reads it.
    pub output_file: Option<String>,
    pub outputs: Option<BTreeMap<String, String>>,
    pub summary: Option<String>,
    pub json: Option<Value>,
    pub junit: Option<Vec<Case>>,
    pub dotenv: Option<BTreeMap<String, String>>,
    pub markdown: Option<String>,
    pub trace_file: Option<String>,
    pub output_dir: Option<BTreeMap<String, String>>,
    /// Every file that is there now, by path.
    pub files: BTreeMap<PathBuf, String>,
}

impl StoryOutcome {
    pub(super) fn read(story: &Story<'_>, status: ExitStatus, stdout: String, stderr: String) -> StoryOutcome {
        let whole = |path: &OsString| std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let all: Vec<PathBuf> = story.inputs.values().chain(story.env.values()).map(whole).collect();
        // What has a document of its own: no device, and no path that was given twice.
        let ours = |path: &OsString| {
            let path = whole(path);
            path.starts_with(whole(&story.out.path().into())) && all.iter().filter(|other| **other == path).count() == 1
        };
        let file = |input: &str| story.inputs.get(input).filter(|path| ours(path)).and_then(|path| read(path.as_ref()));
        let offered = |name: &str| story.env.get(name).filter(|path| ours(path)).and_then(|path| read(path.as_ref()));
        let output_file = offered("GITHUB_OUTPUT");
        let folder = story.inputs.get("output-dir").filter(|path| ours(path)).map(PathBuf::from);
        let in_folder = |folder: PathBuf| {
            let files = files(&folder).into_iter();
            files
                .map(|(path, text)| (path.strip_prefix(&folder).expect("inside").display().to_string(), text))
                .collect()
        };
        StoryOutcome {
            code: status.code(),
            at: super::now(),
            stdout: matches!(story.stdout, Stdout::Read).then_some(stdout),
            stderr,
            outputs: output_file.as_ref().map(|text| github::outputs(text).expect("the runner reads the outputs")),
            output_file,
            summary: offered("GITHUB_STEP_SUMMARY"),
            json: file("json").map(|text| serde_json::from_str(&text).expect("the JSON report parses")),
            junit: file("junit").map(|text| cases(&text)),
            dotenv: file("dotenv").map(|text| gitlab::dotenv(&text).expect("GitLab reads the dotenv report")),
            markdown: file("markdown"),
            trace_file: file("trace-file"),
            output_dir: folder.filter(|folder| folder.is_dir()).map(in_folder),
            files: files(story.out.path()),
        }
    }

    /// One of the outputs.
    #[track_caller]
    pub fn output(&self, name: &str) -> &str {
        self.outputs.as_ref().and_then(|outputs| outputs.get(name)).unwrap_or_else(|| panic!("no output {name}"))
    }

    #[track_caller]
    pub fn verdict(&self) -> &str {
        self.output("verdict")
    }

    /// The verdict of each run, in input order.
    #[track_caller]
    pub fn verdicts(&self) -> Vec<&str> {
        let runs = self.report()["runs"].as_array().expect("a list of runs");
        runs.iter().map(|run| run["verdict"].as_str().expect("a word")).collect()
    }

    #[track_caller]
    pub fn report(&self) -> &Value {
        self.json.as_ref().expect("a JSON report")
    }

    /// The notes of the report, in the order in which things happened.
    #[track_caller]
    pub fn notes(&self) -> Vec<&str> {
        let notes = self.report()["notes"].as_array().expect("a list of notes");
        notes.iter().map(|note| note["text"].as_str().expect("text")).collect()
    }

    /// Whether a note has these words.
    #[track_caller]
    pub fn is_noted(&self, words: &str) -> bool {
        self.notes().iter().any(|note| note.contains(words))
    }

    #[track_caller]
    pub fn assert_noted(&self, words: &str) {
        assert!(self.is_noted(words), "{words}: {:?}", self.notes());
    }

    #[track_caller]
    pub fn log(&self) -> &str {
        self.stdout.as_deref().expect("somebody listened")
    }

    /// Everything in one text: what a person or a program may come to see.
    pub fn everything(&self) -> String {
        let files: Vec<&str> = self.files.values().map(String::as_str).collect();
        [self.stdout.as_deref().unwrap_or_default(), &self.stderr, &files.join("\n")].join("\n")
    }

    /// The same where there is nothing but the log; the law has held its last line to the exit code.
    #[track_caller]
    pub fn assert_last_line(&self, verdict: &str, code: i32) {
        assert_eq!(self.code, Some(code), "{}", self.log());
        let last = self.log().lines().next_back().unwrap_or_default();
        assert!(last.starts_with(&format!("maestro-gate: {verdict} ")), "{last}");
    }

    /// The verdict and the exit code of the reference's row.
    #[track_caller]
    pub fn assert_ended(&self, verdict: &str, code: i32) -> &StoryOutcome {
        assert_eq!((self.verdict(), self.code), (verdict, Some(code)), "{}", self.log());
        self
    }
}

/// Every file below a folder.
fn files(folder: &std::path::Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            let text = read(&path).expect("a file");
            found.insert(path, text);
        }
    }
    found
}
