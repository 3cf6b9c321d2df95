//! The device that all facades allocate from.

use ash::vk;
use vk_boot::{Boot, BootError, BootOptions, DeviceChoice, Validation};

/// A booted device, without validation: its checks would be in everybody's figures.
pub(crate) struct Gpu {
    pub(crate) boot: Boot,
}

impl Gpu {
    /// Boots the device that the environment chooses: `cargo xtask` sees to it that this is lavapipe
    /// where there is no GPU.
    pub(crate) fn new() -> Result<Self, BootError> {
        let device = DeviceChoice::from_environment();
        let boot = Boot::new(&BootOptions { validation: Validation::Off, device })?;
        Ok(Self { boot })
    }

    /// Its name, its memory types and heaps, in words.
    pub(crate) fn describe(&self) -> String {
        let memory = &self.boot.memory_properties;
        let heaps: Vec<_> =
            memory.memory_heaps_as_slice().iter().map(|heap| heap.size >> 20).collect();
        format!(
            "{} ({}), {} memory types, heaps of {heaps:?} MiB",
            self.boot.device_name.trim(),
            self.boot.driver_name.trim(),
            memory.memory_type_count,
        )
    }

    /// A bit for each memory type that any program may use.
    pub(crate) fn memory_type_bits(&self) -> u32 {
        self.ordinary_types().fold(0, |bits, index| bits | 1 << index)
    }

    /// Two memory types that any program may use, a bit each; `None` where there is one.
    pub(crate) fn two_types(&self) -> Option<[u32; 2]> {
        let mut types = self.ordinary_types();
        Some([1 << types.next()?, 1 << types.next()?])
    }

    /// Memory types without properties beyond those of Vulkan 1.0's everyday ones.
    fn ordinary_types(&self) -> impl Iterator<Item = u32> + '_ {
        let everyday = vk::MemoryPropertyFlags::DEVICE_LOCAL
            | vk::MemoryPropertyFlags::HOST_VISIBLE
            | vk::MemoryPropertyFlags::HOST_COHERENT
            | vk::MemoryPropertyFlags::HOST_CACHED;
        let types = self.boot.memory_properties.memory_types_as_slice();
        (0u32..)
            .zip(types)
            .filter(move |(_, memory_type)| everyday.contains(memory_type.property_flags))
            .map(|(index, _)| index)
    }
}
