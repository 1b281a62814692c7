//! Proxies that refuse a tunnel, in the clear and over TLS.

use super::*;
use crate::config::{Proxy, ProxyKind};

/// The service's name does not exist: only the proxy could resolve it.
async fn through(
    kind: ProxyKind,
    port: u16,
    roots: Vec<CertificateDer<'static>>,
) -> Result<(u16, Vec<u8>), FailureKind> {
    let proxy = Proxy {
        kind,
        host: "127.0.0.1".to_owned(),
        port,
        credentials: Some(("me".to_owned(), "pa:ss".into())),
        variable: "HTTPS_PROXY",
    };
    let network = Network { further_roots: roots, proxy: Some(proxy), ..Network::default() };
    let base = "https://maestro.invalid".parse().expect("a URL");
    get(&over(base, network).expect("a client"), 9).await.1
}

const ANSWERS: [(&str, FailureKind); 7] = [
    ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", FailureKind::ProxyAuthentication),
    ("HTTP/1.1 403 Forbidden\r\n\r\n<html>no</html>", FailureKind::ProxyRefused(403)),
    ("HTTP/1.0 503 Service Unavailable\r\n\r\n", FailureKind::ProxyRefused(503)),
    ("HTTP/1.1 201 Created\r\n\r\n", FailureKind::ProxyRefused(201)),
    ("HTTP/1.1 302 Found\r\nlocation: http://login.example\r\n\r\n", FailureKind::ProxyRefused(302)),
    ("SSH-2.0-nobody here speaks HTTP\r\n", FailureKind::Proxy),
    ("", FailureKind::Proxy),
];

#[tokio::test]
async fn a_refused_tunnel_shows_the_proxy_s_status() {
    for (answer, kind) in ANSWERS {
        let proxy = answering(Reply::raw(answer)).await;
        let port = proxy.base.port().expect("a port");
        assert_eq!(through(ProxyKind::Http, port, Vec::new()).await, Err(kind), "{answer:?}");
        for asked in proxy.asked() {
            assert_eq!((asked.method.as_str(), asked.path.as_str()), ("CONNECT", "maestro.invalid:443"));
            // `me:pa:ss`; and the token is not the proxy's.
            assert_eq!(asked.header("proxy-authorization"), "Basic bWU6cGE6c3M=");
            assert_eq!(asked.header("authorization"), "");
        }
    }
}

#[tokio::test]
async fn a_tunnel_refused_over_tls_shows_the_status_as_well() {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("params");
    let (config, authority) = tls_config(&params);
    let serve = |stream| {
        let script = Arc::new(Mutex::new(|_: &Asked| Reply::raw("HTTP/1.1 403 Forbidden\r\n\r\n")));
        serve(stream, 0, script, Arc::default())
    };
    let port = tls_listen(config, serve).await.port();
    assert_eq!(through(ProxyKind::Https, port, vec![authority]).await, Err(FailureKind::ProxyRefused(403)));
    // A proxy whose certificate nobody vouches for gets no credentials.
    assert_eq!(through(ProxyKind::Https, port, Vec::new()).await, Err(FailureKind::Certificate));
}
