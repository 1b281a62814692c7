//! The rows of the table: what the past was like, what the runs are like now, and what is to be reached.

use crate::laws::Law::{self, Delayed, EarlyFailures, Exponential, Lognormal, Normal, TwoPeaks};

/// What a row must reach, against an even 10-second poll of such runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// At most this product of lag and requests.
    Product(f64),
    /// Nothing was promised.
    Shown,
}

/// What no row may exceed, whatever the runs do.
const AT_MOST: Target = Target::Product(1.25);

/// What is measured in one row.
pub struct Row {
    pub name: &'static str,
    /// How many past runs are known.
    pub history: usize,
    /// Of the past runs, and of those watched, for a usual time in seconds.
    pub laws: fn(f64) -> (Law, Law),
    /// The age at which the watch starts, as a share of the usual time.
    pub start: f64,
    /// The usual times, in seconds.
    pub usual: &'static [f64],
    pub target: Target,
}

/// 2 min, 5 min, 15 min, 1 h.
pub const USUAL: &[f64] = &[120.0, 300.0, 900.0, 3600.0];
const SHORT: &[f64] = &[10.0, 11.0, 12.0, 14.0, 16.0, 20.0, 30.0, 60.0];
const LONG: &[f64] = &[1200.0, 1800.0, 7200.0, 28_800.0];

impl Row {
    /// What the peers are compared on.
    pub fn steady() -> Row {
        row("", 20, Target::Shown, |t| same(Lognormal(t, 0.1)))
    }
}

fn row(name: &'static str, history: usize, target: Target, laws: fn(f64) -> (Law, Law)) -> Row {
    Row { name, history, laws, start: 0.0, usual: USUAL, target }
}

fn same(law: Law) -> (Law, Law) {
    (law, law)
}

