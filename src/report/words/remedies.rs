//! What a person can do about an answer that did not come: which input to change, or whom to ask.

use crate::gate::{During, Miss, MissKind};

/// The next step after a miss that ended a watch.
pub fn remedy(miss: &Miss) -> &'static str {
    match (miss.during, miss.kind) {
        (_, MissKind::Http(407) | MissKind::ProxyAuthentication) => {
            "put the proxy's user and password into HTTPS_PROXY, or the service's host into NO_PROXY"
        }
        (During::SignIn, MissKind::Http(400 | 401 | 403)) => {
            "check username and password (DADOSFERA_USERNAME, DADOSFERA_PASSWORD); an account with MFA needs \
             totp-secret too"
        }
        (During::SignIn, MissKind::Http(404 | 410)) => "check base-url: there is no sign-in at that address",
        (During::GetRun | During::List | During::Execute | During::Logs, MissKind::Http(401))
        | (_, MissKind::TokenRefused) => {
            "give a fresh access-token (one lives about 30 minutes), or username and password, with which the gate renews it; \
             where they are given, the service refuses even new tokens: check base-url, and that the account may use the API"
        }
        (During::Execute, MissKind::Http(403)) => {
            "let this account start the pipeline, or sign in with one that may; check pipeline-id too"
        }
        (During::GetRun | During::List | During::Logs, MissKind::Http(403)) => {
            "let this account see the pipeline, or sign in with one that may; check pipeline-id too"
        }
        (During::List, MissKind::NotListed) => {
            "look in Maestro whether the pipeline has such a run; check pipeline-id, and that the account belongs to the \
             pipeline's owner; if a new run only needs longer to show up, raise appear-timeout"
        }
        (During::List | During::Execute, MissKind::Http(404 | 410) | MissKind::NoRecord) => {
            "check pipeline-id, and that the account belongs to the pipeline's owner"
        }
        (During::Execute, MissKind::Http(400..=499) | MissKind::Refused) => {
            "look in Maestro whether the pipeline is paused, and why it does not start; then run this job again"
        }
        (_, MissKind::AlreadyGoing) => {
            "run this job again when that run is over, or set if-running: queue, or attach to wait for that run"
        }
        (_, MissKind::Queued) => "raise timeout, or start the pipeline when no run of it is going",
        (_, MissKind::Unplaceable) => {
            "name the run by its id; the service's list has a record that can't be read: tell Dadosfera"
        }
        (_, MissKind::OnePage) => {
            "name the run by its id; the service's list has changed: look for a newer maestro-gate"
        }
        (_, MissKind::Cached) => {
            "let the cache before the service pass on requests for a pipeline's runs, or name the run by its id"
        }
        (_, MissKind::Lagging) => {
            "look in Maestro which run this job started, and wait for it with run-id: the service's list lags behind"
        }
        (_, MissKind::NoDate) => "check proxies on the way: an answer's Date header got lost",
        (_, MissKind::Refused) => "look in Maestro what the service has against it",
        (During::GetRun | During::Logs, MissKind::Http(404 | 410)) | (_, MissKind::NoRecord | MissKind::NotListed) => {
            "check run-id and pipeline-id, and that the account belongs to the pipeline's owner; if a new run only needs \
             longer to show up, raise appear-timeout"
        }
        (_, MissKind::Http(429)) => "set a longer poll-interval, or raise max-outage: the service wants fewer requests",
        (_, MissKind::Http(500)) => {
            "check run-id and pipeline-id (the service may answer 500 to wrong ones), see whether the service is up, then \
             run this job again or raise max-outage"
        }
        (_, MissKind::Http(408 | 425 | 501..)) => {
            "see whether the service is up, then run this job again; if such outages pass by themselves, raise max-outage"
        }
        (_, MissKind::Http(400..=499)) => {
            "check base-url, pipeline-id and run-id: the service refuses the request as it stands"
        }
        (_, MissKind::Http(_)) => "check base-url: what answers there is not the service",
        (_, MissKind::NotJson) => {
            "check base-url, and proxies on the way: what answers there is not the service (a login page?)"
        }
        (_, MissKind::NotARecord(_)) => {
            "check base-url; if it is right, the service has changed: look for a newer maestro-gate"
        }
        (_, MissKind::AnotherRun) => {
            "check run-id and pipeline-id; if they are right, the service or a cache before it mixes up runs: tell \
             Dadosfera"
        }
        (_, MissKind::TooLarge) => "check base-url: no run's record is that large",
        (_, MissKind::RedirectOffOrigin) => {
            "check base-url, and proxies on the way: the gate follows no redirect to another host, for its token would go \
             along"
        }
        (_, MissKind::RedirectLoop) => "check base-url, and proxies on the way",
        (_, MissKind::Proxy) => {
            "check HTTPS_PROXY and NO_PROXY, and whether the proxy lets connections to the service through"
        }
        (_, MissKind::Certificate) => {
            "if a proxy of yours re-signs TLS traffic, give its root certificate as ca-file; else check base-url and this \
             machine's clock"
        }
        (_, MissKind::Dns) => "check the host name in base-url, and this machine's DNS",
        (_, MissKind::Connect) => {
            "check whether this machine may reach the service (firewall, HTTPS_PROXY), then run this job again or raise \
             max-outage"
        }
        (_, MissKind::Broken | MissKind::Timeout) => {
            "see whether the service and the network are up, then run this job again; if such outages pass by \
             themselves, raise max-outage"
        }
        (_, MissKind::NoToken) => {
            "set totp-secret (DADOSFERA_TOTP_SECRET): the account wants a second factor; if it is set, check it and this \
             machine's clock"
        }
        (_, MissKind::TokenFile) => "check that access-token-file names a readable file that holds one token",
    }
}
