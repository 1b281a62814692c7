//! The ids a gate is asked about, and when an answer's ids are the same ones.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A pipeline's id as the user gave it: checked by `config`, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PipelineId(String);

/// A run's id, as the user or the service's list gave it: checked, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId {
    text: String,
    /// Whether it may be the integer `id` of the run's record instead.
    or_number: bool,
}

/// One run to wait for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    pub pipeline: PipelineId,
    pub run: RunId,
}

/// How a run is chosen instead of named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// The newest run when the gate starts, waited for if still going.
    Latest,
    /// The newest run that ended in success.
    LastSuccess,
}

impl Selector {
    pub const ALL: [Selector; 2] = [Selector::Latest, Selector::LastSuccess];

    /// As an entry of `run-id` writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Selector::Latest => "latest",
            Selector::LastSuccess => "last-success",
        }
    }
}

/// One thing to wait for: a run that is named, one that is to be chosen, or one that is to be started.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    Run(Target),
    Choice { pipeline: PipelineId, selector: Selector },
    Start { pipeline: PipelineId, if_running: IfRunning },
}

/// With `trigger`: what to do when a run of the pipeline is already going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IfRunning {
    /// Start another, which the service queues behind it.
    Queue,
    /// Start none, and wait for that one.
    Attach,
    /// Start none, and say so.
    Fail,
}

impl Wanted {
    pub fn pipeline(&self) -> &PipelineId {
        match self {
            Wanted::Run(target) => &target.pipeline,
            Wanted::Choice { pipeline, .. } | Wanted::Start { pipeline, .. } => pipeline,
        }
    }

    /// The run's id, or the word in its place as long as it is not known.
    pub fn run(&self) -> &str {
        match self {
            Wanted::Run(target) => target.run.as_str(),
            Wanted::Choice { .. } | Wanted::Start { .. } => self.stand_in(),
        }
    }

    /// The word in the place of a run's id that is not known; empty if it is.
    pub fn stand_in(&self) -> &'static str {
        match self {
            Wanted::Run(_) => "",
            Wanted::Choice { selector, .. } => selector.name(),
            Wanted::Start { .. } => "trigger",
        }
    }
}

impl From<Target> for Wanted {
    fn from(target: Target) -> Wanted {
        Wanted::Run(target)
    }
}

impl From<&Target> for Wanted {
    fn from(target: &Target) -> Wanted {
        Wanted::Run(target.clone())
    }
}

impl From<&Wanted> for Wanted {
    fn from(wanted: &Wanted) -> Wanted {
        wanted.clone()
    }
}

/// The longest id in bytes (docs/reference.md#selecting-runs).
pub const ID_LIMIT: usize = 256;

/// What an id may be: any text without control characters, white space, `/` or `,`, at most 256 bytes, not `.` or `..`.
pub fn is_id(text: &str) -> bool {
    let is_allowed = |c: char| !(c.is_control() || c.is_whitespace() || c == '/' || c == ',');
    !text.is_empty()
        && text.len() <= ID_LIMIT
        && text != "."
        && text != ".."
        && (text.bytes().all(|byte| IS_PLAIN[usize::from(byte)]) || text.chars().all(is_allowed))
}

/// For each byte whether it is ASCII that an id may have. A list has thousands of ids, and most are nothing else.
const IS_PLAIN: [bool; 256] = {
    let mut is_plain = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        is_plain[byte as usize] = !matches!(byte, b'/' | b',');
        byte += 1;
    }
    is_plain
};

