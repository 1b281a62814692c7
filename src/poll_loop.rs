//! The poll loop: request, pass the answer to the core, update the view, sleep. Only this module sleeps or receives signals.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::clock::Clock;
use crate::core::{ApiRequest, ApiResponse, Gate, PollTarget, REQUESTS_AT_ONCE, Signal, TimedEvent};

mod poll_queue;
mod signals;

use poll_queue::PollQueue;
pub use signals::Signals;
#[cfg(unix)]
pub use signals::ignores_hang_up;

/// How long after the deadline the last poll is cut (docs/reference.md#time-limits-and-polling).
const LAST_LOOK: Duration = Duration::from_secs(5);

/// How much later than planned the loop may wake up on a busy machine. Later than that, the process was suspended.
const LATE: Duration = Duration::from_secs(1);

/// How long after a suspension the new deadline is: what came meanwhile is read first, and then there is a last poll.
/// What was asked for before and is not answered by then is asked for again.
const AFTER_SUSPENSION: Duration = Duration::from_secs(1);

/// How long delivery may take in all once a signal came. The reference says two seconds; the rest is for leaving.
const AFTER_SIGNAL: Duration = Duration::from_millis(1_700);

/// What one piece of delivery may take of that, so that one stalled file does not take the others with it.
const PIECE_AFTER_SIGNAL: Duration = Duration::from_millis(400);

/// What is left for the verdict's own line, where stalled files took all the time.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// What the view is told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopEvent {
    /// An answer about a run was taken; it is polled again then, unless its wait has ended.
    Answer { run: usize, next: Option<Duration> },
    /// The process was suspended: connections may have died meanwhile.
    Resumed,
    /// An answer about a pipeline was taken, a signal came, or the last polls were cut.
    Other,
    /// Time goes by.
    Beat,
}

/// What ended a wait.
enum Woken {
    Signal(Signal),
    /// An answer, and how long the process had been suspended when it was asked for.
    Answer(PollTarget, Duration, Box<ApiResponse>),
    Time,
}

/// A request that is under way.
struct UnderWay<F> {
    target: PollTarget,
    /// How long the process had been suspended when it was made.
    suspended: Duration,
    /// A start may have taken effect: it is never given up for another request.
    is_start: bool,
    answer: Pin<Box<F>>,
}

impl<F: Future> Future for UnderWay<F> {
    type Output = (PollTarget, Duration, F::Output);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.answer.as_mut().poll(context).map(|answer| (self.target, self.suspended, answer))
    }
}

/// Notices from the clock that the process was suspended: the loop goes on much later than planned.
struct SuspensionDetector {
    /// When the loop goes on at the latest, unless it is suspended.
    expected_by: Duration,
    /// How long the process was suspended in all.
    suspended: Duration,
}

impl SuspensionDetector {
    /// Whether there was one. A deadline that passed meanwhile comes a little later: there is always a last poll.
    fn notice(&mut self, gate: &mut Gate, now: Duration) -> bool {
        let late = now.saturating_sub(self.expected_by);
        self.expected_by = now;
        if late < LATE {
            return false;
        }
        self.suspended += late;
        let timeout = gate.rules().limits.timeout;
        if now >= timeout && !timeout.is_zero() {
            gate.move_deadline(now + AFTER_SUSPENSION);
        }
        true
    }
}

