//! Waits for the runs, and makes the report of what became of them.

use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::api::Client;
use crate::clock::Clock;
use crate::config::{Config, Credentials};
use crate::core::{Event, EventLog, Gate, Rules, SessionNote, TimedEvent, Untrusted};
use crate::finalize::Finalizer;
use crate::logs;
use crate::panic_hook;
use crate::poll_loop::{LoopEvent, poll_until_done};
use crate::progress::View;
use crate::report::{Link, Report, ReportContext};

mod details;

use details::{DetailsToShow, ReportedDetails};

/// The report, and how to get the logs.
pub struct WaitResult {
    pub report: Report,
    pub logs: Option<logs::Source>,
}

impl From<Report> for WaitResult {
    fn from(report: Report) -> WaitResult {
        WaitResult { report, logs: None }
    }
}

/// Polls until every run has a result, and makes the report.
pub async fn wait_for_runs(
    config: Config,
    finalizer: &mut Finalizer,
    view: &mut View,
    mut events: Vec<TimedEvent>,
    link: &dyn Fn(&str, &str) -> Option<Link>,
) -> WaitResult {
    let Config { wanted, rules, service, logs: which, details, .. } = config;
    let details = DetailsToShow::new(&wanted, details);
    let (sanitizer, clock) = (finalizer.sanitizer.clone(), finalizer.clock);
    let timeout = rules.limits.timeout;
    let base = service.base.to_string();
    let rules = Rules { began: Some(clock.utc() - clock.elapsed()), ..rules };
    let mut gate = Gate::new(rules, wanted.clone());
    if matches!(service.credentials, Credentials::Password { .. }) {
        gate = gate.signing_in();
    }
    if let Some(host) = service.base.host_str() {
        gate = gate.at_host(Untrusted::new(host));
    }
    let client = match Client::new(service, clock, Rc::new(sanitizer.clone())) {
        Ok(client) => client,
        Err(error) => {
            let first = Report::first(&wanted, link, &sanitizer);
            return Report::internal_error(first, &Untrusted::new(error.to_string()), &sanitizer).into();
        }
    };
    if let Some(signal) = finalizer.grace_period.first_signal() {
        gate.interrupt(signal, clock.elapsed(), &mut events);
    }
    view.begin(&wanted, timeout, &base);
    let heartbeat = view.heartbeat();
    let mut observer = Observer {
        client: &client,
        view,
        clock,
        timeout,
        log: EventLog::default(),
        is_end_shown: false,
        details: &details,
        reported: ReportedDetails::default(),
    };
    observer.log.extend(events);
    let poll = |target, request| client.answer(target, request);
    let update =
        |gate: &Gate, event: LoopEvent, events: &[TimedEvent], polls: u64| observer.update(gate, event, events, polls);
    let wait = poll_until_done(&mut gate, &clock, &mut finalizer.signals, heartbeat, poll, update);
    let polls = details.fetch_beside(&client, wait).await;

    let trace_file = finalizer.delivery.trace_file().map(|path| path.to_string_lossy().into_owned());
    let (events, gap) = observer.log.into_events();
    let details = details.into_found();
    let context = ReportContext {
        events: &events,
        waited: clock.elapsed(),
        polls,
        link,
        details: &details,
        trace_file: trace_file.as_deref(),
        sanitizer: &sanitizer,
    };
    panic_hook::panic_if_provoked("core", "");
    let outcome = gate.outcome();
    let traces = finalizer.traces(&outcome).await;
    let mut report = Report::new(&outcome, traces, &context);
    report.notes_left_out(gap);
    WaitResult { report, logs: Some(logs::Source { client, which, timeout }) }
}

/// Shows and keeps what happens while the gate waits.
struct Observer<'w> {
    client: &'w Client,
    view: &'w mut View,
    clock: Clock,
    timeout: Duration,
    log: EventLog,
    /// Whether it was shown that the token ends before the deadline, or that it does not.
    is_end_shown: bool,
    details: &'w DetailsToShow,
    reported: ReportedDetails,
}

impl Observer<'_> {
    fn update(&mut self, gate: &Gate, loop_event: LoopEvent, events: &[TimedEvent], polls: u64) {
        panic_hook::panic_if_provoked("watch", "");
        if loop_event == LoopEvent::Resumed {
            self.client.leave_connections();
        }
        let now = self.clock.elapsed();
        let notes =
            self.client.take_notes().into_iter().map(|note| TimedEvent { at: now, event: Event::Session(note) });
        let mut events: Vec<TimedEvent> = notes.chain(events.iter().cloned()).collect();
        if !self.is_end_shown
            && let Some(ends) = self.client.token_ends()
        {
            self.is_end_shown = true;
            events.extend(ends_early(ends, self.timeout.saturating_sub(now), &self.clock));
        }
        let news = self.reported.news(self.details, gate);
        events.extend(news.into_iter().map(|event| TimedEvent { at: now, event }));
        self.view.update_view(gate, loop_event, &events, now, polls);
        self.log.extend(events);
    }
}

/// A token that can't be renewed and says that it ends before the deadline. This machine's clock decides: the service has
/// not answered yet (`doctor`, which has an answer by then, uses the service's).
fn ends_early(ends: DateTime<Utc>, needed: Duration, clock: &Clock) -> Option<TimedEvent> {
    let left = (ends - clock.utc()).to_std().unwrap_or_default();
    let note = SessionNote::EndsBeforeDeadline { left, needed };
    (left < needed).then(|| TimedEvent { at: clock.elapsed(), event: Event::Session(note) })
}
