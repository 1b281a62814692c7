//! One HTTP request and its limits: time, size, redirects, how many at once, and which certificates TLS trusts.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode, redirect, retry};
use rustls::ClientConfig;
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use url::Url;

use super::dns::Resolver;
use super::failure::{self, RequestError};
use super::model::PageInfo;
use super::setup_error::SetupError;
use super::timing_headers::TimingHeaders;
use super::trust::{Handshakes, trusting, trusting_nobody};
use super::tunnel::Tunnel;
use crate::clock::Clock;
use crate::config::{Network, Proxy, ProxyKind};
use crate::core::{Connection, FailureKind, REQUESTS_AT_ONCE, TlsFault, Untrusted, Via, is_implausible};

mod aside;
mod body;
mod within;

use within::within;

/// To be connected, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// A whole request: redirects and body included, waiting for its turn not.
const WHOLE: Duration = Duration::from_secs(30);

/// For the body of an answer whose status has already decided: it is for the person only.
const ERROR_BODY: Duration = Duration::from_secs(2);

/// How much of such a body is read.
const ERROR_BODY_BYTES: usize = 64 * 1024;

/// How long an idle connection is kept: under the 60 s after which common load balancers drop it without a word.
const IDLE: Duration = Duration::from_secs(50);

/// A dead HTTP/2 connection is given up when a ping stays unanswered: else every later request would be sent into it.
const PING: Duration = Duration::from_secs(5);

/// Redirects followed, GET only (docs/reference.md).
const REDIRECTS: usize = 5;

/// All that is not unreserved (RFC 3986), `%` included: an id is ONE segment, and the URL parser, which reads `%2e` as a
/// dot, finds no escape of the id's own making.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The connections to the service.
pub(crate) struct Transport {
    /// Replaced by a new one, made of `made_of`, which makes new connections, after a 421.
    http: RefCell<Client>,
    made_of: Option<(Option<Proxy>, ClientConfig)>,
    base: Url,
    /// The address made last, and its segments: most gates wait for one run, and to make it is a tenth of a poll's work.
    last_address: RefCell<(Vec<String>, Url)>,
    permits: Semaphore,
    limits: RequestLimits,
    via: Option<Via>,
    tunnel: Option<Tunnel>,
    handshakes: Arc<Handshakes>,
    /// How many connections broke before the first answer; none from that on.
    unanswered: Cell<Option<u32>>,
    /// The service's clock and this machine's, at the first answer by which one of them must be wrong.
    clocks: Cell<Option<(DateTime<Utc>, DateTime<Utc>)>>,
}

/// `WHOLE` and `ERROR_BODY`; tests have less time.
struct RequestLimits {
    whole: Duration,
    error_body: Duration,
}

/// What came back: the headers' stamps, and the answer or why there is none.
pub(crate) struct HttpOutcome {
    pub(crate) timing: TimingHeaders,
    pub(crate) reply: Result<Reply, RequestError>,
}

/// An answer. With 200 and 201 the body went to the caller's sink; with any other status its beginning is here.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) error_body: Vec<u8>,
    /// What its headers say of further pages, should it be a list.
    pub(crate) pages: PageInfo,
}

impl Reply {
    /// The body: `full` is what the sink kept of it.
    pub(crate) fn text<'b>(&'b self, full: &'b [u8]) -> &'b [u8] {
        if self.error_body.is_empty() { full } else { &self.error_body }
    }
}

/// The place of one request among those under way.
pub(crate) type Permit<'t> = SemaphorePermit<'t>;

/// Where a body goes, piece by piece; an error ends the request.
pub(crate) type BodySink<'s> = dyn FnMut(&[u8]) -> Result<(), RequestError> + 's;

impl Transport {
    pub(crate) fn new(base: Url, network: Network) -> Result<Transport, SetupError> {
        let proxy = network.proxy.clone();
        let via =
            proxy.as_ref().map(|proxy| Via { address: Untrusted::new(proxy.address()), variable: proxy.variable });
        let handshakes = Arc::default();
        let tls = tls(&base, network, &handshakes)?;
        let tunnel = proxy.clone().map(|proxy| Tunnel::new(proxy, &base, &tls));
        let builder = builder(proxy.as_ref(), &tls)?;
        Ok(Transport { via, tunnel, handshakes, made_of: Some((proxy, tls)), ..Transport::build(builder, base)? })
    }

    /// One that speaks HTTP/2 without TLS, or HTTP/1.
    #[cfg(test)]
    pub(super) fn over(base: Url, speaks_http_2: bool) -> Transport {
        let tls = tls(&base, Network::default(), &Arc::default()).expect("trust");
        let builder = builder(None, &tls).expect("a builder");
        let builder = if speaks_http_2 { builder.http2_prior_knowledge() } else { builder };
        Transport::build(builder, base).expect("a client")
    }

