//! Replies come in the order in which they were ordered, for the requests they were ordered for, and everything is recorded.

use std::net::Shutdown;
use std::sync::Arc;

use reqwest::{Client, StatusCode};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::stand_in::{DeadPort, On, Reply, Tls};

fn service() -> Service {
    Service::start(playing(json!([{"record": {"pipeline_run_id": SUCCESS}}])))
}

#[test]
fn replies_have_their_turn_and_then_the_service_speaks_for_itself() {
    let service = service();
    service.script(
        On::Run,
        [Reply::status(503).times(2), Reply::run("SUCCESS"), Reply::status(500).times(0), Reply::status(418)],
    );
    let statuses: Vec<u16> = (0..5).map(|_| get(&service, RUN_PATH).status()).collect();
    assert_eq!(statuses, [503, 503, 200, 418, 200]);
    let ordered: Vec<(u16, bool)> = service.requests().iter().map(|seen| (seen.status, seen.ordered)).collect();
    assert_eq!(ordered, [(503, true), (503, true), (200, true), (418, true), (200, false)]);
    service.order(On::Run, Reply::status(429).forever());
    assert!((0..20).all(|_| get(&service, RUN_PATH).status() == 429));
}

#[test]
fn a_script_that_repeats_never_ends() {
    let script = json!([{"on": "run", "reply": {"times": 2}}, {"on": "run", "reply": {"status": 503}}, {"on": "logs", "reply": {}}]);
    let service = Service::start(scenario(json!({"script": script, "script_repeats": true})));
    let ordered: Vec<bool> = (0..9).map(|_| get(&service, RUN_PATH).status() == 503).collect();
    assert_eq!(ordered, [false, false, true].repeat(3));
    assert!(service.requests().iter().all(|seen| seen.ordered));
    assert_eq!(service.requests_from(7).len(), 2);
    assert!(service.requests_from(9).is_empty() && service.requests_from(10).is_empty());
}

#[test]
fn a_reply_is_for_one_endpoint_or_one_id_or_everything() {
    let service = service();
    service.order(On::Logs, Reply::status(500).forever());
    service.order_for(On::Run, SUCCESS, Reply::status(501).forever());
    service.order_for(On::Runs, &PIPELINE.replace('_', "-"), Reply::status(502).forever());
    assert_eq!(get(&service, &format!("/platform/pipeline/pipeline_run/{SUCCESS}/logs")).status(), 500);
    assert_eq!(get(&service, RUN_PATH).status(), 501);
    assert_eq!(get(&service, &RUN_PATH.replace(SUCCESS, "another")).status(), 200);
    assert_eq!(get(&service, &format!("/platform/pipeline/{PIPELINE}/pipeline_run")).status(), 502);
    assert_eq!(get(&service, "/platform/pipelines").status(), 200);
    service.order(On::Any, Reply::status(503).forever());
    assert_eq!(get(&service, "/platform/pipelines").status(), 503);
    assert_eq!(ask(&service, "POST", "/auth/sign-in", &[], "").status(), 503);
}

#[test]
fn an_order_in_a_scenario_file_says_what_the_methods_say() {
    let reply = json!({"times": "forever", "status": 503, "headers": {"retry-after": "7"}, "body": {"json": {"a": 1}},
        "edits": [{"set": {"b": 2}}, {"drop": "a"}, "wrap", {"swap": ["2", "3"]}, {"swap_bytes": ["3", [52]]},
            {"prepend": "["}, {"append": "]"}],
        "fill": {"total": 80}, "gzip": "claimed", "framing": "chunked", "interim": 103, "delay": "1ms",
        "trickle": {"bytes": 79, "every": "1ms"}, "cut": {"body": 79}, "end": "hang", "without_headers": ["date"],
        "in_vain": true});
    let file = json!({"script": [{"on": "run", "id": SUCCESS, "reply": reply}]});
    let service = Service::start(scenario(file));
    let came = ask_within(SILENCE, &service, "GET", RUN_PATH, &[("authorization", "good")], "");
    assert_eq!(came.ended, Some(ErrorKind::WouldBlock));
    let text = String::from_utf8(came.raw).expect("UTF-8");
    let padding = " ".repeat(79 - r#"[{"status":true,"data":{"b":4}}]"#.len());
    assert_eq!(
        text,
        format!(
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 Service Unavailable\r\n\
             content-type: application/json; charset=utf-8\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\
             retry-after: 7\r\n\r\n20\r\n[{{\"status\":true,\"data\":{{\"b\":4}}}}]\r\n2f\r\n{padding}\r\n"
        )
    );
}

#[test]
fn every_request_is_recorded_as_it_was_sent() {
    let service = service();
    let path = "/auth/sign-in?x=%2F&y";
    ask(&service, "POST", path, &[("X-Api-Key", "k"), ("authorization", "t")], "{\"a\":1}");
    get(&service, "/platform/../%2e%2e/x");
    let seen = service.requests();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str(), seen[0].on), ("POST", path, On::SignIn));
    assert_eq!((seen[0].header("x-api-key"), seen[0].header("AUTHORIZATION")), (Some("k"), Some("t")));
    assert!(seen[0].headers.contains(&("X-Api-Key".to_owned(), "k".to_owned())), "names keep their case");
    assert_eq!(seen[0].body, b"{\"a\":1}");
    assert_eq!((seen[1].path.as_str(), seen[1].on), ("/platform/../%2e%2e/x", On::Other));
    assert!(seen[1].at >= seen[0].at && seen[1].connection > seen[0].connection);
    assert_eq!((service.requests_to(On::SignIn).len(), service.requests_to(On::Any).len()), (1, 2));
    assert!(service.wait_for(On::SignIn, 1, Duration::ZERO));
    assert!(!service.wait_for(On::SignIn, 2, Duration::from_millis(1)));
}

#[test]
fn one_connection_carries_many_requests_and_what_is_no_request_ends_it() {
    let service = service();
    let mut stream = connect(&service);
    let one = format!("GET {RUN_PATH} HTTP/1.1\r\nhost: h\r\nauthorization: good\r\n\r\n");
    stream
        .write_all(
            format!("{one}{one}POST /auth/sign-in HTTP/1.1\r\ncontent-length: 2\r\n\r\n{{}}NOT HTTP\r\n\r\n")
                .as_bytes(),
        )
        .expect("room");
    let text = String::from_utf8(read(stream, HANG_TIMEOUT).raw).expect("UTF-8");
    assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{text}");
    assert_eq!(text.matches("HTTP/1.1 400 Bad Request\r\n").count(), 2, "{text}");
    assert!(text.ends_with("not an HTTP/1.1 request\n"), "{text}");
    let seen = service.requests();
    assert!(seen.len() == 3 && seen.iter().all(|one| one.connection == seen[0].connection));

    for bad in [
        "GET / HTTP/1.1\r\nno end".to_owned(),
        "GET / HTTP/1.1\r\ncontent-length: 5\r\n\r\nfour".to_owned(),
        "\x16\x03\x01 a TLS greeting".to_owned(),
        "GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(70_000)),
    ] {
        let mut stream = connect(&service);
        // The service may have refused before it was all sent.
        let _refused = stream.write_all(bad.as_bytes());
        // Or has closed already, after which there is nothing to say an end to.
        let _closed = stream.shutdown(Shutdown::Write);
        let raw = read(stream, HANG_TIMEOUT).raw;
        // Its answer may be lost if it closed before it had read everything.
        let too_long = bad.len() > 65_536 && raw.is_empty();
        assert!(too_long || raw.starts_with(b"HTTP/1.1 400 "), "{bad:.40}");
    }
    assert_eq!(service.requests().len(), 3);
}

#[test]
fn requests_under_way_at_once_are_counted() {
    let service = service();
    service.order(On::Run, Reply::status(503).held().times(3));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| ask_within(HANG_TIMEOUT, &service, "GET", RUN_PATH, &[], ""));
        }
        assert!(service.wait_for(On::Run, 3, HANG_TIMEOUT));
        service.release();
    });
    assert_eq!(service.requests().len(), 3);
    assert_eq!(service.most_at_once(), 3);
}

