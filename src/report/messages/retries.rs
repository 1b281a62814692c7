//! What is said about a pipeline that is started again.

use super::super::sanitize::Sanitizer;
use super::{duration, failure, id};
use crate::core::{Attempt, NoRetry};

/// `attempt 2 of 3`.
pub(crate) fn attempt(attempt: Attempt) -> String {
    format!("attempt {} of {}", attempt.number, attempt.of)
}

/// Why a run that failed was not started again.
pub(super) fn no_retry(why: &NoRetry, sanitizer: &Sanitizer) -> String {
    match why {
        NoRetry::Attached => "the gate did not start this run".to_owned(),
        NoRetry::Unproven => "there is no proof that the gate started this run".to_owned(),
        NoRetry::NotPlainlyFailed => "only a run whose status is FAILED is retried".to_owned(),
        NoRetry::NoTime { left, needed } => {
            format!("{} are left until timeout, and it would take {}", duration(*left), duration(*needed))
        }
        NoRetry::OtherRun(None) => "the pipeline has another run".to_owned(),
        NoRetry::OtherRun(Some(run)) => format!("the pipeline has another run, {}", id(run.as_str(), sanitizer)),
        NoRetry::NoList(None) => "the pipeline's runs could not be read".to_owned(),
        NoRetry::NoList(Some(why)) => format!("the pipeline's runs are not known: {}", failure(why, sanitizer)),
        NoRetry::FailFast => "another run did not pass, and fail-fast is set".to_owned(),
    }
}
