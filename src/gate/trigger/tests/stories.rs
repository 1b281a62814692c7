//! Every combination of a few hundred thousand short stories, played through the whole gate.

use super::*;

/// What the service makes of the request to start.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Post {
    /// A 200 whose id is the run's.
    Tells,
    /// A 200 whose id is not.
    Hints,
    /// It has started, and the answer is lost.
    LostAfter,
    /// It has not, and the answer is lost.
    LostBefore,
    Refused,
    Denied,
}

const POSTS: [Post; 6] = [Post::Tells, Post::Hints, Post::LostAfter, Post::LostBefore, Post::Refused, Post::Denied];

impl Post {
    fn starts(self) -> bool {
        matches!(self, Post::Tells | Post::Hints | Post::LostAfter)
    }
}

/// A run: from when it is listed, when it ends and how.
#[derive(Clone, Copy, Debug)]
struct Run {
    shown: Duration,
    ends: Duration,
    word: &'static str,
}

impl Run {
    fn word_at(&self, now: Duration) -> &'static str {
        if now >= self.ends { self.word } else { "RUNNING" }
    }
}

#[derive(Clone, Copy, Debug)]
struct World {
    post: Post,
    /// Counted from the request.
    ours: Run,
    stranger: Option<Run>,
    /// A run from before, which ends then.
    earlier: Option<Duration>,
    /// The list that is spoilt (from 0), and how.
    spoilt: Option<(u32, Spoilt)>,
}

#[derive(Clone, Copy, Debug)]
enum Spoilt {
    Unusable,
    Unplaceable,
    Null,
}

struct Played {
    verdict: Verdict,
    executes: u32,
    /// Whether a list that was read showed our run.
    was_shown: bool,
    notices: Vec<Notice>,
    took: Duration,
}

fn miss(during: During, kind: MissKind) -> Miss {
    Miss { during, kind, detail: None }
}

fn rules() -> Rules {
    Rules {
        limits: Limits { timeout: 600 * SECOND, appear: 30 * SECOND, outage: 60 * SECOND },
        interval: Interval::Fixed(5 * SECOND),
        vocabulary: Vocabulary::default(),
        on_first_failure: OnFirstFailure::WaitForAll,
        max_age: MaxAge::Any,
        learning: Learning::On,
    }
}

fn answer<T>(now: Duration, observation: Observation<T>) -> Answer<T> {
    Answer { observation, retry_after: None, date: Some(date(1000 + now.as_secs())) }
}

