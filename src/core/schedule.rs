//! When to poll again: the spacing of polls while all is well, and while something is missing.

use std::time::Duration;

use super::spacing::{FLOOR, unit};
use super::{Forecast, PastRun, Wanted};

/// The time between two polls while all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// By the forecast, once there is one, unless runs are short; else a ramp from one second to ten. Jittered by the run's id.
    Auto,
    /// Always the same.
    Fixed(Duration),
}

/// The ramp of `auto`. Short runs are seen to end within a second or two; after half a minute an even ten seconds costs
/// the service six requests a minute.
const RAMP: Backoff = Backoff { first: 1.25, factor: 1.25, most: 10.0, apart: 0.2 };

/// The spacing while the service gives no usable answer, or does not know the run: 1 to 30 s (docs/reference.md#time-limits-and-polling).
const BACKOFF: Backoff = Backoff { first: 1.25, factor: 1.6, most: 30.0, apart: 0.4 };

/// A geometric growth, in seconds.
pub(super) struct Backoff {
    pub(super) first: f64,
    pub(super) factor: f64,
    pub(super) most: f64,
    /// By how much the pace of one run may be quicker than that of another.
    pub(super) apart: f64,
}

/// The looks at one run.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    interval: Interval,
    seed: u64,
    /// What sets this gate apart from others that wait for the same run; none if the run was named.
    salt: Option<u64>,
    forecast: Option<Forecast>,
}

impl Schedule {
    pub(super) fn new(interval: Interval, wanted: &Wanted) -> Schedule {
        Schedule { interval, seed: hash(wanted), salt: None, forecast: None }
    }

    /// The same with a rhythm of its own for every gate: many gates may wait for the next run of one pipeline.
    pub(super) fn salted(self, salt: u64) -> Schedule {
        Schedule { seed: self.seed ^ salt, salt: Some(salt), ..self }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// What was wanted is known by now.
    pub(super) fn turn_to(&mut self, run: &Wanted) {
        self.seed = hash(run) ^ self.salt.unwrap_or_default();
        self.forecast = None;
    }

    /// Takes in what the previous runs say about a run of this age. Returns how long to wait from now on, if that changes.
    pub(super) fn learn(&mut self, past: &[PastRun], age: Duration) -> Option<Duration> {
        let forecast = Forecast::new(past, age, self.seed)?;
        let wait = self.planned(&forecast, age);
        self.forecast = Some(forecast);
        wait.filter(|_| self.interval == Interval::Auto)
    }

    pub(super) fn forecast(&self) -> Option<&Forecast> {
        self.forecast.as_ref()
    }

    /// The wait after an answer that shows a run of this age in progress, the `nth` in a row (from 0).
    pub(super) fn in_progress(&self, nth: u32, age: Option<Duration>) -> Duration {
        match self.interval {
            Interval::Auto => {
                let planned = self.forecast.as_ref().zip(age).and_then(|(forecast, age)| self.planned(forecast, age));
                planned.unwrap_or_else(|| RAMP.wait(nth, self.seed))
            }
            Interval::Fixed(interval) => interval.max(FLOOR),
        }
    }

    fn planned(&self, forecast: &Forecast, age: Duration) -> Option<Duration> {
        if self.salt.is_some() { every_fourth(forecast, age) } else { forecast.wait(age) }
    }

    /// The wait after an answer without a record, the `nth` in a row (from 0).
    pub(super) fn after_miss(&self, nth: u32) -> Duration {
        BACKOFF.wait(nth, !self.seed)
    }
}

/// The wait of a gate that waits for a fresh run: of the polls that the forecast plans it makes every fourth. It has no
/// more to do than see the end sooner than a list every 30 s would show it, and it has polled the list before.
pub(super) fn every_fourth(forecast: &Forecast, age: Duration) -> Option<Duration> {
    let mut waits = Duration::ZERO;
    for _ in 0..4 {
        waits += forecast.wait(age + waits).unwrap_or_default();
    }
    (!waits.is_zero()).then_some(waits)
}

impl Backoff {
    /// Never under the floor. Each run has a pace of its own: gates that were started together drift apart with every
    /// look, and by the end of the first minute no longer beat in step, which a jitter anew each time would not reach.
    pub(super) fn wait(&self, nth: u32, seed: u64) -> Duration {
        let grown = self.first * self.factor.powi(i32::try_from(nth.min(64)).unwrap_or(64));
        Duration::from_secs_f64(grown.min(self.most) * self.pace(seed)).max(FLOOR)
    }

