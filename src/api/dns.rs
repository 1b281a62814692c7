//! Finds the addresses of a name.
//!
//! The system's resolver is asked first. That of the static binary (musl's) gives up where glibc's goes on: when A is
//! answered and AAAA is not, when a search domain's server fails, when the quickest of several name servers is the one that
//! knows nothing. There the name servers are asked again, in glibc's way (`stub`).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::select;
use tokio::time::timeout;

use crate::blocking;

mod message;
mod stub;

/// How long the system's resolver may take before the name servers are asked beside it. musl's waits ten seconds for a
/// query that a server refuses, which is all the time there is to connect.
const HEAD_START: Duration = Duration::from_millis(500);

/// Whether the system's resolver is musl's.
const IS_MUSL: bool = cfg!(target_env = "musl");

/// Why a name has no address.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Unresolved(#[from] io::Error);

/// The addresses of a host, with port 0.
pub(crate) async fn addresses(host: &str) -> Result<Vec<SocketAddr>, Unresolved> {
    // By definition (RFC 6761), and never by a hosts file or a name server: plain http, with the password in it, goes there.
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]);
    }
    let found = if IS_MUSL { either(system(host), stub::addresses(host)).await? } else { system(host).await? };
    if found.is_empty() { Err(io::Error::from(io::ErrorKind::NotFound).into()) } else { Ok(found) }
}

/// What the system's resolver finds. It blocks, so it has a thread, or this one where the system has none left: tokio's own
/// look-up panics there.
async fn system(host: &str) -> io::Result<Vec<SocketAddr>> {
    let host = host.to_owned();
    blocking::run("resolver", move || (host.as_str(), 0).to_socket_addrs().map(Iterator::collect)).await
}

/// What `system` finds; where it fails, or is late, what `second` finds. If neither finds anything, the error is `system`'s.
async fn either<T>(
    system: impl Future<Output = io::Result<T>>,
    second: impl Future<Output = Option<T>>,
) -> io::Result<T> {
    let (mut system, mut second) = (pin!(system), pin!(second));
    let found = match timeout(HEAD_START, &mut system).await {
        Ok(found) => found,
        Err(_late) => select! {
            found = &mut system => found,
            found = &mut second => return match found {
                Some(found) => Ok(found),
                None => system.await,
            },
        },
    };
    match found {
        Ok(found) => Ok(found),
        Err(why) => second.await.ok_or(why),
    }
}

/// For the HTTP client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = addresses(name.as_str()).await?;
            Ok::<Addrs, _>(Box::new(found.into_iter()))
        })
    }
}

#[cfg(test)]
mod tests;
