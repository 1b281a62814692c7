//! Whom TLS trusts: the bundled roots, the user's and the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` too). Each adds,
//! none replaces.
//!
//! The system's are read when a certificate comes that the others don't vouch for, and not before: on Debian they are
//! 145 files, and reading them was four fifths of all that the gate did before its first request (docs/benchmarks.md).
//! It changes no answer: what a part of the roots vouches for, all of them vouch for; and a refusal is always the word of
//! all.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::transport::SetupError;

/// Where the system's roots come from.
type System = fn() -> Vec<CertificateDer<'static>>;

/// TLS that trusts the bundled roots, `further` and the system's.
pub(crate) fn trusting(further: Vec<CertificateDer<'static>>) -> Result<ClientConfig, SetupError> {
    let mut at_hand = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in further {
        at_hand.add(certificate).map_err(SetupError::Root)?;
    }
    tls(at_hand, || rustls_native_certs::load_native_certs().certs)
}

/// TLS that trusts nobody, for an address that is spoken to without.
pub(crate) fn trusting_nobody() -> Result<ClientConfig, SetupError> {
    tls(RootCertStore::empty(), Vec::new)
}

fn tls(at_hand: RootCertStore, system: System) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = Trust::new(&provider, at_hand, system);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Verifies by the roots at hand, then by all. What is checked is what `rustls`' own verifier checks, by its own functions:
/// the chain, the time, the purpose, the name, and that the server has the key.
#[derive(Debug)]
struct Trust {
    algorithms: WebPkiSupportedAlgorithms,
    at_hand: RootCertStore,
    system: System,
    all: OnceLock<RootCertStore>,
}

impl Trust {
    fn new(provider: &CryptoProvider, at_hand: RootCertStore, system: System) -> Trust {
        Trust { algorithms: provider.signature_verification_algorithms, at_hand, system, all: OnceLock::new() }
    }

    fn all(&self) -> &RootCertStore {
        self.all.get_or_init(|| {
            let mut roots = self.at_hand.clone();
            // A container from scratch has none, and a broken one of many is no reason to refuse the others.
            roots.add_parsable_certificates((self.system)());
            roots
        })
    }
}

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
        signed_by(&self.at_hand).or_else(|_| signed_by(self.all()))?;
        verify_server_name(&cert, server_name)?;
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
