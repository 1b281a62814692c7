//! Only a body that its framing calls complete is handed on, and only in the coding that was asked for.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rcgen::CertificateParams;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::Transport;
use super::super::tests::{direct, tls_config, tls_listen};
use super::*;
use crate::api::tests::http2_frames::{self, CANCEL, End, Frame, NO_ERROR};
use crate::api::tests::scripted_server::{Reply, Server};
use crate::clock::Clock;

const RECORD: &[u8] = b"{\"last_status\":\"SUCCESS\"}";

/// What came of it; the body counts only where it is complete.
async fn outcome(transport: &Transport) -> Result<(u16, Vec<u8>), FailureKind> {
    let token = reqwest::header::HeaderValue::from_static("token");
    let outcome = transport.get(transport.address(&["run"]), &token, usize::MAX).await;
    outcome.reply.map(|reply| (reply.status, reply.body)).map_err(|fault| fault.kind)
}

async fn http_1(reply: Reply) -> Result<(u16, Vec<u8>), FailureKind> {
    let server = Server::start(move |_| reply.clone()).await;
    outcome(&Transport::over(server.base, false)).await
}

async fn http_2(frames: &[Frame]) -> Result<(u16, Vec<u8>), FailureKind> {
    let frames = frames.to_vec();
    let base = http2_frames::listen(move || frames.clone().into()).await;
    outcome(&Transport::over(base, true)).await
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut member = GzEncoder::new(Vec::new(), Compression::default());
    member.write_all(text).expect("memory");
    member.finish().expect("memory")
}

fn head(headers: &[(&str, &str)]) -> Frame {
    Frame::head(200, headers, End::Open)
}

fn data(bytes: &[u8], end: End) -> Frame {
    Frame::Data(bytes.to_vec(), end)
}

#[tokio::test]
async fn on_http_2_only_a_stream_that_was_ended_is_complete() {
    let length = RECORD.len().to_string();
    let longer = (RECORD.len() + 200).to_string();
    let gzip_head = || head(&[("content-encoding", "gzip")]);
    let (open, end) = (End::Open, End::Stream);
    let trailers = |end| Frame::Headers(vec![("x".to_owned(), "y".to_owned())], end);
    let cut: Vec<(&str, Vec<Frame>)> = vec![
        ("no length", vec![head(&[]), data(RECORD, open)]),
        ("its length", vec![head(&[("content-length", &length)]), data(RECORD, open)]),
        ("more announced", vec![head(&[("content-length", &longer)]), data(RECORD, open)]),
        ("gzip", vec![gzip_head(), data(&gzip(RECORD), open)]),
        ("half a record", vec![head(&[]), data(&RECORD[..5], open)]),
        ("no data", vec![head(&[])]),
        ("no data, gzip", vec![gzip_head()]),
        ("no data, length 0", vec![head(&[("content-length", "0")])]),
    ];
    for (what, frames) in &cut {
        for ending in [
            vec![Frame::Reset(NO_ERROR)],
            vec![Frame::Reset(CANCEL)],
            vec![Frame::Reset(1)],
            vec![Frame::GoAway(NO_ERROR), Frame::Close],
            vec![Frame::GoAway(2), Frame::Close],
            vec![Frame::Close],
        ] {
            let all = [frames.as_slice(), &ending].concat();
            assert_eq!(http_2(&all).await, Err(FailureKind::Broken), "{what}, {ending:?}");
        }
    }
    for (what, frames) in [
        ("fewer bytes than announced", vec![head(&[("content-length", &longer)]), data(RECORD, end)]),
        ("more bytes than announced", vec![head(&[("content-length", "3")]), data(RECORD, end)]),
        ("none of those announced", vec![Frame::head(200, &[("content-length", &length)], end)]),
        ("fewer, then trailers", vec![head(&[("content-length", &longer)]), data(RECORD, open), trailers(end)]),
        ("two lengths", vec![head(&[("content-length", &length), ("content-length", "3")]), data(RECORD, end)]),
        ("a length that is none", vec![head(&[("content-length", "+25")]), data(RECORD, end)]),
        ("trailers without an end", vec![head(&[]), data(RECORD, open), trailers(open), Frame::Reset(NO_ERROR)]),
    ] {
        assert_eq!(http_2(&frames).await, Err(FailureKind::Broken), "{what}");
    }
    for (what, frames, body) in [
        ("ended", vec![head(&[]), data(RECORD, end)], RECORD),
        ("ended by nothing", vec![head(&[]), data(RECORD, open), data(b"", end)], RECORD),
        (
            "in two",
            vec![head(&[("content-length", &length)]), data(&RECORD[..5], open), data(&RECORD[5..], end)],
            RECORD,
        ),
        ("gzip", vec![gzip_head(), data(&gzip(RECORD), end)], RECORD),
        ("trailers", vec![head(&[]), data(RECORD, open), trailers(end)], RECORD),
        ("ended, and reset afterwards", vec![head(&[]), data(RECORD, end), Frame::Reset(NO_ERROR)], RECORD),
        (
            "ended, and the connection too",
            vec![head(&[]), data(RECORD, end), Frame::GoAway(NO_ERROR), Frame::Close],
            RECORD,
        ),
        ("really empty", vec![Frame::head(200, &[], end)], b""),
        ("really empty, as announced", vec![Frame::head(200, &[("content-length", "0")], end)], b""),
    ] {
        assert_eq!(http_2(&frames).await, Ok((200, body.to_vec())), "{what}");
    }
    for status in [204, 304] {
        assert_eq!(http_2(&[Frame::head(status, &[], end)]).await, Ok((status, Vec::new())));
        assert_eq!(http_2(&[Frame::head(status, &[("content-length", "9")], end)]).await, Ok((status, Vec::new())));
    }
    // A status that decides needs no body.
    assert_eq!(
        http_2(&[Frame::head(503, &[], open), data(b"busy", open), Frame::Reset(NO_ERROR)]).await,
        Ok((503, b"busy".to_vec()))
    );
}

