//! What can go wrong, by operation. Nothing has changed when one of these is returned.

use ash::vk;
use memtype_select::MemoryPropertyFlags;
use vk_pool::{CustomFault, LimitError};

/// A refusal that gives what was handed in back, so that it is not lost.
pub type Refused<T, E = FreeError> = vk_pool::Refused<T, E>;

/// A configuration that contradicts itself or the device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not a version of Vulkan.
    #[error("api_version {api_version:#x} is not a version of Vulkan")]
    ApiVersion {
        /// The value.
        api_version: u32,
    },
    /// Budgets are asked for by a function of Vulkan 1.1.
    #[error("ext_memory_budget needs Vulkan 1.1, api_version is {api_version:#x}")]
    BudgetNeedsVulkan11 {
        /// The configuration's API version.
        api_version: u32,
    },
    /// A margin is at most 64 KiB.
    #[error("corruption_margin is {margin} bytes, the largest is 65536")]
    Margin {
        /// The configuration's margin in bytes.
        margin: u64,
    },
    /// There is one shard of each memory type at least, and 64 at most.
    #[error("{shards} shards, there are 1 to 64")]
    Shards {
        /// The configuration's number of shards.
        shards: u32,
    },
    /// Requests that are not dedicated must fit into a block.
    #[error(
        "dedicated_above is {dedicated_above} bytes, more than the {largest_block_size} bytes of the largest block"
    )]
    DedicatedAbove {
        /// The threshold in bytes.
        dedicated_above: u64,
        /// The largest block in bytes.
        largest_block_size: u64,
    },
    /// A size breaks its rule; the inner error names it.
    #[error(transparent)]
    Pool(#[from] vk_pool::ConfigError),
    /// The device reports a limit that Vulkan does not allow.
    #[error("the device reports {limit} = {value}, which is not a power of two")]
    DeviceLimit {
        /// The limit's name.
        limit: &'static str,
        /// Its value.
        value: u64,
    },
    /// The head-room leaves no memory object to this allocator.
    #[error("a head-room of {head_room} leaves none of the {limit} memory objects of the device")]
    HeadRoom {
        /// The configuration's `allocation_count_head_room`.
        head_room: u32,
        /// The device's `maxMemoryAllocationCount`.
        limit: u32,
    },
    /// The device reports a memory type whose heap does not exist.
    #[error("memory type {memory_type_index} names heap {heap_index}, which does not exist")]
    MemoryTable {
        /// The type.
        memory_type_index: u32,
        /// The heap it names.
        heap_index: u32,
    },
}

