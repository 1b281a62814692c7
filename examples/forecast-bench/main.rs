//! `cargo run --release --example forecast-bench [-- SEED]`: what the forecast is worth, in tables.
//!
//! A row draws 500 histories and for each ten runs that are then waited for, 5,000 in all, from the age of two seconds on. It
//! shows the mean lag (from the end to the poll that sees it), the mean number of requests, and both against an even
//! 10-second poll of runs of these lengths, whatever its luck: five seconds, and one request for each ten seconds and one
//! and a half (the first, and half of the last). The product is what counts: lag and requests can be traded for each other.
//! `bound` is the least product of any schedule that knows the true distribution, with gaps of 1 s to the widest allowed
//! (`oracle.rs`); `best` is our lag over that of the best schedule with as many requests as ours. Seeds are fixed; another
//! one shows what is chance. `bench/run.py fleet` writes the figures into the documentation.

#![expect(clippy::disallowed_macros, reason = "a program of its own, which prints")]
#![expect(clippy::disallowed_methods, reason = "it is told its seed on the command line")]

mod herd;
mod laws;
mod oracle;
mod rows;
mod schedules;

use std::time::Duration;

use laws::Chance;
use maestro_gate::core::{Forecast, PastRun};
use oracle::{Oracle, SAMPLE};
use rows::{Row, Target, USUAL};
use schedules::{Cost, PEERS, Peer, play};

const HISTORIES: u32 = 500;
const RUNS_EACH: u32 = 10;

fn main() {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("seed {seed}, {} runs a row\n", HISTORIES * RUNS_EACH);
    let mut missed = herd::show(seed) as usize;
    println!();
    peers(seed);
    println!(
        "{:36} {:>6} | {:>6} {:>8} | {:>7} {:>6} {:>8} | {:>5} {:>5} |",
        "", "usual", "lag s", "requests", "product", "lag", "requests", "bound", "best"
    );
    for (title, rows) in rows::groups() {
        println!("{title}");
        for row in rows {
            missed += row.usual.iter().filter(|seconds| !show(&row, **seconds, seed)).count();
        }
    }
    println!("\n{missed} targets missed");
}

/// Measures a row and prints it; returns whether it reaches its target.
fn show(row: &Row, seconds: f64, seed: u64) -> bool {
    let (ours, even, oracle) = measure(row, seconds, seed);
    let (product, lag, requests) =
        (ours.product() / even.product(), ours.lag / even.lag, ours.requests / even.requests);
    let reached = match row.target {
        // Five thousand runs leave a per cent to chance.
        Target::Product(limit) => product <= 1.01 * limit,
        Target::Shown => true,
    };
    println!(
        "{:36} {seconds:>6} | {:6.2} {:8.1} | {product:7.3} {lag:6.2} {requests:8.2} | {:5.3} {:5.2} | {}",
        row.name,
        ours.lag,
        ours.requests,
        oracle.product() / even.product(),
        ours.lag / oracle.lag(ours.requests),
        if reached { "" } else { "MISSED" },
    );
    reached
}

/// The cost of our schedule, of the even poll, and the best there is.
fn measure(row: &Row, seconds: f64, seed: u64) -> (Cost, Cost, Oracle) {
    let mut chance = Chance(seed ^ seconds.to_bits());
    let (past_law, law) = (row.laws)(seconds);
    let start = (row.start * seconds).max(2.0);
    let (mut ours, mut even) = (Cost::default(), Cost::default());
    for _ in 0..HISTORIES {
        let past: Vec<PastRun> = (0..row.history).map(|_| past_law.draw(&mut chance)).collect();
        let forecast = Forecast::new(&past, Duration::from_secs_f64(start), chance.bits());
        let wait = |nth, age| {
            let planned = forecast.as_ref().and_then(|forecast| forecast.wait(Duration::from_secs_f64(age)));
            planned.map_or_else(|| (RAMP.wait)(nth, &mut Chance(0)), |wait| wait.as_secs_f64())
        };
        for _ in 0..RUNS_EACH {
            let length = law.draw_beyond(start, &mut chance);
            ours.add(play(length, start, wait));
            even.add(Cost { lag: 5.0, requests: (length - start) / 10.0 + 1.5 });
        }
    }
    let runs = f64::from(HISTORIES * RUNS_EACH);
    let sample = (0..SAMPLE).map(|_| law.draw_beyond(start, &mut chance)).collect();
    (ours.over(runs), even.over(runs), Oracle::new(sample, start, (seconds / 60.0).clamp(20.0, 60.0)))
}

const RAMP: &Peer = &PEERS[PEERS.len() - 1];

/// The peers' schedules on steady runs, and ours: product against the even poll.
fn peers(seed: u64) {
    println!("Steady runs (10 %), the peers' schedules: lag s / requests / product against the even 10 s");
    let row = Row::steady();
    let columns: Vec<(Cost, Cost)> =
        USUAL.iter().map(|seconds| measure(&row, *seconds, seed)).map(|(ours, even, _)| (ours, even)).collect();
    let show = |name: &str, costs: Vec<Cost>| {
        let cells: Vec<String> = costs
            .iter()
            .zip(&columns)
            .map(|(cost, (_, even))| {
                format!("{:6.2} {:7.1} {:6.3}", cost.lag, cost.requests, cost.product() / even.product())
            })
            .collect();
        println!("{name:52} | {}", cells.join(" | "));
    };
    println!("{:52} | {}", "", ["2 min", "5 min", "15 min", "1 h"].map(|usual| format!("{usual:^21}")).join(" | "));
    for peer in &PEERS {
        let costs = USUAL.iter().map(|seconds| {
            let mut chance = Chance(seed ^ seconds.to_bits());
            let law = (row.laws)(*seconds).1;
            let mut sum = Cost::default();
            for _ in 0..HISTORIES * RUNS_EACH {
                let length = law.draw_beyond(2.0, &mut chance);
                let mut cost = play(length, 2.0, |nth, _| (peer.wait)(nth, &mut chance));
                cost.requests *= peer.requests;
                sum.add(cost);
            }
            sum.over(f64::from(HISTORIES * RUNS_EACH))
        });
        show(peer.name, costs.collect());
    }
    show("ours, 20 past runs", columns.iter().map(|(ours, _)| *ours).collect());
    println!();
}
