//! Checks where allocations lie: inside of their memory, aligned, and on nobody else.

use std::collections::BTreeMap;

use ash::vk::{self, Handle};
use vk_sim::SimDriver;

use super::program::Request;

/// Every live allocation by memory object and offset, with its size.
#[derive(Default)]
pub(super) struct Shadow {
    live: BTreeMap<(u64, u64), u64>,
}

impl Shadow {
    /// Takes an allocation in, or says what is wrong with it.
    pub(super) fn allocate(
        &mut self,
        driver: &SimDriver,
        request: &Request,
        (memory, offset): (vk::DeviceMemory, u64),
    ) -> Result<(), String> {
        let raw = memory.as_raw();
        let records = driver.memories();
        let object = records.iter().find(|record| record.memory == memory);
        let object = object.ok_or_else(|| format!("memory {raw:#x} does not exist"))?;
        if object.memory_type_index != request.memory_type_index {
            return Err(format!("type {} is not the one allowed", object.memory_type_index));
        }
        if !offset.is_multiple_of(request.alignment) {
            return Err(format!("offset {offset} is not a multiple of {}", request.alignment));
        }
        let end = offset.saturating_add(request.size);
        if end > object.size {
            return Err(format!("bytes {offset}..{end} are not all in {} bytes", object.size));
        }
        let before = self.live.range((raw, 0)..(raw, end)).next_back();
        if let Some((&(_, at), &size)) = before.filter(|&(&(_, at), &size)| at + size > offset) {
            return Err(format!("bytes {offset}..{end} overlap with {at}..{}", at + size));
        }
        self.live.insert((raw, offset), request.size);
        Ok(())
    }

    /// Lets one go.
    pub(super) fn free(&mut self, (memory, offset): (vk::DeviceMemory, u64)) {
        self.live.remove(&(memory.as_raw(), offset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_sim::DriverConfig;

    #[test]
    fn misplaced_allocations_are_found() {
        let driver = SimDriver::new(DriverConfig::default()).expect("it describes a device");
        let info = vk::MemoryAllocateInfo::default().allocation_size(1024).memory_type_index(0);
        // SAFETY: The driver lives.
        let memory = unsafe { driver.device().allocate_memory(&info, None) }.expect("it is empty");
        let request = Request { size: 100, alignment: 64, memory_type_index: 0, is_image: false };
        let mut shadow = Shadow::default();
        let mut put = |offset, request| shadow.allocate(&driver, &request, (memory, offset));
        assert_eq!(put(128, request), Ok(()));
        let wrong = [
            (192, request, "overlap"),
            (64, request, "overlap"),
            (260, request, "multiple"),
            (960, request, "not all in"),
            (512, Request { memory_type_index: 1, ..request }, "allowed"),
        ];
        for (offset, request, word) in wrong {
            let said = put(offset, request).expect_err("it is misplaced");
            assert!(said.contains(word), "{said}");
        }
        assert_eq!(put(256, request), Ok(()));
        shadow.free((memory, 128));
        let request = Request { size: 256, alignment: 256, ..request };
        assert_eq!(shadow.allocate(&driver, &request, (memory, 0)), Ok(()));
        let stranger = vk::DeviceMemory::from_raw(1);
        assert!(shadow.allocate(&driver, &request, (stranger, 0)).is_err());
    }
}
