//! Reads the file that holds a token.

use std::path::Path;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::api::access_token::AccessToken;
use crate::api::failure;
use crate::blocking;
use crate::config::SECRET_LIMIT;
use crate::core::Untrusted;

/// The token in a file, or what is wrong with it. On a thread of its own: a FIFO without a writer would block the whole
/// gate, signals included.
pub(super) async fn read(path: &Path) -> Result<AccessToken, Option<Untrusted>> {
    use std::io::Read;
    let path = path.to_owned();
    let (sender, receiver) = oneshot::channel();
    blocking::start("token-file", move || {
        let read = || {
            let mut text = String::new();
            std::fs::File::open(path)?.take(SECRET_LIMIT as u64 + 1).read_to_string(&mut text)?;
            Ok::<_, std::io::Error>(text)
        };
        drop(sender.send(read()));
    });
    match timeout(Duration::from_secs(10), receiver).await {
        Ok(Ok(Ok(text))) => AccessToken::new(&text).ok_or(None),
        Ok(Ok(Err(error))) => Err(Some(failure::describe(&error))),
        // Not read in time.
        Ok(Err(_)) | Err(_) => Err(None),
    }
}
