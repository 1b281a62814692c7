//! Gates that wait for a fresh run (`if-stale: wait`): every short story of a pipeline, against an oracle that goes through
//! it second by second.

use chrono::{DateTime, Utc};

use super::*;
use crate::core::{ApiRequest, ApiResponse, Effect, IfStale, ListedRun, RunList, Selector};

/// When the gates of these stories begin, by the service's clock.
fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_705_298_400 + second, 0).expect("a time")
}

/// A run, in seconds since the gate began.
#[derive(Clone, Copy, Debug)]
struct SimulatedRun {
    id: &'static str,
    starts: i64,
    ends: i64,
    word: &'static str,
}

/// How one list is damaged.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Unusable,
    Ambiguous,
    NotVisible,
    Empty,
    /// As it was so many seconds ago.
    Old(i64),
    NoDate,
}

#[derive(Clone, Debug)]
struct Story {
    selector: Selector,
    freshness: Freshness,
    runs: Vec<SimulatedRun>,
    /// Which list is damaged, from 0, and how.
    damage: Option<(usize, Damage)>,
    /// Whether lists show failed runs as successes.
    list_lies: bool,
}

const TIMEOUT: i64 = 600;

#[derive(Debug)]
struct Played {
    verdict: Verdict,
    /// The runs that were polled, in order, and how many lists were read.
    polled: Vec<String>,
    lists: usize,
    ended_at: Duration,
    outcome: Outcome,
    events: Vec<TimedEvent>,
}

impl Story {
    fn listed(&self, second: i64) -> Vec<ListedRun> {
        let shown = self.runs.iter().filter(|run| run.starts <= second).map(|run| {
            let word = match (second >= run.ends, self.list_lies) {
                (false, _) => "RUNNING",
                (true, true) => "SUCCESS",
                (true, false) => run.word,
            };
            let updated_at = Some(at(if second >= run.ends { run.ends } else { run.starts }));
            ListedRun { updated_at, ..ListedRun::bare(run.id, word, Some(at(run.starts))) }
        });
        shown.collect()
    }

    fn list(&self, nth: usize, now: Duration) -> Answer<RunList> {
        let second = i64::try_from(now.as_secs()).expect("small");
        let damage = self.damage.filter(|(list, _)| *list == nth).map(|(_, damage)| damage);
        let record = |runs| Observation::Record(RunList { runs });
        let observation = match damage {
            None | Some(Damage::NoDate) => record(self.listed(second)),
            Some(Damage::Unusable) => Observation::Missing(Effect::Unusable, failure(FailureKind::Http(503))),
            Some(Damage::NotVisible) => Observation::Missing(Effect::NotVisible, failure(FailureKind::NoRecord)),
            Some(Damage::Ambiguous) => record([self.listed(second), vec![ListedRun::default()]].concat()),
            Some(Damage::Empty) => record(Vec::new()),
            Some(Damage::Old(ago)) => record(self.listed(second - ago)),
        };
        Answer { observation, retry_after: None, date: (damage != Some(Damage::NoDate)).then(|| at(second)) }
    }

    fn record(&self, id: &str, now: Duration) -> Answer {
        let second = i64::try_from(now.as_secs()).expect("small");
        let run = self.runs.iter().find(|run| run.id == id).expect("a run of the list");
        let Observation::Record(record) = record(if second >= run.ends { run.word } else { "RUNNING" }) else {
            panic!("a record");
        };
        let updated_at = Some(at(if second >= run.ends { run.ends } else { run.starts }));
        let record = Record { created_at: Some(at(run.starts)), updated_at, ..record };
        Answer { observation: Observation::Record(record), retry_after: None, date: Some(at(second)) }
    }