    /// The share of each wait that the run with this seed waits.
    pub(super) fn pace(&self, seed: u64) -> f64 {
        1.0 - self.apart * unit(seed)
    }
}

/// FNV-1a over the ids: the same run is polled in the same rhythm on every machine, which makes reports comparable.
fn hash(wanted: &Wanted) -> u64 {
    let bytes = wanted.pipeline().as_str().bytes().chain([b'/']).chain(wanted.run().bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{PipelineId, RunId, Target};

    fn target(run: &str) -> Wanted {
        Wanted::Run(Target { pipeline: PipelineId::new("p").expect("an id"), run: RunId::new(run).expect("an id") })
    }

    #[test]
    fn the_ramp_grows_from_one_second_to_ten() {
        let schedule = Schedule::new(Interval::Auto, &target("r"));
        let waits: Vec<f64> = (0..40).map(|nth| schedule.in_progress(nth, None).as_secs_f64()).collect();
        assert!((1.0..=1.25).contains(&waits[0]), "{waits:?}");
        assert!(waits.iter().all(|wait| (1.0..=10.0).contains(wait)), "{waits:?}");
        assert!(waits[12..].iter().all(|wait| *wait >= 8.0), "{waits:?}");
    }

    #[test]
    fn the_backoff_stays_between_one_second_and_thirty_for_ever() {
        let schedule = Schedule::new(Interval::Fixed(Duration::from_secs(3600)), &target("r"));
        for nth in (0..100).chain([u32::MAX]) {
            let wait = schedule.after_miss(nth);
            assert!(wait >= FLOOR && wait <= Duration::from_secs(30), "{wait:?}");
        }
        assert!(schedule.after_miss(20) >= Duration::from_secs(18));
    }

    #[test]
    fn gates_on_different_runs_do_not_beat_in_step() {
        let waits: std::collections::BTreeSet<Duration> = (0..100)
            .map(|run| Schedule::new(Interval::Auto, &target(&run.to_string())).in_progress(30, None))
            .collect();
        assert!(waits.len() > 95, "{} different waits", waits.len());
    }

    /// The polls a second of ten thousand gates that started together, for ten minutes.
    fn herd(wait: impl Fn(&Schedule, u32) -> Duration) -> Vec<u32> {
        let mut polls = vec![0; 600];
        for run in 0..10_000 {
            let schedule = Schedule::new(Interval::Auto, &target(&format!("run-{run}")));
            let mut due = Duration::ZERO;
            for nth in 0.. {
                let Some(second) = polls.get_mut(due.as_secs() as usize) else { break };
                *second += 1;
                due += wait(&schedule, nth);
            }
        }
        polls
    }

    #[test]
    fn ten_thousand_gates_started_together_do_not_beat_in_step_after_a_minute() {
        let polls = herd(|schedule, nth| schedule.in_progress(nth, None));
        let (peak, sum) = polls[60..].iter().fold((0, 0), |(peak, sum), polls| (peak.max(*polls), sum + polls));
        assert!(f64::from(peak) <= 1.5 * f64::from(sum) / 540.0, "{polls:?}");
    }

    #[test]
    fn what_gates_add_to_a_service_in_trouble_falls_and_spreads() {
        let polls = herd(Schedule::after_miss);
        let minutes: Vec<u32> = polls.chunks(60).map(|minute| minute.iter().sum()).collect();
        assert!(minutes[0] > 2 * minutes[1], "{minutes:?}");
        // From ten polls in the first minute to under three.
        assert!(minutes[0] > 80_000 && minutes[1..].iter().all(|polls| *polls < 30_000), "{minutes:?}");
        let peak = polls[60..].iter().max().expect("nine minutes");
        assert!(f64::from(*peak) <= 1.5 * f64::from(minutes[1..].iter().sum::<u32>()) / 540.0, "{peak} of {minutes:?}");
    }

    #[test]
    fn a_run_s_pace_is_its_own_and_another_one_while_something_is_missing() {
        // The first output of SplitMix64 for the seed 0, as published.
        assert!((unit(0) - 0.883_310_808_213_642_6).abs() < 1e-15, "{}", unit(0));
        let schedule = Schedule::new(Interval::Auto, &target("r"));
        let pace = |wait: Duration, most: f64, apart: f64| (1.0 - wait.as_secs_f64() / most) / apart;
        let (record, failure) = (schedule.in_progress(60, None), schedule.after_miss(60));
        assert!((pace(record, 10.0, 0.2) - unit(schedule.seed)).abs() < 1e-6);
        assert!((pace(failure, 30.0, 0.4) - unit(!schedule.seed)).abs() < 1e-6);
    }

    #[test]
    fn a_fixed_interval_is_kept() {
        let schedule = Schedule::new(Interval::Fixed(Duration::from_secs(7)), &target("r"));
        assert_eq!(schedule.in_progress(0, None), Duration::from_secs(7));
        assert_eq!(schedule.in_progress(1000, None), Duration::from_secs(7));
    }
}
