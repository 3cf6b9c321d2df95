//! What an arena is asked to be, and why it cannot.

use thiserror::Error;

/// How an arena cuts its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArenaConfig {
    /// The size of the smallest block in bytes, a power of two. Smaller ones waste less of small
    /// values; each costs two bits.
    pub min_block_size: usize,
    /// The largest alignment that is served, in bytes, a power of two. The region starts on a
    /// multiple of it, so up to `max_alignment - 1` bytes at the start of a slice that is less
    /// aligned cannot be handed out.
    pub max_alignment: usize,
}

impl Default for ArenaConfig {
    /// Minimum blocks of 32 bytes, for an overhead of 0.8 %, and alignments up to a page of 4096.
    fn default() -> Self {
        Self { min_block_size: 32, max_alignment: 4096 }
    }
}

/// Why there is no arena. The memory lent is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ArenaError {
    /// The minimum block size is zero or not a power of two. Round it to one.
    #[error("minimum block size {min_block_size} is not a power of two")]
    MinBlockSizeNotPowerOfTwo {
        /// The minimum block size given, in bytes.
        min_block_size: usize,
    },
    /// The largest alignment is zero or not a power of two. Round it to one.
    #[error("maximum alignment {max_alignment} is not a power of two")]
    MaxAlignmentNotPowerOfTwo {
        /// The alignment given, in bytes.
        max_alignment: usize,
    },
    /// Not one minimum block is left behind the first aligned address, and beside the words if
    /// they lie in the slice too. Lend more bytes, or ask for less alignment.
    #[error(
        "{length} bytes hold no minimum block of {min_block_size} bytes at alignment \
         {max_alignment} beside the bookkeeping"
    )]
    TooSmall {
        /// The length of the slice given, in bytes.
        length: usize,
        /// The minimum block size given, in bytes.
        min_block_size: usize,
        /// The largest alignment given, in bytes.
        max_alignment: usize,
    },
    /// The slice has more minimum blocks than a region can have. Make them larger.
    #[error("{length} bytes have too many minimum blocks of {min_block_size} bytes")]
    TooManyBlocks {
        /// The length of the slice given, in bytes.
        length: usize,
        /// The minimum block size given, in bytes.
        min_block_size: usize,
    },
    /// The words lent are too few. Lend as many as
    /// [`Arena::words_needed`](crate::Arena::words_needed) tells.
    #[error("{word_count} words were lent where the arena needs {words_needed}")]
    TooFewWords {
        /// The length of the slice given, in words.
        word_count: usize,
        /// The length that is needed at this address, in words.
        words_needed: usize,
    },
}
