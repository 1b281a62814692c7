//! What keeps secrets out of texts, as the client sees it.
//!
//! A secret goes there the moment it comes up, and an answer's text before it is kept: so nothing that the service says can
//! be cut, stored or shown before the secrets in it are known and gone.

use crate::core::{Failure, Redactor};

impl dyn Redactor {
    /// The same with what is kept of its detail.
    pub(crate) fn shortened(&self, failure: Failure) -> Failure {
        Failure { detail: failure.detail.map(|detail| self.shorten(&detail)), ..failure }
    }
}

/// Remembers, and shortens nothing.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct Learned(std::cell::RefCell<Vec<String>>);

#[cfg(test)]
impl Learned {
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

#[cfg(test)]
impl std::fmt::Debug for Learned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Learned").finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Redactor for Learned {
    fn learn(&self, secrets: &[&str]) {
        self.0.borrow_mut().extend(secrets.iter().map(|secret| (*secret).to_owned()));
    }

    fn shorten(&self, text: &crate::core::Untrusted) -> crate::core::Untrusted {
        text.clone()
    }
}
