//! Steps that ask for memory, in every way there is.

use std::ptr::NonNull;

use ash::vk;
use gpu_alloc_ash::{Allocation, AllocationRequest, ExternalMemory, ResourceKind};

use super::Session;
use super::balance::Snapshot;
use super::held::{Held, Resource};
use super::places::Made;
use super::requests;
use crate::input::Input;

impl Session<'_> {
    pub(super) fn allocate(&mut self, input: &mut Input<'_>) {
        let request = requests::request(input, self.device.scale);
        self.trace.say(|| format!("allocate {request:x?}"));
        let before = self.snapshot();
        match self.allocator.allocate(&request) {
            Ok(allocation) => self.take_in(allocation, Resource::Nothing, &Made::plain(request)),
            Err(error) => self.refused(&before, &error),
        }
    }

    pub(super) fn create_buffer(&mut self, input: &mut Input<'_>) {
        let addresses = self.allocator.config().buffer_device_address;
        let info = requests::buffer(input, self.device.scale, addresses);
        let request = requests::raise(input, self.device.scale);
        self.trace.say(|| format!("create buffer {:#x} {request:x?}", info.size));
        let before = self.snapshot();
        // SAFETY: 1. The create info is valid usage.
        match unsafe { self.allocator.create_buffer(&info, &request) } {
            Ok((buffer, allocation)) => self.take_in_buffer(allocation, buffer, &info, request),
            Err(error) => self.refused(&before, &error),
        }
    }

    pub(super) fn create_image(&mut self, input: &mut Input<'_>) {
        let info = requests::image(input);
        let mut request = requests::raise(input, self.device.scale);
        self.trace.say(|| format!("create image {:?} {request:x?}", info.extent));
        let before = self.snapshot();
        // SAFETY: 1. The create info is valid usage.
        match unsafe { self.allocator.create_image(&info, &request) } {
            Ok((image, allocation)) => {
                let is_linear = info.tiling == vk::ImageTiling::LINEAR;
                request.kind =
                    if is_linear { ResourceKind::Linear } else { ResourceKind::NonLinear };
                self.take_in_image(allocation, image, request);
            }
            Err(error) => self.refused(&before, &error),
        }
    }

    /// A buffer that the program makes and binds itself, by its handle or by its numbers.
    pub(super) fn allocate_for_buffer(&mut self, input: &mut Input<'_>) {
        let addresses = self.allocator.config().buffer_device_address;
        let info = requests::buffer(input, self.device.scale, addresses);
        let mut request = requests::raise(input, self.device.scale);
        request.device_address |= info.usage.contains(vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS);
        let by_numbers = input.one_in(2) && !self.device.driver.requires_dedicated;
        self.trace.say(|| format!("for buffer {:#x} {request:x?} {by_numbers}", info.size));
        let device = self.driver.device();
        // SAFETY: The driver lives, and the create info is valid usage.
        let Ok(buffer) = (unsafe { device.create_buffer(&info, None) }) else { return };
        let before = self.snapshot();
        let result = if by_numbers {
            // SAFETY: The buffer was made above.
            let needs = unsafe { device.get_buffer_memory_requirements(buffer) };
            let device_address = request.device_address;
            request = AllocationRequest { device_address, ..needs.into() };
            request.kind = ResourceKind::Linear;
            self.allocator.allocate(&request)
        } else {
            // SAFETY: 1. The buffer was made above. 2. Its address needs are in the request.
            unsafe { self.allocator.allocate_for_buffer(buffer, &request) }
        };
        let allocation = match result {
            Ok(allocation) => allocation,
            Err(error) => {
                self.refused(&before, &error);
                // SAFETY: It was made above, and nothing uses it.
                return unsafe { device.destroy_buffer(buffer, None) };
            }
        };
        let (memory, offset) = (allocation.memory(), allocation.offset());
        // SAFETY: The buffer has no memory, and this was allocated for it.
        if unsafe { device.bind_buffer_memory(buffer, memory, offset) }.is_ok() {
            return self.take_in_buffer(allocation, buffer, &info, request);
        }
        // SAFETY: It was made above, and nothing uses it.
        unsafe { device.destroy_buffer(buffer, None) };
        // SAFETY: 1. and 2. Nothing is bound to it.
        unsafe { self.allocator.free(allocation) }.expect("it is this allocator's");
    }

    /// An image that the program makes and binds itself.
    pub(super) fn allocate_for_image(&mut self, input: &mut Input<'_>) {
        let info = requests::image(input);
        let mut request = requests::raise(input, self.device.scale);
        if info.tiling == vk::ImageTiling::OPTIMAL && request.kind == ResourceKind::Linear {
            request.kind = ResourceKind::Unknown;
        }
        self.trace.say(|| format!("for image {:?} {request:x?}", info.extent));
        let device = self.driver.device();
        // SAFETY: The driver lives, and the create info is valid usage.
        let Ok(image) = (unsafe { device.create_image(&info, None) }) else { return };
        let before = self.snapshot();
        // SAFETY: 1. The image was made above. 2. The kind was seen to.
        let allocation = match unsafe { self.allocator.allocate_for_image(image, &request) } {
            Ok(allocation) => allocation,
            Err(error) => {
                self.refused(&before, &error);
                // SAFETY: It was made above, and nothing uses it.
                return unsafe { device.destroy_image(image, None) };
            }
        };
        let (memory, offset) = (allocation.memory(), allocation.offset());
        // SAFETY: The image has no memory, and this was allocated for it.
        if unsafe { device.bind_image_memory(image, memory, offset) }.is_ok() {
            return self.take_in_image(allocation, image, request);
        }
        // SAFETY: It was made above, and nothing uses it.
        unsafe { device.destroy_image(image, None) };
        // SAFETY: 1. and 2. Nothing is bound to it.
        unsafe { self.allocator.free(allocation) }.expect("it is this allocator's");
    }

    /// Memory that the program makes itself, within the device's limits, and hands in.
    pub(super) fn adopt(&mut self, input: &mut Input<'_>) {
        let driver = &self.device.driver;
        let type_count = driver.memory_types.len();
        let index = input.index(type_count);
        let (flags, heap_index) = driver.memory_types[index];
        let size = self.device.scale.bytes(input).max(1);
        let is_mapped = flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE) && !input.one_in(4);
        let name = input.maybe(4, |_| "swapchain");
        let count = u32::try_from(self.driver.live().memory).expect("at most thousands");
        let is_special = flags.as_raw() >= vk::MemoryPropertyFlags::PROTECTED.as_raw();
        let heap_size = driver.memory_heaps[heap_index as usize].0;
        let max_size = driver.max_memory_allocation_size.min(heap_size);
        if is_special || size > max_size || count >= driver.max_memory_allocation_count {
            return;
        }
        let memory_type_index = u32::try_from(index).expect("at most 32 types");
        let device = self.driver.device();
        let info = vk::MemoryAllocateInfo::default()
            .allocation_size(size)
            .memory_type_index(memory_type_index);
        // SAFETY: The driver lives, and the limits were seen to.
        let Ok(memory) = (unsafe { device.allocate_memory(&info, None) }) else { return };
        let mapped_ptr = is_mapped.then(|| self.map(memory)).flatten();
        self.trace.say(|| format!("adopt {size:#x} of type {memory_type_index}, {mapped_ptr:?}"));
        let external = ExternalMemory { memory, size, memory_type_index, mapped_ptr, name };
        // SAFETY: 1. That is what was allocated. 2. and 3. It is freed after the allocation, and
        // accessed through it alone.
        let adopted = unsafe { self.allocator.adopt_external(external) };
        let allocation = adopted.expect("external memory is not refused for a limit");
        assert_eq!((allocation.memory(), allocation.offset()), (memory, 0));
        assert_eq!((allocation.size(), allocation.memory_type_index()), (size, memory_type_index));
        assert!(allocation.is_external() && !allocation.is_dedicated());
        assert_eq!(allocation.mapped_ptr(), mapped_ptr);
        self.had_external = true;
        self.tally.allocations += 1;
        self.held.push(Held::new(allocation, Resource::Nothing, ResourceKind::Unknown, name));
    }

    /// Maps memory of the program's own, unless the driver fails.
    fn map(&self, memory: vk::DeviceMemory) -> Option<NonNull<u8>> {
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: The memory was just allocated, of a host-visible type.
        let address = unsafe { self.driver.device().map_memory(memory, 0, vk::WHOLE_SIZE, flags) };
        address.ok().and_then(|address| NonNull::new(address.cast()))
    }

    fn take_in_buffer(
        &mut self,
        allocation: Allocation,
        buffer: vk::Buffer,
        info: &vk::BufferCreateInfo<'_>,
        mut request: AllocationRequest<'static>,
    ) {
        // SAFETY: The buffer lives.
        let needs = unsafe { self.driver.device().get_buffer_memory_requirements(buffer) };
        request.kind = ResourceKind::Linear;
        request.device_address |= info.usage.contains(vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS);
        let made = Made::raised(request, &needs);
        self.take_in(allocation, Resource::Buffer(buffer), &made);
    }

    fn take_in_image(
        &mut self,
        allocation: Allocation,
        image: vk::Image,
        request: AllocationRequest<'static>,
    ) {
        // SAFETY: The image lives.
        let needs = unsafe { self.driver.device().get_image_memory_requirements(image) };
        let made = Made::raised(request, &needs);
        self.take_in(allocation, Resource::Image(image), &made);
    }

    /// A call that failed has left nothing behind.
    pub(super) fn refused(&mut self, before: &Snapshot, error: &dyn std::error::Error) {
        self.trace.say(|| format!("  refused: {error}"));
        assert_eq!(self.snapshot(), *before, "left behind by a call that failed: {error}");
        self.was_refused = true;
        self.tally.refusals += 1;
    }
}
