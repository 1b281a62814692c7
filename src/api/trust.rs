//! Which certificates TLS trusts: the bundled roots, the user's and the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` too). Each adds,
//! none replaces. Which of them vouched for the service is kept, to be shown.
//!
//! The system's are read when a certificate comes that the others don't vouch for, and not before: on Debian they are
//! 145 files, and reading them was four fifths of all that the gate did before its first request (docs/benchmarks.md).
//! It changes no answer: what a part of the roots vouches for, all of them vouch for; and a refusal is always the word of
//! all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use url::Url;

use super::setup_error::SetupError;
use crate::config::{Network, SystemRoots};
use crate::core::TrustSource;

/// Reads the system's roots.
type System = fn() -> Vec<CertificateDer<'static>>;

/// What handshakes with the service have shown so far.
#[derive(Debug, Default)]
pub(crate) struct Handshakes {
    vouched: Mutex<Option<TrustSource>>,
    wants_certificate: AtomicBool,
}

impl Handshakes {
    /// What vouched for the service.
    pub(crate) fn vouched(&self) -> Option<TrustSource> {
        // It is set in one step: a panic elsewhere leaves it whole.
        *self.vouched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a server has asked for a client certificate. Many do, and go on without one.
    pub(crate) fn wants_certificate(&self) -> bool {
        self.wants_certificate.load(Ordering::Relaxed)
    }

    fn vouch(&self, source: TrustSource) {
        *self.vouched.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
    }
}

/// Has no certificate of its own, and remembers that one was asked for.
impl ResolvesClientCert for Handshakes {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.wants_certificate.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// TLS that trusts the bundled roots, the user's and the system's; nobody at a `base` that is spoken to without TLS. What
/// `handshakes` keeps is of the host of `base`: an https proxy is another server.
pub(crate) fn tls(base: &Url, network: Network, handshakes: &Arc<Handshakes>) -> Result<ClientConfig, SetupError> {
    let mut roots = Roots {
        at_hand: Vec::new(),
        ca_file: Vec::new(),
        system: Vec::new,
        system_source: match network.system_roots {
            SystemRoots::Platform => TrustSource::SystemRoots,
            SystemRoots::Variable(name) => TrustSource::Variable(name),
        },
        service: base.host_str().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.').to_owned(),
        handshakes: Arc::clone(handshakes),
    };
    // `config` lets plain http through to loopback only: no certificate has business there.
    if base.scheme() != "http" {
        let mut ca_file = RootCertStore::empty();
        for certificate in &network.further_roots {
            ca_file.add(certificate.clone()).map_err(SetupError::Root)?;
        }
        let bundled = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.at_hand = vec![(TrustSource::BundledRoots, bundled), (TrustSource::CaFile, ca_file)];
        roots.ca_file = network.further_roots;
        roots.system = || rustls_native_certs::load_native_certs().certs;
    }
    trusting(roots)
}

fn trusting(roots: Roots) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let handshakes = Arc::clone(&roots.handshakes);
    let trust = Trust { algorithms: provider.signature_verification_algorithms, roots, all: OnceLock::new() };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_client_cert_resolver(handshakes);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The roots, and the server that they are for.
#[derive(Debug)]
struct Roots {
    at_hand: Vec<(TrustSource, RootCertStore)>,
    /// As they were given.
    ca_file: Vec<CertificateDer<'static>>,
    system: System,
    system_source: TrustSource,
    /// The service's host, without brackets and final dot.
    service: String,
    handshakes: Arc<Handshakes>,
}

/// Verifies by the roots at hand, then by all. What is checked is what `rustls`' own verifier checks, by its own functions:
/// the chain, the time, the purpose, the name, and that the server has the key.
#[derive(Debug)]
struct Trust {
    algorithms: WebPkiSupportedAlgorithms,
    roots: Roots,
    all: OnceLock<RootCertStore>,
}

impl Trust {
    fn all(&self) -> &RootCertStore {
        self.all.get_or_init(|| {
            let stores = self.roots.at_hand.iter().flat_map(|(_, store)| store.roots.iter().cloned());
            let mut roots = RootCertStore { roots: stores.collect() };
            // A container from scratch has none, and a broken one of many is no reason to refuse the others.
            roots.add_parsable_certificates((self.roots.system)());
            roots
        })
    }

    /// The same error, or that the roots hold the very certificate that was to be checked by them.
    fn named(&self, why: Error, end_entity: &CertificateDer<'_>) -> Error {
        use CertificateError::{BadSignature, Other, UnknownIssuer};
        let is_unsigned = matches!(why, Error::InvalidCertificate(UnknownIssuer | BadSignature | Other(_)));
        if is_unsigned && self.roots.ca_file.iter().any(|certificate| certificate == end_entity) {
            return Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(CaFileIsLeaf))));
        }
        why
    }
}

/// The refused certificate is one of those in `ca-file`.
#[derive(Debug, thiserror::Error)]
#[error("the server's own certificate is in ca-file, but vouches for nothing there")]
pub(crate) struct CaFileIsLeaf;

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let cert = ParsedCertificate::try_from(end_entity)?;
        let signed_by = |roots: &RootCertStore| {
            verify_server_cert_signed_by_trust_anchor(&cert, roots, intermediates, now, self.algorithms.all)
        };
        let at_hand = self.roots.at_hand.iter().find(|(_, store)| signed_by(store).is_ok());
        let source = match at_hand {
            Some((source, _)) => *source,
            None => {
                signed_by(self.all()).map(|()| self.roots.system_source).map_err(|why| self.named(why, end_entity))?
            }
        };
        verify_server_name(&cert, server_name)?;
        if server_name.to_str().trim_end_matches('.').eq_ignore_ascii_case(&self.roots.service) {
            self.roots.handshakes.vouch(source);
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
