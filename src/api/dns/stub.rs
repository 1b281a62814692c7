//! Asks the name servers of `/etc/resolv.conf` in the way of glibc: A and AAAA apart, one server after the other, the next
//! one where a server fails, and a failure for one domain of the search list ends no other's turn.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use resolv_conf::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::select;
use tokio::time::timeout;

use super::message::{DnsReply, Family, question, reply};

const PORT: u16 = 53;

/// The longest datagram read; without EDNS no server sends more than 512 bytes.
const DATAGRAM: usize = 4096;

/// How much longer the other family may take once one has an address: some servers never answer a question for AAAA.
const GRACE: Duration = Duration::from_millis(500);

/// What `/etc/resolv.conf` says, as far as it counts here.
#[derive(Debug)]
struct Servers {
    servers: Vec<SocketAddr>,
    search: Vec<String>,
    ndots: usize,
    grace_period: Duration,
    attempts: u32,
}

impl Servers {
    /// No file, or one that can't be read, is an empty one: a server on this machine.
    fn read() -> Servers {
        let text = fs::read("/etc/resolv.conf").unwrap_or_default();
        Servers::of(&text)
    }

    fn of(text: &[u8]) -> Servers {
        // Lines that it does not understand are passed over, as by the system.
        let (mut config, _odd) = Config::parse_with_errors(text);
        config.glibc_normalize();
        let mut servers: Vec<SocketAddr> =
            config.nameservers.iter().map(|server| SocketAddr::new(server.into(), PORT)).collect();
        if servers.is_empty() {
            servers.push((Ipv4Addr::LOCALHOST, PORT).into());
        }
        Servers {
            servers,
            search: config.get_last_search_or_domain().cloned().collect(),
            ndots: usize::try_from(config.ndots).unwrap_or(usize::MAX),
            grace_period: Duration::from_secs(config.timeout.max(1).into()),
            attempts: config.attempts.max(1),
        }
    }

    /// The absolute names that `name` may stand for, in the order in which they are tried.
    fn candidates(&self, name: &str) -> Vec<String> {
        let absolute = name.strip_suffix('.');
        if let Some(name) = absolute {
            return vec![name.to_owned()];
        }
        let searched = self.search.iter().filter(|domain| !matches!(domain.as_str(), "" | "."));
        let mut names: Vec<String> = searched.map(|domain| format!("{name}.{domain}")).collect();
        let at = if name.matches('.').count() >= self.ndots { 0 } else { names.len() };
        names.insert(at, name.to_owned());
        names
    }

    async fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let mut failure = io::Error::from(ErrorKind::NotFound);
        for candidate in self.candidates(name) {
            let mut found = Vec::new();
            for family in self.both(&candidate).await {
                match family {
                    Ok(addresses) => found.extend(addresses.into_iter().map(|address| SocketAddr::new(address, 0))),
                    Err(why) => failure = why,
                }
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Err(failure)
    }

    /// The addresses of both families, those first that came first.
    async fn both(&self, name: &str) -> [io::Result<Vec<IpAddr>>; 2] {
        let (mut v4, mut v6) = (pin!(self.ask(name, Family::V4)), pin!(self.ask(name, Family::V6)));
        select! {
            first = &mut v4 => { let second = after(&first, v6).await; [first, second] }
            first = &mut v6 => { let second = after(&first, v4).await; [first, second] }
        }
    }

    /// The first answer of a server. None at all is an error, no address is not.
    async fn ask(&self, name: &str, family: Family) -> io::Result<Vec<IpAddr>> {
        let mut failure = io::Error::from(ErrorKind::NotFound);
        for _ in 0..self.attempts {
            for server in &self.servers {
                let asked = timeout(self.grace_period, ask(*server, name, family)).await;
                match asked.unwrap_or_else(|late| Err(late.into())) {
                    Ok(Some(addresses)) => return Ok(addresses),
                    Ok(None) => {}
                    Err(why) => failure = why,
                }
            }
        }
        Err(failure)
    }
}

/// What comes second has all the time there is only where the first brought no address.
async fn after(
    first: &io::Result<Vec<IpAddr>>,
    second: impl Future<Output = io::Result<Vec<IpAddr>>>,
) -> io::Result<Vec<IpAddr>> {
    match first {
        Ok(found) if !found.is_empty() => timeout(GRACE, second).await.unwrap_or_else(|_| Ok(Vec::new())),
        Ok(_) | Err(_) => second.await,
    }
}

/// The addresses of `name`, with port 0.
pub(super) async fn addresses(name: &str) -> io::Result<Vec<SocketAddr>> {
    Servers::read().addresses(name).await
}

/// What one server says; `None`: that it can't tell.
async fn ask(server: SocketAddr, name: &str, family: Family) -> io::Result<Option<Vec<IpAddr>>> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|_| io::Error::from(ErrorKind::Other))?;
    let question =
        question(u16::from_ne_bytes(id), name, family).ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
    let here: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    // Connected, it hears that server alone.
    let socket = UdpSocket::bind(here).await?;
    socket.connect(server).await?;
    socket.send(&question).await?;
    let mut datagram = vec![0; DATAGRAM];
    let answer = loop {
        let length = socket.recv(&mut datagram).await?;
        if let Some(answer) = reply(&question, family, &datagram[..length]) {
            break answer;
        }
    };
    let answer = match answer {
        DnsReply::Truncated => over_tcp(server, &question, family).await?,
        DnsReply::Addresses(_) | DnsReply::Failed => answer,
    };
    Ok(match answer {
        DnsReply::Addresses(found) => Some(found),
        DnsReply::Truncated | DnsReply::Failed => None,
    })
}

async fn over_tcp(server: SocketAddr, question: &[u8], family: Family) -> io::Result<DnsReply> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let length = stream.read_u16().await?;
    let mut message = vec![0; length.into()];
    stream.read_exact(&mut message).await?;
    reply(question, family, &message).ok_or_else(|| ErrorKind::InvalidData.into())
}

#[cfg(test)]
pub(super) mod tests;
