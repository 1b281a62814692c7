//! A service that starts, queues, hides, loses and refuses, whatever the gate asks for; it knows the truth, which the gate does
//! not, and checks each request to start against it.

use std::collections::BTreeSet;

use super::*;

/// What the service makes of an attempt's request to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Post {
    /// A 200 whose id is the run's, and looks like those of the list.
    Tells,
    /// A 200 whose id is the run's, and looks like none of the list.
    TellsOddly,
    /// A 200 whose id is not the run's.
    Hints,
    /// 429 once, then as `Tells`.
    PutsOff,
    /// It has started, and the answer is lost.
    LostAfter,
    /// It has not, and the answer is lost.
    LostBefore,
    Refused,
}

pub(super) const POSTS: [Post; 7] =
    [Post::Tells, Post::TellsOddly, Post::Hints, Post::PutsOff, Post::LostAfter, Post::LostBefore, Post::Refused];

impl Post {
    pub(super) fn starts(self) -> bool {
        !matches!(self, Post::LostBefore | Post::Refused)
    }

    /// Whether the service has said that it takes the request.
    pub(super) fn is_accepted(self) -> bool {
        self.starts() && self != Post::LostAfter
    }
}

/// One attempt: the answer to its request, how long until its run is listed, how long that takes, and its last status.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    pub(super) post: Post,
    pub(super) shown: u64,
    pub(super) takes: u64,
    pub(super) word: &'static str,
    /// Whether its record has to be repaired.
    pub(super) is_repaired: bool,
}

/// A run that somebody else starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stranger {
    pub(super) begins: u64,
    pub(super) takes: u64,
    pub(super) word: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Spoilt {
    Unusable,
    Unplaceable,
    Null,
    Denied,
    Empty,
    /// As it was so long ago.
    Old(u64),
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) retries: u32,
    /// The attempts that the gate may make; further ones are as the last.
    pub(super) tries: Vec<Try>,
    pub(super) stranger: Option<Stranger>,
    /// A run from before, which ends then.
    pub(super) earlier: Option<u64>,
    /// The list that is spoilt (from 0), and how.
    pub(super) spoilt: Option<(u32, Spoilt)>,
    pub(super) if_running: IfRunning,
    pub(super) timeout: u64,
}

/// A run as the service knows it, in seconds.
#[derive(Clone, Debug)]
struct TrueRun {
    id: String,
    begins: u64,
    ends: u64,
    word: &'static str,
    is_repaired: bool,
}

impl TrueRun {
    fn word_at(&self, now: u64) -> &'static str {
        if now >= self.ends { self.word } else { "RUNNING" }
    }

    fn is_running(&self, now: u64) -> bool {
        self.begins <= now && now < self.ends
    }
}

pub(super) struct Played {
    pub(super) outcome: Outcome,
    /// The attempts that were answered with anything but 429.
    pub(super) posts: usize,
    pub(super) events: Vec<TimedEvent>,
    pub(super) took: u64,
}

fn missing(effect: TriggerEffect, kind: FailureKind) -> TriggerResponse {
    TriggerResponse::Missing(effect, Failure::new(Operation::Execute, kind))
}

fn answer<T>(now: u64, observation: Observation<T>) -> Answer<T> {
    Answer { observation, retry_after: None, date: Some(date(1000 + now)) }
}

/// The service while a world is played.
struct Service<'w> {
    world: &'w World,
    others: Vec<TrueRun>,
    ours: Vec<TrueRun>,
    posts: usize,
    was_put_off: bool,
    lists: u32,
    /// The last list that the gate was given, as it was given.
    last_list: Vec<(String, &'static str)>,
}

impl World {
    pub(super) fn rules(&self) -> Rules {
        let limits = Limits {
            timeout: SECOND * u32::try_from(self.timeout).expect("small"),
            appear: APPEAR,
            outage: SECOND * 60,
        };
        Rules { interval: Interval::Fixed(SECOND * 5), retries: self.retries, ..Rules::within(limits) }
    }

