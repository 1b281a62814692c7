//! Puts an answer on the wire, with the faults that were ordered.

use std::io;

use serde_json::{Value, json};

use super::answers::Answer;
use super::body::{self, Part};
use super::http::Wire;
use super::reply::{Content, Cut, Edit, End, Framing, Gzip, Reply, Trickle};
use super::time::{self, ServiceClock};

/// Whether the connection can carry another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    Open,
    Over,
}

/// Shorter bodies are not worth compressing.
const WORTH_IT: u64 = 1024;

/// Sends `reply`, which may build on the `normal` answer, and deals with the connection as it asks. What is long is compressed
/// where `may_compress`.
pub async fn send(
    wire: &mut Wire,
    reply: &Reply,
    normal: Answer,
    clock: &ServiceClock,
    may_compress: bool,
) -> io::Result<Connection> {
    if let Some(length) = reply.delay {
        time::pause(length).await;
    }
    if reply.cut != Some(Cut::Before) {
        if let Some(Content::Raw(bytes)) = &reply.body {
            wire.write(bytes).await?;
        } else {
            write_answer(wire, reply, normal, clock, may_compress).await?;
        }
    }
    let cut_short = reply.cut.is_some()
        || matches!(reply.body, Some(Content::Raw(_)))
        || matches!(reply.framing, Framing::ChunkedNoEnd | Framing::ChunkedBadSize | Framing::ChunkedWrongSize);
    match reply.end {
        End::Normal if !cut_short && reply.framing != Framing::UntilClose => return Ok(Connection::Open),
        // What was cut off ends as a crash ends it: over TLS without a goodbye.
        End::Normal | End::Close if cut_short => {}
        End::Normal | End::Close => wire.shut().await,
        End::Reset => wire.arm_reset()?,
        End::Hang => wire.hang().await,
    }
    Ok(Connection::Over)
}

async fn write_answer(
    wire: &mut Wire,
    reply: &Reply,
    normal: Answer,
    clock: &ServiceClock,
    may_compress: bool,
) -> io::Result<()> {
    let status = reply.status.unwrap_or(normal.status);
    let mut headers = vec![
        ("date".to_owned(), time::http_date(clock.utc())),
        ("content-type".to_owned(), normal.content_type.to_owned()),
    ];
    let mut parts = body::plain(written(reply, normal), reply.fill);
    let usual = || (may_compress && body::length(&parts).is_some_and(|total| total >= WORTH_IT)).then_some(Gzip::Right);
    if let Some(gzip) = reply.gzip.or_else(usual) {
        parts = body::gzip(&parts, gzip);
        headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
    }
    let framing = match (reply.framing, body::length(&parts)) {
        (Framing::Right, None) => Framing::Chunked,
        (Framing::Right, Some(total)) => Framing::Length(total),
        (other, _) => other,
    };
    match framing {
        Framing::Length(length) => headers.push(("content-length".to_owned(), length.to_string())),
        Framing::UntilClose => headers.push(("connection".to_owned(), "close".to_owned())),
        _ => headers.push(("transfer-encoding".to_owned(), "chunked".to_owned())),
    }
    headers.retain(|(name, _)| !reply.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)));
    headers.extend(reply.headers.iter().map(|(name, value)| (name.clone(), dated(value, clock))));
    headers.retain(|(name, _)| !reply.without_headers.iter().any(|gone| gone.eq_ignore_ascii_case(name)));

    let mut head = String::new();
    if let Some(interim) = reply.interim {
        head.push_str(&format!("HTTP/1.1 {interim} {}\r\n\r\n", reason(interim)));
    }
    head.push_str(&format!("HTTP/1.1 {status} {}\r\n", reason(status)));
    for (name, value) in &headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    if reply.cut == Some(Cut::Head) {
        return wire.write(&head.as_bytes()[..head.len() / 2]).await;
    }
    wire.write(head.as_bytes()).await?;
    if matches!(status, 204 | 304) {
        return Ok(());
    }
    write_body(wire, &parts, framing, reply.trickle, reply.cut).await
}

