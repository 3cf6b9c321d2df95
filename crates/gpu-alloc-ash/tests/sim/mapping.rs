//! Host access: mapped once and for life, and on memory that is not coherent every flush and
//! invalidate within its own atoms. The driver checks each range.

use ash::vk;
use gpu_alloc_ash::{
    Allocation, AllocationRequest, AllocatorConfig, ResourceKind, Strategy, UsageFlags,
};
use proptest::prelude::*;
use proptest::strategy::Strategy as _;
use rstest::rstest;
use vk_sim::Call;

use crate::rng::Rng;
use crate::support::{KIB, MIB, Sim, buffer_info};
use crate::tables;

fn odd<'a>(size: u64, strategy: Strategy) -> AllocationRequest<'a> {
    AllocationRequest {
        size,
        usage: UsageFlags::HOST_ACCESS,
        kind: ResourceKind::Linear,
        strategy,
        ..Default::default()
    }
}

#[track_caller]
fn contents(sim: &Sim, allocation: &Allocation) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(allocation.size()).expect("small")];
    sim.allocator.read(allocation, 0, &mut bytes).expect("it is mapped");
    bytes
}

#[test]
fn a_block_is_mapped_once_for_life() {
    let sim = Sim::default();
    let request = odd(100 * KIB, Strategy::Auto);
    let held: Vec<_> = (0..100).map(|_| sim.allocate(&request)).collect();
    let blocks = sim.driver.live().memory;
    assert!(blocks > 1, "more than one block is needed");
    assert_eq!(
        (sim.driver.call_count(Call::MapMemory), sim.driver.live().mapped),
        (blocks, blocks)
    );
    held.into_iter().for_each(|allocation| sim.free(allocation));
    assert_eq!(sim.driver.live().mapped, sim.driver.live().memory, "kept blocks stay mapped");
    let Sim { allocator, driver } = sim;
    allocator.destroy().expect("nothing lives");
    assert_eq!(driver.call_count(Call::UnmapMemory), 0, "freeing the memory ends the mapping");
    assert_eq!(driver.finish(), []);
}

#[rstest]
#[case::coherent(UsageFlags::UPLOAD, 0, 0)]
#[case::not_coherent(UsageFlags::DOWNLOAD, 2, 2)]
fn only_memory_that_is_not_coherent_is_flushed(
    #[case] usage: UsageFlags,
    #[case] flushes: usize,
    #[case] invalidates: usize,
) {
    let sim = Sim::default();
    let mut allocation = sim.allocate(&AllocationRequest { usage, ..odd(100, Strategy::Auto) });
    sim.allocator.write(&mut allocation, 1, &[1, 2, 3]).expect("it is mapped");
    sim.allocator.write(&mut allocation, 1, &[]).expect("nothing to do");
    sim.allocator.read(&allocation, 0, &mut [0; 3]).expect("it is mapped");
    sim.allocator.read(&allocation, 0, &mut []).expect("nothing to do");
    sim.allocator.flush(&allocation, 3, 9).expect("it is mapped");
    sim.allocator.invalidate(&allocation, 3, 9).expect("it is mapped");
    sim.allocator.flush(&allocation, 100, 0).expect("nothing to do");
    assert_eq!(sim.driver.call_count(Call::FlushMappedMemoryRanges), flushes);
    assert_eq!(sim.driver.call_count(Call::InvalidateMappedMemoryRanges), invalidates);
    sim.free(allocation);
    sim.finish();
}

