//! The functions that the driver has, as values.

use ash::vk;

/// The functions, each by its Vulkan name without the prefix.
macro_rules! calls {
    ($($name:ident)+) => {
        /// A function of the simulated driver; the core and the KHR name are one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each name is the Vulkan function's, without the prefix")]
        pub enum Call {
            $($name,)+
        }

        impl Call {
            /// Every function, but for those that find functions.
            pub const ALL: [Self; [$(stringify!($name)),+].len()] = [$(Self::$name),+];

            /// The name of the Vulkan function.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("vk", stringify!($name)),)+
                }
            }
        }
    };
}

calls! {
    AllocateMemory
    FreeMemory
    MapMemory
    UnmapMemory
    FlushMappedMemoryRanges
    InvalidateMappedMemoryRanges
    CreateBuffer
    DestroyBuffer
    CreateImage
    DestroyImage
    GetBufferMemoryRequirements
    GetBufferMemoryRequirements2
    GetImageMemoryRequirements
    GetImageMemoryRequirements2
    GetDeviceBufferMemoryRequirements
    GetDeviceImageMemoryRequirements
    BindBufferMemory
    BindBufferMemory2
    BindImageMemory
    BindImageMemory2
    GetBufferDeviceAddress
    GetPhysicalDeviceProperties
    GetPhysicalDeviceProperties2
    GetPhysicalDeviceMemoryProperties
    GetPhysicalDeviceMemoryProperties2
    GetPhysicalDeviceQueueFamilyProperties
    EnumerateDeviceExtensionProperties
    GetDeviceQueue
    CreateCommandPool
    DestroyCommandPool
    ResetCommandPool
    AllocateCommandBuffers
    FreeCommandBuffers
    BeginCommandBuffer
    EndCommandBuffer
    ResetCommandBuffer
    CmdCopyBuffer
    CmdFillBuffer
    CmdUpdateBuffer
    CmdCopyBufferToImage
    CmdCopyImageToBuffer
    CmdClearColorImage
    CmdPipelineBarrier
    CmdPipelineBarrier2
    CreateFence
    DestroyFence
    ResetFences
    GetFenceStatus
    WaitForFences
    QueueSubmit
    QueueSubmit2
    QueueWaitIdle
    DeviceWaitIdle
    DestroyDevice
    DestroyInstance
}

impl Call {
    /// The errors that this function may return; empty for those that cannot fail.
    ///
    /// As the specification lists them, without those of extensions that are not simulated.
    /// `vkAllocateMemory` has `VK_ERROR_TOO_MANY_OBJECTS` too, which drivers return at
    /// `maxMemoryAllocationCount`.
    pub fn errors(self) -> &'static [vk::Result] {
        const HOST: vk::Result = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
        const DEVICE: vk::Result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
        const LOST: vk::Result = vk::Result::ERROR_DEVICE_LOST;
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
            | Self::InvalidateMappedMemoryRanges
            | Self::CreateCommandPool
            | Self::AllocateCommandBuffers
            | Self::BeginCommandBuffer
            | Self::EndCommandBuffer
            | Self::CreateFence => &[HOST, DEVICE],
            Self::ResetCommandPool | Self::ResetCommandBuffer | Self::ResetFences => &[DEVICE],
            Self::GetFenceStatus
            | Self::WaitForFences
            | Self::QueueSubmit
            | Self::QueueSubmit2
            | Self::QueueWaitIdle
            | Self::DeviceWaitIdle => &[HOST, DEVICE, LOST],
            Self::EnumerateDeviceExtensionProperties => {
                &[HOST, DEVICE, vk::Result::ERROR_LAYER_NOT_PRESENT]
            }
            _ => &[],
        }
    }

    /// Whether the function can return an error.
    #[must_use]
    pub fn is_fallible(self) -> bool {
        !self.errors().is_empty()
    }
}
