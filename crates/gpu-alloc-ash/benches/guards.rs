//! What margins, fill bytes and zeroes cost: an allocation and its release with and without each, by turns
//! in one process, on a simulated driver, whose calls none of them needs but flushes and invalidations.
//!
//! `cargo bench -p gpu-alloc-ash` prints medians of eleven runs, each with allocators
//! of its own, as where their books lie in the caches makes a difference.

use std::hint::black_box;
use std::time::Instant;

use ash::vk;
use gpu_alloc_ash::{AllocationRequest, AllocatorConfig, FillBytes, GpuAllocator, UsageFlags};
use vk_sim::{DriverConfig, SimDriver};

const RUNS: usize = 11;

/// An option that is switched on.
struct Case {
    name: &'static str,
    change: fn(&mut AllocatorConfig),
    zeroed: bool,
}

const CASES: [Case; 3] = [
    Case { name: "margin of 16", change: |config| config.corruption_margin = 16, zeroed: false },
    Case {
        name: "fill bytes",
        change: |config| config.fill = Some(FillBytes::default()),
        zeroed: false,
    },
    Case { name: "zeroed", change: |_| {}, zeroed: true },
];

fn allocator(driver: &SimDriver, change: fn(&mut AllocatorConfig)) -> GpuAllocator {
    let mut config = AllocatorConfig::default();
    config.api_version = driver.config().api_version;
    change(&mut config);
    let (instance, device) = (driver.instance(), driver.device());
    // SAFETY: 1. to 3. The handles are one driver's, which lives longer, and of that version.
    unsafe { GpuAllocator::new(instance, driver.physical_device(), device, config) }
        .expect("the configuration is consistent")
}

fn free(allocator: &GpuAllocator, allocation: gpu_alloc_ash::Allocation) {
    // SAFETY: 1. and 2. Nothing is bound to it.
    unsafe { allocator.free(allocation) }.expect("it is this allocator's");
}

/// Nanoseconds of one allocation and its release.
#[inline(never)]
fn pair(allocator: &GpuAllocator, request: &AllocationRequest<'_>, count: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        let allocation = allocator.allocate(black_box(request)).expect("there is room");
        free(allocator, black_box(allocation));
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn measure(driver: &SimDriver, coherence: &str, case: &Case, size: u64, count: u32) {
    let plain = AllocationRequest { size, usage: UsageFlags::UPLOAD, ..Default::default() };
    let request = AllocationRequest { zeroed: case.zeroed, ..plain };
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (off, on) = (allocator(driver, |_| {}), allocator(driver, case.change));
        // Keeps the block.
        let kept = [&off, &on].map(|allocator| allocator.allocate(&plain).expect("there is room"));
        without.push(pair(&off, &plain, count));
        with.push(pair(&on, &request, count));
        for (allocator, allocation) in [&off, &on].into_iter().zip(kept) {
            free(allocator, allocation);
        }
    }
    let (without, with) = (median(without), median(with));
    let name = case.name;
    println!("{name:>14} {size:>8} bytes {coherence:>12}: {without:>5.0} ns off, {with:>6.0} on");
}

fn main() {
    // Run as a test, it shows that it runs.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    for is_coherent in [true, false] {
        let mut config = DriverConfig::default();
        if !is_coherent {
            for (flags, _) in &mut config.memory_types {
                *flags &= !vk::MemoryPropertyFlags::HOST_COHERENT;
            }
        }
        let driver = SimDriver::new(config).expect("the default device is possible");
        let coherence = if is_coherent { "coherent" } else { "not coherent" };
        for case in &CASES {
            for (size, count) in [(256, 20_000), (4096, 20_000), (65_536, 2000), (1 << 20, 100)] {
                measure(&driver, coherence, case, size, if is_bench { count } else { 1 });
            }
        }
    }
}
