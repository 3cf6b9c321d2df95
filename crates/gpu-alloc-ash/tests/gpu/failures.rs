//! Failures that real drivers have: the memory ends, a map fails after its allocation was granted, a
//! size is refused, there are too many objects.
//!
//! Each is what one driver does, so each test runs on that driver alone, where `cargo xtask test-gpu
//! --driver` has started it: what ends early on these ends on other devices when the machine has no
//! memory left. They run one after the other, apart from the other tests, since a process that can
//! map no more memory has none for its neighbours either. Every loop has a bound, and passing it
//! fails the test.

use ash::vk;
use gpu_alloc_ash::{
    AllocError, Allocation, AllocationRequest, AllocatorConfig, GpuAllocator, Strategy, UsageFlags,
};
use vk_boot::gpu_tests::{driver, skip};

use crate::bytes::{assert_same_bytes, pattern};
use crate::raw;
use crate::support::{Gpu, assert_nothing_in_use, boot, finish_boot, passthrough, upload};

const MIB: u64 = 1 << 20;

/// Whether the tests were started on a driver of that name or family; says so if not.
fn is_on(family: &str, what: &str) -> bool {
    let is_on = driver().is_some_and(|name| {
        name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    if !is_on {
        skip(&format!("{what} is what {family} does"));
    }
    is_on
}

/// Whether the heaps, some of which are as large as this machine's memory allows, leave it to the
/// driver to say when the 4 GiB of addresses are used up; says so if not.
fn has_more_than_4_gib(gpu: &Gpu) -> bool {
    let heaps = gpu.boot.memory_properties.memory_heaps_as_slice();
    let has = heaps.iter().map(|heap| heap.size).sum::<u64>() >= 5 * 1024 * MIB;
    if !has {
        skip("this machine has too little memory for heaps of 5 GiB");
    }
    has
}

/// Allocates until the first error, which changes nothing; at most `bound` times.
#[track_caller]
fn fill(
    allocator: &GpuAllocator,
    request: &AllocationRequest<'_>,
    bound: usize,
) -> (Vec<Allocation>, AllocError) {
    // Made before memory is short.
    let mut held = Vec::with_capacity(bound);
    while held.len() < bound {
        match allocator.allocate(request) {
            Ok(allocation) => held.push(allocation),
            Err(error) => return (held, error),
        }
    }
    panic!("{bound} allocations of {} bytes, and no error", request.size);
}

/// The error stands for that answer of that call.
#[track_caller]
fn assert_driver_said(error: &AllocError, wanted_call: &str, wanted: &[vk::Result]) {
    let AllocError::Driver { call, result } = error else { panic!("{error}") };
    assert_eq!(*call, wanted_call, "{result:?}");
    assert!(wanted.contains(result), "{call}: {result:?}");
}

/// One that failed has left the books as they were, also if it is tried again and again.
#[track_caller]
fn assert_refusals_leave_nothing(allocator: &GpuAllocator, request: &AllocationRequest<'_>) {
    // The refusal before it may have given empty blocks back.
    assert!(allocator.allocate(request).is_err());
    let before = allocator.stats();
    for _ in 0..3 {
        assert!(allocator.allocate(request).is_err());
    }
    let after = allocator.stats();
    assert_eq!(
        (after.allocation_count, after.total_used),
        (before.allocation_count, before.total_used)
    );
    assert_eq!(
        (after.total_allocated, after.block_count),
        (before.total_allocated, before.block_count)
    );
}

fn free_all(allocator: &GpuAllocator, held: Vec<Allocation>) {
    held.into_iter().for_each(|allocation| raw::free(allocator, allocation));
    assert_nothing_in_use(allocator);
}

/// Fills the device, frees one, fills the gap; then frees everything, and all can be had again.
///
/// Answers how many allocations there were room for, and the error behind the last.
#[track_caller]
fn fill_and_recover(
    gpu: &Gpu,
    request: &AllocationRequest<'_>,
    bound: usize,
) -> (usize, AllocError) {
    let allocator = &gpu.allocator;
    let (mut held, error) = fill(allocator, request, bound);
    let count = held.len();
    println!("{count} allocations of {} bytes, then: {error}", request.size);
    assert!(count > 0);
    assert_refusals_leave_nothing(allocator, request);

    raw::free(allocator, held.swap_remove(count / 2));
    held.push(allocator.allocate(request).expect("there is room again for one"));
    free_all(allocator, held);
    allocator.trim();
    assert_eq!(allocator.stats().total_allocated, 0);

    let (held, again) = fill(allocator, request, bound);
    assert_eq!((held.len(), &again), (count, &error), "all of it can be had again");
    free_all(allocator, held);
    (count, error)
}

/// RADV on the stand-in for its kernel driver has 4 GiB of addresses, and says so in time.
#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn exhausted_memory_is_an_error_and_comes_back() {
    if !is_on("radv", "memory that ends at 4 GiB") {
        return;
    }
    let gpu = Gpu::new();
    if !has_more_than_4_gib(&gpu) {
        return gpu.finish();
    }
    let request = AllocationRequest {
        size: 256 * MIB,
        usage: UsageFlags::FAST_DEVICE_ACCESS,
        strategy: Strategy::Dedicated,
        ..Default::default()
    };
    let (count, error) = fill_and_recover(&gpu, &request, 17);
    assert!((8..=16).contains(&count), "{count}");
    assert_driver_said(&error, "vkAllocateMemory", &[vk::Result::ERROR_OUT_OF_DEVICE_MEMORY]);
    gpu.finish();
}

/// The same with blocks, which are made smaller before the device is given up, and mapped.
#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn exhausted_blocks_are_an_error_and_come_back() {
    if !is_on("radv", "memory that ends at 4 GiB") {
        return;
    }
    const SIZE: u64 = 12 * MIB;
    let gpu = Gpu::new();
    if !has_more_than_4_gib(&gpu) {
        return gpu.finish();
    }
    let request = AllocationRequest { size: SIZE, strategy: Strategy::Pooled, ..upload() };
    let (count, error) = fill_and_recover(&gpu, &request, 400);
    assert!(count as u64 * SIZE >= 2048 * MIB, "{count}: blocks waste less than half");
    assert_driver_said(&error, "vkAllocateMemory", &[vk::Result::ERROR_OUT_OF_DEVICE_MEMORY]);

    // What was there before keeps its bytes while all around it is taken and given back.
    let mut kept = gpu.allocator.allocate(&AllocationRequest { size: 70_001, ..upload() }).unwrap();
    let bytes = pattern(11, 70_001);
    gpu.allocator.write(&mut kept, 0, &bytes).unwrap();
    let (held, _) = fill(&gpu.allocator, &request, 400);
    held.into_iter().for_each(|allocation| raw::free(&gpu.allocator, allocation));
    let mut got = vec![0u8; bytes.len()];
    gpu.allocator.read(&kept, 0, &mut got).unwrap();
    assert_same_bytes("kept", &got, &bytes);
    raw::free(&gpu.allocator, kept);
    gpu.finish();
}

