//! Why there can be no client at all: found before the first request.

/// Why there can be no client at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the access token is empty or has a character that no header may have")]
    Token,
    #[error("a certificate of the further roots can't be used: {0}")]
    Root(#[source] rustls::Error),
    #[error("set up TLS: {0}")]
    Tls(#[source] rustls::Error),
    #[error("set up the HTTP client: {0}")]
    Http(#[source] reqwest::Error),
}
