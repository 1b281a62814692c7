//! The gate as a step of a GitHub job: this very program, started again.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use crate::scenes::Scene;

/// The first argument that makes this program the gate. So the demo needs no other program, and cargo builds everything once.
pub const GATE: &str = "the-gate";

/// No scene takes this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a step leaves behind.
pub struct Step {
    /// None: a signal ended it.
    pub exit_code: Option<i32>,
    /// In the order of their first mention.
    pub outputs: Vec<(String, String)>,
    pub output_file: String,
    pub summary: String,
}

impl Step {
    pub fn output(&self, name: &str) -> &str {
        self.outputs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Runs a scene's step; `show` gets the lines of its log as they come.
pub async fn run(scene: &Scene, base_url: &str, show: &mut impl FnMut(&str) -> io::Result<()>) -> Result<Step> {
    let folder = tempfile::tempdir().context("make a folder for the step's files")?;
    let (output, summary) = (folder.path().join("output"), folder.path().join("summary"));
    let program = std::env::current_exe().context("find this program")?;
    let mut command = Command::new(program);
    // Variables of this machine could change what the scene shows.
    command
        .env_clear()
        .envs(socket_folder())
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", &output)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("DADOSFERA_USERNAME", "ci@example.com")
        .env("DADOSFERA_PASSWORD", "correct-horse-battery")
        .arg(GATE)
        .arg(format!("--base-url={base_url}"))
        .args(scene.arguments)
        .current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = command.spawn().context("start the gate")?;
    let log = child.stdout.take().context("its stdout")?;
    let ended = tokio::time::timeout(PATIENCE, async {
        each_line(log, show).await.context("show the log")?;
        child.wait().await.context("wait for the gate")
    });
    let exit_code = ended.await.with_context(|| format!("the gate took more than {PATIENCE:?}"))??.code();
    let output_file = text(&output);
    Ok(Step { exit_code, outputs: outputs(&output_file)?, output_file, summary: text(&summary) })
}

/// What stands in a file; nothing if it is not there, which the verdict will show.
fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The one variable that a Windows program needs to open a socket.
#[expect(clippy::disallowed_methods, reason = "it is passed on, not read as an input")]
fn socket_folder() -> Option<(&'static str, OsString)> {
    std::env::var_os("SystemRoot").map(|folder| ("SystemRoot", folder))
}

async fn each_line(from: impl AsyncRead + Unpin, show: &mut impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let mut lines = BufReader::new(from).lines();
    while let Some(line) = lines.next_line().await? {
        show(&line)?;
    }
    Ok(())
}

/// The outputs in the runner's file format; the last record of a name wins.
fn outputs(file: &str) -> Result<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut lines = file.lines();
    while let Some(line) = lines.next() {
        let (name, value) = match (line.split_once("<<"), line.split_once('=')) {
            (Some((name, end)), _) if !name.contains('=') => {
                let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                (name, value.join("\n"))
            }
            (_, Some((name, value))) => (name, value.to_owned()),
            _ if line.is_empty() => continue,
            _ => bail!("not a line of an output file: {line}"),
        };
        match found.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1 = value,
            None => found.push((name.to_owned(), value)),
        }
    }
    Ok(found)
}
