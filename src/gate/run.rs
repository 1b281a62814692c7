//! The watch of one run: what each answer changes, and when to look again.
//!
//! | answer | appear clock | outage clock | then |
//! |---|---|---|---|
//! | record, word that ends | stops | stops | ended: passed, stale or failed |
//! | record, any other word | stops | stops | look again after the interval |
//! | not visible | starts, unless it runs | stops | at or past its limit: `not-found`; else look again after the backoff |
//! | unusable | goes on | starts, unless it runs | at or past its limit: `unreachable`; else look again after the backoff |
//! | denied, unreachable | | | ended at once |
//!
//! An answer at or past the deadline that did not end the watch ends it: `timed-out` if there ever was a record, else
//! what the answer says, `not-found` or `unreachable`.
//!
//! A run that is not known yet is looked for in its pipeline's list, by the same table: `seek` says what a list is read as.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::clocks::Clocks;
use super::schedule::Schedule;
use super::trigger::{Group, Post, Starting};
use super::{
    Answer, Ask, End, Event, Foreign, IfRunning, Meaning, Miss, Observation, PipelineId, Record, Repair, Request,
    Rules, RunId, Scope, Selector, Target, Told, Verdict, Wanted, judged_at, repair,
};

mod going;
mod seek;

use going::Pace;

/// How many unknown words are kept (contract, the table of `last_status`), and how many characters of each: the 64 that are
/// shown are cut when secrets have been looked for, which half a secret would escape.
const UNKNOWN_WORDS: usize = 10;
const WORD_LENGTH: usize = 4096;

/// A record, what its word means, and when the service gave it (its own clock).
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub record: Record,
    pub meaning: Meaning,
    pub date: Option<DateTime<Utc>>,
}

/// One run, as far as it has been watched.
#[derive(Clone, Debug)]
pub(super) struct Run {
    phase: Phase,
    pub(super) end: Option<End>,
    pub(super) seen: Option<Seen>,
    /// The last answer, if it was not what was asked for.
    pub(super) miss: Option<Miss>,
    pub(super) unknown_words: Vec<Foreign>,
    /// What the last event about repairs told.
    repaired: Vec<Repair>,
    clocks: Clocks,
    /// What the last answer would make of a watch that must end without a record.
    without_record: Verdict,
    /// Whether a request to start it was made, as far as is known.
    pub(super) started: bool,
    /// The earlier run that what was started was last seen to wait behind.
    behind: Option<Option<RunId>>,
    /// How old the run was, by the service's clock, when an answer first told (that is the first of the two).
    aged: Option<(Duration, Duration)>,
    /// When it is looked at next; none while that is under way.
    pub(super) next: Option<Duration>,
    /// When the last answer about it came.
    pub(super) looked: Duration,
    /// The date of the last list that showed it as going.
    listed: Option<DateTime<Utc>>,
    has_learned: bool,
    pace: Pace,
}

/// What is done about the run.
#[derive(Clone, Debug)]
enum Phase {
    Choosing(PipelineId, Selector),
    Starting(PipelineId, Starting, IfRunning),
    Watching(Target),
    /// It has passed; the list must not show another one that may be what was started.
    Confirming(Target, Box<Group>),
}

/// What one answer leads to.
pub(super) enum Step {
    LookAt(Duration),
    Ended,
    /// Sign-in was refused: every run ends so.
    AllDenied(Miss),
    /// This is now one of the runs that may be what was started, and is looked at then (never: the time is up); the
    /// others are to be watched as well.
    Took {
        others: Vec<Target>,
        group: Box<Group>,
        next: Option<Duration>,
    },
    /// It has passed, and there are more such runs. Without a group it is the very run that was started.
    PassedBeside(Vec<Target>, Option<Box<Group>>),
}

/// When an answer comes, and by which rules it is read.
#[derive(Clone, Copy)]
pub(super) struct Moment<'r> {
    /// The run's place, for the events.
    pub(super) run: usize,
    pub(super) rules: &'r Rules,
    pub(super) elapsed: Duration,
}

