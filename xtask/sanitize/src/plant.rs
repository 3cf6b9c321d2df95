//! Faults that a sanitizer must find, in the same program and under the same suppressions.

use std::cell::UnsafeCell;
use std::hint::black_box;

use gpu_alloc_ash::{AllocationRequest, GpuAllocator, Strategy, UsageFlags};

use crate::threads;

/// A counter that says it may be shared, and may not.
struct Counter(UnsafeCell<u64>);

// SAFETY: none. This is the fault.
unsafe impl Sync for Counter {}

/// Two threads count with nothing between them.
#[inline(never)]
pub(crate) fn planted_race() {
    let counter = Counter(UnsafeCell::new(0));
    let counter = &counter;
    threads::run_all(2, &|_| {
        for _ in 0..1000 {
            // SAFETY: none. This is the fault.
            unsafe { *black_box(counter).0.get() += 1 };
        }
    });
    // SAFETY: the threads are joined.
    println!("planted: a race, counted to {}", unsafe { *counter.0.get() });
}

/// Writes behind the end of mapped memory.
#[inline(never)]
pub(crate) fn planted_overrun(allocator: &GpuAllocator) {
    let request = AllocationRequest {
        size: 64 << 10,
        usage: UsageFlags::UPLOAD,
        // The end of the memory object is that of the allocation.
        strategy: Strategy::Dedicated,
        ..AllocationRequest::default()
    };
    let allocation = allocator.allocate(&request).expect("there is memory");
    let size = usize::try_from(allocation.size()).expect("64 KiB");
    let first = allocation.mapped_ptr().expect("memory for uploads is mapped").as_ptr();
    // Drivers round up to a page.
    for behind in (0..=4096).step_by(8) {
        let address = first.wrapping_add(size + behind);
        // SAFETY: none. This is the fault.
        unsafe { address.write_volatile(0x5a) };
    }
    println!("planted: an overrun");
    // SAFETY: the device has never seen it.
    let freed = unsafe { allocator.free(allocation) };
    assert!(freed.is_ok(), "it is this allocator's");
}

/// Loses host memory.
#[inline(never)]
pub(crate) fn planted_leak() {
    // Several, as what the last one was may still stand in a register.
    for number in 0..16_u64 {
        std::mem::forget(black_box(Box::new([number; 8])));
    }
    println!("planted: a leak");
}
