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
        self.row().name
    }

    /// The process's exit code. Never 64 (Argo), 78 (Drone reads it as a pass), 125-127, 134 or 137.
    pub const fn exit_code(self) -> u8 {
        self.row().exit_code
    }

    /// How a CI marks it.
    pub const fn severity(self) -> Severity {
        self.row().severity
    }

    /// THE table of verdicts.
    const fn row(self) -> VerdictRow {
        match self {
            Verdict::Passed => row("passed", 0, 10, Severity::Success),
            Verdict::Failed => row("failed", 1, 3, Severity::Error),
            Verdict::InvalidInput => row("invalid-input", 2, 2, Severity::Error),
            Verdict::TimedOut => row("timed-out", 3, 8, Severity::Warning),
            Verdict::NotFound => row("not-found", 4, 6, Severity::Error),
            Verdict::Denied => row("denied", 5, 4, Severity::Error),
            Verdict::Unreachable => row("unreachable", 6, 7, Severity::Error),
            Verdict::Stale => row("stale", 7, 9, Severity::Warning),
            Verdict::NotStarted => row("not-started", 8, 5, Severity::Error),
            Verdict::InternalError => row("internal-error", 70, 0, Severity::Error),
            Verdict::Interrupted(Signal::Interrupt) => row("interrupted", 130, 1, Severity::Warning),
            Verdict::Interrupted(Signal::Terminate) => row("interrupted", 143, 1, Severity::Warning),
        }
    }
}

/// How a verdict is marked: in colour, or by the style of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Success,
    Warning,
    Error,
}

/// What there is to a verdict.
struct VerdictRow {
    name: &'static str,
    exit_code: u8,
    /// Several runs: the gate's verdict is the one with the lowest rank. `invalid-input` is never a run's.
    rank: u8,
    severity: Severity,
}

const fn row(name: &'static str, exit_code: u8, rank: u8, severity: Severity) -> VerdictRow {
    VerdictRow { name, exit_code, rank, severity }
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
    let ends: Vec<End> = ends.into_iter().collect();
    let decided = ends.iter().filter_map(|end| end.verdict()).min_by_key(|verdict| verdict.row().rank);
    match decided {
        None => Verdict::InternalError,
        Some(Verdict::Passed) if ends.contains(&End::NotWaited) => Verdict::InternalError,
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