#[tokio::test]
async fn on_http_1_only_a_body_of_its_length_or_with_its_last_chunk_is_complete() {
    let answer =
        |head: &str, body: &[u8]| Reply::raw([b"HTTP/1.1 200 OK\r\n", head.as_bytes(), b"\r\n", body].concat());
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let chunked = "transfer-encoding: chunked\r\n";
    let length = RECORD.len();
    let lines = |both: &str| format!("content-length: {length}\r\n{both}");
    let whole = [chunk(RECORD), b"0\r\n\r\n".to_vec()].concat();
    for (what, reply) in [
        ("fewer bytes than announced", answer(&format!("content-length: {}\r\n", length + 1), RECORD)),
        ("no byte of those announced", answer("content-length: 1\r\n", b"")),
        ("no last chunk", answer(chunked, &chunk(RECORD))),
        ("half a chunk", answer(chunked, &chunk(RECORD)[..10])),
        ("half a last chunk", answer(chunked, &whole[..whole.len() - 2])),
        ("no chunk at all", answer(chunked, b"")),
        ("two lengths", answer(&lines("content-length: 3\r\n"), RECORD)),
        ("two lengths in one line", answer("content-length: 25, 3\r\n", RECORD)),
        ("a length that is none", answer("content-length: +25\r\n", RECORD)),
        ("a length and chunks", answer(&lines(chunked), &whole)),
        ("chunks and a length", answer(&[chunked, &lines("")].concat(), &whole)),
        ("a length and chunks, and no chunks", answer(&lines(chunked), RECORD)),
        (
            "chunks in another coding",
            answer("transfer-encoding: gzip, chunked\r\n", &[chunk(&gzip(RECORD)), b"0\r\n\r\n".to_vec()].concat()),
        ),
        ("chunks twice", answer("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", &whole)),
        ("another transfer coding", answer("transfer-encoding: identity\r\n", RECORD)),
        ("another transfer coding and a length", answer(&lines("transfer-encoding: identity\r\n"), RECORD)),
    ] {
        assert_eq!(http_1(reply).await, Err(FailureKind::Broken), "{what}");
    }
    for (what, reply) in [
        ("its length", answer(&lines(""), RECORD)),
        ("its length twice", answer(&lines("content-length: 25\r\n"), RECORD)),
        ("chunks", answer(chunked, &whole)),
        ("chunks, spelt otherwise", answer("Transfer-Encoding:  Chunked \r\n", &whole)),
        ("chunks and trailers", answer(chunked, &[chunk(RECORD), b"0\r\nx: y\r\n\r\n".to_vec()].concat())),
        ("the connection's end", answer("", RECORD)),
        ("more than its length", answer(&lines(""), &[RECORD, b"junk"].concat())),
    ] {
        assert_eq!(http_1(reply).await, Ok((200, RECORD.to_vec())), "{what}");
    }
}

