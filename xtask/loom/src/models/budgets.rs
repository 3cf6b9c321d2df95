//! The limits of heap and device, whose atomics loom sees in these variants.

use std::sync::Arc;

use loom::thread::JoinHandle;

use super::super::vk_pool::{
    Answer, BlockId, BlockRequest, DeviceLimits, HeapBudgets, HeapLimits, LimitError, MemoryPool,
    PoolBooks, PoolConfig, PoolRequest, Reservation,
};
use super::threads::{joined, spawned};

const BLOCK: u64 = 4 << 10;

/// Limits of one heap for so many bytes in blocks, and of a device for so many objects.
fn budgets(limit: u64, objects: u32) -> Arc<HeapBudgets> {
    let heap = HeapLimits { size: 1 << 30, limit: Some(limit), max_block_count: None };
    let device = DeviceLimits { max_memory_allocation_count: objects, ..DeviceLimits::default() };
    Arc::new(HeapBudgets::new(device, &[heap]).expect("there is one heap"))
}

fn pool(budgets: &Arc<HeapBudgets>) -> MemoryPool {
    let config = PoolConfig {
        first_block_size: BLOCK,
        largest_block_size: BLOCK,
        smallest_block_size: BLOCK,
        dedicated_above: BLOCK,
        room_taken_up_to: BLOCK,
        ..PoolConfig::default()
    };
    let books = Arc::new(PoolBooks::new());
    MemoryPool::new(config, Arc::clone(budgets), books).expect("the configuration is valid")
}

/// A pool of its own, and the block that it needs.
fn wanted(budgets: &Arc<HeapBudgets>) -> (MemoryPool, BlockRequest) {
    let mut pool = pool(budgets);
    let request = PoolRequest { size: 256, alignment: 1, ..PoolRequest::default() };
    match pool.allocate(&request) {
        Ok(Answer::NeedBlock(wanted)) => (pool, wanted),
        answer => panic!("an empty pool needs a block: {answer:?}"),
    }
}

/// A thread that reserves one block, and answers what it got.
fn reserving(budgets: &Arc<HeapBudgets>) -> JoinHandle<Result<Reservation, LimitError>> {
    let (budgets, (_, wanted)) = (Arc::clone(budgets), wanted(budgets));
    spawned(move || budgets.reserve_over_budget(&wanted))
}

fn check_empty(budgets: &HeapBudgets) {
    let usage = budgets.usage(0).expect("there is one heap");
    let bytes = (usage.committed, usage.reserved, usage.returning, usage.external);
    assert_eq!(bytes, (0, 0, 0, 0), "the books balance at the end");
    let counts = (usage.block_count, budgets.object_count());
    assert_eq!(counts, (0, 0), "no object is counted at the end");
}

/// Three threads reserve of a heap that has room for two.
pub(super) fn a_heap_limit_holds() {
    let budgets = budgets(BLOCK, 4096);
    let others = [(); 1].map(|()| reserving(&budgets));
    let (_, own) = wanted(&budgets);
    let own = budgets.reserve_over_budget(&own);
    let all = others.map(joined).into_iter().chain([own]);
    let (granted, refused): (Vec<_>, Vec<_>) = all.partition(Result::is_ok);
    assert!(granted.len() <= 1, "the limit was passed");
    let refusal = refused.into_iter().map(|answer| answer.expect_err("a refusal"));
    for error in refusal {
        assert!(matches!(error, LimitError::HeapLimit { .. }), "{error}");
    }
    assert_eq!(granted.len(), 1, "who is refused has taken nothing from who is not");
    assert_eq!(budgets.object_count(), 1);
    drop(granted);
    check_empty(&budgets);
}

/// The same of a device that has two memory objects.
pub(super) fn an_object_limit_holds() {
    let budgets = budgets(1 << 20, 1);
    let others = [(); 1].map(|()| reserving(&budgets));
    let (_, own) = wanted(&budgets);
    let own = budgets.reserve_over_budget(&own);
    let all = others.map(joined).into_iter().chain([own]);
    let granted: Vec<_> = all.flatten().collect();
    assert!(granted.len() <= 1, "the limit was passed");
    assert_eq!(granted.len(), 1, "who is refused has taken nothing from who is not");
    drop(granted);
    check_empty(&budgets);
}

/// A thread reserves and gives up while another reserves.
pub(super) fn goes_while_another_comes() {
    let budgets = budgets(2 * BLOCK, 4096);
    let other = reserving(&budgets);
    let (_, own) = wanted(&budgets);
    drop(budgets.reserve_over_budget(&own).expect("there is room for two"));
    drop(joined(other).expect("there is room for two"));
    check_empty(&budgets);
}

/// A block goes back to the driver while another thread reserves one.
pub(super) fn leaves_while_another_comes() {
    let budgets = budgets(2 * BLOCK, 4096);
    let (mut pool, own) = wanted(&budgets);
    let reservation = budgets.reserve_over_budget(&own).expect("there is room for two");
    let place = pool.add_block(own, reservation, BlockId(1)).expect("both are this pool's");
    assert!(matches!(pool.free(place), Ok(None)), "one empty block is kept");
    let other = reserving(&budgets);
    let spent = pool.trim().expect("it is empty");
    let usage = budgets.usage(0).expect("there is one heap");
    assert!(usage.returning == BLOCK && usage.committed <= 2 * BLOCK, "{usage:?}");
    budgets.released(spent);
    drop(joined(other).expect("there is room for two"));
    check_empty(&budgets);
}
