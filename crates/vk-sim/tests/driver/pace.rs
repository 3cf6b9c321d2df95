//! Calls that are delayed or held up hold up nobody else.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use vk_sim::Call;

use crate::support::{COHERENT, Calls, VRAM, driver};

#[test]
fn a_hook_can_hold_a_thread_inside_a_call_while_others_go_on() {
    let driver = driver();
    let (entered, is_inside) = mpsc::channel();
    let (let_go, wait) = mpsc::channel();
    let wait = Mutex::new(wait);
    driver.set_hook(move |call| {
        if call == Call::AllocateMemory {
            entered.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        }
    });
    thread::scope(|scope| {
        let held = scope.spawn(|| driver.allocate(VRAM, 64).unwrap());
        is_inside.recv().unwrap();
        // The held call has not begun, and the driver is free.
        assert_eq!(driver.call_count(Call::AllocateMemory), 0);
        let buffer = driver.buffer(64, ash::vk::BufferUsageFlags::TRANSFER_DST).unwrap();
        driver.destroy_buffer(buffer);
        assert_eq!(driver.live().memory, 0);
        driver.clear_hook();
        driver.allocate(COHERENT, 64).unwrap();
        let_go.send(()).unwrap();
        held.join().unwrap();
    });
    assert_eq!(driver.live().memory, 2);
}

#[test]
fn a_hook_sees_every_call_and_may_use_the_driver() {
    let driver = Arc::new(driver());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (inner, log) = (Arc::clone(&driver), Arc::clone(&seen));
    driver.set_hook(move |call| log.lock().unwrap().push((call, inner.live().memory)));
    let memory = driver.allocate(VRAM, 64).unwrap();
    driver.free(memory);
    driver.clear_hook();
    assert_eq!(*seen.lock().unwrap(), [(Call::AllocateMemory, 0), (Call::FreeMemory, 1)]);
}

#[test]
fn a_delay_is_slept_before_the_call() {
    let driver = driver();
    let delay = Duration::from_millis(20);
    driver.set_delay(Call::AllocateMemory, delay);
    let start = Instant::now();
    let memory = driver.allocate(VRAM, 64).unwrap();
    assert!(start.elapsed() >= delay, "sleeping is never shorter than asked");
    driver.set_delay(Call::AllocateMemory, Duration::ZERO);
    driver.free(memory);
    assert_eq!(driver.calls(), [Call::AllocateMemory, Call::FreeMemory]);
}
