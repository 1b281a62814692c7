//! What a failed request means, in words: what came instead of an answer, and what to do about it. One row per kind.

use std::borrow::Cow;

use crate::core::{Failure, FailureKind, Operation, TlsFault};

/// What came in place of the answer, and the next step after a failure that ended a wait.
pub(super) struct FailureWords {
    pub came: Cow<'static, str>,
    pub remedy: &'static str,
}

/// What to do about a failed request: which input to change, or who can help.
pub fn remedy(failure: &Failure) -> &'static str {
    words(failure).remedy
}

/// The row of a failure.
pub(super) fn words(failure: &Failure) -> FailureWords {
    let during = failure.during;
    match failure.kind {
        FailureKind::Http(code) => row(format!("the service answered {code}"), http_remedy(during, code)),
        FailureKind::NoRecord => row("the service returned no record", missing(during)),
        FailureKind::NotListed => row(
            "the list has no such run",
            "check in Maestro whether the pipeline has such a run; check pipeline-id and that the account belongs to the \
             pipeline's owner; if a new run only takes longer to appear, raise appear-timeout",
        ),
        FailureKind::NotJson => row(
            "the answer is not JSON",
            "check base-url and proxies: something else answers in place of the service (a login page?)",
        ),
        FailureKind::NotARecord(what) => row(
            format!("the answer is not {}: {what}", expected(during)),
            "check base-url; if it is right, the service has changed: look for a newer version of maestro-gate",
        ),
        FailureKind::Refused => row("the service refused", NOT_STARTED),
        FailureKind::ProxyRefused(status) => row(
            format!("the proxy refused the connection with status {status}"),
            if status < 500 {
                "allow connections to the service's host and port on the proxy, or add the host to NO_PROXY"
            } else {
                "check whether the service is up and the proxy can reach it, then re-run this job or raise max-outage"
            },
        ),
        FailureKind::Tls(TlsFault::NothingInCommon) => row(
            "no TLS version or cipher that both the server and the gate know",
            "enable TLS 1.2 or 1.3 with a common cipher on the server that base-url names, or on the proxy before it",
        ),
        FailureKind::Tls(TlsFault::ClientCertificate) => row(
            "the server requires a client certificate",
            "let base-url name an address that requires no client certificate: the gate has none to show",
        ),
        FailureKind::Tls(TlsFault::NotTls) => row(
            "what answers at that port does not speak TLS",
            "check the port in base-url: TLS is spoken at another one, usually 443",
        ),
        FailureKind::Tls(TlsFault::CaFileIsLeaf) => row(
            "ca-file holds the server's own certificate, not the one of the authority that signed it",
            "in ca-file, give the certificate of the authority that signed the server's; a server's self-signed certificate \
             works only if it is not an authority's too (with openssl: -addext basicConstraints=critical,CA:FALSE)",
        ),
        FailureKind::Queued => row(
            "the new run may be queued behind an earlier run",
            "raise timeout, or start the pipeline when none of its runs is in progress",
        ),
        FailureKind::OnePage => row(
            "the list has more pages, so the newest run may be missing",
            "set run-id to the id of the run, and look for a newer version of maestro-gate: the service's list has changed",
        ),
        FailureKind::Cached => row(
            "the list came from a cache and is too old to show new runs",
            "configure the cache in front of the service not to store lists of runs, or set run-id to the id of the run",
        ),
        FailureKind::Lagging => row(
            "the list does not show yet that the run has finished",
            "find the run that this job started in Maestro, and wait for it with run-id: the service's list is behind",
        ),
        FailureKind::Unplaceable => row(
            "a record in the list can't be ordered and may be the newest run",
            "set run-id to the id of the run; report the unreadable record in the list of runs to Dadosfera",
        ),
        FailureKind::NoDate => row(
            "the answer has no readable Date and Age headers, so new runs can't be told from old ones",
            "check the proxies between this machine and the service: the Date header of the answer is missing, or its Age header can't be read",
        ),
        FailureKind::AlreadyGoing => row(
            "a run is already in progress",
            "re-run this job when that run has finished, or set if-running to queue or attach",
        ),
        FailureKind::Repaired => row(
            "the answer reports success, but is not valid JSON",
            "see in the log what is wrong with the answer, and report it to Dadosfera; only a valid answer can pass the gate",
        ),
        FailureKind::AnotherRun => row(
            "the answer is about another run",
            "check run-id and pipeline-id; if they are right, the service or a cache confuses runs: report it to Dadosfera",
        ),
        FailureKind::BeforeStart => row(
            "the run that the service named began before the request to start it",
            "check in Maestro which run this job started, and wait for it with run-id; report the wrong id to Dadosfera",
        ),
        FailureKind::TooLarge => {
            row("the answer is too large", "check base-url: no answer of the service should be this large")
        }
        FailureKind::RedirectOffOrigin => row(
            "the service redirected to another host",
            "check base-url and proxies: the gate does not follow redirects to other hosts, because they would get its token",
        ),
        FailureKind::RedirectLoop => row("too many redirects, or one that leads nowhere", "check base-url and proxies"),
        FailureKind::ProxyAuthentication => row("the proxy requires credentials (407)", PROXY_CREDENTIALS),
        FailureKind::Proxy => row(
            "the proxy refused the connection",
            "check HTTPS_PROXY and NO_PROXY, and whether the proxy allows connections to the service",
        ),
        FailureKind::Certificate => row(
            "the server's certificate is not trusted",
            "if your network inspects TLS traffic, set ca-file to the root certificate of your proxy; else check base-url and \
             this machine's clock",
        ),
        FailureKind::Dns => row(
            "the host name can't be resolved",
            "check the host name in base-url and the DNS settings of this machine",
        ),
        FailureKind::Connect => row(
            "can't connect",
            "check whether this machine can reach the service (firewall, HTTPS_PROXY), then re-run this job or raise max-outage",
        ),
        FailureKind::Broken => row("the connection was closed too early", UP_AND_CONNECTED),
        FailureKind::Timeout => row("no complete answer in time", UP_AND_CONNECTED),
        FailureKind::NoToken => row(
            "the answer contains no token, and no totp-secret was given",
            "set totp-secret (DADOSFERA_TOTP_SECRET): the account requires a second factor, and none was given",
        ),
        FailureKind::CodeRefused => row(
            "the answer contains no token, although a code from totp-secret was sent",
            "check totp-secret (DADOSFERA_TOTP_SECRET) and this machine's clock: two codes in a row were refused",
        ),
        FailureKind::TokenRefused => row("the token was refused", NEW_TOKEN),
        FailureKind::TokenFile => row(
            "the token file can't be read or contains no token",
            "check that access-token-file is a readable file that contains one token",
        ),
    }
}

