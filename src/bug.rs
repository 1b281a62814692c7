//! What is known about a panic: kept here by the hook, told by the report.

use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

/// The first panic, until somebody takes it. A hook can be handed nothing, so this has to be a global.
static LAST: Mutex<Option<Bug>> = Mutex::new(None);

struct Bug {
    place: String,
    message: String,
}

/// Keeps panics quiet and remembered. Their messages may quote what the service sent: they are shown only through the
/// report, cleaned and redacted, and never by the standard hook.
pub fn remember_panics() {
    panic::set_hook(Box::new(|info| {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        last.get_or_insert_with(|| describe(info));
    }));
}

/// The panic remembered, if there was one: its place and its message, which may be anything.
pub fn take() -> Option<String> {
    let Bug { place, message } = LAST.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    Some(format!("panic at {place}: {message}"))
}

/// Where in this program the panic remembered was met: fit to be shown as it is.
pub fn place() -> Option<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|bug| bug.place.clone())
}

fn describe(info: &PanicHookInfo<'_>) -> Bug {
    let place = info.location().map_or("an unknown place".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
    Bug { place, message: info.payload_as_str().unwrap_or("without a message").to_owned() }
}
