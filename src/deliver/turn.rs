//! Whose turn it is at a destination: the first version's, then the last one's, and never the other way round.
//!
//! A first version that a stalled file system held up is given up on; its thread is not, and nobody can stop it. Coming
//! late it would replace the last version, or append "internal-error" behind "passed".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::report::Stage;

/// The turns at all destinations.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(Arc<Mutex<BTreeMap<PathBuf, Turn>>>);

/// The turns at one.
#[derive(Clone, Debug)]
pub(super) struct Turn(Arc<Mutex<Stage>>);

impl Turns {
    pub(super) fn of(&self, path: &Path) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(path.to_owned()).or_insert_with(|| Turn(Arc::new(Mutex::new(Stage::First)))).clone()
    }
}

impl Turn {
    /// Does `write` when nobody else writes there. A first version that comes after the last one is not written, and
    /// nobody waits to hear it.
    pub(super) fn take<E>(&self, stage: Stage, write: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let mut reached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (*reached, stage) {
            (Stage::Final, Stage::First) => Ok(()),
            (Stage::First | Stage::Final, _) => {
                *reached = stage;
                write()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn a_first_version_that_is_held_up_never_comes_after_the_last() {
        let turns = Turns::default();
        let path = Path::new("report.json");
        let written = Arc::new(Mutex::new(Vec::new()));
        let write = |what| {
            let written = Arc::clone(&written);
            move || {
                written.lock().expect("not poisoned").push(what);
                Ok::<(), ()>(())
            }
        };
        let (begun, has_begun) = channel();
        let (go_on, may_go_on) = channel();
        let (turn, first) = (turns.of(path), write("first"));
        let slow = thread::spawn(move || {
            turn.take(Stage::First, || {
                begun.send(()).expect("the test waits");
                may_go_on.recv().expect("the test says so");
                first()
            })
        });
        has_begun.recv().expect("the first version is being written");
        let (turn, last) = (turns.of(path), write("last"));
        let end = thread::spawn(move || turn.take(Stage::Final, last));
        // Another destination does not wait for this one.
        turns.of(Path::new("other")).take(Stage::Final, write("other")).expect("written");
        go_on.send(()).expect("it waits");
        slow.join().expect("no panic").expect("written");
        end.join().expect("no panic").expect("written");
        turns.of(path).take(Stage::First, write("late")).expect("left out");
        assert_eq!(*written.lock().expect("not poisoned"), ["other", "first", "last"]);
    }
}
