//! Custom pools of every kind: buffers and images in them, filled and read back by the device.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ash::vk;
use gpu_alloc_ash::{
    Algorithm, AllocationRequest, AllocatorConfig, CustomPool, CustomPoolConfig, DestroyPoolError,
    LinearKind, PoolAllocationRequest, Strategy,
};

use vk_boot::gpu_tests::skip;

use crate::bytes::{Random, pattern};
use crate::formats::RGBA8;
use crate::resources::{Buffer, Image, Shape, buffer_info};
use crate::support::{Gpu, on_device, upload};
use crate::transfers::{assert_buffer, assert_image, fill_buffer, fill_image, image_bytes};
use crate::{buffers, images};

/// Algorithm, at most so many blocks, and whether there is an upper end.
const KINDS: [(Algorithm, Option<u32>, bool); 8] = [
    (Algorithm::TwoTier, None, false),
    (Algorithm::Tlsf, Some(4), false),
    (Algorithm::Buddy, Some(4), false),
    (Algorithm::Linear(LinearKind::Auto), Some(1), true),
    (Algorithm::Linear(LinearKind::FreeAtOnce), Some(4), false),
    (Algorithm::Linear(LinearKind::Stack), None, false),
    (Algorithm::Linear(LinearKind::DoubleStack), Some(1), true),
    (Algorithm::Linear(LinearKind::Ring), Some(1), false),
];

fn buffer_in(gpu: &Gpu, pool: &CustomPool, size: u64, upper_end: bool) -> Buffer {
    let info = buffer_info(size, buffers::COPIED | vk::BufferUsageFlags::STORAGE_BUFFER);
    let request = PoolAllocationRequest { upper_end, ..Default::default() };
    // SAFETY: 1. Valid usage; the layer checks. 2. What is chained here says nothing of buffers.
    let made = unsafe { gpu.allocator.create_buffer_in(pool, &info, &request) };
    let (handle, allocation) = made.unwrap_or_else(|error| panic!("{error}"));
    assert!(pool.contains(&allocation));
    Buffer { handle, size, allocation }
}

fn image_in(gpu: &Gpu, pool: &CustomPool, width: u32, upper_end: bool) -> Image {
    let shape = Shape::flat(&RGBA8, vk::ImageTiling::OPTIMAL, width, 33);
    let request = PoolAllocationRequest { upper_end, ..Default::default() };
    let info = shape.info(images::COPIED | vk::ImageUsageFlags::SAMPLED);
    // SAFETY: 1. and 2. As above.
    let made = unsafe { gpu.allocator.create_image_in(pool, &info, &request) };
    let (handle, allocation) = made.unwrap_or_else(|error| panic!("{error}"));
    Image { handle, shape, allocation }
}

/// Memory types that both the buffers and the images of these tests may have, from examples of them.
fn types_of_both(gpu: &Gpu) -> Vec<u32> {
    let buffer = buffer_info(1000, buffers::COPIED | vk::BufferUsageFlags::STORAGE_BUFFER);
    // SAFETY: valid usage; the layer checks.
    let types =
        unsafe { gpu.allocator.memory_types_for_buffer(&buffer, &on_device(Strategy::Auto)) };
    let types = types.unwrap_or_else(|error| panic!("{error}"));
    let memory_type_bits = types.iter().fold(0, |bits, index| bits | 1 << index);
    let image = Shape::flat(&RGBA8, vk::ImageTiling::OPTIMAL, 64, 64);
    let info = image.info(images::COPIED | vk::ImageUsageFlags::SAMPLED);
    let request = AllocationRequest { memory_type_bits, ..on_device(Strategy::Auto) };
    // SAFETY: as above.
    let types = unsafe { gpu.allocator.memory_types_for_image(&info, &request) };
    types.unwrap_or_else(|error| panic!("{error}"))
}

