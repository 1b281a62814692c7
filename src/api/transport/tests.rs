//! One request against servers that behave badly.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;
use crate::api::tests::scripted_server::{Asked, Reply, Server, serve};
use crate::core::{PipelineId, RunId};

mod proxies;
mod tls;

const TOKEN: HeaderValue = HeaderValue::from_static("token");

fn transport(server: &Server) -> Transport {
    over(server.base.clone(), Network::default()).expect("a client")
}

impl Transport {
    /// One that speaks HTTP/2 without TLS, or HTTP/1.
    pub(in crate::api) fn over(base: Url, speaks_http_2: bool) -> Transport {
        let tls = trust::tls(&base, Network::default(), &Arc::default()).expect("trust");
        let builder = builder(None, &tls).expect("a builder");
        let builder = if speaks_http_2 { builder.http2_prior_knowledge() } else { builder };
        Transport::build(builder, base, Clock::start()).expect("a client")
    }
}

fn over(base: Url, network: Network) -> Result<Transport, SetupError> {
    Transport::new(base, network, Clock::start())
}

async fn get(transport: &Transport, limit: usize) -> (TimingHeaders, Result<(u16, Vec<u8>), FailureKind>) {
    let outcome = transport.get(transport.address(&["run"]), &TOKEN, limit).await;
    (outcome.timing, outcome.reply.map(|reply| (reply.status, reply.body)).map_err(|fault| fault.kind))
}

async fn got(server: &Server) -> Result<(u16, Vec<u8>), FailureKind> {
    get(&transport(server), 1024).await.1
}

async fn answering(reply: Reply) -> Server {
    Server::start(move |_| reply.clone()).await
}