impl PipelineId {
    pub fn new(text: &str) -> Option<PipelineId> {
        is_id(text).then(|| PipelineId(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text for all spellings of this id.
    pub fn folded(&self) -> String {
        folded_id(&self.0)
    }

    /// Whether `answered` names this pipeline: the service writes `_` where requests may have `-`.
    pub fn is(&self, answered: &str) -> bool {
        same(&self.0, answered)
    }
}

impl RunId {
    pub fn new(text: &str) -> Option<RunId> {
        is_id(text).then(|| RunId { text: text.to_owned(), or_number: false })
    }

    /// One that the user has entered: of digits alone, it may be the integer `id` as well (docs/reference.md#selecting-runs).
    pub fn entered(text: &str) -> Option<RunId> {
        let or_number = text.bytes().all(|byte| byte.is_ascii_digit());
        RunId::new(text).map(|id| RunId { or_number, ..id })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same text for all spellings of this id.
    pub fn folded(&self) -> String {
        folded_id(&self.text)
    }

    /// The same number for all spellings of this id, and in all likelihood for no other one.
    pub fn key(&self) -> u64 {
        hash(&self.folded())
    }

    /// Whether a record with this `pipeline_run_id` and this integer `id` is the run that was asked for. Leading zeros do
    /// not count as the same number: in doubt it is another run.
    pub fn is(&self, answered: &str, database_id: Option<u64>) -> bool {
        same(&self.text, answered) || self.or_number && database_id.is_some_and(|id| id.to_string() == self.text)
    }
}

/// `-` equals `_`, ASCII case is folded, all else is compared byte by byte.
fn same(asked: &str, answered: &str) -> bool {
    let are_same = |asked: &[u8], answered: &[u8]| asked.iter().zip(answered).all(|(a, b)| fold(*a) == fold(*b));
    // Mostly the same, and that is found quickly, eight bytes at once.
    let (asked_words, asked_rest) = asked.as_bytes().as_chunks::<8>();
    let (answered_words, answered_rest) = answered.as_bytes().as_chunks::<8>();
    asked.len() == answered.len()
        && asked_words.iter().zip(answered_words).all(|(a, b)| a == b || are_same(a, b))
        && are_same(asked_rest, answered_rest)
}

/// The same text for all spellings of an id.
pub fn folded_id(text: &str) -> String {
    text.bytes().map(fold).map(char::from).collect()
}

pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn fold(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() }
}

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_as_it_was_written() {
        assert_eq!(RunId::new("A-b_C").expect("an id").to_string(), "A-b_C");
        assert_eq!(PipelineId::new("A-b_C").expect("an id").to_string(), "A-b_C");
    }

    #[test]
    fn an_id_is_one_path_segment_of_visible_text() {
        for good in ["a", "e7c91a3b_5f2d", "manual__2024-12-18T10:30:00+00:00", "ação", "...", "45", "%2e%2e", "a?b#c"]
        {
            assert!(RunId::new(good).is_some(), "{good}");
            assert!(PipelineId::new(good).is_some(), "{good}");
        }
        let long = "x".repeat(ID_LIMIT);
        assert!(RunId::new(&long).is_some());
        for bad in ["", ".", "..", "a b", "a/b", "a,b", "a\nb", "a\u{85}b", "a\u{a0}b", "a\u{1b}b", &format!("{long}x")]
        {
            assert!(RunId::new(bad).is_none(), "{bad:?}");
            assert!(PipelineId::new(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn hyphens_and_case_do_not_make_another_run() {
        let run = RunId::new("AB-cd_1").expect("an id");
        assert!(run.is("ab_cd-1", None));
        assert!(!run.is("ab_cd-2", None));
        assert!(!run.is("ab_cd-", None));
        let pipeline = PipelineId::new("1b33ad2f-33d3").expect("an id");
        assert!(pipeline.is("1B33AD2F_33D3"));
        assert!(!pipeline.is("1b33ad2f_33d4"));
        // Case folding is ASCII's: other letters are compared as they stand.
        assert!(!RunId::new("É").expect("an id").is("é", None));
    }

    #[test]
    fn an_all_digit_entry_may_be_the_database_id_and_no_listed_id_is() {
        assert!(!RunId::new("45").expect("an id").is("e7c91a3b", Some(45)));
        let run = RunId::entered("45").expect("an id");
        assert!(run.is("e7c91a3b", Some(45)));
        assert!(!run.is("e7c91a3b", Some(46)));
        assert!(!run.is("e7c91a3b", None));
        assert!(!RunId::entered("045").expect("an id").is("e7c91a3b", Some(45)));
    }
}
