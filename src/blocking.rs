//! Work that may block: on a thread of its own, or on this one where the system has no thread left.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

/// Does `work` and waits for what it brings. If nobody waits any more, it is done for nothing.
pub async fn run<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = oneshot::channel();
    start(name, move || drop(sender.send(work())));
    receiver.await.expect("no thread comes back from a panic")
}

/// Starts `work`. If it runs on this thread it is done when this returns: late is better than not at all.
pub fn start(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(work) = try_start(name, work) {
        work();
    }
}

/// Starts `work` on a thread of its own, or gives it back.
///
/// # Errors
/// When the system has no thread left.
pub fn try_start<F: FnOnce() + Send + 'static>(name: &str, work: F) -> Result<(), F> {
    let work = Arc::new(Mutex::new(Some(work)));
    let there = Arc::clone(&work);
    let run = move || {
        if let Some(work) = take(&there) {
            work();
        }
    };
    match thread::Builder::new().name(name.to_owned()).spawn(run) {
        Ok(_) => Ok(()),
        Err(_) => take(&work).map_or(Ok(()), Err),
    }
}

fn take<F>(work: &Mutex<Option<F>>) -> Option<F> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}
