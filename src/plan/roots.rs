//! Further trusted roots (`ca-file`): read and checked before the first request, so that a wrong file is a mistake and
//! not a certificate that is refused an hour later.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The certificates of a PEM file, each one usable as a root.
pub(super) fn read(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut store = RootCertStore::empty();
    let mut roots = Vec::new();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let number = index + 1;
        // The libraries' words about the cause hold no more than the person needs, and never the file's content.
        let certificate = certificate.map_err(|_| format!("certificate {number} in the file is not readable PEM"))?;
        store
            .add(certificate.clone())
            .map_err(|_| format!("certificate {number} in the file is no certificate that can be a trusted root"))?;
        roots.push(certificate);
    }
    if roots.is_empty() { Err("the file holds no PEM certificate".to_owned()) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn every_certificate_of_the_file_is_taken() {
        let bundle = format!("# our roots\n{}\n{}", pem(), pem().replace('\n', "\r\n"));
        assert_eq!(read(bundle.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn a_ca_file_that_would_trust_nothing_is_refused() {
        let key = "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n";
        for text in [&b""[..], b"hello", key.as_bytes(), &[0x30, 0x82, 0xff, 0x00]] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn one_broken_certificate_spoils_the_file() {
        let good = pem();
        let no_certificate = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        let no_base64 = "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n";
        for broken in [&good[..good.len() / 2], no_certificate, no_base64] {
            assert!(read(broken.as_bytes()).is_err(), "{broken}");
            assert!(read(format!("{good}{broken}").as_bytes()).is_err(), "{broken}");
        }
    }
}