#[tokio::test]
async fn over_tls_the_connection_s_end_counts_only_if_it_was_said() {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("params");
    for (says, body) in [(true, RECORD), (true, b"".as_slice()), (false, RECORD), (false, b"")] {
        let (config, authority) = tls_config(&params);
        let address = tls_listen(config, move |mut stream| async move {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.expect("a request"));
            }
            stream.write_all(&[b"HTTP/1.1 200 OK\r\n\r\n", body].concat()).await.expect("sent");
            stream.flush().await.expect("sent");
            if says {
                stream.shutdown().await.expect("close_notify");
            } else {
                stream.get_mut().0.shutdown().await.expect("closed");
            }
        })
        .await;
        let (builder, base) = direct(&format!("https://{address}"), vec![authority]);
        let expected = if says { Ok((200, body.to_vec())) } else { Err(FailureKind::Broken) };
        assert_eq!(
            outcome(&Transport::build(builder, base, Clock::start()).expect("a client")).await,
            expected,
            "{says} {body:?}"
        );
    }
}

#[tokio::test]
async fn only_gzip_is_decoded_and_no_other_coding_taken() {
    let packed = gzip(RECORD);
    let with = |coding: &str, body: &[u8]| Reply::with(200, &[("content-encoding", coding)], body);
    for coding in ["gzip", "GZip", "x-gzip", " gzip ", "gzip,", ", gzip"] {
        assert_eq!(http_1(with(coding, &packed)).await, Ok((200, RECORD.to_vec())), "{coding}");
    }
    for none in ["", "identity"] {
        assert_eq!(http_1(with(none, RECORD)).await, Ok((200, RECORD.to_vec())), "{none}");
    }
    for other in
        ["br", "deflate", "zstd", "compress", "gzip, gzip", "br, gzip", "gzip, identity", "utf-8", "g\u{7a}ipp"]
    {
        for body in [RECORD, &packed, &gzip(&packed)] {
            assert_eq!(http_1(with(other, body)).await, Err(FailureKind::Broken), "{other}");
        }
    }
    let twice = Reply::with(200, &[("content-encoding", "gzip"), ("content-encoding", "gzip")], &gzip(&packed));
    assert_eq!(http_1(twice).await, Err(FailureKind::Broken));
    // Whatever is the matter with its body, a status decides.
    assert_eq!(http_1(Reply::with(502, &[("content-encoding", "br")], b"x")).await, Ok((502, Vec::new())));
    assert_eq!(http_1(Reply::with(502, &[("content-encoding", "gzip")], &packed)).await, Ok((502, RECORD.to_vec())));
}

#[tokio::test]
async fn a_compressed_body_is_decoded_to_the_end_of_its_last_member() {
    let record = gzip(RECORD);
    let failed = gzip(b"{\"last_status\":\"FAILED\"}");
    let behind = |more: &[u8]| Reply::with(200, &[("content-encoding", "gzip")], &[&record, more].concat());
    let both = [RECORD, b"{\"last_status\":\"FAILED\"}"].concat();
    assert_eq!(http_1(behind(&failed)).await, Ok((200, both)));
    for junk in [b"junk".as_slice(), b"\0", &failed[..1], &failed[..15], &failed[..failed.len() - 1]] {
        assert_eq!(http_1(behind(junk)).await, Err(FailureKind::Broken), "{junk:?}");
    }
}

fn push(decoder: &mut Gzip, mut piece: &[u8], sink: &mut BodySink<'_>) -> Result<(), RequestError> {
    while !piece.is_empty() {
        decode(decoder, &mut piece, sink)?;
    }
    Ok(())
}

/// The decoded body, given in pieces that end at these places.
fn decoded(bytes: &[u8], cuts: &[usize]) -> Result<Vec<u8>, FailureKind> {
    let mut decoder = Gzip::new(Vec::new());
    let mut body = Vec::new();
    let mut keep = |piece: &[u8]| {
        body.extend_from_slice(piece);
        Ok(())
    };
    let mut from = 0;
    let read = || {
        for to in cuts.iter().copied().chain([bytes.len()]) {
            push(&mut decoder, &bytes[from..to], &mut keep)?;
            from = to;
        }
        finish(decoder, &mut keep)
    };
    read().map_err(|fault| fault.kind)?;
    Ok(body)
}

