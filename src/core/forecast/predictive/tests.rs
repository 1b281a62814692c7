//! The distribution against its definition: tables of the normal distribution, and the mixture computed the long way.

use std::time::Duration;

use super::*;

fn near(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found}, not {expected}");
}

#[test]
fn the_upper_tail_is_that_of_the_tables() {
    let table = [
        (0.0, 0.5),
        (0.5, 0.308_537_539),
        (1.0, 0.158_655_254),
        (1.644_853_627, 0.05),
        (2.0, 0.022_750_132),
        (3.0, 0.001_349_898),
        (5.999, 0.000_000_001),
        (6.001, 0.0),
        (f64::INFINITY, 0.0),
    ];
    for (x, tail) in table {
        near(upper_tail(x), tail, 1e-7);
        near(upper_tail(-x), 1.0 - tail, 1e-7);
    }
}

#[test]
fn the_density_is_that_of_the_tables_for_one_spread_and_for_all() {
    for (off, spread, expected) in [(0.0, 1.0, 0.398_942_28), (1.0, 1.0, 0.241_970_72), (-4.0, 2.0, 0.026_995_48)] {
        near(density(off, spread), expected, 1e-8);
    }
    for off in [0.0, 0.003, -0.02, 0.3, -1.5] {
        for (spread, all) in spreads().zip(densities(off)) {
            near(all, density(off, spread), 1e-9 * density(0.0, spread));
        }
    }
}

#[test]
fn spreads_go_from_one_per_cent_to_ninety_and_memories_fade() {
    let all: Vec<f64> = spreads().collect();
    assert_eq!(all.len(), 14);
    near(all[0], 0.01, 1e-12);
    near(all[13], 0.905_097, 1e-6);
    assert!(all.windows(2).all(|pair| (pair[1] / pair[0] - SQRT_2).abs() < 1e-9));
    near(fading(0, 5.0), 1.0, 1e-12);
    near(fading(5, 5.0), 0.367_879_44, 1e-8);
    near(fading(10, f64::INFINITY), 1.0, 1e-12);
}

#[test]
fn the_mean_of_few_runs_is_less_certain_than_that_of_many() {
    let mut sums = Sums::default();
    sums.add(1.0, 3.0);
    near(sums.mean(), 3.0, 1e-12);
    near(sums.widening(), SQRT_2, 1e-12);
    sums.add(0.5, 6.0);
    near(sums.mean(), 4.0, 1e-12);
    near(sums.widening(), (1.0_f64 + 1.25 / 2.25).sqrt(), 1e-12);
}

/// A candidate: one bell or a bell around each run, its spread, and its memory.
type Candidate = (bool, f64, usize);

fn candidates() -> Vec<Candidate> {
    let shapes = [true, false].into_iter();
    let all = shapes.flat_map(|one| spreads().map(move |spread| (one, spread)));
    all.flat_map(|(one, spread)| (0..MEMORIES.len()).map(move |memory| (one, spread, memory))).collect()
}

/// The bells by which a candidate foretells what comes after these runs, newest first: `(weight, centre, spread)`.
fn foretold((one, spread, memory): Candidate, older: &[f64]) -> Vec<(f64, f64, f64)> {
    let weights: Vec<f64> = (0..older.len()).map(|age| (-(age as f64) / MEMORIES[memory]).exp()).collect();
    let all: f64 = weights.iter().sum();
    let shares: Vec<f64> = weights.iter().map(|weight| weight / all).collect();
    if one {
        let mean = shares.iter().zip(older).map(|(share, time)| share * time).sum();
        let of_the_mean: f64 = shares.iter().map(|share| share * share).sum();
        vec![(1.0, mean, spread * (1.0 + of_the_mean).sqrt())]
    } else {
        shares.iter().zip(older).map(|(share, time)| (*share, *time, spread)).collect()
    }
}

/// How well it would have foretold each run from the older ones, as a likelihood.
fn likelihood(candidate: Candidate, times: &[f64]) -> f64 {
    let (_, _, memory) = candidate;
    let each = (0..times.len()).map(|next| {
        let older = &times[next + 1..];
        if older.is_empty() {
            return 1.0;
        }
        let weight: f64 = (0..older.len()).map(|age| (-(age as f64) / MEMORIES[memory]).exp()).sum();
        let response: f64 = foretold(candidate, older)
            .iter()
            .map(|(share, centre, spread)| share * density(times[next] - centre, *spread))
            .sum();
        let mean = foretold((true, 1.0, memory), older)[0].1;
        // A run unlike all others has the weight of one run.
        (weight * response + odd_density(times[next] - mean)) / (weight + 1.0)
    });
    each.product()
}