impl World {
    fn runs(&self, posted: Option<Duration>, now: Duration) -> Vec<(&'static str, u64, &'static str)> {
        let mut runs = Vec::new();
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
            runs.push(("ours", 1000 + (posted + self.ours.shown).as_secs(), self.ours.word_at(since)));
        }
        runs
    }

    fn play(&self, if_running: IfRunning) -> Played {
        let pipeline = PipelineId::new("p").expect("an id");
        let mut gate = Gate::new(rules(), [Wanted::Start { pipeline, if_running }]);
        let mut due = BTreeSet::from([(Duration::ZERO, 0)]);
        let mut played = Played {
            verdict: Verdict::InternalError,
            executes: 0,
            was_shown: false,
            notices: Vec::new(),
            took: SECOND,
        };
        let (mut posted, mut lists) = (None, 0);
        while let Some((now, run)) = due.pop_first() {
            assert!(now <= 600 * SECOND, "past the deadline");
            let Some(ask) = gate.ask(run, now, &mut played.notices) else { continue };
            let runs = self.runs(posted, now);
            let told = match ask {
                Ask::Survey(_) => panic!("no survey of two runs"),
                Ask::Execute(_) => {
                    played.executes += 1;
                    posted = Some(now);
                    Told::Execute(self.launch(), None)
                }
                Ask::List(_) => {
                    lists += 1;
                    let spoilt = self.spoilt.filter(|(at, _)| at + 1 == lists).map(|(_, how)| how);
                    played.was_shown |= spoilt.is_none() && runs.iter().any(|(id, ..)| *id == "ours");
                    let mut list: Vec<Listed> = runs.iter().map(|(id, at, word)| listed(id, *at, word)).collect();
                    Told::List(answer(
                        now,
                        match spoilt {
                            None => Observation::Record(listing(&list)),
                            Some(Spoilt::Unplaceable) => {
                                list.push(Listed::default());
                                Observation::Record(listing(&list))
                            }
                            Some(Spoilt::Unusable) => Observation::Unusable(miss(During::List, MissKind::Http(503))),
                            Some(Spoilt::Null) => Observation::NotVisible(miss(During::List, MissKind::NoRecord)),
                        },
                    ))
                }
                Ask::Run(target) => {
                    let row = runs.iter().find(|(id, ..)| *id == target.run.as_str()).expect("a run that is listed");
                    Told::Run(answer(now, Observation::Record(record(row.0, row.2))))
                }
            };
            due.extend(gate.observe(run, now, told, &mut played.notices).map(|at| {
                assert!(at > now, "a wait of nothing");
                (at, run)
            }));
            for (who, at) in gate.take_moved() {
                let Who::Run(run) = who else { panic!("no survey is asked for without leave") };
                due.retain(|(_, other)| *other != run);
                due.insert((at, run));
            }
            played.took = now;
        }
        assert!(gate.is_over(), "{self:?}: nobody looks any more, and it is not over");
        played.verdict = gate.outcome().verdict;
        played
    }

    fn launch(&self) -> Launch {
        match self.post {
            Post::Tells => Launch::Accepted(Some(Foreign::new("ours"))),
            Post::Hints => Launch::Accepted(Some(Foreign::new("manual__2024"))),
            Post::LostAfter | Post::LostBefore => Launch::Lost(miss(During::Execute, MissKind::Broken)),
            Post::Refused => Launch::Refused(miss(During::Execute, MissKind::Http(400))),
            Post::Denied => Launch::Denied(Scope::Run, miss(During::Execute, MissKind::Http(403))),
        }
    }
}

fn record(id: &str, word: &str) -> Record {
    Record {
        pipeline_id: Foreign::new("p"),
        run_id: Foreign::new(id),
        status: Foreign::new(word),
        created_at: None,
        updated_at: None,
        trace: None,
    }
}

/// Every world of the choices below.
fn worlds() -> Vec<World> {
    let seconds = |all: &[u64]| all.iter().map(|at| SECOND * u32::try_from(*at).expect("small")).collect::<Vec<_>>();
    let mut runs = Vec::new();
    for shown in seconds(&[0, 3, 20, 45]) {
        for takes in seconds(&[0, 12]) {
            for word in ["SUCCESS", "FAILED"] {
                runs.push(Run { shown, ends: shown + takes, word });
            }
        }
    }
    let strangers: Vec<Option<Run>> = [None].into_iter().chain(runs.iter().copied().map(Some)).collect();
    let spoilt = [None, Some(Spoilt::Unusable), Some(Spoilt::Unplaceable), Some(Spoilt::Null)];
    let mut worlds = Vec::new();
    for post in POSTS {
        for ours in &runs {
            for stranger in &strangers {
                for earlier in [None, Some(SECOND * 40)] {
                    for how in spoilt {
                        for at in 0..if how.is_some() { 4 } else { 1 } {
                            let spoilt = how.map(|how| (at, how));
                            worlds.push(World { post, ours: *ours, stranger: *stranger, earlier, spoilt });
                        }
                    }
                }
            }
        }
    }
    worlds
}

