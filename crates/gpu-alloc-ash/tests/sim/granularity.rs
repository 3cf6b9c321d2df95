//! `bufferImageGranularity`: a granule that a non-linear resource touches is touched by nothing else.

use ash::vk::{self, Handle};
use gpu_alloc_ash::{AllocationRequest, AllocatorConfig, ResourceKind, Strategy};
use rstest::rstest;

use crate::held::Held;
use crate::rng::Rng;
use crate::support::{Sim, buffer_info, image_info};
use crate::tables;

/// Whether an allocation was made for what is linear for sure.
type Kinds = Vec<(Held, bool)>;

fn one_more(sim: &Sim, rng: &mut Rng) -> (Held, bool) {
    let request = AllocationRequest { strategy: Strategy::Pooled, ..Default::default() };
    match rng.below(5) {
        0 => {
            let (buffer, memory) =
                sim.create_buffer(&buffer_info(rng.magnitude(16)), &request).expect("room");
            (Held::Buffer(buffer, memory), true)
        }
        choice @ (1 | 2) => {
            let edge = u32::try_from(rng.magnitude(6)).expect("at most 64");
            let tiling =
                if choice == 1 { vk::ImageTiling::OPTIMAL } else { vk::ImageTiling::LINEAR };
            let (image, memory) =
                sim.create_image(&image_info(edge, tiling), &request).expect("room");
            (Held::Image(image, memory), tiling == vk::ImageTiling::LINEAR)
        }
        choice => {
            let kind = [ResourceKind::Linear, ResourceKind::Unknown, ResourceKind::NonLinear]
                [usize::from(choice == 3) + rng.index(2)];
            let request = AllocationRequest { size: rng.magnitude(17), kind, ..request };
            (Held::Memory(sim.allocate(&request)), kind == ResourceKind::Linear)
        }
    }
}

/// Answers how many pairs of linear allocations share a granule.
///
/// In the order of their offsets, whoever shares a granule with another shares it with a neighbour.
fn check(held: &Kinds, granularity: u64) -> usize {
    let mut ranges: Vec<_> = held
        .iter()
        .map(|(held, linear)| {
            let allocation = held.allocation().expect("all have memory");
            let (start, size) = (allocation.offset(), allocation.size());
            let granules = (start / granularity, (start + size - 1) / granularity);
            (allocation.memory().as_raw(), start, granules, *linear)
        })
        .collect();
    ranges.sort_unstable();
    let shared = ranges.windows(2).filter(|pair| {
        let [(memory, _, (_, last), _), (next_memory, _, (first, _), _)] = pair else {
            unreachable!("windows of two")
        };
        memory == next_memory && first <= last
    });
    shared.inspect(|pair| assert!(pair[0].3 && pair[1].3, "a granule is shared")).count()
}

#[rstest]
fn non_linear_resources_own_their_granules(
    #[values(1, 64, 1024, 65536)] granularity: u64,
    #[values(1, 2, 3)] seed: u64,
    #[values(false, true)] small_blocks: bool,
) {
    let config = if small_blocks { tables::small_blocks() } else { AllocatorConfig::default() };
    let sim = Sim::new(tables::granular(granularity), config);
    let mut rng = Rng::new(seed);
    let mut held = Kinds::new();
    let mut shared = 0;
    for _ in 0..600 {
        if held.len() > 150 || (!held.is_empty() && rng.chance(40)) {
            let index = rng.index(held.len());
            held.swap_remove(index).0.release(&sim);
        } else {
            held.push(one_more(&sim, &mut rng));
        }
        shared = shared.max(check(&held, granularity));
    }
    assert!(granularity < 1024 || shared > 0, "linear ones share granules, nothing is wasted");
    held.into_iter().for_each(|(held, _)| held.release(&sim));
    sim.finish();
}

/// Dedicated memory needs no granules: it is as large as its resource.
#[test]
fn dedicated_memory_is_not_rounded() {
    let sim = Sim::new(tables::granular(65536), AllocatorConfig::default());
    let request = AllocationRequest {
        size: 1001,
        kind: ResourceKind::NonLinear,
        strategy: Strategy::Dedicated,
        ..Default::default()
    };
    let allocation = sim.allocate(&request);
    assert_eq!(sim.driver.memories()[0].size, 1001);
    sim.free(allocation);
    sim.finish();
}
