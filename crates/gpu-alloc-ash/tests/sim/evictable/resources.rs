//! Buffers and images that may be lost: bound before anybody can lose them, handed to the callback, destroyed
//! with their memory, and undone where something fails on the way.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ash::vk;
use gpu_alloc_ash::{
    Algorithm, AllocError, AllocatorConfig, CreateError, CustomPoolConfig, Evictable,
    EvictableBuffer, EvictableImage, EvictablePool, FreeError, PoolAllocationRequest, Refused,
    Strategy,
};
use rstest::rstest;
use vk_sim::{Call, DriverConfig, Failure};

use super::fixture::{KEPT, Lost, begin_frame};
use crate::custom_pools::fixture::{MAPPED, OF_DEVICE, fixed};
use crate::support::{KIB, MIB, Sim, buffer_info, image_info};
use crate::tables;

/// The callback panics when this is lost.
const POISON: u32 = 99;

type Made<R> = Result<Evictable<(R, u32)>, Refused<u32, CreateError>>;

impl Sim {
    /// One block of 1 MiB for resources, which are destroyed when they are lost.
    fn pool_of<R: Send + 'static>(
        &self,
        memory_types: &[u32],
        destroy: unsafe fn(&ash::Device, R, Option<&vk::AllocationCallbacks<'_>>),
    ) -> (EvictablePool<(R, u32)>, Lost) {
        let config = CustomPoolConfig {
            algorithm: Algorithm::Tlsf,
            max_block_count: Some(1),
            ..fixed(memory_types, MIB)
        };
        let (lost, device) = (Lost::default(), self.driver.device().clone());
        let listed = lost.clone();
        let on_lost = move |(resource, value): (R, u32)| {
            // SAFETY: The driver outlives its pools, and the resource was not destroyed before.
            unsafe { destroy(&device, resource, None) };
            listed.add(value);
            assert!(value != POISON, "{value} on purpose");
        };
        (EvictablePool::new(self.pool(&config), KEPT, on_lost), lost)
    }

    fn pool_of_buffers(&self) -> (EvictablePool<(vk::Buffer, u32)>, Lost) {
        self.pool_of(MAPPED, ash::Device::destroy_buffer)
    }

    fn evictable_buffer(
        &self,
        pool: &EvictablePool<(vk::Buffer, u32)>,
        info: &vk::BufferCreateInfo<'_>,
        request: &PoolAllocationRequest<'_>,
        frame: u64,
        value: u32,
    ) -> Made<vk::Buffer> {
        // SAFETY: 1. The infos of these tests are valid usage. 2. Nothing is chained to the blocks.
        unsafe { self.allocator.create_evictable_buffer(pool, info, request, frame, value) }
    }

    fn evictable_image(
        &self,
        pool: &EvictablePool<(vk::Image, u32)>,
        info: &vk::ImageCreateInfo<'_>,
        frame: u64,
        value: u32,
    ) -> Made<vk::Image> {
        let request = PoolAllocationRequest::default();
        // SAFETY: 1. and 2. As above.
        unsafe { self.allocator.create_evictable_image(pool, info, &request, frame, value) }
    }

    fn destroy_evictable_buffer(
        &self,
        buffer: EvictableBuffer<u32>,
    ) -> Result<Option<u32>, Refused<EvictableBuffer<u32>, FreeError>> {
        // SAFETY: 1. and 2. The device executes nothing, and nobody else has the buffer.
        unsafe { self.allocator.destroy_evictable_buffer(buffer) }
    }

    fn destroy_evictable_image(&self, image: EvictableImage<u32>) -> Option<u32> {
        // SAFETY: 1. and 2. As above.
        let destroyed = unsafe { self.allocator.destroy_evictable_image(image) };
        destroyed.expect("it is this allocator's")
    }
}

#[test]
fn a_buffer_is_there_bound_until_it_is_lost_or_destroyed() {
    let sim = Sim::default();
    let (pool, lost) = sim.pool_of_buffers();
    let info = buffer_info(256 * KIB);
    let make = |frame, value| {
        let request = PoolAllocationRequest { name: Some("streamed"), ..Default::default() };
        sim.evictable_buffer(&pool, &info, &request, frame, value).expect("there is room")
    };
    let held: Vec<_> = (1..=4).map(|value| make(u64::from(value), value)).collect();
    assert_eq!((sim.driver.live().buffers, sim.driver.call_count(Call::BindBufferMemory)), (4, 4));
    begin_frame(&pool, 2 + KEPT);
    let fifth = make(2 + KEPT, 5);
    assert_eq!(lost.take(), [1]);
    let shown = sim.allocator.with(&fifth, 0, |view| (*view.value(), view.allocation().size()));
    let ((_, value), size) = shown.expect("it was just made");
    assert_eq!((value, size), (5, 256 * KIB));
    // What is lost is not destroyed again; what is not is destroyed with its memory.
    let mut held = held.into_iter();
    let first = held.next().expect("four were made");
    assert_eq!(sim.destroy_evictable_buffer(first).expect("its own"), None);
    let other = Sim::default();
    let refused = other.destroy_evictable_buffer(fifth).expect_err("another's");
    assert!(matches!(refused.error, FreeError::ForeignAllocation { .. }));
    assert_eq!(sim.destroy_evictable_buffer(refused.returned).expect("its own"), Some(5));
    assert_eq!(sim.driver.live().buffers, 3);
    sim.end_evictable(pool);
    assert_eq!(lost.take().len(), 3);
    drop(held);
    other.finish();
    sim.finish();
}

