//! What each operation refuses, and with which numbers.

use thiserror::Error;

/// Why a region could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A size is zero. Give both sizes in bytes, above zero.
    #[error(
        "total size {total_size} and minimum block size {min_block_size} must both be above zero"
    )]
    ZeroSize {
        /// The total size given, in bytes.
        total_size: u64,
        /// The minimum block size given, in bytes.
        min_block_size: u64,
    },
    /// The minimum block size is not a power of two. Round it to one.
    #[error("minimum block size {min_block_size} is not a power of two")]
    MinBlockSizeNotPowerOfTwo {
        /// The minimum block size given, in bytes.
        min_block_size: u64,
    },
    /// The region is smaller than one minimum block. Make the minimum block smaller.
    #[error("total size {total_size} is below the minimum block size {min_block_size}")]
    BelowMinBlock {
        /// The total size given, in bytes.
        total_size: u64,
        /// The minimum block size given, in bytes.
        min_block_size: u64,
    },
    /// The region has too many minimum blocks. Make the minimum block larger.
    #[error("{block_count} minimum blocks are more than the {max_block_count} a region can have")]
    TooManyBlocks {
        /// How many minimum blocks the two sizes ask for.
        block_count: u64,
        /// How many there may be at most.
        max_block_count: u64,
    },
    /// The words lent do not have the length that
    /// [`words_needed`](crate::BuddyAllocator::words_needed) tells. Lend a slice of that length.
    #[error("{word_count} words were lent where the region needs exactly {words_needed}")]
    WrongWordCount {
        /// The length of the slice given, in words.
        word_count: usize,
        /// The length the region needs, in words.
        words_needed: usize,
    },
    /// The host's allocator refused the words. Make the minimum block larger, or lend the words.
    #[error("the host has no memory for the {words_needed} words of the region")]
    OutOfHostMemory {
        /// The length the region needs, in words.
        words_needed: usize,
    },
}

/// Why a request got no block. The region is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum AllocError {
    /// No free block is large enough now. Freeing, or another region, may help.
    ///
    /// In a region whose size is not a power of two this also answers a request that fits in the
    /// region by its bytes, but whose rounded size is larger than any block the region has.
    #[error(
        "no free block holds {size} bytes at alignment {alignment}, the largest has \
         {largest_free_block}"
    )]
    OutOfMemory {
        /// The size asked for, in bytes.
        size: u64,
        /// The alignment asked for, in bytes; 0 and 1 mean none.
        alignment: u64,
        /// The size of the largest free block, in bytes; 0 when the region is full. It may be as
        /// large as the request when only the alignment was too much.
        largest_free_block: u64,
    },
    /// The size is zero, or larger than the region. Do not retry.
    #[error("size {size} is not within 1 ..= {total_size}, the region's size")]
    InvalidSize {
        /// The size asked for, in bytes.
        size: u64,
        /// The bytes the region manages.
        total_size: u64,
    },
    /// The alignment is neither zero nor a power of two, or is larger than the region. Do not
    /// retry.
    #[error("alignment {alignment} is not a power of two within the region's size")]
    InvalidAlignment {
        /// The alignment asked for, in bytes.
        alignment: u64,
    },
    /// The host refused the memory for the region's own words, which only `Paged` storage asks
    /// for here. Retry later, or free something on the host.
    #[error("the host has no memory for the bookkeeping of {size} bytes")]
    OutOfHostMemory {
        /// The size asked for, in bytes.
        size: u64,
    },
}

/// Why a block was not freed. The region is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum FreeError {
    /// The block does not name exactly one live allocation: it was freed before, comes from
    /// another region, or is a part or a union of live ones. This is a defect of the caller.
    #[error("no live allocation of {size} bytes starts at offset {offset}")]
    NotAllocated {
        /// The offset of the block given, in bytes.
        offset: u64,
        /// The size of the block given, in bytes.
        size: u64,
    },
}

/// Why a block was not resized. The region is unchanged, and the block as live as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// The block does not name exactly one live allocation. This is a defect of the caller.
    #[error("no live allocation of {size} bytes starts at offset {offset}")]
    NotAllocated {
        /// The offset of the block given, in bytes.
        offset: u64,
        /// The size of the block given, in bytes.
        size: u64,
    },
    /// The new size is zero, or larger than the region. Do not retry.
    #[error("size {size} is not within 1 ..= {total_size}, the region's size")]
    InvalidSize {
        /// The size asked for, in bytes.
        size: u64,
        /// The bytes the region manages.
        total_size: u64,
    },
    /// What lies behind the block is taken or outside the region, or the offset is not a multiple
    /// of the power of two that the new size rounds up to. Another allocation may have room.
    #[error("the block of {size} bytes at offset {offset} cannot grow to {new_size} bytes there")]
    NoRoom {
        /// The offset of the block given, in bytes.
        offset: u64,
        /// The size of the block given, in bytes.
        size: u64,
        /// The size asked for, in bytes.
        new_size: u64,
    },
    /// The host refused the memory for the region's own words, which only `Paged` storage asks
    /// for here. Retry later, or keep to the old size.
    #[error("the host has no memory for the bookkeeping of {size} bytes")]
    OutOfHostMemory {
        /// The size asked for, in bytes.
        size: u64,
    },
}