#[test]
fn no_story_of_a_trigger_asks_twice_or_passes_on_a_run_that_failed() {
    let worlds = worlds();
    assert!(worlds.len() > 40_000, "{} worlds", worlds.len());
    let mut passes = 0;
    for world in &worlds {
        let played = world.play(IfRunning::Queue);
        assert!(played.executes <= 1, "{world:?}");
        let fails = world.ours.word == "FAILED";
        if played.verdict == Verdict::Passed {
            passes += 1;
            assert_eq!(played.executes, 1, "{world:?}: passed on what nobody started");
            // What can be known: our run, once a list has shown it, decides.
            assert!(!(played.was_shown && fails), "{world:?}: our run was there, and failed");
            // Without a stranger there is nothing but our run to pass on.
            assert!(world.stranger.is_some() || world.post.starts() && !fails, "{world:?}");
        }
        if world.stranger.is_none() && world.spoilt.is_none() {
            let expected = match world.post {
                Post::Refused => Verdict::NotStarted,
                Post::Denied => Verdict::Denied,
                Post::LostBefore => Verdict::NotStarted,
                // Listed too late, and no earlier run explains it.
                Post::Tells | Post::Hints if world.ours.shown > 30 * SECOND && world.earlier.is_none() => {
                    Verdict::NotFound
                }
                Post::LostAfter if world.ours.shown > 30 * SECOND && world.earlier.is_none() => Verdict::NotStarted,
                Post::Tells | Post::Hints | Post::LostAfter if fails => Verdict::Failed,
                Post::Tells | Post::Hints | Post::LostAfter => Verdict::Passed,
            };
            assert_eq!(played.verdict, expected, "{world:?}");
        }
    }
    assert!(passes > 1_000, "{passes} passes");
}

#[test]
fn with_the_id_that_was_answered_a_stranger_decides_nothing() {
    for world in worlds().into_iter().filter(|world| world.post == Post::Tells && world.spoilt.is_none()) {
        let shown_first = world.stranger.is_some_and(|stranger| stranger.shown < world.ours.shown + 6 * SECOND);
        if !shown_first && world.ours.shown < 30 * SECOND {
            let fails = world.ours.word == "FAILED";
            let verdict = world.play(IfRunning::Queue).verdict;
            assert_eq!(verdict, if fails { Verdict::Failed } else { Verdict::Passed }, "{world:?}");
        }
    }
}

#[test]
fn the_appear_clock_stands_still_while_an_earlier_run_is_going() {
    let ours = Run { shown: 200 * SECOND, ends: 210 * SECOND, word: "SUCCESS" };
    let world = World { post: Post::Tells, ours, stranger: None, earlier: Some(195 * SECOND), spoilt: None };
    let played = world.play(IfRunning::Queue);
    assert_eq!(played.verdict, Verdict::Passed);
    let queued = played.notices.iter().filter(|notice| matches!(notice.event, Event::Queued { .. })).count();
    assert_eq!(queued, 1, "told once, not at every look");
    // And it goes on where it stood: what has run before counts.
    let alone = World { earlier: Some(100 * SECOND), ..world };
    let played = alone.play(IfRunning::Queue);
    assert_eq!(played.verdict, Verdict::NotFound);
    assert!(played.took >= 130 * SECOND && played.took < 145 * SECOND, "{:?}", played.took);
}

#[test]
fn what_is_going_already_is_attached_to_or_nothing_is_started() {
    let ours = Run { shown: Duration::ZERO, ends: SECOND, word: "SUCCESS" };
    let world = World { post: Post::Tells, ours, stranger: None, earlier: Some(50 * SECOND), spoilt: None };
    let attached = world.play(IfRunning::Attach);
    assert_eq!((attached.verdict, attached.executes), (Verdict::Passed, 0));
    assert!(attached.took >= 50 * SECOND);
    let refused = world.play(IfRunning::Fail);
    assert_eq!((refused.verdict, refused.executes), (Verdict::NotStarted, 0));
    let free = World { earlier: None, ..world };
    for mode in [IfRunning::Attach, IfRunning::Fail] {
        let played = free.play(mode);
        assert_eq!((played.verdict, played.executes), (Verdict::Passed, 1));
    }
}

