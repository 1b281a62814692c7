//! What the core asks the service, and the answers it takes.

use std::convert::Infallible;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Effect, Failure, ListSummary, Observation, PipelineId, Record, RunList, Target, TriggerResponse};

/// What to ask the service next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiRequest {
    /// One run's record.
    Run(Target),
    /// A pipeline's runs.
    List(PipelineId),
    /// The same list, to plan polls: its failure is no verdict.
    Survey(Box<ListSummary>),
    /// To start a pipeline. Handed out once for each run that is wanted: there is no second try.
    Execute(PipelineId),
}

/// What came of it; of a request to start also its `Retry-After`.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiResponse {
    Run(Answer),
    List(Answer<RunList>),
    Survey(Answer<ListSummary>),
    Execute(TriggerResponse, Option<Duration>),
}

/// What counts of an answer whatever was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope<'a> {
    /// The service's clock when it answered.
    pub(super) date: Option<DateTime<Utc>>,
    /// How long the service asks to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// Why it is not what was asked for; none if it is, or if the service answers that there is no such thing.
    pub(super) failure: Option<&'a Failure>,
}

impl ApiResponse {
    pub(super) fn envelope(&self) -> Envelope<'_> {
        match self {
            ApiResponse::Run(answer) => answer.envelope(),
            ApiResponse::List(answer) => answer.envelope(),
            ApiResponse::Survey(answer) => answer.envelope(),
            ApiResponse::Execute(response, retry_after) => {
                let failure = match response {
                    TriggerResponse::Accepted(_) => None,
                    TriggerResponse::Missing(_, failure) => Some(failure),
                };
                Envelope { date: None, retry_after: *retry_after, failure }
            }
        }
    }

    /// The same, taken so long after it came: the service's clock has gone on.
    pub fn received_later(self, by: Duration) -> ApiResponse {
        match self {
            ApiResponse::Run(answer) => ApiResponse::Run(answer.received_later(by)),
            ApiResponse::List(answer) => ApiResponse::List(answer.received_later(by)),
            ApiResponse::Survey(answer) => ApiResponse::Survey(answer.received_later(by)),
            ApiResponse::Execute(..) => self,
        }
    }
}

impl From<Answer> for ApiResponse {
    fn from(answer: Answer) -> ApiResponse {
        ApiResponse::Run(answer)
    }
}

/// What a poll brought: the observation, and what the answer's headers said about time. `T` is what was looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T = Record> {
    pub observation: Observation<T>,
    /// `Retry-After`, already a length of time, whatever the answer was.
    pub retry_after: Option<Duration>,
    /// The service's clock when it answered: `Date` plus `Age`.
    pub date: Option<DateTime<Utc>>,
}

impl Answer<Infallible> {
    /// An answer that holds nothing, as one about anything.
    pub fn about<T>(self) -> Answer<T> {
        self.map(|never| match never {}, |failure| failure)
    }
}

impl<T> Answer<T> {
    fn envelope(&self) -> Envelope<'_> {
        let failure = match &self.observation {
            Observation::Record(_) | Observation::Missing(Effect::NotVisible, _) => None,
            Observation::Missing(_, failure) => Some(failure),
        };
        Envelope { date: self.date, retry_after: self.retry_after, failure }
    }

    fn received_later(self, by: Duration) -> Answer<T> {
        let date = self.date.and_then(|date| date.checked_add_signed(TimeDelta::from_std(by).ok()?));
        Answer { date, ..self }
    }

    /// The same with what `change` makes of the miss, if there is one.
    pub fn map_failure(self, change: impl FnOnce(Failure) -> Failure) -> Answer<T> {
        self.map(|record| record, change)
    }

    fn map<U>(self, record: impl FnOnce(T) -> U, failure: impl FnOnce(Failure) -> Failure) -> Answer<U> {
        let observation = match self.observation {
            Observation::Record(found) => Observation::Record(record(found)),
            Observation::Missing(effect, why) => Observation::Missing(effect, failure(why)),
        };
        Answer { observation, retry_after: self.retry_after, date: self.date }
    }
}
