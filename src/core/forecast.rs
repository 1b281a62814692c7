//! When the run will end, as far as the pipeline's past tells, and where to place the polls.
//!
//! **Where polls pay.** A poll costs the service a request; a gap between two polls costs the person half of it on
//! average. The best density of polls is proportional to the square root of the hazard rate of the end: of the chance
//! that the run ends now, given that it has not yet (Keller 1974, *Optimum checking schedules*). A memoryless end has a
//! constant hazard, and then nothing beats an even poll. So all the gain is in what [`Predictive`] knows.
//!
//! **How many.** The height of the density is chosen so that a run that takes as long as the past says costs
//! [`BUDGET`] of the polls of an even 10-second poll, or fewer where they give a mean lag of [`PROMPT`] already.
//!
//! **What if the past is wrong?** Four things bound the loss, whatever the run does:
//!
//! - [`SURPRISE`] of the belief is on a run like no other, of any length around the usual. It keeps the hazard, and so
//!   the polls, from piling up at the end of the known: the longer a run outlasts the past, the more likely it is such
//!   a one;
//! - before the usual time gaps never exceed [`WIDEST`], under the reference's cap of 20 s: a run that fails early is
//!   seen at most twice as late as by an even 10-second poll;
//! - never more polls than [`GENEROUS`] times those of an even 10-second poll since the start, and one;
//! - once fewer than [`OVERDUE`] of the runs took longer, an even ten seconds: there is nothing more to know.
//!
//! **No two gates in step.** Ten thousand gates start at the top of an hour. Each run has its own phase and its own
//! pace, from its id; a run's polls are fixed points of its life, so a slow answer does not shift the later ones. As no
//! gap may be wider than 20 s, a phase of its own costs a run half a poll on average. A short wait of a dozen polls can't
//! afford that, so phases grow apart with the usual time.
//!
//! `examples/forecast-bench` measures all this and prints the table.

use std::time::Duration;

use super::spacing::{FLOOR, unit};

mod predictive;

use predictive::Predictive;

/// A run of the pipeline that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastRun {
    pub duration: Duration,
    /// Whether it ended in success. Failures end at other times.
    pub passed: bool,
}

/// How many past runs are polled: the newest.
pub const NEWEST: usize = 50;

/// Fewer past runs than this say nothing about their spread.
const ENOUGH: usize = 3;

/// A stamp that makes a run longer than this is a mistake.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// The widest gap between two polls (the reference's limit for `auto`), and the widest planned: the pace may stretch it.
const CAP: Duration = Duration::from_secs(20);
const WIDEST: f64 = 19.76;

/// The even poll that everything is measured against, and that an overdue run comes back to: a poll each ten seconds.
const EVEN: f64 = 0.1;

/// The share of an even poll's polls that a run as long as the past says may cost; but at least so many beside the
/// first, because a run of ten seconds must be polled too.
const BUDGET: f64 = 0.82;
const AT_LEAST: f64 = 1.5;

/// The mean lag in seconds that is good enough: nobody is served by less, and the polls saved make room for surprise.
const PROMPT: f64 = 2.0;

/// The belief in a run like no other.
const SURPRISE: f64 = 0.04;

/// How many times an even poll's polls a run may ever cost.
const GENEROUS: f64 = 1.19;
const HEAD_START: f64 = 0.3;

/// A run is overdue when the past had so few longer ones.
const OVERDUE: f64 = 0.004;

/// How far apart in phase the gates on different runs are, in polls, by the usual time in seconds. Where it is flat, a run
/// that ends after a quarter of that time could not afford more.
const APART: [(f64, f64); 4] = [(0.0, 0.0), (243.0, 0.64), (480.0, 0.64), (650.0, 1.0)];

/// How far a run's own pace is off the common one.
const PACE: f64 = 0.012;

/// A poll that would come sooner than this after the last one, in polls, is left out. The first may come at once: that is
/// what sets gates apart that were started together.
const TOO_SOON: f64 = 0.29;
const FIRST: f64 = 0.02;

/// What the pipeline's past says about one run that is being waited for.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// The run's life as planned, from its age at the start to overdue; empty if it was overdue at the start.
    marks: Vec<PlanPoint>,
    age_at_start: f64,
    /// How many looks after the start the first is planned, and how far apart the later ones are: about one.
    first: f64,
    pace: f64,
    /// The lengths of the past runs that tell what is usual, in seconds, sorted.
    usual: Vec<f64>,
}

