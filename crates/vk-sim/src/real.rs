//! The real driver under an overlay: its functions, and which of its memory types stands for which
//! of the table's.
//!
//! Basic design: a memory type of the table is backed by the first real type that the host can use
//! in the same way: visible if it has to be, and coherent too if it has to be. A type that is not
//! coherent may be backed by one that is, since the overlay keeps a host's copy of its own. So one
//! real type, like lavapipe's, is enough for any table.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use ash::vk::{self, Handle};
use parking_lot::RwLock;

use crate::config::DriverConfig;
use crate::config_error::OverlayError;

/// The functions and handles of a driver that a program has made itself.
pub struct RealDriver<'a> {
    /// What the instance was loaded with.
    pub entry: &'a ash::Entry,
    /// The instance.
    pub instance: &'a ash::Instance,
    /// The physical device that `device` was made from.
    pub physical_device: vk::PhysicalDevice,
    /// The device.
    pub device: &'a ash::Device,
}

/// What an overlay keeps of it.
pub(crate) struct Real {
    pub(crate) static_fn: ash::StaticFn,
    pub(crate) instance: ash::Instance,
    pub(crate) physical_device: vk::PhysicalDevice,
    pub(crate) device: ash::Device,
    /// For each memory type of the table the real one's index.
    types: Vec<u32>,
    memory: vk::PhysicalDeviceMemoryProperties,
}

impl Real {
    /// # Errors
    ///
    /// [`OverlayError::NoRealType`]: a memory type of the table has no counterpart.
    pub(crate) fn new(
        driver: &RealDriver<'_>,
        memory: vk::PhysicalDeviceMemoryProperties,
        config: &DriverConfig,
    ) -> Result<Self, OverlayError> {
        let types = (0..config.memory_type_count())
            .map(|index| {
                counterpart(config.memory_flags(index), &memory)
                    .ok_or(OverlayError::NoRealType { memory_type_index: index })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            static_fn: driver.entry.static_fn().clone(),
            instance: driver.instance.clone(),
            physical_device: driver.physical_device,
            device: driver.device.clone(),
            types,
            memory,
        })
    }

    /// The real memory type for one of the table.
    pub(crate) fn memory_type_index(&self, memory_type_index: u32) -> u32 {
        let index = usize::try_from(memory_type_index).expect("in the table, so below 32");
        self.types[index]
    }

    /// Whether the real memory type for one of the table needs real flushes.
    pub(crate) fn needs_flushes(&self, memory_type_index: u32) -> bool {
        let real = self.memory_type_index(memory_type_index);
        let index = usize::try_from(real).expect("a memory type's index is below 32");
        let flags = self.memory.memory_types[index].property_flags;
        !flags.contains(vk::MemoryPropertyFlags::HOST_COHERENT)
    }

    /// The same requirements in terms of the table.
    pub(crate) fn translated(&self, real: vk::MemoryRequirements) -> vk::MemoryRequirements {
        let memory_type_bits = (0..).zip(&self.types).fold(0_u32, |bits, (index, &real_index)| {
            bits | (((real.memory_type_bits >> real_index) & 1) << index)
        });
        vk::MemoryRequirements { memory_type_bits, ..real }
    }
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Real").field("types", &self.types).finish_non_exhaustive()
    }
}

/// The first real memory type that can stand for one with these flags.
fn counterpart(
    flags: vk::MemoryPropertyFlags,
    real: &vk::PhysicalDeviceMemoryProperties,
) -> Option<u32> {
    let wanted =
        flags & (vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT);
    let unusual = vk::MemoryPropertyFlags::PROTECTED | vk::MemoryPropertyFlags::LAZILY_ALLOCATED;
    real.memory_types_as_slice()
        .iter()
        .position(|real| {
            real.property_flags.contains(wanted) && !real.property_flags.intersects(unusual)
        })
        .and_then(|index| u32::try_from(index).ok())
}

/// Overlays so far that live; as long as there is none, nobody looks at the addresses.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The state's address for each dispatchable handle of a real driver under an overlay.
static ADDRESSES: RwLock<BTreeMap<u64, usize>> = RwLock::new(BTreeMap::new());

/// The address of the state for a real driver's handle.
pub(crate) fn address_for(handle: u64) -> Option<usize> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return None;
    }
    ADDRESSES.read().get(&handle).copied()
}

/// The handles by which an overlay is found.
fn handles(real: &Real) -> [u64; 3] {
    [real.instance.handle().as_raw(), real.physical_device.as_raw(), real.device.handle().as_raw()]
}

/// Makes a real driver's handles lead to the state at `address`.
///
/// # Errors
///
/// [`OverlayError::Taken`]: one of them leads to another.
pub(crate) fn register(real: &Real, address: usize) -> Result<(), OverlayError> {
    let mut addresses = ADDRESSES.write();
    let handles = handles(real);
    if handles.iter().any(|handle| addresses.contains_key(handle)) {
        return Err(OverlayError::Taken);
    }
    addresses.extend(handles.map(|handle| (handle, address)));
    COUNT.fetch_add(1, Ordering::Release);
    Ok(())
}

/// Undoes [`register`].
pub(crate) fn unregister(real: &Real) {
    let mut addresses = ADDRESSES.write();
    for handle in handles(real) {
        addresses.remove(&handle);
    }
    COUNT.fetch_sub(1, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_gets_the_first_that_the_host_can_use_alike() {
        let [local, visible, coherent, cached, lazily] = [
            vk::MemoryPropertyFlags::DEVICE_LOCAL,
            vk::MemoryPropertyFlags::HOST_VISIBLE,
            vk::MemoryPropertyFlags::HOST_COHERENT,
            vk::MemoryPropertyFlags::HOST_CACHED,
            vk::MemoryPropertyFlags::LAZILY_ALLOCATED,
        ];
        let mut real = vk::PhysicalDeviceMemoryProperties {
            memory_type_count: 4,
            ..vk::PhysicalDeviceMemoryProperties::default()
        };
        for (out, flags) in
            real.memory_types.iter_mut().zip([lazily, local, visible | cached, visible | coherent])
        {
            out.property_flags = flags;
        }
        for (flags, expected) in [
            (vk::MemoryPropertyFlags::empty(), Some(1)),
            (local | lazily, Some(1)),
            (visible | cached, Some(2)),
            (local | visible | coherent, Some(3)),
        ] {
            assert_eq!(counterpart(flags, &real), expected, "{flags:?}");
        }
        real.memory_type_count = 2;
        assert_eq!(counterpart(visible, &real), None);
    }
}
