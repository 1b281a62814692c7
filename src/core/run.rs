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
use super::list_schedule::ListSchedule;
use super::moment::Moment;
use super::schedule::Schedule;
use super::timers::{AT_ONCE, Limit, Timers};
use super::trigger::{Baseline, CandidateGroup, Starting, TriggerOutcome};
use super::{
    AdoptionReason, ApiRequest, ApiResponse, End, Event, Failure, FailureKind, IfRunning, IfStale, LastRecord, Limits,
    NoRetry, Operation, PipelineId, Repair, Request, Rules, RunId, Selector, Target, Untrusted, Verdict, Wanted,
};

mod answer;
mod discovery;
mod fresh_wait;
mod next_attempt;
mod start;
mod unfinished;

use fresh_wait::FreshWait;
use next_attempt::PendingRetry;
use unfinished::Pace;
#[cfg(test)]
pub(super) use unfinished::STATES_READ;

/// One run, as far as it has been waited for.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Its place among the gate's runs, for the events.
    place: usize,
    pub(super) pipeline: PipelineId,
    /// The place of its pipeline, and that of its group of candidates if it is in one.
    pub(super) home: usize,
    pub(super) group: Option<usize>,
    phase: Phase,
    pub(super) end: Option<End>,
    pub(super) seen: Option<LastRecord>,
    /// The last answer, if it was not what was asked for.
    pub(super) failure: Option<Failure>,
    pub(super) unknown_words: Vec<Untrusted>,
    clocks: Timers,
    /// What the last answer would make of a wait that must end without a record.
    without_record: Verdict,
    /// Whether a request to start it was made, as far as is known.
    pub(super) started: bool,
    /// When the service accepted that request.
    accepted_at: Option<Duration>,
    /// Why it was taken for what was started.
    taken: Option<AdoptionReason>,
    /// Where starts are retried: which of them this is.
    pub(super) attempt: Option<Attempt>,
    /// Whether the next attempt takes its place.
    pub(super) is_retried: bool,
    pub(super) no_retry: Option<NoRetry>,
    /// Whether the service did not execute that request and is to be asked again.
    was_put_off: bool,
    /// The earlier run that what was started was last seen to wait behind.
    behind: Option<Option<RunId>>,
    /// When it is polled next; none while that is under way.
    pub(super) next: Option<Duration>,
    /// When the last answer about it came.
    pub(super) polled: Duration,
    progress: Progress,
    /// With `if-stale: wait`, what the lists have shown so far.
    fresh_wait: Option<Box<FreshWait>>,
}

/// What is known of the run that is polled, beside its last record.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// What the last event about repairs told.
    repaired: Vec<Repair>,
    /// How old the run was, by the service's clock, when an answer first told (that is the first of the two).
    aged: Option<(Duration, Duration)>,
    /// The date of the last list that showed it as running.
    listed: Option<DateTime<Utc>>,
    has_learned: bool,
    pace: Pace,
}

/// What is done about the run.
#[derive(Clone, Debug)]
enum Phase {
    Choosing(Selector),
    Starting(Starting, IfRunning),
    Watching(RunId),
    /// It has passed; the list must not show another one that may be what was started.
    Confirming(RunId, Box<CandidateGroup>),
    /// It has failed; a list tells whether the pipeline is started again.
    Retrying(RunId, Box<PendingRetry>),
}

