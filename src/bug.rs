//! A panic is a bug of ours: the hook has it reported, then ends the process (docs/reference.md#verdicts-and-exit-codes).
//!
//! Nothing unwinds. `panic = "abort"` makes the program a fifth smaller; and a build that could unwind behaves the same,
//! because no thread comes back from the hook. There are two kinds of thread. One that does a piece of work which may
//! be missed is lost alone (`contained`): whoever waits for it is told, and it stays where it is. A panic in any other
//! has the reporter do what is left to do, on a thread of its own, while everything else stands still.

use std::cell::{Cell, RefCell};
use std::io;
use std::panic::{self, PanicHookInfo};
use std::process::exit;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long reporting a bug may take: longer than the destinations that were stalled already may hold it up.
const LIMIT: Duration = Duration::from_secs(20);

/// What is known about a panic.
#[derive(Clone, Debug)]
pub struct Bug {
    /// Where in this program: fit to be shown as it is.
    pub place: String,
    /// It may quote what the service sent, or a secret that nobody knows yet: to be shown only once it was cleaned.
    pub message: String,
}

/// Reports a bug, and says with which code to leave.
type Reporter = Box<dyn FnOnce(Bug) -> u8 + Send>;

/// A hook can be handed nothing, so these have to be global.
static REPORTER: Mutex<Option<Reporter>> = Mutex::new(None);
static MET: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// What to do when this thread alone is lost.
    static ALONE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// From now on a panic ends the process: with the reporter's code, or with this one if it can't report in time.
pub fn report_panics(code: u8, reporter: impl FnOnce(Bug) -> u8 + Send + 'static) {
    report_with(reporter);
    panic::set_hook(Box::new(move |info| met(info, code)));
}

/// From now on this is what reports.
pub fn report_with(reporter: impl FnOnce(Bug) -> u8 + Send + 'static) {
    *REPORTER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(reporter));
}

/// Does `work` on a thread of its own, then hands on what came of it: `None` if it panicked.
///
/// # Errors
/// When the system has no thread left.
pub fn contained<T: 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Option<T>) + Send + 'static,
) -> io::Result<()> {
    let work = move || {
        let then = Rc::new(Cell::new(Some(then)));
        let lost = Rc::clone(&then);
        ALONE.set(Some(Box::new(move || {
            if let Some(then) = lost.take() {
                then(None);
            }
        })));
        let done = work();
        ALONE.set(None);
        if let Some(then) = then.take() {
            then(Some(done));
        }
    };
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

#[expect(clippy::disallowed_methods, reason = "after a panic nothing goes back to main")]
fn met(info: &PanicHookInfo<'_>, code: u8) {
    if let Ok(Some(lost)) = ALONE.try_with(RefCell::take) {
        lost();
        stay();
    }
    if MET.swap(true, Ordering::Relaxed) {
        // Reporting has its limit, and then the process ends.
        stay();
    }
    let bug = describe(info);
    let (tell, told) = channel();
    let report = move || {
        let reporter = REPORTER.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Whoever waited may be gone, and the process with it.
        let _told = tell.send(reporter.map(|report| report(bug)));
    };
    let started = thread::Builder::new().name("bug".into()).spawn(report);
    let reported = started.ok().and_then(|_| told.recv_timeout(LIMIT).ok().flatten());
    exit(reported.unwrap_or(code).into());
}

/// Where a thread ends that must not go on.
fn stay() -> ! {
    loop {
        thread::park();
    }
}

fn describe(info: &PanicHookInfo<'_>) -> Bug {
    let place = info.location().map_or("an unknown place".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
    Bug { place, message: info.payload_as_str().unwrap_or("without a message").to_owned() }
}

/// Bugs made on purpose, for tests of what becomes of them: `examples/provoke.rs` asks for one. A release has none of this.
#[cfg(debug_assertions)]
mod provoked {
    use std::sync::OnceLock;

    static PLACE: OnceLock<String> = OnceLock::new();

    /// Asks for a panic at a place that names itself so.
    pub fn provoke(place: String) {
        // The first one counts.
        let _asked_before = PLACE.set(place);
    }

    pub(crate) fn bug_at(place: &str) {
        assert!(PLACE.get().is_none_or(|asked| asked != place), "provoked at {place}");
    }
}

#[cfg(debug_assertions)]
pub(crate) use provoked::bug_at;
#[cfg(debug_assertions)]
pub use provoked::provoke;

/// No bug.
#[cfg(not(debug_assertions))]
pub(crate) fn bug_at(_place: &str) {}
