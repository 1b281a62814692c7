//! Handshakes in memory, with authorities made on the spot.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("params");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed")
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).expect("params")
}

/// A server whose certificate `authority` signed. It has the certificate's key, or another.
#[derive(Debug)]
struct Server {
    certified: Arc<CertifiedKey>,
    version: &'static SupportedProtocolVersion,
}

impl Server {
    fn new(params: &CertificateParams, authority: &Authority) -> Server {
        let key = KeyPair::generate().expect("a key");
        let leaf = params.signed_by(&key, authority).expect("signed").der().clone();
        Server { certified: certified(vec![leaf], &key), version: &TLS13 }
    }

    fn with_another_key(self) -> Server {
        Server { certified: certified(self.certified.cert.clone(), &KeyPair::generate().expect("a key")), ..self }
    }

    fn speaking(self, version: &'static SupportedProtocolVersion) -> Server {
        Server { version, ..self }
    }

    /// Whether a client with this configuration, which calls it `a.example`, goes on to speak with it.
    fn met_by(&self, client: &Arc<ClientConfig>) -> Result<(), Error> {
        self.met_as(client, ServerName::try_from("a.example").expect("a name"))
    }

    fn met_as(&self, client: &Arc<ClientConfig>, name: ServerName<'static>) -> Result<(), Error> {
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[self.version])
            .expect("a version of ring's")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Always(Arc::clone(&self.certified))));
        let mut server = ServerConnection::new(Arc::new(server))?;
        let mut client = ClientConnection::new(Arc::clone(client), name)?;
        while client.is_handshaking() {
            let (mut there, mut back) = (Vec::new(), Vec::new());
            while client.wants_write() {
                client.write_tls(&mut there).expect("memory");
            }
            server.read_tls(&mut there.as_slice()).expect("memory");
            // What it makes of an alert is its own affair.
            let _refused = server.process_new_packets();
            while server.wants_write() {
                server.write_tls(&mut back).expect("memory");
            }
            client.read_tls(&mut back.as_slice()).expect("memory");
            client.process_new_packets()?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn certified(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Arc<CertifiedKey> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    Arc::new(CertifiedKey::new(chain, ring::sign::any_supported_type(&key).expect("a key of ring's")))
}

fn trusting_only(authority: &Authority, system: System) -> Arc<ClientConfig> {
    watched(authority, system).0
}

/// With what vouches for `a.example`.
fn watched(authority: &Authority, system: System) -> (Arc<ClientConfig>, Arc<Handshakes>) {
    let mut ca_file = RootCertStore::empty();
    ca_file.add(authority.der().clone()).expect("an authority");
    let handshakes = Arc::<Handshakes>::default();
    let roots = Roots {
        at_hand: vec![(TrustSource::CaFile, ca_file)],
        ca_file: vec![authority.der().clone()],
        system,
        system_source: TrustSource::Variable("SSL_CERT_FILE"),
        service: "a.example".to_owned(),
        handshakes: Arc::clone(&handshakes),
    };
    (Arc::new(trusting(roots).expect("a configuration")), handshakes)
}

/// The client of this address, with this `ca-file`.
fn trusting_all(base: &str, ca_file: CertificateDer<'static>) -> Arc<ClientConfig> {
    let network = Network { further_roots: vec![ca_file], ..Network::default() };
    Arc::new(super::tls(&base.parse().expect("a URL"), network, &Arc::default()).expect("a configuration"))
}

fn not_read() -> Vec<CertificateDer<'static>> {
    panic!("the system's roots were read for nothing")
}

