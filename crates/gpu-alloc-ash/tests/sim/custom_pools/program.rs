//! Random programs of pools that come and go, on devices of many kinds, with a driver that fails now and
//! then: nothing overlaps, no bytes are lost, and the books are right all the while.

use ash::vk;
use gpu_alloc_ash::{
    Algorithm, Allocation, CreatePoolError, CustomPool, CustomPoolConfig, DestroyPoolError,
    LinearKind, PoolAllocationRequest, ResourceKind, Strategy,
};
use rstest::rstest;
use vk_sim::{DriverConfig, Failure};

use super::own_algorithm::row;
use crate::held::Held;
use crate::operations::FALLIBLE;
use crate::rng::Rng;
use crate::support::{KIB, Sim, buffer_info, image_info};
use crate::tables;

const STEPS: u64 = 3000;

/// A program on its way.
struct Program {
    sim: Sim,
    rng: Rng,
    pools: Vec<CustomPool>,
    /// What is held, and the bytes that it was given.
    held: Vec<(Held, Vec<u8>)>,
    tally: Tally,
}

/// What a program met.
#[derive(Debug, Default)]
struct Tally {
    pools: u32,
    refused_pools: u32,
    ended: u32,
    in_use: u32,
    made: u32,
    refused: u32,
}

fn memory_of(held: &Held) -> &Allocation {
    held.allocation().expect("a pool is not held here")
}

impl Program {
    fn new_pool(&mut self) {
        let rng = &mut self.rng;
        let linear =
            [LinearKind::Auto, LinearKind::DoubleStack, LinearKind::Ring, LinearKind::Stack];
        let (algorithm, max_block_count) = match rng.below(6) {
            0 => (Algorithm::Tlsf, Some(3)),
            1 => (Algorithm::Buddy, None),
            2 => (row(), Some(2)),
            3 => (Algorithm::TwoTier, Some(4)),
            _ => (Algorithm::Linear(rng.pick(&linear)), Some(1)),
        };
        // One to three types, in any order.
        let count = self.sim.driver.config().memory_types.len();
        let mut memory_types = Vec::new();
        for _ in 0..1 + rng.below(3) {
            let index = u32::try_from(rng.index(count)).expect("at most 32");
            if !memory_types.contains(&index) {
                memory_types.push(index);
            }
        }
        let most = u64::from(max_block_count.unwrap_or(2));
        let config = CustomPoolConfig {
            memory_types: &memory_types,
            algorithm,
            block_size: rng.chance(60).then(|| KIB + rng.magnitude(18)),
            min_block_count: u32::try_from(rng.below(most + 1)).expect("at most 4"),
            max_block_count,
            min_alignment: rng.magnitude(8).next_power_of_two(),
            name: rng.chance(50).then_some("of a program"),
            ..Default::default()
        };
        match self.sim.allocator.create_pool(&config) {
            Ok(pool) => {
                assert!(pool.stats().block_count >= config.min_block_count);
                self.pools.push(pool);
                self.tally.pools += 1;
            }
            Err(CreatePoolError::FirstBlocks { .. } | CreatePoolError::BlockSize(_)) => {
                self.tally.refused_pools += 1;
            }
            Err(error) => panic!("{config:?}: {error}"),
        }
    }

    fn end_pool(&mut self) {
        let pool = self.pools.swap_remove(self.rng.index(self.pools.len()));
        let count = self.held.iter().filter(|(held, _)| pool.contains(memory_of(held))).count();
        match self.sim.allocator.destroy_pool(pool) {
            Ok(()) => {
                assert_eq!(count, 0);
                self.tally.ended += 1;
            }
            Err(refused) => {
                let DestroyPoolError::InUse { live } = &refused.error else {
                    panic!("{}", refused.error);
                };
                assert!(live.len() == count && count > 0);
                self.pools.push(refused.returned);
                self.tally.in_use += 1;
            }
        }
    }