/// Whether a success is the end.
pub(super) enum Pass {
    Stands,
    /// The run is the last of those that may be what was started: first the list is read once more.
    OnceConfirmed(Box<Group>),
}

/// What one answer is read as.
enum Reading {
    Over(Verdict),
    /// Look again after the wait of the schedule.
    On,
    /// The next request need not wait.
    Next,
    AllDenied(Miss),
    Took(Vec<Target>, Box<Group>),
    PassedBeside(Vec<Target>, Option<Box<Group>>),
}

impl Run {
    pub(super) fn new(rules: &Rules, wanted: Wanted) -> Run {
        Run {
            clocks: Clocks::new(Schedule::new(rules.interval, &wanted)),
            phase: match wanted {
                Wanted::Run(target) => Phase::Watching(target),
                Wanted::Choice { pipeline, selector } => Phase::Choosing(pipeline, selector),
                Wanted::Start { pipeline, if_running } => {
                    Phase::Starting(pipeline, Starting::Before(if_running), if_running)
                }
            },
            end: None,
            seen: None,
            miss: None,
            unknown_words: Vec::new(),
            repaired: Vec::new(),
            without_record: Verdict::Unreachable,
            started: false,
            behind: None,
            aged: None,
            next: Some(Duration::ZERO),
            looked: Duration::ZERO,
            listed: None,
            has_learned: false,
            pace: Pace::Usual,
        }
    }

    /// What is waited for, as far as it is known.
    pub(super) fn wanted(&self) -> Wanted {
        match &self.phase {
            Phase::Choosing(pipeline, selector) => Wanted::Choice { pipeline: pipeline.clone(), selector: *selector },
            Phase::Starting(pipeline, _, if_running) => {
                Wanted::Start { pipeline: pipeline.clone(), if_running: *if_running }
            }
            Phase::Watching(target) | Phase::Confirming(target, _) => Wanted::Run(target.clone()),
        }
    }

    /// What to ask next. A request to start is handed out once: from then on it counts as made.
    pub(super) fn ask(&mut self) -> Ask {
        self.started |= self.is_about_to_start();
        match &mut self.phase {
            Phase::Choosing(pipeline, _) => Ask::List(pipeline.clone()),
            Phase::Starting(pipeline, starting, _) => starting.ask(pipeline),
            Phase::Watching(target) => {
                // From now on the time can only be up because no answer to this comes.
                if self.without_record == Verdict::TimedOut {
                    self.without_record = Verdict::Unreachable;
                }
                Ask::Run(target.clone())
            }
            Phase::Confirming(target, _) => Ask::List(target.pipeline.clone()),
        }
    }

    /// What became of a request to start that has led to no run.
    pub(super) fn request(&self) -> Request {
        match &self.phase {
            Phase::Starting(_, Starting::Asked(_) | Starting::Seeking(_, Post::Lost(_)), _) => Request::InDoubt,
            Phase::Starting(_, Starting::Seeking(_, Post::Accepted(_)), _) => Request::Taken,
            Phase::Starting(_, Starting::Before(_) | Starting::Ready(_), _)
            | Phase::Choosing(..)
            | Phase::Watching(_)
            | Phase::Confirming(..) => Request::None,
        }
    }

    /// Whether the next request would start something.
    pub(super) fn is_about_to_start(&self) -> bool {
        matches!(self.phase, Phase::Starting(_, Starting::Ready(_), _))
    }