#[test]
fn nothing_is_started_when_there_is_no_time_left_or_no_token_was_to_be_had() {
    let pipeline = || PipelineId::new("p").expect("an id");
    let start = || Wanted::Start { pipeline: pipeline(), if_running: IfRunning::Queue };
    let list = |now: Duration| Told::List(answer(now, Observation::Record(Listing::default())));
    // The list from before comes in the last second.
    let mut gate = Gate::new(rules(), [start()]);
    assert_eq!(gate.ask(0, Duration::ZERO, &mut Vec::new()), Some(Ask::List(pipeline())));
    assert_eq!(gate.observe(0, 599 * SECOND + SECOND / 2, list(599 * SECOND), &mut Vec::new()), None);
    assert_eq!(gate.outcome().verdict, Verdict::NotStarted);
    // The request's turn comes only after the deadline.
    let mut gate = Gate::new(rules(), [start()]);
    gate.observe(0, SECOND, list(SECOND), &mut Vec::new()).expect("goes on");
    assert_eq!(gate.ask(0, 600 * SECOND, &mut Vec::new()), None);
    assert_eq!(gate.outcome().verdict, Verdict::NotStarted);
    // Nothing was sent: the list is read again, and then it may be.
    let mut gate = Gate::new(rules(), [start()]);
    gate.observe(0, SECOND, list(SECOND), &mut Vec::new()).expect("goes on");
    assert_eq!(gate.ask(0, 2 * SECOND, &mut Vec::new()), Some(Ask::Execute(pipeline())));
    let not_sent = Told::Execute(Launch::NotSent(miss(During::SignIn, MissKind::Http(503))), None);
    gate.observe(0, 3 * SECOND, not_sent, &mut Vec::new()).expect("goes on");
    assert_eq!(gate.ask(0, 5 * SECOND, &mut Vec::new()), Some(Ask::List(pipeline())));
    // The answer never came back to the gate: it does not ask again, whatever the loop does.
    let mut gate = Gate::new(rules(), [start()]);
    gate.observe(0, SECOND, list(SECOND), &mut Vec::new()).expect("goes on");
    assert_eq!(gate.ask(0, 2 * SECOND, &mut Vec::new()), Some(Ask::Execute(pipeline())));
    assert_eq!(gate.ask(0, 3 * SECOND, &mut Vec::new()), Some(Ask::List(pipeline())));
}

#[test]
fn whether_a_run_may_have_been_started_is_told_when_the_watch_ends_before_it_is_known() {
    let pipeline = || PipelineId::new("p").expect("an id");
    let list = |now: Duration| Told::List(answer(now, Observation::Record(Listing::default())));
    let ready = || {
        let mut gate = Gate::new(rules(), [Wanted::Start { pipeline: pipeline(), if_running: IfRunning::Queue }]);
        gate.observe(0, SECOND, list(SECOND), &mut Vec::new()).expect("goes on");
        gate
    };
    let stopped = |mut gate: Gate| {
        gate.interrupt(Signal::Terminate, 9 * SECOND, &mut Vec::new());
        gate.outcome().runs[0].request
    };
    assert_eq!(stopped(ready()), Request::None);
    let asked = || {
        let mut gate = ready();
        assert_eq!(gate.ask(0, 2 * SECOND, &mut Vec::new()), Some(Ask::Execute(pipeline())));
        gate
    };
    assert_eq!(stopped(asked()), Request::InDoubt);
    let lost = || Launch::Lost(miss(During::Execute, MissKind::Broken));
    let refused = Launch::Refused(miss(During::Execute, MissKind::Http(400)));
    for (launch, request) in [(lost(), Request::InDoubt), (Launch::Accepted(None), Request::Taken)] {
        let mut gate = asked();
        gate.observe(0, 3 * SECOND, Told::Execute(launch, None), &mut Vec::new()).expect("goes on");
        assert_eq!(stopped(gate), request);
    }
    let mut gate = asked();
    gate.observe(0, 3 * SECOND, Told::Execute(refused, None), &mut Vec::new());
    assert_eq!(gate.outcome().runs[0].request, Request::None);
    // The service wants rest, on this answer as on any other.
    let mut gate = asked();
    let next = gate.observe(0, 3 * SECOND, Told::Execute(lost(), Some(20 * SECOND)), &mut Vec::new());
    assert_eq!(next, Some(23 * SECOND));
}
