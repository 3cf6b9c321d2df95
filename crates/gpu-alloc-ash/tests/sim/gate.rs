//! A device whose `vkAllocateMemory`, `vkMapMemory` and `vkFreeMemory` can be held up: a thread that
//! calls one while the gate is closed stays inside of the driver until it opens.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use ash::vk::{self, Handle};
use vk_sim::{Call, SimDriver};

/// The gates, by device handle: the functions get no other pointer.
static GATES: Mutex<BTreeMap<u64, Arc<Gate>>> = Mutex::new(BTreeMap::new());

/// Long enough for any machine; reached only when the code under test hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds threads up inside of the driver.
pub(crate) struct Gate {
    allocate_memory: vk::PFN_vkAllocateMemory,
    map_memory: vk::PFN_vkMapMemory,
    free_memory: vk::PFN_vkFreeMemory,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    closed_for: Option<Call>,
    /// Threads that stand at the gate.
    inside: usize,
}

impl Gate {
    /// A device of `driver` behind a gate, which is open.
    pub(crate) fn on(driver: &SimDriver) -> (ash::Device, Arc<Self>) {
        let handle = driver.device().handle();
        let functions = driver.device().fp_v1_0();
        let gate = Arc::new(Self {
            allocate_memory: functions.allocate_memory,
            map_memory: functions.map_memory,
            free_memory: functions.free_memory,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let earlier = lock(&GATES).insert(handle.as_raw(), Arc::clone(&gate));
        drop(earlier);
        let find = |name: &std::ffi::CStr| match name.to_bytes() {
            b"vkAllocateMemory" => allocate_memory as *const c_void,
            b"vkMapMemory" => map_memory as *const c_void,
            b"vkFreeMemory" => free_memory as *const c_void,
            _ => {
                // SAFETY: The device lives, and the name ends in a zero byte.
                let function =
                    unsafe { driver.instance().get_device_proc_addr(handle, name.as_ptr()) };
                function.map_or(ptr::null(), |function| function as *const c_void)
            }
        };
        // SAFETY: Each function found is the one that its name stands for, in signature and meaning.
        let device = unsafe { ash::Device::load_with(find, handle) };
        (device, gate)
    }

    /// Holds up whoever calls this function from now on.
    pub(crate) fn close(&self, call: Call) {
        lock(&self.state).closed_for = Some(call);
    }

    /// Lets everybody through, now and later.
    pub(crate) fn open(&self) {
        lock(&self.state).closed_for = None;
        self.changed.notify_all();
    }

    /// Threads that stand at the gate now.
    pub(crate) fn inside(&self) -> usize {
        lock(&self.state).inside
    }

    /// Waits until as many threads stand at the gate.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) {
        let state = lock(&self.state);
        let (state, timeout) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.inside < count)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "{} of {count} threads reached the driver", state.inside);
    }

    fn pass(&self, call: Call) {
        let mut state = lock(&self.state);
        if state.closed_for != Some(call) {
            return;
        }
        state.inside += 1;
        self.changed.notify_all();
        state = self
            .changed
            .wait_while(state, |state| state.closed_for == Some(call))
            .unwrap_or_else(PoisonError::into_inner);
        state.inside -= 1;
        self.changed.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A test that failed has to let the threads of the others go on.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gate_of(device: vk::Device) -> Arc<Gate> {
    Arc::clone(&lock(&GATES)[&device.as_raw()])
}

unsafe extern "system" fn allocate_memory(
    device: vk::Device,
    info: *const vk::MemoryAllocateInfo<'_>,
    callbacks: *const vk::AllocationCallbacks<'_>,
    out: *mut vk::DeviceMemory,
) -> vk::Result {
    let gate = gate_of(device);
    gate.pass(Call::AllocateMemory);
    // SAFETY: The caller's arguments, to the function that they are for.
    unsafe { (gate.allocate_memory)(device, info, callbacks, out) }
}

unsafe extern "system" fn map_memory(
    device: vk::Device,
    memory: vk::DeviceMemory,
    offset: vk::DeviceSize,
    size: vk::DeviceSize,
    flags: vk::MemoryMapFlags,
    out: *mut *mut c_void,
) -> vk::Result {
    let gate = gate_of(device);
    gate.pass(Call::MapMemory);
    // SAFETY: The caller's arguments, to the function that they are for.
    unsafe { (gate.map_memory)(device, memory, offset, size, flags, out) }
}

unsafe extern "system" fn free_memory(
    device: vk::Device,
    memory: vk::DeviceMemory,
    callbacks: *const vk::AllocationCallbacks<'_>,
) {
    let gate = gate_of(device);
    gate.pass(Call::FreeMemory);
    // SAFETY: The caller's arguments, to the function that they are for.
    unsafe { (gate.free_memory)(device, memory, callbacks) }
}
