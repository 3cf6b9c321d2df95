//! Memory objects made elsewhere: tracked and counted, never freed by us.
#![allow(unsafe_code)]

use core::ptr::NonNull;

use ash::vk;
use parking_lot::Mutex;

use vk_pool::ClassId;

use crate::allocation::{Home, Notes, type_number};
use crate::mapped::MappedPtr;
use crate::{AdoptError, Allocation, GpuAllocator};

/// A memory object made elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalMemory<'a> {
    /// The memory object.
    pub memory: vk::DeviceMemory,
    /// All its bytes.
    pub size: u64,
    /// The memory type it was made with.
    pub memory_type_index: u32,
    /// The host address of its first byte, if its owner keeps it mapped whole.
    pub mapped_ptr: Option<NonNull<u8>>,
    /// A name for reports.
    pub name: Option<&'a str>,
}

/// What is known of one external object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExternalObject {
    pub(crate) size: u64,
    pub(crate) memory_type_index: u32,
}

/// The external objects that are tracked, at stable indices.
pub(crate) struct ExternalObjects {
    objects: Mutex<Objects>,
}

#[derive(Default)]
struct Objects {
    slots: Vec<Option<ExternalObject>>,
    vacant: Vec<u32>,
}

impl ExternalObjects {
    pub(crate) fn new() -> Self {
        Self { objects: Mutex::new(Objects::default()) }
    }

    fn insert(&self, object: ExternalObject) -> u32 {
        let mut objects = self.objects.lock();
        if let Some(index) = objects.vacant.pop() {
            objects.slots[index as usize] = Some(object);
            return index;
        }
        objects.slots.push(Some(object));
        u32::try_from(objects.slots.len() - 1).expect("a device has fewer than 2^32 memory objects")
    }

    fn remove(&self, index: u32) -> Option<ExternalObject> {
        let mut objects = self.objects.lock();
        let object = objects.slots.get_mut(index as usize)?.take();
        objects.vacant.extend(object.map(|_| index));
        object
    }

    /// Indices and objects, ascending by index.
    pub(crate) fn snapshot(&self) -> Vec<(u32, ExternalObject)> {
        let objects = self.objects.lock();
        (0u32..).zip(&objects.slots).filter_map(|(index, slot)| Some((index, (*slot)?))).collect()
    }
}

impl GpuAllocator {
    /// Tracks a memory object that was made elsewhere, so that it shows in statistics and counts
    /// against the limits. It is never refused for a limit: it exists already.
    ///
    /// [`free`](Self::free) of the allocation ends the tracking, and leaves the object alone.
    ///
    /// # Errors
    ///
    /// [`AdoptError`]; nothing is tracked then.
    ///
    /// # Safety
    ///
    /// 1. `external` describes a live memory object of this allocator's device truly.
    /// 2. The object, and its mapping if one is given, outlive the allocation that is returned.
    /// 3. While the allocation lives, nobody else accesses the object through its mapping.
    pub unsafe fn adopt_external(
        &self,
        external: ExternalMemory<'_>,
    ) -> Result<Allocation, AdoptError> {
        let ExternalMemory { memory, size, memory_type_index, mapped_ptr, name } = external;
        if size == 0 {
            return Err(AdoptError::ZeroSize);
        }
        if memory == vk::DeviceMemory::null() {
            return Err(AdoptError::NullHandle);
        }
        // At most 32 types, by VK_MAX_MEMORY_TYPES.
        let memory_type_count = u32::try_from(self.types.len()).unwrap_or(u32::MAX);
        let shard = self.types.get(memory_type_index as usize);
        let shard =
            shard.ok_or(AdoptError::NoSuchMemoryType { memory_type_index, memory_type_count })?;
        let counted = self.budgets.adopt_external(shard.heap_index(), size);
        debug_assert!(counted.is_ok(), "the heaps of all memory types were checked in `new`");
        let index = self.external.insert(ExternalObject { size, memory_type_index });
        let mut allocation = Allocation {
            memory,
            mapped: mapped_ptr.map(MappedPtr::new),
            home: Home::External { index, size },
            allocator_id: self.id,
            class: ClassId(0),
            memory_type_index: type_number(memory_type_index),
            shard: 0,
            notes: Notes::NONE,
        };
        if let Some(name) = name {
            self.name(&mut allocation, name);
        }
        Ok(allocation)
    }

    /// Ends the tracking of an external object.
    pub(crate) fn forget_external(&self, index: u32) {
        let object =
            self.external.remove(index).expect("a live external allocation is in the list");
        let heap_index = self.types[object.memory_type_index as usize].heap_index();
        let counted = self.budgets.forget_external(heap_index, object.size);
        debug_assert!(counted.is_ok(), "the heaps of all memory types were checked in `new`");
    }
}
