//! How the service is reached: what stands between, and what vouched for its certificate.

use super::Untrusted;

/// The way to the service. Both come from the job's environment, so that a person must be able to see them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    pub proxy: Option<Via>,
    /// None over plain http, and as long as no certificate was accepted.
    pub trusted_by: Option<TrustSource>,
}

/// A proxy as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// Host and port, without credentials.
    pub address: Untrusted,
    /// The variable that names it.
    pub variable: &'static str,
}

/// Whose root certificate the service's chain ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustSource {
    /// Mozilla's, which are part of this program.
    BundledRoots,
    CaFile,
    SystemRoots,
    /// `SSL_CERT_FILE` or `SSL_CERT_DIR`, which take the system's place: the variable's name.
    Variable(&'static str),
}

impl TrustSource {
    /// As users write it.
    pub fn name(self) -> &'static str {
        match self {
            TrustSource::BundledRoots => "bundled roots",
            TrustSource::CaFile => "ca-file",
            TrustSource::SystemRoots => "system roots",
            TrustSource::Variable(name) => name,
        }
    }
}
