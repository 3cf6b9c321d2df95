//! The live blocks of a region as a plain map, and what must be true of a region that has them.
//!
//! Basic design: where a block lies is the allocator's choice, so nothing here predicts it. What is
//! checked is what any buddy allocator owes: blocks that do not overlap, aligned to their size, of
//! the size that the request rounds up to; free blocks that tile the rest and are merged; and a
//! refusal only if no free block would do.

use std::collections::BTreeMap;

use buddy_core::{AllocError, BuddyAllocator, BuddyBlock, ResizeError, Rounding, Storage};

pub(super) struct Shadow {
    total_size: u64,
    min_block_size: u64,
    rounding: Rounding,
    /// Sizes by offset.
    live: BTreeMap<u64, u64>,
    allocated_size: u64,
    peak_allocated: u64,
    ever_allocated: u64,
    ever_freed: u64,
}

impl Shadow {
    pub(super) fn new(total_size: u64, min_block_size: u64, rounding: Rounding) -> Self {
        Self {
            total_size,
            min_block_size,
            rounding,
            live: BTreeMap::new(),
            allocated_size: 0,
            peak_allocated: 0,
            ever_allocated: 0,
            ever_freed: 0,
        }
    }

    pub(super) fn reset(&mut self) {
        *self = Self::new(self.total_size, self.min_block_size, self.rounding);
    }

    pub(super) fn is_live(&self, block: BuddyBlock) -> bool {
        self.live.get(&block.offset) == Some(&block.size)
    }

    /// The first live block behind a place in the region, or the last one.
    pub(super) fn pick(&self, place: u64) -> Option<BuddyBlock> {
        let behind = self.live.range(place % self.total_size..).next();
        let (&offset, &size) = behind.or(self.live.last_key_value())?;
        Some(BuddyBlock { offset, size })
    }

    /// The size of the block that holds a request, if there can be one.
    fn block_size(&self, size: u64) -> Option<u64> {
        size.max(self.min_block_size).checked_next_power_of_two()
    }

    /// How much of it the request gets.
    fn rounded(&self, size: u64) -> Option<u64> {
        match self.rounding {
            Rounding::Trimmed => size.checked_next_multiple_of(self.min_block_size),
            _ => self.block_size(size),
        }
    }

    /// A block was handed out.
    pub(super) fn take(&mut self, block: BuddyBlock, size: u64, alignment: u64) {
        assert_ne!(size, 0);
        assert_eq!(Some(block.size), self.rounded(size), "{block:x?} for {size:#x} bytes");
        let block_size = self.block_size(size).expect("it has a size, so there is a block");
        assert!(block.offset.is_multiple_of(block_size), "{block:x?}");
        assert!(block.offset.is_multiple_of(alignment.max(1)), "{block:x?} at {alignment:#x}");
        let end = block.offset.checked_add(block.size).expect("a block ends in 64 bits");
        assert!(end <= self.total_size, "{block:x?} leaves the region");
        let before = self.live.range(..=block.offset).next_back();
        assert!(before.is_none_or(|(&at, &size)| at + size <= block.offset), "{block:x?} overlaps");
        let behind = self.live.range(block.offset..).next();
        assert!(behind.is_none_or(|(&at, _)| end <= at), "{block:x?} overlaps");
        self.live.insert(block.offset, block.size);
        self.allocated_size += block.size;
        self.peak_allocated = self.peak_allocated.max(self.allocated_size);
        self.ever_allocated = self.ever_allocated.wrapping_add(block.size);
    }

    /// A live block was given back.
    pub(super) fn give(&mut self, block: BuddyBlock) {
        assert_eq!(self.live.remove(&block.offset), Some(block.size));
        self.allocated_size -= block.size;
        self.ever_freed = self.ever_freed.wrapping_add(block.size);
        // The planted fault: of a free that leaves three blocks alive, the last one is forgotten.
        if cfg!(feature = "plant") && self.live.len() == 3 && block.size > self.min_block_size {
            self.live.pop_last();
        }
    }

