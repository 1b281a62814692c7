//! `cargo run --example demo`: a tour of the gate, against a stand-in for Maestro on this machine. It takes half a minute.
//!
//! Each scene is a step of a GitHub job: its log and job summary are shown as GitHub would show them. The demo exits 0 if
//! every scene ends with the verdict and exit code of the reference.

#![expect(clippy::disallowed_macros, reason = "a program of its own, which prints to the terminal")]

mod log;
mod page;
mod scenes;
#[expect(dead_code, unused_imports, reason = "the tests use more of the stand-in than the demo does")]
#[path = "../stand-in/service/mod.rs"]
mod service;
mod step;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgAction, Command};
use maestro_gate::app;
use maestro_gate::inputs::Env;
use maestro_gate::inputs::env::args;

use log::LogView;
use scenes::{SCENES, Scene};
use service::{Scenario, Service};
use step::Step;

/// How much a scene shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    /// The log, and the summary where the scene says so.
    Tour,
    /// The whole log, the summary and the outputs.
    Whole,
    /// The same, byte by byte as the gate writes it.
    Raw,
}

fn main() -> ExitCode {
    let mut arguments = args();
    if arguments.first().is_some_and(|first| first == step::GATE) {
        arguments.remove(0);
        return ExitCode::from(app::start(arguments, Env::from_process()));
    }
    let names = SCENES.each_ref().map(|scene| scene.name).join(", ");
    let matches = Command::new("demo")
        .about("A tour of maestro-gate, against a stand-in for Maestro on this machine")
        .arg(Arg::new("scene").long("scene").value_name("NAME").help(format!("Show everything of one scene: {names}")))
        .arg(Arg::new("raw").long("raw").action(ArgAction::SetTrue).help("Show logs, outputs and summaries unrendered"))
        .get_matches();
    let scene = matches.get_one::<String>("scene");
    let view = match (matches.get_flag("raw"), scene) {
        (true, _) => View::Raw,
        (false, Some(_)) => View::Whole,
        (false, None) => View::Tour,
    };
    let chosen: Vec<&Scene> = SCENES.iter().filter(|known| scene.is_none_or(|name| known.name == name)).collect();
    if chosen.is_empty() {
        eprintln!("demo: no scene of this name; the scenes are {names}");
        return ExitCode::from(2);
    }
    match play(&chosen, view) {
        Ok(()) => ExitCode::SUCCESS,
        // As with `| head`: whoever reads has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.root_cause().downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[tokio::main(flavor = "current_thread")]
async fn play(scenes: &[&Scene], view: View) -> Result<()> {
    let scenario = Scenario::from_json(include_str!("service.json")).map_err(anyhow::Error::msg)?;
    let service = Service::start(scenario);
    let mut out = io::stdout();
    writeln!(
        out,
        "maestro-gate is a step of a CI job: it lets the job go on only if a pipeline run in Maestro succeeded."
    )?;
    writeln!(out, "Here a stand-in at {} plays Maestro; nothing leaves this machine.", service.base_url())?;
    let mut table = Vec::new();
    for (number, scene) in (1..).zip(scenes) {
        writeln!(out, "\n=== {number} of {}: {} ===\n{}", scenes.len(), scene.name, scene.about)?;
        writeln!(out, "$ maestro-gate {}", scene.arguments.join(" "))?;
        let mut log = LogView::default();
        let mut show = |line: &str| match view {
            View::Raw => behind_bar(&[line]),
            View::Tour | View::Whole => behind_bar(&log.shown(line)),
        };
        let step = step::run(scene, &service.base_url(), &mut show).await;
        let step = step.with_context(|| format!("scene {}", scene.name))?;
        for (title, lines) in files(&step, scene, view) {
            writeln!(out, "\n{title}:")?;
            behind_bar(&lines)?;
        }
        table.push((*scene, step));
    }
    close(&table, view)
}

/// Prints lines of the gate behind a bar, so that a CI in which the demo runs takes none for its own command.
fn behind_bar(lines: &[impl AsRef<str>]) -> io::Result<()> {
    lines.iter().try_for_each(|line| writeln!(io::stdout(), "  | {}", line.as_ref()))
}

/// The summary and the outputs, as far as the view has them: titles and lines.
fn files(step: &Step, scene: &Scene, view: View) -> Vec<(&'static str, Vec<String>)> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect();
    let summary = ("The job summary on GitHub", page::rendered(&step.summary));
    let output = |(name, value): &(String, String)| format!("{name}: {}", value.replace('\n', "\n  |   "));
    match view {
        View::Tour if !scene.with_summary => Vec::new(),
        View::Tour => vec![summary],
        View::Whole => vec![summary, ("The outputs for later steps", step.outputs.iter().map(output).collect())],
        View::Raw => vec![("GITHUB_STEP_SUMMARY", lines(&step.summary)), ("GITHUB_OUTPUT", lines(&step.output_file))],
    }
}

/// The table of all scenes, and what to try next.
fn close(table: &[(&Scene, Step)], view: View) -> Result<()> {
    writeln!(io::stdout(), "\n{:<9} {:<11} exit code", "scene", "verdict")?;
    let mut surprises = Vec::new();
    for (scene, step) in table {
        let exit_code = step.exit_code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        writeln!(io::stdout(), "{:<9} {:<11} {exit_code}", scene.name, step.output("verdict"))?;
        if (step.exit_code, step.output("verdict")) != (Some(scene.exit_code), scene.verdict) {
            surprises.push(format!("{} must end with {} and exit code {}", scene.name, scene.verdict, scene.exit_code));
        }
    }
    let next = match view {
        View::Tour => "cargo run --example demo -- --scene failure   (the whole log, the summary and the outputs)",
        View::Whole | View::Raw => "cargo run --example stand-in   (a Maestro to try your own commands on)",
    };
    writeln!(io::stdout(), "\nTry next: {next}")?;
    ensure!(surprises.is_empty(), "{}", surprises.join("; "));
    Ok(())
}
