//! A real driver poses as other devices, and computes with what they would let it see.

use ash::vk;
use vk_sim::{Call, DriverConfig, ObjectKind, OverlayError, RealDriver, Rule, SimDriver, tables};

use crate::stage::{Bound, boot, boot_that_executes, copy, overlay, read_byte, write_byte};

/// Memory types of the default device.
const VRAM: u32 = 0;
const COHERENT: u32 = 1;
const CACHED: u32 = 2;

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_driver_poses_as_a_gpu_with_a_small_bar_heap() {
    let boot = boot();
    let table = tables::find("NVIDIA GeForce GTX 1650").unwrap();
    let driver = overlay(&boot, DriverConfig::from(table));
    let (instance, device) = (driver.instance(), driver.device());
    // SAFETY: the boot lives.
    let memory =
        unsafe { instance.get_physical_device_memory_properties(driver.physical_device()) };
    assert_eq!((memory.memory_type_count, memory.memory_heap_count), (5, 3));
    assert_eq!(memory.memory_heaps[2].size, 224_395_264);
    let mut budget = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
    let mut properties = vk::PhysicalDeviceMemoryProperties2::default().push_next(&mut budget);
    let physical_device = driver.physical_device();
    // SAFETY: the boot lives.
    unsafe { instance.get_physical_device_memory_properties2(physical_device, &mut properties) };
    assert_eq!(budget.heap_budget[2], 224_395_264);
    // SAFETY: the boot lives.
    let properties = unsafe { instance.get_physical_device_properties(physical_device) };
    assert_eq!(properties.limits.buffer_image_granularity, 1024);
    assert_eq!(properties.limits.max_memory_allocation_count, 4096);
    assert_eq!(properties.limits.max_image_dimension2_d, boot.limits.max_image_dimension2_d);
    // SAFETY: the boot lives.
    let extensions = unsafe { instance.enumerate_device_extension_properties(physical_device) };
    assert!(extensions.unwrap().iter().any(|extension| {
        extension.extension_name_as_c_str() == Ok(ash::ext::memory_budget::NAME)
    }));

    let first = Bound::new(device, 4, 200 << 20);
    let info = vk::MemoryAllocateInfo::default().allocation_size(64 << 20).memory_type_index(4);
    // SAFETY: valid usage.
    let second = unsafe { device.allocate_memory(&info, None) };
    assert_eq!(second, Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY));
    first.destroy(device);
    assert_eq!(driver.finish(), []);
    assert_eq!(boot.finish(), []);
}

