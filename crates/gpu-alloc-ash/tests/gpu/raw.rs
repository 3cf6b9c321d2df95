//! Memory without resources: the program creates and binds them itself.

use ash::vk;
use gpu_alloc_ash::{AllocationRequest, GpuAllocator, ResourceKind, Strategy};

use crate::buffers;
use crate::bytes::pattern;
use crate::formats::RGBA8;
use crate::images;
use crate::resources::{Buffer, Image, Shape, buffer_info};
use crate::support::{Gpu, STRATEGIES, on_device};
use crate::transfers::{assert_buffer, assert_image, fill_buffer, fill_image, image_bytes};

/// Bytes of the buffers here: no multiple of any alignment.
pub(crate) const SIZE: u64 = 70_001;

/// A buffer without memory.
pub(crate) fn unbound_buffer(gpu: &Gpu, size: u64) -> vk::Buffer {
    let info = buffer_info(size, buffers::COPIED | vk::BufferUsageFlags::STORAGE_BUFFER);
    // SAFETY: valid usage on every device.
    unsafe { gpu.device().create_buffer(&info, None) }.unwrap()
}

/// What the driver asks for the buffer.
pub(crate) fn buffer_requirements(gpu: &Gpu, buffer: vk::Buffer) -> vk::MemoryRequirements {
    // SAFETY: the buffer lives.
    unsafe { gpu.device().get_buffer_memory_requirements(buffer) }
}

fn unbound_image(gpu: &Gpu) -> (vk::Image, Shape) {
    let shape = Shape::flat(&RGBA8, vk::ImageTiling::OPTIMAL, 123, 77);
    let info = shape.info(images::COPIED | vk::ImageUsageFlags::SAMPLED);
    // SAFETY: valid usage on every device.
    (unsafe { gpu.device().create_image(&info, None) }.unwrap(), shape)
}

/// Binds, fills, reads back, and destroys the buffer without its memory.
pub(crate) fn use_buffer(gpu: &Gpu, handle: vk::Buffer, memory: vk::DeviceMemory, offset: u64) {
    // SAFETY: the memory was allocated for the buffer's requirements.
    unsafe { gpu.device().bind_buffer_memory(handle, memory, offset) }.unwrap();
    let bytes = pattern(offset, SIZE);
    fill_buffer(gpu, handle, &bytes);
    assert_buffer(gpu, "own buffer", handle, &bytes);
    // SAFETY: the submissions above were waited for.
    unsafe { gpu.device().destroy_buffer(handle, None) };
}

/// Binds, fills, reads back, and destroys the image; hands its memory back to the allocator.
fn use_image(gpu: &Gpu, image: Image) {
    let (memory, offset) = (image.allocation.memory(), image.allocation.offset());
    // SAFETY: the memory was allocated for the image's requirements.
    unsafe { gpu.device().bind_image_memory(image.handle, memory, offset) }.unwrap();
    let bytes = image_bytes(&image, 1);
    fill_image(gpu, &image, &bytes);
    assert_image(gpu, "own image", &image, &bytes);
    // SAFETY: the submissions above were waited for.
    unsafe { gpu.device().destroy_image(image.handle, None) };
    free(&gpu.allocator, image.allocation);
}

/// Frees what nothing is bound to any more.
#[track_caller]
pub(crate) fn free(allocator: &GpuAllocator, allocation: gpu_alloc_ash::Allocation) {
    // SAFETY: the tests destroy what was bound before they free.
    let answer = unsafe { allocator.free(allocation) };
    answer.unwrap_or_else(|refused| panic!("{}", refused.error));
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn plain_requirements_are_enough_to_bind_to() {
    let gpu = Gpu::new();
    for strategy in STRATEGIES {
        let buffer = unbound_buffer(&gpu, SIZE);
        let requirements = buffer_requirements(&gpu, buffer);
        let kind = ResourceKind::Linear;
        let request = AllocationRequest { strategy, kind, ..AllocationRequest::from(requirements) };
        let allocation = gpu.allocator.allocate(&request).unwrap();
        assert_eq!(allocation.offset() % requirements.alignment, 0);
        assert_ne!(requirements.memory_type_bits & (1 << allocation.memory_type_index()), 0);
        use_buffer(&gpu, buffer, allocation.memory(), allocation.offset());
        free(&gpu.allocator, allocation);

        let (handle, shape) = unbound_image(&gpu);
        // SAFETY: the image lives.
        let requirements = unsafe { gpu.device().get_image_memory_requirements(handle) };
        let request = AllocationRequest { strategy, ..AllocationRequest::from(requirements) };
        let allocation = gpu.allocator.allocate(&request).unwrap();
        use_image(&gpu, Image { handle, shape, allocation });
    }
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn memory_for_a_resource_is_enough_to_bind_it_to() {
    let gpu = Gpu::new();
    for strategy in STRATEGIES {
        let buffer = unbound_buffer(&gpu, SIZE);
        // SAFETY: 1. The buffer lives and has no memory. 2. It has no device address.
        let allocated = unsafe { gpu.allocator.allocate_for_buffer(buffer, &on_device(strategy)) };
        let allocation = allocated.unwrap();
        use_buffer(&gpu, buffer, allocation.memory(), allocation.offset());
        free(&gpu.allocator, allocation);

        let (handle, shape) = unbound_image(&gpu);
        let kind = ResourceKind::NonLinear;
        let request = AllocationRequest { kind, ..on_device(strategy) };
        // SAFETY: 1. The image lives and has no memory. 2. Its tiling is as stated.
        let allocation = unsafe { gpu.allocator.allocate_for_image(handle, &request) }.unwrap();
        use_image(&gpu, Image { handle, shape, allocation });
    }
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn size_and_alignment_of_a_request_raise_what_the_driver_asks() {
    const ALIGNMENT: u64 = 128 << 10;
    let gpu = Gpu::new();
    let small = || {
        let small = Buffer::new(&gpu, 100, buffers::COPIED, &on_device(Strategy::Pooled));
        fill_buffer(&gpu, small.handle, &pattern(4, 100));
        small
    };
    // At the start of the first block, so that nothing else is aligned there by chance.
    let mut neighbours = vec![small()];
    for strategy in STRATEGIES {
        for (size, alignment) in [(0, ALIGNMENT), (300_000, 1)] {
            let request = AllocationRequest { size, alignment, ..on_device(strategy) };
            let raised = Buffer::new(&gpu, 100, buffers::COPIED, &request);
            assert_eq!(raised.allocation.offset() % alignment, 0);
            assert!(raised.allocation.size() >= size.max(100));
            fill_buffer(&gpu, raised.handle, &pattern(4, 100));
            neighbours.extend([raised, small()]);
        }
    }
    for buffer in neighbours {
        assert_buffer(&gpu, "raised", buffer.handle, &pattern(4, buffer.size));
        buffer.destroy(&gpu);
    }
    gpu.finish();
}
