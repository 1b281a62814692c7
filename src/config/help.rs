//! What `--help` says beyond the table of inputs: examples, secrets, exit codes.

use crate::core::Verdict;
use crate::inputs::ROWS;
use crate::inputs::cli;

const EXAMPLES: &str = "\
Examples:
  maestro-gate --pipeline-id 1b33ad2f --run-id e7c91a3b
  maestro-gate --run-id 1b33ad2f/e7c91a3b,a9f82c14/b3c4d5e6 --timeout 2h --fail-fast
  maestro-gate --pipeline-id 1b33ad2f --run-id latest --max-age 24h
  maestro-gate --pipeline-id 1b33ad2f --trigger
  maestro-gate doctor --pipeline-id 1b33ad2f --run-id latest --max-age 24h
  maestro-gate --pipeline-id 1b33ad2f --run-id e7c91a3b --junit gate.xml --dotenv gate.env
";

/// The text of `--help`.
pub(super) fn text() -> String {
    cli::help(closing())
}

fn closing() -> String {
    let mut text = EXAMPLES.to_owned();
    text += "\nSecrets have no flag, because process lists show flags. They are read from:\n";
    for row in ROWS.iter().filter(|row| row.input.is_secret()) {
        text += &format!("  {:<24} {}\n", row.variable, row.help);
    }
    text += "\nDurations: 90, 90s, 15m, 1h30m, 2d (a number alone is seconds).\n\
             Flags and the inputs of a CI step come before variables.\n\nExit codes:\n";
    for verdict in Verdict::ALL {
        text += &format!("  {:>3}  {:<15} {}\n", verdict.exit_code(), verdict.name(), when(verdict));
    }
    text
}

/// When a verdict is reached, in a few words.
fn when(verdict: Verdict) -> &'static str {
    use crate::core::Signal;
    match verdict {
        Verdict::Passed => "every run succeeded, and is as fresh as max-age and started-after require",
        Verdict::Failed => "a run ended without success",
        Verdict::InvalidInput => "an input error; no request was made",
        Verdict::TimedOut => "the time limit was reached before the run finished",
        Verdict::NotFound => "the service does not know the run or the pipeline",
        Verdict::Denied => "sign-in or token refused, or not allowed to see the run",
        Verdict::Unreachable => "no usable answer for max-outage, or one that waiting cannot fix",
        Verdict::Stale => "the run succeeded, but too early for max-age or started-after",
        Verdict::NotStarted => "the pipeline was not started: paused, refused, or already running",
        Verdict::InternalError => "a bug in maestro-gate",
        Verdict::Interrupted(Signal::Interrupt) => "SIGINT, Ctrl-C",
        Verdict::Interrupted(Signal::Terminate) => "SIGTERM, SIGHUP, SIGQUIT, Ctrl-Break",
    }
}
