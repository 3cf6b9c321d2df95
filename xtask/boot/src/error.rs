//! Why there is no device, in one line each, and what to do about it.

use ash::vk;
use thiserror::Error;

/// Why [`Boot::new`](crate::Boot::new) has no device.
///
/// Whatever was made on the way has been destroyed again.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootError {
    /// The Vulkan loader's library is not on this machine.
    #[error("no vulkan loader (libvulkan.so.1) on this machine; run `cargo xtask setup`")]
    NoLoader,
    /// The loader knows Vulkan 1.0 only.
    #[error("the vulkan loader is older than vulkan 1.1; install a newer one")]
    LoaderTooOld,
    /// The loader found no driver, or its drivers found no device.
    #[error(
        "no vulkan driver found a device; run `cargo xtask setup`, \
         and check VK_DRIVER_FILES and VK_ICD_FILENAMES if they are set"
    )]
    NoDriver,
    /// Validation is required and the layer is not installed.
    #[error(
        "the validation layer VK_LAYER_KHRONOS_validation is not installed; run `cargo xtask setup`"
    )]
    LayerMissing,
    /// The layer is there and cannot report, for want of the extension.
    #[error("neither loader nor layer offers VK_EXT_debug_utils; install newer ones")]
    DebugUtilsMissing,
    /// There are devices, but none that can be used at all.
    #[error(
        "none of the {device_count} vulkan devices has vulkan 1.1 and a graphics or compute queue; \
         run `cargo xtask setup` for a software one"
    )]
    NoUsableDevice {
        /// How many devices the loader listed.
        device_count: usize,
    },
    /// There are usable devices, but none that was asked for.
    #[error(
        "none of the {device_count} usable vulkan devices is `{wanted}`; \
         run `cargo xtask setup`, or change VK_BOOT_DEVICE or GPU_TESTS_REQUIRE"
    )]
    NoMatchingDevice {
        /// What was asked for.
        wanted: Box<str>,
        /// How many usable devices there are.
        device_count: usize,
    },
    /// The device was lost while it was being set up.
    #[error("{call}: the device was lost; look into the kernel's log, then try again")]
    DeviceLost {
        /// The Vulkan function.
        call: &'static str,
    },
    /// The driver ran out of host or device memory.
    #[error("{call}: out of memory ({result:?}); close other programs, then try again")]
    OutOfMemory {
        /// The Vulkan function.
        call: &'static str,
        /// Which of the two.
        result: vk::Result,
    },
    /// Any other error of a Vulkan function.
    #[error("{call}: {result:?}; try another driver with VK_BOOT_DEVICE=lavapipe")]
    Call {
        /// The Vulkan function.
        call: &'static str,
        /// What it returned.
        result: vk::Result,
    },
}

impl BootError {
    /// The error for `result`, returned by the Vulkan function `call`.
    pub(crate) fn from_call(call: &'static str, result: vk::Result) -> Self {
        match result {
            vk::Result::ERROR_INCOMPATIBLE_DRIVER => Self::NoDriver,
            vk::Result::ERROR_LAYER_NOT_PRESENT => Self::LayerMissing,
            vk::Result::ERROR_DEVICE_LOST => Self::DeviceLost { call },
            vk::Result::ERROR_OUT_OF_HOST_MEMORY | vk::Result::ERROR_OUT_OF_DEVICE_MEMORY => {
                Self::OutOfMemory { call, result }
            }
            _ => Self::Call { call, result },
        }
    }
}
