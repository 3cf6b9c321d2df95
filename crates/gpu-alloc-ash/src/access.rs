//! Checked copies to and from mapped memory, with the cache operations that it needs.
//!
//! Taking the allocation by `&mut` for writing and by `&` for reading keeps host threads apart. That
//! the device does not use the bytes meanwhile is the program's business, as everywhere in Vulkan; a
//! mistake there gives wrong bytes, not undefined behaviour on the host, since no reference into
//! mapped memory exists.
#![allow(unsafe_code)]

use ash::vk;
use bytemuck::{AnyBitPattern, NoUninit};

use crate::mapped::MappedPtr;
use crate::pools::TypePools;
use crate::{AccessError, Allocation, GpuAllocator};

impl GpuAllocator {
    /// Copies `bytes` to `offset` bytes into the allocation, and flushes them where the memory is not
    /// coherent.
    ///
    /// # Errors
    ///
    /// [`AccessError`]; nothing is written then, except if the flush itself failed.
    pub fn write(
        &self,
        allocation: &mut Allocation,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), AccessError> {
        let Some(mapped) = self.accessible(allocation, offset, bytes.len())? else {
            return Ok(());
        };
        // SAFETY: 1. `accessible` checked that the bytes lie in the allocation, which is mapped whole.
        // 2. The allocation is borrowed for writing, and its bytes are nobody else's.
        unsafe { mapped.copy_in(offset, bytes) };
        self.make_visible(allocation, offset, bytes.len() as u64, CacheOperation::Flush)
    }

    /// Copies from `offset` bytes into the allocation to `bytes`, after invalidating them where the
    /// memory is not coherent.
    ///
    /// # Errors
    ///
    /// [`AccessError`]; `bytes` are untouched then.
    pub fn read(
        &self,
        allocation: &Allocation,
        offset: u64,
        bytes: &mut [u8],
    ) -> Result<(), AccessError> {
        // SAFETY: A slice of bytes is valid for writing its length of any bytes.
        unsafe { self.read_raw(allocation, offset, bytes.as_mut_ptr(), bytes.len()) }
    }

