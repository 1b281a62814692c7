//! A stand-in for the Maestro service, on a loopback port: it plays documented runs, and misbehaves on order.
//!
//! The example `stand-in` serves it, the example `demo` shows the gate on it, and the tests drive it in-process. It is no
//! part of the crate: nothing that is shipped can reach it.

mod answers;
mod body;
mod http;
mod order;
mod reply;
mod runs;
mod scenario;
mod send;
mod time;
mod tls;
mod tokens;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;

use answers::{Answer, Route};
use http::{Request, Wire};
use reply::Times;
pub use reply::{End, Framing, Gzip, Reply};
use runs::Runs;
pub use scenario::{On, Order, READY, Scenario, Tls};
use send::Connection;
use time::ServiceClock;
use tokens::Session;
pub use tokens::authenticator;

/// A running service. It stops when dropped, and every connection with it.
pub struct Service {
    address: SocketAddr,
    prefix: String,
    tls: Tls,
    ca_pem: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A request that the service has read, and what was said to it.
#[derive(Clone, Debug)]
pub struct LastRecord {
    /// Real time since the service started.
    pub at: Duration,
    /// Which connection it came on, counted from 1.
    pub connection: u64,
    pub on: On,
    pub method: String,
    /// Path and query as they were sent, nothing decoded.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The status that was ordered, else the service's own.
    pub status: u16,
    /// Whether the answer was ordered.
    pub ordered: bool,
}

impl LastRecord {
    /// The first header of this name, in any case of letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What connections share with each other and with the one who started the service. A lock, because the tests look at it
/// from their own thread; it is never held while waiting.
struct Shared {
    state: Mutex<State>,
    news: Condvar,
    clock: Arc<ServiceClock>,
    scenario: Scenario,
    acceptor: Option<TlsAcceptor>,
    /// Closed once the replies that are held may be sent.
    hold: Semaphore,
}

struct State {
    session: Session,
    runs: Runs,
    script: Vec<Order>,
    seen: Vec<LastRecord>,
    connections: u64,
    under_way: usize,
    most_at_once: usize,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// Starts on a free port.
    pub fn start(scenario: Scenario) -> Service {
        Service::start_on(0, scenario).expect("a free loopback port")
    }

    /// Starts on this port of 127.0.0.1.
    pub fn start_on(port: u16, scenario: Scenario) -> io::Result<Service> {
        let certified = tls::certified(scenario.tls).map_err(io::Error::other)?;
        let clock = Arc::new(ServiceClock::new(scenario.starts_at, scenario.skew, scenario.speed));
        let state = State {
            session: Session::new(scenario.accounts.clone(), scenario.tokens.clone()),
            runs: Runs::new(&scenario.pipelines, Arc::clone(&clock)),
            script: scenario.script.clone(),
            seen: Vec::new(),
            connections: 0,
            under_way: 0,
            most_at_once: 0,
        };
        let (prefix, tls) = (scenario.prefix.clone(), scenario.tls);
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            news: Condvar::new(),
            clock,
            scenario,
            acceptor: certified.acceptor,
            hold: Semaphore::new(0),
        });
        // A thread and a runtime of its own: it serves tests that have none, and answers while theirs is blocked.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let on_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("stand-in".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, on_thread) => {}
                }
            });
        })?;
        Ok(Service { address, prefix, tls, ca_pem: certified.ca_pem, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// What to give the gate as `base-url`.
    pub fn base_url(&self) -> String {
        let scheme = if self.tls == Tls::Off { "http" } else { "https" };
        format!("{scheme}://{}{}", self.address, self.prefix)
    }

    /// The certificate authority that a client must trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Starts the service's clock, unless a request did.
    pub fn begin(&self) {
        self.shared.clock.begin();
    }

    /// Orders a reply; it has its turn after those ordered before for the same request.
    pub fn order(&self, on: On, reply: Reply) {
        self.push(on, None, reply);
    }

    /// Orders replies in this order.
    pub fn script(&self, on: On, replies: impl IntoIterator<Item = Reply>) {
        replies.into_iter().for_each(|reply| self.push(on, None, reply));
    }

    /// Orders a reply for requests with this run or pipeline in their path.
    pub fn order_for(&self, on: On, id: &str, reply: Reply) {
        self.push(on, Some(id.to_owned()), reply);
    }

    fn push(&self, on: On, id: Option<String>, reply: Reply) {
        assert!(!reply.held || !self.shared.hold.is_closed(), "replies were released: this one would not be held");
        self.shared.state().script.push(Order::new(on, id, reply));
    }

    /// Sends the replies that are held; from now on none is.
    pub fn release(&self) {
        self.shared.hold.close();
    }

    /// Every token given so far is refused from now on.
    pub fn revoke_tokens(&self) {
        self.shared.state().session.revoke();
    }

    /// All requests, in the order in which they were read.
    pub fn requests(&self) -> Vec<LastRecord> {
        self.shared.state().seen.clone()
    }

    /// The same without the first `count`: for one who keeps up with a service that runs for hours.
    pub fn requests_from(&self, count: usize) -> Vec<LastRecord> {
        self.shared.state().seen.get(count..).unwrap_or_default().to_vec()
    }

    /// The requests to one endpoint.
    pub fn requests_to(&self, on: On) -> Vec<LastRecord> {
        self.shared.state().seen.iter().filter(|seen| seen.on == on || on == On::Any).cloned().collect()
    }

    /// The most requests that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.shared.state().most_at_once
    }

    /// Blocks until `count` requests to the endpoint were read; false if that did not come about within `grace_period`.
    pub fn wait_for(&self, on: On, count: usize, grace_period: Duration) -> bool {
        let enough =
            |state: &mut State| state.seen.iter().filter(|seen| seen.on == on || on == On::Any).count() < count;
        let waited = self.shared.news.wait_timeout_while(self.shared.state(), grace_period, enough);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself; then there is nothing to stop.
            let _ended = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic over there was printed by its own thread, and the requests it did not answer fail the test.
            let _panicked = thread.join();
        }
    }
}

