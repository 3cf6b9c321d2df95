//! What resources require by kind and size.

use ash::vk;
use vk_sim::{Call, ConfigError, DriverConfig, ResourceKind, ResourceRule, Rule, SimDriver};

use crate::support::{BAR, Calls, VRAM, allocate_info};
use crate::violations::{REFUSED, check_refused};

const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_DST;
const UNIFORM: vk::BufferUsageFlags = vk::BufferUsageFlags::UNIFORM_BUFFER;
const ATTACHMENT: vk::ImageUsageFlags = vk::ImageUsageFlags::COLOR_ATTACHMENT;

fn with(resource_rules: Vec<ResourceRule>) -> SimDriver {
    SimDriver::new(DriverConfig { resource_rules, ..DriverConfig::default() }).unwrap()
}

fn only(kind: ResourceKind, memory_type_bits: u32) -> ResourceRule {
    ResourceRule { kind, memory_type_bits, ..ResourceRule::default() }
}

/// Whether a buffer prefers and requires dedicated memory.
fn dedicated(driver: &SimDriver, buffer: vk::Buffer) -> (bool, bool) {
    let info = vk::BufferMemoryRequirementsInfo2::default().buffer(buffer);
    let mut dedicated = vk::MemoryDedicatedRequirements::default();
    let mut out = vk::MemoryRequirements2::default().push_next(&mut dedicated);
    // SAFETY: the driver lives.
    unsafe { driver.device().get_buffer_memory_requirements2(&info, &mut out) };
    let (prefers, requires) =
        (dedicated.prefers_dedicated_allocation, dedicated.requires_dedicated_allocation);
    (prefers == vk::TRUE, requires == vk::TRUE)
}

#[test]
fn memory_types_differ_by_kind() {
    let driver = with(vec![
        only(ResourceKind::Buffer(vk::BufferUsageFlags::empty()), 0b1110),
        only(ResourceKind::Buffer(UNIFORM), 0b1000),
        only(ResourceKind::LinearImage, 0b0110),
        only(ResourceKind::OptimalImage, 0b1001),
        only(ResourceKind::TransientImage, 0b0001),
    ]);
    let bits =
        |usage| driver.buffer_requirements(driver.buffer(64, usage).unwrap()).memory_type_bits;
    assert_eq!((bits(TRANSFER), bits(TRANSFER | UNIFORM)), (0b1110, 0b1000));
    let bits = |usage| driver.image_requirements(driver.image(4, usage).unwrap()).memory_type_bits;
    let transient = ATTACHMENT | vk::ImageUsageFlags::TRANSIENT_ATTACHMENT;
    assert_eq!((bits(ATTACHMENT), bits(transient)), (0b1001, 0b0001));
    let info = vk::ImageCreateInfo::default()
        .tiling(vk::ImageTiling::LINEAR)
        .extent(vk::Extent3D { width: 4, height: 4, depth: 1 })
        .mip_levels(1)
        .array_layers(1)
        .samples(vk::SampleCountFlags::TYPE_1);
    // SAFETY: the driver lives.
    let linear = unsafe { driver.device().create_image(&info, None) }.unwrap();
    assert_eq!(driver.image_requirements(linear).memory_type_bits, 0b0110);
    let buffer = driver.buffer(64, TRANSFER).unwrap();
    let memory = driver.allocate(VRAM, 4096).unwrap();
    let bind = || driver.bind_buffer(buffer, memory, 0);
    let rule = Rule::BindMemoryType {
        kind: vk_sim::ObjectKind::Buffer,
        memory_type_index: VRAM,
        memory_type_bits: 0b1110,
    };
    let vuid = "VUID-vkBindBufferMemory-memory-01035";
    check_refused(&driver, bind, REFUSED, (Call::BindBufferMemory, rule, vuid));
}

#[test]
fn dedicated_memory_is_preferred_or_required_by_size() {
    let by_size = |min_size, requires: bool| ResourceRule {
        min_size,
        prefers_dedicated: !requires,
        requires_dedicated: requires,
        ..ResourceRule::default()
    };
    let driver = with(vec![by_size(1 << 16, false), by_size(1 << 20, true)]);
    for (size, expected) in [
        ((1 << 16) - 256, (false, false)),
        ((1 << 16) - 255, (true, false)),
        (1 << 16, (true, false)),
        (1 << 20, (true, true)),
    ] {
        let buffer = driver.buffer(size, TRANSFER).unwrap();
        assert_eq!(dedicated(&driver, buffer), expected, "{size}");
    }
}

