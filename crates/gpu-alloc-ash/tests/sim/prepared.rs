//! Memory that is filled or zeroed before its owner gets it, and filled when it comes back.

use ash::vk;
use gpu_alloc_ash::{
    AllocError, Allocation, AllocationRequest, AllocatorConfig, FillBytes, ResourceKind, Strategy,
    UsageFlags,
};
use rstest::rstest;
use vk_sim::{Call, DriverConfig, Failure};

use crate::coherence::visible_types;
use crate::devices::{self, on_each};
use crate::guards::guarded;
use crate::queue::{BOTH_ENDS, Queue};
use crate::support::{KIB, Sim, image_info};
use crate::tables;

const FILL: FillBytes = FillBytes { created: 0xdc, destroyed: 0xef };

fn filling() -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    config.fill = Some(FILL);
    config
}

fn upload(size: u64) -> AllocationRequest<'static> {
    AllocationRequest { size, alignment: 256, usage: UsageFlags::UPLOAD, ..Default::default() }
}

fn bytes_of(sim: &Sim, allocation: &Allocation) -> Vec<u8> {
    let mut bytes = vec![0xee; usize::try_from(allocation.size()).expect("small")];
    sim.allocator.read(allocation, 0, &mut bytes).expect("it is mapped");
    bytes
}

fn buffer_info(size: u64) -> vk::BufferCreateInfo<'static> {
    vk::BufferCreateInfo::default().size(size).usage(BOTH_ENDS)
}

/// What the device has in a buffer, read back by the host through memory of its own, so that no place in
/// a block is taken.
fn on_device(sim: &Sim, queue: &Queue, buffer: vk::Buffer, size: u64) -> Vec<u8> {
    let request = AllocationRequest {
        usage: UsageFlags::DOWNLOAD,
        strategy: Strategy::Dedicated,
        ..Default::default()
    };
    let (readback, memory) = sim.create_buffer(&buffer_info(size), &request).expect("room");
    queue.copy((buffer, 0), (readback, 0), size);
    let mut bytes = vec![0xee; usize::try_from(size).expect("small")];
    sim.allocator.read(&memory, 0, &mut bytes).expect("it is mapped");
    sim.destroy_buffer(readback, memory);
    bytes
}

#[test]
fn the_fill_bytes_are_those_of_vma() {
    assert_eq!(FillBytes::default(), FILL);
}

/// The device looks on through a buffer of the test's own, at the place before, during and after.
#[rstest]
#[case::coherent(tables::unified())]
#[case::atoms(tables::non_coherent(64))]
#[case::coarse_atoms(tables::non_coherent(4096))]
fn memory_is_filled_when_it_is_made_and_when_it_is_freed(
    #[case] driver: DriverConfig,
    #[values(100, 5000, 100 * KIB)] size: u64,
) {
    let sim = Sim::new(driver, filling());
    let queue = Queue::new(&sim);
    // Keeps the block.
    let keeper = sim.allocate(&upload(256));
    let allocation = sim.allocate(&upload(size));
    let wanted = vec![FILL.created; usize::try_from(size).expect("small")];
    assert_eq!(bytes_of(&sim, &allocation), wanted);
    let view = sim.raw_buffer(&buffer_info(size));
    sim.bind_buffer(view, &allocation);
    assert_eq!(on_device(&sim, &queue, view, size), wanted);
    let place = (allocation.memory(), allocation.offset());
    sim.free(allocation);
    assert_eq!(on_device(&sim, &queue, view, 100), [FILL.destroyed; 100]);
    sim.destroy_raw_buffer(view);
    let again = sim.allocate(&upload(size));
    assert_eq!((again.memory(), again.offset()), place, "the same place");
    assert_eq!(bytes_of(&sim, &again), wanted);
    let dedicated = AllocationRequest { strategy: Strategy::Dedicated, ..upload(size) };
    let dedicated = sim.allocate(&dedicated);
    assert_eq!(bytes_of(&sim, &dedicated), wanted, "memory of its own, to its end");
    [keeper, again, dedicated].into_iter().for_each(|allocation| sim.free(allocation));
    drop(queue);
    sim.finish();
}

