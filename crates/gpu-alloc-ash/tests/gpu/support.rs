//! The fixture: a device under validation with an allocator on it.

use std::sync::atomic::{AtomicU64, Ordering};

use ash::vk;
use gpu_alloc_ash::{AllocationRequest, AllocatorConfig, GpuAllocator, Strategy, UsageFlags};
use vk_boot::gpu_tests::{WITHOUT_COPIES, executes, report_messages};
use vk_boot::{Boot, BootOptions, TEST_REQUIREMENT_VARIABLE, Validation};

/// The strategies that every resource is tried with.
pub(crate) const STRATEGIES: [Strategy; 2] = [Strategy::Pooled, Strategy::Dedicated];

/// A device and an allocator on it.
pub(crate) struct Gpu {
    // Before `boot`, so that a test that panics still drops it before the device.
    pub(crate) allocator: GpuAllocator,
    pub(crate) boot: Boot,
    /// Copies that the device was told to make, did not, and nobody could compare.
    not_copied: AtomicU64,
}

impl Gpu {
    /// With the default configuration.
    pub(crate) fn new() -> Self {
        Self::with_config(AllocatorConfig::default())
    }

    /// With `config`, to which the facts about the device are added.
    pub(crate) fn with_config(config: AllocatorConfig) -> Self {
        let boot = boot();
        Self::on(allocator_on(&boot, config), boot)
    }

    /// With the default configuration, told of memory priorities if the device has them.
    pub(crate) fn with_priorities() -> Self {
        let boot = boot();
        let mut config = AllocatorConfig::default();
        config.ext_memory_priority = boot.enabled.memory_priority;
        Self::on(allocator_on(&boot, config), boot)
    }

    /// With `config` alone: nothing newer or other than it names is used.
    pub(crate) fn with_exactly(config: AllocatorConfig) -> Self {
        let boot = boot();
        Self::on(allocator_with_exactly(&boot, config), boot)
    }

    /// With `config`, to which the facts about the device are added, and without the layer.
    pub(crate) fn without_validation(config: AllocatorConfig) -> Self {
        let options = BootOptions { validation: Validation::Off, ..BootOptions::for_gpu_tests() };
        let boot = boot_with(&options);
        Self::on(allocator_on(&boot, config), boot)
    }

    fn on(allocator: GpuAllocator, boot: Boot) -> Self {
        Self { allocator, boot, not_copied: AtomicU64::new(0) }
    }

    pub(crate) fn device(&self) -> &ash::Device {
        &self.boot.device
    }

    /// Whether the device does what is submitted; if not, copies are submitted and not compared.
    pub(crate) fn executes(&self) -> bool {
        executes(&self.boot)
    }

    /// Whether the driver is Khronos' mock, whose answers need not agree with each other.
    pub(crate) fn is_mock(&self) -> bool {
        self.boot.device_name.contains("Mock")
    }

    /// Counts a copy that could not be compared.
    pub(crate) fn leave_out_copy(&self) {
        self.not_copied.fetch_add(1, Ordering::Relaxed);
    }

    /// The property flags of a memory type.
    pub(crate) fn flags_of_type(&self, memory_type_index: u32) -> vk::MemoryPropertyFlags {
        let types = self.boot.memory_properties.memory_types_as_slice();
        types[memory_type_index as usize].property_flags
    }

    /// The size of the largest heap, in bytes.
    pub(crate) fn largest_heap(&self) -> u64 {
        let heaps = self.boot.memory_properties.memory_heaps_as_slice();
        let sizes = heaps.iter().map(|heap| heap.size);
        sizes.max().expect("every device has a heap")
    }

    /// Ends a test that gave everything back.
    #[track_caller]
    pub(crate) fn finish(self) {
        let Self { allocator, boot, not_copied } = self;
        match not_copied.into_inner() {
            0 => {}
            count => println!("{WITHOUT_COPIES}{count}"),
        }
        finish_allocator(allocator);
        finish_boot(boot);
    }
}

/// A device of its own for one test, under validation.
pub(crate) fn boot() -> Boot {
    let boot = boot_with(&BootOptions::for_gpu_tests());
    assert!(boot.validation, "validation was required");
    boot
}

fn boot_with(options: &BootOptions) -> Boot {
    let boot = Boot::new(options).unwrap_or_else(|error| panic!("{error}"));
    if std::env::var(TEST_REQUIREMENT_VARIABLE).is_ok_and(|name| name == "lavapipe") {
        assert!(boot.is_lavapipe, "{} is not lavapipe", boot.device_name);
    }
    println!("on {}, which executes: {}", boot.device_name, executes(&boot));
    boot
}

/// An allocator on `boot`'s device.
pub(crate) fn allocator_on(boot: &Boot, mut config: AllocatorConfig) -> GpuAllocator {
    config.api_version = boot.api_version;
    config.buffer_device_address = boot.enabled.buffer_device_address;
    allocator_with_exactly(boot, config)
}

/// An allocator that knows of the device what `config` names.
pub(crate) fn allocator_with_exactly(boot: &Boot, config: AllocatorConfig) -> GpuAllocator {
    // SAFETY: 1. The three handles are of one `Boot`. 2. The tests finish the allocator before
    // the device. 3. `config` names what the `Boot` says is enabled, or less.
    unsafe { GpuAllocator::new(&boot.instance, boot.physical_device, &boot.device, config) }
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Proves that nothing lives, gives the retained blocks back, and ends the allocator.
#[track_caller]
pub(crate) fn finish_allocator(allocator: GpuAllocator) {
    assert_eq!(allocator.leaks(), [], "everything was given back");
    allocator.assert_no_leaks();
    let retained = allocator.stats();
    assert_nothing_in_use(&allocator);
    assert_eq!(allocator.trim(), retained.total_allocated, "bytes of retained blocks");
    let stats = allocator.stats();
    assert_eq!((stats.total_allocated, stats.block_count), (0, 0), "after the trim");
    assert_eq!(allocator.destroy(), Ok(()));
}

/// Proves that the device was used as the specification says, to the end.
#[track_caller]
pub(crate) fn finish_boot(boot: Boot) {
    if !boot.validation {
        return drop(boot);
    }
    let messages = boot.finish();
    report_messages(&messages);
    assert!(messages.is_empty(), "{} messages of the validation layer", messages.len());
}

/// Every count of live allocations is zero; empty blocks may be retained.
#[track_caller]
pub(crate) fn assert_nothing_in_use(allocator: &GpuAllocator) {
    let stats = allocator.stats();
    assert_eq!(stats.allocation_count, 0);
    assert_eq!(stats.total_used, 0);
    assert_eq!((stats.pooled, stats.dedicated, stats.external), (0, 0, 0));
    assert_eq!(stats.external_size, 0);
}

/// A request for what the host writes and the device reads.
pub(crate) fn upload() -> AllocationRequest<'static> {
    AllocationRequest { usage: UsageFlags::UPLOAD, ..Default::default() }
}

/// A request for what the device writes and the host reads.
pub(crate) fn download() -> AllocationRequest<'static> {
    AllocationRequest { usage: UsageFlags::DOWNLOAD, ..Default::default() }
}

/// A request for what only the device touches.
pub(crate) fn on_device(strategy: Strategy) -> AllocationRequest<'static> {
    AllocationRequest { usage: UsageFlags::FAST_DEVICE_ACCESS, strategy, ..Default::default() }
}

/// The configuration in which every request is a `vkAllocateMemory` of its own.
pub(crate) fn passthrough() -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.passthrough = true;
    config
}
