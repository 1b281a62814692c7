//! What the forecast promises, whatever the past and whatever the run.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Runs of these lengths in seconds, all passed.
fn passed(lengths: &[f64]) -> Vec<PastRun> {
    lengths.iter().map(|length| PastRun { duration: seconds(*length), passed: true }).collect()
}

/// Twenty runs spread evenly over 10 % to either side.
fn steady(usual: f64) -> Vec<PastRun> {
    passed(&(0..20).map(|n| usual * (0.905 + 0.01 * f64::from(n * 7 % 20))).collect::<Vec<f64>>())
}

fn forecast(past: &[PastRun]) -> Forecast {
    Forecast::new(past, Duration::ZERO, 7).expect("enough to learn from")
}

/// The ages at which a run is polled, up to an age.
fn poll_times(forecast: &Forecast, from: Duration, until: Duration) -> Vec<f64> {
    let mut ages = vec![from.as_secs_f64()];
    let mut age = from;
    while age < until {
        age += forecast.wait(age).expect("runs of 15 s and more are planned");
        ages.push(age.as_secs_f64());
    }
    ages
}

/// The widest and the narrowest gap between two polls that both fall between two ages.
fn gaps(poll_times: &[f64], from: f64, until: f64) -> (f64, f64) {
    let inside: Vec<f64> = poll_times.iter().copied().filter(|age| (from..until).contains(age)).collect();
    inside
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .fold((0.0, f64::INFINITY), |(most, least), gap| (f64::max(most, gap), f64::min(least, gap)))
}

#[test]
fn polls_are_dense_where_runs_end_and_wide_before() {
    let poll_times = poll_times(&forecast(&steady(900.0)), Duration::ZERO, seconds(3000.0));
    assert!(gaps(&poll_times, 10.0, 600.0).1 > 13.0 && gaps(&poll_times, 400.0, 600.0).1 > 19.0, "{poll_times:?}");
    assert!(gaps(&poll_times, 880.0, 960.0).0 < 4.5, "{poll_times:?}");
}

#[test]
fn gaps_reach_twenty_seconds_at_twenty_minutes_and_a_minute_for_long_runs() {
    for (usual, at_least, at_most) in
        [(120.0, 12.0, 20.0), (1200.0, 19.9, 20.0), (2400.0, 30.0, 40.0), (28_800.0, 59.0, 60.0)]
    {
        let widest = gaps(&poll_times(&forecast(&steady(usual)), Duration::ZERO, seconds(usual * 0.8)), 0.0, usual).0;
        assert!(widest >= at_least && widest <= at_most + 1e-6, "usual {usual}: {widest}");
    }
}

#[test]
fn runs_of_less_than_fifteen_seconds_are_left_to_the_ramp() {
    for usual in [1.0, 10.0, 12.0, 14.9] {
        let forecast = forecast(&passed(&[usual; 20]));
        assert_eq!(forecast.wait(Duration::ZERO), None, "{usual}");
        assert_eq!(forecast.typical(), seconds(usual));
    }
    assert!(forecast(&passed(&[15.0; 20])).wait(Duration::ZERO).is_some());
}

/// Lag times polls of gates on forty runs that end at this age, against an even 10-second poll (five seconds, and one poll
/// and a half beside one for each ten seconds).
fn product_at(forecast: &Forecast, length: f64) -> f64 {
    let (mut lag, mut polls) = (0.0, 0.0);
    for gate in 0..40 {
        let mut forecast = forecast.clone();
        forecast.set_phase((f64::from(gate) + 0.5) / 40.0);
        let ages = poll_times(&forecast, seconds(forecast.age_at_start), seconds(length));
        lag += (ages[ages.len() - 1] - length) / 40.0;
        polls += ages.len() as f64 / 40.0;
    }
    lag * polls / (5.0 * (0.1 * (length - forecast.age_at_start) + 1.5))
}

#[test]
fn whenever_a_run_ends_lag_times_polls_is_at_most_a_quarter_over_that_of_an_even_poll() {
    for usual in [20.0, 60.0, 120.0, 300.0, 900.0, 3600.0] {
        let forecast = Forecast::new(&steady(usual), seconds(2.0), 7).expect("enough to learn from");
        for share in [0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 1.5, 2.0, 3.0] {
            let length = usual * share;
            // A run that ends before the even poll's second poll is nobody's to plan.
            if length > 12.0 {
                let product = product_at(&forecast, length);
                assert!(product <= 1.26, "usual {usual}, ends at {length}: {product}");
            }
        }
    }
}

