//! When a run will end, as far as the previous runs show, and when to poll it.
//!
//! **Where polls pay.** A poll costs the service a request; a gap between two polls costs the user half of it on average.
//! The best density of polls is proportional to the square root of the hazard rate of the end, which is the chance that the
//! run ends now, given that it has not ended yet (Keller 1974, *Optimum checking schedules*). A memoryless end has a constant
//! hazard, and then nothing beats an even poll. So all the gain is in what [`Predictive`] knows.
//!
//! **The plan** is one pass over the run's life. Each gap is the smallest of three:
//!
//! - where runs end: [`HEIGHT`] times as many polls as an even 10-second poll, times the square root of the hazard over that
//!   of a memoryless run of the usual length;
//! - elsewhere: the limit of docs/reference.md#time-limits-and-polling ([`widest`]);
//! - whatever the run does: the gap at which lag times polls, had the run ended here, would be [`HEDGE`] times that of an even
//!   10-second poll. A pipeline that now fails early, or takes twice as long, is not much worse off than without a forecast.
//!
//! **A run like no other.** After n runs, the next one is unlike all of them with a chance of 1 in n + 2 (Laplace's rule of
//! succession), and may then take any time. The longer a run outlasts the previous ones, the more likely it is such a run:
//! then polls become rarer, and only the hedge places them.
//!
//! **Gates do not stay in step.** Ten thousand of them start at the top of an hour. The first gap of each is between half and
//! one and a half of what is planned, by the run's id. This spreads all later polls and costs no poll on average.
//!
//! `examples/forecast-bench` measures all this and writes the tables of the documentation.

use std::time::Duration;

use super::spacing::{FLOOR, SHORT, unit};

mod predictive;

use predictive::Predictive;

/// A run of the pipeline that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastRun {
    pub duration: Duration,
    /// Whether it ended in success. Failures end at other times.
    pub passed: bool,
}

/// How many previous runs are used: the newest.
pub const NEWEST: usize = 50;

/// Fewer previous runs than this say nothing about their spread.
const ENOUGH: usize = 3;

/// A timestamp that makes a run longer than this is wrong. No gate waits longer either.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Seconds between the polls of the even poll that everything is measured against. It balances the service's work
/// against the user's time where nothing is known: six requests a minute, five seconds of lag.
const EVEN: f64 = 10.0;

/// How many times an even poll's polls a run is worth, per square root of its relative hazard. It balances polls against
/// lag where runs end: more polls there shorten the lag, and their product falls as long as most polls are made elsewhere.
const HEIGHT: f64 = 1.36;

/// How many times the even poll's product of lag and polls a run may cost, whenever it ends. It balances the polls saved
/// on usual runs against the lag of unusual ones.
const HEDGE: f64 = 1.16;

/// What is allowed beside it, as a share of the even poll's product on a usual run. It balances the first minutes of a long
/// run, where few polls are made anyway, against the polls that the hedge costs later.
const EARLY: f64 = 0.005;

/// A run is overdue when fewer of the runs take longer. It balances false warnings against late ones, and places no poll.
const OVERDUE: f64 = 0.004;

/// What the previous runs say about a run that is waited for.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// The plan, from the run's age at the start on, for as long as a gate can wait.
    points: Vec<PlanPoint>,
    age_at_start: f64,
    /// How many planned gaps the first one takes.
    first: f64,
    /// The age from which on the run is overdue.
    overdue: f64,
    /// The durations of the previous runs that show what is usual, in seconds, sorted.
    usual: Vec<f64>,
}

/// An age of the run; between two of them everything is linear.
#[derive(Clone, Copy, Debug)]
struct PlanPoint {
    age: f64,
    /// The polls planned from the start to here, if the run lasts so long.
    polls: f64,
    /// The share of runs still in progress, of those that were at the start.
    unfinished: f64,
}

/// That a run takes longer than most: "slower than 9 of 10 runs".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowerThan {
    pub runs: usize,
    pub of: usize,
}

