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

use details::{DetailsToShow, ReportedDetails, beside};

/// Polls until every run has a result. Returns the report, and how to get the logs.
pub async fn wait_for_runs(
    config: Config,
    finalizer: &mut Finalizer,
    view: &mut View,
    mut events: Vec<TimedEvent>,
    link: &dyn Fn(&str, &str) -> Option<Link>,
) -> (Report, Option<logs::Source>) {
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
            return (Report::internal_error(first, &Untrusted::new(error.to_string()), &sanitizer), None);
        }
    };
    if let Some(signal) = finalizer.grace_period.first_signal() {
        gate.interrupt(signal, clock.elapsed(), &mut events);
    }
    view.begin(&wanted, timeout, &base);
    let heartbeat = view.heartbeat();
    let mut log = EventLog::default();
    log.extend(events);
    let mut reported = ReportedDetails::default();
    let mut token_ends = None;
    // Shows and keeps what happens meanwhile.
    let update = |gate: &Gate, loop_event: LoopEvent, events: &[TimedEvent], polls: u64| {
        panic_hook::panic_if_provoked("watch", "");
        if loop_event == LoopEvent::Resumed {
            client.leave_connections();
        }
        let now = clock.elapsed();
        let timed = |event| TimedEvent { at: now, event };
        let notes = client.take_notes().into_iter().map(|note| timed(Event::Session(note)));
        let mut events: Vec<TimedEvent> = notes.chain(events.iter().cloned()).collect();
        if token_ends.is_none()
            && let Some(ends) = client.token_ends()
        {
            token_ends = Some(ends);
            events.extend(ends_early(ends, timeout.saturating_sub(now), &clock).map(timed));
        }
        events.extend(reported.news(&details, gate).into_iter().map(timed));
        view.update_view(gate, loop_event, &events, now, polls);
        log.extend(events);
    };
    let poll = |target, request| client.answer(target, request);
    let wait = poll_until_done(&mut gate, &clock, &mut finalizer.signals, heartbeat, poll, update);
    let polls = beside(details.fetch(&client), wait).await;

    let trace_file = finalizer.delivery.trace_file().map(|path| path.to_string_lossy().into_owned());
    let (events, gap) = log.into_events();
    let details = details.found.into_inner();
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
    (report, Some(logs::Source { client, which, timeout }))
}

/// A token that can't be renewed and says that it ends before the deadline. This machine's clock decides: the service has
/// not answered yet (`doctor`, which has an answer by then, uses the service's).
fn ends_early(ends: DateTime<Utc>, needed: Duration, clock: &Clock) -> Option<Event> {
    let left = (ends - clock.utc()).to_std().unwrap_or_default();
    (left < needed).then_some(Event::Session(SessionNote::EndsBeforeDeadline { left, needed }))
}
