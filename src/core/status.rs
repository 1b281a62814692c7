//! What the service's status values mean (docs/reference.md#status-values).

use super::Untrusted;

/// What a status value tells about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    Passed,
    Failed,
    Wait,
    /// No table and no input knows the word: the gate waits, and says which input would teach it.
    Unknown,
}

impl Meaning {
    /// Whether the run succeeded, once it has finished.
    pub fn passed(self) -> Option<bool> {
        match self {
            Meaning::Passed => Some(true),
            Meaning::Failed => Some(false),
            Meaning::Wait | Meaning::Unknown => None,
        }
    }
}

/// The documented words: `SUCCESS`, `FAILED`, `RUNNING`. A user can't give these another meaning.
const PASSES: &str = "SUCCESS";
const FAILS: &str = "FAILED";
const RUNS: &str = "RUNNING";

/// Undocumented, but no reading of them is success.
const PLAINLY_FAILED: [&str; 12] = [
    "CANCELED",
    "CANCELLED",
    "ABORTED",
    "ERROR",
    "FAILURE",
    "KILLED",
    "STOPPED",
    "SKIPPED",
    "TIMEOUT",
    "TIMED_OUT",
    "UPSTREAM_FAILED",
    "DELETED",
];

/// Undocumented, plainly not over.
const PLAINLY_WAITING: [&str; 7] =
    ["QUEUED", "PENDING", "CREATED", "SCHEDULED", "STARTING", "UP_FOR_RETRY", "RESTARTING"];

/// The table's words and the user's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    success: Vec<String>,
    failure: Vec<String>,
}

/// Why a word can't be one of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    #[error("this status always means failure")]
    AlwaysFails,
    #[error("this status means that the run has not finished")]
    MeansWait,
    #[error("this status always means success")]
    AlwaysPasses,
    #[error("in both success-statuses and failure-statuses. Remove it from one")]
    InBoth,
}

impl Vocabulary {
    /// Adds the user's words. On trouble, every offending word with its reason: first success words, then failure words.
    pub fn new(success: Vec<String>, failure: Vec<String>) -> Result<Vocabulary, Vec<(String, WordError)>> {
        let mut wrong = Vec::new();
        for word in &success {
            if is(word, FAILS) {
                wrong.push((word.clone(), WordError::AlwaysFails));
            } else if is(word, RUNS) || is_any(word, &PLAINLY_WAITING) {
                wrong.push((word.clone(), WordError::MeansWait));
            } else if is_any(word, &failure) {
                wrong.push((word.clone(), WordError::InBoth));
            }
        }
        for word in &failure {
            if is(word, PASSES) {
                wrong.push((word.clone(), WordError::AlwaysPasses));
            } else if is(word, RUNS) {
                wrong.push((word.clone(), WordError::MeansWait));
            }
        }
        if wrong.is_empty() { Ok(Vocabulary { success, failure }) } else { Err(wrong) }
    }

    /// Reads a status value. The documented words first, then the user's, then the undocumented rows of the table.
    pub fn read(&self, word: &str) -> Meaning {
        if is(word, PASSES) {
            Meaning::Passed
        } else if is(word, FAILS) {
            Meaning::Failed
        } else if is(word, RUNS) {
            Meaning::Wait
        } else if is_any(word, &self.failure) {
            Meaning::Failed
        } else if is_any(word, &self.success) {
            Meaning::Passed
        } else if is_any(word, &PLAINLY_FAILED) {
            Meaning::Failed
        } else if is_any(word, &PLAINLY_WAITING) {
            Meaning::Wait
        } else {
            Meaning::Unknown
        }
    }
}

/// A status value as it came. The documented ones, of which a list has thousands, are not copied.
pub fn status_value(word: &str) -> Untrusted {
    let known = [PASSES, FAILS, RUNS].into_iter().find(|known| *known == word);
    known.map_or_else(|| Untrusted::new(word), Untrusted::known)
}

