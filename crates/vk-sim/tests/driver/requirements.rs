//! What the device says of itself, and what resources require.

use std::ffi::CStr;

use ash::{khr, vk};
use vk_sim::{Call, DriverConfig, SimDriver};

use crate::support::{Calls, driver};

const TRANSFER: vk::BufferUsageFlags = vk::BufferUsageFlags::TRANSFER_DST;

#[test]
fn the_memory_table_is_the_configured_one() {
    let driver = driver();
    let (instance, physical_device) = (driver.instance(), driver.physical_device());
    // SAFETY: the driver lives.
    let memory = unsafe { instance.get_physical_device_memory_properties(physical_device) };
    let mut memory2 = vk::PhysicalDeviceMemoryProperties2::default();
    // SAFETY: the driver lives.
    unsafe { instance.get_physical_device_memory_properties2(physical_device, &mut memory2) };
    for properties in [memory, memory2.memory_properties] {
        let types: Vec<_> = properties
            .memory_types_as_slice()
            .iter()
            .map(|memory_type| (memory_type.property_flags, memory_type.heap_index))
            .collect();
        assert_eq!(types, driver.config().memory_types);
        let heaps: Vec<_> =
            properties.memory_heaps_as_slice().iter().map(|heap| (heap.size, heap.flags)).collect();
        assert_eq!(heaps, driver.config().memory_heaps);
    }
}

#[test]
fn the_limits_are_the_configured_ones() {
    let config = DriverConfig {
        buffer_image_granularity: 65536,
        non_coherent_atom_size: 256,
        max_memory_allocation_count: 17,
        max_memory_allocation_size: 12345,
        device_type: vk::PhysicalDeviceType::INTEGRATED_GPU,
        ..DriverConfig::default()
    };
    let driver = SimDriver::new(config).unwrap();
    let (instance, physical_device) = (driver.instance(), driver.physical_device());
    // SAFETY: the driver lives.
    let properties = unsafe { instance.get_physical_device_properties(physical_device) };
    let mut maintenance3 = vk::PhysicalDeviceMaintenance3Properties::default();
    let mut vulkan11 = vk::PhysicalDeviceVulkan11Properties::default();
    let mut properties2 = vk::PhysicalDeviceProperties2::default()
        .push_next(&mut maintenance3)
        .push_next(&mut vulkan11);
    // SAFETY: the driver lives.
    unsafe { instance.get_physical_device_properties2(physical_device, &mut properties2) };
    for properties in [properties, properties2.properties] {
        assert_eq!(properties.limits.buffer_image_granularity, 65536);
        assert_eq!(properties.limits.non_coherent_atom_size, 256);
        assert_eq!(properties.limits.max_memory_allocation_count, 17);
        assert_eq!(properties.limits.min_memory_map_alignment, 4096);
        assert_eq!(properties.device_type, vk::PhysicalDeviceType::INTEGRATED_GPU);
        assert_eq!(properties.api_version, vk::API_VERSION_1_3);
        assert_eq!(properties.device_name_as_c_str(), Ok(c"vk-sim"));
    }
    assert_eq!(maintenance3.max_memory_allocation_size, 12345);
    assert_eq!(vulkan11.max_memory_allocation_size, 12345);
}

#[test]
fn requirements_are_rounded_to_the_alignment() {
    let driver = driver();
    let buffer = driver.buffer(1000, TRANSFER).unwrap();
    let image = driver.image(33, vk::ImageUsageFlags::SAMPLED).unwrap();
    let buffer = driver.buffer_requirements(buffer);
    assert_eq!((buffer.size, buffer.alignment, buffer.memory_type_bits), (1024, 256, 0b1111));
    let image = driver.image_requirements(image);
    assert_eq!((image.size, image.alignment, image.memory_type_bits), (8192, 4096, 0b1111));
}

#[test]
fn a_size_that_cannot_be_rounded_is_out_of_device_memory() {
    let driver = driver();
    let buffer = driver.buffer(u64::MAX, TRANSFER);
    assert_eq!(buffer, Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY));
    assert_eq!(driver.violations(), []);
}