    fn build(builder: ClientBuilder, base: Url) -> Result<Transport, SetupError> {
        let http = builder.build().map_err(SetupError::Http)?;
        Ok(Transport {
            http: RefCell::new(http),
            made_of: None,
            last_address: RefCell::new((Vec::new(), base.clone())),
            base,
            permits: Semaphore::new(REQUESTS_AT_ONCE),
            limits: RequestLimits { whole: WHOLE, error_body: ERROR_BODY },
            via: None,
            tunnel: None,
            handshakes: Arc::default(),
            unanswered: Cell::new(Some(0)),
            clocks: Cell::new(None),
        })
    }

    /// The address under the base: its path prefix, then `segments`, each of them ONE.
    pub(crate) fn address(&self, segments: &[&str]) -> Url {
        let mut last = self.last_address.borrow_mut();
        if last.0 == segments {
            return last.1.clone();
        }
        let mut path = self.base.path().trim_end_matches('/').to_owned();
        for segment in segments {
            path.push('/');
            path.extend(utf8_percent_encode(segment, SEGMENT));
        }
        let mut url = self.base.clone();
        url.set_path(&path);
        *last = (segments.iter().map(|segment| (*segment).to_owned()).collect(), url.clone());
        url
    }

    /// How the service is reached, as far as it is known by now.
    pub(crate) fn connection(&self) -> Connection {
        Connection { proxy: self.via.clone(), trusted_by: self.handshakes.vouched() }
    }

    /// One of the eight places.
    pub(crate) async fn permit(&self) -> Permit<'_> {
        self.permits.acquire().await.expect("nobody closes it")
    }

    /// GET, following redirects within the origin.
    pub(crate) async fn get(
        &self,
        url: Url,
        token: &HeaderValue,
        clock: Clock,
        sink: &mut BodySink<'_>,
    ) -> HttpOutcome {
        let mut timing = TimingHeaders::default();
        let answer = async {
            let mut url = url;
            for _ in 0..=REDIRECTS {
                let request = self.http.borrow().get(url.clone()).header(AUTHORIZATION, token);
                let response = self.send(request, clock, &mut timing).await?;
                match self.redirect(&url, &response)? {
                    Some(next) => url = next,
                    None => return self.read(response, sink).await,
                }
            }
            Err(RequestError::new(FailureKind::RedirectLoop))
        };
        let _turn = self.permit().await;
        let reply = self.limited(answer, clock).await;
        HttpOutcome { timing, reply }
    }

    /// POST, once: never redirected, never repeated. The caller's turn, because what is sent may not keep.
    pub(crate) async fn post(
        &self,
        _turn: Permit<'_>,
        url: Url,
        token: Option<&HeaderValue>,
        json: Vec<u8>,
        clock: Clock,
        sink: &mut BodySink<'_>,
    ) -> HttpOutcome {
        let mut timing = TimingHeaders::default();
        let answer = async {
            let mut request = self.http.borrow().post(url.clone()).header(CONTENT_TYPE, "application/json").body(json);
            if let Some(token) = token {
                request = request.header(AUTHORIZATION, token);
            }
            let response = self.send(request, clock, &mut timing).await?;
            match self.redirect(&url, &response) {
                Err(fault) if fault.kind == FailureKind::RedirectOffOrigin => Err(fault),
                // Within the origin its status is what it is: no answer to what was asked for.
                Ok(_) | Err(_) => self.read(response, sink).await,
            }
        };
        let reply = self.limited(answer, clock).await;
        HttpOutcome { timing, reply }
    }

    /// Within the time of a whole request.
    async fn limited(
        &self,
        answer: impl Future<Output = Result<Reply, RequestError>>,
        clock: Clock,
    ) -> Result<Reply, RequestError> {
        let late = || RequestError { kind: FailureKind::Timeout, detail: self.base.host_str().map(Untrusted::new) };
        within(self.limits.whole, answer, clock).await.unwrap_or_else(|| Err(late()))
    }

    async fn send(
        &self,
        request: RequestBuilder,
        clock: Clock,
        timing: &mut TimingHeaders,
    ) -> Result<Response, RequestError> {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.fault(error).await),
        };
        self.unanswered.set(None);
        if response.status() == StatusCode::MISDIRECTED_REQUEST {
            self.leave_connections();
        }
        let here = clock.utc();
        *timing = TimingHeaders::read(response.headers(), here);
        if let Some(service) = timing.date.filter(|service| is_implausible(*service, here)) {
            self.clocks.set(self.clocks.get().or(Some((service, here))));
        }
        Ok(response)
    }

    /// The next request goes over a new connection: after a 421 because this one leads to a server that does not answer for
    /// the service (RFC 9110, section 15.5.20), after a suspension because it may be dead.
    pub(crate) fn leave_connections(&self) {
        let Some((proxy, tls)) = &self.made_of else { return };
        if let Ok(Ok(fresh)) = builder(proxy.as_ref(), tls).map(ClientBuilder::build) {
            self.http.replace(fresh);
        }
    }

    /// Why there is no answer, with what only the connection or the proxy can tell.
    async fn fault(&self, error: reqwest::Error) -> RequestError {
        let is_broken_by_tls = failure::is_broken_by_tls(&error);
        let fault = failure::of_error(error);
        if let (FailureKind::Broken, Some(breaks)) = (fault.kind, self.unanswered.get()) {
            self.unanswered.set(Some(breaks.saturating_add(1)));
        }
        let wants_certificate = self.handshakes.wants_certificate();
        let status = match (&self.tunnel, fault.kind) {
            (Some(tunnel), FailureKind::Proxy) => Box::pin(tunnel.status()).await,
            _ => None,
        };
        match (fault.kind, status) {
            // An older server says no more than that the handshake failed.
            (FailureKind::Tls(TlsFault::NothingInCommon), _) if wants_certificate => {
                RequestError { kind: FailureKind::Tls(TlsFault::ClientCertificate), ..fault }
            }
            // With TLS 1.3 the handshake is over for us by then, and the server's word is often lost with its connection: a
            // second time without any answer yet says as much.
            (FailureKind::Broken, _) if wants_certificate && (is_broken_by_tls || self.unanswered.get() > Some(1)) => {
                RequestError { kind: FailureKind::Tls(TlsFault::ClientCertificate), ..fault }
            }
            (_, Some(407)) => RequestError::new(FailureKind::ProxyAuthentication),
            // By now it would let us through.
            (_, None | Some(200)) => fault,
            (_, Some(status)) => RequestError::new(FailureKind::ProxyRefused(status)),
        }
    }

    /// The service's clock and this machine's, at the first answer by which one of them must be wrong.
    pub(crate) fn implausible_clocks(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        self.clocks.get()
    }

    /// Where a redirect leads, if the answer is one that can be followed.
    fn redirect(&self, from: &Url, response: &Response) -> Result<Option<Url>, RequestError> {
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let next = response
            .headers()
            .get(LOCATION)
            .and_then(|location| location.to_str().ok())
            .and_then(|location| from.join(location).ok())
            .ok_or(RequestError::new(FailureKind::RedirectLoop))?;
        // `Url::origin` is scheme, host and port; opaque ones are never the same.
        if next.origin() != self.base.origin() {
            return Err(RequestError::new(FailureKind::RedirectOffOrigin));
        }
        // Credentials in the address would beat ours.
        if !next.username().is_empty() || next.password().is_some() {
            return Err(RequestError::new(FailureKind::RedirectLoop));
        }
        Ok(Some(next))
    }

    async fn read(&self, response: Response, sink: &mut BodySink<'_>) -> Result<Reply, RequestError> {
        let status = response.status();
        let pages = PageInfo::read(response.headers());
        let mut error_body = Vec::new();
        if matches!(status, StatusCode::OK | StatusCode::CREATED) {
            body::read(response, sink).await?;
        } else {
            let mut keep = |piece: &[u8]| {
                error_body.extend_from_slice(&piece[..piece.len().min(ERROR_BODY_BYTES - error_body.len())]);
                if error_body.len() < ERROR_BODY_BYTES { Ok(()) } else { Err(RequestError::new(FailureKind::TooLarge)) }
            };
            // However it ends: the status has decided.
            let _ = timeout(self.limits.error_body, body::read(response, &mut keep)).await;
        }
        Ok(Reply { status: status.as_u16(), error_body, pages })
    }
}

