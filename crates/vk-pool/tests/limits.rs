//! Hard limits, one at a time and under threads.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rstest::rstest;
use support::{Bench, KIB, MIB, NOTHING_KEPT, bytes};
use vk_pool::{
    Answer, BlockId, ConfigError, Dedicated, DeviceLimits, HeapBudgets, HeapLimits, LimitError,
    MemoryPool, PoolBooks, PoolConfig, PoolRequest, RequestError, ResourceKind,
};

const HEAP: HeapLimits = HeapLimits { size: 64 * MIB, limit: None, max_block_count: None };
const DEVICE: DeviceLimits = DeviceLimits {
    max_memory_allocation_count: 4096,
    allocation_count_head_room: 0,
    max_memory_allocation_size: 1 << 40,
};

fn dedicated(size: u64) -> PoolRequest {
    PoolRequest { dedicated: Dedicated::Always, ..bytes(size) }
}

#[rstest]
#[case::device_size(
    DeviceLimits { max_memory_allocation_size: 8 * MIB, ..DEVICE }, HEAP, 9 * MIB,
    LimitError::AllocationSize { size: 9 * MIB, limit: 8 * MIB })]
#[case::heap_size(DEVICE, HEAP, 65 * MIB, LimitError::HeapSize { heap_index: 0, size: 65 * MIB, heap_size: 64 * MIB })]
#[case::zero_heap(DEVICE, HeapLimits { size: 0, ..HEAP }, 1, LimitError::HeapSize { heap_index: 0, size: 1, heap_size: 0 })]
#[case::user_limit(
    DEVICE, HeapLimits { limit: Some(MIB), ..HEAP }, MIB + 1,
    LimitError::HeapLimit { heap_index: 0, size: MIB + 1, in_use: 0, limit: MIB })]
#[case::no_objects(
    DeviceLimits { max_memory_allocation_count: 3, allocation_count_head_room: 3, ..DEVICE }, HEAP, 1,
    LimitError::AllocationCount { limit: 0 })]
#[case::head_room_above_the_count(
    DeviceLimits { max_memory_allocation_count: 3, allocation_count_head_room: 9, ..DEVICE }, HEAP, 1,
    LimitError::AllocationCount { limit: 0 })]
fn a_limit_is_named_with_its_numbers(
    #[case] device: DeviceLimits,
    #[case] heap: HeapLimits,
    #[case] size: u64,
    #[case] error: LimitError,
) {
    let mut bench = Bench::with_limits(PoolConfig::default(), device, heap);
    let need = bench.need(&dedicated(size));
    assert_eq!(bench.budgets.reserve(&need).expect_err("it passes a limit"), error);
    bench.pool.cancel(need).expect("it is ours");
    bench.check_books();
}

#[test]
fn exactly_the_limit_is_allowed_and_one_byte_more_is_not() {
    let mut bench = Bench::with_limits(
        PoolConfig::default(),
        DEVICE,
        HeapLimits { limit: Some(10 * MIB), ..HEAP },
    );
    let all = bench.allocate(&dedicated(10 * MIB));
    let need = bench.need(&dedicated(1));
    assert_eq!(
        bench.budgets.reserve(&need).expect_err("nothing is left"),
        LimitError::HeapLimit { heap_index: 0, size: 1, in_use: 10 * MIB, limit: 10 * MIB }
    );
    bench.pool.cancel(need).expect("it is ours");
    bench.free(all);
    let again = bench.allocate(&dedicated(10 * MIB));
    bench.free(again);
}

#[test]
fn blocks_have_a_limit_of_their_own() {
    let config = PoolConfig { growth_divisor: 0, ..PoolConfig::default() };
    let mut bench =
        Bench::with_limits(config, DEVICE, HeapLimits { max_block_count: Some(1), ..HEAP });
    let _block = bench.allocate(&bytes(12 * MIB));
    let need = bench.need(&bytes(12 * MIB));
    assert_eq!(
        bench.budgets.reserve(&need).expect_err("one block is there"),
        LimitError::BlockCount { heap_index: 0, limit: 1 }
    );
    bench.pool.cancel(need).expect("it is ours");
    let _dedicated = bench.allocate(&dedicated(12 * MIB));
    bench.check_books();
}

