//! One answer, as it is ordered: what it says, and everything that may go wrong with it on its way.
//!
//! A reply starts from the normal answer (what the service would have said) or from a given status and body; each method
//! adds one deviation. The JSON form has the same words (README.md, *Replies*).

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::time;

/// An ordered answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct Reply {
    pub(super) times: Times,
    pub(super) status: Option<u16>,
    #[serde(deserialize_with = "header_map")]
    pub(super) headers: Vec<(String, String)>,
    pub(super) without_headers: Vec<String>,
    pub(super) body: Option<Content>,
    pub(super) edits: Vec<Edit>,
    pub(super) fill: Option<Fill>,
    pub(super) gzip: Option<Gzip>,
    pub(super) framing: Framing,
    pub(super) interim: Option<u16>,
    #[serde(deserialize_with = "time::maybe_length")]
    pub(super) delay: Option<Duration>,
    /// Not sent before the test says so; a scenario file has nobody to say it.
    #[serde(skip)]
    pub(super) held: bool,
    pub(super) trickle: Option<Trickle>,
    pub(super) cut: Option<Cut>,
    pub(super) end: End,
    /// An execution or a sign-in does not take place.
    pub(super) in_vain: bool,
}

/// How often a reply is given before the next one in the script has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    Forever,
    #[serde(untagged)]
    Count(u32),
}

impl Times {
    pub(super) fn is_more_than(self, given: u32) -> bool {
        match self {
            Times::Forever => true,
            Times::Count(count) => given < count,
        }
    }
}

impl Default for Times {
    fn default() -> Times {
        Times::Count(1)
    }
}

/// A body that is not the normal one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Json(Value),
    Text(String),
    /// Any bytes, which JSON writes as an array of numbers.
    Bytes(Vec<u8>),
    /// Not HTTP at all: these bytes are sent in place of the whole answer.
    Raw(Vec<u8>),
}

/// A change to the normal (or the given) body, made in the order given.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// Sets keys of the object.
    Set(Map<String, Value>),
    /// Takes a key out of the object.
    Drop(String),
    /// Puts the value under `data`, beside `"status": true`.
    Wrap,
    /// Replaces every occurrence in the written body.
    Swap(String, String),
    /// Replaces every occurrence in the written body by bytes that need not be UTF-8.
    SwapBytes(String, Vec<u8>),
    Prepend(String),
    Append(String),
}

/// Bytes after the body: up to a total length, or without end.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Fill {
    /// The byte to repeat; a blank keeps JSON well-formed.
    #[serde(default = "blank")]
    pub(super) byte: u8,
    /// Length of the whole body in bytes, before compression; none: it never ends.
    pub(super) total: Option<u64>,
}

fn blank() -> u8 {
    b' '
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gzip {
    Right,
    /// Says gzip, and is plain.
    Claimed,
    /// Stops in the middle of the compressed stream; the length says that this is all.
    Truncated,
    /// A wrong checksum at the end.
    Corrupt,
}

/// How the answer says where its body ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// A right `Content-Length`; chunks if the body has no end.
    #[default]
    Right,
    /// This `Content-Length`, whatever is sent.
    Length(u64),
    Chunked,
    /// A chunk whose size is no number.
    ChunkedBadSize,
    /// A chunk that is shorter than it says, and goes on with the next.
    ChunkedWrongSize,
    /// All the data, but the last chunk never comes.
    ChunkedNoEnd,
    /// No length: the end of the connection is the end of the body.
    UntilClose,
}

/// So many bytes at a time, and a pause after each.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Trickle {
    pub(super) bytes: usize,
    #[serde(deserialize_with = "time::length")]
    pub(super) every: Duration,
}

/// Where the answer stops short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// Not one byte is sent.
    Before,
    /// In the middle of the headers.
    Head,
    /// After so many bytes of the body as sent.
    Body(u64),
}

/// What becomes of the connection after the answer, or after the cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It stays open for the next request; after a cut it is closed.
    #[default]
    Normal,
    Close,
    /// TCP reset.
    Reset,
    /// Stays open and silent until the client gives up.
    Hang,
}

impl Reply {
    /// What the service would say by itself.
    pub fn normal() -> Reply {
        Reply::default()
    }

    /// The normal record of the run, with this `last_status`.
    pub fn run(last_status: &str) -> Reply {
        Reply::normal().set("last_status", last_status)
    }

    /// This status without a body.
    pub fn status(status: u16) -> Reply {
        Reply::text(status, "")
    }

    pub fn json(status: u16, body: Value) -> Reply {
        Reply { status: Some(status), body: Some(Content::Json(body)), ..Reply::default() }
    }

    /// A body of plain text; also JSON that no `Value` can hold (duplicate keys, huge numbers).
    pub fn text(status: u16, body: &str) -> Reply {
        Reply { status: Some(status), body: Some(Content::Text(body.to_owned())), ..Reply::default() }
    }

    pub fn bytes(status: u16, body: &[u8]) -> Reply {
        Reply { status: Some(status), body: Some(Content::Bytes(body.to_owned())), ..Reply::default() }
    }

    /// The page of a load balancer, a proxy or a sign-in portal.
    pub fn html(status: u16) -> Reply {
        let page =
            format!("<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>");
        Reply::text(status, &page).header("content-type", "text/html; charset=utf-8")
    }

    pub fn redirect(status: u16, to: &str) -> Reply {
        Reply::status(status).header("location", to)
    }

