//! A body as a list of parts: a gigabyte of blanks, or its gzip, is never held in memory.

use flate2::{Compress, Compression, Crc, FlushCompress};

use super::reply::{Fill, Gzip};

/// How much filler is made at once; also the block that a gzip bomb repeats.
const BLOCK: usize = 1024 * 1024;

/// Some bytes, once or many times over.
#[derive(Clone, Debug)]
pub struct Part {
    pub bytes: Vec<u8>,
    /// None: without end.
    pub times: Option<u64>,
}

impl Part {
    fn once(bytes: Vec<u8>) -> Part {
        Part { bytes, times: Some(1) }
    }
}

/// The whole length in bytes; none for a body without end.
pub fn length(parts: &[Part]) -> Option<u64> {
    parts.iter().map(|part| part.times.map(|times| times.saturating_mul(part.bytes.len() as u64))).sum()
}

/// The body and its filler, uncompressed.
pub fn plain(body: Vec<u8>, fill: Option<Fill>) -> Vec<Part> {
    let Some(fill) = fill else { return vec![Part::once(body)] };
    let block = vec![fill.byte; BLOCK];
    let Some(total) = fill.total else { return vec![Part::once(body), Part { bytes: block, times: None }] };
    let missing = total.saturating_sub(body.len() as u64);
    let rest = vec![fill.byte; (missing % BLOCK as u64) as usize];
    vec![Part::once(body), Part { bytes: block, times: Some(missing / BLOCK as u64) }, Part::once(rest)]
}

/// The same, compressed, and broken as ordered.
///
/// Every part ends in a full flush, which forgets what came before: so the compressed filler block can be sent any number
/// of times, and the checksum of the whole is combined from the parts'.
pub fn gzip(parts: &[Part], gzip: Gzip) -> Vec<Part> {
    let mut out = vec![Part::once(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])];
    let mut deflate = Compress::new(Compression::fast(), false);
    let mut checksum = Crc::new();
    for part in parts {
        out.push(Part { bytes: squeeze(&mut deflate, &part.bytes, FlushCompress::Full), times: part.times });
        let mut own = Crc::new();
        own.update(&part.bytes);
        for _ in 0..part.times.unwrap_or(0) {
            checksum.combine(&own);
        }
    }
    let mut tail = squeeze(&mut deflate, &[], FlushCompress::Finish);
    let sum = if gzip == Gzip::Corrupt { !checksum.sum() } else { checksum.sum() };
    tail.extend(sum.to_le_bytes());
    tail.extend(checksum.amount().to_le_bytes());
    out.push(Part::once(tail));
    match gzip {
        Gzip::Right | Gzip::Corrupt => out,
        Gzip::Claimed => parts.to_vec(),
        Gzip::Truncated => {
            let mut bytes: Vec<u8> = out.into_iter().flat_map(|part| part.bytes).collect();
            bytes.truncate(bytes.len() / 2);
            vec![Part::once(bytes)]
        }
    }
}

fn squeeze(deflate: &mut Compress, bytes: &[u8], flush: FlushCompress) -> Vec<u8> {
    // Deflate adds at most a few bytes to what it can't shrink; with this much room one call does it all.
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 100 + 1024);
    deflate.compress_vec(bytes, &mut out, flush).expect("a stream in memory, with room for everything");
    out
}