/// Whether this is the service's own word for a failed run, about which there is no doubt.
pub(super) fn is_failed(word: &str) -> bool {
    is(word, FAILS)
}

/// ASCII case and outer ASCII blanks do not make another word. Any other blank does: what looks like `SUCCESS` to a person
/// need not be what the service means by it.
fn is(word: &str, other: &str) -> bool {
    word.trim_ascii().eq_ignore_ascii_case(other.trim_ascii())
}

fn is_any(word: &str, others: &[impl AsRef<str>]) -> bool {
    others.iter().any(|other| is(word, other.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn success_is_the_only_word_that_passes() {
        let table = Vocabulary::default();
        assert_eq!(table.read("SUCCESS"), Meaning::Passed);
        assert_eq!(table.read(" success\t"), Meaning::Passed);
        for word in ["SUCCES", "SUCCEEDED", "SUCCESSFUL", "OK", "DONE", "SUCCESS!", "S UCCESS", "ſUCCESS", ""] {
            assert_eq!(table.read(word), Meaning::Unknown, "{word:?}");
        }
    }

    #[test]
    fn only_ascii_blanks_around_a_word_are_ignored() {
        let own = Vocabulary::new(words(&["DONE"]), Vec::new()).expect("a fine word");
        for blank in [" ", "\t", "\r\n", "\x0c"] {
            assert_eq!(own.read(&format!("{blank}SUCCESS{blank}")), Meaning::Passed, "{blank:?}");
            assert_eq!(own.read(&format!("{blank}done{blank}")), Meaning::Passed, "{blank:?}");
        }
        // No other character, visible or not.
        for other in ('\0'..=char::MAX).filter(|c| !c.is_ascii_whitespace()) {
            for word in ["SUCCESS", "DONE"] {
                for odd in [format!("{word}{other}"), format!("{other}{word}"), format!("{word}{other} ")] {
                    assert_eq!(own.read(&odd), Meaning::Unknown, "{odd:?}");
                }
            }
        }
    }

    #[test]
    fn undocumented_words_are_read_as_the_reference_says() {
        let table = Vocabulary::default();
        for word in PLAINLY_FAILED.iter().chain([&FAILS]) {
            assert_eq!(table.read(word), Meaning::Failed, "{word}");
            assert_eq!(table.read(&word.to_lowercase()), Meaning::Failed, "{word}");
        }
        for word in PLAINLY_WAITING.iter().chain([&RUNS]) {
            assert_eq!(table.read(word), Meaning::Wait, "{word}");
        }
    }

    #[test]
    fn a_user_s_word_beats_the_undocumented_rows_only() {
        let own = Vocabulary::new(words(&["skipped", "DONE"]), words(&["QUEUED", "BROKEN"])).expect("fine words");
        assert_eq!(own.read("SKIPPED"), Meaning::Passed);
        assert_eq!(own.read("done"), Meaning::Passed);
        assert_eq!(own.read("queued"), Meaning::Failed);
        assert_eq!(own.read("BROKEN"), Meaning::Failed);
        assert_eq!(own.read("FAILED"), Meaning::Failed);
        assert_eq!(own.read("RUNNING"), Meaning::Wait);
    }

    #[test]
    fn words_that_would_fool_the_gate_are_refused() {
        let wrong = Vocabulary::new(words(&["failed", "Running", "QUEUED", "X"]), words(&["success", "RUNNING", "x"]));
        assert_eq!(
            wrong,
            Err(vec![
                ("failed".to_owned(), WordError::AlwaysFails),
                ("Running".to_owned(), WordError::MeansWait),
                ("QUEUED".to_owned(), WordError::MeansWait),
                ("X".to_owned(), WordError::InBoth),
                ("success".to_owned(), WordError::AlwaysPasses),
                ("RUNNING".to_owned(), WordError::MeansWait),
            ])
        );
    }
}
