//! Jobs that may hang or panic: done one after another, each reported when it is done.
//!
//! A file system that is gone blocks a thread for ever, and nobody can stop it. Then another thread goes on with the next
//! job. One at a time, because a process may have few descriptors and threads left.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{blocking, panic_hook};

/// A piece of work, and its number.
pub type Job<T> = (usize, Box<dyn FnOnce() -> T + Send>);

/// The job with this number.
pub(super) fn job<T>(number: usize, work: impl FnOnce() -> T + Send + 'static) -> Job<T> {
    (number, Box::new(work))
}

type Queue<T> = Arc<Mutex<VecDeque<Job<T>>>>;

/// Jobs under way.
pub struct Jobs<T> {
    queue: Queue<T>,
    notify: UnboundedSender<(usize, Option<T>)>,
    done: UnboundedReceiver<(usize, Option<T>)>,
}

impl<T: Send + 'static> Jobs<T> {
    pub fn start(jobs: Vec<Job<T>>) -> Jobs<T> {
        let (notify, done) = unbounded_channel();
        let jobs = Jobs { queue: Arc::new(Mutex::new(jobs.into())), notify, done };
        jobs.go_on();
        jobs
    }

    /// Has the jobs that nobody has begun done by another thread.
    pub fn go_on(&self) {
        let (queue, notify) = (Arc::clone(&self.queue), self.notify.clone());
        blocking::start("reports", move || work(&queue, &notify));
    }

    /// Whether all have been begun.
    pub fn are_begun(&self) -> bool {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The next that is done, by its number; without a result if it panicked.
    pub async fn next(&mut self) -> Option<(usize, Option<T>)> {
        self.done.recv().await
    }
}

fn work<T: 'static>(queue: &Queue<T>, notify: &UnboundedSender<(usize, Option<T>)>) {
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let current = Rc::new(Cell::new(0));
    let (lost, sender) = (Rc::clone(&current), notify.clone());
    // The receiver may be gone; then nobody needs the result.
    panic_hook::stop_only_this_thread(move || drop(sender.send((lost.get(), None))));
    while let Some((number, job)) = take() {
        current.set(number);
        let _told = notify.send((number, Some(job())));
    }
}