/// Why no memory was allocated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllocError {
    /// A size of zero bytes.
    #[error("an allocation of 0 bytes was asked for, the smallest is 1")]
    ZeroSize,
    /// The alignment is not a power of two.
    #[error("alignment {alignment} is not a power of two")]
    AlignmentNotPowerOfTwo {
        /// The alignment in bytes.
        alignment: u64,
    },
    /// No memory type of the device is allowed and has the required flags. Allow more types, or
    /// require less.
    #[error(
        "no memory type among bits {memory_type_bits:#x} has the required flags {required:?} and suits the usage"
    )]
    NoSuitableMemoryType {
        /// The types allowed.
        memory_type_bits: u32,
        /// The flags required by the request itself; its usage may require more.
        required: MemoryPropertyFlags,
    },
    /// More than any memory object of the device can have. Split the resource.
    #[error("{size} bytes are more than the largest memory object of the device, {limit}")]
    TooLarge {
        /// Bytes asked for.
        size: u64,
        /// The largest possible, in bytes: `maxMemoryAllocationSize` or the largest heap allowed.
        limit: u64,
    },
    /// Larger than the largest block, with what is put on top of it, and dedicated memory was ruled out: by
    /// [`Strategy::Pooled`](crate::Strategy::Pooled), or by a custom pool of a fixed block size. What is
    /// put on top is the configuration's margin, and the rounding up to the device's
    /// `bufferImageGranularity` that every kind of resource but linear ones has.
    #[error(
        "{size} bytes at alignment {alignment}, with the margin and what their kind is rounded up to, do not fit into the largest block of {largest_block_size} bytes, and dedicated memory was ruled out"
    )]
    LargerThanBlock {
        /// Bytes asked for.
        size: u64,
        /// Alignment asked for.
        alignment: u64,
        /// The largest block of the memory type, in bytes.
        largest_block_size: u64,
    },
    /// The driver requires memory of its own for the resource, and the request rules it out.
    #[error("the driver requires dedicated memory for this resource, and the request rules it out")]
    DedicatedRequired,
    /// The driver requires dedicated memory for the resource, of exactly its own size, and the
    /// request raises the size.
    #[error(
        "the driver requires dedicated memory of exactly {required} bytes for this resource, {size} were asked for"
    )]
    DedicatedSize {
        /// Bytes asked for.
        size: u64,
        /// Bytes of the resource.
        required: u64,
    },
    /// The request needs something that the configuration does not name as enabled.
    #[error("the request needs {feature}, which the configuration does not name as enabled")]
    FeatureNotEnabled {
        /// The feature's name in Vulkan.
        feature: &'static str,
    },
    /// No block has room, and the request rules out asking the driver.
    #[error("no block has room, and never_allocate rules out asking the driver")]
    NoRoom,
    /// Another allocator made the pool. Ask that one.
    #[error("the pool belongs to allocator {owner}, not to allocator {asked}")]
    ForeignPool {
        /// The allocator that made it.
        owner: u32,
        /// The allocator that was asked.
        asked: u32,
    },
    /// The resource may have none of the custom pool's memory types. Make the pool from an example of
    /// such a resource.
    #[error(
        "memory types {memory_type_bits:#x} are allowed, and the pool has memory types {pool_bits:#x}"
    )]
    NotOfPool {
        /// The types that the resource or the request allows, a bit each.
        memory_type_bits: u32,
        /// The types of the pool.
        pool_bits: u32,
    },
    /// The buffer has a device address, and the custom pool's blocks are made without. Set
    /// [`CustomPoolConfig::device_address`](crate::CustomPoolConfig::device_address).
    #[error("the buffer has a device address, which the blocks of the pool are not made for")]
    NoDeviceAddress,
    /// Memory of its own was asked for, by the request or by the driver, and a custom pool of a fixed
    /// block size has none.
    #[error("{size} bytes were to have memory of their own, which the pool does not allow")]
    DedicatedNotAllowed {
        /// Bytes asked for.
        size: u64,
    },
    /// The blocks of the custom pool have no upper end: that takes a linear algorithm, of the automatic
    /// kind or a double stack, and `max_block_count` 1.
    #[error(
        "the upper end was asked for, which only automatic and double-stack linear pools with max_block_count 1 have"
    )]
    NoUpperEnd,
    /// No block of the custom pool has room, and it has as many as it may have. Free something.
    #[error("none of the pool's blocks has room, and it may have no more than {max_block_count}")]
    PoolFull {
        /// The pool's `max_block_count`.
        max_block_count: u32,
    },
    /// The custom pool's own algorithm has offered a piece that it must not; nothing was handed out, and
    /// the block serves nobody until it is empty.
    #[error(transparent)]
    WrongAnswer(#[from] CustomFault),
    /// The custom pool's own algorithm has no room for the request in an empty block.
    #[error("the pool's own algorithm has no room in an empty block of {block_size} bytes")]
    NotServed {
        /// Bytes of the block.
        block_size: u64,
    },
    /// The function that chains the custom pool's structures did not go on with what it was given.
    #[error("the pool's extension did not ask for the block that it was given")]
    NotExtended,
    /// A limit of the device or of the configuration. Free something, or raise the limit.
    /// [`LimitError::Budget`] comes only where the request stays
    /// [`within_budget`](crate::AllocationRequest::within_budget).
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The driver refused. On out-of-memory: free something, or ask for less.
    #[error("{call} answered {result:?}")]
    Driver {
        /// The function.
        call: &'static str,
        /// Its answer.
        result: vk::Result,
    },
}

impl AllocError {
    /// Whether a smaller block or another memory type may help.
    pub(crate) fn may_fall_back(&self) -> bool {
        match self {
            Self::Limit(_)
            | Self::LargerThanBlock { .. }
            | Self::NoRoom
            | Self::PoolFull { .. } => true,
            Self::Driver { result, .. } => matches!(
                *result,
                vk::Result::ERROR_OUT_OF_DEVICE_MEMORY
                    | vk::Result::ERROR_OUT_OF_HOST_MEMORY
                    | vk::Result::ERROR_TOO_MANY_OBJECTS
                    | vk::Result::ERROR_MEMORY_MAP_FAILED
            ),
            _ => false,
        }
    }
}

