//! A buddy allocator so plain that it is right by reading: sets of offsets, one for each size.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use buddy_core::{
    AllocError, BuddyBlock, BuddyConfig, BuddyStats, FreeError, ResizeError, Rounding,
};

/// The reference: the same rules as the crate's, without a bit trick.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    config: BuddyConfig,
    /// The largest block size of the region.
    top_size: u64,
    /// Offsets of the free blocks, by size, but for the waiting one.
    free: BTreeMap<u64, BTreeSet<u64>>,
    /// The block that was freed last and is not merged yet.
    pub(crate) waiting: Option<BuddyBlock>,
    /// Sizes of the live allocations, by offset.
    pub(crate) taken: BTreeMap<u64, u64>,
    stats: BuddyStats,
}

impl Reference {
    pub(crate) fn new(config: BuddyConfig) -> Self {
        let min_block_size = config.min_block_size;
        let total_size = config.total_size / min_block_size * min_block_size;
        let mut free: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        let (mut offset, mut top_size) = (0, 0);
        while offset < total_size {
            let mut size = min_block_size;
            while size <= (total_size - offset) / 2 {
                size *= 2;
            }
            top_size = top_size.max(size);
            free.entry(size).or_default().insert(offset);
            offset += size;
        }
        let stats = BuddyStats { total_size, ..BuddyStats::default() };
        Self { config, top_size, free, waiting: None, taken: BTreeMap::new(), stats }
    }

    pub(crate) fn allocate(&mut self, size: u64, alignment: u64) -> Result<BuddyBlock, AllocError> {
        let total_size = self.stats.total_size;
        if size == 0 || size > total_size {
            return Err(AllocError::InvalidSize { size, total_size });
        }
        if (alignment != 0 && !alignment.is_power_of_two()) || alignment > total_size {
            return Err(AllocError::InvalidAlignment { alignment });
        }
        let largest_free_block = self.largest_free_block();
        let refusal = AllocError::OutOfMemory { size, alignment, largest_free_block };
        let (block_size, taken_size) = self.rounded(size).ok_or(refusal)?;
        let wanted = block_size.max(alignment);
        if largest_free_block < wanted {
            return Err(refusal);
        }
        let offset = match self.waiting {
            Some(waiting) if waiting.size == taken_size && wanted == taken_size => {
                self.waiting = None;
                waiting.offset
            }
            _ => self.split(wanted, block_size, taken_size),
        };
        self.taken.insert(offset, taken_size);
        self.stats.allocated_size += taken_size;
        self.stats.allocation_count += 1;
        self.stats.total_allocated = self.stats.total_allocated.wrapping_add(taken_size);
        self.stats.peak_allocated = self.stats.peak_allocated.max(self.stats.allocated_size);
        Ok(BuddyBlock { offset, size: taken_size })
    }

    /// The size of the block that holds `size` bytes, and how much of it is taken.
    fn rounded(&self, size: u64) -> Option<(u64, u64)> {
        let mut block_size = self.config.min_block_size;
        while block_size < size {
            block_size = block_size.checked_mul(2)?;
        }
        let taken_size = match self.config.rounding {
            Rounding::Trimmed => size.next_multiple_of(self.config.min_block_size),
            _ => block_size,
        };
        Some((block_size, taken_size))
    }

    /// Takes the lowest block of the smallest size that has `wanted` bytes, and frees what lies
    /// behind the first `taken_size`.
    fn split(&mut self, wanted: u64, block_size: u64, taken_size: u64) -> u64 {
        if self.free.range(wanted..).all(|(_, offsets)| offsets.is_empty()) {
            self.merge_waiting();
        }
        let found = self.free.range(wanted..).find(|(_, offsets)| !offsets.is_empty());
        let mut found_size = *found.expect("a free block is large enough").0;
        let start = self.free.get_mut(&found_size).unwrap().pop_first().unwrap();
        while found_size > block_size {
            found_size /= 2;
            self.free.entry(found_size).or_default().insert(start + found_size);
            self.stats.split_count += 1;
        }
        self.trim(start, found_size, taken_size);
        start
    }

    /// Frees what lies behind the first `taken_size` of a taken block.
    fn trim(&mut self, start: u64, mut size: u64, taken_size: u64) {
        let mut offset = start;
        while offset + size != start + taken_size {
            size /= 2;
            self.stats.split_count += 1;
            if offset + size < start + taken_size {
                offset += size;
            } else {
                self.free.entry(size).or_default().insert(offset + size);
            }
        }
    }