pub fn groups() -> [(&'static str, Vec<Row>); 6] {
    let (steady, wide) = (Target::Product(0.36), Target::Product(0.52));
    let (few, few_wide) = (Target::Product(0.4), Target::Product(0.6));
    let (against, shown) = (AT_MOST, Target::Shown);
    [
        (
            "Regular: the past is right",
            vec![
                row("spread 5 %, 8 runs", 8, steady, |t| same(Lognormal(t, 0.05))),
                row("spread 5 %, 20 runs", 20, steady, |t| same(Lognormal(t, 0.05))),
                row("spread 5 %, 50 runs", 50, steady, |t| same(Lognormal(t, 0.05))),
                row("spread 10 %, 8 runs", 8, few, |t| same(Lognormal(t, 0.1))),
                row("spread 10 %, 20 runs", 20, steady, |t| same(Lognormal(t, 0.1))),
                row("spread 10 %, 50 runs", 50, steady, |t| same(Lognormal(t, 0.1))),
                row("spread 10 %, normal, 20 runs", 20, steady, |t| same(Normal(t, 0.1))),
                row("spread 20 %, 8 runs", 8, few_wide, |t| same(Lognormal(t, 0.2))),
                row("spread 20 %, 20 runs", 20, wide, |t| same(Lognormal(t, 0.2))),
                row("spread 20 %, 50 runs", 50, wide, |t| same(Lognormal(t, 0.2))),
                row("spread 20 %, normal, 20 runs", 20, few_wide, |t| same(Normal(t, 0.2))),
            ],
        ),
        (
            "Adversarial: runs take the usual time, the past says otherwise",
            vec![
                row("drift, 2x longer than the past", 20, against, |t| (Lognormal(t / 2.0, 0.1), Lognormal(t, 0.1))),
                row("drift, 2x shorter than the past", 20, against, |t| (Lognormal(t * 2.0, 0.1), Lognormal(t, 0.1))),
                row("history all too short, 4x", 20, against, |t| (Lognormal(t / 4.0, 0.1), Lognormal(t, 0.1))),
                row("history all too long, 4x", 20, against, |t| (Lognormal(t * 4.0, 0.1), Lognormal(t, 0.1))),
                row("two peaks, 30 % at 0.4x", 20, against, |t| same(TwoPeaks(t, 0.1, 0.3, 0.4))),
                row("two peaks, 50 % at 3x, 8 runs", 8, against, |t| same(TwoPeaks(t, 0.1, 0.5, 3.0))),
                row("spread 100 %, lognormal", 20, against, |t| same(Lognormal(t, 1.0))),
                row("spread 100 %, exponential", 20, against, |t| same(Exponential(t))),
                row("spread 100 %, exponential, 8 runs", 8, against, |t| same(Exponential(t))),
                row("10 % early failures", 20, against, |t| same(EarlyFailures(t, 0.1, 0.1))),
                row("10 % early failures, none before", 20, against, |t| {
                    (Lognormal(t, 0.1), EarlyFailures(t, 0.1, 0.1))
                }),
            ],
        ),
        (
            "Adversarial: the past took the usual time, runs now do not",
            vec![
                row("2x longer, spread 5 %", 20, against, |t| (Lognormal(t, 0.05), Lognormal(t * 2.0, 0.05))),
                row("2x longer, 8 runs", 8, against, |t| (Lognormal(t, 0.1), Lognormal(t * 2.0, 0.1))),
                row("2x longer, 20 runs", 20, against, |t| (Lognormal(t, 0.1), Lognormal(t * 2.0, 0.1))),
                row("2x longer, 50 runs", 50, against, |t| (Lognormal(t, 0.1), Lognormal(t * 2.0, 0.1))),
                row("2x longer, spread 20 %", 20, against, |t| (Lognormal(t, 0.2), Lognormal(t * 2.0, 0.2))),
                row("2x shorter", 20, against, |t| (Lognormal(t, 0.1), Lognormal(t / 2.0, 0.1))),
            ],
        ),
        (
            "Adversarial: the runs now fail early, or few runs of any length are known",
            vec![
                row("always fails at 10 %", 20, against, |t| (Lognormal(t, 0.1), Lognormal(t * 0.1, 0.1))),
                row("always fails at 15 %", 20, against, |t| (Lognormal(t, 0.1), Lognormal(t * 0.15, 0.1))),
                row("always fails at 20 %", 20, against, |t| (Lognormal(t, 0.1), Lognormal(t * 0.2, 0.1))),
                row("always fails at 30 %", 20, against, |t| (Lognormal(t, 0.1), Lognormal(t * 0.3, 0.1))),
                row("always fails at 60 %", 20, against, |t| (Lognormal(t, 0.1), Lognormal(t * 0.6, 0.1))),
                row("lognormal sigma 1, 3 runs", 3, against, |t| same(Lognormal(t, 1.311))),
                row("lognormal sigma 1, 8 runs", 8, against, |t| same(Lognormal(t, 1.311))),
                row("lognormal sigma 1.3, 3 runs", 3, against, |t| same(Lognormal(t, 2.1))),
                row("exponential, 3 runs", 3, against, |t| same(Exponential(t))),
            ],
        ),
        (
            "Short and long runs",
            vec![
                Row { usual: SHORT, ..row("spread 10 %, 20 runs", 20, against, |t| same(Lognormal(t, 0.1))) },
                Row { usual: SHORT, ..row("spread 30 %, 5 runs", 5, against, |t| same(Lognormal(t, 0.3))) },
                Row { usual: LONG, ..row("spread 10 %, 20 runs", 20, steady, |t| same(Lognormal(t, 0.1))) },
                Row { usual: LONG, ..row("spread 20 %, 20 runs", 20, wide, |t| same(Lognormal(t, 0.2))) },
                Row {
                    usual: LONG,
                    ..row("always fails at 10 %", 20, against, |t| (Lognormal(t, 0.1), Lognormal(t * 0.1, 0.1)))
                },
                Row { usual: LONG, ..row("2x longer", 20, against, |t| (Lognormal(t, 0.1), Lognormal(t * 2.0, 0.1))) },
            ],
        ),
        (
            "Shown: nothing was promised",
            vec![
                row("spread 2 %, 8 runs", 8, shown, |t| same(Lognormal(t, 0.02))),
                row("spread 2 %, 50 runs", 50, shown, |t| same(Lognormal(t, 0.02))),
                row("spread 40 %, 20 runs", 20, shown, |t| same(Lognormal(t, 0.4))),
                row("spread 10 %, sharp start, 20 runs", 20, shown, |t| same(Delayed(t, 0.1))),
                row("spread 10 %, 3 runs", 3, shown, |t| same(Lognormal(t, 0.1))),
                row("spread 10 %, 5 runs", 5, shown, |t| same(Lognormal(t, 0.1))),
                row("1.3x longer than the past", 20, shown, |t| (Lognormal(t, 0.1), Lognormal(t * 1.3, 0.1))),
                row("1.5x longer than the past", 20, shown, |t| (Lognormal(t, 0.1), Lognormal(t * 1.5, 0.1))),
                row("always fails at 2 %", 20, shown, |t| (Lognormal(t, 0.1), Lognormal(t * 0.02, 0.1))),
                row("always fails at 5 %", 20, shown, |t| (Lognormal(t, 0.1), Lognormal(t * 0.05, 0.1))),
                Row {
                    start: 0.6,
                    ..row("spread 10 %, waited for from 0.6x on", 20, shown, |t| same(Lognormal(t, 0.1)))
                },
            ],
        ),
    ]
}
