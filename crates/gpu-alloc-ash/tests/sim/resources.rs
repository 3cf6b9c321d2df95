//! Buffers and images with their memory, and what the driver wants for them.

use ash::vk;
use gpu_alloc_ash::{
    AllocError, AllocationRequest, AllocatorConfig, CreateError, CustomPoolConfig, Strategy,
};
use rstest::rstest;
use vk_sim::{Call, Dedicated, DriverConfig};

use crate::support::{KIB, MIB, Sim, buffer_info, image_info};
use crate::tables;

const OPTIMAL: vk::ImageTiling = vk::ImageTiling::OPTIMAL;

fn version(driver: DriverConfig, api_version: u32, khr: bool) -> Sim {
    let mut config = AllocatorConfig::default();
    config.api_version = api_version;
    config.khr_dedicated_allocation = khr;
    Sim::with_version(driver, config)
}

fn strategy<'a>(strategy: Strategy) -> AllocationRequest<'a> {
    AllocationRequest { strategy, ..Default::default() }
}

/// A device of just this version, so that a call of anything newer ends the process.
#[rstest]
#[case::v1_0(
    vk::API_VERSION_1_0,
    false,
    Call::GetBufferMemoryRequirements,
    Call::GetImageMemoryRequirements
)]
#[case::khr(
    vk::API_VERSION_1_0,
    true,
    Call::GetBufferMemoryRequirements2,
    Call::GetImageMemoryRequirements2
)]
#[case::v1_1(
    vk::API_VERSION_1_1,
    false,
    Call::GetBufferMemoryRequirements2,
    Call::GetImageMemoryRequirements2
)]
#[case::v1_3(
    vk::API_VERSION_1_3,
    false,
    Call::GetBufferMemoryRequirements2,
    Call::GetImageMemoryRequirements2
)]
fn resources_are_made_with_what_the_version_has(
    #[case] api_version: u32,
    #[case] khr: bool,
    #[case] buffer_call: Call,
    #[case] image_call: Call,
    #[values(Strategy::Auto, Strategy::Pooled, Strategy::Dedicated)] with: Strategy,
) {
    let sim = version(DriverConfig { api_version, ..DriverConfig::default() }, api_version, khr);
    let (buffer, buffer_memory) =
        sim.create_buffer(&buffer_info(1000), &strategy(with)).expect("there is room");
    let (image, image_memory) =
        sim.create_image(&image_info(100, OPTIMAL), &strategy(with)).expect("there is room");
    assert_eq!((sim.driver.call_count(buffer_call), sim.driver.call_count(image_call)), (1, 1));
    assert_eq!((buffer_memory.size(), image_memory.size()), (KIB, 40_960));
    assert_eq!(sim.driver.memories().iter().map(|record| record.bound_count).sum::<u32>(), 2);
    if with == Strategy::Dedicated {
        // Vulkan 1.0 has no way to tell the driver.
        let told = (api_version >= vk::API_VERSION_1_1 || khr).then_some(());
        let expected =
            [told.map(|()| Dedicated::Buffer(buffer)), told.map(|()| Dedicated::Image(image))];
        let found: Vec<_> = sim.driver.memories().iter().map(|record| record.dedicated).collect();
        assert_eq!(found, expected);
        let sizes: Vec<_> = sim.driver.memories().iter().map(|record| record.size).collect();
        assert_eq!(sizes, [KIB, 40_960], "to the byte");
    } else {
        assert_eq!(buffer_memory.memory(), image_memory.memory());
        assert_eq!(sim.driver.memories()[0].dedicated, None);
    }
    sim.check_books();
    sim.destroy_buffer(buffer, buffer_memory);
    sim.destroy_image(image, image_memory);
    sim.finish();
}

/// A 1.3 device used by a program that says 1.0 is asked nothing newer.
#[test]
fn a_stated_version_below_the_devices_is_kept_to() {
    let sim = version(tables::requires_dedicated(), vk::API_VERSION_1_1, false);
    sim.finish();
    let sim = version(DriverConfig::default(), vk::API_VERSION_1_0, false);
    let (buffer, memory) =
        sim.create_buffer(&buffer_info(1000), &strategy(Strategy::Dedicated)).expect("room");
    let newer = [
        Call::GetBufferMemoryRequirements2,
        Call::GetPhysicalDeviceProperties2,
        Call::GetPhysicalDeviceMemoryProperties2,
        Call::BindBufferMemory2,
    ];
    assert_eq!(newer.map(|call| sim.driver.call_count(call)), [0; 4]);
    assert_eq!(sim.driver.memories()[0].dedicated, None);
    sim.destroy_buffer(buffer, memory);
    sim.finish();
}