/// A block that no request depends on leaves a quarter of each hard limit.
#[rstest]
#[case::no_limit(DEVICE, HEAP, true)]
#[case::bytes(DEVICE, HeapLimits { limit: Some(64 * MIB), ..HEAP }, true)]
#[case::too_many_bytes(DEVICE, HeapLimits { limit: Some(21 * MIB), ..HEAP }, false)]
#[case::blocks(DEVICE, HeapLimits { max_block_count: Some(4), ..HEAP }, true)]
#[case::too_many_blocks(DEVICE, HeapLimits { max_block_count: Some(2), ..HEAP }, false)]
#[case::objects(DeviceLimits { max_memory_allocation_count: 3, ..DEVICE }, HEAP, true)]
#[case::too_many_objects(DeviceLimits { max_memory_allocation_count: 2, ..DEVICE }, HEAP, false)]
fn a_quarter_of_each_limit_is_left(
    #[case] device: DeviceLimits,
    #[case] heap: HeapLimits,
    #[case] expected: bool,
) {
    let mut bench = Bench::with_limits(PoolConfig::default(), device, heap);
    let _first = bench.allocate(&bytes(12 * MIB));
    let need = bench.need(&bytes(12 * MIB));
    assert_eq!(bench.budgets.leaves_room(&need), expected, "{} bytes", need.size());
    bench.pool.cancel(need).expect("it is ours");
}

#[test]
fn more_bytes_than_the_heap_has_are_not_elsewhere() {
    let bench = Bench::with_limits(PoolConfig::default(), DEVICE, HEAP);
    let refused = bench.budgets.adopt_external(0, HEAP.size + 1).expect_err("nobody has made that");
    let (size, heap_size) = (HEAP.size + 1, HEAP.size);
    assert_eq!(refused, LimitError::HeapSize { heap_index: 0, size, heap_size });
    assert_eq!(bench.budgets.usage(0).expect("heap 0 exists").external, 0);
}

#[test]
#[should_panic(expected = "a block goes back to the budgets of its pool")]
fn a_block_does_not_go_back_to_other_budgets() {
    let config = PoolConfig { retention: NOTHING_KEPT, ..PoolConfig::default() };
    let mut bench = Bench::new(config.clone());
    let place = bench.allocate(&bytes(KIB));
    let block = bench.pool.free(place).expect("it is live").expect("nothing is kept");
    Bench::new(config).budgets.released(block);
}

#[test]
fn external_objects_count_against_every_limit() {
    let device = DeviceLimits { max_memory_allocation_count: 2, ..DEVICE };
    let mut bench = Bench::with_limits(
        PoolConfig::default(),
        device,
        HeapLimits { limit: Some(32 * MIB), ..HEAP },
    );
    bench.budgets.adopt_external(0, 20 * MIB).expect("heap 0 exists");
    let need = bench.need(&bytes(KIB));
    assert!(
        matches!(bench.budgets.reserve(&need), Err(LimitError::HeapLimit { in_use, .. }) if in_use == 20 * MIB)
    );
    bench.budgets.adopt_external(0, 1).expect("heap 0 exists");
    assert_eq!(
        bench.budgets.reserve(&need).expect_err("two objects"),
        LimitError::AllocationCount { limit: 2 }
    );
    bench.budgets.forget_external(0, 1).expect("heap 0 exists");
    bench.budgets.forget_external(0, 20 * MIB).expect("heap 0 exists");
    bench.pool.cancel(need).expect("it is ours");
    bench.check_books();
    assert_eq!(bench.budgets.adopt_external(1, 1), Err(LimitError::NoSuchHeap { heap_index: 1 }));
}

#[test]
fn bytes_on_their_way_back_still_count() {
    let mut bench = Bench::with_limits(
        PoolConfig::default(),
        DEVICE,
        HeapLimits { limit: Some(10 * MIB), ..HEAP },
    );
    let place = bench.allocate(&dedicated(10 * MIB));
    let returned =
        bench.pool.free(place).expect("it is live").expect("dedicated memory goes at once");
    assert_eq!(bench.budgets.usage(0).expect("heap 0 exists").returning, 10 * MIB);
    let need = bench.need(&dedicated(MIB));
    assert!(bench.budgets.reserve(&need).is_err());
    bench.release(returned);
    let place = bench.fulfil(need);
    bench.check_books();
    bench.free(place);
}

#[rstest]
#[case(bytes(0), RequestError::ZeroSize)]
#[case(PoolRequest { alignment: 24, ..bytes(1) }, RequestError::AlignmentNotPowerOfTwo { alignment: 24 })]
#[case(
    PoolRequest { dedicated: Dedicated::Never, ..bytes(257 * MIB) },
    RequestError::LargerThanBlock { size: 257 * MIB, alignment: 1, largest_block_size: 256 * MIB })]
#[case(
    PoolRequest { dedicated: Dedicated::Never, alignment: 1 << 40, ..bytes(1) },
    RequestError::LargerThanBlock { size: 1, alignment: 1 << 40, largest_block_size: 256 * MIB })]
