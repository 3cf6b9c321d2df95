//! Each breach of valid usage, provoked once: it is on record with its values and its rule's name,
//! the call says so, and nothing has changed.

use ash::prelude::VkResult;
use ash::vk::{self, Handle};
use vk_sim::{Call, DriverConfig, LiveObjects, ObjectKind, Rule, SimDriver, Violation};

use crate::support::{BAR, CACHED, COHERENT, Calls, VRAM, allocate_info, driver};

pub(crate) const REFUSED: vk::Result = vk::Result::ERROR_VALIDATION_FAILED_EXT;
const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_DST;
const SAMPLED: vk::ImageUsageFlags = vk::ImageUsageFlags::SAMPLED;

/// The one breach on record is this one, under this name.
pub(crate) fn check(driver: &SimDriver, call: Call, rule: Rule, vuid: &str) {
    assert_eq!(driver.violations(), [Violation { call, rule }]);
    let violation = driver.violations()[0];
    assert_eq!(violation.vuid().as_deref(), Some(vuid));
    let line = violation.to_string();
    assert!(line.starts_with(call.name()) && line.ends_with(&format!("({vuid})")), "{line}");
    assert!(!line.contains('{'), "a rule without words of its own: {line}");
}

/// `break_rule` returns `result`, changes nothing and is the breach `rule`.
pub(crate) fn check_refused<T: std::fmt::Debug>(
    driver: &SimDriver,
    break_rule: impl FnOnce() -> VkResult<T>,
    result: vk::Result,
    (call, rule, vuid): (Call, Rule, &str),
) {
    let before: LiveObjects = driver.live();
    assert_eq!(break_rule().unwrap_err(), result);
    check(driver, call, rule, vuid);
    assert_eq!(driver.live(), before);
}

#[test]
fn freeing_unknown_memory() {
    let driver = driver();
    let memory = driver.allocate(VRAM, 64).unwrap();
    driver.free(memory);
    driver.free(memory);
    let rule = Rule::UnknownHandle { kind: ObjectKind::Memory, handle: memory.as_raw() };
    check(&driver, Call::FreeMemory, rule, "VUID-vkFreeMemory-memory-parameter");
}

#[test]
fn freeing_the_memory_of_another_device() {
    let (driver, other) = (driver(), driver());
    let memory = other.allocate(VRAM, 64).unwrap();
    driver.free(memory);
    let rule = Rule::UnknownHandle { kind: ObjectKind::Memory, handle: memory.as_raw() };
    check(&driver, Call::FreeMemory, rule, "VUID-vkFreeMemory-memory-parameter");
    assert_eq!(other.live().memory, 1);
    assert_eq!(other.violations(), []);
}

#[test]
fn destroying_unknown_resources() {
    let driver = driver();
    driver.destroy_buffer(vk::Buffer::null());
    driver.destroy_image(vk::Image::null());
    assert_eq!(driver.violations(), []);
    let buffer = driver.buffer(64, TRANSFER).unwrap();
    driver.destroy_buffer(buffer);
    driver.destroy_buffer(buffer);
    let rule = Rule::UnknownHandle { kind: ObjectKind::Buffer, handle: buffer.as_raw() };
    check(&driver, Call::DestroyBuffer, rule, "VUID-vkDestroyBuffer-buffer-parameter");
}

#[test]
fn allocations_out_of_the_table_or_of_nothing() {
    let driver = driver();
    let rule = Rule::MemoryTypeOutOfRange { memory_type_index: 4, memory_type_count: 4 };
    let vuid = "VUID-vkAllocateMemory-pAllocateInfo-01714";
    let allocate = || driver.allocate(4, 64);
    check_refused(&driver, allocate, REFUSED, (Call::AllocateMemory, rule, vuid));

    let driver = self::driver();
    let vuid = "VUID-VkMemoryAllocateInfo-allocationSize-00638";
    let allocate = || driver.allocate(VRAM, 0);
    check_refused(&driver, allocate, REFUSED, (Call::AllocateMemory, Rule::ZeroSize, vuid));
}

#[test]
fn allocations_past_the_limits_get_the_errors_that_drivers_have() {
    let config = DriverConfig {
        max_memory_allocation_count: 2,
        max_memory_allocation_size: 128 << 20,
        ..DriverConfig::default()
    };
    let driver = SimDriver::new(config.clone()).unwrap();
    let size = (64 << 20) + 1;
    let rule = Rule::LargerThanHeap { size, heap_size: 64 << 20 };
    let vuid = "VUID-vkAllocateMemory-pAllocateInfo-01713";
    let result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
    let allocate = || driver.allocate(BAR, size);
    check_refused(&driver, allocate, result, (Call::AllocateMemory, rule, vuid));

    let driver = SimDriver::new(config).unwrap();
    driver.allocate(VRAM, 64).unwrap();
    driver.allocate(COHERENT, 64).unwrap();
    let rule = Rule::TooManyAllocations { max: 2 };
    let vuid = "VUID-vkAllocateMemory-maxMemoryAllocationCount-04101";
    let result = vk::Result::ERROR_TOO_MANY_OBJECTS;
    let allocate = || driver.allocate(CACHED, 64);
    check_refused(&driver, allocate, result, (Call::AllocateMemory, rule, vuid));
}

