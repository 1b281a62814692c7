//! The way to the service: which proxy, whose certificate, and that a person can see both.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use serde_json::json;

use crate::harness::{self, Story, StoryOutcome, in_parallel, scenario};
use crate::socks::{Manner, Socks, Wanted};
use crate::stand_in::{End, On, Reply, Scenario, Service, Tls};

pub const PROXY_PASSWORD: &str = "proxy-password-1";

pub fn encrypted() -> Service {
    Service::start(Scenario { tls: Tls::Trusted, ..scenario(json!({})) })
}

pub fn at(service: &Service) -> Story<'_> {
    Story::at(service).with_file("ca-file", service.ca_pem()).secret(PROXY_PASSWORD)
}

/// At the name `localhost`, which the service's certificate has too.
fn at_localhost(service: &Service) -> Story<'_> {
    let address = service.base_url().replace("127.0.0.1", "localhost");
    at(service).with("base-url", address)
}

fn connection(outcome: &StoryOutcome) -> (Option<&str>, Option<&str>) {
    let connection = &outcome.report()["connection"];
    (connection["proxy"].as_str(), connection["trusted_by"].as_str())
}

#[test]
fn a_proxy_variable_that_is_not_understood_ends_the_gate_before_any_request() {
    let rows = [
        ("HTTPS_PROXY", format!("http//me:{PROXY_PASSWORD}@proxy:3128"), "HTTPS_PROXY"),
        ("https_proxy", "ftp://proxy".to_owned(), "unknown kind of proxy"),
        ("ALL_PROXY", "http://proxy:port".to_owned(), "not a host and a port"),
        ("all_proxy", "socks4://proxy".to_owned(), "version 5"),
        ("NO_PROXY", "example.com,maestro:x".to_owned(), "\"maestro:x\""),
        ("no_proxy", "10.0.0.0/99".to_owned(), "10.0.0.0/99"),
    ];
    in_parallel(
        &rows,
        |row| row.0.to_owned(),
        |(name, value, says)| {
            let service = harness::service();
            let outcome = Story::at(&service).secret(PROXY_PASSWORD).env(name, value).play();
            outcome.assert_ended("invalid-input", 2);
            assert!(outcome.log().contains(says) && outcome.log().contains(name), "{}", outcome.log());
            assert!(service.requests().is_empty(), "nothing is asked, least of all without the proxy");
        },
    );
}

#[test]
fn the_log_and_the_report_name_the_proxy_and_what_vouched_for_the_service() {
    let (service, proxy) = (encrypted(), harness::service());
    let address = proxy.base_url().replace("http://", &format!(" http://me:{PROXY_PASSWORD}@")) + "\n";
    let outcome = at(&service).env("HTTPS_PROXY", address).play();
    outcome.assert_ended("passed", 0);
    let host_and_port = proxy.base_url().replace("http://", "");
    let line = format!(
        "connected to the service through the proxy {host_and_port} (HTTPS_PROXY); its certificate is trusted by: ca-file"
    );
    assert_eq!(outcome.log().matches(&line).count(), 1, "{}", outcome.log());
    assert_eq!(connection(&outcome), (Some(host_and_port.as_str()), Some("ca-file")));

    let outcome = at(&service).play();
    outcome.assert_ended("passed", 0);
    let line = "connected to the service directly, without a proxy; its certificate is trusted by: ca-file";
    assert_eq!(outcome.log().matches(line).count(), 1, "{}", outcome.log());
    assert_eq!(connection(&outcome), (None, Some("ca-file")));

    let story = at(&service);
    let path = story.given("ca-file");
    let outcome = story.without("ca-file").env("SSL_CERT_FILE", path).play();
    outcome.assert_ended("passed", 0);
    assert_eq!(connection(&outcome), (None, Some("SSL_CERT_FILE")));
    assert!(outcome.log().contains("trusted by: SSL_CERT_FILE"), "{}", outcome.log());
}

#[test]
fn a_proxy_is_named_also_where_it_lets_nothing_through() {
    let (service, proxy) = (encrypted(), harness::service());
    proxy.order(On::Connect, Reply::status(502).forever());
    let address = proxy.base_url();
    let outcome = at(&service).env("ALL_PROXY", address.as_str()).with("timeout", "0").play();
    outcome.assert_ended("unreachable", 6);
    let host_and_port = address.replace("http://", "");
    let line = format!("connecting to the service through the proxy {host_and_port} (ALL_PROXY)");
    assert_eq!(outcome.log().matches(&line).count(), 1, "{}", outcome.log());
    assert_eq!(connection(&outcome), (Some(host_and_port.as_str()), None));
}

#[test]
fn a_socks_proxy_carries_the_requests() {
    let name = Wanted::Name("localhost".to_owned());
    let address = Wanted::Address("127.0.0.1".to_owned());
    for (scheme, variable, wanted) in [("socks5", "ALL_PROXY", address), ("socks5h", "HTTPS_PROXY", name)] {
        let (service, proxy) = (encrypted(), Socks::start(Manner::Connects));
        let value = format!("{scheme}://me:{PROXY_PASSWORD}@{}", proxy.address);
        let outcome = at_localhost(&service).env(variable, value).play();
        outcome.assert_ended("passed", 0);
        let credentials = Some(format!("me:{PROXY_PASSWORD}"));
        let asked = proxy.asked();
        assert!(
            !asked.is_empty() && asked.iter().all(|asked| *asked == (wanted.clone(), credentials.clone())),
            "{asked:?}"
        );
        assert_eq!(connection(&outcome), (Some(proxy.address.to_string().as_str()), Some("ca-file")));
        let outcome = at_localhost(&service).env(variable, format!("{scheme}://{}", proxy.address)).play();
        outcome.assert_ended("passed", 0);
        assert_eq!(proxy.asked().last(), Some(&(wanted, None)));
    }
}

