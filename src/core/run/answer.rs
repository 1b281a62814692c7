//! What one answer changes for a run: the table of `run`, row by row.

use chrono::{DateTime, Utc};

use super::super::timers::CONFIRM;
use super::super::{Answer, Event, Foreign, Meaning, Miss, Observation, Record, Scope, Verdict, judged_at, repair};
use super::{Moment, Pass, Phase, Reading, Run, Seen};

/// How many unknown words are kept (docs/reference.md#status-values), and how many characters of each: the 64 that are
/// shown are cut when secrets have been looked for, which half a secret would escape.
const UNKNOWN_WORDS: usize = 10;
const WORD_LENGTH: usize = 4096;

impl Run {
    /// An answer about the run itself.
    pub(super) fn look(&mut self, at: Moment<'_>, answer: Answer, pass: Pass, tell: &mut impl FnMut(Event)) -> Reading {
        match &self.phase {
            Phase::Watching(_) => match self.found(at, answer.observation, tell) {
                Ok(record) => self.record(at, record, answer.date, pass, tell),
                Err(reading) => reading,
            },
            Phase::Starting(..) => self.look_for_named(at, answer, pass, tell),
            Phase::Choosing(..) | Phase::Confirming(..) => Reading::Over(Verdict::InternalError),
        }
    }

    /// What was looked for; or how its not being there is read.
    pub(super) fn found<T>(
        &mut self,
        at: Moment<'_>,
        observation: Observation<T>,
        tell: &mut impl FnMut(Event),
    ) -> Result<T, Reading> {
        Err(match observation {
            Observation::Record(found) => return Ok(found),
            Observation::NotVisible(miss) => self.not_visible(at, miss, tell),
            Observation::Unusable(miss) => self.unusable(at, miss, tell),
            Observation::Denied(scope, miss) => self.refused(at, Verdict::Denied, scope, miss, tell),
            Observation::Unreachable(miss) => self.refused(at, Verdict::Unreachable, Scope::Run, miss, tell),
        })
    }

    /// An answer that waiting is not known to fix. The only place that decides whether it ends the watch.
    pub(super) fn refused(
        &mut self,
        at: Moment<'_>,
        verdict: Verdict,
        scope: Scope,
        miss: Miss,
        tell: &mut impl FnMut(Event),
    ) -> Reading {
        let is_first_of_all = !at.has_worked && at.retry_after.is_none() && self.clocks.refusal().is_none();
        let is_news = self.clocks.refused(at.elapsed, verdict);
        if is_first_of_all || self.clocks.is_refused_too_long(at.elapsed) {
            return match scope {
                Scope::SignIn => Reading::AllDenied(miss),
                Scope::Run => self.over_for(miss, verdict),
            };
        }
        if is_news && !at.rules.limits.timeout.is_zero() {
            tell(Event::Refused { run: at.run, miss: miss.clone(), limit: CONFIRM });
        }
        self.miss = Some(miss);
        Reading::On
    }

    pub(super) fn record(
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
        self.seen = Some(Seen { record, meaning, date, at: at.elapsed });
        match (meaning, pass) {
            (Meaning::Passed, _) if !is_fresh => Reading::Over(Verdict::Stale),
            (Meaning::Passed, Pass::Stands) => Reading::Over(Verdict::Passed),
            (Meaning::Passed, Pass::OnceConfirmed(group)) => self.await_confirmation(group),
            (Meaning::Failed, _) => Reading::Over(Verdict::Failed),
            (Meaning::Wait | Meaning::Unknown, _) => Reading::On,
        }
    }

    /// What was asked for is there.
    pub(super) fn present(&mut self, at: Moment<'_>, tell: &mut impl FnMut(Event)) {
        if let Some(lasted) = self.clocks.present(at.elapsed) {
            tell(Event::Appeared { run: at.run, lasted });
        }
        self.clocks.end_outage(at.run, at.elapsed, tell);
        self.miss = None;
    }

    /// Keeps a word that no table knows, once.
    pub(super) fn keep_unknown(&mut self, run: usize, word: &Foreign, tell: &mut impl FnMut(Event)) {
        let word = Foreign::new(word.raw().trim_ascii().chars().take(WORD_LENGTH).collect::<String>());
        let known = self.unknown_words.iter().any(|kept| kept.raw().eq_ignore_ascii_case(word.raw()));
        if !known && self.unknown_words.len() < UNKNOWN_WORDS {
            self.unknown_words.push(word.clone());
            tell(Event::UnknownWord { run, word });
        }
    }

    pub(super) fn not_visible(&mut self, at: Moment<'_>, miss: Miss, tell: &mut impl FnMut(Event)) -> Reading {
        let Moment { run, rules, elapsed, .. } = at;
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

    pub(super) fn unusable(&mut self, at: Moment<'_>, miss: Miss, tell: &mut impl FnMut(Event)) -> Reading {
        self.missed(&miss, Verdict::Unreachable);
        self.clocks.unusable(at.run, at.elapsed, at.rules.limits, &miss, tell);
        if self.clocks.is_out_too_long(at.elapsed, at.rules.limits) {
            return Reading::Over(Verdict::Unreachable);
        }
        Reading::On
    }

    pub(super) fn missed(&mut self, miss: &Miss, without_record: Verdict) {
        self.miss = Some(miss.clone());
        self.without_record = without_record;
    }
}