/// A moment of a run's life; between two of them everything is linear.
#[derive(Clone, Copy, Debug)]
struct PlanPoint {
    age: f64,
    /// The polls planned from the start to here, if the run lasts so long.
    polls: f64,
    /// The share of runs still going, of those that were at the start.
    unfinished: f64,
}

/// That a run takes longer than most: "slower than 9 of 10 runs".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowerThan {
    pub runs: usize,
    pub of: usize,
}

impl Forecast {
    /// From the past runs, newest first, for a run of this age when its wait starts; `seed` is the run's own. `None`:
    /// too little is known.
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
        let usual = usual(&past);
        let typical = median(&usual)?;
        let age_at_start = age_at_start.as_secs_f64();
        Some(Forecast {
            marks: marks(&Predictive::new(&past), typical, age_at_start),
            age_at_start,
            first: 1.0 - apart(typical) * unit(seed),
            pace: 1.0 + PACE * (2.0 * unit(!seed) - 1.0),
            usual,
        })
    }

    /// How long to wait for the next look at a run of this age: from 1 s to 20 s.
    pub fn wait(&self, age: Duration) -> Duration {
        let age = age.as_secs_f64();
        let polls = self.polls(age);
        let soonest = polls + if polls < self.first { FIRST } else { TOO_SOON };
        let nth = ((soonest - self.first) / self.pace).ceil().max(0.0);
        let wait = self.age(self.first + nth * self.pace) - age;
        Duration::try_from_secs_f64(wait).unwrap_or(FLOOR).clamp(FLOOR, CAP)
    }

    /// How far apart the polls are at this age: for one who has just seen the run go on in another way, and whose polls need
    /// not keep the run's own phase.
    pub fn gap(&self, age: Duration) -> Duration {
        let age = age.as_secs_f64();
        let gap = self.age(self.polls(age) + 1.0) - age;
        Duration::try_from_secs_f64(gap).unwrap_or(FLOOR).clamp(FLOOR, CAP)
    }

    /// The usual length of a run: the median of those that passed, or of all if none did.
    pub fn typical(&self) -> Duration {
        Duration::from_secs_f64(median(&self.usual).unwrap_or_default())
    }

    /// How long a run of this age will probably go on; `None` once it is overdue, and nobody knows.
    pub fn left(&self, age: Duration) -> Option<Duration> {
        let age = age.as_secs_f64();
        let (Some(before), Some(after)) = around(&self.marks, |mark| mark.age <= age) else { return None };
        let unfinished = between((before.age, before.unfinished), (after.age, after.unfinished), age);
        let half = around(&self.marks, |mark| mark.unfinished > unfinished / 2.0);
        let (Some(before), Some(after)) = half else { return None };
        let end = between((before.unfinished, before.age), (after.unfinished, after.age), unfinished / 2.0);
        Duration::try_from_secs_f64(end - age).ok()
    }

    /// Whether a run of this age is slower than nine of ten usual ones were, if there are five to compare with.
    pub fn slower_than(&self, age: Duration) -> Option<SlowerThan> {
        let age = age.as_secs_f64();
        let slower = SlowerThan { runs: self.usual.partition_point(|run| *run < age), of: self.usual.len() };
        (slower.of >= 5 && slower.runs * 10 >= slower.of * 9).then_some(slower)
    }

    /// The polls planned from the start to this age.
    fn polls(&self, age: f64) -> f64 {
        match around(&self.marks, |mark| mark.age <= age) {
            (Some(before), Some(after)) => between((before.age, before.polls), (after.age, after.polls), age),
            (Some(last), None) => last.polls + EVEN * (age - last.age),
            (None, _) => EVEN * (age - self.age_at_start),
        }
    }

    /// The age at which so many polls are planned.
    fn age(&self, polls: f64) -> f64 {
        match around(&self.marks, |mark| mark.polls <= polls) {
            (Some(before), Some(after)) => between((before.polls, before.age), (after.polls, after.age), polls),
            (Some(last), None) => last.age + (polls - last.polls) / EVEN,
            (None, _) => self.age_at_start + polls / EVEN,
        }
    }
}

/// The lengths that tell what is usual, in seconds, sorted: of the runs that passed, or of all if none did.
fn usual(past: &[PastRun]) -> Vec<f64> {
    let none_passed = past.iter().all(|run| !run.passed);
    let mut usual: Vec<f64> =
        past.iter().filter(|run| run.passed || none_passed).map(|run| run.duration.as_secs_f64()).collect();
    usual.sort_by(f64::total_cmp);
    usual
}

