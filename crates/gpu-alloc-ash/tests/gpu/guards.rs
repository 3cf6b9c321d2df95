//! Overruns that are found on real memory, and zeroes that real devices and hosts write.

use ash::vk;
use gpu_alloc_ash::{
    Allocation, AllocationRequest, AllocatorConfig, FillBytes, MemoryPropertyFlags, Overrun,
    ResourceKind, Strategy,
};

use crate::buffers::COPIED;
use crate::bytes::{assert_same_bytes, pattern, usize_from};
use crate::formats::RGBA8;
use crate::images;
use crate::raw::free;
use crate::resources::{Buffer, Image, Shape, buffer_info};
use crate::support::{Gpu, upload};
use crate::transfers::{
    assert_buffer, change_layout, fill_buffer, fill_image, read_image, submit, written_then_read,
};

const MARGIN: u64 = 16;

/// Margins, and nothing else to find by accident.
fn guarded() -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.corruption_margin = MARGIN;
    config
}

/// Memory of a type that the host sees and a buffer of this size may be bound to, if it is one.
fn memory(gpu: &Gpu, type_index: u32, name: &'static str, size: u64) -> Option<Allocation> {
    let info = buffer_info(size, COPIED);
    // SAFETY: valid usage on every device.
    let buffer = unsafe { gpu.device().create_buffer(&info, None) }.unwrap();
    // SAFETY: the buffer lives.
    let requirements = unsafe { gpu.device().get_buffer_memory_requirements(buffer) };
    // SAFETY: nobody else has seen it.
    unsafe { gpu.device().destroy_buffer(buffer, None) };
    let request = AllocationRequest {
        size,
        memory_type_bits: requirements.memory_type_bits & 1 << type_index,
        kind: ResourceKind::Linear,
        strategy: Strategy::Pooled,
        required: MemoryPropertyFlags::HOST_VISIBLE,
        name: Some(name),
        ..AllocationRequest::from(requirements)
    };
    // Types that have to be asked for are refused.
    gpu.allocator.allocate(&request).ok()
}

/// Every type that such memory can be of, coherent or not.
fn visible_types(gpu: &Gpu) -> Vec<u32> {
    let count = gpu.boot.memory_properties.memory_type_count;
    let mut types: Vec<u32> = (0..count).collect();
    types.retain(|&index| {
        let made = memory(gpu, index, "probe", 256);
        let is_one = made.is_some();
        made.into_iter().for_each(|allocation| free(&gpu.allocator, allocation));
        is_one
    });
    assert!(!types.is_empty(), "every device has memory for the host");
    types
}

/// Every type and size to be tried.
fn cases(gpu: &Gpu) -> Vec<(u32, u64)> {
    visible_types(gpu).into_iter().flat_map(|index| SIZES.map(|size| (index, size))).collect()
}

#[track_caller]
fn assert_named(overruns: &[Overrun], name: &str, (size, first_wrong): (u64, u64), found: &[u8]) {
    let [overrun] = overruns else { panic!("one overrun was planted: {overruns:?}") };
    assert_eq!(overrun.name.as_deref(), Some(name));
    assert_eq!((overrun.size, overrun.first_wrong), (size, first_wrong));
    assert_eq!(overrun.found, found);
    println!("{overrun}");
}

