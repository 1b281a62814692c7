//! Whether requests to the service go through a proxy, and through which one. This is the only place that decides it: the
//! HTTP client, the log, the report and `doctor` use its result.
//!
//! `HTTPS_PROXY`, then `ALL_PROXY`, each also in lower case; `NO_PROXY` exempts. `HTTP_PROXY` has no say, because the
//! service is never asked over plain http but on this machine, where no proxy has business.

use std::net::IpAddr;

use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::address::is_host_of;
use super::input_error::{InputError, InputSubject};
use crate::core::Untrusted;
use crate::inputs::Env;

const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const EXEMPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A proxy on the way to the service.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub kind: ProxyKind,
    /// A name or an address; IPv6 in brackets.
    pub host: String,
    pub port: u16,
    /// User name and password.
    pub credentials: Option<(String, SecretString)>,
    /// The variable that named it.
    pub variable: &'static str,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// CONNECT, in the clear.
    Http,
    /// CONNECT over TLS.
    Https,
    /// SOCKS5; this machine resolves the service's name.
    Socks5,
    /// SOCKS5; the proxy resolves the service's name.
    Socks5h,
}

impl Proxy {
    /// `proxy.example:3128`: without credentials.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// What the proxy variables say.
#[derive(Debug, Default)]
pub(super) struct ProxySettings {
    proxy: Option<Proxy>,
    exempt: Vec<Exemption>,
}

impl ProxySettings {
    /// Reads all proxy variables. One that is set and can't be understood is an error even where another one counts:
    /// its author expects that it does something.
    pub(super) fn read(env: &Env) -> Result<ProxySettings, Vec<InputError>> {
        let (mut proxies, mut exemptions, mut input_errors) = (Vec::new(), Vec::new(), Vec::new());
        for name in PROXIES {
            match value(env, name).and_then(|text| text.map(|text| proxy(name, &text)).transpose()) {
                Ok(found) => proxies.extend(found),
                Err(input_error) => input_errors.push(input_error),
            }
        }
        for name in EXEMPTIONS {
            match value(env, name) {
                Ok(None) => {}
                Ok(Some(text)) => {
                    let entries = text.split([',', ';', ' ', '\t', '\r', '\n']).filter(|entry| !entry.is_empty());
                    let (read, wrong): (Vec<_>, Vec<_>) =
                        entries.map(|entry| exemption(entry).ok_or(entry)).partition(Result::is_ok);
                    exemptions.push(read.into_iter().flatten().collect());
                    let wrong = wrong.into_iter().filter_map(Result::err);
                    input_errors.extend(wrong.map(|entry| not_an_exemption(name, entry)));
                }
                Err(input_error) => input_errors.push(input_error),
            }
        }
        if !input_errors.is_empty() {
            return Err(input_errors);
        }
        // Of each the first that is set counts.
        let exempt = exemptions.into_iter().next().unwrap_or_default();
        Ok(ProxySettings { proxy: proxies.into_iter().next(), exempt })
    }