/// The number of the memory type on Turnip whose maps fail past 4 GiB; it is host-visible and not
/// cached. The cached one that is not coherent must not be filled: the driver does not survive it.
const TURNIP_TYPE: u32 = 0;

/// Proves that the driver grants what it then cannot map, without the allocator.
fn granted_and_not_mapped(gpu: &Gpu) -> vk::Result {
    let info =
        vk::MemoryAllocateInfo::default().allocation_size(256 * MIB).memory_type_index(TURNIP_TYPE);
    let mut held = Vec::new();
    let refusal = (0..20).find_map(|_| {
        // SAFETY: valid usage; freed below.
        let memory = unsafe { gpu.device().allocate_memory(&info, None) }.expect("it is granted");
        held.push(memory);
        let (size, flags) = (vk::WHOLE_SIZE, vk::MemoryMapFlags::empty());
        // SAFETY: host-visible, and not mapped.
        unsafe { gpu.device().map_memory(memory, 0, size, flags) }.err()
    });
    println!("the {}th of 256 MiB is granted and cannot be mapped: {refusal:?}", held.len());
    for memory in held {
        // SAFETY: made above; a mapping ends with its memory.
        unsafe { gpu.device().free_memory(memory, None) };
    }
    refusal.expect("a map fails on this driver")
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn memory_that_is_granted_and_cannot_be_mapped_is_given_back() {
    if !is_on("turnip", "a map that fails after its allocation was granted") {
        return;
    }
    finish_boot(boot());
    let gpu = Gpu::new();
    if !has_more_than_4_gib(&gpu) {
        return gpu.finish();
    }
    let result = granted_and_not_mapped(&gpu);
    for strategy in [Strategy::Dedicated, Strategy::Pooled] {
        let size = if strategy == Strategy::Dedicated { 256 * MIB } else { 60 * MIB };
        let memory_type_bits = 1 << TURNIP_TYPE;
        let request = AllocationRequest { size, memory_type_bits, strategy, ..upload() };
        let (count, error) = fill_and_recover(&gpu, &request, 80);
        assert!(count as u64 * size >= 2048 * MIB, "{count}");
        assert_driver_said(&error, "vkMapMemory", &[result]);
    }
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_size_that_the_driver_refuses_is_named_and_nothing_else_suffers() {
    const LARGEST: u64 = 1024 * MIB;
    if !is_on("swiftshader", "a size that is refused below that of the heap") {
        return;
    }
    let request =
        AllocationRequest { size: LARGEST + 4096, strategy: Strategy::Dedicated, ..upload() };
    let gpu = Gpu::new();
    assert!(gpu.largest_heap() > request.size, "it is not the heap that is too small");
    let error = gpu.allocator.allocate(&request).unwrap_err();
    assert_eq!(error, AllocError::TooLarge { size: request.size, limit: LARGEST });
    gpu.finish();

    // Vulkan 1.0 cannot ask for the limit, so the driver itself has to refuse.
    let gpu = Gpu::with_exactly(AllocatorConfig::default());
    for _ in 0..3 {
        let before = gpu.allocator.stats();
        let error = gpu.allocator.allocate(&request).unwrap_err();
        let out_of_memory = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
        assert_driver_said(&error, "vkAllocateMemory", &[out_of_memory]);
        assert_eq!(gpu.allocator.stats().total_allocated, before.total_allocated);
    }
    let small = AllocationRequest { size: MIB, ..request };
    let allocation = gpu.allocator.allocate(&small).expect("smaller sizes are as good as ever");
    raw::free(&gpu.allocator, allocation);
    gpu.finish();
}

/// lavapipe 25 maps each memory object, and the kernel allows a process so many mappings
/// (`vm.max_map_count`). What the driver answers then is a success, and -1 for an address; where it
/// needs host memory itself, that is missing. Without validation: the layer does not survive a
/// process that can map no more.
#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn too_many_objects_are_an_error_and_all_can_be_had_again() {
    // Below 65536, at which lists that double would want a mapping of their own.
    const BOUND: usize = 65_530;
    if !is_on("lavapipe-backports", "memory objects that end with the mappings of a process") {
        return;
    }
    let allowed = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    if allowed.trim().parse().map_or(true, |count: usize| count > BOUND) {
        return skip(&format!("this kernel allows {} mappings", allowed.trim()));
    }
    let gpu = Gpu::without_validation(passthrough());
    if !gpu.boot.driver_info.starts_with("Mesa 25.0.") {
        skip(&format!("it is what Mesa 25.0 does, this is {}", gpu.boot.driver_info));
        return gpu.finish();
    }
    let allocator = &gpu.allocator;
    let request = AllocationRequest { size: 64, ..upload() };
    let (mut held, error) = fill(allocator, &request, BOUND);
    let count = held.len();
    let no_map = ("vkMapMemory", vk::Result::ERROR_MEMORY_MAP_FAILED);
    let no_host_memory = ("vkAllocateMemory", vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    let AllocError::Driver { call, result } = error else { panic!("{error}") };
    assert!([no_map, no_host_memory].contains(&(call, result)), "{error}");
    assert!(count > 60_000, "{count}");
    assert_eq!(allocator.stats().dedicated, count as u64);
    assert_refusals_leave_nothing(allocator, &request);

    // A test's output, and a panic's, need memory as well.
    for allocation in held.drain(count - 100..) {
        raw::free(allocator, allocation);
    }
    println!("{count} objects, then: {error}");
    held.push(allocator.allocate(&request).expect("there is room again"));
    free_all(allocator, held);

    let (held, again) = fill(allocator, &request, BOUND);
    let regained = held.len();
    free_all(allocator, held);
    assert!(matches!(again, AllocError::Driver { .. }), "{again}");
    // The process itself may have a few mappings more or less by now.
    assert!(regained.abs_diff(count) < 100, "{regained} and {count}");
    gpu.finish();
}
