//! Reads the file that holds a token.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use crate::api::access_token::AccessToken;
use crate::api::failure;
use crate::blocking;
use crate::config::SECRET_LIMIT;
use crate::core::Untrusted;

/// The token in a file, or what is wrong with it. On a thread of its own: a FIFO without a writer would block the whole
/// gate, signals included.
pub(super) async fn read(path: &Path) -> Result<AccessToken, Option<Untrusted>> {
    let path = path.to_owned();
    let text = blocking::run("token-file", move || {
        let mut text = String::new();
        std::fs::File::open(path)?.take(SECRET_LIMIT as u64 + 1).read_to_string(&mut text)?;
        Ok::<_, io::Error>(text)
    });
    match timeout(Duration::from_secs(10), text).await {
        Ok(Ok(text)) => AccessToken::new(&text).ok_or(None),
        Ok(Err(error)) => Err(Some(failure::describe(&error))),
        // Not read in time.
        Err(_) => Err(None),
    }
}