impl Forecast {
    /// From the previous runs, newest first, for a run of this age when the gate starts to wait for it; `seed` is the run's
    /// own. `None`: too little is known.
    pub fn new(past: &[PastRun], age_at_start: Duration, seed: u64) -> Option<Forecast> {
        let past: Vec<PastRun> = past
            .iter()
            .filter(|run| !run.duration.is_zero() && run.duration <= LONGEST)
            .take(NEWEST)
            .copied()
            .collect();
        if past.len() < ENOUGH {
            return None;
        }
        let usual = usual(past.iter().map(|run| (run.passed, Some(run.duration))));
        let usual: Vec<f64> = usual.iter().map(Duration::as_secs_f64).collect();
        let typical = median(&usual)?;
        let age_at_start = age_at_start.min(LONGEST).as_secs_f64();
        let predictive = Predictive::new(&past);
        let mut forecast = Forecast {
            points: plan(&predictive, typical, age_at_start),
            age_at_start,
            first: 1.0,
            overdue: predictive.exceeded_by(OVERDUE),
            usual,
        };
        forecast.set_phase(unit(seed));
        Some(forecast)
    }

    /// Places the first poll, from half a planned gap to one and a half. Where the gap would be too wide, one poll more.
    fn set_phase(&mut self, phase: f64) {
        self.first = 0.5 + phase;
        if self.age(self.first) - self.age_at_start > widest(self.typical()).as_secs_f64() {
            self.first -= 1.0;
        }
    }

    /// How long to wait from a poll at this age to the next; `None` if runs are so short that the ramp does better.
    pub fn wait(&self, age: Duration) -> Option<Duration> {
        if self.typical() < SHORT {
            return None;
        }
        let age = age.as_secs_f64();
        let gaps = if age > self.age_at_start { 1.0 } else { self.first };
        let wait = self.age(self.polls(age) + gaps) - age;
        Some(Duration::try_from_secs_f64(wait).unwrap_or(FLOOR).clamp(FLOOR, widest(self.typical())))
    }

    /// The usual duration of a run: the median of those that passed, or of all if none did.
    pub fn typical(&self) -> Duration {
        Duration::from_secs_f64(median(&self.usual).unwrap_or_default())
    }

    /// How long a run of this age will probably go on; `None` once it is overdue, and nobody knows.
    pub fn left(&self, age: Duration) -> Option<Duration> {
        let age = age.as_secs_f64();
        if age >= self.overdue {
            return None;
        }
        let (Some(before), Some(after)) = around(&self.points, |point| point.age <= age) else { return None };
        let unfinished = between((before.age, before.unfinished), (after.age, after.unfinished), age);
        let half = around(&self.points, |point| point.unfinished > unfinished / 2.0);
        let (Some(before), Some(after)) = half else { return None };
        let end = between((before.unfinished, before.age), (after.unfinished, after.age), unfinished / 2.0);
        Duration::try_from_secs_f64(end - age).ok()
    }

    /// Whether a run of this age is slower than nine of ten usual ones, if there are five to compare with.
    pub fn slower_than(&self, age: Duration) -> Option<SlowerThan> {
        let age = age.as_secs_f64();
        let slower = SlowerThan { runs: self.usual.partition_point(|run| *run < age), of: self.usual.len() };
        (slower.of >= 5 && slower.runs * 10 >= slower.of * 9).then_some(slower)
    }

    /// The polls planned from the start to this age.
    fn polls(&self, age: f64) -> f64 {
        match around(&self.points, |point| point.age <= age) {
            (Some(before), Some(after)) => between((before.age, before.polls), (after.age, after.polls), age),
            (Some(last), None) => last.polls + (age - last.age) / EVEN,
            (None, _) => 0.0,
        }
    }

    /// The age at which so many polls are planned.
    fn age(&self, polls: f64) -> f64 {
        match around(&self.points, |point| point.polls <= polls) {
            (Some(before), Some(after)) => between((before.polls, before.age), (after.polls, after.age), polls),
            (Some(last), None) => last.age + (polls - last.polls) * EVEN,
            (None, _) => self.age_at_start,
        }
    }
}

/// The widest gap between two polls, in seconds: a sixtieth of the usual duration, from 20 s (runs of up to 20 minutes) to
/// 60 s (an hour and more). docs/reference.md#time-limits-and-polling.
fn widest(typical: Duration) -> Duration {
    (typical / 60).clamp(Duration::from_secs_f64(NARROW_CAP), Duration::from_secs(60))
}

/// The widest gap between two polls of runs of up to 20 minutes, in seconds.
const NARROW_CAP: f64 = 20.0;

/// The polls that an even 10-second poll makes of a run that ends so many seconds after the first one.
fn even_polls(seconds: f64) -> f64 {
    seconds / EVEN + MEAN_EXTRA
}

