//! Configurations: those that contradict themselves are refused by field and value, and the others
//! work as they say.

use ash::vk;
use gpu_alloc_ash::{
    AllocError, AllocationRequest, AllocatorConfig, ConfigError, LimitError, ResourceKind,
    Strategy, UsageFlags,
};
use rstest::rstest;
use vk_sim::{DriverConfig, SimDriver};

use crate::support::{KIB, MIB, Sim, allocator_on};
use crate::tables;

fn changed(change: fn(&mut AllocatorConfig)) -> AllocatorConfig {
    let mut config = AllocatorConfig::default();
    change(&mut config);
    config
}

#[track_caller]
fn refused(config: AllocatorConfig) -> ConfigError {
    let driver = SimDriver::new(DriverConfig::default()).expect("the default device is possible");
    let error = allocator_on(&driver, config).expect_err("it contradicts itself");
    assert!(driver.live().is_empty());
    allocator_on(&driver, AllocatorConfig::default()).expect("a good one works on this driver");
    error
}

#[rstest]
#[case::first_block("first_block_size", 3 * MIB, |config: &mut AllocatorConfig| config.first_block_size = 3 * MIB)]
#[case::no_first_block("first_block_size", 0, |config: &mut AllocatorConfig| config.first_block_size = 0)]
#[case::host_first_block("first_block_size", 5, |config: &mut AllocatorConfig| config.host_first_block_size = 5)]
#[case::no_host_first_block("first_block_size", 0, |config: &mut AllocatorConfig| config.host_first_block_size = 0)]
#[case::largest_block("largest_block_size", 100 * MIB, |config: &mut AllocatorConfig| config.largest_block_size = 100 * MIB)]
#[case::smallest_block("smallest_block_size", 3 * MIB, |config: &mut AllocatorConfig| config.smallest_block_size = 3 * MIB)]
#[case::no_smallest_block("smallest_block_size", 0, |config: &mut AllocatorConfig| config.smallest_block_size = 0)]
#[case::large_smallest_block("smallest_block_size", 20 * MIB, |config: &mut AllocatorConfig| config.smallest_block_size = 20 * MIB)]
#[case::min_allocation("min_allocation_size", 100, |config: &mut AllocatorConfig| config.min_allocation_size = 100)]
#[case::no_min_allocation("min_allocation_size", 0, |config: &mut AllocatorConfig| config.min_allocation_size = 0)]
fn sizes_that_are_not_powers_of_two_are_refused(
    #[case] field: &'static str,
    #[case] value: u64,
    #[case] change: fn(&mut AllocatorConfig),
) {
    let expected = vk_pool::ConfigError::NotPowerOfTwo { field, value };
    assert_eq!(refused(changed(change)), ConfigError::Pool(expected));
}

#[rstest]
#[case::minimum_above_smallest(
    ("min_allocation_size", 2 * MIB, "smallest_block_size", MIB),
    |config: &mut AllocatorConfig| config.min_allocation_size = 2 * MIB
)]
#[case::smallest_above_first(
    ("smallest_block_size", 32 * MIB, "first_block_size", 16 * MIB),
    |config: &mut AllocatorConfig| config.smallest_block_size = 32 * MIB
)]
#[case::first_above_largest(
    ("first_block_size", 512 * MIB, "largest_block_size", 256 * MIB),
    |config: &mut AllocatorConfig| config.first_block_size = 512 * MIB
)]
#[case::host_first_above_largest(
    ("first_block_size", 512 * MIB, "largest_block_size", 256 * MIB),
    |config: &mut AllocatorConfig| config.host_first_block_size = 512 * MIB
)]
fn sizes_out_of_order_are_refused(
    #[case] (smaller, small, larger, large): (&'static str, u64, &'static str, u64),
    #[case] change: fn(&mut AllocatorConfig),
) {
    let expected = vk_pool::ConfigError::OutOfOrder { smaller, small, larger, large };
    assert_eq!(refused(changed(change)), ConfigError::Pool(expected));
}

#[test]
fn a_threshold_above_the_largest_block_is_refused() {
    let config =
        changed(|config: &mut AllocatorConfig| config.dedicated_above = Some(256 * MIB + 1));
    let (dedicated_above, largest_block_size) = (256 * MIB + 1, 256 * MIB);
    assert_eq!(
        refused(config),
        ConfigError::DedicatedAbove { dedicated_above, largest_block_size }
    );
}