/// Watches all runs to their end. `poll` asks the service; `update_view` hears what changed, and hears something every `heartbeat` at
/// least. Returns how many requests were made.
pub async fn poll_until_done<F>(
    gate: &mut Gate,
    clock: &Clock,
    signals: &mut Signals,
    heartbeat: Duration,
    poll: impl Fn(PollTarget, ApiRequest) -> F,
    mut update_view: impl FnMut(&Gate, LoopEvent, &[TimedEvent], u64),
) -> u64
where
    F: Future<Output: Into<ApiResponse>>,
{
    let mut suspension = SuspensionDetector { expected_by: clock.elapsed(), suspended: Duration::ZERO };
    let mut queue = PollQueue::default();
    gate.pending().for_each(|run| queue.set(PollTarget::Run(run), Duration::ZERO));
    let mut under_way = FuturesUnordered::new();
    let mut next_heartbeat = heartbeat;
    let mut polls = 0;
    let mut events = Vec::new();

    while !gate.is_over() {
        // A suspension may also fall between two waits.
        let now = clock.elapsed();
        if suspension.notice(gate, now) {
            update_view(gate, LoopEvent::Resumed, &[], polls);
        }
        let suspended = suspension.suspended;
        // With a timeout of zero the one poll has its requests' own limits.
        let timeout = gate.rules().limits.timeout;
        let cut_at = if timeout.is_zero() { Duration::MAX } else { timeout.saturating_add(LAST_LOOK) };
        if now >= cut_at {
            for run in gate.pending().collect::<Vec<_>>() {
                gate.cut(run, now, &mut events);
            }
            update_view(gate, LoopEvent::Other, &events, polls);
            break;
        }
        // What was asked before a suspension and is not answered on the deadline may never be: its connection may be dead.
        let may_be_lost = |request: &UnderWay<F>| request.suspended < suspended && !request.is_start;
        let some_may_be_lost = !timeout.is_zero() && under_way.iter().any(may_be_lost);
        if some_may_be_lost && now >= timeout {
            let (lost, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut under_way).into_iter().partition(may_be_lost);
            lost.iter().for_each(|request| queue.set(request.target, now));
            under_way.extend(kept);
        }
        while under_way.len() < REQUESTS_AT_ONCE
            && let Some(target) = queue.take(now)
        {
            let ask = match target {
                PollTarget::Run(run) => gate.ask(run, now, &mut events),
                PollTarget::Pipeline(pipeline) => gate.list_summary(pipeline, now),
            };
            if let Some(ask) = ask {
                polls += 1;
                let is_start = matches!(ask, ApiRequest::Execute(_));
                under_way.push(UnderWay { target, suspended, is_start, answer: Box::pin(poll(target, ask)) });
            }
        }
        if gate.is_over() {
            update_view(gate, LoopEvent::Other, &events, polls);
            break;
        }
        let mut wake = cut_at.min(next_heartbeat);
        if under_way.len() < REQUESTS_AT_ONCE
            && let Some(at) = queue.next()
        {
            wake = wake.min(at);
        }
        if some_may_be_lost && now < timeout {
            wake = wake.min(timeout);
        }
        let woken = tokio::select! {
            biased;
            signal = signals.next() => Woken::Signal(signal),
            Some((target, before, answer)) = under_way.next(), if !under_way.is_empty() => {
                Woken::Answer(target, before, Box::new(answer.into()))
            }
            () = sleep(wake.saturating_sub(now)) => Woken::Time,
        };
        let now = clock.elapsed();
        suspension.expected_by = wake.max(suspension.expected_by);
        if suspension.notice(gate, now) {
            update_view(gate, LoopEvent::Resumed, &[], polls);
        }
        let suspended = suspension.suspended;
        let event = match woken {
            Woken::Signal(signal) => {
                gate.interrupt(signal, now, &mut events);
                LoopEvent::Other
            }
            Woken::Answer(target, before, response) => {
                // It may have come before the suspension, and its date with it.
                let response = response.received_later(suspended - before);
                let event = match target {
                    PollTarget::Run(run) => {
                        let next = gate.observe(run, now, response, &mut events);
                        next.into_iter().for_each(|at| queue.set(target, at));
                        LoopEvent::Answer { run, next }
                    }
                    PollTarget::Pipeline(pipeline) => {
                        // What was asked for is what is reported.
                        if let ApiResponse::Survey(answer) = response {
                            gate.list_summary_received(pipeline, now, answer, &mut events);
                        }
                        LoopEvent::Other
                    }
                };
                gate.take_moved().into_iter().for_each(|(target, at)| queue.set(target, at));
                event
            }
            // Waking up for a poll is no heartbeat.
            Woken::Time if now < next_heartbeat => continue,
            Woken::Time => {
                next_heartbeat = now + heartbeat;
                LoopEvent::Beat
            }
        };
        update_view(gate, event, &events, polls);
        events.clear();
    }
    polls
}

/// Waiting before the first poll and after the last: each piece of work has its limit, and a signal shortens what is left.
#[derive(Debug, Default)]
pub struct GracePeriod {
    /// The first signal that was heard, and when everything must be over for it.
    first_signal: Option<(Signal, Duration)>,
}

impl GracePeriod {
    /// A signal was heard elsewhere: what is left of the two seconds runs from now.
    pub fn shorten(&mut self, signal: Signal, clock: &Clock) {
        self.first_signal.get_or_insert_with(|| (signal, clock.elapsed() + AFTER_SIGNAL));
    }

    /// Waits for `piece` at most `limit`, and not beyond what a signal leaves. `None`: it was not done in time.
    pub async fn wait<T>(
        &mut self,
        piece: impl Future<Output = T>,
        limit: Duration,
        clock: &Clock,
        signals: &mut Signals,
    ) -> Option<T> {
        let mut piece = std::pin::pin!(piece);
        let mut limit = clock.elapsed().saturating_add(limit);
        loop {
            let now = clock.elapsed();
            if let Some((_, ends)) = self.first_signal {
                limit = limit.min(ends).min(now + PIECE_AFTER_SIGNAL);
            }
            tokio::select! {
                biased;
                done = &mut piece => return Some(done),
                signal = signals.next(), if self.first_signal.is_none() => self.shorten(signal, clock),
                () = sleep(limit.saturating_sub(now)) => return None,
            }
        }
    }

    /// Only the last words follow: they have a moment, whatever went before.
    pub fn last_words(&mut self, clock: &Clock) {
        if let Some((_, ends)) = &mut self.first_signal {
            *ends = (*ends).max(clock.elapsed() + LAST_WORDS);
        }
    }

    /// Whether a signal came, and its time is up.
    pub fn is_over(&self, clock: &Clock) -> bool {
        self.first_signal.is_some_and(|(_, ends)| clock.elapsed() >= ends)
    }

    /// The signal, if one was heard.
    pub fn first_signal(&self) -> Option<Signal> {
        self.first_signal.map(|(signal, _)| signal)
    }
}

/// To be awaited between the steps of long work, so that a signal is noticed.
pub async fn let_signals_in() {
    tokio::task::yield_now().await;
}

#[expect(clippy::disallowed_methods, reason = "the one place that waits")]
async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

#[cfg(test)]
mod tests;
