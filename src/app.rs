//! The path, from the inputs to the exit code.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use crate::api::{AuthRetryState, Client, Redactor};
use crate::clock::Clock;
use crate::config::ci::Ci;
use crate::config::{
    Config, Credentials, InputError, LogFormat, OutputConfig, Resolved, RunUrl, Start, Volume, Warning,
};
use crate::console::{self, Console};
use crate::core::{
    ApiRequest, Event, EventLog, Gate, PipelineId, PollTarget, Rules, RunId, SessionNote, Signal, TimedEvent,
    Untrusted, Verdict, Wanted,
};
use crate::finalize::{Finalizer, Prepared, coloured, exit_on_panic};
use crate::input_files::{self, ResolvedInputs};
use crate::inputs::Env;
use crate::output::ReportWriter;
use crate::poll_loop::{GracePeriod, LoopEvent, Signals, watch};
use crate::progress::{self, View};
use crate::report::messages::RunNames;
use crate::report::sanitize::Sanitizer;
use crate::report::{Note, NoteLevel, Report, ReportContext};
use crate::{config, doctor, logs, output, panic_hook};

/// How long a text that was asked for may take to be read.
const SHOWN: Duration = Duration::from_secs(5);

/// Runs the gate to its end; returns the exit code.
pub fn start(args: Vec<OsString>, env: Env) -> u8 {
    panic_hook::hook();
    exit_on_panic(Verdict::InternalError, LogFormat::Text, None);
    on_this_thread(args, env)
}

/// Why there is nothing to do.
enum StartupError {
    Mistakes(Vec<InputError>),
    /// Before all files of the inputs were read. What else is wrong with them is told when somebody tries again.
    Interrupted(Signal),
}

/// A thread of its own is enough: a poll a second, and nothing shared that would need a lock.
fn on_this_thread(args: Vec<OsString>, env: Env) -> u8 {
    let runtime =
        output::descriptors().and_then(|()| tokio::runtime::Builder::new_current_thread().enable_all().build());
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(run(args, env));
            // A name look-up may hang for half a minute more; dropping the runtime would wait for it.
            runtime.shutdown_background();
            code
        }
        Err(error) => no_wait(&args, &env, &format!("the system refuses what waiting takes: {error}")),
    }
}

/// Where nothing can be waited for: the reports say so, in place of those that an earlier job left.
fn no_wait(args: &[OsString], env: &Env, why: &str) -> u8 {
    // No file is read: where it is not a mistake, a secret, the reports hold nothing of it.
    let unread = |_: &Path| Err(io::ErrorKind::Other.into());
    if let Start::Gate(resolved) = config::resolve(args, env, &unread) {
        let sanitizer = Sanitizer::new();
        let first = Report::first(&[] as &[Wanted], &|_, _| None, &sanitizer);
        let report = Report::internal_error(first, &Untrusted::new(why), &sanitizer);
        ReportWriter::new(resolved.output_config).write_here(&report);
    }
    no_report(why)
}

async fn run(args: Vec<OsString>, env: Env) -> u8 {
    let mut signals = Signals::listen();
    let ResolvedInputs { start, first_signal, gave_up } = input_files::resolve(args, env, &mut signals).await;
    let (resolved, is_doctor) = match start {
        Start::Show(text) => return say(text, signals).await,
        Start::Gate(resolved) => (*resolved, false),
        Start::Doctor(resolved) => (*resolved, true),
    };
    let Resolved { output_config, secrets, warnings, help, config } = resolved;
    let config = config.map_err(|input_errors| match first_signal.filter(|_| gave_up) {
        Some(signal) => StartupError::Interrupted(signal),
        None => StartupError::Mistakes(input_errors),
    });

    let sanitizer = Sanitizer::new();
    let mut events = Vec::new();
    for (name, secret) in &secrets {
        if !sanitizer.add_secret(secret.expose_secret()) {
            events.push(TimedEvent { at: Duration::ZERO, event: Event::Session(SessionNote::ShortSecret(name)) });
        }
    }
    if let Ok(config) = &config {
        sanitizer.add_asked(&config.wanted);
    }
    let clock = Clock::start();
    let bar = wants_spinner(&output_config).then(progress::spinner);
    let console = Console::over(progress::stdout(bar.as_ref()));
    let (format, volume) = (output_config.log_format, output_config.volume);
    exit_on_panic(Verdict::InternalError, format, Some(&console));
    if let (Some(help), LogFormat::Text) = (help, format) {
        console.write(help);
    }
    let mut finalizer = Finalizer {
        coloured: coloured(output_config.colour, std::io::stdout().is_terminal()),
        delivery: ReportWriter::new(output_config),
        console: console.clone(),
        sanitizer: sanitizer.clone(),
        clock,
        signals,
        grace_period: GracePeriod::default(),
        closing: None,
    };
    if let Some(signal) = first_signal {
        finalizer.grace_period.shorten(signal, &clock);
    }

    if is_doctor {
        drop(bar);
        return doctored(config, &warnings, finalizer).await;
    }
    let wanted = config.as_ref().map(|config| config.wanted.clone()).unwrap_or_default();
    let link = link(config.as_ref().ok().and_then(|config| config.run_url.clone()));
    let first = Report::first(&wanted, &link, &sanitizer);
    let mut view = View::new(console, format, volume, RunNames::new(&wanted, &sanitizer), sanitizer.clone(), bar);

    let prepared = finalizer.begin(first, config.is_ok()).await;
    let WatchResult { report, logs } = gate(config, warnings, prepared, &mut finalizer, &mut view, events, &link).await;
    view.close();
    let mut report = finalizer.documents(report).await;
    logs::gather(&mut report, logs.as_ref(), &mut finalizer).await;
    finalizer.close(report).await
}