/// What one answer leads to.
#[derive(Debug)]
pub(super) enum Step {
    Over(Verdict),
    /// Look again after the wait of the schedule.
    On,
    /// Read the list again after this wait.
    ReadListIn(Duration),
    /// The next request need not wait.
    Next,
    /// A list has told which run to look at: that is no look at it, so that the first one need not wait at all.
    Found,
    /// Sign-in was refused: every run ends so.
    AllDenied(Failure),
    /// It has failed, and the pipeline is started again then.
    Retry(Baseline, Duration),
    /// This is now one of the runs that may be what was started; the others are to be waited for as well.
    Took(Vec<RunId>, Box<CandidateGroup>),
    /// It has passed, and there are more such runs. Without a group it is the very run that was started.
    PassedBeside(Vec<RunId>, Option<Box<CandidateGroup>>),
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
            pipeline: wanted.pipeline().clone(),
            home: 0,
            group: None,
            clocks: Timers::new(schedule),
            phase: match wanted {
                Wanted::Run(target) => Phase::Watching(target.run),
                Wanted::Choice { selector, .. } => Phase::Choosing(selector),
                Wanted::Start { if_running, .. } => Phase::Starting(Starting::Before, if_running),
            },
            end: None,
            seen: None,
            failure: None,
            unknown_words: Vec::new(),
            without_record: Verdict::Unreachable,
            started: false,
            accepted_at: None,
            taken: None,
            attempt,
            is_retried: false,
            no_retry: None,
            was_put_off: false,
            behind: None,
            next: Some(Duration::ZERO),
            polled: Duration::ZERO,
            progress: Progress::default(),
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
        let pipeline = self.pipeline.clone();
        let run = match &self.phase {
            Phase::Watching(run) | Phase::Confirming(run, _) | Phase::Retrying(run, _) => run,
            Phase::Starting(Starting::Named(_, run) | Starting::Hidden(_, run), _) => run,
            Phase::Starting(_, if_running) => return Wanted::Start { pipeline, if_running: *if_running },
            Phase::Choosing(selector) => match self.not_fresh() {
                Some(run) => run,
                None => return Wanted::Choice { pipeline, selector: *selector },
            },
        };
        Wanted::Run(Target { pipeline, run: run.clone() })
    }

    /// What to ask next. A request to start is handed out once: from then on it counts as made.
    pub(super) fn ask(&mut self) -> ApiRequest {
        self.next = None;
        let pipeline = self.pipeline.clone();
        match &mut self.phase {
            Phase::Starting(starting, _) => match starting {
                Starting::Ready(baseline) => {
                    self.started = true;
                    *starting = Starting::Asked(baseline.clone());
                    ApiRequest::Execute(pipeline)
                }
                Starting::Named(_, run) | Starting::Guessed(_, run) => {
                    ApiRequest::Run(Target { pipeline, run: run.clone() })
                }
                // Asked, and no answer was taken: it is never asked twice, and the list tells.
                Starting::Before | Starting::Asked(_) | Starting::Hidden(..) | Starting::Seeking(..) => {
                    ApiRequest::List(pipeline)
                }
            },
            Phase::Watching(run) => {
                // From now on the time can only be up because no answer to this comes.
                if self.without_record == Verdict::TimedOut {
                    self.without_record = Verdict::Unreachable;
                }
                ApiRequest::Run(Target { pipeline, run: run.clone() })
            }
            Phase::Choosing(_) | Phase::Confirming(..) | Phase::Retrying(..) => ApiRequest::List(pipeline),
        }
    }

    /// What became of a request to start that has led to no run.
    pub(super) fn request(&self) -> Request {
        let Phase::Starting(starting, _) = &self.phase else { return Request::None };
        match starting {
            Starting::Before | Starting::Ready(_) => Request::None,
            Starting::Asked(_) | Starting::Seeking(_, TriggerOutcome::Lost(_)) => Request::InDoubt,
            Starting::Seeking(_, TriggerOutcome::Accepted(_)) => Request::Taken,
            Starting::Named(..) | Starting::Hidden(..) | Starting::Guessed(..) => Request::Taken,
        }
    }

    /// Whether the next request would start something.
    pub(super) fn is_about_to_start(&self) -> bool {
        matches!(self.phase, Phase::Starting(Starting::Ready(_), _))
    }

    /// Takes one answer to what was asked: the wait has ended, or the next poll is set.
    pub(super) fn observe(&mut self, at: &mut Moment<'_>, response: ApiResponse) -> Step {
        self.polled = at.elapsed;
        let step = match response {
            ApiResponse::Run(answer) => self.poll(at, answer.observation),
            ApiResponse::List(answer) => self.list(at, answer.observation),
            // It is no answer about a run.
            ApiResponse::Survey(_) => Step::Over(Verdict::InternalError),
            ApiResponse::Execute(trigger_response, _) => self.trigger_answered(at, trigger_response),
        };
        self.next = self.next_poll(at, &step);
        step
    }

    /// When to poll next; the wait is ended if there is no such time.
    fn next_poll(&mut self, at: &mut Moment<'_>, step: &Step) -> Option<Duration> {
        let limits = at.rules.limits;
        let end = match step {
            Step::Over(verdict) => *verdict,
            Step::Retry(..) => Verdict::Failed,
            Step::PassedBeside(..) => Verdict::Passed,
            // All runs are ended together.
            Step::AllDenied(_) => return None,
            // Looking once means once at the run: choosing it is not that poll. And where the last list shows a run that may be
            // fresh, only that run's own record can tell whether it passes.
            Step::Found if limits.timeout.is_zero() || self.fresh_wait.is_some() && at.is_late() => {
                return Some(at.elapsed + AT_ONCE);
            }
            Step::On | Step::ReadListIn(_) | Step::Next | Step::Found | Step::Took(..) if at.is_late() => {
                self.time_is_up(at);
                return None;
            }
            Step::On => return Some(self.next_after(at, self.clocks.usual_wait(self.age(at.elapsed)))),
            Step::ReadListIn(wait) => return Some(self.next_after(at, *wait)),
            Step::Next | Step::Took(..) => return Some(self.clocks.next_step(limits, at.elapsed, at.retry_after)),
            Step::Found => return Some(self.clocks.next_at_once(limits, at.elapsed, at.retry_after)),
        };
        self.finish(at, End::Verdict(end));
        None
    }

    /// When to poll again after a wait of `ours`, unless the service asks for a longer one.
    fn next_after(&mut self, at: &mut Moment<'_>, ours: Duration) -> Duration {
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
    pub(super) fn time_is_up(&mut self, at: &mut Moment<'_>) {
        if self.is_retrying() {
            return self.end_failed(at, NoRetry::NoList(self.failure.clone()));
        }
        let unanswered = matches!(self.phase, Phase::Starting(Starting::Asked(_), _));
        let verdict = match self.clocks.refusal() {
            Some(verdict) => verdict,
            // The request to start is still under way: it may have started a run.
            None if unanswered => {
                self.failure = Some(Failure::new(Operation::Execute, FailureKind::Timeout));
                Verdict::Unreachable
            }
            None if self.awaits_fresh_run() => self.without_record,
            None if self.seen.is_some() => Verdict::TimedOut,
            None => self.without_record,
        };
        self.finish(at, End::Verdict(verdict));
    }

    fn finish(&mut self, at: &mut Moment<'_>, end: End) {
        self.end = Some(end);
        at.emit(Event::Ended { run: self.place, end });
    }

    /// A run that the list knows, when the time is up before it was polled.
    pub(super) fn never_polled(&mut self, at: &mut Moment<'_>) {
        self.without_record = Verdict::TimedOut;
        self.time_is_up(at);
    }

    fn finish_for(&mut self, failure: Failure, verdict: Verdict) -> Step {
        self.failure = Some(failure);
        Step::Over(verdict)
    }
}

/// A number of this gate's own: the moment when it began.
fn salt(rules: &Rules) -> u64 {
    let nanos = rules.began.and_then(|began| began.timestamp_nanos_opt()).unwrap_or_default();
    nanos.unsigned_abs()
}
