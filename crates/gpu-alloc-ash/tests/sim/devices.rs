//! Every device that `vk-sim` has a table of, the hostile ones, and each of them without coherence.

use ash::vk;
use vk_sim::{DriverConfig, tables};

/// A device to run a test on.
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) config: DriverConfig,
}

impl Device {
    fn new(name: &str, config: DriverConfig) -> Self {
        Self { name: name.to_owned(), config }
    }

    /// The same device, all of whose mapped memory has to be flushed and invalidated, on the
    /// device's own atoms.
    fn without_coherence(&self) -> Self {
        let mut config = self.config.clone();
        for (flags, _) in &mut config.memory_types {
            *flags &= !vk::MemoryPropertyFlags::HOST_COHERENT;
        }
        Self { name: format!("{}, without coherence", self.name), config }
    }

    /// Whether it has memory for one object alone, so that nothing can be copied from one memory
    /// object to another.
    pub(crate) fn is_single_object(&self) -> bool {
        self.config.max_memory_allocation_count == 1
    }
}

/// The devices with a table of their own.
pub(crate) fn real() -> Vec<Device> {
    let devices: Vec<_> =
        tables::all().map(|table| Device::new(table.name, DriverConfig::from(table))).collect();
    assert!(devices.len() >= 38, "only {} tables", devices.len());
    devices
}

/// The devices that break careless allocators.
pub(crate) fn hostile() -> Vec<Device> {
    let devices: Vec<_> =
        tables::hostile().map(|(name, config)| Device::new(name, config)).collect();
    assert!(devices.len() >= 8, "only {} hostile tables", devices.len());
    devices
}

/// Real and hostile devices.
pub(crate) fn all() -> Vec<Device> {
    real().into_iter().chain(hostile()).collect()
}

/// Real and hostile devices, and each of them without coherence.
pub(crate) fn all_and_without_coherence() -> Vec<Device> {
    let devices = all();
    let twins: Vec<_> = devices.iter().map(Device::without_coherence).collect();
    devices.into_iter().chain(twins).collect()
}

/// Runs `body` on each device; whatever panics, the device is named.
pub(crate) fn on_each(devices: Vec<Device>, mut body: impl FnMut(&Device)) -> usize {
    let count = devices.len();
    for device in devices {
        let _context = OnPanic(format!("on the device \"{}\"", device.name));
        body(&device);
    }
    count
}

/// Says this if the test panics while it lives.
pub(crate) struct OnPanic(pub(crate) String);

impl Drop for OnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}
