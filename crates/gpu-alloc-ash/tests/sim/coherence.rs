//! Memory that is not coherent, host and device each with a copy of their own: who forgets to flush
//! or to invalidate sees wrong bytes, and so does the neighbour of who shares an atom. The
//! allocator's own copies forget nothing, and its allocations share nothing.
//!
//! What the device sees is copied by the device into a second buffer, which is read by the
//! allocator.

use ash::vk;
use gpu_alloc_ash::{Allocation, AllocationRequest, AllocatorConfig, Strategy, UsageFlags};
use rstest::rstest;
use vk_sim::{Call, DriverConfig, Rule};

use crate::devices::{self, Device, on_each};
use crate::queue::{BOTH_ENDS, Queue};
use crate::rng::Rng;
use crate::support::{KIB, Sim};
use crate::tables;

fn buffer(sim: &Sim, size: u64, request: &AllocationRequest<'_>) -> (vk::Buffer, Allocation) {
    let info = vk::BufferCreateInfo::default().size(size).usage(BOTH_ENDS);
    sim.create_buffer(&info, request).expect("there is room")
}

fn placed<'a>(usage: UsageFlags, strategy: Strategy) -> AllocationRequest<'a> {
    AllocationRequest { usage, strategy, ..Default::default() }
}

/// What the device has of a buffer.
fn on_device(sim: &Sim, queue: &Queue, source: vk::Buffer, size: u64) -> Vec<u8> {
    let (readback, memory) = buffer(sim, size, &placed(UsageFlags::DOWNLOAD, Strategy::Auto));
    queue.copy((source, 0), (readback, 0), size);
    let mut bytes = vec![0xee; usize::try_from(size).expect("small")];
    sim.allocator.read(&memory, 0, &mut bytes).expect("it is mapped");
    sim.destroy_buffer(readback, memory);
    bytes
}