/// Checks what a gate would need, and tells.
async fn doctored(config: Result<Config, StartupError>, warnings: &[Warning], mut finalizer: Finalizer) -> u8 {
    let checkup = match config {
        Err(StartupError::Interrupted(signal)) => doctor::interrupted(signal),
        Err(StartupError::Mistakes(input_errors)) => doctor::mistaken(&input_errors, warnings, &finalizer.sanitizer),
        Ok(config) => doctor::examine(config, warnings, &mut finalizer).await,
    };
    finalizer.console.write(match finalizer.delivery.output_config().log_format {
        LogFormat::Text => checkup.text(),
        LogFormat::Json => checkup.json(),
    });
    let console = finalizer.console.clone();
    // A reader who does not read in time has lost its table; the exit code is there.
    let _written = finalizer.wait(console.flushed(), SHOWN).await;
    checkup.verdict().exit_code()
}

/// What came of it, and how to get the logs.
struct WatchResult {
    report: Report,
    logs: Option<logs::Source>,
}

/// The first versions are written; now either there are mistakes to tell, or the runs are watched.
async fn gate(
    config: Result<Config, StartupError>,
    warnings: Vec<Warning>,
    prepared: Prepared,
    finalizer: &mut Finalizer,
    view: &mut View,
    events: Vec<TimedEvent>,
    link: &dyn Fn(&str, &str) -> Option<String>,
) -> WatchResult {
    let Prepared { input_errors, notes } = prepared;
    let sanitizer = finalizer.sanitizer.clone();
    let show = |text: &Untrusted| sanitizer.line(text, usize::MAX).to_string();
    let warned: Vec<Note> =
        (warnings.iter().map(|warning| sanitizer.line(&Untrusted::new(warning.sentence(show)), usize::MAX)))
            .map(|text| (NoteLevel::Warning, text))
            .chain(notes)
            .map(|(weight, text)| Note { at: finalizer.clock.elapsed(), weight, text })
            .collect();
    warned.iter().for_each(|note| view.note(note));
    let unwatched = |report| WatchResult { report, logs: None };
    let mut watch_result = match config {
        Ok(config) if input_errors.is_empty() => watched(config, finalizer, view, events, link).await,
        Ok(_) => unwatched(Report::invalid_input(input_errors, &sanitizer)),
        Err(StartupError::Mistakes(wrong)) => {
            let all = wrong.iter().map(|input_error| input_error.sentence(show)).chain(input_errors);
            unwatched(Report::invalid_input(all, &sanitizer))
        }
        Err(StartupError::Interrupted(signal)) => unwatched(Report::interrupted(signal)),
    };
    watch_result.report.notes.splice(0..0, warned);
    watch_result
}

impl Redactor for Sanitizer {
    fn learn(&self, secrets: &[&str]) {
        self.add_tokens(secrets);
    }

    fn shorten(&self, text: &Untrusted) -> Untrusted {
        self.beginning(text)
    }
}

