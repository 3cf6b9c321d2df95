//! What a custom pool is to be like, and what is asked of one.

use ash::vk;
use vk_pool::{Algorithm, ResourceKind};

use crate::{AllocationRequest, Strategy};

/// What a custom pool is to be like. Write what matters and end with `..Default::default()`.
///
/// ```
/// use gpu_alloc_ash::{Algorithm, CustomPoolConfig, LinearKind};
///
/// // Uniforms of a few frames in flight, in memory type 1.
/// let ring = CustomPoolConfig {
///     memory_types: &[1],
///     algorithm: Algorithm::Linear(LinearKind::Ring),
///     block_size: Some(1 << 20),
///     max_block_count: Some(1),
///     name: Some("uniforms"),
///     ..Default::default()
/// };
/// # let _ = ring;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CustomPoolConfig<'a> {
    /// The memory types to take memory of, best first: one, or several if the pool may fall back. See
    /// [`memory_types`](crate::GpuAllocator::memory_types) and
    /// [`memory_types_for_buffer`](crate::GpuAllocator::memory_types_for_buffer), which answer rankings.
    ///
    /// In each of them the pool has blocks of its own; sizes and counts hold for each. A ring over two
    /// memory types is two rings, the second of which is used while the first is full.
    pub memory_types: &'a [u32],
    /// What carves up the blocks. Default: two tiers, as in ordinary pools.
    pub algorithm: Algorithm,
    /// Bytes of each block, any number but 0: exactly so many, and no allocation has memory of its own. An
    /// allocation is as large as a block only if nothing is put on top of it: no
    /// [`corruption_margin`](crate::AllocatorConfig::corruption_margin), and no rounding up to the device's
    /// `bufferImageGranularity`, which every kind but [`Linear`](ResourceKind::Linear) has. `None`, the
    /// default, lets blocks grow as those of ordinary pools do, and allows dedicated memory.
    pub block_size: Option<u64>,
    /// Blocks that are made at once and never given back; of the first memory type that has room for all
    /// of them. The driver's budget does not stop them. Default 0.
    pub min_block_count: u32,
    /// Blocks that each memory type may have; `None`, the default, for as many as the device and the
    /// configuration allow. Dedicated memory does not count.
    pub max_block_count: Option<u32>,
    /// The least alignment of every allocation, a power of two; 0 and 1 mean none. Default none.
    pub min_alignment: u64,
    /// The smallest piece in bytes, a power of two, to multiples of which sizes are rounded up. `None`, the
    /// default, is 1 for linear pools, and else that of the allocator's configuration.
    pub min_allocation_size: Option<u64>,
    /// How much the driver should want to keep the blocks in their heap, 0.0 to 1.0; the driver takes
    /// 0.5 for those without. Needs
    /// [`ext_memory_priority`](crate::AllocatorConfig::ext_memory_priority).
    pub priority: Option<f32>,
    /// Whether buffers with `SHADER_DEVICE_ADDRESS` may be bound there.
    pub device_address: bool,
    /// A name for reports.
    pub name: Option<&'a str>,
}

impl Default for CustomPoolConfig<'_> {
    fn default() -> Self {
        Self {
            memory_types: &[],
            algorithm: Algorithm::TwoTier,
            block_size: None,
            min_block_count: 0,
            max_block_count: None,
            min_alignment: 1,
            min_allocation_size: None,
            priority: None,
            device_address: false,
            name: None,
        }
    }
}

/// A request to a custom pool, which has decided already what the memory is for. Write what matters and
/// end with `..Default::default()`.
///
/// Where a buffer or image is given as well, `size` and `alignment` raise what the driver asks for it,
/// and `memory_type_bits` are intersected with the driver's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolAllocationRequest<'a> {
    /// Bytes needed.
    pub size: u64,
    /// A power of two; 0 and 1 mean none. The pool's own is kept as well.
    pub alignment: u64,
    /// What will be bound there, for `bufferImageGranularity`. Default unknown, which is safe.
    pub kind: ResourceKind,
    /// Which memory types are allowed, a bit each. Default: all of the pool's.
    pub memory_type_bits: u32,
    /// Where the memory may come from.
    pub strategy: Strategy,
    /// Take it from the upper end of the block, which automatic and double-stack linear pools of one
    /// block have.
    pub upper_end: bool,
    /// Refuse the request rather than pass the driver's budget of a heap.
    pub within_budget: bool,
    /// Refuse the request rather than call the driver.
    pub never_allocate: bool,
    /// Whether its bytes are to be zero: see [`AllocationRequest::zeroed`].
    pub zeroed: bool,
    /// A name for reports.
    pub name: Option<&'a str>,
}

impl PoolAllocationRequest<'_> {
    /// What [`Default`] gives, for constants.
    pub const DEFAULT: Self = Self {
        size: 0,
        alignment: 1,
        kind: ResourceKind::Unknown,
        memory_type_bits: u32::MAX,
        strategy: Strategy::Auto,
        upper_end: false,
        within_budget: false,
        never_allocate: false,
        zeroed: false,
        name: None,
    };
}

impl Default for PoolAllocationRequest<'_> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<vk::MemoryRequirements> for PoolAllocationRequest<'_> {
    /// Size, alignment and memory types as the driver states them; the rest is the default.
    fn from(requirements: vk::MemoryRequirements) -> Self {
        Self::default().raised_to(&requirements)
    }
}

impl<'a> PoolAllocationRequest<'a> {
    /// This request, raised to what the driver asks for a resource.
    pub(crate) fn raised_to(self, requirements: &vk::MemoryRequirements) -> Self {
        Self {
            size: self.size.max(requirements.size),
            alignment: self.alignment.max(requirements.alignment),
            memory_type_bits: self.memory_type_bits & requirements.memory_type_bits,
            ..self
        }
    }

    /// What an ordinary pool would be asked, but for the upper end.
    pub(crate) fn plain(&self) -> AllocationRequest<'a> {
        AllocationRequest {
            size: self.size,
            alignment: self.alignment,
            kind: self.kind,
            memory_type_bits: self.memory_type_bits,
            strategy: self.strategy,
            within_budget: self.within_budget,
            never_allocate: self.never_allocate,
            zeroed: self.zeroed,
            name: self.name,
            ..AllocationRequest::DEFAULT
        }
    }
}
