//! What is asked of a pool, and the opaque numbers that name things between the layers.

/// The owner's name for one block: whatever it needs to find the memory object again.
///
/// The pool stores it and gives it back. It must be unique among the blocks of one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub u64);

/// What the memory objects of a pool have in common beyond size and memory type: allocate flags,
/// device mask, export handle types, priority, extension structures.
///
/// Opaque here: two requests share blocks only if their classes are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

/// How a resource lays out its texels, which is what `bufferImageGranularity` is about (Vulkan
/// spec, "Buffer-Image Granularity").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// Buffers, and images with linear tiling.
    Linear,
    /// Images with optimal tiling.
    NonLinear,
    /// Not known: treated as [`NonLinear`](Self::NonLinear), which is always safe.
    #[default]
    Unknown,
}

/// Whether a request may, must or must not have a memory object of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dedicated {
    /// By size: above [`PoolConfig::dedicated_above`](crate::PoolConfig::dedicated_above).
    #[default]
    BySize,
    /// Always.
    Always,
    /// Never: carved out of a block, or refused.
    Never,
}

/// One request to a pool, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PoolRequest {
    /// Bytes needed; zero is refused.
    pub size: u64,
    /// A power of two; 0 and 1 mean none.
    pub alignment: u64,
    /// What will be bound there.
    pub kind: ResourceKind,
    /// Whether it may have a memory object of its own.
    pub dedicated: Dedicated,
    /// Whether to take it from the upper end of a block; refused by pools whose blocks have none.
    pub upper: bool,
}
