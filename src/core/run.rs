//! The wait of one run: what each answer changes, and when to poll again.
//!
//! | answer | appear clock | outage clock | then |
//! |---|---|---|---|
//! | record, word that ends | stops | stops | ended: passed, stale or failed |
//! | record, any other word | stops | stops | poll again after the interval |
//! | not visible | starts, unless it runs | stops | at or past its limit: `not-found`; else poll again after the backoff |
//! | unusable | goes on | starts, unless it runs | at or past its limit: `unreachable`; else poll again after the backoff |
//! | refused (denied, unreachable) | goes on | goes on | the first thing ever seen, and without `Retry-After`: ended at once; nothing else for a minute: ended; else poll again after the backoff |
//!
//! A refusal is confirmed by a clock of its own (`timers`), which any other answer stops. While a `Retry-After` is obeyed,
//! that clock and the outage clock stand still.
//!
//! An answer at or past the deadline that did not end the wait ends it: a refusal as what it is, else `timed-out` if there
//! ever was a record, else what the answer says, `not-found` or `unreachable`.
//!
//! A run that is not known yet is looked for in its pipeline's list, by the same table: `discovery` says what a list is read as.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::attempt::Attempt;
use super::fresh_wait::FreshWait;
use super::list_schedule::ListSchedule;
use super::retry::{Ownership, PendingRetry};
use super::schedule::Schedule;
use super::timers::{Limit, Timers};
use super::trigger::{Baseline, CandidateGroup, Starting, TriggerOutcome};
use super::{
    ApiRequest, ApiResponse, End, Event, Failure, FailureKind, IfRunning, IfStale, LastRecord, Limits, NoRetry,
    Operation, PipelineId, Repair, Request, Rules, RunId, Selector, Target, TimedEvent, Untrusted, Verdict, Wanted,
};

mod answer;
mod discovery;
mod freshness_wait;
mod next_attempt;
mod start;
mod unfinished;

use unfinished::Pace;
#[cfg(test)]
pub(super) use unfinished::STATES_READ;

/// One run, as far as it has been waited for.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Its place among the gate's runs, for the events.
    place: usize,
    phase: Phase,
    pub(super) end: Option<End>,
    pub(super) seen: Option<LastRecord>,
    /// The last answer, if it was not what was asked for.
    pub(super) failure: Option<Failure>,
    pub(super) unknown_words: Vec<Untrusted>,
    /// What the last event about repairs told.
    repaired: Vec<Repair>,
    clocks: Timers,
    /// What the last answer would make of a wait that must end without a record.
    without_record: Verdict,
    /// Whether a request to start it was made, as far as is known.
    pub(super) started: bool,
    /// When the service accepted that request.
    accepted_at: Option<Duration>,
    /// How the run is known to be the one that was started.
    ownership: Ownership,
    /// Where starts are retried: which of them this is.
    pub(super) attempt: Option<Attempt>,
    /// Whether the next attempt takes its place.
    pub(super) is_retried: bool,
    pub(super) no_retry: Option<NoRetry>,
    /// Whether the service did not execute that request and is to be asked again.
    was_put_off: bool,
    /// The earlier run that what was started was last seen to wait behind.
    behind: Option<Option<RunId>>,
    /// How old the run was, by the service's clock, when an answer first told (that is the first of the two).
    aged: Option<(Duration, Duration)>,
    /// When it is polled next; none while that is under way.
    pub(super) next: Option<Duration>,
    /// When the last answer about it came.
    pub(super) polled: Duration,
    /// The date of the last list that showed it as running.
    listed: Option<DateTime<Utc>>,
    has_learned: bool,
    pace: Pace,
    /// With `if-stale: wait`, what the lists have shown so far.
    fresh_wait: Option<Box<FreshWait>>,
}

/// What is done about the run.
#[derive(Clone, Debug)]
enum Phase {
    Choosing(PipelineId, Selector),
    Starting(PipelineId, Starting, IfRunning),
    Watching(Target),
    /// It has passed; the list must not show another one that may be what was started.
    Confirming(Target, Box<CandidateGroup>),
    /// It has failed; a list tells whether the pipeline is started again.
    Retrying(Target, Box<PendingRetry>),
}