/// A loopback port on which every connection is refused, for as long as this is held.
pub struct DeadPort {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl DeadPort {
    /// Bound and not listening: nobody else can take the port, nobody answers on it.
    pub fn reserve() -> io::Result<DeadPort> {
        let bound = TcpSocket::new_v4()?;
        bound.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(DeadPort { address: bound.local_addr()?, _bound: bound })
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a listener just made non-blocking, inside a runtime");
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Head and body are written one after the other; held back until the client acknowledges the head,
                    // every answer would come 40 ms late. A socket that can't is slow, and no worse.
                    let _slow = stream.set_nodelay(true);
                    let number = {
                        let mut state = shared.state();
                        state.connections += 1;
                        state.connections
                    };
                    // One task each: a connection that hangs on order must not keep the others waiting.
                    connections.spawn(serve(stream, number, Arc::clone(&shared)));
                }
                // Out of descriptors, or the client was gone before it was accepted: the next one may fare better.
                Err(_) => time::pause(Duration::from_millis(10)).await,
            },
            // Ended connections are swept while there is nothing to accept.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, until either side ends it. Its errors end it too: they are the client's to deal with.
async fn serve(stream: TcpStream, number: u64, shared: Arc<Shared>) {
    let mut wire = match &shared.acceptor {
        None => Wire::Plain(stream),
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => Wire::Tls(Box::new(stream)),
            Err(_) => return,
        },
    };
    let mut buffer = Vec::new();
    loop {
        let request = match tokio::time::timeout(http::REQUEST_TIME, http::read_request(&mut wire, &mut buffer)).await {
            Ok(Ok(Some(request))) => request,
            Ok(Ok(None)) | Err(_) => return,
            Ok(Err(error)) => {
                let answer = Answer::text(400, &format!("{error}\n"));
                let _gone = send::send(&mut wire, &Reply::normal(), answer, &shared.clock, false).await;
                return;
            }
        };
        let (reply, answer) = shared.meet(&request, number);
        let close = request.wants_close();
        if reply.as_ref().is_some_and(|reply| reply.held) {
            // An error says that the semaphore was closed, and that is what is waited for.
            let _released = shared.hold.acquire().await;
        }
        let tunnelled = request.method == "CONNECT" && reply.is_none();
        let sent = match tunnelled {
            true => tunnel(&mut wire, &request.target).await,
            false => {
                let may_compress = shared.scenario.compresses && request.takes_gzip();
                send::send(&mut wire, &reply.unwrap_or_default(), answer, &shared.clock, may_compress).await
            }
        };
        shared.state().under_way -= 1;
        match sent {
            Ok(Connection::Open) if !close => {}
            Ok(Connection::Open) => return wire.shut().await,
            Ok(Connection::Over) | Err(_) => return,
        }
    }
}

/// A proxy's tunnel, to loopback addresses only.
async fn tunnel(wire: &mut Wire, target: &str) -> io::Result<Connection> {
    let Some(to) = target.parse::<SocketAddr>().ok().filter(|to| to.ip().is_loopback()) else {
        wire.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await?;
        return Ok(Connection::Open);
    };
    let to = TcpStream::connect(to).await?;
    wire.write(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    wire.tunnel(to).await;
    Ok(Connection::Over)
}

impl Shared {
    /// Decides what a request is answered, and records it. A look counts even if an order hides what it would have shown.
    fn meet(&self, request: &Request, connection: u64) -> (Option<Reply>, Answer) {
        let route = Route::of(request, &self.scenario.prefix);
        let mut guard = self.state();
        let state = &mut *guard;
        let reply = take(&mut state.script, &route, self.scenario.script_repeats);
        let acts = !matches!(route.on, On::Execute | On::SignIn) || reply.as_ref().is_none_or(Reply::acts);
        let answer = if acts {
            let absent = self.scenario.absent;
            answers::normal(request, &route, &mut state.session, &mut state.runs, absent, &self.clock)
        } else {
            Answer::text(200, "")
        };
        state.under_way += 1;
        state.most_at_once = state.most_at_once.max(state.under_way);
        state.seen.push(LastRecord {
            at: self.clock.real(),
            connection,
            on: route.on,
            method: request.method.clone(),
            path: request.target.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            status: reply.as_ref().and_then(|reply| reply.status).unwrap_or(answer.status),
            ordered: reply.is_some(),
        });
        self.news.notify_all();
        (reply, answer)
    }
}

/// The next reply that was ordered for such a request. With `repeats` an order that was carried out goes to the end of the
/// script, as it was.
fn take(script: &mut Vec<Order>, route: &Route, repeats: bool) -> Option<Reply> {
    let fits = |order: &Order| {
        (order.on == route.on || order.on == On::Any)
            && order.reply.times.is_more_than(order.given)
            && order
                .id
                .as_ref()
                .is_none_or(|id| runs::same_id(id, &route.run_id) || runs::same_id(id, &route.pipeline_id))
    };
    let at = script.iter().position(fits)?;
    let order = &mut script[at];
    order.given = order.given.saturating_add(1);
    let reply = Reply { times: Times::default(), ..order.reply.clone() };
    if !order.reply.times.is_more_than(order.given) {
        let done = script.remove(at);
        if repeats {
            script.push(Order { given: 0, ..done });
        }
    }
    Some(reply)
}