/// All that RFC 1952 lets a member begin with.
fn with_every_field(text: &[u8]) -> Vec<u8> {
    let mut member = flate2::GzBuilder::new()
        .filename("a file".as_bytes())
        .comment("a comment")
        .extra([1, 2, 3])
        .mtime(7)
        .write(Vec::new(), Compression::best());
    member.write_all(text).expect("memory");
    member.finish().expect("memory")
}

#[test]
fn how_a_compressed_body_is_cut_into_packets_changes_nothing() {
    let halves = RECORD.split_at(9);
    let good = [
        gzip(RECORD),
        with_every_field(RECORD),
        [gzip(halves.0), with_every_field(halves.1)].concat(),
        [gzip(b""), gzip(RECORD), gzip(b""), gzip(b"")].concat(),
    ];
    let damaged = |at: usize| {
        let mut bytes = gzip(RECORD);
        let at = bytes.len() - at;
        bytes[at] ^= 1;
        bytes
    };
    let bad = [
        Vec::new(),
        [gzip(RECORD), b"junk".to_vec()].concat(),
        [gzip(RECORD), vec![0]].concat(),
        [gzip(RECORD), gzip(RECORD)[..9].to_vec()].concat(),
        [gzip(RECORD), gzip(RECORD)[..20].to_vec()].concat(),
        gzip(RECORD)[..gzip(RECORD).len() - 8].to_vec(),
        RECORD.to_vec(),
        damaged(8),
        damaged(1),
    ];
    let expected: Vec<_> = good.into_iter().map(|bytes| (bytes, Ok(RECORD.to_vec()))).collect();
    for (bytes, expected) in expected.into_iter().chain(bad.map(|bytes| (bytes, Err(FailureKind::Broken)))) {
        assert_eq!(decoded(&bytes, &[]), expected);
        assert_eq!(decoded(&bytes, &(0..bytes.len()).collect::<Vec<_>>()), expected, "byte by byte");
        for first in 0..bytes.len() {
            assert_eq!(decoded(&bytes, &[first]), expected, "cut at {first}");
            for second in (first..bytes.len()).step_by(7) {
                assert_eq!(decoded(&bytes, &[first, second]), expected, "cut at {first} and {second}");
            }
        }
    }
    for end in 0..gzip(RECORD).len() {
        assert_eq!(decoded(&gzip(RECORD)[..end], &[]), Err(FailureKind::Broken), "ends at {end}");
    }
}

#[test]
fn a_large_body_is_decoded_in_short_pieces() {
    let text: Vec<u8> = (0..4_000_000u32).flat_map(|number| (number % 251).to_le_bytes()).collect();
    let packed = [gzip(&text), gzip(&text)].concat();
    assert!(packed.len() < text.len() / 20);
    let mut decoder = Gzip::new(Vec::new());
    let (mut longest, mut sum) = (0, 0);
    let mut count = |piece: &[u8]| {
        longest = longest.max(piece.len());
        sum += piece.len();
        Ok(())
    };
    push(&mut decoder, &packed, &mut count).and_then(|()| finish(decoder, &mut count)).expect("two members");
    assert_eq!(sum, 2 * text.len());
    assert!(longest <= 64 * 1024, "{longest}");
    // What the sink says stands at once.
    let mut refuse = |_: &[u8]| Err(RequestError::new(FailureKind::TooLarge));
    let mut decoder = Gzip::new(Vec::new());
    assert_eq!(push(&mut decoder, &packed, &mut refuse).map_err(|fault| fault.kind), Err(FailureKind::TooLarge));
}

#[test]
fn a_long_body_stays_in_its_place_and_is_no_longer_than_allowed() {
    let (piece, limit) = ([b'x'; 40_000], 4_000_000);
    let mut body = Vec::new();
    let keep = |body: &mut Vec<u8>, pieces| (0..pieces).all(|_| collect(body, limit)(&piece).is_ok());
    assert!(keep(&mut body, 3));
    let place = body.as_ptr();
    assert!(keep(&mut body, 97));
    assert_eq!((body.len(), body.as_ptr()), (limit, place));
    assert_eq!(collect(&mut body, limit)(b"x").map_err(|error| error.kind), Err(FailureKind::TooLarge));
    assert_eq!(body.len(), limit);
}