#[rstest]
fn odd_ranges_stay_within_the_atoms_of_their_allocation(
    #[values(1, 64, 256, 4096)] atom: u64,
    #[values(Strategy::Pooled, Strategy::Dedicated)] strategy: Strategy,
    #[values(1, 63, 65, 1001, 4097)] size: u64,
) {
    let sim = Sim::new(tables::non_coherent(atom), AllocatorConfig::default());
    let mut held: Vec<_> = (0..3).map(|_| sim.allocate(&odd(size, strategy))).collect();
    for allocation in &held {
        assert!(allocation.offset().is_multiple_of(atom), "it starts on an atom");
        for start in [0, size.min(2) - 1, size / 2, size - 1] {
            for length in [1, size - start, (size - start) / 2] {
                sim.allocator.flush(allocation, start, length).expect("nothing was planted");
                sim.allocator.invalidate(allocation, start, length).expect("nothing was planted");
            }
        }
    }
    assert!(sim.driver.call_count(Call::FlushMappedMemoryRanges) >= 24);
    for (allocation, byte) in held.iter_mut().zip(1_u8..) {
        let fill = vec![byte; usize::try_from(size).expect("small")];
        sim.allocator.write(allocation, 0, &fill).expect("it is mapped");
    }
    for (allocation, byte) in held.iter().zip(1_u8..) {
        assert!(contents(&sim, allocation).iter().all(|&found| found == byte), "its own bytes");
    }
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

/// The driver's rule for a dedicated buffer of an odd size: the range ends with the object.
#[rstest]
#[case(1)]
#[case(16)]
#[case(1000)]
fn a_dedicated_buffer_is_flushed_to_its_end(#[case] size: u64) {
    let sim = Sim::new(tables::non_coherent(256), AllocatorConfig::default());
    let request = AllocationRequest { strategy: Strategy::Dedicated, ..Default::default() };
    let (buffer, mut memory) = sim.create_buffer(&buffer_info(size), &request).expect("room");
    let required = size.next_multiple_of(16);
    assert_eq!((memory.size(), sim.driver.memories()[0].size), (required, required));
    sim.allocator.write(&mut memory, required - 1, &[9]).expect("it is mapped");
    assert_eq!(contents(&sim, &memory).last(), Some(&9));
    sim.destroy_buffer(buffer, memory);
    sim.finish();
}

#[test]
fn values_are_written_and_read_as_they_are() {
    let sim = Sim::default();
    let mut allocation = sim.allocate(&odd(1000, Strategy::Auto));
    let vertices = [[1.0_f32, 0.5, -1.0], [f32::MIN_POSITIVE, -0.0, 3.25]];
    sim.allocator.write_slice(&mut allocation, 7, &vertices).expect("any offset will do");
    let mut read = [[0.0_f32; 3]; 2];
    sim.allocator.read_slice(&allocation, 7, &mut read).expect("it is mapped");
    assert_eq!(read, vertices);
    sim.free(allocation);
    sim.finish();
}

/// What a program writes through the pointer is what a checked read finds.
#[test]
fn the_pointer_and_the_copies_are_of_one_mapping() {
    let sim = Sim::default();
    let held = [sim.allocate(&odd(100, Strategy::Auto)), sim.allocate(&odd(100, Strategy::Auto))];
    for (allocation, byte) in held.iter().zip(1_u8..) {
        let address = allocation.mapped_ptr().expect("it is mapped");
        // SAFETY: The allocation is 100 bytes of a live mapping, and nobody else uses it.
        unsafe { address.as_ptr().write_bytes(byte, 100) };
        sim.allocator.flush(allocation, 0, 100).expect("nothing was planted");
    }
    for (allocation, byte) in held.iter().zip(1_u8..) {
        assert_eq!(contents(&sim, allocation), [byte; 100]);
    }
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

/// One step of a program that reads and writes.
#[derive(Clone, Debug)]
enum Step {
    Allocate { size: u64, dedicated: bool },
    Write { which: usize, offset: u64, size: u64, seed: u64 },
    Free { which: usize },
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    prop_oneof![
        2 => (1..5000_u64, any::<bool>())
            .prop_map(|(size, dedicated)| Step::Allocate { size, dedicated }),
        6 => (any::<usize>(), any::<u64>(), 0..600_u64, any::<u64>())
            .prop_map(|(which, offset, size, seed)| Step::Write { which, offset, size, seed }),
        1 => any::<usize>().prop_map(|which| Step::Free { which }),
    ]
}

fn run(sim: &Sim, steps: &[Step]) {
    let mut held: Vec<(Allocation, Vec<u8>)> = Vec::new();
    for step in steps {
        match *step {
            Step::Allocate { size, dedicated } => {
                let strategy = if dedicated { Strategy::Dedicated } else { Strategy::Auto };
                let mut allocation = sim.allocate(&odd(size, strategy));
                let zeroes = vec![0; usize::try_from(size).expect("small")];
                sim.allocator.write(&mut allocation, 0, &zeroes).expect("it is mapped");
                held.push((allocation, zeroes));
            }
            Step::Write { which, offset, size, seed } if !held.is_empty() => {
                let which = which % held.len();
                let (allocation, expected) = &mut held[which];
                let offset = offset % allocation.size();
                let size = size.min(allocation.size() - offset);
                let bytes = Rng::new(seed).bytes(usize::try_from(size).expect("small"));
                sim.allocator.write(allocation, offset, &bytes).expect("it is mapped");
                let start = usize::try_from(offset).expect("small");
                expected[start..start + bytes.len()].copy_from_slice(&bytes);
            }
            Step::Free { which } if !held.is_empty() => {
                let (allocation, expected) = held.swap_remove(which % held.len());
                assert_eq!(contents(sim, &allocation), expected);
                sim.free(allocation);
            }
            Step::Write { .. } | Step::Free { .. } => {}
        }
    }
    for (allocation, expected) in held {
        assert_eq!(contents(sim, &allocation), expected, "neighbours are intact");
        sim.free(allocation);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn bytes_persist_and_neighbours_are_intact(
        steps in prop::collection::vec(step(), 1..120),
        atom_log in 0..9_u32,
    ) {
        let mut config = tables::small_blocks();
        config.largest_block_size = MIB;
        let sim = Sim::new(tables::non_coherent(1 << atom_log), config);
        run(&sim, &steps);
        sim.finish();
    }
}

#[test]
fn a_host_visible_image_is_mapped_too() {
    let sim = Sim::new(tables::unified(), AllocatorConfig::default());
    let info = crate::support::image_info(16, vk::ImageTiling::LINEAR);
    let (image, mut memory) = sim.create_image(&info, &Default::default()).expect("room");
    sim.allocator.write(&mut memory, 1000, b"texel").expect("it is mapped");
    assert_eq!(&contents(&sim, &memory)[1000..1005], b"texel");
    sim.destroy_image(image, memory);
    sim.finish();
}
