//! The service's address (`base-url`), and what reports link to: a run (`run-url`), or the pipeline's page.
//!
//! Both are checked as text before a URL parser sees them: it fixes what it can (`http://0x7f.1` becomes 127.0.0.1,
//! tabs vanish, `\` becomes `/`), and a fixed address is not the one that somebody looked at and approved. So what the
//! parser made of the service's address is compared with the text again.

use std::net::{Ipv4Addr, Ipv6Addr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

use crate::core::is_id;
use crate::inputs::Input;
use crate::report::Link;

use super::validator::InvalidValue;

const PIPELINE: &str = "{pipeline_id}";
const RUN: &str = "{run_id}";

/// The same ids as the service's web application writes them, with hyphens.
const PIPELINE_HYPHENATED: &str = "{pipeline_id_hyphenated}";
const RUN_HYPHENATED: &str = "{run_id_hyphenated}";

const PLACEHOLDERS: [&str; 4] = [PIPELINE, RUN, PIPELINE_HYPHENATED, RUN_HYPHENATED];

/// A pipeline's page in the service's web application. Seen in public projects, and documented nowhere.
const PIPELINE_PAGE: &str = "https://app.dadosfera.ai/pt-BR/collect/pipelines/";

/// RFC 3986's unreserved characters stay; all else of an id is encoded, so that it is one path segment and can't end a
/// Markdown link.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the links in reports lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// The run, by the template of `run-url`, which was checked: https, with its placeholders.
    Run(String),
    /// The pipeline's page in the service's web application.
    PipelinePage,
}

impl LinkTarget {
    /// `run-url`, or for the public service its web application.
    pub(super) fn new(run_url: Option<String>, base: &Url) -> Option<LinkTarget> {
        let is_public =
            || Input::BaseUrl.row().default.is_some_and(|default| base_url(default).is_ok_and(|url| url == *base));
        run_url.map(LinkTarget::Run).or_else(|| is_public().then_some(LinkTarget::PipelinePage))
    }

    /// The link for ids as they are shown: https, and of characters that no markup takes for its own. The service may answer
    /// with a text that is no id; it gets no link.
    pub fn link(&self, pipeline: &str, run: &str) -> Option<Link> {
        if !is_id(pipeline) {
            return None;
        }
        match self {
            // Encoded ids hold no braces, so that none can bring another placeholder in.
            LinkTarget::Run(template) => is_id(run).then(|| {
                Link::Run(
                    template
                        .replace(PIPELINE, &encoded(pipeline))
                        .replace(RUN, &encoded(run))
                        .replace(PIPELINE_HYPHENATED, &hyphenated(pipeline))
                        .replace(RUN_HYPHENATED, &hyphenated(run)),
                )
            }),
            LinkTarget::PipelinePage => Some(Link::Pipeline(format!("{PIPELINE_PAGE}{}", hyphenated(pipeline)))),
        }
    }
}

fn hyphenated(id: &str) -> String {
    encoded(&id.replace('_', "-"))
}

fn encoded(id: &str) -> String {
    utf8_percent_encode(id, ENCODED).to_string()
}

/// An address cut at its joints, without fixing anything.
struct UrlParts<'a> {
    scheme: String,
    /// Between `//` and the path: may hold user info and a port.
    authority: &'a str,
    /// Path, query and fragment.
    rest: &'a str,
}

fn cut(text: &str) -> Option<UrlParts<'_>> {
    let (scheme, behind) = text.split_once("://")?;
    let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
    let (authority, rest) = behind.split_at(end);
    Some(UrlParts { scheme: scheme.to_ascii_lowercase(), authority, rest })
}