/// What one answer leads to.
pub(super) enum Step {
    LookAt(Duration),
    Ended,
    /// It has failed, and the pipeline is started again then.
    Retry {
        baseline: Baseline,
        next: Duration,
    },
    /// Sign-in was refused: every run ends so.
    AllDenied(Failure),
    /// This is now one of the runs that may be what was started, and is polled then (never: the time is up); the
    /// others are to be waited for as well.
    Took {
        others: Vec<Target>,
        group: Box<CandidateGroup>,
        next: Option<Duration>,
    },
    /// It has passed, and there are more such runs. Without a group it is the very run that was started.
    PassedBeside(Vec<Target>, Option<Box<CandidateGroup>>),
}

/// When an answer comes, and by which rules it is read.
pub(super) struct AnswerContext<'r> {
    pub(super) rules: &'r Rules,
    pub(super) elapsed: Duration,
    /// How long the service asks to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// Whether anything has worked yet in this gate, a sign-in included.
    pub(super) has_worked: bool,
    pub(super) events: &'r mut Vec<TimedEvent>,
}

impl AnswerContext<'_> {
    fn emit(&mut self, event: Event) {
        self.events.push(TimedEvent { at: self.elapsed, event });
    }
}

/// Whether a success is the end.
pub(super) enum SuccessPolicy {
    Stands,
    /// The run is the last of those that may be what was started: first the list is read again.
    OnceConfirmed(Box<CandidateGroup>),
}

/// What one answer is read as.
enum Transition {
    Over(Verdict),
    /// Look again after the wait of the schedule.
    On,
    /// Read the list again after this wait.
    ReadListIn(Duration),
    /// The next request need not wait.
    Next,
    /// A list has told which run to look at: that is no look at it, so that the first one need not wait at all.
    Found,
    AllDenied(Failure),
    Retry(Baseline, Duration),
    Took(Vec<Target>, Box<CandidateGroup>),
    PassedBeside(Vec<Target>, Option<Box<CandidateGroup>>),
}

impl Run {
    pub(super) fn new(rules: &Rules, place: usize, wanted: Wanted) -> Run {
        let schedule = Schedule::new(rules.interval, &wanted);
        let (schedule, fresh_wait) = match (&wanted, rules.if_stale) {
            (Wanted::Choice { selector, .. }, IfStale::Wait) => {
                let schedule = schedule.salted(salt(rules));
                let lists = ListSchedule::new(rules.interval, schedule.seed());
                (schedule, Some(Box::new(FreshWait::new(*selector, lists))))
            }
            (Wanted::Choice { .. } | Wanted::Run(_) | Wanted::Start { .. }, _) => (schedule, None),
        };
        let attempt = matches!(wanted, Wanted::Start { .. }).then(|| Attempt::first(rules.retries)).flatten();
        Run {
            place,
            clocks: Timers::new(schedule),
            phase: match wanted {
                Wanted::Run(target) => Phase::Watching(target),
                Wanted::Choice { pipeline, selector } => Phase::Choosing(pipeline, selector),
                Wanted::Start { pipeline, if_running } => Phase::Starting(pipeline, Starting::Before, if_running),
            },
            end: None,
            seen: None,
            failure: None,
            unknown_words: Vec::new(),
            repaired: Vec::new(),
            without_record: Verdict::Unreachable,
            started: false,
            accepted_at: None,
            ownership: Ownership::Unproven,
            attempt,
            is_retried: false,
            no_retry: None,
            was_put_off: false,
            behind: None,
            aged: None,
            next: Some(Duration::ZERO),
            polled: Duration::ZERO,
            listed: None,
            has_learned: false,
            pace: Pace::Usual,
            fresh_wait,
        }
    }

    /// Whether the service answers that it is not there, and it never was; or the gate still waits for one that is fresh.
    pub(super) fn is_missing(&self) -> bool {
        let is_new = self.seen.is_none() || self.awaits_fresh_run();
        self.end.is_none() && is_new && matches!(self.without_record, Verdict::NotFound | Verdict::Stale)
    }

