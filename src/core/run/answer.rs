//! What one answer changes for a run: the table of `run`, row by row.

use super::super::timers::CONFIRM;
use super::super::trigger::Starting;
use super::super::{
    Effect, Event, Failure, FailureKind, LastRecord, Meaning, Observation, Operation, Record, Scope, Untrusted,
    Verdict, judged_at,
};
use super::{Moment, Phase, Run, Step};

/// How many unknown status values are kept (docs/reference.md#status-values), and how many characters of each: the 64 that are
/// shown are cut when secrets have been looked for, which half a secret would escape.
const UNKNOWN_WORDS: usize = 10;
const WORD_LENGTH: usize = 4096;

impl Run {
    /// An answer about the run itself.
    pub(super) fn poll(&mut self, at: &mut Moment<'_>, observation: Observation) -> Step {
        match self.phase.clone() {
            Phase::Watching(_) => match observation {
                Observation::Record(record) => self.record(at, record),
                Observation::Missing(effect, failure) => self.missing(at, effect, failure),
            },
            Phase::Starting(Starting::Named(baseline, run), _) => self.poll_named(at, baseline, run, observation),
            Phase::Starting(Starting::Guessed(baseline, run), _) => self.poll_guessed(at, baseline, run, observation),
            Phase::Choosing(_) | Phase::Starting(..) | Phase::Confirming(..) | Phase::Retrying(..) => {
                Step::Over(Verdict::InternalError)
            }
        }
    }

    /// How it is read that something is not there.
    pub(super) fn missing(&mut self, at: &mut Moment<'_>, effect: Effect, failure: Failure) -> Step {
        match effect {
            Effect::NotVisible => self.not_visible(at, failure),
            Effect::Unusable => self.unusable(at, failure),
            Effect::Denied(scope) => self.refused(at, Verdict::Denied, scope, failure),
            Effect::Unreachable => self.refused(at, Verdict::Unreachable, Scope::Run, failure),
        }
    }

    /// An answer that waiting is not known to fix. The only place that decides whether it ends the wait.
    pub(super) fn refused(&mut self, at: &mut Moment<'_>, verdict: Verdict, scope: Scope, failure: Failure) -> Step {
        let is_first_of_all = !at.has_worked && at.retry_after.is_none() && self.clocks.refusal().is_none();
        let is_news = self.clocks.refused(at.elapsed, verdict);
        if is_first_of_all || self.clocks.is_refused_too_long(at.elapsed) {
            return match scope {
                Scope::SignIn => Step::AllDenied(failure),
                Scope::Run => self.finish_for(failure, verdict),
            };
        }
        if is_news && !at.rules.limits.timeout.is_zero() {
            at.emit(Event::Refused { run: self.place, failure: failure.clone(), limit: CONFIRM });
        }
        self.failure = Some(failure);
        Step::On
    }

    pub(super) fn record(&mut self, at: &mut Moment<'_>, record: Record) -> Step {
        let (run, date) = (self.place, at.date);
        let meaning = record.meaning(&at.rules.vocabulary);
        if !record.repaired.is_empty() && record.repaired != self.progress.repaired {
            self.progress.repaired.clone_from(&record.repaired);
            at.emit(Event::Repaired { run, repairs: record.repaired.clone() });
        }
        // In an answer that one program reads so and another one otherwise, a success is not proven.
        if meaning == Meaning::Passed && !record.repaired.is_empty() {
            return self.unusable(at, Failure::new(Operation::GetRun, FailureKind::Repaired));
        }
        self.present(at);
        let before = self.seen.as_ref().map(|seen| seen.record.status.raw());
        if before != Some(record.status.raw()) && self.is_new_status(&record.status) {
            at.emit(Event::Status { run, word: record.status.clone(), meaning });
        }
        if meaning == Meaning::Unknown {
            self.keep_unknown(at, &record.status);
        }
        let here = at.rules.began.map(|began| began + at.elapsed);
        let judged_at = judged_at(date, here);
        let fresh = at.rules.freshness.check(record.created_at, record.updated_at, judged_at);
        if let (None, Some(created), Some(date)) = (self.progress.aged, record.created_at, date) {
            // A run "from the future" has a clock trouble, and is taken as new.
            self.progress.aged = Some((at.elapsed, (date - created).to_std().unwrap_or_default()));
        }
        // Of a run that has finished the age is reported by which it was judged.
        let judged_date = if meaning.passed().is_some() { judged_at } else { date };
        self.seen = Some(LastRecord { record, meaning, date: judged_date, at: at.elapsed });
        if let Some(step) = self.wait_for_another(at, fresh) {
            return step;
        }
        match meaning {
            Meaning::Passed if fresh.is_err() => Step::Over(Verdict::Stale),
            Meaning::Passed => self.passed(at),
            Meaning::Failed => self.failed(at),
            Meaning::Wait | Meaning::Unknown => Step::On,
        }
    }

    /// What was asked for is there.
    pub(super) fn present(&mut self, at: &mut Moment<'_>) {
        if let Some(lasted) = self.clocks.present(at.elapsed) {
            at.emit(Event::Appeared { run: self.place, lasted });
        }
        self.end_outage(at);
        self.failure = None;
    }

    /// Keeps a word that no table knows, once.
    pub(super) fn keep_unknown(&mut self, at: &mut Moment<'_>, word: &Untrusted) {
        let word = Untrusted::new(word.raw().trim_ascii().chars().take(WORD_LENGTH).collect::<String>());
        let known = self.unknown_words.iter().any(|kept| kept.raw().eq_ignore_ascii_case(word.raw()));
        if !known && self.unknown_words.len() < UNKNOWN_WORDS {
            self.unknown_words.push(word.clone());
            at.emit(Event::UnknownWord { run: self.place, word });
        }
    }

    pub(super) fn not_visible(&mut self, at: &mut Moment<'_>, failure: Failure) -> Step {
        let (run, elapsed) = (self.place, at.elapsed);
        self.end_outage(at);
        self.missed(&failure, self.when_absent());
        if self.clocks.absent(elapsed) {
            let limit = at.rules.limits.appear;
            at.emit(if self.seen.is_some() {
                Event::Vanished { run, failure, limit }
            } else {
                Event::NotVisible { run, failure, limit }
            });
        }
        if self.clocks.is_absent_too_long(elapsed, at.rules.limits) {
            return Step::Over(self.when_absent());
        }
        Step::On
    }

    pub(super) fn unusable(&mut self, at: &mut Moment<'_>, failure: Failure) -> Step {
        self.missed(&failure, Verdict::Unreachable);
        if self.clocks.unusable(at.elapsed) {
            at.emit(Event::OutageBegan { run: self.place, failure, limit: at.rules.limits.outage });
        }
        if self.clocks.is_out_too_long(at.elapsed, at.rules.limits) {
            return Step::Over(Verdict::Unreachable);
        }
        Step::On
    }

    pub(super) fn end_outage(&mut self, at: &mut Moment<'_>) {
        if let Some((lasted, misses)) = self.clocks.end_outage(at.elapsed) {
            at.emit(Event::OutageEnded { run: self.place, lasted, misses });
        }
    }

    pub(super) fn missed(&mut self, failure: &Failure, without_record: Verdict) {
        self.failure = Some(failure.clone());
        self.without_record = without_record;
    }
}