#[test]
fn an_allocation_past_the_largest_size_is_a_lint_and_fails() {
    let config = DriverConfig { max_memory_allocation_size: 1 << 20, ..DriverConfig::default() };
    let driver = SimDriver::new(config).unwrap();
    let size = (1 << 20) + 1;
    assert_eq!(driver.allocate(VRAM, size), Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY));
    assert_eq!(driver.violations(), []);
    let rule = Rule::LargerThanMaxSize { size, max: 1 << 20 };
    assert_eq!(driver.lints(), [Violation { call: Call::AllocateMemory, rule }]);
    assert_eq!(driver.lints()[0].vuid(), None);
    driver.allocate(VRAM, 1 << 20).unwrap();
}

#[test]
fn dedicated_memory_of_another_size_or_for_two() {
    let driver = driver();
    let buffer = driver.buffer(1000, TRANSFER).unwrap();
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().buffer(buffer);
    let info = allocate_info(VRAM, 1000).push_next(&mut dedicated);
    let rule = Rule::DedicatedSize { kind: ObjectKind::Buffer, size: 1000, required: 1024 };
    let vuid = "VUID-VkMemoryDedicatedAllocateInfo-buffer-01435";
    let allocate = || driver.allocate_with(&info);
    check_refused(&driver, allocate, REFUSED, (Call::AllocateMemory, rule, vuid));

    let driver = self::driver();
    let image = driver.image(16, SAMPLED).unwrap();
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(image);
    let info = allocate_info(VRAM, 8192).push_next(&mut dedicated);
    let rule = Rule::DedicatedSize { kind: ObjectKind::Image, size: 8192, required: 4096 };
    let vuid = "VUID-VkMemoryDedicatedAllocateInfo-image-01433";
    let allocate = || driver.allocate_with(&info);
    check_refused(&driver, allocate, REFUSED, (Call::AllocateMemory, rule, vuid));

    let driver = self::driver();
    let buffer = driver.buffer(1000, TRANSFER).unwrap();
    let image = driver.image(16, SAMPLED).unwrap();
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().buffer(buffer).image(image);
    let info = allocate_info(VRAM, 4096).push_next(&mut dedicated);
    let rule = Rule::DedicatedToTwo { buffer: buffer.as_raw(), image: image.as_raw() };
    let vuid = "VUID-VkMemoryDedicatedAllocateInfo-image-01432";
    let allocate = || driver.allocate_with(&info);
    check_refused(&driver, allocate, REFUSED, (Call::AllocateMemory, rule, vuid));
}

#[test]
fn mappings_that_cannot_be() {
    let cases: [(u32, u64, u64, Rule, &str); 5] = [
        (VRAM, 0, 64, Rule::NotHostVisible { memory_type_index: VRAM }, "memory-00682"),
        (CACHED, 1024, 64, Rule::MapOffset { offset: 1024, memory_size: 1024 }, "offset-00679"),
        (CACHED, 64, 0, Rule::ZeroSize, "size-00680"),
        (CACHED, 64, 961, Rule::MapSize { offset: 64, size: 961, memory_size: 1024 }, "size-00681"),
        (
            CACHED,
            64,
            u64::MAX - 1,
            Rule::MapSize { offset: 64, size: u64::MAX - 1, memory_size: 1024 },
            "size-00681",
        ),
    ];
    for (memory_type_index, offset, size, rule, clause) in cases {
        let driver = driver();
        let memory = driver.allocate(memory_type_index, 1024).unwrap();
        let vuid = format!("VUID-vkMapMemory-{clause}");
        let map = || driver.map(memory, offset, size);
        check_refused(&driver, map, REFUSED, (Call::MapMemory, rule, &vuid));
    }
}

#[test]
fn mapping_twice_and_unmapping_what_is_not_mapped() {
    let driver = driver();
    let memory = driver.allocate(COHERENT, 1024).unwrap();
    driver.map(memory, 0, 64).unwrap();
    let rule = Rule::MappedTwice { memory: memory.as_raw() };
    let map = || driver.map(memory, 512, 64);
    let vuid = "VUID-vkMapMemory-memory-00678";
    check_refused(&driver, map, REFUSED, (Call::MapMemory, rule, vuid));

    let driver = self::driver();
    let memory = driver.allocate(COHERENT, 1024).unwrap();
    driver.unmap(memory);
    let rule = Rule::NotMapped { memory: memory.as_raw() };
    check(&driver, Call::UnmapMemory, rule, "VUID-vkUnmapMemory-memory-00689");
}

