//! What had to be repaired in an answer before it could be read. Such an answer may fail a gate and never pass it.

use super::{Failure, FailureKind, Meaning, Operation, Record};

/// One kind of damage that programs often do to JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    ByteOrderMark,
    BadUtf8,
    /// A raw control character in a string: a line break, most often.
    ControlCharacter,
    /// `NaN` or `Infinity`.
    NotANumber,
    /// An escape of one half of a surrogate pair.
    HalfCharacter,
    /// A number beyond all that a double can hold.
    HugeNumber,
    /// More than 120 levels.
    DeepNesting,
}

/// Why this record does not pass though its status would. In an answer that one program reads so and another one otherwise, a
/// success is not proven.
pub(super) fn bars_pass(record: &Record, meaning: Meaning) -> Option<Failure> {
    let is_barred = meaning == Meaning::Passed && !record.repaired.is_empty();
    is_barred.then_some(Failure { during: Operation::GetRun, kind: FailureKind::Repaired, detail: None })
}
