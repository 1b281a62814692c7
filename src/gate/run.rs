//! The watch of one run: what each answer changes, and when to look again.
//!
//! | answer | appear clock | outage clock | then |
//! |---|---|---|---|
//! | record, word that ends | stops | stops | ended: passed or failed |
//! | record, any other word | stops | stops | look again after the interval |
//! | not visible | starts, unless it runs | stops | at or past its limit: `not-found`; else look again after the backoff |
//! | unusable | goes on | starts, unless it runs | at or past its limit: `unreachable`; else look again after the backoff |
//! | denied, unreachable | | | ended at once |
//!
//! An answer at or past the deadline that did not end the watch ends it: `timed-out` if there ever was a record, else
//! what the answer says, `not-found` or `unreachable`.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::schedule::{FLOOR, Schedule};
use super::{Answer, End, Event, Foreign, Limits, Meaning, Miss, Observation, Record, Rules, Scope, Target, Verdict};

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
    pub(super) target: Target,
    pub(super) end: Option<End>,
    pub(super) seen: Option<Seen>,
    /// The last answer, if it was not a record.
    pub(super) miss: Option<Miss>,
    pub(super) unknown_words: Vec<Foreign>,
    schedule: Schedule,
    /// When the run was first not visible since it was last seen.
    appear: Option<Duration>,
    outage: Option<Outage>,
    /// What the last answer would make of a watch that must end without a record.
    without_record: Verdict,
    records_in_a_row: u32,
    misses_in_a_row: u32,
    /// Whether the last answer asked for a longer wait than ours.
    asked_to_wait: bool,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    since: Duration,
    misses: u64,
}

/// What one answer leads to.
pub(super) enum Step {
    LookAt(Duration),
    Ended,
    /// Sign-in was refused: every run ends so.
    AllDenied(Miss),
}

impl Run {
    pub(super) fn new(rules: &Rules, target: Target) -> Run {
        Run {
            schedule: Schedule::new(rules.interval, &target),
            target,
            end: None,
            seen: None,
            miss: None,
            unknown_words: Vec::new(),
            appear: None,
            outage: None,
            without_record: Verdict::Unreachable,
            records_in_a_row: 0,
            misses_in_a_row: 0,
            asked_to_wait: false,
        }
    }

