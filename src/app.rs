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
        let cleaner = Sanitizer::new();
        let first = Report::first(&[] as &[Wanted], &|_, _| None, &cleaner);
        let report = Report::internal_error(first, &Untrusted::new(why), &cleaner);
        ReportWriter::new(resolved.outlet).write_here(&report);
    }
    no_report(why)
}

async fn run(args: Vec<OsString>, env: Env) -> u8 {
    let mut signals = Signals::listen();
    let ResolvedInputs { start, heard, gave_up } = input_files::resolve(args, env, &mut signals).await;
    let (resolved, is_doctor) = match start {
        Start::Show(text) => return say(text, signals).await,
        Start::Gate(resolved) => (*resolved, false),
        Start::Doctor(resolved) => (*resolved, true),
    };
    let Resolved { outlet, secrets, warnings, help, plan } = resolved;
    let plan = plan.map_err(|mistakes| match heard.filter(|_| gave_up) {
        Some(signal) => StartupError::Interrupted(signal),
        None => StartupError::Mistakes(mistakes),
    });

    let cleaner = Sanitizer::new();
    let mut notices = Vec::new();
    for (name, secret) in &secrets {
        if !cleaner.add_secret(secret.expose_secret()) {
            notices.push(TimedEvent { at: Duration::ZERO, event: Event::Session(SessionNote::ShortSecret(name)) });
        }
    }
    if let Ok(plan) = &plan {
        cleaner.add_asked(&plan.wanted);
    }
    let clock = Clock::start();
    let bar = wants_spinner(&outlet).then(progress::spinner);
    let console = Console::over(progress::stdout(bar.as_ref()));
    let (format, volume) = (outlet.log_format, outlet.volume);
    exit_on_panic(Verdict::InternalError, format, Some(&console));
    if let (Some(help), LogFormat::Text) = (help, format) {
        console.write(help);
    }
    let mut ending = Finalizer {
        coloured: coloured(outlet.colour, std::io::stdout().is_terminal()),
        delivery: ReportWriter::new(outlet),
        console: console.clone(),
        cleaner: cleaner.clone(),
        clock,
        signals,
        patience: GracePeriod::default(),
        closing: None,
    };
    if let Some(signal) = heard {
        ending.patience.shorten(signal, &clock);
    }

    if is_doctor {
        drop(bar);
        return doctored(plan, &warnings, ending).await;
    }
    let wanted = plan.as_ref().map(|plan| plan.wanted.clone()).unwrap_or_default();
    let link = link(plan.as_ref().ok().and_then(|plan| plan.run_url.clone()));
    let first = Report::first(&wanted, &link, &cleaner);
    let mut view = View::new(console, format, volume, RunNames::new(&wanted, &cleaner), cleaner.clone(), bar);

    let begun = ending.begin(first, plan.is_ok()).await;
    let WatchResult { report, logs } = gate(plan, warnings, begun, &mut ending, &mut view, notices, &link).await;
    view.close();
    let mut report = ending.documents(report).await;
    logs::gather(&mut report, logs.as_ref(), &mut ending).await;
    ending.close(report).await
}

/// Checks what a gate would need, and tells.
async fn doctored(plan: Result<Config, StartupError>, warnings: &[Warning], mut ending: Finalizer) -> u8 {
    let checkup = match plan {
        Err(StartupError::Interrupted(signal)) => doctor::interrupted(signal),
        Err(StartupError::Mistakes(mistakes)) => doctor::mistaken(&mistakes, warnings, &ending.cleaner),
        Ok(plan) => doctor::examine(plan, warnings, &mut ending).await,
    };
    ending.console.write(match ending.delivery.outlet().log_format {
        LogFormat::Text => checkup.text(),
        LogFormat::Json => checkup.json(),
    });
    let console = ending.console.clone();
    // A reader who does not read in time has lost its table; the exit code is there.
    let _written = ending.wait(console.flushed(), SHOWN).await;
    checkup.verdict().exit_code()
}

/// What came of it, and how to get the logs.
struct WatchResult {
    report: Report,
    logs: Option<logs::Source>,
}