    /// Takes one answer to what was asked.
    pub(super) fn observe(&mut self, at: Moment<'_>, told: Told, pass: Pass, tell: &mut impl FnMut(Event)) -> Step {
        let retry_after = match &told {
            Told::Run(answer) => answer.retry_after,
            Told::List(answer) => answer.retry_after,
            Told::Survey(answer) => answer.retry_after,
            Told::Execute(_, retry_after) => *retry_after,
        };
        let reading = match told {
            Told::Run(answer) => self.look(at, answer, pass, tell),
            Told::List(answer) => self.list(at, answer, tell),
            // It is no answer about a run.
            Told::Survey(_) => Reading::Over(Verdict::InternalError),
            Told::Execute(launch, _) => self.launched(at, launch, tell),
        };
        let limits = at.rules.limits;
        match reading {
            Reading::Over(verdict) => self.finish(at.run, End::Verdict(verdict), tell),
            Reading::AllDenied(miss) => return Step::AllDenied(miss),
            Reading::PassedBeside(others, group) => {
                self.finish(at.run, End::Verdict(Verdict::Passed), tell);
                return Step::PassedBeside(others, group);
            }
            Reading::Took(others, group) => {
                let is_late = at.elapsed >= limits.timeout;
                if is_late {
                    self.time_is_up(at.run, tell);
                }
                let next = (!is_late).then(|| self.clocks.next_step(limits, at.elapsed, retry_after));
                return Step::Took { others, group, next };
            }
            // Looking once means once at the run: choosing it is not that look.
            Reading::Next if limits.timeout.is_zero() => return Step::LookAt(at.elapsed + super::schedule::FLOOR),
            Reading::On | Reading::Next if at.elapsed >= limits.timeout => self.time_is_up(at.run, tell),
            Reading::On => {
                return Step::LookAt({
                    let age = self.age(at.elapsed);
                    self.clocks.next_look(at.run, limits, at.elapsed, age, retry_after, tell)
                });
            }
            Reading::Next => return Step::LookAt(self.clocks.next_step(limits, at.elapsed, retry_after)),
        }
        Step::Ended
    }

    /// Ends the watch at the deadline.
    pub(super) fn time_is_up(&mut self, index: usize, tell: &mut impl FnMut(Event)) {
        let verdict = if self.seen.is_some() { Verdict::TimedOut } else { self.without_record };
        self.finish(index, End::Verdict(verdict), tell);
    }

    pub(super) fn finish(&mut self, index: usize, end: End, tell: &mut impl FnMut(Event)) {
        self.end = Some(end);
        tell(Event::Ended { run: index, end });
    }

    /// A run that the list knows, when the time is up before it was looked at.
    pub(super) fn never_looked_at(&mut self, index: usize, tell: &mut impl FnMut(Event)) {
        self.without_record = Verdict::TimedOut;
        self.time_is_up(index, tell);
    }

    pub(super) fn ends_for(&mut self, miss: Miss, verdict: Verdict) -> Verdict {
        self.miss = Some(miss);
        verdict
    }

    fn over_for(&mut self, miss: Miss, verdict: Verdict) -> Reading {
        Reading::Over(self.ends_for(miss, verdict))
    }

    /// An answer about the run itself.
    fn look(&mut self, at: Moment<'_>, answer: Answer, pass: Pass, tell: &mut impl FnMut(Event)) -> Reading {
        let Phase::Watching(_) = &self.phase else { return Reading::Over(Verdict::InternalError) };
        match self.found(at, answer.observation, tell) {
            Ok(record) => self.record(at, record, answer.date, pass, tell),
            Err(reading) => reading,
        }
    }

    /// What was looked for; or how its not being there is read.
    fn found<T>(
        &mut self,
        at: Moment<'_>,
        observation: Observation<T>,
        tell: &mut impl FnMut(Event),
    ) -> Result<T, Reading> {
        Err(match observation {
            Observation::Record(found) => return Ok(found),
            Observation::NotVisible(miss) => self.not_visible(at, miss, tell),
            Observation::Unusable(miss) => self.unusable(at, miss, tell),
            Observation::Denied(Scope::SignIn, miss) => Reading::AllDenied(miss),
            Observation::Denied(Scope::Run, miss) => self.over_for(miss, Verdict::Denied),
            Observation::Unreachable(miss) => self.over_for(miss, Verdict::Unreachable),
        })
    }

