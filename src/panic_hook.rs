//! A panic is a bug of ours: it prints one line that says where, and exits. Nothing else runs.
//!
//! That is enough, since every destination holds its first version by then, which says `internal-error`. Nothing unwinds:
//! `panic = "abort"` makes the program smaller, and a build that could unwind behaves the same, because no thread
//! comes back from the hook. The one exception is a thread that writes a report: it is lost alone, and its report with it.

use std::cell::Cell;
use std::panic::{self, PanicHookInfo};
use std::process::exit;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

thread_local! {
    /// Set while a panic costs this thread alone: how its owner is notified.
    static LOST: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// What a panic exits with, and what prints its place.
type OnPanic = (u8, Box<dyn Fn(&str) + Send>);

/// A hook can be handed nothing. It can't be replaced either once a thread is lost, which stays in it for good.
static ON_PANIC: Mutex<Option<OnPanic>> = Mutex::new(None);

/// Has panics reported. To be called on the thread that all others serve, before anything else.
pub fn hook() {
    let main = thread::current().id();
    panic::set_hook(Box::new(move |info| report_panic(info, main)));
}

/// From now on a panic exits with this code, once `print` has shown its place. What a panic says beside it may quote a
/// secret, so that it is not shown.
pub fn exit_on_panic(code: u8, print: impl Fn(&str) + Send + 'static) {
    *ON_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some((code, Box::new(print)));
}

/// From now on a panic of this thread calls `notify` and stops this thread; the process goes on, unless it is the main one.
pub fn stop_only_this_thread(notify: impl FnOnce() + 'static) {
    LOST.set(Some(Box::new(notify)));
}

#[expect(clippy::disallowed_methods, reason = "after a panic nothing goes back to main")]
fn report_panic(info: &PanicHookInfo<'_>, main: ThreadId) {
    if thread::current().id() != main
        && let Ok(Some(notify)) = LOST.try_with(Cell::take)
    {
        notify();
        loop {
            thread::park();
        }
    }
    let place = info.location().map_or("an unknown place".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
    // The next thread that panics waits here until the process has exited.
    let on_panic = ON_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((code, print)) = &*on_panic {
        print(&place);
        exit((*code).into());
    }
}

/// The bug to be made on purpose, for tests of what becomes of it. A release makes none.
static PROVOKED: OnceLock<String> = OnceLock::new();

/// Asks for a panic at a place that names itself so: `examples/provoke.rs`. The first one counts.
pub fn provoke(place: String) {
    let _asked_before = PROVOKED.set(place);
}

pub(crate) fn panic_if_provoked(step: &str, what: &str) {
    if cfg!(debug_assertions)
        && let Some(asked) = PROVOKED.get()
    {
        let here = format!("{step} {what}");
        assert!(here.trim_end() != asked, "provoked at {here}");
    }
}
