//! The path, from the inputs to the exit code.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use secrecy::ExposeSecret;

use crate::api::{Client, Refusals};
use crate::clock::Clock;
use crate::console::Console;
use crate::deliver::Delivery;
use crate::ending::{Begun, Ending, coloured};
use crate::gate::{Ask, Event, Foreign, Gate, Notice, PipelineId, RunId, SessionNote, Verdict};
use crate::inputs::Env;
use crate::plan::ci::Ci;
use crate::plan::{self, LogFormat, Outlet, Plan, Resolved, RunUrl, Start, Volume};
use crate::progress::{self, View};
use crate::report::clean::Cleaner;
use crate::report::words::Names;
use crate::report::{Note, Report, Story, Weight};
use crate::watch::{Moment, Patience, Signals, watch};
use crate::{bug, logs};

/// The largest file of an input (a certificate bundle is a few hundred KiB): a device can't fill the memory.
const INPUT_FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// Runs the gate; returns the exit code.
pub async fn run(args: Vec<OsString>, env: Env) -> u8 {
    bug::remember_panics();
    let Ok(signals) = Signals::listen() else { return Verdict::InternalError.exit_code() };
    let resolved = match plan::resolve(&args, &env, &read) {
        Start::Show(text) => return say(text).await,
        Start::Gate(resolved) => *resolved,
    };
    let Resolved { outlet, secrets, warnings, plan } = resolved;

    let cleaner = Cleaner::new();
    let mut notices = Vec::new();
    for (name, secret) in &secrets {
        if !cleaner.add_secret(secret.expose_secret()) {
            notices.push(Notice { at: Duration::ZERO, event: Event::Session(SessionNote::ShortSecret(name)) });
        }
    }
    let clock = Clock::start();
    let bar = wants_spinner(&outlet).then(progress::spinner);
    let console = Console::over(progress::stdout(bar.as_ref()));
    let (format, volume) = (outlet.log_format, outlet.volume);
    let mut ending = Ending {
        coloured: coloured(outlet.colour, std::io::stdout().is_terminal()),
        delivery: Delivery::new(outlet),
        console: console.clone(),
        cleaner: cleaner.clone(),
        clock,
        signals,
        patience: Patience::default(),
    };

    let wanted = plan.as_ref().map(|plan| plan.wanted.clone()).unwrap_or_default();
    let link = link(plan.as_ref().ok().and_then(|plan| plan.run_url.clone()));
    let first = Report::first(&wanted, &link, &cleaner);
    let Begun { mistakes, warnings: early } = ending.begin(first.clone(), plan.is_ok()).await;
    let show = |text: &Foreign| cleaner.line(text, usize::MAX).to_string();
    let warned: Vec<Note> =
        (warnings.iter().map(|warning| cleaner.line(&Foreign::new(warning.sentence(show)), usize::MAX)))
            .chain(early)
            .map(|text| Note { at: clock.elapsed(), weight: Weight::Warning, text })
            .collect();

    let plan = match plan {
        Ok(plan) if mistakes.is_empty() => plan,
        wrong => {
            let wrong = wrong.err().unwrap_or_default();
            let all = wrong.iter().map(|mistake| mistake.sentence(show)).chain(mistakes);
            let mut report = Report::invalid_input(all, &cleaner);
            report.notes.extend(warned);
            let report = ending.documents(report).await;
            return ending.close(&report).await;
        }
    };
    let which_logs = plan.logs;
    let mut view = View::new(console, format, volume, Names::new(&wanted, &cleaner), cleaner.clone(), bar);
    warned.iter().for_each(|note| view.note(note));

    // A panic from here on is a report like any other: internal-error, never a pass and never a failed run.
    let watched = AssertUnwindSafe(watched(plan, &mut ending, &mut view, notices, &link)).catch_unwind().await;
    view.close();
    let (mut report, client) = watched.unwrap_or_else(|_| {
        let known = bug::take().unwrap_or_default();
        (Report::internal_error(first, &Foreign::new(known), &cleaner), None)
    });
    report.notes.splice(0..0, warned);
    let report = ending.documents(report).await;
    let report = logs::gather(report, which_logs, client.as_ref(), &mut ending).await;
    ending.close(&report).await
}

