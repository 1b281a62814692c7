//! Ten thousand gates started in the same second: how even their requests are, through the real core.
//!
//! Every gate is a [`Gate`] with one run, whose answers take 0.1 to 0.4 s and whose history comes after the first one.
//! Looks are counted by the second they start in, from the second minute on.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use maestro_gate::core::{
    Answer, ApiRequest, Effect, Failure, FailureKind, Freshness, Gate, IfStale, Interval, Learning, Limits, ListedRun,
    Observation, OnFirstFailure, Operation, PastRun, PipelineId, PollTarget, Record, Rules, RunId, Target, Untrusted,
    Vocabulary,
};

use crate::laws::{Chance, Law};

const GATES: u32 = 10_000;

/// Looks are counted in this many seconds, of which the first minute is left out.
const SECONDS: usize = 900;
const LEFT_OUT: usize = 60;

/// What the gates meet.
struct Herd {
    name: &'static str,
    /// The usual run time, drawn for each gate's pipeline; `None`: the run goes on and nothing is known.
    usual: Option<fn(&mut Chance) -> f64>,
    /// Whether runs end, or the service has stalled and all of them go on.
    runs_end: bool,
    /// Whether each answer is a 503.
    in_trouble: bool,
}

const HERDS: [Herd; 5] = [
    Herd { name: "no history: the ramp", usual: None, runs_end: false, in_trouble: false },
    Herd { name: "pipelines of 2 min to 1 h, runs end", usual: Some(mixed), runs_end: true, in_trouble: false },
    Herd { name: "the same, all runs stall", usual: Some(mixed), runs_end: false, in_trouble: false },
    Herd { name: "all pipelines take an hour", usual: Some(|_| 3600.0), runs_end: true, in_trouble: false },
    Herd { name: "all answers are 503", usual: None, runs_end: false, in_trouble: true },
];

/// Evenly on a ratio scale: as many from 2 to 4 minutes as from half an hour to one.
fn mixed(chance: &mut Chance) -> f64 {
    120.0 * 30.0_f64.powf(chance.unit())
}

/// The peak over the mean that no herd may exceed.
const UNEVEN: f64 = 1.5;

/// Prints how even the requests of each herd are; returns how many are too uneven.
pub fn show(seed: u64) -> u32 {
    let mut missed = 0;
    println!("{GATES} gates started in the same second: looks a second after the first minute");
    println!(
        "{:38} | {:>6} {:>6} {:>9} | looks of one gate in minutes 1, 2, 3, 5, 10, 15",
        "", "mean", "peak", "peak/mean"
    );
    for herd in &HERDS {
        let looks = looks(herd, seed);
        // Where runs end, the mean falls with them: each second is compared with the five minutes around it.
        let peak = (LEFT_OUT..SECONDS).map(|at| looks[at]).max().unwrap_or_default();
        let uneven = (LEFT_OUT..SECONDS)
            .map(|at| {
                let from = at.saturating_sub(150).clamp(LEFT_OUT, SECONDS - 300);
                f64::from(looks[at]) / mean(&looks[from..from + 300])
            })
            .fold(0.0, f64::max);
        let by_minute = [1, 2, 3, 5, 10, 15]
            .map(|minute| format!("{:5.2}", 60.0 * mean(&looks[(minute - 1) * 60..minute * 60]) / f64::from(GATES)));
        let reached = uneven <= UNEVEN;
        missed += u32::from(!reached);
        println!(
            "{:38} | {:6.0} {peak:6} {uneven:9.2} | {} | {}",
            herd.name,
            mean(&looks[LEFT_OUT..]),
            by_minute.join(" "),
            if reached { "" } else { "MISSED" }
        );
    }
    missed
}

fn mean(looks: &[u32]) -> f64 {
    f64::from(looks.iter().sum::<u32>()) / looks.len() as f64
}

