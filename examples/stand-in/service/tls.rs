//! A private certificate authority, made anew for every service, and the certificates that it should not have signed.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

use super::scenario::Tls;

/// How the service speaks TLS, and whom a client must trust for it.
pub struct Certified {
    pub acceptor: Option<TlsAcceptor>,
    pub ca_pem: String,
}

pub fn certified(tls: Tls) -> Result<Certified, rcgen::Error> {
    let (ca, ca_pem) = authority()?;
    let signer = match tls {
        Tls::Off | Tls::Claimed => return Ok(Certified { acceptor: None, ca_pem }),
        Tls::Untrusted => authority()?.0,
        Tls::Trusted | Tls::Expired | Tls::WrongHost => ca,
    };
    let names = match tls {
        Tls::WrongHost => vec!["maestro.example".to_owned()],
        _ => vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
    };
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "stand-in Maestro");
    if tls == Tls::Expired {
        (params.not_before, params.not_after) = (date_time_ymd(2023, 1, 1), date_time_ymd(2024, 1, 1));
    }
    let key = KeyPair::generate()?;
    let chain = vec![params.signed_by(&key, &signer)?.into()];
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_no_client_auth()
        .with_single_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .expect("the key that was just made fits its certificate");
    Ok(Certified { acceptor: Some(TlsAcceptor::from(Arc::new(config))), ca_pem })
}

fn authority() -> Result<(Issuer<'static, KeyPair>, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "stand-in CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let pem = params.self_signed(&key)?.pem();
    Ok((Issuer::new(params, key), pem))
}