#[rstest]
#[case::prefers_auto(tables::prefers_dedicated(), Strategy::Auto, true)]
#[case::prefers_dedicated(tables::prefers_dedicated(), Strategy::Dedicated, true)]
#[case::prefers_pooled(tables::prefers_dedicated(), Strategy::Pooled, false)]
#[case::requires_auto(tables::requires_dedicated(), Strategy::Auto, true)]
#[case::requires_dedicated(tables::requires_dedicated(), Strategy::Dedicated, true)]
#[case::nothing_auto(DriverConfig::default(), Strategy::Auto, false)]
fn what_the_driver_wants_is_followed(
    #[case] driver: DriverConfig,
    #[case] with: Strategy,
    #[case] dedicated: bool,
    #[values((vk::API_VERSION_1_0, true), (vk::API_VERSION_1_1, false))] made: (u32, bool),
) {
    let sim = version(driver, made.0, made.1);
    let (buffer, buffer_memory) =
        sim.create_buffer(&buffer_info(1000), &strategy(with)).expect("there is room");
    let (image, image_memory) =
        sim.create_image(&image_info(16, OPTIMAL), &strategy(with)).expect("there is room");
    assert_eq!((buffer_memory.is_dedicated(), image_memory.is_dedicated()), (dedicated, dedicated));
    let told: Vec<_> = sim.driver.memories().iter().filter_map(|record| record.dedicated).collect();
    let expected = [Dedicated::Buffer(buffer), Dedicated::Image(image)];
    assert_eq!(told, if dedicated { &expected[..] } else { &[] });
    sim.destroy_buffer(buffer, buffer_memory);
    sim.destroy_image(image, image_memory);
    sim.finish();
}

#[test]
fn required_dedicated_memory_is_not_ruled_out_silently() {
    let sim = Sim::new(tables::requires_dedicated(), AllocatorConfig::default());
    let error = sim.create_buffer(&buffer_info(64), &strategy(Strategy::Pooled));
    assert_eq!(error.expect_err("refused"), AllocError::DedicatedRequired.into());
    let larger = AllocationRequest { size: MIB, ..Default::default() };
    let error = sim.create_image(&image_info(16, OPTIMAL), &larger).expect_err("refused");
    let required = 4 * KIB;
    assert_eq!(error, AllocError::DedicatedSize { size: MIB, required }.into());
    assert!(sim.driver.live().is_empty(), "nothing is left of the resources");
    let (image, memory) =
        sim.create_image(&image_info(16, OPTIMAL), &strategy(Strategy::Auto)).expect("room");
    sim.destroy_image(image, memory);
    sim.finish();
}

#[test]
fn a_preference_is_not_followed_when_objects_run_short() {
    let sim = Sim::new(
        DriverConfig { max_memory_allocation_count: 8, ..tables::prefers_dedicated() },
        AllocatorConfig::default(),
    );
    let request = strategy(Strategy::Auto);
    let held: Vec<_> = (0..20)
        .map(|_| sim.create_buffer(&buffer_info(1000), &request).expect("there is room"))
        .collect();
    let dedicated = held.iter().filter(|(_, memory)| memory.is_dedicated()).count();
    assert_eq!(dedicated, 6, "three quarters of the objects, then blocks");
    sim.check_books();
    held.into_iter().for_each(|(buffer, memory)| sim.destroy_buffer(buffer, memory));
    sim.finish();
}

#[test]
fn a_request_raises_what_the_driver_asks_for() {
    let sim = Sim::default();
    let request = AllocationRequest {
        size: 10_000,
        alignment: 64 * KIB,
        memory_type_bits: 0b1010,
        ..Default::default()
    };
    let filler = sim.allocate(&AllocationRequest { alignment: 1, ..request });
    let (buffer, memory) = sim.create_buffer(&buffer_info(1000), &request).expect("room");
    assert_eq!((memory.size(), memory.offset() % (64 * KIB)), (10_000, 0));
    assert_eq!(memory.memory_type_index(), 1);
    sim.destroy_buffer(buffer, memory);
    let small = AllocationRequest { size: 1, ..Default::default() };
    let (buffer, memory) = sim.create_buffer(&buffer_info(1000), &small).expect("room");
    assert_eq!(memory.size(), KIB, "and never lowers it");
    sim.destroy_buffer(buffer, memory);
    let raised = AllocationRequest { strategy: Strategy::Dedicated, ..request };
    let (image, memory) = sim.create_image(&image_info(16, OPTIMAL), &raised).expect("room");
    let record = sim.memories_of_type(memory.memory_type_index()).last().expect("it was made");
    assert_eq!((record.size, record.dedicated), (10_000, None), "of another size than the image");
    sim.destroy_image(image, memory);
    sim.free(filler);
    sim.finish();
}

#[test]
fn memory_for_a_resource_that_exists_suits_it() {
    let sim = Sim::new(tables::prefers_dedicated(), AllocatorConfig::default());
    for with in [Strategy::Auto, Strategy::Pooled] {
        let buffer = sim.raw_buffer(&buffer_info(5000));
        let image = sim.raw_image(&image_info(32, OPTIMAL));
        let buffer_memory = sim.allocate_for_buffer(buffer, &strategy(with)).expect("room");
        let image_memory = sim.allocate_for_image(image, &strategy(with)).expect("room");
        sim.bind_buffer(buffer, &buffer_memory);
        sim.bind_image(image, &image_memory);
        assert_eq!(buffer_memory.is_dedicated(), with == Strategy::Auto);
        sim.destroy_buffer(buffer, buffer_memory);
        sim.destroy_image(image, image_memory);
    }
    sim.finish();
}

