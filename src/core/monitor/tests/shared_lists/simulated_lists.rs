//! Pipelines of many runs with their lists, and a gate that waits for the runs, played without waiting.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use crate::core::{Answer, ApiRequest, ApiResponse, Effect, Learning, ListSummary, ListedRun, PollTarget};

const CREATED: i64 = 1_705_314_600;

fn date(now: Duration) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(CREATED, 0).expect("a date") + now
}

/// What the list is like at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RunList {
    True,
    /// As it was so long ago.
    Late(Duration),
    /// As it was in the beginning, for ever, with a fresh date.
    Frozen,
    /// Without every third run.
    Short,
    /// Every run has ended well, it says.
    Rosy,
    /// With another word for those that are running.
    Worded,
    Fails(FailureKind),
}

pub(super) struct World {
    /// When each run ends, and how.
    pub(super) ends: Vec<(Duration, &'static str)>,
    pub(super) listing: RunList,
    /// How long a poll and a list take.
    pub(super) poll: Duration,
    pub(super) list: Duration,
    pub(super) learning: Learning,
    pub(super) interval: Interval,
    /// From when on polls bring a 503.
    pub(super) outage: Duration,
    /// What every poll asks for, in `Retry-After`.
    pub(super) rest: Option<Duration>,
    /// How many requests are under way at once.
    pub(super) at_once: usize,
    /// How many runs belong to one pipeline.
    pub(super) per_pipeline: usize,
}

#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) verdicts: Vec<Verdict>,
    /// When each run's watch was over.
    pub(super) over: BTreeMap<usize, Duration>,
    pub(super) polls: Vec<(Duration, usize)>,
    pub(super) lists: Vec<Duration>,
    pub(super) events: Vec<TimedEvent>,
}

/// What to poll and when, the earliest first.
#[derive(Default)]
struct Turns {
    order: BTreeSet<(Duration, PollTarget)>,
    at: BTreeMap<PollTarget, Duration>,
}

impl Turns {
    fn set(&mut self, poll_target: PollTarget, at: Duration) {
        self.remove(&poll_target);
        self.at.insert(poll_target, at);
        self.order.insert((at, poll_target));
    }

    fn remove(&mut self, poll_target: &PollTarget) {
        if let Some(at) = self.at.remove(poll_target) {
            self.order.remove(&(at, *poll_target));
        }
    }
}

impl World {
    /// Runs that end so many seconds after the start.
    pub(super) fn new(ends: impl IntoIterator<Item = u64>) -> World {
        World {
            ends: ends.into_iter().map(|end| (Duration::from_secs(end), "SUCCESS")).collect(),
            listing: RunList::True,
            poll: SECOND / 5,
            list: SECOND / 4,
            learning: Learning::On,
            interval: Interval::Auto,
            outage: Duration::MAX,
            rest: None,
            at_once: usize::MAX,
            per_pipeline: usize::MAX,
        }
    }

    fn target(&self, run: usize) -> Target {
        let pipeline = PipelineId::new(&format!("p{}", run / self.per_pipeline)).expect("an id");
        Target { pipeline, ..target(&run.to_string()) }
    }