/// Zeroes win over fill bytes, and are there whatever was there before, on every memory type of every
/// device that the host sees.
#[test]
fn zeroed_memory_is_zero_on_every_device() {
    let mut zeroed_count = 0;
    on_each(devices::all_and_without_coherence(), |device| {
        for (index, _) in visible_types(device) {
            let driver = DriverConfig { device_coherent_memory: true, ..device.config.clone() };
            let mut config = guarded(if index % 2 == 0 { 0 } else { 24 });
            config.fill = (index % 3 == 0).then_some(FILL);
            let sim = Sim::new(driver, config);
            let request = AllocationRequest {
                memory_type_bits: 1 << index,
                usage: UsageFlags::empty(),
                ..upload(3000)
            };
            let mut dirty = sim.allocate(&request);
            sim.allocator.write(&mut dirty, 0, &[0xff; 3000]).expect("it is mapped");
            let place = (dirty.memory(), dirty.offset());
            sim.free(dirty);
            let zeroed = sim.allocate(&AllocationRequest { zeroed: true, ..request });
            // A device with memory for a single object may have given it back in between.
            assert!((zeroed.memory(), zeroed.offset()) == place || zeroed.is_dedicated());
            assert!(!zeroed.needs_zeroing());
            assert_eq!(bytes_of(&sim, &zeroed), [0; 3000], "type {index}");
            sim.free(zeroed);
            assert_eq!(sim.allocator.take_overruns(), []);
            sim.finish();
            zeroed_count += 1;
        }
    });
    println!("{zeroed_count} types");
    assert!(zeroed_count >= 200, "{zeroed_count}");
}

#[test]
fn zeroes_written_by_the_host_are_seen_by_the_device() {
    let sim = Sim::new(tables::non_coherent(64), AllocatorConfig::default());
    let queue = Queue::new(&sim);
    let (dirty, memory) = sim.create_buffer(&buffer_info(1024), &upload(0)).expect("room");
    queue.update(dirty, 0, &[0xff; 1024]);
    sim.destroy_buffer(dirty, memory);
    let (unasked, memory) = sim.create_buffer(&buffer_info(1024), &upload(0)).expect("room");
    assert_eq!(on_device(&sim, &queue, unasked, 1024), [0xff; 1024], "nobody asked for zeroes");
    sim.destroy_buffer(unasked, memory);
    let request = AllocationRequest { zeroed: true, ..upload(0) };
    let (zeroed, memory) = sim.create_buffer(&buffer_info(1024), &request).expect("room");
    assert_eq!(on_device(&sim, &queue, zeroed, 1024), [0; 1024]);
    sim.destroy_buffer(zeroed, memory);
    drop(queue);
    sim.finish();
}

const ON_DEVICE: AllocationRequest<'static> = AllocationRequest {
    usage: UsageFlags::FAST_DEVICE_ACCESS,
    zeroed: true,
    ..AllocationRequest::DEFAULT
};