fn refused(client: &Arc<ClientConfig>, server: &Server) -> CertificateError {
    match server.met_by(client) {
        Err(Error::InvalidCertificate(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_system_is_asked_only_when_the_roots_at_hand_do_not_do() {
    static SYSTEM: OnceLock<Authority> = OnceLock::new();
    let mine = authority();
    let of_mine = Server::new(&params("a.example"), &mine);
    let of_system = Server::new(&params("a.example"), SYSTEM.get_or_init(authority));
    assert_eq!(of_mine.met_by(&trusting_only(&mine, not_read)), Ok(()));
    let system = || vec![b"broken".to_vec().into(), SYSTEM.get().expect("made").der().clone()];
    let both = trusting_only(&mine, system);
    for server in [&of_system, &of_mine, &of_system] {
        assert_eq!(server.met_by(&both), Ok(()));
    }
}

#[test]
fn who_is_signed_by_nobody_trusted_is_refused() {
    let mine = authority();
    let client = trusting_only(&mine, Vec::new);
    // An authority of the same name whose key it is not.
    let stranger = Server::new(&params("a.example"), &authority());
    assert_eq!(refused(&client, &stranger), CertificateError::BadSignature);
    let nobody = trusting_all("http://a.example", mine.der().clone());
    let server = Server::new(&params("a.example"), &mine);
    assert_eq!(refused(&nobody, &server), CertificateError::UnknownIssuer);
}

#[test]
fn a_certificate_for_another_name_time_or_purpose_is_refused() {
    let mine = authority();
    let client = trusting_only(&mine, Vec::new);
    let other_name = Server::new(&params("b.example"), &mine);
    assert!(matches!(refused(&client, &other_name), CertificateError::NotValidForNameContext { .. }));
    let mut expired = params("a.example");
    expired.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let expired = refused(&client, &Server::new(&expired, &mine));
    assert!(matches!(expired, CertificateError::ExpiredContext { .. }), "{expired:?}");
    let mut for_mail = params("a.example");
    for_mail.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    let for_mail = refused(&client, &Server::new(&for_mail, &mine));
    assert!(matches!(for_mail, CertificateError::InvalidPurposeContext { .. }), "{for_mail:?}");
}

#[test]
fn a_server_without_the_certificate_s_key_is_refused() {
    let mine = authority();
    let client = trusting_only(&mine, Vec::new);
    for version in [&TLS12, &TLS13] {
        let owner = Server::new(&params("a.example"), &mine).speaking(version);
        assert_eq!(owner.met_by(&client), Ok(()));
        assert_eq!(refused(&client, &owner.with_another_key()), CertificateError::BadSignature);
    }
}

#[test]
fn what_vouched_for_the_service_is_kept() {
    static SYSTEM: OnceLock<Authority> = OnceLock::new();
    let mine = authority();
    let system = || vec![SYSTEM.get_or_init(authority).der().clone()];
    let (client, handshakes) = watched(&mine, system);
    let of_system = |name: &str| Server::new(&params(name), SYSTEM.get_or_init(authority));
    // Neither a stranger nor a proxy, whose name is another, is the service.
    assert!(Server::new(&params("a.example"), &authority()).met_by(&client).is_err());
    assert!(of_system("b.example").met_by(&client).is_err());
    assert_eq!(handshakes.vouched(), None);
    assert_eq!(Server::new(&params("a.example"), &mine).met_by(&client), Ok(()));
    assert_eq!(handshakes.vouched(), Some(TrustSource::CaFile));
    assert_eq!(of_system("a.example").met_by(&client), Ok(()));
    assert_eq!(handshakes.vouched(), Some(TrustSource::Variable("SSL_CERT_FILE")));
    let (client, handshakes) = watched(&mine, Vec::new);
    let proxy = ServerName::try_from("proxy.example").expect("a name");
    assert_eq!(Server::new(&params("proxy.example"), &mine).met_as(&client, proxy), Ok(()));
    assert_eq!(handshakes.vouched(), None, "an https proxy is not the service");
}

#[test]
fn a_ca_file_that_is_the_server_s_own_certificate_is_named() {
    let mine = authority();
    let (leaf, key) = {
        let key = KeyPair::generate().expect("a key");
        (params("a.example").signed_by(&key, &mine).expect("signed").der().clone(), key)
    };
    // What `openssl req -x509` makes: a certificate of an authority, used as a server's.
    let mut own = params("a.example");
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own_key = KeyPair::generate().expect("a key");
    let own = own.self_signed(&own_key).expect("signed").der().clone();
    for (certificate, key) in [(leaf, key), (own, own_key)] {
        let client = |ca_file| trusting_all("https://a.example", ca_file);
        let server = Server { certified: certified(vec![certificate.clone()], &key), version: &TLS13 };
        let why = refused(&client(certificate), &server);
        assert!(matches!(&why, CertificateError::Other(other) if other.0.is::<CaFileIsLeaf>()), "{why:?}");
        let why = refused(&client(authority().der().clone()), &server);
        assert!(!matches!(&why, CertificateError::Other(other) if other.0.is::<CaFileIsLeaf>()), "{why:?}");
    }
    // One that is nobody's but its own may vouch for itself.
    let key = KeyPair::generate().expect("a key");
    let alone = params("a.example").self_signed(&key).expect("signed").der().clone();
    let server = Server { certified: certified(vec![alone.clone()], &key), version: &TLS13 };
    assert_eq!(server.met_by(&trusting_all("https://a.example", alone)), Ok(()));
}
