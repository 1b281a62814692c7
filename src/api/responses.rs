//! Turns what a request brought into an answer in the core's terms.

use super::failure::RequestError;
use super::timing_headers::TimingHeaders;
use crate::core::{Answer, FailureKind, Observation};

/// A sink that keeps a body up to `limit`.
pub(crate) fn collect(body: &mut Vec<u8>, limit: usize) -> impl FnMut(&[u8]) -> Result<(), RequestError> {
    move |piece| {
        if piece.len() > limit - body.len() {
            return Err(RequestError::new(FailureKind::TooLarge));
        }
        body.extend_from_slice(piece);
        Ok(())
    }
}

pub(crate) fn answer<T>(observation: Observation<T>, timing: TimingHeaders) -> Answer<T> {
    Answer { observation, retry_after: timing.retry_after, date: timing.date }
}
