//! A device out of bytes: any memory table, any limits, within what this machine can back.
//!
//! Basic design: the simulated driver backs what is mapped with host memory. So of memory types that
//! can be mapped either the heaps are small, and then all other sizes may be anything; or the heaps
//! may be anything, and then no size is between what this machine gives easily and what no machine
//! has (see [`Scale`]).

use ash::vk;
use vk_sim::DriverConfig;

use crate::input::Input;

/// Which sizes a program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Any, as the heaps that can be mapped are small.
    Free,
    /// None between `2^EASY_SHIFT` and `2^IMPOSSIBLE_SHIFT` bytes.
    Gap,
}

/// Bytes that may be mapped without a thought.
pub(super) const EASY_SHIFT: u8 = 22;
/// Bytes that no host maps.
const IMPOSSIBLE_SHIFT: u8 = 48;

impl Scale {
    /// A number of bytes, 0 included.
    pub(super) fn bytes(self, input: &mut Input<'_>) -> u64 {
        self.fit(match input.below(8) {
            0 => input.number(63),
            1 => input.number(EASY_SHIFT),
            2 | 3 => input.number(18),
            _ => input.number(13),
        })
    }

    /// A power of two.
    pub(super) fn power(self, input: &mut Input<'_>) -> u64 {
        self.fit(if input.one_in(8) { input.power(63) } else { input.power(16) })
    }

    /// The number itself, or one that is not in the gap.
    fn fit(self, bytes: u64) -> u64 {
        let gap = 1 << EASY_SHIFT..1 << IMPOSSIBLE_SHIFT;
        if self == Self::Gap && gap.contains(&bytes) {
            bytes << (63 - bytes.ilog2())
        } else {
            bytes
        }
    }
}

/// A device and how it is used.
pub(super) struct Device {
    pub(super) driver: DriverConfig,
    pub(super) scale: Scale,
    /// The version that the allocator is told, at most the device's.
    pub(super) api_version: u32,
    /// Whether it is told of dedicated memory by extensions.
    pub(super) khr_dedicated_allocation: bool,
}

/// A device; its table keeps the rules of the specification.
pub(super) fn device(input: &mut Input<'_>) -> Device {
    let scale = if input.one_in(2) { Scale::Gap } else { Scale::Free };
    let versions =
        [vk::API_VERSION_1_3, vk::API_VERSION_1_0, vk::API_VERSION_1_1, vk::API_VERSION_1_2];
    let api_version = input.pick(&versions);
    let khr_dedicated_allocation = api_version == vk::API_VERSION_1_0 && input.one_in(2);
    let knows_dedicated = api_version >= vk::API_VERSION_1_1 || khr_dedicated_allocation;
    let mut driver = DriverConfig { api_version: vk::API_VERSION_1_3, ..DriverConfig::default() };
    if input.one_in(4) {
        table(input, &mut driver);
    }
    heaps(input, scale, &mut driver);
    if input.one_in(2) {
        limits(input, scale, &mut driver);
    }
    // Vulkan 1.0 cannot be asked for either: a program that keeps its rules may break these.
    if api_version < vk::API_VERSION_1_1 {
        driver.max_memory_allocation_size = u64::MAX;
    }
    if knows_dedicated {
        driver.requires_dedicated = input.one_in(8);
        driver.prefers_dedicated = input.one_in(4);
    }
    Device { driver, scale, api_version, khr_dedicated_allocation }
}

fn table(input: &mut Input<'_>, driver: &mut DriverConfig) {
    let heap_count = 1 + input.below(16);
    let type_count = 1 + input.index(vk::MAX_MEMORY_TYPES);
    driver.memory_heaps = (0..heap_count).map(|_| (0, heap_flags(input))).collect();
    driver.memory_types = (0..type_count)
        .map(|_| {
            let flags = type_flags(input);
            let heap_index = u32::from(input.below(heap_count));
            (flags, heap_index)
        })
        .collect();
}

fn heap_flags(input: &mut Input<'_>) -> vk::MemoryHeapFlags {
    input.pick(&[vk::MemoryHeapFlags::DEVICE_LOCAL, vk::MemoryHeapFlags::empty()])
}

fn type_flags(input: &mut Input<'_>) -> vk::MemoryPropertyFlags {
    let flags = vk::MemoryPropertyFlags::from_raw(u32::from(input.byte() & 0x1f));
    let special = [
        vk::MemoryPropertyFlags::PROTECTED,
        vk::MemoryPropertyFlags::DEVICE_COHERENT_AMD,
        vk::MemoryPropertyFlags::DEVICE_COHERENT_AMD | vk::MemoryPropertyFlags::DEVICE_UNCACHED_AMD,
        vk::MemoryPropertyFlags::RDMA_CAPABLE_NV,
        vk::MemoryPropertyFlags::from_raw(1 << 20),
    ];
    let flags = flags | input.maybe(8, |input| input.pick(&special)).unwrap_or_default();
    // What the specification rules out (section "Device Memory Properties").
    if flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE) {
        flags & !vk::MemoryPropertyFlags::LAZILY_ALLOCATED & !vk::MemoryPropertyFlags::PROTECTED
    } else {
        flags & !vk::MemoryPropertyFlags::HOST_COHERENT & !vk::MemoryPropertyFlags::HOST_CACHED
    }
}

/// The sizes of the heaps.
fn heaps(input: &mut Input<'_>, scale: Scale, driver: &mut DriverConfig) {
    let shift = input.pick(&[20, 16, EASY_SHIFT, 63]);
    for heap in &mut driver.memory_heaps {
        heap.0 = match input.below(16) {
            0 => input.number(shift),
            1 => 0,
            _ => input.number(8) << (shift - 9),
        };
    }
    for &(flags, heap_index) in &driver.memory_types {
        if scale == Scale::Free && flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE) {
            let heap = &mut driver.memory_heaps[heap_index as usize];
            heap.0 = heap.0.min(1 << EASY_SHIFT);
        }
    }
}

fn limits(input: &mut Input<'_>, scale: Scale, driver: &mut DriverConfig) {
    driver.buffer_image_granularity = scale.power(input);
    driver.non_coherent_atom_size = scale.power(input);
    driver.buffer_alignment = scale.power(input);
    driver.image_alignment = scale.power(input);
    driver.max_memory_allocation_count = 1 + u32::from(input.byte());
    if input.one_in(2) {
        driver.max_memory_allocation_size = scale.bytes(input).max(1);
    }
}
