//! Links `buddy-core`, `memtype-select` and `vk-pool` into a library without std.
//!
//! The panic handler here and the one of std cannot be in one program, so this builds only as long
//! as nothing under the three libraries brings std in. Nothing of it is ever run: the calls are
//! there so that code of each library is compiled and linked.
#![no_std]

extern crate alloc;

#[cfg(feature = "plant-std")]
extern crate std;

use alloc::sync::Arc;
use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;

use allocator_api2::alloc::Allocator;
use buddy_core::{Arena, ArenaConfig, BuddyAllocator, Fixed};
use memtype_select::{
    CachedSelector, DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags,
    MemoryRequest, MemoryType, MemoryTypeSelector,
};
use vk_pool::{
    Answer, DeviceLimits, HeapBudgets, HeapLimits, MemoryPool, PoolBooks, PoolConfig, PoolRequest,
};

/// Refuses every request, as a target without a heap would.
struct NoHeap;

// SAFETY: 1. No memory is handed out, so no two pieces overlap and each fits its layout.
// 2. Nothing here panics or unwinds.
unsafe impl GlobalAlloc for NoHeap {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: NoHeap = NoHeap;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Calls into each library with numbers that the optimiser does not know.
// SAFETY: no other function of this name is in the library, as the prefix is this package's own.
#[unsafe(no_mangle)]
pub extern "C" fn no_std_link_check(size: u64, bits: u32) -> u64 {
    let piece = buddy(size).unwrap_or_default();
    let place = arena(size).unwrap_or_default();
    let memory_type = selector(size, bits).unwrap_or_default();
    let block = pool(size).unwrap_or_default();
    piece ^ place ^ u64::from(memory_type) ^ block
}

/// Words for a region of 4096 bytes in blocks of 16 and more.
const WORD_COUNT: usize = BuddyAllocator::<Fixed<'_>>::words_needed(1 << 12, 1 << 4)
    .expect("both sizes are powers of two in order");

/// The offset of the second of two pieces, after the first was freed.
fn buddy(size: u64) -> Option<u64> {
    let mut words = [0; WORD_COUNT];
    let mut fixed = BuddyAllocator::with_words(1 << 12, 1 << 4, &mut words).ok()?;
    let mut owned = BuddyAllocator::new(1 << 20, 1 << 8).ok()?;
    let first = fixed.allocate(size).ok()?;
    let second = owned.allocate_aligned(size, 1 << 8).ok()?;
    fixed.free(first).ok()?;
    fixed.validate().ok()?;
    owned.free_blocks().next().map(|free| free.offset ^ second.offset)
}

/// The largest free block of an arena that has served a request.
fn arena(size: u64) -> Option<u64> {
    let mut memory = [MaybeUninit::uninit(); 1 << 12];
    let config = ArenaConfig { max_alignment: 16, ..ArenaConfig::default() };
    let arena = Arena::new(&mut memory, config).ok()?;
    let layout = Layout::array::<u64>(usize::try_from(size).ok()?).ok()?;
    let block = (&arena).allocate(layout).ok()?;
    let largest = arena.largest_free_block();
    // SAFETY: 1. The block was just allocated by this arena. 2. It was so with this layout.
    unsafe { (&arena).deallocate(block.cast(), layout) };
    Some(largest)
}

/// The best memory type of a device with one heap and one type.
fn selector(size: u64, memory_type_bits: u32) -> Option<u32> {
    let device_local =
        MemoryType { property_flags: MemoryPropertyFlags::DEVICE_LOCAL, heap_index: 0 };
    let heap = MemoryHeap { size: 1 << 30, flags: MemoryHeapFlags::DEVICE_LOCAL };
    let selector = MemoryTypeSelector::new(DeviceMemoryProperties::new(&[device_local], &[heap]));
    let request = MemoryRequest { memory_type_bits, size, ..MemoryRequest::default() };
    CachedSelector::new(selector).select(&request)
}

/// The size of the block that an empty pool asks for.
fn pool(size: u64) -> Option<u64> {
    let heap = HeapLimits { size: 1 << 30, ..HeapLimits::default() };
    let budgets = Arc::new(HeapBudgets::new(DeviceLimits::default(), &[heap]).ok()?);
    let books = Arc::new(PoolBooks::new());
    let mut pool = MemoryPool::new(PoolConfig::default(), budgets.clone(), books).ok()?;
    match pool.allocate(&PoolRequest { size, ..PoolRequest::default() }).ok()? {
        Answer::NeedBlock(need) => {
            let reservation = budgets.reserve(&need).ok()?;
            drop(reservation);
            Some(need.size())
        }
        _ => None,
    }
}
