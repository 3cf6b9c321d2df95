//! Every kind of pool, in every ordinary memory type of every device there is a table of, gives up what is
//! old and nothing else, and what is left has its bytes.

use std::collections::BTreeSet;

use ash::vk;
use gpu_alloc_ash::{
    Algorithm, AllocError, AllocatorConfig, CustomPoolConfig, Evictable, EvictablePool, LinearKind,
    PoolAllocationRequest, ResourceKind,
};

use super::fixture::{KEPT, Lost, begin_frame};
use crate::custom_pools::own_algorithm::row;
use crate::devices::{self, on_each};
use crate::rng::Rng;
use crate::support::{KIB, Sim};

const VISIBLE: vk::MemoryPropertyFlags = vk::MemoryPropertyFlags::HOST_VISIBLE;
const COHERENT: vk::MemoryPropertyFlags = vk::MemoryPropertyFlags::HOST_COHERENT;

const FRAMES: u64 = 12;
const STEPS: u64 = 8;

/// Algorithm, bytes and most blocks, and whether anything in it may be lost.
fn kinds() -> Vec<(Algorithm, u64, u32, bool)> {
    let linear = Algorithm::Linear;
    vec![
        // Large enough for spans.
        (Algorithm::TwoTier, 400 * KIB, 1, true),
        (Algorithm::TwoTier, 100 * KIB, 2, true),
        (Algorithm::Tlsf, 100 * KIB, 2, true),
        (Algorithm::Buddy, 100 * KIB, 2, true),
        (linear(LinearKind::Ring), 100 * KIB, 1, true),
        (linear(LinearKind::Auto), 100 * KIB, 1, true),
        (linear(LinearKind::Auto), 100 * KIB, 2, false),
        (linear(LinearKind::FreeAtOnce), 100 * KIB, 1, false),
        (linear(LinearKind::Stack), 100 * KIB, 2, false),
        (linear(LinearKind::DoubleStack), 100 * KIB, 1, false),
        (row(), 100 * KIB, 2, false),
    ]
}

/// What was done on all devices.
#[derive(Debug, Default)]
struct Tally {
    pools: u32,
    made: u32,
    lost: u64,
    refused: u32,
    carried: u32,
    /// Losses from pools with spans.
    lost_with_spans: u64,
}

/// One that is held, in which frame it was used last, and whether it has bytes.
struct Held {
    evictable: Evictable<u32>,
    number: u32,
    used_in: u64,
    is_mapped: bool,
}

/// Where four bytes of each end start.
fn ends(size: u64) -> [u64; 2] {
    [0, size - 4]
}

/// One pool at work.
struct Work<'a> {
    sim: &'a Sim,
    pool: EvictablePool<u32>,
    lost: Lost,
    rng: Rng,
    /// Every number that has had its end.
    ended: BTreeSet<u32>,
    held: Vec<Held>,
    made: u32,
    refused: u32,
    carried: u32,
}