/// Where the host cannot write, the device does; of half a word at the end it cannot.
#[rstest]
#[case::whole_words(1024, 1024)]
#[case::half_a_word(1022, 1020)]
fn the_device_zeroes_what_the_host_does_not_see(#[case] size: u64, #[case] zero: usize) {
    let sim = Sim::default();
    let queue = Queue::new(&sim);
    let dirty_request = AllocationRequest { zeroed: false, ..ON_DEVICE };
    let (dirty, memory) = sim.create_buffer(&buffer_info(1024), &dirty_request).expect("room");
    assert!(!memory.needs_zeroing(), "nobody asked");
    queue.update(dirty, 0, &[0xff; 1024]);
    sim.destroy_buffer(dirty, memory);
    let (buffer, mut memory) = sim.create_buffer(&buffer_info(size), &ON_DEVICE).expect("room");
    assert!(memory.needs_zeroing() && memory.mapped_ptr().is_none());
    let bytes = on_device(&sim, &queue, buffer, size);
    assert!(bytes.iter().all(|&byte| byte == 0xff), "not yet");
    for _ in 0..2 {
        queue.run(|_, commands| {
            // SAFETY: 1. and 2. The buffer is bound to the memory, and the driver checks the rest.
            unsafe { sim.allocator.record_zeroes(commands, buffer, &mut memory) };
        });
        assert!(!memory.needs_zeroing());
    }
    assert_eq!(sim.driver.call_count(Call::CmdFillBuffer), 1, "once is enough");
    let bytes = on_device(&sim, &queue, buffer, size);
    assert!(bytes[..zero].iter().all(|&byte| byte == 0));
    assert!(bytes[zero..].iter().all(|&byte| byte == 0xff));
    sim.destroy_buffer(buffer, memory);
    drop(queue);
    sim.finish();
}

/// Texels in an order that only the driver knows are the device's to write, whether the host sees the
/// memory or not.
#[rstest]
#[case::not_visible(DriverConfig::default())]
#[case::visible(tables::unified())]
#[case::not_coherent(tables::non_coherent(64))]
fn the_device_clears_images(#[case] driver: DriverConfig) {
    let sim = Sim::new(driver, guarded(16));
    let queue = Queue::new(&sim);
    let ends = vk::ImageUsageFlags::TRANSFER_SRC | vk::ImageUsageFlags::TRANSFER_DST;
    let info = image_info(16, vk::ImageTiling::OPTIMAL).usage(ends).mip_levels(2).array_layers(3);
    let region = |level, edge, offset| {
        vk::BufferImageCopy::default()
            .buffer_offset(offset)
            .image_subresource(vk::ImageSubresourceLayers {
                aspect_mask: vk::ImageAspectFlags::COLOR,
                mip_level: level,
                base_array_layer: 0,
                layer_count: 3,
            })
            .image_extent(vk::Extent3D { width: edge, height: edge, depth: 1 })
    };
    let regions = [region(0, 16, 0), region(1, 8, 3 * 1024)];
    let size = 3 * (1024 + 256);
    let (through, of_through) = sim.create_buffer(&buffer_info(size), &upload(0)).expect("room");
    let texels = |image| {
        queue.update(through, 0, &vec![0xee; 3840]);
        queue.read_texels(image, through, &regions);
        on_device(&sim, &queue, through, size)
    };
    let unasked = AllocationRequest { zeroed: false, ..ON_DEVICE };
    let (dirty, memory) = sim.create_image(&info, &unasked).expect("there is room");
    queue.update(through, 0, &[0xff; 3840]);
    queue.write_texels(through, dirty, &regions);
    sim.destroy_image(dirty, memory);
    let (image, mut memory) = sim.create_image(&info, &ON_DEVICE).expect("there is room");
    assert!(memory.needs_zeroing());
    assert_eq!(texels(image), [0xff; 3840], "not yet");
    for _ in 0..2 {
        queue.run(|_, commands| {
            let layout = vk::ImageLayout::GENERAL;
            // SAFETY: 1. to 3. The image is bound to the memory, and the driver checks the rest.
            unsafe { sim.allocator.record_clear(commands, image, layout, &mut memory) };
        });
        assert!(!memory.needs_zeroing());
    }
    assert_eq!(sim.driver.call_count(Call::CmdClearColorImage), 1, "once is enough");
    assert_eq!(texels(image), [0; 3840]);
    sim.destroy_image(image, memory);
    sim.destroy_buffer(through, of_through);
    assert_eq!(sim.allocator.take_overruns(), []);
    drop(queue);
    sim.finish();
}

