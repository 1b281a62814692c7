//! What had to be repaired in an answer before it could be read. Such an answer may fail a gate and never pass it.

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
