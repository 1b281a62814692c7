//! Explains why a run got its verdict, and what to do about it.

use std::time::Duration;

use super::super::pipeline::PipelineReport;
use super::super::sanitize::{Sanitized, Sanitizer};
use super::events::teach;
use super::failure_words::remedy;
use super::retries::no_retry;
use super::staleness::not_fresh;
use super::{
    FIND_THE_KILLER, FIND_THE_KILLER_OF_A_START, KILLED, WORD_LIMIT, came, duration, failure, id, signal, word,
};
use crate::core::{End, Failure, FailureKind, LastRecord, Meaning, Operation, Request, RunOutcome, Signal, Verdict};

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
    let (mut reason, mut next_step) = match run.end {
        End::NotWaited => pair(
            "not waited for: another run did not pass, and fail-fast is set",
            "set fail-fast: false to wait for every run",
        ),
        End::Verdict(verdict) => match verdict {
            Verdict::Passed => pair("", ""),
            Verdict::Failed => writer.failed(),
            Verdict::TimedOut => writer.timed_out(),
            Verdict::NotFound => writer.not_found(),
            Verdict::Denied => writer.denied(),
            Verdict::Unreachable => writer.unreachable(),
            Verdict::Stale => writer.stale(),
            Verdict::NotStarted => writer.not_started(),
            Verdict::Interrupted(by) => writer.interrupted(by),
            Verdict::InvalidInput => pair("the inputs are wrong", "fix the inputs"),
            Verdict::InternalError if run.started => pair(KILLED, FIND_THE_KILLER_OF_A_START),
            Verdict::InternalError => pair(KILLED, FIND_THE_KILLER),
        },
    };
    if run.is_retried {
        reason += "; the pipeline was started again";
        next_step.clear();
    } else if let Some(why) = &run.no_retry {
        reason += &format!("; not started again: {}", no_retry(why, sanitizer));
    }
    let may_have_started = match run.request {
        Request::None => None,
        Request::InDoubt => Some("; a run may have been started"),
        Request::Taken => Some("; the service accepted the request to start a run"),
    };
    if let Some(what) = may_have_started {
        reason += what;
        LOOK_FIRST.clone_into(&mut next_step);
        let is_out_of_time = matches!(run.end, End::Verdict(Verdict::TimedOut | Verdict::NotFound));
        if is_out_of_time && run.failure.as_ref().is_some_and(|why| why.kind == FailureKind::Queued) {
            next_step += "; raise timeout to wait longer";
        }
    }
    let is_missing = run.awaited_fresh_run || run.end == End::Verdict(Verdict::NotFound) && run.seen.is_none();
    if is_missing && pipeline.is_some_and(|pipeline| pipeline.is_paused) {
        reason += "; the pipeline was paused when the gate started";
        next_step.insert_str(0, "unpause the pipeline in Maestro if it should run; ");
    }
    Explanation { reason: Sanitized::ours(reason), next_step: Sanitized::ours(next_step) }
}

/// A reason and the next step, still to be completed.
type Pair = (String, String);

fn pair(reason: impl Into<String>, next_step: impl Into<String>) -> Pair {
    (reason.into(), next_step.into())
}

struct ExplanationWriter<'a> {
    run: &'a RunOutcome,
    waited: Duration,
    sanitizer: &'a Sanitizer,
}

