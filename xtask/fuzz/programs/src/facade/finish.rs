//! The end of an allocation, and of a program.

use std::collections::BTreeSet;

use ash::vk::Handle;
use gpu_alloc_ash::{AllocationRequest, MemoryPropertyFlags, Strategy};

use super::Session;
use super::balance::is_external;
use super::held::{Held, Resource};
use crate::Tally;
use crate::input::Input;

impl Session<'_> {
    /// Compares the bytes of an allocation, and gives it back with what is bound to it.
    pub(super) fn release(&mut self, held: Held) {
        let was_compared = held.contents.compare(&self.allocator, &held.allocation);
        self.tally.comparisons += u64::from(was_compared);
        let raw = is_external(&held).then(|| held.allocation.memory());
        let resource = held.resource;
        let allocation = held.into_allocation();
        let freed = match resource {
            // SAFETY: 1. and 2. Nothing is bound to it, and the device has no commands.
            Resource::Nothing => unsafe { self.allocator.free(allocation) },
            // SAFETY: 1. and 2. It is bound to this allocation alone; the device has no commands.
            Resource::Buffer(buffer) => unsafe {
                self.allocator.destroy_buffer(buffer, allocation)
            },
            // SAFETY: 1. and 2. It is bound to this allocation alone; the device has no commands.
            Resource::Image(image) => unsafe { self.allocator.destroy_image(image, allocation) },
        };
        freed.expect("a live allocation is freed by its allocator");
        if let Some(memory) = raw {
            // SAFETY: The program made it, and its tracking has ended.
            unsafe { self.driver.device().free_memory(memory, None) };
        }
    }

    /// Ends the program: all is freed, or some is left to the allocator to report.
    pub(super) fn finish(mut self, input: &mut Input<'_>) -> Tally {
        if input.one_in(2) {
            self.driver.clear_failures();
        }
        self.check_contents();
        self.check_reports();
        if self.tally.steps.is_multiple_of(4) {
            return self.finish_with_leaks();
        }
        while let Some(held) = self.held.pop() {
            self.release(held);
            self.check_balance();
        }
        while let Some(pool) = self.pools.pop() {
            self.end_pool(pool);
            self.check_balance();
        }
        self.allocator.assert_no_leaks();
        self.allocator.trim();
        let stats = self.allocator.stats();
        assert_eq!((stats.total_allocated, stats.total_used, stats.block_count), (0, 0, 0));
        assert!(self.driver.live().is_empty(), "{:?}", self.driver.live());
        self.driver.clear_failures();
        self.check_service();
        let Self { allocator, tally, .. } = self;
        assert_eq!(allocator.destroy(), Ok(()));
        tally
    }

    /// After all that has happened, each memory type that may be had still serves a request.
    fn check_service(&mut self) {
        let driver = &self.device.driver;
        let config = self.allocator.config();
        if config.allocation_count_head_room >= driver.max_memory_allocation_count {
            return;
        }
        for (index, &(flags, heap_index)) in (0_u32..).zip(&driver.memory_types) {
            let heap = heap_index as usize;
            let has_room = driver.memory_heaps[heap].0 > 0 && config.heap_limits[heap] != Some(0);
            let flags = MemoryPropertyFlags::from_bits_retain(flags.as_raw());
            if !has_room || flags.bits() >= MemoryPropertyFlags::PROTECTED.bits() {
                continue;
            }
            let request = AllocationRequest {
                size: 1,
                memory_type_bits: 1 << index,
                required: flags,
                strategy: Strategy::Dedicated,
                ..AllocationRequest::default()
            };
            let allocation = self.allocator.allocate(&request);
            let allocation = allocation.unwrap_or_else(|error| panic!("type {index}: {error}"));
            // SAFETY: 1. and 2. Nothing was bound to it.
            unsafe { self.allocator.free(allocation) }.expect("it was allocated above");
        }
    }

    /// Destroys the allocator under live allocations: it names them, and leaves their memory alone.
    fn finish_with_leaks(mut self) -> Tally {
        let count = self.held.len() + self.losables.len();
        self.tally.leaks += count as u64;
        let held = self.held.iter().map(|held| held.allocation.memory());
        let losable = self.losables.iter().map(|losable| losable.place.memory);
        let memories: BTreeSet<u64> = held.chain(losable).map(Handle::as_raw).collect();
        let reported = self.allocator.leaks();
        self.check_leaks(&reported);
        let Self { allocator, driver, held, tally, .. } = self;
        match allocator.destroy() {
            Ok(()) => assert!(count == 0, "{count} allocations were not reported"),
            Err(leaks) => assert_eq!((leaks.leaks, leaks.overruns), (reported, Vec::new())),
        }
        let left: BTreeSet<u64> =
            driver.memories().iter().map(|record| record.memory.as_raw()).collect();
        assert_eq!(left, memories, "what live allocations hold is left, and no more");
        let device = driver.device();
        for held in &held {
            match held.resource {
                Resource::Nothing => {}
                // SAFETY: The device has no commands.
                Resource::Buffer(buffer) => unsafe { device.destroy_buffer(buffer, None) },
                // SAFETY: The device has no commands.
                Resource::Image(image) => unsafe { device.destroy_image(image, None) },
            }
        }
        for memory in memories {
            // SAFETY: Its allocator is gone, and left it to the program.
            unsafe { device.free_memory(ash::vk::DeviceMemory::from_raw(memory), None) };
        }
        tally
    }
}
