//! Heaps that others use too, and budgets that move.

use ash::{ext, vk};
use vk_sim::{DriverConfig, Rule, SimDriver};

use crate::support::{BAR, COHERENT, Calls, VRAM, driver};

const MIB: u64 = 1 << 20;

/// Budget and usage of the first three heaps.
fn budgets(driver: &SimDriver) -> ([u64; 3], [u64; 3]) {
    let mut budget = vk::PhysicalDeviceMemoryBudgetPropertiesEXT {
        heap_budget: [u64::MAX; 16],
        heap_usage: [u64::MAX; 16],
        ..Default::default()
    };
    let mut properties = vk::PhysicalDeviceMemoryProperties2::default().push_next(&mut budget);
    let (instance, physical_device) = (driver.instance(), driver.physical_device());
    // SAFETY: the driver lives.
    unsafe { instance.get_physical_device_memory_properties2(physical_device, &mut properties) };
    let [b0, b1, b2, rest_of_budgets @ ..] = budget.heap_budget;
    let [u0, u1, u2, rest_of_usage @ ..] = budget.heap_usage;
    assert_eq!(rest_of_budgets, rest_of_usage, "written together, or not at all");
    ([b0, b1, b2], [u0, u1, u2])
}

#[test]
fn budgets_move_with_what_is_set_and_usage_with_what_is_allocated() {
    let driver = driver();
    assert_eq!(budgets(&driver), ([1024 * MIB, 2048 * MIB, 64 * MIB], [0; 3]));
    let memory = driver.allocate(COHERENT, 5 * MIB).unwrap();
    driver.set_other_usage(1, 48 * MIB);
    driver.set_heap_budget(0, Some(100));
    assert_eq!(budgets(&driver), ([100, 2000 * MIB, 64 * MIB], [0, 5 * MIB, 0]));
    driver.set_heap_budget(0, None);
    driver.set_other_usage(1, u64::MAX);
    driver.free(memory);
    assert_eq!(budgets(&driver), ([1024 * MIB, 0, 64 * MIB], [0; 3]));
}

#[test]
fn what_others_take_cannot_be_allocated() {
    let driver = driver();
    let kept = driver.allocate(BAR, 16 * MIB).unwrap();
    driver.set_other_usage(2, 40 * MIB);
    assert_eq!(driver.allocate(BAR, 9 * MIB), Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY));
    driver.allocate(BAR, 8 * MIB).unwrap();
    driver.set_other_usage(2, 64 * MIB);
    assert_eq!(driver.allocate(BAR, 1), Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY));
    driver.free(kept);
    driver.set_other_usage(2, 0);
    driver.allocate(BAR, 56 * MIB).unwrap();
    assert_eq!(driver.violations(), []);
}

#[test]
fn passing_the_budget_is_a_lint_where_budgets_are_told() {
    let plain = DriverConfig { extensions: Vec::new(), ..DriverConfig::default() };
    for (config, is_told) in [(DriverConfig::default(), true), (plain, false)] {
        let driver = SimDriver::new(config).unwrap();
        driver.set_heap_budget(0, Some(1000));
        driver.allocate(VRAM, 1000).unwrap();
        assert_eq!(driver.lints(), []);
        driver.allocate(VRAM, 1).unwrap();
        let rule = Rule::OverBudget { heap_index: 0, bytes: 1001, budget: 1000 };
        let rules: Vec<_> = driver.lints().iter().map(|lint| lint.rule).collect();
        assert_eq!(rules, if is_told { vec![rule] } else { Vec::new() });
        assert_eq!(budgets(&driver).0[0] == 1000, is_told, "else the structure is left alone");
        assert_eq!(driver.violations(), []);
    }
}

#[test]
fn budgets_of_the_description_hold_at_first() {
    let config = DriverConfig { heap_budgets: vec![0, 1, 2], ..DriverConfig::default() };
    let driver = SimDriver::new(config).unwrap();
    assert_eq!(budgets(&driver).0, [0, 1, 2]);
    driver.allocate(VRAM, 64).unwrap();
    assert_eq!(driver.lints().len(), 1);
}

#[test]
#[should_panic(expected = "heap 3 of 3")]
fn a_heap_that_is_not_there_has_no_budget() {
    driver().set_heap_budget(3, None);
}

#[test]
fn the_extensions_are_the_listed_ones() {
    let some =
        DriverConfig { extensions: vec![ext::memory_budget::NAME], ..DriverConfig::default() };
    for config in [DriverConfig::default(), some] {
        let driver = SimDriver::new(config.clone()).unwrap();
        let (instance, physical_device) = (driver.instance(), driver.physical_device());
        // SAFETY: the driver lives.
        let listed = unsafe { instance.enumerate_device_extension_properties(physical_device) };
        let listed = listed.unwrap();
        let names: Vec<_> =
            listed.iter().map(|extension| extension.extension_name_as_c_str().unwrap()).collect();
        assert_eq!(names, config.extensions);
        let device = driver.device().handle();
        // SAFETY: the driver lives, the name ends in a zero byte.
        let function =
            unsafe { instance.get_device_proc_addr(device, c"vkBindBufferMemory2KHR".as_ptr()) };
        assert_eq!(function.is_some(), names.contains(&ash::khr::bind_memory2::NAME));
    }
}
