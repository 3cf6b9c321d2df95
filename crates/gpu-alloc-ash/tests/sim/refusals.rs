//! Requests that make no sense, or that nothing can serve: the error says why, and nothing changed.

use ash::vk;
use gpu_alloc_ash::{
    AccessError, AllocError, Allocation, AllocationRequest, AllocatorConfig, MemoryPropertyFlags,
    Strategy, UsageFlags,
};
use rstest::rstest;

use crate::support::{KIB, MIB, Sim, buffer_info};

const HEAP_1: u64 = 2048 * MIB;

/// Refuses `request`, proves that nothing changed, and that the next good one is served.
#[track_caller]
fn check_refused(sim: Sim, request: &AllocationRequest<'_>, error: &AllocError) {
    let good = AllocationRequest { size: 1000, ..Default::default() };
    let kept = sim.allocate(&good);
    let (stats, live) = (sim.allocator.stats(), sim.driver.live());
    assert_eq!(&sim.allocator.allocate(request).expect_err("it is refused"), error);
    assert_eq!(sim.allocator.stats(), stats);
    assert_eq!(sim.driver.live(), live);
    sim.check_books();
    let next = sim.allocate(&good);
    sim.free(kept);
    sim.free(next);
    sim.finish();
}

fn version_1_0() -> Sim {
    Sim::with_version(vk_sim::DriverConfig::default(), AllocatorConfig::default())
}

fn none_of(memory_type_bits: u32, required: MemoryPropertyFlags) -> AllocError {
    AllocError::NoSuitableMemoryType { memory_type_bits, required }
}

#[rstest]
#[case::zero_size(AllocationRequest::default(), AllocError::ZeroSize)]
#[case::alignment_3(
    AllocationRequest { size: 1, alignment: 3, ..Default::default() },
    AllocError::AlignmentNotPowerOfTwo { alignment: 3 }
)]
#[case::alignment_of_all_bits(
    AllocationRequest { size: 1, alignment: u64::MAX, ..Default::default() },
    AllocError::AlignmentNotPowerOfTwo { alignment: u64::MAX }
)]
#[case::past_max_memory_allocation_size(
    AllocationRequest { size: 1024 * MIB + 1, ..Default::default() },
    AllocError::TooLarge { size: 1024 * MIB + 1, limit: 1024 * MIB }
)]
#[case::all_of_64_bits(
    AllocationRequest { size: u64::MAX, ..Default::default() },
    AllocError::TooLarge { size: u64::MAX, limit: 1024 * MIB }
)]
#[case::past_the_only_heap_allowed(
    AllocationRequest { size: 64 * MIB + 1, memory_type_bits: 0b1000, ..Default::default() },
    AllocError::TooLarge { size: 64 * MIB + 1, limit: 64 * MIB }
)]
#[case::past_the_largest_block(
    AllocationRequest {
        size: 128 * MIB + 1, strategy: Strategy::Pooled, memory_type_bits: 1, ..Default::default()
    },
    AllocError::LargerThanBlock {
        size: 128 * MIB + 1, alignment: 1, largest_block_size: 128 * MIB
    }
)]
#[case::aligned_past_the_largest_block(
    AllocationRequest {
        size: 9, alignment: 1 << 30, strategy: Strategy::Pooled, ..Default::default()
    },
    AllocError::LargerThanBlock { size: 9, alignment: 1 << 30, largest_block_size: 128 * MIB }
)]
#[case::no_type_bits(
    AllocationRequest { size: 1, memory_type_bits: 0, ..Default::default() },
    none_of(0, MemoryPropertyFlags::empty())
)]
#[case::bits_beyond_the_table_only(
    AllocationRequest { size: 1, memory_type_bits: 0xffff_fff0, ..Default::default() },
    none_of(0xffff_fff0, MemoryPropertyFlags::empty())
)]
#[case::usage_against_bits(
    AllocationRequest {
        size: 1, memory_type_bits: 1, usage: UsageFlags::UPLOAD, ..Default::default()
    },
    none_of(1, MemoryPropertyFlags::empty())
)]
#[case::flags_that_no_type_has(
    AllocationRequest { size: 1, required: MemoryPropertyFlags::PROTECTED, ..Default::default() },
    none_of(u32::MAX, MemoryPropertyFlags::PROTECTED)
)]
#[case::required_and_avoided(
    AllocationRequest {
        size: 1,
        required: MemoryPropertyFlags::HOST_VISIBLE,
        avoided: MemoryPropertyFlags::HOST_VISIBLE,
        ..Default::default()
    },
    none_of(u32::MAX, MemoryPropertyFlags::HOST_VISIBLE)
)]
#[case::feature_not_enabled(
    AllocationRequest { size: 1, device_address: true, ..Default::default() },
    AllocError::FeatureNotEnabled { feature: "bufferDeviceAddress" }
)]
fn a_bad_request_is_refused_by_name(
    #[case] request: AllocationRequest<'static>,
    #[case] error: AllocError,
) {
    check_refused(Sim::default(), &request, &error);
}

/// Vulkan 1.0 has no `maxMemoryAllocationSize`; the heaps are the limit.
#[rstest]
#[case::past_every_heap(HEAP_1 + 1, HEAP_1)]
#[case::all_of_64_bits(u64::MAX, HEAP_1)]
fn a_size_past_every_heap_is_too_large(#[case] size: u64, #[case] limit: u64) {
    let request = AllocationRequest { size, ..Default::default() };
    check_refused(version_1_0(), &request, &AllocError::TooLarge { size, limit });
}