#[case(
    PoolRequest { dedicated: Dedicated::Never, ..bytes(u64::MAX) },
    RequestError::LargerThanBlock { size: u64::MAX, alignment: 1, largest_block_size: 256 * MIB })]
fn a_request_that_makes_no_sense_changes_nothing(
    #[case] request: PoolRequest,
    #[case] error: RequestError,
) {
    let mut bench = Bench::new(PoolConfig::default());
    assert_eq!(bench.pool.allocate(&request).expect_err("it makes no sense"), error);
    bench.check_books();
    assert_eq!(bench.books.pending(), 0);
}

#[rstest]
#[case(u64::MAX, 1)]
#[case(u64::MAX - 1000, 4096)]
#[case(1 << 63, 1 << 63)]
#[case(1, 1 << 63)]
fn sizes_near_the_end_of_64_bits_are_refused_by_a_limit(#[case] size: u64, #[case] alignment: u64) {
    let config = PoolConfig { buffer_image_granularity: 65536, ..PoolConfig::default() };
    let mut bench = Bench::new(config);
    let request = PoolRequest {
        size,
        alignment,
        kind: ResourceKind::NonLinear,
        dedicated: Dedicated::BySize,
        upper: false,
    };
    let need = bench.need(&request);
    assert!(need.is_dedicated());
    assert_eq!(bench.budgets.reserve(&need).is_ok(), size == 1);
    bench.pool.cancel(need).expect("it is ours");
    bench.check_books();
}

#[rstest]
#[case::power(PoolConfig { min_allocation_size: 100, ..PoolConfig::default() }, "min_allocation_size")]
#[case::zero(PoolConfig { atom_size: 0, ..PoolConfig::default() }, "atom_size")]
#[case::granularity(PoolConfig { buffer_image_granularity: 3, ..PoolConfig::default() }, "buffer_image_granularity")]
#[case::order(PoolConfig { first_block_size: 1 << 30, ..PoolConfig::default() }, "first_block_size")]
#[case::dedicated(PoolConfig { dedicated_above: 1 << 30, ..PoolConfig::default() }, "dedicated_above")]
#[case::smallest(PoolConfig { smallest_block_size: 32 * MIB, ..PoolConfig::default() }, "smallest_block_size")]
#[case::heap(PoolConfig { heap_index: 1, ..PoolConfig::default() }, "heap 1")]
fn a_configuration_that_contradicts_itself_is_refused(
    #[case] config: PoolConfig,
    #[case] names: &str,
) {
    let budgets = Arc::new(HeapBudgets::new(DEVICE, &[HEAP]).expect("one heap is allowed"));
    let error = MemoryPool::new(config, budgets, Arc::new(PoolBooks::new()))
        .expect_err("it contradicts itself");
    assert!(error.to_string().contains(names), "{error}");
}

#[test]
fn more_heaps_than_vulkan_has_are_refused() {
    assert_eq!(
        HeapBudgets::new(DEVICE, &[HEAP; 17]).expect_err("17"),
        ConfigError::TooManyHeaps { heap_count: 17 }
    );
}

/// Each thread has a pool of its own on the same heap, makes and frees blocks in a mad order, and a
/// counter outside of the budgets sees every byte that the "driver" holds.
#[test]
fn no_thread_ever_passes_a_limit() {
    const LIMIT: u64 = 40 * MIB;
    const OBJECTS: u32 = 5;
    const LEAST: u64 = 2000;
    const MOST: u64 = 5_000_000;
    let device = DeviceLimits { max_memory_allocation_count: OBJECTS, ..DEVICE };
    let budgets = Arc::new(
        HeapBudgets::new(device, &[HeapLimits { limit: Some(LIMIT), ..HEAP }]).expect("one heap"),
    );
    let (held, objects) = (AtomicU64::new(0), AtomicU64::new(0));
    let refusals = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for seed in 1..=4u64 {
            let (budgets, held, objects, refusals) = (&budgets, &held, &objects, &refusals);
            scope.spawn(move || {
                let config = PoolConfig { retention: NOTHING_KEPT, ..PoolConfig::default() };
                let mut pool =
                    MemoryPool::new(config, Arc::clone(budgets), Arc::new(PoolBooks::new()))
                        .expect("valid");
                let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                for id in 0..MOST {
                    // On a busy machine a thread would be through before the next one starts, so
                    // they go on until one has met the limit.
                    if id >= LEAST && refusals.load(Ordering::Relaxed) > 0 {
                        break;
                    }
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let size = (random % 12 + 1) * MIB;
                    let Ok(Answer::NeedBlock(need)) = pool.allocate(&dedicated(size)) else {
                        panic!("dedicated")
                    };
                    let Ok(reservation) = budgets.reserve(&need) else {
                        refusals.fetch_add(1, Ordering::Relaxed);
                        pool.cancel(need).expect("it is ours");
                        std::thread::yield_now();
                        continue;
                    };
                    assert!(held.fetch_add(size, Ordering::SeqCst) + size <= LIMIT);
                    assert!(objects.fetch_add(1, Ordering::SeqCst) < u64::from(OBJECTS));
                    let place =
                        pool.add_block(need, reservation, BlockId(id)).expect("both are ours");
                    std::thread::yield_now();
                    let returned = pool
                        .free(place)
                        .expect("it is live")
                        .expect("dedicated memory goes at once");
                    held.fetch_sub(size, Ordering::SeqCst);
                    objects.fetch_sub(1, Ordering::SeqCst);
                    budgets.released(returned);
                }
            });
        }
    });
    assert!(
        refusals.load(Ordering::Relaxed) > 0,
        "the limit was never reached, so nothing was tested"
    );
    assert_eq!(budgets.usage(0), Some(vk_pool::HeapUsage::default()));
    assert_eq!(budgets.object_count(), 0);
}

