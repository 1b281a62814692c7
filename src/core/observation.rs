//! What one answer about a run means to the gate. `api::failure` is the table that turns answers into these.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Meaning, Repair, Untrusted, Vocabulary};

/// What one answer brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation<T = Record> {
    /// A complete and well-formed answer about the very thing that was asked for.
    Record(T),
    Missing(Effect, Failure),
}

/// What it means that there is no record: the rows of the table docs/reference.md#how-an-answer-is-read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The service answers, and does not know the run: `null`, nothing, `{}`, `data: null`, 404, 410.
    NotVisible,
    /// Refused, even with a renewed token.
    Denied(Scope),
    /// No usable answer, and waiting can't fix it: a refused certificate, a redirect off the origin, 407, a 400.
    Unreachable,
    /// No usable answer this time: 5xx, 429, a transport error, a garbled body, another run's record.
    Unusable,
}

impl<T> Observation<T> {
    /// The record, or why there is none.
    pub fn record(self) -> Result<T, (Effect, Failure)> {
        match self {
            Observation::Record(record) => Ok(record),
            Observation::Missing(effect, failure) => Err((effect, failure)),
        }
    }
}

/// What became of the one request to start a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerResponse {
    /// Started or queued; with the id that the service gave, which need not be a run's.
    Accepted(Option<Untrusted>),
    Missing(TriggerEffect, Failure),
}

/// What it means that a request to start was not simply accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerEffect {
    /// Nobody knows whether it worked: the answer was lost, or was a 5xx. The list decides.
    Lost,
    /// The service did not start it: paused, or refused otherwise.
    Refused,
    NotFound,
    Denied(Scope),
    /// The request did not reach the service, and no other will.
    Unreachable,
    /// The service has certainly not executed it: there was no token to send it with, it was answered 429, or with a 401 that
    /// a renewed token may fix. It may be asked again.
    NotExecuted,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Sign-in was refused: no run can be seen.
    SignIn,
    /// This run can't be seen with this account.
    Run,
}

/// A run as the service describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub pipeline_id: Untrusted,
    pub run_id: Untrusted,
    /// `last_status`; empty when it is null, missing or empty.
    pub status: Untrusted,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    pub trace: Option<Untrusted>,
    /// What had to be repaired before the answer could be read; mostly nothing.
    pub repaired: Vec<Repair>,
}

impl Record {
    /// One of which nothing else is known, for tests.
    #[cfg(test)]
    pub fn bare(pipeline: &str, run: &str, status: &str) -> Record {
        Record {
            pipeline_id: Untrusted::new(pipeline),
            run_id: Untrusted::new(run),
            status: Untrusted::new(status),
            created_at: None,
            updated_at: None,
            trace: None,
            repaired: Vec::new(),
        }
    }

    pub fn meaning(&self, vocabulary: &Vocabulary) -> Meaning {
        vocabulary.read(self.status.raw())
    }
}

/// A record, what its word means, when the service gave it (its own clock), and when it was taken (since the inputs were
/// accepted).
#[derive(Clone, Debug, PartialEq)]
pub struct LastRecord {
    pub record: Record,
    pub meaning: Meaning,
    pub date: Option<DateTime<Utc>>,
    pub at: Duration,
}

impl LastRecord {
    /// How long the run took, rounded down to whole seconds.
    pub fn duration(&self) -> Option<Duration> {
        self.exact_duration().map(|exact| Duration::from_secs(exact.as_secs()))
    }

    /// Ended: `updated_at - created_at`. Still going when last seen: the answer's date minus `created_at`. Stamps that are
    /// missing or in the wrong order make no duration.
    pub(super) fn exact_duration(&self) -> Option<Duration> {
        let to = if self.meaning.passed().is_some() { self.record.updated_at } else { self.date };
        to?.signed_duration_since(self.record.created_at?).to_std().ok()
    }
}

/// Why there is no record: which request, what kind of trouble, and what was said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub during: Operation,
    pub kind: FailureKind,
    /// The server's own message, or the library's description of the fault: for the person, never branched on.
    pub detail: Option<Untrusted>,
}

impl Failure {
    pub fn new(during: Operation, kind: FailureKind) -> Failure {
        Failure { during, kind, detail: None }
    }
}

/// The request that missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    SignIn,
    GetRun,
    List,
    /// Of the pipeline itself; only the doctor asks for it.
    Details,
    Execute,
    Logs,
}

/// What about TLS is configuration: it stays as it is until somebody changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// No protocol version, cipher or key exchange that both sides know.
    NothingInCommon,
    /// The server wants a certificate of the client's, and the gate has none.
    ClientCertificate,
    /// What answers at that port does not speak TLS.
    NotTls,
    /// `ca-file` holds the server's own certificate, which is not one that such a certificate can be checked by.
    CaFileIsLeaf,
}

/// What went wrong, as far as it matters to somebody who must act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// An HTTP status that speaks for itself.
    Http(u16),
    /// 200 with `null`, nothing, `{}` or `data: null`.
    NoRecord,
    /// The list has no such run (yet).
    NotListed,
    /// What was started is not in the list, and may wait behind an earlier run.
    Queued,
    /// A record of the list can't be put in order: it might be the newest.
    Unplaceable,
    /// The list says that there is more of it elsewhere.
    OnePage,
    /// The list is a cache's, and too old to tell what is new.
    Cached,
    /// The list does not show yet what a run's own record has told: that it has ended.
    Lagging,
    /// The list came without a date by which to tell new runs from old ones.
    NoDate,
    /// `if-running: fail` met a run that is running.
    AlreadyGoing,
    /// The service answered a request to start with a plain no.
    Refused,
    /// A body that is not one JSON document (HTML, truncated, bad UTF-8, something after it).
    NotJson,
    /// JSON, but not a run's record; the word says what is wrong with it.
    NotARecord(&'static str),
    /// A record that says success, and had to be repaired.
    Repaired,
    /// A record of another run or pipeline.
    AnotherRun,
    /// The run that a start was answered with is older than the request.
    BeforeStart,
    /// The body was longer than the limit.
    TooLarge,
    /// A redirect to another origin.
    RedirectOffOrigin,
    /// More than five redirects, or one that can't be followed.
    RedirectLoop,
    /// The proxy wants credentials (407).
    ProxyAuthentication,
    /// The proxy answered the request for a tunnel with this status.
    ProxyRefused(u16),
    /// The proxy can't be reached, or broke the tunnel.
    Proxy,
    /// TLS is set up wrongly, here or at the service.
    Tls(TlsFault),
    /// The server's certificate is not trusted, expired or for another name.
    Certificate,
    /// The name can't be resolved.
    Dns,
    /// No connection: refused, reset or timed out while connecting, TLS trouble of no other kind.
    Connect,
    /// The connection broke, or the answer could not be decoded.
    Broken,
    /// No complete answer within the request's time limit.
    Timeout,
    /// Sign-in answered without a token: MFA is missing.
    NoToken,
    /// Sign-in answered without a token, although a one-time code was sent.
    CodeRefused,
    /// The token was refused and there is nothing to renew it with, or the renewed one was refused too.
    TokenRefused,
    /// The token file can't be read or holds no token.
    TokenFile,
}
