//! VMA 3.3 through vk-mem: its virtual block, in three modes.

use vk_mem::{
    VirtualAllocation, VirtualAllocationCreateFlags, VirtualAllocationCreateInfo, VirtualBlock,
    VirtualBlockCreateFlags, VirtualBlockCreateInfo,
};

use super::{Core, Region};

/// The general algorithm, as it comes.
pub(super) type Default = Vma<0>;
/// The general algorithm, asked for the least memory.
pub(super) type MinMemory = Vma<1>;
/// The algorithm for stacks and rings.
pub(super) type Linear = Vma<2>;

pub(super) struct Vma<const MODE: u8>(VirtualBlock);

impl<const MODE: u8> Vma<MODE> {
    const BLOCK: VirtualBlockCreateFlags = if MODE == 2 {
        VirtualBlockCreateFlags::VMA_VIRTUAL_BLOCK_CREATE_LINEAR_ALGORITHM_BIT
    } else {
        VirtualBlockCreateFlags::empty()
    };
    const ALLOCATION: VirtualAllocationCreateFlags = if MODE == 1 {
        VirtualAllocationCreateFlags::VMA_VIRTUAL_ALLOCATION_CREATE_STRATEGY_MIN_MEMORY_BIT
    } else {
        VirtualAllocationCreateFlags::empty()
    };
}

impl<const MODE: u8> Core for Vma<MODE> {
    type Handle = (VirtualAllocation, u64);

    fn new(region: Region) -> Self {
        let info = VirtualBlockCreateInfo {
            size: region.size,
            flags: Self::BLOCK,
            allocation_callbacks: None,
        };
        Self(VirtualBlock::new(info).expect("VMA makes blocks of any size"))
    }

    fn allocate(&mut self, size: u64, alignment: u64) -> Option<Self::Handle> {
        let info =
            VirtualAllocationCreateInfo { size, alignment, user_data: 0, flags: Self::ALLOCATION };
        // SAFETY: The size is not zero and the alignment a power of two.
        unsafe { self.0.allocate(info) }.ok()
    }

    fn free(&mut self, (mut allocation, _): Self::Handle) {
        // SAFETY: The allocation is of this block and lives: handles are freed once.
        unsafe { self.0.free(&mut allocation) };
    }

    fn extent(&self, handle: &Self::Handle, asked: u64) -> (u64, u64) {
        (handle.1, asked)
    }
}

impl<const MODE: u8> Drop for Vma<MODE> {
    fn drop(&mut self) {
        // SAFETY: No handle is used after its region is gone. VMA wants its blocks empty.
        unsafe { self.0.clear() };
    }
}