#[test]
fn without_a_figure_of_the_driver_the_budget_is_four_fifths_of_the_heap() {
    let mut bench = Bench::with_limits(PoolConfig::default(), DEVICE, HEAP);
    let budget = bench.budgets.budget(0).expect("heap 0 exists");
    assert_eq!((budget.budget, budget.usage), (64 * MIB - 64 * MIB / 5, 0));
    let most = bench.allocate(&dedicated(51 * MIB));
    let need = bench.need(&dedicated(MIB));
    let error = bench.budgets.reserve(&need).expect_err("it passes the budget");
    let (size, usage) = (MIB, 51 * MIB);
    assert_eq!(error, LimitError::Budget { heap_index: 0, size, usage, budget: budget.budget });
    assert_eq!(bench.budgets.usage(0).expect("heap 0 exists").reserved, 0, "it was undone");
    // The budget is soft; the heap's limits are not.
    let reservation = bench.budgets.reserve_over_budget(&need).expect("within the heap");
    let id = bench.id();
    let over = bench.pool.add_block(need, reservation, id).expect("both are ours");
    bench.check_books();
    bench.free(most);
    bench.free(over);
}

#[rstest]
#[case::what_others_use_counts(40 * MIB, 30 * MIB, 10 * MIB)]
#[case::all_used_by_others(40 * MIB, 40 * MIB, 0)]
#[case::more_than_all(40 * MIB, 60 * MIB, 0)]
#[case::no_more_than_the_heap(1 << 60, 0, 64 * MIB)]
#[case::not_known(0, 0, 64 * MIB - 64 * MIB / 5)]
fn a_driver_budget_leaves_what_it_leaves(
    #[case] budget: u64,
    #[case] usage: u64,
    #[case] left: u64,
) {
    let bench = Bench::with_limits(PoolConfig::default(), DEVICE, HEAP);
    bench.budgets.set_driver_budget(0, budget, usage);
    assert_eq!(bench.budgets.budget(0).expect("heap 0 exists").left(), left);
    bench.budgets.set_driver_budget(7, budget, usage);
    assert_eq!(bench.budgets.budget(7), None);
}

#[test]
fn our_own_bytes_are_counted_once_between_two_figures_of_the_driver() {
    let mut bench = Bench::with_limits(PoolConfig::default(), DEVICE, HEAP);
    let first = bench.allocate(&dedicated(10 * MIB));
    // The driver sees our 10 MiB, and 5 MiB that another library of this process holds.
    bench.budgets.set_driver_budget(0, 50 * MIB, 15 * MIB);
    let second = bench.allocate(&dedicated(20 * MIB));
    assert_eq!(bench.budgets.budget(0).expect("heap 0 exists").usage, 35 * MIB);
    bench.free(first);
    assert_eq!(bench.budgets.budget(0).expect("heap 0 exists").usage, 25 * MIB);
    bench.free(second);
}

#[test]
fn only_room_that_exists_is_taken_without_asking() {
    let mut bench = Bench::new(PoolConfig::default());
    assert!(bench.pool.allocate_placed(&bytes(MIB)).is_none(), "there is no block");
    let first = bench.allocate(&bytes(MIB));
    let second = bench.pool.allocate_placed(&bytes(15 * MIB)).expect("15 MiB are free");
    for refused in [bytes(KIB), bytes(0), dedicated(KIB)] {
        assert!(bench.pool.allocate_placed(&refused).is_none());
    }
    assert_eq!(bench.books.pending(), 0, "no block was asked for");
    bench.check_books();
    bench.free(first);
    bench.free(second);
}
