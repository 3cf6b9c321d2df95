//! What is lost reaches its callback once, with no lock held, whatever that does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use ash::vk;
use gpu_alloc_ash::{Algorithm, CustomPoolConfig, EvictablePool, PoolAllocationRequest};

use super::fixture::{KEPT, Lost, begin_frame};
use crate::custom_pools::fixture::{MAPPED, bytes, fixed};
use crate::support::{KIB, MIB, Sim, buffer_info};

fn one_block() -> CustomPoolConfig<'static> {
    CustomPoolConfig { algorithm: Algorithm::Tlsf, max_block_count: Some(1), ..fixed(MAPPED, MIB) }
}

#[test]
fn a_panic_in_a_callback_reaches_who_asked_and_locks_nobody_out() {
    let sim = Sim::default();
    let lost = Lost::default();
    let listed = lost.clone();
    let pool = EvictablePool::new(sim.pool(&one_block()), KEPT, move |value: u32| {
        listed.add(value);
        assert!(value.is_multiple_of(2), "{value} is odd");
    });
    let held: Vec<_> =
        (0..4).map(|value| sim.evictable(&pool, &bytes(256 * KIB), 1, value)).collect();
    begin_frame(&pool, 50);
    let ask = || sim.allocator.allocate_evictable(&pool, &bytes(MIB), 50, 10);
    let panic = catch_unwind(AssertUnwindSafe(ask)).expect_err("the callback panics");
    // Of two panics the first one, in no order of the losses.
    let message = panic.downcast_ref::<String>().expect("that of the assertion");
    assert!(message.starts_with("1 is odd") || message.starts_with("3 is odd"), "{message}");
    assert_eq!(lost.take(), [0, 1, 2, 3], "each of them, once");
    assert!(held.iter().all(|one| one.is_lost()));
    // What was asked for is as if it had been dropped: it is there, and is lost when it is old.
    let stats = pool.eviction_stats();
    assert_eq!((stats.evictable_count, stats.lost_count), (1, 4));
    assert_eq!(pool.pool().stats().allocation_count, 1);
    begin_frame(&pool, 60);
    let next = std::thread::scope(|scope| {
        let other = scope.spawn(|| sim.evictable(&pool, &bytes(MIB), 60, 12));
        other.join().expect("no lock is left held")
    });
    assert_eq!(lost.take(), [10]);
    assert_eq!(sim.free_evictable(next), Some(12));

    // The same at the end.
    let left = sim.evictable(&pool, &bytes(KIB), 60, 21);
    let end = || sim.end_evictable(pool);
    assert!(catch_unwind(AssertUnwindSafe(end)).is_err());
    assert!(left.is_lost());
    assert_eq!(lost.take(), [21]);
    sim.finish();
}

#[test]
fn a_panic_of_who_takes_what_was_bound_gives_the_memory_back() {
    let sim = Sim::default();
    let (pool, lost) = sim.evictable_pool(&one_block());
    let held = sim.evictable(&pool, &bytes(MIB), 1, 1);
    // SAFETY: 1. and 2. The device executes nothing, and nothing was bound.
    let free =
        || unsafe { sim.allocator.free_evictable(held, |value| panic!("{value} on purpose")) };
    let freed: Result<Result<Option<()>, _>, _> = catch_unwind(AssertUnwindSafe(free));
    assert!(freed.is_err());
    assert_eq!((pool.pool().stats().allocation_count, lost.take().len()), (0, 0));
    sim.end_evictable(pool);
    sim.finish();
}

/// A pool that its own callback uses.
#[test]
fn a_callback_may_use_the_pool_that_it_is_of() {
    let sim = Arc::new(Sim::default());
    let pool: Arc<OnceLock<EvictablePool<u32>>> = Arc::default();
    let (inner_sim, inner_pool) = (Arc::clone(&sim), Arc::clone(&pool));
    let again = Arc::new(Mutex::new(Vec::new()));
    let inner_again = Arc::clone(&again);
    let made = EvictablePool::new(sim.pool(&one_block()), KEPT, move |value: u32| {
        let Some(pool) = inner_pool.get() else { return };
        // The first is loaded anew, for which the second has to go.
        if value == 0 {
            let one = inner_sim.evictable(pool, &bytes(512 * KIB), 50, 10);
            inner_again.lock().expect("no panic").push(one);
        }
    });
    assert!(pool.set(made).is_ok());
    let pool_ref = pool.get().expect("set above");
    let held: Vec<_> = (0..2).map(|n| sim.evictable(pool_ref, &bytes(512 * KIB), 1, n)).collect();
    begin_frame(pool_ref, 50);
    let new = sim.evictable(pool_ref, &bytes(512 * KIB), 50, 2);
    assert!(held.iter().all(|one| one.is_lost()), "each made room for another");
    let stats = pool_ref.eviction_stats();
    assert_eq!(stats.lost_count, 2);
    assert_eq!(stats.evictable_count, 2);
    assert_eq!(sim.value_in(&new, 50), Some(2));
    let reloaded = std::mem::take(&mut *again.lock().expect("no panic"));
    let mut values: Vec<_> =
        reloaded.into_iter().filter_map(|one| sim.free_evictable(one)).collect();
    values.sort_unstable();
    assert_eq!(values, [10]);
    assert_eq!(sim.free_evictable(new), Some(2));
    // The callback holds the pool, which is dropped with the rest.
    assert_eq!(pool_ref.pool().check(), Ok(()));
    assert_eq!(sim.allocator.leaks(), []);
}

#[test]
fn buffers_are_handed_back_and_can_be_destroyed_there() {
    let sim = Arc::new(Sim::default());
    let destroyed = Arc::new(AtomicU32::new(0));
    let (inner, count) = (Arc::clone(&sim), Arc::clone(&destroyed));
    let config = CustomPoolConfig { max_block_count: Some(2), ..one_block() };
    let pool = EvictablePool::new(sim.pool(&config), KEPT, move |buffer: vk::Buffer| {
        inner.destroy_raw_buffer(buffer);
        count.fetch_add(1, Ordering::Relaxed);
    });
    for frame in 0..60 {
        begin_frame(&pool, frame);
        let buffer = sim.raw_buffer(&buffer_info(200 * KIB));
        // SAFETY: The driver lives.
        let needs = unsafe { sim.driver.device().get_buffer_memory_requirements(buffer) };
        let request = PoolAllocationRequest { kind: bytes(1).kind, ..needs.into() };
        let made = sim.allocator.allocate_evictable(&pool, &request, frame, buffer);
        let held = made.expect("ten fit, and three have to stay");
        let bound = sim
            .allocator
            .with(&held, frame, |view| sim.bind_buffer(*view.value(), view.allocation()));
        assert_eq!(bound, Some(()));
    }
    assert_eq!(destroyed.load(Ordering::Relaxed), 50);
    assert_eq!(sim.driver.live().buffers, 10);
    sim.end_evictable(pool);
    assert_eq!(destroyed.load(Ordering::Relaxed), 60);
    Arc::into_inner(sim).expect("the callback has gone").finish();
}
