//! Many runs of one pipeline under one gate, and a list that tells the truth, fails, leaves out, lags or lies: how many
//! requests there are, and how long an end stays unseen.

use std::collections::BTreeMap;

use super::*;
use crate::gate::{Answer, Ask, Learning, Listed, Survey, Told, Who};

const CREATED: i64 = 1_705_314_600;

fn date(now: Duration) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(CREATED, 0).expect("a date") + now
}

/// What the list is like at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Listing {
    True,
    /// As it was so long ago.
    Late(Duration),
    /// As it was in the beginning, for ever, with a fresh date.
    Frozen,
    /// Without every third run.
    Short,
    /// Every run has ended well, it says.
    Rosy,
    Fails(MissKind),
}

struct World {
    /// When each run ends, and how.
    ends: Vec<(Duration, &'static str)>,
    listing: Listing,
    /// How long a look and a list take.
    look: Duration,
    list: Duration,
    learning: Learning,
    interval: Interval,
    /// From when on looks bring a 503.
    outage: Duration,
}

#[derive(Debug, Default)]
struct Played {
    verdicts: Vec<Verdict>,
    /// When each run's watch was over.
    over: BTreeMap<usize, Duration>,
    looks: Vec<(Duration, usize)>,
    lists: Vec<Duration>,
    notices: Vec<Notice>,
}

impl World {
    /// Runs that end so many seconds after the start.
    fn new(ends: impl IntoIterator<Item = u64>) -> World {
        World {
            ends: ends.into_iter().map(|end| (Duration::from_secs(end), "SUCCESS")).collect(),
            listing: Listing::True,
            look: SECOND / 5,
            list: SECOND / 4,
            learning: Learning::On,
            interval: Interval::Auto,
            outage: Duration::MAX,
        }
    }

    fn word(&self, run: usize, now: Duration) -> &'static str {
        let (end, word) = self.ends[run];
        if now >= end { word } else { "RUNNING" }
    }

    fn record(&self, run: usize, now: Duration) -> Answer {
        let mut answer = plain(record(self.word(run, now)));
        if let Observation::Record(record) = &mut answer.observation {
            record.run_id = Foreign::new(run.to_string());
            record.created_at = Some(date(Duration::ZERO));
            record.updated_at = Some(date(self.ends[run].0.min(now)));
        }
        answer.date = Some(date(now));
        if now >= self.outage { plain(unusable()) } else { answer }
    }

    /// The list as it is answered at `now`, beside ten runs of the past.
    fn survey(&self, mut survey: Survey, now: Duration) -> Answer<Survey> {
        let mut take = |id: &str, word: &str, created: i64, took: i64| {
            let at = |seconds| chrono::DateTime::from_timestamp(CREATED + seconds, 0);
            survey.take(Listed {
                run: RunId::new(id),
                number: None,
                status: Some(Foreign::new(word)),
                created_at: at(created),
                updated_at: at(created + took),
                trace: None,
            });
        };
        for n in 1..=10 {
            take(&format!("old_{n}"), "SUCCESS", -3600 * n, 600 + 10 * n);
        }
        let as_of = match self.listing {
            Listing::Late(lag) => now.saturating_sub(lag),
            Listing::Frozen => SECOND,
            Listing::True | Listing::Short | Listing::Rosy | Listing::Fails(_) => now,
        };
        for run in 0..self.ends.len() {
            match self.listing {
                Listing::Short if run % 3 == 0 => {}
                Listing::Rosy => take(&run.to_string(), "SUCCESS", 0, 1),
                Listing::True | Listing::Late(_) | Listing::Frozen | Listing::Short | Listing::Fails(_) => {
                    take(&run.to_string(), self.word(run, as_of), 0, 1);
                }
            }
        }
        let observation = match self.listing {
            Listing::Fails(kind) => Observation::Unusable(Miss { during: During::List, kind, detail: None }),
            Listing::True | Listing::Late(_) | Listing::Frozen | Listing::Short | Listing::Rosy => {
                Observation::Record(survey)
            }
        };
        Answer { observation, retry_after: None, date: Some(date(now)) }
    }

