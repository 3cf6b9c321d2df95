//! Places that no pool has made, which only code of this crate can write down.

use alloc::sync::Arc;

use rstest::rstest;

use crate::{
    Answer, BlockId, DeviceLimits, FreeError, HeapBudgets, HeapLimits, MemoryPool, Place,
    PoolBooks, PoolConfig, PoolRequest,
};

fn allocate(pool: &mut MemoryPool, budgets: &Arc<HeapBudgets>, id: u64, size: u64) -> Place {
    match pool.allocate(&PoolRequest { size, ..PoolRequest::default() }).unwrap() {
        Answer::Placed(place) => place,
        Answer::NeedBlock(need) => {
            let reservation = budgets.reserve(&need).unwrap();
            pool.add_block(need, reservation, BlockId(id)).unwrap()
        }
        Answer::Pending(_) => panic!("nothing is on its way"),
    }
}

#[rstest]
#[case::offset_of_nothing(|place: &mut Place| place.offset = 1 << 20)]
#[case::offset_inside(|place: &mut Place| place.offset += 256)]
#[case::smaller_node(|place: &mut Place| place.node -= 1)]
#[case::larger_node(|place: &mut Place| place.node += 1)]
#[case::node_beyond_the_word(|place: &mut Place| place.node = 64)]
#[case::node_that_overflows(|place: &mut Place| place.node = u32::MAX)]
#[case::dedicated(|place: &mut Place| place.name |= Place::DEDICATED)]
fn a_forged_place_comes_back_and_nothing_has_changed(#[case] forge: fn(&mut Place)) {
    let heap = HeapLimits { size: 1 << 30, ..HeapLimits::default() };
    let budgets = Arc::new(HeapBudgets::new(DeviceLimits::default(), &[heap]).unwrap());
    let books = Arc::new(PoolBooks::new());
    let mut pool = MemoryPool::new(PoolConfig::default(), Arc::clone(&budgets), books).unwrap();
    let place = allocate(&mut pool, &budgets, 1, 1000);
    let other = allocate(&mut pool, &budgets, 2, 1000);
    let before = pool.stats();
    let Place { offset, size, name, generation, node } = place;
    let mut forged = Place { offset, size, name, generation, node };
    forge(&mut forged);
    let (slot, offset) = (forged.slot(), forged.offset);
    let forged = pool.free_at_once(forged).unwrap_err();
    assert_eq!(pool.stats(), before);
    let refused = pool.free(forged).unwrap_err();
    assert_eq!(refused.error, FreeError::NotAllocated { slot, offset });
    assert_eq!(pool.stats(), before);
    pool.free_at_once(place).unwrap();
    assert_eq!(pool.stats().allocation_count, 1);
    let last = pool.free_at_once(other).unwrap_err();
    assert_eq!(pool.stats().allocation_count, 1, "what empties a block is not freed at once");
    pool.free(last).unwrap();
    assert_eq!(pool.stats().used_size, 0);
}

#[test]
fn a_dedicated_object_is_not_freed_as_a_piece() {
    let heap = HeapLimits { size: 1 << 30, ..HeapLimits::default() };
    let budgets = Arc::new(HeapBudgets::new(DeviceLimits::default(), &[heap]).unwrap());
    let books = Arc::new(PoolBooks::new());
    let mut pool = MemoryPool::new(PoolConfig::default(), Arc::clone(&budgets), books).unwrap();
    let mut place = allocate(&mut pool, &budgets, 1, 100 << 20);
    place.name &= !Place::DEDICATED;
    let mut refused = pool.free(place).unwrap_err();
    assert_eq!(refused.error, FreeError::NotAllocated { slot: 0, offset: 0 });
    refused.returned.name |= Place::DEDICATED;
    let place = pool.free_at_once(refused.returned).unwrap_err();
    let block = pool.free(place).unwrap().unwrap();
    budgets.released(block);
    assert_eq!(budgets.object_count(), 0);
}
