//! The short ways to allocate and to free lead where the long ones do, whatever carves the pool.

mod support;

use proptest::prelude::*;
use support::{Bench, Honest, KIB};
use vk_pool::linear::LinearKind;
use vk_pool::{Algorithm, MemoryPool, Place, PoolConfig, PoolRequest};

/// One of the short ways.
#[derive(Clone, Copy, Debug)]
struct Way {
    allocate: fn(&mut MemoryPool, &PoolRequest) -> Option<Place>,
    free: fn(&mut MemoryPool, Place) -> Result<(), Place>,
    serves: fn(&Algorithm) -> bool,
}

const WAYS: [Way; 2] = [
    Way {
        allocate: MemoryPool::allocate_at_once,
        free: MemoryPool::free_at_once,
        serves: |algorithm| matches!(algorithm, Algorithm::TwoTier),
    },
    Way { allocate: MemoryPool::allocate_in_row, free: MemoryPool::free_in_row, serves: |_| true },
];

/// A request, or the release of one of what lives.
#[derive(Clone, Debug)]
enum Operation {
    Allocate(PoolRequest),
    Free(usize),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let requests = (1u64..20 * KIB, 0u32..14, prop::bool::weighted(0.2)).prop_map(
        |(size, alignment_log, upper)| PoolRequest {
            size,
            alignment: 1 << alignment_log,
            upper,
            ..PoolRequest::default()
        },
    );
    let operation = prop_oneof![
        3 => requests.prop_map(Operation::Allocate),
        2 => any::<usize>().prop_map(Operation::Free),
    ];
    prop::collection::vec(operation, 1..200)
}

fn algorithms() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(vec![
        Algorithm::TwoTier,
        Algorithm::Tlsf,
        Algorithm::Buddy,
        Algorithm::Linear(LinearKind::Auto),
        Algorithm::Linear(LinearKind::FreeAtOnce),
        Algorithm::Linear(LinearKind::Ring),
        Honest::algorithm(),
    ])
}

/// Answers how many allocations and releases the short way has done.
fn run(
    algorithm: Algorithm,
    way: Way,
    block_size: u64,
    operations: &[Operation],
) -> Result<(usize, usize), TestCaseError> {
    let is_served = (way.serves)(&algorithm);
    let config = PoolConfig { algorithm, max_block_count: Some(1), ..PoolConfig::default() };
    let config = config.with_block_size(block_size);
    let benches = || {
        let mut bench = Bench::new(config.clone());
        let first = bench.allocate(&PoolRequest { size: KIB, ..PoolRequest::default() });
        (bench, vec![first])
    };
    let ((mut short, mut of_short), (mut long, mut of_long)) = (benches(), benches());
    let (mut allocated, mut freed) = (0, 0);
    for operation in operations {
        match operation {
            Operation::Allocate(request) => {
                let at_once = (way.allocate)(&mut short.pool, request);
                prop_assert!(is_served || at_once.is_none(), "it is another algorithm's way");
                allocated += usize::from(at_once.is_some());
                // A short way asks one block, and none that is empty.
                let one = at_once.or_else(|| short.pool.allocate_placed(request));
                let other = long.pool.allocate_placed(request);
                let extent = |place: &Place| (place.offset(), place.size());
                prop_assert_eq!(one.as_ref().map(extent), other.as_ref().map(extent));
                of_short.extend(one);
                of_long.extend(other);
            }
            Operation::Free(index) if !of_short.is_empty() => {
                let index = index % of_short.len();
                let is_last = of_short.len() == 1;
                match (way.free)(&mut short.pool, of_short.swap_remove(index)) {
                    Ok(()) => {
                        freed += 1;
                        prop_assert!(!is_last, "a block has emptied on the short way");
                        prop_assert!(is_served, "it is another algorithm's way");
                    }
                    Err(place) => {
                        prop_assert!(is_last || !is_served, "only the last one goes the long way");
                        short.free(place);
                    }
                }
                long.free(of_long.swap_remove(index));
            }
            Operation::Free(_) => {}
        }
        prop_assert_eq!(short.pool.stats(), long.pool.stats());
    }
    short.check_books();
    let pieces = |bench: &Bench| -> Vec<_> {
        bench.pool.live().map(|live| (live.slot, live.offset, live.size)).collect()
    };
    prop_assert_eq!(pieces(&short), pieces(&long));
    Ok((allocated, freed))
}

proptest! {
    #[test]
    fn both_ways_lead_to_the_same_place(
        algorithm in algorithms(),
        way in prop::sample::select(WAYS.to_vec()),
        // The smaller one has no spans.
        block_size in prop::sample::select(vec![96 * KIB, 256 * KIB]),
        operations in operations(),
    ) {
        run(algorithm, way, block_size, &operations)?;
    }
}

#[test]
fn the_short_ways_are_taken() {
    let allocate = || Operation::Allocate(PoolRequest { size: KIB, ..PoolRequest::default() });
    let free = || Operation::Free(0);
    let operations: Vec<_> = (0..20).flat_map(|_| [allocate(), allocate(), free()]).collect();
    for way in WAYS {
        for algorithm in [Algorithm::TwoTier, Algorithm::Linear(LinearKind::Ring)] {
            for block_size in [96 * KIB, 256 * KIB] {
                let expected = if (way.serves)(&algorithm) { (40, 20) } else { (0, 0) };
                let counts = run(algorithm.clone(), way, block_size, &operations);
                assert_eq!(counts.expect("both ways agree"), expected);
            }
        }
    }
}
