//! The verdicts, their order and THE exit-code table (docs/reference.md#verdicts-and-exit-codes).

/// How the gate, or one run of it, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    Passed,
    Failed,
    InvalidInput,
    TimedOut,
    NotFound,
    Denied,
    Unreachable,
    Stale,
    NotStarted,
    InternalError,
    Interrupted(Signal),
}

/// What asked the gate to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM, SIGHUP, Ctrl-Break and their kin.
    Terminate,
}

/// How the wait of one run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    Verdict(Verdict),
    /// Given up by `fail-fast`; never the gate's verdict.
    NotWaited,
}

impl Verdict {
    /// Every verdict, in the order of the reference's table.
    pub const ALL: [Verdict; 12] = [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::InvalidInput,
        Verdict::TimedOut,
        Verdict::NotFound,
        Verdict::Denied,
        Verdict::Unreachable,
        Verdict::Stale,
        Verdict::NotStarted,
        Verdict::InternalError,
        Verdict::Interrupted(Signal::Interrupt),
        Verdict::Interrupted(Signal::Terminate),
    ];

    /// The word in outputs and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::InvalidInput => "invalid-input",
            Verdict::TimedOut => "timed-out",
            Verdict::NotFound => "not-found",
            Verdict::Denied => "denied",
            Verdict::Unreachable => "unreachable",
            Verdict::Stale => "stale",
            Verdict::NotStarted => "not-started",
            Verdict::InternalError => "internal-error",
            Verdict::Interrupted(_) => "interrupted",
        }
    }

    /// The process's exit code. Never 64 (Argo), 78 (Drone reads it as a pass), 125-127, 134 or 137.
    pub const fn exit_code(self) -> u8 {
        match self {
            Verdict::Passed => 0,
            Verdict::Failed => 1,
            Verdict::InvalidInput => 2,
            Verdict::TimedOut => 3,
            Verdict::NotFound => 4,
            Verdict::Denied => 5,
            Verdict::Unreachable => 6,
            Verdict::Stale => 7,
            Verdict::NotStarted => 8,
            Verdict::InternalError => 70,
            Verdict::Interrupted(Signal::Interrupt) => 130,
            Verdict::Interrupted(Signal::Terminate) => 143,
        }
    }

    /// Several runs: the gate's verdict is the one with the lowest rank. `invalid-input` is never a run's.
    const fn rank(self) -> u8 {
        match self {
            Verdict::InternalError => 0,
            Verdict::Interrupted(_) => 1,
            Verdict::InvalidInput => 2,
            Verdict::Failed => 3,
            Verdict::Denied => 4,
            Verdict::NotStarted => 5,
            Verdict::NotFound => 6,
            Verdict::Unreachable => 7,
            Verdict::TimedOut => 8,
            Verdict::Stale => 9,
            Verdict::Passed => 10,
        }
    }
}

impl End {
    pub const fn name(self) -> &'static str {
        match self {
            End::Verdict(verdict) => verdict.name(),
            End::NotWaited => "not-waited",
        }
    }

    /// The verdict, if this end has one.
    pub const fn verdict(self) -> Option<Verdict> {
        match self {
            End::Verdict(verdict) => Some(verdict),
            End::NotWaited => None,
        }
    }
}

/// The gate's verdict over its runs. Without a single verdict it is a bug of ours, never a pass; as it is when a run was
/// not waited for though all others passed.
pub fn decide(ends: impl IntoIterator<Item = End>) -> Verdict {
    let (mut decided, mut given_up) = (None, false);
    for end in ends {
        match end {
            End::Verdict(verdict) => {
                decided = [decided, Some(verdict)].into_iter().flatten().min_by_key(|verdict| verdict.rank());
            }
            End::NotWaited => given_up = true,
        }
    }
    match decided {
        None => Verdict::InternalError,
        Some(Verdict::Passed) if given_up => Verdict::InternalError,
        Some(verdict) => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_the_reference_s_and_none_is_taken_by_others() {
        let codes: Vec<(&str, u8)> = Verdict::ALL.iter().map(|v| (v.name(), v.exit_code())).collect();
        let reference = [
            ("passed", 0),
            ("failed", 1),
            ("invalid-input", 2),
            ("timed-out", 3),
            ("not-found", 4),
            ("denied", 5),
            ("unreachable", 6),
            ("stale", 7),
            ("not-started", 8),
            ("internal-error", 70),
            ("interrupted", 130),
            ("interrupted", 143),
        ];
        assert_eq!(codes, reference);
    }

    #[test]
    fn only_all_passed_passes() {
        for &one in &Verdict::ALL {
            for &other in &Verdict::ALL {
                let verdict = decide([End::Verdict(one), End::Verdict(other)]);
                assert_eq!(verdict == Verdict::Passed, one == Verdict::Passed && other == Verdict::Passed);
                // A run that nobody waited for is no run that passed.
                assert_ne!(decide([End::Verdict(one), End::NotWaited, End::Verdict(other)]), Verdict::Passed);
            }
        }
    }

    #[test]
    fn the_first_of_the_reference_s_order_decides() {
        let order = [
            Verdict::InternalError,
            Verdict::Interrupted(Signal::Terminate),
            Verdict::Failed,
            Verdict::Denied,
            Verdict::NotStarted,
            Verdict::NotFound,
            Verdict::Unreachable,
            Verdict::TimedOut,
            Verdict::Stale,
            Verdict::Passed,
        ];
        for (index, &first) in order.iter().enumerate() {
            for &later in &order[index..] {
                assert_eq!(decide([End::Verdict(later), End::Verdict(first)]), first);
            }
        }
    }

    #[test]
    fn no_verdict_at_all_is_a_bug_not_a_pass() {
        assert_eq!(decide([]), Verdict::InternalError);
        assert_eq!(decide([End::NotWaited]), Verdict::InternalError);
    }
}