    fn make(&mut self) {
        let Self { sim, rng, pools, .. } = self;
        let pool = &pools[rng.index(pools.len())];
        let kinds = [ResourceKind::Linear, ResourceKind::NonLinear, ResourceKind::Unknown];
        let strategies = [Strategy::Auto, Strategy::Auto, Strategy::Pooled, Strategy::Dedicated];
        let request = PoolAllocationRequest {
            size: rng.magnitude(16),
            alignment: rng.magnitude(9).next_power_of_two(),
            kind: rng.pick(&kinds),
            strategy: rng.pick(&strategies),
            upper_end: rng.chance(20),
            within_budget: rng.chance(10),
            never_allocate: rng.chance(10),
            name: rng.chance(20).then_some("one of many"),
            ..Default::default()
        };
        let made = match rng.below(3) {
            0 => {
                let info = buffer_info(rng.magnitude(14));
                let made = sim.create_buffer_in(pool, &info, &request).ok();
                made.map(|(buffer, memory)| Held::Buffer(buffer, memory))
            }
            1 => {
                let edge = u32::try_from(rng.magnitude(6)).expect("at most 65");
                let info = image_info(edge, vk::ImageTiling::OPTIMAL);
                let made = sim.create_image_in(pool, &info, &request).ok();
                made.map(|(image, memory)| Held::Image(image, memory))
            }
            _ => sim.allocator.allocate_in(pool, &request).ok().map(Held::Memory),
        };
        let Some(mut held) = made else {
            self.tally.refused += 1;
            return;
        };
        let memory = held.allocation_mut().expect("it was made with memory");
        assert!(pool.contains(memory) && memory.size() >= request.size);
        assert_eq!(memory.offset() % request.alignment, 0);
        let mut bytes = Vec::new();
        if memory.mapped_ptr().is_some() {
            bytes = rng.bytes(usize::try_from(memory.size()).expect("small"));
            // A failed flush leaves the bytes unsure, and the program gives up on them.
            if sim.allocator.write(memory, 0, &bytes).is_err() {
                bytes.clear();
            }
        }
        self.held.push((held, bytes));
        self.tally.made += 1;
    }

    fn free(&mut self) {
        let (held, bytes) = self.held.swap_remove(self.rng.index(self.held.len()));
        self.sim.driver.clear_failures();
        let mut found = vec![0; bytes.len()];
        if !bytes.is_empty() {
            self.sim.allocator.read(memory_of(&held), 0, &mut found).expect("it is mapped");
        }
        assert!(found == bytes, "{held:?} lost its bytes");
        held.release(&self.sim);
    }

    fn step(&mut self) {
        if self.rng.chance(10) {
            let call = self.rng.pick(&FALLIBLE);
            let result = self.rng.pick(call.errors());
            self.sim.driver.fail(Failure::nth_of(call, 1 + self.rng.below(2), result));
        }
        match self.rng.below(100) {
            0..6 => self.new_pool(),
            6..10 if !self.pools.is_empty() => self.end_pool(),
            10..70 if !self.pools.is_empty() => self.make(),
            70..98 if !self.held.is_empty() => self.free(),
            98.. => {
                self.sim.allocator.trim();
            }
            _ => {}
        }
        self.sim.driver.clear_failures();
    }

    fn check(&self) {
        self.sim.check_books();
        self.pools.iter().for_each(|pool| assert_eq!(pool.check(), Ok(())));
        let memories = self.held.iter().map(|(held, _)| memory_of(held));
        let mut ranges: Vec<_> = memories
            .map(|memory| (memory.memory(), memory.offset(), memory.offset() + memory.size()))
            .collect();
        ranges.sort_unstable();
        let apart = |pair: &[(vk::DeviceMemory, u64, u64)]| {
            pair[0].0 != pair[1].0 || pair[0].2 <= pair[1].1
        };
        assert!(ranges.windows(2).all(apart), "two allocations share bytes");
    }
}

#[rstest]
#[case::default(DriverConfig::default(), 1)]
#[case::unified(tables::unified(), 2)]
#[case::coarse_atoms(tables::non_coherent(4096), 3)]
#[case::coarse_granules(tables::granular(64 * KIB), 4)]
#[case::tiny_heaps(tables::tiny_heaps(), 5)]
#[case::few_objects(tables::objects(12), 6)]
#[case::prefers_dedicated(tables::prefers_dedicated(), 7)]
fn pools_survive_random_programs(#[case] driver: DriverConfig, #[case] seed: u64) {
    let mut config = tables::small_blocks();
    config.ext_memory_budget = true;
    let mut program = Program {
        sim: Sim::new(driver, config),
        rng: Rng::new(seed),
        pools: Vec::new(),
        held: Vec::new(),
        tally: Tally::default(),
    };
    for step in 0..STEPS {
        program.step();
        if step % 25 == 0 {
            program.check();
        }
    }
    program.check();
    while !program.held.is_empty() {
        program.free();
    }
    let Program { sim, pools, tally, .. } = program;
    println!("{tally:?}");
    assert!(tally.pools > 20 && tally.ended > 5 && tally.in_use > 10, "{tally:?}");
    assert!(tally.made > 300 && tally.refused > 100, "{tally:?}");
    pools.into_iter().for_each(|pool| sim.end_pool(pool));
    sim.check_books();
    assert_eq!(sim.allocator.leaks(), []);
    sim.allocator.destroy().expect("nothing lives");
    assert!(sim.driver.live().is_empty());
    assert_eq!(sim.driver.finish(), []);
}
