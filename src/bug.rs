//! What is known about a panic: kept here by the hook, told by the report.

use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

/// The first panic, until somebody takes it. A hook can be handed nothing, so this has to be a global.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps panics quiet and remembered. Their messages may quote what the service sent: they are shown only through the
/// report, cleaned and redacted, and never by the standard hook.
pub fn remember_panics() {
    panic::set_hook(Box::new(|info| {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        last.get_or_insert_with(|| describe(info));
    }));
}

/// The panic remembered, if there was one.
pub fn take() -> Option<String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("without a message");
    format!("panic{place}: {message}")
}
