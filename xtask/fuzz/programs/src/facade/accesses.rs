//! Steps that touch the bytes of an allocation, rightly and wrongly.

use gpu_alloc_ash::{AccessError, FreeError, MemoryPropertyFlags};

use super::Session;
use super::contents::Access;
use super::held::Held;
use crate::input::Input;

impl Session<'_> {
    pub(super) fn write(&mut self, input: &mut Input<'_>) {
        if self.held.is_empty() {
            return;
        }
        let index = input.index(self.held.len());
        let way = input.byte();
        self.stamp += 1;
        let Held { allocation, contents, .. } = &mut self.held[index];
        let access = if way & 4 == 0 {
            contents.fill(&self.allocator, allocation, self.stamp)
        } else {
            let piece = [input.byte(), input.byte(), way];
            contents.poke(&self.allocator, allocation, piece, self.stamp)
        };
        self.trace.say(|| format!("write {way:#x} to {allocation:?}: {access:?}"));
        let is_mapped = allocation.mapped_ptr().is_some();
        assert_eq!(access == Access::NotMapped, !is_mapped, "{access:?} of {allocation:?}");
    }

    pub(super) fn read_one(&mut self, input: &mut Input<'_>) {
        if self.held.is_empty() {
            return;
        }
        let held = &self.held[input.index(self.held.len())];
        self.trace.say(|| format!("read {:?}", held.allocation));
        let was_compared = held.contents.compare(&self.allocator, &held.allocation);
        self.tally.comparisons += u64::from(was_compared);
    }

    /// Every allocation has what was written to it.
    pub(super) fn check_contents(&mut self) {
        for held in &self.held {
            let was_compared = held.contents.compare(&self.allocator, &held.allocation);
            self.tally.comparisons += u64::from(was_compared);
        }
        self.check_losables();
    }

    /// Accesses that leave the allocation are refused, by name of the numbers.
    pub(super) fn access_outside(&mut self, input: &mut Input<'_>) {
        if self.held.is_empty() {
            return;
        }
        let index = input.index(self.held.len());
        let allocation = &mut self.held[index].allocation;
        let allocation_size = allocation.size();
        let (offset, size) = match input.below(3) {
            0 => (allocation_size, 1),
            1 => (allocation_size - allocation_size.min(3), 4),
            _ => (input.word() | 1 << 63, 1 + u64::from(input.byte())),
        };
        if offset.checked_add(size).is_some_and(|end| end <= allocation_size) {
            return;
        }
        let refusal = Err(AccessError::OutOfBounds { offset, size, allocation_size });
        let mut bytes = vec![0x5a; usize::try_from(size).expect("at most 256")];
        assert_eq!(self.allocator.write(allocation, offset, &bytes), refusal);
        assert_eq!(self.allocator.read(allocation, offset, &mut bytes), refusal);
        assert_eq!(self.allocator.flush(allocation, offset, size), refusal);
        assert_eq!(self.allocator.invalidate(allocation, offset, size), refusal);
    }

    /// Another allocator refuses the allocation, and gives it back.
    pub(super) fn forge(&mut self, input: &mut Input<'_>) {
        if self.held.is_empty() {
            return;
        }
        let index = input.index(self.held.len());
        let Held { allocation, resource, kind, name, contents } = self.held.swap_remove(index);
        let refused = self.stranger.read(&allocation, 0, &mut [0]);
        assert!(matches!(refused, Err(AccessError::ForeignAllocation { .. })), "{refused:?}");
        // SAFETY: 1. and 2. It is refused before anything is done; the device has no commands.
        let freed = unsafe { self.stranger.free(allocation) };
        let refused = freed.expect_err("the allocation is another allocator's");
        assert!(matches!(refused.error, FreeError::ForeignAllocation { .. }), "{refused:?}");
        let allocation = refused.returned;
        self.held.push(Held { allocation, resource, kind, name, contents });
        self.tally.forgeries += 1;
    }

    /// The flags of a memory type of the device.
    pub(super) fn type_flags(&self, memory_type_index: u32) -> MemoryPropertyFlags {
        let index = usize::try_from(memory_type_index).expect("at most 32 types");
        let (flags, _) = self.device.driver.memory_types[index];
        MemoryPropertyFlags::from_bits_retain(flags.as_raw())
    }
}