fn gzip(text: &[u8]) -> Vec<u8> {
    // Stored blocks: the format without a compressor.
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let length = u16::try_from(text.len()).expect("one block");
    bytes.push(1);
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend(text);
    let mut crc = !0u32;
    for &byte in text {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    bytes.extend((!crc).to_le_bytes());
    bytes.extend(u32::from(length).to_le_bytes());
    bytes
}

proptest! {
    #[test]
    fn an_id_is_one_segment_whatever_is_in_it(pipeline in "[^\\s/,\\p{Cc}]{1,20}", run in "[.%2eE/\\\\;?#+:-]{1,8}") {
        prop_assume!(PipelineId::new(&pipeline).is_some() && RunId::new(&run).is_some());
        let base: Url = "https://example.com/pre%20fix/".parse().expect("a URL");
        let transport = over(base, Network::default())?;
        let url = transport.address(&["platform", &pipeline, "x", &run]);
        // As a server reads it, after another parser had its way with it.
        let url: Url = url.as_str().parse()?;
        let segments: Vec<&str> = url.path_segments().expect("a path").collect();
        let decoded: Vec<String> = segments
            .iter()
            .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        prop_assert_eq!(decoded, ["pre fix", "platform", &pipeline, "x", &run]);
        prop_assert_eq!((url.query(), url.fragment(), url.host_str()), (None, None, Some("example.com")));
    }
}

#[tokio::test]
async fn redirects_are_followed_within_the_origin_only() {
    let to = |status: u16, location: &str| Reply::with(status, &[("location", location)], b"");
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(move |asked: &Asked| match asked.path.as_str() {
            "/run" => to(status, "/elsewhere?x=1"),
            _ => Reply::json(200, "there"),
        })
        .await;
        assert_eq!(got(&server).await, Ok((200, b"there".to_vec())));
        let last = server.asked().pop().expect("asked");
        assert_eq!((last.path.as_str(), last.method.as_str()), ("/elsewhere?x=1", "GET"));
        assert_eq!(last.header("authorization"), "token");
    }
    for location in
        ["https://127.0.0.1/", "http://127.0.0.1:1/", "http://localhost/", "//example.com/run", "ftp://x/", "data:,x"]
    {
        let server = answering(to(302, location)).await;
        assert_eq!(got(&server).await, Err(FailureKind::RedirectOffOrigin), "{location}");
        assert_eq!(server.asked().len(), 1);
    }
    // Another scheme on the same host and port is another origin.
    let server = Server::start(|asked| {
        let location = format!("https://{}/run", asked.header("host"));
        Reply::with(302, &[("location", &location)], b"")
    })
    .await;
    assert_eq!(got(&server).await, Err(FailureKind::RedirectOffOrigin));
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_ends() {
    let server = answering(Reply::with(302, &[("location", "/run"), ("retry-after", "3")], b"")).await;
    let (timing, reply) = get(&transport(&server), 1024).await;
    assert_eq!(reply, Err(FailureKind::RedirectLoop));
    assert_eq!(timing.retry_after, Some(Duration::from_secs(3)));
    assert_eq!(server.asked().len(), 1 + REDIRECTS);

    let bad = [Reply::with(302, &[], b""), Reply::with(302, &[("location", "http://[")], b"")];
    for reply in bad {
        assert_eq!(got(&answering(reply).await).await, Err(FailureKind::RedirectLoop));
    }
    let server = Server::start(|asked| {
        let location = format!("http://user:pw@{}/run", asked.header("host"));
        Reply::with(302, &[("location", &location)], b"")
    })
    .await;
    assert_eq!(got(&server).await, Err(FailureKind::RedirectLoop));
    // A 300 or 304 says nothing of where to go.
    assert_eq!(got(&answering(Reply::with(304, &[("location", "/x")], b"")).await).await, Ok((304, Vec::new())));
}

async fn post(transport: &Transport) -> HttpOutcome {
    let url = transport.address(&["auth", "sign-in"]);
    transport.post(transport.permit().await, url, None, b"{}".to_vec(), 1024).await
}

#[tokio::test]
async fn a_post_is_sent_once() {
    let cases = [
        (Reply::with(307, &[("location", "/elsewhere")], b""), Ok(307)),
        (Reply::with(302, &[], b""), Ok(302)),
        (Reply::with(308, &[("location", "https://example.com/")], b""), Err(FailureKind::RedirectOffOrigin)),
        (Reply::raw(""), Err(FailureKind::Broken)),
        (Reply::json(503, ""), Ok(503)),
    ];
    for (reply, expected) in cases {
        let server = answering(reply).await;
        let transport = transport(&server);
        let outcome = post(&transport).await;
        assert_eq!(outcome.reply.map(|reply| reply.status).map_err(|fault| fault.kind), expected);
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_post_on_a_connection_that_the_server_closed_is_not_repeated() {
    // The first answer keeps the connection; the next request on it gets none.
    let server =
        Server::start(|asked| if asked.method == "GET" { Reply::json(200, "x") } else { Reply::raw("") }).await;
    let transport = transport(&server);
    assert!(get(&transport, 10).await.1.is_ok());
    let outcome = post(&transport).await;
    assert_eq!(outcome.reply.err().expect("broken").kind, FailureKind::Broken);
    assert_eq!(server.asked().iter().filter(|asked| asked.method == "POST").count(), 1);
}

#[tokio::test]
async fn a_body_counts_after_decompression() {
    let packed = |text: &[u8]| Reply::with(200, &[("content-encoding", "gzip")], &gzip(text));
    assert_eq!(got(&answering(packed(b"hello")).await).await, Ok((200, b"hello".to_vec())));
    assert_eq!(got(&answering(packed(&[b'x'; 1024])).await).await, Ok((200, vec![b'x'; 1024])));
    assert_eq!(got(&answering(packed(&[b'x'; 1025])).await).await, Err(FailureKind::TooLarge));
    assert_eq!(got(&answering(Reply::json(200, &"x".repeat(1025))).await).await, Err(FailureKind::TooLarge));
}

#[tokio::test]
async fn a_bad_encoding_is_broken() {
    let whole = gzip(b"{\"hello\":1}");
    let mut wrong_sum = whole.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    for bytes in [b"not gzip".to_vec(), whole[..whole.len() - 9].to_vec(), wrong_sum] {
        let reply = Reply::with(200, &[("content-encoding", "gzip"), ("retry-after", "3")], &bytes);
        let (timing, reply) = get(&transport(&answering(reply).await), 1024).await;
        assert_eq!(reply, Err(FailureKind::Broken));
        assert_eq!(timing.retry_after, Some(Duration::from_secs(3)));
    }
}

#[tokio::test]
async fn an_error_body_is_read_in_part_and_its_status_stands() {
    let server = answering(Reply::json(500, &"x".repeat(1_000_000))).await;
    assert_eq!(got(&server).await, Ok((500, vec![b'x'; ERROR_BODY_BYTES])));
    let server = answering(Reply::raw("HTTP/1.1 503 X\r\ncontent-length: 500\r\n\r\nbusy")).await;
    assert_eq!(got(&server).await, Ok((503, b"busy".to_vec())));
    let server = answering(Reply::with(502, &[("content-encoding", "gzip")], b"<html>")).await;
    assert_eq!(got(&server).await, Ok((502, Vec::new())));
}

#[tokio::test]
async fn an_error_body_that_stalls_does_not_hold_up_its_status() {
    let server = answering(Reply::stalled("HTTP/1.1 503 X\r\ncontent-length: 500\r\n\r\nbusy")).await;
    let mut transport = transport(&server);
    (transport.whole, transport.error_body) = (Duration::from_secs(5), Duration::from_millis(50));
    assert_eq!(get(&transport, 1024).await.1, Ok((503, b"busy".to_vec())));
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_cut() {
    for bytes in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nretry-after: 3\r\ncontent-length: 50\r\n\r\n{"] {
        let server = answering(Reply::stalled(bytes)).await;
        let mut transport = transport(&server);
        transport.whole = Duration::from_millis(50);
        let (timing, reply) = get(&transport, 1024).await;
        assert_eq!(reply, Err(FailureKind::Timeout), "{bytes:?}");
        assert_eq!(timing.retry_after.is_some(), bytes.contains("retry"));
    }
}

#[tokio::test]
async fn at_most_eight_requests_are_under_way() {
    let gate = Arc::new(Barrier::new(REQUESTS_AT_ONCE));
    let server = answering(Reply::json(200, "x").behind(&gate)).await;
    let transport = transport(&server);
    // HTTP/1.1: as many connections as requests at once. Fewer than eight would wait for the others for ever.
    let all = futures_util::future::join_all((0..3 * REQUESTS_AT_ONCE).map(|_| get(&transport, 1024))).await;
    assert!(all.into_iter().all(|(_, reply)| reply.is_ok()));
    let connections = server.asked().iter().map(|asked| asked.connection).max().expect("asked") + 1;
    assert_eq!(connections, REQUESTS_AT_ONCE);
}

#[tokio::test]
async fn no_connection_is_distinguished_from_a_broken_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let free = listener.local_addr().expect("bound");
    drop(listener);
    let base: Url = format!("http://{free}").parse().expect("a URL");
    assert_eq!(get(&over(base, Network::default()).expect("a client"), 9).await.1, Err(FailureKind::Connect));
    assert_eq!(got(&answering(Reply::raw("")).await).await, Err(FailureKind::Broken));
}

pub(super) fn direct(base: &str, roots: Vec<CertificateDer<'static>>) -> (ClientBuilder, Url) {
    let base: Url = base.parse().expect("a URL");
    let network = Network { further_roots: roots, ..Network::default() };
    (builder(None, &trust::tls(&base, network, &Arc::default()).expect("trust")).expect("a builder"), base)
}

struct NoName;

impl Resolve for NoName {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async {
            Err::<Addrs, _>(super::super::dns::Unresolved::from(std::io::Error::other("no such name")).into())
        })
    }
}

#[tokio::test]
async fn a_name_that_can_t_be_resolved_is_reported() {
    let (builder, base) = direct("https://maestro.invalid", Vec::new());
    let transport = Transport::build(builder.dns_resolver(NoName), base, Clock::start()).expect("a client");
    assert_eq!(get(&transport, 9).await.1, Err(FailureKind::Dns));
}

/// A server with a certificate of its own authority, which comes with it.
pub(super) fn tls_config(params: &CertificateParams) -> (ServerConfig, CertificateDer<'static>) {
    let (certificates, key, authority) = issued(params);
    (server_config(certificates, key), authority)
}

/// A certificate, its key and its authority's certificate.
type Issued = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, CertificateDer<'static>);

fn issued(params: &CertificateParams) -> Issued {
    let mut authority = CertificateParams::new(Vec::new()).expect("params");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("signed");
    let key = KeyPair::generate().expect("a key");
    let leaf = params.signed_by(&key, &authority).expect("signed");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    (vec![leaf.der().clone()], key, authority.der().clone())
}

fn server_config(certificates: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("a certificate")
}

pub(super) async fn tls_listen<F>(
    config: ServerConfig,
    serve: impl Fn(TlsStream<TcpStream>) -> F + Send + Sync + 'static,
) -> SocketAddr
where
    F: Future<Output: Send> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let serve = Arc::new(serve);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, serve) = (acceptor.clone(), serve.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream).await;
                }
            });
        }
    });
    address
}

/// Speaks HTTP/2 only: a GET is answered, a POST refused as not even begun.
async fn serve_h2(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin, asked: Arc<AtomicUsize>) {
    let Ok(mut connection) = h2::server::Builder::new().handshake::<_, &'static [u8]>(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        asked.fetch_add(1, Ordering::SeqCst);
        if request.method() == http::Method::POST {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
        } else if let Ok(mut body) = respond.send_response(http::Response::new(()), false) {
            let _ = body.send_data(b"second version", true);
        }
    }
}

#[tokio::test]
async fn http_2_is_spoken_and_repeats_no_post_either() {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("params");
    let (mut config, authority) = tls_config(&params);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let address = tls_listen(config, move |stream| serve_h2(stream, count.clone())).await;
    let (builder, base) = direct(&format!("https://{address}"), vec![authority]);
    let transport = Transport::build(builder, base, Clock::start()).expect("a client");
    assert_eq!(get(&transport, 1024).await.1, Ok((200, b"second version".to_vec())));
    let outcome = post(&transport).await;
    assert_eq!(outcome.reply.err().expect("refused").kind, FailureKind::Broken);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