/// The service's address: https; http only to this very machine; no user info, query or fragment.
pub(super) fn base_url(text: &str) -> Result<Url, InvalidValue> {
    const RIGHT: &str = "Write an address such as https://maestro.dadosfera.ai";
    let cannot = |what: &str| format!("the address cannot contain {what}. {RIGHT}");
    // Whatever stands in such places may be a secret, so that none of these values is shown.
    if text.contains('@') {
        return Err(InvalidValue::Hidden(cannot("a user name or password")));
    }
    if text.contains(['?', '#']) {
        return Err(InvalidValue::Hidden(cannot("a query or a fragment")));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(cannot("blanks, control characters or backslashes").into());
    }
    let wrong = || format!("not an https address. {RIGHT}");
    let UrlParts { scheme, authority, rest } = cut(text).ok_or_else(wrong)?;
    // Two names can look the same in letters beyond ASCII, and the tables that fold them are a twentieth of the binary.
    if !authority.is_ascii() {
        return Err("the host name contains a letter beyond ASCII. Write it in its xn-- form".into());
    }
    if scheme == "http" && !is_this_machine(authority) {
        return Err(
            "http would send the password unencrypted. Use https. (http is allowed only to localhost, 127.0.0.0/8 and \
                    [::1], written exactly so.)"
                .into(),
        );
    }
    if !["http", "https"].contains(&scheme.as_str()) || authority.is_empty() {
        return Err(wrong().into());
    }
    let url = Url::parse(text).map_err(|_| wrong())?;
    if !is_host_of(&url, authority) {
        let what = "the host is not written in its plain form. Use no percent-encoding, and four decimal numbers for an IPv4 \
                    address";
        return Err(what.into());
    }
    if url.path() != if rest.is_empty() { "/" } else { rest } {
        let what =
            "the path is not written in its plain form. Use no `.` or `..` segments, and percent-encode what needs it";
        return Err(what.into());
    }
    Ok(url)
}

/// Whether the parser found the host that is written there: in any case, in any spelling of an IPv6 address, and with or
/// without the dot at the end that makes a name absolute.
pub(super) fn is_host_of(url: &Url, authority: &str) -> bool {
    if let Some(Host::Ipv6(address)) = url.host() {
        let written = authority.strip_prefix('[').and_then(|inner| inner.split_once(']'));
        return written.is_some_and(|(written, _)| written.parse() == Ok(address));
    }
    let written = authority.split_once(':').map_or(authority, |(host, _)| host);
    let bare = |host: &str| host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    url.host_str().is_some_and(|host| bare(host) == bare(written))
}

/// Whether the text before the path, read literally, is this machine: no name that merely resolves or looks like it.
fn is_this_machine(authority: &str) -> bool {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let host = authority.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(authority, |(host, _)| host);
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    // `Ipv4Addr` reads four plain decimal numbers and nothing else: not 0x7f.1, 127.1, 0177.0.0.1 or a dot at the end.
    address.is_some_and(|address| address.parse() == Ok(Ipv6Addr::LOCALHOST))
        || host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
}

/// The template of a link.
pub(super) fn run_url(text: &str) -> Result<String, InvalidValue> {
    const RIGHT: &str = "Write a template such as https://example.com/pipelines/{pipeline_id}/runs/{run_id}";
    // An `@` may be the end of a password, also of one that the parser could not make out.
    let wrong = |what: String| match text.contains('@') {
        true => InvalidValue::Hidden(what),
        false => InvalidValue::Whole(what),
    };
    let bare = PLACEHOLDERS.iter().fold(text.to_owned(), |text, placeholder| text.replace(placeholder, "p"));
    if bare.contains(['{', '}']) {
        return Err(wrong(format!("only {} can be in braces", PLACEHOLDERS.join(", "))));
    }
    // Less than RFC 3986 allows: brackets, quotes and asterisks are markup to Markdown.
    if let Some(odd) = bare.chars().find(|c| !c.is_ascii_alphanumeric() && !"-._~:/?#@!$&+,;=%".contains(*c)) {
        let code: String = utf8_percent_encode(odd.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC).collect();
        return Err(wrong(format!("contains a character that must be percent-encoded, as {code}")));
    }
    let wrong = || wrong(format!("not an https address. {RIGHT}"));
    let parts = cut(text).filter(|parts| parts.scheme == "https" && !parts.authority.is_empty()).ok_or_else(wrong)?;
    if parts.authority.contains('@') {
        return Err(InvalidValue::Hidden(format!("the link cannot contain a user name or password. {RIGHT}")));
    }
    if parts.authority.contains('{') {
        return Err("the placeholders must come after the host".into());
    }
    if !PLACEHOLDERS.iter().any(|placeholder| parts.rest.contains(placeholder)) {
        return Err(format!("contains neither {PIPELINE} nor {RUN}, so it would not link to a run. {RIGHT}").into());
    }
    match Url::parse(&bare) {
        Ok(parsed) if parsed.scheme() == "https" && parsed.has_host() => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err(wrong()),
    }
}