    fn word(&self, run: usize, now: Duration) -> &'static str {
        let (end, word) = self.ends[run];
        if now >= end { word } else { "RUNNING" }
    }

    fn record(&self, run: usize, now: Duration) -> Answer {
        let mut answer = plain(record(self.word(run, now)));
        if let Observation::Record(record) = &mut answer.observation {
            record.run_id = Untrusted::new(run.to_string());
            record.created_at = Some(date(Duration::ZERO));
            record.updated_at = Some(date(self.ends[run].0.min(now)));
        }
        answer.date = Some(date(now));
        answer.retry_after = self.rest;
        if now >= self.outage { plain(unusable()) } else { answer }
    }

    /// The list of a pipeline as it is answered at `now`, beside ten runs of the past.
    fn list_summary(&self, pipeline: usize, mut list_summary: ListSummary, now: Duration) -> Answer<ListSummary> {
        let mut take = |id: &str, word: &str, created: i64, took: i64| {
            let at = |seconds| chrono::DateTime::from_timestamp(CREATED + seconds, 0);
            list_summary.take(ListedRun {
                run: RunId::new(id),
                number: None,
                status: Some(Untrusted::new(word)),
                created_at: at(created),
                updated_at: at(created + took),
                trace: None,
            });
        };
        for n in 1..=10 {
            take(&format!("old_{n}"), "SUCCESS", -3600 * n, 600 + 10 * n);
        }
        let as_of = match self.listing {
            RunList::Late(lag) => now.saturating_sub(lag),
            RunList::Frozen => SECOND,
            RunList::True | RunList::Short | RunList::Rosy | RunList::Worded | RunList::Fails(_) => now,
        };
        let first = pipeline.saturating_mul(self.per_pipeline);
        for run in first..self.ends.len().min(first.saturating_add(self.per_pipeline)) {
            match self.listing {
                RunList::Short if run % 3 == 0 => {}
                RunList::Rosy => take(&run.to_string(), "SUCCESS", 0, 1),
                RunList::Worded if self.word(run, now) == "RUNNING" => take(&run.to_string(), "PAUSED", 0, 1),
                RunList::True
                | RunList::Late(_)
                | RunList::Frozen
                | RunList::Short
                | RunList::Worded
                | RunList::Fails(_) => {
                    take(&run.to_string(), self.word(run, as_of), 0, 1);
                }
            }
        }
        let observation = match self.listing {
            RunList::Fails(kind) => {
                let failure = Failure { during: Operation::List, kind, detail: None };
                match kind {
                    FailureKind::Http(403) => Observation::Missing(Effect::Denied(Scope::Run), failure),
                    _ => Observation::Missing(Effect::Unusable, failure),
                }
            }
            RunList::True | RunList::Late(_) | RunList::Frozen | RunList::Short | RunList::Rosy | RunList::Worded => {
                Observation::Record(list_summary)
            }
        };
        Answer { observation, retry_after: None, date: Some(date(now)) }
    }

    /// Plays it through the gate as the loop does, but for its eight at once.
    pub(super) fn play(&self) -> Played {
        let rules = Rules { learning: self.learning, ..rules(20_000, 120, 60, self.interval) };
        let mut gate = Gate::new(rules, (0..self.ends.len()).map(|run| self.target(run)));
        let mut played = Played::default();
        let mut turns = Turns::default();
        (0..self.ends.len()).for_each(|run| turns.set(PollTarget::Run(run), Duration::ZERO));
        let mut under_way: Vec<(Duration, PollTarget, ApiRequest)> = Vec::new();
        let mut clock = Duration::ZERO;
        while !gate.is_over() {
            let turn = turns.order.first().copied();
            let answer = under_way.iter().enumerate().map(|(n, (at, ..))| (*at, n)).min();
            let next = match (turn, answer) {
                (Some((at, poll_target)), answer)
                    if under_way.len() < self.at_once && answer.is_none_or(|(answered, _)| at < answered) =>
                {
                    turns.remove(&poll_target);
                    // Where all places were taken, a turn comes late.
                    let at = at.max(clock);
                    let ask = match poll_target {
                        PollTarget::Run(run) => gate.ask(run, at, &mut played.events),
                        PollTarget::Pipeline(pipeline) => gate.list_summary(pipeline, at),
                    };
                    let Some(ask) = ask else { continue };
                    let takes = match poll_target {
                        PollTarget::Run(run) => {
                            played.polls.push((at, run));
                            self.poll
                        }
                        PollTarget::Pipeline(_) => {
                            played.lists.push(at);
                            self.list
                        }
                    };
                    under_way.push((at + takes, poll_target, ask));
                    continue;
                }
                (_, Some((_, n))) => under_way.swap_remove(n),
                (_, None) => panic!("nobody looks any more, and it is not over"),
            };
            // What is reported was so half a request ago.
            let (now, poll_target, ask) = next;
            clock = now;
            match (poll_target, ask) {
                (PollTarget::Run(run), ApiRequest::Run(_)) => {
                    let response = ApiResponse::Run(self.record(run, now - self.poll / 2));
                    match gate.observe(run, now, response, &mut played.events) {
                        Some(next) => turns.set(poll_target, next),
                        None => drop(played.over.insert(run, now)),
                    }
                }
                (PollTarget::Pipeline(pipeline), ApiRequest::Survey(list_summary)) => {
                    let answer = self.list_summary(pipeline, *list_summary, now - self.list / 2);
                    gate.list_summary_received(pipeline, now, answer, &mut played.events);
                }
                (poll_target, ask) => panic!("{poll_target:?} asked {ask:?}"),
            }
            for (poll_target, at) in gate.take_moved() {
                if matches!(poll_target, PollTarget::Run(run) if !gate.is_pending(run)) {
                    continue;
                }
                assert!(
                    !under_way.iter().any(|(_, busy, _)| *busy == poll_target),
                    "{poll_target:?} has a request under way"
                );
                turns.set(poll_target, at);
            }
        }
        played.verdicts = gate.outcome().runs.iter().filter_map(|run| run.end.verdict()).collect();
        played
    }
}

impl Played {
    /// The longest that the end of a run stayed unseen.
    pub(super) fn longest_lag(&self, world: &World) -> Duration {
        let lag = |(run, over): (&usize, &Duration)| over.saturating_sub(world.ends[*run].0);
        self.over.iter().map(lag).max().unwrap_or_default()
    }

    pub(super) fn looks_in(&self, from: u64, until: u64) -> usize {
        let all = self.polls.iter().map(|(at, _)| at).chain(&self.lists);
        all.filter(|at| (from..until).contains(&at.as_secs())).count()
    }

    pub(super) fn is_spaced(&self) {
        let mut last: BTreeMap<usize, Duration> = BTreeMap::new();
        for (at, run) in &self.polls {
            let before = last.insert(*run, *at);
            assert!(before.is_none_or(|before| *at >= before + SECOND), "run {run} at {before:?} and {at:?}");
        }
        assert!(self.lists.windows(2).all(|pair| pair[1] >= pair[0] + SECOND), "{:?}", self.lists);
    }
}