/// Buffers and images in turn, filled, then some freed and made again, then all read back.
fn use_pool(gpu: &Gpu, pool: &CustomPool, has_upper: bool, seed: u64) -> usize {
    let mut rng = Random::new(seed);
    let (mut buffers, mut images) = (Vec::new(), Vec::new());
    let mut made = 0;
    for round in 0..3u64 {
        for n in 0..4u64 {
            let upper = has_upper && n % 2 == 1;
            let buffer = buffer_in(gpu, pool, 1 + rng.below(9000), upper);
            let bytes = pattern(seed + round * 8 + n, buffer.size);
            fill_buffer(gpu, buffer.handle, &bytes);
            buffers.push((buffer, bytes));
            let image = image_in(gpu, pool, 20 + 3 * u32::try_from(n).unwrap(), upper);
            let bytes = image_bytes(&image, seed + round * 8 + n + 4);
            fill_image(gpu, &image, &bytes);
            images.push((image, bytes));
            made += 2;
        }
        // The newest stay over the next round.
        let keep = if round < 2 { 2 } else { 0 };
        for (buffer, bytes) in buffers.drain(..buffers.len() - keep) {
            assert_buffer(gpu, buffer.size, buffer.handle, &bytes);
            buffer.destroy(gpu);
        }
        for (image, bytes) in images.drain(..images.len() - keep) {
            assert_image(gpu, "of a pool", &image, &bytes);
            image.destroy(gpu);
        }
        assert_eq!(pool.check(), Ok(()));
    }
    made
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn pools_of_every_kind_carry_the_devices_bytes() {
    let gpu = Gpu::new();
    let types = types_of_both(&gpu);
    let mut made = 0;
    for (seed, (algorithm, max_block_count, has_upper)) in (0u64..).zip(KINDS) {
        for block_size in [Some(8_000_000), None] {
            let config = CustomPoolConfig {
                memory_types: &types[..1],
                algorithm: algorithm.clone(),
                block_size,
                max_block_count,
                min_block_count: 1,
                min_alignment: 256,
                name: Some("of the test"),
                ..Default::default()
            };
            let pool = gpu.allocator.create_pool(&config).unwrap();
            assert_eq!(pool.stats().block_count, 1);
            made += use_pool(&gpu, &pool, has_upper, 100 * seed);
            gpu.allocator.destroy_pool(pool).unwrap();
        }
    }
    assert_eq!(made, KINDS.len() * 2 * 24);
    gpu.finish();
}

/// Asked of Vulkan 1.0, where examples are created, and of what the device has.
#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn examples_find_the_same_memory_types_with_and_without_resources() {
    let newest = Gpu::new();
    if newest.is_mock() {
        skip("the mock's answers need not agree with each other");
        return newest.finish();
    }
    let oldest = Gpu::with_exactly(AllocatorConfig::default());
    assert_eq!(types_of_both(&newest), types_of_both(&oldest));
    newest.finish();
    oldest.finish();
}

/// Priority and addresses where the device has them, and a structure of our own.
#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn what_a_pool_chains_is_valid() {
    // Priorities are the one thing that the allocator is not told of otherwise.
    let gpu = Gpu::with_priorities();
    let enabled = gpu.boot.enabled;
    let (device_address, priority) =
        (enabled.buffer_device_address, enabled.memory_priority.then_some(0.75));
    let types = types_of_both(&gpu);
    let config = CustomPoolConfig {
        memory_types: &types[..1],
        min_block_count: 1,
        device_address,
        priority,
        ..Default::default()
    };
    let pool = gpu.allocator.create_pool(&config).unwrap();
    let usage = buffers::COPIED
        | match device_address {
            true => vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS,
            false => vk::BufferUsageFlags::empty(),
        };
    for strategy in [Strategy::Pooled, Strategy::Dedicated] {
        let request = PoolAllocationRequest { strategy, ..Default::default() };
        // SAFETY: 1. Valid usage; the layer checks. 2. Nothing was chained.
        let made =
            unsafe { gpu.allocator.create_buffer_in(&pool, &buffer_info(5000, usage), &request) };
        let (handle, allocation) = made.unwrap();
        assert_eq!(allocation.is_dedicated(), strategy == Strategy::Dedicated);
        let buffer = Buffer { handle, size: 5000, allocation };
        let bytes = pattern(5, buffer.size);
        fill_buffer(&gpu, buffer.handle, &bytes);
        assert_buffer(&gpu, "chained", buffer.handle, &bytes);
        buffer.destroy(&gpu);
    }
    gpu.allocator.destroy_pool(pool).unwrap();

    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let config = CustomPoolConfig { device_address: false, ..config };
    // SAFETY: 1. The structure is of Vulkan 1.1, and without flags it asks for nothing. 2. The pool has
    // no addresses. 3. Neither is imported or has several instances.
    let pool = unsafe {
        gpu.allocator.create_pool_with(&config, move |info, go_on| {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut flags = vk::MemoryAllocateFlagsInfo::default();
            go_on(&info.push_next(&mut flags));
        })
    };
    let pool = pool.unwrap();
    let made = use_pool(&gpu, &pool, false, 7);
    assert_eq!((made, calls.load(Ordering::Relaxed)), (24, 1));
    gpu.allocator.destroy_pool(pool).unwrap();
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_pool_in_use_is_not_destroyed() {
    let gpu = Gpu::new();
    let types = gpu.allocator.memory_types(&upload()).unwrap();
    let config =
        CustomPoolConfig { memory_types: &types, block_size: Some(1 << 20), ..Default::default() };
    let pool = gpu.allocator.create_pool(&config).unwrap();
    let buffer = buffer_in(&gpu, &pool, 4000, false);
    let bytes = pattern(9, buffer.size);
    fill_buffer(&gpu, buffer.handle, &bytes);
    let refused = gpu.allocator.destroy_pool(pool).unwrap_err();
    assert!(matches!(&refused.error, DestroyPoolError::InUse { live } if live.len() == 1));
    assert_buffer(&gpu, "in use", buffer.handle, &bytes);
    buffer.destroy(&gpu);
    gpu.allocator.destroy_pool(refused.returned).unwrap();
    gpu.finish();
}
