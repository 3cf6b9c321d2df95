//! Branches that are short of room, over the simulated driver: which calls they make, and which not.

use ash::vk;
use vk_sim::{Call, DriverConfig, Failure, SimDriver};

use crate::{
    AllocError, Allocation, AllocationRequest, AllocatorConfig, GpuAllocator, UsageFlags, home,
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Many more requests than pass before a block is wanted.
const MANY: usize = 1000;

/// An allocator whose only block of uploads has room for small requests, and none to lease.
// The allocator goes first, also when a test fails.
struct Fixture {
    allocator: GpuAllocator,
    driver: SimDriver,
    held: Vec<Allocation>,
}

impl Fixture {
    fn new(driver: DriverConfig) -> Self {
        Self::with(driver, AllocatorConfig::default())
    }

    fn with(driver: DriverConfig, config: AllocatorConfig) -> Self {
        let driver = SimDriver::new(driver).expect("the device is possible");
        let config = AllocatorConfig {
            api_version: driver.config().api_version,
            host_first_block_size: 16 * MIB,
            shards: Some(4),
            ext_memory_budget: driver.config().extensions.contains(&ash::ext::memory_budget::NAME),
            ..config
        };
        let (instance, physical_device) = (driver.instance(), driver.physical_device());
        // SAFETY: 1. to 3. The driver lives longer, and is of that version.
        let allocator =
            unsafe { GpuAllocator::new(instance, physical_device, driver.device(), config) };
        let allocator = allocator.expect("the configuration is consistent");
        let full: Vec<_> = (0..31)
            .map(|_| allocator.allocate(&upload(512 * KIB)).expect("there is room"))
            .collect();
        driver.clear_calls();
        Self { allocator, driver, held: full }
    }

    /// Allocates and frees on a thread whose shard is a branch, until one lies in that or as often as that.
    fn ask(&self, request: &AllocationRequest<'_>) -> Result<Option<Allocation>, AllocError> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                home::set(1);
                for _ in 0..MANY {
                    let allocation = self.allocator.allocate(request)?;
                    if allocation.shard > 0 {
                        return Ok(Some(allocation));
                    }
                    self.free(allocation);
                }
                Ok(None)
            });
            thread.join().expect("no panic")
        })
    }

    fn free(&self, allocation: Allocation) {
        // SAFETY: 1. and 2. Nothing was bound.
        unsafe { self.allocator.free(allocation) }.expect("it is this allocator's");
    }

    /// Calls that asked for memory, and that gave some back.
    fn calls(&self) -> (usize, usize) {
        let count = |call| self.driver.call_count(call);
        (count(Call::AllocateMemory), count(Call::FreeMemory))
    }

    fn finish(mut self) {
        std::mem::take(&mut self.held).into_iter().for_each(|allocation| self.free(allocation));
        drop(self.allocator);
        assert_eq!(self.driver.finish(), []);
    }
}

fn upload(size: u64) -> AllocationRequest<'static> {
    AllocationRequest { size, usage: UsageFlags::UPLOAD, ..AllocationRequest::DEFAULT }
}

#[test]
fn a_branch_that_is_short_of_room_gets_a_block_once() {
    let mut fixture = Fixture::new(DriverConfig::default());
    let leased = fixture.ask(&upload(KIB)).expect("there is room");
    fixture.held.push(leased.expect("it lies in a lease of the new block"));
    assert_eq!(fixture.calls(), (1, 0));
    fixture.finish();
}

/// What only a thread's speed depends on takes none of the last blocks that others may need.
#[test]
fn where_blocks_are_few_none_is_made_for_a_branch() {
    let config = AllocatorConfig { max_blocks_per_heap: Some(2), ..AllocatorConfig::default() };
    let mut fixture = Fixture::with(DriverConfig::default(), config);
    assert!(fixture.ask(&upload(KIB)).expect("there is room").is_none());
    assert_eq!(fixture.calls(), (0, 0));
    let download =
        AllocationRequest { usage: UsageFlags::DOWNLOAD, size: KIB, ..AllocationRequest::DEFAULT };
    fixture.held.push(fixture.allocator.allocate(&download).expect("that is the second block"));
    fixture.finish();
}

#[test]
fn who_must_not_ask_the_driver_makes_no_block_for_others() {
    let fixture = Fixture::new(DriverConfig::default());
    let never = AllocationRequest { never_allocate: true, ..upload(KIB) };
    assert!(fixture.ask(&never).expect("there is room").is_none());
    assert_eq!(fixture.calls(), (0, 0));
    fixture.finish();
}

#[test]
fn a_refused_block_costs_one_call_and_nobody_else_anything() {
    let fixture = Fixture::new(DriverConfig::default());
    // An empty block of another type of the heap is kept.
    let download =
        AllocationRequest { usage: UsageFlags::DOWNLOAD, size: KIB, ..AllocationRequest::DEFAULT };
    let other = fixture.allocator.allocate(&download).expect("there is room");
    assert_ne!(other.memory_type_index(), fixture.held[0].memory_type_index());
    fixture.free(other);
    fixture.driver.clear_calls();
    let refusal = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
    fixture.driver.fail(Failure::every(Call::AllocateMemory, refusal));
    assert!(fixture.ask(&upload(KIB)).expect("there is room").is_none());
    assert_eq!(fixture.calls(), (1, 0));
    fixture.finish();
}

#[test]
fn any_other_error_of_the_driver_is_told_of_at_once() {
    let fixture = Fixture::new(DriverConfig::default());
    let other = vk::Result::ERROR_INVALID_EXTERNAL_HANDLE;
    fixture.driver.fail(Failure::every(Call::AllocateMemory, other));
    let error = fixture.ask(&upload(KIB)).expect_err("nothing can be done about it");
    assert!(matches!(error, AllocError::Driver { result, .. } if result == other), "{error}");
    fixture.finish();
}

#[test]
fn within_the_budget_no_block_is_made_beyond_it() {
    let mut driver = DriverConfig::default();
    driver.extensions.push(ash::ext::memory_budget::NAME);
    let heap_count = driver.memory_heaps.len();
    // Of the heap of uploads there is as much as the fixture takes.
    driver.heap_budgets = vec![16 * MIB; heap_count];
    let fixture = Fixture::new(driver);
    let within = AllocationRequest { within_budget: true, ..upload(KIB) };
    for request in [within, upload(KIB)] {
        assert!(fixture.ask(&request).expect("there is room").is_none());
    }
    assert_eq!(fixture.calls(), (0, 0));
    fixture.finish();
}
