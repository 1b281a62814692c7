//! What the previous runs say about how long the next one takes: a distribution that knows how little it knows.
//!
//! Run times are compared as ratios (half and double are equally far), so all of this happens in the logarithm of the
//! time. The distribution is a mixture of bell curves. Candidates compete by how well each would have predicted the previous
//! runs, one after the other, each from the older ones alone (Dawid's prequential principle). They differ in:
//!
//! - **shape**: one bell at the mean of the previous runs (steady pipelines: with few runs nothing learns faster), or a bell
//!   around each of them (a kernel density: two peaks, a long tail, outliers);
//! - **spread** of a bell: 1 % to 90 %, in steps of √2;
//! - **memory**: the newest five runs or so, or all of them (a pipeline that has just become slower).
//!
//! All candidates stay in, weighted by their likelihood. So few runs give a wide distribution without a rule for it,
//! and eight runs of a steady pipeline a narrow one. Runs that failed are predicted apart from those that passed,
//! because they end at other times; the two are mixed as often as they came.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::PastRun;

/// The narrowest spread, as a share of the run time, and how many are tried. It balances the polls that a steady pipeline
/// saves against chance: a few runs may differ by less than this by luck.
const NARROWEST: f64 = 0.01;
const SPREADS: usize = 14;

/// How many runs the weights of older runs take to fall to 1/e, for a candidate that forgets. It balances how soon a
/// pipeline that has become slower is believed against how little five runs say.
const FORGETS: f64 = 5.0;
const MEMORIES: [f64; 2] = [f64::INFINITY, FORGETS];

/// A candidate with less weight than this is left out: it costs time and changes nothing.
const NEGLIGIBLE: f64 = 0.01;

/// The distribution of the duration of a run.
#[derive(Clone, Debug)]
pub(super) struct Predictive {
    bells: Vec<NormalComponent>,
    /// How many runs it is made of.
    pub(super) runs: f64,
}

/// A normal distribution of the logarithm of the seconds, with a weight.
#[derive(Clone, Copy, Debug)]
struct NormalComponent {
    centre: f64,
    spread: f64,
    weight: f64,
}

impl Predictive {
    /// From previous runs, newest first; at least one, each longer than nothing.
    pub(super) fn new(past: &[PastRun]) -> Predictive {
        let times = |passed: bool| -> Vec<f64> {
            past.iter().filter(|run| run.passed == passed).map(|run| run.duration.as_secs_f64().ln()).collect()
        };
        let mut bells = Vec::new();
        for times in [times(true), times(false)] {
            add_bells(&times, count(times.len()) / count(past.len()), &mut bells);
        }
        Predictive { bells, runs: count(past.len()) }
    }

    /// The share of runs that take longer than `seconds`.
    pub(super) fn survival(&self, seconds: f64) -> f64 {
        let at = seconds.max(1e-3).ln();
        self.bells.iter().map(|bell| bell.weight * upper_tail((at - bell.centre) / bell.spread)).sum()
    }

    /// The time that a `share` of the runs exceed.
    pub(super) fn exceeded_by(&self, share: f64) -> f64 {
        // From a second to fifteen years, halved to well under a millisecond in a day.
        let (mut low, mut high) = (0.0_f64, 20.0_f64);
        for _ in 0..45 {
            let middle = f64::midpoint(low, high);
            if self.survival(middle.exp()) > share {
                low = middle;
            } else {
                high = middle;
            }
        }
        high.exp()
    }
}

/// What the older runs say, as one candidate memory weighs them.
#[derive(Clone, Copy, Default)]
struct Sums {
    weight: f64,
    squared: f64,
    weighted: f64,
}

impl Sums {
    fn add(&mut self, weight: f64, time: f64) {
        self.weight += weight;
        self.squared += weight * weight;
        self.weighted += weight * time;
    }

    fn mean(self) -> f64 {
        self.weighted / self.weight
    }

    /// How much wider the next run scatters around the mean of these than around the true one.
    fn widening(self) -> f64 {
        (1.0 + self.squared / (self.weight * self.weight)).sqrt()
    }
}

/// A number for each candidate: by memory, by spread, and by shape (one bell, many bells).
type Scores = [[[f64; 2]; SPREADS]; MEMORIES.len()];

