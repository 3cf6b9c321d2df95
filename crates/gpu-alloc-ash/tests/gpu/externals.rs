//! Memory made elsewhere: tracked, written, bound to, and left alone at the end.

use std::ptr::NonNull;

use ash::vk;
use gpu_alloc_ash::{AccessError, Allocation, ExternalMemory, LeakKind};

use crate::bytes::{assert_same_bytes, pattern};
use crate::raw;
use crate::support::{Gpu, assert_nothing_in_use};

/// Two memory objects that the allocator did not make, for buffers of `raw::SIZE` bytes.
struct Own {
    mapped: vk::DeviceMemory,
    address: NonNull<u8>,
    not_mapped: vk::DeviceMemory,
    size: u64,
    memory_type_index: u32,
}

impl Own {
    fn new(gpu: &Gpu) -> Self {
        let probe = raw::unbound_buffer(gpu, raw::SIZE);
        let requirements = raw::buffer_requirements(gpu, probe);
        // SAFETY: made above, and never bound.
        unsafe { gpu.device().destroy_buffer(probe, None) };
        let coherent =
            vk::MemoryPropertyFlags::HOST_VISIBLE | vk::MemoryPropertyFlags::HOST_COHERENT;
        let memory_type_index = (0..gpu.boot.memory_properties.memory_type_count)
            .find(|&index| {
                requirements.memory_type_bits & (1 << index) != 0
                    && gpu.flags_of_type(index).contains(coherent)
            })
            .expect("every device has such a type for buffers");
        let info = vk::MemoryAllocateInfo::default()
            .allocation_size(requirements.size)
            .memory_type_index(memory_type_index);
        // SAFETY: the size is far below every limit, the type exists.
        let allocate = || unsafe { gpu.device().allocate_memory(&info, None) }.unwrap();
        let (mapped, not_mapped) = (allocate(), allocate());
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: host-visible, and not mapped.
        let address = unsafe { gpu.device().map_memory(mapped, 0, vk::WHOLE_SIZE, flags) };
        let address = NonNull::new(address.unwrap().cast()).expect("a mapping is not null");
        Self { mapped, address, not_mapped, size: requirements.size, memory_type_index }
    }

    fn adopt(&self, gpu: &Gpu, is_mapped: bool) -> Allocation {
        let external = ExternalMemory {
            memory: if is_mapped { self.mapped } else { self.not_mapped },
            size: self.size,
            memory_type_index: self.memory_type_index,
            mapped_ptr: is_mapped.then_some(self.address),
            name: is_mapped.then_some("own"),
        };
        // SAFETY: 1. That is how it was made. 2. It is freed after the allocation. 3. The test
        // looks at the mapping only when the allocation is gone.
        unsafe { gpu.allocator.adopt_external(external) }.unwrap()
    }

    fn free(self, gpu: &Gpu) {
        for memory in [self.mapped, self.not_mapped] {
            // SAFETY: nothing is bound any more; the mapping ends with its memory.
            unsafe { gpu.device().free_memory(memory, None) };
        }
    }
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn adopted_memory_is_used_and_outlives_its_allocation() {
    let gpu = Gpu::new();
    let own = Own::new(&gpu);
    let mut adopted = own.adopt(&gpu, true);
    assert_eq!((adopted.memory(), adopted.offset()), (own.mapped, 0));
    assert_eq!((adopted.size(), adopted.memory_type_index()), (own.size, own.memory_type_index));
    assert!(adopted.is_external() && !adopted.is_dedicated());

    let buffer = raw::unbound_buffer(&gpu, raw::SIZE);
    raw::use_buffer(&gpu, buffer, adopted.memory(), adopted.offset());
    let bytes = pattern(5, own.size);
    gpu.allocator.write(&mut adopted, 0, &bytes).unwrap();
    let mut got = vec![0u8; bytes.len()];
    gpu.allocator.read_slice(&adopted, 0, &mut got).unwrap();
    assert_same_bytes("adopted", &got, &bytes);

    raw::free(&gpu.allocator, adopted);
    assert_nothing_in_use(&gpu.allocator);
    // SAFETY: still mapped by this test, as many bytes as were mapped, and nobody writes them.
    let kept = unsafe { std::slice::from_raw_parts(own.address.as_ptr(), bytes.len()) };
    assert_same_bytes("after the allocation", kept, &bytes);
    own.free(&gpu);
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn adopted_memory_is_counted_and_named_apart() {
    let gpu = Gpu::new();
    let own = Own::new(&gpu);
    let (mapped, not_mapped) = (own.adopt(&gpu, true), own.adopt(&gpu, false));
    let stats = gpu.allocator.stats();
    assert_eq!((stats.external, stats.external_size), (2, 2 * own.size));
    assert_eq!((stats.allocation_count, stats.total_allocated), (2, 0));
    let leaks = gpu.allocator.leaks();
    assert!(leaks.iter().all(|leak| leak.kind == LeakKind::External && leak.size == own.size));
    let mut names: Vec<_> = leaks.iter().map(|leak| leak.name.as_deref()).collect();
    names.sort();
    assert_eq!(names, [None, Some("own")]);
    let memory_type_index = own.memory_type_index;
    assert_eq!(
        gpu.allocator.read(&not_mapped, 0, &mut [0; 4]),
        Err(AccessError::NotMapped { memory_type_index })
    );
    raw::free(&gpu.allocator, not_mapped);
    raw::free(&gpu.allocator, mapped);
    own.free(&gpu);
    gpu.finish();
}
