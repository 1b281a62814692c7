//! The content coding of an answer: right ones, and such as the reference calls unusable.

use std::io::Write;

use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compression, GzBuilder};

use super::dice::Dice;

/// A body as it is sent, with what the headers say of its coding.
pub(super) struct Coded {
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) bytes: Vec<u8>,
    pub(super) is_right: bool,
    pub(super) what: &'static str,
}

fn coded(header: &'static str, bytes: Vec<u8>, is_right: bool, what: &'static str) -> Coded {
    Coded { headers: vec![("content-encoding", header)], bytes, is_right, what }
}

pub(super) fn right(body: &[u8], dice: &mut Dice) -> Coded {
    match dice.within(0..5) {
        0 | 1 => Coded { headers: Vec::new(), bytes: body.to_vec(), is_right: true, what: "not coded" },
        2 => coded(dice.of(&["identity", ""]), body.to_vec(), true, "coded by name only"),
        3 => coded("gzip", member(body, dice), true, "gzip"),
        _ => {
            let members = dice.pieces(body, 4).into_iter().map(|part| member(part, dice)).collect::<Vec<_>>();
            coded(dice.of(&["gzip", "x-gzip", "GZIP", "X-Gzip", " gzip ,"]), members.concat(), true, "gzip in members")
        }
    }
}

pub(super) fn wrong(body: &[u8], dice: &mut Dice) -> Coded {
    let gzip = |bytes, what| coded("gzip", bytes, false, what);
    let whole = member(body, dice);
    match dice.within(0..10) {
        0 => gzip([whole, b"junk".to_vec()].concat(), "gzip and junk"),
        1 => gzip([whole, vec![0; dice.within(1..20)]].concat(), "gzip and zeros"),
        2 => {
            let other = member(body, dice);
            gzip([whole, other[..dice.within(1..other.len())].to_vec()].concat(), "gzip and a part of a member")
        }
        3 => gzip(whole[..dice.within(0..whole.len())].to_vec(), "a part of gzip"),
        4 => {
            let mut bytes = whole;
            let at = bytes.len() - dice.within(1..9);
            bytes[at] ^= 1 << dice.within(0..8);
            gzip(bytes, "gzip with a wrong sum or length")
        }
        5 => gzip(body.to_vec(), "gzip by name only"),
        6 => {
            let mut bytes = ZlibEncoder::new(Vec::new(), Compression::default());
            bytes.write_all(body).expect("memory");
            gzip(bytes.finish().expect("memory"), "zlib called gzip")
        }
        7 => gzip([whole.as_slice(), body, b"}"].concat(), "gzip and the body itself"),
        8 => {
            let name =
                dice.of(&["br", "deflate", "zstd", "compress", "utf-8", "gzip, gzip", "br, gzip", "gzip, identity"]);
            let bytes = [body.to_vec(), member(&whole, dice), whole];
            coded(name, bytes[dice.within(0..3)].clone(), false, "a coding that was not asked for")
        }
        _ => Coded {
            headers: vec![("content-encoding", "gzip"), ("content-encoding", "gzip")],
            bytes: member(&whole, dice),
            is_right: false,
            what: "gzip twice",
        },
    }
}

/// One member, at times with all that may stand in its head.
fn member(part: &[u8], dice: &mut Dice) -> Vec<u8> {
    let level = Compression::new(dice.of(&[0, 1, 6]));
    let mut member = if dice.one_in(4) {
        GzBuilder::new().filename("runs.json").comment("é").extra([0; 3]).mtime(1).write(Vec::new(), level)
    } else {
        GzEncoder::new(Vec::new(), level)
    };
    member.write_all(part).expect("memory");
    member.finish().expect("memory")
}