/// Adds the mixture for runs of these times, newest first, with the weight `share` in all.
fn add_bells(times: &[f64], share: f64, bells: &mut Vec<NormalComponent>) {
    if times.is_empty() {
        return;
    }
    let scores = log_likelihoods(times);
    let best = scores.iter().flatten().flatten().copied().fold(f64::MIN, f64::max);
    let likelihoods = scores.map(|row| row.map(|shapes| shapes.map(|score| (score - best).exp())));
    let all: f64 = likelihoods.iter().flatten().map(|[one_bell, many_bells]| one_bell + many_bells).sum();

    let first = bells.len();
    for (memory, row) in MEMORIES.iter().zip(likelihoods) {
        let mut sums = Sums::default();
        for (age, &time) in times.iter().enumerate() {
            sums.add(fading(age, *memory), time);
        }
        for (spread, [one_bell, many_bells]) in spreads().zip(row) {
            let weight = one_bell / all;
            if weight > NEGLIGIBLE {
                bells.push(NormalComponent { centre: sums.mean(), spread: spread * sums.widening(), weight });
            }
            let weight = many_bells / all;
            if weight > NEGLIGIBLE {
                bells.extend(times.iter().enumerate().map(|(age, &centre)| {
                    let weight = weight * fading(age, *memory) / sums.weight;
                    NormalComponent { centre, spread, weight }
                }));
            }
        }
    }
    // What was left out is shared by the rest.
    let kept: f64 = bells[first..].iter().map(|bell| bell.weight).sum();
    for bell in &mut bells[first..] {
        bell.weight *= share / kept;
    }
}

/// How well each candidate would have predicted each run from the older ones. A run unlike all others has the weight of one
/// run: otherwise a single one would rule out every narrow candidate for good.
fn log_likelihoods(times: &[f64]) -> Scores {
    let mut scores = Scores::default();
    for next in 0..times.len().saturating_sub(1) {
        let mut sums = [Sums::default(); MEMORIES.len()];
        let mut many = [[0.0; SPREADS]; MEMORIES.len()];
        for (age, &time) in times[next + 1..].iter().enumerate() {
            let densities = densities(times[next] - time);
            for (memory, (sums, many)) in MEMORIES.iter().zip(sums.iter_mut().zip(&mut many)) {
                let weight = fading(age, *memory);
                sums.add(weight, time);
                for (sum, density) in many.iter_mut().zip(densities) {
                    *sum += weight * density;
                }
            }
        }
        for (row, (sums, many)) in scores.iter_mut().zip(sums.into_iter().zip(many)) {
            let off = times[next] - sums.mean();
            let odd = odd_density(off);
            for (([one_bell, many_bells], spread), many) in row.iter_mut().zip(spreads()).zip(many) {
                let one = sums.weight * density(off, spread * sums.widening());
                *one_bell += ((one + odd) / (sums.weight + 1.0)).ln();
                *many_bells += ((many + odd) / (sums.weight + 1.0)).ln();
            }
        }
    }
    scores
}

fn spreads() -> impl Iterator<Item = f64> {
    std::iter::successors(Some(NARROWEST), |spread| Some(spread * SQRT_2)).take(SPREADS)
}

fn fading(age: usize, memory: f64) -> f64 {
    (-count(age) / memory).exp()
}

/// The density of a run unlike all others: any time, as likely under half of the usual one as over its double.
fn odd_density(off: f64) -> f64 {
    0.25 / (off / 2.0).cosh().powi(2)
}

/// The normal density at a distance from its centre.
fn density(off: f64, spread: f64) -> f64 {
    let off = off / spread;
    0.398_942_280_401_432_7 / spread * (-0.5 * off * off).exp()
}

/// The normal densities for all spreads, narrowest first. With spreads √2 apart each exponential is the square root of
/// the next narrower one's: one is computed, the rest are squares of it.
fn densities(off: f64) -> [f64; SPREADS] {
    let mut spread = spreads().last().unwrap_or(NARROWEST);
    let mut exponential = (-0.5 * (off / spread) * (off / spread)).exp();
    let mut densities = [0.0; SPREADS];
    for density in densities.iter_mut().rev() {
        *density = 0.398_942_280_401_432_7 / spread * exponential;
        exponential *= exponential;
        spread /= SQRT_2;
    }
    densities
}

/// The share of the standard normal distribution above `x` (Abramowitz and Stegun 7.1.26, to 1e-7: a hundredth of a poll
/// in a day).
fn upper_tail(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return if x > 0.0 { 0.0 } else { 1.0 };
    }
    let z = x.abs() * FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let polynomial = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let tail = 0.5 * t * (-z * z).exp() * polynomial.iter().fold(0.0, |sum, factor| sum * t + factor);
    if x > 0.0 { tail } else { 1.0 - tail }
}

/// A small count as a number to compute with.
fn count(runs: usize) -> f64 {
    u32::try_from(runs).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests;