#[test]
fn ranges_off_the_atoms_or_outside_the_mapping() {
    let outside = |offset, size| Rule::RangeOutsideMapping {
        offset,
        size,
        mapped_offset: 128,
        mapped_size: 100,
    };
    let cases: [(u64, u64, Rule, &str); 7] = [
        (64, 64, outside(64, 64), "size-00685"),
        (128, 128, outside(128, 128), "size-00685"),
        (192, u64::MAX - 64, outside(192, u64::MAX - 64), "size-00685"),
        (256, vk::WHOLE_SIZE, outside(256, vk::WHOLE_SIZE), "size-00686"),
        (150, 42, Rule::RangeOffsetNotOnAtom { offset: 150, atom: 64 }, "offset-00687"),
        (128, 100, Rule::RangeEndNotOnAtom { end: 228, atom: 64 }, "size-01390"),
        (128, vk::WHOLE_SIZE, Rule::MappingEndNotOnAtom { end: 228, atom: 64 }, "size-01389"),
    ];
    for (offset, size, rule, clause) in cases {
        let driver = driver();
        let memory = driver.allocate(CACHED, 1024).unwrap();
        driver.map(memory, 128, 100).unwrap();
        let vuid = format!("VUID-VkMappedMemoryRange-{clause}");
        let flush = || driver.flush(memory, offset, size);
        check_refused(&driver, flush, REFUSED, (Call::FlushMappedMemoryRanges, rule, &vuid));
    }
    let driver = driver();
    let memory = driver.allocate(CACHED, 1024).unwrap();
    let rule = Rule::NotMapped { memory: memory.as_raw() };
    let vuid = "VUID-VkMappedMemoryRange-memory-00684";
    let invalidate = || driver.invalidate(memory, 0, 64);
    let expected = (Call::InvalidateMappedMemoryRanges, rule, vuid);
    check_refused(&driver, invalidate, REFUSED, expected);
}

#[test]
fn buffers_and_images_of_nothing() {
    let driver = driver();
    let create = || driver.buffer(0, TRANSFER);
    let vuid = "VUID-VkBufferCreateInfo-size-00912";
    check_refused(&driver, create, REFUSED, (Call::CreateBuffer, Rule::ZeroSize, vuid));

    let driver = self::driver();
    let create = || driver.image(0, SAMPLED);
    let rule = Rule::ZeroExtent { member: "width" };
    let vuid = "VUID-VkImageCreateInfo-extent-00944";
    check_refused(&driver, create, REFUSED, (Call::CreateImage, rule, vuid));
}

#[test]
fn asking_what_a_destroyed_resource_requires() {
    let driver = driver();
    let image = driver.image(16, SAMPLED).unwrap();
    driver.destroy_image(image);
    assert_eq!(driver.image_requirements(image).memory_type_bits, 0);
    let rule = Rule::UnknownHandle { kind: ObjectKind::Image, handle: image.as_raw() };
    let vuid = "VUID-vkGetImageMemoryRequirements-image-parameter";
    check(&driver, Call::GetImageMemoryRequirements, rule, vuid);
}

#[test]
fn objects_left_behind_are_named_at_the_end() {
    let driver = driver();
    let memory = driver.allocate(VRAM, 64).unwrap();
    let buffer = driver.buffer(64, TRANSFER).unwrap();
    let image = driver.image(16, SAMPLED).unwrap();
    let leak =
        |kind, handle| Violation { call: Call::DestroyDevice, rule: Rule::Leak { kind, handle } };
    let violations = driver.finish();
    let expected = [
        leak(ObjectKind::Buffer, buffer.as_raw()),
        leak(ObjectKind::Image, image.as_raw()),
        leak(ObjectKind::Memory, memory.as_raw()),
    ];
    assert_eq!(violations, expected);
    assert_eq!(violations[0].vuid().as_deref(), Some("VUID-vkDestroyDevice-device-00378"));
}

#[test]
fn a_destroyed_device_takes_no_calls() {
    let driver = driver();
    // SAFETY: the driver lives.
    unsafe { driver.device().destroy_device(None) };
    let allocate = || driver.allocate(VRAM, 64);
    let vuid = "VUID-vkAllocateMemory-device-parameter";
    let expected = (Call::AllocateMemory, Rule::DeviceDestroyed, vuid);
    check_refused(&driver, allocate, REFUSED, expected);
    assert_eq!(driver.finish().len(), 1, "the driver does not destroy it again");
}

#[test]
fn an_instance_that_outlives_no_device() {
    let driver = driver();
    // SAFETY: the driver lives.
    unsafe { driver.instance().destroy_instance(None) };
    let rule = Rule::Leak { kind: ObjectKind::Device, handle: 0 };
    check(&driver, Call::DestroyInstance, rule, "VUID-vkDestroyInstance-instance-00629");
}