impl ExplanationWriter<'_> {
    fn failed(&self) -> Pair {
        let Some(seen) = &self.run.seen else {
            return pair("did not succeed", "check the result of the run in Maestro");
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

    fn timed_out(&self) -> Pair {
        let (seen, at_timeout) = (self.run.seen.as_ref(), self.at_timeout());
        // It passed, and the list that would have told whether it is the one that was started did not.
        if seen.is_some_and(|seen| seen.meaning == Meaning::Passed) {
            let why = self.failure().map(|why| format!(": {}", failure(why, self.sanitizer))).unwrap_or_default();
            let reason =
                format!("succeeded, but it was not certain that it is the run that was started {at_timeout}{why}");
            return pair(reason, LOOK_FIRST);
        }
        let why = self.failure().map(|why| format!("; the last poll failed: {}", failure(why, self.sanitizer)));
        let reason = format!("{} {at_timeout}{}", self.state(), why.unwrap_or_default());
        let stay = "the run itself is not affected";
        let unknown = seen.filter(|seen| seen.meaning == Meaning::Unknown);
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

    fn not_found(&self) -> Pair {
        let kind = self.failure().map(|why| why.kind);
        if self.run.awaited_fresh_run && kind == Some(FailureKind::NotListed) {
            let reason = format!("the pipeline has no such run, and none came before {}", self.timeout_reached());
            return pair(reason, NO_FRESH_RUN);
        }
        let answer = self.failure().map(|why| format!(" ({})", came(why, self.sanitizer))).unwrap_or_default();
        if self.run.seen.is_some() {
            return pair(
                format!("disappeared: the service does not know it any more{answer}"),
                "check in Maestro whether the pipeline was deleted, which deletes its runs; else re-run this job",
            );
        }
        match self.failure() {
            Some(why) if why.kind == FailureKind::Queued => {
                let came = came(why, self.sanitizer);
                pair(format!("had not appeared when the timeout was reached: {came}"), remedy(why))
            }
            why => pair(
                format!("the service does not know it{answer}"),
                why.map_or("check run-id and pipeline-id and that the account belongs to the pipeline's owner", remedy),
            ),
        }
    }

    fn not_started(&self) -> Pair {
        match self.failure() {
            Some(why) => pair(format!("it was not started: {}", failure(why, self.sanitizer)), remedy(why)),
            // Whatever else keeps it from being started is an answer.
            None => pair(
                "it was not started: the timeout was reached first",
                "raise timeout, then re-run this job; nothing was started",
            ),
        }
    }

    fn denied(&self) -> Pair {
        let Some(why) = self.failure() else { return pair("access was denied", "check the credentials") };
        let what = if why.during == Operation::SignIn { "sign-in was refused" } else { "access was denied" };
        pair(format!("{what}: {}", came(why, self.sanitizer)), remedy(why))
    }

    fn stale(&self) -> Pair {
        let reason = not_fresh(self.run.seen.as_ref(), self.run.freshness, self.sanitizer);
        match (self.run.started, self.run.freshness.started_after) {
            (true, _) => {
                pair(reason, "check in Maestro when the run started and finished and why its timestamps are wrong")
            }
            (false, _) if self.run.awaited_fresh_run => {
                pair(format!("{reason}; no newer run was fresh {}", self.at_timeout()), NO_FRESH_RUN)
            }
            (false, None) => pair(
                reason,
                "start a new run in Maestro, then re-run this job; if an older success is acceptable, raise max-age",
            ),
            (false, Some(_)) => pair(
                reason,
                "start a new run in Maestro, then re-run this job; if this run is new enough, set an earlier started-after",
            ),
        }
    }

    fn interrupted(&self, by: Signal) -> Pair {
        if self.run.seen.as_ref().is_some_and(|seen| seen.meaning == Meaning::Failed) {
            let reason = format!("failed, and was not started again when {} came", signal(by));
            return (reason, self.failed().1);
        }
        let next = format!("if this was not intended, {}: the run itself is not affected", self.once_more());
        (format!("{} when {} came", self.state(), signal(by)), next)
    }

    fn unreachable(&self) -> Pair {
        match self.failure() {
            Some(why) => pair(format!("no usable answer: {}", failure(why, self.sanitizer)), remedy(why)),
            None => pair("no usable answer", "check whether the service is up"),
        }
    }

    /// How to wait on for this very run.
    fn once_more(&self) -> String {
        if !self.run.started {
            return "re-run this job".to_owned();
        }
        let (pipeline, run) = (self.run.wanted.pipeline().as_str(), self.run.wanted.run());
        let (pipeline, run) = (id(pipeline, self.sanitizer), id(run, self.sanitizer));
        format!("set run-id: {pipeline}/{run} instead of trigger (which would start another run)")
    }

    fn at_timeout(&self) -> String {
        format!("when {}", self.timeout_reached())
    }

    fn timeout_reached(&self) -> String {
        format!("the timeout was reached after {}", duration(self.waited))
    }

    /// What was known of the run at the end: `still RUNNING`, `last seen 2m ago as RUNNING`.
    fn state(&self) -> String {
        if self.run.awaited_fresh_run {
            return "still waiting for a fresh run".to_owned();
        }
        let Some(seen) = &self.run.seen else { return "no answer yet".to_owned() };
        let ago = self.waited.saturating_sub(seen.at);
        let is_old = ago >= LONG_AGO;
        let status = match self.word(seen) {
            word if word.is_empty() => "without a status".to_owned(),
            word if seen.meaning == Meaning::Unknown => format!("in the unknown status {word}"),
            word if is_old => format!("as {word}"),
            word => word.to_string(),
        };
        if is_old { format!("last seen {} ago {status}", duration(ago)) } else { format!("still {status}") }
    }

    fn failure(&self) -> Option<&Failure> {
        self.run.failure.as_ref()
    }

    fn word(&self, seen: &LastRecord) -> Sanitized {
        word(&seen.record.status, self.sanitizer)
    }
}
