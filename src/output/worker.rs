//! Jobs that may hang or panic: done one after another, each reported when it is done.
//!
//! A file system that is gone blocks a thread for ever, and nobody can stop it. Then another thread goes on with the next
//! job. One at a time, because a process may have few descriptors and threads left.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::WriteError;
use crate::{blocking, panic_hook};

/// A piece of work, and its number.
pub type Job<T> = (usize, Box<dyn FnOnce() -> Result<T, WriteError> + Send>);

/// A job's number, and what came of it.
type Done<T> = (usize, Result<T, WriteError>);

/// Jobs under way.
pub struct Jobs<T> {
    queue: Arc<Mutex<VecDeque<Job<T>>>>,
    notify: UnboundedSender<Done<T>>,
    done: UnboundedReceiver<Done<T>>,
}

impl<T: Send + 'static> Jobs<T> {
    /// Jobs that nobody does yet.
    pub(super) fn new(jobs: Vec<Job<T>>) -> Jobs<T> {
        let (notify, done) = unbounded_channel();
        Jobs { queue: Arc::new(Mutex::new(jobs.into())), notify, done }
    }

    pub fn start(jobs: Vec<Job<T>>) -> Jobs<T> {
        let jobs = Jobs::new(jobs);
        jobs.go_on();
        jobs
    }

    /// Has the jobs that nobody has begun done by another thread.
    pub fn go_on(&self) {
        blocking::start("reports", self.worker());
    }

    /// Whether all have been begun.
    pub fn are_begun(&self) -> bool {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The next that is done.
    pub async fn next(&mut self) -> (usize, Result<T, WriteError>) {
        self.done.recv().await.expect("one of its senders is held here")
    }

    /// What a thread does that takes the jobs which nobody has begun.
    pub(super) fn worker(&self) -> impl FnOnce() + Send + use<T> {
        let (queue, notify) = (Arc::clone(&self.queue), self.notify.clone());
        move || {
            let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let current = Rc::new(Cell::new(0));
            let (lost, sender) = (Rc::clone(&current), notify.clone());
            // The receiver may be gone; then nobody needs the result.
            panic_hook::stop_only_this_thread(move || drop(sender.send((lost.get(), Err(WriteError::Bug)))));
            while let Some((number, job)) = take() {
                current.set(number);
                let _told = notify.send((number, job()));
            }
        }
    }
}
