//! The functions that the driver has, as values.

use ash::vk;

/// A function of the simulated driver; the core and the KHR name are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each name is the Vulkan function's, without the prefix")]
pub enum Call {
    AllocateMemory,
    FreeMemory,
    MapMemory,
    UnmapMemory,
    FlushMappedMemoryRanges,
    InvalidateMappedMemoryRanges,
    CreateBuffer,
    DestroyBuffer,
    CreateImage,
    DestroyImage,
    GetBufferMemoryRequirements,
    GetBufferMemoryRequirements2,
    GetImageMemoryRequirements,
    GetImageMemoryRequirements2,
    BindBufferMemory,
    BindBufferMemory2,
    BindImageMemory,
    BindImageMemory2,
    GetBufferDeviceAddress,
    GetPhysicalDeviceProperties,
    GetPhysicalDeviceProperties2,
    GetPhysicalDeviceMemoryProperties,
    GetPhysicalDeviceMemoryProperties2,
    DestroyDevice,
    DestroyInstance,
}

impl Call {
    /// Every function, but for those that find functions.
    pub const ALL: [Self; 25] = [
        Self::AllocateMemory,
        Self::FreeMemory,
        Self::MapMemory,
        Self::UnmapMemory,
        Self::FlushMappedMemoryRanges,
        Self::InvalidateMappedMemoryRanges,
        Self::CreateBuffer,
        Self::DestroyBuffer,
        Self::CreateImage,
        Self::DestroyImage,
        Self::GetBufferMemoryRequirements,
        Self::GetBufferMemoryRequirements2,
        Self::GetImageMemoryRequirements,
        Self::GetImageMemoryRequirements2,
        Self::BindBufferMemory,
        Self::BindBufferMemory2,
        Self::BindImageMemory,
        Self::BindImageMemory2,
        Self::GetBufferDeviceAddress,
        Self::GetPhysicalDeviceProperties,
        Self::GetPhysicalDeviceProperties2,
        Self::GetPhysicalDeviceMemoryProperties,
        Self::GetPhysicalDeviceMemoryProperties2,
        Self::DestroyDevice,
        Self::DestroyInstance,
    ];

    /// The name of the Vulkan function.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AllocateMemory => "vkAllocateMemory",
            Self::FreeMemory => "vkFreeMemory",
            Self::MapMemory => "vkMapMemory",
            Self::UnmapMemory => "vkUnmapMemory",
            Self::FlushMappedMemoryRanges => "vkFlushMappedMemoryRanges",
            Self::InvalidateMappedMemoryRanges => "vkInvalidateMappedMemoryRanges",
            Self::CreateBuffer => "vkCreateBuffer",
            Self::DestroyBuffer => "vkDestroyBuffer",
            Self::CreateImage => "vkCreateImage",
            Self::DestroyImage => "vkDestroyImage",
            Self::GetBufferMemoryRequirements => "vkGetBufferMemoryRequirements",
            Self::GetBufferMemoryRequirements2 => "vkGetBufferMemoryRequirements2",
            Self::GetImageMemoryRequirements => "vkGetImageMemoryRequirements",
            Self::GetImageMemoryRequirements2 => "vkGetImageMemoryRequirements2",
            Self::BindBufferMemory => "vkBindBufferMemory",
            Self::BindBufferMemory2 => "vkBindBufferMemory2",
            Self::BindImageMemory => "vkBindImageMemory",
            Self::BindImageMemory2 => "vkBindImageMemory2",
            Self::GetBufferDeviceAddress => "vkGetBufferDeviceAddress",
            Self::GetPhysicalDeviceProperties => "vkGetPhysicalDeviceProperties",
            Self::GetPhysicalDeviceProperties2 => "vkGetPhysicalDeviceProperties2",
            Self::GetPhysicalDeviceMemoryProperties => "vkGetPhysicalDeviceMemoryProperties",
            Self::GetPhysicalDeviceMemoryProperties2 => "vkGetPhysicalDeviceMemoryProperties2",
            Self::DestroyDevice => "vkDestroyDevice",
            Self::DestroyInstance => "vkDestroyInstance",
        }
    }

    /// The errors that this function may return; empty for those that cannot fail.
    ///
    /// As the specification lists them, without those of extensions that are not simulated.
    /// `vkAllocateMemory` has `VK_ERROR_TOO_MANY_OBJECTS` too, which drivers return at
    /// `maxMemoryAllocationCount`.
    pub fn errors(self) -> &'static [vk::Result] {
        const HOST: vk::Result = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
        const DEVICE: vk::Result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
        match self {
            Self::AllocateMemory => &[
                HOST,
                DEVICE,
                vk::Result::ERROR_TOO_MANY_OBJECTS,
                vk::Result::ERROR_INVALID_EXTERNAL_HANDLE,
                vk::Result::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS,
            ],
            Self::MapMemory => &[HOST, DEVICE, vk::Result::ERROR_MEMORY_MAP_FAILED],
            Self::CreateBuffer | Self::BindBufferMemory | Self::BindBufferMemory2 => {
                &[HOST, DEVICE, vk::Result::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS]
            }
            Self::CreateImage
            | Self::BindImageMemory
            | Self::BindImageMemory2
            | Self::FlushMappedMemoryRanges
            | Self::InvalidateMappedMemoryRanges => &[HOST, DEVICE],
            _ => &[],
        }
    }

    /// Whether the function can return an error.
    #[must_use]
    pub fn is_fallible(self) -> bool {
        !self.errors().is_empty()
    }
}