/// Watches the runs to their end and reports. The client is handed back for the logs.
async fn watched(
    plan: Plan,
    ending: &mut Ending,
    view: &mut View,
    mut notices: Vec<Notice>,
    link: &dyn Fn(&str, &str) -> Option<String>,
) -> (Report, Option<Client>) {
    let Plan { wanted, rules, service, .. } = plan;
    let Ending { cleaner, clock, .. } = ending;
    let (cleaner, clock) = (cleaner.clone(), *clock);
    let timeout = rules.limits.timeout;
    let mut gate = Gate::new(rules, wanted.clone());
    let client = match Client::new(service, clock) {
        Ok(client) => client,
        Err(error) => {
            let first = Report::first(&wanted, link, &cleaner);
            return (Report::internal_error(first, &Foreign::new(error.to_string()), &cleaner), None);
        }
    };
    if let Some(signal) = ending.patience.heard() {
        gate.interrupt(signal, clock.elapsed(), &mut notices);
    }
    // Of each run, which has one question under way at most: taken out for it, put back after it.
    let rows: RefCell<HashMap<usize, Refusals>> = RefCell::default();
    let look = |run: usize, ask: Ask| {
        let (client, rows) = (&client, &rows);
        async move {
            let mut row = rows.borrow_mut().remove(&run).unwrap_or_default();
            let told = client.ask(&ask, &mut row).await;
            rows.borrow_mut().insert(run, row);
            told
        }
    };
    let polls = Cell::new(0);
    let beat = view.beat();
    let mut told_of_end = false;
    let tell = |gate: &Gate, moment: Moment, news: &[Notice], made: u64| {
        polls.set(made);
        let now = clock.elapsed();
        for token in client.take_new_secrets() {
            cleaner.add_token(token.expose_secret());
        }
        let from = notices.len();
        notices.extend(client.take_notes().into_iter().map(|note| Notice { at: now, event: Event::Session(note) }));
        notices.extend_from_slice(news);
        if !told_of_end && let Some(ends) = client.token_ends() {
            told_of_end = true;
            notices.extend(ends_early(ends, timeout.saturating_sub(now), &clock));
        }
        view.tell(gate, moment, &notices[from..], now, made);
    };
    watch(&mut gate, &clock, &mut ending.signals, beat, look, tell).await;

    let trace_file = ending.delivery.trace_file().map(|path| path.to_string_lossy().into_owned());
    let story = Story {
        notices: &notices,
        waited: clock.elapsed(),
        polls: polls.get(),
        run_url: link,
        trace_file: trace_file.as_deref(),
        cleaner: &cleaner,
    };
    (Report::new(&gate.outcome(), &story), Some(client))
}

/// A token that can't be renewed and says that it ends before the deadline.
fn ends_early(ends: DateTime<Utc>, needed: Duration, clock: &Clock) -> Option<Notice> {
    let left = (ends - clock.utc()).to_std().unwrap_or_default();
    let note = SessionNote::EndsBeforeDeadline { left, needed };
    (left < needed).then(|| Notice { at: clock.elapsed(), event: Event::Session(note) })
}

/// Prints a text that was asked for.
async fn say(text: String) -> u8 {
    let console = Console::over(std::io::stdout());
    console.write(text);
    console.flushed().await;
    0
}

/// A spinner is for a person at a terminal who wants to see text.
fn wants_spinner(outlet: &Outlet) -> bool {
    outlet.ci == Ci::None
        && outlet.log_format == LogFormat::Text
        && outlet.volume != Volume::Quiet
        && std::io::stderr().is_terminal()
}

/// The link to a run, of ids as they are shown.
fn link(template: Option<RunUrl>) -> impl Fn(&str, &str) -> Option<String> {
    move |pipeline, run| Some(template.as_ref()?.link(&PipelineId::new(pipeline)?, &RunId::new(run)?))
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(INPUT_FILE_LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}