/// Beside one poll for each gap: the first poll, and on average half a gap until the poll that sees the end.
const MEAN_EXTRA: f64 = 1.5;

/// The durations that show what is usual, sorted: of the runs that passed, or of all if none did. A run is whether it passed,
/// and how long it took, as far as that is known.
pub(super) fn usual(runs: impl Iterator<Item = (bool, Option<Duration>)> + Clone) -> Vec<Duration> {
    let none_passed = runs.clone().all(|(passed, _)| !passed);
    let usual = runs.filter(|(passed, _)| *passed || none_passed);
    let mut usual: Vec<Duration> = usual.filter_map(|(_, took)| took).filter(|took| !took.is_zero()).collect();
    usual.sort_unstable();
    usual
}

/// The last of these ordered points that `is_before`, and the one after it.
fn around<T>(points: &[T], is_before: impl Fn(&T) -> bool) -> (Option<&T>, Option<&T>) {
    let after = points.partition_point(is_before);
    (after.checked_sub(1).and_then(|before| points.get(before)), points.get(after))
}

fn median(sorted: &[f64]) -> Option<f64> {
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

/// The value at `x` on the line through two points.
fn between((x0, y0): (f64, f64), (x1, y1): (f64, f64), x: f64) -> f64 {
    if x1 - x0 == 0.0 { y0 } else { y0 + (x - x0) / (x1 - x0) * (y1 - y0) }
}

/// Plans the polls of a run.
fn plan(predictive: &Predictive, typical: f64, start: f64) -> Vec<PlanPoint> {
    let at_start = predictive.survival(start);
    let odd = 1.0 / (predictive.runs + 2.0);
    // An odd run takes any time: as likely under the usual one as over it, and under half of it as over its double.
    let alive = |(age, survival): (f64, f64)| (1.0 - odd) * survival + odd * typical / (typical + age);
    let cuts = cuts(predictive, at_start, start);
    let steps = || cuts.windows(2).filter_map(|pair| if let &[from, to] = pair { Some((from, to)) } else { None });
    let seen: f64 = steps().map(|(from, to)| (to.0 - from.0) * f64::midpoint(from.1, to.1)).sum();
    // The time that the gate will probably wait; if the run was overdue at the start, nobody knows.
    let expected = even_polls((seen / at_start).min(typical));
    let widest = widest(Duration::from_secs_f64(typical)).as_secs_f64();
    // On long runs, where other gaps may be wider, a second of lag matters less.
    let height = HEIGHT / (widest / NARROW_CAP).sqrt();
    let mut points = vec![PlanPoint { age: start, polls: 0.0, unfinished: 1.0 }];
    let mut polls = 0.0;
    for (from, to) in steps() {
        let seconds = to.0 - from.0;
        let hazard = ((alive(from) / alive(to)).ln() / seconds).max(0.0);
        let wanted = EVEN / (height * (hazard * EVEN * expected).sqrt());
        let hedged = HEDGE * even_polls(from.0 - start) + EARLY * expected;
        let gap = wanted.min(EVEN * hedged / (polls + MEAN_EXTRA)).clamp(FLOOR.as_secs_f64(), widest);
        polls += seconds / gap;
        points.push(PlanPoint { age: to.0, polls, unfinished: if at_start > 0.0 { to.1 / at_start } else { 0.0 } });
    }
    points
}

/// The ages between which a life may be taken as even, each with its survival: fine where runs end.
fn cuts(predictive: &Predictive, at_start: f64, start: f64) -> Vec<(f64, f64)> {
    let mut ages = vec![(start, at_start)];
    let end = start + LONGEST.as_secs_f64();
    let mut ahead = vec![(end, predictive.survival(end))];
    while let (Some(&from), Some(&to)) = (ages.last(), ahead.last()) {
        // Shares under 1.5 % and times under two seconds are too short to matter, and ratios under 1.3.
        let coarse = from.1 - to.1 > 0.015 * at_start || to.0 - start > 1.3 * (from.0 - start + 5.0);
        if coarse && to.0 - from.0 > 2.0 {
            let middle = f64::midpoint(from.0, to.0);
            ahead.push((middle, predictive.survival(middle)));
        } else {
            ages.push(to);
            ahead.pop();
        }
    }
    ages
}

#[cfg(test)]
mod tests;