#[test]
fn a_run_that_is_overdue_from_the_start_is_polled_about_as_often_as_by_an_even_poll() {
    let forecast = Forecast::new(&steady(120.0), seconds(5000.0), 7).expect("a forecast");
    let poll_times = poll_times(&forecast, seconds(5000.0), seconds(6000.0));
    let (most, least) = gaps(&poll_times, 5001.0, 6000.0);
    assert!(most <= 20.0 && least > 9.0, "{least} to {most}");
}

#[test]
fn both_of_two_peaks_are_polled_closely_and_the_valley_is_not() {
    let past: Vec<f64> =
        (0..20).map(|n| if n % 3 == 0 { 400.0 } else { 1000.0 } * (1.0 + 0.002 * f64::from(n))).collect();
    let poll_times = poll_times(&forecast(&passed(&past)), Duration::ZERO, seconds(1200.0));
    assert!(gaps(&poll_times, 395.0, 420.0).0 < 6.0, "{poll_times:?}");
    assert!(gaps(&poll_times, 550.0, 850.0).1 > 12.0, "{poll_times:?}");
    assert!(gaps(&poll_times, 1000.0, 1040.0).0 < 6.0, "{poll_times:?}");
}

#[test]
fn a_pipeline_that_has_become_slower_is_believed() {
    let before: Vec<f64> = (0..30).map(|n| 300.0 * (1.0 + 0.003 * f64::from(n * 7 % 20))).collect();
    let since: Vec<f64> = (0..8).map(|n| 600.0 * (1.0 + 0.004 * f64::from(n * 3 % 8))).collect();
    let past: Vec<f64> = since.iter().chain(&before).copied().collect();
    let poll_times = poll_times(&forecast(&passed(&past)), Duration::ZERO, seconds(900.0));
    assert!(gaps(&poll_times, 600.0, 630.0).0 < 6.0, "{poll_times:?}");
}

#[test]
fn the_age_at_the_start_counts() {
    let late = Forecast::new(&steady(900.0), seconds(840.0), 7).expect("a forecast");
    let poll_times = poll_times(&late, seconds(840.0), seconds(1100.0));
    assert!(gaps(&poll_times, 920.0, 990.0).0 < 10.0, "{poll_times:?}");
    assert!(poll_times.len() < 60, "{poll_times:?}");
}

#[test]
fn little_or_bad_history_is_none() {
    assert!(Forecast::new(&[], Duration::ZERO, 0).is_none());
    assert!(Forecast::new(&passed(&[60.0, 61.0]), Duration::ZERO, 0).is_none());
    let nonsense = [Duration::ZERO, Duration::MAX, Duration::from_secs(31 * 24 * 3600)];
    let past: Vec<PastRun> = nonsense.iter().map(|duration| PastRun { duration: *duration, passed: true }).collect();
    assert!(Forecast::new(&past.repeat(9), Duration::ZERO, 0).is_none());
    assert!(Forecast::new(&passed(&[60.0, 61.0, 62.0]), Duration::ZERO, 0).is_some());
}

#[test]
fn only_the_newest_fifty_count() {
    let mut past = steady(900.0).repeat(3);
    past.truncate(NEWEST);
    let short = forecast(&past);
    past.extend(steady(60.0).repeat(5));
    let long = forecast(&past);
    assert_eq!(poll_times(&short, Duration::ZERO, seconds(2000.0)), poll_times(&long, Duration::ZERO, seconds(2000.0)));
}

#[test]
fn gates_on_different_runs_poll_at_different_ages() {
    let past = steady(3600.0);
    let forecasts: Vec<Forecast> = (0..200).filter_map(|seed| Forecast::new(&past, Duration::ZERO, seed)).collect();
    let thirds: BTreeSet<u64> = forecasts
        .iter()
        .map(|forecast| (poll_times(forecast, Duration::ZERO, seconds(90.0))[3] * 1e3) as u64)
        .collect();
    assert!(thirds.len() > 190, "{} different", thirds.len());
    // As many in each third of what a first gap can be, and in each third of a minute later: ten thousand of them are no wave.
    let gaps: Vec<f64> =
        forecasts.iter().map(|forecast| forecast.wait(Duration::ZERO).unwrap_or_default().as_secs_f64()).collect();
    let (least, most) = gaps.iter().fold((f64::MAX, 0.0), |(least, most), gap| (gap.min(least), gap.max(most)));
    assert!(most > 2.9 * least, "{least} to {most}");
    for part in 0..3 {
        let from = least + (most - least) / 3.0 * f64::from(part);
        let here = gaps.iter().filter(|gap| (from..from + (most - least) / 3.0).contains(*gap)).count();
        assert!((45..90).contains(&here), "{here} of 200 in part {part}");
    }
}

