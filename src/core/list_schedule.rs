//! When to read a pipeline's list again, while the gate waits for a run that is not there yet.
//!
//! | what the list shows | next list |
//! |---|---|
//! | no schedule in the start times | after 10 to 30 s |
//! | the next run is expected later | up to three minutes later, and when the start is near |
//! | the next run is due or late | after 10 to 30 s |
//! | a run in progress that may succeed | when it is likely to finish, if that is sooner |
//!
//! A start that is seen late costs nothing as long as the run is still in progress. So lists may be far apart when no start
//! is expected, and the end of the run is still seen as soon as in a gate that was given its id.
//!
//! Each gate has a pace of its own, also among gates that wait for the same pipeline.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::schedule::{Backoff, every_fourth};
use super::spacing::{FLOOR, unit};
use super::start_times::ExpectedStart;
use super::{Forecast, Interval, PastRun, RunId};

/// The waits where a start may come at any moment, in seconds: they grow, so that a run that is about to start is seen soon
/// and a long wait costs two requests a minute.
const CLOSE: Backoff = Backoff { first: 12.5, factor: 1.25, most: 30.0, apart: 0.2 };

/// The longest wait, in seconds. A run that starts at an unusual time and takes no longer than this is seen late by so much.
const QUIET: f64 = 180.0;

/// Of so many runs in progress the ends are foretold; a pipeline rarely has two.
const FORETOLD: usize = 4;

/// The lists of one wait.
#[derive(Clone, Debug)]
pub(super) struct ListSchedule {
    interval: Interval,
    seed: u64,
    nth: u32,
    forecasts: HashMap<RunId, Forecast>,
}

/// What a list shows, as far as it matters for the next one.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlook {
    pub(super) expected: Option<ExpectedStart>,
    /// The runs in progress that would end the wait if they succeed, and when they started.
    pub(super) in_progress: Vec<(RunId, DateTime<Utc>)>,
    /// How long previous runs took.
    pub(super) past: Vec<PastRun>,
}

impl ListSchedule {
    pub(super) fn new(interval: Interval, seed: u64) -> ListSchedule {
        ListSchedule { interval, seed, nth: 0, forecasts: HashMap::new() }
    }

    /// How long to wait for the next list; `now` is the service's clock.
    pub(super) fn wait(&mut self, outlook: &Outlook, now: Option<DateTime<Utc>>) -> Duration {
        let nth = self.nth;
        self.nth = nth.saturating_add(1);
        let start = match self.interval {
            Interval::Fixed(interval) => return interval.max(FLOOR),
            Interval::Auto => self.until_start(outlook.expected, now, nth),
        };
        self.until_end(outlook, now).map_or(start, |end| end.min(start)).max(FLOOR)
    }

    fn until_start(&self, expected: Option<ExpectedStart>, now: Option<DateTime<Utc>>, nth: u32) -> Duration {
        let close = CLOSE.wait(nth, self.seed);
        let ahead =
            expected.zip(now).and_then(|(expected, now)| (expected.from - now).to_std().ok()).unwrap_or_default();
        if ahead.is_zero() {
            return close;
        }
        // Gates that were started together, and those that wait for the same moment, are spread out.
        let own = unit(!self.seed);
        let quiet = Duration::from_secs_f64(QUIET * if nth == 0 { own } else { CLOSE.pace(self.seed) });
        (ahead + Duration::from_secs_f64(CLOSE.most * own)).min(quiet).max(close)
    }