    /// Plays it through the gate as the loop does, but for its eight at once.
    fn play(&self) -> Played {
        let rules = Rules { learning: self.learning, ..rules(20_000, 120, 60, self.interval) };
        let mut gate = Gate::new(rules, (0..self.ends.len()).map(|run| target(&run.to_string())));
        let mut played = Played::default();
        let mut turns: BTreeMap<Who, Duration> =
            (0..self.ends.len()).map(|run| (Who::Run(run), Duration::ZERO)).collect();
        let mut under_way: Vec<(Duration, Who, Ask)> = Vec::new();
        while !gate.is_over() {
            let turn = turns.iter().map(|(who, at)| (*at, *who)).min();
            let answer = under_way.iter().enumerate().map(|(n, (at, ..))| (*at, n)).min();
            let next = match (turn, answer) {
                (Some((at, who)), answer) if answer.is_none_or(|(answered, _)| at < answered) => {
                    turns.remove(&who);
                    let ask = match who {
                        Who::Run(run) => gate.ask(run, at, &mut played.notices),
                        Who::Pipeline(pipeline) => gate.survey(pipeline, at),
                    };
                    let Some(ask) = ask else { continue };
                    let takes = match who {
                        Who::Run(run) => {
                            played.looks.push((at, run));
                            self.look
                        }
                        Who::Pipeline(_) => {
                            played.lists.push(at);
                            self.list
                        }
                    };
                    under_way.push((at + takes, who, ask));
                    continue;
                }
                (_, Some((_, n))) => under_way.swap_remove(n),
                (_, None) => panic!("nobody looks any more, and it is not over"),
            };
            // What is told was so half a request ago.
            let (now, who, ask) = next;
            match (who, ask) {
                (Who::Run(run), Ask::Run(_)) => {
                    let told = Told::Run(self.record(run, now - self.look / 2));
                    match gate.observe(run, now, told, &mut played.notices) {
                        Some(next) => drop(turns.insert(who, next)),
                        None => drop(played.over.insert(run, now)),
                    }
                }
                (Who::Pipeline(pipeline), Ask::Survey(survey)) => {
                    let answer = self.survey(survey, now - self.list / 2);
                    gate.surveyed(pipeline, now, answer, &mut played.notices);
                }
                (who, ask) => panic!("{who:?} asked {ask:?}"),
            }
            for (who, at) in gate.take_moved() {
                if matches!(who, Who::Run(run) if !gate.is_watching(run)) {
                    continue;
                }
                assert!(!under_way.iter().any(|(_, busy, _)| *busy == who), "{who:?} has a request under way");
                turns.insert(who, at);
            }
        }
        played.verdicts = gate.outcome().runs.iter().filter_map(|run| run.end.verdict()).collect();
        played
    }
}

impl Played {
    /// The longest that the end of a run stayed unseen.
    fn longest_lag(&self, world: &World) -> Duration {
        let lag = |(run, over): (&usize, &Duration)| over.saturating_sub(world.ends[*run].0);
        self.over.iter().map(lag).max().unwrap_or_default()
    }

    fn looks_in(&self, from: u64, until: u64) -> usize {
        let all = self.looks.iter().map(|(at, _)| at).chain(&self.lists);
        all.filter(|at| (from..until).contains(&at.as_secs())).count()
    }

    fn is_spaced(&self) {
        let mut last: BTreeMap<usize, Duration> = BTreeMap::new();
        for (at, run) in &self.looks {
            let before = last.insert(*run, *at);
            assert!(before.is_none_or(|before| *at >= before + SECOND), "run {run} at {before:?} and {at:?}");
        }
        assert!(self.lists.windows(2).all(|pair| pair[1] >= pair[0] + SECOND), "{:?}", self.lists);
    }
}

/// A hundred runs that end one after another around the usual time.
fn hundred() -> World {
    World::new((0..100).map(|n| 500 + 4 * n))
}

#[test]
fn a_hundred_runs_of_a_pipeline_cost_little_more_than_one() {
    let world = hundred();
    let shared = world.play();
    shared.is_spaced();
    assert_eq!(shared.verdicts, vec![Verdict::Passed; 100]);
    // Once each at first, and then a list and a check now and then.
    let quiet = shared.looks_in(60, 480);
    assert!(quiet < 7 * 10, "{quiet} requests in seven minutes");
    let plain = World { learning: Learning::Off, ..hundred() }.play();
    assert!(plain.looks_in(60, 480) > 40 * quiet, "{} and {quiet}", plain.looks_in(60, 480));
    // And nobody waits longer for that than if each had a gate of its own, which learns the same.
    let alone = |n: u64| {
        let world = World::new([500 + 4 * n]);
        world.play().longest_lag(&world)
    };
    let alone: Vec<Duration> = (0..100).map(alone).collect();
    let mean = |all: &[Duration]| all.iter().sum::<Duration>() / 100;
    let lags: Vec<Duration> = shared.over.iter().map(|(run, over)| *over - world.ends[*run].0).collect();
    assert!(mean(&lags) <= mean(&alone) * 21 / 20, "{:?} and {:?}", mean(&lags), mean(&alone));
    assert!(lags.iter().all(|lag| *lag <= 21 * SECOND), "{lags:?}");
}

#[test]
fn one_or_two_runs_are_looked_at_by_themselves() {
    for runs in 1..=2 {
        let played = World::new((0..runs).map(|n| 700 + n)).play();
        assert_eq!(played.lists.len(), 1, "the past, and no more");
        assert_eq!(played.lists[0], SECOND / 5 + SECOND, "a second after the first answer");
    }
    // A run that is over at the first look needs no past.
    assert_eq!(World::new([0]).play().lists.len(), 0);
    // And without leave there is none.
    assert_eq!(World { learning: Learning::Off, ..hundred() }.play().lists.len(), 0);
}