#[test]
fn the_first_error_of_a_request_that_breaks_two_rules_is_its_own() {
    let request = AllocationRequest {
        size: 0,
        alignment: 3,
        memory_type_bits: 0,
        device_address: true,
        ..Default::default()
    };
    check_refused(Sim::default(), &request, &AllocError::ZeroSize);
}

#[test]
fn type_bits_beyond_the_table_are_ignored() {
    let sim = Sim::default();
    let request =
        AllocationRequest { size: 1, memory_type_bits: 0xffff_fff2, ..Default::default() };
    let allocation = sim.allocate(&request);
    assert_eq!(allocation.memory_type_index(), 1);
    sim.free(allocation);
    sim.finish();
}

#[test]
fn a_buffer_that_nothing_can_back_is_not_left_behind() {
    let sim = Sim::default();
    let request = AllocationRequest { memory_type_bits: 0, ..Default::default() };
    let error = sim.create_buffer(&buffer_info(64), &request).expect_err("no type");
    assert_eq!(error, none_of(0, MemoryPropertyFlags::empty()).into());
    let address = buffer_info(64).usage(vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS);
    let error = sim.create_buffer(&address, &Default::default()).expect_err("not enabled");
    assert_eq!(error, AllocError::FeatureNotEnabled { feature: "bufferDeviceAddress" }.into());
    let misaligned = AllocationRequest { alignment: 768, ..Default::default() };
    let error = sim.create_buffer(&buffer_info(64), &misaligned).expect_err("not a power of two");
    assert_eq!(error, AllocError::AlignmentNotPowerOfTwo { alignment: 768 }.into());
    assert!(sim.driver.live().is_empty());
    let (buffer, memory) = sim.create_buffer(&buffer_info(64), &Default::default()).expect("room");
    sim.destroy_buffer(buffer, memory);
    sim.finish();
}

type Access = fn(&Sim, &mut Allocation, u64, usize) -> Result<(), AccessError>;

fn write(sim: &Sim, to: &mut Allocation, offset: u64, size: usize) -> Result<(), AccessError> {
    sim.allocator.write(to, offset, &vec![7; size])
}

fn read(sim: &Sim, of: &mut Allocation, offset: u64, size: usize) -> Result<(), AccessError> {
    let mut bytes = vec![0xee; size];
    let result = sim.allocator.read(of, offset, &mut bytes);
    assert!(result.is_ok() || bytes.iter().all(|&byte| byte == 0xee), "untouched on an error");
    result
}

fn write_slice(
    sim: &Sim,
    to: &mut Allocation,
    offset: u64,
    size: usize,
) -> Result<(), AccessError> {
    sim.allocator.write_slice(to, offset, &vec![7_u16; size / 2])
}

fn read_slice(sim: &Sim, of: &mut Allocation, offset: u64, size: usize) -> Result<(), AccessError> {
    sim.allocator.read_slice(of, offset, &mut vec![7_u16; size / 2])
}

fn flush(sim: &Sim, of: &mut Allocation, offset: u64, size: usize) -> Result<(), AccessError> {
    sim.allocator.flush(of, offset, size as u64)
}

fn invalidate(sim: &Sim, of: &mut Allocation, offset: u64, size: usize) -> Result<(), AccessError> {
    sim.allocator.invalidate(of, offset, size as u64)
}

#[rstest]
fn accesses_past_the_end_are_refused(
    #[values(write, read, write_slice, read_slice, flush, invalidate)] access: Access,
    #[values(UsageFlags::UPLOAD, UsageFlags::DOWNLOAD)] usage: UsageFlags,
    #[values(Strategy::Pooled, Strategy::Dedicated)] strategy: Strategy,
) {
    let sim = Sim::default();
    let request = AllocationRequest { size: 1000, usage, strategy, ..Default::default() };
    let mut allocation = sim.allocate(&request);
    for (offset, size) in
        [(0, 1002), (1000, 2), (999, 2), (1001, 0), (u64::MAX, 2), (u64::MAX - 1, 2), (u64::MAX, 0)]
    {
        assert_eq!(
            access(&sim, &mut allocation, offset, size),
            Err(AccessError::OutOfBounds { offset, size: size as u64, allocation_size: 1000 })
        );
    }
    for (offset, size) in [(0, 1000), (998, 2), (1000, 0), (0, 0)] {
        assert_eq!(access(&sim, &mut allocation, offset, size), Ok(()));
    }
    sim.free(allocation);
    sim.finish();
}

#[test]
fn flush_ranges_of_64_bits_do_not_wrap() {
    let sim = Sim::default();
    let request = AllocationRequest { size: 64, usage: UsageFlags::DOWNLOAD, ..Default::default() };
    let allocation = sim.allocate(&request);
    for (offset, size) in [(0, u64::MAX), (1, u64::MAX), (u64::MAX, u64::MAX), (32, u64::MAX - 31)]
    {
        let error = Err(AccessError::OutOfBounds { offset, size, allocation_size: 64 });
        assert_eq!(sim.allocator.flush(&allocation, offset, size), error);
        assert_eq!(sim.allocator.invalidate(&allocation, offset, size), error);
    }
    sim.free(allocation);
    sim.finish();
}

#[rstest]
fn memory_that_is_not_mapped_cannot_be_accessed(
    #[values(write, read, write_slice, read_slice, flush, invalidate)] access: Access,
    #[values(Strategy::Pooled, Strategy::Dedicated)] strategy: Strategy,
) {
    let sim = Sim::default();
    let mut allocation =
        sim.allocate(&AllocationRequest { size: 4 * KIB, strategy, ..Default::default() });
    assert_eq!(
        access(&sim, &mut allocation, 0, 16),
        Err(AccessError::NotMapped { memory_type_index: 0 })
    );
    sim.free(allocation);
    sim.finish();
}