/// Every host-visible type of every table carries bytes to the device and back.
#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn bytes_pass_through_every_type_of_every_table() {
    let Some(boot) = boot_that_executes() else {
        return;
    };
    let mut type_count = 0;
    let configs = tables::all().map(|table| (table.name, DriverConfig::from(table)));
    for (name, config) in configs.chain(tables::hostile()) {
        if name.contains("one allocation") || name.contains("2^63") {
            continue;
        }
        let driver = overlay(&boot, config.clone());
        let device = driver.device();
        for (index, &(flags, heap)) in (0..).zip(&config.memory_types) {
            let unusual = vk::MemoryPropertyFlags::DEVICE_COHERENT_AMD
                | vk::MemoryPropertyFlags::PROTECTED
                | vk::MemoryPropertyFlags::LAZILY_ALLOCATED;
            let is_empty = config.memory_heaps[usize::try_from(heap).unwrap()].0 == 0;
            let is_visible = flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE);
            if !is_visible || flags.intersects(unusual) || is_empty {
                continue;
            }
            let [from, to] = [0; 2].map(|_: i32| Bound::new(device, index, 4096));
            let (source, target) = (from.map(device), to.map(device));
            write_byte(source, 77);
            from.flush(device);
            copy(&boot, device, &from, &to);
            to.invalidate(device);
            assert_eq!(read_byte(target), 77, "{name}: type {index}");
            from.destroy(device);
            to.destroy(device);
            type_count += 1;
        }
        assert_eq!(driver.finish(), [], "{name}");
    }
    println!("{type_count} memory types carried bytes");
    assert!(type_count > 90);
    assert_eq!(boot.finish(), []);
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_forgotten_flush_or_invalidation_shows_in_what_the_driver_computes() {
    let Some(boot) = boot_that_executes() else {
        return;
    };
    let driver = overlay(&boot, DriverConfig::default());
    let device = driver.device();
    let cached = Bound::new(device, CACHED, 256);
    let vram = Bound::new(device, VRAM, 256);
    let coherent = Bound::new(device, COHERENT, 256);
    let (host, seen) = (cached.map(device), coherent.map(device));

    write_byte(host, 1);
    cached.flush(device);
    write_byte(host, 2);
    copy(&boot, device, &cached, &vram);
    copy(&boot, device, &vram, &coherent);
    assert_eq!(read_byte(seen), 1, "the 2 was not flushed");
    cached.flush(device);
    copy(&boot, device, &cached, &coherent);
    assert_eq!(read_byte(seen), 2);

    write_byte(seen, 3);
    copy(&boot, device, &coherent, &cached);
    assert_eq!(read_byte(host), 2, "the 3 was not invalidated");
    cached.invalidate(device);
    assert_eq!(read_byte(host), 3);
    for bound in [cached, vram, coherent] {
        bound.destroy(device);
    }
    assert_eq!(driver.finish(), []);
    assert_eq!(boot.finish(), []);
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn calls_are_counted_failed_and_checked_before_the_driver_sees_them() {
    let boot = boot();
    let driver = overlay(&boot, DriverConfig::default());
    let device = driver.device();
    let info = vk::MemoryAllocateInfo::default().allocation_size(4096).memory_type_index(VRAM);
    driver.fail_nth_of(Call::AllocateMemory, 1, vk::Result::ERROR_TOO_MANY_OBJECTS);
    // SAFETY: valid usage.
    let failed = unsafe { device.allocate_memory(&info, None) };
    assert_eq!(failed, Err(vk::Result::ERROR_TOO_MANY_OBJECTS));
    // SAFETY: valid usage.
    let memory = unsafe { device.allocate_memory(&info, None) }.unwrap();
    assert_eq!(driver.call_count(Call::AllocateMemory), 2);
    let flags = vk::MemoryMapFlags::empty();
    // SAFETY: invalid usage, on purpose: the overlay refuses it.
    let mapped = unsafe { device.map_memory(memory, 0, 4096, flags) };
    assert_eq!(mapped, Err(vk::Result::ERROR_VALIDATION_FAILED_EXT));
    let rules: Vec<_> = driver.violations().iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [Rule::NotHostVisible { memory_type_index: VRAM }]);
    let other = SimDriver::new(DriverConfig::default()).unwrap();
    assert_eq!(other.live().memory, 0, "a simulated device beside the overlay is its own");

    let violations = driver.finish();
    assert_eq!(violations.len(), 2);
    assert!(matches!(violations[1].rule, Rule::Leak { kind: ObjectKind::Memory, .. }));
    // SAFETY: the boot's own device made it, under the overlay that is gone.
    unsafe { boot.device.free_memory(memory, None) };
    assert_eq!(boot.finish(), [], "the driver saw no breach");
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn a_device_has_one_overlay_at_a_time() {
    let boot = boot();
    let first = overlay(&boot, DriverConfig::default());
    let real = RealDriver {
        entry: &boot.entry,
        instance: &boot.instance,
        physical_device: boot.physical_device,
        device: &boot.device,
    };
    // SAFETY: refused.
    let second = unsafe { SimDriver::over(&real, DriverConfig::default()) };
    assert_eq!(second.map(drop).unwrap_err(), OverlayError::Taken);
    drop(first);
    drop(overlay(&boot, DriverConfig::default()));
    assert_eq!(boot.finish(), []);
}