#[rstest]
#[case::pooled(Strategy::Pooled)]
#[case::dedicated(Strategy::Dedicated)]
fn device_address_memory_has_its_flag_and_its_own_blocks(#[case] with: Strategy) {
    let mut config = AllocatorConfig::default();
    config.buffer_device_address = true;
    let sim = Sim::with_config(config);
    let usage = vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS;
    let info = buffer_info(1000).usage(usage);
    let (plain, plain_memory) =
        sim.create_buffer(&buffer_info(1000), &strategy(with)).expect("room");
    let (buffer, memory) = sim.create_buffer(&info, &strategy(with)).expect("room");
    let by_hand = AllocationRequest { size: 10, device_address: true, ..strategy(with) };
    let second = sim.allocate(&by_hand);
    assert_ne!(plain_memory.memory(), memory.memory());
    assert_eq!(memory.memory() == second.memory(), with == Strategy::Pooled);
    for record in sim.driver.memories() {
        let addressed = record.memory != plain_memory.memory();
        let expected =
            if addressed { vk::MemoryAllocateFlags::DEVICE_ADDRESS } else { Default::default() };
        assert_eq!(record.flags, expected);
    }
    sim.check_books();
    sim.destroy_buffer(plain, plain_memory);
    sim.destroy_buffer(buffer, memory);
    sim.free(second);
    sim.finish();
}

#[test]
fn resources_bound_in_parts_are_refused_by_name() {
    let sim = Sim::default();
    let info = buffer_info(64).flags(vk::BufferCreateFlags::SPARSE_BINDING);
    let error = sim.create_buffer(&info, &Default::default()).expect_err("refused");
    assert_eq!(error, CreateError::BoundInParts { flag: "SPARSE_BINDING" });
    for (flags, flag) in [
        (vk::ImageCreateFlags::SPARSE_BINDING, "SPARSE_BINDING"),
        (vk::ImageCreateFlags::DISJOINT, "DISJOINT"),
    ] {
        let info = image_info(16, OPTIMAL).flags(flags);
        let error = sim.create_image(&info, &Default::default()).expect_err("refused");
        assert_eq!(error, CreateError::BoundInParts { flag });
    }
    assert!(sim.driver.live().is_empty());
    sim.finish();
}

/// Where the newer flags are chained, behind whatever else, they are what counts, for the plain allocator and
/// for pools.
#[rstest]
#[case::addressed(
    vk::BufferUsageFlags::empty(),
    vk::BufferUsageFlags2KHR::SHADER_DEVICE_ADDRESS,
    true
)]
#[case::plain(
    vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS,
    vk::BufferUsageFlags2KHR::STORAGE_BUFFER,
    false
)]
fn newer_usage_flags_say_whether_a_buffer_has_an_address(
    #[case] usage: vk::BufferUsageFlags,
    #[case] newer: vk::BufferUsageFlags2KHR,
    #[case] has_address: bool,
) {
    let mut external = vk::ExternalMemoryBufferCreateInfo::default();
    let mut flags = vk::BufferUsageFlags2CreateInfoKHR::default().usage(newer);
    // What is pushed last comes first.
    let info = buffer_info(1000).usage(usage).push_next(&mut flags).push_next(&mut external);
    let sim = Sim::default();
    let refused = sim.create_buffer(&info, &Default::default());
    let expected = AllocError::FeatureNotEnabled { feature: "bufferDeviceAddress" };
    match refused {
        Err(error) if has_address => assert_eq!(error, expected.into()),
        Ok((buffer, memory)) if !has_address => sim.destroy_buffer(buffer, memory),
        other => panic!("{other:?}"),
    }
    sim.finish();

    let mut config = AllocatorConfig::default();
    config.buffer_device_address = true;
    let sim = Sim::with_config(config);
    let (buffer, memory) = sim.create_buffer(&info, &Default::default()).expect("room");
    let [record] = &sim.driver.memories()[..] else { panic!("one block was made") };
    assert_eq!(record.flags.contains(vk::MemoryAllocateFlags::DEVICE_ADDRESS), has_address);
    sim.destroy_buffer(buffer, memory);
    let pool = sim.pool(&CustomPoolConfig { memory_types: &[0], ..Default::default() });
    match sim.create_buffer_in(&pool, &info, &Default::default()) {
        Err(error) if has_address => assert_eq!(error, AllocError::NoDeviceAddress.into()),
        Ok((buffer, memory)) if !has_address => sim.destroy_buffer(buffer, memory),
        other => panic!("{other:?}"),
    }
    sim.end_pool(pool);
    sim.finish();
}