/// Writes through the pointer, and forgets what comes after.
fn write_through_pointer(allocation: &Allocation, bytes: &[u8]) {
    assert!(bytes.len() as u64 <= allocation.size());
    let address = allocation.mapped_ptr().expect("it is mapped").as_ptr();
    // SAFETY: The mapping has as many bytes from there, by the assertion, and they are the test's.
    unsafe { address.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

/// Reads through the pointer, and forgets what comes before.
fn read_through_pointer(allocation: &Allocation, size: usize) -> Vec<u8> {
    assert!(size as u64 <= allocation.size());
    let address = allocation.mapped_ptr().expect("it is mapped").as_ptr();
    let mut bytes = vec![0xee; size];
    // SAFETY: As in `write_through_pointer`; the driver's memory is zeroed.
    unsafe { address.copy_to_nonoverlapping(bytes.as_mut_ptr(), size) };
    bytes
}

const MESH: [u8; 300] = [7; 300];

#[rstest]
fn a_forgotten_flush_shows_on_the_device(
    #[values(Strategy::Pooled, Strategy::Dedicated)] strategy: Strategy,
    #[values(1, 64, 4096)] atom: u64,
) {
    let sim = Sim::new(tables::non_coherent(atom), AllocatorConfig::default());
    let queue = Queue::new(&sim);
    let (source, mut memory) = buffer(&sim, 300, &placed(UsageFlags::UPLOAD, strategy));
    write_through_pointer(&memory, &MESH);
    assert_eq!(on_device(&sim, &queue, source, 300), [0; 300], "the device saw nothing of it");
    sim.allocator.flush(&memory, 0, 300).expect("it is mapped");
    assert_eq!(on_device(&sim, &queue, source, 300), MESH, "now it did");
    sim.allocator.write(&mut memory, 100, &[9; 50]).expect("it is mapped");
    assert_eq!(on_device(&sim, &queue, source, 300)[99..151], [&[7][..], &[9; 50], &[7]].concat());
    sim.destroy_buffer(source, memory);
    drop(queue);
    sim.finish();
}

#[rstest]
fn a_forgotten_invalidation_shows_on_the_host(
    #[values(Strategy::Pooled, Strategy::Dedicated)] strategy: Strategy,
    #[values(1, 64, 4096)] atom: u64,
) {
    let sim = Sim::new(tables::non_coherent(atom), AllocatorConfig::default());
    let queue = Queue::new(&sim);
    let (target, memory) = buffer(&sim, 300, &placed(UsageFlags::DOWNLOAD, strategy));
    queue.update(target, 0, &MESH);
    assert_eq!(read_through_pointer(&memory, 300), [0; 300], "the host saw nothing of it");
    sim.allocator.invalidate(&memory, 0, 300).expect("it is mapped");
    assert_eq!(read_through_pointer(&memory, 300), MESH, "now it did");
    queue.update(target, 0, &[5; 300]);
    let mut found = [0; 300];
    sim.allocator.read(&memory, 0, &mut found).expect("it is mapped");
    assert_eq!(found, [5; 300]);
    sim.destroy_buffer(target, memory);
    drop(queue);
    sim.finish();
}

/// Which way a program forgets its part.
#[derive(Clone, Copy, PartialEq)]
enum Forgets {
    Nothing,
    TheFlush,
    TheInvalidation,
}

/// Uploads and reads back through the pointers of two buffers; whether the bytes arrive.
fn arrives(sim: &Sim, queue: &Queue, memory_type_index: u32, forgets: Forgets) -> bool {
    let request =
        AllocationRequest { memory_type_bits: 1 << memory_type_index, ..Default::default() };
    let (source, up) = buffer(sim, 300, &request);
    let (target, down) = buffer(sim, 300, &request);
    // Known to both sides, whatever was in the block before.
    for (buffer, memory) in [(source, &up), (target, &down)] {
        queue.update(buffer, 0, &[1; 300]);
        sim.allocator.invalidate(memory, 0, 300).expect("it is mapped");
    }
    write_through_pointer(&up, &MESH);
    if forgets != Forgets::TheFlush {
        sim.allocator.flush(&up, 0, 300).expect("it is mapped");
    }
    queue.copy((source, 0), (target, 0), 300);
    if forgets != Forgets::TheInvalidation {
        sim.allocator.invalidate(&down, 0, 300).expect("it is mapped");
    }
    let arrived = read_through_pointer(&down, 300) == MESH;
    sim.destroy_buffer(source, up);
    sim.destroy_buffer(target, down);
    arrived
}

/// On every memory type that the host sees, of every device: forgetting is found exactly where it
/// is a mistake.
#[test]
fn whoever_forgets_is_found_on_every_device() {
    let (mut found, mut harmless) = (0, 0);
    on_each(devices::all_and_without_coherence(), |device| {
        for (index, flags) in visible_types(device) {
            let driver = DriverConfig { device_coherent_memory: true, ..device.config.clone() };
            let sim = Sim::new(driver, AllocatorConfig::default());
            let queue = Queue::new(&sim);
            let is_coherent = flags.contains(vk::MemoryPropertyFlags::HOST_COHERENT);
            assert!(arrives(&sim, &queue, index, Forgets::Nothing), "type {index}");
            for forgets in [Forgets::TheFlush, Forgets::TheInvalidation] {
                assert_eq!(arrives(&sim, &queue, index, forgets), is_coherent, "type {index}");
                *(if is_coherent { &mut harmless } else { &mut found }) += 1;
            }
            drop(queue);
            sim.finish();
        }
    });
    println!("{found} programs were found, {harmless} may forget");
    assert!(found >= 200 && harmless >= 150, "{found}, {harmless}");
}

/// The types with bytes that the host sees and that are chosen without being required.
pub(crate) fn visible_types(device: &Device) -> Vec<(u32, vk::MemoryPropertyFlags)> {
    let special =
        vk::MemoryPropertyFlags::DEVICE_COHERENT_AMD | vk::MemoryPropertyFlags::DEVICE_UNCACHED_AMD;
    let types = (0..).zip(&device.config.memory_types);
    types
        .filter(|(_, (flags, heap))| {
            flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE)
                && !flags.intersects(special)
                && device.config.memory_heaps[*heap as usize].0 > 0
        })
        .map(|(index, &(flags, _))| (index, flags))
        .collect()
}

/// Two buffers in one atom, bound by hand: writing one loses what the device wrote to the other.
#[test]
fn a_shared_atom_made_by_hand_loses_the_neighbours_bytes() {
    let config = DriverConfig { buffer_alignment: 16, ..tables::non_coherent(256) };
    let sim = Sim::new(config, AllocatorConfig::default());
    let queue = Queue::new(&sim);
    let whole = sim.raw_memory(KIB, 0);
    let address = sim.map_raw(whole);
    let info = vk::BufferCreateInfo::default().size(64).usage(BOTH_ENDS);
    let buffers = [sim.raw_buffer(&info), sim.raw_buffer(&info)];
    for (buffer, offset) in buffers.into_iter().zip([0, 64]) {
        // SAFETY: The driver lives, and checks the handles.
        unsafe { sim.driver.device().bind_buffer_memory(buffer, whole, offset) }
            .expect("it is aligned and has room");
    }
    queue.update(buffers[1], 0, &[5; 64]);
    // SAFETY: The mapping has 1024 bytes, which are the test's.
    unsafe { address.as_ptr().write_bytes(9, 64) };
    let range = vk::MappedMemoryRange::default().memory(whole).size(256);
    // SAFETY: The driver lives, and checks the range.
    unsafe { sim.driver.device().flush_mapped_memory_ranges(&[range]) }.expect("it is on atoms");
    assert_eq!(on_device(&sim, &queue, buffers[0], 64), [9; 64]);
    assert_eq!(on_device(&sim, &queue, buffers[1], 64), [0; 64], "the 5 are lost");
    let [lint] = sim.driver.lints()[..] else { panic!("one lint: {:?}", sim.driver.lints()) };
    assert!(matches!(lint.rule, Rule::SharedAtom { .. }), "{lint}");
    buffers.into_iter().for_each(|buffer| sim.destroy_raw_buffer(buffer));
    sim.free_raw_memory(whole);
    drop(queue);
    let Sim { allocator, driver } = sim;
    allocator.destroy().expect("nothing lives");
    assert_eq!(driver.finish(), [], "it is legal");
}

/// Small neighbours of the allocator's making, in every memory type that the host sees: the host
/// writes every second one while the device writes the others, and the other way round.
#[test]
fn neighbours_of_the_allocators_making_lose_nothing() {
    let (mut writes, mut flushes) = (0, 0);
    on_each(devices::all_and_without_coherence(), |device| {
        for (index, _) in visible_types(device) {
            let sim = Sim::new(device.config.clone(), AllocatorConfig::default());
            writes += neighbours(&sim, index);
            flushes += sim.driver.call_count(Call::FlushMappedMemoryRanges);
            sim.finish();
        }
    });
    println!("{writes} writes next to neighbours, {flushes} flushes");
    assert!(writes >= 5000 && flushes >= 3000, "{writes}, {flushes}");
}

fn neighbours(sim: &Sim, memory_type_index: u32) -> usize {
    const COUNT: usize = 12;
    let queue = Queue::new(sim);
    let mut rng = Rng::new(u64::from(memory_type_index));
    let request =
        AllocationRequest { memory_type_bits: 1 << memory_type_index, ..Default::default() };
    let mut held: Vec<_> = (0..COUNT)
        .map(|_| {
            let size = 4 * rng.magnitude(6);
            let (buffer, memory) = buffer(sim, size, &request);
            (buffer, memory, vec![0; usize::try_from(size).expect("small")])
        })
        .collect();
    let in_one_block = held.windows(2).filter(|pair| pair[0].1.memory() == pair[1].1.memory());
    assert!(in_one_block.count() >= COUNT / 2, "neighbours");
    for round in 0..2 {
        // The device first, so that a flush of too much would lose what it wrote.
        for (buffer, _, bytes) in held.iter_mut().skip(round).step_by(2) {
            *bytes = rng.bytes(bytes.len());
            queue.update(*buffer, 0, bytes);
        }
        for (_, memory, bytes) in held.iter_mut().skip(1 - round).step_by(2) {
            *bytes = rng.bytes(bytes.len());
            sim.allocator.write(memory, 0, bytes).expect("it is mapped");
        }
        // An invalidation of too much would lose what the host has not flushed yet.
        for pair in held.chunks_exact_mut(2) {
            let [(_, first, wanted), (_, second, bytes)] = pair else { unreachable!("two each") };
            *bytes = rng.bytes(bytes.len());
            write_through_pointer(second, bytes);
            let mut found = vec![0xee; wanted.len()];
            sim.allocator.read(first, 0, &mut found).expect("it is mapped");
            assert_eq!(found, *wanted, "round {round}");
            sim.allocator.flush(second, 0, second.size()).expect("it is mapped");
        }
        for (buffer, memory, bytes) in &held {
            // By the device, within the buffer's own memory, so that no other object is needed.
            let size = bytes.len() as u64;
            let mut found = vec![0xee; bytes.len()];
            sim.allocator.read(memory, 0, &mut found).expect("it is mapped");
            assert_eq!(found, *bytes, "round {round}");
            let half = size / 2;
            queue.copy((*buffer, 0), (*buffer, half), half);
            sim.allocator.read(memory, 0, &mut found).expect("it is mapped");
            let half = bytes.len() / 2;
            assert_eq!(found, [&bytes[..half], &bytes[..half]].concat(), "round {round}");
        }
        for (buffer, memory, bytes) in &mut held {
            queue.update(*buffer, 0, bytes);
            sim.allocator.read(memory, 0, bytes).expect("it is mapped");
        }
    }
    held.into_iter().for_each(|(buffer, memory, _)| sim.destroy_buffer(buffer, memory));
    drop(queue);
    COUNT * 2
}
