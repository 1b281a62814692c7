//! Further trusted roots (`ca-file`): read and checked before the first request, so that a wrong file is an input error and
//! not a certificate that is refused an hour later.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::inputs::Env;

/// Which roots are the system's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SystemRoots {
    /// Where the platform keeps them.
    #[default]
    Platform,
    /// In their place those that this variable names (`rustls-native-certs` reads it).
    Variable(&'static str),
}

impl SystemRoots {
    pub(super) fn read(env: &Env) -> SystemRoots {
        let variable = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(|name| env.value(name).is_some());
        variable.map_or(SystemRoots::Platform, SystemRoots::Variable)
    }
}

/// The certificates of the file, each one usable as a root: PEM in any of the forms that editors and shells leave it in, or
/// one certificate in DER.
pub(super) fn read(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut store = RootCertStore::empty();
    // DER begins with the tag of a sequence, which is no beginning of a text with certificates in it.
    if file.first() == Some(&0x30) {
        let certificate = CertificateDer::from(file.to_vec());
        let added = store.add(certificate.clone());
        return added
            .map(|()| vec![certificate])
            .map_err(|_| "the file is neither PEM nor one certificate in DER".to_owned());
    }
    let mut roots = Vec::new();
    for (index, certificate) in CertificateDer::pem_slice_iter(text(file).as_bytes()).enumerate() {
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

/// The lines of the file, without byte order marks, indents and carriage returns. What PowerShell redirects is UTF-16.
fn text(file: &[u8]) -> String {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match file {
        [0xff, 0xfe, bytes @ ..] => units(bytes, u16::from_le_bytes),
        [0xfe, 0xff, bytes @ ..] => units(bytes, u16::from_be_bytes),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    };
    text.split(['\n', '\r'])
        .map(|line| line.trim().trim_start_matches('\u{feff}').trim_start())
        .fold(String::new(), |text, line| text + line + "\n")
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
    fn a_ca_file_is_read_in_every_form_that_editors_leave() {
        let pem = pem();
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let utf_16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect()
        };
        let forms: [(&str, Vec<u8>); 10] = [
            ("DER", der.to_vec()),
            ("a byte order mark", format!("\u{feff}{pem}").into()),
            ("CRLF", pem.replace('\n', "\r\n").into()),
            ("CR", pem.replace('\n', "\r").into()),
            ("text around", format!("Subject: Räume\n\n{pem}\nthe end").into()),
            ("Latin-1 around", [b"Subject: R\xe4ume\n", pem.as_bytes()].concat()),
            ("an indent", pem.lines().map(|line| format!("    {line}\n")).collect::<String>().into()),
            ("UTF-16, little end first", utf_16(&pem, u16::to_le_bytes)),
            ("UTF-16, big end first", utf_16(&pem, u16::to_be_bytes)),
            ("no line break at the end", pem.trim_end().into()),
        ];
        for (form, file) in forms {
            assert_eq!(read(&file).as_deref(), Ok(&[der.clone()][..]), "{form}");
        }
        let bundle = format!("\u{feff}{pem}\u{feff}{pem}");
        assert_eq!(read(bundle.as_bytes()).unwrap().len(), 2, "two files with marks, one behind the other");
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
