//! While one thread is inside of the driver: others are not held up, those whose memory is on its way
//! wait for it, and the limits count it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use ash::vk;
use gpu_alloc_ash::{
    AllocError, Allocation, AllocationRequest, AllocatorConfig, CustomPoolConfig, GpuAllocator,
    LimitError, PoolAllocationRequest, Strategy, UsageFlags,
};
use rstest::rstest;
use vk_sim::{Call, DriverConfig, SimDriver};

use crate::gate::Gate;
use crate::support::{KIB, MIB, Sim, allocator_on_device, free_in};
use crate::tables;

/// Reached only when the code under test hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time for a thread to do what it must not do.
const GRACE: Duration = Duration::from_millis(100);

const UPLOAD: AllocationRequest<'static> = AllocationRequest {
    size: 1000,
    usage: UsageFlags::UPLOAD,
    memory_type_bits: 0b10,
    strategy: Strategy::Pooled,
    ..AllocationRequest::DEFAULT
};

fn gated(driver: DriverConfig, mut config: AllocatorConfig) -> (Sim, Arc<Gate>) {
    config.api_version = driver.api_version;
    let driver = SimDriver::new(driver).expect("the tests describe possible devices");
    let (device, gate) = Gate::on(&driver);
    let allocator = allocator_on_device(&driver, &device, config).expect("it is consistent");
    (Sim { allocator, driver }, gate)
}

/// Opens the gate when the test ends, however it ends, so that its threads can be joined.
struct OpenAtTheEnd<'a>(&'a Gate);

impl Drop for OpenAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// Runs `work` on another thread, and fails the test if it hangs.
#[track_caller]
fn promptly<T: Send>(work: impl FnOnce() -> T + Send, gate: &Gate) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || sender.send(work()));
        receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            // So that both threads can end, and the test with them.
            gate.open();
            panic!("it failed, or is held up by the thread inside of the driver")
        })
    })
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().expect("the thread has not panicked")
}

/// What a thread that is inside of the driver leaves possible.
fn use_the_same_type(allocator: &GpuAllocator) {
    let mut allocation = allocator.allocate(&UPLOAD).expect("a block has room");
    allocator.write(&mut allocation, 0, b"bytes").expect("it is mapped");
    assert_eq!(allocator.stats().pooled, 2);
    assert_eq!(allocator.leaks().len(), 2);
    free_in(allocator, allocation).expect("it is its own");
    allocator.pool_stats(1).expect("the type exists");
}

#[rstest]
#[case::allocating(Call::AllocateMemory)]
#[case::mapping(Call::MapMemory)]
fn growing_holds_nobody_up(#[case] call: Call) {
    let (sim, gate) = gated(DriverConfig::default(), AllocatorConfig::default());
    let first = sim.allocate(&UPLOAD);
    let large = AllocationRequest { size: 4 * MIB, ..UPLOAD };
    gate.close(call);
    thread::scope(|scope| {
        let _open = OpenAtTheEnd(&gate);
        let grower = scope.spawn(|| sim.allocate(&large));
        gate.wait_for(1);
        promptly(|| use_the_same_type(&sim.allocator), &gate);
        assert_eq!(gate.inside(), 1, "the other thread is inside of the driver all the while");
        let usage = sim.allocator.heap_usage(1).expect("the heap exists");
        assert_eq!((usage.committed, usage.reserved), (4 * MIB, 8 * MIB), "two such requests");
        assert_eq!(usage.block_count, 2, "the one on its way included");
        gate.open();
        sim.free(join(grower));
    });
    sim.free(first);
    sim.finish();
}

#[test]
fn giving_back_holds_nobody_up() {
    let (sim, gate) = gated(DriverConfig::default(), AllocatorConfig::default());
    let first = sim.allocate(&UPLOAD);
    let own = AllocationRequest { strategy: Strategy::Dedicated, size: 7 * KIB, ..UPLOAD };
    let dedicated = sim.allocate(&own);
    gate.close(Call::FreeMemory);
    thread::scope(|scope| {
        let _open = OpenAtTheEnd(&gate);
        let freer = scope.spawn(|| sim.free(dedicated));
        gate.wait_for(1);
        promptly(|| use_the_same_type(&sim.allocator), &gate);
        let usage = sim.allocator.heap_usage(1).expect("the heap exists");
        assert_eq!((usage.committed, usage.returning), (4 * MIB, 7 * KIB));
        gate.open();
        join(freer);
    });
    sim.free(first);
    sim.finish();
}

/// A custom pool grows: the ordinary pools and other custom ones go on, and who needs its block waits for it.
#[test]
fn a_custom_pool_that_grows_holds_nobody_else_up() {
    let (sim, gate) = gated(DriverConfig::default(), AllocatorConfig::default());
    let first = sim.allocate(&UPLOAD);
    let config = CustomPoolConfig {
        memory_types: &[1],
        block_size: Some(MIB),
        max_block_count: Some(1),
        ..Default::default()
    };
    let (pool, other) = (sim.pool(&config), sim.pool(&config));
    let request = PoolAllocationRequest { size: MIB / 4, ..Default::default() };
    let elsewhere = sim.allocate_in(&other, &request);
    gate.close(Call::AllocateMemory);
    let held: Vec<Allocation> = thread::scope(|scope| {
        let _open = OpenAtTheEnd(&gate);
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| sim.allocate_in(&pool, &request))).collect();
        gate.wait_for(1);
        promptly(
            || {
                let one = sim.allocate_in(&other, &request);
                sim.free(one);
                let one = sim.allocate(&UPLOAD);
                sim.free(one);
                assert_eq!((pool.stats().block_count, pool.check()), (0, Ok(())));
            },
            &gate,
        );
        thread::sleep(GRACE);
        assert_eq!(gate.inside(), 1, "nobody else asks the driver");
        gate.open();
        threads.into_iter().map(join).collect()
    });
    assert_eq!((pool.stats().block_count, pool.stats().used_size), (1, MIB));
    sim.free_many(held);
    sim.free(first);
    sim.free(elsewhere);
    sim.end_pool(pool);
    sim.end_pool(other);
    sim.finish();
}

