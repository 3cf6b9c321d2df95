//! Several devices at once, and several threads on one.

use std::thread;

use ash::vk;
use vk_sim::{Call, DriverConfig, SimDriver};

use crate::support::{CACHED, Calls, VRAM, driver, read_byte, write_byte};

const THREADS: u8 = 4;
const ROUNDS: u8 = 100;

#[test]
fn devices_share_nothing() {
    let small = DriverConfig { max_memory_allocation_count: 1, ..DriverConfig::default() };
    let drivers = [SimDriver::new(small).unwrap(), driver()];
    drivers[0].fail_nth_of(Call::AllocateMemory, 2, vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    for driver in &drivers {
        driver.allocate(VRAM, 64).unwrap();
    }
    assert!(drivers[0].allocate(VRAM, 64).is_err());
    assert!(drivers[1].allocate(VRAM, 64).is_ok());
    assert_eq!((drivers[0].live().memory, drivers[1].live().memory), (1, 2));
    assert_eq!((drivers[0].violations().len(), drivers[1].violations().len()), (1, 0));
}

#[test]
fn threads_use_one_device_at_once() {
    let driver = driver();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let driver = &driver;
            scope.spawn(move || work(driver, thread));
        }
    });
    let rounds = usize::from(THREADS) * usize::from(ROUNDS);
    for call in [Call::AllocateMemory, Call::FreeMemory, Call::MapMemory, Call::DestroyBuffer] {
        assert_eq!(driver.call_count(call), rounds, "{call:?}");
    }
    assert_eq!(driver.calls().len(), 7 * rounds);
    assert!(driver.live().is_empty());
    assert_eq!(driver.live().memory_bytes_per_heap, [0; 3]);
    assert_eq!(driver.lints(), []);
    assert_eq!(driver.finish(), []);
}

fn work(driver: &SimDriver, thread: u8) {
    for round in 0..ROUNDS {
        let memory = driver.allocate(CACHED, 4096).unwrap();
        let buffer = driver.buffer(4096, vk::BufferUsageFlags::TRANSFER_DST).unwrap();
        driver.bind_buffer(buffer, memory, 0).unwrap();
        let pointer = driver.map(memory, 0, vk::WHOLE_SIZE).unwrap();
        assert_eq!(read_byte(pointer, 17), 0);
        write_byte(pointer, 17, thread ^ round);
        driver.flush(memory, 0, 64).unwrap();
        assert_eq!(read_byte(pointer, 17), thread ^ round);
        driver.destroy_buffer(buffer);
        driver.free(memory);
    }
}