/// Sizes of a span and of a piece of its own.
const SIZES: [u64; 3] = [100, 5000, 300_000];

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_byte_that_the_host_writes_past_the_end_is_found() {
    let gpu = Gpu::with_config(guarded());
    for (index, size) in cases(&gpu) {
        let [before, victim, after] = ["before", "victim", "after"]
            .map(|name| memory(&gpu, index, name, size).expect("it was tried"));
        assert_eq!(gpu.allocator.check_corruption(), []);
        let address = victim.mapped_ptr().expect("the host sees it").as_ptr();
        // SAFETY: the margin is in the same mapped block.
        let address = unsafe { address.add(usize_from(size)) };
        // SAFETY: as above; no other thread is there.
        unsafe { address.write(0x77) };
        assert_named(&gpu.allocator.check_corruption(), "victim", (size, size), &[0x77]);
        free(&gpu.allocator, before);
        assert_eq!(gpu.allocator.take_overruns(), []);
        free(&gpu.allocator, victim);
        assert_named(&gpu.allocator.take_overruns(), "victim", (size, size), &[0x77]);
        free(&gpu.allocator, after);
        assert_eq!(gpu.allocator.take_overruns(), []);
    }
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_byte_that_the_device_writes_past_the_end_is_found() {
    let gpu = Gpu::with_config(guarded());
    for (index, size) in cases(&gpu) {
        let victim = memory(&gpu, index, "victim", size).expect("it was tried");
        let source = Buffer::new(&gpu, 4, COPIED, &upload());
        fill_buffer(&gpu, source.handle, &[0x77; 4]);
        // A buffer that is larger than what it is bound to.
        let info = buffer_info(size + MARGIN, COPIED);
        // SAFETY: valid usage on every device.
        let target = unsafe { gpu.device().create_buffer(&info, None) }.unwrap();
        let (object, offset) = (victim.memory(), victim.offset());
        // SAFETY: aligned as such a buffer needs it, and the block has room behind.
        unsafe { gpu.device().bind_buffer_memory(target, object, offset) }.unwrap();
        let at = size + MARGIN - 1;
        let region = vk::BufferCopy::default().dst_offset(at).size(1);
        submit(&gpu, |commands| {
            // SAFETY: both buffers live and have the bytes and the usage.
            unsafe { gpu.device().cmd_copy_buffer(commands, source.handle, target, &[region]) };
            written_then_read(&gpu, commands, vk::PipelineStageFlags::HOST);
        });
        // SAFETY: the submission was waited for.
        unsafe { gpu.device().destroy_buffer(target, None) };
        free(&gpu.allocator, victim);
        let overruns = gpu.allocator.take_overruns();
        if gpu.executes() {
            assert_named(&overruns, "victim", (size, at), &[0x77]);
        } else {
            gpu.leave_out_copy();
            assert_eq!(overruns, [], "nothing was written");
        }
        source.destroy(&gpu);
    }
    gpu.finish();
}

/// The host or the device, as the memory is: the buffer reads as zeroes, which it did not before.
#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn zeroed_buffers_are_zero_on_the_device() {
    const SIZE: u64 = 40_000;
    let mut config = guarded();
    config.fill = Some(FillBytes::default());
    let gpu = Gpu::with_config(config);
    let mut by_host = 0;
    for index in 0..gpu.boot.memory_properties.memory_type_count {
        let flags = gpu.flags_of_type(index);
        let request = AllocationRequest { memory_type_bits: 1 << index, ..Default::default() };
        // Types that buffers cannot have, or that have to be asked for, are refused.
        // SAFETY: valid usage on every device.
        let made = unsafe { gpu.allocator.create_buffer(&buffer_info(SIZE, COPIED), &request) };
        let Ok((handle, allocation)) = made else { continue };
        let dirty = Buffer { handle, size: SIZE, allocation };
        fill_buffer(&gpu, dirty.handle, &pattern(1, SIZE));
        dirty.destroy(&gpu);
        let request = AllocationRequest { zeroed: true, ..request };
        let mut zeroed = Buffer::new(&gpu, SIZE, COPIED, &request);
        let is_visible = flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE);
        assert_eq!(zeroed.allocation.needs_zeroing(), !is_visible);
        by_host += u32::from(is_visible);
        submit(&gpu, |commands| {
            let Buffer { handle, ref mut allocation, .. } = zeroed;
            // SAFETY: 1. and 2. The buffer is bound to the allocation, and lives until it is read.
            unsafe { gpu.allocator.record_zeroes(commands, handle, allocation) };
            written_then_read(&gpu, commands, vk::PipelineStageFlags::TRANSFER);
        });
        assert!(!zeroed.allocation.needs_zeroing());
        assert_buffer(&gpu, format!("type {index}"), zeroed.handle, &vec![0; usize_from(SIZE)]);
        zeroed.destroy(&gpu);
    }
    assert!(by_host > 0, "every device has memory for the host");
    assert_eq!(gpu.allocator.take_overruns(), []);
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn zeroed_images_are_cleared_by_the_device() {
    let gpu = Gpu::with_config(guarded());
    let shape = Shape {
        mip_levels: 3,
        array_layers: 2,
        ..Shape::flat(&RGBA8, vk::ImageTiling::OPTIMAL, 60, 40)
    };
    let dirty = Image::new(&gpu, shape, images::COPIED, &AllocationRequest::DEFAULT);
    let size = images_bytes(&dirty);
    fill_image(&gpu, &dirty, &vec![0xff; size]);
    if let Some(got) = read_image(&gpu, &dirty) {
        assert_eq!(got, vec![0xff; size], "all of it can be read");
    }
    dirty.destroy(&gpu);
    let request = AllocationRequest { zeroed: true, ..Default::default() };
    let mut image = Image::new(&gpu, shape, images::COPIED, &request);
    assert!(image.allocation.needs_zeroing(), "its texels are the device's to write");
    let to_clear = vk::ImageLayout::TRANSFER_DST_OPTIMAL;
    submit(&gpu, |commands| {
        change_layout(&gpu, commands, &image, vk::ImageLayout::UNDEFINED, to_clear);
        let Image { handle, ref mut allocation, .. } = image;
        // SAFETY: 1. to 3. The image is bound to the allocation, of a colour format, and in that
        // layout by now.
        unsafe { gpu.allocator.record_clear(commands, handle, to_clear, allocation) };
        change_layout(&gpu, commands, &image, to_clear, vk::ImageLayout::TRANSFER_SRC_OPTIMAL);
    });
    assert!(!image.allocation.needs_zeroing());
    if let Some(got) = read_image(&gpu, &image) {
        assert_same_bytes("the image", &got, &vec![0; size]);
    }
    image.destroy(&gpu);
    assert_eq!(gpu.allocator.take_overruns(), []);
    gpu.finish();
}

/// Bytes of all levels and layers, as they are copied.
fn images_bytes(image: &Image) -> usize {
    image.shape.regions().iter().map(|region| region.range().end).max().expect("it has a region")
}

/// Host memory is filled, so that who reads what it has not written sees it.
#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn new_memory_has_the_fill_byte() {
    let mut config = AllocatorConfig::default();
    config.fill = Some(FillBytes { created: 0xa7, destroyed: 0x3c });
    let gpu = Gpu::with_config(config);
    let request = AllocationRequest { required: MemoryPropertyFlags::HOST_VISIBLE, ..upload() };
    for strategy in crate::support::STRATEGIES {
        let request = AllocationRequest { strategy, ..request };
        let buffer = Buffer::new(&gpu, 7000, COPIED, &request);
        let mut got = vec![0; 7000];
        gpu.allocator.read(&buffer.allocation, 0, &mut got).unwrap();
        assert_same_bytes("new", &got, &[0xa7; 7000]);
        buffer.destroy(&gpu);
    }
    gpu.finish();
}
