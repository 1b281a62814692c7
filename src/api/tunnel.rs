//! What a proxy answers to the request for a tunnel.
//!
//! The HTTP client keeps the status of a refusal to itself, and without it nobody can tell a rule of the proxy's from its
//! trouble. So after a refusal the proxy is asked again, and nothing is sent through.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::dns;
use crate::config::{Proxy, ProxyKind};

/// As much as it takes to read `HTTP/1.1 403`.
const STATUS_LINE: usize = 12;

/// The status with which a proxy answers the request for a tunnel to the service; `None` if there is no answer in HTTP.
/// `tls` is that of the requests.
pub(crate) async fn status(proxy: &Proxy, service: &Url, tls: &ClientConfig) -> Option<u16> {
    let host = proxy.host.trim_matches(['[', ']']);
    let addresses = dns::addresses(host).await.ok()?;
    let addresses: Vec<SocketAddr> =
        addresses.into_iter().map(|address| SocketAddr::new(address.ip(), proxy.port)).collect();
    let stream = TcpStream::connect(&*addresses).await.ok()?;
    match proxy.kind {
        ProxyKind::Http => ask(stream, proxy, service).await,
        ProxyKind::Https => {
            let name = ServerName::try_from(host.to_owned()).ok()?;
            let mut tls = tls.clone();
            tls.alpn_protocols.clear();
            ask(TlsConnector::from(Arc::new(tls)).connect(name, stream).await.ok()?, proxy, service).await
        }
        // They have no such thing.
        ProxyKind::Socks5 | ProxyKind::Socks5h => None,
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, proxy: &Proxy, service: &Url) -> Option<u16> {
    let authorization = proxy.credentials.as_ref().map_or(String::new(), |(user, password)| {
        let encoded = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
        format!("Proxy-Authorization: Basic {encoded}\r\n")
    });
    let target = format!("{}:{}", service.host_str()?, service.port_or_known_default()?);
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    stream.flush().await.ok()?;
    let mut line = [0; STATUS_LINE];
    stream.read_exact(&mut line).await.ok()?;
    let (version, status) = std::str::from_utf8(&line).ok()?.split_once(' ')?;
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    (version.starts_with("HTTP/1.") && is_status).then(|| status.parse().ok())?
}
