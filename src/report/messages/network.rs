//! How the service is reached, in words.

use super::super::sanitize::Sanitizer;
use crate::core::{Connection, TrustSource};

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
