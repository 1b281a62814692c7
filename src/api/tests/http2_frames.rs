//! HTTP/2 written frame by frame, for the tests of this module: what a server may send, in any order and cut anywhere.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

const PREFACE: usize = 24;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// Error codes (RFC 9113, section 7).
pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const CANCEL: u32 = 8;

/// What an answer is made of.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// Of the answer, or of its trailers if there is no `:status`.
    Headers(Vec<(String, String)>, End),
    Data(Vec<u8>, End),
    Reset(u32),
    /// The last stream that the server will answer is this one.
    GoAway(u32),
    /// The connection is closed.
    Close,
}

/// Whether a frame has the flag END_STREAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    Stream,
}

impl Frame {
    pub(crate) fn head(status: u16, headers: &[(&str, &str)], end: End) -> Frame {
        let status = (":status".to_owned(), status.to_string());
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Frame::Headers(std::iter::once(status).chain(headers).collect(), end)
    }

    fn bytes(&self, stream: u32) -> Vec<u8> {
        match self {
            Frame::Headers(fields, end) => frame(HEADERS, END_HEADERS | end.flag(), stream, &block(fields)),
            Frame::Data(data, end) => frame(DATA, end.flag(), stream, data),
            Frame::Reset(code) => frame(RST_STREAM, 0, stream, &code.to_be_bytes()),
            Frame::GoAway(code) => frame(GOAWAY, 0, 0, &[stream.to_be_bytes(), code.to_be_bytes()].concat()),
            Frame::Close => Vec::new(),
        }
    }
}

impl End {
    fn flag(self) -> u8 {
        match self {
            End::Open => 0,
            End::Stream => END_STREAM,
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Literal fields without Huffman's code: the plainest that HPACK has (RFC 7541, section 6.2.2).
fn block(fields: &[(String, String)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            // Below 127 the length is the byte itself.
            block.push(u8::try_from(text.len()).ok().filter(|length| *length < 127).expect("a short field"));
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// What answers each request.
type Script = Arc<Mutex<dyn FnMut() -> Answer + Send>>;

/// Frames, and how long the pieces are in which they are written.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) frames: Vec<Frame>,
    pub(crate) piece: usize,
}

impl From<Vec<Frame>> for Answer {
    fn from(frames: Vec<Frame>) -> Answer {
        Answer { frames, piece: usize::MAX }
    }
}

/// Listens without TLS: the client must know that HTTP/2 is spoken.
pub(crate) async fn listen(script: impl FnMut() -> Answer + Send + 'static) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let script: Script = Arc::new(Mutex::new(script));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, script.clone()));
        }
    });
    format!("http://{address}").parse().expect("a URL")
}

async fn serve(mut stream: TcpStream, script: Script) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    stream.read_exact(&mut [0; PREFACE]).await.ok()?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.ok()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]).try_into().expect("fits")];
        stream.read_exact(&mut payload).await.ok()?;
        match kind {
            SETTINGS | PING if flags & ACK == 0 => {
                let echo = if kind == PING { payload.as_slice() } else { &[] };
                stream.write_all(&frame(kind, ACK, 0, echo)).await.ok()?;
            }
            HEADERS | DATA if flags & END_STREAM != 0 => {
                let answer = (script.lock().expect("not poisoned"))();
                let id = u32::from_be_bytes(id);
                let bytes: Vec<u8> = answer.frames.iter().flat_map(|frame| frame.bytes(id)).collect();
                pieces(&mut stream, &bytes, answer.piece).await?;
                if answer.frames.iter().any(|frame| matches!(frame, Frame::Close)) {
                    return stream.shutdown().await.ok();
                }
            }
            _ => {}
        }
    }
}

/// Writes in pieces of this length; each is taken by the client, on the same thread, before the next one comes.
pub(crate) async fn pieces(stream: &mut TcpStream, bytes: &[u8], length: usize) -> Option<()> {
    for piece in bytes.chunks(length.max(1)) {
        stream.write_all(piece).await.ok()?;
        if piece.len() < bytes.len() {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        }
    }
    Some(())
}