/// Others begin while one thread makes a block of 4 MiB for its first MiB.
#[test]
fn those_who_fit_into_a_block_on_its_way_wait_for_it() {
    let (sim, gate) = gated(DriverConfig::default(), AllocatorConfig::default());
    let request = AllocationRequest { size: MIB, ..UPLOAD };
    let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    gate.close(Call::AllocateMemory);
    let held: Vec<Allocation> = thread::scope(|scope| {
        let _open = OpenAtTheEnd(&gate);
        let grower = scope.spawn(|| sim.allocate(&request));
        gate.wait_for(1);
        let allocate = || {
            begun.fetch_add(1, Ordering::SeqCst);
            let allocation = sim.allocate(&request);
            ended.fetch_add(1, Ordering::SeqCst);
            allocation
        };
        let others: Vec<_> = (0..3).map(|_| scope.spawn(allocate)).collect();
        while begun.load(Ordering::SeqCst) < 3 {
            thread::yield_now();
        }
        thread::sleep(GRACE);
        assert_eq!(gate.inside(), 1, "nobody else asks the driver");
        assert_eq!(ended.load(Ordering::SeqCst), 0, "and there is no memory yet");
        gate.open();
        [grower].into_iter().chain(others).map(join).collect()
    });
    assert_eq!(sim.driver.call_count(Call::AllocateMemory), 1);
    assert_eq!(sim.driver.memories()[0].size, 4 * MIB, "and the block is full");
    assert_eq!(sim.allocator.pool_stats(1).expect("it exists").used_size, 4 * MIB);
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

#[rstest]
#[case::too_large_for_one(3 * MIB, 2)]
#[case::the_third_does_not_fit(2 * MIB, 3)]
fn those_who_do_not_fit_together_make_blocks_of_their_own(
    #[case] size: u64,
    #[case] threads: usize,
) {
    let (sim, gate) = gated(DriverConfig::default(), AllocatorConfig::default());
    let request = AllocationRequest { size, ..UPLOAD };
    gate.close(Call::AllocateMemory);
    let held: Vec<Allocation> = thread::scope(|scope| {
        let _open = OpenAtTheEnd(&gate);
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(|| sim.allocate(&request))).collect();
        gate.wait_for(2);
        gate.open();
        all.into_iter().map(join).collect()
    });
    assert_eq!(sim.driver.call_count(Call::AllocateMemory), 2);
    held.into_iter().for_each(|allocation| sim.free(allocation));
    sim.finish();
}

/// The block never comes: who waited asks for one, and gets it.
#[rstest]
#[case::refused_for_good(vk::Result::ERROR_INVALID_EXTERNAL_HANDLE)]
#[case::smaller_in_the_end(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY)]
fn who_waits_for_a_block_that_does_not_come_is_served(#[case] result: vk::Result) {
    let (sim, gate) = gated(DriverConfig::default(), AllocatorConfig::default());
    let request = AllocationRequest { size: MIB, ..UPLOAD };
    let begun = AtomicUsize::new(0);
    sim.driver.fail_nth_of(Call::AllocateMemory, 1, result);
    gate.close(Call::AllocateMemory);
    thread::scope(|scope| {
        let _open = OpenAtTheEnd(&gate);
        let grower = scope.spawn(|| sim.allocator.allocate(&request));
        gate.wait_for(1);
        let allocate = || {
            begun.fetch_add(1, Ordering::SeqCst);
            sim.allocate(&request)
        };
        let others: Vec<_> = (0..3).map(|_| scope.spawn(allocate)).collect();
        while begun.load(Ordering::SeqCst) < 3 {
            thread::yield_now();
        }
        thread::sleep(GRACE);
        gate.open();
        match join(grower) {
            Ok(allocation) => sim.free(allocation),
            Err(error) => {
                assert_eq!(error, AllocError::Driver { call: "vkAllocateMemory", result });
                assert_eq!(result, vk::Result::ERROR_INVALID_EXTERNAL_HANDLE);
            }
        }
        others.into_iter().map(join).for_each(|allocation| sim.free(allocation));
    });
    sim.finish();
}

#[test]
fn limits_count_what_is_in_flight() {
    let mut config = AllocatorConfig::default();
    config.heap_limits[1] = Some(6 * MIB);
    let (sim, gate) = gated(tables::objects(2), config);
    let own = |size| AllocationRequest { size, strategy: Strategy::Dedicated, ..UPLOAD };
    let last_object = own(MIB);
    gate.close(Call::AllocateMemory);
    thread::scope(|scope| {
        let _open = OpenAtTheEnd(&gate);
        let refused = |request: AllocationRequest<'static>| {
            promptly(|| sim.allocator.allocate(&request), &gate).expect_err("the limit holds")
        };
        let grower = scope.spawn(|| sim.allocate(&UPLOAD));
        gate.wait_for(1);
        let limit =
            LimitError::HeapLimit { heap_index: 1, size: 3 * MIB, in_use: 4 * MIB, limit: 6 * MIB };
        assert_eq!(refused(own(3 * MIB)), AllocError::Limit(limit));
        let second = scope.spawn(|| sim.allocate(&last_object));
        gate.wait_for(2);
        let limit = LimitError::AllocationCount { limit: 2 };
        assert_eq!(refused(own(1)), AllocError::Limit(limit));
        gate.open();
        sim.free(join(grower));
        sim.free(join(second));
    });
    sim.finish();
}