    /// What a resize of a live block must answer. If that is a block, it is the live one now.
    pub(super) fn resize(
        &mut self,
        block: BuddyBlock,
        new_size: u64,
    ) -> Result<BuddyBlock, ResizeError> {
        let BuddyBlock { offset, size } = block;
        let total_size = self.total_size;
        if new_size == 0 || new_size > total_size {
            return Err(ResizeError::InvalidSize { size: new_size, total_size });
        }
        let no_room = ResizeError::NoRoom { offset, size, new_size };
        let rounded = self.rounded(new_size).ok_or(no_room)?;
        let block_size = self.block_size(new_size).ok_or(no_room)?;
        let block_end = offset.checked_add(block_size);
        let is_block = offset.is_multiple_of(block_size)
            && block_end.is_some_and(|block_end| block_end <= total_size);
        let next = self.live.range(offset + 1..).next();
        // What is asked where there is a block cannot overflow.
        let is_free = || next.is_none_or(|(&next, _)| offset + rounded <= next);
        if rounded > size && !(is_block && is_free()) {
            return Err(no_room);
        }
        self.live.insert(offset, rounded);
        self.allocated_size = self.allocated_size - size + rounded;
        self.peak_allocated = self.peak_allocated.max(self.allocated_size);
        self.ever_allocated = self.ever_allocated.wrapping_add(rounded.saturating_sub(size));
        self.ever_freed = self.ever_freed.wrapping_add(size.saturating_sub(rounded));
        Ok(BuddyBlock { offset, size: rounded })
    }

    /// A request was refused.
    pub(super) fn check_refusal<S: Storage>(
        &self,
        region: &BuddyAllocator<S>,
        error: AllocError,
        size: u64,
        alignment: u64,
    ) {
        match error {
            AllocError::InvalidSize { .. } => assert!(size == 0 || size > self.total_size),
            AllocError::InvalidAlignment { .. } => {
                let is_power = alignment == 0 || alignment.is_power_of_two();
                assert!(!is_power || alignment > self.total_size, "{alignment:#x}");
            }
            AllocError::OutOfMemory { .. } => {
                let Some(block_size) = self.block_size(size) else { return };
                let wanted = block_size.max(alignment);
                let mut free = region.free_blocks();
                assert!(free.all(|block| block.size < wanted), "{wanted:#x} bytes are free");
            }
            other => panic!("an error that is not known here: {other}"),
        }
    }

    /// The counters and constant-time answers.
    pub(super) fn check_counters<S: Storage>(&self, region: &BuddyAllocator<S>) {
        let stats = region.stats();
        assert_eq!(stats.total_size, self.total_size);
        assert_eq!(stats.allocated_size, self.allocated_size);
        assert_eq!(stats.allocation_count, self.live.len() as u64);
        assert_eq!(stats.peak_allocated, self.peak_allocated);
        assert_eq!(stats.total_allocated, self.ever_allocated);
        assert_eq!(stats.total_freed, self.ever_freed);
        assert_eq!(region.is_empty(), self.live.is_empty());
    }

    /// Every bit, and both lists.
    pub(super) fn check<S: Storage>(&self, region: &BuddyAllocator<S>) {
        self.check_counters(region);
        assert_eq!(region.validate(), Ok(()));
        let live = self.live.iter().map(|(&offset, &size)| BuddyBlock { offset, size });
        assert!(region.taken_blocks().eq(live), "the live blocks are others");
        let free: Vec<BuddyBlock> = region.free_blocks().collect();
        let largest = free.iter().map(|block| block.size).max();
        assert_eq!(region.largest_free_block(), largest.unwrap_or(0));
        let mut taken = self.live.iter().peekable();
        let mut end = 0;
        for block in &free {
            while let Some((&offset, &size)) = taken.next_if(|(offset, _)| **offset == end) {
                end = offset + size;
            }
            assert_eq!(block.offset, end, "a gap or an overlap");
            assert!(block.size.is_power_of_two() && block.offset.is_multiple_of(block.size));
            // The last block may end at 2^64 less a tail, never beyond.
            end += block.size;
        }
        end = taken.fold(end, |end, (&offset, &size)| {
            assert_eq!(offset, end, "a gap or an overlap");
            offset + size
        });
        assert_eq!(end, self.total_size, "the region is not tiled");
        for pair in free.windows(2) {
            let are_buddies =
                pair[0].size == pair[1].size && pair[0].offset ^ pair[0].size == pair[1].offset;
            assert!(!are_buddies, "{pair:x?} are free and not merged");
        }
    }
}
