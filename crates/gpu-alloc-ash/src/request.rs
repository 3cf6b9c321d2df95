//! What is asked of the allocator.

use ash::vk;
use memtype_select::{MemoryPropertyFlags, MemoryRequest, UsageFlags};
use vk_pool::ResourceKind;

/// Where an allocation may come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// A piece of a block, or memory of its own, by size and by what the driver wants.
    #[default]
    Auto,
    /// A piece of a block, or refused.
    Pooled,
    /// Memory of its own.
    Dedicated,
}

/// A request for memory. Write what matters and end with `..Default::default()`.
///
/// ```
/// use gpu_alloc_ash::{AllocationRequest, UsageFlags};
///
/// let staging = AllocationRequest {
///     size: 64 << 10,
///     usage: UsageFlags::UPLOAD,
///     name: Some("staging"),
///     ..Default::default()
/// };
/// # let _ = staging;
/// ```
///
/// Where a buffer or image is given as well, `size` and `alignment` raise what the driver asks for
/// it, and `memory_type_bits` are intersected with the driver's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllocationRequest<'a> {
    /// Bytes needed.
    pub size: u64,
    /// A power of two; 0 and 1 mean none.
    pub alignment: u64,
    /// What the memory is for: decides the memory type.
    pub usage: UsageFlags,
    /// Which memory types are allowed, a bit each (`VkMemoryRequirements::memoryTypeBits`). Bits
    /// beyond the device's table are ignored. Default: all.
    pub memory_type_bits: u32,
    /// What will be bound there, for `bufferImageGranularity`. Default unknown, which is safe and
    /// may cost a little memory.
    pub kind: ResourceKind,
    /// Property flags that the memory type must have. Those of ash turn into these by `into()`.
    pub required: MemoryPropertyFlags,
    /// Property flags that it should have, beyond what `usage` says.
    pub preferred: MemoryPropertyFlags,
    /// Property flags that it should not have, beyond what `usage` says.
    pub avoided: MemoryPropertyFlags,
    /// Where the memory may come from.
    pub strategy: Strategy,
    /// Whether buffers with `SHADER_DEVICE_ADDRESS` will be bound there.
    /// [`create_buffer`](crate::GpuAllocator::create_buffer) sets it from the buffer's usage.
    pub device_address: bool,
    /// Refuse the request rather than pass the driver's budget of a heap. Where the driver has none,
    /// the budget is four fifths of the heap.
    pub within_budget: bool,
    /// Refuse the request rather than call the driver: only blocks that exist are asked.
    pub never_allocate: bool,
    /// Memory of zeroes: where it is host-visible, the host writes them, which costs that; elsewhere, and
    /// for a non-linear [`kind`](Self::kind), whose texels only the device can write,
    /// [`needs_zeroing`](crate::Allocation::needs_zeroing) says that the device has to.
    pub zeroed: bool,
    /// A name for reports. Kept in a side table: nameless allocations pay nothing.
    pub name: Option<&'a str>,
}

impl AllocationRequest<'_> {
    /// What [`Default`] gives, for constants: `AllocationRequest { size: 64, ..AllocationRequest::DEFAULT }`.
    pub const DEFAULT: Self = Self {
        size: 0,
        alignment: 1,
        usage: UsageFlags::empty(),
        memory_type_bits: u32::MAX,
        kind: ResourceKind::Unknown,
        required: MemoryPropertyFlags::empty(),
        preferred: MemoryPropertyFlags::empty(),
        avoided: MemoryPropertyFlags::empty(),
        strategy: Strategy::Auto,
        device_address: false,
        within_budget: false,
        never_allocate: false,
        zeroed: false,
        name: None,
    };
}

impl Default for AllocationRequest<'_> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<vk::MemoryRequirements> for AllocationRequest<'_> {
    /// Size, alignment and memory types as the driver states them; the rest is the default.
    fn from(requirements: vk::MemoryRequirements) -> Self {
        Self {
            size: requirements.size,
            alignment: requirements.alignment,
            memory_type_bits: requirements.memory_type_bits,
            ..Self::default()
        }
    }
}

impl AllocationRequest<'_> {
    /// This request, raised to what the driver asks for a resource.
    pub(crate) fn raised_to(self, requirements: &vk::MemoryRequirements) -> Self {
        Self {
            size: self.size.max(requirements.size),
            alignment: self.alignment.max(requirements.alignment),
            memory_type_bits: self.memory_type_bits & requirements.memory_type_bits,
            ..self
        }
    }

    /// The question to the memory type selector.
    #[inline]
    pub(crate) fn type_question(&self) -> MemoryRequest {
        MemoryRequest {
            usage: self.usage,
            memory_type_bits: self.memory_type_bits,
            size: self.size,
            required: self.required,
            preferred: self.preferred,
            avoided: self.avoided,
            ..MemoryRequest::default()
        }
    }
}
