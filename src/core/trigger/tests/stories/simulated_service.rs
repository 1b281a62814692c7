//! A service that starts, hides, loses, queues and refuses, played through the whole gate.

use std::sync::LazyLock;

use super::*;
use crate::core::{Effect, TriggerEffect};

/// What the service makes of the request to start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TriggerOutcome {
    /// A 200 whose id is the run's, and looks like those of the list.
    Tells,
    /// A 200 whose id is the run's, and looks like none of the list.
    TellsOddly,
    /// A 200 whose id is not the run's.
    Hints,
    /// It has started, and the answer is lost.
    LostAfter,
    /// It has not, and the answer is lost.
    LostBefore,
    Refused,
    Denied,
}

pub(super) const POSTS: [TriggerOutcome; 7] = [
    TriggerOutcome::Tells,
    TriggerOutcome::TellsOddly,
    TriggerOutcome::Hints,
    TriggerOutcome::LostAfter,
    TriggerOutcome::LostBefore,
    TriggerOutcome::Refused,
    TriggerOutcome::Denied,
];

impl TriggerOutcome {
    pub(super) fn starts(self) -> bool {
        matches!(
            self,
            TriggerOutcome::Tells | TriggerOutcome::TellsOddly | TriggerOutcome::Hints | TriggerOutcome::LostAfter
        )
    }

    /// The id of the run that it starts.
    pub(super) fn id(self) -> &'static str {
        if self == TriggerOutcome::TellsOddly { "manual__ours" } else { "ours" }
    }
}

/// A run: from when it is listed, when it ends and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) shown: Duration,
    pub(super) ends: Duration,
    pub(super) word: &'static str,
}

impl Run {
    pub(super) fn word_at(&self, now: Duration) -> &'static str {
        if now >= self.ends { self.word } else { "RUNNING" }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    pub(super) post: TriggerOutcome,
    /// Counted from the request.
    pub(super) ours: Run,
    pub(super) stranger: Option<Run>,
    /// A run from before, which ends then.
    pub(super) earlier: Option<Duration>,
    /// The list that is spoilt (from 0), and how.
    pub(super) spoilt: Option<(u32, Spoilt)>,
    /// Whether a schedule starts a run of four seconds every three.
    pub(super) is_busy: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Spoilt {
    Unusable,
    Unplaceable,
    Null,
    Empty,
    /// As it was so long ago.
    Old(Duration),
}

/// What is started by a schedule.
static BUSY: LazyLock<Vec<&'static str>> = LazyLock::new(|| (0..300).map(|n| &*format!("cron_{n}").leak()).collect());

pub(super) struct Played {
    pub(super) verdict: Verdict,
    pub(super) executes: u32,
    /// The runs whose own records were asked for, in order.
    pub(super) asked_for: Vec<String>,
    /// Whether a list that was read showed our run.
    pub(super) was_shown: bool,
    /// The last list that was read: runs and their words.
    pub(super) last_list: Vec<(&'static str, &'static str)>,
    pub(super) events: Vec<TimedEvent>,
    pub(super) took: Duration,
}

pub(super) fn rules() -> Rules {
    let limits = Limits { timeout: 600 * SECOND, appear: 30 * SECOND, outage: 60 * SECOND };
    Rules { interval: Interval::Fixed(5 * SECOND), learning: Learning::On, ..Rules::within(limits) }
}

pub(super) fn answer<T>(now: Duration, observation: Observation<T>) -> Answer<T> {
    Answer { observation, retry_after: None, date: Some(date(1000 + now.as_secs())) }
}

impl World {
    pub(super) fn runs(&self, posted: Option<Duration>, now: Duration) -> Vec<(&'static str, u64, &'static str)> {
        let mut runs = Vec::new();
        for (number, name) in (0..).zip(BUSY.iter()).filter(|_| self.is_busy) {
            let began = 3 * number;
            if now >= SECOND * began {
                runs.push((
                    *name,
                    1000 + u64::from(began),
                    if now >= SECOND * (began + 4) { "SUCCESS" } else { "RUNNING" },
                ));
            }
        }
        if let Some(ends) = self.earlier {
            runs.push(("earlier", 500, if now >= ends { "SUCCESS" } else { "RUNNING" }));
        }
        if let Some(stranger) = self.stranger.filter(|run| now >= run.shown) {
            runs.push(("stranger", 1000 + stranger.shown.as_secs(), stranger.word_at(now)));
        }
        if let Some(posted) = posted.filter(|_| self.post.starts())
            && now >= posted + self.ours.shown
        {
            let since = now - posted;
            runs.push((self.post.id(), 1000 + (posted + self.ours.shown).as_secs(), self.ours.word_at(since)));
        }
        runs
    }

