//! Explains why a run got its verdict, and what to do about it.

use std::time::Duration;

use super::super::pipeline::PipelineReport;
use super::super::sanitize::{Sanitized, Sanitizer};
use super::events::teach;
use super::failure_words::remedy;
use super::retries::no_retry;
use super::staleness::not_fresh;
use super::{WORD_LIMIT, came, duration, failure, find_the_killer, find_the_killer_of_a_start, killed, signal, word};
use crate::core::{End, FailureKind, LastRecord, Meaning, Operation, Request, RunOutcome, Signal, Untrusted, Verdict};

/// The explanation of one run's verdict; both empty for a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Why, without its subject: it stands behind "run X of pipeline Y: ".
    pub reason: Sanitized,
    pub next_step: Sanitized,
}

/// A status this old is not called the present one: the last poll failed, or the process was suspended.
const LONG_AGO: Duration = Duration::from_secs(6);

/// Where a run may have been started that nobody waited for to its end.
const LOOK_FIRST: &str =
    "check in Maestro whether this job started a run before you re-run it: that would start another one";

/// Where no fresh run came in time (`if-stale: wait`).
const NO_FRESH_RUN: &str = "check in Maestro why the pipeline has not run successfully; if the run is only late, re-run this job to \
                            continue waiting, or raise timeout";

/// Explains the verdict of a run; `waited` is how long the gate waited
/// for all runs, and `pipeline` what is known of the pipeline.
pub fn explanation(
    run: &RunOutcome,
    pipeline: Option<&PipelineReport>,
    waited: Duration,
    sanitizer: &Sanitizer,
) -> Explanation {
    let writer = ExplanationWriter { run, waited, sanitizer };
    let (reason, next_step) = match run.end {
        End::NotWaited => (
            "not waited for: another run did not pass, and fail-fast is set".to_owned(),
            "set fail-fast: false to wait for every run".to_owned(),
        ),
        End::Verdict(verdict) => match verdict {
            Verdict::Passed => (String::new(), String::new()),
            Verdict::Failed => writer.failed(),
            Verdict::TimedOut => writer.timed_out(),
            Verdict::NotFound => writer.not_found(),
            Verdict::Denied => writer.denied(),
            Verdict::Unreachable => writer.unreachable(),
            Verdict::Stale => writer.stale(),
            Verdict::NotStarted => writer.not_started(),
            Verdict::Interrupted(by) => writer.interrupted(by),
            Verdict::InvalidInput => ("the inputs are wrong".to_owned(), "fix the inputs".to_owned()),
            Verdict::InternalError if run.started => (killed().to_string(), find_the_killer_of_a_start().to_string()),
            Verdict::InternalError => (killed().to_string(), find_the_killer().to_string()),
        },
    };
    let (reason, next_step) = match (run.is_retried, &run.no_retry) {
        (true, _) => (format!("{reason}; the pipeline was started again"), String::new()),
        (false, Some(why)) => (format!("{reason}; not started again: {}", no_retry(why, sanitizer)), next_step),
        (false, None) => (reason, next_step),
    };
    let (reason, next_step) = match run.request {
        Request::None => (reason, next_step),
        Request::InDoubt => (format!("{reason}; a run may have been started"), LOOK_FIRST.to_owned()),
        Request::Taken => (format!("{reason}; the service accepted the request to start a run"), LOOK_FIRST.to_owned()),
    };
    let is_queued = run.request != Request::None
        && matches!(run.end, End::Verdict(Verdict::TimedOut | Verdict::NotFound))
        && run.failure.as_ref().is_some_and(|why| why.kind == FailureKind::Queued);
    let next_step = if is_queued { format!("{next_step}; raise timeout to wait longer") } else { next_step };
    let is_missing = run.awaited_fresh_run || run.end == End::Verdict(Verdict::NotFound) && run.seen.is_none();
    let is_paused = pipeline.is_some_and(|pipeline| pipeline.is_paused);
    let (reason, next_step) = match is_paused && is_missing {
        true => (
            format!("{reason}; the pipeline was paused when the gate started"),
            format!("unpause the pipeline in Maestro if it should run; {next_step}"),
        ),
        false => (reason, next_step),
    };
    Explanation { reason: Sanitized::ours(reason), next_step: Sanitized::ours(next_step) }
}

