//! A buddy allocator so plain that it is right by reading: sets of offsets, one for each size.

use std::collections::{BTreeMap, BTreeSet};

use buddy_core::{AllocError, BuddyBlock, BuddyStats, FreeError};

/// The reference: the same rules as the crate's, without a bit trick.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    min_block_size: u64,
    /// The largest block size of the region.
    top_size: u64,
    /// Offsets of the free blocks, by size.
    free: BTreeMap<u64, BTreeSet<u64>>,
    /// Sizes of the taken blocks, by offset.
    pub(crate) taken: BTreeMap<u64, u64>,
    pub(crate) stats: BuddyStats,
}

impl Reference {
    pub(crate) fn new(total_size: u64, min_block_size: u64) -> Self {
        let total_size = total_size / min_block_size * min_block_size;
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
        Self { min_block_size, top_size, free, taken: BTreeMap::new(), stats }
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
        let mut block_size = self.min_block_size;
        while block_size < size {
            block_size = block_size.checked_mul(2).ok_or(refusal)?;
        }
        let wanted = block_size.max(alignment);
        let found = self.free.range(wanted..).find(|(_, offsets)| !offsets.is_empty());
        let mut found_size = *found.ok_or(refusal)?.0;
        let offsets = self.free.get_mut(&found_size).unwrap();
        let offset = offsets.pop_first().unwrap();
        while found_size > block_size {
            found_size /= 2;
            self.free.entry(found_size).or_default().insert(offset + found_size);
            self.stats.split_count += 1;
        }
        self.taken.insert(offset, block_size);
        self.stats.allocated_size += block_size;
        self.stats.allocation_count += 1;
        self.stats.total_allocated = self.stats.total_allocated.wrapping_add(block_size);
        self.stats.peak_allocated = self.stats.peak_allocated.max(self.stats.allocated_size);
        Ok(BuddyBlock { offset, size: block_size })
    }

    pub(crate) fn free(&mut self, block: BuddyBlock) -> Result<(), FreeError> {
        let BuddyBlock { mut offset, mut size } = block;
        if self.taken.get(&offset) != Some(&size) {
            return Err(FreeError::NotAllocated { offset, size });
        }
        self.taken.remove(&offset);
        self.stats.allocated_size -= size;
        self.stats.allocation_count -= 1;
        self.stats.total_freed = self.stats.total_freed.wrapping_add(size);
        while size < self.top_size
            && self.free.get_mut(&size).is_some_and(|free| free.remove(&(offset ^ size)))
        {
            offset &= !size;
            size *= 2;
            self.stats.merge_count += 1;
        }
        self.free.entry(size).or_default().insert(offset);
        Ok(())
    }

    pub(crate) fn largest_free_block(&self) -> u64 {
        self.free.iter().rev().find(|(_, free)| !free.is_empty()).map_or(0, |(&size, _)| size)
    }

    pub(crate) fn free_blocks(&self) -> Vec<BuddyBlock> {
        let mut blocks: Vec<_> = self
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
