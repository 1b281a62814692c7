//! How the service is reached, in words.

use super::super::sanitize::Sanitizer;
use crate::core::{Connection, TlsFault, TrustSource};

/// `connected through the proxy proxy.example:3128 (HTTPS_PROXY); certificate trusted by: system roots`.
pub fn connection(connection: &Connection, sanitizer: &Sanitizer) -> String {
    let proxy = match &connection.proxy {
        None => "directly, without a proxy".to_owned(),
        Some(via) => format!("through the proxy {} ({})", sanitizer.given(&via.address), via.variable),
    };
    match connection.trusted_by {
        None => format!("connecting to the service {proxy}"),
        Some(source) => format!("connected to the service {proxy}; its certificate is trusted by: {}", source.name()),
    }
}

/// The proxy alone.
pub fn proxy(connection: &Connection, sanitizer: &Sanitizer) -> String {
    match &connection.proxy {
        None => "none: requests go straight to the service".to_owned(),
        Some(via) => format!("requests go through {} ({})", sanitizer.given(&via.address), via.variable),
    }
}

/// The certificate alone.
pub fn trust(connection: &Connection) -> String {
    let source = connection.trusted_by.map(TrustSource::name);
    source.map_or("the certificate is trusted".to_owned(), |source| format!("the certificate is trusted by: {source}"))
}

/// What is wrong with TLS.
pub(super) fn tls(fault: TlsFault) -> &'static str {
    match fault {
        TlsFault::NothingInCommon => "no TLS version or cipher that both the server and the gate know",
        TlsFault::ClientCertificate => "the server requires a client certificate",
        TlsFault::NotTls => "what answers at that port does not speak TLS",
        TlsFault::CaFileIsLeaf => {
            "ca-file holds the server's own certificate, not the one of the authority that signed it"
        }
    }
}

/// What to do about it.
pub(super) fn tls_remedy(fault: TlsFault) -> &'static str {
    match fault {
        TlsFault::NothingInCommon => {
            "enable TLS 1.2 or 1.3 with a common cipher on the server that base-url names, or on the proxy before it"
        }
        TlsFault::ClientCertificate => {
            "let base-url name an address that requires no client certificate: the gate has none to show"
        }
        TlsFault::NotTls => "check the port in base-url: TLS is spoken at another one, usually 443",
        TlsFault::CaFileIsLeaf => {
            "in ca-file, give the certificate of the authority that signed the server's; a server's self-signed certificate \
             works only if it is not an authority's too (with openssl: -addext basicConstraints=critical,CA:FALSE)"
        }
    }
}