#[test]
fn the_view_says_usually_twelve_minutes_about_four_left() {
    let forecast = forecast(&steady(720.0));
    assert!((710.0..730.0).contains(&forecast.typical().as_secs_f64()), "{:?}", forecast.typical());
    let left = |age: f64| forecast.left(seconds(age)).map(|left| left.as_secs_f64());
    assert!(left(480.0).is_some_and(|left| (220.0..260.0).contains(&left)), "{:?}", left(480.0));
    assert!(left(0.0).is_some_and(|left| (700.0..740.0).contains(&left)), "{:?}", left(0.0));
    assert_eq!(left(5000.0), None, "overdue, and nobody knows");
}

#[test]
fn slower_than_nine_of_ten_is_distinguished_from_five_runs_on() {
    let ten = forecast(&passed(&[60.0, 61.0, 62.0, 63.0, 64.0, 65.0, 66.0, 67.0, 68.0, 90.0]));
    assert_eq!(ten.slower_than(seconds(67.5)), None);
    assert_eq!(ten.slower_than(seconds(69.0)), Some(SlowerThan { runs: 9, of: 10 }));
    assert_eq!(ten.slower_than(seconds(91.0)), Some(SlowerThan { runs: 10, of: 10 }));
    assert_eq!(forecast(&passed(&[60.0, 61.0, 62.0, 63.0])).slower_than(seconds(99.0)), None);
}

#[test]
fn failures_are_not_what_is_usual() {
    let mut past = steady(600.0);
    past.extend((0..9).map(|n| PastRun { duration: seconds(20.0 + f64::from(n)), passed: false }));
    let forecast = forecast(&past);
    assert!((590.0..610.0).contains(&forecast.typical().as_secs_f64()), "{:?}", forecast.typical());
    // But they are polled for.
    let poll_times = poll_times(&forecast, Duration::ZERO, seconds(300.0));
    assert!(gaps(&poll_times, 18.0, 32.0).0 < 8.0, "{poll_times:?}");
}

/// Any past there may be: usual ones, and lengths from a nanosecond to for ever.
fn any_past() -> impl Strategy<Value = Vec<PastRun>> {
    let length = prop_oneof![
        (1.0..100_000.0_f64).prop_map(seconds),
        (0.0..15.0_f64).prop_map(|exponent| seconds(exponent.exp())),
        (580.0..620.0_f64).prop_map(seconds),
        Just(seconds(600.0)),
        any::<Duration>(),
        Just(Duration::ZERO),
        Just(Duration::from_nanos(1)),
        Just(Duration::MAX),
    ];
    let run = (length, any::<bool>()).prop_map(|(duration, passed)| PastRun { duration, passed });
    proptest::collection::vec(run, 0..70)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_past_gives_polls_one_second_to_a_minute_apart(
        past in any_past(),
        start in prop_oneof![Just(Duration::ZERO), (0.0..1e5_f64).prop_map(seconds), any::<Duration>()],
        seed in any::<u64>(),
        late in 0.0..40.0_f64,
    ) {
        if let Some(forecast) = Forecast::new(&past, start, seed) {
            let mut age = start;
            for _ in 0..300 {
                let Some(wait) = forecast.wait(age) else {
                    prop_assert!(forecast.typical() < SHORT);
                    break;
                };
                prop_assert!(wait >= FLOOR && wait <= widest(forecast.typical()), "{wait:?} at {age:?}");
                prop_assert!(forecast.left(age).is_none_or(|left| left <= 400 * LONGEST));
                age = age.saturating_add(wait).saturating_add(seconds(late * unit(seed ^ age.as_secs())));
            }
            prop_assert!(forecast.slower_than(age).is_none_or(|slower| slower.runs <= slower.of));
            prop_assert!(!forecast.typical().is_zero());
        }
    }

    #[test]
    fn a_run_of_a_steady_pipeline_costs_at_most_twice_the_polls_of_an_even_poll_however_long_it_takes(
        usual in 15.0..5000.0_f64,
        spread in 0.01..0.5_f64,
        known in 3_u32..30,
        start in 0.0..1.2_f64,
        seed in any::<u64>(),
    ) {
        let past: Vec<f64> = (0..known).map(|n| usual * (1.0 + spread * (f64::from(n * 7 % known) / f64::from(known) - 0.5))).collect();
        let start = usual * start;
        let forecast = Forecast::new(&passed(&past), seconds(start), seed).expect("enough to learn from");
        if forecast.typical() >= SHORT {
            for (nth, age) in poll_times(&forecast, seconds(start), seconds(start + 4000.0)).iter().enumerate() {
                let even = 0.1 * (age - start);
                prop_assert!(nth as f64 <= 2.0 * even + 6.0, "{nth} polls at {age}, {even} of an even poll");
            }
        }
    }
}

