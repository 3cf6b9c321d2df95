//! What can be wrong with a trace.

use std::io;

use thiserror::Error;

/// Why a trace could not be read, imported or written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceError {
    /// The file could not be read or decompressed.
    #[error("cannot be read: {kind}")]
    Read {
        /// What the system, or the decompressor, said.
        kind: io::ErrorKind,
    },
    /// The file could not be written.
    #[error("cannot be written: {kind}")]
    Write {
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// A line breaks a rule of the format.
    #[error("line {line}: {problem}")]
    Line {
        /// The line, counted from 1, of the text after decompression.
        line: usize,
        /// The rule.
        problem: Problem,
    },
}

/// The rule that a line of a trace breaks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The first line of a trace names the format and its version.
    #[error("the first line must be `{expected}`")]
    NotATrace {
        /// That line.
        expected: &'static str,
    },
    /// A line of a certain kind has to stand here.
    #[error("expected `{expected}`")]
    Expected {
        /// How that line begins.
        expected: &'static str,
    },
    /// A field is missing, or nothing stands in it.
    #[error("the field `{field}` is missing")]
    MissingField {
        /// The field.
        field: &'static str,
    },
    /// A field has to be a number in the range of its type.
    #[error("the field `{field}` is not a number in its range")]
    NotANumber {
        /// The field.
        field: &'static str,
    },
    /// A field has to be one of a few words.
    #[error("the field `{field}` must be one of {words}")]
    UnknownWord {
        /// The field.
        field: &'static str,
        /// The words.
        words: &'static str,
    },
    /// A size has to be larger than zero.
    #[error("the size is 0; an allocation has at least one byte")]
    ZeroSize,
    /// An alignment has to be a power of two.
    #[error("the alignment {alignment} is not a power of two")]
    AlignmentNotPowerOfTwo {
        /// The alignment in bytes.
        alignment: u64,
    },
    /// An allocation names a class that is not in the table.
    #[error("class {class} does not exist; the trace has {class_count}")]
    UnknownClass {
        /// The class.
        class: usize,
        /// How many classes there are.
        class_count: usize,
    },
    /// A free has to name an allocation that lives.
    #[error("it frees an allocation that is not live")]
    NotLive,
    /// The identifier of a living allocation cannot be given to a second one.
    #[error("the id {id} is that of a live allocation")]
    IdInUse {
        /// The identifier.
        id: u64,
    },
    /// The header states how many operations follow.
    #[error("{found} operations, where the header states {stated}")]
    OperationCount {
        /// What the header states.
        stated: usize,
        /// How many there are; when there are too many, one more than stated.
        found: usize,
    },
}

impl Problem {
    /// The error for this problem in the given line, counted from 1.
    pub(crate) fn at(self, line: usize) -> TraceError {
        TraceError::Line { line, problem: self }
    }
}
