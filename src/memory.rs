//! Keeps other programs from reading this process's memory, which holds passwords and tokens.

/// Writes no core dump. On Linux also keeps other processes of the same user from reading `/proc/PID/environ` and `/proc/PID/mem`,
/// unless they may trace every process, as root may. A system that refuses either is no reason not to gate.
pub fn protect() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _refused = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
