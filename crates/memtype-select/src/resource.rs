//! What a resource is, and how the host touches it: the other way to state what memory is for.

use bitflags::bitflags;

bitflags! {
    /// What a buffer is used for: `VkBufferUsageFlagBits2`, whose lower half is
    /// `VkBufferUsageFlagBits`.
    ///
    /// The values are Vulkan's. The selection asks one thing only: whether there is a bit beside
    /// the two transfers. So bits without a name here count like those with one.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct BufferUsageFlags: u64 {
        /// Source of copies.
        const TRANSFER_SRC = 0x1;
        /// Target of copies.
        const TRANSFER_DST = 0x2;
        /// Uniform texel buffer.
        const UNIFORM_TEXEL_BUFFER = 0x4;
        /// Storage texel buffer.
        const STORAGE_TEXEL_BUFFER = 0x8;
        /// Uniform buffer.
        const UNIFORM_BUFFER = 0x10;
        /// Storage buffer.
        const STORAGE_BUFFER = 0x20;
        /// Index buffer.
        const INDEX_BUFFER = 0x40;
        /// Vertex buffer.
        const VERTEX_BUFFER = 0x80;
        /// Parameters of indirect commands.
        const INDIRECT_BUFFER = 0x100;
        /// The device may address it by pointer.
        const SHADER_DEVICE_ADDRESS = 0x2_0000;
    }
}

bitflags! {
    /// What an image is used for: `VkImageUsageFlagBits`.
    ///
    /// The values are Vulkan's. The selection asks whether there is a bit beside the two
    /// transfers, and whether the image is a transient attachment.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct ImageUsageFlags: u32 {
        /// Source of copies.
        const TRANSFER_SRC = 0x1;
        /// Target of copies.
        const TRANSFER_DST = 0x2;
        /// Sampled in shaders.
        const SAMPLED = 0x4;
        /// Storage image.
        const STORAGE = 0x8;
        /// Colour attachment.
        const COLOR_ATTACHMENT = 0x10;
        /// Depth or stencil attachment.
        const DEPTH_STENCIL_ATTACHMENT = 0x20;
        /// An attachment that need not outlive a pass: may be lazily allocated.
        const TRANSIENT_ATTACHMENT = 0x40;
        /// Input attachment.
        const INPUT_ATTACHMENT = 0x80;
    }
}

/// How the texels of an image lie in its memory: `VkImageTiling`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ImageTiling {
    /// As the driver likes, so that the host has nothing to look for there. Images with a DRM
    /// format modifier count as this.
    #[default]
    Optimal,
    /// Row after row.
    Linear,
}

/// A buffer or an image, as far as the choice of its memory depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A buffer.
    Buffer {
        /// What it is used for.
        usage: BufferUsageFlags,
    },
    /// An image.
    Image {
        /// What it is used for.
        usage: ImageUsageFlags,
        /// How its texels lie in memory.
        tiling: ImageTiling,
    },
}

impl Resource {
    /// Is true if it is there for transfers alone, or for nothing.
    pub(crate) fn is_for_transfers(self) -> bool {
        match self {
            Self::Buffer { usage } => {
                (BufferUsageFlags::TRANSFER_SRC | BufferUsageFlags::TRANSFER_DST).contains(usage)
            }
            Self::Image { usage, .. } => {
                (ImageUsageFlags::TRANSFER_SRC | ImageUsageFlags::TRANSFER_DST).contains(usage)
            }
        }
    }

    /// Is true for an attachment that may live in lazily allocated memory.
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::Image { usage, .. }
            if usage.contains(ImageUsageFlags::TRANSIENT_ATTACHMENT))
    }

    /// Is true if the host cannot make sense of its bytes.
    fn is_opaque(self) -> bool {
        matches!(self, Self::Image { tiling: ImageTiling::Optimal, .. })
    }
}

/// How the host touches the memory of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HostAccess {
    /// Not at all.
    #[default]
    Never,
    /// It writes, front to back, and never reads, not even by `+=` or by comparing.
    SequentialWrite,
    /// It reads, or writes here and there.
    Random,
}

/// On which side memory should lie, where the resource leaves a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Placement {
    /// What suits the resource.
    #[default]
    Auto,
    /// The device's memory, even for what is copied only.
    PreferDevice,
    /// The host's memory, even for what the device reads often.
    PreferHost,
}

/// A resource and how the host touches it, to be put into
/// [`MemoryRequest::resource`](crate::MemoryRequest::resource).
///
/// [What each asks for](crate#what-a-resource-asks-for) is on the crate's front page.
///
/// # Examples
///
/// ```
/// use memtype_select::{BufferUsageFlags, HostAccess, MemoryRequest, ResourceUse};
///
/// // Uniforms that are written in each frame: through the BAR if there is one, and otherwise
/// // the program is ready to copy them.
/// let uniforms = ResourceUse::buffer(BufferUsageFlags::UNIFORM_BUFFER)
///     .host_access(HostAccess::SequentialWrite)
///     .or_staged();
/// let request = MemoryRequest { resource: Some(uniforms), ..Default::default() };
/// # assert!(request.usage.is_empty());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResourceUse {
    /// What it is.
    pub resource: Resource,
    /// How the host touches it. The host cannot touch an image of optimal tiling, so for such
    /// one this is taken as [`HostAccess::Never`].
    pub host_access: HostAccess,
    /// Whether memory that cannot be mapped will do as well, because the program looks whether it
    /// can be, and copies through a staging buffer if not.
    pub may_stage: bool,
    /// On which side it should lie.
    pub placement: Placement,
}

impl ResourceUse {
    /// A buffer that the host does not touch.
    #[must_use]
    pub const fn buffer(usage: BufferUsageFlags) -> Self {
        Self::new(Resource::Buffer { usage })
    }

    /// An image that the host does not touch.
    #[must_use]
    pub const fn image(usage: ImageUsageFlags, tiling: ImageTiling) -> Self {
        Self::new(Resource::Image { usage, tiling })
    }

    const fn new(resource: Resource) -> Self {
        Self {
            resource,
            host_access: HostAccess::Never,
            may_stage: false,
            placement: Placement::Auto,
        }
    }

    /// The same, touched by the host in this way.
    #[must_use]
    pub const fn host_access(self, host_access: HostAccess) -> Self {
        Self { host_access, ..self }
    }

    /// The same, mapped if that is good, and staged by the program otherwise.
    #[must_use]
    pub const fn or_staged(self) -> Self {
        Self { may_stage: true, ..self }
    }

    /// The same, on this side.
    #[must_use]
    pub const fn placed(self, placement: Placement) -> Self {
        Self { placement, ..self }
    }

    /// How the host touches it, where it can.
    pub(crate) fn effective_access(self) -> HostAccess {
        if self.resource.is_opaque() { HostAccess::Never } else { self.host_access }
    }
}