#[test]
fn stray_bits_beyond_the_table_are_reported_and_harmless() {
    let config = DriverConfig { stray_type_bits: true, ..DriverConfig::default() };
    let driver = SimDriver::new(config).unwrap();
    let buffer = driver.buffer(64, TRANSFER).unwrap();
    assert_eq!(driver.buffer_requirements(buffer).memory_type_bits, u32::MAX);
    let memory = driver.allocate(BAR, 256).unwrap();
    driver.bind_buffer(buffer, memory, 0).unwrap();
    assert_eq!(driver.violations(), []);
}

#[test]
fn rules_and_lists_that_no_device_has_are_refused() {
    let refused = |config| SimDriver::new(config).map(drop).unwrap_err();
    let rules = vec![only(ResourceKind::Any, 1), only(ResourceKind::Any, 0xf0)];
    let config = DriverConfig { resource_rules: rules, ..DriverConfig::default() };
    let expected = ConfigError::NoTypeLeft { rule_index: 1, memory_type_bits: 0xf0 };
    assert_eq!(refused(config), expected);
    assert!(expected.to_string().contains("rule 1 allows memory types 0xf0"));
    let config = DriverConfig { heap_budgets: vec![1], ..DriverConfig::default() };
    let expected = ConfigError::BudgetCount { budget_count: 1, heap_count: 3 };
    assert_eq!((refused(config), expected.to_string()), (expected, "1 budgets for 3 heaps".into()));
    let config = DriverConfig { extensions: vec![c""], ..DriverConfig::default() };
    assert_eq!(refused(config), ConfigError::ExtensionName { length: 0 });
}

#[test]
fn requirements_are_told_without_a_resource() {
    let driver = with(vec![only(ResourceKind::Buffer(UNIFORM), 0b1000)]);
    let create = vk::BufferCreateInfo::default().size(1000).usage(UNIFORM);
    let info = vk::DeviceBufferMemoryRequirements::default().create_info(&create);
    let mut out = vk::MemoryRequirements2::default();
    // SAFETY: the driver lives.
    unsafe { driver.device().get_device_buffer_memory_requirements(&info, &mut out) };
    let buffer = driver.buffer(1000, UNIFORM).unwrap();
    let expected = driver.buffer_requirements(buffer);
    let told = out.memory_requirements;
    assert_eq!((told.size, told.alignment, told.memory_type_bits), (1024, 256, 0b1000));
    assert_eq!((expected.size, expected.memory_type_bits), (told.size, told.memory_type_bits));

    let create = vk::ImageCreateInfo::default()
        .format(vk::Format::R16G16B16A16_SFLOAT)
        .extent(vk::Extent3D { width: 64, height: 64, depth: 1 })
        .mip_levels(1)
        .array_layers(1)
        .samples(vk::SampleCountFlags::TYPE_1);
    let info = vk::DeviceImageMemoryRequirements::default().create_info(&create);
    let mut out = vk::MemoryRequirements2::default();
    // SAFETY: the driver lives.
    unsafe { driver.device().get_device_image_memory_requirements(&info, &mut out) };
    assert_eq!(out.memory_requirements.size, 64 * 64 * 8);
    assert_eq!(driver.live().images, 0);
    assert_eq!(driver.violations(), []);
}

#[test]
fn device_coherent_types_and_priorities_out_of_range() {
    let coherent = vk::MemoryPropertyFlags::DEVICE_COHERENT_AMD;
    let memory_types = vec![(vk::MemoryPropertyFlags::DEVICE_LOCAL, 0), (coherent, 0)];
    let config = DriverConfig { memory_types, ..DriverConfig::default() };
    let driver = SimDriver::new(config.clone()).unwrap();
    let rule = Rule::DeviceCoherentMemory { memory_type_index: 1 };
    let vuid = "VUID-vkAllocateMemory-deviceCoherentMemory-02790";
    let allocate = || driver.allocate(1, 64);
    check_refused(&driver, allocate, REFUSED, (Call::AllocateMemory, rule, vuid));
    let driver = SimDriver::new(DriverConfig { device_coherent_memory: true, ..config }).unwrap();
    driver.allocate(1, 64).unwrap();
    for priority in [-0.5, 1.5, f32::NAN] {
        let driver = with(Vec::new());
        let mut chained = vk::MemoryPriorityAllocateInfoEXT::default().priority(priority);
        let info = allocate_info(VRAM, 64).push_next(&mut chained);
        let rule = Rule::PriorityOutOfRange { priority_bits: priority.to_bits() };
        let vuid = "VUID-VkMemoryPriorityAllocateInfoEXT-priority-02602";
        let allocate = || driver.allocate_with(&info);
        check_refused(&driver, allocate, REFUSED, (Call::AllocateMemory, rule, vuid));
    }
}