#[test]
fn a_list_that_fails_changes_no_look_at_any_run() {
    for kind in [MissKind::Http(503), MissKind::NotJson, MissKind::Timeout, MissKind::TooLarge, MissKind::Http(404)] {
        for interval in [Interval::Auto, Interval::Fixed(7 * SECOND)] {
            let failing = World { listing: Listing::Fails(kind), interval, ..hundred() };
            let without = World { learning: Learning::Off, interval, ..hundred() };
            let (failing, without) = (failing.play(), without.play());
            assert_eq!(failing.looks, without.looks, "{kind:?}");
            assert_eq!((failing.over, failing.verdicts), (without.over, without.verdicts));
            // The list is tried again, less and less often.
            assert!((2..=5).contains(&failing.lists.len()), "{:?}", failing.lists);
            let told = failing.notices.iter().filter(|notice| matches!(notice.event, Event::NoHistory { .. })).count();
            assert_eq!(told, 1, "told once");
        }
    }
}

#[test]
fn a_run_that_the_list_leaves_out_is_looked_at_as_if_there_were_no_list() {
    let world = World { listing: Listing::Short, interval: Interval::Fixed(5 * SECOND), ..hundred() };
    let played = world.play();
    played.is_spaced();
    for run in (0..100).filter(|run| run % 3 == 0) {
        let looks: Vec<Duration> = played.looks.iter().filter(|(_, of)| *of == run).map(|(at, _)| *at).collect();
        let widest = looks.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert_eq!(widest, Some(5 * SECOND + SECOND / 5), "run {run}");
    }
    assert!(played.longest_lag(&world) < 7 * SECOND, "{:?}", played.longest_lag(&world));
}

#[test]
fn a_list_too_slow_to_help_is_left_alone_and_holds_nothing_up() {
    let interval = Interval::Fixed(5 * SECOND);
    let slow = World { list: SECOND * 4, interval, ..hundred() };
    let without = World { learning: Learning::Off, interval, ..hundred() };
    let (slow, plain) = (slow.play(), without.play());
    assert!(slow.lists.len() <= 5, "{:?}", slow.lists);
    // A list that comes late puts off only what was looked at meanwhile.
    assert!(slow.longest_lag(&without) <= plain.longest_lag(&without) + SECOND, "{:?}", slow.longest_lag(&without));
}

#[test]
fn a_list_that_lags_is_found_out_at_the_first_end_and_asked_no_more() {
    let world = World { listing: Listing::Late(60 * SECOND), interval: Interval::Fixed(10 * SECOND), ..hundred() };
    let played = world.play();
    // The first run's end may be seen late, by the lag at most; the others' as with plain looks.
    let late = played.over.iter().filter(|(run, over)| **over > world.ends[**run].0 + 12 * SECOND).count();
    assert!(late <= 16, "{late} ends were seen late");
    assert!(played.longest_lag(&world) < 75 * SECOND, "{:?}", played.longest_lag(&world));
    let last = played.lists.last().expect("a list");
    assert!(*last < 580 * SECOND, "{last:?}");
}

#[test]
fn a_list_that_never_changes_is_found_out_by_the_checks() {
    let mut world = World { listing: Listing::Frozen, interval: Interval::Fixed(10 * SECOND), ..hundred() };
    // All end at once: the next check finds it.
    world.ends = vec![(500 * SECOND, "SUCCESS"); 100];
    let played = world.play();
    assert!(played.longest_lag(&world) < 25 * SECOND, "{:?}", played.longest_lag(&world));
    // One alone ends: it has its turn like all others.
    world.ends = (0..100).map(|run| (if run == 50 { 500 * SECOND } else { 3000 * SECOND }, "SUCCESS")).collect();
    let played = world.play();
    assert!(played.longest_lag(&world) < 1100 * SECOND, "{:?}", played.longest_lag(&world));
}

#[test]
fn no_word_of_a_list_ends_a_watch() {
    let mut world = World { listing: Listing::Rosy, ..World::new([700, 800, 900, 950, 1000]) };
    world.ends[2].1 = "FAILED";
    let played = world.play();
    played.is_spaced();
    let expected = [Verdict::Passed, Verdict::Passed, Verdict::Failed, Verdict::Passed, Verdict::Passed];
    assert_eq!(played.verdicts, expected);
    for (run, over) in &played.over {
        assert!(*over >= world.ends[*run].0, "run {run} was over at {over:?}");
    }
}

#[test]
fn a_list_stops_no_clock() {
    // The service answers lists, and no looks.
    let world = World { outage: 100 * SECOND, ..hundred() };
    let played = world.play();
    assert_eq!(played.verdicts, vec![Verdict::Unreachable; 100]);
    // Sixty seconds after the first unusable answer, which comes when a run is looked at: a check, or an end.
    let (first, last) = (played.over.values().min().expect("one"), played.over.values().max().expect("one"));
    assert!(*first >= 160 * SECOND && *last < 1100 * SECOND, "{first:?} to {last:?}");
    // With plain looks each would have met it at once: so a run in an outage is looked at by itself from then on.
    assert!(played.looks_in(160, 170) > 0);
}
