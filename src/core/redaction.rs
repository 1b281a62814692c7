//! What keeps secrets out of texts, as the rest of the program sees it.

use std::fmt;

use super::Untrusted;

/// The redactor of the reports.
pub trait Redactor: fmt::Debug {
    /// Looks for these tokens and codes from now on.
    fn learn(&self, secrets: &[&str]);

    /// The beginning of a text that may have been cut off at its end: redacted, then cut to what a sentence shows of it.
    fn shorten(&self, text: &Untrusted) -> Untrusted;
}
