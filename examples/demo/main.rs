//! `cargo run --example demo`: the real gate against a stand-in service on this machine: the three documented runs, then a
//! run whose pipeline has a past, and one that the gate starts.
//!
//! It shows what a person sees in CI: the log as it comes, the exit code, what a later step can read, and the job summary.
//! It ends well if exits and verdicts are those of the contract, and the outputs say the same. It takes about a minute.

#![expect(clippy::disallowed_macros, reason = "a program of its own, which talks on the terminal")]

#[expect(dead_code, unused_imports, reason = "the tests order replies and look at requests; the demo only plays")]
#[path = "../stand-in/service/mod.rs"]
mod service;

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use service::{Scenario, Service};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

/// Fast enough that a documented quarter of an hour takes five seconds.
const FAST: f64 = 180.0;

/// For a forecast: the gate's own clock can't be hurried.
const REAL: f64 = 1.0;

/// No gate takes this long: its own time limit is far shorter.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the gate is asked, and what the contract says must come of it.
struct Act {
    title: &'static str,
    scenario: &'static str,
    speed: f64,
    arguments: &'static [&'static str],
    verdict: &'static str,
    exit: i32,
}

const PIPELINE: &str = "--pipeline-id=1b33ad2f_33d3_4837_9eeb_83c82c8b909d";
const SUCCESS: &str = "--run-id=e7c91a3b_5f2d_4a8e_b1c9_7d3f2e8a4b6c";

const ACTS: [Act; 5] = [
    Act {
        title: "a run that succeeds",
        scenario: "documented",
        speed: FAST,
        arguments: &[PIPELINE, SUCCESS, "--timeout=30s", "--poll-interval=1s"],
        verdict: "passed",
        exit: 0,
    },
    Act {
        title: "a run that fails",
        scenario: "documented",
        speed: FAST,
        arguments: &[PIPELINE, "--run-id=f9d8e7c6_b5a4_3928_1c0d_6e5f4a3b2c1d", "--timeout=30s", "--poll-interval=1s"],
        verdict: "failed",
        exit: 1,
    },
    Act {
        title: "a run that is still going when the time is up",
        scenario: "documented",
        speed: FAST,
        arguments: &[
            "--pipeline-id=a9f82c14_7e21_4b5a_8c9d_12345abcdef0",
            "--run-id=b3c4d5e6_7f8a_9b0c_1d2e_3f4a5b6c7d8e",
            "--timeout=4s",
            "--poll-interval=1s",
        ],
        verdict: "timed-out",
        exit: 3,
    },
    Act {
        title: "a run whose pipeline has a past: looks are placed where it is likely to end",
        scenario: "forecast",
        speed: REAL,
        arguments: &[PIPELINE, SUCCESS, "--timeout=2m", "--verbose"],
        verdict: "passed",
        exit: 0,
    },
    Act {
        title: "a run that the gate starts",
        scenario: "forecast",
        speed: REAL,
        arguments: &[PIPELINE, "--trigger", "--timeout=2m", "--poll-interval=2s"],
        verdict: "failed",
        exit: 1,
    },
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match play().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn play() -> Result<()> {
    let gate = gate().await?;
    let mut surprises = Vec::new();
    let mut services: Vec<(&str, Service)> = Vec::new();
    for (number, act) in (1..).zip(&ACTS) {
        println!("\n=== {number}. {} ===\n", act.title);
        if services.last().is_none_or(|(scenario, _)| *scenario != act.scenario) {
            let scenario = Scenario::ready(act.scenario).context("a ready scenario")?;
            services.push((act.scenario, Service::start(scenario.at_speed(act.speed).map_err(anyhow::Error::msg)?)));
        }
        let (_, service) = services.last().context("a service")?;
        let (exit, verdict) = perform(&gate, service, act).await?;
        if (exit, verdict.as_str()) != (Some(act.exit), act.verdict) {
            let Act { title, verdict: due, exit: code, .. } = act;
            surprises.push(format!("{title}: exit {exit:?}, verdict {verdict:?}; the contract says {code}, {due:?}"));
        }
    }
    let requests: usize = services.iter().map(|(_, service)| service.requests().len()).sum();
    println!("\n{requests} requests were made of the service.");
    ensure!(surprises.is_empty(), "{}", surprises.join("; "));
    Ok(())
}

/// Runs the gate as a GitHub step would, and shows it. Returns its exit code (none if a signal killed it) and the verdict
/// among its outputs.
async fn perform(gate: &Path, service: &Service, act: &Act) -> Result<(Option<i32>, String)> {
    let folder = tempfile::tempdir().context("make a folder for the step's files")?;
    let (output, summary) = (folder.path().join("output"), folder.path().join("summary"));
    println!("$ maestro-gate --base-url={} {}", service.base_url(), act.arguments.join(" "));
    let mut command = Command::new(gate);
    // Nothing of this machine's: a variable of the developer's would make it another demo.
    command
        .env_clear()
        .envs(socket_folder())
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", &output)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("GITHUB_SERVER_URL", "https://github.com");
    command.env("DADOSFERA_USERNAME", "ci@example.com").env("DADOSFERA_PASSWORD", "correct-horse-battery");
    command.arg(format!("--base-url={}", service.base_url())).args(act.arguments).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("start {}", gate.display()))?;
    let (out, err) = (child.stdout.take().context("its stdout")?, child.stderr.take().context("its stderr")?);
    let ended = tokio::time::timeout(PATIENCE, async {
        let (out, err, ended) = tokio::join!(copied(out), copied(err), child.wait());
        out.and(err).context("read what the gate says")?;
        ended.context("wait for the gate")
    });
    let exit = ended.await.with_context(|| format!("the gate went on for more than {PATIENCE:?}"))??.code();

    println!("\n--- exit code ---");
    println!("{}", exit.map_or_else(|| "killed by a signal".to_owned(), |code| code.to_string()));
    println!("\n--- outputs, as a later step reads them ---");
    let mut verdict = String::new();
    for (name, value) in outputs(&fs::read_to_string(&output).unwrap_or_default())? {
        println!("{name}: {}", value.replace('\n', "\n    "));
        if name == "verdict" {
            verdict = value;
        }
    }
    println!("\n--- job summary ---");
    println!("{}", fs::read_to_string(&summary).unwrap_or_else(|_| "(none)".to_owned()));
    Ok((exit, verdict))
}