#[rstest]
#[case::none(0)]
#[case::below_1_0(vk::make_api_version(0, 0, 9, 0))]
#[case::another_variant(vk::make_api_version(1, 1, 0, 0))]
fn what_is_no_version_of_vulkan_is_refused(#[case] api_version: u32) {
    let mut config = AllocatorConfig::default();
    config.api_version = api_version;
    assert_eq!(refused(config), ConfigError::ApiVersion { api_version });
}

#[rstest]
#[case::as_it_is(|_: &mut AllocatorConfig| {})]
#[case::one_size_for_all(|config: &mut AllocatorConfig| {
    config.min_allocation_size = MIB;
    config.smallest_block_size = MIB;
    config.first_block_size = MIB;
    config.host_first_block_size = MIB;
    config.largest_block_size = MIB;
    config.dedicated_above = Some(MIB);
})]
#[case::everything_dedicated(|config: &mut AllocatorConfig| config.dedicated_above = Some(0))]
#[case::no_growth(|config: &mut AllocatorConfig| config.growth_divisor = 0)]
#[case::no_bound_by_the_heap(|config: &mut AllocatorConfig| config.heap_divisor = 0)]
#[case::all_of_the_heap_is_too_much(|config: &mut AllocatorConfig| config.heap_divisor = u64::MAX)]
#[case::largest_numbers(|config: &mut AllocatorConfig| {
    config.largest_block_size = 1 << 38;
    config.dedicated_floor = u64::MAX;
    config.retained_bytes = Some(u64::MAX);
    config.growth_divisor = u64::MAX;
    config.retained_live_divisor = u64::MAX;
})]
fn a_configuration_at_its_bounds_works(#[case] change: fn(&mut AllocatorConfig)) {
    let sim = Sim::with_config(changed(change));
    for strategy in [Strategy::Auto, Strategy::Pooled, Strategy::Dedicated] {
        for usage in [UsageFlags::empty(), UsageFlags::UPLOAD] {
            let kind = ResourceKind::Linear;
            let request =
                AllocationRequest { size: 200, usage, strategy, kind, ..Default::default() };
            let allocation = sim.allocate(&request);
            assert_eq!(allocation.size(), 200);
            sim.check_books();
            sim.free(allocation);
        }
    }
    sim.finish();
}

#[test]
fn nothing_is_retained_where_nothing_should_be() {
    let sim = Sim::with_config(changed(|config: &mut AllocatorConfig| {
        config.retained_bytes = Some(0);
        config.retained_live_divisor = 0;
    }));
    let allocation = sim.allocate(&AllocationRequest { size: 10, ..Default::default() });
    assert_eq!(sim.driver.live().memory, 1);
    sim.free(allocation);
    assert!(sim.driver.live().is_empty());
    sim.finish();
}

#[rstest]
#[case::small_heaps([200 * KIB, 100 * KIB, 10 * KIB])]
#[case::heaps_of_a_few_bytes([300, 17, 1])]
#[case::empty_heaps([0, 4096, 0])]
fn a_device_of_small_heaps_is_usable(#[case] sizes: [u64; 3]) {
    let largest = sizes.into_iter().max().expect("there are three");
    let sim = Sim::new(tables::heaps(sizes), AllocatorConfig::default());
    let allocation = sim.allocate(&AllocationRequest { size: largest, ..Default::default() });
    assert_eq!(allocation.size(), largest);
    sim.check_books();
    sim.free(allocation);
    sim.finish();
}

#[rstest]
#[case::all(4096)]
#[case::more_than_all(u32::MAX)]
fn a_head_room_of_everything_is_refused(#[case] head_room: u32) {
    let mut config = AllocatorConfig::default();
    config.allocation_count_head_room = head_room;
    assert_eq!(refused(config), ConfigError::HeadRoom { head_room, limit: 4096 });
}

#[test]
fn a_head_room_of_all_but_one_leaves_one() {
    let sim = Sim::with_config(changed(|config: &mut AllocatorConfig| {
        config.allocation_count_head_room = 4095;
    }));
    let strategy = Strategy::Dedicated;
    let request = AllocationRequest { size: 10, strategy, ..Default::default() };
    let allocation = sim.allocate(&request);
    assert_eq!(
        sim.allocator.allocate(&request).expect_err("nothing is left"),
        AllocError::Limit(LimitError::AllocationCount { limit: 1 })
    );
    sim.free(allocation);
    sim.finish();
}
