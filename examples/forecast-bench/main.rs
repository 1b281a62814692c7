//! `cargo run --release --example forecast-bench [-- SEED]`: what the forecast is worth, in tables.
//!
//! A row draws 2,000 histories and for each ten runs that are then watched, 20,000 in all, from the age of two seconds
//! on. It shows the mean lag (from the end to the poll that sees it), the mean number of requests, and the same against
//! an even 10-second poll of the very same runs. The product of both is what counts: each can be had for the other.
//! `best` is our lag over that of the best schedule there is, for one who knows the true distribution (`oracle.rs`).
//! Seeds are fixed; another one shows what is chance.

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
use rows::{Row, Target};
use schedules::{Cost, PEERS, Peer, play};

const HISTORIES: u32 = 2_000;
const RUNS_EACH: u32 = 10;

/// The run times of the table: 2 min, 5 min, 15 min, 1 h.
const USUAL: [(&str, f64); 4] = [("2 min", 120.0), ("5 min", 300.0), ("15 min", 900.0), ("1 h", 3600.0)];

fn main() {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("seed {seed}, {} runs a row\n", HISTORIES * RUNS_EACH);
    println!(
        "{:34} {:>6} | {:>6} {:>7} | {:>7} {:>5} {:>8} {:>5} |",
        "", "usual", "lag s", "requests", "product", "lag", "requests", "best"
    );
    let mut missed = 0;
    for (title, rows) in rows::groups() {
        println!("{title}");
        for row in rows {
            for (usual, seconds) in USUAL {
                missed += u32::from(!show(&row, usual, seconds, seed));
            }
        }
    }
    println!();
    peers(seed);
    missed += herd::show(seed);
    println!("\n{missed} targets missed");
}

/// Measures a row and prints it; returns whether it reaches its target.
fn show(row: &Row, usual: &str, seconds: f64, seed: u64) -> bool {
    let (ours, even, oracle) = measure(row, seconds, seed);
    let (product, lag, requests) =
        (ours.product() / even.product(), ours.lag / even.lag, ours.requests / even.requests);
    let best = oracle.map(|oracle| ours.lag / oracle.lag(ours.requests));
    let reached = match row.target {
        Target::Regular { product: limit } => {
            product <= limit && requests <= 1.0 && best.is_none_or(|best| best <= 1.25)
        }
        Target::Adversarial => product <= 1.15 && lag <= 2.0,
        Target::Shown => true,
    };
    println!(
        "{:34} {:>6} | {:6.2} {:8.1} | {product:7.3} {lag:5.2} {requests:8.2} {:>5} | {}",
        row.name,
        usual,
        ours.lag,
        ours.requests,
        best.map_or(String::new(), |best| format!("{best:.2}")),
        if reached { "" } else { "MISSED" },
    );
    reached
}

/// The cost of our schedule, of the even poll, and the best there is, where that is asked for.
fn measure(row: &Row, seconds: f64, seed: u64) -> (Cost, Cost, Option<Oracle>) {
    let mut chance = Chance(seed ^ seconds.to_bits());
    let (past_law, law) = (row.laws)(seconds);
    let start = (row.start * seconds).max(2.0);
    let (mut ours, mut even) = (Cost::default(), Cost::default());
    for _ in 0..HISTORIES {
        let past: Vec<PastRun> = (0..row.history).map(|_| past_law.draw(&mut chance)).collect();
        let forecast = Forecast::new(&past, Duration::from_secs_f64(start), chance.bits());
        let wait = |nth, age| match &forecast {
            Some(forecast) => forecast.wait(Duration::from_secs_f64(age)).as_secs_f64(),
            None => (RAMP.wait)(nth, &mut Chance(0)),
        };
        for _ in 0..RUNS_EACH {
            let length = law.draw_beyond(start, &mut chance);
            ours.add(play(length, start, wait));
            even.add(play(length, start, |_, _| 10.0));
        }
    }
    let runs = f64::from(HISTORIES * RUNS_EACH);
    let oracle = matches!(row.target, Target::Regular { .. } | Target::Shown)
        .then(|| Oracle::new((0..SAMPLE).map(|_| law.draw_beyond(start, &mut chance)).collect(), start));
    (ours.over(runs), even.over(runs), oracle)
}

const RAMP: &Peer = &PEERS[PEERS.len() - 1];

/// The peers' schedules on steady runs, and ours: product against the even poll.
fn peers(seed: u64) {
    println!("Steady runs (10 %), the peers' schedules: lag s / requests / product against the even 10 s");
    let row = Row::steady();
    let columns: Vec<(Cost, Cost)> =
        USUAL.map(|(_, seconds)| measure(&row, seconds, seed)).map(|(o, e, _)| (o, e)).into();
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
    println!("{:52} | {}", "", USUAL.map(|(usual, _)| format!("{usual:^21}")).join(" | "));
    for peer in &PEERS {
        let costs = USUAL.map(|(_, seconds)| {
            let mut chance = Chance(seed ^ seconds.to_bits());
            let law = (row.laws)(seconds).1;
            let mut sum = Cost::default();
            for _ in 0..HISTORIES * RUNS_EACH {
                let length = law.draw_beyond(2.0, &mut chance);
                let mut cost = play(length, 2.0, |nth, _| (peer.wait)(nth, &mut chance));
                cost.requests *= peer.requests;
                sum.add(cost);
            }
            sum.over(f64::from(HISTORIES * RUNS_EACH))
        });
        show(peer.name, costs.into());
    }
    show("ours, 20 past runs", columns.iter().map(|(ours, _)| *ours).collect());
    println!();
}
