//! Device addresses: memory for them is asked for as the specification wants it, or refused.

use ash::vk;
use gpu_alloc_ash::{AllocError, AllocationRequest, AllocatorConfig, CreateError, GpuAllocator};
use rstest::rstest;

use crate::bytes::pattern;
use crate::resources::{Buffer, buffer_info};
use crate::support::{
    Gpu, STRATEGIES, allocator_with_exactly, finish_allocator, on_device, passthrough,
};
use crate::transfers::{assert_buffer, fill_buffer};

const ADDRESSED: vk::BufferUsageFlags = vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS;

/// Where the device sees the buffer.
fn address_of(gpu: &Gpu, buffer: &Buffer) -> u64 {
    let info = vk::BufferDeviceAddressInfo::default().buffer(buffer.handle);
    // SAFETY: the feature is enabled, the buffer lives, is bound and has the usage.
    unsafe { gpu.device().get_buffer_device_address(&info) }
}

#[rstest]
#[case::default(AllocatorConfig::default())]
#[case::passthrough(passthrough())]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn addressed_buffers_lie_apart_and_keep_their_bytes(#[case] config: AllocatorConfig) {
    const COUNT: u64 = 16;
    let gpu = Gpu::with_config(config);
    if !gpu.boot.enabled.buffer_device_address {
        assert!(!gpu.boot.is_lavapipe, "lavapipe has the feature");
        println!("{} has no bufferDeviceAddress", gpu.boot.device_name);
        assert_refused(&gpu, &gpu.allocator);
        return gpu.finish();
    }
    let mut buffers = Vec::new();
    for strategy in STRATEGIES {
        for seed in 0..COUNT {
            let size = 100 + 1000 * seed;
            let usage = ADDRESSED | crate::buffers::COPIED;
            let buffer = Buffer::new(&gpu, size, usage, &on_device(strategy));
            fill_buffer(&gpu, buffer.handle, &pattern(seed, size));
            buffers.push((address_of(&gpu, &buffer), seed, buffer));
        }
    }
    buffers.sort_by_key(|(address, ..)| *address);
    assert!(buffers[0].0 > 0, "null is no address");
    for pair in buffers.windows(2) {
        assert!(pair[0].0 + pair[0].2.size <= pair[1].0, "{:#x} and {:#x}", pair[0].0, pair[1].0);
    }
    for (_, seed, buffer) in buffers {
        assert_buffer(&gpu, seed, buffer.handle, &pattern(seed, buffer.size));
        buffer.destroy(&gpu);
    }
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn without_the_feature_in_the_configuration_addresses_are_refused() {
    let gpu = Gpu::new();
    let mut config = AllocatorConfig::default();
    config.api_version = gpu.boot.api_version;
    let silent = allocator_with_exactly(&gpu.boot, config);
    assert_refused(&gpu, &silent);
    finish_allocator(silent);
    gpu.finish();
}

/// Memory for device addresses is refused by name, and nothing is left behind.
fn assert_refused(gpu: &Gpu, allocator: &GpuAllocator) {
    let request = AllocationRequest { size: 256, device_address: true, ..Default::default() };
    let error = allocator.allocate(&request).unwrap_err();
    let AllocError::FeatureNotEnabled { feature } = error else { panic!("{error}") };
    assert_eq!(feature, "bufferDeviceAddress");
    if gpu.boot.enabled.buffer_device_address {
        let info = buffer_info(256, ADDRESSED);
        // SAFETY: the info is valid usage on this device, whose feature is enabled.
        let created = unsafe { allocator.create_buffer(&info, &AllocationRequest::default()) };
        let error = created.unwrap_err();
        assert_eq!(error, CreateError::Alloc(AllocError::FeatureNotEnabled { feature }));
    }
}