/// The one variable that a process can't do without: on Windows no socket opens without it.
#[expect(clippy::disallowed_methods, reason = "it is handed on, not read as an input")]
fn socket_folder() -> Option<(&'static str, std::ffi::OsString)> {
    std::env::var_os("SystemRoot").map(|folder| ("SystemRoot", folder))
}

/// Shows lines as they come, behind a bar: so that a CI in which the demo itself runs takes none for its own command.
async fn copied(from: impl AsyncRead + Unpin) -> std::io::Result<()> {
    let mut lines = BufReader::new(from).lines();
    while let Some(line) = lines.next_line().await? {
        println!("  | {line}");
    }
    Ok(())
}

/// The outputs in the runner's file format, in the order of their first mention; the last record of a name wins.
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

/// The gate's binary, which stands beside this example's folder; built if it is missing or older than its source.
async fn gate() -> Result<PathBuf> {
    let own = std::env::current_exe().context("find this program")?;
    let profile = own.parent().and_then(Path::parent).context("this program is not in target/<profile>/examples")?;
    let gate = profile.join(format!("maestro-gate{EXE_SUFFIX}"));
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    if fs::metadata(&gate).and_then(|meta| meta.modified()).is_ok_and(|built| built >= newest(&package.join("src"))) {
        return Ok(gate);
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--bin", "maestro-gate", "--manifest-path"]).arg(package.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(profile.parent().context("a profile's folder is in the target folder")?);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    println!("building the gate ...");
    ensure!(cargo.status().await.context("start cargo")?.success(), "cargo could not build the gate");
    ensure!(gate.is_file(), "cargo built the gate, but not at {}", gate.display());
    Ok(gate)
}

/// When the newest file in a folder was changed.
fn newest(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let times = entries.filter_map(|entry| match entry.file_type().ok()?.is_dir() {
        true => Some(newest(&entry.path())),
        false => entry.metadata().ok()?.modified().ok(),
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
