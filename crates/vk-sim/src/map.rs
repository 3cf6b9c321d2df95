//! `vkMapMemory`, `vkUnmapMemory`, and the ranges of flush and invalidate.

use ash::vk;

use crate::backing::Backing;
use crate::state::{CallResult, Entered};
use crate::violation::{ObjectKind, Rule};

impl Entered<'_> {
    /// Maps memory; the address of byte `offset`. `size` may be `VK_WHOLE_SIZE`.
    pub(crate) fn map_memory(
        &mut self,
        handle: u64,
        offset: u64,
        size: u64,
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
        if memory.backing.is_none() {
            let backing = Backing::new(memory_size).ok_or(vk::Result::ERROR_MEMORY_MAP_FAILED)?;
            memory.backing = Some(backing);
        }
        let backing = memory.backing.as_ref().expect("made above if it was not there");
        memory.mapped = Some(offset..end);
        Ok(backing.at(offset).as_ptr())
    }

    /// Unmaps memory; its bytes persist.
    pub(crate) fn unmap_memory(&mut self, handle: u64) -> CallResult<()> {
        let Some(memory) = self.books.memories.get_mut(&handle) else {
            return Err(self.unknown(ObjectKind::Memory, handle));
        };
        match memory.mapped.take() {
            Some(_) => Ok(()),
            None => Err(self.refuse(Rule::NotMapped { memory: handle })),
        }
    }

    /// Checks the ranges of a flush or an invalidation, `(memory, offset, size)` each.
    ///
    /// Host and device share the bytes, so there is nothing to move.
    pub(crate) fn check_ranges(&mut self, ranges: &[(u64, u64, u64)]) -> CallResult<()> {
        for &(handle, offset, size) in ranges {
            self.check_range(handle, offset, size)?;
        }
        self.fail_if_planted()
    }

    fn check_range(&mut self, handle: u64, offset: u64, size: u64) -> CallResult<()> {
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
        Ok(())
    }
}
