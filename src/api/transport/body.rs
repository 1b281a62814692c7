//! The body of an answer, whole or not at all.
//!
//! A body counts only if its framing says that it is complete and its coding is one that we ask for. This is the only
//! place that reads bodies, so what is half received never reaches the reader of the JSON.

use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::Pin;

use flate2::write::GzDecoder;
use http_body::Body as _;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING};
use reqwest::{Body, Response, Version};

use super::BodySink;
use crate::api::failure::{self, RequestError};
use crate::core::{FailureKind, Untrusted};

/// What we ask for (`Accept-Encoding`).
pub(super) const CODING: &str = "gzip";

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
    let mut decoder = Decoder::of(response.headers())?;
    let mut body = Body::from(response);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(piece) = frame.map_err(failure::of_error)?.into_data() {
            let mut left = &*piece;
            while !left.is_empty() {
                decoder.step(&mut left, sink)?;
                if !left.is_empty() {
                    // A piece can hold megabytes; whoever waits for a signal has a turn meanwhile.
                    tokio::task::yield_now().await;
                }
            }
        }
    }
    // hyper takes a stream that is reset with NO_ERROR for one that has ended, and so one of a connection that says goodbye
    // with it. END_STREAM, or the last byte of a `content-length`, must really have come. HTTP/1 without a length ends with
    // the last chunk or the connection, and there hyper reports what is missing.
    let is_complete = body.is_end_stream() || !has_length_of_its_own && body.size_hint().exact().is_none();
    if !is_complete {
        return Err(broken("the answer ended before it was complete"));
    }
    decoder.finish(sink)
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

/// Undoes the `RenderedContent-Encoding`, whatever pieces the body comes in.
enum Decoder {
    Plain,
    /// The member at hand; what it holds is taken out after each step.
    Gzip(Box<GzDecoder<Vec<u8>>>),
}

impl Decoder {
    fn of(headers: &HeaderMap) -> Result<Decoder, RequestError> {
        let mut codings = elements(headers, &CONTENT_ENCODING);
        match (codings.next(), codings.next()) {
            (None, _) => Ok(Decoder::Plain),
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"identity") => Ok(Decoder::Plain),
            (Some(coding), None)
                if [CODING, "x-gzip"].iter().any(|name| coding.eq_ignore_ascii_case(name.as_bytes())) =>
            {
                Ok(Decoder::Gzip(member()))
            }
            (Some(_), _) => Err(broken("the answer has a content-encoding that was not asked for")),
        }
    }

    /// Decodes a short part of what is `left` of a piece.
    fn step(&mut self, left: &mut &[u8], sink: &mut BodySink<'_>) -> Result<(), RequestError> {
        let Decoder::Gzip(decoder) = self else { return sink(std::mem::take(left)) };
        match decoder.write(left).map_err(undecodable)? {
            // It takes nothing more only where the member is over; what is left must be another one.
            0 => {
                end(decoder, sink)?;
                *decoder = member();
            }
            taken => {
                *left = left.get(taken..).unwrap_or_default();
                drain(decoder, sink)?;
            }
        }
        Ok(())
    }

    fn finish(self, sink: &mut BodySink<'_>) -> Result<(), RequestError> {
        match self {
            Decoder::Plain => Ok(()),
            Decoder::Gzip(mut decoder) => end(&mut decoder, sink),
        }
    }
}

fn member() -> Box<GzDecoder<Vec<u8>>> {
    Box::new(GzDecoder::new(Vec::new()))
}

/// The member must be over, and its checksum and length right.
fn end(decoder: &mut GzDecoder<Vec<u8>>, sink: &mut BodySink<'_>) -> Result<(), RequestError> {
    decoder.try_finish().map_err(undecodable)?;
    drain(decoder, sink)
}

fn drain(decoder: &mut GzDecoder<Vec<u8>>, sink: &mut BodySink<'_>) -> Result<(), RequestError> {
    let decoded = decoder.get_mut();
    sink(decoded)?;
    decoded.clear();
    Ok(())
}

fn undecodable(error: io::Error) -> RequestError {
    RequestError { kind: FailureKind::Broken, detail: Some(failure::describe(&error)) }
}

fn broken(detail: &str) -> RequestError {
    RequestError { kind: FailureKind::Broken, detail: Some(Untrusted::new(detail)) }
}

#[cfg(test)]
mod tests;