/// The polls of all gates, by the second.
fn looks(herd: &Herd, seed: u64) -> Vec<u32> {
    let mut looks = vec![0; SECONDS];
    let mut chance = Chance(seed);
    for gate in 0..GATES {
        watch(herd, gate, &mut chance, &mut looks);
    }
    looks
}

/// One gate's watch of its run.
fn watch(herd: &Herd, number: u32, chance: &mut Chance, looks: &mut [u32]) {
    let law = herd.usual.map(|usual| Law::Lognormal(usual(chance), 0.15));
    let past: Vec<PastRun> = law.iter().flat_map(|law| (0..15).map(|_| law.draw(chance)).collect::<Vec<_>>()).collect();
    let length = law.filter(|_| herd.runs_end).map_or(Duration::MAX, |law| law.draw(chance).duration);
    let mut gate = Gate::new(rules(), vec![target(number)]);
    let mut due = Duration::ZERO;
    loop {
        let Some(second) = usize::try_from(due.as_secs()).ok().and_then(|at| looks.get_mut(at)) else { return };
        *second += 1;
        let answered = due + Duration::from_secs_f64(0.1 + 0.3 * chance.unit());
        let answer = if herd.in_trouble { unavailable() } else { record(answered, length) };
        let Some(next) = gate.observe(0, answered, answer, &mut Vec::new()) else { return };
        due = next;
        if gate.forecast(0).is_none() {
            let learned = answered + Duration::from_secs_f64(0.1 + 0.3 * chance.unit());
            learn(&mut gate, learned, &past);
            let moved = gate.take_moved().into_iter().rfind(|(target, _)| *target == PollTarget::Run(0));
            due = moved.map_or(due, |(_, at)| at);
        }
    }
}

/// The gate reads its pipeline's list, if it wants to.
fn learn(gate: &mut Gate, elapsed: Duration, past: &[PastRun]) {
    let Some(ApiRequest::Survey(mut list)) = gate.list_summary(0, elapsed) else { return };
    for (past, hours) in past.iter().zip(1..) {
        let created = DateTime::<Utc>::UNIX_EPOCH - TimeDelta::hours(hours);
        list.take(ListedRun {
            status: Some(Untrusted::new(if past.passed { "SUCCESS" } else { "FAILED" })),
            created_at: Some(created),
            updated_at: Some(created + past.duration),
            ..ListedRun::default()
        });
    }
    let answer = Answer { observation: Observation::Record(*list), retry_after: None, date: None };
    gate.list_summary_received(0, elapsed, answer, &mut Vec::new());
}

fn rules() -> Rules {
    let hours = Duration::from_secs(5 * 3600);
    Rules {
        limits: Limits { timeout: hours, appear: hours, outage: hours },
        interval: Interval::Auto,
        vocabulary: Vocabulary::new(Vec::new(), Vec::new()).expect("no words of the user's"),
        freshness: Freshness::default(),
        if_stale: IfStale::Fail,
        retries: 0,
        began: None,
        learning: Learning::On,
        on_first_failure: OnFirstFailure::WaitForAll,
    }
}

fn target(number: u32) -> Target {
    Target {
        pipeline: PipelineId::new("nightly").expect("an id"),
        run: RunId::new(&format!("run-{number}")).expect("an id"),
    }
}

fn record(elapsed: Duration, length: Duration) -> Answer {
    let created = DateTime::<Utc>::UNIX_EPOCH;
    let status = if elapsed < length { "RUNNING" } else { "SUCCESS" };
    Answer {
        observation: Observation::Record(Record {
            pipeline_id: Untrusted::new("nightly"),
            run_id: Untrusted::new("run"),
            status: Untrusted::new(status),
            created_at: Some(created),
            updated_at: Some(created),
            trace: None,
            repaired: Vec::new(),
        }),
        retry_after: None,
        date: Some(created + elapsed),
    }
}

fn unavailable() -> Answer {
    let failure = Failure { during: Operation::GetRun, kind: FailureKind::Http(503), detail: None };
    Answer { observation: Observation::Missing(Effect::Unusable, failure), retry_after: None, date: None }
}
