//! How far a request gets on its way to the service.

use super::ServiceChecks;
use crate::core::{Failure, FailureKind, Operation, SessionNote, Verdict};
use crate::report::checkup::Check;
use crate::report::messages;

/// The checks that one request to the service makes, in the order in which it can fail.
const ON_THE_WAY: [&str; 4] = ["proxy", "dns", "connection", "sign-in"];

impl ServiceChecks<'_> {
    /// All fine, or fine up to where a request was stopped.
    pub(super) fn way(&mut self, stopped: Option<(usize, Verdict, &Failure)>) {
        let signed_in = self.client.take_notes().iter().any(|note| matches!(note, SessionNote::SignedIn));
        let connection = self.client.connection();
        let fine = [
            messages::proxy(&connection, &self.finalizer.sanitizer),
            "the service's name is known".to_owned(),
            if self.is_plain { "plain http to this machine".to_owned() } else { messages::trust(&connection) },
            if signed_in { "signed in".to_owned() } else { "the token is accepted".to_owned() },
        ];
        for (at, (name, fine)) in ON_THE_WAY.into_iter().zip(fine).enumerate() {
            let check = match stopped {
                Some((broken, verdict, failure)) if at == broken => self.failed_check(name, verdict, failure, ""),
                Some((broken, ..)) if at > broken => Check::skipped(name, "not reached"),
                Some(_) | None => Check::fine(name, fine),
            };
            self.checks.push(check);
        }
    }
}

/// Where on the way to the service a request went wrong; `None`: it got there.
pub(super) fn on_the_way(failure: &Failure) -> Option<usize> {
    use FailureKind::*;
    match (failure.during, failure.kind) {
        (_, Proxy | ProxyRefused(_) | ProxyAuthentication | Http(407)) => Some(0),
        (_, Dns) => Some(1),
        (_, Connect | Certificate | Tls(_) | Broken | Timeout) => Some(2),
        (Operation::SignIn, _) | (_, TokenRefused | TokenFile | Http(401)) => Some(3),
        _ => None,
    }
}