    /// Takes one answer. `index` is this run's place, for the events.
    pub(super) fn observe(
        &mut self,
        index: usize,
        rules: &Rules,
        elapsed: Duration,
        answer: Answer,
        tell: &mut impl FnMut(Event),
    ) -> Step {
        let limits = rules.limits;
        let verdict = match answer.observation {
            Observation::Record(record) => self.record(index, rules, elapsed, record, answer.date, tell),
            Observation::NotVisible(miss) => self.not_visible(index, limits, elapsed, miss, tell),
            Observation::Unusable(miss) => self.unusable(index, limits, elapsed, miss, tell),
            Observation::Denied(Scope::SignIn, miss) => return Step::AllDenied(miss),
            Observation::Denied(Scope::Run, miss) => Some(self.ends_for(miss, Verdict::Denied)),
            Observation::Unreachable(miss) => Some(self.ends_for(miss, Verdict::Unreachable)),
        };
        if let Some(verdict) = verdict {
            self.finish(index, End::Verdict(verdict), tell);
            return Step::Ended;
        }
        if elapsed >= limits.timeout {
            self.time_is_up(index, tell);
            return Step::Ended;
        }
        Step::LookAt(self.next_look(index, limits, elapsed, answer.retry_after, tell))
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

    pub(super) fn ends_for(&mut self, miss: Miss, verdict: Verdict) -> Verdict {
        self.miss = Some(miss);
        verdict
    }

    fn record(
        &mut self,
        run: usize,
        rules: &Rules,
        elapsed: Duration,
        record: Record,
        date: Option<DateTime<Utc>>,
        tell: &mut impl FnMut(Event),
    ) -> Option<Verdict> {
        if let Some(since) = self.appear.take() {
            tell(Event::Appeared { run, lasted: elapsed.saturating_sub(since) });
        }
        self.end_outage(run, elapsed, tell);
        self.miss = None;
        self.misses_in_a_row = 0;
        self.records_in_a_row = self.records_in_a_row.saturating_add(1);

        let meaning = rules.vocabulary.read(record.status.raw());
        let before = self.seen.as_ref().map(|seen| seen.record.status.raw());
        if before != Some(record.status.raw()) {
            tell(Event::Status { run, word: record.status.clone(), meaning });
        }
        if meaning == Meaning::Unknown {
            self.keep_unknown(run, &record.status, tell);
        }
        self.seen = Some(Seen { record, meaning, date });
        match meaning {
            Meaning::Passed => Some(Verdict::Passed),
            Meaning::Failed => Some(Verdict::Failed),
            Meaning::Wait | Meaning::Unknown => None,
        }
    }

    /// Keeps a word that no table knows, once.
    fn keep_unknown(&mut self, run: usize, word: &Foreign, tell: &mut impl FnMut(Event)) {
        let word = Foreign::new(word.raw().trim().chars().take(WORD_LENGTH).collect::<String>());
        let known = self.unknown_words.iter().any(|kept| kept.raw().eq_ignore_ascii_case(word.raw()));
        if !known && self.unknown_words.len() < UNKNOWN_WORDS {
            self.unknown_words.push(word.clone());
            tell(Event::UnknownWord { run, word });
        }
    }

    fn not_visible(
        &mut self,
        run: usize,
        limits: Limits,
        elapsed: Duration,
        miss: Miss,
        tell: &mut impl FnMut(Event),
    ) -> Option<Verdict> {
        self.end_outage(run, elapsed, tell);
        self.missed(&miss, Verdict::NotFound);
        let since = *self.appear.get_or_insert_with(|| {
            tell(if self.seen.is_some() {
                Event::Vanished { run, miss, limit: limits.appear }
            } else {
                Event::NotVisible { run, miss, limit: limits.appear }
            });
            elapsed
        });
        (elapsed.saturating_sub(since) >= limits.appear).then_some(Verdict::NotFound)
    }

    fn unusable(
        &mut self,
        run: usize,
        limits: Limits,
        elapsed: Duration,
        miss: Miss,
        tell: &mut impl FnMut(Event),
    ) -> Option<Verdict> {
        self.missed(&miss, Verdict::Unreachable);
        let outage = self.outage.get_or_insert_with(|| {
            tell(Event::OutageBegan { run, miss, limit: limits.outage });
            Outage { since: elapsed, misses: 0 }
        });
        outage.misses += 1;
        (elapsed.saturating_sub(outage.since) >= limits.outage).then_some(Verdict::Unreachable)
    }

    fn missed(&mut self, miss: &Miss, without_record: Verdict) {
        self.miss = Some(miss.clone());
        self.without_record = without_record;
        self.records_in_a_row = 0;
        self.misses_in_a_row = self.misses_in_a_row.saturating_add(1);
    }

    fn end_outage(&mut self, run: usize, elapsed: Duration, tell: &mut impl FnMut(Event)) {
        if let Some(Outage { since, misses }) = self.outage.take() {
            tell(Event::OutageEnded { run, lasted: elapsed.saturating_sub(since), misses });
        }
    }

    /// When to look again. The answer came before the deadline, and the result is later than the answer.
    ///
    /// A wait ends at the latest when a running clock does, so that its limit is met by a look and not overslept; and no
    /// look falls into the last second before the deadline, because one starts on it.
    fn next_look(
        &mut self,
        run: usize,
        limits: Limits,
        elapsed: Duration,
        retry_after: Option<Duration>,
        tell: &mut impl FnMut(Event),
    ) -> Duration {
        let ours = if self.misses_in_a_row > 0 {
            self.schedule.after_miss(self.misses_in_a_row - 1)
        } else {
            self.schedule.after_record(self.records_in_a_row.saturating_sub(1))
        };
        let asked = retry_after.unwrap_or_default();
        let clocks = [
            self.appear.map(|since| since.saturating_add(limits.appear)),
            self.outage.map(|outage| outage.since.saturating_add(limits.outage)),
        ];
        let mut next = elapsed.saturating_add(ours.max(asked));
        // A clock that is over waits for an answer of its own kind, and no look sooner than usual brings that about.
        for end in clocks.into_iter().flatten().filter(|end| *end > elapsed) {
            next = next.min(end);
        }
        next = next.max(elapsed.saturating_add(FLOOR));
        if next.saturating_add(FLOOR) > limits.timeout {
            next = limits.timeout;
        }
        let waits = next.saturating_sub(elapsed);
        if asked > ours && !self.asked_to_wait {
            tell(Event::AskedToWait { run, asked, waits });
        }
        self.asked_to_wait = asked > ours;
        next
    }
}