#[test]
fn a_linear_image_that_the_host_sees_is_zeroed_by_it() {
    let sim = Sim::new(tables::unified(), filling());
    let request = AllocationRequest { zeroed: true, ..upload(0) };
    let info = image_info(16, vk::ImageTiling::LINEAR);
    let (image, memory) = sim.create_image(&info, &request).expect("there is room");
    assert!(!memory.needs_zeroing());
    let bytes = bytes_of(&sim, &memory);
    assert!(bytes.len() >= 1024 && bytes.iter().all(|&byte| byte == 0));
    sim.destroy_image(image, memory);
    sim.finish();
}

#[test]
fn many_are_filled_zeroed_named_and_guarded_as_one_is() {
    let mut config = guarded(16);
    config.fill = Some(FILL);
    let sim = Sim::new(tables::non_coherent(64), config);
    for (zeroed, byte) in [(false, FILL.created), (true, 0)] {
        let request = AllocationRequest { zeroed, name: Some("many"), ..upload(700) };
        let many = sim.allocator.allocate_many(&request, 50).expect("there is room");
        assert!(many.iter().all(|one| bytes_of(&sim, one) == [byte; 700]));
        let leaks = sim.allocator.leaks();
        assert_eq!(leaks.len(), 50);
        assert!(leaks.iter().all(|leak| leak.name.as_deref() == Some("many")));
        sim.free_many(many);
        assert_eq!(sim.allocator.take_overruns(), []);
    }
    sim.finish();
}

/// The flush of any of many fails: none is left.
#[test]
fn many_are_made_all_or_none_when_a_flush_fails() {
    let mut config = guarded(16);
    config.fill = Some(FILL);
    let sim = Sim::new(tables::non_coherent(64), config);
    let request = AllocationRequest { name: Some("many"), ..upload(700) };
    let flush = Call::FlushMappedMemoryRanges;
    for nth in 1..=20 {
        let before = sim.in_use();
        let result = flush.errors()[usize::try_from(nth % 2).expect("small")];
        sim.driver.fail(Failure::nth_of(flush, nth, result));
        let error = sim.allocator.allocate_many(&request, 20).expect_err("one flush fails");
        assert_eq!(error, AllocError::Driver { call: flush.name(), result });
        sim.driver.clear_failures();
        assert_eq!(sim.in_use(), before);
        assert_eq!(sim.allocator.leaks(), []);
        assert_eq!(sim.allocator.check_corruption(), []);
    }
    assert_eq!(sim.allocator.take_overruns(), []);
    let many = sim.allocator.allocate_many(&request, 20).expect("nothing fails");
    sim.free_many(many);
    sim.finish();
}

/// A free cannot fail: what cannot be flushed or looked at is logged, and the memory is free.
#[test]
fn a_free_whose_calls_fail_frees() {
    let mut config = guarded(100);
    config.fill = Some(FILL);
    let sim = Sim::new(tables::non_coherent(64), config);
    let allocation = sim.allocate(&upload(700));
    let calls = [Call::FlushMappedMemoryRanges, Call::InvalidateMappedMemoryRanges];
    for call in calls {
        sim.driver.fail(Failure::every(call, call.errors()[0]));
    }
    assert_eq!(sim.allocator.check_corruption(), []);
    sim.free(allocation);
    assert_eq!(sim.driver.fired_failure_count(), 3);
    sim.driver.clear_failures();
    assert_eq!(sim.allocator.take_overruns(), []);
    sim.finish();
}

/// What the request says is not forgotten where the kind is known to the allocator only.
#[test]
fn memory_for_an_image_of_unknown_kind_is_zeroed_by_the_host() {
    let sim = Sim::new(tables::unified(), AllocatorConfig::default());
    for (kind, needs_zeroing) in [
        (ResourceKind::Unknown, false),
        (ResourceKind::Linear, false),
        (ResourceKind::NonLinear, true),
    ] {
        let request = AllocationRequest { zeroed: true, kind, ..upload(500) };
        let allocation = sim.allocate(&request);
        assert_eq!(allocation.needs_zeroing(), needs_zeroing, "{kind:?}");
        sim.free(allocation);
    }
    sim.finish();
}
