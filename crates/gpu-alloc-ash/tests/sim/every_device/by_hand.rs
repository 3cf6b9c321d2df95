//! Memory that a program binds by hand: allocated from numbers, in each memory type by name, or
//! made elsewhere and adopted.

use ash::vk;
use gpu_alloc_ash::{
    AllocationRequest, AllocatorConfig, ExternalMemory, MemoryPropertyFlags, ResourceKind, Strategy,
};
use rstest::rstest;
use vk_sim::DriverConfig;

use super::stage::{Stage, Tally};
use super::{default, passthrough};
use crate::devices::{self, Device, on_each};
use crate::held::Held;
use crate::queue::{BOTH_ENDS, Queue};
use crate::rng::Rng;
use crate::support::Sim;

/// What no buffer may be bound to, or what has no byte.
fn is_out_of_reach(config: &DriverConfig, flags: vk::MemoryPropertyFlags, heap: u32) -> bool {
    let special = vk::MemoryPropertyFlags::PROTECTED | vk::MemoryPropertyFlags::LAZILY_ALLOCATED;
    flags.intersects(special) || config.memory_heaps[heap as usize].0 == 0
}

/// Types that are never chosen unless they are asked for are asked for here.
#[rstest]
#[case::default(default())]
#[case::passthrough(passthrough())]
fn every_memory_type_carries_bytes_when_it_is_named(#[case] config: AllocatorConfig) {
    let mut sum = Tally::default();
    let (mut type_count, mut out_of_reach) = (0, 0);
    let devices = devices::all_and_without_coherence().into_iter();
    let devices = devices.filter(|device| !device.is_single_object()).map(|device| Device {
        config: DriverConfig { device_coherent_memory: true, ..device.config },
        ..device
    });
    on_each(devices.collect(), |device| {
        let mut stage = Stage::new(device, config.clone());
        for (index, &(flags, heap)) in (0..).zip(&device.config.memory_types) {
            type_count += 1;
            if is_out_of_reach(&device.config, flags, heap) {
                out_of_reach += 1;
                continue;
            }
            for strategy in [Strategy::Pooled, Strategy::Dedicated] {
                let info = vk::BufferCreateInfo::default().size(stage.rng.magnitude(11));
                let request = AllocationRequest {
                    memory_type_bits: 1 << index,
                    required: MemoryPropertyFlags::from(flags),
                    strategy,
                    ..Default::default()
                };
                stage.buffer(&info, &request);
            }
        }
        sum += stage.finish();
    });
    println!("{type_count} memory types, {out_of_reach} out of reach, {sum:?}");
    assert!(type_count >= 500 && out_of_reach <= 26, "{type_count}, {out_of_reach}");
    assert_eq!(sum.carried, (type_count - out_of_reach) * 2);
    assert!(sum.met_without_coherence >= 200, "{sum:?}");
}

/// Sizes and alignments as numbers, a buffer bound by hand.
#[test]
fn memory_from_numbers_is_bound_by_hand() {
    let mut sum = Tally::default();
    let count = on_each(devices::all_and_without_coherence(), |device| {
        let mut stage = Stage::new(device, default());
        for _ in 0..20 {
            let size = stage.rng.magnitude(11);
            let buffer =
                stage.sim.raw_buffer(&vk::BufferCreateInfo::default().size(size).usage(BOTH_ENDS));
            // SAFETY: The buffer lives.
            let required =
                unsafe { stage.sim.driver.device().get_buffer_memory_requirements(buffer) };
            let request = AllocationRequest {
                usage: stage.rng.pick(&super::PLACES),
                kind: ResourceKind::Linear,
                memory_type_bits: required.memory_type_bits & stage.memory_type_bits,
                ..AllocationRequest::from(required)
            };
            let memory = stage.sim.allocate(&request);
            stage.sim.bind_buffer(buffer, &memory);
            stage.keep(Held::Buffer(buffer, memory), size, Vec::new());
        }
        sum += stage.finish();
    });
    assert_eq!(sum.carried, count * 20);
}

/// An object made elsewhere, of each memory type: the allocator's copies reach what is mapped.
#[test]
fn adopted_memory_of_every_type_is_tracked_and_carries_bytes() {
    let (mut tracked, mut carried) = (0, 0);
    on_each(devices::all_and_without_coherence(), |device| {
        let config = DriverConfig { device_coherent_memory: true, ..device.config.clone() };
        let types = config.memory_types.clone();
        let sim = Sim::new(config, default());
        let queue = Queue::new(&sim);
        let mut rng = Rng::new(3);
        for (index, &(flags, heap)) in (0..).zip(&types) {
            if is_out_of_reach(sim.driver.config(), flags, heap) {
                continue;
            }
            let is_visible = flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE);
            carried += usize::from(adopt(&sim, &queue, &mut rng, (index, is_visible)));
            tracked += 1;
        }
        drop(queue);
        sim.finish();
    });
    println!("{tracked} objects were tracked, bytes went through {carried}");
    assert!(tracked >= 450 && carried >= 250, "{tracked}, {carried}");
}

/// Adopts an object of the type, and copies between two buffers in it if the host can see them.
fn adopt(sim: &Sim, queue: &Queue, rng: &mut Rng, (index, is_visible): (u32, bool)) -> bool {
    let size = 4 * rng.magnitude(9);
    let info = vk::BufferCreateInfo::default().size(size).usage(BOTH_ENDS);
    let buffers = [sim.raw_buffer(&info), sim.raw_buffer(&info)];
    // SAFETY: The buffer lives.
    let required = unsafe { sim.driver.device().get_buffer_memory_requirements(buffers[0]) };
    // What is made by hand has to keep neighbours off each other's atoms by itself.
    let unit = required.alignment.max(sim.driver.config().non_coherent_atom_size);
    let second = required.size.next_multiple_of(unit);
    let object_size = second + required.size;
    let memory = sim.raw_memory(object_size, index);
    let mapped_ptr = is_visible.then(|| sim.map_raw(memory));
    let external = ExternalMemory {
        memory,
        size: object_size,
        memory_type_index: index,
        mapped_ptr,
        name: Some("made elsewhere"),
    };
    let mut allocation = sim.adopt(external).expect("it is described truly");
    for (buffer, offset) in buffers.into_iter().zip([0, second]) {
        // SAFETY: The driver lives, and checks the handles.
        unsafe { sim.driver.device().bind_buffer_memory(buffer, memory, offset) }
            .expect("the memory suits the buffer");
    }
    if is_visible {
        let bytes = rng.bytes(usize::try_from(size).expect("small"));
        sim.allocator.write(&mut allocation, 0, &bytes).expect("it is mapped");
        queue.copy((buffers[0], 0), (buffers[1], 0), size);
        let mut found = vec![0; bytes.len()];
        sim.allocator.read(&allocation, second, &mut found).expect("it is mapped");
        assert_eq!(found, bytes, "type {index}");
    } else {
        queue.copy((buffers[0], 0), (buffers[1], 0), size);
    }
    sim.check_books();
    buffers.into_iter().for_each(|buffer| sim.destroy_raw_buffer(buffer));
    sim.free(allocation);
    sim.free_raw_memory(memory);
    is_visible
}