    fn record(
        &mut self,
        at: Moment<'_>,
        record: Record,
        date: Option<DateTime<Utc>>,
        pass: Pass,
        tell: &mut impl FnMut(Event),
    ) -> Reading {
        let Moment { run, rules, .. } = at;
        let meaning = rules.vocabulary.read(record.status.raw());
        if !record.repaired.is_empty() && record.repaired != self.repaired {
            self.repaired.clone_from(&record.repaired);
            tell(Event::Repaired { run, repairs: self.repaired.clone() });
        }
        if let Some(miss) = repair::bars_pass(&record, meaning) {
            return self.unusable(at, miss, tell);
        }
        self.present(at, tell);
        let before = self.seen.as_ref().map(|seen| seen.record.status.raw());
        if before != Some(record.status.raw()) {
            tell(Event::Status { run, word: record.status.clone(), meaning });
        }
        if meaning == Meaning::Unknown {
            self.keep_unknown(run, &record.status, tell);
        }
        let here = rules.began.map(|began| began + at.elapsed);
        let judged_at = judged_at(date, here);
        let is_fresh = rules.max_age.allows(record.updated_at, judged_at);
        if let (None, Some(created), Some(date)) = (self.aged, record.created_at, date) {
            // A run "from the future" has a clock trouble, and is taken as new.
            self.aged = Some((at.elapsed, (date - created).to_std().unwrap_or_default()));
        }
        // Of a success the age is reported by which it was judged.
        let date = if meaning == Meaning::Passed { judged_at } else { date };
        self.seen = Some(Seen { record, meaning, date });
        match (meaning, pass) {
            (Meaning::Passed, _) if !is_fresh => Reading::Over(Verdict::Stale),
            (Meaning::Passed, Pass::Stands) => Reading::Over(Verdict::Passed),
            (Meaning::Passed, Pass::OnceConfirmed(group)) => self.await_confirmation(group),
            (Meaning::Failed, _) => Reading::Over(Verdict::Failed),
            (Meaning::Wait | Meaning::Unknown, _) => Reading::On,
        }
    }

    /// What was asked for is there.
    fn present(&mut self, at: Moment<'_>, tell: &mut impl FnMut(Event)) {
        if let Some(lasted) = self.clocks.present(at.elapsed) {
            tell(Event::Appeared { run: at.run, lasted });
        }
        self.clocks.end_outage(at.run, at.elapsed, tell);
        self.miss = None;
    }

    /// Keeps a word that no table knows, once.
    fn keep_unknown(&mut self, run: usize, word: &Foreign, tell: &mut impl FnMut(Event)) {
        let word = Foreign::new(word.raw().trim_ascii().chars().take(WORD_LENGTH).collect::<String>());
        let known = self.unknown_words.iter().any(|kept| kept.raw().eq_ignore_ascii_case(word.raw()));
        if !known && self.unknown_words.len() < UNKNOWN_WORDS {
            self.unknown_words.push(word.clone());
            tell(Event::UnknownWord { run, word });
        }
    }

    fn not_visible(&mut self, at: Moment<'_>, miss: Miss, tell: &mut impl FnMut(Event)) -> Reading {
        let Moment { run, rules, elapsed } = at;
        self.clocks.end_outage(run, elapsed, tell);
        self.missed(&miss, self.when_absent());
        if self.clocks.absent(elapsed) {
            let limit = rules.limits.appear;
            tell(if self.seen.is_some() {
                Event::Vanished { run, miss, limit }
            } else {
                Event::NotVisible { run, miss, limit }
            });
        }
        if self.clocks.is_absent_too_long(elapsed, rules.limits) {
            return Reading::Over(self.when_absent());
        }
        Reading::On
    }

    fn unusable(&mut self, at: Moment<'_>, miss: Miss, tell: &mut impl FnMut(Event)) -> Reading {
        self.missed(&miss, Verdict::Unreachable);
        self.clocks.unusable(at.run, at.elapsed, at.rules.limits, &miss, tell);
        if self.clocks.is_out_too_long(at.elapsed, at.rules.limits) {
            return Reading::Over(Verdict::Unreachable);
        }
        Reading::On
    }

    fn missed(&mut self, miss: &Miss, without_record: Verdict) {
        self.miss = Some(miss.clone());
        self.without_record = without_record;
    }
}
