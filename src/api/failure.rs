//! THE failure table: what went wrong -> what the gate makes of it (docs/reference.md#how-an-answer-is-read).
//!
//! Pure, and by type only: no row looks at the text of an error. Whatever is not named here is `Unusable`: the outage
//! clock decides, and no row can ever be a record.

use std::error::Error;
use std::io;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;

use super::dns::Unresolved;
use super::error_body;
use super::timing_headers::TimingHeaders;
use super::trust::CaFileIsLeaf;
use crate::core::{
    Answer, Effect, Failure, FailureKind, Observation, Operation, Scope, TlsFault, TriggerEffect, TriggerResponse,
    Untrusted,
};

/// Why there is no usable body: the kind, and what may be said about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RequestError {
    pub(crate) kind: FailureKind,
    pub(crate) detail: Option<Untrusted>,
}

impl RequestError {
    pub(crate) fn new(kind: FailureKind) -> RequestError {
        RequestError { kind, detail: None }
    }

    pub(crate) fn during(self, during: Operation) -> Failure {
        Failure { during, kind: self.kind, detail: self.detail }
    }
}

/// The table applied, for whatever was looked for.
pub(crate) fn read<T>(failure: Failure) -> Observation<T> {
    Observation::Missing(effect(failure.during, failure.kind), failure)
}

/// The same for a request to which no answer came, or that was not sent.
pub(crate) fn unanswered<T>(failure: Failure) -> Answer<T> {
    TimingHeaders::default().answer(read(failure))
}

/// The table.
fn effect(during: Operation, kind: FailureKind) -> Effect {
    use FailureKind::*;
    let signs_in = during == Operation::SignIn;
    match kind {
        // Wrong credentials do not become right: no run can be seen. 400 is what the service answers to a wrong key or a
        // malformed e-mail address; a 200 without a token is MFA (docs/maestro-api.md#the-mfa-trap).
        Http(400 | 401 | 403) | NoToken | CodeRefused | TokenFile if signs_in => Effect::Denied(Scope::SignIn),
        // No sign-in at this address: a wrong `base-url`.
        Http(404 | 410) if signs_in => Effect::Unreachable,
        // Nothing makes these: a sign-in has neither a record to miss nor a token to be refused, and only it brings a token.
        NoRecord | NotListed | TokenRefused if signs_in => Effect::Unusable,
        NoToken | CodeRefused => Effect::Unusable,

        // What is left of a refusal when no renewal can fix it. One run's refusal is not another's.
        Http(401 | 403) | TokenRefused | TokenFile => Effect::Denied(Scope::Run),
        // The service answers, and has no such run: not yet, not any more, or not under this id. A list's is the pipeline.
        Http(404 | 410) | NoRecord | NotListed => Effect::NotVisible,

        // "Ask again later", as a status. A proxy's rule is configuration too; its 5xx speak of the service.
        Http(408 | 425 | 429) | ProxyRefused(408 | 425 | 429) => Effect::Unusable,
        // The request itself is wrong, and the next one will be the same.
        Http(400..=499) | ProxyRefused(400..=499) => Effect::Unreachable,
        // 5xx heal; other 2xx and 3xx are no answer to "get one run".
        Http(_) | ProxyRefused(_) => Effect::Unusable,

        // The token would go to somebody else, and a redirect is configuration: it stays. Credentials and certificates do
        // not fix themselves within a job.
        RedirectOffOrigin | ProxyAuthentication | Certificate | Tls(_) => Effect::Unreachable,
        // Whatever may be better the next time.
        NotJson | NotARecord(_) | AnotherRun | BeforeStart | Repaired | TooLarge | RedirectLoop | Proxy | Dns
        | Connect | Broken | Timeout => Effect::Unusable,
        // The gate's own, which no answer is.
        Queued | Unplaceable | OnePage | Cached | Lagging | NoDate | AlreadyGoing | Refused => Effect::Unusable,
    }
}

/// What it means for the one request to start a pipeline that its answer is not a plain yes. `Lost` is the safe reading:
/// it asks the list, and never the service a second time.
pub(crate) fn trigger_failure(failure: Failure) -> TriggerResponse {
    TriggerResponse::Missing(trigger_effect(failure.kind), failure)
}

fn trigger_effect(kind: FailureKind) -> TriggerEffect {
    use FailureKind::*;
    match kind {
        Http(401 | 403) | TokenRefused | TokenFile => TriggerEffect::Denied(Scope::Run),
        Http(404 | 410) => TriggerEffect::NotFound,
        // Given up by somebody on the way, who need not know what the service made of it.
        Http(408 | 425) => TriggerEffect::Lost,
        // Turned away before anything was done.
        Http(429) => TriggerEffect::NotExecuted,
        Http(400..=499) | Refused => TriggerEffect::Refused,
        // This answer is not the service's. Who sent a redirect to another place is unknown.
        ProxyAuthentication | Certificate | Tls(_) => TriggerEffect::Unreachable,
        Http(_) | NoRecord | NotListed | Queued | RedirectOffOrigin | OnePage | Cached | Lagging | Unplaceable
        | NoDate | AlreadyGoing | NotJson | NotARecord(_) | AnotherRun | BeforeStart | Repaired | TooLarge
        | RedirectLoop | ProxyRefused(_) | Proxy | Dns | Connect | Broken | Timeout | NoToken | CodeRefused => {
            TriggerEffect::Lost
        }
    }
}

