//! `vkAllocateMemory` and `vkFreeMemory`.

use std::collections::BTreeMap;

use ash::{ext, vk};

use crate::backing::Backing;
use crate::objects::{AllocateRequest, Memory};
use crate::state::{CallResult, Entered};
use crate::violation::{ObjectKind, Rule};

/// Device addresses of allocations begin at multiples of this, the largest granularity of any GPU.
const ADDRESS_ALIGNMENT: u64 = 1 << 16;

impl Entered<'_> {
    /// Makes an allocation by `make`; its raw handle.
    pub(crate) fn allocate_memory(
        &mut self,
        request: &AllocateRequest,
        make: impl FnOnce() -> CallResult<u64>,
    ) -> CallResult<u64> {
        let heap_index = self.check_allocation(request)?;
        self.check_dedicated(request)?;
        self.check_limits(request, heap_index)?;
        self.fail_if_planted()?;
        let heap_size = self.config.memory_heaps[heap_index].0;
        let heap = &self.books.heaps[heap_index];
        let capacity = heap.capacity(heap_size);
        let budget = heap.budget(heap_size);
        let bytes = heap
            .bytes
            .checked_add(request.size)
            .filter(|&bytes| bytes <= capacity)
            .ok_or(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY)?;
        let address = self.books.next_address;
        // Addresses are not used again, so a pointer into freed memory points to nothing.
        let next_address = request
            .size
            .checked_next_multiple_of(ADDRESS_ALIGNMENT)
            .and_then(|size| address.checked_add(size))
            .ok_or(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY)?;
        let flags = self.config.memory_flags(request.memory_type_index);
        let is_coherent = flags.contains(vk::MemoryPropertyFlags::HOST_COHERENT);
        let handle = make()?;
        self.books.heaps[heap_index].bytes = bytes;
        if bytes > budget && self.config.has_extension(ext::memory_budget::NAME) {
            let heap_index = self.config.heap_index(request.memory_type_index);
            self.record(Rule::OverBudget { heap_index, bytes, budget });
        }
        self.books.next_address = next_address;
        self.books.memories.insert(
            handle,
            Memory {
                request: *request,
                heap_index,
                address,
                mapped: None,
                backing: Backing::new(request.size, is_coherent),
                bound: BTreeMap::new(),
            },
        );
        Ok(handle)
    }

    /// Frees an allocation by `free`, and unmaps it if it is mapped; null is ignored.
    pub(crate) fn free_memory(&mut self, handle: u64, free: impl FnOnce()) -> CallResult<()> {
        if handle == 0 {
            return Ok(());
        }
        if !self.books.memories.contains_key(&handle) {
            return Err(self.unknown(ObjectKind::Memory, handle));
        }
        self.refuse_in_use(ObjectKind::Memory, handle)?;
        let memory = self.books.memories.remove(&handle);
        let memory = memory.expect("found above, under the lock");
        self.books.heaps[memory.heap_index].bytes -= memory.request.size;
        for &(offset, kind, resource) in memory.bound.keys() {
            // A driver may give the handle to the next allocation, to which nothing is bound.
            let resource = self.books.resources(kind).get_mut(&resource);
            resource.expect("taken off the memory when it is destroyed").bound = Some((0, offset));
        }
        if !memory.bound.is_empty() {
            let bound_count = memory.bound_count();
            self.record(Rule::FreedWithBound { memory: handle, bound_count });
        }
        free();
        Ok(())
    }

    /// Size and memory type; the heap's index.
    fn check_allocation(&mut self, request: &AllocateRequest) -> CallResult<usize> {
        let memory_type_index = request.memory_type_index;
        let memory_type = usize::try_from(memory_type_index)
            .ok()
            .and_then(|index| self.config.memory_types.get(index));
        let Some(&(_, heap_index)) = memory_type else {
            let memory_type_count = self.config.memory_type_count();
            return Err(
                self.refuse(Rule::MemoryTypeOutOfRange { memory_type_index, memory_type_count })
            );
        };
        if request.size == 0 {
            return Err(self.refuse(Rule::ZeroSize));
        }
        let is_device_coherent = self
            .config
            .memory_flags(memory_type_index)
            .contains(vk::MemoryPropertyFlags::DEVICE_COHERENT_AMD);
        if is_device_coherent && !self.config.device_coherent_memory {
            return Err(self.refuse(Rule::DeviceCoherentMemory { memory_type_index }));
        }
        if let Some(priority) = request.priority
            && !(0.0..=1.0).contains(&priority)
        {
            let priority_bits = priority.to_bits();
            return Err(self.refuse(Rule::PriorityOutOfRange { priority_bits }));
        }
        Ok(usize::try_from(heap_index).expect("checked when the driver was made"))
    }

    fn check_dedicated(&mut self, request: &AllocateRequest) -> CallResult<()> {
        let (buffer, image) = (request.dedicated_buffer, request.dedicated_image);
        let (kind, handle) = match (buffer, image) {
            (0, 0) => return Ok(()),
            (buffer, 0) => (ObjectKind::Buffer, buffer),
            (0, image) => (ObjectKind::Image, image),
            _ => return Err(self.refuse(Rule::DedicatedToTwo { buffer, image })),
        };
        let required = self.resource(kind, handle)?.requirements.size;
        let size = request.size;
        if size != required {
            return Err(self.refuse(Rule::DedicatedSize { kind, size, required }));
        }
        Ok(())
    }

    /// The limits that a program can know of beforehand, with the errors that drivers have there.
    fn check_limits(&mut self, request: &AllocateRequest, heap_index: usize) -> CallResult<()> {
        let size = request.size;
        let heap_size = self.config.memory_heaps[heap_index].0;
        if size > heap_size {
            self.record(Rule::LargerThanHeap { size, heap_size });
            return Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY);
        }
        let max = self.config.max_memory_allocation_size;
        if size > max {
            self.record(Rule::LargerThanMaxSize { size, max });
            return Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY);
        }
        let max = self.config.max_memory_allocation_count;
        if u32::try_from(self.books.memories.len()).map_or(true, |count| count >= max) {
            self.record(Rule::TooManyAllocations { max });
            return Err(vk::Result::ERROR_TOO_MANY_OBJECTS);
        }
        Ok(())
    }
}
