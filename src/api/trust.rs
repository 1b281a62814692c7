//! Whom TLS trusts: the bundled roots, the user's and the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` too). Each adds,
//! none replaces.
//!
//! The system's are read when a certificate comes that the others don't vouch for, and not before: on Debian they are
//! 145 files, and reading them was four fifths of all that the gate did before its first request (docs/benchmarks.md).
//! It changes no answer: what a part of the roots vouches for, all of them vouch for; and a refusal is always the word of
//! all.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::transport::SetupError;

/// Where the system's roots come from. A container from scratch has none, and a broken one of many is no reason to refuse
/// the others.
type System = fn() -> Vec<CertificateDer<'static>>;

pub(crate) fn system() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// Verifies by the roots at hand, then by all.
#[derive(Debug)]
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    at_hand: RootCertStore,
    by_these: Arc<WebPkiServerVerifier>,
    system: System,
    by_all: OnceLock<Result<Arc<WebPkiServerVerifier>, Error>>,
}

impl Trust {
    /// The bundled roots and `further`; `system` is asked when they don't do.
    pub(crate) fn new(
        provider: Arc<CryptoProvider>,
        further: Vec<CertificateDer<'static>>,
        system: System,
    ) -> Result<Trust, SetupError> {
        let mut at_hand = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for certificate in further {
            at_hand.add(certificate).map_err(SetupError::Root)?;
        }
        let by_these = verifier(&provider, at_hand.clone()).map_err(SetupError::Tls)?;
        Ok(Trust { provider, at_hand, by_these, system, by_all: OnceLock::new() })
    }

    fn by_all(&self) -> Result<&WebPkiServerVerifier, Error> {
        let by_all = self.by_all.get_or_init(|| {
            let mut roots = self.at_hand.clone();
            roots.add_parsable_certificates((self.system)());
            verifier(&self.provider, roots)
        });
        by_all.as_deref().map_err(Clone::clone)
    }
}

fn verifier(provider: &Arc<CryptoProvider>, roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| Error::General(error.to_string()))
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let ask = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        ask(&self.by_these).or_else(|_| ask(self.by_all()?))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_these.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_these.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_these.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::CertificateError;

    use super::*;

    /// An authority, and a certificate of it for `name`.
    fn made(name: &str) -> (CertificateDer<'static>, CertificateDer<'static>) {
        let mut params = CertificateParams::new(Vec::new()).expect("params");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("params");
        let leaf = params.signed_by(&KeyPair::generate().expect("a key"), &authority).expect("signed");
        (authority.der().clone(), leaf.der().clone())
    }

    fn trust(further: Vec<CertificateDer<'static>>, system: System) -> Trust {
        Trust::new(Arc::new(rustls::crypto::ring::default_provider()), further, system).expect("trust")
    }

    fn asked(trust: &Trust, leaf: &CertificateDer<'_>, name: &'static str) -> Result<(), Error> {
        let name = ServerName::try_from(name).expect("a name");
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_705_314_600));
        trust.verify_server_cert(leaf, &[], &name, &[], now).map(drop)
    }

    #[test]
    fn the_system_is_asked_when_the_roots_at_hand_do_not_do() {
        static OF_SYSTEM: OnceLock<(CertificateDer<'static>, CertificateDer<'static>)> = OnceLock::new();
        let (_, of_system) = OF_SYSTEM.get_or_init(|| made("a.example"));
        let (mine, of_mine) = made("a.example");
        let trust = trust(vec![mine], || vec![OF_SYSTEM.get().expect("made").0.clone(), b"broken".to_vec().into()]);
        assert_eq!(asked(&trust, &of_mine, "a.example"), Ok(()));
        assert!(trust.by_all.get().is_none(), "read for nothing");
        assert_eq!(asked(&trust, of_system, "a.example"), Ok(()));
        assert!(trust.by_all.get().is_some());
        // Both go on to serve.
        assert_eq!(asked(&trust, &of_mine, "a.example"), Ok(()));
        assert_eq!(asked(&trust, of_system, "a.example"), Ok(()));
    }

    #[test]
    fn a_refusal_is_the_word_of_all_roots() {
        let (mine, of_mine) = made("a.example");
        let (_, of_nobody) = made("a.example");
        let trust = trust(vec![mine], Vec::new);
        // An authority of the same name whose key it is not.
        let refused = Err(Error::InvalidCertificate(CertificateError::BadSignature));
        assert_eq!(asked(&trust, &of_nobody, "a.example"), refused);
        assert!(trust.by_all.get().is_some());
        let other = asked(&trust, &of_mine, "b.example").expect_err("another name");
        assert!(
            matches!(other, Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })),
            "{other:?}"
        );
    }
}