    /// Not HTTP at all.
    pub fn garbage(bytes: &[u8]) -> Reply {
        Reply { body: Some(Content::Raw(bytes.to_owned())), end: End::Close, ..Reply::default() }
    }

    /// Closes the connection instead of an answer.
    pub fn close() -> Reply {
        Reply { cut: Some(Cut::Before), end: End::Close, ..Reply::default() }
    }

    /// Resets the connection instead of an answer.
    pub fn reset() -> Reply {
        Reply { cut: Some(Cut::Before), end: End::Reset, ..Reply::default() }
    }

    /// Never answers.
    pub fn hang() -> Reply {
        Reply { cut: Some(Cut::Before), end: End::Hang, ..Reply::default() }
    }

    /// Given `n` times before the script goes on.
    pub fn times(self, n: u32) -> Reply {
        Reply { times: Times::Count(n), ..self }
    }

    /// Given to every further request.
    pub fn forever(self) -> Reply {
        Reply { times: Times::Forever, ..self }
    }

    /// Replaces the status and keeps the body.
    pub fn with_status(self, status: u16) -> Reply {
        Reply { status: Some(status), ..self }
    }

    /// A further header; it replaces the service's own of that name. A value `now+5s` or `now-2h` is sent as an HTTP date.
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without_header(mut self, name: &str) -> Reply {
        self.without_headers.push(name.to_owned());
        self
    }

    pub fn retry_after(self, seconds: u64) -> Reply {
        self.header("retry-after", &seconds.to_string())
    }

    /// Sets a key of the JSON object that is sent.
    pub fn set(self, key: &str, value: impl Into<Value>) -> Reply {
        self.edit(Edit::Set(Map::from_iter([(key.to_owned(), value.into())])))
    }

    /// Takes a key out of the JSON object that is sent.
    pub fn drop_key(self, key: &str) -> Reply {
        self.edit(Edit::Drop(key.to_owned()))
    }

    /// `{"status":true,"data":...}` around what is sent.
    pub fn wrapped(self) -> Reply {
        self.edit(Edit::Wrap)
    }

    /// Replaces text in the written body.
    pub fn swap(self, from: &str, to: &str) -> Reply {
        self.edit(Edit::Swap(from.to_owned(), to.to_owned()))
    }

    /// Replaces text in the written body by any bytes, as `b"\xff"`.
    pub fn swap_bytes(self, from: &str, to: &[u8]) -> Reply {
        self.edit(Edit::SwapBytes(from.to_owned(), to.to_owned()))
    }

    pub fn prepend(self, text: &str) -> Reply {
        self.edit(Edit::Prepend(text.to_owned()))
    }

    pub fn append(self, text: &str) -> Reply {
        self.edit(Edit::Append(text.to_owned()))
    }

    fn edit(mut self, edit: Edit) -> Reply {
        self.edits.push(edit);
        self
    }

    /// Blanks after the body until it is `total` bytes long: still well-formed, and big.
    pub fn padded_to(self, total: u64) -> Reply {
        Reply { fill: Some(Fill { byte: blank(), total: Some(total) }), ..self }
    }

    /// Blanks after the body, without end.
    pub fn endless(self) -> Reply {
        Reply { fill: Some(Fill { byte: blank(), total: None }), ..self }
    }

    /// Compressed; with `padded_to` a gzip bomb, made without ever holding the whole.
    pub fn gzip(self, gzip: Gzip) -> Reply {
        Reply { gzip: Some(gzip), ..self }
    }

    pub fn framing(self, framing: Framing) -> Reply {
        Reply { framing, ..self }
    }

    /// An informational answer (100, 103) before the real one.
    pub fn interim(self, status: u16) -> Reply {
        Reply { interim: Some(status), ..self }
    }

    /// Real time before the first byte.
    pub fn delay(self, length: Duration) -> Reply {
        Reply { delay: Some(length), ..self }
    }

    /// Not before `Service::release`: for what must happen while the client waits, however long that takes.
    pub fn held(self) -> Reply {
        Reply { held: true, ..self }
    }

    /// The body, so many bytes at a time, with a pause after each.
    pub fn trickle(self, bytes: usize, every: Duration) -> Reply {
        Reply { trickle: Some(Trickle { bytes, every }), ..self }
    }

    /// Stops in the middle of the headers and closes.
    pub fn cut_in_head(self) -> Reply {
        Reply { cut: Some(Cut::Head), ..self }
    }

    /// Stops after so many bytes of the body, whatever length was announced, and closes.
    pub fn cut_at(self, bytes: u64) -> Reply {
        Reply { cut: Some(Cut::Body(bytes)), ..self }
    }

    /// What was asked for does not take place: so a lost answer to "execute" can mean either.
    pub fn in_vain(self) -> Reply {
        Reply { in_vain: true, ..self }
    }

    /// Whether the service acts on the request. With an answer of its own the reply stands for a service that did not; a
    /// cut, a delay or `with_status` only changes what comes back from one that did.
    pub(super) fn acts(&self) -> bool {
        self.body.is_none() && !self.in_vain
    }

    /// What becomes of the connection afterwards.
    pub fn then(self, end: End) -> Reply {
        Reply { end, ..self }
    }
}

/// `{"name": "value"}`, as headers are usually written.
fn header_map<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
    Ok(std::collections::BTreeMap::<String, String>::deserialize(from)?.into_iter().collect())
}
