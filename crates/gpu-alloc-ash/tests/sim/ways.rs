//! Every way round a shortage that the allocator documents is taken.
//!
//! Basic design: each request is served twice, once where nothing is short and once where something
//! is. Where the two end, and the order of the calls in between, tell which way was taken.

use std::collections::BTreeSet;

use ash::vk;
use gpu_alloc_ash::{Allocation, AllocationRequest, AllocatorConfig, Strategy, UsageFlags};
use vk_sim::{Call, Failure, Scope};

use crate::held::Held;
use crate::support::{MIB, Sim, buffer_info};
use crate::tables;

/// The ways round a shortage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    SmallerBlock,
    EmptyBlocksGivenBack,
    NextType,
    OwnMemoryAsLastResort,
    PreferenceDropped,
    MappingGivenUp,
}

const WAYS: [Way; 6] = [
    Way::SmallerBlock,
    Way::EmptyBlocksGivenBack,
    Way::NextType,
    Way::OwnMemoryAsLastResort,
    Way::PreferenceDropped,
    Way::MappingGivenUp,
];

/// A request that meets a shortage.
struct Scenario {
    name: &'static str,
    sim: fn() -> Sim,
    request: AllocationRequest<'static>,
    /// Whether it is for a buffer.
    buffer: bool,
    plant: fn(&Sim),
    ways: &'static [Way],
}

/// Where a request ended.
#[derive(Debug)]
struct End {
    memory_type_index: u32,
    is_dedicated: bool,
    object_size: u64,
    calls: Vec<Call>,
}

const OUT_OF_MEMORY: vk::Result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;

fn plain() -> AllocationRequest<'static> {
    AllocationRequest { size: 1000, memory_type_bits: 1, ..Default::default() }
}

fn refuse(sim: &Sim, count: u64) {
    sim.driver.fail(Failure { count, ..Failure::every(Call::AllocateMemory, OUT_OF_MEMORY) });
}

/// An allocator that keeps an empty block of the first type.
fn with_an_empty_block() -> Sim {
    let sim = Sim::default();
    let first = sim.allocate(&plain());
    sim.free(first);
    assert!(sim.allocator.stats().retained_size > 0);
    sim
}

fn scenarios() -> [Scenario; 6] {
    let base = Scenario {
        name: "",
        sim: Sim::default,
        request: plain(),
        buffer: false,
        plant: |sim| refuse(sim, 1),
        ways: &[],
    };
    [
        Scenario { name: "the driver refuses once", ways: &[Way::SmallerBlock], ..base },
        Scenario {
            name: "an empty block is in the way",
            sim: with_an_empty_block,
            request: AllocationRequest { strategy: Strategy::Dedicated, ..plain() },
            ways: &[Way::EmptyBlocksGivenBack],
            ..base
        },
        Scenario {
            name: "the best type has nothing",
            request: AllocationRequest { memory_type_bits: u32::MAX, ..plain() },
            plant: |sim| {
                let failure = Failure::every(Call::AllocateMemory, OUT_OF_MEMORY);
                let scope = Scope { memory_type_index: Some(0), ..Scope::default() };
                sim.driver.fail_within(failure, scope);
            },
            ways: &[Way::NextType],
            ..base
        },
        Scenario {
            name: "no block can be had",
            request: AllocationRequest { size: MIB, ..plain() },
            // 16, 8, 4, 2 and 1 MiB.
            plant: |sim| refuse(sim, 5),
            ways: &[Way::OwnMemoryAsLastResort],
            ..base
        },
        Scenario {
            name: "what the driver prefers cannot be had",
            sim: || Sim::new(tables::prefers_dedicated(), AllocatorConfig::default()),
            buffer: true,
            ways: &[Way::PreferenceDropped],
            ..base
        },
        Scenario {
            name: "a mapping fails",
            request: AllocationRequest {
                usage: UsageFlags::UPLOAD,
                memory_type_bits: 0b10,
                ..plain()
            },
            plant: |sim| {
                let result = vk::Result::ERROR_MEMORY_MAP_FAILED;
                sim.driver.fail_nth_of(Call::MapMemory, 1, result);
            },
            ways: &[Way::SmallerBlock, Way::MappingGivenUp],
            ..base
        },
    ]
}

impl Scenario {
    fn run(&self, plant: impl FnOnce(&Sim)) -> End {
        let sim = (self.sim)();
        sim.driver.clear_calls();
        plant(&sim);
        let held = if self.buffer {
            let made = sim.create_buffer(&buffer_info(self.request.size), &self.request);
            made.map(|(buffer, memory)| Held::Buffer(buffer, memory)).expect(self.name)
        } else {
            Held::Memory(sim.allocator.allocate(&self.request).expect(self.name))
        };
        let end = End::of(&sim, held.allocation().expect("it was allocated"));
        sim.driver.clear_failures();
        held.release(&sim);
        sim.finish();
        end
    }
}

impl End {
    fn of(sim: &Sim, allocation: &Allocation) -> Self {
        let records = sim.driver.memories();
        let record = records.iter().find(|record| record.memory == allocation.memory());
        Self {
            memory_type_index: allocation.memory_type_index(),
            is_dedicated: allocation.is_dedicated(),
            object_size: record.expect("it lives").size,
            calls: sim.driver.calls(),
        }
    }

    /// Which ways it took that the same request does not take where nothing is short.
    fn ways(&self, clean: &Self) -> BTreeSet<Way> {
        let is_carved = !self.is_dedicated && !clean.is_dedicated;
        let same_type = self.memory_type_index == clean.memory_type_index;
        let follows = |first, second| self.calls.windows(2).any(|pair| pair == [first, second]);
        let taken = [
            (is_carved && same_type && self.object_size < clean.object_size, Way::SmallerBlock),
            // Nothing else frees memory right after having asked for some.
            (follows(Call::AllocateMemory, Call::FreeMemory), Way::EmptyBlocksGivenBack),
            (!same_type, Way::NextType),
            (self.is_dedicated && !clean.is_dedicated, Way::OwnMemoryAsLastResort),
            (!self.is_dedicated && clean.is_dedicated, Way::PreferenceDropped),
            (follows(Call::MapMemory, Call::FreeMemory), Way::MappingGivenUp),
        ];
        taken.into_iter().filter_map(|(is_taken, way)| is_taken.then_some(way)).collect()
    }
}

#[test]
fn every_way_round_a_shortage_was_taken() {
    let mut taken = BTreeSet::new();
    for scenario in scenarios() {
        let clean = scenario.run(|_| {});
        assert_eq!(clean.ways(&clean), BTreeSet::new(), "{}: {clean:?}", scenario.name);
        let end = scenario.run(scenario.plant);
        let ways = end.ways(&clean);
        assert_eq!(ways, scenario.ways.iter().copied().collect(), "{}: {end:?}", scenario.name);
        taken.extend(ways);
    }
    assert_eq!(taken, BTreeSet::from(WAYS));
}
