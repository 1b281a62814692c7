//! A DNS message (RFC 1035): one question out, the addresses of its answer back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest label and the longest name, in bytes.
const LABEL: usize = 63;
const NAME: usize = 255;

const HEADER: usize = 12;
const CLASS_IN: u16 = 1;

/// Which addresses are asked for, by the number of their record's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Family {
    V4 = 1,
    V6 = 28,
}

/// What a server made of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DnsReply {
    /// The name's addresses; none, if it has no such ones, or if there is no such name.
    Addresses(Vec<IpAddr>),
    /// To be asked for over TCP.
    Truncated,
    /// The server can't or won't say.
    Failed,
}

/// The question; `None` if the name can't be one.
pub(super) fn question(id: u16, name: &str, family: Family) -> Option<Vec<u8>> {
    let mut message = Vec::with_capacity(HEADER + NAME + 4);
    message.extend(id.to_be_bytes());
    // One question, and the server shall find out for us.
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let name = name.strip_suffix('.').unwrap_or(name);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=LABEL).contains(&usize::from(*length)))?;
        message.push(length);
        message.extend(label.as_bytes());
    }
    message.push(0);
    (message.len() <= HEADER + NAME).then_some(())?;
    message.extend((family as u16).to_be_bytes());
    message.extend(CLASS_IN.to_be_bytes());
    Some(message)
}

/// Reads the answer to `question`; `None`: it is none.
pub(super) fn reply(question: &[u8], family: Family, message: &[u8]) -> Option<DnsReply> {
    let asked = question.get(HEADER..)?;
    let (id, flags) = (number(message, 0)?, number(message, 2)?);
    let (questions, answers) = (number(message, 4)?, number(message, 6)?);
    // A server that fails may leave the question out.
    let repeats = message.get(HEADER..HEADER + asked.len()).is_some_and(|part| part.eq_ignore_ascii_case(asked));
    let is_reply = flags & 0x8000 != 0 && id == number(question, 0)?;
    if !is_reply || !(repeats && questions == 1) && questions != 0 {
        return None;
    }
    // No error, or no such name.
    if !matches!(flags & 0xf, 0 | 3) || questions == 0 {
        return Some(DnsReply::Failed);
    }
    if flags & 0x0200 != 0 {
        return Some(DnsReply::Truncated);
    }
    let mut at = HEADER + asked.len();
    let mut found = Vec::new();
    for _ in 0..answers {
        at = behind_name(message, at)?;
        let (kind, class) = (number(message, at)?, number(message, at + 2)?);
        let start = at + 10;
        at = start + usize::from(number(message, at + 8)?);
        let data = message.get(start..at)?;
        if (kind, class) == (family as u16, CLASS_IN) {
            found.push(match family {
                Family::V4 => Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into(),
                Family::V6 => Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into(),
            });
        }
    }
    Some(DnsReply::Addresses(found))
}

fn number(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?))
}

/// Where the name that begins at `at` is over: labels up to an empty one, or to a pointer elsewhere.
fn behind_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length if length & 0xc0 == 0 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}
