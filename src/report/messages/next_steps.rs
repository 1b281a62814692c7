//! What to do about a failed request: which input to change, or who can help.

use crate::core::{Failure, FailureKind, Operation};

/// The next step after a failure that ended a wait.
pub fn remedy(failure: &Failure) -> &'static str {
    match (failure.during, failure.kind) {
        (_, FailureKind::Http(407) | FailureKind::ProxyAuthentication) => {
            "add the proxy's user name and password to HTTPS_PROXY, or add the service's host to NO_PROXY"
        }
        (Operation::SignIn, FailureKind::Http(400 | 401 | 403)) => {
            "check username and password (DADOSFERA_USERNAME, DADOSFERA_PASSWORD) for typos, surrounding blanks and quotes; an \
             account with MFA also needs totp-secret"
        }
        (Operation::SignIn, FailureKind::Http(404 | 410)) => "check base-url: there is no sign-in at this address",
        (Operation::GetRun | Operation::List | Operation::Execute | Operation::Logs, FailureKind::Http(401))
        | (_, FailureKind::TokenRefused) => {
            "pass a new access-token (a token lives about 30 minutes), or pass username and password so that the gate can renew \
             it; if you did, the service refuses new tokens too: check base-url and whether the account may use the API"
        }
        (Operation::Execute, FailureKind::Http(403)) => {
            "give this account the right to start the pipeline, or use another account; also check pipeline-id"
        }
        (Operation::GetRun | Operation::List | Operation::Logs, FailureKind::Http(403)) => {
            "give this account access to the pipeline, or use another account; also check pipeline-id"
        }
        (Operation::List, FailureKind::NotListed) => {
            "check in Maestro whether the pipeline has such a run; check pipeline-id and that the account belongs to the \
             pipeline's owner; if a new run only takes longer to appear, raise appear-timeout"
        }
        (Operation::List | Operation::Execute, FailureKind::Http(404 | 410) | FailureKind::NoRecord) => {
            "check pipeline-id and that the account belongs to the pipeline's owner"
        }
        (Operation::Execute, FailureKind::Http(400..=499) | FailureKind::Refused) => {
            "check in Maestro whether the pipeline is paused or why it can't start, then re-run this job"
        }
        (_, FailureKind::AlreadyGoing) => {
            "re-run this job when that run has finished, or set if-running to queue or attach"
        }
        (_, FailureKind::Queued) => "raise timeout, or start the pipeline when none of its runs is in progress",
        (_, FailureKind::Unplaceable) => {
            "set run-id to the id of the run; report the unreadable record in the list of runs to Dadosfera"
        }
        (_, FailureKind::OnePage) => {
            "set run-id to the id of the run, and look for a newer version of maestro-gate: the service's list has changed"
        }
        (_, FailureKind::Cached) => {
            "configure the cache in front of the service not to store lists of runs, or set run-id to the id of the run"
        }
        (_, FailureKind::Lagging) => {
            "find the run that this job started in Maestro, and wait for it with run-id: the service's list is behind"
        }
        (_, FailureKind::NoDate) => {
            "check the proxies between this machine and the service: the Date header of the answer is missing"
        }
        (_, FailureKind::Refused) => "check in Maestro why the service refuses this",
        (Operation::GetRun | Operation::Logs, FailureKind::Http(404 | 410))
        | (_, FailureKind::NoRecord | FailureKind::NotListed) => {
            "check run-id and pipeline-id and that the account belongs to the pipeline's owner; if a new run only takes longer \
             to appear, raise appear-timeout"
        }
        (_, FailureKind::Http(429)) => {
            "set a longer poll-interval or raise max-outage: the service limits the rate of requests"
        }
        (_, FailureKind::Http(500)) => {
            "check run-id and pipeline-id (the service may answer 500 to wrong ids) and whether the service is up, then re-run \
             this job or raise max-outage"
        }
        (_, FailureKind::Http(408 | 425 | 501..)) => {
            "check whether the service is up, then re-run this job; if outages of this length are normal, raise max-outage"
        }
        (_, FailureKind::Http(400..=499)) => "check base-url, pipeline-id and run-id: the service rejects this request",
        (_, FailureKind::Http(_)) => "check base-url: what answers there is not the service",
        (_, FailureKind::NotJson) => {
            "check base-url and proxies: something else answers in place of the service (a login page?)"
        }
        (_, FailureKind::NotARecord(_)) => {
            "check base-url; if it is right, the service has changed: look for a newer version of maestro-gate"
        }
        (_, FailureKind::Repaired) => {
            "see in the log what is wrong with the answer, and report it to Dadosfera; only a valid answer can pass the gate"
        }
        (_, FailureKind::BeforeStart) => {
            "check in Maestro which run this job started, and wait for it with run-id; report the wrong id to Dadosfera"
        }
        (_, FailureKind::AnotherRun) => {
            "check run-id and pipeline-id; if they are right, the service or a cache confuses runs: report it to Dadosfera"
        }
        (_, FailureKind::TooLarge) => "check base-url: no answer of the service should be this large",
        (_, FailureKind::RedirectOffOrigin) => {
            "check base-url and proxies: the gate does not follow redirects to other hosts, because they would get its token"
        }
        (_, FailureKind::RedirectLoop) => "check base-url and proxies",
        (_, FailureKind::Proxy) => {
            "check HTTPS_PROXY and NO_PROXY, and whether the proxy allows connections to the service"
        }
        (_, FailureKind::ProxyRefused(status)) if status < 500 => {
            "allow connections to the service's host and port on the proxy, or add the host to NO_PROXY"
        }
        (_, FailureKind::ProxyRefused(_)) => {
            "check whether the service is up and the proxy can reach it, then re-run this job or raise max-outage"
        }
        (_, FailureKind::Tls(fault)) => super::network::tls_remedy(fault),
        (_, FailureKind::Certificate) => {
            "if your network inspects TLS traffic, set ca-file to the root certificate of your proxy; else check base-url and \
             this machine's clock"
        }
        (_, FailureKind::Dns) => "check the host name in base-url and the DNS settings of this machine",
        (_, FailureKind::Connect) => {
            "check whether this machine can reach the service (firewall, HTTPS_PROXY), then re-run this job or raise max-outage"
        }
        (_, FailureKind::Broken | FailureKind::Timeout) => {
            "check whether the service and the network are up, then re-run this job; if outages of this length are normal, raise \
             max-outage"
        }
        (_, FailureKind::NoToken) => {
            "set totp-secret (DADOSFERA_TOTP_SECRET): the account requires a second factor, and none was given"
        }
        (_, FailureKind::CodeRefused) => {
            "check totp-secret (DADOSFERA_TOTP_SECRET) and this machine's clock: two codes in a row were refused"
        }
        (_, FailureKind::TokenFile) => "check that access-token-file is a readable file that contains one token",
    }
}
