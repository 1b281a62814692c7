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
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[self.version])
            .expect("a version of ring's")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Always(Arc::clone(&self.certified))));
        let mut server = ServerConnection::new(Arc::new(server))?;
        let name = ServerName::try_from("a.example").expect("a name");
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
    let mut at_hand = RootCertStore::empty();
    at_hand.add(authority.der().clone()).expect("an authority");
    Arc::new(tls(at_hand, system).expect("a configuration"))
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
    let nobody = Arc::new(trusting_nobody().expect("a configuration"));
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