    /// When each running clock ends the wait.
    pub(super) fn ends(&self, limits: Limits) -> impl Iterator<Item = (Limit, Duration)> {
        self.clocks.ends(limits)
    }

    /// What is waited for, as far as it is known.
    pub(super) fn wanted(&self) -> Wanted {
        match &self.phase {
            Phase::Choosing(pipeline, selector) => match self.not_fresh() {
                Some(target) => Wanted::Run(target.clone()),
                None => Wanted::Choice { pipeline: pipeline.clone(), selector: *selector },
            },
            Phase::Starting(pipeline, Starting::Named(_, run) | Starting::Hidden(_, run), _) => {
                Wanted::Run(Target { pipeline: pipeline.clone(), run: run.clone() })
            }
            Phase::Starting(pipeline, _, if_running) => {
                Wanted::Start { pipeline: pipeline.clone(), if_running: *if_running }
            }
            Phase::Watching(target) | Phase::Confirming(target, _) | Phase::Retrying(target, _) => {
                Wanted::Run(target.clone())
            }
        }
    }

    /// What to ask next. A request to start is handed out once: from then on it counts as made.
    pub(super) fn ask(&mut self) -> ApiRequest {
        self.started |= self.is_about_to_start();
        match &mut self.phase {
            Phase::Choosing(pipeline, _) => ApiRequest::List(pipeline.clone()),
            Phase::Starting(pipeline, starting, _) => starting.ask(pipeline),
            Phase::Watching(target) => {
                // From now on the time can only be up because no answer to this comes.
                if self.without_record == Verdict::TimedOut {
                    self.without_record = Verdict::Unreachable;
                }
                ApiRequest::Run(target.clone())
            }
            Phase::Confirming(target, _) | Phase::Retrying(target, _) => ApiRequest::List(target.pipeline.clone()),
        }
    }

    /// What became of a request to start that has led to no run.
    pub(super) fn request(&self) -> Request {
        let Phase::Starting(_, starting, _) = &self.phase else { return Request::None };
        match starting {
            Starting::Before | Starting::Ready(_) => Request::None,
            Starting::Asked(_) | Starting::Seeking(_, TriggerOutcome::Lost(_)) => Request::InDoubt,
            Starting::Seeking(_, TriggerOutcome::Accepted(_)) => Request::Taken,
            Starting::Named(..) | Starting::Hidden(..) | Starting::Guessed(..) => Request::Taken,
        }
    }

    /// Whether the next request would start something.
    pub(super) fn is_about_to_start(&self) -> bool {
        matches!(self.phase, Phase::Starting(_, Starting::Ready(_), _))
    }

    /// Takes one answer to what was asked.
    pub(super) fn observe(&mut self, at: &mut AnswerContext<'_>, response: ApiResponse, pass: SuccessPolicy) -> Step {
        let retry_after = at.retry_after;
        let reading = match response {
            ApiResponse::Run(answer) => self.poll(at, answer, pass),
            ApiResponse::List(answer) => self.list(at, answer),
            // It is no answer about a run.
            ApiResponse::Survey(_) => Transition::Over(Verdict::InternalError),
            ApiResponse::Execute(trigger_response, _) => self.trigger_answered(at, trigger_response),
        };
        let limits = at.rules.limits;
        match reading {
            Transition::Over(verdict) => self.finish(at.elapsed, End::Verdict(verdict), at.events),
            Transition::AllDenied(failure) => return Step::AllDenied(failure),
            Transition::Retry(baseline, next) => {
                self.finish(at.elapsed, End::Verdict(Verdict::Failed), at.events);
                return Step::Retry { baseline, next };
            }
            Transition::PassedBeside(others, group) => {
                self.finish(at.elapsed, End::Verdict(Verdict::Passed), at.events);
                return Step::PassedBeside(others, group);
            }
            Transition::Took(others, group) => {
                let is_late = at.elapsed >= limits.timeout;
                if is_late {
                    self.time_is_up(at.elapsed, at.events);
                }
                let next = (!is_late).then(|| self.clocks.next_step(limits, at.elapsed, retry_after));
                return Step::Took { others, group, next };
            }
            // Looking once means once at the run: choosing it is not that poll.
            Transition::Found if limits.timeout.is_zero() => return Step::LookAt(at.elapsed + super::timers::AT_ONCE),
            // The last list shows a run: only that run's own record can tell whether it passes.
            Transition::Found if self.fresh_wait.is_some() && at.elapsed >= limits.timeout => {
                return Step::LookAt(at.elapsed + super::timers::AT_ONCE);
            }
            Transition::On | Transition::Next | Transition::Found | Transition::ReadListIn(_)
                if at.elapsed >= limits.timeout =>
            {
                self.time_is_up(at.elapsed, at.events);
            }
            Transition::ReadListIn(wait) => {
                return Step::LookAt(self.next_after(at, wait));
            }
            Transition::On => {
                let ours = self.clocks.usual_wait(self.age(at.elapsed));
                return Step::LookAt(self.next_after(at, ours));
            }
            Transition::Next => return Step::LookAt(self.clocks.next_step(limits, at.elapsed, retry_after)),
            Transition::Found => return Step::LookAt(self.clocks.next_at_once(limits, at.elapsed, retry_after)),
        }
        Step::Ended
    }

