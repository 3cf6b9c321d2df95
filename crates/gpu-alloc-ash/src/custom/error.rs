//! What can go wrong with a custom pool as a whole.

use vk_pool::LimitError;

use crate::{AllocError, Leak};

/// Why a custom pool was not made. Nothing of it is left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreatePoolError {
    /// No memory type was given: see [`memory_types`](crate::GpuAllocator::memory_types).
    #[error("a pool needs at least one memory type")]
    NoMemoryType,
    /// The device has no such memory type.
    #[error("memory type {memory_type_index} does not exist, the device has {memory_type_count}")]
    NoSuchMemoryType {
        /// The index given.
        memory_type_index: u32,
        /// How many there are.
        memory_type_count: u32,
    },
    /// A memory type was given twice.
    #[error("memory type {memory_type_index} was given twice")]
    RepeatedMemoryType {
        /// The index given.
        memory_type_index: u32,
    },
    /// [`block_size`](crate::CustomPoolConfig::block_size) is `Some(0)`. For blocks that grow, give `None`.
    #[error("block_size is 0 bytes")]
    ZeroBlockSize,
    /// The configuration of the pool contradicts itself; the inner error names the fields and the rule.
    #[error(transparent)]
    Shape(#[from] vk_pool::ConfigError),
    /// No block of this size can ever be made: it is larger than its heap, the limit set for that, or
    /// the device's `maxMemoryAllocationSize`.
    #[error(transparent)]
    BlockSize(LimitError),
    /// The priority is not a number from 0 to 1.
    #[error("priority {} is not between 0 and 1", f32::from_bits(*priority_bits))]
    Priority {
        /// The bits of the number given.
        priority_bits: u32,
    },
    /// The pool needs something that the allocator's configuration does not name as enabled.
    #[error("the pool needs {feature}, which the configuration does not name as enabled")]
    FeatureNotEnabled {
        /// The feature's name in Vulkan.
        feature: &'static str,
    },
    /// The blocks that are to be there from the start could not be made, in none of the memory types.
    #[error("the first {min_block_count} blocks could not be made: {error}")]
    FirstBlocks {
        /// The configuration's `min_block_count`.
        min_block_count: u32,
        /// Why not, of the best memory type.
        #[source]
        error: AllocError,
    },
}

/// Why a custom pool was not destroyed. It comes back, and goes on as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestroyPoolError {
    /// Another allocator made it. Destroy it there.
    #[error("the pool belongs to allocator {owner}, not to allocator {asked}")]
    ForeignPool {
        /// The allocator that made it.
        owner: u32,
        /// The allocator that was asked.
        asked: u32,
    },
    /// Allocations of it are alive. Free them first.
    #[error("{} allocations of the pool are alive", live.len())]
    InUse {
        /// All of them.
        live: Vec<Leak>,
    },
}

/// What is wrong with a custom pool's books. Never seen, unless there is a bug in this crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolCheckError {
    /// An allocation leaves its block.
    #[error("{size} bytes at offset {offset} leave a block of {block_size}")]
    OutOfBlock {
        /// Its offset in bytes.
        offset: u64,
        /// Its bytes.
        size: u64,
        /// Bytes of the block.
        block_size: u64,
    },
    /// Two allocations share bytes.
    #[error("{size} bytes at offset {offset} reach into the allocation at {next_offset}")]
    Overlap {
        /// Offset of the first one in bytes.
        offset: u64,
        /// Its bytes.
        size: u64,
        /// Offset of the second one.
        next_offset: u64,
    },
    /// What is counted is not what is there.
    #[error("{counted} is {in_books} in the books, and {found} were found")]
    Count {
        /// What was counted.
        counted: &'static str,
        /// By the books.
        in_books: u64,
        /// By counting.
        found: u64,
    },
}
