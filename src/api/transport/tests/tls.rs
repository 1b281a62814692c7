//! Servers whose TLS is set up so that no waiting helps: each is named as what it is.

use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

async fn tls_server(params: CertificateParams) -> (SocketAddr, CertificateDer<'static>) {
    let (config, authority) = tls_config(&params);
    let serve = |stream| {
        let script = Arc::new(Mutex::new(|_: &Asked| Reply::json(200, "secure")));
        serve(stream, 0, script, Arc::default())
    };
    (tls_listen(config, serve).await, authority)
}

async fn secure(address: SocketAddr, roots: Vec<CertificateDer<'static>>) -> Result<(u16, Vec<u8>), FailureKind> {
    get(&trusting_in(address, roots), 1024).await.1
}

fn trusting_in(address: SocketAddr, roots: Vec<CertificateDer<'static>>) -> Transport {
    let network = Network { further_roots: roots, ..Network::default() };
    over(format!("https://{address}").parse().expect("a URL"), network).expect("a client")
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_refused_at_once() {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("params");
    let (address, authority) = tls_server(params).await;
    assert_eq!(secure(address, Vec::new()).await, Err(FailureKind::Certificate));
    // The user's roots add to the others.
    assert_eq!(secure(address, vec![authority]).await, Ok((200, b"secure".to_vec())));
}

#[tokio::test]
async fn a_certificate_of_another_name_or_time_is_refused_at_once() {
    let other = CertificateParams::new(vec!["example.com".to_owned()]).expect("params");
    let mut expired = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("params");
    expired.not_after = rcgen::date_time_ymd(2001, 1, 1);
    for params in [other, expired] {
        let (address, authority) = tls_server(params).await;
        assert_eq!(secure(address, vec![authority]).await, Err(FailureKind::Certificate));
    }
}

#[test]
fn a_root_that_is_none_is_an_input_error() {
    let bad = CertificateDer::from(b"nonsense".to_vec());
    assert!(matches!(
        over("https://x.invalid".parse().expect("a URL"), Network { further_roots: vec![bad], ..Network::default() }),
        Err(SetupError::Root(_))
    ));
}

/// Reads what the client says first, answers these bytes and closes.
async fn answering_hello(bytes: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; 4096];
            let _length = stream.read(&mut hello).await;
            let _sent = stream.write_all(&bytes).await;
        }
    });
    address
}

#[tokio::test]
async fn a_server_with_no_common_version_or_cipher_is_named_at_once() {
    let alert = |what: u8| vec![21, 3, 3, 0, 2, 2, what];
    // A ServerHello of TLS 1.1.
    let mut old = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    old.extend([7; 32]);
    old.extend([0, 0, 0x2f, 0]);
    let nothing_in_common = Err(FailureKind::Tls(TlsFault::NothingInCommon));
    // Handshake failure, protocol version, insufficient security, no application protocol.
    for bytes in [alert(40), alert(70), alert(71), alert(120), old] {
        assert_eq!(secure(answering_hello(bytes.clone()).await, Vec::new()).await, nothing_in_common, "{bytes:?}");
    }
    // Internal error: may be better the next time.
    assert_eq!(secure(answering_hello(alert(80)).await, Vec::new()).await, Err(FailureKind::Connect));
    // A server that closes without an alert may do better the next time, too.
    assert_eq!(secure(answering_hello(Vec::new()).await, Vec::new()).await, Err(FailureKind::Connect));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_named_at_once() {
    // A web server, a database, a mail server, HTTP/2 without TLS.
    for bytes in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"J\0\0\0\n8.0",
        b"220 mail.example ESMTP\r\n",
        b"\0\0\x12\x04\0\0\0\0\0",
    ] {
        let found = secure(answering_hello(bytes.to_vec()).await, Vec::new()).await;
        assert_eq!(found, Err(FailureKind::Tls(TlsFault::NotTls)), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_server_that_requires_a_client_certificate_is_named_at_once() {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for alpn in [&b"h2"[..], b"http/1.1"] {
            let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("params");
            let (certificates, key, authority) = issued(&params);
            let mut roots = RootCertStore::empty();
            roots.add(authority.clone()).expect("an authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
            let mut config = ServerConfig::builder_with_provider(provider.clone())
                .with_protocol_versions(&[version])
                .expect("a version of ring's")
                .with_client_cert_verifier(verifier.build().expect("a verifier"))
                .with_single_cert(certificates, key)
                .expect("a certificate");
            config.alpn_protocols = vec![alpn.to_vec()];
            let address = tls_listen(config, |mut stream| async move {
                let mut request = [0; 1024];
                let _length = stream.read(&mut request).await;
            })
            .await;
            let transport = trusting_in(address, vec![authority]);
            let mut found = get(&transport, 1024).await.1;
            // The server's word may be lost with its connection, once.
            if found == Err(FailureKind::Broken) {
                found = get(&transport, 1024).await.1;
            }
            assert_eq!(found, Err(FailureKind::Tls(TlsFault::ClientCertificate)), "{version:?} {alpn:?}");
        }
    }
}

#[tokio::test]
async fn a_ca_file_that_is_the_server_s_own_certificate_is_named_at_once() {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("params");
    let (certificates, key, _) = issued(&params);
    let leaf = certificates[0].clone();
    let config = server_config(certificates, key);
    let address = tls_listen(config, |_| async {}).await;
    assert_eq!(secure(address, vec![leaf]).await, Err(FailureKind::Tls(TlsFault::CaFileIsLeaf)));
}

/// Many servers ask for a certificate and go on without one: what breaks there is an outage, as anywhere else.
#[tokio::test]
async fn a_server_that_only_asks_for_a_client_certificate_may_break_now_and_then() {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("params");
    let (certificates, key, authority) = issued(&params);
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.allow_unauthenticated().build().expect("a verifier"))
        .with_single_cert(certificates, key)
        .expect("a certificate");
    let connections = Arc::new(AtomicUsize::new(0));
    let address = tls_listen(config, move |stream| {
        let breaks = connections.fetch_add(1, Ordering::SeqCst) != 1;
        let answer = if breaks { Reply::raw("") } else { Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx") };
        let script = Arc::new(Mutex::new(move |_: &Asked| answer.clone()));
        serve(stream, 0, script, Arc::default())
    })
    .await;
    let transport = trusting_in(address, vec![authority]);
    let mut found = Vec::new();
    for _ in 0..5 {
        found.push(get(&transport, 1024).await.1.map(|(status, _)| status));
    }
    let broken = Err(FailureKind::Broken);
    assert_eq!(found, [broken, Ok(200), broken, broken, broken]);
}