/// `APART` at a usual time.
fn apart(typical: f64) -> f64 {
    match around(&APART, |(seconds, _)| *seconds <= typical) {
        (Some(before), Some(after)) => between(*before, *after, typical),
        (Some((_, most)), None) => *most,
        (None, _) => 0.0,
    }
}

/// The last of these ordered points that `is_before`, and the one behind it.
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

/// A stretch of a run's life in which all is taken as even.
#[derive(Clone, Copy, Debug)]
struct Segment {
    until: f64,
    seconds: f64,
    /// The square root of the hazard rate.
    root_hazard: f64,
    /// The share of runs that see its middle, and that end in it.
    unfinished: f64,
    ending: f64,
    going_after: f64,
}

/// Plans the polls of a run.
fn marks(predictive: &Predictive, typical: f64, start: f64) -> Vec<PlanPoint> {
    let overdue = predictive.exceeded_by(OVERDUE);
    if overdue <= start + 1.0 {
        return Vec::new();
    }
    let stretches = stretches(predictive, typical, start, overdue);
    let expected: f64 = stretches.iter().map(|stretch| stretch.seconds * stretch.unfinished).sum();
    let budget = (BUDGET * EVEN * expected).max(AT_LEAST);
    // The height of the density, as a logarithm: polls grow with it and the lag falls.
    let (mut low, mut high) = (-10.0_f64, 15.0_f64);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        let plan = PollPlan::new(&stretches, start, middle.exp());
        if plan.polls < budget && plan.lag > PROMPT {
            low = middle;
        } else {
            high = middle;
        }
    }
    PollPlan::new(&stretches, start, low.exp()).marks
}

/// The looks for one height of the density, and what is to be expected of them.
struct PollPlan {
    marks: Vec<PlanPoint>,
    polls: f64,
    lag: f64,
}

impl PollPlan {
    fn new(stretches: &[Segment], start: f64, height: f64) -> PollPlan {
        let mut plan =
            PollPlan { marks: vec![PlanPoint { age: start, polls: 0.0, unfinished: 1.0 }], polls: 0.0, lag: 0.0 };
        let mut polls = 0.0;
        for stretch in stretches {
            let left = HEAD_START + GENEROUS * EVEN * (stretch.until - start) - polls;
            let density = (height * stretch.root_hazard)
                .clamp(1.0 / WIDEST, 1.0 / FLOOR.as_secs_f64())
                .min((left / stretch.seconds).max(EVEN));
            polls += density * stretch.seconds;
            plan.polls += density * stretch.seconds * stretch.unfinished;
            plan.lag += stretch.ending / (2.0 * density);
            plan.marks.push(PlanPoint { age: stretch.until, polls, unfinished: stretch.going_after });
        }
        plan
    }
}

/// Cuts a run's life, from its age at the start to overdue, into stretches.
fn stretches(predictive: &Predictive, typical: f64, start: f64, overdue: f64) -> Vec<Segment> {
    // Of any length around the usual: as likely under as over it, and under half of it as over its double.
    let surprise = |age: f64| typical / (typical + age);
    let at_start = predictive.survival(start);
    let ages = cuts(predictive, at_start, start, overdue);
    let alive = |(age, survival): (f64, f64)| (1.0 - SURPRISE) * survival + SURPRISE * surprise(age);
    ages.windows(2)
        .filter_map(|pair| {
            let &[from, to] = pair else { return None };
            let seconds = to.0 - from.0;
            let hazard = (alive(from) / alive(to)).ln() / seconds;
            Some(Segment {
                until: to.0,
                seconds,
                root_hazard: hazard.max(0.0).sqrt(),
                unfinished: f64::midpoint(from.1, to.1) / at_start,
                ending: (from.1 - to.1) / at_start,
                going_after: to.1 / at_start,
            })
        })
        .collect()
}

/// The ages between which a life may be taken as even, each with its survival: fine where runs end.
fn cuts(predictive: &Predictive, at_start: f64, start: f64, overdue: f64) -> Vec<(f64, f64)> {
    let mut ages = vec![(start, at_start)];
    let mut ahead = vec![(overdue, predictive.survival(overdue))];
    while let (Some(&from), Some(&to)) = (ages.last(), ahead.last()) {
        // Shares under 1.5 % and times under two seconds are too short to matter, and ratios under 1.3.
        let coarse = from.1 - to.1 > 0.015 * at_start || to.0 > 1.3 * (from.0 + 5.0);
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
