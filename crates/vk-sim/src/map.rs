//! `vkMapMemory`, `vkUnmapMemory`, and the ranges of flush and invalidate.

use std::ops::Range;
use std::ptr::NonNull;

use ash::vk;

use crate::state::{CallResult, Entered};
use crate::violation::{ObjectKind, Rule};

/// Whose writes the other side gets to see.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    /// The host's.
    Flush,
    /// The device's.
    Invalidate,
}

impl Entered<'_> {
    /// Maps memory; the address of byte `offset`. `size` may be `VK_WHOLE_SIZE`.
    ///
    /// A real driver maps the whole by `map_real`; without one it is `None`.
    pub(crate) fn map_memory(
        &mut self,
        handle: u64,
        offset: u64,
        size: u64,
        map_real: impl FnOnce() -> CallResult<Option<NonNull<u8>>>,
    ) -> CallResult<*mut u8> {
        let Some(memory) = self.books.memories.get(&handle) else {
            return Err(self.unknown(ObjectKind::Memory, handle));
        };
        let memory_size = memory.request.size;
        let memory_type_index = memory.request.memory_type_index;
        if memory.mapped.is_some() {
            return Err(self.refuse(Rule::MappedTwice { memory: handle }));
        }
        let flags = self.config.memory_flags(memory_type_index);
        if !flags.contains(vk::MemoryPropertyFlags::HOST_VISIBLE) {
            return Err(self.refuse(Rule::NotHostVisible { memory_type_index }));
        }
        if offset >= memory_size {
            return Err(self.refuse(Rule::MapOffset { offset, memory_size }));
        }
        let end = match size {
            vk::WHOLE_SIZE => memory_size,
            0 => return Err(self.refuse(Rule::ZeroSize)),
            // `offset < memory_size` was checked above.
            _ if size > memory_size - offset => {
                return Err(self.refuse(Rule::MapSize { offset, size, memory_size }));
            }
            _ => offset + size,
        };
        self.fail_if_planted()?;
        let memory = self.books.memories.get_mut(&handle).expect("found above, under the lock");
        if let Some(mapping) = map_real()? {
            memory.backing.set_real(mapping);
        }
        let address = memory.backing.map(offset).ok_or(vk::Result::ERROR_MEMORY_MAP_FAILED)?;
        memory.mapped = Some(offset..end);
        Ok(address.as_ptr())
    }

    /// Unmaps memory, a real driver's by `unmap_real`; its bytes persist.
    pub(crate) fn unmap_memory(
        &mut self,
        handle: u64,
        unmap_real: impl FnOnce(),
    ) -> CallResult<()> {
        let Some(memory) = self.books.memories.get_mut(&handle) else {
            return Err(self.unknown(ObjectKind::Memory, handle));
        };
        if memory.mapped.take().is_none() {
            return Err(self.refuse(Rule::NotMapped { memory: handle }));
        }
        memory.backing.forget_real();
        unmap_real();
        Ok(())
    }

    /// Flushes or invalidates ranges, `(memory, offset, size)` each; none if one is refused.
    ///
    /// A real driver does its part by `sync_real`, which is given the memory and its type.
    pub(crate) fn move_ranges(
        &mut self,
        direction: Direction,
        ranges: &[(u64, u64, u64)],
        sync_real: impl Fn(u64, u32) -> CallResult<()>,
    ) -> CallResult<()> {
        let mut checked = Vec::with_capacity(ranges.len());
        for &(handle, offset, size) in ranges {
            checked.push((handle, self.check_range(handle, offset, size)?));
        }
        self.fail_if_planted()?;
        for (handle, range) in checked {
            let memory = self.books.memories.get_mut(&handle);
            let memory = memory.expect("found by the check, under the lock");
            let memory_type_index = memory.request.memory_type_index;
            let moved = match direction {
                Direction::Flush => {
                    let moved = memory.backing.flush(range);
                    sync_real(handle, memory_type_index)?;
                    moved
                }
                Direction::Invalidate => {
                    sync_real(handle, memory_type_index)?;
                    memory.backing.invalidate(range)
                }
            };
            moved.ok_or(vk::Result::ERROR_OUT_OF_HOST_MEMORY)?;
        }
        Ok(())
    }

    /// The range in bytes from the memory's start.
    fn check_range(&mut self, handle: u64, offset: u64, size: u64) -> CallResult<Range<u64>> {
        let Some(memory) = self.books.memories.get(&handle) else {
            return Err(self.unknown(ObjectKind::Memory, handle));
        };
        let memory_size = memory.request.size;
        let Some(mapped) = memory.mapped.clone() else {
            return Err(self.refuse(Rule::NotMapped { memory: handle }));
        };
        let is_whole = size == vk::WHOLE_SIZE;
        let end = if is_whole { Some(mapped.end) } else { offset.checked_add(size) };
        let Some(end) =
            end.filter(|&end| offset >= mapped.start && offset <= end && end <= mapped.end)
        else {
            return Err(self.refuse(Rule::RangeOutsideMapping {
                offset,
                size,
                mapped_offset: mapped.start,
                // A mapped range is never reversed.
                mapped_size: mapped.end - mapped.start,
            }));
        };
        let atom = self.config.non_coherent_atom_size;
        if !offset.is_multiple_of(atom) {
            return Err(self.refuse(Rule::RangeOffsetNotOnAtom { offset, atom }));
        }
        // On an aligned offset, "the size is a multiple" and "the end is one" say the same.
        if !end.is_multiple_of(atom) && end != memory_size {
            return Err(self.refuse(if is_whole {
                Rule::MappingEndNotOnAtom { end, atom }
            } else {
                Rule::RangeEndNotOnAtom { end, atom }
            }));
        }
        Ok(offset..end)
    }
}