    fn play(&self, rules: Rules) -> Played {
        let pipeline = PipelineId::new("p").expect("an id");
        let mut gate = Gate::new(rules, [Wanted::Choice { pipeline, selector: self.selector }]);
        let timeout = gate.rules().limits.timeout;
        let mut events = Vec::new();
        let (mut polled, mut lists) = (Vec::new(), 0);
        let mut next = Some(Duration::ZERO);
        let mut now = Duration::ZERO;
        let mut last: Option<(ApiRequest, Duration)> = None;
        while let Some(due) = next {
            let request = gate.ask(0, due, &mut events).expect("it is waited for");
            if let Some((before, asked)) = &last {
                assert!(*before != request || due >= *asked + SECOND, "{self:?}: two requests within a second");
            }
            last = Some((request.clone(), due));
            now = due + SECOND / 10;
            let response = match request {
                ApiRequest::List(_) => {
                    lists += 1;
                    ApiResponse::List(self.list(lists - 1, now))
                }
                ApiRequest::Run(target) => {
                    polled.push(target.run.as_str().to_owned());
                    ApiResponse::Run(self.record(target.run.as_str(), now))
                }
                ApiRequest::Survey(_) | ApiRequest::Execute(_) => panic!("nothing of that is to be asked"),
            };
            next = gate.observe(0, now, response, &mut events);
            assert!(next.is_none_or(|next| next > now), "{self:?}: a wait of nothing");
            assert!(next.is_none_or(|next| next <= timeout + SECOND / 2), "{self:?}: a request at {next:?}");
            assert!(gate.take_moved().iter().all(|(who, _)| matches!(who, PollTarget::Run(0))), "{self:?}");
        }
        let outcome = gate.outcome();
        Played { verdict: outcome.verdict, polled, lists, ended_at: now, outcome, events }
    }

    fn is_fresh(&self, run: &SimulatedRun, second: i64) -> bool {
        let limits = self.freshness;
        let is_young =
            limits.max_age.is_none_or(|age| second - run.ends <= i64::try_from(age.as_secs()).expect("small"));
        is_young && limits.started_after.is_none_or(|after| at(run.starts) >= after)
    }

    /// The verdict by a look at the pipeline in every second.
    fn expected(&self) -> Verdict {
        match self.selector {
            Selector::Latest => self.expected_of_latest(),
            Selector::LastSuccess => {
                let successes = |second: i64| {
                    let mut ended: Vec<&SimulatedRun> =
                        self.runs.iter().filter(|run| run.word == "SUCCESS" && run.ends <= second).collect();
                    ended.sort_by_key(|run| run.starts);
                    ended
                };
                let passes = |second: i64| successes(second).last().is_some_and(|run| self.is_fresh(run, second));
                match (0..=TIMEOUT).any(passes) {
                    true => Verdict::Passed,
                    false if successes(TIMEOUT).is_empty() => Verdict::NotFound,
                    false => Verdict::Stale,
                }
            }
        }
    }

    fn expected_of_latest(&self) -> Verdict {
        let mut second = 0;
        let mut seen_any = false;
        while second <= TIMEOUT {
            let newest = self.runs.iter().filter(|run| run.starts <= second).max_by_key(|run| run.starts);
            let Some(run) = newest else {
                second += 1;
                continue;
            };
            let may_be_fresh = self.freshness.started_after.is_none_or(|after| at(run.starts) >= after);
            if run.ends > second && may_be_fresh {
                if run.ends > TIMEOUT {
                    return Verdict::TimedOut;
                }
                second = run.ends;
            }
            seen_any = true;
            if run.ends <= second && self.is_fresh(run, second) {
                return if run.word == "SUCCESS" { Verdict::Passed } else { Verdict::Failed };
            }
            second += 1;
        }
        if seen_any { Verdict::Stale } else { Verdict::NotFound }
    }
}

fn waiting(freshness: Freshness, timeout: i64) -> Rules {
    let timeout = u64::try_from(timeout).expect("small");
    Rules { freshness, if_stale: IfStale::Wait, began: Some(at(0)), ..rules(timeout, 120, 600, Interval::Auto) }
}