/// An answer that is no success: its status alone decides, its body is for the person.
pub(crate) fn of_status(during: Operation, status: u16, body: &[u8]) -> Failure {
    let kind = match (during, status) {
        (_, 407) => FailureKind::ProxyAuthentication,
        // A 403 keeps its number: it speaks of the right to see the run, not of the token.
        (Operation::GetRun | Operation::List | Operation::Details | Operation::Execute | Operation::Logs, 401) => {
            FailureKind::TokenRefused
        }
        _ => FailureKind::Http(status),
    };
    // The answer to a sign-in may hold tokens that nobody knows yet.
    let detail = if during == Operation::SignIn {
        error_body::labelled_error_message(body)
    } else {
        error_body::error_message(body)
    };
    Failure { during, kind, detail }
}

/// `hyper_util` keeps the name of this type to itself, but not the type.
type TunnelError = <Tunnel<HttpConnector> as tower_service::Service<http::Uri>>::Error;

/// No answer, or not all of it.
pub(crate) fn of_error(error: reqwest::Error) -> RequestError {
    // Redirects stay within the origin, so this is the service's own host. The rest of the address may be its text.
    let host = error.url().and_then(reqwest::Url::host_str).map(str::to_owned).unwrap_or_default();
    let error = error.without_url();
    let tls = find::<rustls::Error>(&error).and_then(of_tls);
    // With TLS 1.3 a server says so when the handshake is over for us.
    let wants_certificate = tls == Some(FailureKind::Tls(TlsFault::ClientCertificate));
    // What an https proxy's TLS lacks is the proxy's affair; which roots to trust there is ours.
    let is_ours = |kind: &FailureKind| *kind == FailureKind::Certificate || find::<TunnelError>(&error).is_none();
    let kind = if let Some(kind) = tls.filter(|_| error.is_connect() || wants_certificate).filter(is_ours) {
        kind
    } else if !error.is_connect() {
        FailureKind::Broken
    } else if let Some(tunnel) = find::<TunnelError>(&error) {
        of_tunnel(tunnel)
    } else if find::<Unresolved>(&error).is_some() {
        FailureKind::Dns
    } else {
        FailureKind::Connect
    };
    RequestError { kind, detail: Some(Untrusted::new(format!("{host}: {}", describe(&error).raw()))) }
}

/// Whether what came did not fit into TLS, an alert of it included: HTTP/2 keeps no more of such an error than its kind.
pub(crate) fn is_broken_by_tls(error: &reqwest::Error) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
}

/// What of TLS stays as it is until somebody changes it.
#[expect(clippy::wildcard_enum_match_arm, reason = "rustls' own enum, which grows; what is not named here may pass")]
fn of_tls(error: &rustls::Error) -> Option<FailureKind> {
    use rustls::{AlertDescription as Alert, CertificateError, Error, InvalidMessage};
    let fault = match error {
        Error::InvalidCertificate(CertificateError::Other(other)) if other.0.is::<CaFileIsLeaf>() => {
            TlsFault::CaFileIsLeaf
        }
        Error::InvalidCertificate(_) => return Some(FailureKind::Certificate),
        Error::AlertReceived(Alert::CertificateRequired) => TlsFault::ClientCertificate,
        Error::PeerIncompatible(_)
        | Error::AlertReceived(
            Alert::HandshakeFailure
            | Alert::ProtocolVersion
            | Alert::InsufficientSecurity
            | Alert::NoApplicationProtocol,
        ) => TlsFault::NothingInCommon,
        // The first bytes of a record that is none.
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            TlsFault::NotTls
        }
        _ => return None,
    };
    Some(FailureKind::Tls(fault))
}

/// No way through a proxy: only a question for credentials stays as it is.
fn of_tunnel(error: &TunnelError) -> FailureKind {
    if matches!(error, TunnelError::ProxyAuthRequired) { FailureKind::ProxyAuthentication } else { FailureKind::Proxy }
}

/// The first `T` in the chain of causes.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // `io::Error::source` passes over the very error that it wraps, and rustls' come wrapped so.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The first cause in the library's words: the layers around it say that a request failed, and ours says which.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> Untrusted {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    error_body::bounded(&cause.to_string())
}

#[cfg(test)]
mod tests;