    /// The proxy for requests to `service`.
    pub(super) fn proxy_for(self, service: &Url) -> Option<Proxy> {
        let is_exempt = self.exempt.iter().any(|exemption| exemption.covers(service));
        self.proxy.filter(|_| service.scheme() == "https" && !is_exempt)
    }
}

/// The trimmed value; `None` if the variable is unset or blank.
fn value(env: &Env, name: &'static str) -> Result<Option<String>, InputError> {
    let Some(value) = env.value(name) else { return Ok(None) };
    let Some(text) = value.to_str() else { return Err(input_error(name, None, "the value is not UTF-8 text")) };
    let text = text.trim_start_matches('\u{feff}').trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn input_error(name: &'static str, value: Option<&str>, what: impl Into<String>) -> InputError {
    InputError {
        about: InputSubject::Variable(name),
        called: None,
        value: value.map(Untrusted::new),
        what: what.into(),
    }
}

fn proxy(variable: &'static str, text: &str) -> Result<Proxy, InputError> {
    const RIGHT: &str =
        "expected an address such as http://proxy.example:3128; https://, socks5:// and socks5h:// work too";
    // What can't be understood may hold a password anywhere, so the value is not shown.
    let wrong = |what: &str| input_error(variable, None, format!("{what}; {RIGHT}"));
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    let kind = match scheme.map(str::to_ascii_lowercase).as_deref() {
        None | Some("http") => ProxyKind::Http,
        Some("https") => ProxyKind::Https,
        Some("socks5") => ProxyKind::Socks5,
        Some("socks5h") => ProxyKind::Socks5h,
        Some("socks" | "socks4" | "socks4a") => {
            return Err(wrong("of the SOCKS protocols only version 5 is supported"));
        }
        Some(_) => return Err(wrong("unknown kind of proxy")),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if !matches!(path, "" | "/") {
        let what = "a proxy's address ends after the port; a / ? # in a password is written %2F %3F %23";
        return Err(wrong(what));
    }
    let (user_info, address) = match authority.rsplit_once('@') {
        Some((user_info, address)) => (Some(user_info), address),
        None => (None, authority),
    };
    let (host, port) = host_and_port(address).ok_or_else(|| wrong("not a host, or not a host and a port"))?;
    if !is_name(host.trim_start_matches('[').trim_end_matches(']'), ":") {
        return Err(wrong("not a host name"));
    }
    // What the HTTP client would repair (`0x7f.1` becomes 127.0.0.1) is not the proxy that the log and the report name.
    if !Url::parse(&format!("http://{host}")).is_ok_and(|url| is_host_of(&url, host)) {
        return Err(wrong(
            "the host is not written in its plain form, such as four decimal numbers for an IPv4 address",
        ));
    }
    let port = port.unwrap_or(match kind {
        ProxyKind::Http => 80,
        ProxyKind::Https => 443,
        ProxyKind::Socks5 | ProxyKind::Socks5h => 1080,
    });
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = user_info.filter(|user_info| !user_info.is_empty()).map(|user_info| {
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        (decoded(user), SecretString::from(decoded(password)))
    });
    // RFC 1929 has one byte for the length of each.
    if matches!(kind, ProxyKind::Socks5 | ProxyKind::Socks5h)
        && credentials.as_ref().is_some_and(|(user, password)| user.len() > 255 || password.expose_secret().len() > 255)
    {
        return Err(wrong("user name and password of a SOCKS proxy have at most 255 bytes each"));
    }
    Ok(Proxy { kind, host: host.to_owned(), port, credentials, variable })
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`; a port is 1 to 65535.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if let Some(inner) = text.strip_prefix('[') {
        let (address, port) = inner.split_once(']')?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        (&text[..address.len() + 2], if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
    } else {
        text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
    };
    let digits = |port: &&str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = match port {
        None => None,
        Some(port) => Some(Some(port).filter(digits)?.parse::<u16>().ok().filter(|port| *port != 0)?),
    };
    (!host.is_empty()).then_some((host, port))
}

/// Whether these are the characters of a host name, or some of `further`.
fn is_name(text: &str, further: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c) || further.contains(c);
    text.chars().all(fits) && text.chars().any(|c| c.is_ascii_alphanumeric())
}

/// An entry of `NO_PROXY`.
#[derive(Debug, PartialEq)]
struct Exemption {
    hosts: HostRule,
    /// Every port, if `None`.
    port: Option<u16>,
}

#[derive(Debug, PartialEq)]
enum HostRule {
    Network(IpNet),
    /// The domain and its subdomains: `x`, `.x` and `*.x`, as curl reads them. With asterisks elsewhere, which stand for any
    /// characters, the name alone: `192.168.*`, `*`.
    Name(String),
}

fn exemption(entry: &str) -> Option<Exemption> {
    let network = |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    if let Some(network) = network(entry) {
        return Some(Exemption { hosts: HostRule::Network(network), port: None });
    }
    let (host, port) = host_and_port(entry)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Some(network) = network(bare) {
        return Some(Exemption { hosts: HostRule::Network(network), port });
    }
    let bare = bare.to_ascii_lowercase();
    let domain = bare.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(&bare);
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let is_one = bare == "*" || is_name(domain, "*") && !domain.starts_with('.');
    is_one.then(|| Exemption { hosts: HostRule::Name(domain.to_owned()), port })
}

fn not_an_exemption(name: &'static str, entry: &str) -> InputError {
    let what = "expected hosts between commas or blanks: example.com, .example.com, *.example.com, host:port, an address, \
                a network such as 10.0.0.0/8, or *";
    // A proxy's address that got here may hold a password.
    let may_hold_one = ["@", "//", "%"].iter().any(|mark| entry.contains(mark));
    input_error(name, Some(entry).filter(|_| !may_hold_one), what)
}

impl Exemption {
    fn covers(&self, service: &Url) -> bool {
        if self.port.is_some_and(|port| Some(port) != service.port_or_known_default()) {
            return false;
        }
        let (name, address) = match service.host() {
            Some(Host::Domain(name)) => (name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase(), None),
            Some(Host::Ipv4(address)) => (address.to_string(), Some(IpAddr::V4(address))),
            Some(Host::Ipv6(address)) => (address.to_string(), Some(IpAddr::V6(address).to_canonical())),
            None => return false,
        };
        match &self.hosts {
            HostRule::Network(network) => address.is_some_and(|address| network.contains(&address)),
            HostRule::Name(domain) if !domain.contains('*') => {
                name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            HostRule::Name(pattern) => fits(pattern, &name),
        }
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any characters.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, behind)) => text
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(behind, &rest[at..]))),
    }
}

#[cfg(test)]
mod tests;