/// The survival of the mixture.
fn survival(times: &[f64], seconds: f64) -> f64 {
    let likelihoods: Vec<f64> = candidates().into_iter().map(|candidate| likelihood(candidate, times)).collect();
    let all: f64 = likelihoods.iter().sum();
    let kept = || candidates().into_iter().zip(&likelihoods).filter(|(_, likelihood)| **likelihood / all > 0.01);
    let rest: f64 = kept().map(|(_, likelihood)| likelihood).sum();
    let tail = |candidate| -> f64 {
        let bells = foretold(candidate, times);
        bells.iter().map(|(share, centre, spread)| share * upper_tail((seconds.ln() - centre) / spread)).sum()
    };
    kept().map(|(candidate, likelihood)| likelihood / rest * tail(candidate)).sum()
}

fn runs(lengths: &[f64], passed: bool) -> Vec<PastRun> {
    lengths.iter().map(|length| PastRun { duration: Duration::from_secs_f64(*length), passed }).collect()
}

#[test]
fn the_mixture_is_what_its_definition_says() {
    let histories: [&[f64]; 7] = [
        &[600.0],
        &[600.0, 630.0],
        &[590.0, 610.0, 600.0, 605.0, 620.0, 580.0, 601.0, 599.0],
        &[300.0, 900.0, 310.0, 880.0, 305.0, 910.0, 290.0, 905.0, 300.0, 890.0],
        // Slower since a few runs; and one odd run.
        &[1200.0, 1190.0, 1210.0, 1205.0, 600.0, 590.0, 610.0, 605.0, 595.0, 600.0, 602.0],
        &[60.0, 61.0, 4000.0, 60.5, 59.0, 62.0, 60.0],
        &[10.0, 100.0, 1000.0, 50.0, 500.0, 20.0, 30.0, 700.0],
    ];
    for lengths in histories {
        let predictive = Predictive::new(&runs(lengths, true));
        let times: Vec<f64> = lengths.iter().map(|length| length.ln()).collect();
        let whole: f64 = predictive.bells.iter().map(|bell| bell.weight).sum();
        near(whole, 1.0, 1e-9);
        for seconds in [5.0, 58.0, 60.3, 64.0, 250.0, 303.0, 595.0, 604.0, 650.0, 893.0, 1000.0, 1206.0, 5000.0] {
            near(predictive.survival(seconds), survival(&times, seconds), 1e-9);
        }
    }
}

#[test]
fn failures_are_foretold_apart_and_mixed_as_often_as_they_came() {
    let (good, bad) = ([600.0, 610.0, 590.0, 605.0, 600.0, 595.0], [20.0, 21.0, 19.0]);
    let both: Vec<PastRun> = runs(&good, true).into_iter().chain(runs(&bad, false)).collect();
    let predictive = Predictive::new(&both);
    let logarithms = |lengths: &[f64]| lengths.iter().map(|length| length.ln()).collect::<Vec<f64>>();
    for seconds in [15.0, 20.5, 100.0, 598.0, 603.0, 700.0] {
        let expected = (6.0 * survival(&logarithms(&good), seconds) + 3.0 * survival(&logarithms(&bad), seconds)) / 9.0;
        near(predictive.survival(seconds), expected, 1e-9);
    }
}

#[test]
fn the_time_that_a_share_exceeds_is_the_inverse_of_the_survival() {
    let predictive = Predictive::new(&runs(&[590.0, 610.0, 600.0, 605.0, 620.0, 580.0, 601.0, 599.0], true));
    for share in [0.9, 0.5, 0.1, 0.004] {
        near(predictive.survival(predictive.exceeded_by(share)), share, 1e-6);
    }
    near(predictive.survival(0.0), 1.0, 1e-9);
    // The bounds: a second and fifteen years.
    near(predictive.exceeded_by(1.0), 1.0, 1e-6);
    near(predictive.exceeded_by(-1.0).ln(), 20.0, 1e-6);
}
