//! Why a region cannot be, or a piece not be had.

use super::LinearKind;

/// Why a region cannot be, or a piece not be had. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinearError {
    /// The unit is not a power of two.
    #[error("the unit of {unit} bytes is not a power of two")]
    UnitNotPowerOfTwo {
        /// The unit in bytes.
        unit: u64,
    },
    /// The region has less than one unit.
    #[error("a region of {size} bytes has no unit of {unit} bytes")]
    NoUnit {
        /// The region in bytes.
        size: u64,
        /// The unit in bytes.
        unit: u64,
    },
    /// A size of zero bytes.
    #[error("a piece of 0 bytes was asked for, the smallest is 1")]
    ZeroSize,
    /// The alignment is not a power of two.
    #[error("alignment {alignment} is not a power of two")]
    AlignmentNotPowerOfTwo {
        /// The alignment in bytes.
        alignment: u64,
    },
    /// No room where the next piece would go. Free something there; which, the kind says.
    #[error("no room for {size} bytes at alignment {alignment}")]
    NoRoom {
        /// Bytes asked for.
        size: u64,
        /// Alignment asked for.
        alignment: u64,
    },
    /// The region's kind has no upper end.
    #[error("a region of kind {kind:?} has no upper end")]
    NoUpperEnd {
        /// What the region was made as.
        kind: LinearKind,
    },
    /// The region's kind is found out by use, and its pieces lie as a ring at the moment, whose gap has
    /// no upper end. It has one again when the pieces on one side of the gap are gone.
    #[error("the pieces lie as a ring, which has no upper end")]
    LiesAsRing,
}