/// The first versions are written; now either there are mistakes to tell, or the runs are watched.
async fn gate(
    plan: Result<Config, StartupError>,
    warnings: Vec<Warning>,
    begun: Prepared,
    ending: &mut Finalizer,
    view: &mut View,
    notices: Vec<TimedEvent>,
    link: &dyn Fn(&str, &str) -> Option<String>,
) -> WatchResult {
    let Prepared { mistakes, notes } = begun;
    let cleaner = ending.cleaner.clone();
    let show = |text: &Untrusted| cleaner.line(text, usize::MAX).to_string();
    let warned: Vec<Note> =
        (warnings.iter().map(|warning| cleaner.line(&Untrusted::new(warning.sentence(show)), usize::MAX)))
            .map(|text| (NoteLevel::Warning, text))
            .chain(notes)
            .map(|(weight, text)| Note { at: ending.clock.elapsed(), weight, text })
            .collect();
    warned.iter().for_each(|note| view.note(note));
    let unwatched = |report| WatchResult { report, logs: None };
    let mut told = match plan {
        Ok(plan) if mistakes.is_empty() => watched(plan, ending, view, notices, link).await,
        Ok(_) => unwatched(Report::invalid_input(mistakes, &cleaner)),
        Err(StartupError::Mistakes(wrong)) => {
            let all = wrong.iter().map(|mistake| mistake.sentence(show)).chain(mistakes);
            unwatched(Report::invalid_input(all, &cleaner))
        }
        Err(StartupError::Interrupted(signal)) => unwatched(Report::interrupted(signal)),
    };
    told.report.notes.splice(0..0, warned);
    told
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
    plan: Config,
    ending: &mut Finalizer,
    view: &mut View,
    mut notices: Vec<TimedEvent>,
    link: &dyn Fn(&str, &str) -> Option<String>,
) -> WatchResult {
    let Config { wanted, rules, service, logs: which, .. } = plan;
    let Finalizer { cleaner, clock, .. } = ending;
    let (cleaner, clock) = (cleaner.clone(), *clock);
    let timeout = rules.limits.timeout;
    let base = service.base.to_string();
    let rules = Rules { began: Some(clock.utc() - clock.elapsed()), ..rules };
    let mut gate = Gate::new(rules, wanted.clone());
    if matches!(service.credentials, Credentials::Password { .. }) {
        gate = gate.signing_in();
    }
    let client = match Client::new(service, clock, Rc::new(cleaner.clone())) {
        Ok(client) => client,
        Err(error) => {
            let first = Report::first(&wanted, link, &cleaner);
            let report = Report::internal_error(first, &Untrusted::new(error.to_string()), &cleaner);
            return WatchResult { report, logs: None };
        }
    };
    if let Some(signal) = ending.patience.heard() {
        gate.interrupt(signal, clock.elapsed(), &mut notices);
    }
    let mut kept = EventLog::default();
    kept.extend(notices);
    view.begin(&wanted, timeout, &base);
    // Of each run or pipeline, which has one question under way at most: taken out for it, put back after it.
    let rows: RefCell<HashMap<PollTarget, AuthRetryState>> = RefCell::default();
    let look = |who: PollTarget, ask: ApiRequest| {
        let (client, rows) = (&client, &rows);
        async move {
            let mut row = rows.borrow_mut().remove(&who).unwrap_or_default();
            let told = client.ask(&ask, &mut row).await;
            rows.borrow_mut().insert(who, row);
            told
        }
    };
    let polls = Cell::new(0);
    let beat = view.beat();
    let mut told_of_end = false;
    let tell = |gate: &Gate, moment: LoopEvent, news: &[TimedEvent], made: u64| {
        panic_hook::bug_at("watch", "");
        polls.set(made);
        let now = clock.elapsed();
        let notes = client.take_notes().into_iter();
        let mut news: Vec<TimedEvent> =
            notes.map(|note| TimedEvent { at: now, event: Event::Session(note) }).chain(news.iter().cloned()).collect();
        if !told_of_end && let Some(ends) = client.token_ends() {
            told_of_end = true;
            news.extend(ends_early(ends, timeout.saturating_sub(now), &clock));
        }
        view.tell(gate, moment, &news, now, made);
        kept.extend(news);
    };
    watch(&mut gate, &clock, &mut ending.signals, beat, look, tell).await;

    let trace_file = ending.delivery.trace_file().map(|path| path.to_string_lossy().into_owned());
    let (notices, gap) = kept.into_notices();
    let story = ReportContext {
        notices: &notices,
        waited: clock.elapsed(),
        polls: polls.get(),
        run_url: link,
        trace_file: trace_file.as_deref(),
        cleaner: &cleaner,
    };
    panic_hook::bug_at("core", "");
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
fn wants_spinner(outlet: &OutputConfig) -> bool {
    outlet.ci == Ci::None
        && outlet.log_format == LogFormat::Text
        && outlet.volume != Volume::Quiet
        && std::io::stderr().is_terminal()
        && std::io::stdout().is_terminal()
}

/// The link to a run, of ids as they are shown.
fn link(template: Option<RunUrl>) -> impl Fn(&str, &str) -> Option<String> {
    move |pipeline, run| Some(template.as_ref()?.link(&PipelineId::new(pipeline)?, &RunId::new(run)?))
}
