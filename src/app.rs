//! The path, from the inputs to the exit code: inputs, config, first reports, polling, report, output.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::runtime::LocalRuntime;

use crate::clock::Clock;
use crate::config::{Config, LogFormat, Resolved, Warning};
use crate::console::{self, Console};
use crate::core::{Event, SessionNote, TimedEvent, Untrusted, Verdict, Wanted};
use crate::finalize::{Finalizer, Prepared, exit_on_panic};
use crate::input_files::{self, ResolvedInputs, StartupError};
use crate::inputs::Env;
use crate::output::{self, ReportWriter};
use crate::poll_loop::Signals;
use crate::progress::{self, View};
use crate::report::Report;
use crate::report::sanitize::Sanitizer;
use crate::wait_for_runs::wait_for_runs;
use crate::{config, doctor, logs, panic_hook};

/// How long a text that was asked for may take to be read.
const SHOWN: Duration = Duration::from_secs(5);

/// Runs the gate to its end and returns the exit code.
pub fn start(args: Vec<OsString>, env: Env) -> u8 {
    panic_hook::hook();
    exit_on_panic(Verdict::InternalError, LogFormat::Text, None);
    if let Some(text) = config::requested_text(&args) {
        return show(&text);
    }
    // One thread is enough: it polls at most once a second, and nothing is shared that would need a lock.
    match output::descriptors().and_then(|()| LocalRuntime::new()) {
        Ok(runtime) => {
            // As a task, because whenever a task wakes the future of `block_on`, the system is asked for events first.
            let gate = runtime.spawn_local(run(args, env));
            let code = runtime.block_on(gate).expect("a panic ends the process");
            // A name look-up may hang for half a minute more; dropping the runtime would wait for it.
            runtime.shutdown_background();
            code
        }
        Err(error) => report_without_runtime(&args, &env, &format!("the system refuses what waiting takes: {error}")),
    }
}

async fn run(args: Vec<OsString>, env: Env) -> u8 {
    let mut signals = Signals::listen();
    let ResolvedInputs { resolved, first_signal, gave_up } = input_files::resolve(args, env, &mut signals).await;
    let Resolved { is_doctor, output_config, secrets, warnings, help, config } = resolved;
    let config = config.map_err(|errors| StartupError::new(errors, first_signal.filter(|_| gave_up)));
    let format = output_config.log_format;

    let sanitizer = Sanitizer::new();
    let short = secrets.iter().filter(|(_, secret)| !sanitizer.add_secret(secret.expose_secret()));
    let event = |name| TimedEvent { at: Duration::ZERO, event: Event::Session(SessionNote::ShortSecret(name)) };
    let events: Vec<TimedEvent> = short.map(|(name, _)| event(name)).collect();
    let wanted = config.as_ref().map(|config| config.wanted.clone()).unwrap_or_default();
    sanitizer.add_asked(&wanted);

    let bar = progress::wants_spinner(&output_config).then(progress::spinner);
    let console = Console::over(progress::stdout(bar.as_ref()));
    exit_on_panic(Verdict::InternalError, format, Some(&console));
    if let (Some(help), LogFormat::Text) = (help, format) {
        console.write(help);
    }
    let mut view = View::new(console.clone(), format, output_config.volume, sanitizer.clone(), bar);
    let mut finalizer = Finalizer::new(output_config, console, sanitizer, Clock::start(), signals, first_signal);
    if is_doctor {
        drop(view);
        return run_doctor(config, &warnings, finalizer).await;
    }

    let links = config.as_ref().ok().and_then(|config| config.links.clone());
    let link = |pipeline: &str, run: &str| links.as_ref()?.link(pipeline, run);
    let first = Report::first(&wanted, &link, &finalizer.sanitizer);
    let Prepared { input_errors, notes } = finalizer.begin(first, &warnings, config.is_ok()).await;
    notes.iter().for_each(|note| view.note(note));

    let (mut report, logs) = match config {
        Ok(config) if input_errors.is_empty() => wait_for_runs(config, &mut finalizer, &mut view, events, &link).await,
        Ok(_) => (Report::invalid_input(input_errors, &finalizer.sanitizer), None),
        Err(StartupError::InvalidInputs(errors)) => {
            let all = errors.iter().map(|error| error.sentence(|text| finalizer.shown(text))).chain(input_errors);
            (Report::invalid_input(all, &finalizer.sanitizer), None)
        }
        Err(StartupError::Interrupted(signal)) => (Report::interrupted(signal), None),
    };
    report.notes.splice(0..0, notes);
    view.close();

    let mut report = finalizer.documents(report).await;
    logs::gather(&mut report, logs.as_ref(), &mut finalizer).await;
    finalizer.close(report).await
}

/// Checks what a gate would need, and prints the result.
async fn run_doctor(config: Result<Config, StartupError>, warnings: &[Warning], mut finalizer: Finalizer) -> u8 {
    let checkup = match config {
        Err(StartupError::Interrupted(signal)) => doctor::interrupted(signal),
        Err(StartupError::InvalidInputs(errors)) => doctor::mistaken(&errors, warnings, &finalizer.sanitizer),
        Ok(config) => doctor::examine(config, warnings, &mut finalizer).await,
    };
    finalizer.console.write(match finalizer.delivery.output_config.log_format {
        LogFormat::Text => checkup.text(),
        LogFormat::Json => checkup.json(),
    });
    let console = finalizer.console.clone();
    // If the reader does not read in time, the table is lost; the exit code is not.
    let _written = finalizer.wait(console.flushed(), SHOWN).await;
    checkup.verdict().exit_code()
}

/// Prints a text that was asked for, which takes no runtime and no thread. A reader that stops reading is no error.
fn show(text: &str) -> u8 {
    console::print_at_once(text, SHOWN);
    0
}

/// Writes reports that say why nothing can be waited for, in place of those of an earlier job. Returns the exit code.
fn report_without_runtime(args: &[OsString], env: &Env, why: &str) -> u8 {
    // No file is read: what can't be read is an input error or a secret, and the reports hold neither.
    let unread = |_: &Path, _: Option<Duration>| Err(io::ErrorKind::Other.into());
    let resolved = config::resolve(args, env, &unread);
    if !resolved.is_doctor {
        let sanitizer = Sanitizer::new();
        let first = Report::first(&[] as &[Wanted], &|_, _| None, &sanitizer);
        let report = Report::internal_error(first, &Untrusted::new(why), &sanitizer);
        ReportWriter::new(resolved.output_config).write_here(&report);
    }
    let verdict = Verdict::InternalError;
    console::last_words(&format!("maestro-gate: {} (exit code {}): {why}\n", verdict.name(), verdict.exit_code()));
    verdict.exit_code()
}
