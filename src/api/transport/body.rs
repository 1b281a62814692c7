//! The body of an answer, whole or not at all.
//!
//! A body counts only if its framing says that it is complete and its coding is one that we ask for. This is the only
//! place that reads bodies, so what is half received never reaches the reader of the JSON.

use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::Poll;

use flate2::write::MultiGzDecoder;
use http_body::Body as _;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING};
use reqwest::{Body, Response, Version};

use super::BodySink;
use crate::api::failure::{self, RequestError};
use crate::core::{FailureKind, Untrusted};

/// What we ask for (`Accept-Encoding`).
pub(super) const CODING: &str = "gzip";

/// A body longer than this, in bytes, gets room for the longest that is allowed. The system gives memory only for what is
/// written there; a body that moves as it grows leaves places behind that hold memory and are too short for anything else.
const LONG: usize = 64 * 1024;

/// Undoes gzip, whatever pieces the body comes in. What it holds is taken out after each of them.
type Gzip = MultiGzDecoder<Vec<u8>>;

/// Gives the decoded body to `sink` as it comes. Only after `Ok` does it count.
///
/// # Errors
/// Where it is not complete, can't be decoded, or `sink` refuses it.
pub(super) async fn read(response: Response, sink: &mut BodySink<'_>) -> Result<(), RequestError> {
    let version = response.version();
    let has_length_of_its_own = version >= Version::HTTP_2;
    if !has_length_of_its_own && !is_framed_once(response.headers()) {
        return Err(broken("the answer does not say clearly where it ends"));
    }
    let mut gzip = is_gzip(response.headers())?.then(|| Gzip::new(Vec::new()));
    let mut body = Body::from(response);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // Trailers say nothing that is needed.
        let Ok(piece) = frame.map_err(failure::of_error)?.into_data() else { continue };
        let Some(decoder) = &mut gzip else {
            sink(&piece)?;
            continue;
        };
        let mut left = &*piece;
        while !left.is_empty() {
            decode(decoder, &mut left, sink)?;
            if !left.is_empty() {
                // A piece can hold megabytes; whoever waits for a signal has a turn meanwhile.
                tokio::task::yield_now().await;
            }
        }
    }
    give_tasks_a_turn().await;
    // hyper takes a stream that is reset with NO_ERROR for one that has ended, and so one of a connection that says goodbye
    // with it. END_STREAM, or the last byte of a `content-length`, must really have come. HTTP/1 without a length ends with
    // the last chunk or the connection, and there hyper reports what is missing.
    let is_complete = body.is_end_stream() || !has_length_of_its_own && body.size_hint().exact().is_none();
    if !is_complete {
        return Err(broken("the answer ended before it was complete"));
    }
    gzip.map_or(Ok(()), |decoder| finish(decoder, sink))
}

/// Gives the tasks that are ready a turn: one of them puts the connection back, so that the next request need not make another.
/// tokio's `yield_now` would ask the system for events as well.
async fn give_tasks_a_turn() {
    let mut had_turn = false;
    poll_fn(|context| {
        if std::mem::replace(&mut had_turn, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A sink that keeps a body up to `limit`.
pub(super) fn collect(body: &mut Vec<u8>, limit: usize) -> impl FnMut(&[u8]) -> Result<(), RequestError> {
    move |piece| {
        if piece.len() > limit - body.len() {
            return Err(RequestError::new(FailureKind::TooLarge));
        }
        if body.len() > LONG && body.capacity() < limit {
            // Where there is no room for so much it grows as usual.
            let _has_room = body.try_reserve_exact(limit - body.len());
        }
        body.extend_from_slice(piece);
        Ok(())
    }
}

/// Whether HTTP/1 says in one way only where the body ends. A length beside chunks, and chunks in another transfer coding,
/// are read differently by different readers (RFC 9112, section 6.3).
fn is_framed_once(headers: &HeaderMap) -> bool {
    let mut codings = elements(headers, &TRANSFER_ENCODING);
    match codings.next() {
        None => !headers.contains_key(TRANSFER_ENCODING),
        Some(first) => {
            first.eq_ignore_ascii_case(b"chunked") && codings.next().is_none() && !headers.contains_key(CONTENT_LENGTH)
        }
    }
}

/// The elements of a header that is a list, in one line or several (RFC 9110, section 5.6.1).
fn elements<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.get_all(name).into_iter().map(reqwest::header::HeaderValue::as_bytes);
    lines
        .flat_map(|line| line.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Whether the body is compressed (`Content-Encoding`), in the one way that was asked for.
fn is_gzip(headers: &HeaderMap) -> Result<bool, RequestError> {
    let mut codings = elements(headers, &CONTENT_ENCODING);
    let is = |coding: &[u8], name: &str| coding.eq_ignore_ascii_case(name.as_bytes());
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        (Some(coding), None) if is(coding, "identity") => Ok(false),
        (Some(coding), None) if is(coding, CODING) || is(coding, "x-gzip") => Ok(true),
        (Some(_), _) => Err(broken("the answer has a content-encoding that was not asked for")),
    }
}

/// Decodes a short part of what is `left` of a piece.
fn decode(decoder: &mut Gzip, left: &mut &[u8], sink: &mut BodySink<'_>) -> Result<(), RequestError> {
    let taken = decoder.write(left).map_err(undecodable)?;
    *left = left.get(taken..).unwrap_or_default();
    sink(decoder.get_ref())?;
    decoder.get_mut().clear();
    Ok(())
}

/// The last member must be over, and its checksum and length right.
fn finish(mut decoder: Gzip, sink: &mut BodySink<'_>) -> Result<(), RequestError> {
    decoder.try_finish().map_err(undecodable)?;
    sink(decoder.get_ref())
}

fn undecodable(error: io::Error) -> RequestError {
    RequestError { kind: FailureKind::Broken, detail: Some(failure::describe(&error)) }
}

fn broken(detail: &str) -> RequestError {
    RequestError { kind: FailureKind::Broken, detail: Some(Untrusted::new(detail)) }
}

#[cfg(test)]
mod tests;