/// Which certificates to trust. `config` lets plain http through to loopback only: no certificate has business there.
fn tls(base: &Url, network: Network, handshakes: &Arc<Handshakes>) -> Result<ClientConfig, SetupError> {
    if base.scheme() == "http" {
        return trusting_nobody();
    }
    let host = base.host_str().unwrap_or_default();
    trusting(network.further_roots, network.system_roots, host, handshakes)
}

fn builder(proxy: Option<&Proxy>, tls: &ClientConfig) -> Result<ClientBuilder, SetupError> {
    let headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (ACCEPT_ENCODING, HeaderValue::from_static(body::CODING)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (HeaderName::from_static("dadosfera-lang"), HeaderValue::from_static("en-us")),
    ]);
    let builder = Client::builder()
        .user_agent(concat!("maestro-gate/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .referer(false)
        // Not even what HTTP/2 calls safe to retry: a miss must be seen and counted, and a POST is sent once. What hyper
        // does on its own is only to take another connection when not a byte was sent on the first.
        .retry(retry::never())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(2 * PING)
        // The plan has decided on the proxy: the client must not look for one of its own.
        .no_proxy()
        .dns_resolver(Arc::new(Resolver));
    let builder = match proxy {
        None => builder,
        Some(proxy) => builder.proxy(through(proxy).map_err(SetupError::Http)?),
    };
    Ok(builder.tls_backend_preconfigured(tls.clone()))
}

fn through(proxy: &Proxy) -> reqwest::Result<reqwest::Proxy> {
    let scheme = match proxy.kind {
        ProxyKind::Http => "http",
        ProxyKind::Https => "https",
        ProxyKind::Socks5 => "socks5",
        ProxyKind::Socks5h => "socks5h",
    };
    let through = reqwest::Proxy::all(format!("{scheme}://{}", proxy.address()))?;
    Ok(match &proxy.credentials {
        None => through,
        Some((user, password)) => through.basic_auth(user, password.expose_secret()),
    })
}

#[cfg(test)]
mod tests;
