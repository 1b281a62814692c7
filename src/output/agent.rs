//! Calling a CI's own program: bounded, without the gate's secrets, and never through a shell.
//!
//! Values go in by stdin, since process lists show arguments. The program has all of the environment but our secrets: it
//! needs its own access token, and the proxies.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::blocking;
use crate::report::ci::AgentCall;

/// How often a wait looks up, and how often it does so before the program is killed: four seconds, less than a destination
/// has (`finalize`), so that a call is over when its destination is given up.
const LOOK_UP: Duration = Duration::from_millis(20);
const LOOK_UPS: u32 = 200;

/// Makes all calls at once, and waits for all; an error if one of them failed. One that fails holds up none of the others:
/// half of a report is better than none, and a value of an earlier try may stand where ours did not arrive.
pub(super) fn call(program: &str, calls: Vec<AgentCall>, hidden: &[String]) -> io::Result<()> {
    call_within(program, calls, hidden, LOOK_UPS)
}

fn call_within(program: &str, calls: Vec<AgentCall>, hidden: &[String], look_ups: u32) -> io::Result<()> {
    let mut running = Running(Vec::new());
    let mut first_error = None;
    for call in calls {
        match start(program, call, hidden) {
            Ok(child) => running.0.push(child),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    // Nobody sends: receiving is a wait that ends.
    let (_keep, never) = channel::<()>();
    for _ in 0..look_ups {
        running.0.retain_mut(|child| {
            let error = match child.try_wait() {
                Ok(None) => return true,
                Ok(Some(status)) if status.success() => return false,
                Ok(Some(status)) => io::Error::other(format!("{program} failed ({status})")),
                Err(error) => error,
            };
            first_error.get_or_insert(error);
            false
        });
        if running.0.is_empty() {
            return first_error.map_or(Ok(()), Err);
        }
        let _timed_out = never.recv_timeout(LOOK_UP);
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("{program} did not end in time")))
}

fn start(program: &str, call: AgentCall, hidden: &[String]) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args(&call.arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    for name in hidden {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return io::Error::new(error.kind(), format!("there is no {program} on the PATH"));
        }
        error
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read would hold us; it tells by its exit code whether it got everything.
        blocking::start("agent-input", move || drop(stdin.write_all(call.input.as_bytes())));
    }
    Ok(child)
}

/// Programs under way. Left alone they would outlive their turn, and a late first version replace the last one.
struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // Killing one that has ended does nothing; both only fail for one that is gone already.
            let _killed = child.kill();
            let _reaped = child.wait();
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &str) -> AgentCall {
        AgentCall { arguments: vec!["-c".to_owned(), script.to_owned()], input: input.to_owned() }
    }

    #[test]
    fn a_program_that_hangs_is_killed_and_reported() {
        let calls = vec![shell("exec sleep 600", "")];
        let error = call_within("sh", calls, &[], 3).expect_err("it does not end");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn input_that_nobody_reads_holds_nobody() {
        let long = "x".repeat(1 << 20);
        call("sh", vec![shell("exit 0", &long)], &[]).expect("it ended well");
        let error = call("sh", vec![shell("exit 0", ""), shell("exit 3", &long)], &[]).expect_err("one failed");
        assert!(error.to_string().contains("3"), "{error}");
        call("sh", vec![shell("test $(wc -c) -eq 1048576", &long)], &[]).expect("it read everything");
    }

    #[test]
    fn one_that_fails_ends_none_of_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        // These go on only when the other one's failure was seen, and take a moment more.
        let later = |name: &str| {
            let (pid, done) = (path("pid").display().to_string(), path(name).display().to_string());
            shell(
                &format!(
                    "until test -e '{pid}'; do :; done; read -r pid <'{pid}'
                    while kill -0 \"$pid\" 2>/dev/null; do :; done; sleep 0.05; : >'{done}'"
                ),
                "",
            )
        };
        let failing = format!("echo $$ >'{0}.new'; mv '{0}.new' '{0}'; exit 3", path("pid").display());
        let error =
            call("sh", vec![later("before"), shell(&failing, ""), later("behind")], &[]).expect_err("one failed");
        assert!(error.to_string().contains("exit status: 3"), "{error}");
        assert!(path("before").exists() && path("behind").exists());
    }

    #[test]
    fn what_is_hidden_is_not_inherited() {
        call("sh", vec![shell("test -n \"$PATH\"", "")], &[]).expect("the environment is there");
        call("sh", vec![shell("test -z \"$CARGO_MANIFEST_DIR\"", "")], &["CARGO_MANIFEST_DIR".to_owned()])
            .expect("without what is hidden");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = call("no-such-program-here", vec![shell("", "")], &[]).expect_err("there is none");
        assert_eq!(error.to_string(), "there is no no-such-program-here on the PATH");
    }
}
