//! How an answer is framed: right ways, and such as do not say that it is complete.

use super::dice::Dice;
use crate::api::tests::http2_frames::{self, End, Frame};

/// What HTTP/1 sends, and whether the connection ends behind it.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) bytes: Vec<u8>,
    pub(super) piece: usize,
    pub(super) closes: bool,
    pub(super) what: &'static str,
}

/// The length of the packets; at times a byte each where the answer is short.
fn piece(length: usize, dice: &mut Dice) -> usize {
    match dice.within(0..16) {
        0 if length < 600 => 1,
        1..5 => dice.within(1 + length / 8..2 + length),
        _ => usize::MAX,
    }
}

fn line(name: &str, value: &str) -> String {
    format!("{name}: {value}\r\n")
}

fn chunks(body: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in dice.pieces(body, 3).into_iter().filter(|piece| !piece.is_empty()) {
        let extension = dice.of(&["", "", ";a=b"]);
        bytes.extend_from_slice(format!("{:x}{extension}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn sent(status: u16, fields: &str, body: &[u8], closes: bool, what: &'static str, dice: &mut Dice) -> Sent {
    let interim = if dice.one_in(8) { "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" } else { "" };
    let bytes = [format!("{interim}HTTP/1.1 {status} Status\r\n{fields}\r\n").as_bytes(), body].concat();
    Sent { piece: piece(bytes.len(), dice), bytes, closes, what }
}

/// `fields` are the other header lines.
pub(super) fn right_1(status: u16, fields: &str, body: &[u8], dice: &mut Dice) -> Sent {
    let length = line("Content-Length", &body.len().to_string());
    let chunked = line("transfer-encoding", dice.of(&["chunked", "Chunked"]));
    match dice.within(0..7) {
        // They have none, whatever is said of one.
        _ if matches!(status, 204 | 304) => sent(status, fields, b"", false, "no body", dice),
        0..3 => sent(status, &format!("{fields}{length}"), body, dice.one_in(9), "its length", dice),
        3 => sent(status, &format!("{length}{fields}{length}"), body, false, "its length twice", dice),
        4 | 5 => {
            let end = dice.of(&["0\r\n\r\n", "0;a\r\n\r\n", "000\r\nx: y\r\n\r\n"]);
            let bytes = [chunks(body, dice), end.as_bytes().to_vec()].concat();
            sent(status, &format!("{chunked}{fields}"), &bytes, false, "chunks", dice)
        }
        _ => sent(status, fields, body, true, "the connection's end", dice),
    }
}

pub(super) fn wrong_1(fields: &str, body: &[u8], dice: &mut Dice) -> Sent {
    let size = body.len();
    let length = |length: usize| line("content-length", &length.to_string());
    let chunked = line("transfer-encoding", "chunked");
    let whole = [chunks(body, dice), b"0\r\n\r\n".to_vec()].concat();
    match dice.within(0..9) {
        0 => {
            let more = length(size + dice.within(1..300));
            sent(200, &format!("{fields}{more}"), body, true, "less than its length", dice)
        }
        1 => {
            let cut = dice.within(0..size.max(1));
            sent(200, &format!("{fields}{}", length(size.max(1))), &body[..cut], true, "a part of its length", dice)
        }
        2 => {
            let cut = dice.within(0..whole.len());
            sent(200, &format!("{fields}{chunked}"), &whole[..cut], true, "a part of its chunks", dice)
        }
        3 => {
            let cut = &whole[..whole.len() - 5];
            sent(200, &format!("{fields}{chunked}"), cut, true, "no last chunk", dice)
        }
        4 => {
            let both = if dice.one_in(2) {
                format!("{chunked}{}", length(size))
            } else {
                format!("{}{chunked}", length(size))
            };
            let body = if dice.one_in(2) { body } else { &whole };
            sent(200, &format!("{fields}{both}"), body, true, "a length and chunks", dice)
        }
        5 => {
            let other = length(size + 1);
            sent(200, &format!("{}{fields}{other}", length(size)), body, true, "two lengths", dice)
        }
        6 => {
            let odd = [
                format!("+{size}"),
                format!("-{size}"),
                format!("{size} {size}"),
                format!("{size}, 1{size}"),
                "x".to_owned(),
            ];
            let odd = &odd[dice.within(0..odd.len())];
            sent(200, &format!("{fields}{}", line("content-length", odd)), body, true, "a length that is none", dice)
        }
        7 => {
            let coding = dice.of(&["gzip, chunked", "identity", "chunked, chunked", "gzip", "chunked, gzip", ","]);
            let body = if dice.one_in(2) { body } else { &whole };
            sent(
                200,
                &format!("{fields}{}", line("transfer-encoding", coding)),
                body,
                true,
                "another transfer coding",
                dice,
            )
        }
        _ => {
            let mut answer = sent(200, &format!("{fields}{}", length(size)), body, true, "a part of its head", dice);
            let head = answer.bytes.len() - size;
            answer.bytes.truncate(dice.within(0..head));
            answer
        }
    }
}

/// The headers' frame, and DATA frames with all of the body: short ones, for 16 KiB is the longest.
fn stream(fields: &[(&str, &str)], body: &[u8], dice: &mut Dice) -> Vec<Frame> {
    let pieces = dice.pieces(body, 3).into_iter().flat_map(|piece| piece.chunks(16 * 1024)).collect::<Vec<_>>();
    let data = pieces.into_iter().filter(|piece| !piece.is_empty()).map(|piece| Frame::Data(piece.to_vec(), End::Open));
    std::iter::once(Frame::head(200, fields, End::Open)).chain(data).collect()
}

fn trailers() -> Frame {
    Frame::Headers(vec![("x".to_owned(), "y".to_owned())], End::Stream)
}

fn answer(frames: Vec<Frame>, length: usize, dice: &mut Dice) -> http2_frames::Answer {
    http2_frames::Answer { frames, piece: piece(length + 100, dice) }
}

/// Ends the stream with the last frame, one more, or trailers.
fn end(frames: &mut Vec<Frame>, dice: &mut Dice) {
    match (dice.within(0..4), frames.last_mut()) {
        (0, _) => frames.push(Frame::Data(Vec::new(), End::Stream)),
        (1, _) => frames.push(trailers()),
        (_, Some(Frame::Headers(_, end) | Frame::Data(_, end))) => *end = End::Stream,
        (_, last) => panic!("{last:?}"),
    }
}

pub(super) fn right_2(
    fields: &[(&str, &str)],
    status: u16,
    body: &[u8],
    dice: &mut Dice,
) -> (http2_frames::Answer, &'static str) {
    let length = body.len().to_string();
    let mut fields = fields.to_vec();
    if dice.one_in(2) {
        fields.push(("content-length", &length));
    }
    let mut frames = stream(&fields, body, dice);
    frames[0] = Frame::head(status, &fields, End::Open);
    end(&mut frames, dice);
    let what = match dice.within(0..8) {
        0 => {
            frames.push(Frame::Reset(http2_frames::NO_ERROR));
            "END_STREAM, then RST_STREAM"
        }
        1 => {
            frames.extend([Frame::GoAway(http2_frames::NO_ERROR), Frame::Close]);
            "END_STREAM, then GOAWAY"
        }
        _ => "END_STREAM",
    };
    (answer(frames, body.len(), dice), what)
}

pub(super) fn wrong_2(fields: &[(&str, &str)], body: &[u8], dice: &mut Dice) -> (http2_frames::Answer, &'static str) {
    let announced = dice.of(&[body.len() + 200, body.len() + 1, body.len(), body.len()]).to_string();
    let mut fields = fields.to_vec();
    let is_too_long = announced != body.len().to_string();
    if is_too_long || dice.one_in(2) {
        fields.push(("content-length", &announced));
    }
    let cut = if dice.one_in(3) { dice.within(0..body.len() + 1) } else { body.len() };
    let mut frames = stream(&fields, &body[..cut], dice);
    let what = if is_too_long && dice.one_in(2) {
        end(&mut frames, dice);
        "END_STREAM before its length"
    } else {
        let code = dice.of(&[
            http2_frames::NO_ERROR,
            http2_frames::NO_ERROR,
            http2_frames::NO_ERROR,
            http2_frames::CANCEL,
            1,
            2,
            7,
            11,
        ]);
        match dice.within(0..6) {
            0 => frames.extend([Frame::GoAway(code), Frame::Close]),
            1 => frames.push(Frame::Close),
            _ => frames.push(Frame::Reset(code)),
        }
        "no END_STREAM"
    };
    (answer(frames, body.len(), dice), what)
}