fn row(came: impl Into<Cow<'static, str>>, remedy: &'static str) -> FailureWords {
    FailureWords { came: came.into(), remedy }
}

const UP_AND_CONNECTED: &str = "check whether the service and the network are up, then re-run this job; if outages of this \
                                length are normal, raise max-outage";

const PROXY_CREDENTIALS: &str =
    "add the proxy's user name and password to HTTPS_PROXY, or add the service's host to NO_PROXY";

const NEW_TOKEN: &str = "pass a new access-token (a token lives about 30 minutes), or pass username and password so that the \
                         gate can renew it; if you did, the service refuses new tokens too: check base-url and whether the \
                         account may use the API";

const PIPELINE_UNKNOWN: &str = "check pipeline-id and that the account belongs to the pipeline's owner";

const RUN_UNKNOWN: &str = "check run-id and pipeline-id and that the account belongs to the pipeline's owner; if a new run \
                           only takes longer to appear, raise appear-timeout";

const NOT_STARTED: &str = "check in Maestro whether the pipeline is paused or why it can't start, then re-run this job";

/// What the answer should have been.
fn expected(during: Operation) -> &'static str {
    match during {
        Operation::List => "a list of runs",
        Operation::Details => "a pipeline record",
        Operation::SignIn | Operation::GetRun | Operation::Execute | Operation::Logs => "a run record",
    }
}

/// What to do where the service knows nothing of what was asked for.
fn missing(during: Operation) -> &'static str {
    match during {
        Operation::List | Operation::Execute => PIPELINE_UNKNOWN,
        Operation::SignIn | Operation::GetRun | Operation::Details | Operation::Logs => RUN_UNKNOWN,
    }
}

/// What to do about a status: the first row that fits.
fn http_remedy(during: Operation, code: u16) -> &'static str {
    match (during, code) {
        (_, 407) => PROXY_CREDENTIALS,
        (Operation::SignIn, 400 | 401 | 403) => {
            "check username and password (DADOSFERA_USERNAME, DADOSFERA_PASSWORD) for typos, surrounding blanks and quotes; an \
             account with MFA also needs totp-secret"
        }
        (Operation::SignIn, 404 | 410) => "check base-url: there is no sign-in at this address",
        (_, 401) => NEW_TOKEN,
        (Operation::Execute, 403) => {
            "give this account the right to start the pipeline, or use another account; also check pipeline-id"
        }
        (_, 403) => "give this account access to the pipeline, or use another account; also check pipeline-id",
        (_, 404 | 410) => missing(during),
        (Operation::Execute, 400..=499) => NOT_STARTED,
        (_, 429) => "set a longer poll-interval or raise max-outage: the service limits the rate of requests",
        (_, 500) => {
            "check run-id and pipeline-id (the service may answer 500 to wrong ids) and whether the service is up, then re-run \
             this job or raise max-outage"
        }
        (_, 408 | 425 | 501..) => {
            "check whether the service is up, then re-run this job; if outages of this length are normal, raise max-outage"
        }
        (_, 400..=499) => "check base-url, pipeline-id and run-id: the service rejects this request",
        (_, _) => "check base-url: what answers there is not the service",
    }
}
