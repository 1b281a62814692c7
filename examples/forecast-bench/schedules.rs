//! The schedules compared: ours is the library's, the others are those of docs/pipelines.md#what-the-forecast-is-worth, as in their code.

use crate::laws::Chance;

/// What a schedule cost for one run: how late the end was seen, in seconds, and how many requests it took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub lag: f64,
    pub requests: f64,
}

impl Cost {
    pub fn add(&mut self, other: Cost) {
        self.lag += other.lag;
        self.requests += other.requests;
    }

    pub fn over(self, runs: f64) -> Cost {
        Cost { lag: self.lag / runs, requests: self.requests / runs }
    }

    pub fn product(self) -> f64 {
        self.lag * self.requests
    }
}

/// Looks at a run from `age` on until it is seen to have ended. `wait` gets the number of the poll and the run's age.
pub fn play(length: f64, mut age: f64, mut wait: impl FnMut(u32, f64) -> f64) -> Cost {
    let mut looks = 1;
    while age < length {
        age += wait(looks - 1, age);
        looks += 1;
    }
    Cost { lag: age - length, requests: f64::from(looks) }
}

/// Another gate's way to wait.
pub struct Peer {
    pub name: &'static str,
    /// Requests for each poll.
    pub requests: f64,
    /// The wait after the `nth` look, in seconds.
    pub wait: fn(u32, &mut Chance) -> f64,
}

pub const PEERS: [Peer; 9] = [
    Peer { name: "wait-on-check, trigger-and-wait: 10 s", requests: 1.0, wait: |_, _| 10.0 },
    Peer { name: "gh run watch: 3 s, three requests", requests: 3.0, wait: |_, _| 3.0 },
    Peer {
        name: "tfci: 2, 4, 6, then 7 s",
        requests: 1.0,
        wait: |nth, _| [2.0, 4.0, 6.0][..].get(nth as usize).copied().unwrap_or(7.0),
    },
    Peer {
        name: "databricks CLI: 1 s growing to 10 s",
        requests: 1.0,
        wait: |nth, chance| (1.0 + f64::from(nth)).min(10.0) + 0.7 * chance.unit(),
    },
    Peer { name: "run-notebook, dbt-cloud-cli, await-remote-run: 5 s", requests: 1.0, wait: |_, _| 5.0 },
    Peer { name: "codebuild: 30 s, two requests", requests: 2.0, wait: |_, _| 30.0 },
    Peer { name: "dbt-cloud-action: 30 s after 30 s", requests: 1.0, wait: |_, _| 30.0 },
    Peer {
        name: "Smithy waiters: 2 s doubling to 120 s, full jitter",
        requests: 1.0,
        wait: |nth, chance| 2.0 + chance.unit() * (2.0_f64.powi(nth.min(10) as i32 + 1).min(120.0) - 2.0),
    },
    // The ramp that `auto` has without a history, in the middle of its jitter.
    Peer {
        name: "ours without a history: the ramp",
        requests: 1.0,
        wait: |nth, _| (1.25_f64.powi(nth.min(20) as i32 + 1).min(10.0) * 0.9).max(1.0),
    },
];
