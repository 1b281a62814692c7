//! HTTP/1.1 requests as they come off the wire.
//!
//! Written on the bare connection, not on a server library: the stand-in must misbehave below HTTP, and a library would
//! repair what is broken on purpose.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// The longest request head and body in bytes: no client of this service needs more, and a test that sends more has a bug.
const HEAD_LIMIT: usize = 64 * 1024;
const BODY_LIMIT: usize = 1024 * 1024;

/// A connection, with or without TLS.
pub enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    fn stream(&mut self) -> &mut (dyn Duplex + '_) {
        match self {
            Wire::Plain(stream) => stream,
            Wire::Tls(stream) => stream.as_mut(),
        }
    }

    pub async fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        self.stream().read_buf(buffer).await
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream().write_all(bytes).await?;
        self.stream().flush().await
    }

    /// An orderly end: TLS says goodbye, then TCP.
    pub async fn shut(&mut self) {
        // The client may be gone already, and then there is nobody to be orderly for.
        let _gone = self.stream().shutdown().await;
    }

    /// From now on, dropping the connection resets it.
    pub fn arm_reset(&self) -> io::Result<()> {
        match self {
            Wire::Plain(stream) => stream.set_zero_linger(),
            Wire::Tls(stream) => stream.get_ref().0.set_zero_linger(),
        }
    }

    /// Silent until the client goes away.
    pub async fn hang(&mut self) {
        let mut ignored = Vec::with_capacity(1024);
        while matches!(self.read(&mut ignored).await, Ok(read) if read > 0) {
            ignored.clear();
        }
    }

    /// Passes bytes both ways until either side ends: the inside of a proxy's tunnel.
    pub async fn tunnel(&mut self, mut to: TcpStream) {
        // Whichever side broke it, the tunnel is over.
        let _broken = copy_bidirectional(&mut self.stream(), &mut to).await;
    }
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A request as it was sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The request target as it was sent: path and query, nothing decoded.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name, in any case of letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn takes_gzip(&self) -> bool {
        self.header("accept-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("gzip"))
    }

    pub fn wants_close(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// How long a client may take to send one whole request once it has begun.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// The next request on a connection; none when the client closed it between two.
pub async fn read_request(wire: &mut Wire, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let head_end = loop {
        if let Some(at) = find(buffer, b"\r\n\r\n") {
            break at;
        }
        // A TLS greeting, say: as other servers do, refuse it at once instead of waiting for the end of a line.
        if buffer.first().is_some_and(|first| !first.is_ascii_alphabetic()) {
            return Err(broken("not an HTTP/1.1 request"));
        }
        if buffer.len() > HEAD_LIMIT {
            return Err(broken("the request's head is too long"));
        }
        if wire.read(buffer).await? == 0 {
            return if buffer.is_empty() { Ok(None) } else { Err(broken("the request ended in its head")) };
        }
    };
    let mut request = parse_head(&buffer[..head_end]).ok_or_else(|| broken("not an HTTP/1.1 request"))?;
    buffer.drain(..head_end + 4);
    if request.header("transfer-encoding").is_some() {
        return Err(broken("a request body in chunks, which no client of this service sends"));
    }
    let length = match request.header("content-length") {
        None => 0,
        Some(text) => text.parse::<usize>().map_err(|_| broken("Content-Length is no number"))?,
    };
    if length > BODY_LIMIT {
        return Err(broken("the request's body is too long"));
    }
    while buffer.len() < length {
        if wire.read(buffer).await? == 0 {
            return Err(broken("the request ended in its body"));
        }
    }
    request.body = buffer.drain(..length).collect();
    Ok(Some(request))
}

fn parse_head(head: &[u8]) -> Option<Request> {
    let text = std::str::from_utf8(head).ok()?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target, version) = (first.next()?, first.next()?, first.next()?);
    if !version.starts_with("HTTP/1.") || first.next().is_some() {
        return None;
    }
    let headers = lines
        .map(|line| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned())))
        .collect::<Option<Vec<_>>>()?;
    Some(Request { method: method.to_owned(), target: target.to_owned(), headers, body: Vec::new() })
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