    /// [`write`](Self::write) for plain values: `offset` counts bytes.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    pub fn write_slice<T: NoUninit>(
        &self,
        allocation: &mut Allocation,
        offset: u64,
        values: &[T],
    ) -> Result<(), AccessError> {
        self.write(allocation, offset, bytemuck::cast_slice(values))
    }

    /// [`read`](Self::read) for plain values: `offset` counts bytes.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_slice<T: AnyBitPattern>(
        &self,
        allocation: &Allocation,
        offset: u64,
        values: &mut [T],
    ) -> Result<(), AccessError> {
        let size = size_of_val(values);
        // SAFETY: The slice is valid for writing its size, and any bytes are values of `T`.
        unsafe { self.read_raw(allocation, offset, values.as_mut_ptr().cast(), size) }
    }

    /// Makes what the host wrote to these bytes through
    /// [`mapped_ptr`](Allocation::mapped_ptr) visible to the device. Does nothing on coherent memory.
    ///
    /// The range may start and end anywhere in the allocation: it is widened to atoms, which belong
    /// to the allocation alone.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub fn flush(
        &self,
        allocation: &Allocation,
        offset: u64,
        size: u64,
    ) -> Result<(), AccessError> {
        self.check_range(allocation, offset, size)?;
        self.make_visible(allocation, offset, size, CacheOperation::Flush)
    }

    /// Makes what the device wrote to these bytes visible to the host. Otherwise as
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub fn invalidate(
        &self,
        allocation: &Allocation,
        offset: u64,
        size: u64,
    ) -> Result<(), AccessError> {
        self.check_range(allocation, offset, size)?;
        self.make_visible(allocation, offset, size, CacheOperation::Invalidate)
    }

    /// # Safety
    ///
    /// 1. `target` is valid for writing `size` bytes of any value.
    unsafe fn read_raw(
        &self,
        allocation: &Allocation,
        offset: u64,
        target: *mut u8,
        size: usize,
    ) -> Result<(), AccessError> {
        let Some(mapped) = self.accessible(allocation, offset, size)? else {
            return Ok(());
        };
        self.make_visible(allocation, offset, size as u64, CacheOperation::Invalidate)?;
        // SAFETY: 1. `accessible` checked that the bytes lie in the allocation, which is mapped whole.
        // 2. It is borrowed, so nobody has it for writing. 3. Our clause 1; safe code has no memory
        // inside a mapping.
        unsafe { mapped.copy_out(offset, target, size) };
        Ok(())
    }

    /// The host address of the allocation if these bytes may be accessed; `None` for no bytes.
    fn accessible(
        &self,
        allocation: &Allocation,
        offset: u64,
        size: usize,
    ) -> Result<Option<MappedPtr>, AccessError> {
        self.check_range(allocation, offset, size as u64)?;
        Ok(allocation.mapped.filter(|_| size > 0))
    }

    /// Checks that these bytes are mapped bytes of an allocation of ours.
    fn check_range(
        &self,
        allocation: &Allocation,
        offset: u64,
        size: u64,
    ) -> Result<(), AccessError> {
        let (owner, asked) = (allocation.allocator_id.get(), self.id.get());
        if owner != asked {
            return Err(AccessError::ForeignAllocation { owner, asked });
        }
        let allocation_size = allocation.size();
        if offset.checked_add(size).is_none_or(|end| end > allocation_size) {
            return Err(AccessError::OutOfBounds { offset, size, allocation_size });
        }
        if allocation.mapped.is_none() {
            return Err(AccessError::NotMapped {
                memory_type_index: allocation.memory_type_index(),
            });
        }
        Ok(())
    }

    /// Flushes or invalidates a range that was checked, if the memory needs it.
    fn make_visible(
        &self,
        allocation: &Allocation,
        offset: u64,
        size: u64,
        operation: CacheOperation,
    ) -> Result<(), AccessError> {
        let pools = &self.types[usize::from(allocation.memory_type_index)];
        if pools.coherent || size == 0 {
            return Ok(());
        }
        let range = atom_range(allocation, pools, offset, size);
        let (call, result) = match operation {
            CacheOperation::Flush => {
                // SAFETY: 1. The range is of a live, mapped allocation, on atoms by `atom_range`.
                let result = unsafe { self.driver.flush(range) };
                ("vkFlushMappedMemoryRanges", result)
            }
            CacheOperation::Invalidate => {
                // SAFETY: 1. The range is of a live, mapped allocation, on atoms by `atom_range`.
                let result = unsafe { self.driver.invalidate(range) };
                ("vkInvalidateMappedMemoryRanges", result)
            }
        };
        result.map_err(|result| AccessError::Driver { call, result })
    }
}

#[derive(Clone, Copy)]
enum CacheOperation {
    Flush,
    Invalidate,
}

/// The range of atoms that covers these bytes of an allocation (Vulkan spec, `VkMappedMemoryRange`).
///
/// Allocations of non-coherent types own their atoms, and blocks are multiples of an atom, so the
/// range stays within the object; an object of one allocation may end inside of an atom, and the
/// range then ends with it.
pub(crate) fn atom_range<'a>(
    allocation: &Allocation,
    pools: &TypePools,
    offset: u64,
    size: u64,
) -> vk::MappedMemoryRange<'a> {
    let first = allocation.offset() + offset;
    let range = whole_atoms(allocation.memory(), pools.atom_size(), first, first + size);
    if allocation.is_whole_object() {
        let end = (range.offset + range.size).min(allocation.size());
        return range.size(end - range.offset);
    }
    range
}

/// The range of atoms that covers these bytes of a memory object.
pub(crate) fn whole_atoms<'a>(
    memory: vk::DeviceMemory,
    atom: u64,
    first: u64,
    end: u64,
) -> vk::MappedMemoryRange<'a> {
    let start = first - first % atom;
    let size = end.next_multiple_of(atom) - start;
    vk::MappedMemoryRange::default().memory(memory).offset(start).size(size)
}
