//! The table, row by row as the reference has it.

use super::*;

fn observed(during: Operation, kind: FailureKind) -> &'static str {
    match read::<()>(Failure::new(during, kind)) {
        Observation::Record(_) => "record",
        Observation::Missing(Effect::NotVisible, _) => "not visible",
        Observation::Missing(Effect::Denied(Scope::SignIn), _) => "denied",
        Observation::Missing(Effect::Denied(Scope::Run), _) => "denied: run",
        Observation::Missing(Effect::Unreachable, _) => "unreachable",
        Observation::Missing(Effect::Unusable, _) => "unusable",
    }
}

#[test]
fn every_status_is_read_as_the_reference_says() {
    for status in 0..=u16::MAX {
        let run = match status {
            401 | 403 => "denied: run",
            404 | 410 => "not visible",
            408 | 425 | 429 => "unusable",
            400..=499 => "unreachable",
            _ => "unusable",
        };
        let sign_in = match status {
            400 | 401 | 403 => "denied",
            408 | 425 | 429 => "unusable",
            400..=499 => "unreachable",
            _ => "unusable",
        };
        assert_eq!(observed(Operation::GetRun, of_status(Operation::GetRun, status, b"").kind), run, "{status}");
        assert_eq!(observed(Operation::SignIn, of_status(Operation::SignIn, status, b"").kind), sign_in, "{status}");
    }
}

#[test]
fn every_fault_is_read_as_the_reference_says() {
    for (kind, run, sign_in) in [
        (FailureKind::NoRecord, "not visible", "unusable"),
        (FailureKind::NotJson, "unusable", "unusable"),
        (FailureKind::NotARecord("x"), "unusable", "unusable"),
        (FailureKind::AnotherRun, "unusable", "unusable"),
        (FailureKind::Repaired, "unusable", "unusable"),
        (FailureKind::TooLarge, "unusable", "unusable"),
        (FailureKind::RedirectOffOrigin, "unreachable", "unreachable"),
        (FailureKind::RedirectLoop, "unusable", "unusable"),
        (FailureKind::ProxyAuthentication, "unreachable", "unreachable"),
        (FailureKind::Proxy, "unusable", "unusable"),
        (FailureKind::Certificate, "unreachable", "unreachable"),
        (FailureKind::Dns, "unusable", "unusable"),
        (FailureKind::Connect, "unusable", "unusable"),
        (FailureKind::Broken, "unusable", "unusable"),
        (FailureKind::Timeout, "unusable", "unusable"),
        (FailureKind::NoToken, "unusable", "denied"),
        (FailureKind::TokenRefused, "denied: run", "unusable"),
        (FailureKind::TokenFile, "denied: run", "denied"),
    ] {
        assert_eq!(observed(Operation::GetRun, kind), run, "{kind:?}");
        assert_eq!(observed(Operation::SignIn, kind), sign_in, "{kind:?}");
    }
}

#[test]
fn a_refusal_s_kind_says_a_dead_token_from_a_missing_right() {
    assert_eq!(of_status(Operation::GetRun, 401, b"").kind, FailureKind::TokenRefused);
    let detail = |during| of_status(during, 500, br#"{"tokens":{"accessToken":"abc"}}"#).detail;
    assert!(
        detail(Operation::GetRun).is_some() && detail(Operation::SignIn).is_none(),
        "nobody knows those tokens yet"
    );
    assert_eq!(of_status(Operation::GetRun, 403, b"").kind, FailureKind::Http(403));
    assert_eq!(of_status(Operation::SignIn, 401, b"").kind, FailureKind::Http(401));
    assert_eq!(of_status(Operation::GetRun, 407, b"").kind, FailureKind::ProxyAuthentication);
    let told = of_status(Operation::GetRun, 403, br#"{"message":"no right","code":"AUTH.FORBIDDEN"}"#);
    assert_eq!(told.detail, Some(Untrusted::new("no right (AUTH.FORBIDDEN)")));
}

#[test]
fn a_proxy_heals_unless_it_asks_for_credentials() {
    assert_eq!(of_tunnel(&TunnelError::ProxyAuthRequired), FailureKind::ProxyAuthentication);
    for heals in [
        TunnelError::Io(io::Error::other("reset")),
        TunnelError::MissingHost,
        TunnelError::ProxyHeadersTooLong,
        TunnelError::TunnelUnexpectedEof,
        TunnelError::TunnelUnsuccessful,
    ] {
        assert_eq!(of_tunnel(&heals), FailureKind::Proxy, "{heals}");
    }
}

#[test]
fn a_cause_is_found_behind_nested_io_errors() {
    let inner = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
    let outer = io::Error::other(inner);
    assert_eq!(find::<rustls::Error>(&outer), Some(&rustls::Error::DecryptError));
    assert!(find::<std::fmt::Error>(&outer).is_none());
}

#[test]
fn an_error_is_reported_in_the_words_of_its_first_cause() {
    #[derive(Debug, thiserror::Error)]
    #[error("a layer above")]
    struct Layer(#[source] std::num::ParseIntError);
    let cause = "x".parse::<u8>().expect_err("no number");
    assert_eq!(describe(&Layer(cause.clone())), Untrusted::new(cause.to_string()));
    assert_eq!(describe(&cause), Untrusted::new("invalid digit found in string"));
}