#[test]
fn lazily_allocated_memory_is_for_transient_attachments() {
    let device_local = vk::MemoryPropertyFlags::DEVICE_LOCAL;
    let lazily = device_local | vk::MemoryPropertyFlags::LAZILY_ALLOCATED;
    let protected = device_local | vk::MemoryPropertyFlags::PROTECTED;
    let config = DriverConfig {
        memory_types: vec![(device_local, 0), (lazily, 0), (protected, 0)],
        ..DriverConfig::default()
    };
    let driver = SimDriver::new(config).unwrap();
    let attachment = vk::ImageUsageFlags::COLOR_ATTACHMENT;
    let transient = attachment | vk::ImageUsageFlags::TRANSIENT_ATTACHMENT;
    let buffer = driver.buffer(1, TRANSFER).unwrap();
    assert_eq!(driver.buffer_requirements(buffer).memory_type_bits, 0b001);
    let plain = driver.image(1, attachment).unwrap();
    assert_eq!(driver.image_requirements(plain).memory_type_bits, 0b001);
    let transient = driver.image(1, transient).unwrap();
    assert_eq!(driver.image_requirements(transient).memory_type_bits, 0b011);
    let info = vk::BufferCreateInfo::default()
        .flags(vk::BufferCreateFlags::PROTECTED)
        .size(1)
        .usage(TRANSFER);
    // SAFETY: the driver lives.
    let protected = unsafe { driver.device().create_buffer(&info, None) }.unwrap();
    assert_eq!(driver.buffer_requirements(protected).memory_type_bits, 0b100);
}

#[test]
fn dedicated_requirements_say_what_is_configured() {
    for (prefers, requires) in [(false, false), (true, false), (false, true)] {
        let config = DriverConfig {
            prefers_dedicated: prefers,
            requires_dedicated: requires,
            ..DriverConfig::default()
        };
        let driver = SimDriver::new(config).unwrap();
        let buffer = driver.buffer(1000, TRANSFER).unwrap();
        let image = driver.image(16, vk::ImageUsageFlags::SAMPLED).unwrap();
        let of_buffer = vk::BufferMemoryRequirementsInfo2::default().buffer(buffer);
        let of_image = vk::ImageMemoryRequirementsInfo2::default().image(image);
        let core = driver.device();
        let extension =
            khr::get_memory_requirements2::Device::new(driver.instance(), driver.device());
        type Ask<'a> = &'a dyn Fn(&mut vk::MemoryRequirements2<'_>);
        let asks: [(u64, Ask<'_>); 4] = [
            // SAFETY: the driver lives.
            (1024, &|out| unsafe { core.get_buffer_memory_requirements2(&of_buffer, out) }),
            // SAFETY: the driver lives.
            (4096, &|out| unsafe { core.get_image_memory_requirements2(&of_image, out) }),
            // SAFETY: the driver lives.
            (1024, &|out| unsafe { extension.get_buffer_memory_requirements2(&of_buffer, out) }),
            // SAFETY: the driver lives.
            (4096, &|out| unsafe { extension.get_image_memory_requirements2(&of_image, out) }),
        ];
        for (size, ask) in asks {
            let mut dedicated = vk::MemoryDedicatedRequirements::default();
            let mut out = vk::MemoryRequirements2::default().push_next(&mut dedicated);
            ask(&mut out);
            assert_eq!(out.memory_requirements.size, size);
            assert_eq!(dedicated.prefers_dedicated_allocation == vk::TRUE, prefers || requires);
            assert_eq!(dedicated.requires_dedicated_allocation == vk::TRUE, requires);
        }
        assert_eq!(driver.call_count(Call::GetBufferMemoryRequirements2), 2);
    }
}

#[test]
fn an_extension_of_the_instance_loads_through_the_entry() {
    let driver = driver();
    let extension =
        khr::get_physical_device_properties2::Instance::new(driver.entry(), driver.instance());
    let mut out = vk::PhysicalDeviceProperties2::default();
    // SAFETY: the driver lives.
    unsafe { extension.get_physical_device_properties2(driver.physical_device(), &mut out) };
    assert_eq!(out.properties.limits.non_coherent_atom_size, 64);
    // SAFETY: the entry has the function.
    let version = unsafe { driver.entry().try_enumerate_instance_version() };
    assert_eq!(version, Ok(Some(vk::API_VERSION_1_3)));
}

#[test]
fn a_function_is_there_from_its_version_on() {
    const NAMES: [&CStr; 5] = [
        c"vkAllocateMemory",
        c"vkBindBufferMemory2",
        c"vkBindBufferMemory2KHR",
        c"vkGetBufferDeviceAddress",
        c"vkQueueBindSparse",
    ];
    for (api_version, expected) in [
        (vk::API_VERSION_1_0, [true, false, true, false, false]),
        (vk::API_VERSION_1_1, [true, true, true, false, false]),
        (vk::API_VERSION_1_2, [true, true, true, true, false]),
    ] {
        let driver =
            SimDriver::new(DriverConfig { api_version, ..DriverConfig::default() }).unwrap();
        let device = driver.device().handle();
        // SAFETY: the driver lives, the names end in a zero byte.
        let found = NAMES.map(|name| unsafe {
            driver.instance().get_device_proc_addr(device, name.as_ptr()).is_some()
        });
        assert_eq!(found, expected);
        let of_instance = c"vkGetPhysicalDeviceProperties";
        // SAFETY: as above.
        let found = unsafe { driver.instance().get_device_proc_addr(device, of_instance.as_ptr()) };
        assert!(found.is_none(), "a device does not have the instance's functions");
    }
}
