//! Text that somebody else wrote, kept apart from ours by its type.

use std::fmt;

/// Text from outside: a trace, a status word, an error body, an id as the service spells it.
///
/// It has no `Display` on purpose: the one way to show it leads through `report::clean`. Its `Debug` tells the
/// length only, so that not even a panic message can carry it.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Foreign(String);

impl Foreign {
    pub fn new(text: impl Into<String>) -> Foreign {
        Foreign(text.into())
    }

    /// Decodes bytes, replacing what is not UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Foreign {
        Foreign(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The text as it came. For comparing and for `report::clean`; never for showing.
    pub fn raw(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Foreign({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_debug_tells_the_length_and_nothing_else() {
        assert_eq!(format!("{:?}", Foreign::new("é::set-env")), "Foreign(11 bytes)");
    }

    #[test]
    fn bytes_become_text_whatever_they_are() {
        assert_eq!(Foreign::from_bytes(b"ok \xff\xc3\xa9").raw(), "ok \u{fffd}é");
        assert!(Foreign::from_bytes(b"").is_empty() && !Foreign::from_bytes(b"\xff").is_empty());
    }
}
