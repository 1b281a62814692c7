//! What every spacing of polls goes by: the least there may be, and a number of each run's own.

use std::time::Duration;

/// No two looks at one run start closer together than this (docs/reference.md#limits: never more than one a second).
pub(super) const FLOOR: Duration = Duration::from_secs(1);

/// Runs that usually take less than this are polled by the ramp: a plan has no room in so few seconds.
pub(super) const SHORT: Duration = Duration::from_secs(15);

/// The finaliser of `SplitMix64`, as a number in `0.0..1.0`.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
pub(super) fn unit(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
