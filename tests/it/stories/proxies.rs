//! Proxies are used for https only, and their credentials are shown nowhere.

use super::network::{PROXY_PASSWORD, at, encrypted};
use crate::harness::{self, Story, in_parallel};
use crate::stand_in::{On, Reply, Service};

/// The address of a stand-in as a proxy's, with credentials.
fn address(proxy: &Service) -> String {
    proxy.base_url().replace("http://", &format!("http://me:{PROXY_PASSWORD}@"))
}

#[test]
fn https_goes_through_the_proxy_of_the_environment() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let (service, proxy) = (encrypted(), harness::service());
        at(&service).env(name, address(&proxy)).play().assert_ended("passed", 0);
        let tunnels = proxy.requests_to(On::Connect);
        assert!(!tunnels.is_empty() && tunnels.len() == proxy.requests().len(), "{name}: {:?}", proxy.requests());
        assert!(tunnels[0].header("proxy-authorization").is_some_and(|header| header.starts_with("Basic ")));
        assert!(tunnels.iter().all(|seen| seen.header("authorization").is_none()), "the token is not the proxy's");
    }
}

#[test]
fn no_proxy_is_heeded() {
    let (service, proxy) = (encrypted(), harness::service());
    at(&service).env("HTTPS_PROXY", address(&proxy)).env("NO_PROXY", "127.0.0.1").play().assert_ended("passed", 0);
    assert!(proxy.requests().is_empty());
}

#[test]
fn plain_http_to_this_machine_goes_through_no_proxy() {
    let (service, proxy) = (harness::service(), harness::service());
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"];
    let story = names.iter().fold(Story::at(&service), |story, name| story.env(name, address(&proxy)));
    story.secret(PROXY_PASSWORD).play().assert_ended("passed", 0);
    assert!(proxy.requests().is_empty(), "a password in the clear: {:?}", proxy.requests());
}

#[test]
fn a_proxy_that_does_not_let_us_through_is_unreachable() {
    let echo = || Reply::text(407, &format!("no, me:{PROXY_PASSWORD}")).header("proxy-authenticate", "Basic");
    let rows = [
        ("407", echo().forever(), "5m"),
        ("502", Reply::html(502).forever(), "0"),
        ("403", Reply::status(403).forever(), "0"),
        ("closed", Reply::close().forever(), "0"),
        ("no HTTP", Reply::garbage(b"SSH-2.0\r\n").forever(), "0"),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(_, reply, timeout)| {
            let (service, proxy) = (encrypted(), harness::service());
            proxy.order(On::Connect, reply.clone());
            let outcome = at(&service).env("HTTPS_PROXY", address(&proxy)).with("timeout", *timeout).play();
            outcome.assert_ended("unreachable", 6);
            assert!(service.requests().is_empty());
        },
    );
}

#[test]
fn a_proxy_that_is_not_there_is_unreachable_and_named_as_the_proxy() {
    let service = encrypted();
    // A port that was free a moment ago, and that nothing listens on.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a free port");
    let story = Story::at(&service).with_file("ca-file", service.ca_pem()).with("timeout", "0");
    let outcome = story.env("HTTPS_PROXY", format!("http://{closed}")).play();
    outcome.assert_ended("unreachable", 6);
    assert!(outcome.log().contains("the proxy refused the connection"), "{}", outcome.log());
    assert!(service.requests().is_empty());
}
