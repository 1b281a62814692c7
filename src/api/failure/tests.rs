//! The table, row by row as the reference has it.

use super::*;

fn observed(during: During, kind: MissKind) -> &'static str {
    match read::<()>(Fault::new(kind).during(during)) {
        Observation::Record(_) => "record",
        Observation::NotVisible(_) => "not visible",
        Observation::Denied(Scope::SignIn, _) => "denied",
        Observation::Denied(Scope::Run, _) => "denied: run",
        Observation::Unreachable(_) => "unreachable",
        Observation::Unusable(_) => "unusable",
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
        assert_eq!(observed(During::GetRun, of_status(During::GetRun, status, b"").kind), run, "{status}");
        assert_eq!(observed(During::SignIn, of_status(During::SignIn, status, b"").kind), sign_in, "{status}");
    }
}

#[test]
fn every_fault_is_read_as_the_reference_says() {
    for (kind, run, sign_in) in [
        (MissKind::NoRecord, "not visible", "unusable"),
        (MissKind::NotJson, "unusable", "unusable"),
        (MissKind::NotARecord("x"), "unusable", "unusable"),
        (MissKind::AnotherRun, "unusable", "unusable"),
        (MissKind::Repaired, "unusable", "unusable"),
        (MissKind::TooLarge, "unusable", "unusable"),
        (MissKind::RedirectOffOrigin, "unreachable", "unreachable"),
        (MissKind::RedirectLoop, "unusable", "unusable"),
        (MissKind::ProxyAuthentication, "unreachable", "unreachable"),
        (MissKind::Proxy, "unusable", "unusable"),
        (MissKind::Certificate, "unreachable", "unreachable"),
        (MissKind::Dns, "unusable", "unusable"),
        (MissKind::Connect, "unusable", "unusable"),
        (MissKind::Broken, "unusable", "unusable"),
        (MissKind::Timeout, "unusable", "unusable"),
        (MissKind::NoToken, "unusable", "denied"),
        (MissKind::TokenRefused, "denied: run", "unusable"),
        (MissKind::TokenFile, "denied: run", "denied"),
    ] {
        assert_eq!(observed(During::GetRun, kind), run, "{kind:?}");
        assert_eq!(observed(During::SignIn, kind), sign_in, "{kind:?}");
    }
}

#[test]
fn a_refusal_s_kind_tells_a_dead_token_from_a_missing_right() {
    assert_eq!(of_status(During::GetRun, 401, b"").kind, MissKind::TokenRefused);
    let detail = |during| of_status(during, 500, br#"{"tokens":{"accessToken":"abc"}}"#).detail;
    assert!(detail(During::GetRun).is_some() && detail(During::SignIn).is_none(), "nobody knows those tokens yet");
    assert_eq!(of_status(During::GetRun, 403, b"").kind, MissKind::Http(403));
    assert_eq!(of_status(During::SignIn, 401, b"").kind, MissKind::Http(401));
    assert_eq!(of_status(During::GetRun, 407, b"").kind, MissKind::ProxyAuthentication);
    let told = of_status(During::GetRun, 403, br#"{"message":"no right","code":"AUTH.FORBIDDEN"}"#);
    assert_eq!(told.detail, Some(Foreign::new("no right (AUTH.FORBIDDEN)")));
}

#[test]
fn a_proxy_heals_unless_it_asks_for_credentials() {
    assert_eq!(of_tunnel(&TunnelError::ProxyAuthRequired), MissKind::ProxyAuthentication);
    for heals in [
        TunnelError::Io(io::Error::other("reset")),
        TunnelError::MissingHost,
        TunnelError::ProxyHeadersTooLong,
        TunnelError::TunnelUnexpectedEof,
        TunnelError::TunnelUnsuccessful,
    ] {
        assert_eq!(of_tunnel(&heals), MissKind::Proxy, "{heals}");
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
fn an_error_is_told_in_the_words_of_its_first_cause() {
    #[derive(Debug, thiserror::Error)]
    #[error("a layer above")]
    struct Layer(#[source] std::num::ParseIntError);
    let cause = "x".parse::<u8>().expect_err("no number");
    assert_eq!(describe(&Layer(cause.clone())), Foreign::new(cause.to_string()));
    assert_eq!(describe(&cause), Foreign::new("invalid digit found in string"));
}
