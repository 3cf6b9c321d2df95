//! Every kind of pool, in every ordinary memory type of every device there is a table of, carries bytes.

use gpu_alloc_ash::{
    Algorithm, AllocError, Allocation, AllocatorConfig, CreatePoolError, CustomPool,
    CustomPoolConfig, LinearKind, PoolAllocationRequest, ResourceKind,
};

use super::own_algorithm::row;
use crate::devices::{self, on_each};
use crate::rng::Rng;
use crate::support::{KIB, Sim};

/// Algorithm, at most so many blocks, and whether there is an upper end.
fn kinds() -> Vec<(Algorithm, Option<u32>, bool)> {
    vec![
        (Algorithm::TwoTier, None, false),
        (Algorithm::Tlsf, Some(3), false),
        (Algorithm::Buddy, Some(3), false),
        (Algorithm::Linear(LinearKind::Auto), Some(1), true),
        (Algorithm::Linear(LinearKind::Auto), Some(4), false),
        (Algorithm::Linear(LinearKind::FreeAtOnce), Some(1), false),
        (Algorithm::Linear(LinearKind::FreeAtOnce), Some(4), false),
        (Algorithm::Linear(LinearKind::Stack), Some(1), false),
        (Algorithm::Linear(LinearKind::Stack), None, false),
        (Algorithm::Linear(LinearKind::DoubleStack), Some(1), true),
        (Algorithm::Linear(LinearKind::Ring), Some(1), false),
        (row(), Some(3), false),
    ]
}

/// What was done on all devices.
#[derive(Debug, Default)]
struct Tally {
    pools: u32,
    allocations: u32,
    carried: u32,
    upper: u32,
    /// Pools whose blocks their heap is too small for.
    impossible: u32,
}

/// One pool at work, and what its memory has to hold.
struct Work<'a> {
    sim: &'a Sim,
    pool: &'a CustomPool,
    has_upper: bool,
    held: Vec<(Allocation, Vec<u8>)>,
}

impl Work<'_> {
    /// Allocates until there is no room, or a few dozen; what is mapped gets bytes.
    fn fill(&mut self, rng: &mut Rng, tally: &mut Tally) {
        while self.held.len() < 40 {
            let kinds = [ResourceKind::Linear, ResourceKind::NonLinear, ResourceKind::Unknown];
            let request = PoolAllocationRequest {
                size: rng.magnitude(13),
                alignment: 1 << rng.below(10),
                kind: rng.pick(&kinds),
                upper_end: self.has_upper && rng.chance(40),
                ..Default::default()
            };
            let mut allocation = match self.sim.allocator.allocate_in(self.pool, &request) {
                Ok(allocation) => allocation,
                Err(
                    AllocError::PoolFull { .. }
                    | AllocError::Limit(_)
                    | AllocError::LargerThanBlock { .. }
                    | AllocError::Driver { .. },
                ) => break,
                Err(error) => panic!("{request:?}: {error}"),
            };
            assert_eq!(allocation.offset() % request.alignment, 0);
            assert_eq!(allocation.size(), request.size);
            tally.allocations += 1;
            tally.upper += u32::from(request.upper_end);
            let mut bytes = Vec::new();
            if allocation.mapped_ptr().is_some() {
                bytes = rng.bytes(usize::try_from(request.size).expect("small"));
                self.sim.allocator.write(&mut allocation, 0, &bytes).expect("it is mapped");
            }
            self.held.push((allocation, bytes));
        }
    }

    /// Frees some, in any order, each with the bytes that it was given.
    fn drain(&mut self, rng: &mut Rng, left: usize, tally: &mut Tally) {
        while self.held.len() > left {
            let (allocation, bytes) = self.held.swap_remove(rng.index(self.held.len()));
            let mut found = vec![0; bytes.len()];
            if !bytes.is_empty() {
                self.sim.allocator.read(&allocation, 0, &mut found).expect("it is mapped");
                tally.carried += 1;
            }
            assert!(found == bytes, "{allocation:?} lost its bytes");
            self.sim.free(allocation);
        }
    }
}

fn try_pool(sim: &Sim, config: &CustomPoolConfig<'_>, has_upper: bool, tally: &mut Tally) {
    let pool = match sim.allocator.create_pool(config) {
        Ok(pool) => pool,
        Err(CreatePoolError::BlockSize(_)) => {
            tally.impossible += 1;
            return;
        }
        Err(error) => panic!("{config:?}: {error}"),
    };
    tally.pools += 1;
    let mut rng = Rng::new(u64::from(tally.pools));
    let mut work = Work { sim, pool: &pool, has_upper, held: Vec::new() };
    for _ in 0..3 {
        work.fill(&mut rng, tally);
        assert_eq!(pool.check(), Ok(()));
        let left = work.held.len() / 3;
        work.drain(&mut rng, left, tally);
    }
    work.drain(&mut rng, 0, tally);
    sim.end_pool(pool);
}

#[test]
fn every_kind_of_pool_carries_bytes_on_every_device() {
    let mut tally = Tally::default();
    let count = on_each(devices::all_and_without_coherence(), |device| {
        let sim = Sim::new(device.config.clone(), AllocatorConfig::default());
        let types = sim.allocator.memory_types(&Default::default()).expect("there is one at least");
        for memory_type_index in types {
            let memory_types = &[memory_type_index];
            for (algorithm, max_block_count, has_upper) in kinds() {
                for block_size in [Some(100 * KIB), None] {
                    let config = CustomPoolConfig {
                        memory_types,
                        algorithm: algorithm.clone(),
                        block_size,
                        max_block_count,
                        ..Default::default()
                    };
                    try_pool(&sim, &config, has_upper, &mut tally);
                }
            }
        }
        sim.finish();
    });
    println!("{count} devices: {tally:?}");
    assert!(count >= 86);
    assert!(tally.pools >= 5000 && tally.allocations >= 200_000, "{tally:?}");
    assert!(tally.carried >= 100_000 && tally.upper >= 10_000, "{tally:?}");
}