    pub(super) fn play(&self, if_running: IfRunning) -> Played {
        let pipeline = PipelineId::new("p").expect("an id");
        let mut gate = Gate::new(rules(), [Wanted::Start { pipeline, if_running }]);
        let mut due = BTreeSet::from([(Duration::ZERO, 0)]);
        let mut played = Played {
            verdict: Verdict::InternalError,
            executes: 0,
            asked_for: Vec::new(),
            was_shown: false,
            last_list: Vec::new(),
            events: Vec::new(),
            took: SECOND,
        };
        let (mut posted, mut lists) = (None, 0);
        while let Some((now, run)) = due.pop_first() {
            assert!(now <= 600 * SECOND, "past the deadline");
            let Some(ask) = gate.ask(run, now, &mut played.events) else { continue };
            let runs = self.runs(posted, now);
            let response = match ask {
                ApiRequest::Survey(_) => panic!("no survey of two runs"),
                ApiRequest::Execute(_) => {
                    played.executes += 1;
                    posted = Some(now);
                    ApiResponse::Execute(self.trigger_response(), None)
                }
                ApiRequest::List(_) => {
                    lists += 1;
                    let spoilt = self.spoilt.filter(|(at, _)| at + 1 == lists).map(|(_, how)| how);
                    let runs = match spoilt {
                        None | Some(Spoilt::Unplaceable | Spoilt::Unusable | Spoilt::Null) => runs,
                        Some(Spoilt::Empty) => Vec::new(),
                        Some(Spoilt::Old(age)) => self.runs(posted, now.saturating_sub(age)),
                    };
                    let is_whole = matches!(spoilt, None | Some(Spoilt::Empty | Spoilt::Old(_)));
                    played.was_shown |= is_whole && runs.iter().any(|(id, ..)| *id == self.post.id());
                    played.last_list = runs.iter().map(|(id, _, word)| (*id, *word)).collect();
                    let mut list: Vec<ListedRun> = runs.iter().map(|(id, at, word)| listed(id, *at, word)).collect();
                    ApiResponse::List(answer(
                        now,
                        match spoilt {
                            None | Some(Spoilt::Empty | Spoilt::Old(_)) => Observation::Record(listing(&list)),
                            Some(Spoilt::Unplaceable) => {
                                list.push(ListedRun::default());
                                Observation::Record(listing(&list))
                            }
                            Some(Spoilt::Unusable) => Observation::Missing(
                                Effect::Unusable,
                                Failure::new(Operation::List, FailureKind::Http(503)),
                            ),
                            Some(Spoilt::Null) => Observation::Missing(
                                Effect::NotVisible,
                                Failure::new(Operation::List, FailureKind::NoRecord),
                            ),
                        },
                    ))
                }
                ApiRequest::Run(target) => {
                    let row = runs.iter().find(|(id, ..)| *id == target.run.as_str());
                    played.asked_for.push(target.run.as_str().to_owned());
                    ApiResponse::Run(answer(
                        now,
                        match row {
                            Some((id, _, word)) => Observation::Record(Record::bare("p", id, word)),
                            None => Observation::Missing(
                                Effect::NotVisible,
                                Failure::new(Operation::GetRun, FailureKind::NoRecord),
                            ),
                        },
                    ))
                }
            };
            due.extend(gate.observe(run, now, response, &mut played.events).map(|at| {
                assert!(at > now, "a wait of nothing");
                (at, run)
            }));
            for (poll_target, at) in gate.take_moved() {
                let PollTarget::Run(run) = poll_target else { panic!("no survey is asked for without leave") };
                due.retain(|(_, other)| *other != run);
                due.insert((at, run));
            }
            played.took = now;
        }
        assert!(gate.is_over(), "{self:?}: nobody looks any more, and it is not over");
        played.verdict = gate.outcome().verdict;
        played
    }

    pub(super) fn trigger_response(&self) -> TriggerResponse {
        match self.post {
            TriggerOutcome::Tells | TriggerOutcome::TellsOddly => {
                TriggerResponse::Accepted(Some(Untrusted::new(self.post.id())))
            }
            TriggerOutcome::Hints => TriggerResponse::Accepted(Some(Untrusted::new("manual__2024"))),
            TriggerOutcome::LostAfter | TriggerOutcome::LostBefore => {
                TriggerResponse::Missing(TriggerEffect::Lost, Failure::new(Operation::Execute, FailureKind::Broken))
            }
            TriggerOutcome::Refused => TriggerResponse::Missing(
                TriggerEffect::Refused,
                Failure::new(Operation::Execute, FailureKind::Http(400)),
            ),
            TriggerOutcome::Denied => TriggerResponse::Missing(
                TriggerEffect::Denied(Scope::Run),
                Failure::new(Operation::Execute, FailureKind::Http(403)),
            ),
        }
    }
}
