//! One HTTP request and its limits: time, size, redirects, how many at once, and which certificates TLS trusts.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

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
use super::trust::{self, Handshakes};
use super::tunnel;
use crate::clock::Clock;
use crate::config::{Network, Proxy, ProxyKind};
use crate::core::{
    Answer, Connection, FailureKind, Observation, Operation, REQUESTS_AT_ONCE, SessionNote, TlsFault, Untrusted, Via,
    is_implausible,
};

mod aside;
mod body;
mod within;

use body::collect;
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
    pub(super) clock: Clock,
    /// The address made last, and its segments: most gates wait for one run, and to make it is a tenth of a poll's work.
    last_address: RefCell<(Vec<String>, Url)>,
    permits: Semaphore,
    /// `WHOLE` and `ERROR_BODY`; tests have less time.
    whole: Duration,
    error_body: Duration,
    via: Option<Via>,
    handshakes: Arc<Handshakes>,
    /// How many connections broke before the first answer; none from that on.
    unanswered: Cell<Option<u32>>,
    /// Whether an answer has come by which the service's clock or this machine's must be wrong.
    has_implausible_clock: Cell<bool>,
    /// The connection that was reported last.
    reported_connection: RefCell<Connection>,
    /// What is to be reported besides.
    pub(super) notes: RefCell<Vec<SessionNote>>,
}

/// What came back: the headers' stamps, and the answer or why there is none.
pub(crate) struct HttpOutcome {
    pub(crate) timing: TimingHeaders,
    pub(crate) reply: Result<Reply, RequestError>,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// All of it with 200 and 201, unless it went to a sink; its beginning with any other status.
    pub(crate) body: Vec<u8>,
    /// What its headers say of further pages, should it be a list.
    pub(crate) pages: PageInfo,
}

impl HttpOutcome {
    /// What `read` makes of the answer.
    pub(crate) fn answer<T>(self, during: Operation, read: impl FnOnce(Reply) -> Observation<T>) -> Answer<T> {
        self.timing.answer(self.reply.map_or_else(|fault| failure::read(fault.during(during)), read))
    }

    /// With what a sink has kept of the body.
    fn with_body(mut self, kept: Vec<u8>) -> HttpOutcome {
        if let Ok(reply) = &mut self.reply
            && reply.body.is_empty()
        {
            reply.body = kept;
        }
        self
    }
}

/// The place of one request among those under way.
pub(crate) type Permit<'t> = SemaphorePermit<'t>;

/// Where a body goes, piece by piece; an error ends the request.
pub(crate) type BodySink<'s> = dyn FnMut(&[u8]) -> Result<(), RequestError> + 's;

impl Transport {
    pub(crate) fn new(base: Url, network: Network, clock: Clock) -> Result<Transport, SetupError> {
        let proxy = network.proxy.clone();
        let via =
            proxy.as_ref().map(|proxy| Via { address: Untrusted::new(proxy.address()), variable: proxy.variable });
        let handshakes = Arc::default();
        let tls = trust::tls(&base, network, &handshakes)?;
        let builder = builder(proxy.as_ref(), &tls)?;
        Ok(Transport { via, handshakes, made_of: Some((proxy, tls)), ..Transport::build(builder, base, clock)? })
    }

