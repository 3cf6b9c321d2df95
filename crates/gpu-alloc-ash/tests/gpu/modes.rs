//! Configurations other than the default, and two allocators on one device.

use std::collections::HashSet;

use gpu_alloc_ash::{
    AllocationRequest, AllocatorConfig, FreeError, LeakKind, ResourceKind, Strategy, UsageFlags,
};

use crate::buffers;
use crate::bytes::{assert_same_bytes, pattern};
use crate::images;
use crate::raw;
use crate::resources::Buffer;
use crate::support::{
    Gpu, allocator_on, boot, finish_allocator, finish_boot, on_device, passthrough, upload,
};
use crate::transfers::{assert_buffer, fill_buffer};

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn passthrough_asks_the_driver_for_every_allocation() {
    const COUNT: u64 = 24;
    let gpu = Gpu::with_config(passthrough());
    let mut buffers = Vec::new();
    for seed in 0..COUNT {
        let size = 1 + seed * 333;
        let strategy = if seed % 2 == 0 { Strategy::Auto } else { Strategy::Pooled };
        let buffer = Buffer::new(&gpu, size, buffers::COPIED, &on_device(strategy));
        assert_eq!(buffer.allocation.offset(), 0);
        buffers.push((seed, buffer));
    }
    let stats = gpu.allocator.stats();
    assert_eq!((stats.device_allocations, stats.dedicated, stats.pooled), (COUNT, COUNT, 0));
    assert_eq!(stats.block_count, 0);
    let objects: HashSet<_> =
        buffers.iter().map(|(_, buffer)| buffer.allocation.memory()).collect();
    assert_eq!(objects.len(), buffers.len());
    for (seed, buffer) in buffers {
        let bytes = pattern(seed, buffer.size);
        fill_buffer(&gpu, buffer.handle, &bytes);
        assert_buffer(&gpu, seed, buffer.handle, &bytes);
        buffer.destroy(&gpu);
    }
    assert_eq!(gpu.allocator.stats().total_allocated, 0, "nothing is kept");
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn passthrough_serves_every_kind_of_image() {
    let gpu = Gpu::with_config(passthrough());
    let tried = images::round_trips(&gpu, 3, &[Strategy::Dedicated]);
    assert!(tried.len() >= 50, "only {} images", tried.len());
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn what_vulkan_1_0_has_is_enough() {
    let gpu = Gpu::with_exactly(AllocatorConfig::default());
    assert_eq!(gpu.allocator.config().api_version, ash::vk::API_VERSION_1_0);
    assert_eq!(buffers::matrix(&gpu, 8), buffers::MATRIX_FLOOR);
    images::assert_covered(&images::matrix(&gpu, 8));
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn the_classic_policy_has_one_size_of_blocks() {
    let gpu = Gpu::with_config(AllocatorConfig::classic());
    let small = Buffer::new(&gpu, 1000, buffers::COPIED, &on_device(Strategy::Auto));
    let stats = gpu.allocator.pool_stats(small.allocation.memory_type_index()).unwrap();
    assert_eq!((stats.block_count, stats.total_size), (1, 64 << 20));
    assert_eq!(stats.used_size % 256, 0);
    let large = Buffer::new(&gpu, (32 << 20) + 4, buffers::COPIED, &on_device(Strategy::Auto));
    assert!(large.allocation.is_dedicated() && !small.allocation.is_dedicated());
    for buffer in [&small, &large] {
        let bytes = pattern(buffer.size, buffer.size);
        fill_buffer(&gpu, buffer.handle, &bytes);
        assert_buffer(&gpu, buffer.size, buffer.handle, &bytes);
    }
    small.destroy(&gpu);
    large.destroy(&gpu);
    assert!(buffers::matrix(&gpu, 5) >= buffers::MATRIX_FLOOR);
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn what_another_allocator_made_comes_back_whole() {
    let gpu = Gpu::new();
    let other = allocator_on(&gpu.boot, AllocatorConfig::default());
    let mut buffer = Buffer::new(&gpu, 1000, buffers::COPIED, &upload());
    let bytes = pattern(6, 1000);
    gpu.allocator.write(&mut buffer.allocation, 0, &bytes).unwrap();
    assert!(other.write(&mut buffer.allocation, 0, &[0; 4]).is_err());

    let Buffer { handle, size, allocation } = buffer;
    // SAFETY: the pair came from an allocator of the same device, and no submission uses it.
    let refused = unsafe { other.destroy_buffer(handle, allocation) }.unwrap_err();
    assert!(matches!(refused.error, FreeError::ForeignAllocation { .. }));
    // SAFETY: the buffer stays bound to it, and is destroyed only by its own allocator.
    let refused = unsafe { other.free(refused.returned) }.unwrap_err();
    let buffer = Buffer { handle, size, allocation: refused.returned };
    assert_buffer(&gpu, "still bound", handle, &bytes);
    buffer.destroy(&gpu);
    finish_allocator(other);
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn what_lives_at_the_end_is_named_and_not_freed() {
    let boot = boot();
    let allocator = allocator_on(&boot, AllocatorConfig::default());
    let kind = ResourceKind::Linear;
    let request = AllocationRequest {
        size: 5000,
        kind,
        usage: UsageFlags::UPLOAD,
        strategy: Strategy::Dedicated,
        name: Some("kept"),
        ..Default::default()
    };
    let mut kept = allocator.allocate(&request).unwrap();
    let freed = allocator.allocate(&AllocationRequest { name: None, ..request }).unwrap();
    allocator.write(&mut kept, 0, &pattern(7, 5000)).unwrap();
    raw::free(&allocator, freed);

    let leaks = allocator.destroy().unwrap_err().leaks;
    assert_eq!(leaks.len(), 1);
    assert_eq!((leaks[0].name.as_deref(), leaks[0].kind), (Some("kept"), LeakKind::Dedicated));
    assert!(leaks[0].size >= 5000);
    let address = kept.mapped_ptr().expect("uploads are mapped");
    // SAFETY: the allocation lives on, so its 5000 bytes stay mapped.
    let got = unsafe { std::slice::from_raw_parts(address.as_ptr(), 5000) };
    assert_same_bytes("kept", got, &pattern(7, 5000));
    // SAFETY: nothing is bound; the allocator that made it is gone, so this is its only owner.
    unsafe { boot.device.free_memory(kept.memory(), None) };
    finish_boot(boot);
}
