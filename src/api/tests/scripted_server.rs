//! A scripted service for the tests of this module: every request is recorded, a closure answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use url::Url;

/// Has that much time pass at once. It is real before and afterwards: requests take theirs.
pub(crate) async fn later(length: Duration) {
    tokio::time::pause();
    tokio::time::advance(length).await;
    tokio::time::resume();
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    /// The number of the connection it came on.
    pub(crate) connection: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn is_sign_in(&self) -> bool {
        self.path.ends_with("/auth/sign-in")
    }
}

/// The bytes to answer with.
#[derive(Clone)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    after: After,
    gate: Option<Arc<Barrier>>,
}

#[derive(Clone, Copy, PartialEq)]
enum After {
    Keep,
    Close,
    /// Neither a byte more nor an end.
    Silence,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &str) -> Reply {
        Reply::with(status, &[("content-type", "application/json")], body.as_bytes())
    }

    pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let bytes = [head.as_bytes(), b"\r\n", body].concat();
        Reply { bytes, after: After::Keep, gate: None }
    }

    /// These bytes, then the end of the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply { bytes: bytes.into(), after: After::Close, gate: None }
    }

    /// These bytes, then nothing at all.
    pub(crate) fn stalled(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply { bytes: bytes.into(), after: After::Silence, gate: None }
    }

    /// Waits for the others before it answers.
    pub(crate) fn behind(self, gate: &Arc<Barrier>) -> Reply {
        Reply { gate: Some(gate.clone()), ..self }
    }
}

type Script = Arc<Mutex<dyn FnMut(&Asked) -> Reply + Send>>;

pub(crate) struct Server {
    pub(crate) base: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(script: impl FnMut(&Asked) -> Reply + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Script = Arc::new(Mutex::new(script));
        let record = asked.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(serve(stream, connection, script.clone(), record.clone()));
            }
        });
        Server { base: format!("http://{address}").parse().expect("a URL"), asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }

    pub(crate) fn sign_ins(&self) -> usize {
        self.asked().iter().filter(|asked| asked.is_sign_in()).count()
    }
}

/// Serves one connection, whatever it runs over.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    script: Script,
    record: Arc<Mutex<Vec<Asked>>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace();
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a number"));
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let body = String::from_utf8(body).expect("text");
        let asked = Asked { method, path, headers, body, connection };
        let reply = (script.lock().expect("not poisoned"))(&asked);
        record.lock().expect("not poisoned").push(asked);
        if let Some(gate) = reply.gate {
            gate.wait().await;
        }
        stream.write_all(&reply.bytes).await.ok()?;
        stream.flush().await.ok()?;
        match reply.after {
            After::Keep => {}
            After::Close => return stream.shutdown().await.ok(),
            After::Silence => std::future::pending().await,
        }
    }
}