    fn build(builder: ClientBuilder, base: Url, clock: Clock) -> Result<Transport, SetupError> {
        let http = builder.build().map_err(SetupError::Http)?;
        Ok(Transport {
            http: RefCell::new(http),
            made_of: None,
            last_address: RefCell::new((Vec::new(), base.clone())),
            base,
            clock,
            permits: Semaphore::new(REQUESTS_AT_ONCE),
            whole: WHOLE,
            error_body: ERROR_BODY,
            via: None,
            handshakes: Arc::default(),
            unanswered: Cell::new(Some(0)),
            has_implausible_clock: Cell::new(false),
            reported_connection: RefCell::default(),
            notes: RefCell::default(),
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

    /// What there is to report since the last call; how the service is reached where that is news.
    pub(crate) fn take_notes(&self) -> Vec<SessionNote> {
        let connection = self.connection();
        let reported = self.reported_connection.replace(connection.clone());
        let news = (reported != connection).then_some(SessionNote::Connection(connection));
        news.into_iter().chain(self.notes.take()).collect()
    }

    /// One of the eight places.
    pub(crate) async fn permit(&self) -> Permit<'_> {
        self.permits.acquire().await.expect("nobody closes it")
    }

    /// GET, following redirects within the origin. `limit` is the longest body, in bytes.
    pub(crate) async fn get(&self, url: Url, token: &HeaderValue, limit: usize) -> HttpOutcome {
        let mut body = Vec::new();
        let outcome = self.stream(url, token, &mut collect(&mut body, limit)).await;
        outcome.with_body(body)
    }

    /// The same; the body of a 200 or 201 goes to `sink`.
    pub(crate) async fn stream(&self, url: Url, token: &HeaderValue, sink: &mut BodySink<'_>) -> HttpOutcome {
        let mut timing = TimingHeaders::default();
        let answer = async {
            let mut url = url;
            for _ in 0..=REDIRECTS {
                let request = self.http.borrow().get(url.clone()).header(AUTHORIZATION, token);
                let response = self.send(request, &mut timing).await?;
                match self.redirect(&url, &response)? {
                    Some(next) => url = next,
                    None => return self.read(response, sink).await,
                }
            }
            Err(RequestError::new(FailureKind::RedirectLoop))
        };
        let _turn = self.permit().await;
        let reply = self.limited(answer).await;
        HttpOutcome { timing, reply }
    }

    /// POST, once: never redirected, never repeated. The caller's turn, because what is sent may not keep.
    pub(crate) async fn post(
        &self,
        _turn: Permit<'_>,
        url: Url,
        token: Option<&HeaderValue>,
        json: Vec<u8>,
        limit: usize,
    ) -> HttpOutcome {
        let (mut timing, mut body) = (TimingHeaders::default(), Vec::new());
        let answer = async {
            let mut request = self.http.borrow().post(url.clone()).header(CONTENT_TYPE, "application/json").body(json);
            if let Some(token) = token {
                request = request.header(AUTHORIZATION, token);
            }
            let response = self.send(request, &mut timing).await?;
            match self.redirect(&url, &response) {
                Err(fault) if fault.kind == FailureKind::RedirectOffOrigin => Err(fault),
                // Within the origin its status is what it is: no answer to what was asked for.
                Ok(_) | Err(_) => self.read(response, &mut collect(&mut body, limit)).await,
            }
        };
        let reply = self.limited(answer).await;
        HttpOutcome { timing, reply }.with_body(body)
    }

    /// Within the time of a whole request.
    async fn limited(&self, answer: impl Future<Output = Result<Reply, RequestError>>) -> Result<Reply, RequestError> {
        let late = || RequestError { kind: FailureKind::Timeout, detail: self.base.host_str().map(Untrusted::new) };
        within(self.whole, answer, self.clock).await.unwrap_or_else(|| Err(late()))
    }

    async fn send(&self, request: RequestBuilder, timing: &mut TimingHeaders) -> Result<Response, RequestError> {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.fault(error).await),
        };
        self.unanswered.set(None);
        if response.status() == StatusCode::MISDIRECTED_REQUEST {
            self.leave_connections();
        }
        let here = self.clock.utc();
        *timing = TimingHeaders::read(response.headers(), here);
        if let Some(service) = timing.date.filter(|service| is_implausible(*service, here))
            && !self.has_implausible_clock.replace(true)
        {
            self.notes.borrow_mut().push(SessionNote::ImplausibleClock { service, here });
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
        if self.handshakes.wants_certificate() {
            // An older server says no more than that the handshake failed. With TLS 1.3 the handshake is over for us by
            // then, and the server's word is often lost with its connection: a second time without any answer yet says as
            // much.
            let lacks_certificate = fault.kind == FailureKind::Tls(TlsFault::NothingInCommon)
                || fault.kind == FailureKind::Broken && (is_broken_by_tls || self.unanswered.get() > Some(1));
            if lacks_certificate {
                return RequestError { kind: FailureKind::Tls(TlsFault::ClientCertificate), ..fault };
            }
        }
        let (Some((Some(proxy), tls)), FailureKind::Proxy) = (&self.made_of, fault.kind) else { return fault };
        match Box::pin(tunnel::status(proxy, &self.base, tls)).await {
            Some(407) => RequestError::new(FailureKind::ProxyAuthentication),
            // By now it would let us through.
            None | Some(200) => fault,
            Some(status) => RequestError::new(FailureKind::ProxyRefused(status)),
        }
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
        let mut body = Vec::new();
        if matches!(status, StatusCode::OK | StatusCode::CREATED) {
            body::read(response, sink).await?;
        } else {
            let mut keep = |piece: &[u8]| {
                body.extend_from_slice(&piece[..piece.len().min(ERROR_BODY_BYTES - body.len())]);
                if body.len() < ERROR_BODY_BYTES { Ok(()) } else { Err(RequestError::new(FailureKind::TooLarge)) }
            };
            // However it ends: the status has decided.
            let _ = timeout(self.error_body, body::read(response, &mut keep)).await;
        }
        Ok(Reply { status: status.as_u16(), body, pages })
    }
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
