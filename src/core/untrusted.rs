//! Untrusted text, kept apart from ours by its type.

use std::borrow::Cow;
use std::fmt;

/// Text from outside: a trace, a status value, an error body, an id as the service spells it.
///
/// It has no `Display` on purpose: the one way to show it leads through `report::sanitize`. Its `Debug` tells the
/// length only, so that not even a panic message can carry it.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Untrusted(Cow<'static, str>);

impl Untrusted {
    pub fn new(text: impl Into<String>) -> Untrusted {
        Untrusted(Cow::Owned(text.into()))
    }

    /// Text from outside that is the same as one of ours.
    pub(super) const fn known(text: &'static str) -> Untrusted {
        Untrusted(Cow::Borrowed(text))
    }

    /// The text as it came. For comparing and for `report::sanitize`; never for showing.
    pub fn raw(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({} bytes)", self.0.len())
    }
}

/// Characters that show nothing, or turn what stands around them: Unicode's `Default_Ignorable_Code_Point` (which has the
/// bidirectional controls, the zero-width characters, the soft hyphen, the tags and the variation selectors), and
/// besides it the annotation marks, the hieroglyph joiners and the non-characters (XML has no U+FFFE, U+FFFF).
///
/// Variation selectors go too, though an emoji loses its colour: 256 of them can carry any bytes unseen, and any one breaks
/// up a secret or a command in a way that the runner's culture-aware comparison does not see: .NET's `IndexOf("##[")`
/// passes over ignorable characters.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_debug_says_the_length_and_nothing_else() {
        assert_eq!(format!("{:?}", Untrusted::new("é::set-env")), "Untrusted(11 bytes)");
    }
}
