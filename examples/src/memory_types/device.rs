//! Where the memory types come from: this machine's GPU, a table, a file.

use std::error::Error;

use memtype_select::{
    DeviceMemoryProperties, MemoryHeap, MemoryHeapFlags, MemoryPropertyFlags, MemoryType,
};
use vk_boot::{Boot, BootOptions, DeviceChoice};
use vk_sim::tables;

use crate::memory_types::json::{self, JsonError};

/// A device's memory types, and where they were learned of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Where its memory types were learned of.
    pub source: String,
    /// Its memory types and heaps.
    pub properties: DeviceMemoryProperties,
}

impl Device {
    /// The GPU of this machine, or the device that `VK_BOOT_DEVICE` names.
    ///
    /// # Errors
    ///
    /// The one of [`Boot::new`], which says what is missing.
    pub fn of_this_machine() -> Result<Self, Box<dyn Error>> {
        let device = DeviceChoice::from_environment();
        let boot = Boot::new(&BootOptions { device, ..BootOptions::default() })?;
        Ok(Self {
            name: boot.device_name.clone(),
            source: format!("asked of {} on this machine", boot.driver_name),
            properties: DeviceMemoryProperties::from(&boot.memory_properties),
        })
    }

    /// A device that `vk-sim` has the table of: by its whole name, or else by a part of it, in
    /// upper or lower case, that no other has.
    ///
    /// # Errors
    ///
    /// A sentence that names the tables with `name` in them, if that is not exactly one.
    pub fn from_table(name: &str) -> Result<Self, String> {
        let wanted = name.to_lowercase();
        let candidates: Vec<_> = match tables::find(name) {
            Some(table) => vec![table],
            None => {
                tables::all().filter(|table| table.name.to_lowercase().contains(&wanted)).collect()
            }
        };
        let [table] = candidates[..] else {
            let names: Vec<&str> = candidates.iter().map(|table| table.name).collect();
            return Err(match names.is_empty() {
                true => format!("no table is named {name:?}; --list names them"),
                false => format!("{name:?} is in the names of several: {}", names.join(", ")),
            });
        };
        let types: Vec<MemoryType> = table
            .types
            .iter()
            .map(|&(flags, heap_index)| MemoryType {
                property_flags: MemoryPropertyFlags::from_bits_retain(flags),
                heap_index,
            })
            .collect();
        let heaps: Vec<MemoryHeap> = table
            .heaps
            .iter()
            .map(|&(size, flags)| MemoryHeap {
                size,
                flags: MemoryHeapFlags::from_bits_retain(flags),
            })
            .collect();
        Ok(Self {
            name: table.name.to_owned(),
            source: table.source.to_owned(),
            properties: DeviceMemoryProperties::new(&types, &heaps),
        })
    }

    /// A device by what `vulkaninfo --json` or a report of gpuinfo.org says of it.
    ///
    /// `source` says where the text is from.
    ///
    /// # Errors
    ///
    /// [`JsonError`], if the text is no JSON, has no memory types in it, or one that makes no
    /// sense.
    pub fn from_json(text: &str, source: &str) -> Result<Self, JsonError> {
        let (name, properties) = json::read(text)?;
        let name = name.unwrap_or_else(|| "a device without a name".to_owned());
        Ok(Self { name, source: source.to_owned(), properties })
    }
}

/// The names of all tables that `vk-sim` has, in its order.
pub fn table_names() -> impl Iterator<Item = &'static str> {
    tables::all().map(|table| table.name)
}