    pub(super) fn attempt(&self, index: usize) -> Try {
        self.tries[index.min(self.tries.len() - 1)]
    }

    pub(super) fn play(&self) -> Played {
        self.play_until(Duration::MAX)
    }

    /// A signal comes then.
    pub(super) fn play_until(&self, signal: Duration) -> Played {
        let pipeline = PipelineId::new("p").expect("an id");
        let mut gate = Gate::new(self.rules(), [Wanted::Start { pipeline, if_running: self.if_running }]);
        let mut others = Vec::new();
        others.extend(self.earlier.map(|ends| TrueRun {
            id: "earlier".to_owned(),
            begins: 0,
            ends,
            word: "SUCCESS",
            is_repaired: false,
        }));
        others.extend(self.stranger.map(|stranger| TrueRun {
            id: "stranger".to_owned(),
            begins: stranger.begins,
            ends: stranger.begins + stranger.takes,
            word: stranger.word,
            is_repaired: false,
        }));
        let (ours, last_list) = (Vec::new(), Vec::new());
        let mut service = Service { world: self, others, ours, posts: 0, was_put_off: false, lists: 0, last_list };
        let mut due = BTreeSet::from([(Duration::ZERO, 0)]);
        let (mut events, mut took) = (Vec::new(), 0);
        while let Some((now, run)) = due.pop_first() {
            assert!(now.as_secs() <= self.timeout, "{self:?}: past the deadline");
            if now >= signal && !gate.is_over() {
                gate.interrupt(Signal::Terminate, signal, &mut events);
            }
            let Some(request) = gate.ask(run, now, &mut events) else { continue };
            let response = service.respond(request, now.as_secs());
            due.extend(gate.observe(run, now, response, &mut events).map(|at| (at, run)));
            for (target, at) in gate.take_moved() {
                let PollTarget::Run(run) = target else { panic!("nothing is learned here") };
                due.retain(|(_, other)| *other != run);
                due.insert((at, run));
            }
            took = now.as_secs();
        }
        assert!(gate.is_over(), "{self:?}: nobody polls any more, and it is not over");
        Played { outcome: gate.outcome(), posts: service.posts, events, took }
    }
}