async fn write_body(
    wire: &mut Wire,
    parts: &[Part],
    framing: Framing,
    trickle: Option<Trickle>,
    cut: Option<Cut>,
) -> io::Result<()> {
    let mut left = match cut {
        Some(Cut::Body(bytes)) => bytes,
        _ => u64::MAX,
    };
    for part in parts {
        let mut times = part.times.unwrap_or(u64::MAX);
        while times > 0 {
            times -= 1;
            let step = trickle.map_or(part.bytes.len(), |trickle| trickle.bytes).max(1);
            for piece in part.bytes.chunks(step) {
                let piece = &piece[..piece.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
                left -= piece.len() as u64;
                if !piece.is_empty() {
                    wire.write(&framed(piece, framing)).await?;
                }
                if left == 0 {
                    return Ok(());
                }
                if let Some(trickle) = trickle {
                    time::pause(trickle.every).await;
                }
            }
        }
    }
    match framing {
        Framing::Chunked if cut.is_none() => wire.write(b"0\r\n\r\n").await,
        _ => Ok(()),
    }
}

fn framed(piece: &[u8], framing: Framing) -> Vec<u8> {
    let size = match framing {
        Framing::Right | Framing::Length(_) | Framing::UntilClose => return piece.to_owned(),
        Framing::Chunked | Framing::ChunkedNoEnd => format!("{:x}\r\n", piece.len()),
        Framing::ChunkedBadSize => "zz\r\n".to_owned(),
        Framing::ChunkedWrongSize => format!("{:x}\r\n", piece.len() * 2 + 7),
    };
    [size.as_bytes(), piece, b"\r\n"].concat()
}

/// The body as bytes, edited as ordered. A refusal of the service's own is never edited: it would hide that the client is
/// not signed in.
fn written(reply: &Reply, normal: Answer) -> Vec<u8> {
    let refused = reply.body.is_none() && !(200..300).contains(&normal.status);
    let (mut value, mut bytes) = match &reply.body {
        Some(Content::Json(value)) => (Some(value.clone()), Vec::new()),
        Some(Content::Text(text)) => (None, text.clone().into_bytes()),
        Some(Content::Bytes(bytes) | Content::Raw(bytes)) => (None, bytes.clone()),
        None => (normal.json, normal.text.into_bytes()),
    };
    let edits = if refused { &[] } else { reply.edits.as_slice() };
    for edit in edits {
        match (edit, &mut value) {
            (Edit::Set(keys), Some(Value::Object(object))) => object.extend(keys.clone()),
            (Edit::Drop(key), Some(Value::Object(object))) => drop(object.remove(key)),
            (Edit::Wrap, Some(value)) => *value = json!({"status": true, "data": value.take()}),
            // An edit of the text has its turn below, and one of keys finds no object here.
            (_, _) => {}
        }
    }
    if let Some(value) = &value {
        bytes = super::order::documented(value).into_bytes();
    }
    for edit in edits {
        match edit {
            Edit::Swap(from, to) => bytes = swapped(&bytes, from.as_bytes(), to.as_bytes()),
            Edit::SwapBytes(from, to) => bytes = swapped(&bytes, from.as_bytes(), to),
            Edit::Prepend(text) => bytes = [text.as_bytes(), &bytes].concat(),
            Edit::Append(text) => bytes.extend(text.as_bytes()),
            Edit::Set(_) | Edit::Drop(_) | Edit::Wrap => {}
        }
    }
    bytes
}

fn swapped(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if !from.is_empty() && bytes[at..].starts_with(from) {
            out.extend(to);
            at += from.len();
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

/// A header's value; `now+5s` and `now-2h` become HTTP dates by the service's clock.
fn dated(value: &str, clock: &ServiceClock) -> String {
    time::offset_from("now", value)
        .and_then(|offset| clock.utc().checked_add_signed(offset))
        .map_or_else(|| value.to_owned(), time::http_date)
}

fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        103 => "Early Hints",
        200 => "OK",
        204 => "No Content",
        301 | 302 | 303 | 307 | 308 => "Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