/// Watches the runs to their end and reports. The client is handed back for the logs.
async fn watched(
    config: Config,
    finalizer: &mut Finalizer,
    view: &mut View,
    mut events: Vec<TimedEvent>,
    link: &dyn Fn(&str, &str) -> Option<String>,
) -> WatchResult {
    let Config { wanted, rules, service, logs: which, .. } = config;
    let Finalizer { sanitizer, clock, .. } = finalizer;
    let (sanitizer, clock) = (sanitizer.clone(), *clock);
    let timeout = rules.limits.timeout;
    let base = service.base.to_string();
    let rules = Rules { began: Some(clock.utc() - clock.elapsed()), ..rules };
    let mut gate = Gate::new(rules, wanted.clone());
    if matches!(service.credentials, Credentials::Password { .. }) {
        gate = gate.signing_in();
    }
    let client = match Client::new(service, clock, Rc::new(sanitizer.clone())) {
        Ok(client) => client,
        Err(error) => {
            let first = Report::first(&wanted, link, &sanitizer);
            let report = Report::internal_error(first, &Untrusted::new(error.to_string()), &sanitizer);
            return WatchResult { report, logs: None };
        }
    };
    if let Some(signal) = finalizer.grace_period.first_signal() {
        gate.interrupt(signal, clock.elapsed(), &mut events);
    }
    let mut event_log = EventLog::default();
    event_log.extend(events);
    view.begin(&wanted, timeout, &base);
    // Of each run or pipeline, which has one question under way at most: taken out for it, put back after it.
    let rows: RefCell<HashMap<PollTarget, AuthRetryState>> = RefCell::default();
    let poll = |target: PollTarget, ask: ApiRequest| {
        let (client, rows) = (&client, &rows);
        async move {
            let mut row = rows.borrow_mut().remove(&target).unwrap_or_default();
            let watch_result = client.ask(&ask, &mut row).await;
            rows.borrow_mut().insert(target, row);
            watch_result
        }
    };
    let polls = Cell::new(0);
    let heartbeat = view.heartbeat();
    let mut end_of_token_shown = false;
    let update_view = |gate: &Gate, moment: LoopEvent, news: &[TimedEvent], made: u64| {
        panic_hook::panic_if_provoked("watch", "");
        polls.set(made);
        if moment == LoopEvent::Resumed {
            client.leave_connections();
        }
        let now = clock.elapsed();
        let notes = client.take_notes().into_iter();
        let mut news: Vec<TimedEvent> =
            notes.map(|note| TimedEvent { at: now, event: Event::Session(note) }).chain(news.iter().cloned()).collect();
        if !end_of_token_shown && let Some(ends) = client.token_ends() {
            end_of_token_shown = true;
            news.extend(ends_early(ends, timeout.saturating_sub(now), &clock));
        }
        view.update_view(gate, moment, &news, now, made);
        event_log.extend(news);
    };
    watch(&mut gate, &clock, &mut finalizer.signals, heartbeat, poll, update_view).await;

    let trace_file = finalizer.delivery.trace_file().map(|path| path.to_string_lossy().into_owned());
    let (events, gap) = event_log.into_events();
    let story = ReportContext {
        events: &events,
        waited: clock.elapsed(),
        polls: polls.get(),
        run_url: link,
        trace_file: trace_file.as_deref(),
        sanitizer: &sanitizer,
    };
    panic_hook::panic_if_provoked("core", "");
    let mut report = Report::new(&gate.outcome(), &story);
    report.notes_left_out(gap);
    WatchResult { report, logs: Some(logs::Source { client, which, timeout }) }
}

/// A token that can't be renewed and says that it ends before the deadline. By this machine's clock: a token is known
/// before the service has told its own (`doctor`, which has an answer by then, goes by that one).
fn ends_early(ends: DateTime<Utc>, needed: Duration, clock: &Clock) -> Option<TimedEvent> {
    let left = (ends - clock.utc()).to_std().unwrap_or_default();
    let note = SessionNote::EndsBeforeDeadline { left, needed };
    (left < needed).then(|| TimedEvent { at: clock.elapsed(), event: Event::Session(note) })
}

/// Prints a text that was asked for.
async fn say(text: String, mut signals: Signals) -> u8 {
    let console = Console::over(std::io::stdout());
    console.write(text);
    // Whoever asked may not read on, or not at all: that is no error.
    let _read = GracePeriod::default().wait(console.flushed(), SHOWN, &Clock::start(), &mut signals).await;
    0
}

/// The last words where there is no report; returns the exit code.
fn no_report(why: &str) -> u8 {
    let verdict = Verdict::InternalError;
    console::last_words(&format!("maestro-gate: {} (exit code {}): {why}\n", verdict.name(), verdict.exit_code()));
    verdict.exit_code()
}

/// A spinner is for a person at a terminal who wants to see text. Where a pipe brings stdout to the same terminal, its
/// lines and the spinner would come in any order.
fn wants_spinner(output_config: &OutputConfig) -> bool {
    output_config.ci == Ci::None
        && output_config.log_format == LogFormat::Text
        && output_config.volume != Volume::Quiet
        && std::io::stderr().is_terminal()
        && std::io::stdout().is_terminal()
}

/// The link to a run, of ids as they are shown.
fn link(template: Option<RunUrl>) -> impl Fn(&str, &str) -> Option<String> {
    move |pipeline, run| Some(template.as_ref()?.link(&PipelineId::new(pipeline)?, &RunId::new(run)?))
}