    /// When the next poll of a run in progress would be, if its length can be foretold.
    fn until_end(&mut self, outlook: &Outlook, now: Option<DateTime<Utc>>) -> Option<Duration> {
        let (now, runs) = (now?, outlook.in_progress.iter().take(FORETOLD));
        self.forecasts.retain(|known, _| outlook.in_progress.iter().any(|(id, _)| id == known));
        let mut waits = Vec::new();
        for (id, started) in runs {
            let age = (now - *started).max(TimeDelta::zero()).to_std().unwrap_or_default();
            let forecast = match self.forecasts.entry(id.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(Forecast::new(&outlook.past, age, self.seed)?),
            };
            waits.extend(every_fourth(forecast, age));
        }
        waits.into_iter().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn schedule(seed: u64) -> ListSchedule {
        ListSchedule::new(Interval::Auto, seed)
    }

    /// Nothing in progress, and the next run expected from minute 60 on.
    fn idle() -> Outlook {
        let expected = Some(ExpectedStart { from: at(60), usually: at(65) });
        Outlook { expected, ..Outlook::default() }
    }

    #[test]
    fn without_a_schedule_lists_are_ten_to_thirty_seconds_apart() {
        for seed in 0..100 {
            let mut schedule = schedule(seed);
            let mut wait = |outlook: &Outlook, now| schedule.wait(outlook, now).as_secs_f64();
            let waits: Vec<f64> = (0..100).map(|_| wait(&Outlook::default(), Some(at(0)))).collect();
            assert!(waits.iter().all(|wait| (10.0..=30.0).contains(wait)), "{waits:?}");
            assert!(waits[0] <= 12.5 && waits[10] >= 24.0, "{waits:?}");
            // A schedule without a clock says nothing either.
            assert!((10.0..=30.0).contains(&wait(&idle(), None)));
        }
    }

    #[test]
    fn lists_are_far_apart_until_a_start_is_near() {
        for seed in 0..100 {
            let mut schedule = schedule(seed);
            let mut wait = |minutes| schedule.wait(&idle(), Some(at(minutes))).as_secs_f64();
            assert!((10.0..=180.0).contains(&wait(0)));
            let later = wait(5);
            assert!((144.0..=180.0).contains(&later), "{later}");
            let near = wait(59);
            assert!((60.0..=90.0).contains(&near), "{near}");
            for due in [60, 65, 80] {
                assert!(wait(due) <= 30.0);
            }
        }
    }

    #[test]
    fn a_run_in_progress_is_polled_for_as_its_length_foretells() {
        let run = |id: &str| (RunId::new(id).expect("an id"), at(60));
        let (one, other) = (run("a"), run("b"));
        let past: Vec<PastRun> =
            (0..20).map(|n| PastRun { duration: Duration::from_secs(890 + n), passed: true }).collect();
        let at_age = |schedule: &mut ListSchedule, seconds: i64, runs: &[&(RunId, DateTime<Utc>)]| {
            let now = Some(at(60) + TimeDelta::seconds(seconds));
            let expected = Some(ExpectedStart { from: at(9_000), usually: at(9_000) });
            let in_progress = runs.iter().map(|run| (*run).clone()).collect();
            schedule.wait(&Outlook { expected, in_progress, past: past.clone() }, now)
        };
        let mut schedule = schedule(7);
        at_age(&mut schedule, 0, &[&one]);
        assert!(at_age(&mut schedule, 300, &[&one]) > Duration::from_secs(30));
        assert!(at_age(&mut schedule, 895, &[&one]) < Duration::from_secs(20));
        assert!(at_age(&mut schedule, 896, &[&other, &one]) < Duration::from_secs(20));
        // It is gone, and so is what was known about it.
        assert!(at_age(&mut schedule, 900, &[]) > Duration::from_secs(100));
        assert!(schedule.forecasts.is_empty());
    }

    #[test]
    fn a_fixed_interval_is_kept() {
        let mut schedule = ListSchedule::new(Interval::Fixed(Duration::from_secs(7)), 1);
        assert_eq!(schedule.wait(&idle(), Some(at(0))), Duration::from_secs(7));
        let mut schedule = ListSchedule::new(Interval::Fixed(Duration::ZERO), 1);
        assert_eq!(schedule.wait(&idle(), Some(at(0))), FLOOR);
    }

    /// The lists a second of a thousand gates that were started together and wait for an hour for the same run.
    #[test]
    fn a_thousand_gates_on_one_pipeline_do_not_read_its_list_in_step() {
        let (gates, start) = (1_000, 3_600.0);
        let mut lists = vec![0_u32; 5_400];
        for gate in 0..gates {
            let mut schedule = schedule(gate);
            let mut due = 0.0;
            while let Some(second) = lists.get_mut(due as usize) {
                *second += 1;
                let now = at(0) + TimeDelta::milliseconds((due * 1e3) as i64);
                due += schedule.wait(&idle(), Some(now)).as_secs_f64();
            }
        }
        let busiest = |from: usize, to: usize| lists[from..to].chunks(10).map(|ten| ten.iter().sum::<u32>()).max();
        // An even spread would be 62 in ten seconds while all is quiet, and 370 once the start is near.
        assert!(busiest(20, start as usize - 60).is_some_and(|most| most < 110), "{lists:?}");
        assert!(busiest(start as usize - 60, 5_400).is_some_and(|most| most < 560), "{lists:?}");
    }
}
