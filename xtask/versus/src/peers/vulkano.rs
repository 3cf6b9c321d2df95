//! vulkano's suballocators, without a device.

use vulkano::memory::DeviceAlignment;
use vulkano::memory::allocator::suballocator::{Region as VulkanoRegion, Suballocation};
use vulkano::memory::allocator::{
    AllocationType, BuddyAllocator, DeviceLayout, FreeListAllocator, Suballocator,
};

use super::{Core, Region};

pub(super) type Buddy = Vulkano<BuddyAllocator>;
pub(super) type FreeList = Vulkano<FreeListAllocator>;

pub(super) struct Vulkano<S>(S);

impl<S: Suballocator> Core for Vulkano<S> {
    type Handle = Suballocation;

    fn new(region: Region) -> Self {
        Self(S::new(VulkanoRegion::new(0, region.size).expect("regions are small")))
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Suballocation> {
        let layout = DeviceLayout::from_size_alignment(size, alignment)?;
        self.0.allocate(layout, AllocationType::Linear, DeviceAlignment::MIN).ok()
    }

    fn free(&mut self, handle: Suballocation) {
        // SAFETY: The suballocation is of this region and lives: handles are freed once.
        unsafe { self.0.deallocate(handle) };
    }

    fn extent(&self, handle: &Suballocation, _: u64) -> (u64, u64) {
        (handle.offset, handle.size)
    }
}
