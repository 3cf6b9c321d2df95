//! What is asked of the selector.

use crate::flags::{MemoryPropertyFlags, UsageFlags};
use crate::resource::ResourceUse;

/// A question to [`MemoryTypeSelector`](crate::MemoryTypeSelector): which memory type for this?
///
/// `usage` or `resource` alone is enough for most, and the three flag sets refine it: what the
/// caller states goes before what the purpose implies. Fill in what matters and take the rest
/// from `Default`, which allows every type, knows no size and asks for nothing.
///
/// # Examples
///
/// ```
/// use memtype_select::{MemoryPropertyFlags, MemoryRequest, UsageFlags};
///
/// let staging = MemoryRequest {
///     usage: UsageFlags::UPLOAD,
///     memory_type_bits: 0b1_1111, // of VkMemoryRequirements
///     size: 4 << 20,
///     required: MemoryPropertyFlags::HOST_COHERENT, // we do not want to flush
///     ..Default::default()
/// };
/// assert!(staging.preferred.is_empty());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MemoryRequest {
    /// What the memory is for. Not looked at when `resource` is given.
    pub usage: UsageFlags,
    /// What the memory is for, stated by what will be bound there and how the host touches it.
    pub resource: Option<ResourceUse>,
    /// The allowed types: bit `i` allows type `i`, as in `VkMemoryRequirements`. Bits beyond the
    /// device's table are ignored, so `u32::MAX` allows every type.
    pub memory_type_bits: u32,
    /// Bytes that the heap must be able to hold, or 0 when they are not known.
    pub size: u64,
    /// A type without all of these is refused. Each flag has to be named: the device-coherent
    /// types of AMD, for example, are device-uncached as well.
    pub required: MemoryPropertyFlags,
    /// A type with these goes before one without. They are compared one by one in the order of
    /// their bits, `DEVICE_LOCAL` first, and before what the purpose prefers. Flags without a
    /// name do not count.
    pub preferred: MemoryPropertyFlags,
    /// A type without these goes before one with them, where the preferred flags do not decide.
    /// They are compared one by one in the order of their bits, and before what the purpose
    /// avoids. What the purpose prefers and the caller avoids is avoided. To avoid what is
    /// required, by `required` or by the purpose, is a contradiction that no type fulfils. Flags
    /// without a name do not count.
    pub avoided: MemoryPropertyFlags,
    /// Flags that a type may have though they are kept for those who ask: protected,
    /// device-coherent, device-uncached, RDMA-capable, lazily allocated, and flags that this crate
    /// does not know. A type with such a flag goes after those without, unless the flag is
    /// preferred as well. To require a flag includes to opt in to it; other flags need no opt-in.
    pub opt_in: MemoryPropertyFlags,
}

impl Default for MemoryRequest {
    fn default() -> Self {
        Self {
            usage: UsageFlags::empty(),
            resource: None,
            memory_type_bits: u32::MAX,
            size: 0,
            required: MemoryPropertyFlags::empty(),
            preferred: MemoryPropertyFlags::empty(),
            avoided: MemoryPropertyFlags::empty(),
            opt_in: MemoryPropertyFlags::empty(),
        }
    }
}