/// Every combination of a few runs, limits and damages.
fn stories() -> Vec<Story> {
    let hour = Some(Duration::from_secs(3600));
    let limits = [(None, None), (hour, None), (None, Some(at(0))), (hour, Some(at(0)))];
    let old = |word| SimulatedRun { id: "old", starts: -9_000, ends: -8_000, word };
    let begun = |ends, word| SimulatedRun { id: "begun", starts: -100, ends, word };
    let new = |id: &'static str, starts: i64| -> Vec<Option<SimulatedRun>> {
        let takes = [0, 120, 900];
        let of = |word| takes.map(|takes| Some(SimulatedRun { id, starts, ends: starts + takes, word }));
        [None].into_iter().chain(of("SUCCESS")).chain(of("FAILED")).collect()
    };
    let olds = [None, Some(old("SUCCESS")), Some(old("FAILED"))];
    let beguns = [None, Some(begun(200, "SUCCESS")), Some(begun(200, "FAILED")), Some(begun(90_000, "SUCCESS"))];
    let mut damages = vec![None];
    for nth in [0, 2] {
        let all = [
            Damage::Unusable,
            Damage::Ambiguous,
            Damage::NotVisible,
            Damage::Empty,
            Damage::Old(50),
            Damage::Old(20_000),
            Damage::NoDate,
        ];
        damages.extend(all.map(|damage| Some((nth, damage))));
    }
    let mut stories = Vec::new();
    for selector in Selector::ALL {
        for (max_age, started_after) in limits {
            let freshness = Freshness { max_age, started_after };
            for old in olds {
                for begun in beguns {
                    for first in new("first", 60) {
                        for second in new("second", 240) {
                            let runs: Vec<SimulatedRun> = [old, begun, first, second].into_iter().flatten().collect();
                            for damage in &damages {
                                let runs = runs.clone();
                                stories.push(Story { selector, freshness, runs, damage: *damage, list_lies: false });
                            }
                        }
                    }
                }
            }
        }
    }
    stories
}

#[test]
fn every_short_story_of_a_wait_for_a_fresh_run_ends_as_an_oracle_says() {
    let stories = stories();
    assert!(stories.len() > 50_000, "{} stories", stories.len());
    let mut ends: Vec<(&str, usize)> = Vec::new();
    for story in &stories {
        let played = story.play(waiting(story.freshness, TIMEOUT));
        // An ambiguous record may be the newest run, which matters to `latest` alone; no damage of one list ends a wait.
        let may_differ = matches!(story.damage, Some((0, Damage::Empty | Damage::Old(_))));
        if !may_differ {
            assert_eq!(played.verdict, story.expected(), "{story:?}: {played:?}");
        }
        if played.verdict == Verdict::Passed {
            let (id, second) =
                (played.polled.last().expect("a poll"), i64::try_from(played.ended_at.as_secs()).expect("small"));
            let run = story.runs.iter().find(|run| run.id == id).expect("a run");
            assert!(
                run.word == "SUCCESS" && run.ends <= second && story.is_fresh(run, second),
                "{story:?}: {played:?}"
            );
        }
        let reported = &played.outcome.runs[0];
        match played.verdict {
            Verdict::Stale => assert!(reported.seen.is_some() && matches!(reported.wanted, Wanted::Run(_))),
            Verdict::NotFound => assert!(reported.seen.is_none() && matches!(reported.wanted, Wanted::Choice { .. })),
            _ => {}
        }
        let name = played.verdict.name();
        match ends.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => ends.push((name, 1)),
        }
    }
    assert!(ends.len() == 5 && ends.iter().all(|(_, count)| *count > 500), "{ends:?}");
}

#[test]
fn a_list_that_shows_failures_as_successes_never_passes_a_wait() {
    for story in stories().into_iter().filter(|story| story.damage.is_none()) {
        let story = Story { list_lies: true, ..story };
        let played = story.play(waiting(story.freshness, TIMEOUT));
        if played.verdict == Verdict::Passed {
            let id = played.polled.last().expect("a poll");
            assert!(story.runs.iter().any(|run| run.id == id && run.word == "SUCCESS"), "{story:?}: {played:?}");
        }
    }
}