#[test]
fn an_image_makes_room_for_itself_on_its_own_granules() {
    let sim = Sim::new(tables::granular(64 * KIB), AllocatorConfig::default());
    let (pool, lost) = sim.pool_of(OF_DEVICE, ash::Device::destroy_image);
    // 256 KiB each.
    let info = image_info(256, vk::ImageTiling::OPTIMAL);
    let make = |frame, value| sim.evictable_image(&pool, &info, frame, value);
    let mut held: Vec<_> = (1..=4).map(|n| make(u64::from(n), n).expect("there is room")).collect();
    let refused = make(4, 5).expect_err("nothing is old");
    assert_eq!(refused.returned, 5);
    assert_eq!(refused.error, AllocError::PoolFull { max_block_count: 1 }.into());
    assert_eq!(sim.driver.live().images, 4);
    begin_frame(&pool, 100);
    held.push(make(100, 6).expect("all are old"));
    assert_eq!(lost.take(), [1]);
    let values: Vec<_> = held.into_iter().map(|one| sim.destroy_evictable_image(one)).collect();
    assert_eq!(values, [None, Some(2), Some(3), Some(4), Some(6)]);
    assert_eq!(sim.driver.live().images, 0);
    sim.end_evictable(pool);
    sim.finish();
}

/// Whatever fails on the way, the buffer has gone and its value comes back; what was lost for it is told.
#[rstest]
#[case(Call::CreateBuffer, "vkCreateBuffer", &[])]
#[case(Call::BindBufferMemory, "vkBindBufferMemory", &[1])]
fn what_fails_on_the_way_is_undone(
    #[case] call: Call,
    #[case] name: &'static str,
    #[case] told: &[u32],
) {
    let sim = Sim::default();
    let (pool, lost) = sim.pool_of_buffers();
    let (info, request) = (buffer_info(MIB), PoolAllocationRequest::default());
    let old = sim.evictable_buffer(&pool, &info, &request, 1, 1).expect("there is room");
    begin_frame(&pool, 50);
    let result = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
    sim.driver.fail(Failure::every(call, result));
    let refused = sim.evictable_buffer(&pool, &info, &request, 50, 2).expect_err("it fails");
    assert_eq!(refused.returned, 2);
    assert_eq!(refused.error, CreateError::Driver { call: name, result });
    sim.driver.clear_failures();
    assert_eq!(lost.take(), told);
    assert_eq!(sim.driver.live().buffers, 1 - told.len());
    assert_eq!(pool.pool().stats().allocation_count, 1 - told.len() as u64);
    assert_eq!(old.is_lost(), !told.is_empty());
    sim.end_evictable(pool);
    sim.finish();
}

#[test]
fn a_panic_of_the_callback_leaves_nothing_of_the_new_buffer() {
    let sim = Sim::default();
    let (pool, lost) = sim.pool_of_buffers();
    let (info, request) = (buffer_info(MIB), PoolAllocationRequest::default());
    let make = |frame, value| sim.evictable_buffer(&pool, &info, &request, frame, value);
    let old = make(1, POISON).expect("there is room");
    begin_frame(&pool, 50);
    assert!(catch_unwind(AssertUnwindSafe(|| make(50, 2))).is_err());
    assert!(old.is_lost());
    assert_eq!(lost.take(), [POISON]);
    let stats = pool.pool().stats();
    assert_eq!((stats.allocation_count, sim.driver.live().buffers), (0, 0));
    let next = make(50, 3).expect("there is room");
    assert_eq!(sim.destroy_evictable_buffer(next).expect("its own"), Some(3));
    sim.end_evictable(pool);
    sim.finish();
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let needy = DriverConfig { requires_dedicated: true, ..DriverConfig::default() };
    let (sim, other) = (Sim::default(), Sim::new(needy, AllocatorConfig::default()));
    let (pool, _) = sim.pool_of_buffers();
    let (info, request) = (buffer_info(KIB), PoolAllocationRequest::default());
    let error = |sim: &Sim, pool, info, request| {
        let made = sim.evictable_buffer(pool, info, request, 1, 7);
        let refused = made.expect_err("it is refused");
        assert_eq!((refused.returned, sim.driver.live().buffers), (7, 0));
        refused.error
    };
    let foreign = error(&other, &pool, &info, &request);
    assert!(matches!(foreign, CreateError::Alloc(AllocError::ForeignPool { .. })));
    let alone = PoolAllocationRequest { strategy: Strategy::Dedicated, ..request };
    let refusal = error(&sim, &pool, &info, &alone);
    assert!(matches!(refusal, CreateError::Alloc(AllocError::DedicatedNotAllowed { .. })));
    let sparse = info.flags(vk::BufferCreateFlags::SPARSE_BINDING);
    let refusal = error(&sim, &pool, &sparse, &request);
    assert_eq!(refusal, CreateError::BoundInParts { flag: "SPARSE_BINDING" });
    let addressed = info.usage(vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS);
    let refusal = error(&sim, &pool, &addressed, &request);
    assert_eq!(refusal, AllocError::NoDeviceAddress.into());
    let (needy, _) = other.pool_of_buffers();
    let refusal = error(&other, &needy, &info, &request);
    assert_eq!(refusal, AllocError::DedicatedRequired.into());
    other.end_evictable(needy);
    sim.end_evictable(pool);
    other.finish();
    sim.finish();
}