struct ExplanationWriter<'a> {
    run: &'a RunOutcome,
    waited: Duration,
    sanitizer: &'a Sanitizer,
}

impl ExplanationWriter<'_> {
    fn failed(&self) -> (String, String) {
        let Some(seen) = &self.run.seen else {
            return ("did not succeed".to_owned(), "check the result of the run in Maestro".to_owned());
        };
        let word = self.word(seen);
        let length = seen.duration().map(|length| format!(" after {}", duration(length))).unwrap_or_default();
        let reason = format!("status {word}{length}");
        let again = match self.run.started {
            true => "re-run this job, which starts a new run",
            false => "start a new run, then re-run this job with the new run id",
        };
        // Only the documented word leaves no doubt; the others are read as failures because nothing else is safe.
        if !word.eq_ignore_ascii_case("FAILED") {
            let next = format!(
                "check in Maestro why the run finished as {word}, fix the cause, {again}; if {word} is a success for this \
                 pipeline, set success-statuses: {word}"
            );
            return (reason, next);
        }
        let source = match &seen.record.trace {
            Some(trace) if !self.sanitizer.line(trace, WORD_LIMIT).is_empty() => "read the trace",
            Some(_) | None => "read the run's logs in Maestro",
        };
        (reason, format!("{source}, fix the cause, {again}"))
    }

    fn timed_out(&self) -> (String, String) {
        let waited = duration(self.waited);
        let stay = "the run itself is not affected";
        // It passed, and the list that would have told whether it is the one that was started did not.
        if self.run.seen.as_ref().is_some_and(|seen| seen.meaning == Meaning::Passed) {
            let why =
                self.run.failure.as_ref().map(|why| format!(": {}", failure(why, self.sanitizer))).unwrap_or_default();
            let reason = format!(
                "succeeded, but it was not certain that it is the run that was started when the timeout was reached after {waited}{why}"
            );
            return (reason, LOOK_FIRST.to_owned());
        }
        let reason = format!("{} when the timeout was reached after {waited}", self.state());
        let reason = match &self.run.failure {
            Some(why) => format!("{reason}; the last poll failed: {}", failure(why, self.sanitizer)),
            None => reason,
        };
        let unknown = self.run.seen.as_ref().filter(|seen| seen.meaning == Meaning::Unknown);
        let next = match unknown.map(|seen| self.word(seen)) {
            Some(word) if word.is_empty() => {
                format!("check in Maestro why the run has no status; if it only needs longer, raise timeout; {stay}")
            }
            Some(word) => format!("{}; if it means that the run has not finished, raise timeout; {stay}", teach(&word)),
            None => format!(
                "{} to continue waiting ({stay}); if such a run usually takes this long, raise timeout; else check in Maestro \
                 why it is slow",
                self.once_more()
            ),
        };
        (reason, next)
    }

    fn not_found(&self) -> (String, String) {
        if self.run.awaited_fresh_run && self.run.failure.as_ref().is_some_and(|why| why.kind == FailureKind::NotListed)
        {
            let waited = duration(self.waited);
            let reason =
                format!("the pipeline has no such run, and none came before the timeout was reached after {waited}");
            return (reason, NO_FRESH_RUN.to_owned());
        }
        let answer =
            self.run.failure.as_ref().map(|why| format!(" ({})", came(why, self.sanitizer))).unwrap_or_default();
        if self.run.seen.is_some() {
            let next =
                "check in Maestro whether the pipeline was deleted, which deletes its runs; else re-run this job";
            return (format!("disappeared: the service does not know it any more{answer}"), next.to_owned());
        }
        if let Some(why) = self.run.failure.as_ref().filter(|why| why.kind == FailureKind::Queued) {
            let reason = format!("had not appeared when the timeout was reached: {}", came(why, self.sanitizer));
            return (reason, remedy(why).to_owned());
        }
        let next = self
            .run
            .failure
            .as_ref()
            .map_or("check run-id and pipeline-id and that the account belongs to the pipeline's owner", remedy);
        (format!("the service does not know it{answer}"), next.to_owned())
    }

    fn not_started(&self) -> (String, String) {
        match &self.run.failure {
            Some(why) => (format!("it was not started: {}", failure(why, self.sanitizer)), remedy(why).to_owned()),
            // Whatever else keeps it from being started is an answer.
            None => (
                "it was not started: the timeout was reached first".to_owned(),
                "raise timeout, then re-run this job; nothing was started".to_owned(),
            ),
        }
    }

    fn denied(&self) -> (String, String) {
        match &self.run.failure {
            Some(why) if why.during == Operation::SignIn => {
                (format!("sign-in was refused: {}", came(why, self.sanitizer)), remedy(why).to_owned())
            }
            Some(why) => (format!("access was denied: {}", came(why, self.sanitizer)), remedy(why).to_owned()),
            None => ("access was denied".to_owned(), "check the credentials".to_owned()),
        }
    }

    fn stale(&self) -> (String, String) {
        let reason = not_fresh(self.run.seen.as_ref(), self.run.freshness, self.sanitizer);
        let next = match (self.run.started, self.run.freshness.started_after) {
            (true, _) => "check in Maestro when the run started and finished and why its timestamps are wrong",
            (false, _) if self.run.awaited_fresh_run => {
                let waited = duration(self.waited);
                let reason = format!("{reason}; no newer run was fresh when the timeout was reached after {waited}");
                return (reason, NO_FRESH_RUN.to_owned());
            }
            (false, None) => {
                "start a new run in Maestro, then re-run this job; if an older success is acceptable, raise max-age"
            }
            (false, Some(_)) => {
                "start a new run in Maestro, then re-run this job; if this run is new enough, set an earlier started-after"
            }
        };
        (reason, next.to_owned())
    }

    fn interrupted(&self, by: Signal) -> (String, String) {
        if self.run.seen.as_ref().is_some_and(|seen| seen.meaning == Meaning::Failed) {
            let reason = format!("failed, and was not started again when {} came", signal(by));
            return (reason, self.failed().1);
        }
        let next = format!("if this was not intended, {}: the run itself is not affected", self.once_more());
        (format!("{} when {} came", self.state(), signal(by)), next)
    }

    /// How to wait on for this very run.
    fn once_more(&self) -> String {
        if !self.run.started {
            return "re-run this job".to_owned();
        }
        let id = |text: &str| self.sanitizer.id(&Untrusted::new(text));
        let (pipeline, run) = (id(self.run.wanted.pipeline().as_str()), id(self.run.wanted.run()));
        format!("set run-id: {pipeline}/{run} instead of trigger (which would start another run)")
    }

    fn unreachable(&self) -> (String, String) {
        match &self.run.failure {
            Some(why) => (format!("no usable answer: {}", failure(why, self.sanitizer)), remedy(why).to_owned()),
            None => ("no usable answer".to_owned(), "check whether the service is up".to_owned()),
        }
    }

    fn state(&self) -> String {
        match &self.run.seen {
            _ if self.run.awaited_fresh_run => "still waiting for a fresh run".to_owned(),
            None => "no answer yet".to_owned(),
            Some(seen) if self.waited.saturating_sub(seen.at) >= LONG_AGO => {
                let ago = duration(self.waited.saturating_sub(seen.at));
                match self.word(seen) {
                    word if word.is_empty() => format!("last seen {ago} ago without a status"),
                    word if seen.meaning == Meaning::Unknown => {
                        format!("last seen {ago} ago in the unknown status {word}")
                    }
                    word => format!("last seen {ago} ago as {word}"),
                }
            }
            Some(seen) => match self.word(seen) {
                word if word.is_empty() => "still without a status".to_owned(),
                word if seen.meaning == Meaning::Unknown => format!("still in the unknown status {word}"),
                word => format!("still {word}"),
            },
        }
    }

    fn word(&self, seen: &LastRecord) -> Sanitized {
        word(&seen.record.status, self.sanitizer)
    }
}
