//! Asks the name servers of `/etc/resolv.conf` in the way of glibc: A and AAAA apart, one server after the other, the next
//! one where a server fails, and a failure for one domain of the search list ends no other's turn.

use std::fs;
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
        Servers::of(&fs::read("/etc/resolv.conf").unwrap_or_default())
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
        if let Some(name) = name.strip_suffix('.') {
            return vec![name.to_owned()];
        }
        let searched = self.search.iter().filter(|domain| !matches!(domain.as_str(), "" | "."));
        let mut names: Vec<String> = searched.map(|domain| format!("{name}.{domain}")).collect();
        let at = if name.matches('.').count() >= self.ndots { 0 } else { names.len() };
        names.insert(at, name.to_owned());
        names
    }

    /// The addresses of `name`, with port 0; `None` if there are none, whatever the reason.
    async fn addresses(&self, name: &str) -> Option<Vec<SocketAddr>> {
        for candidate in self.candidates(name) {
            let found = self.both(&candidate).await.concat();
            if !found.is_empty() {
                return Some(found.into_iter().map(|address| SocketAddr::new(address, 0)).collect());
            }
        }
        None
    }

    /// The addresses of both families, those first that came first.
    async fn both(&self, name: &str) -> [Vec<IpAddr>; 2] {
        let (mut v4, mut v6) = (pin!(self.ask(name, Family::V4)), pin!(self.ask(name, Family::V6)));
        select! {
            first = &mut v4 => { let second = after(&first, v6).await; [first, second] }
            first = &mut v6 => { let second = after(&first, v4).await; [first, second] }
        }
    }

    /// What the first server says that can tell.
    async fn ask(&self, name: &str, family: Family) -> Vec<IpAddr> {
        for _ in 0..self.attempts {
            for server in &self.servers {
                if let Ok(Some(addresses)) = timeout(self.grace_period, ask(*server, name, family)).await {
                    return addresses;
                }
            }
        }
        Vec::new()
    }
}

/// What comes second has all the time there is only where the first brought no address.
async fn after(first: &[IpAddr], second: impl Future<Output = Vec<IpAddr>>) -> Vec<IpAddr> {
    if first.is_empty() { second.await } else { timeout(GRACE, second).await.unwrap_or_default() }
}

/// As `/etc/resolv.conf` says.
pub(super) async fn addresses(name: &str) -> Option<Vec<SocketAddr>> {
    Servers::read().addresses(name).await
}

/// What one server says; `None`: that it can't tell, or nothing.
async fn ask(server: SocketAddr, name: &str, family: Family) -> Option<Vec<IpAddr>> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).ok()?;
    let question = question(u16::from_ne_bytes(id), name, family)?;
    let here: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // Connected, it hears that server alone.
    let socket = UdpSocket::bind((here, 0)).await.ok()?;
    socket.connect(server).await.ok()?;
    socket.send(&question).await.ok()?;
    let mut datagram = vec![0; DATAGRAM];
    loop {
        let length = socket.recv(&mut datagram).await.ok()?;
        match reply(&question, family, &datagram[..length]) {
            None => {}
            Some(DnsReply::Addresses(found)) => return Some(found),
            Some(DnsReply::Truncated) => return over_tcp(server, &question, family).await,
            Some(DnsReply::Failed) => return None,
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8], family: Family) -> Option<Vec<IpAddr>> {
    let mut stream = TcpStream::connect(server).await.ok()?;
    let length = u16::try_from(question.len()).ok()?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await.ok()?;
    let mut message = vec![0; stream.read_u16().await.ok()?.into()];
    stream.read_exact(&mut message).await.ok()?;
    match reply(question, family, &message)? {
        DnsReply::Addresses(found) => Some(found),
        DnsReply::Truncated | DnsReply::Failed => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
