//! Each memory type that the host can map, one by one: written, flushed, invalidated and read at
//! places that lie on no atom, beside neighbours that have to stay as they are.

use ash::vk;
use gpu_alloc_ash::{Allocation, AllocationRequest, MemoryPropertyFlags, Strategy};

use crate::bytes::{assert_same_bytes, pattern, usize_from};
use crate::resources::Buffer;
use crate::support::{Gpu, STRATEGIES};
use crate::transfers::{assert_buffer, fill_buffer};
use crate::{buffers, raw};

/// No multiple of any atom.
const SIZES: [u64; 3] = [1001, 77, 4099];
const OFFSET: u64 = 13;

/// The memory types that buffers may have and the host may map, without flags that need a feature.
fn mapped_types(gpu: &Gpu) -> Vec<u32> {
    let probe = raw::unbound_buffer(gpu, SIZES[0]);
    let bits = raw::buffer_requirements(gpu, probe).memory_type_bits;
    // SAFETY: made above, and never bound.
    unsafe { gpu.device().destroy_buffer(probe, None) };
    let host = vk::MemoryPropertyFlags::HOST_VISIBLE;
    let ordinary = host
        | vk::MemoryPropertyFlags::DEVICE_LOCAL
        | vk::MemoryPropertyFlags::HOST_COHERENT
        | vk::MemoryPropertyFlags::HOST_CACHED;
    let is_ordinary =
        |flags: vk::MemoryPropertyFlags| flags.contains(host) && (flags & !ordinary).is_empty();
    (0..gpu.boot.memory_properties.memory_type_count)
        .filter(|&index| bits & (1 << index) != 0 && is_ordinary(gpu.flags_of_type(index)))
        .collect()
}

/// Writes past `OFFSET` as a program does that keeps the address, and flushes just that.
fn write_through_address(gpu: &Gpu, allocation: &Allocation, bytes: &[u8]) {
    let address = allocation.mapped_ptr().expect("the type is host-visible");
    // SAFETY: the offset lies in the allocation.
    let target = unsafe { address.add(usize_from(OFFSET)) };
    // SAFETY: as many bytes as these follow in the allocation, which nobody else uses.
    unsafe { target.as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    gpu.allocator.flush(allocation, OFFSET, bytes.len() as u64).unwrap();
}

/// Reads past `OFFSET` in the same way.
fn read_through_address(gpu: &Gpu, allocation: &Allocation) -> Vec<u8> {
    let size = allocation.size() - OFFSET;
    gpu.allocator.invalidate(allocation, OFFSET, size).unwrap();
    let address = allocation.mapped_ptr().expect("the type is host-visible");
    // SAFETY: the offset lies in the allocation.
    let source = unsafe { address.add(usize_from(OFFSET)) };
    // SAFETY: the rest of the allocation is mapped and initialised, and nobody writes it now.
    unsafe { std::slice::from_raw_parts(source.as_ptr(), usize_from(size)) }.to_vec()
}

fn check(gpu: &Gpu, memory_type_index: u32, strategy: Strategy) {
    let required = gpu.flags_of_type(memory_type_index).as_raw();
    let neighbours = SIZES.map(|size| {
        let request = AllocationRequest {
            size,
            memory_type_bits: 1 << memory_type_index,
            required: MemoryPropertyFlags::from_bits_retain(required),
            strategy,
            ..Default::default()
        };
        let buffer = Buffer::new(gpu, size, buffers::COPIED, &request);
        assert_eq!(buffer.allocation.memory_type_index(), memory_type_index);
        fill_buffer(gpu, buffer.handle, &pattern(size, size));
        buffer
    });
    for buffer in &neighbours {
        let bytes = pattern(buffer.size + 1, buffer.size - OFFSET);
        write_through_address(gpu, &buffer.allocation, &bytes);
    }
    for buffer in neighbours {
        let mut wanted = pattern(buffer.size, OFFSET);
        wanted.extend(pattern(buffer.size + 1, buffer.size - OFFSET));
        let what = format!("memory type {memory_type_index}, {} bytes", buffer.size);
        assert_buffer(gpu, &what, buffer.handle, &wanted);
        let bytes = pattern(buffer.size + 2, buffer.size);
        fill_buffer(gpu, buffer.handle, &bytes);
        // Where nothing was executed, the host finds again what it wrote itself.
        let last = if gpu.executes() { bytes } else { wanted };
        let got = read_through_address(gpu, &buffer.allocation);
        assert_same_bytes(
            what,
            &got[..usize_from(buffer.size - OFFSET)],
            &last[usize_from(OFFSET)..],
        );
        buffer.destroy(gpu);
    }
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn every_mapped_type_is_flushed_and_invalidated_on_atoms() {
    let gpu = Gpu::new();
    let types = mapped_types(&gpu);
    assert!(!types.is_empty(), "buffers always have a host-visible type");
    for memory_type_index in types {
        println!("memory type {memory_type_index}: {:?}", gpu.flags_of_type(memory_type_index));
        for strategy in STRATEGIES {
            check(&gpu, memory_type_index, strategy);
        }
    }
    gpu.finish();
}