/// `SplitMix64`, for the reduced bench.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        unit(self.0)
    }

    /// About normal around 0, with a deviation of 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// Mean lag and mean requests of 2,000 runs against an even ten-second poll of the same: `(lag, requests)`.
fn against_even(runs: usize, past: impl Fn(&mut Chance) -> f64, now: impl Fn(&mut Chance) -> f64) -> (f64, f64) {
    let mut chance = Chance(3);
    let (mut ours, mut even) = ((0.0, 0.0), (0.0, 0.0));
    for seed in 0..400 {
        let past: Vec<f64> = (0..runs).map(|_| past(&mut chance)).collect();
        let forecast = Forecast::new(&passed(&past), Duration::ZERO, seed).expect("enough to learn from");
        for _ in 0..5 {
            let length = now(&mut chance);
            let ages = poll_times(&forecast, Duration::ZERO, seconds(length));
            ours.0 += ages[ages.len() - 1] - length;
            ours.1 += ages.len() as f64;
            let polls = (length / 10.0).ceil();
            even.0 += polls * 10.0 - length;
            even.1 += polls + 1.0;
        }
    }
    (ours.0 / even.0, ours.1 / even.1)
}

/// The table of `examples/forecast-bench`, reduced; the limits are the project's, with 4 % for chance.
#[test]
fn the_bench_s_targets_hold() {
    let near = |mean: f64, spread: f64| move |chance: &mut Chance| mean * (spread * chance.normal()).exp();
    for usual in [120.0, 300.0, 900.0, 3600.0] {
        for (runs, spread, limit) in [(8, 0.05, 0.3), (8, 0.1, 0.4), (20, 0.1, 0.36), (20, 0.2, 0.52)] {
            let (lag, requests) = against_even(runs, near(usual, spread), near(usual, spread));
            assert!(lag * requests <= limit * 1.04, "{usual}, {runs} runs, {spread}: {lag} x {requests}");
            assert!(requests <= 1.25, "{usual}, {runs} runs, {spread}: {requests}");
        }
        let exponential = |chance: &mut Chance| (-usual * (1.0 - chance.unit()).ln()).max(1.0);
        let early = |chance: &mut Chance| {
            let early = chance.unit() < 0.1;
            if early { usual * (0.02 + 0.48 * chance.unit()) } else { near(usual, 0.1)(chance) }
        };
        let adversarial = [
            ("2x longer", against_even(20, near(usual, 0.1), near(usual * 2.0, 0.1))),
            ("2x shorter", against_even(20, near(usual * 2.0, 0.1), near(usual, 0.1))),
            ("all too long", against_even(20, near(usual * 4.0, 0.1), near(usual, 0.1))),
            ("all too short", against_even(20, near(usual / 4.0, 0.1), near(usual, 0.1))),
            ("spread 100 %", against_even(20, exponential, exponential)),
            ("sigma 1, 3 known", against_even(3, near(usual, 1.0), near(usual, 1.0))),
            ("early failures", against_even(20, near(usual, 0.1), early)),
            ("always fails at 10 %", against_even(20, near(usual, 0.1), near(usual * 0.15, 0.3))),
        ];
        for (name, (lag, requests)) in adversarial {
            assert!(lag * requests <= 1.25 * 1.04, "{usual}, {name}: {lag} x {requests}");
        }
    }
}

mod plans;