    pub(crate) fn resize(
        &mut self,
        BuddyBlock { offset, size }: BuddyBlock,
        new_size: u64,
    ) -> Result<BuddyBlock, ResizeError> {
        let total_size = self.stats.total_size;
        if new_size == 0 || new_size > total_size {
            return Err(ResizeError::InvalidSize { size: new_size, total_size });
        }
        if self.taken.get(&offset) != Some(&size) {
            return Err(ResizeError::NotAllocated { offset, size });
        }
        let no_room = ResizeError::NoRoom { offset, size, new_size };
        let (block_size, taken_size) = self.rounded(new_size).ok_or(no_room)?;
        if taken_size > size {
            let block_end = offset.checked_add(block_size).ok_or(no_room)?;
            let behind = offset + size..offset + taken_size;
            let is_there = offset.is_multiple_of(block_size) && block_end <= total_size;
            if !is_there || !self.is_free(behind.clone()) {
                return Err(no_room);
            }
            self.take_behind(size, behind);
        } else {
            self.give_behind(offset, size, taken_size);
        }
        self.taken.insert(offset, taken_size);
        let (grown, shrunk) = (taken_size.saturating_sub(size), size.saturating_sub(taken_size));
        self.stats.allocated_size = self.stats.allocated_size + grown - shrunk;
        self.stats.peak_allocated = self.stats.peak_allocated.max(self.stats.allocated_size);
        self.stats.total_allocated = self.stats.total_allocated.wrapping_add(grown);
        self.stats.total_freed = self.stats.total_freed.wrapping_add(shrunk);
        Ok(BuddyBlock { offset, size: taken_size })
    }

    fn is_free(&self, range: Range<u64>) -> bool {
        let overlaps =
            |(&offset, &size): (&u64, &u64)| offset < range.end && range.start < offset + size;
        !self.taken.iter().any(overlaps)
    }

    /// Takes the free blocks in a range that starts where an allocation of `size` ends.
    fn take_behind(&mut self, size: u64, Range { start, end }: Range<u64>) {
        self.merge_waiting();
        let mut piece_count = size.count_ones();
        let mut offset = start;
        while offset < end {
            let found = self
                .free
                .iter_mut()
                .find_map(|(&size, offsets)| offsets.remove(&offset).then_some(size));
            let found_size = found.expect("what is not taken is free");
            let kept = found_size.min(end - offset);
            self.trim(offset, found_size, kept);
            piece_count += kept.count_ones();
            offset += found_size;
        }
        // Each merge makes one piece of two, until they are the binary digits of the new size.
        let merge_count = piece_count - (size + end - start).count_ones();
        self.stats.merge_count += u64::from(merge_count);
    }

    /// Frees what lies behind the first `taken_size` of an allocation, piece by piece.
    fn give_behind(&mut self, offset: u64, mut size: u64, taken_size: u64) {
        while size > taken_size {
            let piece = 1 << size.trailing_zeros();
            if size - piece >= taken_size {
                self.give(offset + size - piece, piece);
            } else {
                self.trim(offset + size - piece, piece, taken_size + piece - size);
            }
            size -= piece;
        }
    }

    pub(crate) fn free(&mut self, block: BuddyBlock) -> Result<(), FreeError> {
        let BuddyBlock { offset, size } = block;
        if self.taken.get(&offset) != Some(&size) {
            return Err(FreeError::NotAllocated { offset, size });
        }
        self.taken.remove(&offset);
        self.stats.allocated_size -= size;
        self.stats.allocation_count -= 1;
        self.stats.total_freed = self.stats.total_freed.wrapping_add(size);
        if self.config.waiting && size.is_power_of_two() {
            self.merge_waiting();
            self.waiting = Some(block);
        } else {
            self.give_pieces(block);
        }
        Ok(())
    }

    fn merge_waiting(&mut self) {
        if let Some(block) = self.waiting.take() {
            self.give_pieces(block);
        }
    }

    fn give_pieces(&mut self, BuddyBlock { offset, mut size }: BuddyBlock) {
        while size > 0 {
            let piece = 1 << size.trailing_zeros();
            size -= piece;
            self.give(offset + size, piece);
        }
    }

    fn give(&mut self, mut offset: u64, mut size: u64) {
        while size < self.top_size
            && self.free.get_mut(&size).is_some_and(|free| free.remove(&(offset ^ size)))
        {
            offset &= !size;
            size *= 2;
            self.stats.merge_count += 1;
        }
        self.free.entry(size).or_default().insert(offset);
    }

    /// This region with nothing waiting, which is what every query answers from.
    fn merged(&self) -> Self {
        let mut merged = self.clone();
        merged.merge_waiting();
        merged
    }

    pub(crate) fn stats(&self) -> BuddyStats {
        self.merged().stats
    }

    pub(crate) fn largest_free_block(&self) -> u64 {
        self.merged()
            .free
            .iter()
            .rev()
            .find(|(_, free)| !free.is_empty())
            .map_or(0, |(&size, _)| size)
    }

    pub(crate) fn free_blocks(&self) -> Vec<BuddyBlock> {
        let mut blocks: Vec<_> = self
            .merged()
            .free
            .iter()
            .flat_map(|(&size, free)| free.iter().map(move |&offset| BuddyBlock { offset, size }))
            .collect();
        blocks.sort();
        blocks
    }

    pub(crate) fn taken_blocks(&self) -> Vec<BuddyBlock> {
        self.taken.iter().map(|(&offset, &size)| BuddyBlock { offset, size }).collect()
    }
}