#[test]
fn a_dropped_service_is_gone_with_its_connections() {
    let service = service();
    service.order(On::Run, Reply::hang());
    let mut stream = connect(&service);
    let address = stream.peer_addr().expect("connected");
    stream.write_all(format!("GET {RUN_PATH} HTTP/1.1\r\n\r\n").as_bytes()).expect("room");
    assert!(service.wait_for(On::Run, 1, Duration::from_secs(10)));
    drop(service);
    assert_eq!(read(stream, HANG_TIMEOUT).ended, None, "closed, not silent");
    assert!(TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn a_dead_port_refuses_every_connection() {
    let port = DeadPort::reserve().expect("a port");
    let error = Client::builder().tls_backend_preconfigured(trusting(&[])).build().expect("a client");
    let error = error.get(port.base_url()).send().await.expect_err("nobody listens");
    assert!(error.is_connect(), "{error:?}");
}

pub fn trusting(pems: &[&str]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for pem in pems {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")).expect("an authority");
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// What a client that trusts the service's authority gets, through a proxy if there is one.
async fn through_tls(service: &Service, proxy: Option<&Service>) -> Result<StatusCode, String> {
    let mut client = Client::builder().tls_backend_preconfigured(trusting(&[service.ca_pem()]));
    if let Some(proxy) = proxy {
        client = client.proxy(reqwest::Proxy::https(proxy.base_url()).expect("an address"));
    }
    let request = client.build().expect("a client").get(format!("{}{RUN_PATH}", service.base_url()));
    let sent = request.header("authorization", "good").send().await;
    sent.map(|answer| answer.status()).map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn each_certificate_is_wrong_in_its_own_way() {
    for (tls, says) in [
        (Tls::Trusted, None),
        (Tls::Untrusted, Some("BadSignature")),
        (Tls::Expired, Some("Expired")),
        (Tls::WrongHost, Some("NotValidForName")),
        (Tls::Claimed, Some("InvalidContentType")),
    ] {
        let service = Service::start(Scenario { tls, ..scenario(json!({})) });
        let came = through_tls(&service, None).await;
        match says {
            None => assert_eq!(came, Ok(StatusCode::OK)),
            Some(word) => assert!(came.as_ref().is_err_and(|error| error.contains(word)), "{tls:?}: {came:?}"),
        }
    }
}

#[tokio::test]
async fn a_proxy_tunnels_to_this_machine_only() {
    let behind = Service::start(Scenario { tls: Tls::Trusted, ..scenario(json!({})) });
    let proxy = Service::start(scenario(json!({})));
    assert_eq!(through_tls(&behind, Some(&proxy)).await, Ok(StatusCode::OK));
    assert_eq!(proxy.requests_to(On::Connect).len(), 1);
    proxy.order(On::Connect, Reply::status(407).header("proxy-authenticate", "Basic"));
    assert!(through_tls(&behind, Some(&proxy)).await.is_err());
    for elsewhere in ["192.0.2.1:443", "maestro.example:443", "x"] {
        assert_eq!(ask(&proxy, "CONNECT", elsewhere, &[], "").status(), 403);
    }
}
