//! Where the failure of a story is reported: with the story's own line, and among others with its name.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Plays many stories at once. All that fail are reported together, by their names.
#[track_caller]
pub fn in_parallel<T: Sync>(stories: &[T], name: impl Fn(&T) -> String + Sync, play: impl Fn(&T) + Sync) {
    in_parallel_up_to(16, stories, name, play);
}

/// The same with at most `count` at a time, for stories in which the gate must be quick.
#[track_caller]
pub fn in_parallel_up_to<T: Sync>(
    count: usize,
    stories: &[T],
    name: impl Fn(&T) -> String + Sync,
    play: impl Fn(&T) + Sync,
) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let work = || {
        while let Some(story) = stories.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| play(story))) {
                failed.lock().expect("not poisoned").push(format!("{}: {}", name(story), message(&*panic)));
            }
        }
    };
    thread::scope(|scope| (0..count).for_each(|_| drop(scope.spawn(work))));
    let failed = failed.into_inner().expect("not poisoned");
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), stories.len(), failed.join("\n"));
}

/// Runs checks of the harness. What fails in them is reported a second time, with the line of the story.
#[track_caller]
pub(super) fn at_the_story<T>(check: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(check)) {
        Ok(value) => value,
        Err(panic) => panic!("this story fails the check above: {}", message(&*panic)),
    }
}

/// The first line; all of it is on stderr already, with its place.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
    text.lines().next().unwrap_or_default()
}
