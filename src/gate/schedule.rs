//! When to look again.

use std::time::Duration;

/// The time between two looks while all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// A ramp from one second to ten, jittered by the run's id.
    Auto,
    /// Always the same.
    Fixed(Duration),
}