#[test]
fn no_proxy_in_any_spelling_keeps_the_proxy_out() {
    let (service, proxy) = (encrypted(), harness::service());
    let port = service.base_url().rsplit_once(':').expect("a port").1.trim_end_matches('/').to_owned();
    for exempt in ["127.0.0.1".to_owned(), "x;127.0.0.0/8".to_owned(), format!("x y 127.0.0.1:{port}"), "*".to_owned()]
    {
        let outcome = at(&service).env("HTTPS_PROXY", proxy.base_url()).env("NO_PROXY", &exempt).play();
        outcome.assert_ended("passed", 0);
        assert_eq!(connection(&outcome), (None, Some("ca-file")), "{exempt}");
    }
    assert!(proxy.requests().is_empty());
    let other_port = at(&service).env("HTTPS_PROXY", proxy.base_url()).env("NO_PROXY", "127.0.0.1:1");
    other_port.play().assert_ended("passed", 0);
    assert!(!proxy.requests().is_empty());
}

#[test]
fn an_implausible_clock_is_a_warning_and_no_way_to_pass() {
    // Five minutes after the documented success: an answer of that day, or a clock that stands still.
    let replayed = || Reply::run("SUCCESS").header("date", "Mon, 15 Jan 2024 10:50:00 GMT").forever();
    let warning = "the service's clock says 2024-01-15T10:50:00Z, this machine's ";
    let service = harness::service();
    service.order(On::Run, replayed());
    let outcome = Story::at(&service).with("max-age", "1h").play();
    outcome.assert_ended("stale", 7);
    assert!(!outcome.log().contains("4m 37s ago"), "the age that decided is the one that is shown: {}", outcome.log());
    assert_eq!(outcome.notes().iter().filter(|note| note.contains(warning)).count(), 1, "{:?}", outcome.notes());

    let service = harness::service();
    service.order(On::Run, replayed());
    let outcome = Story::at(&service).play();
    outcome.assert_ended("passed", 0);
    assert!(outcome.log().contains(warning), "{}", outcome.log());
    // A clock that is right is not mentioned.
    let outcome = Story::at(&harness::service()).play();
    assert!(!outcome.log().contains("clock says"), "{}", outcome.log());
}

#[test]
fn a_proxy_s_refusal_is_shown_with_its_status() {
    let rows = [(403, Reply::html(403), "2m"), (201, Reply::status(201), "0"), (503, Reply::status(503), "0")];
    in_parallel(
        &rows,
        |row| row.0.to_string(),
        |(status, reply, timeout)| {
            let (service, proxy) = (encrypted(), harness::service());
            proxy.order(On::Connect, reply.clone().forever());
            let outcome = at(&service).env("HTTPS_PROXY", proxy.base_url()).with("timeout", *timeout).play();
            outcome.assert_ended("unreachable", 6);
            assert!(outcome.log().contains(&format!("with status {status}")), "{}", outcome.log());
        },
    );
}

#[test]
fn a_socks_proxy_that_refuses_is_no_way_around_it() {
    for manner in [Manner::RefusesCredentials, Manner::RefusesTarget] {
        let (service, proxy) = (encrypted(), Socks::start(manner));
        let value = format!("socks5h://me:{PROXY_PASSWORD}@{}", proxy.address);
        let outcome = at(&service).env("HTTPS_PROXY", value).with("timeout", "0").play();
        outcome.assert_ended("unreachable", 6);
        assert!(service.requests().is_empty(), "{manner:?}");
    }
}

/// Leads the first connection to the first of these services, the next to the next, and all others to the last.
fn relay(services: &[&Service]) -> String {
    let host = |url: String| url.split('/').nth(2).expect("scheme://address/prefix").to_owned();
    let addresses: Vec<String> = services.iter().map(|service| host(service.base_url())).collect();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let here = listener.local_addr().expect("bound").to_string();
    let url = services[0].base_url().replace(&addresses[0], &here);
    thread::spawn(move || {
        for (number, client) in listener.incoming().flatten().enumerate() {
            let Ok(server) = TcpStream::connect(&addresses[number.min(addresses.len() - 1)]) else { continue };
            for (mut from, mut to) in [(&client, &server), (&server, &client)]
                .map(|(from, to)| (from.try_clone().expect("a socket"), to.try_clone().expect("a socket")))
            {
                thread::spawn(move || {
                    let _copied = std::io::copy(&mut from, &mut to);
                    to.shutdown(Shutdown::Write)
                });
            }
        }
    });
    url
}

/// A server that is being replaced, or somebody in between for a moment: what worked before is tried again, and nothing is sent.
#[test]
fn another_certificate_once_ends_no_healthy_wait() {
    let is_met = || {
        let (ours, other) = (encrypted(), Service::start(Scenario { tls: Tls::Untrusted, ..scenario(json!({})) }));
        ours.order(On::Run, Reply::run("RUNNING").then(End::Close));
        let address = relay(&[&ours, &other, &ours]);
        // Two requests at once make two connections, and either may answer both.
        let outcome = at(&ours).with("base-url", address).with("details", "false").with("history", "false").play();
        outcome.assert_ended("passed", 0);
        assert!(other.requests().is_empty());
        outcome.log().contains("certificate is not trusted")
    };
    // On a busy machine the first connection may be free again while the second, which nobody needs then, is being made.
    assert!((0..10).any(|_| is_met()), "never met");
}