impl Service<'_> {
    fn respond(&mut self, request: ApiRequest, now: u64) -> ApiResponse {
        match request {
            ApiRequest::Survey(_) => panic!("nothing is learned here"),
            ApiRequest::Execute(_) => ApiResponse::Execute(self.execute(now), None),
            ApiRequest::List(_) => ApiResponse::List(answer(now, self.list(now))),
            ApiRequest::Run(target) => {
                let run = self.visible(now).into_iter().find(|run| run.id == target.run.as_str());
                ApiResponse::Run(answer(
                    now,
                    match run {
                        Some(run) => Observation::Record(record(&run.id, run.word_at(now), run.is_repaired)),
                        None => Observation::Missing(
                            Effect::NotVisible,
                            Failure::new(Operation::GetRun, FailureKind::NoRecord),
                        ),
                    },
                ))
            }
        }
    }

    fn visible(&self, now: u64) -> Vec<TrueRun> {
        self.others.iter().chain(&self.ours).filter(|run| run.begins <= now).cloned().collect()
    }

    fn execute(&mut self, now: u64) -> TriggerResponse {
        self.check_start(now);
        let attempt = self.world.attempt(self.posts);
        if attempt.post == Post::PutsOff && !std::mem::replace(&mut self.was_put_off, true) {
            return missing(TriggerEffect::NotExecuted, FailureKind::Http(429));
        }
        self.was_put_off = false;
        self.posts += 1;
        let number = self.posts;
        let id = if attempt.post == Post::TellsOddly { format!("manual__{number}") } else { format!("ours{number}") };
        if attempt.post.starts() {
            // The service queues what is started while a run is in progress.
            let mut begins = now + attempt.shown;
            while let Some(other) = self.others.iter().find(|run| run.is_running(begins)) {
                begins = other.ends + attempt.shown;
            }
            let (word, is_repaired) = (attempt.word, attempt.is_repaired);
            self.ours.push(TrueRun { id: id.clone(), begins, ends: begins + attempt.takes, word, is_repaired });
        }
        match attempt.post {
            Post::Tells | Post::TellsOddly | Post::PutsOff => TriggerResponse::Accepted(Some(Untrusted::new(id))),
            Post::Hints => TriggerResponse::Accepted(Some(Untrusted::new(format!("request:{number}")))),
            Post::LostAfter | Post::LostBefore => missing(TriggerEffect::Lost, FailureKind::Broken),
            Post::Refused => missing(TriggerEffect::Refused, FailureKind::Http(400)),
        }
    }

    /// The law of this module, by the truth.
    fn check_start(&self, now: u64) {
        let Service { world, posts, .. } = self;
        if *posts == 0 {
            return;
        }
        assert!(
            *posts <= usize::try_from(world.retries).expect("small"),
            "{world:?}: more than {} retries",
            world.retries
        );
        for attempt in (0..*posts).map(|index| world.attempt(index)) {
            assert!(attempt.post.is_accepted(), "{world:?}: started again after {:?}", attempt.post);
            assert!(attempt.word.eq_ignore_ascii_case("FAILED"), "{world:?}: started again after {}", attempt.word);
            assert!(!attempt.is_repaired, "{world:?}: started again after a damaged record");
        }
        for run in &self.ours {
            assert!(run.ends <= now, "{world:?}: started again at {now}, before {} has ended", run.id);
        }
        let unfinished = self.last_list.iter().find(|(_, word)| *word == "RUNNING");
        assert_eq!(unfinished, None, "{world:?}: started again beside another run");
        let last = self.ours.last().expect("it was accepted");
        assert!(
            self.last_list.iter().any(|(id, word)| *id == last.id && *word == last.word),
            "{world:?}: started again by a list without the failed run"
        );
    }

    fn list(&mut self, now: u64) -> Observation<RunList> {
        let spoilt = self.world.spoilt.filter(|(at, _)| *at == self.lists).map(|(_, how)| how);
        self.lists += 1;
        let at = match spoilt {
            Some(Spoilt::Old(age)) => now.saturating_sub(age),
            None | Some(Spoilt::Unusable | Spoilt::Unplaceable | Spoilt::Null | Spoilt::Denied | Spoilt::Empty) => now,
        };
        let mut runs: Vec<ListedRun> = Vec::new();
        self.last_list = self.visible(at).into_iter().map(|run| (run.id.clone(), run.word_at(at))).collect();
        match spoilt {
            Some(Spoilt::Unusable) => {
                return Observation::Missing(Effect::Unusable, Failure::new(Operation::List, FailureKind::Http(503)));
            }
            Some(Spoilt::Null) => {
                return Observation::Missing(Effect::NotVisible, Failure::new(Operation::List, FailureKind::NoRecord));
            }
            Some(Spoilt::Denied) => {
                return Observation::Missing(
                    Effect::Denied(Scope::Run),
                    Failure::new(Operation::List, FailureKind::Http(403)),
                );
            }
            Some(Spoilt::Unplaceable) => runs.push(ListedRun::default()),
            Some(Spoilt::Empty) => self.last_list.clear(),
            None | Some(Spoilt::Old(_)) => {}
        }
        let created = |id: &str| {
            let run = self.others.iter().chain(&self.ours).find(|run| run.id == id);
            run.map(|run| if run.id == "earlier" { 500 } else { 1000 + run.begins })
        };
        runs.extend(self.last_list.iter().map(|(id, word)| listed(id, created(id).expect("a run"), word)));
        Observation::Record(RunList { runs })
    }
}

fn record(id: &str, word: &str, is_repaired: bool) -> Record {
    let repaired = if is_repaired { vec![Repair::BadUtf8] } else { Vec::new() };
    Record { repaired, ..Record::bare("p", id, word) }
}