impl AllocError {
    /// Whether it is the driver's soft budget.
    pub(crate) fn is_budget(&self) -> bool {
        matches!(self, Self::Limit(LimitError::Budget { .. }))
    }
}

impl From<vk_pool::RequestError> for AllocError {
    fn from(error: vk_pool::RequestError) -> Self {
        match error {
            vk_pool::RequestError::ZeroSize => Self::ZeroSize,
            vk_pool::RequestError::AlignmentNotPowerOfTwo { alignment } => {
                Self::AlignmentNotPowerOfTwo { alignment }
            }
            vk_pool::RequestError::LargerThanBlock { size, alignment, largest_block_size } => {
                Self::LargerThanBlock { size, alignment, largest_block_size }
            }
            vk_pool::RequestError::DedicatedNotAllowed { size } => {
                Self::DedicatedNotAllowed { size }
            }
            vk_pool::RequestError::NoUpperEnd => Self::NoUpperEnd,
            vk_pool::RequestError::PoolFull { max_block_count } => {
                Self::PoolFull { max_block_count }
            }
            vk_pool::RequestError::WrongAnswer(fault) => Self::WrongAnswer(fault),
            other => unreachable!("a request error that this version does not know: {other}"),
        }
    }
}

/// Why a buffer or image was not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// Its memory could not be allocated.
    #[error(transparent)]
    Alloc(#[from] AllocError),
    /// The driver refused to create or bind it.
    #[error("{call} answered {result:?}")]
    Driver {
        /// The function.
        call: &'static str,
        /// Its answer.
        result: vk::Result,
    },
    /// Resources whose memory is bound in parts are not for this function. Allocate for them with
    /// [`GpuAllocator::allocate`](crate::GpuAllocator::allocate).
    #[error("{flag} resources are bound in parts: allocate and bind their memory yourself")]
    BoundInParts {
        /// The create flag.
        flag: &'static str,
    },
}

/// Why an allocation was not freed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FreeError {
    /// Another allocator made it. Free it there.
    #[error("the allocation belongs to allocator {owner}, not to allocator {asked}")]
    ForeignAllocation {
        /// The allocator that made it.
        owner: u32,
        /// The allocator that was asked.
        asked: u32,
    },
    /// The pool's books do not have it.
    #[error(transparent)]
    Pool(#[from] vk_pool::FreeError),
}

/// Why memory could not be read, written, flushed or invalidated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// Another allocator made the allocation.
    #[error("the allocation belongs to allocator {owner}, not to allocator {asked}")]
    ForeignAllocation {
        /// The allocator that made it.
        owner: u32,
        /// The allocator that was asked.
        asked: u32,
    },
    /// The bytes are not all inside of the allocation.
    #[error("{size} bytes at offset {offset} leave the allocation of {allocation_size} bytes")]
    OutOfBounds {
        /// First byte.
        offset: u64,
        /// Number of bytes.
        size: u64,
        /// Bytes of the allocation.
        allocation_size: u64,
    },
    /// The memory is not host-visible. Ask for `HOST_ACCESS`, `UPLOAD` or `DOWNLOAD`, or copy
    /// through a staging buffer.
    #[error("memory type {memory_type_index} is not mapped")]
    NotMapped {
        /// The memory type.
        memory_type_index: u32,
    },
    /// The driver could not flush or invalidate.
    #[error("{call} answered {result:?}")]
    Driver {
        /// The function.
        call: &'static str,
        /// Its answer.
        result: vk::Result,
    },
}

/// Why external memory was not adopted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// A size of zero bytes.
    #[error("external memory of 0 bytes was handed in")]
    ZeroSize,
    /// The null handle.
    #[error("the null handle was handed in as external memory")]
    NullHandle,
    /// The device has no such memory type.
    #[error("memory type {memory_type_index} does not exist, the device has {memory_type_count}")]
    NoSuchMemoryType {
        /// The index handed in.
        memory_type_index: u32,
        /// How many there are.
        memory_type_count: u32,
    },
}