#[test]
fn a_run_that_comes_in_the_last_second_is_polled_before_the_wait_ends() {
    let run = SimulatedRun { id: "late", starts: 500, ends: TIMEOUT, word: "SUCCESS" };
    let old = SimulatedRun { id: "old", starts: -9_000, ends: -8_000, word: "SUCCESS" };
    let freshness = Freshness { max_age: Some(Duration::from_secs(3600)), started_after: None };
    let story =
        Story { selector: Selector::LastSuccess, freshness, runs: vec![old, run], damage: None, list_lies: false };
    let played = story.play(waiting(freshness, TIMEOUT));
    assert_eq!(played.verdict, Verdict::Passed, "{played:?}");
    assert!(played.ended_at >= Duration::from_secs(600) && played.ended_at < Duration::from_secs(601));
}

#[test]
fn what_is_skipped_and_what_is_too_old_is_reported_once() {
    let run = |id, starts, ends, word| SimulatedRun { id, starts, ends, word };
    let runs = vec![
        run("old", -9_000, -8_000, "SUCCESS"),
        run("bad", -7_000, -6_900, "FAILED"),
        run("worse", -6_000, -5_900, "FAILED"),
        run("new", 100, 130, "FAILED"),
        run("good", 200, 290, "SUCCESS"),
    ];
    let freshness = Freshness { max_age: Some(Duration::from_secs(3600)), started_after: None };
    let story = Story { selector: Selector::LastSuccess, freshness, runs, damage: None, list_lies: false };
    let played = story.play(waiting(freshness, TIMEOUT));
    assert_eq!((played.verdict, &*played.polled), (Verdict::Passed, &["old".to_owned(), "good".to_owned()][..]));
    let skipped: Vec<(usize, &str)> = (played.events.iter())
        .filter_map(|event| match &event.event {
            Event::Skipped { failures, .. } => Some((failures.count, failures.newest.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(skipped, [(2, "worse"), (1, "new")]);
    let too_old = played.events.iter().filter(|event| matches!(event.event, Event::NotFresh { .. })).count();
    assert_eq!(too_old, 1);
}

#[test]
fn of_several_pipelines_each_waits_and_with_fail_fast_the_first_failure_ends_all() {
    let choice = |pipeline: &str| Wanted::Choice {
        pipeline: PipelineId::new(pipeline).expect("an id"),
        selector: Selector::Latest,
    };
    let rules = Rules {
        on_first_failure: OnFirstFailure::StopWaiting,
        ..waiting(Freshness { max_age: None, started_after: Some(at(0)) }, TIMEOUT)
    };
    let mut gate = Gate::new(rules, [choice("p"), choice("q")]);
    let empty = || {
        ApiResponse::List(Answer {
            observation: Observation::Record(RunList::default()),
            retry_after: None,
            date: None,
        })
    };
    assert!(gate.observe(0, SECOND, empty(), &mut Vec::new()).is_some());
    assert!(gate.observe(1, SECOND, empty(), &mut Vec::new()).is_some());
    let story = Story {
        selector: Selector::Latest,
        freshness: Freshness::default(),
        runs: vec![SimulatedRun { id: "r", starts: 2, ends: 3, word: "FAILED" }],
        damage: None,
        list_lies: false,
    };
    gate.observe(1, 9 * SECOND, ApiResponse::List(story.list(0, 9 * SECOND)), &mut Vec::new());
    assert_eq!(gate.observe(1, 10 * SECOND, story.record("r", 10 * SECOND), &mut Vec::new()), None);
    let outcome = gate.outcome();
    assert_eq!(outcome.verdict, Verdict::Failed);
    assert_eq!([outcome.runs[0].end, outcome.runs[1].end], [End::NotWaited, End::Verdict(Verdict::Failed)]);
}

mod nights;
