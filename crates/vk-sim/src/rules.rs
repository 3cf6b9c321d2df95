//! Rules by which some resources require more than others.

use ash::vk;

/// Which resources a [`ResourceRule`] is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceKind {
    /// Every buffer and image.
    #[default]
    Any,
    /// Buffers with at least this usage; empty for all buffers.
    Buffer(vk::BufferUsageFlags),
    /// Images of linear tiling.
    LinearImage,
    /// Images of optimal tiling, transient ones among them.
    OptimalImage,
    /// Images with `TRANSIENT_ATTACHMENT` usage.
    TransientImage,
}

/// What the driver requires of some resources; several rules may be about one, and all apply.
///
/// ```
/// use vk_sim::{DriverConfig, ResourceKind, ResourceRule, SimDriver};
///
/// // Large images want memory of their own, and only the first two memory types take images.
/// let config = DriverConfig {
///     resource_rules: vec![
///         ResourceRule {
///             kind: ResourceKind::OptimalImage,
///             min_size: 1 << 20,
///             prefers_dedicated: true,
///             ..ResourceRule::default()
///         },
///         ResourceRule {
///             kind: ResourceKind::OptimalImage,
///             memory_type_bits: 0b11,
///             ..ResourceRule::default()
///         },
///     ],
///     ..DriverConfig::default()
/// };
/// assert!(SimDriver::new(config).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceRule {
    /// Which resources.
    pub kind: ResourceKind,
    /// Those that require at least so many bytes.
    pub min_size: u64,
    /// They allow no other memory types than these; has to name at least one of the table.
    pub memory_type_bits: u32,
    /// They say `prefersDedicatedAllocation`.
    pub prefers_dedicated: bool,
    /// They say `requiresDedicatedAllocation`, and then prefer it too.
    pub requires_dedicated: bool,
}

impl Default for ResourceRule {
    /// Every resource, of which nothing more is required.
    fn default() -> Self {
        Self {
            kind: ResourceKind::Any,
            min_size: 0,
            memory_type_bits: u32::MAX,
            prefers_dedicated: false,
            requires_dedicated: false,
        }
    }
}
