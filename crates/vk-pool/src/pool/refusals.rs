//! A full pool of one block refuses only what that has no room for; of several a search asks a few.

extern crate std;

use alloc::sync::Arc;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::MemoryPool;
use super::fit::fit_carved;
use crate::way::Tiers;
use crate::{
    Algorithm, Answer, BlockId, DeviceLimits, HeapBudgets, HeapLimits, Place, PoolConfig,
    PoolRequest, RequestError,
};

/// What a program does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Allocate { size: u64 },
    Free { nth: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let small = 1..=16_u64 << 10;
    let size = prop_oneof![4 => small, 1 => 1..=256_u64 << 10];
    let step = prop_oneof![
        3 => size.prop_map(|size| Step::Allocate { size }),
        2 => any::<usize>().prop_map(|nth| Step::Free { nth }),
    ];
    prop::collection::vec(step, 1..400)
}

/// A pool of one block, and its budgets.
fn pool(algorithm: Algorithm, block_size: u64) -> (MemoryPool, Arc<HeapBudgets>) {
    let config = PoolConfig { algorithm, max_block_count: Some(1), ..PoolConfig::default() }
        .with_block_size(block_size);
    let heap = HeapLimits { size: 1 << 30, ..HeapLimits::default() };
    let budgets = HeapBudgets::new(DeviceLimits::default(), &[heap]);
    let budgets = Arc::new(budgets.expect("one heap is allowed"));
    let pool = MemoryPool::new(config, Arc::clone(&budgets), Arc::default());
    (pool.expect("the configuration is valid"), budgets)
}

/// The place for a request; `None` if the pool is full.
fn allocate(
    pool: &mut MemoryPool,
    budgets: &Arc<HeapBudgets>,
    request: &PoolRequest,
) -> Option<Place> {
    if let Some(place) = pool.allocate_at_once(request) {
        return Some(place);
    }
    match pool.allocate(request) {
        Ok(Answer::Placed(place)) => Some(place),
        Ok(Answer::NeedBlock(need)) => {
            let reservation = budgets.reserve(&need).expect("the heap is large enough");
            Some(pool.add_block(need, reservation, BlockId(1)).expect("both are the pool's"))
        }
        Err(RequestError::PoolFull { .. }) => None,
        other => panic!("{other:?}"),
    }
}

/// Whether the block has room after all.
fn has_room(pool: &mut MemoryPool, request: &PoolRequest) -> bool {
    let (fitted, _) = fit_carved(pool.config(), request).expect("the request is valid");
    pool.place_in::<Tiers>(0, &fitted).is_some()
}

fn run(mut pool: MemoryPool, budgets: &Arc<HeapBudgets>, steps: Vec<Step>) {
    let mut live = Vec::new();
    for step in steps {
        match step {
            Step::Allocate { size } => {
                let request = PoolRequest { size, ..PoolRequest::default() };
                match allocate(&mut pool, budgets, &request) {
                    Some(place) => live.push(place),
                    None => assert!(!has_room(&mut pool, &request), "{size} bytes were refused"),
                }
            }
            Step::Free { nth } if !live.is_empty() => {
                let place = live.swap_remove(nth % live.len());
                if let Err(place) = pool.free_at_once(place) {
                    let block = pool.free(place).expect("it is live");
                    block.into_iter().for_each(|block| budgets.released(block));
                }
            }
            Step::Free { .. } => {}
        }
    }
}

proptest! {
    #[test]
    fn two_tiers_are_not_refused_while_the_block_has_room(
        steps in steps(), size_log in 18_u32..=20,
    ) {
        let (pool, budgets) = pool(Algorithm::TwoTier, 1 << size_log);
        run(pool, &budgets, steps);
    }

    #[test]
    fn a_segregated_fit_is_not_refused_while_the_block_has_room(
        steps in steps(), size_log in 18_u32..=20,
    ) {
        let (pool, budgets) = pool(Algorithm::Tlsf, 1 << size_log);
        run(pool, &budgets, steps);
    }

    #[test]
    fn buddies_are_not_refused_while_the_block_has_room(
        steps in steps(), size_log in 18_u32..=20,
    ) {
        let (pool, budgets) = pool(Algorithm::Buddy, 1 << size_log);
        run(pool, &budgets, steps);
    }
}
