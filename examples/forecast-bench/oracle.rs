//! The best schedule there is for somebody who knows the true distribution: what no forecast can beat.
//!
//! Looks at least 1 s apart and at most as far as ours may be, with the least mean lag for a given mean number of requests. Found exactly,
//! on a fine grid of ages: from the last age backwards, the best next poll from each (dynamic programming), for a price
//! of a request that is then chosen so that the mean number comes out as asked.

use crate::schedules::Cost;

/// How many runs stand for the true distribution, and how many ages at most the grid has.
pub const SAMPLE: usize = 40_000;
const AGES: f64 = 12_000.0;

/// The distribution on the grid.
pub struct Oracle {
    step: f64,
    /// The share of runs ended by each age, and its integral.
    ended: Vec<f64>,
    integral: Vec<f64>,
    /// The floor and the cap, in steps.
    gaps: (usize, usize),
}

impl Oracle {
    /// From a sample of lengths of runs that are waited for from `start` on.
    pub fn new(mut lengths: Vec<f64>, start: f64, cap: f64) -> Oracle {
        lengths.sort_by(f64::total_cmp);
        let longest = lengths.last().copied().unwrap_or_default() + 1.0;
        let step = ((longest - start) / AGES).max(0.1);
        let ages = ((longest - start) / step).ceil() as usize + 2;
        let mut before = 0;
        let ended: Vec<f64> = (0..ages)
            .map(|age| {
                while lengths.get(before).is_some_and(|length| *length <= start + age as f64 * step) {
                    before += 1;
                }
                before as f64 / lengths.len() as f64
            })
            .collect();
        let mut integral = vec![0.0];
        for pair in ended.windows(2) {
            integral.push(integral[integral.len() - 1] + (pair[0] + pair[1]) / 2.0 * step);
        }
        Oracle { step, ended, integral, gaps: ((1.0 / step).ceil() as usize, (cap / step).floor() as usize) }
    }

    /// The least product of lag and requests, whatever their number.
    pub fn product(&self) -> f64 {
        let prices = (-15..15).map(|nth| (f64::from(nth) / 3.0).exp());
        prices.map(|price| self.solve(price).product()).fold(f64::INFINITY, f64::min)
    }

    /// The least mean lag for this mean number of requests.
    pub fn lag(&self, requests: f64) -> f64 {
        let (mut cheap, mut dear) = (-14.0_f64, 9.0_f64);
        for _ in 0..24 {
            let middle = f64::midpoint(cheap, dear);
            if self.solve(middle.exp()).requests > requests {
                cheap = middle;
            } else {
                dear = middle;
            }
        }
        // Between two neighbouring schedules one may toss a coin.
        let (more, fewer) = (self.solve(cheap.exp()), self.solve(dear.exp()));
        let between = more.requests - fewer.requests;
        let share = if between > 1e-9 { ((requests - fewer.requests) / between).clamp(0.0, 1.0) } else { 0.0 };
        fewer.lag + share * (more.lag - fewer.lag)
    }

    /// The mean lag of the runs that end between two polls, times their share.
    fn lag_between(&self, from: usize, to: usize) -> f64 {
        self.integral[to] - self.integral[from] - (to - from) as f64 * self.step * self.ended[from]
    }

    /// The best schedule where a request costs as much as `price` seconds of lag.
    fn solve(&self, price: f64) -> Cost {
        let last = self.ended.len() - 1;
        let mut cost = vec![0.0; last + 1];
        let mut next = vec![last; last + 1];
        for age in (0..last).rev() {
            let look = price * (1.0 - self.ended[age]);
            let (mut best, mut at) = (f64::INFINITY, last);
            for gap in self.gaps.0..=self.gaps.1 {
                let to = (age + gap).min(last);
                let total = self.lag_between(age, to) + look + cost[to];
                if total < best {
                    (best, at) = (total, to);
                }
                if to == last {
                    break;
                }
            }
            (cost[age], next[age]) = (best, at);
        }
        let mut found = Cost { lag: 0.0, requests: 1.0 };
        let mut age = 0;
        while age < last {
            found.lag += self.lag_between(age, next[age]);
            found.requests += 1.0 - self.ended[age];
            age = next[age];
        }
        found
    }
}
