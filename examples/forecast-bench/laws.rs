//! How long runs take, drawn: the laws of the table's rows, and the only source of chance.

use std::f64::consts::TAU;
use std::time::Duration;

use maestro_gate::core::PastRun;

/// `SplitMix64`: small, and the same everywhere.
#[derive(Clone)]
pub struct Chance(pub u64);

impl Chance {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normally, around 0 with a deviation of 1.
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (TAU * self.unit()).cos()
    }
}

/// How long runs take, in seconds: a mean first, a spread (standard deviation over mean) second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    Lognormal(f64, f64),
    Normal(f64, f64),
    Exponential(f64),
    /// A fixed part, then an exponential one that is this share of the mean: a sharp start and a long tail.
    Delayed(f64, f64),
    /// A share of the runs takes so many times as long: (mean, spread, share, times).
    TwoPeaks(f64, f64, f64, f64),
    /// A share of the runs fails somewhere in the first half: (mean, spread, share).
    EarlyFailures(f64, f64, f64),
}

impl Law {
    pub fn draw(self, chance: &mut Chance) -> PastRun {
        let mut passed = true;
        let seconds = match self {
            Law::Lognormal(mean, spread) => {
                let variance = (1.0 + spread * spread).ln();
                (mean.ln() - variance / 2.0 + variance.sqrt() * chance.normal()).exp()
            }
            Law::Normal(mean, spread) => mean * (1.0 + spread * chance.normal()).max(0.1),
            Law::Exponential(mean) => -mean * (1.0 - chance.unit()).ln(),
            Law::Delayed(mean, spread) => mean * (1.0 - spread - spread * (1.0 - chance.unit()).ln()),
            Law::TwoPeaks(mean, spread, share, times) => {
                let mean = if chance.unit() < share { mean * times } else { mean };
                return Law::Lognormal(mean, spread).draw(chance);
            }
            Law::EarlyFailures(mean, spread, share) => {
                if chance.unit() >= share {
                    return Law::Lognormal(mean, spread).draw(chance);
                }
                passed = false;
                mean * (0.02 + 0.48 * chance.unit())
            }
        };
        PastRun { duration: Duration::from_secs_f64(seconds.max(1.0)), passed }
    }

    /// The length of a run that is still going at `age`; both in seconds.
    pub fn draw_beyond(self, age: f64, chance: &mut Chance) -> f64 {
        loop {
            let seconds = self.draw(chance).duration.as_secs_f64();
            if seconds > age {
                return seconds;
            }
        }
    }
}