    /// When to poll again after a wait of `ours`, unless the service asks for a longer one.
    fn next_after(&mut self, at: &mut AnswerContext<'_>, ours: Duration) -> Duration {
        let asked = at.retry_after.unwrap_or_default();
        let (next, is_news) = self.clocks.next_after(at.rules.limits, at.elapsed, ours, asked);
        if is_news {
            at.emit(Event::AskedToWait { run: self.place, asked, waits: next.saturating_sub(at.elapsed) });
        }
        next
    }

    /// No request about it was ever answered: the cause, should that be the verdict.
    pub(super) fn got_no_answer(&mut self, host: Option<Untrusted>) {
        let during = if matches!(self.phase, Phase::Watching(_)) { Operation::GetRun } else { Operation::List };
        if self.failure.is_none() && self.seen.is_none() && self.without_record == Verdict::Unreachable {
            self.failure = Some(Failure { detail: host, ..Failure::new(during, FailureKind::Timeout) });
        }
    }

    /// Ends the wait at the deadline.
    pub(super) fn time_is_up(&mut self, elapsed: Duration, events: &mut Vec<TimedEvent>) {
        if self.is_retrying() {
            return self.end_failed(NoRetry::NoList(self.failure.clone()), elapsed, events);
        }
        let unanswered = matches!(self.phase, Phase::Starting(_, Starting::Asked(_), _));
        let verdict = match self.clocks.refusal() {
            Some(verdict) => verdict,
            // The request to start is still under way: it may have started a run.
            None if unanswered => {
                self.ends_for(Failure::new(Operation::Execute, FailureKind::Timeout), Verdict::Unreachable)
            }
            None if self.awaits_fresh_run() => self.without_record,
            None if self.seen.is_some() => Verdict::TimedOut,
            None => self.without_record,
        };
        self.finish(elapsed, End::Verdict(verdict), events);
    }

    pub(super) fn finish(&mut self, elapsed: Duration, end: End, events: &mut Vec<TimedEvent>) {
        self.end = Some(end);
        events.push(TimedEvent { at: elapsed, event: Event::Ended { run: self.place, end } });
    }

    /// A run that the list knows, when the time is up before it was polled.
    pub(super) fn never_polled(&mut self, elapsed: Duration, events: &mut Vec<TimedEvent>) {
        self.without_record = Verdict::TimedOut;
        self.time_is_up(elapsed, events);
    }

    pub(super) fn ends_for(&mut self, failure: Failure, verdict: Verdict) -> Verdict {
        self.failure = Some(failure);
        verdict
    }

    fn finish_for(&mut self, failure: Failure, verdict: Verdict) -> Transition {
        Transition::Over(self.ends_for(failure, verdict))
    }
}

/// A number of this gate's own: the moment when it began.
fn salt(rules: &Rules) -> u64 {
    let nanos = rules.began.and_then(|began| began.timestamp_nanos_opt()).unwrap_or_default();
    nanos.unsigned_abs()
}
