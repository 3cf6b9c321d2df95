//! What a region counts while it works.

use crate::block::BuddyStats;
use crate::tree::Steps;
use crate::view::Merged;

/// The counters; what follows from others is not kept.
///
/// In this order, no two neighbours are both added to by the same straight line of code. The
/// compiler would do that by one wide load, which in the next call has to wait for the two stores
/// of the last.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Counters {
    /// How far `allocated_size` is below its peak: one subtraction keeps both.
    pub(crate) below_peak: u64,
    pub(crate) peak_allocated: u64,
    pub(crate) allocation_count: u64,
    pub(crate) merge_count: u64,
    pub(crate) total_freed: u64,
    pub(crate) split_count: u64,
}

impl Counters {
    /// All zero, also where `default` cannot be called.
    pub(crate) const fn new() -> Self {
        Self {
            below_peak: 0,
            peak_allocated: 0,
            allocation_count: 0,
            merge_count: 0,
            total_freed: 0,
            split_count: 0,
        }
    }

    /// The bytes of all live allocations.
    pub(crate) const fn allocated_size(&self) -> u64 {
        // Underflows in no region but a damaged one, whose figures `validate` finds to be wrong.
        self.peak_allocated.wrapping_sub(self.below_peak)
    }

    /// Counts an allocation that was handed out.
    #[inline]
    pub(crate) fn count_taken(&mut self, size: u64) {
        self.allocation_count += 1;
        self.count_bytes(size);
    }

    /// Counts bytes that were handed out.
    #[inline]
    fn count_bytes(&mut self, size: u64) {
        let (below_peak, is_above) = self.below_peak.overflowing_sub(size);
        self.below_peak = below_peak;
        if is_above {
            // Live allocations do not overlap, so the new peak is at most the region's size.
            self.peak_allocated += below_peak.wrapping_neg();
            self.below_peak = 0;
        }
    }

    /// Counts an allocation that was given back.
    #[inline]
    pub(crate) fn count_freed(&mut self, size: u64) {
        // The allocation was live, and was counted when it was handed out: neither the count nor
        // the allocated size falls below zero.
        self.below_peak += size;
        self.allocation_count -= 1;
        self.total_freed = self.total_freed.wrapping_add(size);
    }

    /// Counts an allocation whose size has changed.
    pub(crate) fn count_resized(&mut self, size: u64, new_size: u64, steps: Steps) {
        // The allocation was counted with `size`.
        self.below_peak += size;
        self.count_bytes(new_size);
        self.total_freed = self.total_freed.wrapping_add(size.saturating_sub(new_size));
        self.split_count += u64::from(steps.split_count);
        self.merge_count += u64::from(steps.merge_count);
    }

    /// The counters as users get them, with what a merge of the waiting block would count.
    pub(crate) fn stats(&self, total_size: u64, merged: Option<Merged>) -> BuddyStats {
        let pending = merged.map_or(0, |merged| u64::from(merged.merge_count));
        BuddyStats {
            total_size,
            allocated_size: self.allocated_size(),
            allocation_count: self.allocation_count,
            peak_allocated: self.peak_allocated,
            total_allocated: self.total_freed.wrapping_add(self.allocated_size()),
            total_freed: self.total_freed,
            split_count: self.split_count,
            merge_count: self.merge_count + pending,
        }
    }
}