impl Work<'_> {
    fn make(&mut self, frame: u64) {
        let kinds = [ResourceKind::Linear, ResourceKind::Linear, ResourceKind::NonLinear];
        let largest = if self.rng.chance(70) { 12 * KIB } else { 40 * KIB };
        let request = PoolAllocationRequest {
            size: 8 + self.rng.below(largest),
            alignment: 1 << self.rng.below(14),
            kind: self.rng.pick(&kinds),
            ..Default::default()
        };
        let number = self.made;
        let made = self.sim.allocator.allocate_evictable(&self.pool, &request, frame, number);
        let mut evictable = match made {
            Ok(evictable) => evictable,
            Err(refused) => {
                assert_eq!(refused.returned, number);
                match refused.error {
                    AllocError::PoolFull { .. }
                    | AllocError::Limit(_)
                    | AllocError::LargerThanBlock { .. }
                    | AllocError::Driver { .. } => self.refused += 1,
                    error => panic!("{request:?}: {error}"),
                }
                return;
            }
        };
        self.made += 1;
        let is_mapped = self.sim.allocator.with_mut(&mut evictable, frame, |mut view| {
            let look = view.as_view();
            let allocation = look.allocation();
            assert_eq!(allocation.offset() % request.alignment, 0);
            assert_eq!(allocation.size(), request.size);
            let is_mapped = allocation.mapped_ptr().is_some();
            // At both ends, where a neighbour would meet them.
            for end in ends(request.size).into_iter().filter(|_| is_mapped) {
                view.write(end, &number.to_le_bytes()).expect("it is mapped");
            }
            is_mapped
        });
        let is_mapped = is_mapped.expect("it was used in this frame");
        self.held.push(Held { evictable, number, used_in: frame, is_mapped });
    }

    /// What was lost since was old, is gone, and was told once.
    fn check(&mut self, frame: u64) {
        let lost: BTreeSet<u32> = self.lost.take().into_iter().collect();
        assert!(lost.iter().all(|&number| self.ended.insert(number)), "lost twice");
        for held in &self.held {
            let is_lost = held.evictable.is_lost();
            assert_eq!(is_lost, lost.contains(&held.number), "who is lost is told");
            assert!(!is_lost || held.used_in + KEPT < frame, "it was used in {}", held.used_in);
        }
        self.held.retain(|held| !lost.contains(&held.number));
    }

    /// Uses a few, and frees one or the other.
    fn use_some(&mut self, frame: u64) {
        let Self { sim, rng, held, carried, ended, .. } = self;
        for one in held.iter_mut().filter(|_| rng.chance(8)) {
            let look = sim.allocator.with(&one.evictable, frame, |view| {
                for end in ends(view.allocation().size()).into_iter().filter(|_| one.is_mapped) {
                    let mut found = [0; 4];
                    view.read(end, &mut found).expect("it is mapped");
                    assert_eq!(u32::from_le_bytes(found), one.number, "others have its bytes");
                    *carried += 1;
                }
                *view.value()
            });
            assert_eq!(look, Some(one.number));
            one.used_in = frame;
        }
        if rng.chance(30) && !held.is_empty() {
            let one = held.swap_remove(rng.index(held.len()));
            assert_eq!(sim.free_evictable(one.evictable), Some(one.number));
            assert!(ended.insert(one.number));
        }
    }

    /// Fills the pool over and over; answers how many were lost by it.
    fn run(mut self, tally: &mut Tally) -> u64 {
        for frame in 1..=FRAMES {
            begin_frame(&self.pool, frame);
            for _ in 0..STEPS {
                self.make(frame);
                self.check(frame);
            }
            self.use_some(frame);
        }
        let stats = self.pool.eviction_stats();
        assert_eq!(stats.evictable_count, self.held.len() as u64);
        self.sim.end_evictable(self.pool);
        assert!(self.lost.take().into_iter().all(|number| self.ended.insert(number)));
        assert_eq!(self.ended.len(), self.made as usize, "each has one end");
        tally.pools += 1;
        tally.made += self.made;
        tally.refused += self.refused;
        tally.carried += self.carried;
        tally.lost += stats.lost_count;
        stats.lost_count
    }
}

#[test]
fn every_kind_of_pool_gives_up_what_is_old_on_every_device() {
    let mut tally = Tally::default();
    let count = on_each(devices::all_and_without_coherence(), |device| {
        let sim = Sim::new(device.config.clone(), AllocatorConfig::default());
        let types = sim.allocator.memory_types(&Default::default()).expect("there is one at least");
        for memory_type_index in types {
            for (algorithm, block_size, max_block_count, may_be_lost) in kinds() {
                // Where an atom is larger than these blocks, nothing would fit.
                let (flags, _) = device.config.memory_types[memory_type_index as usize];
                let has_atoms = flags & (VISIBLE | COHERENT) == VISIBLE;
                let atoms = 4 * device.config.non_coherent_atom_size * u64::from(has_atoms);
                let config = CustomPoolConfig {
                    memory_types: &[memory_type_index],
                    algorithm: algorithm.clone(),
                    block_size: Some(block_size.max(atoms)),
                    max_block_count: Some(max_block_count),
                    ..Default::default()
                };
                let (pool, lost) = sim.evictable_pool(&config);
                let rng = Rng::new(u64::from(tally.pools));
                let (ended, held) = (BTreeSet::new(), Vec::new());
                let (made, refused, carried) = (0, 0, 0);
                let work = Work { sim: &sim, pool, lost, rng, ended, held, made, refused, carried };
                let lost_count = work.run(&mut tally);
                // A run without a loss shows nothing, where there may be one.
                assert_eq!(lost_count > 0, may_be_lost, "{lost_count} lost of {config:?}");
                if block_size > 100 * KIB {
                    tally.lost_with_spans += lost_count;
                }
            }
        }
        sim.finish();
    });
    println!("{count} devices: {tally:?}");
    assert!(count >= 86);
    assert!(tally.pools >= 5000 && tally.lost >= 100_000, "{tally:?}");
    assert!(tally.lost_with_spans >= 10_000 && tally.carried >= 10_000, "{tally:?}");
    assert!(tally.made >= 200_000 && tally.refused >= 10_000, "{tally:?}");
}
